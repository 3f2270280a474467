//! The laws of a body that wraps another one.

mod cases;

use std::{
    fmt,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::{Arc, Weak},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use httplib2_core::error::{BoxError, is_caused_by};

use self::cases::{Case, cases};
use super::{Alarm, MAX_IDLE_POLLS, broken, in_paused_time, law};
use crate::{Body, Broken, gate::Gate};

const DATA_AND_TRAILERS: &str = "data and trailers come complete and in order";
const END_OF_STREAM: &str = "`is_end_stream` is never true while frames remain";
const SIZE_HINT: &str = "`size_hint` is true before and after each frame";
const WAKING: &str = "a body that is `Pending` wakes its reader, once there is something to read";
const ERRORS: &str = "body errors pass with their type and are no end";
const AFTER_THE_END: &str = "after the end there is nothing";
const DROPPING: &str = "dropping a body drops the one inside";

/// What [`body_laws`] is told of a body.
pub struct BodyLaws {
    feeding: Box<dyn Fn(&Bytes) -> Bytes>,
}

/// What reading a body to its end gave.
struct Read {
    /// The data of each frame.
    data: Vec<Bytes>,
    trailers: Option<HeaderMap>,
    error: Option<BoxError>,
    /// What the body said of its length before each frame and after the last one, and how many bytes had come.
    hints: Vec<(SizeHint, u64)>,
}

/// Checks what a body that wraps another one owes to its reader.
///
/// `wrap` wraps a body. It is fed with bodies that are empty, of one frame, of many, with empty frames, with and
/// without trailers, of known, roughly known and unknown length, that are there at once or make their reader
/// wait, and that break. The laws, by the names that a panic says:
///
/// | law | what is checked |
/// |---|---|
/// | data and trailers come complete and in order | for every shape |
/// | `is_end_stream` is never true while frames remain | before each frame, trailers too |
/// | `size_hint` is true before and after each frame | lower limit <= what comes <= upper limit |
/// | a body that is `Pending` wakes its reader, once there is something to read | no lost wake-up, no busy loop |
/// | body errors pass with their type and are no end | after as much data as came before |
/// | after the end there is nothing | no frame and no panic |
/// | dropping a body drops the one inside | after any number of frames |
///
/// It runs in a runtime of its own with paused time, so it is called in a plain `#[test]`.
///
/// ```
/// use http_body_util::Limited;
/// use httplib2_testing::{BodyLaws, body_laws};
///
/// body_laws(|body| Limited::new(body, 1_000_000), BodyLaws::new());
/// ```
///
/// # Panics
///
/// When a law is broken, with its name.
pub fn body_laws<R>(wrap: impl Fn(Body) -> R, laws: BodyLaws)
where
    R: http_body::Body<Data = Bytes, Error: Into<BoxError>>,
{
    in_paused_time(async {
        for case in cases() {
            let told = reads_whole(&wrap, &laws, case).await;
            drops_whole(&wrap, &laws, case, told).await;
            breaks(&wrap, &laws, case).await;
        }
    });
}

async fn reads_whole<R>(wrap: &impl Fn(Body) -> R, laws: &BodyLaws, case: Case) -> usize
where
    R: http_body::Body<Data = Bytes, Error: Into<BoxError>>,
{
    let expected = case.shape.content();
    let gate = Gate::default();
    let mut body = pin!(wrap(case.body(&laws.feed(&expected), &gate)));
    let read = read(body.as_mut(), &gate, case).await;
    if let Some(error) = read.error {
        broken(DATA_AND_TRAILERS, format_args!("{case}: reading failed: {error}"));
    }
    let data = read.data.concat();
    law(data == expected, DATA_AND_TRAILERS, || {
        format!(
            "{case}: {} bytes came, {} were to come{}",
            data.len(),
            expected.len(),
            first_difference(&data, &expected)
        )
    });
    let sum = read.trailers.as_ref().and_then(|trailers| trailers.get("x-sum"));
    law(sum.is_some() == case.trailers, DATA_AND_TRAILERS, || {
        format!("{case}: the trailers came as {:?}", read.trailers)
    });
    for (hint, before) in &read.hints {
        let left = expected.len() as u64 - before;
        let kept = hint.lower() <= left && hint.upper().is_none_or(|upper| left <= upper);
        law(kept, SIZE_HINT, || {
            let upper = hint.upper().map_or_else(|| "any number".to_owned(), |upper| upper.to_string());
            format!("{case}: after {before} bytes it said {} to {upper} more, {left} came", hint.lower())
        });
    }
    for _ in 0..2 {
        let after = poll_after(body.as_mut(), case);
        law(matches!(after, Poll::Ready(None)), AFTER_THE_END, || {
            format!("{case}: there was another frame, an error or `Pending`")
        });
    }
    read.hints.len()
}

/// Drops the body after each number of frames.
async fn drops_whole<R>(wrap: &impl Fn(Body) -> R, laws: &BodyLaws, case: Case, frames: usize)
where
    R: http_body::Body<Data = Bytes, Error: Into<BoxError>>,
{
    // Frame by frame is enough for bodies of a few frames; a long one is dropped near its start.
    for read in 0..frames.min(4) {
        let (gate, witness) = (Gate::default(), Arc::new(()));
        let dropped = Arc::downgrade(&witness);
        let inner = case.body(&laws.feed(&case.shape.content()), &gate).witnessed_by(witness);
        {
            let mut body = pin!(wrap(inner));
            for _ in 0..read {
                drop(next(body.as_mut(), &gate, case).await);
            }
        }
        law(Weak::strong_count(&dropped) == 0, DROPPING, || {
            format!("{case}: dropped after {read} frames, the inner one lives on")
        });
    }
}

async fn breaks<R>(wrap: &impl Fn(Body) -> R, laws: &BodyLaws, case: Case)
where
    R: http_body::Body<Data = Bytes, Error: Into<BoxError>>,
{
    let expected = case.shape.content();
    let fed = laws.feed(&expected);
    let gate = Gate::default();
    let mut chunks = case.shape.cut(&fed);
    chunks.truncate(chunks.len() / 2);
    let mut inner = Body::chunks(chunks).breaking();
    if case.waiting {
        inner = inner.waiting(&gate);
    }
    let mut body = pin!(wrap(inner.announcing(case.size)));
    let read = read(body.as_mut(), &gate, case).await;
    let data = read.data.concat();
    law(expected.starts_with(&data), DATA_AND_TRAILERS, || {
        format!("{case}: before the error came {} bytes that are not those of the start", data.len())
    });
    match read.error {
        None => broken(ERRORS, format_args!("{case}: after {} bytes an error became the end", data.len())),
        Some(error) => law(is_caused_by::<Broken>(&*error), ERRORS, || {
            format!("{case}: it came as {error:?}, in which its type cannot be found")
        }),
    }
    drop(poll_after(body, case));
}

/// Reads to the end or to the first error, and notes what the body said of itself on the way.
async fn read<R>(mut body: Pin<&mut R>, gate: &Gate, case: Case) -> Read
where
    R: http_body::Body<Data = Bytes, Error: Into<BoxError>>,
{
    let mut read = Read { data: Vec::new(), trailers: None, error: None, hints: Vec::new() };
    let mut bytes = 0;
    loop {
        read.hints.push((body.size_hint(), bytes));
        let at_end = body.is_end_stream();
        let next = next(body.as_mut(), gate, case).await;
        law(!at_end || next.is_none(), END_OF_STREAM, || {
            let what = match &next {
                Some(Ok(frame)) if frame.is_trailers() => "trailers",
                Some(Ok(_)) => "data",
                _ => "an error",
            };
            format!("{case}: after {bytes} bytes it was true, then came {what}")
        });
        match next {
            None => return read,
            Some(Err(error)) => {
                read.error = Some(error);
                return read;
            }
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => {
                    law(read.trailers.is_none(), DATA_AND_TRAILERS, || format!("{case}: data came behind trailers"));
                    bytes += data.len() as u64;
                    read.data.push(data);
                }
                Err(frame) => read.trailers = frame.into_trailers().ok(),
            },
        }
    }
}

