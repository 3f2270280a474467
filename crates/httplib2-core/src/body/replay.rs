//! A body that is recorded while it is sent.

use std::{
    error::Error,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use super::Resend;
use crate::error::BoxError;

/// A body that is recorded, up to a limit, while it is sent, so that it can be sent again.
///
/// All spares share one source and one recording. A spare first yields what was recorded and then goes on
/// with the source where the recording ends; so a request may be sent again although the first send was
/// answered before it had read the whole body. From the moment on that a later one is
/// [claimed](Resend::claim) or read, the earlier one is [`Superseded`]: its next frame is that error, so two
/// sends never share the bytes between them.
///
/// A recording that would grow over the limit is thrown away. The send that is under way goes on
/// undisturbed; spares are no longer [whole](Resend::is_whole).
///
/// ```
/// use bytes::Bytes;
/// use http_body_util::{BodyExt, Full};
/// use httplib2_core::body::{Once, ReplayBody, Resend};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), httplib2_core::error::BoxError> {
/// let foreign = Once::new(Full::new(Bytes::from_static(b"text")));
/// let first = ReplayBody::new(foreign, 1024);
/// let spare = first.try_clone().expect("nothing is over the limit");
///
/// assert_eq!(first.collect().await?.to_bytes(), "text");
/// assert!(spare.is_whole());
/// assert_eq!(spare.collect().await?.to_bytes(), "text");
/// # Ok(())
/// # }
/// ```
pub struct ReplayBody<B> {
    /// `None` is the empty body.
    source: Option<Arc<Mutex<Source<B>>>>,
    /// The size of the whole body, as far as the source knew at the start.
    total: SizeHint,
    /// Which send this is: the one with the highest number that was ever polled owns the source.
    turn: u64,
    /// How many recorded frames this send has yielded.
    next: usize,
    /// How many bytes this send has yielded.
    yielded: u64,
}

/// A later send took over the body, so this one cannot finish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Superseded;

struct Source<B> {
    body: Pin<Box<B>>,
    progress: Progress,
    /// How many frames were taken out of it.
    taken: usize,
    recording: Option<Recording>,
    /// The turn of the send that owns the source.
    owner: u64,
    /// The highest turn handed out.
    turns: u64,
    /// Wakes the owner, so that it learns of being superseded.
    waker: Option<Waker>,
}

struct Recording {
    frames: Vec<Recorded>,
    /// What may still be recorded.
    left: usize,
}

#[derive(Clone)]
enum Recorded {
    Data(Bytes),
    Trailers(HeaderMap),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Open,
    Ended,
    Failed,
}

/// What a frame costs beside its bytes, so that many small frames cannot grow past the limit unseen.
const FRAME_COST: usize = 64;

// === impl ReplayBody ===

impl<B: Body> ReplayBody<B> {
    /// Wraps `body` and records at most `limit` bytes of it. A frame counts as its length and 64 bytes.
    ///
    /// A body that is known to be longer is not recorded at all: it can be sent once.
    pub fn new(body: B, limit: usize) -> Self {
        let total = body.size_hint();
        let fits = total.lower() <= limit as u64;
        let source = (!body.is_end_stream()).then(|| Source {
            body: Box::pin(body),
            progress: Progress::Open,
            taken: 0,
            recording: fits.then(|| Recording { frames: Vec::new(), left: limit.saturating_add(FRAME_COST) }),
            owner: 0,
            turns: 0,
            waker: None,
        });
        Self { source: source.map(|source| Arc::new(Mutex::new(source))), total, turn: 0, next: 0, yielded: 0 }
    }
}

impl<B> ReplayBody<B> {
    fn lock(&self) -> Option<MutexGuard<'_, Source<B>>> {
        self.source.as_ref().map(|source| source.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<B> Default for ReplayBody<B> {
    fn default() -> Self {
        Self { source: None, total: SizeHint::with_exact(0), turn: 0, next: 0, yielded: 0 }
    }
}

impl<B> Resend for ReplayBody<B> {
    fn try_clone(&self) -> Option<Self> {
        let turn = match self.lock() {
            None => 0,
            Some(mut source) => {
                if !source.can_replay() {
                    return None;
                }
                source.turns += 1;
                source.turns
            }
        };
        Some(Self { source: self.source.clone(), total: self.total, turn, next: 0, yielded: 0 })
    }

    fn is_whole(&self) -> bool {
        self.lock().is_none_or(|source| source.can_replay() && source.owner <= self.turn)
    }

    fn claim(&self) -> bool {
        self.lock().is_none_or(|mut source| source.can_replay() && source.take_over(self.turn).is_ok())
    }
}

impl<B> Body for ReplayBody<B>
where
    B: Body<Data = Bytes, Error: Into<BoxError>>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let Some(mut source) = this.lock() else {
            return Poll::Ready(None);
        };
        if let Err(superseded) = source.take_over(this.turn) {
            return Poll::Ready(Some(Err(superseded.into())));
        }
        let frame = match source.recorded(this.next) {
            Some(frame) => frame,
            // Between the last look and now an earlier send went over the limit: what this one lacks is gone.
            None if this.next < source.taken => return Poll::Ready(Some(Err(Superseded.into()))),
            None => match ready!(source.poll_source(cx)) {
                Some(Ok(frame)) => frame,
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            },
        };
        drop(source);
        this.next += 1;
        if let Some(data) = frame.data_ref() {
            this.yielded += data.len() as u64;
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.lock().is_none_or(|source| {
            let replayed = source.recording.as_ref().is_none_or(|recording| self.next >= recording.frames.len());
            replayed && (source.progress == Progress::Ended || source.body.is_end_stream())
        })
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = SizeHint::new();
        hint.set_lower(self.total.lower().saturating_sub(self.yielded));
        if let Some(upper) = self.total.upper() {
            hint.set_upper(upper.saturating_sub(self.yielded).max(hint.lower()));
        }
        hint
    }
}

impl<B> fmt::Debug for ReplayBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplayBody").field("turn", &self.turn).field("yielded", &self.yielded).finish_non_exhaustive()
    }
}

