//! A real pooled client over bytes that a test writes.

use http::Request;
use httplib2_testing::{
    Body, request, text,
    wire::{Connector, Peer, Wire},
};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tokio::sync::mpsc;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn client(wire: &Wire) -> Client<Connector, Body> {
    Client::builder(TokioExecutor::new()).build(wire.connector())
}

async fn get(client: &Client<Connector, Body>) -> Result<String, httplib2_core::error::BoxError> {
    text(client.request(request("GET http://a.example/")).await?).await
}

async fn always_ok(mut peer: Peer) {
    while peer.request().await.is_some() {
        peer.send(OK).await;
    }
}

#[tokio::test]
async fn two_requests_share_a_connection_that_is_kept() {
    let wire = Wire::new(always_ok);
    let client = client(&wire);
    assert_eq!(get(&client).await.unwrap(), "ok");
    assert_eq!(get(&client).await.unwrap(), "ok");
    assert_eq!(wire.connections(), 1);
}

#[tokio::test]
async fn a_kept_connection_that_the_server_closes_is_replaced() {
    let wire = Wire::new(async |mut peer: Peer| {
        peer.request().await;
        peer.send(OK).await;
        peer.close();
    });
    let client = client(&wire);
    for _ in 0..2 {
        assert_eq!(get(&client).await.unwrap(), "ok");
        tokio::task::yield_now().await;
    }
    assert_eq!(wire.connections(), 2);
}

#[tokio::test]
async fn a_connection_without_an_answer_is_an_error() {
    let wire = Wire::new(async |peer: Peer| peer.close());
    assert!(get(&client(&wire)).await.is_err());
}

#[tokio::test]
async fn each_connection_knows_its_number() {
    let wire = Wire::new(async |mut peer: Peer| {
        peer.request().await;
        peer.send(format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}", peer.number())).await;
    });
    let client = client(&wire);
    assert_eq!(get(&client).await.unwrap(), "0");
    assert_eq!(get(&client).await.unwrap(), "1");
}

#[tokio::test]
async fn a_body_is_read_by_its_length_or_by_its_chunks() {
    let (seen, mut received) = mpsc::unbounded_channel();
    let wire = Wire::new(move |mut peer: Peer| {
        let seen = seen.clone();
        async move {
            while let Some(request) = peer.request().await {
                seen.send(request).expect("the test still listens");
                peer.send(OK).await;
            }
        }
    });
    let client = client(&wire);
    let unknown = Body::chunks(["one, ", "two"]).trailers([("x-sum", "3")]).announcing(httplib2_testing::Size::Unknown);
    for (body, framing) in [(Body::from("one, two"), "content-length: 8"), (unknown, "transfer-encoding: chunked")] {
        let post = Request::post("http://a.example/p").header("trailer", "x-sum").body(body).unwrap();
        client.request(post).await.unwrap();
        let request = received.recv().await.unwrap();
        assert!(request.head.starts_with("POST /p HTTP/1.1\r\n"));
        assert!(request.head.contains(framing), "{}", request.head);
        assert_eq!(request.body, "one, two");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_falls_silent_is_given_up_after_a_minute() {
    let (over, ended) = tokio::sync::oneshot::channel();
    let over = std::sync::Mutex::new(Some(over));
    let wire = Wire::new(move |mut peer: Peer| {
        let over = over.lock().unwrap().take();
        async move {
            let request = peer.request().await;
            drop(over.map(|over| over.send(request)));
        }
    });
    let start = tokio::time::Instant::now();
    let _silent = tower::ServiceExt::oneshot(wire.connector(), "http://a.example/".parse().unwrap()).await.unwrap();
    assert_eq!(ended.await.unwrap(), None);
    assert_eq!(start.elapsed().as_secs(), 60);
}
