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
    /// How many there are beside, of keys that are not known because there were too many: it may be any.
    unknown: usize,
    /// The last of those.
    last_unknown: u64,
    /// Up to which number they do not count any more, whatever is said of them.
    cleared: u64,
    last: u64,
}

/// An invalidation that is not confirmed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unconfirmed {
    number: u64,
    is_known: bool,
}

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
        let is_known = state.keys.len() < MOST || state.keys.contains_key(key);
        if is_known {
            state.keys.insert(key.clone(), number);
        } else {
            state.unknown += 1;
            state.last_unknown = number;
        }
        self.any.store(true, Ordering::Release);
        Unconfirmed { number, is_known }
    }

    /// The store has done it, and all before it of the same key.
    pub(crate) fn confirm(&self, key: &Key, Unconfirmed { number, is_known }: Unconfirmed) {
        let mut state = self.lock();
        if !is_known && number > state.cleared {
            state.unknown = state.unknown.saturating_sub(1);
        }
        if state.keys.get(key).is_some_and(|last| *last <= number) {
            state.keys.remove(key);
        }
        self.any.store(state.is_any(), Ordering::Release);
    }

    /// The number of the last one. It has to be asked before all is dropped, to be given to
    /// [`confirm_all`](Self::confirm_all).
    pub(crate) fn last(&self) -> u64 {
        self.lock().last
    }

    /// The store has dropped everything that this number and those before it were about.
    pub(crate) fn confirm_all(&self, number: u64) {
        let mut state = self.lock();
        state.keys.retain(|_, last| *last > number);
        // With one that came meanwhile it is not known how many are left, so they stay until the next time.
        if state.last_unknown <= number {
            state.unknown = 0;
            state.cleared = number;
        }
        self.any.store(state.is_any(), Ordering::Release);
    }

    pub(crate) fn doubt(&self, key: &Key) -> Doubt {
        if !self.any.load(Ordering::Acquire) {
            return Doubt::None;
        }
        let state = self.lock();
        match state.keys.contains_key(key) {
            _ if state.unknown > 0 => Doubt::All,
            true => Doubt::Key,
            false => Doubt::None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl State ===

impl State {
    fn is_any(&self) -> bool {
        self.unknown > 0 || !self.keys.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key::from_text(format!("http://a.example/{name}"))
    }

    fn key_of_none() -> Key {
        key("never changed")
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
        assert_eq!(untrue.doubt(&key_of_none()), Doubt::All);
        assert_eq!(untrue.lock().keys.len(), MOST);
        let before = untrue.last();
        untrue.add(&key("late"));
        untrue.confirm_all(before);
        assert_eq!(untrue.doubt(&key("late")), Doubt::All);
        untrue.confirm_all(untrue.last());
        assert_eq!(untrue.doubt(&key("late")), Doubt::None);
    }

    #[test]
    fn too_many_that_are_all_confirmed_leave_no_doubt() {
        let untrue = Untrue::default();
        let keys: Vec<_> = (0..MOST + 10).map(|n| key(&n.to_string())).collect();
        let all: Vec<_> = keys.iter().map(|key| untrue.add(key)).collect();
        for (at, (key, unconfirmed)) in keys.iter().zip(&all).enumerate().rev() {
            assert_eq!(untrue.doubt(&key_of_none()), if at < MOST { Doubt::None } else { Doubt::All });
            untrue.confirm(key, *unconfirmed);
        }
        assert!(!untrue.any.load(Ordering::Acquire));
    }

    #[test]
    fn what_was_cleared_away_does_not_confirm_what_came_later() {
        let untrue = Untrue::default();
        for n in 0..MOST {
            untrue.add(&key(&n.to_string()));
        }
        let early = untrue.add(&key("early"));
        untrue.confirm_all(untrue.last());
        assert_eq!(untrue.doubt(&key_of_none()), Doubt::None);
        for n in 0..MOST {
            untrue.add(&key(&n.to_string()));
        }
        let late = untrue.add(&key("late"));
        untrue.confirm(&key("early"), early);
        assert_eq!(untrue.doubt(&key_of_none()), Doubt::All);
        untrue.confirm(&key("late"), late);
        assert_eq!(untrue.doubt(&key_of_none()), Doubt::None);
    }
}
