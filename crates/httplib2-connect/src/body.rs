//! The response body.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep};

use crate::{
    diagnose::fault_of,
    error::{ConnectError, Fault},
    send_body::Progress,
    target::Target,
};

/// The body of a response, as it comes from the connection.
///
/// Dropping it before its end gives up the rest: an HTTP/1.1 connection is closed then, and an HTTP/2 stream
/// is reset. After an error it is at its end.
pub struct ConnectBody {
    /// `None` once it failed.
    inner: Option<Incoming>,
    target: Target,
    reused: Option<bool>,
    limit: Option<Limit>,
    stream: Option<Stream>,
}

/// What HTTP/2 adds: a stream may be reset without an error (RFC 9113 §8.1), which hyper takes for its end.
pub(crate) struct Stream {
    pub(crate) upload: Progress,
}

/// The limit of each wait for a frame.
struct Limit {
    time: Duration,
    /// Made at the first wait.
    timer: Option<Pin<Box<Sleep>>>,
    waiting: bool,
}

// === impl ConnectBody ===

impl ConnectBody {
    pub(crate) fn new(
        inner: Incoming,
        target: Target,
        reused: Option<bool>,
        limit: Option<Duration>,
        stream: Option<Stream>,
    ) -> Self {
        let limit = limit.map(|time| Limit { time, timer: None, waiting: false });
        Self { inner: Some(inner), target, reused, limit, stream }
    }

    /// Whether what looks like the end is none: bytes that were promised did not come, or the stream was reset.
    ///
    /// While the request body is still under way, a server may reset the stream behind a whole response, so that
    /// only the length tells.
    fn is_cut(&self) -> bool {
        let Some(inner) = &self.inner else { return false };
        let was_reset = self.stream.as_ref().is_some_and(|stream| stream.upload.is_whole() && !inner.is_end_stream());
        was_reset || inner.size_hint().lower() > 0
    }

    fn cut(&mut self, fault: Fault, source: Option<hyper::Error>) -> ConnectError {
        self.inner = None;
        ConnectError::cut(self.target.clone(), fault, self.reused, source.map(Into::into))
    }
}

impl Body for ConnectBody {
    type Data = Bytes;
    type Error = ConnectError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, ConnectError>>> {
        let this = &mut *self;
        let Some(inner) = &mut this.inner else { return Poll::Ready(None) };
        let polled = Pin::new(inner).poll_frame(cx);
        if matches!(polled, Poll::Ready(None)) && this.is_cut() {
            return Poll::Ready(Some(Err(this.cut(Fault::Reset, None))));
        }
        match (polled, &mut this.limit) {
            (Poll::Ready(frame), limit) => {
                if let Some(limit) = limit {
                    limit.waiting = false;
                }
                Poll::Ready(frame.map(|frame| frame.map_err(|error| this.cut(fault_of(&error), Some(error)))))
            }
            (Poll::Pending, None) => Poll::Pending,
            (Poll::Pending, Some(limit)) => {
                ready!(limit.poll_over(cx));
                Poll::Ready(Some(Err(this.cut(Fault::Timeout, None))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl fmt::Debug for ConnectBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectBody").field("is_end_stream", &self.is_end_stream()).finish_non_exhaustive()
    }
}

// === impl Limit ===

impl Limit {
    fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let time = self.time;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(time)));
        if !self.waiting {
            self.waiting = true;
            timer.as_mut().reset(Instant::now() + time);
        }
        timer.as_mut().poll(cx)
    }
}
