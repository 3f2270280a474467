//! Responses that are not as they should be.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod common;

use std::time::Duration;

use common::{Body, OK, always, answer, client, get, pipe::Pipes, read_head, send, server, text};
use http::Request;
use httplib2_connect::{Client, Phase, UnknownTransferCoding};
use httplib2_core::error::is_caused_by;
use tokio::{io::AsyncWriteExt, sync::mpsc};

/// A server whose first connection answers with `first`, and whose others behave.
async fn poisoned(first: &'static str, late: &'static str) -> String {
    let address = server(move |n, mut stream| async move {
        while read_head(&mut stream).await.is_some() {
            answer(&mut stream, if n == 0 { first } else { OK }).await;
            if n == 0 && !late.is_empty() {
                tokio::time::sleep(Duration::from_millis(50)).await;
                answer(&mut stream, late).await;
            }
        }
    })
    .await;
    format!("http://{address}/")
}

const EVIL: &str = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL";

#[tokio::test]
async fn a_second_response_behind_the_first_is_given_to_nobody() {
    let both = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL";
    let uri = poisoned(both, "").await;
    let client = client();
    for reused in [false, false, true] {
        let (connection, body) = text(&client, &uri).await.unwrap();
        assert_eq!((connection.reused, body.as_str()), (reused, "ok"));
    }
}

#[tokio::test]
async fn a_response_on_an_idle_connection_is_given_to_nobody() {
    let uri = poisoned(OK, EVIL).await;
    let client = client();
    assert_eq!(text(&client, &uri).await.unwrap().1, "ok");
    tokio::time::sleep(Duration::from_millis(150)).await;
    let (connection, body) = text(&client, &uri).await.unwrap();
    assert_eq!((connection.reused, body.as_str()), (false, "ok"));
}

#[tokio::test]
async fn a_response_before_any_request_is_given_to_nobody() {
    let (ends, mut opened) = mpsc::unbounded_channel();
    let client: Client<Body, Pipes> = Client::builder().build_with_connector(Pipes::http1(ends));
    let server = async {
        let mut end = opened.recv().await.unwrap();
        end.write_all(EVIL.as_bytes()).await.unwrap();
        end
    };
    let (_end, outcome) = tokio::join!(server, text(&client, "http://example.org/"));
    let error = outcome.unwrap_err();
    assert_eq!((error.phase(), error.reused()), (Phase::Send, Some(false)));
    assert!(error.is_connection_lost() && error.is_unprocessed());
}

#[tokio::test]
async fn a_body_in_answer_to_head_is_given_to_nobody() {
    let evil = "HTTP/1.1 200 OK\r\nContent-Length: 43\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL";
    let uri = poisoned(evil, "").await;
    let client = client();
    let head = Request::head(&uri).body(common::empty()).unwrap();
    assert_eq!(send(&client, head).await.unwrap().status(), 200);
    common::settle().await;
    assert_eq!(text(&client, &uri).await.unwrap().1, "ok");
}

#[tokio::test]
async fn chunks_win_over_a_content_length() {
    let both = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n\
                HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL";
    let uri = poisoned(both, "").await;
    let client = client();
    assert_eq!(text(&client, &uri).await.unwrap().1, "ok");
    assert_eq!(text(&client, &uri).await.unwrap().1, "ok");
}

