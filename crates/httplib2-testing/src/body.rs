//! A body that does what a test tells it.

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::{Frame, SizeHint};
use httplib2_core::{body::Resend, error::BoxError};

use crate::{
    failure::{Broken, Failure},
    gate::Gate,
};

/// A scripted body, of a request as well as of a reply: frames in a given order, and whatever else a body may
/// do to its reader.
///
/// Text and bytes turn into a body of one frame, nothing into one without frames. It can be sent again
/// ([`Resend`]).
///
/// ```
/// use http_body_util::BodyExt;
/// use httplib2_testing::Body;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), httplib2_core::error::BoxError> {
/// let body = Body::chunks(["one, ", "two"]).pausing().trailers([("x-sum", "3")]);
/// let collected = body.collect().await?;
/// assert_eq!(collected.trailers().unwrap()["x-sum"], "3");
/// assert_eq!(collected.to_bytes(), "one, two");
///
/// let broken = Body::from("one, ").breaking();
/// assert!(broken.collect().await.unwrap_err().is::<httplib2_testing::Broken>());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Body {
    steps: VecDeque<Step>,
    size: Size,
    /// Lets a law see when the body is dropped.
    _witness: Option<Arc<()>>,
}

/// What a [`Body`] says beforehand of its length and its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Size {
    /// The exact number of bytes, as a `Content-Length` gives it, and the end as soon as it is reached. A body
    /// that stalls or breaks promises one byte more than will come. The default.
    #[default]
    Exact,
    /// A lower and an upper limit that are not equal, and the end as soon as it is reached.
    Range,
    /// Nothing: the end is known only once it was read.
    Unknown,
}

#[derive(Clone)]
enum Step {
    Data(Bytes),
    Trailers(HeaderMap),
    /// `Pending` once; the reader is woken at once.
    Pause,
    /// `Pending` until a law opens the gate.
    Wait(Gate),
    /// `Pending` for ever.
    Stall,
    Break(Failure),
    /// The end of a body that does not know its end beforehand.
    End,
}

// === impl Body ===

impl Body {
    /// A body without frames.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// A body with one frame for each chunk, empty ones too.
    pub fn chunks<C: Into<Bytes>>(chunks: impl IntoIterator<Item = C>) -> Self {
        let steps = chunks.into_iter().map(|chunk| Step::Data(chunk.into())).collect();
        Self { steps, ..Self::default() }
    }

