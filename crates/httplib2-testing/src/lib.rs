//! A test kit for tower layers that speak HTTP.
//!
//! ```
//! use httplib2_testing::{Server, reply, request, text};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), httplib2_core::error::BoxError> {
//! // Given this server,
//! let server = Server::new()
//!     .on("GET http://a.example/", reply(503).header("retry-after", "1"))
//!     .on("GET http://a.example/", reply(200).body("landed"));
//!
//! // when this is sent through the layers under test,
//! let layers = ServiceBuilder::new().map_request(|mut request: http::Request<_>| {
//!     request.headers_mut().insert("accept", http::HeaderValue::from_static("text/plain"));
//!     request
//! });
//! let client = layers.service(server.clone());
//! client.clone().oneshot(request("GET http://a.example/")).await?;
//! let response = client.oneshot(request("GET http://a.example/")).await?;
//!
//! // then the server saw that, and the caller got this.
//! assert_eq!(server.saw(), ["GET http://a.example/", "GET http://a.example/"]);
//! assert_eq!(server.requests()[1].headers()["accept"], "text/plain");
//! assert_eq!(text(response).await?, "landed");
//! # Ok(())
//! # }
//! ```
//!
//! # What is for what
//!
//! | to test | take |
//! |---|---|
//! | what a layer sends and what its caller gets | [`Server`], [`reply`], [`request`], [`text`] |
//! | that it survives bodies of every kind, and errors | [`Body`], [`Reply::failing`] |
//! | what depends on the time or on chance | [`FixedClock`], [`FixedNonce`], and tokio's paused time |
//! | that it is a good neighbour in any stack | [`service_laws`] |
//! | that a body which wraps another one is as good as that one | [`body_laws`] |
//! | what a pooled client makes of bytes | [`wire`] |
//! | TLS, HTTP/2 and sockets | [`loopback`] |
//!
//! # What it does not do
//!
//! [`Server`] does not speak HTTP: it checks no `Host`, sets no `Content-Length` and answers a HEAD with the body
//! that it was given. The laws say nothing of what a layer is for; its own tests do. Whatever a test script gets
//! wrong, such as the name of a field, panics.

mod body;
mod context;
mod failure;
mod gate;
mod laws;
pub mod loopback;
mod message;
mod permits;
mod received;
mod reply;
mod script;
mod server;
pub mod wire;

pub use self::{
    body::{Body, Size},
    context::{FixedClock, FixedNonce},
    failure::Broken,
    laws::{BodyLaws, ServiceLaws, body_laws, service_laws},
    message::{request, text},
    received::Received,
    reply::{Reply, reply},
    script::Unscripted,
    server::{Server, ServerFuture},
};
