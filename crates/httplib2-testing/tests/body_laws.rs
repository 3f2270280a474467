//! The laws of a body let a correct one pass, and catch each fault by the name of the law.

mod common;

use std::{
    mem::ManuallyDrop,
    pin::Pin,
    task::{Context, Poll, Waker, ready},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::{BodyExt, Limited};
use httplib2_core::{
    body::{Once, ReplayBody},
    error::BoxError,
};
use httplib2_testing::{Body, BodyLaws, body_laws};

use common::assert_broken;

/// A body that forwards another one, with at most one fault.
struct Faulty {
    inner: ManuallyDrop<Body>,
    fault: Fault,
    at_start: SizeHint,
    ended: bool,
    swapped: Option<Bytes>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    LosesTrailers,
    LosesEveryOtherFrame,
    SwapsFrames,
    EndsBeforeTheTrailers,
    EndsOneFrameEarly,
    PromisesTooMuch,
    PromisesTooLittle,
    ForgetsToCount,
    NeverWakesItsReader,
    WakesItsReaderAllTheTime,
    EndsWhenBroken,
    LosesTheTypeOfErrors,
    YieldsAfterTheEnd,
    PanicsAfterTheEnd,
    KeepsTheInnerBody,
}

fn faulty(fault: Fault) -> impl Fn(Body) -> Faulty {
    move |inner| {
        let at_start = inner.size_hint();
        Faulty { inner: ManuallyDrop::new(inner), fault, at_start, ended: false, swapped: None }
    }
}

#[test]
fn a_correct_body_keeps_every_law() {
    body_laws(faulty(Fault::None), BodyLaws::new());
}

#[test]
fn the_bodies_of_others_keep_every_law() {
    body_laws(|body| body, BodyLaws::new());
    body_laws(Once::new, BodyLaws::new());
    body_laws(|body| ReplayBody::new(body, 1_000_000), BodyLaws::new());
    body_laws(|body| Limited::new(body, 1_000_000), BodyLaws::new());
    body_laws(BodyExt::boxed_unsync, BodyLaws::new());
}

#[test]
fn a_body_that_changes_its_data_is_fed_what_it_changes_back() {
    let flip = |data: &[u8]| data.iter().map(|byte| !byte).collect::<Vec<_>>();
    let flipped = move |body: Body| body.map_frame(move |frame| frame.map_data(|data| Bytes::from(flip(&data))));
    body_laws(flipped, BodyLaws::new().feeding(flip));
    assert_broken("data and trailers come complete and in order", "it was not fed that", || {
        body_laws(flipped, BodyLaws::new());
    });
}

#[test]
fn every_fault_is_caught_by_the_law_named_for_it() {
    for (fault, law) in [
        (Fault::LosesTrailers, "data and trailers come complete and in order"),
        (Fault::LosesEveryOtherFrame, "data and trailers come complete and in order"),
        (Fault::SwapsFrames, "data and trailers come complete and in order"),
        (Fault::EndsBeforeTheTrailers, "`is_end_stream` is never true while frames remain"),
        (Fault::EndsOneFrameEarly, "`is_end_stream` is never true while frames remain"),
        (Fault::PromisesTooMuch, "`size_hint` is true before and after each frame"),
        (Fault::PromisesTooLittle, "`size_hint` is true before and after each frame"),
        (Fault::ForgetsToCount, "`size_hint` is true before and after each frame"),
        (Fault::NeverWakesItsReader, "a body that is `Pending` wakes its reader, once there is something to read"),
        (Fault::WakesItsReaderAllTheTime, "a body that is `Pending` wakes its reader, once there is something to read"),
        (Fault::EndsWhenBroken, "body errors pass with their type and are no end"),
        (Fault::LosesTheTypeOfErrors, "body errors pass with their type and are no end"),
        (Fault::YieldsAfterTheEnd, "after the end there is nothing"),
        (Fault::PanicsAfterTheEnd, "after the end there is nothing"),
        (Fault::KeepsTheInnerBody, "dropping a body drops the one inside"),
    ] {
        assert_broken(law, &format!("{fault:?}"), || body_laws(faulty(fault), BodyLaws::new()));
    }
}

// === impl Faulty ===

impl Faulty {
    fn poll_inner(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut *self.inner).poll_frame(cx)
    }
}

impl http_body::Body for Faulty {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        if this.ended {
            return match this.fault {
                Fault::YieldsAfterTheEnd => Poll::Ready(Some(Ok(Frame::trailers(HeaderMap::new())))),
                Fault::PanicsAfterTheEnd => panic!("polled after the end"),
                _ => Poll::Ready(None),
            };
        }
        let polled = match this.fault {
            Fault::NeverWakesItsReader => this.poll_inner(&mut Context::from_waker(Waker::noop())),
            _ => this.poll_inner(cx),
        };
        if polled.is_pending() && this.fault == Fault::WakesItsReaderAllTheTime {
            cx.waker().wake_by_ref();
        }
        let mut frame = ready!(polled);
        match (this.fault, &frame) {
            (Fault::LosesTrailers, Some(Ok(trailers))) if trailers.is_trailers() => frame = None,
            (Fault::LosesEveryOtherFrame, Some(Ok(data))) if data.is_data() => {
                frame = ready!(this.poll_inner(cx));
            }
            (Fault::SwapsFrames, Some(Ok(data))) if data.is_data() && this.swapped.is_none() => {
                let first = data.data_ref().expect("it is data").clone();
                this.swapped = Some(Bytes::new());
                frame = ready!(this.poll_inner(cx));
                if let Some(Ok(second)) = frame {
                    frame = Some(Ok(match second.into_data() {
                        Ok(second) => Frame::data([second, first].concat().into()),
                        Err(trailers) => trailers,
                    }));
                } else {
                    frame = Some(Ok(Frame::data(first)));
                }
            }
            (Fault::EndsWhenBroken, Some(Err(_))) => frame = None,
            (Fault::LosesTheTypeOfErrors, Some(Err(error))) => frame = Some(Err(error.to_string().into())),
            _ => {}
        }
        this.ended = frame.is_none();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match self.fault {
            Fault::EndsBeforeTheTrailers => self.inner.size_hint().exact() == Some(0),
            Fault::EndsOneFrameEarly => self.inner.size_hint().upper().is_some_and(|upper| upper < 1_000),
            _ => self.inner.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = self.inner.size_hint();
        match self.fault {
            Fault::PromisesTooMuch => hint = SizeHint::with_exact(hint.lower() + 1),
            Fault::PromisesTooLittle => hint = SizeHint::with_exact(0),
            Fault::ForgetsToCount => hint = self.at_start,
            _ => {}
        }
        hint
    }
}

impl Drop for Faulty {
    fn drop(&mut self) {
        if self.fault != Fault::KeepsTheInnerBody {
            drop(std::mem::take(&mut *self.inner));
        }
    }
}
