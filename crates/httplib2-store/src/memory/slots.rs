//! The table: one slot per key, weighed in bytes.

use std::{fmt, sync::Arc};

use quick_cache::{DefaultHashBuilder, Lifecycle, OptionsBuilder, Weighter, sync::Cache};

use super::Body;
use crate::{Entry, Key, head::fields_weight};

/// All that is stored, in no more than its capacity.
pub(super) struct Slots {
    table: Cache<Key, Slot, ByWeight, DefaultHashBuilder, Collect>,
    capacity: u64,
    largest: u64,
}

/// All variants of one key.
#[derive(Clone)]
pub(super) struct Slot {
    pub(super) variants: Arc<[Entry]>,
    weight: u64,
}

/// What had to give way.
pub(super) type Displaced = Vec<(Key, Slot)>;

#[derive(Clone)]
struct ByWeight;

#[derive(Clone)]
struct Collect;

/// Shards are locked one by one, so that threads seldom wait for each other.
const MOST_SHARDS: u64 = 16;

/// What the table sizes its own bookkeeping by.
const USUAL_WEIGHT: u64 = 8 * 1024;

/// The table wants room for as many entries of the usual size in each shard, and takes fewer shards otherwise.
const ENTRIES_OF_A_SHARD: u64 = 32;

/// How often a slot is put into the table until it stays there.
const TRIES: usize = 3;

/// What a slot takes beside its key and its variants.
const SLOT_WEIGHT: u64 = 128;

/// What an entry takes beside its head and its body.
const ENTRY_WEIGHT: u64 = 256;

// === impl Slots ===

impl Slots {
    /// A table in which each slot may weigh `object` bytes, or as much as the capacity allows.
    ///
    /// The table divides its capacity by its shards and drops, without a word, what is heavier than a shard's share.
    pub(super) fn new(capacity: u64, object: u64) -> Self {
        let mut shards = MOST_SHARDS;
        let least = object.max(ENTRIES_OF_A_SHARD * USUAL_WEIGHT);
        while shards > 1 && largest(capacity / shards) < least {
            shards /= 2;
        }
        let capacity = capacity / shards * shards;
        let usual = (capacity / USUAL_WEIGHT).max(shards * ENTRIES_OF_A_SHARD);
        let mut options = OptionsBuilder::new();
        options.shards(usize::try_from(shards).unwrap_or(1)).weight_capacity(capacity);
        options.estimated_items_capacity(usize::try_from(usual).unwrap_or(usize::MAX));
        let options = options.build().expect("all that must be set is set above");
        let table = Cache::with_options(options, ByWeight, DefaultHashBuilder::default(), Collect);
        let largest = largest(table.shard_capacity());
        Self { table, capacity, largest }
    }

    /// The weight that a slot may have.
    pub(super) fn largest(&self) -> u64 {
        self.largest
    }

    pub(super) fn capacity(&self) -> u64 {
        self.capacity
    }

    pub(super) fn weight(&self) -> u64 {
        self.table.weight()
    }

    /// The variants of a key. It counts as a use.
    pub(super) fn variants(&self, key: &Key) -> Arc<[Entry]> {
        self.table.get(key).map(|slot| slot.variants).unwrap_or_default()
    }

    /// The variants of a key, to be changed.
    pub(super) fn to_vec(&self, key: &Key) -> Vec<Entry> {
        self.table.peek(key).map(|slot| slot.variants.to_vec()).unwrap_or_default()
    }

    /// Replaces the variants of a key, whose weight is not above [`largest`](Self::largest), and returns what gave way.
    /// `None` when there was no room for them after all; then nothing is left of the key.
    pub(super) fn replace(&self, key: &Key, variants: Vec<Entry>) -> Option<Displaced> {
        let mut displaced = Displaced::new();
        if variants.is_empty() {
            self.table.remove(key);
            return Some(displaced);
        }
        let slot = Slot { weight: slot_weight(key, &variants), variants: variants.into() };
        let mut stays = false;
        for _ in 0..TRIES {
            let before = displaced.len();
            self.table.insert_with_lifecycle(key.clone(), slot.clone(), &mut displaced);
            // The table reports the old value of the key, too. And a value that is heavier than the old one it lets
            // in first and makes room afterwards, for which it may choose the newcomer itself.
            stays = !displaced[before..].iter().any(|(_, other)| Arc::ptr_eq(&other.variants, &slot.variants));
            if stays {
                break;
            }
        }
        displaced.retain(|(other, _)| other != key);
        stays.then_some(displaced)
    }

    pub(super) fn remove(&self, key: &Key) {
        self.table.remove(key);
    }

    pub(super) fn clear(&self) {
        self.table.clear();
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Key, Slot)> {
        self.table.iter()
    }
}

