//! Short forms for the requests and responses of a test.

use http::{Request, Response};
use http_body_util::BodyExt;
use httplib2_core::error::BoxError;

use crate::{Body, script::parse};

/// A request without body from a line like `GET http://a.example/`.
///
/// # Panics
///
/// When the line is not a method, a space and a URI.
///
/// ```
/// use httplib2_testing::request;
///
/// let request = request("PUT http://a.example/doc").map(|_| "with a body of my own");
/// assert_eq!(request.uri().path(), "/doc");
/// ```
#[must_use]
pub fn request(line: &str) -> Request<Body> {
    let (method, uri) = parse(line);
    let mut request = Request::new(Body::empty());
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    request
}

/// Reads the body of a response as text.
///
/// # Errors
///
/// The error of the body, as it came, or that of text that is not UTF-8.
pub async fn text<R>(response: Response<R>) -> Result<String, BoxError>
where
    R: http_body::Body<Error: Into<BoxError>>,
{
    let data = response.into_body().collect().await.map_err(Into::into)?.to_bytes();
    Ok(String::from_utf8(data.into())?)
}
