//! What all clones of a store, and its writers, share.

use std::{
    fmt,
    future::Future,
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use bytes::Bytes;
use http::{HeaderMap, header};
use httplib2_core::{
    context::{Clock, Spawn},
    error::BoxError,
};
use httplib2_store::{Answer, Entry, EntryId, Generation, Generations, Head, Key, Listed, Room, StoreError, UnderWay};
use tokio::sync::{Mutex, oneshot};

use crate::{
    CacheObject,
    blob::{
        MAX_HEAD, read_blob, times, varied,
        write::{self, Body, Refused},
    },
    names::Names,
};

pub(crate) type Decode = Box<dyn Fn(&HeaderMap, Bytes, u64) -> Result<Bytes, BoxError> + Send + Sync>;

pub(crate) struct Shared {
    pub(crate) object: Box<dyn CacheObject>,
    pub(crate) max_object: u64,
    pub(crate) generations: Arc<Generations>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) decode: Option<Decode>,
    pub(crate) executor: Option<Spawn>,
    /// The bytes of the bodies under construction.
    pub(crate) writing: Room,
    /// Held, the one of the key, by whoever changes what is under a key or ends its generation. Look-ups hold none.
    pub(crate) changing: [Mutex<()>; LOCKS],
    pub(crate) seed: RandomState,
    pub(crate) names: Names,
    pub(crate) under_way: UnderWay,
}

pub(crate) const LOCKS: usize = 32;

/// What an entry of this store has attached.
#[derive(Debug)]
pub(crate) struct Attached {
    pub(crate) body: Bytes,
    coding: Option<Vec<u8>>,
}

/// Ends a generation now, and the one that begins with it when this is dropped, also when nobody waits any more.
///
/// A look-up in between may find what is just being removed, and must not take it for one of the generation that remains.
struct Twice<F: Fn()>(F);

// === impl Shared ===

