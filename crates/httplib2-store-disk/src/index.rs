//! What is known in memory of what is on the disk.

use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasher, RandomState},
    mem,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use httplib2_store::{Entry, EntryId, Key};

use crate::{
    content::{Attached, Content, Contents, lock},
    digest::Digest,
    files::{FileId, blocks},
    record::nanoseconds,
};

/// Every key that is known to be on the disk, with the heads of those that were asked for.
pub(crate) struct Index {
    shards: [Mutex<HashMap<Key, Slot>>; SHARDS],
    hasher: RandomState,
    pub(crate) contents: Contents,
    changes: AtomicU64,
    entries: AtomicU64,
    bucket_bytes: AtomicU64,
    head_bytes: AtomicU64,
}

/// What is known of one key.
#[derive(Default)]
pub(crate) struct Slot {
    /// `None` while they are only on the disk.
    heads: Option<Arc<[Entry]>>,
    held: Vec<Arc<Content>>,
    number: u64,
    head_bytes: u64,
    used: u64,
    /// Another number after every change; zero of a slot that was never changed.
    change: u64,
    /// The state of the index file that was read or written last. `None` when there is none.
    pub(crate) seen: Option<FileId>,
    /// The number of lines in it.
    pub(crate) lines: usize,
    /// When that was last compared with the disk.
    pub(crate) compared: Option<Instant>,
    pub(crate) epoch: u64,
    pub(crate) ahead: Ahead,
}

/// What was done in memory and is not on the disk yet.
#[derive(Debug, Default)]
pub(crate) struct Ahead {
    /// All that is on the disk was removed.
    pub(crate) emptied: bool,
    pub(crate) removed: Vec<EntryId>,
    pub(crate) updated: Vec<EntryId>,
}

/// What came of a change.
pub(crate) struct Changed<T> {
    pub(crate) result: T,
    /// The contents that no entry has any more.
    pub(crate) released: Vec<Digest>,
    /// The number of the change.
    pub(crate) number: u64,
}

/// What a look-up sees of a slot.
pub(crate) struct View {
    pub(crate) heads: Option<Arc<[Entry]>>,
    pub(crate) seen: Option<FileId>,
    pub(crate) compared: Option<Instant>,
    /// Zero when there is no slot.
    pub(crate) change: u64,
}

/// What was read of a key's index file.
pub(crate) struct Loaded {
    pub(crate) seen: FileId,
    pub(crate) lines: usize,
    pub(crate) epoch: u64,
    pub(crate) entries: Vec<Entry>,
}

/// A key that may have to give way, and what speaks for that.
pub(crate) struct Candidate {
    pub(crate) key: Key,
    /// When it was last used, in nanoseconds since 1970.
    pub(crate) used: u64,
    /// What would be gained, about.
    pub(crate) bytes: u64,
}

#[derive(Clone, Copy, Default)]
struct Totals {
    entries: u64,
    bucket_bytes: u64,
    head_bytes: u64,
}

const SHARDS: usize = 32;

// === impl Index ===

impl Index {
    pub(crate) fn new() -> Self {
        Self {
            shards: Default::default(),
            hasher: RandomState::new(),
            contents: Contents::default(),
            changes: AtomicU64::new(0),
            entries: AtomicU64::new(0),
            bucket_bytes: AtomicU64::new(0),
            head_bytes: AtomicU64::new(0),
        }
    }

    pub(crate) fn view(&self, key: &Key) -> View {
        let none = View { heads: None, seen: None, compared: None, change: 0 };
        lock(self.shard(key)).get(key).map_or(none, |slot| View {
            heads: slot.heads.clone(),
            seen: slot.seen,
            compared: slot.compared,
            change: slot.change,
        })
    }

    /// Reads the slot of a key, if there is one.
    pub(crate) fn read<T>(&self, key: &Key, read: impl FnOnce(&Slot) -> T) -> Option<T> {
        lock(self.shard(key)).get(key).map(read)
    }

