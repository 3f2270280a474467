//! From what a client is told of keeping responses to the layer that keeps them.

use std::{
    convert::Infallible,
    future::{Future, ready},
    path::{Path, PathBuf},
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use httplib2_cache::{CacheLayer, policy::Rules};
use httplib2_core::{context::Spawn, error::BoxError};
use httplib2_decompression::DecompressionLayer;
use httplib2_store::{Place, Store};
use httplib2_store_object::{Blocking, FileCache, Job, ObjectStore};
use tokio::runtime::Handle;
use tower::{Layer, ServiceExt, service_fn};

use crate::{Body, Compat};

/// What a client keeps.
#[derive(Clone, Debug, Default)]
pub(crate) enum Caching {
    #[default]
    Nothing,
    In(Place),
    With(CacheLayer),
}

// === impl Caching ===

impl Caching {
    /// The layer, if anything is kept.
    pub(crate) fn layer(
        self,
        compat: Compat,
        decompression: &DecompressionLayer,
    ) -> Result<Option<CacheLayer>, BoxError> {
        let rules = if compat.cache { Rules::httplib2() } else { Rules::private() };
        let layer = match self {
            Self::Nothing => return Ok(None),
            Self::With(layer) => layer,
            Self::In(Place::Store(store)) => CacheLayer::with_rules(store, rules),
            Self::In(Place::Dir(dir)) if compat.cache => CacheLayer::with_rules(files(&dir, decompression)?, rules),
            Self::In(Place::Dir(dir)) => CacheLayer::with_rules(tiers(dir)?, rules),
        };
        Ok(Some(layer.executor(background())))
    }
}

/// Memory over a disk. A directory that cannot be used is a store that finds nothing, and a warning.
#[cfg(feature = "disk")]
fn tiers(dir: PathBuf) -> Result<Arc<dyn Store>, BoxError> {
    use httplib2_store::{MemoryStore, Tiers};
    let disk = httplib2_store_disk::DiskStore::builder(dir).build();
    Ok(Arc::new(Tiers::new(Arc::new(MemoryStore::new()), Arc::new(disk))))
}

#[cfg(not(feature = "disk"))]
fn tiers(_: PathBuf) -> Result<Arc<dyn Store>, BoxError> {
    Err("a cache in a directory needs the feature `disk`".into())
}

/// httplib2's own files, which hold bodies without their content coding.
fn files(dir: &Path, decompression: &DecompressionLayer) -> Result<Arc<dyn Store>, BoxError> {
    let files = Blocking::on(FileCache::new(dir)?, on_a_thread_that_may_wait);
    let decompression = decompression.clone();
    let store = ObjectStore::builder(files).executor(background());
    Ok(Arc::new(store.decode_with(move |fields, body, limit| decode(&decompression, fields, body, limit)).build()))
}

fn on_a_thread_that_may_wait(job: Job) {
    match Handle::try_current() {
        Ok(runtime) => drop(runtime.spawn_blocking(job)),
        Err(_) => job(),
    }
}

/// Decodes a whole body as this client does, within as many bytes.
fn decode(layer: &DecompressionLayer, fields: &HeaderMap, body: Bytes, limit: u64) -> Result<Bytes, BoxError> {
    let mut response = Response::new(Full::new(body));
    *response.headers_mut() = fields.clone();
    let coded = service_fn(move |_: Request<Body>| ready(Ok::<_, Infallible>(response.clone())));
    let decoded = async {
        let response = layer.clone().decode_limit_hard(limit).layer(coded).oneshot(Request::default()).await?;
        let decoded = response.into_body().collect().await?;
        Ok::<_, BoxError>(decoded.to_bytes())
    };
    // All of it is in memory.
    match pin!(decoded).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(decoded) => decoded,
        Poll::Pending => Err("the decoder waits for more".into()),
    }
}

/// Work in the background runs on whatever runtime the client is used on. A body may be dropped anywhere, so where
/// there is none the last one is taken that was seen; one that has ended drops the work.
fn background() -> Spawn {
    let last = Mutex::new(None);
    Spawn::new(move |work| {
        let runtime = {
            let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
            if let Ok(runtime) = Handle::try_current() {
                *last = Some(runtime);
            }
            last.clone()
        };
        // Not under the lock: a runtime that has ended drops the work at once, and with it what may have work itself.
        if let Some(runtime) = runtime {
            drop(runtime.spawn(work));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, read::GzEncoder};
    use std::io::Read;

    fn gzipped(length: usize) -> Bytes {
        let mut coded = Vec::new();
        let plain = std::iter::repeat_n(b'a', length).collect::<Vec<_>>();
        GzEncoder::new(&plain[..], Compression::default()).read_to_end(&mut coded).unwrap();
        coded.into()
    }

    #[test]
    fn work_that_is_dropped_may_have_work_itself() {
        struct OnDrop(Spawn);
        impl Drop for OnDrop {
            fn drop(&mut self) {
                self.0.spawn(async {});
            }
        }
        let spawn = background();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async { spawn.spawn(async {}) });
        drop(runtime);
        let (done, wait) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let on_drop = OnDrop(spawn.clone());
            spawn.spawn(async move { drop(on_drop) });
            done.send(()).unwrap();
        });
        wait.recv_timeout(std::time::Duration::from_secs(10)).expect("it waits for itself");
    }

    #[test]
    fn a_body_is_decoded_as_a_whole_within_the_limit() {
        let fields = HeaderMap::from_iter([(http::header::CONTENT_ENCODING, "gzip".parse().unwrap())]);
        let layer = DecompressionLayer::new();
        assert_eq!(decode(&layer, &fields, gzipped(1_000), 1_000).unwrap(), "a".repeat(1_000));
        assert!(decode(&layer, &fields, gzipped(1_001), 1_000).is_err());
        assert!(decode(&layer, &fields, gzipped(1_000).slice(..20), 1_000).is_err());
        assert!(decode(&layer, &fields, Bytes::from_static(b"text"), 1_000).is_err());
    }
}
