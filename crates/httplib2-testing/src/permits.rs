//! How many exchanges a scripted server takes on at a time.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

/// Permits of a server and its clones.
#[derive(Clone, Debug)]
pub(crate) struct Permits(Arc<Mutex<State>>);

/// One permit, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Permit(Permits);

#[derive(Debug)]
struct State {
    limit: usize,
    taken: usize,
    waiting: Vec<Waker>,
}

// === impl Permits ===

impl Permits {
    pub(crate) fn unlimited() -> Self {
        Self(Arc::new(Mutex::new(State { limit: usize::MAX, taken: 0, waiting: Vec::new() })))
    }

    pub(crate) fn set_limit(&self, limit: usize) {
        self.change(|state| state.limit = limit);
    }

    pub(crate) fn free(&self) -> usize {
        let state = self.lock();
        state.limit.saturating_sub(state.taken)
    }

    pub(crate) fn poll_take(&self, cx: &Context<'_>) -> Poll<Permit> {
        let mut state = self.lock();
        if state.taken < state.limit {
            state.taken += 1;
            return Poll::Ready(Permit(self.clone()));
        }
        if !state.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            state.waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Changes the state and lets everyone who waits look again; who still finds none waits again.
    fn change(&self, change: impl FnOnce(&mut State)) {
        let waiting = {
            let mut state = self.lock();
            change(&mut state);
            std::mem::take(&mut state.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Permit ===

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.change(|state| state.taken -= 1);
    }
}
