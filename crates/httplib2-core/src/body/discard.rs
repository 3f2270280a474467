//! Giving up an answer that nobody wants.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use bytes::{Buf, Bytes};
use http_body::Body;
use http_body_util::BodyExt;

/// How much of an unwanted body is read before its connection is let go instead.
///
/// A layer that sends again first drains the answer that it gives up, because an HTTP/1.1 connection can
/// only be used again when its response was read to the end (RFC 9112 §9.3). A server must not keep the
/// caller waiting with that, so it is bounded. Default: 64 KiB and one second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiscardLimits {
    /// The most bytes that are read.
    pub bytes: u64,
    /// The longest that is waited once the body has no data at hand.
    pub time: Duration,
}

/// Reads an unwanted body to its end within `limits` and drops it.
///
/// Returns whether the end was reached, so that the connection can be used again. Errors count as an end
/// not reached; they concern nobody.
pub async fn discard<R: Body>(body: R, limits: DiscardLimits) -> bool {
    if body.size_hint().lower() > limits.bytes {
        return false;
    }
    drain(body, limits, |_| ()).await
}

/// Like [`discard`], and hands the data that pass by to `keep`, up to the limit: a redirect keeps the beginning
/// of each body for its history, also of one that is too long to be read to its end.
///
/// Needs tokio's timer only when the body is not at hand at once.
pub async fn drain<R: Body>(body: R, limits: DiscardLimits, mut keep: impl FnMut(Bytes)) -> bool {
    if body.is_end_stream() {
        return true;
    }
    let mut draining = pin!(read_to_end(body, limits.bytes, &mut keep));
    let at_hand = poll_fn(|cx| Poll::Ready(draining.as_mut().poll(cx))).await;
    match at_hand {
        Poll::Ready(whole) => whole,
        Poll::Pending => tokio::time::timeout(limits.time, draining).await.unwrap_or(false),
    }
}

async fn read_to_end<R: Body>(body: R, limit: u64, keep: &mut impl FnMut(Bytes)) -> bool {
    let mut body = pin!(body);
    let mut left = limit;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return false };
        if let Ok(mut data) = frame.into_data() {
            let length = data.remaining();
            let fits = length.min(usize::try_from(left).unwrap_or(usize::MAX));
            keep(data.copy_to_bytes(fits));
            if fits < length {
                return false;
            }
            left -= fits as u64;
        }
    }
    true
}

// === impl DiscardLimits ===

impl Default for DiscardLimits {
    fn default() -> Self {
        Self { bytes: 64 * 1024, time: Duration::from_secs(1) }
    }
}

impl DiscardLimits {
    /// Limits of `bytes` and `time`.
    #[must_use]
    pub fn new(bytes: u64, time: Duration) -> Self {
        Self { bytes, time }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body::Frame;
    use http_body_util::{Channel, Empty, Full};
    use std::convert::Infallible;

    fn limits(bytes: u64) -> DiscardLimits {
        DiscardLimits { bytes, ..DiscardLimits::default() }
    }

    #[tokio::test]
    async fn a_body_within_the_limit_is_read_to_its_end() {
        assert!(discard(Empty::<Bytes>::new(), limits(0)).await);
        assert!(discard(Full::new(Bytes::from_static(b"1234")), limits(4)).await);
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_let_go() {
        assert!(!discard(Full::new(Bytes::from_static(b"12345")), limits(4)).await);
    }

    #[tokio::test]
    async fn a_body_of_unknown_length_is_let_go_once_it_is_over_the_limit() {
        let (mut sender, body) = Channel::<Bytes, Infallible>::new(4);
        sender.try_send(Frame::data(Bytes::from_static(b"123"))).unwrap();
        sender.try_send(Frame::data(Bytes::from_static(b"456"))).unwrap();
        let mut kept = Vec::new();
        assert!(!drain(body, limits(5), |data| kept.push(data)).await);
        assert_eq!(kept, ["123", "45"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stalls_is_let_go_after_the_time() {
        let (_sender, body) = Channel::<Bytes, Infallible>::new(1);
        let start = tokio::time::Instant::now();
        assert!(!discard(body, limits(5)).await);
        assert_eq!(start.elapsed(), Duration::from_secs(1));
    }

    #[tokio::test]
    async fn a_body_that_breaks_has_no_end() {
        let (sender, body) = Channel::<Bytes, &str>::new(1);
        sender.abort("broken");
        assert!(!discard(body, limits(5)).await);
    }
}
