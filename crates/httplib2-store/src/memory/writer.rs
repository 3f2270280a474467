//! A response that is being stored in memory.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::HeaderMap;

use super::{Body, shared::Shared};
use crate::{
    Answer, Entry, Generation, Head, Key, Share, StoreError, Writer,
    head::{compact, fields_weight},
};

pub(super) struct MemoryWriter {
    key: Key,
    head: Head,
    length: Option<u64>,
    generation: Generation,
    data: Vec<u8>,
    shared: Arc<Shared>,
    reserved: Share,
    /// How long the body may be.
    limit: u64,
    refused: bool,
}

/// The first piece of memory of a body of unknown length.
const FIRST_PIECE: u64 = 8 * 1024;

// === impl MemoryWriter ===

impl MemoryWriter {
    pub(super) fn new(
        shared: Arc<Shared>,
        key: Key,
        head: Head,
        length: Option<u64>,
        generation: Generation,
    ) -> Result<Self, StoreError> {
        let too_large = StoreError::TooLarge { limit: shared.limits.object };
        // The exact weight is compared when the entry is made; this only spares the copying.
        let Some(limit) = shared.limits.object.checked_sub(head.weight() + key.as_str().len() as u64) else {
            return Err(too_large);
        };
        if length.is_some_and(|length| length > limit) {
            return Err(too_large);
        }
        let reserved = shared.writing.share();
        Ok(Self { key, head, length, generation, data: Vec::new(), shared, reserved, limit, refused: false })
    }

    fn append(&mut self, data: &[u8]) -> Result<(), StoreError> {
        let length = (self.data.len() + data.len()) as u64;
        if self.length.is_some_and(|announced| length > announced) {
            return Err(StoreError::Incomplete);
        }
        if length > self.limit {
            return Err(StoreError::TooLarge { limit: self.shared.limits.object });
        }
        if length > self.data.capacity() as u64 {
            self.grow(length)?;
        }
        self.data.extend_from_slice(data);
        Ok(())
    }

    /// Doubles the memory, so that one who announces much and sends little does not take the room of others.
    fn grow(&mut self, length: u64) -> Result<(), StoreError> {
        let most = self.length.unwrap_or(self.limit);
        let target = (self.data.capacity() as u64 * 2).max(FIRST_PIECE).min(most).max(length);
        self.reserved.set(target)?;
        let full = StoreError::Full { limit: self.shared.writing.limit() };
        let Ok(target) = usize::try_from(target) else { return Err(full) };
        self.data.try_reserve_exact(target - self.data.len()).map_err(|_| full)
    }

    fn finish_part(mut self, mut head: Head) -> Result<Entry, StoreError> {
        compact(&mut head.headers);
        // The longer head may leave less room for the body; the exact weight is compared when the entry is made.
        self.head = head;
        self.length = None;
        self.finish(None)
    }

    fn finish(mut self, trailers: Option<HeaderMap>) -> Result<Entry, StoreError> {
        if self.refused || self.length.is_some_and(|announced| announced != self.data.len() as u64) {
            return Err(StoreError::Incomplete);
        }
        let limit = self.shared.limits.object;
        let trailers = trailers.filter(|trailers| !trailers.is_empty()).map(|mut trailers| {
            compact(&mut trailers);
            trailers
        });
        if trailers.as_ref().map_or(0, fields_weight) + self.data.len() as u64 > self.limit {
            return Err(StoreError::TooLarge { limit });
        }
        self.data.shrink_to_fit();
        let body = Body { data: Bytes::from(self.data), trailers };
        self.shared.store(&self.key, self.head, body, self.generation)
    }
}

impl Writer for MemoryWriter {
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

    fn commit(self: Box<Self>, trailers: Option<HeaderMap>) -> Answer<Entry> {
        self.finish(trailers).into()
    }

    fn commit_part(self: Box<Self>, head: Head) -> Answer<Entry> {
        self.finish_part(head).into()
    }
}

impl fmt::Debug for MemoryWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryWriter")
            .field("key", &self.key)
            .field("head", &self.head)
            .field("length", &self.length)
            .field("written", &self.data.len())
            .finish_non_exhaustive()
    }
}