// === impl Source ===

impl<B> Source<B> {
    fn can_replay(&self) -> bool {
        self.recording.is_some() && self.progress != Progress::Failed
    }

    /// Makes the send with this turn the owner, or says that a later one is.
    fn take_over(&mut self, turn: u64) -> Result<(), Superseded> {
        if turn < self.owner {
            return Err(Superseded);
        }
        if turn > self.owner {
            self.owner = turn;
            if let Some(waker) = self.waker.take() {
                waker.wake();
            }
        }
        Ok(())
    }

    fn recorded(&self, index: usize) -> Option<Frame<Bytes>> {
        let frame = self.recording.as_ref()?.frames.get(index)?;
        Some(match frame.clone() {
            Recorded::Data(data) => Frame::data(data),
            Recorded::Trailers(trailers) => Frame::trailers(trailers),
        })
    }
}

impl<B> Source<B>
where
    B: Body<Data = Bytes, Error: Into<BoxError>>,
{
    fn poll_source(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.progress != Progress::Open {
            return Poll::Ready(None);
        }
        match self.body.as_mut().poll_frame(cx) {
            Poll::Pending => {
                self.waker = Some(cx.waker().clone());
                Poll::Pending
            }
            Poll::Ready(None) => {
                self.progress = Progress::Ended;
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(error))) => {
                self.progress = Progress::Failed;
                Poll::Ready(Some(Err(error.into())))
            }
            Poll::Ready(Some(Ok(frame))) => {
                self.taken += 1;
                self.record(&frame);
                Poll::Ready(Some(Ok(frame)))
            }
        }
    }

    fn record(&mut self, frame: &Frame<Bytes>) {
        let Some(recording) = &mut self.recording else {
            return;
        };
        let (recorded, length) = match (frame.data_ref(), frame.trailers_ref()) {
            (Some(data), _) => (Recorded::Data(data.clone()), data.len()),
            (None, Some(trailers)) => {
                let length = trailers.iter().map(|(name, value)| name.as_str().len() + value.len() + FRAME_COST).sum();
                (Recorded::Trailers(trailers.clone()), length)
            }
            (None, None) => return,
        };
        match recording.left.checked_sub(length + FRAME_COST) {
            Some(left) => {
                recording.left = left;
                recording.frames.push(recorded);
            }
            None => self.recording = None,
        }
    }
}

// === impl Superseded ===

impl fmt::Display for Superseded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body was taken over by a later send of the same request")
    }
}

impl Error for Superseded {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::is_caused_by;
    use http_body_util::{BodyExt, Channel, Empty, Full, channel::Sender};
    use tokio::task::yield_now;

    fn channel(limit: usize) -> (Sender<Bytes, BoxError>, ReplayBody<Channel<Bytes, BoxError>>) {
        let (sender, body) = Channel::new(8);
        (sender, ReplayBody::new(body, limit))
    }

    async fn text(body: impl Body<Data = Bytes, Error = BoxError>) -> Result<String, BoxError> {
        let bytes = body.collect().await?.to_bytes();
        Ok(String::from_utf8(bytes.to_vec())?)
    }

    #[tokio::test]
    async fn every_spare_yields_the_same_bytes_and_trailers() {
        let (mut sender, first) = channel(1024);
        let spares = [first.try_clone().unwrap(), first.try_clone().unwrap()];
        sender.send_data(Bytes::from_static(b"ab")).await.unwrap();
        sender.send_data(Bytes::from_static(b"cd")).await.unwrap();
        let mut trailers = HeaderMap::new();
        trailers.insert("x-sum", "4".parse().unwrap());
        sender.send_trailers(trailers.clone()).await.unwrap();
        drop(sender);
        for body in [first].into_iter().chain(spares) {
            assert!(body.is_whole());
            let collected = body.collect().await.unwrap();
            assert_eq!(collected.trailers(), Some(&trailers));
            assert_eq!(collected.to_bytes(), "abcd");
        }
    }

