//! What a scripted server answers.

use std::{fmt, time::Duration};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use httplib2_core::error::BoxError;

use crate::{Body, failure::Failure};

/// One answer of a [`Server`](crate::Server): a response, or the failure to give one.
///
/// Made by [`reply`] or [`Reply::failing`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Reply {
    response: Response<Body>,
    failure: Option<Failure>,
    delay: Option<Duration>,
    /// How many bytes of the request's body must be read first; `None` is all.
    enough: Option<u64>,
}

/// A reply with this status and nothing else.
///
/// # Panics
///
/// When `status` is not one of 100 to 999.
///
/// ```
/// use httplib2_testing::reply;
///
/// let response = reply(302).header("location", "/land").body("over there").into_response();
/// assert_eq!(response.headers()["location"], "/land");
/// ```
pub fn reply(status: u16) -> Reply {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(status).expect("a status code");
    Reply { response, failure: None, delay: None, enough: None }
}

// === impl Reply ===

impl Reply {
    /// No response but an error, made anew each time it is given.
    ///
    /// ```
    /// use httplib2_testing::{Reply, Server};
    /// use std::io;
    ///
    /// let reset = Reply::failing(|| io::Error::from(io::ErrorKind::ConnectionReset));
    /// let server = Server::new().on("GET http://a.example/", reset);
    /// ```
    pub fn failing<E: Into<BoxError>>(error: impl Fn() -> E + Send + Sync + 'static) -> Self {
        Self { failure: Some(Failure::new(error)), ..reply(500) }
    }

    /// Adds a field; those of the same name stay.
    ///
    /// # Panics
    ///
    /// When the name or the value is not one.
    pub fn header<K, V>(mut self, name: K, value: V) -> Self
    where
        K: TryInto<HeaderName, Error: fmt::Debug>,
        V: TryInto<HeaderValue, Error: fmt::Debug>,
    {
        let (name, value) = (name.try_into().expect("a field name"), value.try_into().expect("a field value"));
        self.response.headers_mut().append(name, value);
        self
    }

    /// Puts a value into the extensions of the response.
    pub fn extension(mut self, value: impl Clone + Send + Sync + 'static) -> Self {
        self.response.extensions_mut().insert(value);
        self
    }

    /// Replaces the body.
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        *self.response.body_mut() = body.into();
        self
    }

    /// Replaces the body with one frame for each chunk.
    pub fn chunks<C: Into<Bytes>>(self, chunks: impl IntoIterator<Item = C>) -> Self {
        self.body(Body::chunks(chunks))
    }

    /// Adds trailers to the body so far: see [`Body::trailers`].
    ///
    /// # Panics
    ///
    /// When a name or a value is not one.
    pub fn trailers<K, V>(self, fields: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: TryInto<HeaderName, Error: fmt::Debug>,
        V: TryInto<HeaderValue, Error: fmt::Debug>,
    {
        self.map_body(|body| body.trailers(fields))
    }

    /// Lets the body stall for ever after the frames so far.
    pub fn stalling(self) -> Self {
        self.map_body(Body::stalling)
    }

    /// Lets the body break off with [`Broken`](crate::Broken) after the frames so far. For another error see
    /// [`Body::breaking_with`].
    pub fn breaking(self) -> Self {
        self.map_body(Body::breaking)
    }

    /// Waits this long, by tokio's clock, before it answers or fails.
    pub fn delay(self, time: Duration) -> Self {
        Self { delay: Some(time), ..self }
    }

    /// Answers without reading the request's body: see [`after_bytes`](Self::after_bytes).
    pub fn early(self) -> Self {
        self.after_bytes(0)
    }

    /// Answers as soon as so many bytes of the request's body were read, and drops the rest. Default: the whole
    /// body is read.
    ///
    /// Only for [`Server::on`](crate::Server::on): the function of
    /// [`Server::answering`](crate::Server::answering) sees the whole body, so its reply comes too late to
    /// say this, and the server panics.
    pub fn after_bytes(self, bytes: u64) -> Self {
        Self { enough: Some(bytes), ..self }
    }

    /// The response alone, for a server of another kind, which knows of no delay and no failure.
    #[must_use]
    pub fn into_response(self) -> Response<Body> {
        self.response
    }

    pub(crate) fn enough(&self) -> Option<u64> {
        self.enough
    }

    /// Waits, then answers or fails.
    pub(crate) async fn give(self) -> Result<Response<Body>, BoxError> {
        if let Some(time) = self.delay {
            tokio::time::sleep(time).await;
        }
        match self.failure {
            Some(failure) => Err(failure.error()),
            None => Ok(self.response),
        }
    }

    fn map_body(self, change: impl FnOnce(Body) -> Body) -> Self {
        Self { response: self.response.map(change), ..self }
    }
}
