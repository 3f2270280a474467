//! A body that several callers read together while it is stored.

use std::{
    collections::VecDeque,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::SizeHint;
use httplib2_core::error::BoxError;
use tokio::time::timeout;

use super::{
    flight::{Flight, Outlook},
    reader::Reader,
};
use crate::{background::Place, settings::Settings, tee::Tee};

/// A body that several callers read together while it is stored.
///
/// Whoever has read all that has come polls it for the next frame, so the fastest sets the pace and nobody else has to
/// be polled. The frames are held for the others up to a number of bytes, even if all have read them: somebody may still
/// come. Who is further behind reads on from the store once the body is there.
pub(super) struct Stream {
    flight: Arc<Flight>,
    settings: Arc<Settings>,
    /// Whether the store has taken on a body of this length.
    is_length_known: bool,
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    /// `None` at its end, and when nobody wanted it any more.
    tee: Option<Tee>,
    /// What is held of it.
    frames: VecDeque<Bytes>,
    /// How many frames came before those.
    first: u64,
    /// How many bytes they have.
    held: u64,
    /// What they count of what may be held.
    weight: u64,
    /// How many bytes have come.
    came: u64,
    pub(super) trailers: Option<HeaderMap>,
    pub(super) end: Option<End>,
    readers: usize,
    /// How many bytes each reader has read, by its number; `None` for those who have left or are not waited for.
    read: Vec<Option<u64>>,
    /// Whether it is known that the store gave it up.
    is_lost: bool,
    /// Whether it is read in the background.
    is_finishing: bool,
}

/// How it ended.
#[derive(Clone)]
pub(super) enum End {
    Whole,
    /// With the error, unless there was only one to get it.
    Broken(Option<Arc<BoxError>>),
}

/// What there is of a frame.
pub(super) enum Held {
    Frame(Bytes),
    /// It has not come.
    Ahead,
    /// It is not held any more.
    Behind,
}

/// A place among the readers of a body for somebody who has not come yet.
pub(super) struct Seat {
    stream: Arc<Stream>,
    number: usize,
}

/// Reads on in the background. Dropped with nobody left to read, it drops the body.
struct Finishing {
    stream: Arc<Stream>,
    /// Whether somebody else reads again, who will see to it.
    is_relieved: bool,
    _place: Place,
}

/// All bodies together may hold so many times as much as one.
const BODIES: u64 = 16;

/// What a frame counts at least: many small ones take more memory than what is in them.
const LIGHTEST: u64 = 128;

// === impl Stream ===

impl Stream {
    /// The body, and its first reader.
    pub(super) fn open(tee: Tee, flight: Arc<Flight>, settings: Arc<Settings>, is_length_known: bool) -> Reader {
        let state = State { tee: Some(tee), readers: 1, read: vec![Some(0)], ..State::default() };
        let stream = Self { flight, settings, is_length_known, state: Mutex::new(state) };
        Reader::new(Arc::new(stream), 0)
    }

    /// Another reader, if all that has come is still held.
    pub(super) fn join(self: &Arc<Self>) -> Option<Reader> {
        self.enter(Some(0)).map(|number| Reader::new(Arc::clone(self), number))
    }

    /// Keeps the body for somebody who will join.
    pub(super) fn seat(self: &Arc<Self>) -> Option<Seat> {
        self.enter(None).map(|number| Seat { stream: Arc::clone(self), number })
    }

    /// The number of one more who wants the body. Who has `read` nothing yet may be waited for; with `None` he is not.
    fn enter(&self, read: Option<u64>) -> Option<usize> {
        let mut state = self.lock();
        let goes_on = state.tee.is_some() || matches!(state.end, Some(End::Whole));
        (goes_on && state.first == 0).then(|| {
            state.read.push(read);
            state.readers += 1;
            state.read.len() - 1
        })
    }

    /// One reader less.
    pub(super) fn leave(self: &Arc<Self>, number: usize) {
        self.flight.wakers.leave(number);
        let mut state = self.lock();
        state.readers -= 1;
        let had_room = self.has_room(&state);
        state.read[number] = None;
        if state.readers > 0 || state.is_finishing {
            drop(state);
            if !had_room {
                self.flight.wakers.wake_all();
            }
            return;
        }
        let is_worth_it = state.tee.as_ref().is_some_and(Tee::is_worth_finishing);
        if is_worth_it
            && let Some(executor) = &self.settings.executor
            && let Some(place) = Place::take(&self.settings)
        {
            state.is_finishing = true;
            drop(state);
            executor.spawn(Finishing { stream: Arc::clone(self), is_relieved: false, _place: place }.run());
            return;
        }
        let unwanted = state.tee.take();
        drop(state);
        if let Some(tee) = unwanted {
            tee.abandon();
        }
    }

    pub(super) fn flight(&self) -> &Flight {
        &self.flight
    }

    pub(super) fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the next frame from the body, or its end. Who asks must have said that it waits: when there is one, all
    /// who do are woken.
    pub(super) fn poll_next(&self, state: &mut State) -> Poll<()> {
        let Some(tee) = &mut state.tee else { return Poll::Pending };
        let waker = Waker::from(Arc::clone(&self.flight));
        match ready!(tee.poll_frame(&mut Context::from_waker(&waker))) {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) if data.is_empty() => {
                    // Nobody has anything of it, nor does anybody turn in circles where no other ever comes.
                    waker.wake_by_ref();
                    return Poll::Pending;
                }
                Ok(data) => self.hold(state, data),
                Err(frame) => state.trailers = frame.into_trailers().ok(),
            },
            Some(Err(error)) => {
                state.tee = None;
                state.end = Some(End::Broken(Some(Arc::new(error))));
            }
            None => {
                state.tee = None;
                state.end = Some(End::Whole);
            }
        }
        if state.tee.is_some() && !state.is_lost && self.flight.outlook() == Outlook::Lost {
            // The next ones need not begin what they cannot go on with.
            state.is_lost = true;
            let settings = &self.settings;
            settings.flights.passes.note(&self.flight.name().key, settings.clock.now());
        }
        Poll::Ready(())
    }

    /// Notes how much a reader has read, or that it fell behind, and wakes the others if they waited for it.
    pub(super) fn note(&self, state: &mut State, number: usize, read: Option<u64>) {
        let had_room = self.has_room(state);
        if number == 0 || state.read[number].is_some() {
            state.read[number] = read;
        }
        if !had_room && self.has_room(state) {
            self.flight.wakers.wake_others(number);
        }
    }

    /// Whether who has read all that has come may read on.
    pub(super) fn has_room(&self, state: &State) -> bool {
        let Some(read) = self.slowest(state) else { return true };
        let unread = state.came - read;
        unread == 0 || (unread < self.settings.collapse.buffer && !self.is_full(state))
    }

    /// Whether the body has to stay within reach of somebody who is behind. Nobody waits for him for long, or one who
    /// does not read would stop all others.
    pub(super) fn is_waited_for(&self, state: &State) -> bool {
        self.slowest(state).is_some_and(|read| read < state.came)
    }

    /// Waits no more for those who have not read what was there all the time: they read on from the store, if they can.
    pub(super) fn lose_patience(&self, state: &mut State, number: usize) {
        for read in &mut state.read {
            *read = read.filter(|read| *read == state.came);
        }
        self.flight.wakers.wake_others(number);
    }

    fn hold(&self, state: &mut State, data: Bytes) {
        let length = data.len() as u64;
        state.came += length;
        state.held += length;
        let more = weight(&data);
        state.weight += more;
        self.flight.flights().hold(more);
        state.frames.push_back(data);
        // The newest stays: it is what its reader came for.
        while state.frames.len() > 1 && self.is_full(state) && self.may_drop(state) {
            let Some(oldest) = state.frames.pop_front() else { break };
            state.first += 1;
            state.held -= oldest.len() as u64;
            let less = weight(&oldest);
            state.weight -= less;
            self.flight.flights().release(less, self.most_of_all());
        }
    }

    fn is_full(&self, state: &State) -> bool {
        state.weight > self.settings.collapse.buffer || self.is_crowded()
    }

    /// Whether all bodies together hold too much.
    fn is_crowded(&self) -> bool {
        self.flight.flights().held() > self.most_of_all()
    }

    /// How much all bodies together may hold.
    fn most_of_all(&self) -> u64 {
        self.settings.collapse.buffer.saturating_mul(BODIES)
    }

    /// Has those who wait here woken too when other bodies hold less. What matters has to be looked at again then.
    pub(super) fn wait_for_others(&self) {
        if self.is_crowded() {
            self.flight.flights().wait(&self.flight);
        }
    }

    /// Whether the oldest frame may go, though somebody may not have read it.
    fn may_drop(&self, state: &State) -> bool {
        let oldest = state.came - state.held;
        self.slowest(state).is_none_or(|read| read > oldest)
    }

    /// How far the slowest of those has read for whom the body must stay within reach; `None` if there are none.
    ///
    /// Nobody needs it that the store has, or has promised to take in as a whole. Otherwise the first caller does, who
    /// would have got it without the others. Once it is clear that the store will not have it, all do, for some time.
    fn slowest(&self, state: &State) -> Option<u64> {
        match self.flight.outlook() {
            Outlook::Stored => None,
            Outlook::Open if self.is_length_known => None,
            Outlook::Open => state.read.first().copied().flatten(),
            Outlook::Lost => state.read.iter().flatten().copied().min(),
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        let weight = state.weight;
        self.flight.flights().release(weight, self.most_of_all());
    }
}

