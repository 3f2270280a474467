//! Many requests at once to an origin that nothing is known of.

mod common;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use common::{U_P, authorization, challenging, client, layer, send, signatures, try_send, u_p};
use futures_util::{FutureExt, StreamExt, future::join_all, stream};
use httplib2_testing::{Reply, Server, reply, request};
use tokio::time::Instant;
use tower::Layer;

const TICKET: &str = "Ticket realm=\"r\", nonce=\"n\"";

/// Takes a while to challenge, and to let in.
fn slow_door(delay: Duration) -> Server {
    Server::answering(move |received, _| match authorization(received) {
        None => challenging(TICKET).delay(delay),
        Some(_) => reply(200).delay(delay),
    })
}

fn challenges(server: &Server) -> usize {
    server.requests().iter().filter(|received| authorization(received).is_none()).count()
}

#[tokio::test(start_paused = true)]
async fn a_thousand_requests_of_which_sixteen_run_at_once_see_one_challenge() {
    let server = slow_door(Duration::from_millis(20));
    let client = client(&u_p(), &server);
    let sends = stream::iter(0..1_000).map(|n| {
        let client = client.clone();
        async move { send(&client, &format!("GET http://a.example/{n}")).await.status() }
    });
    let statuses: Vec<_> = sends.buffer_unordered(16).collect().await;
    assert!(statuses.iter().all(|status| *status == 200));
    assert_eq!(challenges(&server), 1);
    assert_eq!(server.saw().len(), 1_001);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_the_setting() {
    for (wait, expected) in [(None, 1_000), (Some(250), 250), (Some(0), 0)] {
        let server = Server::answering(|received, n| match (n, authorization(received)) {
            (0, _) => challenging(TICKET).delay(Duration::from_secs(60)),
            (_, None) => challenging(TICKET),
            _ => reply(200),
        });
        let mut layer = layer(&u_p());
        if let Some(wait) = wait {
            layer = layer.first_contact_wait(Duration::from_millis(wait));
        }
        let client = layer.layer(server.clone());
        let first = tokio::spawn({
            let client = client.clone();
            async move { send(&client, "GET http://a.example/1").await.status() }
        });
        tokio::task::yield_now().await;
        let begun = Instant::now();
        assert_eq!(send(&client, "GET http://a.example/2").await.status(), 200);
        assert_eq!(begun.elapsed(), Duration::from_millis(expected));
        assert_eq!(first.await.unwrap(), 200);
    }
}

#[tokio::test(start_paused = true)]
async fn a_first_request_that_is_dropped_lets_another_one_go_ahead() {
    let server = slow_door(Duration::from_millis(20));
    let client = client(&u_p(), &server);
    let mut first = Box::pin(try_send(&client, request("GET http://a.example/1")));
    assert!((&mut first).now_or_never().is_none());
    let others = join_all((0..8).map(|n| {
        let client = client.clone();
        tokio::spawn(async move { send(&client, &format!("GET http://a.example/{n}")).await.status() })
    }));
    tokio::time::sleep(Duration::from_millis(1)).await;
    let begun = Instant::now();
    drop(first);
    assert!(others.await.into_iter().all(|status| status.unwrap() == 200));
    // One of the others is challenged and lets the rest go: nobody waits out the second.
    assert_eq!(begun.elapsed(), Duration::from_millis(60));
    assert_eq!(challenges(&server), 2);
}

#[tokio::test(start_paused = true)]
async fn a_first_request_that_fails_lets_another_one_go_ahead() {
    let server = Server::answering(|received, n| match (n, authorization(received)) {
        (0, _) => Reply::failing(|| httplib2_testing::Broken).delay(Duration::from_millis(20)),
        (_, None) => challenging(TICKET).delay(Duration::from_millis(20)),
        _ => reply(200),
    });
    let client = client(&u_p(), &server);
    let results = join_all((0..8).map(|n| try_send(&client, request(&format!("GET http://a.example/{n}"))))).await;
    assert_eq!(results.iter().filter(|result| result.is_err()).count(), 1);
    assert_eq!(challenges(&server), 2);
}

#[tokio::test(start_paused = true)]
async fn an_origin_that_asks_for_nothing_keeps_nobody_waiting_after_its_first_answer() {
    let server = Server::answering(|_, _| reply(200).delay(Duration::from_millis(20)));
    let client = client(&u_p(), &server);
    let begun = Instant::now();
    join_all((0..8).map(|n| try_send(&client, request(&format!("GET http://a.example/{n}"))))).await;
    assert_eq!(begun.elapsed(), Duration::from_millis(40));
    // Also not when it challenges later on.
    join_all((0..8).map(|n| try_send(&client, request(&format!("GET http://a.example/{n}"))))).await;
    assert_eq!(begun.elapsed(), Duration::from_millis(60));
}

#[tokio::test(start_paused = true)]
async fn who_waits_holds_nothing_of_the_service() {
    // The first one needs a permit for its second send: requests that waited with one each would keep it from that.
    let server = slow_door(Duration::from_millis(20)).limited(2);
    let client = client(&u_p(), &server);
    let begun = Instant::now();
    let results = join_all((0..5).map(|n| {
        let client = client.clone();
        async move { send(&client, &format!("GET http://a.example/{n}")).await.status() }
    }));
    assert!(results.await.into_iter().all(|status| status == 200));
    // A challenge and its answer one after the other, then the other four two by two.
    assert_eq!(begun.elapsed(), Duration::from_millis(4 * 20));
    assert_eq!(challenges(&server), 1);
    assert_eq!(server.permits_free(), 2);
}

#[tokio::test(start_paused = true)]
async fn each_origin_has_its_own_first_contact() {
    let server = slow_door(Duration::from_millis(20));
    let client = client(&u_p(), &server);
    let begun = Instant::now();
    join_all(["a", "b"].map(|host| try_send(&client, request(&format!("GET http://{host}.example/"))))).await;
    assert_eq!(begun.elapsed(), Duration::from_millis(40));
    assert_eq!(challenges(&server), 2);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_signed_in_advance_does_not_wait() {
    use httplib2_auth::InAdvance;
    let server = Server::answering(|_, _| reply(200).delay(Duration::from_millis(20)));
    let client = layer(&u_p()).in_advance(InAdvance::Always).layer(server.clone());
    let begun = Instant::now();
    join_all((0..8).map(|n| try_send(&client, request(&format!("GET http://a.example/{n}"))))).await;
    assert_eq!(begun.elapsed(), Duration::from_millis(20));
    assert!(signatures(&server).iter().all(|value| value == U_P));
}

#[tokio::test(start_paused = true)]
async fn a_renewal_needs_no_turn() {
    // When a nonce has become stale for all at once, each signs again with the one that the signer has by then.
    let stale = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&stale);
    let server = Server::answering(move |received, _| match authorization(received) {
        None => challenging(TICKET),
        Some(value) if value.contains(":n:") && received.uri().path() != "/first" => {
            count.fetch_add(1, Ordering::SeqCst);
            challenging("Ticket realm=\"r\", nonce=\"m\", stale=true").delay(Duration::from_millis(20))
        }
        Some(_) => reply(200),
    });
    let client = client(&u_p(), &server);
    send(&client, "GET http://a.example/first").await;
    let results = join_all((0..8).map(|n| try_send(&client, request(&format!("GET http://a.example/{n}"))))).await;
    assert!(results.into_iter().all(|result| result.unwrap().status() == 200));
    assert_eq!(stale.load(Ordering::SeqCst), 8);
    assert_eq!(challenges(&server), 1);
}