#[tokio::test]
async fn a_content_length_that_is_not_one_number_is_an_error() {
    let lengths = ["2\r\nContent-Length: 45", "2, 45", "+2", "-1", "0x2", "2a", "18446744073709551618", "2 2"];
    for length in lengths {
        let address = always(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\nok")).await;
        let error = text(&client(), format!("http://{address}/")).await.unwrap_err();
        assert!(!error.is_connection_lost() && !error.is_unprocessed(), "{length}: {error:?}");
    }
}

#[tokio::test]
async fn content_in_a_transfer_coding_other_than_chunked_is_an_error() {
    let codings = [
        "gzip",
        "gzip, chunked",
        "chunked, gzip",
        "chunked, chunked",
        "chunked\r\nTransfer-Encoding: chunked",
        "gzip\r\nTransfer-Encoding: chunked",
        "identity",
        "xchunked",
        "chunked;a=b",
        "",
    ];
    for coding in codings {
        let content = "2\r\nok\r\n0\r\n\r\n";
        let address = server(move |_, mut stream| async move {
            read_head(&mut stream).await;
            answer(&mut stream, format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: {coding}\r\n\r\n{content}")).await;
        })
        .await;
        let error = text(&client(), format!("http://{address}/")).await.unwrap_err();
        assert!(is_caused_by::<UnknownTransferCoding>(&error), "{coding}: {error:?}");
        assert_eq!(error.to_string(), format!("receiving from {address}: the response is malformed"));
        assert!(error.response_started() && !error.is_connection_lost() && !error.is_unprocessed());
    }
}

#[tokio::test]
async fn chunked_is_chunked_however_it_is_written() {
    for coding in ["Chunked", " \tCHUNKED\t "] {
        let address =
            always(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding:{coding}\r\n\r\n2\r\nok\r\n0\r\n\r\n")).await;
        assert_eq!(text(&client(), format!("http://{address}/")).await.unwrap().1, "ok");
    }
}

#[tokio::test]
async fn a_transfer_coding_of_no_content_does_no_harm() {
    let address = always("HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: gzip, chunked\r\n\r\n").await;
    let client = client();
    for method in ["GET", "HEAD"] {
        let request =
            Request::builder().method(method).uri(format!("http://{address}/")).body(common::empty()).unwrap();
        assert_eq!(send(&client, request).await.unwrap().status(), 304);
    }
}

#[tokio::test]
async fn a_broken_status_line_is_an_error() {
    for line in ["HTTP/1.1 2000 OK", "HTTP/1.1 abc", "ICY 200 OK", "HELLO", "HTTP/1.1 -20 X"] {
        let address = always(format!("{line}\r\nContent-Length: 2\r\n\r\nok")).await;
        assert!(text(&client(), format!("http://{address}/")).await.is_err(), "{line}");
    }
}

#[tokio::test]
async fn interim_responses_are_passed_over() {
    let address =
        always(format!("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n{OK}")).await;
    assert_eq!(text(&client(), format!("http://{address}/")).await.unwrap().1, "ok");
}

#[tokio::test]
async fn a_hundred_header_lines_are_taken_and_more_are_not() {
    async fn lines(client: &Client<Body>, count: usize) -> bool {
        let lines: String = (0..count - 1).map(|n| format!("X-{n}: y\r\n")).collect();
        let address = always(format!("HTTP/1.1 200 OK\r\n{lines}Content-Length: 2\r\n\r\nok")).await;
        text(client, format!("http://{address}/")).await.is_ok()
    }
    assert!(lines(&client(), 100).await);
    assert!(!lines(&client(), 101).await);
    assert!(!lines(&client(), 100_000).await);
    let generous = Client::builder().max_headers(300).build().unwrap();
    assert!(lines(&generous, 300).await);
    assert!(!lines(&generous, 301).await);
}

#[tokio::test]
async fn a_head_is_read_up_to_its_limit() {
    async fn head(client: &Client<Body>, bytes: usize) -> bool {
        let address = server(move |_, mut stream| async move {
            read_head(&mut stream).await;
            answer(&mut stream, "HTTP/1.1 200 OK\r\nX-Big: ").await;
            let piece = vec![b'h'; 10_000];
            for _ in 0..bytes / piece.len() {
                answer(&mut stream, &piece).await;
            }
            answer(&mut stream, "\r\nContent-Length: 2\r\n\r\nok").await;
        })
        .await;
        send(client, get(format!("http://{address}/"))).await.is_ok()
    }
    assert!(head(&client(), 300_000).await);
    assert!(!head(&client(), 30_000_000).await);
    let narrow = Client::builder().max_head_bytes(20_000).build().unwrap();
    assert!(head(&narrow, 10_000).await);
    assert!(!head(&narrow, 100_000).await);
}

#[tokio::test]
async fn chunk_extensions_are_bounded() {
    let extension = "e".repeat(1_000_000);
    let address =
        always(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x={extension}\r\nok\r\n0\r\n\r\n"))
            .await;
    assert!(text(&client(), format!("http://{address}/")).await.unwrap_err().response_started());
}

#[tokio::test]
async fn trailers_and_the_size_are_passed_on() {
    use http_body::Body as _;
    use http_body_util::BodyExt;
    let address = always(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n2\r\nok\r\n0\r\nx-sum: 7\r\n\r\n",
    )
    .await;
    let body = send(&client(), get(format!("http://{address}/"))).await.unwrap().into_body();
    assert_eq!(body.size_hint().exact(), None);
    assert_eq!(body.collect().await.unwrap().trailers().unwrap()["x-sum"], "7");

    let address = always(OK).await;
    let mut body = send(&client(), get(format!("http://{address}/"))).await.unwrap().into_body();
    assert_eq!(body.size_hint().exact(), Some(2));
    body.frame().await.unwrap().unwrap();
    assert_eq!(body.size_hint().exact(), Some(0));
    assert!(body.is_end_stream());
}
