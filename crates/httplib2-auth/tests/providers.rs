//! Credentials that are asked for when they are needed.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod common;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use common::{authorization, challenging, client, door, fact, layer, send, signatures, try_send, unanswered};
use futures_util::{FutureExt, future::join_all};
use httplib2_auth::{Ask, Credential, Credentials, InAdvance, Unanswered};
use httplib2_testing::{Server, reply, request};
use tower::Layer;

/// Gives `t0`, `t1` and so on, and takes its time.
#[derive(Clone, Debug, Default)]
struct Mint {
    asked: Arc<AtomicUsize>,
    asks: Arc<Mutex<Vec<String>>>,
}

impl Mint {
    fn credentials(&self, delay: u64) -> Credentials {
        let (credentials, mint) = (Credentials::new(), self.clone());
        let provider = move |ask: Ask| {
            let mint = mint.clone();
            async move {
                let refused =
                    ask.refused.as_ref().and_then(|refused| refused.as_token()).map_or("-", |token| token.text());
                mint.asks.lock().unwrap().push(format!("{} {} {refused}", ask.origin, ask.challenges.len()));
                let n = mint.asked.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(delay)).await;
                Ok(Some(Credential::token(format!("t{n}"))))
            }
        };
        credentials.provider_for("a.example", Arc::new(provider)).unwrap();
        credentials
    }

    fn asks(&self) -> Vec<String> {
        self.asks.lock().unwrap().clone()
    }
}

/// Lets one token in, from the moment on that it is needed.
fn door_for(good: &'static str) -> Server {
    Server::answering(move |received, _| {
        match authorization(received).and_then(|value| value.strip_prefix("Bearer ")) {
            Some(token) if token == good => reply(200),
            _ => challenging("Bearer error=\"invalid_token\""),
        }
    })
}

#[tokio::test(start_paused = true)]
async fn a_token_is_asked_for_once_and_sent_in_advance() {
    let (mint, server) = (Mint::default(), door_for("t0"));
    let client = client(&mint.credentials(5), &server);
    for _ in 0..3 {
        let response = send(&client, "GET http://a.example/x").await;
        assert_eq!(fact(&response).to_string(), "bearer, in advance");
    }
    assert_eq!(signatures(&server), ["Bearer t0"; 3]);
    assert_eq!(mint.asks(), ["http://a.example 0 -"]);
}

