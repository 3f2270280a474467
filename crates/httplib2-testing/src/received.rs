//! What a scripted server was sent.

use bytes::Bytes;
use http::{Extensions, HeaderMap, Method, Uri, Version, request::Parts};

/// A request as it reached the [`Server`](crate::Server).
#[derive(Clone, Debug)]
pub struct Received {
    pub(crate) head: Parts,
    pub(crate) body: Bytes,
    pub(crate) trailers: Option<HeaderMap>,
    pub(crate) whole: bool,
}

// === impl Received ===

impl Received {
    pub(crate) fn new(head: Parts) -> Self {
        Self { head, body: Bytes::new(), trailers: None, whole: false }
    }

    /// Method and URI, such as `GET http://a.example/`.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{} {}", self.head.method, self.head.uri)
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.head.method
    }

    /// The URI, in the form in which the request had it.
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

    /// The extensions, which real servers never see.
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        &self.head.extensions
    }

    /// The body, as far as it was read.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The trailers, if they were read.
    #[must_use]
    pub fn trailers(&self) -> Option<&HeaderMap> {
        self.trailers.as_ref()
    }

    /// Whether the body was read to its end.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.whole
    }
}
