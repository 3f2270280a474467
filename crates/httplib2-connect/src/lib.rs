//! A pooled HTTP/1.1 and HTTP/2 client as a tower service: hyper-util with rustls, facts and typed errors.
//!
//! ```
//! use bytes::Bytes;
//! use http::Request;
//! use http_body_util::{BodyExt, Empty};
//! use httplib2_connect::{Client, Connection};
//! use tower::{Service, ServiceExt};
//! # use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), httplib2_core::error::BoxError> {
//! # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! # let server = listener.local_addr()?;
//! # tokio::spawn(async move {
//! #     let (mut stream, _) = listener.accept().await?;
//! #     let mut request = [0; 1024];
//! #     while stream.read(&mut request).await? > 0 {
//! #         stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").await?;
//! #     }
//! #     Ok::<_, std::io::Error>(())
//! # });
//! let mut client = Client::builder().build::<Empty<Bytes>>()?;
//!
//! let request = Request::get(format!("http://{server}/")).body(Empty::new())?;
//! let response = client.ready().await?.call(request).await?;
//! let connection = response.extensions().get::<Connection>().expect("every response has one");
//! assert_eq!(connection.to_string(), format!("new connection to {server}, HTTP/1.1"));
//!
//! assert_eq!(response.into_body().collect().await?.to_bytes(), "hello");
//! # Ok(())
//! # }
//! ```
//!
//! # Where it goes in a stack
//!
//! At the bottom. Above it belongs what decides: retries act on what [`ConnectError`] says, limits on how
//! many exchanges are under way, a deadline for all of a call. It is always ready and never says no, so a
//! limit of connections is a limit of exchanges around it, held until the body ends.
//!
//! A [`Client`] takes one type of request body for all its life, `B`, and keeps its connections by scheme
//! and authority. Clones share them. It may be used from several runtimes, one after the other or at once:
//! each has connections of its own, and beyond 64 runtimes those of the oldest are closed.
//!
//! # What it does to a request
//!
//! It sends it over a connection from the pool, or over a new one to the server that the URI names:
//! HTTP/2 where the server agrees to it in the TLS handshake (ALPN), HTTP/1.1 otherwise. Over HTTP/1.1 it
//! adds `Host` where there is none. Userinfo in the URI is not sent. A request of which not one byte was
//! written when its idle connection turned out to be closed goes over another one; nothing else is ever
//! sent twice.
//!
//! # What it does to a response
//!
//! It adds a [`Connection`]: new or reused, the address, the version of HTTP. That is also a line of the
//! [`Journal`](httplib2_core::context::Journal), where the request has one. Interim responses (1xx) are
//! passed over. The body is passed on as it comes, trailers included.
//!
//! # Options
//!
//! For one request, as an extension:
//!
//! | option | default | |
//! |---|---|---|
//! | [`IoTimeout`] | the client's | the longest wait for something to happen |
//!
//! For a client, on its [`ClientBuilder`]:
//!
//! | option | default | |
//! |---|---|---|
//! | [`io_timeout`](ClientBuilder::io_timeout) | none | the [`IoTimeout`] of requests without one |
//! | [`connect_timeout`](ClientBuilder::connect_timeout) | 30 s | resolving, connecting and securing together |
//! | [`idle_timeout`](ClientBuilder::idle_timeout) | 90 s | how long an unused connection is kept |
//! | [`max_idle_per_host`](ClientBuilder::max_idle_per_host) | 100 | how many of them |
//! | [`max_headers`](ClientBuilder::max_headers) | 100 | header lines of an HTTP/1.1 response |
//! | [`max_head_bytes`](ClientBuilder::max_head_bytes) | 408 KiB | the head of a response |
//! | [`tcp_nodelay`](ClientBuilder::tcp_nodelay) | yes | small writes are sent at once |
//! | [`tcp_keepalive`](ClientBuilder::tcp_keepalive) | 60 s | probes on a silent connection |
//! | [`local_address`](ClientBuilder::local_address) | any | where connections are made from |
//! | [`resolver`](ClientBuilder::resolver) | the system's | from names to addresses |
//! | [`ca_certs`](ClientBuilder::ca_certs) | the platform's | the only roots that are trusted |
//! | [`add_ca_certs`](ClientBuilder::add_ca_certs) | none | roots that are trusted too |
//! | [`danger_accept_invalid_certs`](ClientBuilder::danger_accept_invalid_certs) | no | no protection at all |
//! | [`min_tls_version`](ClientBuilder::min_tls_version) | TLS 1.2 | |
//! | [`max_tls_version`](ClientBuilder::max_tls_version) | TLS 1.3 | |
//! | [`http2`](ClientBuilder::http2) | yes | HTTP/2 is offered |
//!
//! Where a name has addresses of both families, the second one is tried 300 ms after the first (RFC 8305).
//! An HTTP/2 connection with open streams is pinged after 30 silent seconds and given up after 20 more.
//!
//! Features: `tls` (default) brings https with rustls on aws-lc-rs, `ring` brings it on ring; with both,
//! aws-lc-rs is used. Either way TLS is set up, and the roots of the platform are loaded, when the first
//! https URI comes; with aws-lc-rs the first handshake of a process costs some 30 ms more. In a build
//! without, https is an [`UnsupportedScheme`].
//!
//! # Errors
//!
//! [`ConnectError`], for a request without a response as well as for a body that did not arrive whole. Its
//! typed causes: [`ServerNotFound`], [`UnsupportedScheme`], [`NotAbsolute`], [`UnknownTransferCoding`],
//! `std::io::Error`, and rustls'.
//! [`BuildError`] where a client cannot be built as it was asked to.
//!
//! | the server | [phase](ConnectError::phase) | [lost](ConnectError::is_connection_lost) | [unprocessed](ConnectError::is_unprocessed) |
//! |---|---|---|---|
//! | is not found, refuses connections, has no valid certificate | `Resolve`, `Connect`, `Tls` | no | yes |
//! | closes the connection before it answers | `Receive`, or `Send` while it is still sent the body | yes | no |
//! | closes an idle connection | (the request goes over another one) | | |
//! | refuses an HTTP/2 stream | `Receive` or `Send` | no | yes |
//! | goes away (HTTP/2) before it saw the request | `Receive` or `Send` | yes | yes |
//! | answers with what is not HTTP | `Receive` or `Send` | no | no |
//! | sends content in a transfer coding other than `chunked` | `Receive` | no | no |
//! | says nothing for too long | any; [`is_timeout`](ConnectError::is_timeout) | no | until `Tls` |
//! | closes within the body of the response | `Receive`; [`response_started`](ConnectError::response_started) | yes | no |
//!
//! # What it does not do
//!
//! It follows no redirects, keeps no cookies, decodes nothing, and does not retry. It uses no proxy, and
//! sends no certificate of its own; a connector of one's own
//! ([`build_with_connector`](ClientBuilder::build_with_connector)) is where other ways to a server go. It
//! limits neither the size of a body nor the time of a whole exchange.

mod body;
mod builder;
mod client;
mod connector;
mod diagnose;
mod dial;
mod error;
mod exchange;
mod facts;
mod options;
mod pools;
mod resolve;
mod send_body;
mod target;
mod tcp;
#[cfg_attr(not(feature = "rustls-stack"), path = "no_tls.rs")]
mod tls;

pub use self::{
    body::ConnectBody,
    builder::ClientBuilder,
    client::Client,
    connector::Connector,
    dial::Connect,
    error::{BuildError, ConnectError, NotAbsolute, Phase, UnknownTransferCoding, UnsupportedScheme},
    facts::Connection,
    options::{IoTimeout, TlsVersion},
    resolve::{Resolver, ServerNotFound},
};