impl Shared {
    /// Makes a change, and to its end if there is an executor, even if nobody waits for it any more.
    ///
    /// Look-ups of the key wait for it then, so that a request sees what the one before it has stored, although that one
    /// did not wait.
    pub(crate) fn change<T, F>(self: &Arc<Self>, key: Option<&Key>, change: impl FnOnce(Arc<Self>) -> F) -> Answer<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let change = change(Arc::clone(self));
        let Some(executor) = &self.executor else { return Answer::pending(change) };
        let (done, wait) = oneshot::channel();
        let under_way = key.map(|key| self.under_way.begin(key));
        executor.spawn(async move {
            let result = change.await;
            drop(under_way);
            drop(done.send(result));
        });
        Answer::pending(async {
            wait.await.unwrap_or_else(|_| Err(StoreError::Other("the executor did not run a change to its end".into())))
        })
    }

    /// What is under a key. What cannot be read is not there.
    pub(crate) async fn read(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        let blob = self.object.get(key.as_str()).await?;
        Ok(blob.and_then(|blob| self.entry(key, &blob)))
    }

    /// Puts a response under a key, in place of what is there.
    pub(crate) async fn store(
        &self,
        key: &Key,
        mut head: Head,
        body: Bytes,
        generation: Generation,
    ) -> Result<Entry, StoreError> {
        let coding = write::coding(&head.headers);
        let body = self.decoded(&head.headers, coding.is_some(), body)?;
        head.headers.remove(header::CONTENT_ENCODING);
        let (blob, entry) = self.blob(key, &head, &body, coding.as_deref(), None)?;
        drop(body);
        let _changing = self.lock(key).lock().await;
        self.is_current(key, generation)?;
        self.object.set(key.as_str(), blob).await?;
        Ok(entry)
    }

    pub(crate) async fn update(
        &self,
        key: &Key,
        id: EntryId,
        mut head: Head,
        generation: Generation,
    ) -> Result<Entry, StoreError> {
        let _changing = self.lock(key).lock().await;
        self.is_current(key, generation)?;
        let old = self.read(key).await?.filter(|entry| entry.id() == id).ok_or(StoreError::Gone)?;
        let attached = old.attachment::<Attached>().ok_or(StoreError::Gone)?;
        // A 304 may name the coding of a body that is not coded here (H-CACHE-51).
        head.headers.remove(header::CONTENT_ENCODING);
        match self.blob(key, &head, &attached.body, attached.coding.as_deref(), Some(id)) {
            Ok((blob, entry)) => {
                self.object.set(key.as_str(), blob).await?;
                Ok(entry)
            }
            Err(error) => {
                // What the update says cannot be kept, so what it was said of must not stay as it was.
                self.object.delete(key.as_str()).await?;
                Err(error)
            }
        }
    }

    pub(crate) async fn remove(&self, key: &Key, id: EntryId) -> Result<(), StoreError> {
        let _changing = self.lock(key).lock().await;
        match self.read(key).await? {
            Some(entry) if entry.id() == id => self.object.delete(key.as_str()).await,
            _ => Ok(()),
        }
    }

    pub(crate) async fn invalidate(&self, key: &Key) -> Result<(), StoreError> {
        let _changing = self.lock(key).lock().await;
        let _ended = Twice::new(|| self.generations.end(key));
        self.object.delete(key.as_str()).await
    }

    pub(crate) async fn clear(&self) -> Result<(), StoreError> {
        let mut changing = Vec::with_capacity(LOCKS);
        // Everybody else holds one of them at a time, so this waits for each and for nobody for ever.
        for lock in &self.changing {
            changing.push(lock.lock().await);
        }
        let _ended = Twice::new(|| self.generations.end_all());
        self.object.clear().await
    }

    pub(crate) async fn list(&self) -> Result<Vec<Listed>, StoreError> {
        let mut lines = Vec::new();
        for key in self.object.keys().await? {
            let key = Key::from_text(key);
            if let Some(entry) = self.read(&key).await? {
                lines.push(Listed::new(key, entry));
            }
        }
        Ok(lines)
    }

    /// Whether a response with this head can be kept, as far as that can be said before its body is there.
    pub(crate) fn check(&self, key: &Key, head: &Head) -> Result<(), StoreError> {
        write::check(key, head)?;
        if self.decode.is_none() && write::coding(&head.headers).is_some() {
            return Err(StoreError::Unsupported);
        }
        Ok(())
    }

    pub(crate) fn too_large(&self) -> StoreError {
        StoreError::TooLarge { limit: self.max_object }
    }

    fn is_current(&self, key: &Key, generation: Generation) -> Result<(), StoreError> {
        if self.generations.is_current(key, generation) { Ok(()) } else { Err(StoreError::Superseded) }
    }

    fn decoded(&self, headers: &HeaderMap, is_coded: bool, body: Bytes) -> Result<Bytes, StoreError> {
        if !is_coded {
            return Ok(body);
        }
        let decode = self.decode.as_ref().ok_or(StoreError::Unsupported)?;
        decode(headers, body, self.max_object).map_err(StoreError::Other)
    }

    /// The blob of a response, and the entry that will be read from it, under the name of the one that it updates.
    fn blob(
        &self,
        key: &Key,
        head: &Head,
        body: &Bytes,
        coding: Option<&[u8]>,
        updated: Option<EntryId>,
    ) -> Result<(Bytes, Entry), StoreError> {
        let mut blob = write::head(key, head, Body { length: body.len(), coding })?;
        if blob.len() > MAX_HEAD || (blob.len() + body.len()) as u64 > self.max_object {
            return Err(self.too_large());
        }
        blob.reserve_exact(body.len());
        blob.extend_from_slice(body);
        let blob = Bytes::from(blob);
        if let Some(id) = updated {
            self.names.keep(id, key, &blob);
        }
        // What would be read as another variant, or not at all, is not written.
        let entry = self.entry(key, &blob).filter(|entry| entry.head().selects_same(head));
        Ok((blob, entry.ok_or(StoreError::Unsupported)?))
    }

    /// What a blob says, if it says something.
    fn entry(&self, key: &Key, blob: &Bytes) -> Option<Entry> {
        if blob.len() as u64 > self.max_object {
            return None;
        }
        let mut read = read_blob(blob)?;
        let dated = times::read(&read.headers, self.clock.now());
        let selecting = varied::read(&read.headers, &read.varied)?;
        write::drop_added(key, &mut read.headers);
        let mut head = Head::new(read.status, read.headers, dated);
        head.selecting = selecting;
        let body = blob.slice(read.body);
        let (id, length) = (self.names.of(key, blob), body.len() as u64);
        let attached = Attached { body, coding: read.coding };
        Some(Entry::new(id, head, length, dated, Arc::new(attached)))
    }

    fn lock(&self, key: &Key) -> &Mutex<()> {
        &self.changing[self.seed.hash_one(key) as usize % LOCKS]
    }
}

// === impl Twice ===

impl<F: Fn()> Twice<F> {
    fn new(end: F) -> Self {
        end();
        Self(end)
    }
}

impl<F: Fn()> Drop for Twice<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("object", &self.object)
            .field("max_object", &self.max_object)
            .field("writing", &self.writing)
            .field("decodes", &self.decode.is_some())
            .field("executor", &self.executor)
            .finish_non_exhaustive()
    }
}

impl From<Refused> for StoreError {
    fn from(_: Refused) -> Self {
        Self::Unsupported
    }
}
