//! What the scripted server answers, records and demands.

use std::{
    future::poll_fn,
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use httplib2_testing::{Body, Broken, Reply, Server, Unscripted, reply, request, text};
use tower::{Service, ServiceExt};

const LINE: &str = "POST http://a.example/";

async fn ready(server: &mut Server) {
    poll_fn(|cx| Service::<Request<Body>>::poll_ready(server, cx)).await.expect("it does not refuse");
}

fn is_ready(server: &mut Server) -> bool {
    let mut cx = Context::from_waker(Waker::noop());
    Service::<Request<Body>>::poll_ready(server, &mut cx).is_ready()
}

#[tokio::test]
async fn replies_to_one_request_come_in_order_and_the_last_one_repeats() {
    let server = Server::new().on(LINE, reply(503)).on(LINE, reply(429)).on(LINE, reply(200));
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(server.clone().oneshot(request(LINE)).await.unwrap().status().as_u16());
    }
    assert_eq!(statuses, [503, 429, 200, 200]);
}

#[tokio::test]
async fn the_record_holds_the_head_the_body_and_the_trailers() {
    let server = Server::new().on(LINE, reply(200));
    let mut post = request(LINE).map(|_| Body::chunks(["one, ", "two"]).trailers([("x-sum", "3")]));
    post.headers_mut().insert("accept", "text/plain".parse().unwrap());
    post.extensions_mut().insert(7_u8);
    server.clone().oneshot(post).await.unwrap();
    let received = server.requests().remove(0);
    assert_eq!(received.line(), LINE);
    assert_eq!(received.headers()["accept"], "text/plain");
    assert_eq!(received.extensions().get(), Some(&7_u8));
    assert_eq!(received.body(), "one, two");
    assert_eq!(received.trailers().unwrap()["x-sum"], "3");
    assert!(received.is_whole());
}

#[tokio::test]
async fn a_request_that_nobody_scripted_gets_an_error_that_names_it() {
    let server = Server::new().on(LINE, reply(200));
    let error = server.oneshot(request("GET http://b.example/x")).await.unwrap_err();
    assert!(error.is::<Unscripted>());
    assert_eq!(
        error.to_string(),
        r#"the script has no answer to GET http://b.example/x, only to ["POST http://a.example/"]"#
    );
}

#[tokio::test]
async fn a_program_sees_the_request_and_how_many_came_before() {
    let server = Server::answering(|received, n| reply(200).body(format!("{n}: {:?}", received.body())));
    let post = |text: &'static str| Request::post("http://a.example/").body(Full::new(Bytes::from(text))).unwrap();
    server.clone().oneshot(post("a")).await.unwrap();
    let response = server.oneshot(post("b")).await.unwrap();
    assert_eq!(text(response).await.unwrap(), "1: b\"b\"");
}

#[tokio::test]
async fn an_early_reply_leaves_the_rest_of_the_body_unread() {
    for (given, read) in [(reply(413).early(), ""), (reply(413).after_bytes(4), "one, ")] {
        let server = Server::new().on(LINE, given);
        let post = request(LINE).map(|_| Body::chunks(["one, ", "two"]).stalling());
        server.clone().oneshot(post).await.unwrap();
        let received = server.requests().remove(0);
        assert_eq!(received.body(), read);
        assert!(!received.is_whole());
    }
}

#[tokio::test]
async fn a_request_body_that_breaks_fails_the_call_with_its_error() {
    let server = Server::new().on(LINE, reply(200));
    let error = server.clone().oneshot(request(LINE).map(|_| Body::from("one").breaking())).await.unwrap_err();
    assert!(error.is::<Broken>());
    assert_eq!(server.requests()[0].body(), "one");
}

#[tokio::test]
async fn a_failing_reply_gives_its_error_each_time() {
    let server = Server::new().on(LINE, Reply::failing(|| Broken));
    for _ in 0..2 {
        assert!(server.clone().oneshot(request(LINE)).await.unwrap_err().is::<Broken>());
    }
}

#[tokio::test(start_paused = true)]
async fn a_delayed_reply_takes_its_time() {
    let start = tokio::time::Instant::now();
    Server::new().on(LINE, reply(200).delay(Duration::from_secs(3))).oneshot(request(LINE)).await.unwrap();
    assert_eq!(start.elapsed(), Duration::from_secs(3));
}

#[tokio::test]
async fn a_permit_is_held_from_readiness_to_the_end_of_the_future() {
    let server = Server::new().on(LINE, reply(200)).limited(1);
    let mut first = server.clone();
    ready(&mut first).await;
    assert_eq!(server.permits_free(), 0);
    assert!(!is_ready(&mut server.clone()));

    let call = first.call(request(LINE));
    assert!(!is_ready(&mut first));
    drop(call);
    assert_eq!(server.permits_free(), 1);

    ready(&mut first).await;
    drop(first);
    assert_eq!(server.permits_free(), 1);

    server.clone().oneshot(request(LINE)).await.unwrap();
    assert_eq!(server.permits_free(), 1);
}

#[tokio::test]
async fn who_waits_for_a_permit_is_woken() {
    let server = Server::new().on(LINE, reply(200)).limited(1);
    let mut holder = server.clone();
    ready(&mut holder).await;
    let waiter = tokio::spawn(server.clone().oneshot(request(LINE)));
    tokio::task::yield_now().await;
    assert!(!waiter.is_finished());
    drop(holder);
    assert_eq!(waiter.await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn a_server_that_refuses_is_never_ready() {
    let mut server = Server::new().on(LINE, reply(200)).refusing(|| Broken);
    let refused = poll_fn(|cx| Service::<Request<Body>>::poll_ready(&mut server, cx)).await;
    assert!(refused.unwrap_err().is::<Broken>());
}

#[tokio::test]
async fn a_hesitating_server_keeps_everyone_waiting_once() {
    let mut server = Server::new().on(LINE, reply(200)).hesitating();
    assert!(!is_ready(&mut server));
    assert!(is_ready(&mut server));
    let mut call = server.call(request(LINE));
    let first = poll_fn(|cx| Poll::Ready(std::pin::Pin::new(&mut call).poll(cx).is_pending())).await;
    assert!(first);
    assert_eq!(call.await.unwrap().status(), 200);
}

#[tokio::test]
#[should_panic(expected = "an unready service is never called\" is broken: the one that got POST http://a.example/")]
async fn a_call_of_a_clone_that_was_not_polled_ready_panics() {
    let mut server = Server::new().on(LINE, reply(200));
    ready(&mut server).await;
    drop(server.clone().call(request(LINE)));
}

#[tokio::test]
#[should_panic(expected = "an unready service is never called")]
async fn a_second_call_after_one_readiness_panics() {
    let mut server = Server::new().on(LINE, reply(200));
    ready(&mut server).await;
    drop(server.call(request(LINE)));
    drop(server.call(request(LINE)));
}

#[tokio::test]
#[should_panic(expected = "says how much to read, but the program saw the whole body")]
async fn a_program_cannot_answer_early() {
    let early = Server::answering(|_, _| reply(200).early());
    drop(early.oneshot(request(LINE)).await);
}

#[test]
#[should_panic(expected = "\"GET\" is not a method, a space and a URI")]
fn a_line_without_a_uri_is_refused() {
    let _ = Server::new().on("GET", reply(200));
}
