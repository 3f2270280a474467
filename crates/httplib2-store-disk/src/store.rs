//! The store and its handle.

use std::{
    fmt,
    ops::Range,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
};

use httplib2_store::{
    Answer, Entry, EntryId, Found, Generation, Head, Key, Listed, Store, StoreError, StoredBody, Usage, Writer, compact,
};

use crate::{
    DiskStoreBuilder,
    job::Job,
    reader::open,
    report::{Swept, Verified},
    shared::{OnDisk, Shared},
    verify::verify,
    writer::DiskWriter,
};

/// Keeps responses in a directory, within a number of bytes. Clones are the same store.
///
/// Several processes may use one directory at the same time, forked ones too if each has a store of its own. See the
/// [crate documentation](crate).
///
/// Work that blocks is given to the tokio runtime in which the store is called; where there is none, it is done in
/// place. A thread of its own, which ends with the last clone, writes refreshed heads and sweeps the directory.
#[derive(Clone)]
pub struct DiskStore(Arc<Handle>);

struct Handle {
    shared: Arc<Shared>,
}

/// Counts as removing everything until it is dropped.
struct Clearing(Arc<Shared>);

// === impl DiskStore ===

impl DiskStore {
    /// Opens a store with the default settings in a directory, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// Those of [`DiskStoreBuilder::open`].
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self, StoreError> {
        Self::builder(directory).open()
    }

    /// Begins a store with other settings.
    pub fn builder(directory: impl Into<PathBuf>) -> DiskStoreBuilder {
        DiskStoreBuilder::new(directory.into())
    }

    /// The directory that it was given.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.shared().files.root()
    }

    /// The largest response that is taken, in bytes of body, head and key together.
    #[must_use]
    pub fn max_object(&self) -> u64 {
        self.shared().limits.object
    }

    /// Writes the refreshed heads that are only in memory yet. It is done anyway within a second, and when the last
    /// clone is dropped.
    ///
    /// # Errors
    ///
    /// What the disk says. It is tried again later.
    pub fn flush(&self) -> Answer<()> {
        self.blocking(|shared| shared.save_all())
    }

    /// Removes what belongs to no entry: old contents and temporary files that a killed process left behind, damaged
    /// index files, empty directories, earlier formats. It is done anyway at the start and once an hour.
    ///
    /// What is younger than an hour stays, because it may be of an entry that is being stored. Where the directory is
    /// over the capacity, it is a minute, but an hour for temporary files while this process is storing something: a
    /// response of which another process got nothing for so long cannot be stored by it any more.
    ///
    /// Nothing is removed only because it could not be read, and no content while part of the index could not be.
    ///
    /// # Errors
    ///
    /// What the disk says when part of the index cannot be read.
    pub fn gc(&self) -> Answer<Swept> {
        self.blocking(|shared| shared.sweep(true))
    }

    /// Reads every body, and removes the entries whose bodies are not as they were written.
    ///
    /// # Errors
    ///
    /// What the disk says.
    pub fn verify(&self) -> Answer<Verified> {
        self.blocking(verify)
    }

    pub(crate) fn begin(shared: Shared) -> Self {
        let shared = Arc::new(shared);
        shared.begin_upkeep();
        Self(Arc::new(Handle { shared }))
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.0.shared
    }

    fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Arc<Shared>) -> Result<T, StoreError> + Send + 'static,
    ) -> Answer<T> {
        let shared = Arc::clone(self.shared());
        let job = Job::start(move || work(&shared));
        Answer::pending(async move { job.await? })
    }
}

impl Store for DiskStore {
    fn lookup(&self, key: &Key) -> Answer<Found> {
        match self.shared().under_way.settled(key) {
            None => Answer::Ready(Ok(self.shared().find(key))),
            Some(settled) => {
                let (shared, key) = (Arc::clone(self.shared()), key.clone());
                Answer::pending(async move {
                    settled.await;
                    Ok(shared.find(&key))
                })
            }
        }
    }

