//! How long a request waits.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod common;

use std::{future::pending, io, time::Duration};

use bytes::Bytes;
use common::{Body, OK, answer, bounded, empty, get, pipe::Pipes, read_head, send, server, text};
use http::Request;
use http_body::Frame;
use http_body_util::{BodyExt, Channel};
use httplib2_connect::{Client, ConnectError, IoTimeout, Phase, Resolver};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    sync::mpsc,
    time::Instant,
};

const SHORT: Duration = Duration::from_millis(150);

fn timed_out(error: &ConnectError, phase: Phase) {
    assert!(error.is_timeout(), "{error:?}");
    assert_eq!(error.phase(), phase);
    assert_eq!(error.is_unprocessed(), phase < Phase::Send);
}

fn stuck_at_resolving(client: httplib2_connect::ClientBuilder) -> Client<Body> {
    client.resolver(Resolver::new(|_| pending())).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn connecting_ends_after_its_time() {
    let start = Instant::now();
    let client = stuck_at_resolving(Client::builder());
    let error = tower::ServiceExt::oneshot(client, get("http://example.org/")).await.unwrap_err();
    timed_out(&error, Phase::Resolve);
    assert_eq!(start.elapsed(), Duration::from_secs(30));
    assert_eq!(error.to_string(), "resolving example.org:80: timed out");
}

#[tokio::test(start_paused = true)]
async fn a_connector_that_hangs_is_left_after_the_connect_timeout() {
    #[derive(Clone)]
    struct Hangs;
    impl tower::Service<http::Uri> for Hangs {
        type Response = hyper_util::rt::TokioIo<tokio::net::TcpStream>;
        type Error = io::Error;
        type Future = std::future::Pending<io::Result<Self::Response>>;
        fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<io::Result<()>> {
            std::task::Poll::Ready(Ok(()))
        }
        fn call(&mut self, _: http::Uri) -> Self::Future {
            pending()
        }
    }
    let client = Client::builder().connect_timeout(Duration::from_secs(3)).build_with_connector(Hangs);
    let start = Instant::now();
    let error = tower::ServiceExt::oneshot(client, get("http://example.org/")).await.unwrap_err();
    timed_out(&error, Phase::Connect);
    assert_eq!(start.elapsed(), Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn the_io_timeout_bounds_connecting_too() {
    let start = Instant::now();
    let client = stuck_at_resolving(Client::builder().connect_timeout(None));
    let timeout = IoTimeout(Duration::from_secs(5));
    let request = Request::get("http://example.org/").extension(timeout).body(empty()).unwrap();
    let error = tower::ServiceExt::oneshot(client, request).await.unwrap_err();
    timed_out(&error, Phase::Connect);
    assert_eq!(start.elapsed(), Duration::from_secs(5));
    assert_eq!(error.reused(), None);
}

#[tokio::test]
async fn a_silent_server_is_left_after_the_timeout() {
    let address = server(|_, mut stream| async move { while stream.read_u8().await.is_ok() {} }).await;
    let client = Client::builder().io_timeout(SHORT).build().unwrap();
    let error = text(&client, format!("http://{address}/")).await.unwrap_err();
    timed_out(&error, Phase::Receive);
    assert_eq!(error.reused(), Some(false));
    assert!(!error.response_started());
}

#[tokio::test]
async fn a_head_that_dribbles_in_is_cut() {
    let address = server(|_, mut stream| async move {
        read_head(&mut stream).await;
        for byte in OK.bytes() {
            answer(&mut stream, [byte]).await;
            tokio::time::sleep(SHORT / 3).await;
        }
    })
    .await;
    let client = Client::builder().io_timeout(SHORT).build().unwrap();
    timed_out(&text(&client, format!("http://{address}/")).await.unwrap_err(), Phase::Receive);
}

#[tokio::test]
async fn interim_responses_without_end_are_cut() {
    let address = server(|_, mut stream| async move {
        read_head(&mut stream).await;
        for _ in 0..500 {
            answer(&mut stream, "HTTP/1.1 100 Continue\r\n\r\n").await;
            tokio::time::sleep(SHORT / 10).await;
        }
    })
    .await;
    let client = Client::builder().io_timeout(SHORT).build().unwrap();
    timed_out(&text(&client, format!("http://{address}/")).await.unwrap_err(), Phase::Receive);
}

#[tokio::test]
async fn a_body_that_stalls_is_cut_and_one_that_dribbles_is_not() {
    let address = server(|n, mut stream| async move {
        read_head(&mut stream).await;
        answer(&mut stream, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 6\r\n\r\n").await;
        for byte in b"123456" {
            answer(&mut stream, [*byte]).await;
            tokio::time::sleep(if n == 0 { SHORT / 2 } else { SHORT * 20 }).await;
        }
    })
    .await;
    let client = Client::builder().io_timeout(SHORT).build().unwrap();
    assert_eq!(text(&client, format!("http://{address}/")).await.unwrap().1, "123456");
    let error = text(&client, format!("http://{address}/")).await.unwrap_err();
    timed_out(&error, Phase::Receive);
    assert!(error.response_started());
}

#[tokio::test]
async fn a_body_is_at_its_end_after_an_error() {
    let address = server(|_, mut stream| async move {
        read_head(&mut stream).await;
        answer(&mut stream, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n").await;
        pending().await
    })
    .await;
    let client = Client::builder().io_timeout(SHORT).build().unwrap();
    let mut body = send(&client, get(format!("http://{address}/"))).await.unwrap().into_body();
    assert!(bounded(body.frame()).await.unwrap().is_err());
    assert!(http_body::Body::is_end_stream(&body));
    assert!(bounded(body.frame()).await.is_none());
}

/// A request whose body has `frames` frames of 64 KiB, and `pause` before each of them.
fn upload(uri: impl AsRef<str>, frames: usize, pause: Duration) -> Request<Body> {
    let (mut sender, body) = Channel::<Bytes, io::Error>::new(1);
    tokio::spawn(async move {
        for _ in 0..frames {
            tokio::time::sleep(pause).await;
            if sender.send(Frame::data(Bytes::from_static(&[b'x'; FRAME]))).await.is_err() {
                return;
            }
        }
    });
    Request::put(uri.as_ref()).extension(IoTimeout(SHORT)).body(body.map_err(Into::into).boxed()).unwrap()
}

const FRAME: usize = 64 * 1024;

/// A client of a server that takes a frame of an upload after each `pause`, and answers when it has `frames`.
fn slow_taker(frames: usize, pause: Duration) -> Client<Body, Pipes> {
    let (pipes, mut opened) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut pipe: DuplexStream = opened.recv().await.unwrap();
        read_head(&mut pipe).await.unwrap();
        for _ in 0..frames {
            tokio::time::sleep(pause).await;
            pipe.read_exact(&mut [0; FRAME]).await.unwrap();
        }
        pipe.write_all(OK.as_bytes()).await.unwrap();
        pending::<()>().await
    });
    Client::builder().build_with_connector(Pipes::http1(pipes))
}

#[tokio::test(start_paused = true)]
async fn an_upload_may_take_long_while_the_server_takes_it() {
    // hyper takes the next frames when what it has of them, some 400 KiB, is written.
    let client = slow_taker(30, SHORT / 8);
    let start = Instant::now();
    let response = send(&client, upload("http://example.org/", 30, Duration::ZERO)).await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(start.elapsed() > SHORT * 3);
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_the_server_does_not_take_is_cut() {
    let client = slow_taker(30, SHORT * 2);
    let error = send(&client, upload("http://example.org/", 30, Duration::ZERO)).await.unwrap_err();
    timed_out(&error, Phase::Send);
    assert_eq!(error.reused(), Some(false));
}

#[tokio::test(start_paused = true)]
async fn a_slow_body_of_the_callers_own_is_not_held_against_the_server() {
    let client = slow_taker(5, Duration::ZERO);
    let response = send(&client, upload("http://example.org/", 5, SHORT * 10)).await.unwrap();
    assert_eq!(response.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn the_server_has_the_whole_timeout_from_when_the_callers_body_is_sent() {
    let client = slow_taker(6, SHORT * 2);
    let start = Instant::now();
    let error = send(&client, upload("http://example.org/", 1, SHORT * 10 + SHORT / 2)).await.unwrap_err();
    timed_out(&error, Phase::Receive);
    assert_eq!(start.elapsed(), SHORT * 11 + SHORT / 2);
}

#[tokio::test]
async fn a_timeout_says_whether_the_connection_was_used_before() {
    let address = server(|_, mut stream| async move {
        read_head(&mut stream).await;
        answer(&mut stream, OK).await;
        pending().await
    })
    .await;
    let client = Client::builder().io_timeout(SHORT).build().unwrap();
    let uri = format!("http://{address}/");
    assert!(!text(&client, &uri).await.unwrap().0.reused);
    let error = text(&client, &uri).await.unwrap_err();
    timed_out(&error, Phase::Receive);
    assert_eq!(error.reused(), Some(true));
}

#[tokio::test]
async fn the_timeout_of_the_request_replaces_the_one_of_the_client() {
    let address = server(|_, mut stream| async move {
        read_head(&mut stream).await;
        tokio::time::sleep(SHORT).await;
        answer(&mut stream, OK).await;
    })
    .await;
    let client = Client::builder().io_timeout(SHORT / 3).build().unwrap();
    let patient = |time| Request::get(format!("http://{address}/")).extension(IoTimeout(time)).body(empty()).unwrap();
    assert_eq!(send(&client, patient(SHORT * 20)).await.unwrap().status(), 200);
    assert_eq!(send(&client, patient(Duration::MAX)).await.unwrap().status(), 200);
    timed_out(&send(&client, get(format!("http://{address}/"))).await.unwrap_err(), Phase::Receive);
}
