//! A response that is being stored.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::HeaderMap;
use httplib2_store::{Answer, Collected, Entry, Generation, Head, Key, StoreError, Writer};

use crate::shared::Shared;

pub(crate) struct ObjectWriter {
    key: Key,
    head: Head,
    generation: Generation,
    shared: Arc<Shared>,
    body: Collected,
}

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
        let body = Collected::new(&shared.writing, length, shared.max_object);
        Ok(Self { key, head, generation, shared, body })
    }
}

impl Writer for ObjectWriter {
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), StoreError>> {
        Poll::Ready(self.body.ready())
    }

    fn write(&mut self, data: Bytes) -> Result<(), StoreError> {
        self.body.write(&data)
    }

    fn commit(self: Box<Self>, _trailers: Option<HeaderMap>) -> Answer<Entry> {
        let Self { key, head, generation, shared, body } = *self;
        let (data, share) = match body.finish() {
            Ok(finished) => finished,
            Err(error) => return Err(error).into(),
        };
        let at = key.clone();
        shared.change(Some(&at), |shared| async move {
            let stored = shared.store(&key, head, data, generation).await;
            // Until here the body counts as under construction.
            drop(share);
            stored
        })
    }
}

impl fmt::Debug for ObjectWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectWriter")
            .field("key", &self.key)
            .field("head", &self.head)
            .field("written", &self.body.length())
            .finish_non_exhaustive()
    }
}