#[tokio::test(start_paused = true)]
async fn a_provider_is_asked_only_when_challenged_if_nothing_goes_in_advance() {
    let (mint, server) = (Mint::default(), door_for("t0"));
    let client = layer(&mint.credentials(5)).in_advance(InAdvance::Never).layer(server.clone());
    send(&client, "GET http://a.example/x").await;
    assert_eq!(signatures(&server), ["-", "Bearer t0"]);
    assert_eq!(mint.asks(), ["http://a.example 1 -"]);
    // Nor is it asked for other origins.
    send(&client, "GET http://b.example/x").await;
    assert_eq!(mint.asks().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_replaced_once() {
    let (mint, server) = (Mint::default(), door_for("t1"));
    let client = client(&mint.credentials(5), &server);
    assert_eq!(send(&client, "GET http://a.example/x").await.status(), 200);
    assert_eq!(signatures(&server), ["Bearer t0", "Bearer t1"]);
    assert_eq!(mint.asks(), ["http://a.example 0 -", "http://a.example 1 t0"]);
    send(&client, "GET http://a.example/x").await;
    assert_eq!(signatures(&server)[2..], ["Bearer t1"]);

    let (mint, server) = (Mint::default(), door_for("never"));
    let response = send(&common::client(&mint.credentials(5), &server), "GET http://a.example/x").await;
    assert_eq!(signatures(&server), ["Bearer t0", "Bearer t1"]);
    assert_eq!(unanswered(&response), Some(&Unanswered::Rejected("bearer")));
}

#[tokio::test(start_paused = true)]
async fn requests_that_need_a_token_at_the_same_time_share_one() {
    for in_advance in [InAdvance::Tokens, InAdvance::Never] {
        let (mint, server) = (Mint::default(), door_for("t0"));
        let layer = layer(&mint.credentials(50)).in_advance(in_advance).first_contact_wait(Duration::ZERO);
        let client = layer.layer(server.clone());
        let results = join_all((0..16).map(|_| try_send(&client, request("GET http://a.example/x")))).await;
        assert!(results.into_iter().all(|result| result.unwrap().status() == 200));
        assert_eq!(mint.asks().len(), 1, "{in_advance:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn requests_whose_token_expired_at_the_same_time_share_the_next_one() {
    let expired = Arc::new(AtomicUsize::new(0));
    let good = Arc::clone(&expired);
    let server = Server::answering(move |received, _| {
        let good = format!("Bearer t{}", good.load(Ordering::SeqCst));
        match authorization(received) {
            Some(value) if value == good => reply(200),
            _ => challenging("Bearer").delay(Duration::from_millis(10)),
        }
    });
    let mint = Mint::default();
    let client = client(&mint.credentials(50), &server);
    send(&client, "GET http://a.example/x").await;
    expired.store(1, Ordering::SeqCst);
    let results = join_all((0..16).map(|_| try_send(&client, request("GET http://a.example/x")))).await;
    assert!(results.into_iter().all(|result| result.unwrap().status() == 200));
    assert_eq!(mint.asks(), ["http://a.example 0 -", "http://a.example 1 t0"]);
}

#[tokio::test(start_paused = true)]
async fn who_goes_while_the_provider_is_asked_does_not_take_the_answer_along() {
    let (mint, server) = (Mint::default(), door_for("t0"));
    let client = client(&mint.credentials(50), &server);
    let mut first = Box::pin(try_send(&client, request("GET http://a.example/x")));
    assert!((&mut first).now_or_never().is_none());
    let second = tokio::spawn({
        let client = client.clone();
        async move { send(&client, "GET http://a.example/x").await.status() }
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    drop(first);
    let begun = tokio::time::Instant::now();
    assert_eq!(second.await.unwrap(), 200);
    assert_eq!(begun.elapsed(), Duration::from_millis(30), "it was not asked anew");
    assert_eq!(mint.asks().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_the_provider_holds_nothing_of_the_service() {
    let (mint, server) = (Mint::default(), door_for("t0").limited(1));
    let client = client(&mint.credentials(50), &server);
    let waiting = tokio::spawn(async move { send(&client, "GET http://a.example/x").await.status() });
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!((mint.asks().len(), server.permits_free()), (1, 1));
    assert_eq!(waiting.await.unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn when_all_have_gone_nothing_runs_on_and_the_next_one_asks_anew() {
    let (mint, server) = (Mint::default(), door_for("t1"));
    let client = client(&mint.credentials(50), &server);
    let mut first = Box::pin(try_send(&client, request("GET http://a.example/x")));
    assert!((&mut first).now_or_never().is_none());
    drop(first);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(send(&client, "GET http://a.example/x").await.status(), 200);
    assert_eq!(mint.asks().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_fails_is_told_and_asked_again_the_next_time() {
    let credentials = Credentials::new();
    let tries = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&tries);
    let provider = move |_: Ask| {
        let n = count.fetch_add(1, Ordering::SeqCst);
        async move { if n == 0 { Err("s3cret text".into()) } else { Ok(Some(Credential::token("t"))) } }
    };
    credentials.provider_for("a.example", Arc::new(provider)).unwrap();
    let server = door_for("t");
    let client = client(&credentials, &server);
    let response = send(&client, "GET http://a.example/x").await;
    assert_eq!(response.status(), 401);
    let Some(Unanswered::Provider(error)) = unanswered(&response) else { panic!("{:?}", fact(&response)) };
    assert_eq!(std::error::Error::source(error).unwrap().to_string(), "s3cret text");
    assert!(!format!("{:?} {} {error:?}", fact(&response), fact(&response)).contains("s3cret"));
    assert_eq!(tries.load(Ordering::SeqCst), 1, "it is not asked twice for one request");
    assert_eq!(send(&client, "GET http://a.example/x").await.status(), 200);
}

#[tokio::test]
async fn a_provider_that_has_nothing_leaves_the_challenge_unanswered() {
    let credentials = Credentials::new();
    credentials.provider(Arc::new(async |_: Ask| Ok(None)));
    let server = door_for("t");
    let response = send(&client(&credentials, &server), "GET http://a.example/x").await;
    assert_eq!(unanswered(&response), Some(&Unanswered::NoCredentials));
    // What comes after it is tried.
    credentials.add(Credential::token("t"));
    assert_eq!(send(&client(&credentials, &server), "GET http://a.example/x").await.status(), 200);
}

#[tokio::test]
async fn a_provider_that_gives_the_refused_token_again_is_not_believed() {
    let credentials = Credentials::new();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    credentials.provider(Arc::new(move |_: Ask| {
        count.fetch_add(1, Ordering::SeqCst);
        async { Ok(Some(Credential::token("same"))) }
    }));
    let server = door_for("other");
    send(&client(&credentials, &server), "GET http://a.example/x").await;
    assert_eq!(signatures(&server), ["-", "Bearer same"]);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_provider_that_panics_hurts_only_who_asked() {
    let credentials = Credentials::new();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    credentials.provider(Arc::new(move |_: Ask| {
        let n = count.fetch_add(1, Ordering::SeqCst);
        async move {
            tokio::task::yield_now().await;
            assert!(n > 0, "the first time");
            Ok(Some(Credential::token("t")))
        }
    }));
    let server = door_for("t");
    let client = client(&credentials, &server);
    let first = tokio::spawn({
        let client = client.clone();
        async move { send(&client, "GET http://a.example/x").await.status() }
    });
    assert!(first.await.unwrap_err().is_panic());
    assert_eq!(send(&client, "GET http://a.example/x").await.status(), 200);
}

#[tokio::test]
async fn what_a_provider_gives_while_the_credentials_are_cleared_is_not_sent() {
    let credentials = Credentials::new();
    let clearing = credentials.clone();
    let provider = move |_: Ask| {
        clearing.clear();
        async { Ok(Some(Credential::token("t"))) }
    };
    credentials.provider_for("a.example", Arc::new(provider)).unwrap();
    let server = door("Bearer t", "Bearer realm=\"r\"");
    send(&client(&credentials, &server), "GET http://a.example/").await;
    assert_eq!(signatures(&server), ["-"]);
}
