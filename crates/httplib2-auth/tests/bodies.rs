//! Requests with content: sent again only whole, and read beforehand only where nothing can be lost.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::{Ticket, U_P, authorization, challenging, client, fact, layer, u_p, unanswered};
use http::Request;
use http_body_util::{Channel, Full};
use httplib2_auth::Unanswered;
use httplib2_core::{
    body::{Once, ReplayBody, Resend},
    error::BoxError,
};
use httplib2_testing::{Server, reply};
use tower::{Layer, ServiceExt};

type Upload = ReplayBody<Channel<Bytes, BoxError>>;

const CONTENT: &str = "Ticket realm=\"r\", nonce=\"n\", content=1";

/// The sum that Ticket makes of `abc`.
const ABC: u64 = 97 + 98 + 99;

fn put<B>(body: B) -> Request<B> {
    Request::put("http://a.example/x").body(body).unwrap()
}

/// A body that arrives piece by piece, after so many milliseconds each, recorded up to `limit`.
fn upload(pieces: &'static [&'static str], every: u64, limit: usize) -> Upload {
    let (mut sender, body) = Channel::new(1);
    tokio::spawn(async move {
        for piece in pieces {
            tokio::time::sleep(Duration::from_millis(every)).await;
            if sender.send_data(Bytes::from_static(piece.as_bytes())).await.is_err() {
                return;
            }
        }
    });
    ReplayBody::new(body, limit)
}

fn guarded(challenge: &'static str) -> Server {
    Server::answering(move |received, _| match authorization(received) {
        Some(_) => reply(200),
        None => challenging(challenge),
    })
}

#[tokio::test]
async fn a_body_that_cannot_be_sent_again_leaves_the_401_as_it_came() {
    let server = Server::answering(|_, _| challenging("Basic realm=\"r\"").body("who?"));
    let response = client_of(&server).oneshot(put(Once::new(Full::from("abc")))).await.unwrap();
    assert_eq!(server.saw().len(), 1);
    assert_eq!(response.status(), 401);
    assert_eq!(unanswered(&response), Some(&Unanswered::BodyGone));
    assert_eq!(fact(&response).scheme(), None);
    assert_eq!(httplib2_testing::text(response).await.unwrap(), "who?");
}

