//! The body of a stored response.

use std::{
    fmt,
    ops::Range,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use crate::StoreError;

/// The body of a stored response, whose length is known before it is read.
///
/// A body that is in memory comes as one frame. One that is read from elsewhere is held to its length: one that ends
/// early or goes on is an error ([`StoreError::Damaged`]), never a body of another length.
pub struct StoredBody(State);

/// Part of a body that is not in memory.
struct Cut {
    source: StoredBody,
    skip: u64,
    left: u64,
}

type Source = Pin<Box<dyn Body<Data = Bytes, Error = StoreError> + Send>>;

enum State {
    Whole { data: Bytes, trailers: Option<Box<HeaderMap>> },
    Streaming { source: Source, left: u64 },
    Ended,
}

// === impl StoredBody ===

impl StoredBody {
    /// A body that is in memory.
    #[must_use]
    pub fn whole(data: Bytes, trailers: Option<HeaderMap>) -> Self {
        Self(State::Whole { data, trailers: trailers.map(Box::new) })
    }

    /// A body of `length` bytes that is read while it goes out.
    pub fn streaming(source: impl Body<Data = Bytes, Error = StoreError> + Send + 'static, length: u64) -> Self {
        Self(State::Streaming { source: Box::pin(source), left: length })
    }

    /// The data, if all of them are in memory and none were taken out yet.
    ///
    /// For a range of a stored response, or to copy it to another store at once.
    #[must_use]
    pub fn as_whole(&self) -> Option<&Bytes> {
        match &self.0 {
            State::Whole { data, .. } => Some(data),
            State::Streaming { .. } | State::Ended => None,
        }
    }

    /// The trailers, if the data are in memory and neither was taken out yet.
    #[must_use]
    pub fn trailers(&self) -> Option<&HeaderMap> {
        match &self.0 {
            State::Whole { trailers, .. } => trailers.as_deref(),
            State::Streaming { .. } | State::Ended => None,
        }
    }

    /// The bytes of this range of it, counted from what comes next, without the trailers.
    ///
    /// Bytes in memory are shared, not copied. Others are read and dropped up to the start of the range. A range that
    /// reaches beyond the end is [`StoreError::Damaged`], when it is read.
    #[must_use]
    pub fn cut(self, range: Range<u64>) -> Self {
        let length = range.end.saturating_sub(range.start);
        match self.0 {
            State::Whole { data, .. } if range.end <= data.len() as u64 && range.start <= range.end => {
                // Both are at most the length of what is in memory.
                Self::whole(data.slice(range.start as usize..range.end as usize), None)
            }
            _ => Self::streaming(Cut { source: self, skip: range.start, left: length }, length),
        }
    }

    fn fail(&mut self, error: StoreError) -> Poll<Option<Result<Frame<Bytes>, StoreError>>> {
        self.0 = State::Ended;
        Poll::Ready(Some(Err(error)))
    }
}

impl Body for StoredBody {
    type Data = Bytes;
    type Error = StoreError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, StoreError>>> {
        let this = &mut *self;
        let State::Streaming { source, left } = &mut this.0 else {
            return Poll::Ready(this.0.next_of_whole().map(Ok));
        };
        let frame = match ready!(source.as_mut().poll_frame(cx)) {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => return this.fail(error),
            None if *left > 0 => return this.fail(StoreError::Damaged),
            None => {
                this.0 = State::Ended;
                return Poll::Ready(None);
            }
        };
        let length = frame.data_ref().map_or(0, |data| data.len() as u64);
        if length > *left || (frame.is_trailers() && *left > 0) {
            return this.fail(StoreError::Damaged);
        }
        *left -= length;
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            State::Whole { data, trailers } => data.is_empty() && trailers.is_none(),
            State::Streaming { source, left } => *left == 0 && source.is_end_stream(),
            State::Ended => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match &self.0 {
            State::Whole { data, .. } => data.len() as u64,
            State::Streaming { left, .. } => *left,
            State::Ended => 0,
        })
    }
}

impl fmt::Debug for StoredBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.0 {
            State::Whole { .. } => "whole",
            State::Streaming { .. } => "streaming",
            State::Ended => "ended",
        };
        write!(f, "StoredBody({kind}, {} bytes left)", self.size_hint().lower())
    }
}

// === impl State ===

impl State {
    fn next_of_whole(&mut self) -> Option<Frame<Bytes>> {
        match std::mem::replace(self, Self::Ended) {
            Self::Whole { data, trailers } if !data.is_empty() => {
                if trailers.is_some() {
                    *self = Self::Whole { data: Bytes::new(), trailers };
                }
                Some(Frame::data(data))
            }
            Self::Whole { trailers, .. } => trailers.map(|trailers| Frame::trailers(*trailers)),
            Self::Streaming { .. } | Self::Ended => None,
        }
    }
}

