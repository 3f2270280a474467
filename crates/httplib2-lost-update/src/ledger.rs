//! Which versions were seen, of each resource and by each editor.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use http::HeaderValue;
use httplib2_core::who::Validators;

use crate::place::{Fields, Fit, Key, Place, Selecting};

/// What was seen, bounded in size. What was not used for the longest time is forgotten first.
pub(crate) struct Ledger {
    state: Mutex<State>,
    bounds: Bounds,
}

/// How much a ledger holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) uris: usize,
    pub(crate) bytes: usize,
}

/// What is known of the resource of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) seen: Vec<Validators>,
    /// Whether it is of other variants than the one that the request selects, or may be.
    pub(crate) is_of_others: bool,
}

/// A point in the sequence of everything that happens to a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Turn(u64);

#[derive(Default)]
struct State {
    entries: HashMap<Key, Entry>,
    /// The keys in the order of their last use.
    order: BTreeMap<Turn, Key>,
    turn: u64,
    bytes: usize,
}

struct Entry {
    used: Turn,
    /// When an update was last answered. What was asked for before that may be older than the update.
    updated: Option<Turn>,
    /// The newest last.
    variants: Vec<Variant>,
}

struct Variant {
    selecting: Selecting,
    seen: Validators,
}

/// What an entry and a variant take beside their texts, roughly.
const ENTRY_COST: usize = 160;
const VARIANT_COST: usize = 120;

/// Of one URI no more variants are remembered.
const MOST_VARIANTS: usize = 8;

// === impl Ledger ===

impl Ledger {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self { state: Mutex::default(), bounds }
    }

    /// Where the sequence stands: what is asked for now is newer than all that happened before.
    pub(crate) fn turn(&self) -> Turn {
        Turn(self.lock().turn)
    }

    /// The validators of the variant that the request selects. Where no variant fits it wholly, of all those
    /// that it does not rule out, and where it rules out all of them, of all: an update says with its fields
    /// which answer it wants, seldom which variant it was made of, and a wrong tag can only cost a 412.
    pub(crate) fn known(&self, place: &Place) -> Known {
        let mut state = self.lock();
        let Some(entry) = state.touch(place.key) else { return Known::default() };
        let newest_first = || entry.variants.iter().rev();
        let fitting = |fit| {
            let fits = move |variant: &&Variant| place.fields.fit(&variant.selecting) == fit;
            newest_first().filter(fits).map(|variant| variant.seen.clone())
        };
        if let Some(selected) = fitting(Fit::Wholly).next() {
            return Known { seen: vec![selected], is_of_others: false };
        }
        let mut seen: Vec<_> = fitting(Fit::Partly).collect();
        if seen.is_empty() {
            seen = fitting(Fit::Not).collect();
        }
        Known { is_of_others: !seen.is_empty(), seen }
    }

    /// A version was read in an answer to what was asked for at `since`. `None` is a version that cannot be known
    /// again, which replaces what was known.
    pub(crate) fn read(&self, place: &Place, since: Turn, selecting: Selecting, seen: Option<Validators>) {
        let mut state = self.lock();
        if state.entries.get(&place.key).is_some_and(|entry| entry.is_newer(since)) {
            return;
        }
        if seen.is_none() && !state.entries.contains_key(&place.key) {
            return;
        }
        state.change(place.key, |entry| match seen {
            Some(seen) => entry.set(selecting, seen),
            None => entry.variants.retain(|variant| place.fields.fit(&variant.selecting) == Fit::Not),
        });
        state.shrink(self.bounds);
    }

    /// An update was done: whatever was known is old, and this is new.
    pub(crate) fn written(&self, place: &Place, made: Option<(Selecting, Validators)>) {
        let mut state = self.lock();
        let turn = state.next_turn();
        state.change(place.key, |entry| {
            entry.updated = Some(turn);
            let like = entry.like(&place.fields);
            entry.variants.clear();
            if let Some((selecting, seen)) = made {
                entry.set(if selecting.is_empty() { like } else { selecting }, seen);
            }
        });
        state.shrink(self.bounds);
    }

    /// An update that expected one of these was merged: the caller has seen none newer. What is known stays, and
    /// where nothing is known, because another source knew it, they are known from now on.
    pub(crate) fn merged(&self, place: &Place, expected: &[Validators]) {
        let mut state = self.lock();
        if state.entries.get(&place.key).is_some_and(|entry| !entry.variants.is_empty()) {
            return;
        }
        let Some(expected) = expected.first() else { return };
        state.change(place.key, |entry| entry.set(Selecting::new(), expected.clone()));
        state.shrink(self.bounds);
    }

    /// An update that expected one of these was refused: they are old.
    pub(crate) fn refused(&self, place: &Place, expected: &[Validators]) {
        let mut state = self.lock();
        if !state.entries.contains_key(&place.key) {
            return;
        }
        state.change(place.key, |entry| {
            entry.variants.retain(|variant| !expected.iter().any(|old| is_same(old, &variant.seen)))
        });
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Ledger").field("uris", &state.entries.len()).field("bytes", &state.bytes).finish()
    }
}

