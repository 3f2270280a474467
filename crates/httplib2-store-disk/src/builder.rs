//! The settings of the store on a disk.

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use httplib2_core::context::{Clock, SystemClock};
use httplib2_store::{Generations, Room, StoreError, UnderWay};

use crate::{
    DiskStore,
    descriptors::Descriptors,
    files::Files,
    index::Index,
    numbers::Numbers,
    record::MOST_VARIANTS,
    shared::{Limits, Shared},
    upkeep::check,
};

/// The settings of a [`DiskStore`].
#[must_use = "a builder builds nothing until `open` or `build`"]
pub struct DiskStoreBuilder {
    directory: PathBuf,
    capacity: u64,
    max_object: Option<u64>,
    max_variants: usize,
    max_writing: u64,
    max_heads: u64,
    descriptors: usize,
    notice_others: Duration,
    generations: Arc<Generations>,
    clock: Arc<dyn Clock>,
}

/// What browsers take, and little of any disk that is sold now.
const CAPACITY: u64 = 1024 * 1024 * 1024;

/// As in the store in memory.
const MAX_VARIANTS: usize = 64;

/// Of some dozens of large bodies two pieces each, or some hundreds of small ones.
const MAX_WRITING: u64 = 16 * 1024 * 1024;

/// Of some ten thousand responses.
const MAX_HEADS: u64 = 32 * 1024 * 1024;

/// A process may often have no more than 1,024 files open.
const DESCRIPTORS: usize = 128;

// === impl DiskStoreBuilder ===

impl DiskStoreBuilder {
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self {
            directory,
            capacity: CAPACITY,
            max_object: None,
            max_variants: MAX_VARIANTS,
            max_writing: MAX_WRITING,
            max_heads: MAX_HEADS,
            descriptors: DESCRIPTORS,
            notice_others: Duration::from_secs(1),
            generations: Arc::default(),
            clock: Arc::new(SystemClock),
        }
    }

    /// How many bytes all responses together may take on the disk. Default: 1 GiB.
    ///
    /// Each file counts with whole blocks of 4 KiB, as on most file systems; directories do not count. Bodies
    /// that are being stored count too: one for which nothing more can give way is refused with [`StoreError::Full`]. What
    /// other processes store in the same directory is noticed within an hour, so until then each may use that much.
    pub fn capacity(mut self, bytes: u64) -> Self {
        self.capacity = bytes;
        self
    }

    /// The largest response that is taken, in bytes of body, head and key together. Default: a quarter of the capacity.
    ///
    /// A larger one is refused with [`StoreError::TooLarge`]. The limit is never more than half of the capacity:
    /// [`DiskStore::max_object`] says what it came to.
    pub fn max_object(mut self, bytes: u64) -> Self {
        self.max_object = Some(bytes);
        self
    }

    /// How many variants of one key are kept. Default: 64. At least one, and 4,096 at most. The one that was not used
    /// for the longest time gives way; so it does when the heads of all of them are longer than 3 MiB together.
    pub fn max_variants(mut self, number: usize) -> Self {
        self.max_variants = number.clamp(1, MOST_VARIANTS);
        self
    }

    /// How many bytes of bodies may be in memory on their way to the disk at the same time. Default: 16 MiB.
    ///
    /// One response takes up to 512 KiB of it. What would go over it is refused with [`StoreError::Full`] and not made
    /// to wait, since writers that wait for each other might wait for ever.
    pub fn max_writing(mut self, bytes: u64) -> Self {
        self.max_writing = bytes;
        self
    }

    /// About how many bytes of heads are kept in memory. Default: 32 MiB.
    ///
    /// The heads that were not used for the longest time are then only on the disk, and read again when they are asked
    /// for. Of each key some 600 bytes stay in memory.
    pub fn max_heads(mut self, bytes: u64) -> Self {
        self.max_heads = bytes;
        self
    }

    /// How many files of bodies are kept open. Default: 128. A hit in one of them takes no search for the file.
    pub fn descriptors(mut self, number: usize) -> Self {
        self.descriptors = number;
        self
    }

    /// For how long a change that another process made may go unnoticed. Default: one second.
    ///
    /// A look-up asks the file system about its key when it did not for so long. With zero each look-up does, which
    /// costs about a microsecond.
    pub fn notice_others(mut self, time: Duration) -> Self {
        self.notice_others = time;
        self
    }

    /// Shares the generations with another store, such as one in memory before this one. Default: its own.
    pub fn generations(mut self, generations: Arc<Generations>) -> Self {
        self.generations = generations;
        self
    }

    /// The clock that says when an entry was stored and used, and how old a file is. Default: the system's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Makes the directory, if it is not there, and the store in it. It reads nothing yet.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] when the directory cannot be made or written to, belongs to somebody else, or is a file.
    pub fn open(self) -> Result<DiskStore, StoreError> {
        let shared = self.shared();
        check(&shared)?;
        Ok(DiskStore::begin(shared))
    }

    /// Makes the store without looking at the directory, for a cache that goes on without a disk.
    ///
    /// The directory is made when something is to be stored. As long as that fails, look-ups find nothing, nothing is
    /// stored, and a warning says so once a minute at most. What was mended is used again.
    #[must_use]
    pub fn build(self) -> DiskStore {
        DiskStore::begin(self.shared())
    }

    fn shared(self) -> Shared {
        let object = self.max_object.unwrap_or(self.capacity / 4).min(self.capacity / 2);
        Shared {
            files: Files::new(self.directory),
            limits: Limits {
                capacity: self.capacity,
                object,
                variants: self.max_variants,
                heads: self.max_heads,
                notice: self.notice_others,
            },
            generations: self.generations,
            clock: self.clock,
            index: Index::new(),
            descriptors: Descriptors::new(self.descriptors),
            trouble: Default::default(),
            signal: Default::default(),
            saving: Default::default(),
            saving_all: Default::default(),
            evicting: Default::default(),
            placing: Default::default(),
            clearing: Default::default(),
            under_way: UnderWay::default(),
            writing: Room::new(self.max_writing),
            spooled: AtomicU64::new(0),
            strays: AtomicU64::new(0),
            stuck: Default::default(),
            trash: Default::default(),
            trash_of_start: Default::default(),
            unsaved: Default::default(),
            walking: Default::default(),
            knows_all: Default::default(),
            numbers: Numbers::new(),
        }
    }
}

impl fmt::Debug for DiskStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiskStoreBuilder")
            .field("directory", &self.directory)
            .field("capacity", &self.capacity)
            .field("max_object", &self.max_object)
            .field("max_variants", &self.max_variants)
            .field("max_writing", &self.max_writing)
            .field("max_heads", &self.max_heads)
            .field("descriptors", &self.descriptors)
            .field("notice_others", &self.notice_others)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_variants_are_kept_than_are_read_again() {
        let kept = |number| DiskStore::builder("nowhere").max_variants(number).max_variants;
        assert_eq!([0, 1, 4_096, 4_097, usize::MAX].map(kept), [1, 1, 4_096, 4_096, 4_096]);
    }
}
