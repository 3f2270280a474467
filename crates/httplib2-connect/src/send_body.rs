//! The request body on its way out.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use httplib2_core::error::BoxError;
use tokio::time::Instant;

/// The request body as hyper takes it. It notes when a frame was taken, and keeps the caller's error.
///
/// hyper hides that error over HTTP/2, where only the stream that it resets is seen.
pub(crate) struct SendBody<B> {
    inner: B,
    /// `None` for an empty body, which neither progresses nor fails.
    progress: Option<Progress>,
}

/// How far the sending of one request body has come, shared by the body and by whoever waits.
#[derive(Clone)]
pub(crate) struct Progress(Arc<Mutex<State>>);

struct State {
    /// When the last frame was taken.
    last: Option<Instant>,
    whole: bool,
    failure: Option<BoxError>,
}

/// Tells hyper that the caller's body failed. The failure itself waits in [`Progress`].
#[derive(Debug)]
pub(crate) struct BodyFailed;

// === impl SendBody ===

impl<B: Body> SendBody<B> {
    pub(crate) fn new(inner: B) -> Self {
        let progress = (!inner.is_end_stream()).then(Progress::new);
        Self { inner, progress }
    }
}

impl<B> SendBody<B> {
    /// The progress of this body, unless it is empty.
    pub(crate) fn progress(&self) -> Option<Progress> {
        self.progress.clone()
    }
}

impl<B> Body for SendBody<B>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    type Data = Bytes;
    type Error = BodyFailed;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyFailed>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        let Some(progress) = &self.progress else {
            return Poll::Ready(frame.map(|frame| frame.map_err(|_| BodyFailed)));
        };
        Poll::Ready(match frame {
            Some(Ok(frame)) => {
                progress.taken(frame.is_trailers() || self.inner.is_end_stream());
                Some(Ok(frame))
            }
            Some(Err(error)) => {
                progress.failed(error.into());
                Some(Err(BodyFailed))
            }
            None => {
                progress.taken(true);
                None
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

// === impl Progress ===

impl Progress {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(State { last: None, whole: false, failure: None })))
    }

    /// When the last frame was taken.
    pub(crate) fn last(&self) -> Option<Instant> {
        self.lock().last
    }

    /// Whether the whole body was taken.
    pub(crate) fn is_whole(&self) -> bool {
        self.lock().whole
    }

    /// The error that the body gave instead of a frame.
    pub(crate) fn take_failure(&self) -> Option<BoxError> {
        self.lock().failure.take()
    }

    fn taken(&self, whole: bool) {
        let mut state = self.lock();
        state.last = Some(Instant::now());
        state.whole = whole;
    }

    fn failed(&self, error: BoxError) {
        self.lock().failure = Some(error);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl BodyFailed ===

impl fmt::Display for BodyFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request body failed")
    }
}

impl std::error::Error for BodyFailed {}
