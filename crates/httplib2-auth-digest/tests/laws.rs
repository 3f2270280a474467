//! The laws that every layer keeps.

use futures_util::FutureExt;
use httplib2_auth::{Credential, Credentials};
use httplib2_auth_digest::DigestAuthLayer;
use httplib2_testing::{Body, BodyLaws, Reply, Server, ServiceLaws, body_laws, reply, request, service_laws};
use tower::{Layer, ServiceExt};

fn layer() -> DigestAuthLayer {
    let credentials = Credentials::new();
    credentials.add(Credential::login("joe", "s3cr3t"));
    DigestAuthLayer::new(credentials)
}

fn challenging(params: &str) -> Reply {
    reply(401).header("www-authenticate", format!(r#"Digest realm="r", {params}"#))
}

#[test]
fn digest_keeps_the_laws_of_services() {
    let laws = ServiceLaws::new()
        .exchange("a challenge", || {
            let server = Server::new()
                .on("GET http://a.example/", challenging(r#"nonce="n1", qop="auth""#).body("who?"))
                .on("GET http://a.example/", reply(200));
            (server, request("GET http://a.example/"))
        })
        .exchange("content that is signed, and a nonce that is stale", || {
            let server = Server::new()
                .on("PUT http://a.example/", challenging(r#"nonce="n1", qop="auth-int""#))
                .on("PUT http://a.example/", challenging(r#"nonce="n2", qop="auth-int", stale=true"#).stalling())
                .on("PUT http://a.example/", reply(200));
            (server, request("PUT http://a.example/").map(|_| Body::chunks(["one, ", "two"]).pausing()))
        });
    service_laws(|server| layer().layer(server), laws);
}

#[test]
fn digest_without_credentials_keeps_the_laws_of_services() {
    service_laws(|server| DigestAuthLayer::new(Credentials::new()).layer(server), ServiceLaws::new());
}

#[test]
fn digest_hands_bodies_through_untouched() {
    let wrap = |body| {
        let mut body = Some(body);
        let server = Server::answering(move |received, _| match received.headers().contains_key("authorization") {
            true => reply(200).body(body.take().expect("one request")),
            false => challenging(r#"nonce="n1", qop="auth""#),
        });
        let response = layer().layer(server.clone()).oneshot(request("GET http://a.example/"));
        let response = response.now_or_never().expect("nothing to wait for").expect("an answer");
        assert_eq!(server.saw().len(), 2);
        response.into_body()
    };
    body_laws(wrap, BodyLaws::new());
}
