//! The store in memory.

mod builder;
mod shared;
mod slots;
mod writer;

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;

use self::{shared::Shared, writer::MemoryWriter};
use crate::{
    Answer, Entry, EntryId, Found, Generation, Head, Key, Listed, Store, StoreError, StoredBody, Usage, Writer,
    head::compact,
};

pub use self::builder::MemoryStoreBuilder;

/// Keeps responses in memory, within a number of bytes. Clones are the same store.
///
/// What is used seldom gives way to what is used often (an S3-FIFO-like policy). All variants of a key come and go
/// together when room is needed. A body is kept as one piece, so that a hit costs the same whatever its size. All
/// answers are [`Ready`](Answer::Ready).
///
/// Header values and bodies are copied when they are stored: what comes from the network shares its memory
/// with the buffer that it was read into, and no limit would be true.
///
/// ```
/// use httplib2_store::MemoryStore;
///
/// let store = MemoryStore::builder().capacity(256 * 1024 * 1024).max_object(16 * 1024 * 1024).build();
/// # let _ = store;
/// ```
#[derive(Clone, Debug)]
pub struct MemoryStore {
    shared: Arc<Shared>,
}

/// What an entry of this store has attached.
#[derive(Debug)]
struct Body {
    data: Bytes,
    trailers: Option<HeaderMap>,
}

// === impl MemoryStore ===

impl MemoryStore {
    /// A store with the default settings: 64 MiB in all, 4 MiB for one response.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Begins a store with other settings.
    pub fn builder() -> MemoryStoreBuilder {
        MemoryStoreBuilder::new()
    }

    /// The largest response that is taken, in bytes of body, head and key together.
    #[must_use]
    pub fn max_object(&self) -> u64 {
        self.shared.limits.object
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl Store for MemoryStore {
    fn lookup(&self, key: &Key) -> Answer<Found> {
        // The generation first: one that ends in between then refuses what is stored on behalf of this look-up.
        let generation = self.shared.generations.of(key);
        Answer::Ready(Ok(Found::new(self.shared.variants(key), generation)))
    }

    fn open(&self, _key: &Key, entry: &Entry) -> Answer<StoredBody> {
        let opened = entry.attachment::<Body>().map(|body| {
            entry.note_use(self.shared.clock.now());
            StoredBody::whole(body.data.clone(), body.trailers.clone())
        });
        opened.ok_or(StoreError::Gone).into()
    }

    fn write(
        &self,
        key: Key,
        mut head: Head,
        length: Option<u64>,
        generation: Generation,
    ) -> Result<Box<dyn Writer>, StoreError> {
        compact(&mut head.headers);
        let writer = MemoryWriter::new(Arc::clone(&self.shared), key, head, length, generation)?;
        Ok(Box::new(writer))
    }

    fn update(&self, key: &Key, id: EntryId, mut head: Head, generation: Generation) -> Answer<Entry> {
        compact(&mut head.headers);
        self.shared.update(key, id, head, generation).into()
    }

    fn remove(&self, key: &Key, id: EntryId) -> Answer<()> {
        self.shared.remove(key, id);
        Answer::Ready(Ok(()))
    }

    fn invalidate(&self, key: &Key) -> Answer<()> {
        self.shared.invalidate(key);
        Answer::Ready(Ok(()))
    }

    fn clear(&self) -> Answer<()> {
        self.shared.clear();
        Answer::Ready(Ok(()))
    }

    fn list(&self) -> Answer<Vec<Listed>> {
        Answer::Ready(Ok(self.shared.list()))
    }

    fn usage(&self) -> Answer<Usage> {
        Answer::Ready(Ok(self.shared.usage()))
    }
}
