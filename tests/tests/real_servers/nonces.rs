//! How many challenges many requests cost in one protection space of Digest.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use httplib2::Http;
use httplib2_tests::servers::{SECRET, apache};
use tokio::{task::JoinSet, time::Instant};

use crate::{
    auth::user,
    client::{get, text},
};

const AT_ONCE: usize = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs apache2"]
async fn a_thousand_requests_cost_one_challenge_where_nonces_live_on() {
    for name in ["forever", "plain"] {
        let site = apache::start();
        let uri = site.plain(&format!("/digest/{name}/secret.txt"));
        ask(&user(&site), &uri, 1_000).await;
        assert_eq!(site.challenges(1_001, "/digest/"), 1, "{name}");
        assert_eq!(site.answers(1_001).len(), 1_001, "{name}");
    }
}

/// The lifetime of a nonce is a second, and there are requests all the time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs apache2"]
async fn where_they_end_there_is_no_more_than_one_challenge_for_each_lifetime() {
    let site = apache::start();
    let (http, uri) = (user(&site), site.plain("/digest/brief/secret.txt"));
    let since = Instant::now();
    let mut asked = 0;
    while asked < 1_000 || since.elapsed() < Duration::from_millis(3_500) {
        ask(&http, &uri, 100).await;
        asked += 100;
    }
    let lifetimes = usize::try_from(since.elapsed().as_secs()).unwrap();
    let challenges = site.challenges(asked + 1, "/digest/");
    assert!((1..=1 + lifetimes).contains(&challenges), "{challenges} challenges in {lifetimes} lifetimes");
    assert_eq!(site.answers(asked + challenges).len(), asked + challenges);
}

/// A nonce that ended while nobody asked is known to have ended only by who asks next.
#[tokio::test]
#[ignore = "needs apache2"]
async fn a_nonce_that_ended_meanwhile_costs_one_more_request() {
    let site = apache::start();
    let (http, uri) = (user(&site), site.plain("/digest/brief/secret.txt"));
    for lifetimes in 1..=3 {
        assert_eq!(text(&get(&http, uri.clone()).await), SECRET);
        assert_eq!(site.challenges(2 * lifetimes, "/digest/"), lifetimes);
        tokio::time::sleep(Duration::from_millis(2_100)).await;
    }
    assert_eq!(site.answers(6).len(), 6);
}

/// RFC 7616 §3.5: `nextnonce` in each answer, so one request after another costs no further challenge.
#[tokio::test]
#[ignore = "needs apache2"]
async fn nonces_for_one_answer_cost_one_challenge_too() {
    for name in ["once", "counted"] {
        let site = apache::start();
        let (http, uri) = (user(&site), site.plain(&format!("/digest/{name}/secret.txt")));
        for _ in 0..200 {
            assert_eq!(text(&get(&http, uri.clone()).await), SECRET, "{name}");
        }
        assert_eq!(site.challenges(201, "/digest/"), 1, "{name}");
        assert_eq!(site.answers(201).len(), 201, "{name}");
    }
}

/// Asks this many times, 16 at a time, and is let in each time.
async fn ask(http: &Http, uri: &str, times: usize) {
    let started = Arc::new(AtomicUsize::new(0));
    let mut askers = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (http, uri, started) = (http.clone(), uri.to_owned(), Arc::clone(&started));
        askers.spawn(async move {
            while started.fetch_add(1, Ordering::Relaxed) < times {
                let answer = get(&http, uri.clone()).await;
                assert_eq!((answer.0.status().as_u16(), text(&answer)), (200, SECRET));
            }
        });
    }
    while let Some(asker) = askers.join_next().await {
        asker.unwrap();
    }
}