    #[tokio::test]
    async fn a_spare_goes_on_where_an_unfinished_send_stopped() {
        let (mut sender, mut first) = channel(1024);
        let spare = first.try_clone().unwrap();
        sender.send_data(Bytes::from_static(b"ab")).await.unwrap();
        assert_eq!(first.frame().await.unwrap().unwrap().into_data().unwrap(), "ab");
        sender.send_data(Bytes::from_static(b"cd")).await.unwrap();
        drop(sender);
        drop(first);
        assert!(spare.is_whole());
        assert_eq!(text(spare).await.unwrap(), "abcd");
    }

    #[tokio::test]
    async fn a_send_that_waits_is_woken_and_superseded_by_a_later_one() {
        let (mut sender, first) = channel(1024);
        let spare = first.try_clone().unwrap();
        let waiting = tokio::spawn(text(first));
        yield_now().await;
        let later = tokio::spawn(text(spare));
        let error = waiting.await.unwrap().unwrap_err();
        assert!(is_caused_by::<Superseded>(&*error));
        sender.send_data(Bytes::from_static(b"ab")).await.unwrap();
        drop(sender);
        assert_eq!(later.await.unwrap().unwrap(), "ab");
    }

    #[tokio::test]
    async fn over_the_limit_the_first_send_goes_on_and_spares_are_not_whole() {
        let (mut sender, first) = channel(3);
        let spare = first.try_clone().unwrap();
        assert!(spare.is_whole());
        sender.send_data(Bytes::from_static(b"ab")).await.unwrap();
        sender.send_data(Bytes::from_static(b"cd")).await.unwrap();
        drop(sender);
        assert_eq!(text(first).await.unwrap(), "abcd");
        assert!(!spare.is_whole());
        assert!(spare.try_clone().is_none());
    }

    #[tokio::test]
    async fn a_body_that_fills_the_limit_exactly_can_be_sent_again() {
        let first = ReplayBody::new(Full::new(Bytes::from_static(b"abc")), 3);
        let spare = first.try_clone().unwrap();
        assert_eq!(text(first).await.unwrap(), "abc");
        assert!(spare.is_whole());
    }

    #[test]
    fn a_body_known_to_be_longer_than_the_limit_has_no_spare() {
        assert!(ReplayBody::new(Full::new(Bytes::from_static(b"abcd")), 3).try_clone().is_none());
    }

    #[tokio::test]
    async fn a_source_that_failed_cannot_be_sent_again() {
        let (sender, first) = channel(1024);
        let spare = first.try_clone().unwrap();
        sender.abort("broken".into());
        assert!(text(first).await.is_err());
        assert!(!spare.is_whole());
    }

    #[tokio::test]
    async fn a_spare_that_lost_its_recording_before_it_was_read_fails() {
        let (mut sender, mut first) = channel(3);
        let spare = first.try_clone().unwrap();
        sender.send_data(Bytes::from_static(b"ab")).await.unwrap();
        first.frame().await.unwrap().unwrap();
        assert!(spare.is_whole());
        sender.send_data(Bytes::from_static(b"cd")).await.unwrap();
        drop(sender);
        first.frame().await.unwrap().unwrap();
        assert!(is_caused_by::<Superseded>(&*text(spare).await.unwrap_err()));
    }

    #[tokio::test]
    async fn a_spare_that_was_claimed_stays_whole() {
        let (mut sender, mut first) = channel(8);
        let spare = first.try_clone().unwrap();
        sender.send_data(Bytes::from_static(b"ab")).await.unwrap();
        first.frame().await.unwrap().unwrap();
        assert!(spare.claim());
        sender.send_data(Bytes::from_static(b"cd")).await.unwrap();
        drop(sender);
        assert!(is_caused_by::<Superseded>(&*text(first).await.unwrap_err()));
        assert_eq!(text(spare).await.unwrap(), "abcd");
    }

    #[test]
    fn the_empty_body_is_whole_and_at_its_end() {
        for body in [ReplayBody::default(), ReplayBody::new(Empty::<Bytes>::new(), 0)] {
            assert!(body.is_end_stream() && body.is_whole());
            assert!(body.try_clone().unwrap().is_end_stream());
            assert_eq!(body.size_hint().exact(), Some(0));
        }
    }

    #[tokio::test]
    async fn the_size_hint_shrinks_with_what_was_sent() {
        let mut first = ReplayBody::new(Full::new(Bytes::from_static(b"abc")), 3);
        let spare = first.try_clone().unwrap();
        assert_eq!(first.size_hint().exact(), Some(3));
        first.frame().await.unwrap().unwrap();
        assert_eq!(first.size_hint().exact(), Some(0));
        assert_eq!(spare.size_hint().exact(), Some(3));
        assert!(first.is_end_stream() && !spare.is_end_stream());
    }
}
