//! The settings of a store over a cache object.

use std::{fmt, hash::RandomState, sync::Arc};

use bytes::Bytes;
use http::HeaderMap;
use httplib2_core::{
    context::{Clock, Spawn, SystemClock},
    error::BoxError,
};
use httplib2_store::{Generations, Room};

use crate::{
    CacheObject, ObjectStore,
    names::Names,
    shared::{Decode, Shared},
};

/// The settings of an [`ObjectStore`].
#[must_use = "a builder builds nothing until `build`"]
pub struct ObjectStoreBuilder {
    object: Box<dyn CacheObject>,
    max_object: u64,
    max_writing: u64,
    generations: Arc<Generations>,
    clock: Arc<dyn Clock>,
    decode: Option<Decode>,
    executor: Option<Spawn>,
}

/// A body is held in memory as a whole, when it is written and when it is read.
const MAX_OBJECT: u64 = 16 * 1024 * 1024;

const MAX_WRITING: u64 = 64 * 1024 * 1024;

// === impl ObjectStoreBuilder ===

impl ObjectStoreBuilder {
    pub(crate) fn new(object: impl CacheObject) -> Self {
        Self {
            object: Box::new(object),
            max_object: MAX_OBJECT,
            max_writing: MAX_WRITING,
            generations: Arc::default(),
            clock: Arc::new(SystemClock),
            decode: None,
            executor: None,
        }
    }

    /// The largest response that is kept, in bytes of head and body together, without content coding. Default: 16 MiB.
    ///
    /// A larger one is refused with [`StoreError::TooLarge`](httplib2_store::StoreError::TooLarge), and is a miss where
    /// something else has written it. The body is held in memory as a whole.
    pub fn max_object(mut self, bytes: u64) -> Self {
        self.max_object = bytes;
        self
    }

    /// How many bytes of bodies, as they come from the network, may be under construction at the same time. Default:
    /// 64 MiB.
    ///
    /// What would go over it is refused with [`StoreError::Full`](httplib2_store::StoreError::Full).
    pub fn max_writing(mut self, bytes: u64) -> Self {
        self.max_writing = bytes;
        self
    }

    /// Decodes bodies that have a content coding, since httplib2 keeps them without one (H-CACHE-14). Default: a
    /// response with a content coding is not kept.
    ///
    /// The function is given the header fields, the whole coded body, and how many bytes it may return at most: it must
    /// stop there with an error. It is called where the end of a response is stored, so it makes what else runs there
    /// wait. When it fails, the response is not kept, and the failure is the
    /// [`StoreError::Other`](httplib2_store::StoreError::Other).
    pub fn decode_with(
        mut self,
        decode: impl Fn(&HeaderMap, Bytes, u64) -> Result<Bytes, BoxError> + Send + Sync + 'static,
    ) -> Self {
        self.decode = Some(Box::new(decode));
        self
    }

    /// Runs all that changes something on an executor. Default: it runs where it is awaited.
    ///
    /// With an executor a change runs to its end although nobody waits for it any more, and the next one of the
    /// same key waits for it, and so does a look-up. Without one, a change that is given up while the object is at work
    /// may take effect later: what was to be stored may be there after an invalidation.
    pub fn executor(mut self, executor: Spawn) -> Self {
        self.executor = Some(executor);
        self
    }

    /// Shares the generations with another store. Default: its own.
    pub fn generations(mut self, generations: Arc<Generations>) -> Self {
        self.generations = generations;
        self
    }

    /// The clock that says when an entry was used, and in which century a date with two digits lies. Default: the
    /// system's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Builds the store.
    #[must_use]
    pub fn build(self) -> ObjectStore {
        ObjectStore::over(Shared {
            object: self.object,
            max_object: self.max_object,
            generations: self.generations,
            clock: self.clock,
            decode: self.decode,
            executor: self.executor,
            writing: Room::new(self.max_writing),
            changing: Default::default(),
            seed: RandomState::new(),
            names: Names::default(),
            under_way: Default::default(),
        })
    }
}

impl fmt::Debug for ObjectStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectStoreBuilder")
            .field("object", &self.object)
            .field("max_object", &self.max_object)
            .field("max_writing", &self.max_writing)
            .field("decodes", &self.decode.is_some())
            .field("executor", &self.executor)
            .finish_non_exhaustive()
    }
}
