//! The laws that every layer keeps.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use http::Request;
use httplib2_core::who::{KnownTags, Validators};
use httplib2_lost_update::{LostUpdateLayer, merge_fn};
use httplib2_testing::{Body, BodyLaws, Server, ServiceLaws, body_laws, reply, request, service_laws};
use tower::{Layer, ServiceExt};

/// A source that knows one tag for everything, so that the first update of a new client is guarded.
#[derive(Debug)]
struct OneTag;

impl KnownTags for OneTag {
    fn known_tags(
        &self,
        _: &http::Uri,
        _: &http::HeaderMap,
    ) -> std::pin::Pin<Box<dyn Future<Output = Option<Validators>> + Send + 'static>> {
        let etag = Some(http::HeaderValue::from_static("\"v1\""));
        Box::pin(async { Some(Validators { etag, last_modified: None }) })
    }
}

fn put() -> Request<Body> {
    request("PUT http://a.example/doc").map(|_| Body::from("mine"))
}

#[test]
fn what_is_no_concern_of_lost_update_passes_by_the_laws() {
    service_laws(|server| LostUpdateLayer::new().layer(server), ServiceLaws::new());
}

#[test]
fn reads_and_updates_keep_the_laws() {
    for method in ["GET", "PUT", "DELETE"] {
        let laws = ServiceLaws::new().passing(move || request(&format!("{method} http://a.example/laws")));
        service_laws(|server| LostUpdateLayer::new().layer(server), laws);
    }
}

#[test]
fn merging_keeps_the_laws_of_services() {
    let laws = ServiceLaws::new()
        .exchange("a merge", || {
            let server = Server::new()
                .on("PUT http://a.example/doc", reply(412))
                .on("GET http://a.example/doc", reply(200).header("etag", "\"v2\"").body("theirs"))
                .on("PUT http://a.example/doc", reply(204));
            (server, put())
        })
        .exchange("rounds without an end", || {
            let server = Server::new()
                .on("PUT http://a.example/doc", reply(412).stalling())
                .on("GET http://a.example/doc", reply(200).header("etag", "\"v2\""));
            (server, put())
        });
    let merge = || merge_fn(async |versions| Some(Bytes::clone(versions.mine.body())));
    service_laws(|server| LostUpdateLayer::new().merge(merge()).known_tags(Arc::new(OneTag)).layer(server), laws);
}

#[test]
fn a_tag_that_is_fetched_keeps_the_laws_of_services() {
    let laws = ServiceLaws::new().exchange("a 428", || {
        let server = Server::new()
            .on("PUT http://a.example/doc", reply(428))
            .on("HEAD http://a.example/doc", reply(200).header("etag", "\"v2\""))
            .on("PUT http://a.example/doc", reply(204));
        (server, put())
    });
    service_laws(|server| LostUpdateLayer::new().fetch_tag_on_428(true).layer(server), laws);
}

#[test]
fn bodies_pass_untouched() {
    for method in ["GET", "PUT", "POST"] {
        let wrap = |body| {
            let mut body = Some(body);
            let server = Server::answering(move |_, _| reply(200).body(body.take().expect("one request")));
            let response =
                LostUpdateLayer::new().layer(server).oneshot(request(&format!("{method} http://a.example/")));
            response.now_or_never().expect("nothing to wait for").expect("an answer").into_body()
        };
        body_laws(wrap, BodyLaws::new());
    }
}