    fn open(&self, key: &Key, entry: &Entry) -> Answer<StoredBody> {
        open(self.shared(), key, entry, None)
    }

    fn open_range(&self, key: &Key, entry: &Entry, range: Range<u64>) -> Answer<StoredBody> {
        open(self.shared(), key, entry, Some(range))
    }

    fn write(
        &self,
        key: Key,
        head: Head,
        length: Option<u64>,
        generation: Generation,
    ) -> Result<Box<dyn Writer>, StoreError> {
        let writer = DiskWriter::new(Arc::clone(self.shared()), key, head, length, generation)?;
        Ok(Box::new(writer))
    }

    fn update(&self, key: &Key, id: EntryId, mut head: Head, generation: Generation) -> Answer<Entry> {
        compact(&mut head.headers);
        self.shared().update(key, id, head, generation).into()
    }

    fn remove(&self, key: &Key, id: EntryId) -> Answer<()> {
        if !self.shared().remove(key, id) {
            return Answer::Ready(Ok(()));
        }
        let key = key.clone();
        self.blocking(move |shared| shared.save(&key, false))
    }

    fn invalidate(&self, key: &Key) -> Answer<()> {
        if !self.shared().invalidate(key) {
            return Answer::Ready(Ok(()));
        }
        let key = key.clone();
        self.blocking(move |shared| shared.save(&key, true))
    }

    fn clear(&self) -> Answer<()> {
        let clearing = Clearing::begin(self.shared());
        self.blocking(move |shared| {
            let _clearing = clearing;
            shared.clear_disk()
        })
    }

    fn list(&self) -> Answer<Vec<Listed>> {
        self.blocking(|shared| Ok(shared.list()))
    }

    fn usage(&self) -> Answer<Usage> {
        if self.shared().knows_all.load(Ordering::Acquire) {
            return Answer::Ready(Ok(self.shared().usage()));
        }
        self.blocking(|shared| {
            shared.walk_once();
            Ok(shared.usage())
        })
    }
}

impl fmt::Debug for DiskStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DiskStore").field(self.shared()).finish()
    }
}

// === impl Handle ===

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.signal.end();
        drop(self.shared.save_all());
    }
}

// === impl Clearing ===

impl Clearing {
    fn begin(shared: &Arc<Shared>) -> Self {
        shared.clearing.fetch_add(1, Ordering::AcqRel);
        shared.clear();
        Self(Arc::clone(shared))
    }
}

impl Drop for Clearing {
    fn drop(&mut self) {
        self.0.clearing.fetch_sub(1, Ordering::AcqRel);
    }
}

// === impl Shared ===

impl Shared {
    fn find(&self, key: &Key) -> Found {
        // The generation first: one that ends in between then refuses what is stored on behalf of this look-up.
        let generation = self.generations.of(key);
        let variants = self.variants(key);
        if self.generations.is_current(key, generation) {
            return Found::new(variants, generation);
        }
        // It may have ended because this look-up saw what another process did, which is then known now.
        let generation = self.generations.of(key);
        Found::new(self.variants(key), generation)
    }

    /// Everything, also what is only on the disk.
    pub(crate) fn list(&self) -> Vec<Listed> {
        self.walk_once();
        let mut lines = Vec::new();
        for key in self.index.keys() {
            let heads = self.index.read(&key, |slot| slot.heads().cloned()).flatten();
            // Those that are read only for this do not stay in memory.
            let entries = heads.map_or_else(
                || match self.load(&key) {
                    Ok(OnDisk::There(loaded)) => loaded.entries,
                    _ => Vec::new(),
                },
                |heads| heads.to_vec(),
            );
            lines.extend(entries.into_iter().map(|entry| Listed::new(key.clone(), entry)));
        }
        lines
    }

    fn usage(&self) -> Usage {
        Usage::new(self.index.bytes(), Some(self.limits.capacity), self.index.entries())
    }
}
