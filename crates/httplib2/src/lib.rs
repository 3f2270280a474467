//! A comprehensive HTTP client: one [`request`](Http::request) over a stack of tower layers, asynchronous and
//! [blocking].
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use httplib2_testing::{Server, reply};
//! # let origin = Server::new()
//! #     .on("GET http://example.org/old", reply(301).header("location", "/new"))
//! #     .on("GET http://example.org/new", reply(200).body("Hello"));
//! # let http = httplib2::Http::builder().build_over(origin)?;
//! // let http = httplib2::Http::new();
//! let (response, content) = http.request("http://example.org/old#top").explain(true).await?;
//!
//! assert_eq!(content, "Hello");
//! assert_eq!(response.uri(), "http://example.org/new");
//! assert_eq!(response.previous().map(|first| first.status().as_u16()), Some(301));
//! assert_eq!(
//!     response.explain().to_string(),
//!     "redirect: 301 followed to http://example.org/new as GET\n\
//!      call: answered 200 OK with HTTP version 11"
//! );
//! # Ok(())
//! # }
//! ```
//!
//! # What it is made of
//!
//! Each feature is a [`tower::Layer`] in a crate of its own, to be used alone as well:
//! [`redirect`], [`lost_update`], [`decompression`], [`cache`], [`retry`] and [`auth`] (with [`digest`] and [`wsse`]) over the pooled
//! client of [`connect`]. This crate composes them in the one order that is right, and adds the bodies, the response with its history, the
//! deadline, and one error. Any tower service can take the place of the network:
//! [`HttpBuilder::build_over`].
//!
//! # What it does to a request
//!
//! The URI must be absolute. An IRI becomes a URI; spaces, line breaks and whatever else is no URI character
//! are percent-encoded in path and query and refused in the host. The fragment stays at home; userinfo is
//! sent as credentials. `User-Agent` is added if missing, and the length of the body. Nothing that the caller gives can
//! break out of its line.
//!
//! It is sent again where that is surely harmless: after a kept connection turned out to be dead, and when no
//! connection could be made, see [`retry`].
//!
//! A server that asks for credentials gets those that were [added](Http::add_credentials) for it, in the strongest scheme
//! that it offers, see [`auth`]. An update carries the tag of the version that was seen, see [`lost_update`].
//!
//! # What it does to a response
//!
//! With a [cache](HttpBuilder::cache), responses are kept and used again by the rules of RFC 9111, see [`cache`].
//! Redirects of safe methods are followed, see [`redirect`]. Compressed content is asked for and decoded, see
//! [`decompression`]. The content is collected up to
//! [`HttpBuilder::max_body`], or handed out as it arrives with [`RequestBuilder::stream`].
//!
//! # Options
//!
//! Those of a client: [`HttpBuilder`]. Those of one request: [`RequestBuilder`], and the extension types of
//! the layers.
//!
//! # Errors
//!
//! One [`Error`] with an [`ErrorKind`]; the typed cause is its source. A status such as 404 is no error.
//!
//! # What it does not do
//!
//! It reads no environment variables, and writes no files but those of a cache in a directory.

mod body;
mod builder;
mod caching;
mod client;
mod compat;
mod content;
mod deadline;
mod error;
mod request;
mod response;
mod stack;
mod trace;

pub mod blocking;

pub use httplib2_auth as auth;
pub use httplib2_auth_digest as digest;
pub use httplib2_auth_wsse as wsse;
pub use httplib2_cache as cache;
pub use httplib2_connect as connect;
pub use httplib2_core as core;
pub use httplib2_decompression as decompression;
pub use httplib2_lost_update as lost_update;
pub use httplib2_redirect as redirect;
pub use httplib2_retry as retry;
pub use httplib2_store as store;
#[cfg(feature = "disk")]
pub use httplib2_store_disk as store_disk;
pub use httplib2_store_object as store_object;

pub use self::{
    body::Body,
    builder::{HttpBuilder, RETRIES},
    client::Http,
    compat::Compat,
    content::ResponseBody,
    error::{Error, ErrorKind},
    request::RequestBuilder,
    response::{Explanation, InvalidInfo, Response},
    stack::Stack,
};
