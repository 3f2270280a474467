//! Which connection a response comes over, and what is said of it.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod common;

use std::time::Duration;

use common::{OK, always, answer, client, empty, get, read_head, send, server, text};
use http::Request;
use httplib2_connect::Client;
use httplib2_core::context::Journal;
use tokio::{io::AsyncReadExt, runtime, sync::mpsc};

#[tokio::test]
async fn a_second_request_reuses_the_connection_of_the_first() {
    let address = always(OK).await;
    let client = client();
    let (first, body) = text(&client, format!("http://{address}/1")).await.unwrap();
    assert_eq!(body, "ok");
    assert_eq!(first.to_string(), format!("new connection to {address}, HTTP/1.1"));
    let (second, _) = text(&client, format!("http://{address}/2")).await.unwrap();
    assert_eq!(second.to_string(), format!("reused connection to {address}, HTTP/1.1"));
    assert!(second.reused);
    assert_eq!(second.remote, Some(address));
}

#[tokio::test]
async fn a_connection_that_the_server_closes_is_not_reused() {
    let address = always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok").await;
    let client = client();
    for _ in 0..2 {
        assert!(!text(&client, format!("http://{address}/")).await.unwrap().0.reused);
    }
}

#[tokio::test]
async fn no_idle_connection_is_kept_when_none_may_be() {
    let address = always(OK).await;
    let client = Client::builder().max_idle_per_host(0).build().unwrap();
    for _ in 0..2 {
        assert!(!text(&client, format!("http://{address}/")).await.unwrap().0.reused);
    }
}

#[tokio::test]
async fn an_idle_connection_is_dropped_after_its_time() {
    let address = always(OK).await;
    let client = Client::builder().idle_timeout(Duration::from_millis(50)).build().unwrap();
    text(&client, format!("http://{address}/")).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!text(&client, format!("http://{address}/")).await.unwrap().0.reused);
}

#[tokio::test]
async fn limits_without_end_are_none() {
    let address = always(OK).await;
    let client = Client::builder()
        .idle_timeout(Duration::MAX)
        .connect_timeout(Duration::MAX)
        .io_timeout(Duration::MAX)
        .build()
        .unwrap();
    text(&client, format!("http://{address}/")).await.unwrap();
    assert!(text(&client, format!("http://{address}/")).await.unwrap().0.reused);
}

#[tokio::test]
async fn the_journal_has_a_line_for_each_response_and_each_failure() {
    let address = always(OK).await;
    let client = client();
    let journal = Journal::default();
    let request = Request::get(format!("http://{address}/")).extension(journal.clone()).body(empty()).unwrap();
    send(&client, request).await.unwrap();
    let request = Request::get("ftp://example.org/").extension(journal.clone()).body(empty()).unwrap();
    send(&client, request).await.unwrap_err();
    let lines: Vec<_> = journal.lines().iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            format!("connect: new connection to {address}, HTTP/1.1"),
            "connect: connecting to example.org:80: failed".into()
        ]
    );
}

#[tokio::test]
async fn userinfo_is_neither_sent_nor_keeps_connections_apart() {
    let (heads, mut seen) = mpsc::unbounded_channel();
    let address = server(move |_, mut stream| {
        let heads = heads.clone();
        async move {
            while let Some(head) = read_head(&mut stream).await {
                heads.send(head).unwrap();
                answer(&mut stream, OK).await;
            }
        }
    })
    .await;
    let client = client();
    text(&client, format!("http://{address}/a?b")).await.unwrap();
    let (connection, _) = text(&client, format!("http://user:secret@{address}/a?b")).await.unwrap();
    assert!(connection.reused);
    let expected = format!("GET /a?b HTTP/1.1\r\nhost: {address}\r\n\r\n");
    assert_eq!([seen.recv().await.unwrap(), seen.recv().await.unwrap()], [expected.clone(), expected]);
}

#[tokio::test]
async fn dropping_the_response_future_closes_the_connection() {
    let (closed, mut seen) = mpsc::unbounded_channel();
    let address = server(move |_, mut stream| {
        let closed = closed.clone();
        async move {
            read_head(&mut stream).await;
            let _ = stream.read_u8().await;
            closed.send(()).unwrap();
        }
    })
    .await;
    let client = client();
    let waiting = tokio::time::timeout(Duration::from_millis(100), send(&client, get(format!("http://{address}/"))));
    assert!(waiting.await.is_err());
    common::bounded(seen.recv()).await.unwrap();
}

#[tokio::test]
async fn dropping_the_body_before_its_end_closes_the_connection() {
    let (closed, mut seen) = mpsc::unbounded_channel();
    let address = server(move |_, mut stream| {
        let closed = closed.clone();
        async move {
            read_head(&mut stream).await;
            answer(&mut stream, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegin").await;
            let _ = stream.read_u8().await;
            closed.send(()).unwrap();
        }
    })
    .await;
    drop(send(&client(), get(format!("http://{address}/"))).await.unwrap());
    common::bounded(seen.recv()).await.unwrap();
}

#[test]
fn a_client_outlives_the_runtime_that_it_was_used_on() {
    let servers = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let address = servers.block_on(always(OK));
    let uri = format!("http://{address}/");
    let client = client();
    for _ in 0..20 {
        let runtime = runtime::Runtime::new().unwrap();
        let (first, second) = runtime.block_on(async {
            let first = text(&client, &uri).await.unwrap().0;
            (first, text(&client, &uri).await.unwrap().0)
        });
        assert!(!first.reused);
        assert!(second.reused);
    }
}

#[test]
fn a_connection_of_a_runtime_that_stands_still_is_not_used_by_another() {
    let servers = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let address = servers.block_on(always(OK));
    let uri = format!("http://{address}/");
    let client = client();
    let runtimes = [(); 2].map(|()| runtime::Builder::new_current_thread().enable_all().build().unwrap());
    let reused = |n: usize| runtimes[n].block_on(text(&client, &uri)).unwrap().0.reused;
    assert_eq!([reused(0), reused(1), reused(0), reused(1)], [false, false, true, true]);
}

#[test]
fn outside_a_runtime_a_request_fails_and_does_not_panic() {
    let error =
        futures_util::future::FutureExt::now_or_never(tower::ServiceExt::oneshot(client(), get("http://127.0.0.1/")));
    assert!(error.unwrap().unwrap_err().is_unprocessed());
}

#[test]
fn a_client_goes_everywhere() {
    fn everywhere<T: Clone + Send + Sync + std::fmt::Debug + 'static>(_: T) {}
    everywhere(client());
    fn sent<T: Send + 'static>(_: T) {}
    sent(tower::ServiceExt::oneshot(client(), get("http://127.0.0.1/")));
}
