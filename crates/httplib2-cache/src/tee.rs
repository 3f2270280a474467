//! A body that goes to the caller and to the store at the same time.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use httplib2_core::error::BoxError;
use httplib2_store::{Answer, Entry, Key, StoreError, Writer};
use tokio::time::{Sleep, sleep, timeout};

use crate::{background::Place, settings::Settings, splice::Broken, stock::complain};

/// A body that is stored while it is read. Dropped early, it is read to its end in the background if there is an
/// executor, or given up.
pub(crate) struct Tee(Option<Box<Recording>>);

struct Recording {
    source: Source,
    keeping: Keeping,
    /// What is stored if it breaks off.
    broken: Option<Box<Broken>>,
    /// How many bytes may still be stored.
    room: u64,
    /// What is stored and would be used instead, if this is not stored in its place. What took its place meanwhile is
    /// another entry, and stays.
    outdated: Option<(Key, Entry)>,
    /// Runs while the store keeps its caller waiting.
    waiting: Option<Pin<Box<Sleep>>>,
    settings: Arc<Settings>,
}

type Source = Pin<Box<dyn Body<Data = Bytes, Error = BoxError> + Send>>;

enum Keeping {
    Writing(Box<dyn Writer>),
    /// The body has come to its end, and the store makes it visible.
    Committing(Answer<Entry>),
    /// It is stored, or given up.
    Over,
}

// === impl Tee ===

impl Tee {
    pub(crate) fn new<R>(source: R, writer: Box<dyn Writer>, settings: Arc<Settings>) -> Self
    where
        R: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        Self::with(source, Keeping::Writing(writer), settings)
    }

    /// A body that is not stored.
    pub(crate) fn through<R>(source: R, settings: Arc<Settings>) -> Self
    where
        R: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        Self::with(source, Keeping::Over, settings)
    }

    fn with<R>(source: R, keeping: Keeping, settings: Arc<Settings>) -> Self
    where
        R: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let room = settings.max_object;
        let source: Source = Box::pin(source.map_err(Into::into));
        let recording = Recording { source, keeping, broken: None, room, outdated: None, waiting: None, settings };
        Self(Some(Box::new(recording)))
    }

    /// Says what must not be used any longer if this is not stored: nothing by default.
    pub(crate) fn in_place_of(mut self, outdated: Option<(Key, Entry)>) -> Self {
        if let Some(recording) = &mut self.0 {
            recording.outdated = outdated;
        }
        self
    }

    /// Says what is stored if the body breaks off: nothing by default.
    pub(crate) fn or_broken(mut self, broken: Option<Broken>) -> Self {
        if let Some(recording) = &mut self.0 {
            recording.broken = broken.map(Box::new);
        }
        self
    }

    /// Stores a body at once that is known to be empty: who gets it may never look for its end.
    pub(crate) async fn finish_if_empty(&mut self) {
        if let Some(recording) = &mut self.0
            && recording.source.is_end_stream()
        {
            recording.finish(None);
            poll_fn(|cx| recording.poll_committed(cx)).await;
        }
    }

    pub(crate) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some(recording) = &mut self.0 else { return Poll::Ready(None) };
        let frame = ready!(recording.poll_frame(cx));
        if !matches!(frame, Some(Ok(_))) {
            self.0 = None;
        }
        Poll::Ready(frame)
    }

    /// Whether what is left is worth being read when nobody wants it any more.
    pub(crate) fn is_worth_finishing(&self) -> bool {
        self.0.as_ref().is_some_and(|recording| recording.is_worth_finishing())
    }

    /// Drops the body for good: what there is of it may be kept as a part, but nothing more is read.
    pub(crate) fn abandon(mut self) {
        if let Some(mut recording) = self.0.take() {
            recording.break_off("nobody reads it to its end");
        }
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|recording| recording.is_end_stream())
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or_else(|| SizeHint::with_exact(0), |recording| recording.source.size_hint())
    }
}

impl Drop for Tee {
    fn drop(&mut self) {
        let Some(mut recording) = self.0.take() else { return };
        if let Some(executor) = recording.settings.executor.clone()
            && recording.is_worth_finishing()
            && let Some(place) = Place::take(&recording.settings)
        {
            executor.spawn(async move {
                let _place = place;
                recording.finish_in_background().await;
            });
        } else {
            recording.break_off("nobody reads it");
        }
    }
}

// === impl Recording ===

