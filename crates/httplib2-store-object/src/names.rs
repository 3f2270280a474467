//! The names of entries, for which there is no place in a blob.

use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasher, Hasher, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
};

use httplib2_store::{EntryId, Key};

/// Names an entry after its blob, head and all: a replacement has another one, even with the same body.
///
/// An update changes the blob but not the name, so it is noted here which name the new blob has. Who does not know of
/// an update, such as another process, sees another entry then.
#[derive(Default)]
pub(crate) struct Names {
    seed: RandomState,
    updated: Mutex<HashMap<u64, EntryId>>,
}

/// How many updates are noted. Beyond it all are forgotten: what was found before is gone then for those who update it.
const MOST: usize = 4096;

// === impl Names ===

impl Names {
    pub(crate) fn of(&self, key: &Key, blob: &[u8]) -> EntryId {
        let hash = self.hash(key, blob);
        self.updated().get(&hash).copied().unwrap_or_else(|| EntryId::new(hash))
    }

    /// Gives a blob the name of the one that it is the update of.
    pub(crate) fn keep(&self, id: EntryId, key: &Key, blob: &[u8]) {
        let hash = self.hash(key, blob);
        let mut updated = self.updated();
        if updated.len() >= MOST {
            updated.clear();
        }
        updated.insert(hash, id);
    }

    fn hash(&self, key: &Key, blob: &[u8]) -> u64 {
        let mut hasher = self.seed.build_hasher();
        hasher.write(key.as_str().as_bytes());
        hasher.write_u8(0xff);
        hasher.write(blob);
        hasher.finish()
    }

    fn updated(&self) -> MutexGuard<'_, HashMap<u64, EntryId>> {
        self.updated.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Names(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_keeps_the_name_and_a_replacement_has_another_one() {
        let names = Names::default();
        let (key, other) = (Key::from_text("http://example.org/"), Key::from_text("http://example.org/other"));
        let id = names.of(&key, b"1");
        assert_eq!(names.of(&key, b"1"), id);
        for update in [&b"2"[..], b"3", b"3"] {
            names.keep(id, &key, update);
            assert_eq!(names.of(&key, update), id);
        }
        assert_ne!(names.of(&key, b"4"), id);
        assert_ne!(names.of(&other, b"3"), id);
    }

    #[test]
    fn the_names_that_are_noted_take_no_more_and_more_memory() {
        let names = Names::default();
        let key = Key::from_text("http://example.org/");
        for number in 0..2 * MOST + 10 {
            names.keep(EntryId::new(7), &key, &number.to_be_bytes());
            assert_eq!(names.of(&key, &number.to_be_bytes()), EntryId::new(7));
            assert!(names.updated().len() <= MOST);
        }
    }
}
