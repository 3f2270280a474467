//! A server of bytes on loopback, and short ways to ask it.
#![allow(dead_code, unreachable_pub, reason = "every test file uses its own part")]

pub mod pipe;

use std::{future::Future, net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty, Full, combinators::BoxBody};
use httplib2_connect::{Client, ConnectBody, ConnectError, Connection};
use httplib2_core::error::BoxError;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tower::{Service, ServiceExt};

pub type Body = BoxBody<Bytes, BoxError>;

/// A server on loopback. `serve` has one connection; it is told how many there were before.
pub async fn server<F>(serve: impl Fn(usize, TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for n in 0.. {
            let Ok((stream, _)) = listener.accept().await else { return };
            tokio::spawn(serve(n, stream));
        }
    });
    address
}

/// A server that answers every request on every connection with `answer`, and keeps the connection.
pub async fn always(answer: impl Into<Vec<u8>>) -> SocketAddr {
    let answer = answer.into();
    server(move |_, mut stream| {
        let answer = answer.clone();
        async move {
            while read_head(&mut stream).await.is_some() {
                if stream.write_all(&answer).await.is_err() {
                    return;
                }
            }
        }
    })
    .await
}

/// The head of the next request, or `None` when the connection is at its end.
pub async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

pub async fn answer(stream: &mut TcpStream, bytes: impl AsRef<[u8]>) {
    let _ = stream.write_all(bytes.as_ref()).await;
}

/// The answer `ok`.
pub const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

pub fn client() -> Client<Body> {
    Client::builder().build().unwrap()
}

pub fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed()
}

pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed()
}

pub fn get(uri: impl AsRef<str>) -> Request<Body> {
    Request::get(uri.as_ref()).body(empty()).unwrap()
}

/// Sends a request. A test never waits longer than ten seconds.
pub async fn send<C>(client: &C, request: Request<Body>) -> Result<Response<ConnectBody>, ConnectError>
where
    C: Service<Request<Body>, Response = Response<ConnectBody>, Error = ConnectError> + Clone,
{
    bounded(client.clone().oneshot(request)).await
}

/// Sends a GET and reads the whole response.
pub async fn text<C>(client: &C, uri: impl AsRef<str>) -> Result<(Connection, String), ConnectError>
where
    C: Service<Request<Body>, Response = Response<ConnectBody>, Error = ConnectError> + Clone,
{
    let response = send(client, get(uri)).await?;
    let connection = response.extensions().get::<Connection>().unwrap().clone();
    let body = bounded(response.into_body().collect()).await?.to_bytes();
    settle().await;
    Ok((connection, String::from_utf8(body.into()).unwrap()))
}

pub async fn bounded<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), future).await.expect("a test ends in time")
}

/// Lets the connection go back to the pool, which happens on a task of its own.
pub async fn settle() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}
