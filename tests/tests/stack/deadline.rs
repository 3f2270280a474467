//! The deadline stands outside of redirect.

use std::time::Duration;

use httplib2::{ErrorKind, Http, redirect::RedirectLayer};
use httplib2_testing::{Server, reply, request};
use tokio::time::Instant;
use tower::{ServiceBuilder, ServiceExt};

const DEADLINE: Duration = Duration::from_secs(1);

/// Three hops that each take less than the deadline, and together more.
fn server() -> Server {
    let hop = |status, location: &str| reply(status).header("location", location).delay(Duration::from_millis(600));
    Server::new()
        .on("GET http://a.example/1", hop(302, "/2"))
        .on("GET http://a.example/2", hop(302, "/3"))
        .on("GET http://a.example/3", hop(200, "/"))
}

#[tokio::test(start_paused = true)]
async fn one_deadline_covers_the_whole_chain() {
    let http = Http::builder().build_over(server()).unwrap();
    let start = Instant::now();
    let error = http.request("http://a.example/1").deadline(DEADLINE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(start.elapsed(), DEADLINE);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_inside_of_redirect_starts_anew_with_every_hop() {
    let wrong = ServiceBuilder::new()
        .layer(RedirectLayer::new())
        .layer(tower::timeout::TimeoutLayer::new(DEADLINE))
        .service(server());
    let start = Instant::now();
    let response = wrong.oneshot(request("GET http://a.example/1")).await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(start.elapsed() > DEADLINE, "the harm: the caller waited longer than the deadline");
}

#[tokio::test(start_paused = true)]
async fn the_deadline_covers_the_body_too() {
    let server = Server::new().on("GET http://a.example/", reply(200).body("begun").stalling());
    let http = Http::builder().deadline(DEADLINE).build_over(server).unwrap();
    let start = Instant::now();
    let error = http.request("http://a.example/").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(start.elapsed(), DEADLINE);

    // The head of a streamed response comes in time, its body does not.
    let (response, mut body) = http.request("http://a.example/").stream().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(body.chunk().await.unwrap().unwrap(), "begun");
    assert_eq!(body.chunk().await.unwrap_err().kind(), ErrorKind::Timeout);
}
