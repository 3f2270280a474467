//! What is sent again when a connection fails, and what is not.

mod common;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use httplib2_core::{
    body::{Once, ReplayBody},
    context::Journal,
    error::{BoxError, cause_ref},
};
use httplib2_retry::{Failure, MaxTries, Repeatable, RetryLayer, RetryStatuses, Tries};
use httplib2_testing::{Body, Server, reply, request, text};
use tower::{Layer, Service, ServiceExt};

use self::common::{DEAD, Failed, failing, layer};

/// A connection that had carried a response before was lost, and surely no server acted on the request.
const DEAD_UNPROCESSED: Failure = Failure::Lost { reused: true, unprocessed: true };
/// A new connection was lost; the server may have acted on the request.
const BROKEN: Failure = Failure::Lost { reused: false, unprocessed: false };

fn tries<R>(response: &http::Response<R>) -> String {
    response.extensions().get::<Tries>().expect("the response says that it took several sends").to_string()
}

fn failure(error: &BoxError) -> Failure {
    cause_ref::<Failed>(&**error).expect("the error of the server").0
}

fn with_body<B>(method: &str, body: B) -> Request<B> {
    Request::builder().method(method).uri("http://a.example/").body(body).expect("a request")
}

#[tokio::test]
async fn a_post_on_a_dead_connection_is_sent_exactly_once() {
    // H-RETRY-02, RTY-02, traps 45 and 57: the server may have acted on it.
    let server = Server::new().on("POST http://a.example/", failing(DEAD)).on("POST http://a.example/", reply(200));
    let error = layer().layer(server.clone()).oneshot(with_body("POST", Body::from("pay"))).await.unwrap_err();
    assert_eq!(failure(&error), DEAD);
    assert_eq!(server.saw(), ["POST http://a.example/"]);
}

#[tokio::test]
async fn a_post_whose_answer_is_missing_is_sent_exactly_once() {
    // RTY-01.
    let server = Server::new().on("POST http://a.example/", failing(BROKEN)).on("POST http://a.example/", reply(200));
    layer().layer(server.clone()).oneshot(with_body("POST", Body::from("pay"))).await.unwrap_err();
    assert_eq!(server.saw().len(), 1);
}

#[tokio::test]
async fn a_post_of_which_not_a_byte_was_sent_goes_over_another_connection() {
    // H-RETRY-03.
    let server =
        Server::new().on("POST http://a.example/", failing(DEAD_UNPROCESSED)).on("POST http://a.example/", reply(200));
    layer().layer(server.clone()).oneshot(with_body("POST", Body::from("pay"))).await.unwrap();
    assert_eq!(server.requests()[1].body(), "pay");
}

#[tokio::test(start_paused = true)]
async fn an_idempotent_request_on_a_dead_connection_is_sent_again_at_once_with_the_same_body() {
    // RTY-03, RTY-09, H-RETRY-03, trap 38. No try is spent on it.
    for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"] {
        let line = format!("{method} http://a.example/");
        let server = Server::new().on(&line, failing(DEAD)).on(&line, reply(200));
        let begun = tokio::time::Instant::now();
        let client = layer().tries(1).layer(server.clone());
        let response = client.oneshot(with_body(method, Body::from("state"))).await.unwrap();
        assert_eq!(begun.elapsed().as_nanos(), 0);
        assert_eq!(server.requests().iter().map(|received| received.body().clone()).collect::<Vec<_>>(), ["state"; 2]);
        assert_eq!(tries(&response), "2 sends: reused connection lost, again at once");
    }
}

#[tokio::test]
async fn several_dead_connections_are_met_before_a_new_one_answers() {
    // After a server has gone away without a word, all that the pool holds is dead.
    let server = Server::answering(|_, number| if number < 3 { failing(DEAD) } else { reply(200) });
    let response = layer().tries(1).layer(server.clone()).oneshot(request("GET http://a.example/")).await.unwrap();
    assert_eq!(server.saw().len(), 4);
    assert_eq!(response.extensions().get::<Tries>().unwrap().sends(), 4);
}