/// The next frame. Opens the gate only when the body waits, and sees to it that the body then wakes its reader.
async fn next<R>(mut body: Pin<&mut R>, gate: &Gate, case: Case) -> Option<Result<Frame<Bytes>, BoxError>>
where
    R: http_body::Body<Data = Bytes, Error: Into<BoxError>>,
{
    let alarm = Arc::new(Alarm::default());
    let mut idle_polls = 0;
    loop {
        let rings = alarm.rings();
        let frame = alarm.poll(pin!(poll_fn(|cx| body.as_mut().poll_frame(cx))));
        if let Poll::Ready(frame) = frame {
            return frame.map(|frame| frame.map_err(Into::into));
        }
        if alarm.rings() == rings {
            idle_polls = 0;
            gate.open();
            law(alarm.rung().await, WAKING, || format!("{case}: its reader waits for ever"));
        } else {
            idle_polls += 1;
            law(idle_polls < MAX_IDLE_POLLS, WAKING, || {
                format!("{case}: it woke its reader {idle_polls} times although there was nothing to read")
            });
            alarm.rung().await;
        }
    }
}

/// Polls once after the end or after an error, where a panic is a breach like any other.
fn poll_after<R>(body: Pin<&mut R>, case: Case) -> Poll<Option<Result<Frame<Bytes>, R::Error>>>
where
    R: http_body::Body<Data = Bytes>,
{
    let poll = || body.poll_frame(&mut Context::from_waker(Waker::noop()));
    catch_unwind(AssertUnwindSafe(poll))
        .unwrap_or_else(|_| broken(AFTER_THE_END, format_args!("{case}: there was a panic")))
}

fn first_difference(came: &[u8], expected: &[u8]) -> String {
    let at = came.iter().zip(expected).position(|(came, expected)| came != expected);
    at.map(|at| format!("; they differ from byte {at} on")).unwrap_or_default()
}

// === impl BodyLaws ===

impl Default for BodyLaws {
    fn default() -> Self {
        Self { feeding: Box::new(Bytes::clone) }
    }
}

impl BodyLaws {
    /// For a body that yields the data of the one inside.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// For a body that changes the data: what must be fed to it so that it yields `data`. A compressor, for
    /// one that decompresses.
    #[must_use]
    pub fn feeding<D: Into<Bytes>>(mut self, feed: impl Fn(&[u8]) -> D + 'static) -> Self {
        self.feeding = Box::new(move |data| feed(data).into());
        self
    }

    fn feed(&self, data: &Bytes) -> Bytes {
        (self.feeding)(data)
    }
}

impl fmt::Debug for BodyLaws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BodyLaws(..)")
    }
}
