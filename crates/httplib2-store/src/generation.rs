//! What keeps a late answer from undoing an invalidation.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use crate::Key;

/// The state of a key that a look-up saw. What is stored later on behalf of it is refused when the key was
/// invalidated in between.
///
/// A PUT that succeeds while a GET of the same URI is under way makes what that GET brings unfit to be stored: it
/// may show the resource as it was before (RFC 9111 §4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generation(u64);

/// Counts the invalidations of all keys in a fixed amount of memory (8 KiB).
///
/// Keys share counters by their hash. That two of them meet only means that now and then something is not stored
/// that could have been. Stores that act as one, such as two tiers, share one of these.
pub struct Generations(Box<[AtomicU64; COUNTERS]>);

const COUNTERS: usize = 1024;

// === impl Generations ===

impl Generations {
    /// Counters at zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The generation of a key. To be taken before the key is looked up.
    #[must_use]
    pub fn of(&self, key: &Key) -> Generation {
        Generation(self.counter(key).load(Ordering::Acquire))
    }

    /// Whether the key has not been invalidated since the generation was taken.
    ///
    /// A store asks while it holds the lock under which it invalidates, otherwise an invalidation may slip in between
    /// asking and storing.
    #[must_use]
    pub fn is_current(&self, key: &Key, generation: Generation) -> bool {
        self.of(key) == generation
    }

    /// Ends the generation of a key.
    pub fn end(&self, key: &Key) {
        self.counter(key).fetch_add(1, Ordering::AcqRel);
    }

    /// Ends the generation of every key.
    pub fn end_all(&self) {
        for counter in self.0.iter() {
            counter.fetch_add(1, Ordering::AcqRel);
        }
    }

    fn counter(&self, key: &Key) -> &AtomicU64 {
        &self.0[key.hash_code() as usize % COUNTERS]
    }
}

impl Default for Generations {
    fn default() -> Self {
        Self(Box::new([const { AtomicU64::new(0) }; COUNTERS]))
    }
}

impl fmt::Debug for Generations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Generations(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalidation_ends_the_generations_taken_before_it() {
        let generations = Generations::new();
        let key = Key::from_text("http://example.org/");
        let before = generations.of(&key);
        assert!(generations.is_current(&key, before));
        generations.end(&key);
        assert!(!generations.is_current(&key, before));
        assert!(generations.is_current(&key, generations.of(&key)));
        let between = generations.of(&key);
        generations.end_all();
        assert!(!generations.is_current(&key, between));
    }

    #[test]
    fn the_invalidation_of_one_key_leaves_nearly_all_others_alone() {
        let generations = Generations::new();
        let keys: Vec<_> = (0..1000).map(|n| Key::from_text(format!("http://example.org/{n}"))).collect();
        let before: Vec<_> = keys.iter().map(|key| generations.of(key)).collect();
        generations.end(&keys[0]);
        let ended = keys.iter().zip(before).filter(|(key, before)| !generations.is_current(key, *before)).count();
        assert!((1..=20).contains(&ended), "{ended}");
    }
}
