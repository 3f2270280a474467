//! The laws that every layer and every body keeps.

mod coded;

use std::{
    future::ready,
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use http::{Request, Response};
use httplib2_core::error::BoxError;
use httplib2_decompression::{DecodedBody, Decoding, DecompressionLayer};
use httplib2_testing::{Body, BodyLaws, ServiceLaws, body_laws, request, service_laws};
use tower::{Layer, ServiceExt, service_fn};

/// The body that the layer makes of this one.
fn wrapped(coding: &str, body: Body) -> DecodedBody<Body> {
    let body = Arc::new(Mutex::new(Some(body)));
    let coding = coding.to_owned();
    let server = service_fn(move |_: Request<Body>| {
        let body = body.lock().expect("nobody panicked").take().expect("one request is sent");
        let response = Response::builder().header("content-encoding", &coding).body(body);
        ready(response.map_err(BoxError::from))
    });
    let mut sent = pin!(DecompressionLayer::new().layer(server).oneshot(request("GET http://a.example/")));
    match sent.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(response) => response.expect("a response").into_body(),
        Poll::Pending => panic!("the server answers at once"),
    }
}

#[test]
fn decompression_keeps_the_laws_of_services() {
    service_laws(|server| DecompressionLayer::new().layer(server), ServiceLaws::new());
}

#[test]
fn decompression_that_is_off_keeps_the_laws_of_services() {
    service_laws(|server| DecompressionLayer::new().decoding(Decoding::Raw).layer(server), ServiceLaws::new());
}

#[test]
fn a_decoded_body_keeps_the_laws_of_bodies() {
    for coding in coded::codings() {
        let laws = BodyLaws::new().feeding(move |data| coded::encode(coding, data));
        body_laws(|body| wrapped(coding.as_str(), body), laws);
    }
    let laws = BodyLaws::new().feeding(|data| coded::gzip(&coded::brotli(data)));
    body_laws(|body| wrapped("br, gzip", body), laws);
}

#[test]
fn an_untouched_body_keeps_the_laws_of_bodies() {
    body_laws(|body| wrapped("identity", body), BodyLaws::new());
}
