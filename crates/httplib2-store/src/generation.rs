//! What keeps a late answer from undoing an invalidation.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::Key;

/// The state of a key that a look-up saw. What is stored later on behalf of it is refused when the key was
/// invalidated in between.
///
/// A PUT that succeeds while a GET of the same URI is under way makes what that GET brings unfit to be stored: it
/// may show the resource as it was before (RFC 9111 §4.4).
///
/// Two of one key are equal if the key was not invalidated between them.
#[derive(Clone, Copy, Debug)]
pub struct Generation {
    /// When the key was invalidated for the last time.
    begun: u64,
    /// When this was taken.
    taken: u64,
}

/// Remembers when which key was invalidated, in a bounded amount of memory (at most about a megabyte).
///
/// After very many invalidations the oldest are remembered as one: what began to be stored before them is refused,
/// whatever its key. Stores that act as one, such as two tiers, share one of these.
pub struct Generations(Box<[Shard; SHARDS]>);

/// Those of some of the keys.
#[derive(Default)]
struct Shard {
    /// Whether any generation has ended. Until then a look-up needs no lock.
    any: AtomicBool,
    ended: Mutex<Ended>,
}

#[derive(Default)]
struct Ended {
    /// How many have ended so far.
    count: u64,
    /// The last end of each key, by the key's hash.
    by_key: HashMap<u64, u64>,
    /// The last end of those that are not remembered each for itself.
    others: u64,
}

const SHARDS: usize = 64;

/// How many keys of a shard are remembered each for itself.
const MOST: usize = 512;

// === impl Generation ===

impl PartialEq for Generation {
    fn eq(&self, other: &Self) -> bool {
        self.begun == other.begun
    }
}

impl Eq for Generation {}

// === impl Generations ===

impl Generations {
    /// Nothing has been invalidated yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The generation of a key. To be taken before the key is looked up.
    #[must_use]
    pub fn of(&self, key: &Key) -> Generation {
        let shard = self.shard(key);
        if !shard.any.load(Ordering::Acquire) {
            return Generation { begun: 0, taken: 0 };
        }
        let ended = shard.lock();
        Generation { begun: ended.last_end(key), taken: ended.count }
    }

    /// Whether the key has not been invalidated since the generation was taken.
    ///
    /// A store asks while it holds the lock under which it invalidates, otherwise an invalidation may slip in between
    /// asking and storing.
    #[must_use]
    pub fn is_current(&self, key: &Key, generation: Generation) -> bool {
        let shard = self.shard(key);
        !shard.any.load(Ordering::Acquire) || shard.lock().last_end(key) <= generation.taken
    }

    /// Ends the generation of a key.
    pub fn end(&self, key: &Key) {
        let shard = self.shard(key);
        shard.lock().end(key);
        shard.any.store(true, Ordering::Release);
    }

    /// Ends the generation of every key.
    pub fn end_all(&self) {
        for shard in self.0.iter() {
            shard.lock().end_all();
            shard.any.store(true, Ordering::Release);
        }
    }

    fn shard(&self, key: &Key) -> &Shard {
        &self.0[key.hash_code() as usize % SHARDS]
    }
}

impl Default for Generations {
    fn default() -> Self {
        Self(Box::new(std::array::from_fn(|_| Shard::default())))
    }
}

impl fmt::Debug for Generations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Generations(..)")
    }
}

// === impl Shard ===

impl Shard {
    fn lock(&self) -> MutexGuard<'_, Ended> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Ended ===

impl Ended {
    fn last_end(&self, key: &Key) -> u64 {
        self.by_key.get(&key.hash_code()).map_or(self.others, |end| *end)
    }

    fn end(&mut self, key: &Key) {
        self.count += 1;
        self.by_key.insert(key.hash_code(), self.count);
        if self.by_key.len() > MOST {
            self.forget_half();
        }
    }

    fn end_all(&mut self) {
        self.count += 1;
        self.others = self.count;
        self.by_key.clear();
    }

    fn forget_half(&mut self) {
        let mut ends: Vec<_> = self.by_key.values().copied().collect();
        let (_, middle, _) = ends.select_nth_unstable(MOST / 2);
        self.others = *middle;
        self.by_key.retain(|_, end| *end > self.others);
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

    fn keys(count: usize) -> Vec<Key> {
        (0..count).map(|n| Key::from_text(format!("http://example.org/{n}"))).collect()
    }

    #[test]
    fn the_invalidation_of_some_keys_leaves_all_others_alone() {
        let (generations, keys) = (Generations::new(), keys(10_000));
        let before: Vec<_> = keys.iter().map(|key| generations.of(key)).collect();
        keys.iter().step_by(2).for_each(|key| generations.end(key));
        for (at, (key, before)) in keys.iter().zip(before).enumerate() {
            assert_eq!(generations.is_current(key, before), at % 2 == 1, "{at}");
        }
    }

    #[test]
    fn of_very_many_invalidations_none_is_forgotten_and_the_last_are_told_apart() {
        let (generations, keys) = (Generations::new(), keys(200_000));
        let early: Vec<_> = keys.iter().map(|key| generations.of(key)).collect();
        let (first, last) = keys.split_at(190_000);
        first.iter().for_each(|key| generations.end(key));
        let late: Vec<_> = last.iter().map(|key| generations.of(key)).collect();
        last.iter().step_by(2).for_each(|key| generations.end(key));
        assert!(keys.iter().zip(early).all(|(key, early)| !generations.is_current(key, early)));
        for (at, (key, late)) in last.iter().zip(late).enumerate() {
            assert_eq!(generations.is_current(key, late), at % 2 == 1, "{at}");
        }
        assert!(generations.0.iter().all(|shard| shard.lock().by_key.len() <= MOST));
    }
}