#[tokio::test]
async fn an_empty_body_can_always_be_sent_again() {
    let server = guarded("Basic realm=\"r\"");
    let response = client_of(&server).oneshot(put(Once::new(Full::from("")))).await.unwrap();
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn what_is_signed_in_advance_needs_no_second_send() {
    let server = guarded("Basic realm=\"r\"");
    let client = client_of(&server);
    client.clone().oneshot(put(Once::new(Full::from("")))).await.unwrap();
    let response = client.oneshot(put(Once::new(Full::from("abc")))).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(authorization(&server.requests()[2]), Some(U_P));
}

#[tokio::test(start_paused = true)]
async fn an_upload_is_recorded_and_sent_again() {
    // AUTH-21, also where the server challenges before it has read all.
    for challenge in [challenging("Basic realm=\"r\""), challenging("Basic realm=\"r\"").after_bytes(1)] {
        let server = Server::new().on("PUT http://a.example/x", challenge).on("PUT http://a.example/x", reply(200));
        let response = client_of(&server).oneshot(put(upload(&["a", "b", "c"], 10, 1024))).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(server.requests()[1].body(), "abc");
        assert!(server.requests()[1].is_whole());
    }
}

#[tokio::test(start_paused = true)]
async fn an_upload_over_its_limit_leaves_the_401_as_it_came() {
    let server = guarded("Basic realm=\"r\"");
    let response = client_of(&server).oneshot(put(upload(&["abc", "def"], 10, 4))).await.unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!(unanswered(&response), Some(&Unanswered::BodyGone));
    assert_eq!(server.requests()[0].body(), "abcdef");
}

#[tokio::test(start_paused = true)]
async fn a_signature_over_the_content_reads_the_recording() {
    let server = guarded(CONTENT);
    let response = client_of(&server).oneshot(put(upload(&["a", "bc"], 10, 1024))).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(authorization(&server.requests()[1]), Some(&*format!("Ticket u:n:1:{ABC}")));
    assert_eq!(server.requests()[1].body(), "abc");
}

#[tokio::test]
async fn content_in_memory_is_signed_in_advance() {
    let server = guarded(CONTENT);
    let client = client_of(&server);
    for _ in 0..2 {
        client.clone().oneshot(put(Full::from("abc"))).await.unwrap();
    }
    client.clone().oneshot(put(Full::from(""))).await.unwrap();
    let signatures = common::signatures(&server);
    assert_eq!(
        signatures[1..],
        [format!("Ticket u:n:1:{ABC}"), format!("Ticket u:n:2:{ABC}"), "Ticket u:n:3:0".into()]
    );
    assert_eq!(server.requests()[2].body(), "abc");
}

#[tokio::test(start_paused = true)]
async fn an_upload_is_not_read_beforehand() {
    // It would wait for the end, and might run over the limit: it goes out unsigned, and is signed when it was recorded.
    let server = guarded(CONTENT);
    let client = client_of(&server);
    client.clone().oneshot(put(upload(&[], 0, 1024))).await.unwrap();
    let response = client.clone().oneshot(put(upload(&["a", "bc"], 10, 1024))).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(common::signatures(&server)[2..], ["-".to_owned(), format!("Ticket u:n:2:{ABC}")]);
    assert_eq!(server.requests()[2].body(), "abc");
    assert_eq!(server.requests()[3].body(), "abc");

    let response = client.oneshot(put(upload(&["abc", "def"], 10, 4))).await.unwrap();
    assert_eq!(unanswered(&response), Some(&Unanswered::BodyGone));
    assert_eq!(server.requests()[4].body(), "abcdef", "the first send is whole");
}

#[tokio::test]
async fn a_body_that_breaks_while_it_is_read_beforehand_is_sent_as_it_is() {
    use httplib2_testing::Body;
    let server = guarded(CONTENT);
    let client = client_of(&server);
    client.clone().oneshot(put(Body::empty())).await.unwrap();
    // Whoever sends it finds out.
    let error = client.oneshot(put(Body::from("ab").breaking())).await.unwrap_err();
    assert!(error.is::<httplib2_testing::Broken>());
    assert_eq!(common::signatures(&server)[2..], ["-"]);
}

#[tokio::test]
async fn a_body_that_breaks_while_it_is_read_again_leaves_the_401() {
    use httplib2_testing::Body;
    let challenge = challenging(CONTENT).early();
    let server = Server::new().on("PUT http://a.example/x", challenge);
    let response = client_of(&server).oneshot(put(Body::from("ab").breaking())).await.unwrap();
    assert_eq!(unanswered(&response), Some(&Unanswered::BodyGone));
    assert_eq!(server.saw().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_challenge_that_cannot_be_answered_lets_the_upload_go_on() {
    // Only who is about to send again takes the body over.
    let server = Server::new().on("PUT http://a.example/x", challenging("Newauth").after_bytes(1));
    let body = upload(&["a", "b"], 10, 1024);
    let spare = body.try_clone().unwrap();
    let response = client_of(&server).oneshot(put(body)).await.unwrap();
    assert_eq!(response.status(), 401);
    assert!(spare.is_whole());
}

fn client_of(server: &Server) -> httplib2_auth::Auth<Server> {
    layer(&u_p()).scheme(Ticket::default()).layer(server.clone())
}

#[tokio::test]
async fn fields_of_the_body_stay_with_it() {
    let server = guarded("Basic realm=\"r\"");
    let mut request = put(Full::from("abc"));
    request.headers_mut().insert("content-type", http::HeaderValue::from_static("text/plain"));
    client(&u_p(), &server).oneshot(request).await.unwrap();
    assert!(server.requests().iter().all(|received| received.headers()["content-type"] == "text/plain"));
}
