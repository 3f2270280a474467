//! The response body: the coded one, decoded while it streams.

use std::{
    fmt, mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Extensions, HeaderMap};
use http_body::{Body, Frame, SizeHint};
use httplib2_core::{context::Journal, error::BoxError};
use pin_project_lite::pin_project;

use crate::{
    chain::{Chain, Progress},
    frames::Frames,
};

pin_project! {
    /// The body of a response, decoded while it streams if it was coded.
    ///
    /// Whatever has arrived is decoded and handed on before more is waited for. Trailers stay. It fails with a
    /// [`DecodeError`](crate::DecodeError); errors of the inner body pass through as they are.
    pub struct DecodedBody<R> {
        #[pin]
        inner: R,
        // `None` hands the inner body through.
        decoder: Option<Box<Decoder>>,
    }
}

struct Decoder {
    chain: Chain,
    frames: Frames,
    /// What the inner body gave after its data.
    trailers: Option<HeaderMap>,
    state: State,
    /// Extensions with the journal of the request, if it has one.
    journal: Extensions,
}

enum State {
    Reading,
    /// All data were handed on; this is left.
    Ending(Last),
    Ended,
}

enum Last {
    Nothing,
    Trailers(HeaderMap),
    Error(BoxError),
}

// === impl DecodedBody ===

impl<R> DecodedBody<R> {
    pub(crate) fn untouched(inner: R) -> Self {
        Self { inner, decoder: None }
    }

    pub(crate) fn decoding(inner: R, chain: Chain, journal: Extensions) -> Self {
        let decoder = Decoder { chain, frames: Frames::growing(), trailers: None, state: State::Reading, journal };
        Self { inner, decoder: Some(Box::new(decoder)) }
    }
}

impl<R> Body for DecodedBody<R>
where
    R: Body<Data = Bytes, Error: Into<BoxError>>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.project();
        match this.decoder {
            Some(decoder) => decoder.poll_frame(this.inner, cx),
            None => Poll::Ready(ready!(this.inner.poll_frame(cx)).map(|frame| frame.map_err(Into::into))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.decoder {
            Some(decoder) => decoder.is_end_stream(&self.inner),
            None => self.inner.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.decoder {
            Some(decoder) if decoder.is_end_stream(&self.inner) => SizeHint::with_exact(0),
            // What the coded bytes decode to is known only afterwards.
            Some(_) => SizeHint::default(),
            None => self.inner.size_hint(),
        }
    }
}

impl<R: fmt::Debug> fmt::Debug for DecodedBody<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecodedBody").field("inner", &self.inner).field("is_decoding", &self.decoder.is_some()).finish()
    }
}

// === impl Decoder ===

impl Decoder {
    fn poll_frame<R>(
        &mut self,
        mut inner: Pin<&mut R>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>>
    where
        R: Body<Data = Bytes, Error: Into<BoxError>>,
    {
        loop {
            if !matches!(self.state, State::Reading) {
                return Poll::Ready(self.last_frame());
            }
            match self.chain.decode(self.frames.space()) {
                Ok(Progress::Full) => return self.data(),
                Ok(Progress::Hungry) => match inner.as_mut().poll_frame(cx) {
                    // Only now, so that small pieces that have arrived together leave together.
                    Poll::Pending if !self.frames.is_empty() => return self.data(),
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(None) => self.chain.end(),
                    Poll::Ready(Some(Err(error))) => self.state = State::Ending(Last::Error(error.into())),
                    Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                        Ok(data) => self.chain.feed(data),
                        Err(frame) => {
                            self.trailers = frame.into_trailers().ok();
                            self.chain.end();
                        }
                    },
                },
                Ok(Progress::Ended) => {
                    self.note_ignored();
                    self.state = State::Ending(self.trailers.take().map_or(Last::Nothing, Last::Trailers));
                }
                Err(error) => {
                    if error.kind.is_limit() {
                        // Nobody gets more than the limit allows.
                        self.frames.clear();
                    }
                    self.state = State::Ending(Last::Error(error.into()));
                }
            }
            if !matches!(self.state, State::Reading) && !self.frames.is_empty() {
                return self.data();
            }
        }
    }

    fn data(&mut self) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Poll::Ready(Some(Ok(Frame::data(self.frames.take()))))
    }

    fn last_frame(&mut self) -> Option<Result<Frame<Bytes>, BoxError>> {
        match mem::replace(&mut self.state, State::Ended) {
            State::Ending(Last::Trailers(trailers)) => Some(Ok(Frame::trailers(trailers))),
            State::Ending(Last::Error(error)) => Some(Err(error)),
            _ => None,
        }
    }

    fn is_end_stream<R: Body>(&self, inner: &R) -> bool {
        match self.state {
            State::Reading => {
                inner.is_end_stream() && self.trailers.is_none() && self.frames.is_empty() && self.chain.is_complete()
            }
            State::Ending(Last::Nothing) | State::Ended => true,
            State::Ending(_) => false,
        }
    }

    fn note_ignored(&self) {
        let ignored = self.chain.ignored();
        if ignored > 0 {
            let fact = format_args!("{ignored} bytes after the end of the coded data were passed over");
            Journal::record(&self.journal, "decompression", &fact);
        }
    }
}
