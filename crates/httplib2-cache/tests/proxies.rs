//! What a cache in a server meets: URIs that are only paths, hosts, upgrades, limits and other caches.

mod common;

use futures_util::FutureExt;
use httplib2_cache::{Kept, Served, policy::Why};
use httplib2_testing::{Server, reply, request};
use tower::{Layer, Service, ServiceExt};

use self::common::{GET, Site, cached, with};

fn base() -> http::Uri {
    http::Uri::from_static("http://joe:s3cret@a.example/ignored?so")
}

#[tokio::test]
async fn a_path_alone_needs_a_base() {
    // Trap 19.
    let server = Server::answering(|_, _| cached("max-age=60"));
    let site = Site::shared(server);
    for _ in 0..2 {
        let got = site.line("GET /x").await;
        assert!(matches!(got.served, Served::Network { why: Why::Relative, kept: Kept::Passed }), "{}", got.why());
    }
    let site = site.with(|layer| layer.base("/no-base".parse().unwrap()));
    site.line("GET /x").await;
    assert!(!site.line("GET /x").await.is_from_cache());
    let site = site.with(|layer| layer.base(base()));
    site.line("GET /x").await;
    assert!(site.line("GET /x").await.is_from_cache());
    assert!(!site.line("GET /x?").await.is_from_cache());
    // It is the base that makes it absolute, and the server still sees what was sent.
    assert!(site.line("GET http://a.example/x").await.is_from_cache());
    assert_eq!(site.server.saw().last().unwrap(), "GET /x?");
    assert!(!format!("{:?}", site.layer).contains("s3cret"));
}

#[tokio::test]
async fn a_change_by_path_drops_what_was_stored_by_path() {
    let server = Server::answering(|request, _| {
        if request.method() == "POST" { reply(201).header("location", "/y") } else { cached("max-age=60") }
    });
    let site = Site::shared(server).with(|layer| layer.base(base()));
    let host = [("host", "front.example")];
    for line in ["GET /x", "GET /y", "GET /z"] {
        site.send(with(line, &host)).await;
    }
    site.send(with("POST /x", &host)).await;
    for (line, kept) in [("GET /x", false), ("GET /y", false), ("GET /z", true)] {
        assert_eq!(site.send(with(line, &host)).await.is_from_cache(), kept, "{line}");
    }
}

#[tokio::test]
async fn what_was_answered_to_one_host_answers_no_other() {
    // CACHE-22 and the poisoning by `Host`.
    for line in ["GET /", GET] {
        let server = Server::answering(|request, _| {
            let host = request.headers().get("host").map_or("none", |host| host.to_str().unwrap());
            cached("max-age=60").body(host.to_owned())
        });
        let site = Site::shared(server).with(|layer| layer.base(base()));
        for _ in 0..2 {
            for host in ["evil.example", "b.example", "b.example:81"] {
                assert_eq!(site.send(with(line, &[("host", host)])).await.text(), host, "{line}");
            }
        }
        assert_eq!(site.sends(), 3);
        // Named as in the URI it is the same, in whatever case.
        site.send(with(line, &[("host", "A.Example")])).await;
        assert!(site.line(line).await.is_from_cache());
        assert!(site.send(with(line, &[("host", "B.EXAMPLE")])).await.is_from_cache());
        // Two are one too many.
        for _ in 0..2 {
            assert!(!site.send(with(line, &[("host", "b.example"), ("host", "c.example")])).await.is_from_cache());
        }
    }
}

#[tokio::test]
async fn upgrades_tunnels_and_preconditions_pass_by() {
    let site = Site::shared(Server::answering(|_, _| cached("max-age=60")));
    site.get().await;
    for request in [
        with(GET, &[("upgrade", "websocket"), ("connection", "upgrade")]),
        with(GET, &[("if-match", "\"a\"")]),
        request("CONNECT a.example:443"),
        request("OPTIONS http://a.example/"),
    ] {
        let line = format!("{request:?}");
        let got = site.send(request).await;
        assert!(matches!(got.served, Served::Network { kept: Kept::Passed, .. }), "{line}");
        assert!(got.headers["cache-status"].to_str().unwrap().starts_with("httplib2; fwd="));
    }
}

#[tokio::test]
async fn a_hit_takes_no_permit() {
    // Trap 1, house §6.
    let server =
        Server::new().on(GET, cached("max-age=60")).on("GET http://a.example/slow", reply(200).stalling()).limited(1);
    let site = Site::private(server);
    site.get().await;
    let mut busy = site.server.clone();
    let busy = ServiceExt::<http::Request<httplib2_testing::Body>>::ready(&mut busy).await.unwrap();
    assert_eq!(site.server.permits_free(), 0);
    let got = site.get().now_or_never().expect("a hit waits for nobody");
    assert!(got.is_from_cache());
    let mut cache = site.cache.clone();
    assert!(ServiceExt::<http::Request<httplib2_testing::Body>>::ready(&mut cache).now_or_never().is_some());
    let miss = cache.call(request("GET http://a.example/slow"));
    assert!(miss.now_or_never().is_none(), "a miss waits");
    let _ = busy;
}

#[tokio::test]
async fn a_request_goes_through_a_limit_of_one() {
    // Trap 1: `ready().await?.call(request)` never ended.
    let site = Site::private(Server::new().on(GET, cached("max-age=60")).limited(1));
    let mut cache = site.cache.clone();
    for _ in 0..2 {
        let response =
            ServiceExt::<http::Request<httplib2_testing::Body>>::ready(&mut cache).await.unwrap().call(request(GET));
        drop(httplib2_testing::text(response.await.unwrap()).await.unwrap());
    }
    assert_eq!((site.server.permits_free(), site.sends()), (1, 1));
}

#[tokio::test]
async fn of_two_caches_the_outer_one_works() {
    // Peers §5.5.
    let inner = Site::private(Server::new().on(GET, cached("max-age=60").body("text")));
    let outer = Site::private(Server::new());
    let both = outer.layer.layer(inner.cache.clone());
    for _ in 0..2 {
        let response = both.clone().oneshot(request(GET)).await.unwrap();
        assert_eq!(httplib2_testing::text(response).await.unwrap(), "text");
    }
    assert_eq!(inner.sends(), 1);
    assert_eq!(inner.layer.handle().usage().await.unwrap().entries, 0);
    assert_eq!(outer.layer.handle().usage().await.unwrap().entries, 1);
}

#[tokio::test]
async fn cache_status_is_told_by_a_shared_cache_and_on_request_by_a_private_one() {
    // RFC 9211.
    let server = || Server::new().on(GET, cached("max-age=60").header("cache-status", "origin; hit"));
    let lines = |got: &common::Got| -> Vec<String> {
        got.headers.get_all("cache-status").iter().map(|line| line.to_str().unwrap().to_owned()).collect()
    };
    let shared = Site::shared(server());
    assert_eq!(lines(&shared.get().await), ["origin; hit", "httplib2; fwd=uri-miss; stored"]);
    shared.later(10);
    assert_eq!(lines(&shared.get().await), ["origin; hit", "httplib2; hit; ttl=50"]);
    let private = Site::private(server());
    assert_eq!(lines(&private.get().await), ["origin; hit"]);
    let private = private.with(|layer| layer.cache_status(true));
    assert_eq!(lines(&private.get().await).len(), 2);
    let silent = Site::shared(server()).with(|layer| layer.cache_status(false));
    assert_eq!(lines(&silent.get().await).len(), 1);
    // Not one of our own: it had no look at the origin.
    assert!(lines(&shared.get().await)[1].starts_with("httplib2; hit"));
}
