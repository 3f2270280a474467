//! What an error says of a request that failed.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod common;

use std::{io, net::SocketAddr};

use bytes::Bytes;
use common::{Body, OK, always, answer, bounded, client, full, get, read_head, send, server, text};
use http::{Request, Version};
use http_body::Frame;
use http_body_util::{BodyExt, Channel};
use httplib2_connect::{Client, ConnectError, NotAbsolute, Phase, Resolver, ServerNotFound, UnsupportedScheme};
use httplib2_core::error::{cause_ref, is_caused_by};
use tokio::{io::AsyncReadExt, net::TcpListener};

fn facts(error: &ConnectError) -> (Phase, Option<bool>, bool, bool) {
    (error.phase(), error.reused(), error.is_unprocessed(), error.is_connection_lost())
}

fn resolver(lookup: impl Fn() -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static) -> Client<Body> {
    let resolver = Resolver::new(move |_| {
        let found = lookup();
        async { Ok(found?) }
    });
    Client::builder().resolver(resolver).build().unwrap()
}

#[tokio::test]
async fn a_server_that_is_not_found_is_named() {
    let unknown = resolver(|| Err(io::Error::other("no such host")));
    let error = text(&unknown, "http://example.org/").await.unwrap_err();
    assert_eq!(facts(&error), (Phase::Resolve, None, true, false));
    assert_eq!(&*cause_ref::<ServerNotFound>(&error).unwrap().host, "example.org");
    assert_eq!(error.to_string(), "resolving example.org:80: failed");

    let nowhere = resolver(|| Ok(Vec::new()));
    let error = text(&nowhere, "http://example.org/").await.unwrap_err();
    assert!(is_caused_by::<ServerNotFound>(&error));

    // No name has an empty label, so the resolver of the system need not ask anyone.
    let error = text(&client(), "http://a..b/").await.unwrap_err();
    assert!(is_caused_by::<ServerNotFound>(&error), "{error:?}");
}

#[tokio::test]
async fn the_resolver_says_where_a_server_is() {
    let address = always(OK).await;
    let client = resolver(move || Ok(vec![address]));
    let (connection, _) = text(&client, "http://example.org/").await.unwrap();
    assert_eq!(connection.remote, Some(address));
}

