//! The request body on its way out.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use httplib2_core::error::BoxError;
use tokio::{task, time::Instant};

/// The request body as hyper takes it. It notes how far its sending has come, and keeps the caller's error.
///
/// hyper hides that error over HTTP/2, where only the stream that it resets is seen.
pub(crate) struct SendBody<B> {
    inner: B,
    progress: Progress,
}

/// How far the sending of one request has come, shared by its body and by whoever waits.
#[derive(Clone)]
pub(crate) struct Progress(Arc<Mutex<State>>);

struct State {
    stage: Stage,
    /// The task of the connection that took the request.
    driver: Option<task::Id>,
    whole: bool,
    failure: Option<BoxError>,
}

/// What an exchange waits for.
#[derive(Clone, Copy)]
pub(crate) enum Stage {
    /// A connection that takes the request.
    Connection,
    /// The caller's own body, whose next frame is not ready.
    Caller,
    /// The server, to take more or to answer, since what was last taken of the request.
    Server(Instant),
}

/// Tells hyper that the caller's body failed. The failure itself waits in [`Progress`].
#[derive(Debug)]
pub(crate) struct BodyFailed;

// === impl SendBody ===

impl<B> SendBody<B> {
    pub(crate) fn new(inner: B) -> Self {
        let state = State { stage: Stage::Connection, driver: None, whole: false, failure: None };
        Self { inner, progress: Progress(Arc::new(Mutex::new(state))) }
    }

    pub(crate) fn progress(&self) -> Progress {
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
        match Pin::new(&mut self.inner).poll_frame(cx) {
            Poll::Pending => {
                self.progress.waits_for_caller();
                Poll::Pending
            }
            Poll::Ready(Some(Ok(frame))) => {
                self.progress.taken(frame.is_trailers() || self.inner.is_end_stream());
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                self.progress.failed(error.into());
                Poll::Ready(Some(Err(BodyFailed)))
            }
            Poll::Ready(None) => {
                self.progress.taken(true);
                Poll::Ready(None)
            }
        }
    }

    /// A connection that takes a request asks this first, which tells that the request is on its way.
    fn is_end_stream(&self) -> bool {
        let ends = self.inner.is_end_stream();
        self.progress.taken_up(ends);
        ends
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

// === impl Progress ===

impl Progress {
    pub(crate) fn stage(&self) -> Stage {
        self.lock().stage
    }

    /// The task of the connection that took the request, if one did.
    pub(crate) fn driver(&self) -> Option<task::Id> {
        self.lock().driver
    }

    /// Whether the whole body was taken.
    pub(crate) fn is_whole(&self) -> bool {
        self.lock().whole
    }

    /// Whether no connection took the request, nor will: it was dropped before.
    pub(crate) fn is_over_before_it_began(&self) -> bool {
        Arc::strong_count(&self.0) == 1 && matches!(self.stage(), Stage::Connection)
    }

    /// The error that the body gave instead of a frame.
    pub(crate) fn take_failure(&self) -> Option<BoxError> {
        self.lock().failure.take()
    }

    fn taken_up(&self, whole: bool) {
        let mut state = self.lock();
        // It is asked again between frames, which says nothing new.
        if let Stage::Connection = state.stage {
            state.stage = Stage::Server(Instant::now());
            state.driver = task::try_id();
            state.whole = whole;
        }
    }

    fn taken(&self, whole: bool) {
        let mut state = self.lock();
        state.stage = Stage::Server(Instant::now());
        state.whole = whole;
    }

    fn waits_for_caller(&self) {
        self.lock().stage = Stage::Caller;
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
