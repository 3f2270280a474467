//! What a look-up and a listing give.

use std::{
    any::Any,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use crate::{Generation, Head, Key};

/// One stored response: everything but its body. Cloning it is cheap.
///
/// What a look-up gave stays as it is, whatever becomes of it in the store.
#[derive(Clone)]
pub struct Entry(Arc<Inner>);

/// Names an entry in its store. An update keeps it, a replacement has another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(u64);

/// What is stored under a key.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Found {
    /// The responses, in no order that means anything. Empty when there is none.
    pub variants: Arc<[Entry]>,
    /// To be handed back when the answer to the request that comes of this look-up is stored.
    pub generation: Generation,
}

/// One line of a listing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Listed {
    /// What it is stored under.
    pub key: Key,
    /// What is stored.
    pub entry: Entry,
}

/// How full a store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// The bytes in use, as the store counts them: never less than those of the bodies.
    pub bytes: u64,
    /// The bytes that it may use, if it is bounded.
    pub limit: Option<u64>,
    /// The number of entries.
    pub entries: u64,
}

struct Inner {
    id: EntryId,
    head: Head,
    length: u64,
    stored_at: SystemTime,
    /// In nanoseconds since 1970.
    last_used: AtomicU64,
    attachment: Arc<dyn Any + Send + Sync>,
}

// === impl Entry ===

impl Entry {
    /// For stores: an entry with a body of `length` bytes.
    ///
    /// `attachment` is whatever the store wants to find again when it is asked to open the entry, such as the body
    /// itself or the name of a file; `()` if nothing.
    pub fn new(
        id: EntryId,
        head: Head,
        length: u64,
        stored_at: SystemTime,
        attachment: Arc<dyn Any + Send + Sync>,
    ) -> Self {
        let last_used = AtomicU64::new(nanoseconds(stored_at));
        Self(Arc::new(Inner { id, head, length, stored_at, last_used, attachment }))
    }

    /// Its name in the store.
    #[must_use]
    pub fn id(&self) -> EntryId {
        self.0.id
    }

    /// All that is known of it beside the body.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.0.head
    }

    /// The length of its body in bytes.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.0.length
    }

    /// When its body was stored.
    #[must_use]
    pub fn stored_at(&self) -> SystemTime {
        self.0.stored_at
    }

    /// When its body was last asked for, or stored.
    #[must_use]
    pub fn last_used(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_nanos(self.0.last_used.load(Ordering::Relaxed))
    }

    /// For stores: notes that the body is asked for.
    pub fn note_use(&self, now: SystemTime) {
        self.0.last_used.store(nanoseconds(now), Ordering::Relaxed);
    }

    /// For stores: what was attached to it, if that is a `T`.
    #[must_use]
    pub fn attachment<T: Any>(&self) -> Option<&T> {
        self.0.attachment.downcast_ref()
    }

    /// For stores: the same entry with another head.
    #[must_use]
    pub fn with_head(&self, head: Head) -> Self {
        let Inner { id, length, stored_at, last_used, attachment, .. } = &*self.0;
        Self(Arc::new(Inner {
            id: *id,
            head,
            length: *length,
            stored_at: *stored_at,
            last_used: AtomicU64::new(last_used.load(Ordering::Relaxed)),
            attachment: Arc::clone(attachment),
        }))
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("id", &self.0.id)
            .field("head", &self.0.head)
            .field("length", &self.0.length)
            .field("stored_at", &self.0.stored_at)
            .field("last_used", &self.last_used())
            .finish_non_exhaustive()
    }
}

// === impl EntryId ===

impl EntryId {
    /// For stores: makes a name from a number that no other entry of the store has or had.
    #[must_use]
    pub fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub fn as_u64(self) -> u64 {
        self.0
    }
}

// === impl Found ===

impl Found {
    /// For stores: what is stored, and the generation that was taken before that was looked up.
    #[must_use]
    pub fn new(variants: Arc<[Entry]>, generation: Generation) -> Self {
        Self { variants, generation }
    }
}

// === impl Listed ===

impl Listed {
    /// For stores: one line.
    #[must_use]
    pub fn new(key: Key, entry: Entry) -> Self {
        Self { key, entry }
    }
}

// === impl Usage ===

impl Usage {
    /// For stores: so many bytes of so many, in so many entries.
    #[must_use]
    pub fn new(bytes: u64, limit: Option<u64>, entries: u64) -> Self {
        Self { bytes, limit, entries }
    }
}

/// A time before 1970 counts as 1970, one after 2554 as 2554.
fn nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, StatusCode};

    #[test]
    fn an_entry_with_another_head_is_the_same_entry() {
        let time = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let head = |status| Head::new(status, HeaderMap::new(), time(1));
        let entry = Entry::new(EntryId::new(7), head(StatusCode::OK), 5, time(2), Arc::new("attached"));
        assert_eq!(entry.last_used(), time(2));
        entry.note_use(time(3));
        let other = entry.with_head(head(StatusCode::GONE));
        assert_eq!(other.head().status, StatusCode::GONE);
        assert_eq!(
            (other.id(), other.length(), other.stored_at(), other.last_used()),
            (entry.id(), 5, time(2), time(3))
        );
        assert_eq!(other.attachment(), Some(&"attached"));
        assert_eq!(other.attachment::<u8>(), None);
    }

    #[test]
    fn a_clock_before_1970_is_no_panic() {
        assert_eq!(nanoseconds(SystemTime::UNIX_EPOCH - Duration::from_secs(1)), 0);
    }
}
