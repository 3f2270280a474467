//! What httplib2 calls a cache object.

use std::{fmt, future::Future, pin::Pin};

use bytes::Bytes;
use httplib2_store::{StoreError, Usage};

/// What a [`CacheObject`] answers: a future, which may be ready at once.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Keeps one piece of bytes per key: what Python's httplib2 takes for its `cache` argument.
///
/// A client of memcached or of a database is one after a few lines, and [`ObjectStore`](crate::ObjectStore) makes
/// a store of it. A key is the text of an absolute URI, and behind a space a partition if there is one. It has
/// any length, so an object that limits its keys hashes them.
///
/// The last three methods need not be there: they are for objects that know all that they keep.
///
/// ```
/// use std::{collections::HashMap, sync::Mutex};
/// use bytes::Bytes;
/// use httplib2_store_object::{CacheObject, Later};
///
/// #[derive(Debug, Default)]
/// struct Dictionary(Mutex<HashMap<String, Bytes>>);
///
/// impl CacheObject for Dictionary {
///     fn get<'a>(&'a self, key: &'a str) -> Later<'a, Option<Bytes>> {
///         Box::pin(async { Ok(self.0.lock().unwrap().get(key).cloned()) })
///     }
///     fn set<'a>(&'a self, key: &'a str, blob: Bytes) -> Later<'a, ()> {
///         Box::pin(async { Ok(drop(self.0.lock().unwrap().insert(key.to_owned(), blob))) })
///     }
///     fn delete<'a>(&'a self, key: &'a str) -> Later<'a, ()> {
///         Box::pin(async { Ok(drop(self.0.lock().unwrap().remove(key))) })
///     }
/// }
/// ```
pub trait CacheObject: fmt::Debug + Send + Sync + 'static {
    /// Returns what was set under a key, or `None`.
    fn get<'a>(&'a self, key: &'a str) -> Later<'a, Option<Bytes>>;

    /// Keeps this under a key, in place of what was there. A reader sees the old bytes or the new ones.
    ///
    /// When it fails, the old bytes may still be there or not.
    fn set<'a>(&'a self, key: &'a str, blob: Bytes) -> Later<'a, ()>;

    /// Forgets what is under a key. That nothing is there is no error.
    fn delete<'a>(&'a self, key: &'a str) -> Later<'a, ()>;

    /// Lists the keys, in no particular order. As it is provided, it fails with [`StoreError::Unsupported`].
    fn keys(&self) -> Later<'_, Vec<String>> {
        unsupported()
    }

    /// Forgets everything. As it is provided, it fails with [`StoreError::Unsupported`].
    fn clear(&self) -> Later<'_, ()> {
        unsupported()
    }

    /// Says how full it is. As it is provided, it fails with [`StoreError::Unsupported`].
    fn usage(&self) -> Later<'_, Usage> {
        unsupported()
    }
}

fn unsupported<T: Send>() -> Later<'static, T> {
    Box::pin(async { Err(StoreError::Unsupported) })
}
