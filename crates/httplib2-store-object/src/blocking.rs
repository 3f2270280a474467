//! Objects that make the caller's thread wait.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use httplib2_store::{StoreError, Usage};
use tokio::sync::oneshot;

use crate::{CacheObject, Later};

/// A [`CacheObject`] whose methods make the calling thread wait, such as [`FileCache`](crate::FileCache).
///
/// [`Blocking`] makes a [`CacheObject`] of it.
pub trait BlockingObject: fmt::Debug + Send + Sync + 'static {
    /// Returns what was set under a key, or `None`.
    ///
    /// # Errors
    ///
    /// What stands in the way. It counts as a miss.
    fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError>;

    /// Keeps this under a key, in place of what was there. A reader sees the old bytes or the new ones.
    ///
    /// # Errors
    ///
    /// What stands in the way. The old bytes may then still be there or not.
    fn set(&self, key: &str, blob: &Bytes) -> Result<(), StoreError>;

    /// Forgets what is under a key. That nothing is there is no error.
    ///
    /// # Errors
    ///
    /// What stands in the way.
    fn delete(&self, key: &str) -> Result<(), StoreError>;

    /// Lists the keys, in no particular order.
    ///
    /// # Errors
    ///
    /// As it is provided, [`StoreError::Unsupported`].
    fn keys(&self) -> Result<Vec<String>, StoreError> {
        Err(StoreError::Unsupported)
    }

    /// Forgets everything.
    ///
    /// # Errors
    ///
    /// As it is provided, [`StoreError::Unsupported`].
    fn clear(&self) -> Result<(), StoreError> {
        Err(StoreError::Unsupported)
    }

    /// Says how full it is.
    ///
    /// # Errors
    ///
    /// As it is provided, [`StoreError::Unsupported`].
    fn usage(&self) -> Result<Usage, StoreError> {
        Err(StoreError::Unsupported)
    }
}

/// What [`Blocking::on`] hands to threads that may wait. It must be called; otherwise whoever asked gets an error.
pub type Job = Box<dyn FnOnce() + Send>;

/// A [`CacheObject`] made of a [`BlockingObject`]. Clones share it.
///
/// ```
/// use httplib2_store_object::{Blocking, FileCache};
///
/// # let temporary = tempfile::tempdir()?;
/// # let directory = temporary.path().join("cache");
/// let files = Blocking::on(FileCache::new(&directory)?, |job| {
///     // `tokio::task::spawn_blocking(job);` where tokio's runtime is.
///     std::thread::spawn(job);
/// });
/// # let _ = files;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Blocking<T> {
    object: Arc<T>,
    run: Option<Run>,
}

type Run = Arc<dyn Fn(Job) + Send + Sync>;

// === impl Blocking ===

impl<T: BlockingObject> Blocking<T> {
    /// Runs each method where it is awaited. **All that this thread does waits meanwhile**: use it for objects that
    /// answer at once, or on a thread that has nothing else to do, such as that of a blocking client.
    pub fn inline(object: T) -> Self {
        Self { object: Arc::new(object), run: None }
    }

    /// Runs each method as a job of its own where `run` puts it: on threads that may wait.
    ///
    /// A job runs to its end even if nobody waits for it any more, so give the store an
    /// [`executor`](crate::ObjectStoreBuilder::executor) too: it keeps the order of such jobs and later ones.
    pub fn on(object: T, run: impl Fn(Job) + Send + Sync + 'static) -> Self {
        Self { object: Arc::new(object), run: Some(Arc::new(run)) }
    }

    /// The object itself.
    #[must_use]
    pub fn object(&self) -> &T {
        &self.object
    }

    fn run<'a, R, F>(&'a self, work: F) -> Later<'a, R>
    where
        R: Send + 'static,
        F: FnOnce(&T) -> Result<R, StoreError> + Send + 'static,
    {
        let Some(run) = &self.run else {
            return Box::pin(async { work(&self.object) });
        };
        Box::pin(async move {
            let (done, wait) = oneshot::channel();
            let object = Arc::clone(&self.object);
            // That nobody waits any more is no concern of the job.
            run(Box::new(move || drop(done.send(work(&object)))));
            wait.await.unwrap_or_else(|_| Err(StoreError::Other("a job of the store was not run to its end".into())))
        })
    }
}

impl<T: BlockingObject> CacheObject for Blocking<T> {
    fn get<'a>(&'a self, key: &'a str) -> Later<'a, Option<Bytes>> {
        let key = key.to_owned();
        self.run(move |object| object.get(&key))
    }

    fn set<'a>(&'a self, key: &'a str, blob: Bytes) -> Later<'a, ()> {
        let key = key.to_owned();
        self.run(move |object| object.set(&key, &blob))
    }

    fn delete<'a>(&'a self, key: &'a str) -> Later<'a, ()> {
        let key = key.to_owned();
        self.run(move |object| object.delete(&key))
    }

    fn keys(&self) -> Later<'_, Vec<String>> {
        self.run(BlockingObject::keys)
    }

    fn clear(&self) -> Later<'_, ()> {
        self.run(BlockingObject::clear)
    }

    fn usage(&self) -> Later<'_, Usage> {
        self.run(BlockingObject::usage)
    }
}

impl<T> Clone for Blocking<T> {
    fn clone(&self) -> Self {
        Self { object: Arc::clone(&self.object), run: self.run.clone() }
    }
}

impl<T: fmt::Debug> fmt::Debug for Blocking<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocking").field("object", &self.object).field("inline", &self.run.is_none()).finish()
    }
}