    /// Changes the slot of a key, which is made if there is none and dropped when nothing is known of it any more.
    ///
    /// Nothing may block in `change`.
    pub(crate) fn change<T>(&self, key: &Key, change: impl FnOnce(&mut Slot) -> T) -> Changed<T> {
        let mut shard = lock(self.shard(key));
        let slot = shard.entry(key.clone()).or_default();
        let (before, held) = (slot.totals(), slot.held.clone());
        let result = change(slot);
        let number = self.changes.fetch_add(1, Ordering::Relaxed) + 1;
        slot.change = number;
        let after = slot.totals();
        // What is kept is held twice for a moment, so that it is never without anybody who has it.
        slot.held.iter().for_each(|content| self.contents.hold(content));
        let released = held.iter().filter(|content| self.contents.release(content)).map(|content| content.digest);
        let released: Vec<_> = released.collect();
        if slot.is_blank() {
            shard.remove(key);
        }
        drop(shard);
        self.count(before, after);
        Changed { result, released, number }
    }

    /// Notes that the disk was compared and is as it was, unless the slot was changed meanwhile.
    pub(crate) fn note_compared(&self, key: &Key, seen_change: u64, now: Instant) {
        if let Some(slot) = lock(self.shard(key)).get_mut(key)
            && slot.change == seen_change
        {
            slot.compared = Some(now);
        }
    }

    /// Forgets everything that is known.
    pub(crate) fn clear(&self) {
        for shard in &self.shards {
            let slots = mem::take(&mut *lock(shard));
            for slot in slots.values() {
                for content in &slot.held {
                    self.contents.release(content);
                }
                self.count(slot.totals(), Totals::default());
            }
        }
    }

    /// The keys that are known.
    pub(crate) fn keys(&self) -> Vec<Key> {
        self.shards.iter().flat_map(|shard| lock(shard).keys().cloned().collect::<Vec<_>>()).collect()
    }

    pub(crate) fn candidates(&self) -> Vec<Candidate> {
        let of_shard = |shard: &Mutex<HashMap<Key, Slot>>| -> Vec<_> {
            lock(shard).iter().filter(|(_, slot)| slot.seen.is_some()).map(|(key, slot)| slot.candidate(key)).collect()
        };
        self.shards.iter().flat_map(of_shard).collect()
    }

    /// Drops the heads that were not used for the longest time from memory, until the others take `bytes` at most.
    pub(crate) fn unload(&self, bytes: u64) {
        let mut candidates = self.candidates();
        candidates.sort_unstable_by_key(|candidate| candidate.used);
        for Candidate { key, .. } in candidates {
            if self.head_bytes() <= bytes {
                return;
            }
            self.change(&key, Slot::unload);
        }
    }

    /// The space that the index and the contents take on the disk.
    pub(crate) fn bytes(&self) -> u64 {
        self.contents.bytes().saturating_add(self.bucket_bytes.load(Ordering::Relaxed))
    }

    pub(crate) fn entries(&self) -> u64 {
        self.entries.load(Ordering::Relaxed)
    }

    /// About the memory that the heads take.
    pub(crate) fn head_bytes(&self) -> u64 {
        self.head_bytes.load(Ordering::Relaxed)
    }

    fn shard(&self, key: &Key) -> &Mutex<HashMap<Key, Slot>> {
        // The hash of a key differs from process to process, as that of the hasher does.
        let hash = self.hasher.hash_one(key);
        &self.shards[hash as usize % SHARDS]
    }

    fn count(&self, before: Totals, after: Totals) {
        let add = |total: &AtomicU64, before: u64, after: u64| {
            if before != after {
                total.fetch_add(after.wrapping_sub(before), Ordering::Relaxed);
            }
        };
        add(&self.entries, before.entries, after.entries);
        add(&self.bucket_bytes, before.bucket_bytes, after.bucket_bytes);
        add(&self.head_bytes, before.head_bytes, after.head_bytes);
    }
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index").field("entries", &self.entries()).field("bytes", &self.bytes()).finish_non_exhaustive()
    }
}

