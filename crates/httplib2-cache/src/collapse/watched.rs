//! A writer that tells a flight what became of the response.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use httplib2_store::{Answer, Entry, Head, StoreError, Writer};

use super::flight::{Flight, Verdict};

/// Ends the flight when the response is stored, or given up.
#[derive(Debug)]
pub(super) struct Watched {
    inner: Box<dyn Writer>,
    end: End,
}

/// Dropped, it ends the flight with nothing.
#[derive(Debug)]
struct End(Arc<Flight>);

// === impl Watched ===

impl Watched {
    pub(super) fn new(inner: Box<dyn Writer>, flight: Arc<Flight>) -> Self {
        Self { inner, end: End(flight) }
    }
}

impl Writer for Watched {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StoreError>> {
        self.inner.poll_ready(cx)
    }

    fn write(&mut self, data: Bytes) -> Result<(), StoreError> {
        self.inner.write(data)
    }

    fn commit(self: Box<Self>, trailers: Option<HeaderMap>) -> Answer<Entry> {
        let Self { inner, end } = *self;
        match inner.commit(trailers) {
            Answer::Ready(result) => {
                end.0.end_of_storing(&result);
                Answer::Ready(result)
            }
            pending @ Answer::Pending(_) => Answer::pending(async move {
                let result = pending.await;
                end.0.end_of_storing(&result);
                result
            }),
        }
    }

    /// Nobody may read on from a part.
    fn commit_part(self: Box<Self>, head: Head) -> Answer<Entry> {
        let Self { inner, end } = *self;
        let answer = inner.commit_part(head);
        drop(end);
        answer
    }
}

// === impl End ===

impl Drop for End {
    fn drop(&mut self) {
        self.0.end(Verdict::Nothing);
    }
}
