//! HTTP/2, over a pipe whose other end is held by the test.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod common;

use std::{
    future::Future,
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use common::{Body, bounded, pipe::Pipes, send, text};
use h2::{
    Reason,
    server::{Connection as Server, SendResponse, handshake},
};
use http::{Request, Response, Version};
use http_body::Frame;
use http_body_util::{BodyExt, Channel};
use httplib2_connect::{Client, ConnectError, IoTimeout, Phase};
use tokio::{io::DuplexStream, sync::mpsc};

/// A client, and a server whose connections `serve` has.
fn client<F>(serve: impl Fn(Server<DuplexStream, Bytes>) -> F + Send + 'static) -> Client<Body, Pipes>
where
    F: Future<Output = ()> + Send + 'static,
{
    let (pipes, mut opened) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(pipe) = opened.recv().await {
            let server = handshake(pipe).await.unwrap();
            tokio::spawn(serve(server));
        }
    });
    Client::builder().build_with_connector(Pipes::http2(pipes))
}

fn ok(mut respond: SendResponse<Bytes>) {
    let mut body = respond.send_response(Response::new(()), false).unwrap();
    body.send_data(Bytes::from_static(b"ok"), true).unwrap();
}

/// Answers whatever comes with `ok`.
async fn obliging(mut server: Server<DuplexStream, Bytes>) {
    while let Some(Ok((_, respond))) = server.accept().await {
        ok(respond);
    }
}

fn facts(error: &ConnectError) -> (Phase, Option<bool>, bool, bool) {
    (error.phase(), error.reused(), error.is_unprocessed(), error.is_connection_lost())
}

#[tokio::test]
async fn a_connection_counts_as_reused_once_a_response_came_over_it() {
    let client = client(obliging);
    let (first, body) = text(&client, "http://example.org/").await.unwrap();
    assert_eq!((first.reused, first.version, body.as_str()), (false, Version::HTTP_2, "ok"));
    let (second, _) = text(&client, "http://example.org/").await.unwrap();
    assert_eq!(second.to_string(), "reused connection, HTTP/2.0");
}

#[tokio::test]
async fn requests_at_once_share_a_connection() {
    let connections = Arc::new(Mutex::new(0));
    let counted = connections.clone();
    let client = client(move |server| {
        *counted.lock().unwrap() += 1;
        obliging(server)
    });
    text(&client, "http://example.org/").await.unwrap();
    let all = (0..20).map(|_| text(&client, "http://example.org/"));
    for outcome in futures_util::future::join_all(all).await {
        assert!(outcome.unwrap().0.reused);
    }
    assert_eq!(*connections.lock().unwrap(), 1);
}

#[tokio::test]
async fn userinfo_is_not_in_the_authority() {
    let client = client(|mut server| async move {
        let (request, respond) = server.accept().await.unwrap().unwrap();
        assert_eq!(request.uri(), "http://example.org/a?b");
        ok(respond);
        obliging(server).await;
    });
    assert_eq!(text(&client, "http://user:word@example.org/a?b").await.unwrap().1, "ok");
}

#[tokio::test]
async fn a_refused_stream_is_unprocessed() {
    let client = client(|mut server| async move {
        let (_, mut respond) = server.accept().await.unwrap().unwrap();
        respond.send_reset(Reason::REFUSED_STREAM);
        obliging(server).await;
    });
    let error = text(&client, "http://example.org/").await.unwrap_err();
    assert_eq!(facts(&error), (Phase::Receive, Some(false), true, false));
    assert_eq!(text(&client, "http://example.org/").await.unwrap().1, "ok");
}

#[tokio::test]
async fn a_stream_that_is_reset_otherwise_may_have_been_processed() {
    let client = client(|mut server| async move {
        let (_, mut respond) = server.accept().await.unwrap().unwrap();
        respond.send_reset(Reason::INTERNAL_ERROR);
        obliging(server).await;
    });
    let error = text(&client, "http://example.org/").await.unwrap_err();
    assert_eq!(facts(&error), (Phase::Receive, Some(false), false, false));
}

