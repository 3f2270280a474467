//! The response body: the inner one, the inner one while it is stored, or a stored one.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use httplib2_core::error::BoxError;
use httplib2_store::StoredBody;
use pin_project_lite::pin_project;

use crate::{collapse::Reader, tee::Tee};

pin_project! {
    /// The body of a response: that of the inner service, perhaps stored while it is read, or a stored one.
    ///
    /// Frames come as they are, trailers too. A body that is stored is cloned frame by frame, not copied, and only as
    /// far as it is read; what becomes visible in the store is a whole body. Errors of the inner body pass through
    /// as they are; a stored body fails with a [`StoreError`](httplib2_store::StoreError) when it turns out to be
    /// damaged while it is read. One that several callers read at the same time fails with a
    /// [`CollapseError`](crate::CollapseError).
    pub struct CacheBody<R> {
        #[pin]
        state: State<R>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<R> {
        Passing { #[pin] inner: R },
        Storing { tee: Tee },
        Stored { body: StoredBody },
        Shared { reader: Reader },
        Empty,
    }
}

// === impl CacheBody ===

impl<R> CacheBody<R> {
    pub(crate) fn passing(inner: R) -> Self {
        Self { state: State::Passing { inner } }
    }

    pub(crate) fn storing(tee: Tee) -> Self {
        Self { state: State::Storing { tee } }
    }

    pub(crate) fn stored(body: StoredBody) -> Self {
        Self { state: State::Stored { body } }
    }

    /// A body that others read as well.
    pub(crate) fn shared(reader: Reader) -> Self {
        Self { state: State::Shared { reader } }
    }

    /// Takes out the body that is being stored, so that others may read it as well.
    pub(crate) fn take_tee(&mut self) -> Option<Tee> {
        match std::mem::replace(&mut self.state, State::Empty) {
            State::Storing { tee } => Some(tee),
            state => {
                self.state = state;
                None
            }
        }
    }

    pub(crate) fn empty() -> Self {
        Self { state: State::Empty }
    }
}

impl<R> Body for CacheBody<R>
where
    R: Body<Data = Bytes, Error: Into<BoxError>>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.project().state.project() {
            StateProjection::Passing { inner } => inner.poll_frame(cx).map_err(Into::into),
            StateProjection::Storing { tee } => tee.poll_frame(cx),
            StateProjection::Stored { body } => Pin::new(body).poll_frame(cx).map_err(Into::into),
            StateProjection::Shared { reader } => reader.poll_frame(cx),
            StateProjection::Empty => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.state {
            State::Passing { inner } => inner.is_end_stream(),
            State::Storing { tee } => tee.is_end_stream(),
            State::Stored { body } => body.is_end_stream(),
            State::Shared { reader } => reader.is_end_stream(),
            State::Empty => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.state {
            State::Passing { inner } => inner.size_hint(),
            State::Storing { tee } => tee.size_hint(),
            State::Stored { body } => body.size_hint(),
            State::Shared { reader } => reader.size_hint(),
            State::Empty => SizeHint::with_exact(0),
        }
    }
}

impl<R> fmt::Debug for CacheBody<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.state {
            State::Passing { .. } => "CacheBody(passing)",
            State::Storing { .. } => "CacheBody(storing)",
            State::Stored { .. } => "CacheBody(stored)",
            State::Shared { .. } => "CacheBody(shared)",
            State::Empty => "CacheBody(empty)",
        })
    }
}
