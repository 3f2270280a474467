//! A scripted server behind a cache whose clock stands still until it is told otherwise.

#![allow(dead_code, reason = "each test file uses a part")]

pub(crate) mod parts;
pub(crate) mod piecemeal;
pub(crate) mod stores;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use httplib2_cache::{Cache, CacheLayer, Served};
use httplib2_core::{
    context::Spawn,
    error::BoxError,
    who::{Identity, WhoSigns},
};
use httplib2_store::{MemoryStore, Store};
use httplib2_testing::{Body, FixedClock, Reply, Server, reply, request};
use tower::{Layer, ServiceExt};

/// A cache over a server.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) server: Server,
    pub(crate) clock: FixedClock,
    pub(crate) layer: CacheLayer,
    pub(crate) cache: Cache<Server>,
}

/// A response that was read to its end.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) trailers: Option<HeaderMap>,
    pub(crate) served: Served,
}

/// Says that everything is signed for this user.
#[derive(Clone, Debug)]
pub(crate) struct Signer(pub(crate) Arc<Mutex<Option<&'static str>>>);

pub(crate) const GET: &str = "GET http://a.example/";
pub(crate) const URI: &str = "http://a.example/";

// === impl Site ===

impl Site {
    pub(crate) fn private(server: Server) -> Self {
        Self::over(server, CacheLayer::private(Arc::new(MemoryStore::new())))
    }

    pub(crate) fn shared(server: Server) -> Self {
        Self::over(server, CacheLayer::shared(Arc::new(MemoryStore::new())))
    }

    pub(crate) fn on(server: Server, store: impl Store) -> Self {
        Self::over(server, CacheLayer::private(Arc::new(store)))
    }

    pub(crate) fn over(server: Server, layer: CacheLayer) -> Self {
        let clock = FixedClock::at_unix(1_800_000_000);
        let layer = layer.clock(clock.clone());
        Self { cache: layer.layer(server.clone()), server, clock, layer }
    }

    /// The same with other settings.
    pub(crate) fn with(self, change: impl FnOnce(CacheLayer) -> CacheLayer) -> Self {
        let layer = change(self.layer);
        Self { cache: layer.layer(self.server.clone()), layer, ..self }
    }

    pub(crate) fn on_tokio(self) -> Self {
        self.with(|layer| layer.executor(executor()))
    }

    pub(crate) fn later(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub(crate) async fn try_send(&self, request: Request<Body>) -> Result<Got, BoxError> {
        let response = self.cache.clone().oneshot(request).await?;
        let (head, body) = response.into_parts();
        let served = *head.extensions.get().expect("each response says where it comes from");
        let read = body.collect().await?;
        let trailers = read.trailers().cloned();
        Ok(Got { status: head.status, headers: head.headers, body: read.to_bytes(), trailers, served })
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Got {
        self.try_send(request).await.expect("an answer")
    }

    pub(crate) async fn get(&self) -> Got {
        self.send(request(GET)).await
    }

    pub(crate) async fn line(&self, line: &str) -> Got {
        self.send(request(line)).await
    }

    /// How often the server was asked.
    pub(crate) fn sends(&self) -> usize {
        self.server.saw().len()
    }
}

// === impl Got ===

impl Got {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }

    pub(crate) fn is_from_cache(&self) -> bool {
        self.served.is_from_cache()
    }

    pub(crate) fn why(&self) -> String {
        self.served.to_string()
    }
}

// === impl Signer ===

impl Signer {
    pub(crate) fn new(user: Option<&'static str>) -> Self {
        Self(Arc::new(Mutex::new(user)))
    }

    pub(crate) fn user(&self) -> Option<&'static str> {
        *self.0.lock().expect("nobody panicked")
    }

    pub(crate) fn set(&self, user: Option<&'static str>) {
        *self.0.lock().expect("nobody panicked") = user;
    }
}

impl WhoSigns for Signer {
    fn who_signs(&self, _: &http::Uri, _: &http::Extensions) -> Option<Identity> {
        self.user().map(Identity::new)
    }
}

pub(crate) fn executor() -> Spawn {
    Spawn::new(|task| drop(tokio::spawn(task)))
}

/// A 200 with these directives.
pub(crate) fn cached(directives: &str) -> Reply {
    reply(200).header("cache-control", directives)
}

pub(crate) fn with(line: &str, fields: &[(&'static str, &'static str)]) -> Request<Body> {
    let mut request = request(line);
    for (name, value) in fields {
        request.headers_mut().append(*name, http::HeaderValue::from_static(value));
    }
    request
}

/// Lets what runs in the background go on as far as it can.
pub(crate) async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}
