//! Which responses are given up for another try, and what is told of it.

mod common;

use std::{
    future::{poll_fn, ready},
    sync::{Arc, Mutex},
    task::Poll,
    time::Duration,
};

use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use httplib2_core::{body::DiscardLimits, context::Journal, error::BoxError};
use httplib2_retry::{Cause, Failure, MaxTries, Repeatable, RetryStatuses, Tries};
use httplib2_testing::{Body, Server, reply, request, text};
use tokio::time::Instant;
use tower::{Layer, ServiceExt};

use self::common::{DEAD, failing, layer};

fn tries<R>(response: &Response<R>) -> &Tries {
    response.extensions().get().expect("the response says that it took several sends")
}

fn busy_once() -> Server {
    Server::answering(|_, number| if number == 0 { reply(503).body("busy") } else { reply(200).body("here") })
}

#[tokio::test]
async fn by_default_every_response_is_returned() {
    // H-RETRY-05.
    let server = busy_once();
    let response = layer().layer(server.clone()).oneshot(request("GET http://a.example/")).await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(server.saw().len(), 1);
    assert!(response.extensions().get::<Tries>().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_busy_server_is_asked_again() {
    for status in [408, 429, 502, 503, 504] {
        let server = Server::answering(move |_, number| reply(if number == 0 { status } else { 200 }));
        let client = layer().statuses(RetryStatuses::transient()).layer(server.clone());
        let response = client.oneshot(request("GET http://a.example/")).await.unwrap();
        assert_eq!(response.status(), 200);
        let tries = tries(&response);
        assert_eq!(tries.given_up()[0].cause, Cause::Status(StatusCode::from_u16(status).unwrap()));
        assert_eq!(tries.waited(), Duration::from_millis(50));
    }
}

#[tokio::test(start_paused = true)]
async fn a_put_is_sent_again_with_the_same_body_and_the_same_head() {
    // RTY-09; trap 37.
    let server = Server::answering(|_, number| reply(if number < 2 { 503 } else { 200 }));
    let client = layer().tries(3).statuses(RetryStatuses::transient()).layer(server.clone());
    let request = Request::put("http://a.example/doc?q")
        .version(http::Version::HTTP_10)
        .header("content-type", "text/plain")
        .body(Body::chunks(["st", "ate"]).trailers([("x-sum", "5")]))
        .unwrap();
    client.oneshot(request).await.unwrap();
    assert_eq!(server.saw(), ["PUT http://a.example/doc?q"; 3]);
    for received in server.requests() {
        assert_eq!(received.body(), "state");
        assert_eq!(received.trailers().unwrap()["x-sum"], "5");
        assert_eq!(received.headers()["content-type"], "text/plain");
        assert_eq!(received.version(), http::Version::HTTP_10);
    }
}

#[tokio::test(start_paused = true)]
async fn a_post_is_asked_again_only_with_a_key_or_the_callers_word() {
    // Trap 45.
    let post = || request("POST http://a.example/");
    let client = |server: &Server| layer().statuses(RetryStatuses::transient()).layer(server.clone());

    let server = busy_once();
    assert_eq!(client(&server).oneshot(post()).await.unwrap().status(), 503);

    let server = busy_once();
    let mut keyed = post();
    keyed.headers_mut().insert("idempotency-key", "\"8e03978e\"".parse().unwrap());
    assert_eq!(client(&server).oneshot(keyed).await.unwrap().status(), 200);
    assert_eq!(server.requests()[0].headers(), server.requests()[1].headers());

    let server = busy_once();
    let mut repeatable = post();
    repeatable.extensions_mut().insert(Repeatable(true));
    assert_eq!(client(&server).oneshot(repeatable).await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stays_busy_is_asked_as_often_as_allowed_and_its_answer_returned() {
    // RTY-07.
    let server = Server::new().on("GET http://a.example/", reply(503).body("busy"));
    let client = layer().tries(3).statuses(RetryStatuses::transient()).layer(server.clone());
    let response = client.oneshot(request("GET http://a.example/")).await.unwrap();
    assert_eq!(server.saw().len(), 3);
    assert_eq!(response.status(), 503);
    assert_eq!(tries(&response).to_string(), "3 sends: 503, again after 50ms; 503, again after 100ms");
    assert_eq!(text(response).await.unwrap(), "busy");
}

#[tokio::test(start_paused = true)]
async fn options_of_the_request_replace_those_of_the_layer() {
    let server = Server::new().on("GET http://a.example/", reply(500));
    let client = layer().statuses(RetryStatuses::transient()).layer(server.clone());
    let mut with_options = request("GET http://a.example/");
    with_options.extensions_mut().insert(MaxTries(4));
    with_options.extensions_mut().insert(RetryStatuses::new([StatusCode::INTERNAL_SERVER_ERROR]));
    client.clone().oneshot(with_options).await.unwrap();
    assert_eq!(server.saw().len(), 4);

    let mut never = request("GET http://a.example/");
    never.extensions_mut().insert(RetryStatuses::none());
    client.oneshot(never).await.unwrap();
    assert_eq!(server.saw().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn dead_connections_and_tries_are_told_apart() {
    let server = Server::answering(|_, number| match number {
        0 | 2 => failing(DEAD),
        1 => failing(Failure::Unprocessed),
        3 => reply(503),
        _ => reply(200),
    });
    let client = layer().tries(3).statuses(RetryStatuses::transient()).layer(server);
    let mut request = request("GET http://a.example/");
    let journal = Journal::default();
    request.extensions_mut().insert(journal.clone());
    let response = client.oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let lines = [
        "reused connection lost, again at once",
        "not processed, again after 50ms",
        "reused connection lost, again at once",
        "503, again after 100ms",
    ];
    assert_eq!(tries(&response).to_string(), format!("5 sends: {}", lines.join("; ")));
    assert_eq!(journal.lines().iter().map(|line| line.text.clone()).collect::<Vec<_>>(), lines);
}

#[tokio::test(start_paused = true)]
async fn the_last_error_passes_through_and_the_journal_counts() {
    let server = Server::new().on("GET http://a.example/", failing(Failure::Unprocessed));
    let mut request = request("GET http://a.example/");
    let journal = Journal::default();
    request.extensions_mut().insert(journal.clone());
    let error = layer().layer(server).oneshot(request).await.unwrap_err();
    assert!(error.is::<common::Failed>());
    assert_eq!(
        journal.lines().iter().map(|line| line.text.clone()).collect::<Vec<_>>(),
        ["not processed, again after 50ms", "not processed, returned: all 2 tries were made", "failed after 2 sends"]
    );
}

#[tokio::test(start_paused = true)]
async fn each_try_has_the_extensions_of_the_request_and_none_of_an_earlier_try() {
    // Traps 45 and 57: one map for all tries lets the marks of one leak into the next.
    #[derive(Clone, Debug, PartialEq)]
    struct Option(u8);
    #[derive(Clone)]
    struct Mark;
    let server = Server::answering(|received, _| {
        assert!(received.extensions().get::<Mark>().is_some());
        reply(503)
    });
    let below = server.clone();
    let marking = tower::service_fn(move |mut request: Request<Body>| {
        assert!(request.extensions_mut().insert(Mark).is_none(), "the mark of an earlier try");
        assert!(!request.headers().contains_key("authorization"), "the signature of an earlier try");
        request.headers_mut().insert("authorization", "Digest nc=1".parse().unwrap());
        below.clone().oneshot(request)
    });
    let mut with_option = request("GET http://a.example/");
    with_option.extensions_mut().insert(Option(7));
    layer().tries(3).statuses(RetryStatuses::transient()).layer(marking).oneshot(with_option).await.unwrap();
    assert_eq!(server.saw().len(), 3);
    for received in server.requests() {
        assert_eq!(received.extensions().get(), Some(&Option(7)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_response_that_is_given_up_is_read_to_its_end_before_the_wait() {
    // Trap 37: otherwise its connection could not be used again.
    let ended = Arc::new(Mutex::new(Vec::new()));
    let begun = Instant::now();
    let server = {
        let ended = Arc::clone(&ended);
        tower::service_fn(move |_: Request<Body>| {
            let ended = Arc::clone(&ended);
            let status = if ended.lock().unwrap().is_empty() { 503 } else { 200 };
            let body = reply(status).chunks(["one, ", "two"]).into_response().into_body().pausing();
            let watched = body.with_trailers(poll_fn(move |_| {
                ended.lock().unwrap().push(begun.elapsed());
                Poll::Ready(None)
            }));
            let response = reply(status).into_response().map(|_| watched.boxed_unsync());
            ready(Ok::<_, BoxError>(response))
        })
    };
    let response = layer().statuses(RetryStatuses::transient()).layer(server);
    let response = response.oneshot(request("GET http://a.example/")).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(*ended.lock().unwrap(), [Duration::ZERO]);
}

#[tokio::test(start_paused = true)]
async fn a_response_that_stalls_or_has_no_end_does_not_hold_up_the_next_try() {
    let limits = DiscardLimits::new(4, Duration::from_millis(300));
    for (given_up, waited) in [
        (reply(503).body("be").stalling(), 300),
        // Longer than the limit: let go at once, so only the wait is left.
        (reply(503).body("12345"), 50),
        (reply(503).body("be").breaking(), 50),
    ] {
        let server = Server::new().on("GET http://a.example/", given_up).on("GET http://a.example/", reply(200));
        let client = layer().statuses(RetryStatuses::transient()).discard_limits(limits).layer(server);
        let begun = Instant::now();
        let response = client.oneshot(request("GET http://a.example/")).await.unwrap();
        assert_eq!(response.status(), 200);
        // The time that reading takes is part of the wait.
        assert_eq!(begun.elapsed().as_millis(), waited);
    }
}
