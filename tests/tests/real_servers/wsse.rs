//! WSSE against a guard of our own, over loopback. It needs no server of others, so it is never left out.

use std::{
    future::ready,
    sync::{Arc, Mutex},
};

use http::{HeaderMap, header};
use httplib2::{
    Http,
    auth::{InAdvance, Unanswered},
    wsse::{NonceForm, Wsse},
};
use httplib2_testing::loopback::Loopback;
use httplib2_tests::servers::{
    PASSWORD, SECRET, USER,
    wsse::{Guard, Refusal},
};
use tokio::task::JoinSet;

use crate::{
    auth::authentication,
    client::{get, plain_settings, text},
};

#[tokio::test]
async fn the_guard_lets_us_in_each_time_with_another_nonce() {
    let (guard, origin, seen) = guarded(Guard::default());
    let http = user(PASSWORD);
    for how in ["after 1 challenge", "in advance"] {
        let answer = get(&http, origin.url("/")).await;
        assert_eq!((answer.0.status().as_u16(), text(&answer)), (200, SECRET));
        assert_eq!(authentication(&answer.0).to_string(), format!("wsse for \"wsse\", {how}"));
    }
    assert_eq!((guard.let_in(), guard.refusals()), (2, vec![Refusal::Unsigned]));

    // What was on the wire lets nobody in again.
    let token = seen.lock().unwrap().last().unwrap().clone();
    let stranger = plain_settings().build().unwrap();
    let mut replay = stranger.request(origin.url("/"));
    for name in [header::AUTHORIZATION.as_str(), "x-wsse"] {
        replay = replay.header(name, token[name].to_str().unwrap());
    }
    assert_eq!(replay.await.unwrap().0.status(), 401);
    assert_eq!((guard.let_in(), guard.refusals()), (2, vec![Refusal::Unsigned, Refusal::Replay]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_are_let_in_after_one_challenge() {
    let (guard, origin, _) = guarded(Guard::default());
    let (http, mut askers) = (user(PASSWORD), JoinSet::new());
    for _ in 0..16 {
        let (http, uri) = (http.clone(), origin.url("/"));
        askers.spawn(async move {
            for _ in 0..10 {
                assert_eq!(get(&http, uri.clone()).await.0.status(), 200);
            }
        });
    }
    while let Some(asker) = askers.join_next().await {
        asker.unwrap();
    }
    assert_eq!((guard.let_in(), guard.refusals()), (160, vec![Refusal::Unsigned]));
}

#[tokio::test]
async fn a_wrong_password_is_tried_once() {
    let (guard, origin, _) = guarded(Guard::default());
    let (response, _) = get(&user("open"), origin.url("/")).await;
    assert_eq!(response.status(), 401);
    assert_eq!(authentication(&response).unanswered(), Some(&Unanswered::Rejected("wsse")));
    assert_eq!((guard.let_in(), guard.refusals()), (0, vec![Refusal::Unsigned, Refusal::Digest]));
}

/// H-WSSE: most servers of WSSE answered with 403 and never said what they wanted.
#[tokio::test]
async fn a_server_that_never_asks_lets_in_who_signs_in_advance() {
    let (guard, origin, _) = guarded(Guard::default().without_challenge());
    assert_eq!(get(&user(PASSWORD), origin.url("/")).await.0.status(), 403);
    let wsse = Wsse::new().without_challenge(true);
    let http = plain_settings().auth(|layer| layer.in_advance(InAdvance::Always).scheme(wsse)).build().unwrap();
    http.add_credentials(USER, PASSWORD);
    for _ in 0..2 {
        assert_eq!(text(&get(&http, origin.url("/")).await), SECRET);
    }
    assert_eq!((guard.let_in(), guard.refusals()), (2, vec![Refusal::Unsigned]));
}

/// H-WSSE: httplib2 digests the text of a nonce, and so do the servers that were written for it.
#[tokio::test]
async fn a_server_that_decodes_no_nonce_lets_in_who_sends_a_plain_one() {
    let (guard, origin, _) = guarded(Guard::default().plain_nonces());
    assert_eq!(get(&user(PASSWORD), origin.url("/")).await.0.status(), 401);
    let plain = Wsse::new().nonce_form(NonceForm::Plain);
    let http = plain_settings().auth(|layer| layer.scheme(plain)).build().unwrap();
    http.add_credentials(USER, PASSWORD);
    assert_eq!(text(&get(&http, origin.url("/")).await), SECRET);
    assert_eq!(guard.let_in(), 1);
}

/// An origin behind the guard, and the fields of all that came to it.
fn guarded(guard: Guard) -> (Guard, Loopback, Arc<Mutex<Vec<HeaderMap>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (door, fields) = (guard.clone(), Arc::clone(&seen));
    let origin = Loopback::plain(move |request| {
        fields.lock().unwrap().push(request.headers().clone());
        ready(door.answer(&request))
    });
    (guard, origin, seen)
}

fn user(password: &str) -> Http {
    let http = plain_settings().build().unwrap();
    http.add_credentials(USER, password);
    http
}