    /// Adds a frame of trailers.
    ///
    /// # Panics
    ///
    /// When a name or a value is not one.
    #[must_use]
    pub fn trailers<K, V>(self, fields: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: TryInto<HeaderName, Error: fmt::Debug>,
        V: TryInto<HeaderValue, Error: fmt::Debug>,
    {
        let mut trailers = HeaderMap::new();
        for (name, value) in fields {
            trailers.append(name.try_into().expect("a field name"), value.try_into().expect("a field value"));
        }
        self.then(Step::Trailers(trailers))
    }

    /// Breaks off with [`Broken`] after the frames so far. What is added later never comes.
    #[must_use]
    pub fn breaking(self) -> Self {
        self.breaking_with(|| Broken)
    }

    /// Like [`breaking`](Self::breaking), with an error of the caller's choice.
    #[must_use]
    pub fn breaking_with<E: Into<BoxError>>(self, error: impl Fn() -> E + Send + Sync + 'static) -> Self {
        self.then(Step::Break(Failure::new(error)))
    }

    /// Stalls for ever after the frames so far. What is added later never comes.
    #[must_use]
    pub fn stalling(self) -> Self {
        self.then(Step::Stall)
    }

    /// Answers `Pending` once before each frame so far and before what follows them, and wakes the reader at
    /// once.
    #[must_use]
    pub fn pausing(self) -> Self {
        self.before_each(|| Step::Pause)
    }

    /// Replaces what the body says beforehand of its length. Default: [`Size::Exact`].
    #[must_use]
    pub fn announcing(mut self, size: Size) -> Self {
        self.size = size;
        self.steps.retain(|step| !matches!(step, Step::End));
        if size == Size::Unknown {
            self.steps.push_back(Step::End);
        }
        self
    }

    /// Waits for the gate before each frame so far and before what follows them.
    pub(crate) fn waiting(self, gate: &Gate) -> Self {
        self.before_each(|| Step::Wait(gate.clone()))
    }

    /// Keeps `witness` until the body is dropped.
    pub(crate) fn witnessed_by(self, witness: Arc<()>) -> Self {
        Self { _witness: Some(witness), ..self }
    }

    fn then(mut self, step: Step) -> Self {
        let end = self.steps.iter().position(|step| matches!(step, Step::End));
        self.steps.insert(end.unwrap_or(self.steps.len()), step);
        self
    }

    fn before_each(mut self, step: impl Fn() -> Step) -> Self {
        let mut steps: VecDeque<_> = self.steps.drain(..).flat_map(|next| [step(), next]).collect();
        if self.size != Size::Unknown {
            steps.push_back(step());
        }
        Self { steps, ..self }
    }

    /// How many bytes are still promised.
    fn remaining(&self) -> u64 {
        self.steps.iter().map(Step::promised).sum()
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        while let Some(step) = this.steps.pop_front() {
            match step {
                Step::Data(data) => return Poll::Ready(Some(Ok(Frame::data(data)))),
                Step::Trailers(trailers) => return Poll::Ready(Some(Ok(Frame::trailers(trailers)))),
                Step::Pause => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Step::Wait(gate) => {
                    if gate.poll_pass(cx).is_pending() {
                        this.steps.push_front(Step::Wait(gate));
                        return Poll::Pending;
                    }
                }
                Step::Stall => {
                    this.steps.push_front(Step::Stall);
                    return Poll::Pending;
                }
                Step::Break(failure) => {
                    this.steps.clear();
                    return Poll::Ready(Some(Err(failure.error())));
                }
                Step::End => {}
            }
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.steps.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let remaining = self.remaining();
        match self.size {
            Size::Exact => SizeHint::with_exact(remaining),
            Size::Range => {
                let mut hint = SizeHint::new();
                hint.set_lower(remaining / 2);
                hint.set_upper(remaining + 10);
                hint
            }
            Size::Unknown => SizeHint::new(),
        }
    }
}

impl Resend for Body {
    fn try_clone(&self) -> Option<Self> {
        Some(self.clone())
    }
}

impl From<Bytes> for Body {
    fn from(data: Bytes) -> Self {
        if data.is_empty() { Self::empty() } else { Self::chunks([data]) }
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<Vec<u8>> for Body {
    fn from(data: Vec<u8>) -> Self {
        Bytes::from(data).into()
    }
}

// === impl Step ===

impl Step {
    fn promised(&self) -> u64 {
        match self {
            Self::Data(data) => data.len() as u64,
            Self::Stall | Self::Break(_) => 1,
            Self::Trailers(_) | Self::Pause | Self::Wait(_) | Self::End => 0,
        }
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data(data) => write!(f, "{data:?}"),
            Self::Trailers(trailers) => write!(f, "{trailers:?}"),
            Self::Pause => f.write_str("pause"),
            Self::Wait(_) => f.write_str("wait"),
            Self::Stall => f.write_str("stall"),
            Self::Break(failure) => write!(f, "{failure:?}"),
            Self::End => f.write_str("end"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body::Body as _;
    use http_body_util::BodyExt;

    #[tokio::test]
    async fn nothing_makes_a_body_without_frames() {
        let mut body = Body::from("");
        assert!(body.is_end_stream());
        assert!(body.frame().await.is_none());
    }

    #[tokio::test]
    async fn a_body_that_breaks_promises_more_and_ends_with_its_error() {
        let mut body = Body::chunks(["one"]).breaking().trailers([("x", "1")]);
        assert_eq!(body.size_hint().exact(), Some(4));
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "one");
        assert_eq!(body.frame().await.unwrap().unwrap_err().to_string(), Broken.to_string());
        assert!(body.frame().await.is_none());
    }

    #[tokio::test]
    async fn a_body_of_unknown_size_knows_its_end_only_after_it() {
        let mut body = Body::from("one").announcing(Size::Unknown).trailers([("x", "1")]);
        assert_eq!(body.size_hint().upper(), None);
        assert!(body.frame().await.unwrap().unwrap().is_data());
        assert!(body.frame().await.unwrap().unwrap().is_trailers());
        assert!(!body.is_end_stream());
        assert!(body.frame().await.is_none());
        assert!(body.is_end_stream());
    }

    #[tokio::test]
    async fn a_ranged_size_holds_before_and_after_each_frame() {
        let mut body = Body::chunks(["one", "", "seven"]).announcing(Size::Range);
        let mut left = 8;
        while !body.is_end_stream() {
            assert!(body.size_hint().lower() <= left && left <= body.size_hint().upper().unwrap());
            left -= body.frame().await.unwrap().unwrap().into_data().unwrap().len() as u64;
        }
        assert_eq!(left, 0);
    }
}
