//! A foreign body that cannot be sent again.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::Resend;

pin_project! {
    /// A foreign body, such as the one that axum hands to a proxy, which cannot be sent again once its bytes
    /// are gone.
    ///
    /// The empty body is the exception: a GET without content can be sent as often as one likes. `Default`
    /// is that empty body.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use http_body_util::{Empty, Full};
    /// use httplib2_core::body::{Once, Resend};
    ///
    /// assert!(Once::new(Empty::<Bytes>::new()).try_clone().is_some());
    /// assert!(Once::new(Full::new(Bytes::from_static(b"text"))).try_clone().is_none());
    /// ```
    #[derive(Clone, Debug)]
    pub struct Once<B> {
        #[pin]
        inner: Option<B>,
    }
}

// === impl Once ===

impl<B> Once<B> {
    /// Wraps a body.
    pub fn new(inner: B) -> Self {
        Self { inner: Some(inner) }
    }
}

impl<B> Default for Once<B> {
    fn default() -> Self {
        Self { inner: None }
    }
}

impl<B: Body> Resend for Once<B> {
    fn try_clone(&self) -> Option<Self> {
        self.is_end_stream().then(Self::default)
    }
}

impl<B: Body> Body for Once<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        match self.project().inner.as_pin_mut() {
            Some(inner) => inner.poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}
