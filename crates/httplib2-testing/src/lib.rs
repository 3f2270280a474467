//! A test kit for tower HTTP layers.
//!
//! ```
//! use httplib2_testing::{Server, reply, request, text};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), httplib2_core::error::BoxError> {
//! // Given this server,
//! let server = Server::new().on("GET http://a.example/", reply(200).body("landed"));
//! // when this is sent through the layers under test,
//! let client = ServiceBuilder::new().layer(tower::layer::util::Identity::new()).service(server.clone());
//! let response = client.oneshot(request("GET http://a.example/")).await?;
//! // then the server saw that and the caller got this.
//! assert_eq!(server.saw(), ["GET http://a.example/"]);
//! assert_eq!(text(response).await?, "landed");
//! # Ok(())
//! # }
//! ```

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
