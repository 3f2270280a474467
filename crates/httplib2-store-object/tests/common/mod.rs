//! An object that knows all that it keeps, and how responses are put into a store.

#![allow(dead_code, reason = "each test crate uses its part")]

use std::{
    collections::BTreeMap,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use http_body_util::BodyExt;
use httplib2_store::{Entry, Head, Key, Store, StoreError, Usage};
use httplib2_store_object::{CacheObject, Later};

/// A bounded dictionary. What is over its limit drives out what has the first key. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dictionary {
    blobs: Arc<Mutex<BTreeMap<String, Bytes>>>,
    limit: Option<u64>,
}

/// A dictionary of which nothing but get, set and delete is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plain(pub(crate) Dictionary);

// === impl Dictionary ===

impl Dictionary {
    pub(crate) fn bounded(limit: u64) -> Self {
        Self { limit: Some(limit), ..Self::default() }
    }

    pub(crate) fn blobs(&self) -> MutexGuard<'_, BTreeMap<String, Bytes>> {
        self.blobs.lock().expect("nobody panicked")
    }

    pub(crate) fn text(&self, key: &Key) -> String {
        String::from_utf8(self.blobs()[key.as_str()].to_vec()).expect("it is text")
    }

    fn insert(&self, key: &str, blob: Bytes) -> Result<(), StoreError> {
        let mut blobs = self.blobs();
        blobs.remove(key);
        if let Some(limit) = self.limit {
            if blob.len() as u64 > limit {
                return Err(StoreError::TooLarge { limit });
            }
            while blobs.values().map(Bytes::len).sum::<usize>() + blob.len() > limit as usize {
                blobs.pop_first();
            }
        }
        blobs.insert(key.to_owned(), blob);
        Ok(())
    }
}

impl CacheObject for Dictionary {
    fn get<'a>(&'a self, key: &'a str) -> Later<'a, Option<Bytes>> {
        Box::pin(async { Ok(self.blobs().get(key).cloned()) })
    }

    fn set<'a>(&'a self, key: &'a str, blob: Bytes) -> Later<'a, ()> {
        Box::pin(async { self.insert(key, blob) })
    }

    fn delete<'a>(&'a self, key: &'a str) -> Later<'a, ()> {
        Box::pin(async {
            self.blobs().remove(key);
            Ok(())
        })
    }

    fn keys(&self) -> Later<'_, Vec<String>> {
        Box::pin(async { Ok(self.blobs().keys().cloned().collect()) })
    }

    fn clear(&self) -> Later<'_, ()> {
        Box::pin(async {
            self.blobs().clear();
            Ok(())
        })
    }

    fn usage(&self) -> Later<'_, Usage> {
        Box::pin(async {
            let blobs = self.blobs();
            let bytes = blobs.values().map(|blob| blob.len() as u64).sum();
            Ok(Usage::new(bytes, self.limit, blobs.len() as u64))
        })
    }
}

// === impl Plain ===

impl CacheObject for Plain {
    fn get<'a>(&'a self, key: &'a str) -> Later<'a, Option<Bytes>> {
        self.0.get(key)
    }

    fn set<'a>(&'a self, key: &'a str, blob: Bytes) -> Later<'a, ()> {
        self.0.set(key, blob)
    }

    fn delete<'a>(&'a self, key: &'a str) -> Later<'a, ()> {
        self.0.delete(key)
    }
}

pub(crate) fn key(uri: &str) -> Key {
    Key::of(&uri.parse().expect("it is a URI")).expect("it is absolute")
}

/// 2023-11-14, 22:13:20.
pub(crate) fn moment() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

pub(crate) fn head(fields: &[(&'static str, &str)]) -> Head {
    let mut headers = HeaderMap::new();
    headers.insert("date", HeaderValue::from_static("Tue, 14 Nov 2023 22:13:20 GMT"));
    for (name, value) in fields {
        headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).expect("it is a value"));
    }
    Head::new(StatusCode::OK, headers, moment())
}

/// Stores a response in one piece.
pub(crate) async fn put(store: &dyn Store, key: &Key, head: Head, data: &[u8]) -> Result<Entry, StoreError> {
    let generation = store.lookup(key).await?.generation;
    let mut writer = store.write(key.clone(), head, Some(data.len() as u64), generation)?;
    poll_fn(|cx| writer.poll_ready(cx)).await?;
    writer.write(Bytes::copy_from_slice(data))?;
    writer.commit(None).await
}

/// What is under a key.
pub(crate) async fn get(store: &dyn Store, key: &Key) -> Option<Entry> {
    let found = store.lookup(key).await.expect("the object answers");
    assert!(found.variants.len() <= 1);
    found.variants.first().cloned()
}

pub(crate) async fn body(store: &dyn Store, key: &Key, entry: &Entry) -> Bytes {
    let body = store.open(key, entry).await.expect("it is there");
    body.collect().await.expect("it is whole").to_bytes()
}
