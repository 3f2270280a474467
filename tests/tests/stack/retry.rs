//! Retry stands inside of redirect, and sends again only what may be sent again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use httplib2::{
    ErrorKind, Http,
    connect::Client,
    redirect::RedirectLayer,
    retry::{RetryLayer, RetryStatuses, Tries},
};
use httplib2_testing::{
    Server, reply, request,
    wire::{Peer, Wire},
};
use tower::{ServiceBuilder, ServiceExt};

/// The second hop is busy the first time.
fn server() -> Server {
    Server::new()
        .on("GET http://a.example/1", reply(302).header("location", "/2"))
        .on("GET http://a.example/2", reply(503))
        .on("GET http://a.example/2", reply(200))
}

#[tokio::test(start_paused = true)]
async fn a_hop_that_fails_is_tried_again_by_itself() {
    let server = server();
    let http = Http::builder().retry_statuses(RetryStatuses::transient()).build_over(server.clone()).unwrap();
    let (response, _) = http.request("http://a.example/1").await.unwrap();
    assert_eq!(response.extensions().get::<Tries>().unwrap().sends(), 2);
    assert_eq!(server.saw(), ["GET http://a.example/1", "GET http://a.example/2", "GET http://a.example/2"]);
}

#[tokio::test(start_paused = true)]
async fn retry_outside_of_redirect_walks_the_whole_chain_again() {
    let server = server();
    let wrong = ServiceBuilder::new()
        .layer(RetryLayer::new().statuses(RetryStatuses::transient()))
        .layer(RedirectLayer::new())
        .service(server.clone());
    wrong.oneshot(request("GET http://a.example/1")).await.unwrap();
    let first_hop = server.saw().iter().filter(|line| line.ends_with("/1")).count();
    assert_eq!(first_hop, 2, "the harm: the first hop, which had worked, was asked again");
}

/// Answers the first request of each connection, and closes it just as the next one has arrived.
fn closes_as_the_next_request_arrives(posts: Arc<AtomicUsize>) -> Wire {
    Wire::new(move |mut peer: Peer| {
        let posts = Arc::clone(&posts);
        async move {
            for n in 0.. {
                let Some(request) = peer.request().await else { return };
                if request.head.starts_with("POST ") {
                    posts.fetch_add(1, Ordering::Relaxed);
                }
                if n > 0 {
                    return;
                }
                peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
            }
        }
    })
}

fn over(wire: &Wire) -> Http {
    let client = Client::builder().io_timeout(Duration::from_secs(10)).build_with_connector(wire.connector());
    Http::builder().build_over(client).unwrap()
}

#[tokio::test]
async fn a_dead_kept_connection_is_never_seen_by_safe_and_idempotent_requests() {
    // H-RETRY-02, H-RETRY-03, trap 38.
    let http = over(&closes_as_the_next_request_arrives(Arc::default()));
    for n in 0..200 {
        let method = ["GET", "PUT", "HEAD", "DELETE", "OPTIONS"][n % 5];
        let request = http.request("http://a.example/").method(method);
        let request = if method == "PUT" { request.body("text") } else { request };
        let (response, _) = request.await.unwrap_or_else(|error| panic!("{method} number {n}: {error}"));
        assert_eq!(response.status(), 200);
    }
}

#[tokio::test]
async fn a_post_that_may_have_been_acted_on_is_sent_exactly_once() {
    // RTY-01, RTY-02.
    let posts = Arc::new(AtomicUsize::new(0));
    let http = over(&closes_as_the_next_request_arrives(Arc::clone(&posts)));
    let mut failed = 0;
    for n in 1..=200 {
        match http.request("http://a.example/").method("POST").body("pay").await {
            Ok((response, _)) => assert_eq!(response.status(), 200),
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::Send | ErrorKind::Receive), "{error}");
                failed += 1;
            }
        }
        assert_eq!(posts.load(Ordering::Relaxed), n);
    }
    assert!(failed > 0, "the server closed kept connections");
}

#[tokio::test]
async fn a_post_is_sent_again_on_the_callers_word() {
    let posts = Arc::new(AtomicUsize::new(0));
    let http = over(&closes_as_the_next_request_arrives(Arc::clone(&posts)));
    for _ in 0..10 {
        let request = http.request("http://a.example/").method("POST").body("pay");
        request.header("idempotency-key", "\"1\"").await.unwrap();
        let request = http.request("http://a.example/").method("POST").body("pay");
        request.repeatable(true).await.unwrap();
    }
    assert!(posts.load(Ordering::Relaxed) > 20);
}