// === impl Cut ===

impl Body for Cut {
    type Data = Bytes;
    type Error = StoreError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, StoreError>>> {
        let this = &mut *self;
        while this.left > 0 {
            let Some(frame) = ready!(Pin::new(&mut this.source).poll_frame(cx)) else { break };
            let Ok(mut data) = frame?.into_data() else { break };
            let skipped = this.skip.min(data.len() as u64);
            this.skip -= skipped;
            // At most the length of the frame, as is what is left of it.
            data.advance(skipped as usize);
            data.truncate(usize::try_from(this.left).unwrap_or(usize::MAX));
            if !data.is_empty() {
                this.left -= data.len() as u64;
                return Poll::Ready(Some(Ok(Frame::data(data))));
            }
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{BodyExt, Channel, Full};

    fn trailers() -> HeaderMap {
        HeaderMap::from_iter([(http::header::ETAG, http::HeaderValue::from_static("\"1\""))])
    }

    #[tokio::test]
    async fn a_whole_body_is_one_frame_and_its_trailers() {
        for (data, with_trailers, frames) in [("", false, 0), ("", true, 1), ("text", false, 1), ("text", true, 2)] {
            let mut body = StoredBody::whole(Bytes::from(data), with_trailers.then(trailers));
            assert_eq!(body.size_hint().exact(), Some(data.len() as u64));
            for left in (0..frames).rev() {
                assert!(!body.is_end_stream());
                let frame = body.frame().await.unwrap().unwrap();
                assert_eq!(frame.is_trailers(), left == 0 && with_trailers);
                assert_eq!(body.size_hint().exact(), Some(0));
            }
            assert!(body.is_end_stream());
            assert!(body.frame().await.is_none() && body.frame().await.is_none());
        }
    }

    #[tokio::test]
    async fn a_streamed_body_is_held_to_its_length() {
        for (length, expected) in [(4, Some("text")), (3, None), (5, None)] {
            let source = Full::new(Bytes::from("text")).map_err(|never| match never {});
            let body = StoredBody::streaming(source, length);
            assert_eq!(body.size_hint().exact(), Some(length));
            let read = body.collect().await.map(|body| body.to_bytes());
            assert_eq!(read.as_ref().ok().map(|data| &data[..]), expected.map(str::as_bytes), "{length}");
            assert!(read.is_ok() || matches!(read, Err(StoreError::Damaged)));
        }
    }

    #[tokio::test]
    async fn a_range_of_a_body_is_cut_out_without_the_trailers() {
        for (range, expected) in [
            (0..4, Some("text")),
            (1..3, Some("ex")),
            (3..4, Some("t")),
            (2..2, Some("")),
            (0..5, None),
            (4..9, None),
            (7..9, None),
            (u64::MAX - 1..u64::MAX, None),
        ] {
            let (sender, source) = Channel::new(4);
            let body = StoredBody::streaming(source, 4);
            tokio::spawn(async move {
                let mut sender = sender;
                for data in ["t", "", "ex", "t"] {
                    sender.send_data(Bytes::from(data)).await.ok();
                }
                sender.send_trailers(trailers()).await.ok();
            });
            for body in [StoredBody::whole(Bytes::from("text"), Some(trailers())), body] {
                let cut = body.cut(range.clone());
                assert_eq!(cut.size_hint().exact(), Some(range.end - range.start));
                let read = cut.collect().await;
                assert!(read.as_ref().is_ok_and(|read| read.trailers().is_none()) || expected.is_none());
                let read = read.map(|body| body.to_bytes()).ok();
                assert_eq!(read.as_deref(), expected.map(str::as_bytes), "{range:?}");
            }
        }
    }

    #[tokio::test]
    async fn trailers_before_the_announced_end_are_damage() {
        let source = Full::new(Bytes::from("text")).map_err(|never| match never {});
        let source = source.with_trailers(std::future::ready(Some(Ok(trailers()))));
        let read = StoredBody::streaming(source, 5).collect().await;
        assert!(matches!(read, Err(StoreError::Damaged)));
    }

    #[tokio::test]
    async fn after_an_error_a_streamed_body_has_ended() {
        let (sender, source) = Channel::new(1);
        sender.abort(StoreError::Gone);
        let mut body = StoredBody::streaming(source, 4);
        assert!(matches!(body.frame().await, Some(Err(StoreError::Gone))));
        assert!(body.is_end_stream() && body.frame().await.is_none());
    }
}
