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
    Answer, Collected, Entry, Generation, Head, Key, StoreError, Writer,
    head::{compact, fields_weight},
};

pub(super) struct MemoryWriter {
    key: Key,
    head: Head,
    generation: Generation,
    shared: Arc<Shared>,
    body: Collected,
    /// How long the body may be, trailers included.
    limit: u64,
}

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
        let body = Collected::new(&shared.writing, length, limit);
        Ok(Self { key, head, generation, shared, body, limit })
    }

    fn too_large(&self) -> StoreError {
        StoreError::TooLarge { limit: self.shared.limits.object }
    }

    fn finish(self, trailers: Option<HeaderMap>) -> Result<Entry, StoreError> {
        let too_large = self.too_large();
        let trailers = trailers.filter(|trailers| !trailers.is_empty()).map(|mut trailers| {
            compact(&mut trailers);
            trailers
        });
        // Until it is stored the body counts as under construction.
        let (data, _share) = self.body.finish()?;
        if trailers.as_ref().map_or(0, fields_weight) + data.len() as u64 > self.limit {
            return Err(too_large);
        }
        self.shared.store(&self.key, self.head, Body { data, trailers }, self.generation)
    }
}

impl Writer for MemoryWriter {
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), StoreError>> {
        Poll::Ready(self.body.ready())
    }

    fn write(&mut self, data: Bytes) -> Result<(), StoreError> {
        self.body.write(&data).map_err(|error| match error {
            // The limit of what is stored, of which the body is the larger part.
            StoreError::TooLarge { .. } => self.too_large(),
            error => error,
        })
    }

    fn commit(self: Box<Self>, trailers: Option<HeaderMap>) -> Answer<Entry> {
        self.finish(trailers).into()
    }

    fn commit_part(mut self: Box<Self>, mut head: Head) -> Answer<Entry> {
        compact(&mut head.headers);
        // The longer head may leave less room for the body; the exact weight is compared when the entry is made.
        self.head = head;
        self.body.end_here();
        self.finish(None).into()
    }
}

impl fmt::Debug for MemoryWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryWriter")
            .field("key", &self.key)
            .field("head", &self.head)
            .field("written", &self.body.length())
            .finish_non_exhaustive()
    }
}