fn weight(frame: &Bytes) -> u64 {
    (frame.len() as u64).max(LIGHTEST)
}

// === impl Seat ===

impl Drop for Seat {
    fn drop(&mut self) {
        self.stream.leave(self.number);
    }
}

// === impl State ===

impl State {
    /// The frame of this number.
    pub(super) fn frame(&self, number: u64) -> Held {
        let Some(at) = number.checked_sub(self.first) else { return Held::Behind };
        // No more frames are held than fit in memory.
        self.frames.get(at as usize).map_or(Held::Ahead, |data| Held::Frame(data.clone()))
    }

    /// Whether there is nothing after what has come.
    pub(super) fn is_over(&self) -> bool {
        self.tee.as_ref().is_none_or(Tee::is_end_stream) && !matches!(self.end, Some(End::Broken(_)))
    }

    /// What is to come for one who has read so many bytes.
    pub(super) fn size_hint(&self, offset: u64) -> SizeHint {
        let unread = self.came.saturating_sub(offset);
        let rest = self.tee.as_ref().map_or_else(|| SizeHint::with_exact(0), Tee::size_hint);
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(unread));
        if let Some(upper) = rest.upper().and_then(|upper| upper.checked_add(unread)) {
            hint.set_upper(upper);
        }
        hint
    }

    pub(super) fn reads_alone(&self) -> bool {
        self.readers == 1
    }
}