// === impl State ===

impl State {
    /// Notes that an entry was used, and returns it.
    fn touch(&mut self, key: Key) -> Option<&mut Entry> {
        let turn = self.next_turn();
        let entry = self.entries.get_mut(&key)?;
        self.order.remove(&entry.used);
        self.order.insert(turn, key);
        entry.used = turn;
        Some(entry)
    }

    fn next_turn(&mut self) -> Turn {
        self.turn += 1;
        Turn(self.turn)
    }

    /// Changes an entry, which is made if there is none.
    fn change(&mut self, key: Key, change: impl FnOnce(&mut Entry)) {
        if !self.entries.contains_key(&key) {
            let entry = Entry { used: self.next_turn(), updated: None, variants: Vec::new() };
            self.bytes += entry.cost();
            self.order.insert(entry.used, key);
            self.entries.insert(key, entry);
        }
        let Some(entry) = self.touch(key) else { return };
        let before = entry.cost();
        change(entry);
        let after = entry.cost();
        self.bytes = self.bytes + after - before;
    }

    fn shrink(&mut self, bounds: Bounds) {
        while self.entries.len() > bounds.uris || self.bytes > bounds.bytes {
            let Some((_, oldest)) = self.order.pop_first() else { return };
            if let Some(entry) = self.entries.remove(&oldest) {
                self.bytes -= entry.cost();
            }
        }
    }
}

// === impl Entry ===

impl Entry {
    /// Whether an update that was answered after `since` said which version is there now. Where it did not say,
    /// what was read meanwhile is better than nothing: an old tag can cost a 412, none at all an update.
    fn is_newer(&self, since: Turn) -> bool {
        self.updated.is_some_and(|updated| updated > since) && !self.variants.is_empty()
    }

    fn set(&mut self, selecting: Selecting, seen: Validators) {
        if let Some(index) = self.variants.iter().position(|variant| variant.selecting == selecting) {
            // The same version read again, as most are, costs no copy.
            if self.variants[index].seen == seen {
                return self.variants[index..].rotate_left(1);
            }
            self.variants.remove(index);
        }
        if self.variants.len() == MOST_VARIANTS {
            self.variants.remove(0);
        }
        self.variants.push(Variant { selecting, seen: own(&seen) });
    }

    /// What of a request with these fields selects, if the same names do as for the newest variant: answers to
    /// updates seldom have a `Vary`.
    fn like(&self, fields: &Fields) -> Selecting {
        self.variants.last().map(|variant| fields.selecting_like(&variant.selecting)).unwrap_or_default()
    }

    fn cost(&self) -> usize {
        ENTRY_COST + self.variants.iter().map(Variant::cost).sum::<usize>()
    }
}

// === impl Variant ===

impl Variant {
    fn cost(&self) -> usize {
        let length = |value: &Option<HeaderValue>| value.as_ref().map_or(0, HeaderValue::len);
        let texts = length(&self.seen.etag) + length(&self.seen.last_modified);
        VARIANT_COST + texts + self.selecting.len() * size_of::<(u64, Option<u64>)>()
    }
}

fn is_same(one: &Validators, other: &Validators) -> bool {
    match (&one.etag, &other.etag) {
        (None, None) => one.last_modified == other.last_modified,
        tags => tags.0 == tags.1,
    }
}

/// Copies the texts: the values of a response may be parts of one big buffer, which would live as long as they do.
fn own(seen: &Validators) -> Validators {
    let copy = |value: &Option<HeaderValue>| {
        value.as_ref().and_then(|value| {
            let mut copy = HeaderValue::from_bytes(value.as_bytes()).ok()?;
            copy.set_sensitive(value.is_sensitive());
            Some(copy)
        })
    };
    Validators { etag: copy(&seen.etag), last_modified: copy(&seen.last_modified) }
}

#[cfg(test)]
mod tests;
