//! A response that is being stored.

use std::{
    fmt, mem,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
};

use bytes::Bytes;
use http::HeaderMap;
use httplib2_store::{Answer, Entry, Generation, Head, Key, StoreError, Writer};

use crate::shared::Shared;

pub(crate) struct ObjectWriter {
    key: Key,
    head: Head,
    length: Option<u64>,
    generation: Generation,
    data: Vec<u8>,
    reserved: Reserved,
    refused: bool,
}

/// Memory that counts as being written to, until it is dropped.
struct Reserved {
    shared: Arc<Shared>,
    bytes: u64,
}

/// The first piece of memory of a body.
const FIRST_PIECE: u64 = 8 * 1024;

// === impl ObjectWriter ===

impl ObjectWriter {
    pub(crate) fn new(
        shared: Arc<Shared>,
        key: Key,
        head: Head,
        length: Option<u64>,
        generation: Generation,
    ) -> Result<Self, StoreError> {
        shared.check(&key, &head)?;
        // The exact size is compared when the blob is made; this only spares the copying.
        if length.is_some_and(|length| length > shared.max_object) {
            return Err(shared.too_large());
        }
        let reserved = Reserved { shared, bytes: 0 };
        Ok(Self { key, head, length, generation, data: Vec::new(), reserved, refused: false })
    }

    fn append(&mut self, data: &[u8]) -> Result<(), StoreError> {
        let length = (self.data.len() + data.len()) as u64;
        let shared = &self.reserved.shared;
        if self.length.is_some_and(|announced| length > announced) {
            return Err(StoreError::Incomplete);
        }
        if length > shared.max_object {
            return Err(shared.too_large());
        }
        if length > self.data.capacity() as u64 {
            self.grow(length)?;
        }
        self.data.extend_from_slice(data);
        Ok(())
    }

    /// Doubles the memory, so that one who announces much and sends little does not take the room of others.
    fn grow(&mut self, length: u64) -> Result<(), StoreError> {
        let most = self.length.unwrap_or(self.reserved.shared.max_object);
        let target = (self.data.capacity() as u64 * 2).max(FIRST_PIECE).min(most).max(length);
        let full = StoreError::Full { limit: self.reserved.shared.max_writing };
        self.reserved.extend_to(target)?;
        let Ok(target) = usize::try_from(target) else { return Err(full) };
        self.data.try_reserve_exact(target - self.data.len()).map_err(|_| full)
    }
}

impl Writer for ObjectWriter {
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), StoreError>> {
        Poll::Ready(if self.refused { Err(StoreError::Incomplete) } else { Ok(()) })
    }

    fn write(&mut self, data: Bytes) -> Result<(), StoreError> {
        if self.refused {
            return Err(StoreError::Incomplete);
        }
        let written = self.append(&data);
        if written.is_err() {
            self.refused = true;
            // What cannot be stored any more takes no room until it is dropped.
            self.data = Vec::new();
            self.reserved.release();
        }
        written
    }

    fn commit(self: Box<Self>, _trailers: Option<HeaderMap>) -> Answer<Entry> {
        let Self { key, head, length, generation, data, reserved, refused } = *self;
        if refused || length.is_some_and(|announced| announced != data.len() as u64) {
            return Err(StoreError::Incomplete).into();
        }
        let shared = Arc::clone(&reserved.shared);
        shared.change(|shared| async move {
            let stored = shared.store(&key, head, Bytes::from(data), generation).await;
            // Until here the body counts as under construction.
            drop(reserved);
            stored
        })
    }
}

impl fmt::Debug for ObjectWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectWriter")
            .field("key", &self.key)
            .field("head", &self.head)
            .field("length", &self.length)
            .field("written", &self.data.len())
            .finish_non_exhaustive()
    }
}

// === impl Reserved ===

impl Reserved {
    fn extend_to(&mut self, bytes: u64) -> Result<(), StoreError> {
        let more = bytes.saturating_sub(self.bytes);
        let limit = self.shared.max_writing;
        let before = self.shared.writing.fetch_add(more, Ordering::Relaxed);
        if before.saturating_add(more) > limit {
            self.shared.writing.fetch_sub(more, Ordering::Relaxed);
            return Err(StoreError::Full { limit });
        }
        self.bytes += more;
        Ok(())
    }

    fn release(&mut self) {
        self.shared.writing.fetch_sub(mem::take(&mut self.bytes), Ordering::Relaxed);
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.release();
    }
}
