//! What the caller says about one request.

mod common;

use http::Request;
use httplib2_cache::{
    CacheMode, Served,
    policy::{NotStored, Why},
};
use httplib2_testing::{Body, Server, reply, request};

use self::common::{GET, Site, cached, with};

fn asking(line: &str, mode: CacheMode) -> Request<Body> {
    let mut request = request(line);
    request.extensions_mut().insert(mode);
    request
}

/// The mode with something fresh, something stale and nothing in the store: whether that is used, or the status.
#[tokio::test]
async fn each_mode_does_what_its_row_says() {
    use CacheMode::{Default, ForceCache, NoStore, Offline, OnlyIfCached, Reload, Revalidate};
    // fresh: from the cache, sends; stale; nothing: status, sends, then stored?
    for (mode, fresh, stale, nothing, stored) in [
        (Default, (true, 0), (true, 1), 200, true),
        (NoStore, (false, 1), (false, 1), 200, false),
        (Reload, (false, 1), (false, 1), 200, true),
        (Revalidate, (true, 1), (true, 1), 200, true),
        (ForceCache, (true, 0), (true, 0), 200, true),
        (OnlyIfCached, (true, 0), (false, 0), 504, false),
        (Offline, (true, 0), (true, 0), 504, false),
    ] {
        let reply_to = |request: &httplib2_testing::Received, _| {
            if request.headers().contains_key("if-none-match") {
                return reply(304).header("etag", "\"a\"");
            }
            cached("max-age=60, must-revalidate").header("etag", "\"a\"").body("text")
        };
        for (age, expected) in [(0, fresh), (120, stale)] {
            let site = Site::private(Server::answering(reply_to));
            site.get().await;
            site.later(age);
            let got = site.send(asking(GET, mode)).await;
            assert_eq!((got.is_from_cache(), site.sends() - 1), expected, "{mode:?} at {age} s: {}", got.why());
        }
        let site = Site::private(Server::answering(reply_to));
        let got = site.send(asking(GET, mode)).await;
        assert_eq!((got.status.as_u16(), site.sends()), (nothing, usize::from(nothing == 200)), "{mode:?}");
        assert_eq!(site.get().await.is_from_cache(), stored, "{mode:?}");
    }
}

#[tokio::test]
async fn nothing_is_sent_offline_whatever_is_asked_for() {
    for line in ["POST http://a.example/", "OPTIONS http://a.example/", "GET /path-only"] {
        let site = Site::private(Server::new());
        let got = site.send(asking(line, CacheMode::Offline)).await;
        assert_eq!((got.status.as_u16(), site.sends()), (504, 0), "{line}");
        assert!(matches!(got.served, Served::Refused { .. }));
    }
}

#[tokio::test]
async fn caches_further_in_hear_of_the_mode() {
    for (mode, expected) in [
        (CacheMode::NoStore, Some("no-cache, no-store")),
        (CacheMode::Reload, Some("no-cache")),
        (CacheMode::Revalidate, Some("max-age=0")),
        (CacheMode::Default, None),
        (CacheMode::ForceCache, None),
    ] {
        let site = Site::private(Server::new().on(GET, cached("no-store")));
        site.send(asking(GET, mode)).await;
        let told = site.server.requests()[0].headers().get("cache-control").cloned();
        assert_eq!(told.as_ref().map(|value| value.to_str().unwrap()), expected, "{mode:?}");
        // What the request says itself stays.
        let mut own = asking(GET, mode);
        own.headers_mut().insert("cache-control", http::HeaderValue::from_static("min-fresh=5"));
        site.send(own).await;
        assert_eq!(site.server.requests()[1].headers()["cache-control"], "min-fresh=5", "{mode:?}");
    }
}

