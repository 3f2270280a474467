//! What all clones of a store in memory, and its writers, share.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use httplib2_core::context::Clock;

use super::{
    Body,
    slots::{Displaced, Slots, slot_weight},
};
use crate::{Entry, EntryId, Generation, Generations, Head, Key, Listed, Room, StoreError, Usage};

pub(super) type Evicted = Box<dyn Fn(&Key, &Entry) + Send + Sync>;

pub(super) struct Shared {
    pub(super) slots: Slots,
    pub(super) limits: Limits,
    pub(super) generations: Arc<Generations>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) evicted: Option<Evicted>,
    /// Held, the one of the key, by whoever changes the variants of a key or ends its generation. Look-ups hold none.
    pub(super) storing: [Mutex<()>; LOCKS],
    /// The bytes of the bodies under construction.
    pub(super) writing: Room,
    pub(super) next_id: AtomicU64,
}

#[derive(Debug)]
pub(super) struct Limits {
    /// The largest response, in bytes of body, head and key together.
    pub(super) object: u64,
    /// The most variants of a key.
    pub(super) variants: usize,
}

pub(super) const LOCKS: usize = 32;

// === impl Shared ===

impl Shared {
    pub(super) fn variants(&self, key: &Key) -> Arc<[Entry]> {
        self.slots.variants(key)
    }

    /// Makes a new entry visible.
    pub(super) fn store(&self, key: &Key, head: Head, body: Body, generation: Generation) -> Result<Entry, StoreError> {
        let id = EntryId::new(self.next_id.fetch_add(1, Ordering::Relaxed));
        let length = body.data.len() as u64;
        self.put(key, Entry::new(id, head, length, self.clock.now(), Arc::new(body)), generation)
    }

    pub(super) fn update(
        &self,
        key: &Key,
        id: EntryId,
        head: Head,
        generation: Generation,
    ) -> Result<Entry, StoreError> {
        self.change(key, |variants| {
            if !self.generations.is_current(key, generation) {
                return Err(StoreError::Superseded);
            }
            let old = variants.iter().find(|entry| entry.id() == id).ok_or(StoreError::Gone)?;
            let new = old.with_head(head);
            self.fits(key, &new)?;
            variants.retain(|entry| entry.id() != id && !entry.head().selects_same(new.head()));
            variants.push(new.clone());
            Ok(new)
        })
    }

    pub(super) fn remove(&self, key: &Key, id: EntryId) {
        let removed = self.change(key, |variants| {
            variants.retain(|entry| entry.id() != id);
            Ok(())
        });
        // If there was no room for what remains, that is gone too, and the entry with it.
        drop(removed);
    }

    pub(super) fn invalidate(&self, key: &Key) {
        let _storing = self.lock(key);
        // In this order: a look-up takes no lock, and must not see what is old with the new generation.
        self.slots.remove(key);
        self.generations.end(key);
    }

    pub(super) fn clear(&self) {
        let _storing = self.storing.each_ref().map(lock);
        self.slots.clear();
        self.generations.end_all();
    }

    pub(super) fn list(&self) -> Vec<Listed> {
        let lines = self.slots.iter().flat_map(|(key, slot)| {
            let lines = slot.variants.iter().map(|entry| Listed::new(key.clone(), entry.clone()));
            lines.collect::<Vec<_>>()
        });
        lines.collect()
    }

    pub(super) fn usage(&self) -> Usage {
        let entries = self.slots.iter().map(|(_, slot)| slot.variants.len() as u64).sum();
        Usage::new(self.slots.weight(), Some(self.slots.capacity()), entries)
    }

    fn put(&self, key: &Key, new: Entry, generation: Generation) -> Result<Entry, StoreError> {
        self.fits(key, &new)?;
        self.change(key, |variants| {
            if !self.generations.is_current(key, generation) {
                return Err(StoreError::Superseded);
            }
            let now = self.clock.now();
            let is_same = |entry: &Entry| entry.head().selects_same(new.head());
            if variants.iter().any(|entry| is_same(entry) && new.head().is_older_than(entry.head(), now)) {
                return Err(StoreError::Superseded);
            }
            variants.retain(|entry| !is_same(entry));
            variants.push(new.clone());
            Ok(new)
        })
    }

    fn fits(&self, key: &Key, entry: &Entry) -> Result<(), StoreError> {
        let limit = self.limits.object;
        if slot_weight(key, std::slice::from_ref(entry)) > limit { Err(StoreError::TooLarge { limit }) } else { Ok(()) }
    }

    /// Changes the variants of a key, the newest one last, while nobody else does. Tells of what gave way afterwards.
    fn change<T>(
        &self,
        key: &Key,
        change: impl FnOnce(&mut Vec<Entry>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut shortened = Vec::new();
        let (result, displaced) = {
            let _storing = self.lock(key);
            let mut variants = self.slots.to_vec(key);
            let result = change(&mut variants)?;
            self.shorten(key, &mut variants, &mut shortened);
            let full = StoreError::Full { limit: self.slots.capacity() };
            (result, self.slots.replace(key, variants).ok_or(full)?)
        };
        self.tell(key, &shortened, &displaced);
        Ok(result)
    }

    /// Drops the variants that were not used for the longest time, but for the newest, until the rest may stay.
    fn shorten(&self, key: &Key, variants: &mut Vec<Entry>, shortened: &mut Vec<Entry>) {
        while variants.len() > self.limits.variants || slot_weight(key, variants) > self.slots.largest() {
            let older = variants.split_last().map_or(&[][..], |(_, older)| older);
            let Some((at, _)) = older.iter().enumerate().min_by_key(|(_, entry)| entry.last_used()) else { return };
            shortened.push(variants.remove(at));
        }
    }

    fn tell(&self, key: &Key, shortened: &[Entry], displaced: &Displaced) {
        let Some(evicted) = &self.evicted else { return };
        shortened.iter().for_each(|entry| evicted(key, entry));
        for (key, slot) in displaced {
            slot.variants.iter().for_each(|entry| evicted(key, entry));
        }
    }

    fn lock(&self, key: &Key) -> MutexGuard<'_, ()> {
        lock(&self.storing[key.hash_code() as usize % LOCKS])
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("slots", &self.slots)
            .field("limits", &self.limits)
            .field("writing", &self.writing)
            .finish_non_exhaustive()
    }
}

/// A thread that panicked here left nothing half done: each change is one call of the table.
fn lock(mutex: &Mutex<()>) -> MutexGuard<'_, ()> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
