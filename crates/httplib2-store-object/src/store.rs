//! The store over a cache object.

use std::sync::Arc;

use httplib2_store::{
    Answer, Entry, EntryId, Found, Generation, Head, Key, Listed, Store, StoreError, StoredBody, Usage, Writer,
};

use crate::{
    CacheObject, ObjectStoreBuilder,
    shared::{Attached, Shared},
    writer::ObjectWriter,
};

/// Keeps responses in a [`CacheObject`], as httplib2 does. Clones are the same store.
///
/// It has one response per key, and the last one remains. See the [crate](crate) for what is not kept.
#[derive(Clone, Debug)]
pub struct ObjectStore {
    shared: Arc<Shared>,
}

// === impl ObjectStore ===

impl ObjectStore {
    /// A store over `object`, with the default settings.
    pub fn new(object: impl CacheObject) -> Self {
        Self::builder(object).build()
    }

    /// Begins a store over `object` with other settings.
    pub fn builder(object: impl CacheObject) -> ObjectStoreBuilder {
        ObjectStoreBuilder::new(object)
    }

    pub(crate) fn over(shared: Shared) -> Self {
        Self { shared: Arc::new(shared) }
    }
}

impl Store for ObjectStore {
    fn lookup(&self, key: &Key) -> Answer<Found> {
        let (shared, key) = (Arc::clone(&self.shared), key.clone());
        let settled = shared.under_way.settled(&key);
        Answer::pending(async move {
            if let Some(settled) = settled {
                settled.await;
            }
            // The generation first: one that ends in between then refuses what is stored on behalf of this look-up.
            let generation = shared.generations.of(&key);
            let variants = shared.read(&key).await?.into_iter().collect();
            Ok(Found::new(variants, generation))
        })
    }

    fn open(&self, _key: &Key, entry: &Entry) -> Answer<StoredBody> {
        let opened = entry.attachment::<Attached>().map(|attached| {
            entry.note_use(self.shared.clock.now());
            StoredBody::whole(attached.body.clone(), None)
        });
        opened.ok_or(StoreError::Gone).into()
    }

    fn write(
        &self,
        key: Key,
        head: Head,
        length: Option<u64>,
        generation: Generation,
    ) -> Result<Box<dyn Writer>, StoreError> {
        Ok(Box::new(ObjectWriter::new(Arc::clone(&self.shared), key, head, length, generation)?))
    }

    fn update(&self, key: &Key, id: EntryId, head: Head, generation: Generation) -> Answer<Entry> {
        let at = key.clone();
        self.shared.change(Some(key), |shared| async move { shared.update(&at, id, head, generation).await })
    }

    fn remove(&self, key: &Key, id: EntryId) -> Answer<()> {
        let at = key.clone();
        self.shared.change(Some(key), |shared| async move { shared.remove(&at, id).await })
    }

    fn invalidate(&self, key: &Key) -> Answer<()> {
        let at = key.clone();
        self.shared.change(Some(key), |shared| async move { shared.invalidate(&at).await })
    }

    fn clear(&self) -> Answer<()> {
        self.shared.change(None, |shared| async move { shared.clear().await })
    }

    fn list(&self) -> Answer<Vec<Listed>> {
        let shared = Arc::clone(&self.shared);
        Answer::pending(async move { shared.list().await })
    }

    fn usage(&self) -> Answer<Usage> {
        let shared = Arc::clone(&self.shared);
        Answer::pending(async move { shared.object.usage().await })
    }
}
