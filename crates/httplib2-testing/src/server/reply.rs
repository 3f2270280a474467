//! What the server answers.

use std::{
    collections::VecDeque,
    error::Error,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body::{Frame, SizeHint};
use httplib2_core::{body::Resend, error::BoxError};

/// An answer of the scripted [`Server`](super::Server); made by [`reply`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    extensions: Extensions,
    body: Body,
    delay: Option<Duration>,
    failure: Option<Failure>,
    early: bool,
}

/// A body for requests and responses in tests: it can have several frames and trailers, hide its length, stall
/// and break off.
#[derive(Clone, Debug, Default)]
pub struct Body {
    frames: VecDeque<Bytes>,
    trailers: Option<HeaderMap>,
    end: End,
    hides_length: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum End {
    #[default]
    Whole,
    Stalls,
    Breaks,
}

/// The error of a body that breaks off because the test asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

#[derive(Clone)]
struct Failure(Arc<dyn Fn() -> BoxError + Send + Sync>);

/// Starts an answer with this status.
///
/// # Panics
///
/// If it is no status code.
pub fn reply(status: u16) -> Reply {
    Reply {
        status: StatusCode::from_u16(status).expect("a status code"),
        headers: HeaderMap::new(),
        extensions: Extensions::new(),
        body: Body::default(),
        delay: None,
        failure: None,
        early: false,
    }
}

// === impl Reply ===

impl Reply {
    /// Fails instead of answering. The function makes the error anew each time.
    pub fn failing<E: Into<BoxError>>(error: impl Fn() -> E + Send + Sync + 'static) -> Self {
        Self { failure: Some(Failure(Arc::new(move || error().into()))), ..reply(500) }
    }

    /// Adds a header field.
    ///
    /// # Panics
    ///
    /// If HTTP does not allow it.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::try_from(name).expect("the name of a header field");
        self.headers.append(name, HeaderValue::try_from(value).expect("the value of a header field"));
        self
    }

    /// Adds an extension.
    pub fn extension<T: Clone + Send + Sync + 'static>(mut self, extension: T) -> Self {
        self.extensions.insert(extension);
        self
    }

    /// Answers with this body, in one frame if it is text or bytes.
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    /// Lets the body stall where it would end.
    pub fn stalling(mut self) -> Self {
        self.body.end = End::Stalls;
        self
    }

    /// Lets the body break off with [`Broken`] where it would end.
    pub fn breaking(mut self) -> Self {
        self.body.end = End::Breaks;
        self
    }

    /// Waits before answering.
    pub fn delay(mut self, time: Duration) -> Self {
        self.delay = Some(time);
        self
    }

    /// Answers without reading the body of the request.
    pub fn early(mut self) -> Self {
        self.early = true;
        self
    }

    pub(super) fn reads_request(&self) -> bool {
        !self.early
    }

    pub(super) async fn give(self) -> Result<Response<Body>, BoxError> {
        if let Some(time) = self.delay {
            tokio::time::sleep(time).await;
        }
        if let Some(Failure(failure)) = self.failure {
            return Err(failure());
        }
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        *response.extensions_mut() = self.extensions;
        Ok(response)
    }
}

// === impl Body ===

impl Body {
    /// One frame each.
    pub fn chunks<D: Into<Bytes>>(chunks: impl IntoIterator<Item = D>) -> Self {
        Self { frames: chunks.into_iter().map(Into::into).collect(), hides_length: true, ..Self::default() }
    }

    /// Ends with these trailers.
    #[must_use]
    pub fn trailers(mut self, trailers: HeaderMap) -> Self {
        self.trailers = Some(trailers);
        self
    }
}

impl From<Bytes> for Body {
    fn from(data: Bytes) -> Self {
        let frames = if data.is_empty() { VecDeque::new() } else { VecDeque::from([data]) };
        Self { frames, ..Self::default() }
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<Vec<u8>> for Body {
    fn from(data: Vec<u8>) -> Self {
        Bytes::from(data).into()
    }
}

impl Resend for Body {
    fn try_clone(&self) -> Option<Self> {
        Some(self.clone())
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(data) = self.frames.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        match self.end {
            End::Stalls => Poll::Pending,
            End::Breaks => {
                self.end = End::Whole;
                Poll::Ready(Some(Err(Broken.into())))
            }
            End::Whole => Poll::Ready(self.trailers.take().map(|trailers| Ok(Frame::trailers(trailers)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.frames.is_empty() && self.trailers.is_none() && self.end == End::Whole
    }

    fn size_hint(&self) -> SizeHint {
        let left = self.frames.iter().map(|data| data.len() as u64).sum();
        let mut hint = SizeHint::new();
        if !self.hides_length && self.end == End::Whole {
            hint.set_exact(left);
        }
        hint
    }
}

// === impl Failure ===

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Failure(..)")
    }
}

// === impl Broken ===

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broken off as the test asked")
    }
}

impl Error for Broken {}
