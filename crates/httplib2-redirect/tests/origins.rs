//! What leaves an origin, and what does not.

use http::{HeaderName, HeaderValue, Request, header};
use httplib2_core::who::Guarded;
use httplib2_redirect::{Downgrade, Follow, Hops, NotFollowed, RedirectLayer};
use httplib2_testing::{Body, Received, Server, reply, request};
use tower::{Layer, ServiceExt};

const SECRETS: [&str; 7] =
    ["authorization", "cookie", "proxy-authorization", "x-wsse", "if-none-match", "range", "host"];

fn with_secrets(line: &str) -> Request<Body> {
    let mut request = request(line);
    for name in SECRETS {
        request.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static("s3cret"));
    }
    request
}

fn secrets_of(received: &Received) -> Vec<&'static str> {
    SECRETS.into_iter().filter(|name| received.headers().contains_key(*name)).collect()
}

#[tokio::test]
async fn what_was_dropped_stays_dropped_on_the_way_back() {
    // H-REDIR-11, 12, 13; RED-01, 02, 04, 05, 26; traps 28, 29.
    let server = Server::new()
        .on("GET http://a.example/1", reply(302).header("location", "http://b.example/2"))
        .on("GET http://b.example/2", reply(302).header("location", "http://a.example/3"))
        .on("GET http://a.example/3", reply(200));
    let client = RedirectLayer::new().layer(server.clone());
    client.oneshot(with_secrets("GET http://a.example/1")).await.unwrap();
    let requests = server.requests();
    assert_eq!(secrets_of(&requests[0]), SECRETS);
    assert!(secrets_of(&requests[1]).is_empty());
    assert!(secrets_of(&requests[2]).is_empty());
}

#[tokio::test]
async fn another_port_or_a_network_path_is_another_origin() {
    // RED-23.
    for location in ["http://a.example:8080/2", "//b.example/2", "https://a.example/2"] {
        let server = Server::answering(move |_, n| match n {
            0 => reply(302).header("location", location),
            _ => reply(200),
        });
        RedirectLayer::new().layer(server.clone()).oneshot(with_secrets("GET http://a.example/1")).await.unwrap();
        assert!(secrets_of(&server.requests()[1]).is_empty(), "{location}");
    }
}

#[tokio::test]
async fn every_hop_that_was_led_away_says_which_origin_the_caller_addressed() {
    use httplib2_core::who::{FirstOrigin, Origin};
    let origin = |uri: &str| Origin::of(&uri.parse().unwrap()).unwrap();
    let first = |server: &Server| {
        let seen = server.requests();
        seen.iter().map(|r| r.extensions().get().map(|FirstOrigin(first)| first.clone())).collect::<Vec<_>>()
    };
    let chain = || {
        Server::new()
            .on("GET https://a.example/", reply(302).header("location", "/1"))
            .on("GET https://a.example/1", reply(302).header("location", "http://b.example/"))
            .on("GET http://b.example/", reply(302).header("location", "/2"))
            .on("GET http://b.example/2", reply(302).header("location", "https://a.example/3"))
            .on("GET https://a.example/3", reply(200))
    };
    let a = Some(origin("https://a.example/"));
    let server = chain();
    RedirectLayer::new().layer(server.clone()).oneshot(request("GET https://a.example/")).await.unwrap();
    assert_eq!(first(&server), [None, None, a.clone(), a.clone(), a]);
    // Whoever led the request here said it already.
    let (server, z) = (chain(), origin("https://z.example/"));
    let mut led = request("GET https://a.example/");
    led.extensions_mut().insert(FirstOrigin(z.clone()));
    RedirectLayer::new().layer(server.clone()).oneshot(led).await.unwrap();
    assert_eq!(first(&server), vec![Some(z); 5]);
}

#[tokio::test]
async fn within_an_origin_credentials_stay() {
    // RED-30.
    let server = Server::new()
        .on("GET http://a.example/1", reply(302).header("location", "http://A.EXAMPLE:80/2"))
        .on("GET http://a.example/2", reply(200));
    let client = RedirectLayer::new().layer(server.clone());
    client.oneshot(with_secrets("GET http://a.example/1")).await.unwrap();
    let kept = secrets_of(&server.requests()[1]);
    assert_eq!(kept, ["authorization", "cookie", "proxy-authorization", "x-wsse", "range", "host"]);
}

#[tokio::test]
async fn named_and_sensitive_fields_do_not_leave_either() {
    let server = Server::new()
        .on("GET http://a.example/", reply(302).header("location", "http://b.example/"))
        .on("GET http://b.example/", reply(200));
    let mut with_keys = request("GET http://a.example/");
    with_keys.headers_mut().insert("x-api-key", HeaderValue::from_static("s3cret"));
    let mut marked = HeaderValue::from_static("s3cret");
    marked.set_sensitive(true);
    with_keys.headers_mut().insert("x-marked", marked);
    with_keys.headers_mut().insert("x-harmless", HeaderValue::from_static("yes"));
    let layer = RedirectLayer::new().sensitive_header(HeaderName::from_static("x-api-key"));
    layer.layer(server.clone()).oneshot(with_keys).await.unwrap();
    let second = server.requests().remove(1);
    assert!(!second.headers().contains_key("x-api-key"));
    assert!(!second.headers().contains_key("x-marked"));
    assert_eq!(second.headers()["x-harmless"], "yes");
}