// === impl Slot ===

impl Slot {
    pub(crate) fn heads(&self) -> Option<&Arc<[Entry]>> {
        self.heads.as_ref()
    }

    pub(crate) fn change_number(&self) -> u64 {
        self.change
    }

    pub(crate) fn set(&mut self, entries: Vec<Entry>) -> Arc<[Entry]> {
        let contents = entries.iter().filter_map(|entry| entry.attachment::<Attached>());
        self.held =
            contents.map(|attached| Arc::clone(&attached.content)).filter(|content| content.length > 0).collect();
        self.number = entries.len() as u64;
        self.head_bytes = entries.iter().map(|entry| entry.head().weight()).sum();
        self.used = last_used(&entries).max(self.last_used());
        let heads: Arc<[Entry]> = entries.into();
        self.heads = Some(Arc::clone(&heads));
        heads
    }

    /// Takes over what was read from the disk, but for what is newer in memory.
    pub(crate) fn take_over(&mut self, loaded: Loaded, now: Instant) -> Arc<[Entry]> {
        let mut entries = loaded.entries;
        let known: &[Entry] = self.heads.as_deref().unwrap_or_default();
        if self.ahead.emptied {
            entries = known.to_vec();
        } else {
            self.epoch = loaded.epoch;
            entries.retain(|entry| !self.ahead.removed.contains(&entry.id()));
            for id in &self.ahead.updated {
                let Some(updated) = known.iter().find(|entry| entry.id() == *id) else { continue };
                if entries.iter().any(|entry| entry.id() == *id) {
                    entries.retain(|entry| entry.id() != *id && !entry.head().selects_same(updated.head()));
                    entries.push(updated.clone());
                }
            }
        }
        (self.seen, self.lines, self.compared) = (Some(loaded.seen), loaded.lines, Some(now));
        self.set(entries)
    }

    /// Forgets everything, because nothing of it is on the disk.
    pub(crate) fn forget(&mut self) {
        *self = Self { change: self.change, ..Self::default() };
    }

    /// Keeps no heads in memory, unless they are newer than those on the disk.
    pub(crate) fn unload(&mut self) {
        if self.ahead.is_empty() && self.seen.is_some() {
            self.used = self.last_used();
            self.heads = None;
            self.head_bytes = 0;
        }
    }

    /// Whether there are no entries, in memory or on the disk.
    pub(crate) fn is_empty(&self) -> bool {
        self.number == 0
    }

    fn is_blank(&self) -> bool {
        self.seen.is_none() && self.is_empty() && self.ahead.is_empty()
    }

    fn last_used(&self) -> u64 {
        self.heads.as_deref().map_or(self.used, |entries| last_used(entries).max(self.used))
    }

    fn candidate(&self, key: &Key) -> Candidate {
        let contents = self.held.iter().map(|content| blocks(content.length));
        let bytes = contents.fold(self.totals().bucket_bytes, u64::saturating_add);
        Candidate { key: key.clone(), used: self.last_used(), bytes }
    }

    fn totals(&self) -> Totals {
        let bucket_bytes = self.seen.map_or(0, |seen| blocks(seen.length));
        Totals { entries: self.number, bucket_bytes, head_bytes: self.head_bytes }
    }
}

// === impl Ahead ===

impl Ahead {
    pub(crate) fn is_empty(&self) -> bool {
        !self.emptied && self.removed.is_empty() && self.updated.is_empty()
    }
}

