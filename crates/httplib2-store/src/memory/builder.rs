//! The settings of the store in memory.

use std::{
    fmt,
    sync::{Arc, atomic::AtomicU64},
};

use httplib2_core::context::{Clock, SystemClock};

use super::{
    MemoryStore,
    shared::{Evicted, Limits, Shared},
    slots::Slots,
};
use crate::{Entry, Generations, Key, Room};

/// The settings of a [`MemoryStore`].
#[must_use = "a builder builds nothing until `build`"]
pub struct MemoryStoreBuilder {
    capacity: u64,
    max_object: u64,
    max_variants: usize,
    max_writing: u64,
    generations: Arc<Generations>,
    clock: Arc<dyn Clock>,
    evicted: Option<Evicted>,
}

/// Room for some thousand pages and scripts, and little beside what a program that speaks HTTP takes anyway.
const CAPACITY: u64 = 64 * 1024 * 1024;

/// A sixteenth of the capacity: one response cannot drive out all others, and there can be several shards.
const MAX_OBJECT: u64 = 4 * 1024 * 1024;

/// More languages, codings and users of one URI than that are no use to anybody.
const MAX_VARIANTS: usize = 64;

const MAX_WRITING: u64 = 16 * 1024 * 1024;

// === impl MemoryStoreBuilder ===

impl MemoryStoreBuilder {
    pub(super) fn new() -> Self {
        Self {
            capacity: CAPACITY,
            max_object: MAX_OBJECT,
            max_variants: MAX_VARIANTS,
            max_writing: MAX_WRITING,
            generations: Arc::default(),
            clock: Arc::new(SystemClock),
            evicted: None,
        }
    }

    /// How many bytes all responses together may take, keys and heads included. Default: 64 MiB.
    ///
    /// What is being written counts towards [`max_writing`](Self::max_writing), and what is still being read after it
    /// was driven out counts nowhere.
    pub fn capacity(mut self, bytes: u64) -> Self {
        self.capacity = bytes;
        self
    }

    /// The largest response that is taken, in bytes of body, head and key together. Default: 4 MiB.
    ///
    /// A larger one is refused with [`StoreError::TooLarge`](crate::StoreError::TooLarge). The limit is never more
    /// than 97 % of the capacity: [`MemoryStore::max_object`] says what it came to. The more responses of this size
    /// the capacity has room for, the less threads wait for each other.
    pub fn max_object(mut self, bytes: u64) -> Self {
        self.max_object = bytes;
        self
    }

    /// How many variants of one key are kept. Default: 64. At least one. The one that was not used for the longest
    /// time gives way.
    pub fn max_variants(mut self, number: usize) -> Self {
        self.max_variants = number.max(1);
        self
    }

    /// How many bytes of bodies may be under construction at the same time. Default: 16 MiB.
    ///
    /// What would go over it is refused with [`StoreError::Full`](crate::StoreError::Full) and not made to wait, since
    /// writers that wait for each other might wait for ever.
    pub fn max_writing(mut self, bytes: u64) -> Self {
        self.max_writing = bytes;
        self
    }

    /// Shares the generations with another store. Default: its own.
    pub fn generations(mut self, generations: Arc<Generations>) -> Self {
        self.generations = generations;
        self
    }

    /// The clock that says when an entry was stored and used. Default: the system's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Hands over each entry that gives way to others, so that it can be moved to a slower store. Default: nobody
    /// is told.
    ///
    /// It is called on the thread that stores, without a lock, after the entry is gone. The entry can still be
    /// [opened](crate::Store::open). What was removed, replaced, invalidated or cleared is not handed over.
    pub fn on_evict(mut self, evicted: impl Fn(&Key, &Entry) + Send + Sync + 'static) -> Self {
        self.evicted = Some(Box::new(evicted));
        self
    }

    /// Builds the store. It takes its memory when it needs it.
    #[must_use]
    pub fn build(self) -> MemoryStore {
        let slots = Slots::new(self.capacity, self.max_object);
        let limits = Limits { object: self.max_object.min(slots.largest()), variants: self.max_variants };
        MemoryStore {
            shared: Arc::new(Shared {
                slots,
                limits,
                generations: self.generations,
                clock: self.clock,
                evicted: self.evicted,
                storing: Default::default(),
                writing: Room::new(self.max_writing),
                next_id: AtomicU64::new(0),
            }),
        }
    }
}

impl fmt::Debug for MemoryStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStoreBuilder")
            .field("capacity", &self.capacity)
            .field("max_object", &self.max_object)
            .field("max_variants", &self.max_variants)
            .field("max_writing", &self.max_writing)
            .finish_non_exhaustive()
    }
}
