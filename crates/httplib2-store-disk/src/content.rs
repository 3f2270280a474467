//! The contents that are on the disk, each once, however many entries have it.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use http::HeaderMap;

use crate::{
    digest::Digest,
    files::{FileId, blocks},
};

/// What an entry of this store has attached.
#[derive(Debug)]
pub(crate) struct Attached {
    pub(crate) content: Arc<Content>,
    pub(crate) trailers: Option<HeaderMap>,
}

/// The body of an entry, which is in a file named by its digest. An empty one has no file.
pub(crate) struct Content {
    pub(crate) digest: Digest,
    pub(crate) length: u64,
    /// The state of the file in which its digest was found to be right.
    checked: Mutex<Option<FileId>>,
}

/// The contents that entries have, and how many have each.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    table: Mutex<HashMap<Digest, Held>>,
    bytes: AtomicU64,
}

#[derive(Debug)]
struct Held {
    content: Arc<Content>,
    count: usize,
}

// === impl Content ===

impl Content {
    pub(crate) fn is_checked(&self, id: &FileId) -> bool {
        lock(&self.checked).as_ref() == Some(id)
    }

    pub(crate) fn note_checked(&self, id: FileId) {
        *lock(&self.checked) = Some(id);
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Content({} bytes)", self.length)
    }
}

// === impl Contents ===

impl Contents {
    /// The content with this digest: the one that is known, so that what was checked is not checked again.
    pub(crate) fn named(&self, digest: Digest, length: u64) -> Arc<Content> {
        let known = lock(&self.table).get(&digest).map(|held| Arc::clone(&held.content));
        let known = known.filter(|content| content.length == length);
        known.unwrap_or_else(|| Arc::new(Content { digest, length, checked: Mutex::new(None) }))
    }

    /// Notes that one more entry has it.
    pub(crate) fn hold(&self, content: &Arc<Content>) {
        if content.length == 0 {
            return;
        }
        let mut table = lock(&self.table);
        let held = table.entry(content.digest).or_insert_with(|| {
            self.bytes.fetch_add(blocks(content.length), Ordering::Relaxed);
            Held { content: Arc::clone(content), count: 0 }
        });
        held.count += 1;
    }

    /// Notes that one entry less has it. Returns whether none has it any more.
    pub(crate) fn release(&self, content: &Content) -> bool {
        let mut table = lock(&self.table);
        let Some(held) = table.get_mut(&content.digest) else { return false };
        held.count -= 1;
        if held.count > 0 {
            return false;
        }
        if let Some(held) = table.remove(&content.digest) {
            self.bytes.fetch_sub(blocks(held.content.length), Ordering::Relaxed);
        }
        true
    }

    pub(crate) fn is_held(&self, digest: Digest) -> bool {
        lock(&self.table).contains_key(&digest)
    }

    /// The space that they take on the disk.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

/// A thread that panicked here left nothing half done.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_that_two_entries_have_counts_once() {
        let contents = Contents::default();
        let content = contents.named(Digest::of(b"text"), 5_000);
        contents.hold(&content);
        contents.hold(&contents.named(Digest::of(b"text"), 5_000));
        assert!(Arc::ptr_eq(&contents.named(Digest::of(b"text"), 5_000), &content));
        assert_eq!(contents.bytes(), 8_192);
        assert!(!contents.release(&content) && contents.is_held(content.digest));
        assert!(contents.release(&content) && !contents.is_held(content.digest));
        assert_eq!(contents.bytes(), 0);
        // An empty one has no file.
        contents.hold(&contents.named(Digest::of(b""), 0));
        assert!(!contents.is_held(Digest::of(b"")));
    }
}