fn last_used(entries: &[Entry]) -> u64 {
    entries.iter().map(|entry| nanoseconds(entry.last_used())).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, HeaderName, StatusCode};
    use httplib2_store::Head;
    use std::time::{Duration, SystemTime};

    fn entry(index: &Index, id: u64, language: &str, used: u64) -> Entry {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(used);
        let mut head = Head::new(StatusCode::OK, HeaderMap::new(), at);
        head.selecting = vec![(HeaderName::from_static("accept-language"), Some(language.as_bytes().into()))];
        let content = index.contents.named(Digest::of(language.as_bytes()), 5_000);
        let attached = Attached { content, trailers: None };
        Entry::new(EntryId::new(id), head, 5_000, at, Arc::new(attached))
    }

    fn loaded(entries: Vec<Entry>) -> Loaded {
        let seen = FileId::of(&std::fs::metadata(".").expect("there is a directory"));
        Loaded { seen, lines: 1, epoch: 7, entries }
    }

    fn ids(entries: &[Entry]) -> Vec<u64> {
        entries.iter().map(|entry| entry.id().as_u64()).collect()
    }

    #[expect(clippy::disallowed_methods, reason = "any time will do")]
    fn now() -> Instant {
        Instant::now()
    }

    #[test]
    fn heads_that_were_not_used_for_the_longest_time_leave_memory_and_stay_counted() {
        let index = Index::new();
        let keys: Vec<_> = (0..10).map(|n| Key::from_text(format!("http://example.org/{n}"))).collect();
        for (key, used) in keys.iter().zip(1..) {
            let entries = vec![entry(&index, used, &(used + 10).to_string(), used)];
            index.change(key, |slot| slot.take_over(loaded(entries), now()));
        }
        let (one, bytes) = (index.head_bytes() / 10, index.bytes());
        assert!(one > 0 && index.contents.bytes() == 10 * 8_192);
        // What is ahead of the disk stays.
        index.change(&keys[0], |slot| slot.ahead.updated.push(EntryId::new(1)));
        index.unload(3 * one);
        assert!(index.head_bytes() <= 3 * one + one / 2, "{} of {one}", index.head_bytes());
        let there: Vec<_> = keys.iter().map(|key| index.view(key).heads.is_some()).collect();
        assert_eq!(there, [true, false, false, false, false, false, false, false, true, true]);
        assert_eq!((index.entries(), index.bytes()), (10, bytes));
        index.clear();
        assert_eq!((index.entries(), index.bytes(), index.head_bytes()), (0, 0, 0));
    }

    #[test]
    fn what_is_newer_in_memory_is_laid_over_what_is_read() {
        let index = Index::new();
        let [de, en, fr] =
            ["de", "en", "fr"].map(|language| entry(&index, u64::from(language.as_bytes()[0]), language, 1));
        let key = Key::from_text("http://example.org/");
        let all = || vec![de.clone(), en.clone(), fr.clone()];
        let (d, e, f) = (de.id().as_u64(), en.id().as_u64(), fr.id().as_u64());
        for (ahead, in_memory, expected) in [
            (Ahead::default(), vec![], vec![d, e, f]),
            (Ahead { removed: vec![en.id()], ..Ahead::default() }, vec![de.clone()], vec![d, f]),
            (Ahead { emptied: true, ..Ahead::default() }, vec![], vec![]),
            (Ahead { emptied: true, ..Ahead::default() }, vec![fr.clone()], vec![f]),
            // It now selects the same as another one, which it replaces.
            (Ahead { updated: vec![en.id()], ..Ahead::default() }, vec![en.with_head(de.head().clone())], vec![f, e]),
            (
                Ahead { updated: vec![EntryId::new(1)], ..Ahead::default() },
                vec![entry(&index, 1, "it", 1)],
                vec![d, e, f],
            ),
        ] {
            let emptied = ahead.emptied;
            let changed = index.change(&key, |slot| {
                slot.forget();
                slot.set(in_memory);
                slot.ahead = ahead;
                slot.take_over(loaded(all()), now());
                (ids(slot.heads().expect("they were read")), slot.epoch)
            });
            assert_eq!(changed.result, (expected, if emptied { 0 } else { 7 }));
        }
    }
}
