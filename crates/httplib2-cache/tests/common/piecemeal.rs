//! An origin whose body a test sends piece by piece, behind a cache.

use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::{
    BodyExt,
    channel::{Channel, Sender},
};
use httplib2_cache::{Cache, CacheBody, CacheLayer};
use httplib2_core::error::BoxError;
use httplib2_store::{MemoryStore, Store};
use httplib2_testing::{Body, Broken, FixedClock, request};
use tokio::task::unconstrained;
use tower::{Layer, Service, service_fn, util::BoxCloneSyncService};

use super::{GET, executor};

pub(crate) type Origin = BoxCloneSyncService<Request<Body>, Response<Channel<Bytes, Broken>>, Infallible>;
pub(crate) type Read = CacheBody<Channel<Bytes, Broken>>;

/// A cache over an origin whose body a test sends piece by piece.
pub(crate) struct Piecemeal {
    pub(crate) cache: Cache<Origin>,
    pub(crate) layer: CacheLayer,
    /// What to send the newest body with.
    sender: Arc<Mutex<Option<Sender<Bytes, Broken>>>>,
    sends: Arc<AtomicUsize>,
}

pub(crate) const KIB: usize = 1024;

// === impl Piecemeal ===

impl Piecemeal {
    pub(crate) fn new(length: Option<usize>) -> Self {
        Self::on(length, MemoryStore::new(), |layer| layer)
    }

    pub(crate) fn on(length: Option<usize>, store: impl Store, change: impl FnOnce(CacheLayer) -> CacheLayer) -> Self {
        let sender = Arc::new(Mutex::new(None));
        let sends = Arc::new(AtomicUsize::new(0));
        let (senders, counter) = (Arc::clone(&sender), Arc::clone(&sends));
        let origin = service_fn(move |_: Request<Body>| {
            counter.fetch_add(1, Ordering::SeqCst);
            let (sender, body) = Channel::new(64 * KIB);
            *lock(&senders) = Some(sender);
            let mut response = Response::builder().header("cache-control", "max-age=60");
            if let Some(length) = length {
                response = response.header("content-length", length);
            }
            std::future::ready(Ok(response.body(body).expect("a response")))
        });
        let layer = CacheLayer::private(Arc::new(store)).executor(executor()).clock(FixedClock::default());
        let layer = change(layer);
        Self { cache: layer.layer(BoxCloneSyncService::new(origin)), layer, sender, sends }
    }

    /// So many responses to requests that were made together, the first caller's first.
    pub(crate) async fn responses(&self, count: usize) -> Vec<Response<Read>> {
        let mut calls: Vec<_> = (0..count).map(|_| self.cache.clone().call(request(GET))).collect();
        for call in &mut calls {
            // Each one in its turn.
            if let Some(response) = call.now_or_never() {
                panic!("it waits for nothing: {response:?}");
            }
        }
        let responses = futures_util::future::join_all(calls).await;
        responses.into_iter().map(|response| response.expect("an answer")).collect()
    }

    pub(crate) async fn bodies<const N: usize>(&self) -> [Read; N] {
        let bodies: Vec<_> = self.responses(N).await.into_iter().map(Response::into_body).collect();
        bodies.try_into().expect("as many")
    }

    /// Sends one more piece of the newest body.
    pub(crate) async fn send(&self, data: impl Into<Bytes>) {
        let mut sender = self.sender().take().expect("a body");
        sender.send_data(data.into()).await.expect("a reader");
        *self.sender() = Some(sender);
    }

    pub(crate) async fn trailers(&self, name: &'static str, value: &'static str) {
        let mut sender = self.sender().take().expect("a body");
        let trailers = HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static(value))]);
        sender.send_trailers(trailers).await.expect("a reader");
    }

    pub(crate) fn end(&self) {
        drop(self.sender().take());
    }

    pub(crate) fn break_off(&self) {
        self.sender().take().expect("a body").abort(Broken);
    }

    fn sender(&self) -> MutexGuard<'_, Option<Sender<Bytes, Broken>>> {
        lock(&self.sender)
    }

    /// Whether what was sent is still wanted.
    pub(crate) async fn is_wanted(&self) -> bool {
        let Some(mut sender) = self.sender().take() else { return false };
        let is_wanted = sender.send_data(Bytes::new()).await.is_ok();
        *self.sender() = Some(sender);
        is_wanted
    }

    pub(crate) fn sends(&self) -> usize {
        self.sends.load(Ordering::SeqCst)
    }

    pub(crate) async fn entries(&self) -> u64 {
        self.layer.handle().usage().await.expect("it is in memory").entries
    }

    pub(crate) fn is_idle(&self) -> bool {
        format!("{:?}", self.layer).contains("Flights { under_way: 0, held: 0, .. }")
    }

    pub(crate) fn is_under_way(&self) -> bool {
        !format!("{:?}", self.layer).contains("under_way: 0")
    }
}

/// The data of the next frame, if it is there.
pub(crate) fn next(body: &mut Read) -> Option<Bytes> {
    // Without tokio's budget, which lets one wait in a loop such as those here.
    let frame = unconstrained(body.frame()).now_or_never()??.expect("data");
    Some(frame.into_data().expect("data"))
}

pub(crate) async fn rest(body: Read) -> Result<Vec<u8>, BoxError> {
    Ok(body.collect().await?.to_bytes().to_vec())
}

pub(crate) fn kib(number: u8) -> Vec<u8> {
    vec![number; KIB]
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
