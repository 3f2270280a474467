//! How long is waited, when it is not worth waiting, and what is held meanwhile.

mod common;

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use http::{Request, Response};
use httplib2_core::context::{Journal, Remaining};
use httplib2_retry::{Failure, RetryBudget, RetryLayer, RetryStatuses, Tries};
use httplib2_testing::{Body, FixedClock, FixedNonce, Server, reply, request};
use tokio::time::{Instant, sleep, timeout};
use tower::{Layer, ServiceExt};

use self::common::{failing, layer};

/// Asks a server that is busy once and says so with these fields, at 00:00:00 on 1 January 1970. Returns the
/// status, how long it took, and what the journal says.
async fn asked(retry_after: &[&str], remaining: Option<Duration>) -> (u16, Duration, String) {
    let busy = retry_after.iter().fold(reply(503), |busy, value| busy.header("retry-after", *value));
    let server = Server::new().on("GET http://a.example/", busy).on("GET http://a.example/", reply(200));
    let client = layer().statuses(RetryStatuses::transient()).clock(FixedClock::at(UNIX_EPOCH)).layer(server);
    let mut request = request("GET http://a.example/");
    let journal = Journal::default();
    request.extensions_mut().insert(journal.clone());
    if let Some(remaining) = remaining {
        request.extensions_mut().insert(Remaining::within(remaining));
    }
    let begun = Instant::now();
    let response = client.oneshot(request).await.expect("an answer");
    (response.status().as_u16(), begun.elapsed(), journal.lines()[0].text.clone())
}

