//! What is under way now.

use std::{
    collections::{HashMap, hash_map::Entry as Slot},
    fmt, mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use httplib2_core::who::Identity;
use httplib2_store::{Generation, Key};

use super::{
    flight::{Flight, Takeoff},
    passes::Passes,
};
use crate::policy::Selecting;

/// The fetches that others may join, each under what its requests have in common.
#[derive(Default)]
pub(crate) struct Flights {
    under_way: Mutex<HashMap<Name, Arc<Flight>>>,
    pub(crate) passes: Passes,
    /// How many bytes are held for readers, of all bodies together.
    held: AtomicU64,
    /// Those with readers who wait until that is less.
    crowded: Mutex<Vec<Weak<Flight>>>,
}

/// What requests have to have in common to become one.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    pub(crate) key: Key,
    pub(crate) identity: Option<Identity>,
    pub(crate) selecting: Selecting,
}

/// What a request does.
pub(crate) enum Entered {
    /// It makes the fetch.
    Leads(Takeoff),
    /// It waits for that of another one.
    Follows(Arc<Flight>),
    /// Neither.
    None,
}

// === impl Flights ===

impl Flights {
    /// Joins what is under way under this name, or begins it.
    ///
    /// What was begun before the key was invalidated is not joined: its answer may show what was before.
    pub(crate) fn enter(all: &Arc<Self>, name: Name, generation: Generation, may_lead: bool) -> Entered {
        let mut under_way = all.lock();
        match under_way.entry(name) {
            Slot::Occupied(slot) if slot.get().generation() == generation => Entered::Follows(Arc::clone(slot.get())),
            _ if !may_lead => Entered::None,
            Slot::Occupied(mut slot) => {
                let flight = Arc::new(Flight::new(slot.key().clone(), generation, Arc::clone(all)));
                let older = slot.insert(Arc::clone(&flight));
                drop(under_way);
                drop(older);
                Entered::Leads(Takeoff::new(flight))
            }
            Slot::Vacant(slot) => {
                let flight = Arc::new(Flight::new(slot.key().clone(), generation, Arc::clone(all)));
                slot.insert(Arc::clone(&flight));
                Entered::Leads(Takeoff::new(flight))
            }
        }
    }

    /// Lets nobody join it any more.
    pub(super) fn leave(&self, flight: &Flight) {
        let mut under_way = self.lock();
        if under_way.get(flight.name()).is_some_and(|known| std::ptr::eq(&**known, flight)) {
            let left = under_way.remove_entry(flight.name());
            // Not under the lock: with it may go a body that is being stored, which ends a flight too.
            drop(under_way);
            drop(left);
        }
    }

    pub(super) fn hold(&self, bytes: u64) {
        self.held.fetch_add(bytes, Ordering::Relaxed);
    }

    /// So much less. Where that leaves no more than `most`, those are woken who wait for it.
    pub(super) fn release(&self, bytes: u64, most: u64) {
        let before = self.held.fetch_sub(bytes, Ordering::Relaxed);
        if before > most && before - bytes <= most {
            let woken = mem::take(&mut *self.crowded());
            woken.iter().filter_map(Weak::upgrade).for_each(|flight| flight.wakers.wake_all());
        }
    }

    /// Has the readers of this one woken when less is held.
    pub(super) fn wait(&self, flight: &Arc<Flight>) {
        let mut crowded = self.crowded();
        if !crowded.iter().any(|known| std::ptr::eq(known.as_ptr(), Arc::as_ptr(flight))) {
            crowded.retain(|known| known.strong_count() > 0);
            crowded.push(Arc::downgrade(flight));
        }
    }

    pub(super) fn held(&self) -> u64 {
        self.held.load(Ordering::Relaxed)
    }

    fn crowded(&self) -> MutexGuard<'_, Vec<Weak<Flight>>> {
        self.crowded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Name, Arc<Flight>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Flights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let under_way = self.lock().len();
        f.debug_struct("Flights").field("under_way", &under_way).field("held", &self.held()).finish_non_exhaustive()
    }
}

// === impl Name ===

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Name").field(&self.key).field(&self.selecting).finish()
    }
}