#[tokio::test]
async fn userinfo_in_a_location_becomes_nothing() {
    // RED-33.
    let server = Server::new()
        .on("GET http://a.example/", reply(302).header("location", "http://evil:pw@b.example/"))
        .on("GET http://b.example/", reply(200));
    RedirectLayer::new().layer(server.clone()).oneshot(request("GET http://a.example/")).await.unwrap();
    assert_eq!(server.saw()[1], "GET http://b.example/");
    assert!(!server.requests()[1].headers().contains_key("authorization"));
}

#[tokio::test]
async fn a_downgrade_with_credentials_is_refused_with_the_reason() {
    // H-REDIR-14.
    let server = || {
        Server::new()
            .on("GET https://a.example/", reply(302).header("location", "http://a.example/"))
            .on("GET http://a.example/", reply(200))
    };
    let response = RedirectLayer::new().layer(server()).oneshot(with_secrets("GET https://a.example/")).await.unwrap();
    assert_eq!(response.status(), 302);
    let hops = response.extensions().get::<Hops>().unwrap();
    assert_eq!(hops.not_followed(), Some(&NotFollowed::Downgrade));

    let without = RedirectLayer::new().layer(server()).oneshot(request("GET https://a.example/")).await.unwrap();
    assert_eq!(without.status(), 200);

    let layer = RedirectLayer::new().downgrade(Downgrade::Allow);
    let server = server();
    layer.layer(server.clone()).oneshot(with_secrets("GET https://a.example/")).await.unwrap();
    assert!(secrets_of(&server.requests()[1]).is_empty());
}

#[tokio::test]
async fn an_update_with_a_precondition_is_not_sent_to_another_origin_without_it() {
    let server = Server::new()
        .on("PUT http://a.example/doc", reply(308).header("location", "http://b.example/doc"))
        .on("PUT http://b.example/doc", reply(204));
    let mut put = request("PUT http://a.example/doc");
    put.headers_mut().insert("if-match", HeaderValue::from_static("\"v1\""));
    let client = RedirectLayer::new().follow(Follow::All).layer(server.clone());
    let response = client.oneshot(put).await.unwrap();
    assert_eq!(response.status(), 308);
    assert_eq!(response.extensions().get::<Hops>().unwrap().not_followed(), Some(&NotFollowed::Precondition));
    assert_eq!(server.saw(), ["PUT http://a.example/doc"]);
}

/// A server that redirects a PUT of `/doc` to `location`, below a layer that gave that PUT a precondition.
fn guarding(location: &'static str) -> Server {
    let guarded = Guarded { name: header::IF_MATCH, value: HeaderValue::from_static("\"v1\"") };
    Server::answering(move |received, n| match (received.uri().path(), n) {
        ("/doc", 0) => reply(308).header("location", location).extension(guarded.clone()),
        ("/twice", _) => reply(308).header("location", "/2"),
        ("/safe", _) => reply(303).header("location", "/2"),
        _ => reply(204),
    })
}

#[tokio::test]
async fn an_update_that_a_layer_below_guarded_stays_guarded_within_its_origin() {
    // Without it, the redirected update overwrites whatever is there (RFC 9110 §13.1.1).
    for (location, left) in [
        ("/2", &[Some("\"v1\"")][..]),
        ("http://A.EXAMPLE:80/2", &[Some("\"v1\"")]),
        ("/twice", &[Some("\"v1\""), Some("\"v1\"")]),
        ("/safe", &[Some("\"v1\""), None]),
    ] {
        let server = guarding(location);
        let client = RedirectLayer::new().layer(server.clone());
        let response = client.oneshot(request("PUT http://a.example/doc")).await.unwrap();
        assert_eq!(response.status(), 204);
        let requests = server.requests();
        let sent = requests[1..].iter().map(|hop| hop.headers().get("if-match").map(|tag| tag.to_str().unwrap()));
        assert_eq!(sent.collect::<Vec<_>>(), left, "{location}");
        // The history shows what was sent.
        let hops = response.extensions().get::<Hops>().unwrap();
        assert_eq!(hops.previous()[0].headers["if-match"], "\"v1\"");
    }
}

#[tokio::test]
async fn an_update_that_a_layer_below_guarded_does_not_leave_its_origin() {
    let server = guarding("http://b.example/doc");
    let client = RedirectLayer::new().follow(Follow::All).layer(server.clone());
    let response = client.oneshot(request("PUT http://a.example/doc")).await.unwrap();
    assert_eq!(response.status(), 308);
    assert_eq!(response.extensions().get::<Hops>().unwrap().not_followed(), Some(&NotFollowed::Precondition));
    assert_eq!(server.saw(), ["PUT http://a.example/doc"]);
}
