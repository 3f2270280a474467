//! Two stores that act as one: a quick one over a large one.

use std::{fmt, ops::Range, sync::Arc};

use http::{HeaderMap, StatusCode};
use httplib2_core::context::{Clock, SystemClock};

use crate::{
    Answer, Entry, EntryId, Found, Generation, Head, Key, Listed, Store, StoreError, StoredBody, Usage, Writer,
};

/// A quick store over a large one, such as memory over a disk.
///
/// The lower one has everything and decides everything: what is stored, what took whose place, what was invalidated,
/// what gives way. The upper one keeps copies of bodies that were asked for, each under the [`EntryId`] of the lower
/// one, which never names another body. So a copy cannot be out of date, whatever other processes do to the lower one;
/// at worst it is not needed any more and gives way to others.
///
/// A body is copied up when it is opened, if the lower store gives it as a whole ([`StoredBody::as_whole`]) and
/// the upper one takes it. The upper one belongs to this store alone; only if it answers
/// [`Ready`](Answer::Ready) it is used.
///
/// ```
/// use std::sync::Arc;
/// use httplib2_store::{MemoryStore, Store, Tiers};
///
/// # let large: Arc<dyn Store> = Arc::new(MemoryStore::new());
/// let store = Tiers::new(Arc::new(MemoryStore::new()), large);
/// # let _ = store;
/// ```
#[derive(Clone)]
pub struct Tiers {
    upper: Arc<dyn Store>,
    lower: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
}

// === impl Tiers ===

impl Tiers {
    /// The upper store over the lower one.
    #[must_use]
    pub fn new(upper: Arc<dyn Store>, lower: Arc<dyn Store>) -> Self {
        Self { upper, lower, clock: Arc::new(SystemClock) }
    }

    /// The clock by which uses are noted. Default: the system's.
    #[must_use]
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// The copy of a body, if there is one.
    fn copy(&self, name: &Key, entry: &Entry) -> Option<StoredBody> {
        let Answer::Ready(Ok(found)) = self.upper.lookup(name) else { return None };
        let Answer::Ready(Ok(body)) = self.upper.open(name, found.variants.first()?) else { return None };
        // The lower store would let go what nobody seems to ask for.
        entry.note_use(self.clock.now());
        Some(body)
    }

    fn forget(&self, id: EntryId) {
        // Should that fail, it is not reached any more and gives way by itself.
        drop(self.upper.invalidate(&name_of(id)));
    }
}

impl Store for Tiers {
    fn lookup(&self, key: &Key) -> Answer<Found> {
        self.lower.lookup(key)
    }

    fn open(&self, key: &Key, entry: &Entry) -> Answer<StoredBody> {
        let name = name_of(entry.id());
        if let Some(body) = self.copy(&name, entry) {
            return Answer::Ready(Ok(body));
        }
        let upper = Arc::clone(&self.upper);
        self.lower.open(key, entry).map(move |body| {
            // That it cannot be copied harms nobody.
            drop(copy_up(&*upper, name, &body));
            body
        })
    }

    fn open_range(&self, key: &Key, entry: &Entry, range: Range<u64>) -> Answer<StoredBody> {
        match self.copy(&name_of(entry.id()), entry) {
            Some(body) => Answer::Ready(Ok(body.cut(range))),
            None => self.lower.open_range(key, entry, range),
        }
    }

    fn write(
        &self,
        key: Key,
        head: Head,
        length: Option<u64>,
        generation: Generation,
    ) -> Result<Box<dyn Writer>, StoreError> {
        self.lower.write(key, head, length, generation)
    }

    fn update(&self, key: &Key, id: EntryId, head: Head, generation: Generation) -> Answer<Entry> {
        self.lower.update(key, id, head, generation)
    }

    fn remove(&self, key: &Key, id: EntryId) -> Answer<()> {
        self.forget(id);
        self.lower.remove(key, id)
    }

    fn invalidate(&self, key: &Key) -> Answer<()> {
        if let Answer::Ready(Ok(found)) = self.lower.lookup(key) {
            found.variants.iter().for_each(|entry| self.forget(entry.id()));
        }
        self.lower.invalidate(key)
    }

    fn clear(&self) -> Answer<()> {
        let (upper, lower) = (self.upper.clear(), self.lower.clear());
        match (upper, lower) {
            (Answer::Ready(_), lower) => lower,
            (upper, lower) => Answer::pending(async move {
                drop(upper.await);
                lower.await
            }),
        }
    }

    /// What the lower store has.
    fn list(&self) -> Answer<Vec<Listed>> {
        self.lower.list()
    }

    /// How full the lower store is.
    fn usage(&self) -> Answer<Usage> {
        self.lower.usage()
    }
}

impl fmt::Debug for Tiers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tiers").field("upper", &self.upper).field("lower", &self.lower).finish_non_exhaustive()
    }
}

/// What a copy is stored under.
fn name_of(id: EntryId) -> Key {
    Key::from_text(id.as_u64().to_string())
}

fn copy_up(upper: &dyn Store, name: Key, body: &StoredBody) -> Result<(), StoreError> {
    let Some(data) = body.as_whole() else { return Ok(()) };
    let Answer::Ready(found) = upper.lookup(&name) else { return Ok(()) };
    let head = Head::new(StatusCode::OK, HeaderMap::new(), std::time::UNIX_EPOCH);
    let mut writer = upper.write(name, head, Some(data.len() as u64), found?.generation)?;
    writer.write(data.clone())?;
    match writer.commit(body.trailers().cloned()) {
        Answer::Ready(committed) => committed.map(drop),
        Answer::Pending(_) => Ok(()),
    }
}