#[tokio::test]
async fn a_stream_above_the_last_one_of_a_goaway_is_unprocessed() {
    // h2 names the highest stream that it has seen as the last one, so the frame is made by hand: the last
    // stream is 0, the reason NO_ERROR.
    let (pipes, mut opened) = mpsc::unbounded_channel();
    let client: Client<Body, Pipes> = Client::builder().build_with_connector(Pipes::http2(pipes));
    let server = async {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut pipe = opened.recv().await.unwrap();
        pipe.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
        let mut preface = [0; 24];
        pipe.read_exact(&mut preface).await.unwrap();
        loop {
            let mut head = [0; 9];
            pipe.read_exact(&mut head).await.unwrap();
            let mut payload = vec![0; usize::from(head[1]) << 8 | usize::from(head[2])];
            pipe.read_exact(&mut payload).await.unwrap();
            if head[3] == 1 {
                break;
            }
        }
        pipe.write_all(&[0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).await.unwrap();
        pipe
    };
    let (_pipe, outcome) = bounded(async { tokio::join!(server, text(&client, "http://example.org/")) }).await;
    assert_eq!(facts(&outcome.unwrap_err()), (Phase::Receive, Some(false), true, true));
}

#[tokio::test]
async fn a_connection_that_breaks_is_lost() {
    let client = client(|mut server| async move {
        drop(server.accept().await);
    });
    let error = text(&client, "http://example.org/").await.unwrap_err();
    assert_eq!(facts(&error), (Phase::Receive, Some(false), false, true));
}

#[tokio::test]
async fn an_error_of_the_request_body_is_found_although_the_stream_is_only_reset() {
    let client = client(obliging_late);
    let (mut sender, body) = Channel::<Bytes, io::Error>::new(2);
    sender.try_send(Frame::data(Bytes::from_static(b"begin"))).unwrap();
    sender.abort(io::Error::other("the file is gone"));
    let request = Request::put("http://example.org/").body(body.map_err(Into::into).boxed()).unwrap();
    let error = send(&client, request).await.unwrap_err();
    assert_eq!(facts(&error), (Phase::Send, Some(false), false, false));
    assert!(error.is_request_body());
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the file is gone");
    assert_eq!(text(&client, "http://example.org/").await.unwrap().1, "ok");
}

/// Answers only requests that are whole.
async fn obliging_late(mut server: Server<DuplexStream, Bytes>) {
    while let Some(Ok((request, respond))) = server.accept().await {
        if request.into_body().is_end_stream() {
            ok(respond);
        } else {
            tokio::spawn(async move {
                let mut respond = respond;
                let _ = std::future::poll_fn(|cx| respond.poll_reset(cx)).await;
            });
        }
    }
}

#[tokio::test]
async fn a_stream_without_an_answer_is_left_and_its_connection_kept() {
    let client = client(|mut server| async move {
        let mut silent = Vec::new();
        for n in 0.. {
            let Some(Ok((_, respond))) = server.accept().await else { return };
            if n % 2 == 0 { silent.push(respond) } else { ok(respond) }
        }
    });
    for reused in [false, true] {
        let timeout = IoTimeout(Duration::from_millis(100));
        let request = Request::get("http://example.org/").extension(timeout).body(common::empty()).unwrap();
        let error = send(&client, request).await.unwrap_err();
        assert!(error.is_timeout());
        assert_eq!(facts(&error), (Phase::Receive, Some(reused), false, false));
        assert_eq!(text(&client, "http://example.org/").await.unwrap().0.reused, reused);
    }
}

#[tokio::test]
async fn a_body_that_is_reset_is_an_error_after_the_response_started() {
    let client = client(|mut server| async move {
        let (_, mut respond) = server.accept().await.unwrap().unwrap();
        let mut body = respond.send_response(Response::new(()), false).unwrap();
        body.send_data(Bytes::from_static(b"begin"), false).unwrap();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            body.send_reset(Reason::INTERNAL_ERROR);
        });
        obliging(server).await;
    });
    let error = text(&client, "http://example.org/").await.unwrap_err();
    assert!(error.response_started() && !error.is_unprocessed());
}

#[tokio::test]
async fn a_head_over_the_limit_is_an_error() {
    let client = client(|mut server| async move {
        let (_, mut respond) = server.accept().await.unwrap().unwrap();
        let mut response = Response::new(());
        for _ in 0..20 {
            response.headers_mut().append("x-big", "h".repeat(60_000).parse().unwrap());
        }
        let _ = respond.send_response(response, true);
        obliging(server).await;
    });
    let error = text(&client, "http://example.org/").await.unwrap_err();
    assert!(!error.is_unprocessed());
}

#[tokio::test]
async fn a_stream_that_is_reset_without_an_error_before_its_end_is_cut() {
    for length in [None, Some("100")] {
        let client = client(move |mut server: Server<DuplexStream, Bytes>| async move {
            while let Some(Ok((_, mut respond))) = server.accept().await {
                let mut response = Response::new(());
                if let Some(length) = length {
                    response.headers_mut().insert("content-length", length.parse().unwrap());
                }
                let mut body = respond.send_response(response, false).unwrap();
                body.send_data(Bytes::from_static(b"half"), false).unwrap();
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    body.send_reset(Reason::NO_ERROR);
                });
            }
        });
        let error = bounded(text(&client, "http://example.org/")).await.unwrap_err();
        assert!(error.response_started(), "{length:?}: {error}");
    }
}

#[tokio::test]
async fn a_stream_that_is_reset_without_an_error_behind_its_end_is_whole() {
    let client = client(|mut server: Server<DuplexStream, Bytes>| async move {
        while let Some(Ok((_, mut respond))) = server.accept().await {
            let mut body = respond.send_response(Response::new(()), false).unwrap();
            body.send_data(Bytes::from_static(b"whole"), true).unwrap();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(50)).await;
                respond.send_reset(Reason::NO_ERROR);
            });
        }
    });
    let (_, body) = bounded(text(&client, "http://example.org/")).await.unwrap();
    assert_eq!(body, "whole");
}
