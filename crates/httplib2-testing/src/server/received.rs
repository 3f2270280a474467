//! What the server was sent.

use bytes::Bytes;
use http::{Extensions, HeaderMap, Method, Uri, Version, request::Parts};
use http_body_util::Collected;

/// A request as it reached the server.
#[derive(Clone, Debug)]
pub struct Received {
    head: Parts,
    body: Bytes,
    trailers: Option<HeaderMap>,
}

// === impl Received ===

impl Received {
    pub(super) fn new(head: Parts) -> Self {
        Self { head, body: Bytes::new(), trailers: None }
    }

    pub(super) fn set_body(&mut self, collected: Collected<Bytes>) {
        self.trailers = collected.trailers().cloned();
        self.body = collected.to_bytes();
    }

    /// Method and URI, such as `GET http://a.example/path`.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{} {}", self.head.method, self.head.uri)
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.head.method
    }

    /// The URI.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.head.uri
    }

    /// The version.
    #[must_use]
    pub fn version(&self) -> Version {
        self.head.version
    }

    /// The header fields.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// The extensions: what the layers in front say to those behind.
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        &self.head.extensions
    }

    /// The body; empty as long as it has not been read to its end.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The trailers behind the body.
    #[must_use]
    pub fn trailers(&self) -> Option<&HeaderMap> {
        self.trailers.as_ref()
    }
}
