//! The laws that every layer keeps.

use futures_util::FutureExt;
use httplib2_auth::{Credential, Credentials};
use httplib2_auth_wsse::WsseAuthLayer;
use httplib2_testing::{BodyLaws, Reply, Server, ServiceLaws, body_laws, reply, request, service_laws};
use tower::{Layer, ServiceExt};

fn layer() -> WsseAuthLayer {
    let credentials = Credentials::new();
    credentials.add(Credential::login("joe", "s3cret"));
    WsseAuthLayer::new(credentials)
}

fn challenge() -> Reply {
    reply(401).header("www-authenticate", "WSSE realm=\"foo\", profile=\"UsernameToken\"").body("who is it?")
}

#[test]
fn wsse_keeps_the_laws_of_services() {
    let laws = ServiceLaws::new()
        .exchange("a challenge", || {
            let server = Server::new().on("GET http://a.example/", challenge()).on("GET http://a.example/", reply(200));
            (server, request("GET http://a.example/"))
        })
        .exchange("a password that is refused", || {
            (Server::new().on("GET http://a.example/", challenge().stalling()), request("GET http://a.example/"))
        });
    service_laws(|server| layer().layer(server), laws);
}

#[test]
fn wsse_in_advance_keeps_the_laws_of_services() {
    let laws = ServiceLaws::new().exchange("the first of two passwords is refused", || {
        let server = Server::new().on("GET http://a.example/", challenge()).on("GET http://a.example/", reply(200));
        (server, request("GET http://a.example/"))
    });
    // Made anew each time, since a layer remembers which one was accepted.
    let wrap = |server| {
        let credentials = Credentials::new();
        credentials.add(Credential::login("jim", "old"));
        credentials.add(Credential::login("joe", "new"));
        WsseAuthLayer::new(credentials).in_advance(true).layer(server)
    };
    service_laws(wrap, laws);
}

#[test]
fn wsse_hands_bodies_through_untouched() {
    let wrap = |body| {
        let mut body = Some(body);
        let server = Server::answering(move |_, _| reply(200).body(body.take().expect("one request")));
        let response = layer().in_advance(true).layer(server).oneshot(request("GET http://a.example/"));
        response.now_or_never().expect("nothing to wait for").expect("an answer").into_body()
    };
    body_laws(wrap, BodyLaws::new());
}
