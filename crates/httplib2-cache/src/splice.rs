//! Putting bodies together: what goes to the caller, and what is stored.

use std::{
    collections::VecDeque,
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use httplib2_core::error::BoxError;
use httplib2_store::{Answer, Entry, Head, StoreError, StoredBody, Writer};

use crate::{CacheError, found::spanning, policy::Span};

/// Bodies one after the other, each held to its length. Their trailers are left out: they are about a message that
/// nobody gets.
#[derive(Default)]
pub(crate) struct Chain(VecDeque<Link>);

struct Link {
    body: Pin<Box<dyn Body<Data = Bytes, Error = BoxError> + Send>>,
    left: u64,
}

/// A writer that stores more than it is given: what is stored already, before and behind.
pub(crate) struct Splice {
    pub(crate) inner: Box<dyn Writer>,
    pub(crate) lead: Option<StoredBody>,
    pub(crate) trail: Option<StoredBody>,
}

/// What is stored of a body that breaks off.
pub(crate) struct Broken {
    /// That of the whole or of the part, had it come to its end.
    pub(crate) head: Head,
    /// What there would be then.
    pub(crate) announced: Span,
    /// How many of these bytes there are.
    pub(crate) length: u64,
    /// Whether `Content-Length` announced as much: then one that ends too early was cut off, and is no lie.
    pub(crate) has_length: bool,
    /// How many there have to be, so that it is worth more than what is stored.
    pub(crate) more_than: u64,
}

// === impl Chain ===

impl Chain {
    pub(crate) fn then<R>(mut self, body: R, length: u64) -> Self
    where
        R: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        self.0.push_back(Link { body: Box::pin(body.map_err(Into::into)), left: length });
        self
    }
}

impl Body for Chain {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        while let Some(link) = self.0.front_mut() {
            let wrong = match ready!(link.body.as_mut().poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => match link.left.checked_sub(data.len() as u64) {
                        Some(left) => {
                            link.left = left;
                            return Poll::Ready(Some(Ok(Frame::data(data))));
                        }
                        None => CacheError::WrongLength.into(),
                    },
                    Err(_trailers) => continue,
                },
                Some(Err(error)) => error,
                None if link.left > 0 => CacheError::WrongLength.into(),
                None => {
                    self.0.pop_front();
                    continue;
                }
            };
            self.0.clear();
            return Poll::Ready(Some(Err(wrong)));
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.0.iter().all(|link| link.left == 0 && link.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.iter().map(|link| link.left).sum())
    }
}

// === impl Splice ===

impl Writer for Splice {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StoreError>> {
        loop {
            ready!(self.inner.poll_ready(cx))?;
            let Some(lead) = &mut self.lead else { return Poll::Ready(Ok(())) };
            match ready!(Pin::new(lead).poll_frame(cx)).transpose()? {
                Some(frame) => write(&mut *self.inner, frame)?,
                None => self.lead = None,
            }
        }
    }

    fn write(&mut self, data: Bytes) -> Result<(), StoreError> {
        if self.lead.is_some() { Err(StoreError::Incomplete) } else { self.inner.write(data) }
    }

    /// The trailers are those of a part, so that they are not stored.
    fn commit(self: Box<Self>, _: Option<HeaderMap>) -> Answer<Entry> {
        let Self { mut inner, lead, trail } = *self;
        match (lead, trail) {
            (Some(_), _) => Answer::Ready(Err(StoreError::Incomplete)),
            (None, None) => inner.commit(None),
            (None, Some(mut trail)) => Answer::pending(async move {
                loop {
                    poll_fn(|cx| inner.poll_ready(cx)).await?;
                    match trail.frame().await.transpose()? {
                        Some(frame) => write(&mut *inner, frame)?,
                        None => return inner.commit(None).await,
                    }
                }
            }),
        }
    }

    fn commit_part(self: Box<Self>, head: Head) -> Answer<Entry> {
        match (self.lead, self.trail) {
            (None, None) => self.inner.commit_part(head),
            _ => Answer::Ready(Err(StoreError::Incomplete)),
        }
    }
}

impl fmt::Debug for Splice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Splice").field("lead", &self.lead).field("trail", &self.trail).finish_non_exhaustive()
    }
}

fn write(inner: &mut dyn Writer, frame: Frame<Bytes>) -> Result<(), StoreError> {
    frame.into_data().map_or(Ok(()), |data| inner.write(data))
}

// === impl Broken ===

impl Broken {
    /// Notes that so many bytes more are there.
    pub(crate) fn note(&mut self, bytes: u64) {
        self.length = self.length.saturating_add(bytes);
    }

    /// Whether something is missing.
    pub(crate) fn is_short(&self) -> bool {
        self.length < self.announced.length()
    }

    /// The head of what is there, if it is worth to be stored.
    pub(crate) fn head(self) -> Option<Head> {
        let Self { head, announced, length, more_than, .. } = self;
        let start = announced.range.start;
        let span = Span { range: start..start + length, ..announced };
        (length > more_than && span.range.end <= span.complete).then(|| spanning(&head, &span))
    }
}

#[cfg(test)]
mod tests;
