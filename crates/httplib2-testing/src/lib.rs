//! A test kit for tower layers that speak HTTP: a scripted server.

mod fakes;
mod server;

use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt;
use httplib2_core::error::BoxError;

pub use self::{
    fakes::{FixedClock, FixedNonce},
    server::{Body, Broken, Received, Reply, Server, Unscripted, reply},
};

/// A request of a line such as `GET http://a.example/path`, without a body.
///
/// # Panics
///
/// If the line is not a method and a URI.
#[must_use]
pub fn request(line: &str) -> Request<Body> {
    let (method, uri) = line.split_once(' ').expect("a method and a URI");
    Request::builder().method(method).uri(uri).body(Body::default()).expect("a request")
}

/// The content of a response as text.
///
/// # Errors
///
/// The body's own, or that it is not UTF-8.
pub async fn text<R>(response: http::Response<R>) -> Result<String, BoxError>
where
    R: http_body::Body<Data = Bytes, Error: Into<BoxError>>,
{
    let content = response.into_body().collect().await.map_err(Into::into)?.to_bytes();
    Ok(String::from_utf8(content.to_vec())?)
}
