//! One who reads a body together with others.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use httplib2_core::error::BoxError;
use httplib2_store::{Entry, StoredBody};
use tokio::time::{Sleep, sleep};

use super::{
    error::CollapseError,
    flight::Verdict,
    stream::{End, Held, Stream},
};

/// One who reads a body together with others, from its start.
pub(crate) struct Reader {
    stream: Arc<Stream>,
    /// The first caller has the number 0.
    number: usize,
    /// How many frames it has read, as long as it reads along.
    frames: u64,
    /// How many bytes it has read.
    offset: u64,
    /// Runs from when it first waits for others that are slow.
    patience: Option<Pin<Box<Sleep>>>,
    source: Source,
}

enum Source {
    /// What comes.
    Along,
    /// The rest of what is stored meanwhile.
    Opening(Pin<Box<dyn Future<Output = Option<StoredBody>> + Send>>),
    Stored(StoredBody),
    Over,
}

type Next = Option<Result<Frame<Bytes>, BoxError>>;

// === impl Reader ===

impl Reader {
    pub(super) fn new(stream: Arc<Stream>, number: usize) -> Self {
        Self { stream, number, frames: 0, offset: 0, patience: None, source: Source::Along }
    }

    pub(super) fn stream(&self) -> &Arc<Stream> {
        &self.stream
    }

    pub(crate) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        loop {
            let next = match &mut self.source {
                Source::Along => match ready!(self.poll_along(cx)) {
                    Ok(next) => next,
                    Err(entry) => {
                        self.read_on_from(entry);
                        continue;
                    }
                },
                Source::Opening(opening) => match ready!(opening.as_mut().poll(cx)) {
                    Some(body) => {
                        self.source = Source::Stored(body);
                        continue;
                    }
                    None => Some(Err(CollapseError::Behind.into())),
                },
                Source::Stored(body) => match ready!(Pin::new(body).poll_frame(cx)) {
                    Some(frame) => Some(frame.map_err(Into::into)),
                    // A range has none, and they are here.
                    None => self.stream.lock().trailers.clone().map(|trailers| Ok(Frame::trailers(trailers))),
                },
                Source::Over => None,
            };
            match &next {
                Some(Ok(frame)) => self.offset += frame.data_ref().map_or(0, |data| data.len() as u64),
                Some(Err(_)) | None => self.source = Source::Over,
            }
            if matches!(&next, Some(Ok(frame)) if frame.is_trailers()) {
                // Nothing follows them (RFC 9110 §6.5).
                self.source = Source::Over;
            }
            return Poll::Ready(next);
        }
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Along => {
                let state = self.stream.lock();
                state.is_over() && matches!(state.frame(self.frames), Held::Ahead) && state.trailers.is_none()
            }
            Source::Stored(body) => body.is_end_stream() && self.stream.lock().trailers.is_none(),
            Source::Opening(_) => false,
            Source::Over => true,
        }
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Along | Source::Opening(_) => self.stream.lock().size_hint(self.offset),
            Source::Stored(body) => body.size_hint(),
            Source::Over => SizeHint::with_exact(0),
        }
    }

    /// The next frame of what comes, or the entry to read on from.
    fn poll_along(&mut self, cx: &mut Context<'_>) -> Poll<Result<Next, Entry>> {
        let stream = &self.stream;
        let mut state = stream.lock();
        let mut waits = false;
        loop {
            match state.frame(self.frames) {
                Held::Frame(data) => {
                    self.frames += 1;
                    stream.note(&mut state, self.number, Some(self.offset + data.len() as u64));
                    return Poll::Ready(Ok(Some(Ok(Frame::data(data)))));
                }
                Held::Ahead => match &mut state.end {
                    Some(End::Whole) => {
                        return Poll::Ready(Ok(state.trailers.clone().map(|trailers| Ok(Frame::trailers(trailers)))));
                    }
                    Some(End::Broken(error)) => return Poll::Ready(Ok(Some(Err(broken(error.clone()))))),
                    None => {}
                },
                Held::Behind => match (stream.flight().verdict(), &state.end) {
                    (Some(Verdict::Stored(entry)), _) => return Poll::Ready(Err(entry)),
                    (_, Some(End::Broken(error))) => return Poll::Ready(Ok(Some(Err(broken(error.clone()))))),
                    (Some(_), _) => return Poll::Ready(Ok(Some(Err(CollapseError::Behind.into())))),
                    (None, _) => {}
                },
            }
            if matches!(state.frame(self.frames), Held::Behind) {
                stream.note(&mut state, self.number, None);
            }
            if !waits {
                // And looks again: what comes from now on wakes it.
                stream.flight().wakers.wait(self.number, cx.waker());
                waits = true;
                continue;
            }
            if !stream.has_room(&state) {
                stream.wait_for_others();
                if stream.has_room(&state) {
                    continue;
                }
                let wait = stream.settings().collapse.wait;
                ready!(self.patience.get_or_insert_with(|| Box::pin(sleep(wait))).as_mut().poll(cx));
                self.patience = None;
                stream.lose_patience(&mut state, self.number);
                continue;
            }
            if !stream.is_waited_for(&state) {
                // All have caught up, so the next wait is another one.
                self.patience = None;
            }
            ready!(stream.poll_next(&mut state));
            if state.reads_alone()
                && let Some(End::Broken(error)) = &mut state.end
                && let Some(error) = error.take()
            {
                // There is nobody else to get it, so it stays as it is.
                let error = Arc::try_unwrap(error).unwrap_or_else(|shared| broken(Some(shared)));
                return Poll::Ready(Ok(Some(Err(error))));
            }
        }
    }

    fn read_on_from(&mut self, entry: Entry) {
        let settings = Arc::clone(self.stream.settings());
        let range = self.offset..entry.length();
        let answer = settings.store.open_range(&self.stream.flight().name().key, &entry, range);
        self.source = Source::Opening(Box::pin(async move { settings.wait("reading", answer).await }));
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.stream.leave(self.number);
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("number", &self.number).field("offset", &self.offset).finish_non_exhaustive()
    }
}

fn broken(error: Option<Arc<BoxError>>) -> BoxError {
    error.map_or(CollapseError::Behind, CollapseError::Broken).into()
}