// === impl Finishing ===

impl Finishing {
    async fn run(mut self) {
        let stream = Arc::clone(&self.stream);
        let budget = stream.settings.background;
        let (number, most) = {
            let mut state = stream.lock();
            state.read.push(None);
            (state.read.len() - 1, state.came.saturating_add(budget.bytes))
        };
        let finished = timeout(budget.time, poll_fn(|cx| self.poll(cx, number, most)));
        if finished.await.is_err() {
            tracing::debug!(target: "httplib2", layer = "cache", "a body came too slowly to be stored in the background");
        }
        stream.flight.wakers.leave(number);
    }

    /// Reads until the end, until so many bytes have come, or until somebody else reads.
    fn poll(&mut self, cx: &mut Context<'_>, number: usize, most: u64) -> Poll<()> {
        let stream = &self.stream;
        stream.flight.wakers.wait(number, cx.waker());
        let mut state = stream.lock();
        while state.tee.is_some() && state.came <= most && stream.flight.outlook() == Outlook::Open {
            if state.readers > 0 {
                state.is_finishing = false;
                self.is_relieved = true;
                break;
            }
            ready!(stream.poll_next(&mut state));
        }
        Poll::Ready(())
    }
}

impl Drop for Finishing {
    fn drop(&mut self) {
        if self.is_relieved {
            return;
        }
        let mut state = self.stream.lock();
        state.is_finishing = false;
        let unwanted = if state.readers == 0 { state.tee.take() } else { None };
        drop(state);
        if let Some(tee) = unwanted {
            tee.abandon();
        }
    }
}
