//! Request bodies that are sent again, and response bodies that are given up.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use httplib2_core::body::{DiscardLimits, Once, ReplayBody};
use httplib2_redirect::{Hops, NotFollowed, RedirectLayer};
use httplib2_testing::{Server, reply, request};
use tower::{Layer, ServiceExt};

fn server() -> Server {
    Server::new()
        .on("POST http://a.example/1", reply(308).header("location", "/2"))
        .on("POST http://a.example/2", reply(308).header("location", "/3"))
        .on("POST http://a.example/3", reply(200))
}

fn post<B>(body: B) -> Request<B> {
    Request::post("http://a.example/1").header("content-type", "text/plain").body(body).expect("a request")
}

#[tokio::test]
async fn a_whole_body_is_sent_again_on_every_hop() {
    // RED-11, H-REDIR-17, trap 31.
    let server = server();
    let client = RedirectLayer::new().layer(server.clone());
    client.oneshot(post(Full::new(Bytes::from_static(b"text")))).await.unwrap();
    for received in server.requests() {
        assert_eq!(received.body(), "text");
        assert_eq!(received.headers()["content-type"], "text/plain");
    }
    assert_eq!(server.saw().len(), 3);
}

#[tokio::test]
async fn a_recorded_body_is_sent_again_on_every_hop() {
    let server = server();
    let client = RedirectLayer::new().layer(server.clone());
    let body = ReplayBody::new(Once::new(Full::new(Bytes::from_static(b"text"))), 1024);
    client.oneshot(post(body)).await.unwrap();
    assert_eq!(server.requests().iter().map(|received| received.body().clone()).collect::<Vec<_>>(), ["text"; 3]);
}

#[tokio::test]
async fn a_body_that_is_gone_hands_the_redirect_back() {
    let server = server();
    let client = RedirectLayer::new().layer(server.clone());
    let response = client.oneshot(post(Once::new(Full::new(Bytes::from_static(b"text"))))).await.unwrap();
    assert_eq!(response.status(), 308);
    assert_eq!(response.extensions().get::<Hops>().unwrap().not_followed(), Some(&NotFollowed::BodyGone));
    assert_eq!(server.saw().len(), 1);
}

#[tokio::test]
async fn a_recording_that_grew_over_its_limit_hands_the_redirect_back() {
    let server = server();
    let client = RedirectLayer::new().layer(server.clone());
    let chunks = httplib2_testing::Body::chunks(["te", "xt"]);
    let response = client.oneshot(post(ReplayBody::new(Once::new(chunks), 3))).await.unwrap();
    assert_eq!(response.extensions().get::<Hops>().unwrap().not_followed(), Some(&NotFollowed::BodyGone));
}

#[tokio::test]
async fn a_303_needs_no_body() {
    let server = Server::new()
        .on("POST http://a.example/1", reply(303).header("location", "/2"))
        .on("GET http://a.example/2", reply(200));
    let client = RedirectLayer::new().layer(server.clone());
    client.oneshot(post(Once::new(Full::new(Bytes::from_static(b"text"))))).await.unwrap();
    let second = server.requests().remove(1);
    assert_eq!(second.body(), "");
    assert!(!second.headers().contains_key("content-type"));
}

#[tokio::test]
async fn the_history_keeps_no_more_than_its_bound() {
    let server = Server::new()
        .on("GET http://a.example/1", reply(302).header("location", "/2").body("12345678"))
        .on("GET http://a.example/2", reply(302).header("location", "/3").body("12345678"))
        .on("GET http://a.example/3", reply(200));
    let client = RedirectLayer::new().history_bytes(10).layer(server);
    let response = client.oneshot(request("GET http://a.example/1")).await.unwrap();
    let previous = response.extensions().get::<Hops>().unwrap().previous();
    assert_eq!((previous[0].response.body().as_ref(), previous[0].body_is_whole), (&b"12345678"[..], true));
    assert_eq!((previous[1].response.body().as_ref(), previous[1].body_is_whole), (&b"12"[..], false));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stalls_does_not_hold_up_the_next_hop() {
    let server = Server::new()
        .on("GET http://a.example/1", reply(302).header("location", "/2").body("begun").stalling())
        .on("GET http://a.example/2", reply(200));
    let limits = DiscardLimits::new(1024, Duration::from_millis(300));
    let start = tokio::time::Instant::now();
    let client = RedirectLayer::new().discard_limits(limits).layer(server);
    let response = client.oneshot(request("GET http://a.example/1")).await.unwrap();
    assert_eq!(start.elapsed(), Duration::from_millis(300));
    assert!(!response.extensions().get::<Hops>().unwrap().previous()[0].body_is_whole);
}

#[tokio::test(start_paused = true)]
async fn an_early_redirect_takes_the_body_over_from_the_send_that_is_under_way() {
    // The first server answers at once and goes on reading; the redirect's own body takes its time.
    let (mut upload, body) = http_body_util::Channel::<Bytes, std::convert::Infallible>::new(8);
    upload.send_data(Bytes::from_static(b"te")).await.unwrap();
    let server = Server::new()
        .on("POST http://a.example/1", reply(308).header("location", "/2").body("moved").early().stalling())
        .on("POST http://a.example/2", reply(200));
    let client = RedirectLayer::new().layer(server.clone());
    let sending = tokio::spawn(client.oneshot(post(ReplayBody::new(Once::new(body), 200))));
    tokio::time::sleep(Duration::from_millis(500)).await;
    upload.send_data(Bytes::from_static(b"xt")).await.unwrap();
    drop(upload);
    assert_eq!(sending.await.unwrap().unwrap().status(), 200);
    assert_eq!(server.requests()[1].body(), "text");
}

#[tokio::test]
async fn the_longest_chain_and_the_fields_of_its_history_are_bounded() {
    let server = Server::answering(|_, _| reply(302).header("location", "/").header("x-big", "x".repeat(10_000)));
    let mut endless = request("GET http://a.example/");
    endless.extensions_mut().insert(httplib2_redirect::MaxRedirects(usize::MAX));
    let response = RedirectLayer::new().layer(server).oneshot(endless).await.unwrap();
    let hops = response.extensions().get::<Hops>().unwrap();
    assert_eq!(hops.previous().len(), 1_000);
    assert_eq!(hops.not_followed(), Some(&NotFollowed::Limit(1_000)));
    let with_fields = hops.previous().iter().filter(|hop| !hop.response.headers().is_empty()).count();
    assert!((100..110).contains(&with_fields), "{with_fields}");
}