#[tokio::test]
async fn a_mode_replaces_what_the_directives_of_the_request_decide() {
    let site = Site::private(Server::new().on(GET, cached("max-age=60")));
    site.get().await;
    let mut forced = asking(GET, CacheMode::ForceCache);
    forced.headers_mut().insert("cache-control", http::HeaderValue::from_static("no-cache"));
    assert!(site.send(forced).await.is_from_cache());
    let mut reload = asking(GET, CacheMode::Reload);
    reload.headers_mut().insert("cache-control", http::HeaderValue::from_static("only-if-cached"));
    assert_eq!(site.send(reload).await.status, 200);
}

#[tokio::test]
async fn a_forced_mode_keeps_variants_users_and_parts_apart() {
    // Trap 15.
    let server = Server::answering(|request: &httplib2_testing::Received, _| {
        let part = request.headers().contains_key("range");
        let reply = cached("max-age=60").header("vary", "x");
        if part { reply.body("t") } else { reply.body("text") }
    });
    let force = |fields: &[(&'static str, &'static str)]| {
        let mut request = with(GET, fields);
        request.extensions_mut().insert(CacheMode::ForceCache);
        request
    };
    let site = Site::private(server);
    site.send(force(&[("x", "1")])).await;
    assert!(!site.send(force(&[("x", "2")])).await.is_from_cache());
    assert!(!site.send(force(&[("authorization", "alice")])).await.is_from_cache());
    let part = Server::new()
        .on(GET, reply(206).header("cache-control", "max-age=60").header("content-range", "bytes 0-0/4").body("t"))
        .on(GET, cached("max-age=60").body("text"));
    let site = Site::private(part);
    assert_eq!(site.send(force(&[("range", "bytes=0-0")])).await.status, 206);
    assert_eq!(site.send(force(&[])).await.text(), "text");
}

#[tokio::test]
async fn a_shared_cache_is_forced_to_nothing_that_is_not_for_everybody() {
    let site = Site::shared(Server::new().on(GET, cached("max-age=60")));
    site.get().await;
    let mut request = with(GET, &[("authorization", "alice")]);
    request.extensions_mut().insert(CacheMode::ForceCache);
    assert!(!site.send(request).await.is_from_cache());
}

#[tokio::test]
async fn only_if_cached_is_refused_on_a_miss() {
    // Trap 14, CACHE-40.
    let site = Site::private(Server::new());
    let got = site.send(with(GET, &[("cache-control", "only-if-cached")])).await;
    assert_eq!((got.status.as_u16(), site.sends()), (504, 0));
    assert_eq!(got.served, Served::Refused { why: Why::Missing });
    assert_eq!(got.why(), "nothing stored, origin not to be asked -> 504");
    assert_eq!(got.headers["content-length"], "0");
}

#[tokio::test]
async fn a_reload_is_not_answered_stale_when_the_origin_fails() {
    let server = Server::new().on(GET, cached("max-age=60, stale-if-error=600")).on(GET, reply(503));
    let site = Site::private(server);
    site.get().await;
    assert_eq!(site.send(asking(GET, CacheMode::Reload)).await.status, 503);
    assert!(site.get().await.is_from_cache());
}

#[tokio::test]
async fn a_reload_that_may_not_be_stored_does_not_bring_the_old_answer_back() {
    let server = Server::new().on(GET, cached("max-age=600").body("old")).on(GET, cached("no-store").body("new"));
    let site = Site::private(server);
    site.get().await;
    site.send(asking(GET, CacheMode::Reload)).await;
    assert_eq!(site.get().await.text(), "new");
}

#[tokio::test]
async fn no_store_of_the_request_reads_but_does_not_write() {
    let site = Site::private(Server::new().on(GET, cached("max-age=60")));
    let ask = || with(GET, &[("cache-control", "no-store")]);
    let got = site.send(ask()).await;
    let not = httplib2_cache::Kept::Not(NotStored::RequestNoStore);
    assert!(matches!(got.served, Served::Network { kept, .. } if kept == not));
    site.get().await;
    assert!(site.send(ask()).await.is_from_cache());
}