impl Recording {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        ready!(self.poll_room(cx));
        if matches!(self.keeping, Keeping::Committing(_)) {
            // All frames were handed on.
            ready!(self.poll_committed(cx));
            return Poll::Ready(None);
        }
        match ready!(self.source.as_mut().poll_frame(cx)) {
            Some(Ok(frame)) => {
                self.keep(&frame);
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(error)) => {
                self.break_off("the body broke off");
                Poll::Ready(Some(Err(error)))
            }
            None => {
                self.finish(None);
                ready!(self.poll_committed(cx));
                Poll::Ready(None)
            }
        }
    }

    /// Waits until the store can take in more, but not longer than the caller is patient: memory stays bounded
    /// because nothing is read meanwhile.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Keeping::Writing(writer) = &mut self.keeping else { return Poll::Ready(()) };
        match writer.poll_ready(cx) {
            Poll::Ready(Ok(())) => self.waiting = None,
            Poll::Ready(Err(error)) => self.fail(&error),
            Poll::Pending => {
                ready!(self.poll_patience(cx));
                self.give_up("the store is too slow");
            }
        }
        Poll::Ready(())
    }

    fn keep(&mut self, frame: &Frame<Bytes>) {
        let Keeping::Writing(writer) = &mut self.keeping else { return };
        if let Some(data) = frame.data_ref() {
            let Some(room) = self.room.checked_sub(data.len() as u64) else {
                return self.give_up("the body is too long");
            };
            self.room = room;
            if let Err(error) = writer.write(data.clone()) {
                return self.fail(&error);
            }
            if let Some(broken) = &mut self.broken {
                broken.note(data.len() as u64);
            }
            // Who knows that this was the last frame may not look for another one.
            if self.source.is_end_stream() {
                self.finish(None);
            }
        } else if let Some(trailers) = frame.trailers_ref() {
            // Nothing follows them (RFC 9110 §6.5).
            self.finish(Some(trailers.clone()));
        }
    }

    /// The body is whole: makes it visible.
    fn finish(&mut self, trailers: Option<HeaderMap>) {
        if let Some(broken) = self.broken.as_ref().filter(|broken| broken.is_short()) {
            let why = "the body is shorter than announced";
            return if broken.has_length { self.break_off(why) } else { self.give_up(why) };
        }
        let Keeping::Writing(writer) = std::mem::replace(&mut self.keeping, Keeping::Over) else { return };
        self.waiting = None;
        self.commit(writer.commit(trailers));
    }

    /// Makes visible what there is, if it is worth it.
    fn break_off(&mut self, why: &'static str) {
        if !matches!(self.keeping, Keeping::Writing(_)) {
            return;
        }
        let Some(head) = self.broken.take().and_then(|broken| broken.head()) else { return self.give_up(why) };
        if let Keeping::Writing(writer) = std::mem::replace(&mut self.keeping, Keeping::Over) {
            self.commit(writer.commit_part(head));
        }
    }

    fn commit(&mut self, answer: Answer<Entry>) {
        match (answer, self.settings.executor.clone()) {
            (Answer::Ready(result), _) => self.note(result),
            (pending, Some(executor)) => {
                let (settings, outdated) = (Arc::clone(&self.settings), self.outdated.take());
                executor.spawn(async move {
                    let committed = timeout(settings.background.time, pending).await;
                    if !committed.is_ok_and(is_stored)
                        && let Some((key, entry)) = outdated
                    {
                        settings.remove(&key, &entry).await;
                    }
                });
            }
            (pending, None) => self.keeping = Keeping::Committing(pending),
        }
    }

    fn note(&mut self, committed: Result<Entry, StoreError>) {
        if is_stored(committed) {
            self.outdated = None;
        }
    }

    /// Waits until what is whole is visible, but not longer than the caller is patient.
    fn poll_committed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Keeping::Committing(answer) = &mut self.keeping {
            match Pin::new(answer).poll(cx) {
                Poll::Ready(result) => self.note(result),
                Poll::Pending => ready!(self.poll_patience(cx)),
            }
            self.keeping = Keeping::Over;
            self.drop_outdated();
        }
        Poll::Ready(())
    }

    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let patience = self.settings.patience;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(waiting.as_mut().poll(cx));
        self.waiting = None;
        Poll::Ready(())
    }

    fn is_end_stream(&self) -> bool {
        self.source.is_end_stream() && !matches!(self.keeping, Keeping::Committing(_))
    }

    fn is_worth_finishing(&self) -> bool {
        let left = self.source.size_hint().lower();
        matches!(self.keeping, Keeping::Writing(_)) && left <= self.settings.background.bytes.min(self.room)
    }

    async fn finish_in_background(mut self: Box<Self>) {
        let budget = self.settings.background;
        let finished = timeout(budget.time, async {
            let mut left = budget.bytes;
            while let Some(Ok(frame)) = poll_fn(|cx| self.poll_frame(cx)).await {
                let length = frame.data_ref().map_or(0, |data| data.len() as u64);
                let Some(rest) = left.checked_sub(length) else { return };
                left = rest;
                if matches!(self.keeping, Keeping::Over) {
                    return;
                }
            }
        });
        let is_late = finished.await.is_err();
        self.break_off("it takes too long in the background");
        if is_late {
            tracing::debug!(target: "httplib2", layer = "cache", "a body came too slowly to be stored in the background");
        }
    }

    fn fail(&mut self, error: &StoreError) {
        complain("writing", error);
        self.keeping = Keeping::Over;
        self.drop_outdated();
    }

    /// What this body was to take the place of says how the resource was before.
    fn drop_outdated(&mut self) {
        if let Some((key, entry)) = self.outdated.take() {
            self.settings.remove_in_background(&key, &entry);
        }
    }

    fn give_up(&mut self, why: &'static str) {
        if !matches!(self.keeping, Keeping::Over) {
            tracing::debug!(target: "httplib2", layer = "cache", "not stored: {why}");
            self.keeping = Keeping::Over;
            self.drop_outdated();
        }
    }
}

impl Drop for Recording {
    /// Also where its reader went away.
    fn drop(&mut self) {
        self.drop_outdated();
    }
}

fn is_stored(committed: Result<Entry, StoreError>) -> bool {
    committed.inspect_err(|error| complain("storing", error)).is_ok()
}