#[tokio::test(start_paused = true)]
async fn the_wait_is_what_the_server_asks_for_but_no_less_than_the_backoff() {
    // H-RETRY-05, RFC 9110 §10.2.3.
    for (retry_after, waited) in [
        (&["1"][..], 1_000),
        (&["30"], 30_000),
        (&["0"], 50),
        (&["Thu, 01 Jan 1970 00:00:07 GMT"], 7_000),
        (&["Thu, 01 Jan 1970 00:00:00 GMT"], 50),
        (&["soon"], 50),
        (&["-1"], 50),
        (&[], 50),
        (&["2", "3"], 3_000),
    ] {
        let (status, took, _) = asked(retry_after, None).await;
        assert_eq!((status, took.as_millis()), (200, waited), "{retry_after:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_date_that_has_passed_is_no_wait() {
    let server = Server::new()
        .on("GET http://a.example/", reply(503).header("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"))
        .on("GET http://a.example/", reply(200));
    let client = layer()
        .statuses(RetryStatuses::transient())
        .clock(FixedClock::at(SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000)))
        .layer(server);
    let begun = Instant::now();
    client.oneshot(request("GET http://a.example/")).await.unwrap();
    assert_eq!(begun.elapsed(), Duration::from_millis(50));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_asks_for_years_gets_its_answer_returned_at_once() {
    // RTY-05, trap 45.
    for value in ["31", "999999999", "99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"] {
        let (status, took, said) = asked(&[value], None).await;
        assert_eq!((status, took), (503, Duration::ZERO), "{value}");
        assert!(said.starts_with("503, returned: the server asks for "), "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_the_deadline_does_not_leave_is_not_begun() {
    for (retry_after, remaining, status) in [("5", 6_000, 200), ("5", 5_000, 503), ("0", 50, 503), ("0", 51, 200)] {
        let (found, took, said) = asked(&[retry_after], Some(Duration::from_millis(remaining))).await;
        assert_eq!(found, status, "{retry_after}, {remaining}");
        if status == 503 {
            assert_eq!(took, Duration::ZERO);
            assert!(said.starts_with("503, returned: the deadline does not leave "), "{said}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_is_over_ends_even_what_costs_no_wait() {
    let server = Server::new().on("GET http://a.example/", failing(common::DEAD));
    let mut request = request("GET http://a.example/");
    request.extensions_mut().insert(Remaining::within(Duration::ZERO));
    layer().layer(server.clone()).oneshot(request).await.unwrap_err();
    assert_eq!(server.saw().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_ceiling_of_the_wait_doubles_up_to_the_longest() {
    let server = Server::new().on("GET http://a.example/", failing(Failure::Unprocessed));
    let client = layer().tries(9).backoff(Duration::from_secs(1), Duration::from_secs(20)).budget(None).layer(server);
    let begun = Instant::now();
    client.oneshot(request("GET http://a.example/")).await.unwrap_err();
    // Half of 1, 2, 4, 8, 16, 20, 20 and 20 seconds.
    assert_eq!(begun.elapsed(), Duration::from_millis(45_500));
}

#[tokio::test(start_paused = true)]
async fn without_randomness_the_wait_is_the_longest_allowed() {
    let server = Server::answering(|_, number| reply(if number == 0 { 503 } else { 200 }));
    let nonce = FixedNonce::counting();
    nonce.set_failing(true);
    let client = layer().statuses(RetryStatuses::transient()).nonce(nonce).layer(server);
    let response = client.oneshot(request("GET http://a.example/")).await.unwrap();
    let waited = response.extensions().get::<Tries>().unwrap().waited();
    assert_eq!(waited.as_nanos().next_multiple_of(1_000), Duration::from_millis(100).as_nanos());
}

#[tokio::test(start_paused = true)]
async fn in_a_storm_the_calls_to_an_origin_add_a_fifth_at_most() {
    // RTY-11: 1,000 callers, each allowed three tries, of an origin that is down.
    let server = Server::answering(|_, _| failing(Failure::Unprocessed));
    let client = layer().tries(3).layer(server.clone());
    let callers: Vec<_> =
        (0..1_000).map(|_| tokio::spawn(client.clone().oneshot(request("GET http://a.example/")))).collect();
    for caller in callers {
        caller.await.unwrap().unwrap_err();
    }
    let further = server.saw().len() - 1_000;
    assert!((160..=200).contains(&further), "{further}");
}

#[tokio::test(start_paused = true)]
async fn one_origin_does_not_use_up_the_budget_of_another() {
    let server = Server::answering(|_, _| reply(503));
    let new_client = layer().statuses(RetryStatuses::transient()).budget(RetryBudget::new(1_000, 1));
    let sends = async |uri: &str| {
        let before = server.saw().len();
        // Every service that a layer makes shares its budgets.
        let response = new_client.clone().layer(server.clone()).oneshot(request(uri)).await.unwrap();
        assert_eq!(response.status(), 503);
        server.saw().len() - before
    };
    let mut of_one = Vec::new();
    for _ in 0..12 {
        of_one.push(sends("GET http://a.example/").await);
    }
    assert_eq!(of_one, [2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1]);
    assert_eq!(sends("GET http://b.example/").await, 2);
    // Ten seconds later all is forgotten.
    sleep(Duration::from_secs(11)).await;
    assert_eq!(sends("GET http://a.example/").await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_dead_connection_needs_no_budget() {
    // 200 times the server closes the kept connection just as the request arrives.
    let server = Server::answering(|_, number| if number % 2 == 0 { failing(common::DEAD) } else { reply(200) });
    let client = layer().budget(RetryBudget::new(1_000, 0)).layer(server.clone());
    for _ in 0..200 {
        client.clone().oneshot(request("GET http://a.example/")).await.unwrap();
    }
    assert_eq!(server.saw().len(), 400);
}

#[tokio::test(start_paused = true)]
async fn no_permit_is_held_during_a_wait() {
    let busy = reply(503).header("retry-after", "20");
    let server = Server::new()
        .on("GET http://a.example/busy", busy)
        .on("GET http://a.example/busy", reply(200))
        .on("GET http://a.example/other", reply(200))
        .limited(1);
    let client = layer().statuses(RetryStatuses::transient()).layer(server.clone());
    let waiting = tokio::spawn(client.clone().oneshot(request("GET http://a.example/busy")));
    sleep(Duration::from_secs(1)).await;
    assert_eq!(server.permits_free(), 1);
    let other = timeout(Duration::from_secs(1), client.oneshot(request("GET http://a.example/other"))).await;
    assert_eq!(other.expect("the one permit is free").unwrap().status(), 200);
    assert_eq!(waiting.await.unwrap().unwrap().status(), 200);
    assert_eq!(server.permits_free(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_while_it_waits_leaves_nothing_behind() {
    let server = Server::new().on("GET http://a.example/", reply(503).header("retry-after", "20")).limited(1);
    let witness = Arc::new(());
    let mut request = request("GET http://a.example/");
    request.extensions_mut().insert(Arc::clone(&witness));
    let client = layer().statuses(RetryStatuses::transient()).layer(server.clone());
    assert!(timeout(Duration::from_secs(1), client.oneshot(request)).await.is_err());
    sleep(Duration::from_secs(60)).await;
    assert_eq!(server.permits_free(), 1);
    assert_eq!(server.saw().len(), 1);
    // One is ours, one the server's record.
    assert_eq!(Arc::strong_count(&witness), 2);
}

#[tokio::test]
async fn what_is_sent_again_at_once_needs_no_timer() {
    let runtime = std::thread::spawn(|| {
        let server = Server::answering(|_, number| if number == 0 { failing(common::DEAD) } else { reply(200) });
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(layer().layer(server).oneshot(request("GET http://a.example/"))).unwrap().status()
    });
    assert_eq!(runtime.join().unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_never_becomes_ready_again_ends_the_call_with_its_error() {
    #[derive(Clone)]
    struct Once {
        called: Arc<std::sync::atomic::AtomicBool>,
    }
    impl tower::Service<Request<Body>> for Once {
        type Response = Response<Body>;
        type Error = &'static str;
        type Future = std::future::Ready<Result<Response<Body>, &'static str>>;

        fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), &'static str>> {
            let called = self.called.load(std::sync::atomic::Ordering::Relaxed);
            std::task::Poll::Ready(if called { Err("closed") } else { Ok(()) })
        }

        fn call(&mut self, _: Request<Body>) -> Self::Future {
            self.called.store(true, std::sync::atomic::Ordering::Relaxed);
            std::future::ready(Ok(reply(503).into_response()))
        }
    }
    let service = Once { called: Arc::default() };
    let client = RetryLayer::new().statuses(RetryStatuses::transient()).layer(service);
    assert_eq!(client.oneshot(request("GET http://a.example/")).await.unwrap_err(), "closed");
}
