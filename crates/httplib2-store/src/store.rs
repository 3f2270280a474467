//! What a store does.

use std::{
    fmt,
    ops::Range,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::HeaderMap;

use crate::{Answer, Entry, EntryId, Found, Generation, Head, Key, Listed, StoreError, StoredBody, Usage};

/// Keeps responses, several variants per key, and knows nothing of when one may be used.
///
/// Layers hold an `Arc<dyn Store>`. What every store owes them is in [`conformance`](crate::conformance). No answer
/// borrows the store, so an answer may be awaited wherever one likes.
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// Returns what is stored under a key; [`Found::variants`] is empty when there is nothing.
    ///
    /// The generation in it is never younger than the variants: when a key is invalidated meanwhile, a
    /// store may show the old variants, but then with the old generation.
    fn lookup(&self, key: &Key) -> Answer<Found>;

    /// Opens the body of an entry that was found under a key.
    ///
    /// When the entry was replaced or removed meanwhile, this is the old body as a whole, or
    /// [`StoreError::Gone`]. A body that is open is not disturbed by what happens to its entry.
    fn open(&self, key: &Key, entry: &Entry) -> Answer<StoredBody>;

    /// Like [`open`](Self::open), for the bytes of this range only, counted from 0, and without the trailers.
    ///
    /// The range must lie within [`Entry::length`]: what is beyond is [`StoreError::Damaged`]. As it is provided, it
    /// reads what comes before the range and drops it; a store that can go there at once does.
    fn open_range(&self, key: &Key, entry: &Entry, range: Range<u64>) -> Answer<StoredBody> {
        self.open(key, entry).map(|body| body.cut(range))
    }

    /// Begins to store a response under a key.
    ///
    /// `length` is that of the body, if it is known: a body of another length is then refused with
    /// [`StoreError::Incomplete`]. Nothing is visible before [`Writer::commit`].
    ///
    /// # Errors
    ///
    /// [`StoreError::TooLarge`] and [`StoreError::Full`] when that can be said beforehand. A store may say
    /// [`StoreError::Superseded`] here already.
    fn write(
        &self,
        key: Key,
        head: Head,
        length: Option<u64>,
        generation: Generation,
    ) -> Result<Box<dyn Writer>, StoreError>;

    /// Gives an entry another head, as a 304 does, and leaves its body alone (RFC 9111 §4.3.4).
    ///
    /// A variant that the new head [selects the same](Head::selects_same) as is replaced by it. Fails with
    /// [`StoreError::Gone`] when the entry is not there any more, and with [`StoreError::Superseded`] when the key
    /// was invalidated after `generation` was taken. A crash may undo it.
    fn update(&self, key: &Key, id: EntryId, head: Head, generation: Generation) -> Answer<Entry>;

    /// Removes one entry. That it is not there is no error.
    fn remove(&self, key: &Key, id: EntryId) -> Answer<()>;

    /// Removes all that is stored under a key and ends its generation: what was looked up, or began to be stored,
    /// before this was called is refused with [`StoreError::Superseded`].
    ///
    /// When the answer is there, a crash does not undo it.
    fn invalidate(&self, key: &Key) -> Answer<()>;

    /// Removes everything and ends the generation of every key.
    fn clear(&self) -> Answer<()>;

    /// Lists everything, in no particular order. The entries share their heads with the store.
    fn list(&self) -> Answer<Vec<Listed>>;

    /// Says how full it is.
    fn usage(&self) -> Answer<Usage>;
}

/// Takes in the body of one response. Dropping it gives the response up, and nothing of it remains.
pub trait Writer: fmt::Debug + Send + 'static {
    /// Asks whether there is room for the next piece. `Pending` while the store is behind, and then the task is woken.
    ///
    /// A store bounds what it holds in memory with this: a caller who does not want to wait gives the response up.
    ///
    /// # Errors
    ///
    /// What a write that was taken in before has failed with. The response cannot be stored any more.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StoreError>>;

    /// Takes in the next piece of the body.
    ///
    /// # Errors
    ///
    /// [`StoreError::TooLarge`], [`StoreError::Full`], [`StoreError::Incomplete`] (more than was announced), or what
    /// the disk says. The response cannot be stored any more.
    fn write(&mut self, data: Bytes) -> Result<(), StoreError>;

    /// Ends the body and makes the response visible, all at once.
    ///
    /// It takes the place of the variant that its head [selects the same](Head::selects_same) as, unless that one
    /// [was asked for later](Head::is_older_than): an answer that was long under way does not undo a newer one, nor a
    /// part the whole.
    /// Then, and when the key was invalidated after the generation was taken, it fails with
    /// [`StoreError::Superseded`]; with [`StoreError::Incomplete`] when the body has not the announced length or a
    /// write failed.
    fn commit(self: Box<Self>, trailers: Option<HeaderMap>) -> Answer<Entry>;

    /// Ends the body where it is and makes that much visible, all at once, under this head instead: for a download
    /// that broke off (RFC 9111 §3.3). The announced length does not matter.
    ///
    /// Otherwise it is like [`commit`](Self::commit). As it is provided, nothing is stored and it fails with
    /// [`StoreError::Unsupported`].
    fn commit_part(self: Box<Self>, head: Head) -> Answer<Entry> {
        let _ = head;
        Answer::Ready(Err(StoreError::Unsupported))
    }
}
