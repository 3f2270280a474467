//! One fetch that several callers share.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Wake,
};

use httplib2_store::{Entry, Generation, Head, StoreError, Writer};
use tokio::sync::oneshot;

use super::{
    flights::{Flights, Name},
    stream::{Seat, Stream},
    wakers::Wakers,
    watched::Watched,
};
use crate::policy::Failure;

/// One fetch that several callers share. It is its own waker: of all who read its body, because whoever of them
/// polled last may never do so again.
pub(crate) struct Flight {
    name: Name,
    /// What the look-up saw that it comes of.
    generation: Generation,
    flights: Arc<Flights>,
    progress: Mutex<Progress>,
    pub(super) wakers: Wakers,
}

struct Progress {
    stage: Stage,
    /// Those who wait for the next one. Each is told for itself, so that who is slow to take it up may still have an
    /// answer that has come to its end meanwhile.
    waiting: Vec<oneshot::Sender<Stage>>,
    /// What is being stored, until it is published.
    storing: Option<Storing>,
}

/// How far it is.
#[derive(Clone)]
pub(super) enum Stage {
    /// The answer has not come.
    Asking,
    /// The answer is being stored, and may be read along.
    Arriving(Arriving),
    /// Nobody can join it any more.
    Over(Verdict),
}

/// What it was good for.
#[derive(Clone)]
pub(super) enum Verdict {
    /// The answer is stored.
    Stored(Entry),
    /// What is stored is not what it was: it is worth while to look again.
    Changed,
    /// The answer was a failure in whose place something stale may be served.
    Failed(Failure),
    /// Nothing that is of use to others.
    Nothing,
}

/// What is to be expected of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outlook {
    /// It takes the body in.
    Open,
    /// It has it.
    Stored,
    /// It will not have it.
    Lost,
}

/// An answer that is being stored.
#[derive(Clone)]
pub(super) struct Arriving {
    /// As it will be in the store.
    pub(super) entry: Entry,
    pub(super) stream: Arc<Stream>,
    /// Keeps the body for those who were told of it and have not joined yet, although the first caller may be gone.
    _seat: Option<Arc<Seat>>,
}

pub(super) struct Storing {
    pub(super) head: Head,
    pub(super) length: Option<u64>,
}

/// A fetch that has no answer yet. Dropped without one, whoever waits goes alone.
pub(crate) struct Takeoff(Arc<Flight>);

// === impl Flight ===

impl Flight {
    pub(super) fn new(name: Name, generation: Generation, flights: Arc<Flights>) -> Self {
        let progress = Progress { stage: Stage::Asking, waiting: Vec::new(), storing: None };
        Self { name, generation, flights, progress: Mutex::new(progress), wakers: Wakers::default() }
    }

    /// Notes that the answer is being stored under this head, and looks on.
    pub(crate) fn watch(self: &Arc<Self>, writer: Box<dyn Writer>, head: Head, length: Option<u64>) -> Box<dyn Writer> {
        self.lock().storing = Some(Storing { head, length });
        Box::new(Watched::new(writer, Arc::clone(self)))
    }

    pub(super) fn name(&self) -> &Name {
        &self.name
    }

    pub(super) fn generation(&self) -> Generation {
        self.generation
    }

    pub(super) fn flights(&self) -> &Flights {
        &self.flights
    }

    /// Waits for the head of the answer. `None` if it is lost.
    pub(super) async fn answered(&self) -> Option<Stage> {
        self.reached(|stage| !matches!(stage, Stage::Asking)).await
    }

    /// Waits until it is over.
    pub(super) async fn ended(&self) -> Option<Stage> {
        self.reached(|stage| matches!(stage, Stage::Over(_))).await
    }

    async fn reached(&self, is_such: impl Fn(&Stage) -> bool) -> Option<Stage> {
        let next = {
            let mut progress = self.lock();
            if is_such(&progress.stage) {
                return Some(progress.stage.clone());
            }
            if progress.waiting.len() == progress.waiting.capacity() {
                progress.waiting.retain(|one| !one.is_closed());
            }
            let (sender, receiver) = oneshot::channel();
            progress.waiting.push(sender);
            receiver
        };
        next.await.ok()
    }

    pub(super) fn verdict(&self) -> Option<Verdict> {
        match &self.lock().stage {
            Stage::Over(verdict) => Some(verdict.clone()),
            Stage::Asking | Stage::Arriving(_) => None,
        }
    }

    pub(super) fn outlook(&self) -> Outlook {
        match &self.lock().stage {
            Stage::Asking | Stage::Arriving(_) => Outlook::Open,
            Stage::Over(Verdict::Stored(_)) => Outlook::Stored,
            Stage::Over(_) => Outlook::Lost,
        }
    }

    /// What is being stored, once.
    pub(super) fn take_storing(&self) -> Option<Storing> {
        self.lock().storing.take()
    }

    /// Lets all who wait, and who come, read the answer along.
    pub(super) fn publish(&self, arriving: Arriving) {
        let seat = if self.lock().waiting.is_empty() { None } else { arriving.stream.seat().map(Arc::new) };
        let seated = Arriving { _seat: seat, ..arriving.clone() };
        let is_due = |stage: &Stage| matches!(stage, Stage::Asking);
        self.proceed_with(Stage::Arriving(arriving), &Stage::Arriving(seated), is_due);
    }

    /// Ends it, unless it is over.
    pub(super) fn end(&self, verdict: Verdict) {
        // Before anybody is told: who looks again may not meet it again.
        self.flights.leave(self);
        self.proceed(Stage::Over(verdict), |stage| !matches!(stage, Stage::Over(_)));
        self.wakers.wake_all();
    }

    fn proceed(&self, next: Stage, may: impl Fn(&Stage) -> bool) {
        let told = next.clone();
        self.proceed_with(next, &told, may);
    }

    /// Goes on to the next stage, and tells those who wait another form of it.
    fn proceed_with(&self, next: Stage, told: &Stage, may: impl Fn(&Stage) -> bool) {
        let (before, waiting) = {
            let mut progress = self.lock();
            if !may(&progress.stage) {
                return;
            }
            let before = std::mem::replace(&mut progress.stage, next);
            (before, std::mem::take(&mut progress.waiting))
        };
        for one in waiting {
            drop(one.send(told.clone()));
        }
        // Not under the lock: with it goes what was held for those who might have come.
        drop(before);
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn end_of_storing(&self, result: &Result<Entry, StoreError>) {
        self.end(match result {
            Ok(entry) => Verdict::Stored(entry.clone()),
            // There is something newer, or nothing may be stored any more.
            Err(StoreError::Superseded) => Verdict::Changed,
            Err(_) => Verdict::Nothing,
        });
    }
}

impl Wake for Flight {
    fn wake(self: Arc<Self>) {
        self.wakers.wake_all();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wakers.wake_all();
    }
}

impl fmt::Debug for Flight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flight").field("name", &self.name).finish_non_exhaustive()
    }
}

// === impl Arriving ===

impl Arriving {
    pub(super) fn new(entry: Entry, stream: Arc<Stream>) -> Self {
        Self { entry, stream, _seat: None }
    }
}

// === impl Takeoff ===

impl Takeoff {
    pub(super) fn new(flight: Arc<Flight>) -> Self {
        Self(flight)
    }

    pub(super) fn flight(&self) -> &Arc<Flight> {
        &self.0
    }
}

impl Drop for Takeoff {
    fn drop(&mut self) {
        if matches!(self.0.lock().stage, Stage::Asking) {
            self.0.end(Verdict::Nothing);
        }
    }
}
