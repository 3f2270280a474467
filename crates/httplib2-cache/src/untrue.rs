//! What may not be used although the store may still have it.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use httplib2_store::Key;

/// The keys whose invalidation the store has not confirmed: it is under way, it failed, or nobody waited for it.
///
/// A store that cannot be written to for a while must not bring back what a change made untrue (RFC 9111 §4.4).
#[derive(Debug, Default)]
pub(crate) struct Untrue {
    /// Whether there is any, so that look-ups need no lock.
    any: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The last invalidation of each key that is not confirmed.
    keys: HashMap<Key, u64>,
    /// There were too many to know them all, so it may be any key.
    all: bool,
    last: u64,
}

/// An invalidation that is not confirmed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unconfirmed(u64);

/// Whose invalidation is not confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doubt {
    None,
    Key,
    All,
}

/// How many keys are remembered. A key is some hundred bytes.
const MOST: usize = 1024;

// === impl Untrue ===

impl Untrue {
    pub(crate) fn add(&self, key: &Key) -> Unconfirmed {
        let mut state = self.lock();
        state.last += 1;
        let number = state.last;
        if state.keys.len() < MOST || state.keys.contains_key(key) {
            state.keys.insert(key.clone(), number);
        } else {
            state.all = true;
        }
        self.any.store(true, Ordering::Release);
        Unconfirmed(number)
    }

    /// The store has done it, and all before it of the same key.
    pub(crate) fn confirm(&self, key: &Key, Unconfirmed(number): Unconfirmed) {
        let mut state = self.lock();
        if state.keys.get(key).is_some_and(|last| *last <= number) {
            state.keys.remove(key);
        }
        self.any.store(state.all || !state.keys.is_empty(), Ordering::Release);
    }

    /// What has to be asked before all is dropped, to be given to [`confirm_all`](Self::confirm_all).
    pub(crate) fn last(&self) -> Unconfirmed {
        Unconfirmed(self.lock().last)
    }

    /// The store has dropped everything.
    pub(crate) fn confirm_all(&self, Unconfirmed(number): Unconfirmed) {
        let mut state = self.lock();
        state.keys.retain(|_, last| *last > number);
        // One that came meanwhile may be among those that are not known.
        state.all &= state.last > number;
        self.any.store(state.all || !state.keys.is_empty(), Ordering::Release);
    }

    pub(crate) fn doubt(&self, key: &Key) -> Doubt {
        if !self.any.load(Ordering::Acquire) {
            return Doubt::None;
        }
        let state = self.lock();
        match state.keys.contains_key(key) {
            _ if state.all => Doubt::All,
            true => Doubt::Key,
            false => Doubt::None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key::from_text(format!("http://a.example/{name}"))
    }

    #[test]
    fn a_key_is_in_doubt_until_its_last_invalidation_is_confirmed() {
        let (untrue, key, other) = (Untrue::default(), key("1"), key("2"));
        let first = untrue.add(&key);
        let second = untrue.add(&key);
        assert_eq!((untrue.doubt(&key), untrue.doubt(&other)), (Doubt::Key, Doubt::None));
        untrue.confirm(&key, first);
        assert_eq!(untrue.doubt(&key), Doubt::Key);
        untrue.confirm(&key, second);
        assert_eq!(untrue.doubt(&key), Doubt::None);
    }

    #[test]
    fn of_too_many_invalidations_none_is_forgotten() {
        let untrue = Untrue::default();
        for n in 0..=MOST {
            untrue.add(&key(&n.to_string()));
        }
        assert_eq!(untrue.doubt(&key("never changed")), Doubt::All);
        assert_eq!(untrue.lock().keys.len(), MOST);
        let before = untrue.last();
        untrue.add(&key("late"));
        untrue.confirm_all(before);
        assert_eq!(untrue.doubt(&key("late")), Doubt::All);
        untrue.confirm_all(untrue.last());
        assert_eq!(untrue.doubt(&key("late")), Doubt::None);
    }
}
