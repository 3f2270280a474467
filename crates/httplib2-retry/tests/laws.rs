//! What every layer owes to its neighbours.

mod common;

use futures_util::FutureExt;
use httplib2_retry::{Failure, RetryLayer, RetryStatuses};
use httplib2_testing::{Body, BodyLaws, Server, ServiceLaws, body_laws, reply, request, service_laws};
use tower::{Layer, ServiceExt};

use self::common::{DEAD, failing, layer};

#[test]
fn a_layer_that_sends_again_keeps_the_laws() {
    let laws = ServiceLaws::new()
        .exchange("two dead connections", || {
            let server = Server::answering(|_, number| if number < 2 { failing(DEAD) } else { reply(200) });
            (server, request("GET http://a.example/"))
        })
        .exchange("a failure to connect", || {
            let server = Server::new()
                .on("POST http://a.example/", failing(Failure::Unprocessed))
                .on("POST http://a.example/", reply(200));
            (server, request("POST http://a.example/").map(|_| Body::from("text")))
        })
        .exchange("a busy server", || {
            let server = Server::new()
                .on("GET http://a.example/", reply(503).header("retry-after", "5").body("busy"))
                .on("GET http://a.example/", reply(200));
            (server, request("GET http://a.example/"))
        });
    service_laws(|server| layer().statuses(RetryStatuses::transient()).layer(server), laws);
}

#[test]
fn a_layer_that_never_sends_again_keeps_the_laws() {
    service_laws(|server| RetryLayer::new().tries(1).dead_connections(0).layer(server), ServiceLaws::new());
}

#[test]
fn bodies_are_handed_through_untouched() {
    let wrap = |body| {
        let mut body = Some(body);
        let server = Server::answering(move |_, _| reply(200).body(body.take().expect("one request")));
        let response = layer().layer(server).oneshot(request("GET http://a.example/"));
        response.now_or_never().expect("nothing to wait for").expect("an answer").into_body()
    };
    body_laws(wrap, BodyLaws::new());
}