impl fmt::Debug for Slots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slots")
            .field("keys", &self.table.len())
            .field("weight", &self.weight())
            .field("capacity", &self.capacity)
            .field("largest", &self.largest)
            .field("shards", &self.table.num_shards())
            .finish()
    }
}

// === impl ByWeight ===

impl Weighter<Key, Slot> for ByWeight {
    fn weight(&self, _key: &Key, slot: &Slot) -> u64 {
        slot.weight
    }
}

// === impl Collect ===

impl Lifecycle<Key, Slot> for Collect {
    type RequestState = Displaced;

    fn on_evict(&self, displaced: &mut Displaced, key: Key, slot: Slot) {
        displaced.push((key, slot));
    }
}

/// What all variants of a key weigh together. Never nothing, since what weighs nothing is never driven out.
pub(super) fn slot_weight(key: &Key, variants: &[Entry]) -> u64 {
    key.as_str().len() as u64 + SLOT_WEIGHT + variants.iter().map(entry_weight).sum::<u64>()
}

fn entry_weight(entry: &Entry) -> u64 {
    let trailers = entry.attachment::<Body>().and_then(|body| body.trailers.as_ref()).map_or(0, fields_weight);
    ENTRY_WEIGHT + entry.head().weight() + entry.length() + trailers
}

/// The heaviest slot that a shard takes: its share without the 3 % that are for newcomers.
fn largest(share: u64) -> u64 {
    share / 100 * 97
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EntryId, Head};
    use http::{HeaderMap, StatusCode};
    use std::time::UNIX_EPOCH;

    const MIB: u64 = 1024 * 1024;

    /// A slot of exactly this weight.
    fn weighing(key: &Key, weight: u64) -> Vec<Entry> {
        let entry = |length| {
            let head = Head::new(StatusCode::OK, HeaderMap::new(), UNIX_EPOCH);
            Entry::new(EntryId::new(1), head, length, UNIX_EPOCH, Arc::new(()))
        };
        let least = slot_weight(key, &[entry(0)]);
        vec![entry(weight - least)]
    }

    #[test]
    fn a_slot_of_the_largest_weight_is_taken_whatever_the_shards() {
        // dependencies.md §4: above its shard's share an entry is refused without an error.
        for (capacity, object) in [
            (64 * MIB, 4 * MIB),
            (64 * MIB, 40 * MIB),
            (64 * MIB, 64 * MIB),
            (MIB, 4 * MIB),
            (100_000, 1_000),
            (100_003, 100_003),
            (2_000, 1),
        ] {
            let slots = Slots::new(capacity, object);
            let largest = slots.largest();
            assert!(largest >= object || largest >= capacity / 100 * 96, "{capacity} {object}: {slots:?}");
            for n in 0..100 {
                let key = Key::from_text(format!("http://example.org/{n}"));
                assert!(slots.replace(&key, weighing(&key, largest)).is_some());
                assert_eq!(slots.variants(&key).len(), 1, "{capacity} {object}: {slots:?}");
                assert!(slots.weight() <= slots.capacity() && slots.capacity() <= capacity);
            }
        }
    }

    #[test]
    fn small_objects_get_many_shards() {
        assert_eq!(Slots::new(64 * MIB, 1).table.num_shards(), 16);
        assert_eq!(Slots::new(64 * MIB, 4 * MIB).table.num_shards(), 8);
        assert_eq!(Slots::new(64 * MIB, 40 * MIB).table.num_shards(), 1);
    }

    #[test]
    fn what_gives_way_is_returned_and_what_is_replaced_is_not() {
        let slots = Slots::new(MIB, MIB);
        let key = Key::from_text("http://example.org/1");
        for weight in [600_000, 700_000, 500_000] {
            assert!(slots.replace(&key, weighing(&key, weight)).unwrap().is_empty());
        }
        let other = Key::from_text("http://example.org/2");
        let displaced = slots.replace(&other, weighing(&other, 600_000)).unwrap();
        assert_eq!(displaced.iter().map(|(key, _)| key).collect::<Vec<_>>(), [&key]);
        slots.replace(&other, Vec::new());
        assert_eq!(slots.weight(), 0);
    }

    #[test]
    fn a_slot_that_grows_in_a_full_table_stays_in_it() {
        let slots = Slots::new(MIB, MIB);
        let keys: Vec<_> = (0..20).map(|n| Key::from_text(format!("http://example.org/{n}"))).collect();
        let mut random = 1_u64;
        for _ in 0..20_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let key = &keys[(random >> 33) as usize % keys.len()];
            let weight = 2_000 + (random >> 40) % (slots.largest() - 2_000);
            slots.variants(&keys[(random >> 50) as usize % keys.len()]);
            assert!(slots.replace(key, weighing(key, weight)).is_some());
            assert_eq!(slots.variants(key).len(), 1);
            assert!(slots.weight() <= slots.capacity());
        }
    }
}
