//! The laws that every layer keeps.

use futures_util::FutureExt;
use httplib2_redirect::{Follow, RedirectLayer};
use httplib2_testing::{BodyLaws, Server, ServiceLaws, body_laws, reply, request, service_laws};
use tower::{Layer, ServiceExt};

#[test]
fn redirect_keeps_the_laws_of_services() {
    let laws = ServiceLaws::new()
        .exchange("a chain", || {
            let server = Server::new()
                .on("GET http://a.example/1", reply(302).header("location", "/2").body("two"))
                .on("GET http://a.example/2", reply(301).header("location", "http://b.example/3"))
                .on("GET http://b.example/3", reply(200));
            (server, request("GET http://a.example/1"))
        })
        .exchange("a limit", || {
            let server = Server::new().on("GET http://a.example/", reply(302).header("location", "/").stalling());
            (server, request("GET http://a.example/"))
        });
    service_laws(|server| RedirectLayer::new().layer(server), laws);
}

#[test]
fn redirect_that_follows_nothing_keeps_the_laws_of_services() {
    service_laws(|server| RedirectLayer::new().follow(Follow::Never).layer(server), ServiceLaws::new());
}

#[test]
fn redirect_hands_bodies_through_untouched() {
    let wrap = |body| {
        let mut body = Some(body);
        let server = Server::answering(move |_, _| reply(200).body(body.take().expect("one request")));
        let response = RedirectLayer::new().layer(server).oneshot(request("GET http://a.example/"));
        response.now_or_never().expect("nothing to wait for").expect("an answer").into_body()
    };
    body_laws(wrap, BodyLaws::new());
}
