//! A response that is being stored.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::HeaderMap;
use httplib2_store::{Answer, Entry, Generation, Head, Key, Share, StoreError, Writer};

use crate::shared::Shared;

pub(crate) struct ObjectWriter {
    key: Key,
    head: Head,
    length: Option<u64>,
    generation: Generation,
    data: Vec<u8>,
    shared: Arc<Shared>,
    reserved: Share,
    refused: bool,
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
        let reserved = shared.writing.share();
        Ok(Self { key, head, length, generation, data: Vec::new(), shared, reserved, refused: false })
    }

    fn append(&mut self, data: &[u8]) -> Result<(), StoreError> {
        let length = (self.data.len() + data.len()) as u64;
        let shared = &self.shared;
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
        let most = self.length.unwrap_or(self.shared.max_object);
        let target = (self.data.capacity() as u64 * 2).max(FIRST_PIECE).min(most).max(length);
        let full = StoreError::Full { limit: self.shared.writing.limit() };
        self.reserved.set(target)?;
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
        let Self { key, head, length, generation, data, shared, reserved, refused } = *self;
        if refused || length.is_some_and(|announced| announced != data.len() as u64) {
            return Err(StoreError::Incomplete).into();
        }
        let at = key.clone();
        shared.change(Some(&at), |shared| async move {
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