#[tokio::test(start_paused = true)]
async fn dead_connections_without_end_are_given_up() {
    let server = Server::new().on("GET http://a.example/", failing(DEAD));
    layer().tries(1).layer(server.clone()).oneshot(request("GET http://a.example/")).await.unwrap_err();
    assert_eq!(server.saw().len(), 4);
    // What is beyond the bound costs tries, with their waits.
    let server = Server::new().on("GET http://a.example/", failing(DEAD));
    layer().layer(server.clone()).oneshot(request("GET http://a.example/")).await.unwrap_err();
    assert_eq!(server.saw().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_failure_to_connect_costs_a_try_whatever_the_method() {
    // H-RETRY-01: as many tries as RETRIES says.
    for (max, sends) in [(0, 1), (1, 1), (2, 2), (3, 3), (5, 5)] {
        for method in ["GET", "POST"] {
            let server = Server::new().on(&format!("{method} http://a.example/"), failing(Failure::Unprocessed));
            let mut request = with_body(method, Body::from("pay"));
            request.extensions_mut().insert(MaxTries(max));
            let error = layer().layer(server.clone()).oneshot(request).await.unwrap_err();
            assert_eq!(failure(&error), Failure::Unprocessed);
            assert_eq!(server.saw().len(), sends, "{method}, {max} tries");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_get_on_a_new_connection_that_is_lost_costs_a_try() {
    // RTY-09, H-RETRY-02: nothing was received, and the method is idempotent.
    let server = Server::new().on("GET http://a.example/", failing(BROKEN)).on("GET http://a.example/", reply(200));
    let response = layer().layer(server).oneshot(request("GET http://a.example/")).await.unwrap();
    assert_eq!(tries(&response), "2 sends: connection lost, again after 50ms");
}

#[tokio::test]
async fn a_final_failure_is_never_sent_again() {
    // Timeouts and errors of the caller's own body among them: H-RETRY-01.
    let server = Server::new().on("GET http://a.example/", failing(Failure::Final));
    let mut request = request("GET http://a.example/");
    request.extensions_mut().insert(Repeatable(true));
    layer().layer(server.clone()).oneshot(request).await.unwrap_err();
    assert_eq!(server.saw().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn of_a_foreign_service_nothing_is_known_but_the_callers_word() {
    let server = Server::new().on("GET http://a.example/", failing(DEAD));
    RetryLayer::new().layer(server.clone()).oneshot(request("GET http://a.example/")).await.unwrap_err();
    assert_eq!(server.saw().len(), 1);

    let mut repeatable = request("GET http://a.example/");
    repeatable.extensions_mut().insert(Repeatable(true));
    RetryLayer::new().layer(server.clone()).oneshot(repeatable).await.unwrap_err();
    assert_eq!(server.saw().len(), 3);
}

#[tokio::test]
async fn a_body_that_is_gone_is_not_sent_again() {
    let server = Server::new().on("PUT http://a.example/", failing(DEAD));
    let body = Once::new(Full::new(Bytes::from_static(b"state")));
    layer().layer(server.clone()).oneshot(with_body("PUT", body)).await.unwrap_err();
    assert_eq!(server.saw().len(), 1);
    assert_eq!(server.requests()[0].body(), "state");
}

#[tokio::test]
async fn a_recorded_body_is_sent_again() {
    let server = Server::new().on("PUT http://a.example/", failing(DEAD)).on("PUT http://a.example/", reply(200));
    let body = ReplayBody::new(Once::new(Full::new(Bytes::from_static(b"state"))), 1024);
    layer().layer(server.clone()).oneshot(with_body("PUT", body)).await.unwrap();
    assert_eq!(server.requests()[1].body(), "state");
}

#[tokio::test]
async fn a_recording_that_grew_over_its_limit_is_not_sent_again() {
    let server = Server::new().on("PUT http://a.example/", failing(DEAD));
    let body = ReplayBody::new(Once::new(Body::chunks(["st", "ate"]).announcing(httplib2_testing::Size::Unknown)), 3);
    let mut request = with_body("PUT", body);
    let journal = Journal::default();
    request.extensions_mut().insert(journal.clone());
    layer().layer(server.clone()).oneshot(request).await.unwrap_err();
    assert_eq!(server.saw().len(), 1);
    assert_eq!(
        journal.lines()[0].to_string(),
        "retry: reused connection lost, returned: the body cannot be sent again"
    );
}

#[tokio::test]
async fn a_body_that_was_read_in_part_is_sent_again_from_its_start() {
    let server =
        Server::new().on("PUT http://a.example/", failing(DEAD).after_bytes(2)).on("PUT http://a.example/", reply(200));
    let body = ReplayBody::new(Once::new(Body::chunks(["st", "ate"])), 1024);
    layer().layer(server.clone()).oneshot(with_body("PUT", body)).await.unwrap();
    assert_eq!(server.requests()[0].body(), "st");
    assert_eq!(server.requests()[1].body(), "state");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_was_answered_early_is_sent_again_from_its_start() {
    for read in [0, 2, 5] {
        let server = Server::new()
            .on("PUT http://a.example/", reply(503).after_bytes(read))
            .on("PUT http://a.example/", reply(200));
        let body = ReplayBody::new(Once::new(Body::chunks(["st", "ate"])), 1024);
        let client = layer().statuses(RetryStatuses::transient()).layer(server.clone());
        client.oneshot(with_body("PUT", body)).await.unwrap();
        assert_eq!(server.requests()[1].body(), "state");
    }
}

#[tokio::test]
async fn with_all_options_off_nothing_is_sent_again() {
    let server = Server::new().on("GET http://a.example/", failing(DEAD_UNPROCESSED));
    let mut client = layer().tries(1).dead_connections(0).statuses(RetryStatuses::transient()).layer(server.clone());
    let future = ServiceExt::<Request<Body>>::ready(&mut client).await.unwrap().call(request("GET http://a.example/"));
    assert_eq!(format!("{future:?}"), "Exchange(passing)");
    future.await.unwrap_err();
    assert_eq!(server.saw().len(), 1);
}

#[tokio::test]
async fn an_answer_at_the_first_send_is_untouched() {
    let server = Server::new().on("GET http://a.example/", reply(200).body("here"));
    let response = layer().layer(server).oneshot(request("GET http://a.example/")).await.unwrap();
    assert!(response.extensions().get::<Tries>().is_none());
    assert_eq!(text(response).await.unwrap(), "here");
}