#[tokio::test]
async fn a_refused_connection_is_an_error_of_connecting() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = text(&client(), format!("http://{address}/")).await.unwrap_err();
    assert_eq!(facts(&error), (Phase::Connect, None, true, false));
    assert_eq!(cause_ref::<io::Error>(&error).unwrap().kind(), io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn a_request_that_cannot_be_addressed_is_not_sent() {
    let error = send(&client(), get("ftp://example.org/")).await.unwrap_err();
    assert_eq!(&*cause_ref::<UnsupportedScheme>(&error).unwrap().scheme, "ftp");
    assert!(error.is_unprocessed());
    for uri in ["/path", "example.org:80", "*"] {
        let error = send(&client(), get(uri)).await.unwrap_err();
        assert!(is_caused_by::<NotAbsolute>(&error), "{uri}");
    }
}

#[cfg(not(feature = "rustls-stack"))]
#[tokio::test]
async fn https_is_an_unsupported_scheme_without_tls() {
    let error = send(&client(), get("https://127.0.0.1:1/")).await.unwrap_err();
    assert_eq!(&*cause_ref::<UnsupportedScheme>(&error).unwrap().scheme, "https");
    assert!(error.is_unprocessed());
}

#[tokio::test]
async fn a_version_that_the_connection_does_not_have_is_not_sent() {
    let address = always(OK).await;
    for version in [Version::HTTP_2, Version::HTTP_3] {
        let mut request = get(format!("http://{address}/"));
        *request.version_mut() = version;
        let error = send(&client(), request).await.unwrap_err();
        assert!(error.is_unprocessed() && !error.is_connection_lost(), "{error:?}");
        assert!(std::error::Error::source(&error).is_some());
    }
}

#[tokio::test]
async fn a_fresh_connection_that_closes_unanswered_is_lost() {
    let address = server(|_, mut stream| async move {
        read_head(&mut stream).await;
    })
    .await;
    let error = text(&client(), format!("http://{address}/")).await.unwrap_err();
    assert_eq!(facts(&error), (Phase::Receive, Some(false), false, true));
    assert!(!error.response_started() && !error.is_timeout());
}

#[tokio::test]
async fn a_reused_connection_that_closes_unanswered_is_lost() {
    let address = server(|_, mut stream| async move {
        read_head(&mut stream).await;
        answer(&mut stream, OK).await;
        read_head(&mut stream).await;
    })
    .await;
    let client = client();
    text(&client, format!("http://{address}/")).await.unwrap();
    let error = text(&client, format!("http://{address}/")).await.unwrap_err();
    assert_eq!(facts(&error), (Phase::Receive, Some(true), false, true));
    assert!(!error.response_started());
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_is_replaced_unseen() {
    let address = server(|_, mut stream| async move {
        read_head(&mut stream).await;
        answer(&mut stream, OK).await;
    })
    .await;
    let client = client();
    for _ in 0..3 {
        assert!(!text(&client, format!("http://{address}/")).await.unwrap().0.reused);
    }
}

#[tokio::test]
async fn a_server_that_closes_at_once_is_a_lost_connection() {
    let address = server(|_, stream| async move { drop(stream) }).await;
    for _ in 0..20 {
        let error = text(&client(), format!("http://{address}/")).await.unwrap_err();
        assert!(error.is_connection_lost() && !error.response_started(), "{error:?}");
        assert_ne!(error.reused(), Some(true));
    }
}

#[tokio::test]
async fn a_reset_before_the_response_is_a_lost_connection() {
    let address = server(|_, stream| async move {
        let mut stream = stream;
        read_head(&mut stream).await;
        socket2::SockRef::from(&stream).set_linger(Some(std::time::Duration::ZERO)).unwrap();
    })
    .await;
    let error = text(&client(), format!("http://{address}/")).await.unwrap_err();
    assert!(error.is_connection_lost() && !error.is_unprocessed());
    assert_eq!(cause_ref::<io::Error>(&error).unwrap().kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn an_answer_that_is_not_http_is_not_a_lost_connection() {
    let address = always("HELLO\r\n\r\n").await;
    let error = text(&client(), format!("http://{address}/")).await.unwrap_err();
    assert_eq!(facts(&error), (Phase::Receive, Some(false), false, false));
    assert_eq!(error.to_string(), format!("receiving from {address}: the response is malformed"));
}

#[tokio::test]
async fn a_body_that_ends_early_is_a_lost_connection_after_the_response_started() {
    let address = server(|_, mut stream| async move {
        read_head(&mut stream).await;
        answer(&mut stream, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegin").await;
    })
    .await;
    let error = text(&client(), format!("http://{address}/")).await.unwrap_err();
    assert_eq!(facts(&error), (Phase::Receive, Some(false), false, true));
    assert!(error.response_started());
}

#[tokio::test]
async fn a_body_in_broken_chunks_is_malformed() {
    let address = always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokXX\r\n").await;
    let error = text(&client(), format!("http://{address}/")).await.unwrap_err();
    assert_eq!(facts(&error), (Phase::Receive, Some(false), false, false));
    assert!(error.response_started());
}

#[tokio::test]
async fn an_error_of_the_request_body_is_not_one_of_the_connection() {
    let address = server(|_, mut stream| async move { while stream.read_u8().await.is_ok() {} }).await;
    let (mut sender, body) = Channel::<Bytes, io::Error>::new(2);
    sender.try_send(Frame::data(Bytes::from_static(b"begin"))).unwrap();
    sender.abort(io::Error::other("the file is gone"));
    let request = Request::put(format!("http://{address}/")).body(body.map_err(Into::into).boxed()).unwrap();
    let error = send(&client(), request).await.unwrap_err();
    assert_eq!(facts(&error), (Phase::Send, Some(false), false, false));
    assert!(error.is_request_body());
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the file is gone");
}

#[tokio::test]
async fn a_request_body_shorter_than_its_content_length_is_an_error_of_the_request_body() {
    let address = server(|_, mut stream| async move { while stream.read_u8().await.is_ok() {} }).await;
    let (sender, body) = Channel::<Bytes, io::Error>::new(2);
    drop(sender);
    let request = Request::put(format!("http://{address}/"))
        .header("content-length", "4")
        .body(body.map_err(Into::into).boxed())
        .unwrap();
    let error = send(&client(), request).await.unwrap_err();
    assert!(error.is_request_body(), "{error:?}");
    assert!(!error.is_connection_lost());
}

#[tokio::test]
async fn a_connection_lost_while_the_body_is_sent_is_an_error_of_sending() {
    let address = server(|_, mut stream| async move {
        read_head(&mut stream).await;
    })
    .await;
    let (mut sender, body) = Channel::<Bytes, io::Error>::new(2);
    sender.try_send(Frame::data(Bytes::from_static(b"begin"))).unwrap();
    let request = Request::put(format!("http://{address}/")).body(body.map_err(Into::into).boxed()).unwrap();
    let error = send(&client(), request).await.unwrap_err();
    assert_eq!(facts(&error), (Phase::Send, Some(false), false, true));
}

#[tokio::test]
async fn an_early_answer_to_an_upload_is_given_to_the_caller() {
    let address = server(|_, mut stream| async move {
        read_head(&mut stream).await;
        answer(&mut stream, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
        let _ = bounded(stream.read_u8()).await;
    })
    .await;
    let (_sender, body) = Channel::<Bytes, io::Error>::new(2);
    let request = Request::put(format!("http://{address}/")).body(body.map_err(Into::into).boxed()).unwrap();
    assert_eq!(send(&client(), request).await.unwrap().status(), 413);
}

#[tokio::test]
async fn no_error_shows_userinfo_path_query_or_headers() {
    let refused = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let silent = server(|_, mut stream| async move {
        read_head(&mut stream).await;
    })
    .await;
    let garbage = always("SECRET\r\n\r\n").await;
    let uris = [
        format!("http://SECRET:SECRET@{refused}/SECRET?SECRET"),
        format!("http://SECRET:SECRET@{silent}/SECRET?SECRET"),
        format!("http://SECRET:SECRET@{garbage}/SECRET?SECRET"),
        "ftp://SECRET:SECRET@example.org/SECRET?SECRET".into(),
        "http://SECRET:SECRET@a..b/SECRET?SECRET".into(),
    ];
    for uri in uris {
        let request = Request::put(&uri).header("authorization", "SECRET").body(full("SECRET")).unwrap();
        let error = send(&client(), request).await.unwrap_err();
        let mut shown = format!("{error} {error:?}");
        let mut cause: &dyn std::error::Error = &error;
        while let Some(next) = cause.source() {
            shown.push_str(&format!(" {next} {next:?}"));
            cause = next;
        }
        assert!(!shown.contains("SECRET"), "{shown}");
    }
}
