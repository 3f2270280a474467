//! Caches, and what they are measured by.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header::IF_NONE_MATCH};
use http_body_util::{Empty, Full};
use http_cache::{MokaCacheBuilder, MokaManager};
use http_cache_tower::{HttpCacheLayer, HttpCacheService};
use httplib2_cache::{Cache, CacheLayer};
use httplib2_store::MemoryStore;
use tower::{Layer, Service, ServiceExt};

use super::{Answer, Client, HyperUtil, Over, Target};
use crate::{BoxError, origin::cached::TAG};

/// Answers at once with a copy of one answer: no cache can do less.
#[derive(Clone, Debug)]
pub struct Prepared(pub Response<Bytes>);

/// Asks whether what it has still holds: what a cache does without being one.
#[derive(Clone, Debug)]
pub struct Conditional {
    client: HyperUtil,
    content: Bytes,
}

/// As many answers as the store of `httplib2` has room for where they are of 1 KiB, or more.
const ANSWERS: u64 = 64 * 1024;

/// The cache layer alone, with the store in memory.
pub fn cache_layer<S>(service: S) -> Over<Cache<S>> {
    Over(CacheLayer::private(Arc::new(MemoryStore::new())).layer(service))
}

/// http-cache-tower with its store in memory.
pub fn http_cache_tower<S>(service: S) -> Over<HttpCacheService<S, MokaManager>> {
    Over(HttpCacheLayer::new(MokaManager::new(MokaCacheBuilder::new(ANSWERS).build())).layer(service))
}

// === impl Prepared ===

impl<B> Service<Request<B>> for Prepared {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        ready(Ok(self.0.clone().map(Full::new)))
    }
}

// === impl Conditional ===

impl Conditional {
    /// A client that has this content, which is of the version with [`TAG`].
    #[must_use]
    pub fn on(content: Bytes) -> Self {
        Self { client: HyperUtil::default(), content }
    }
}

impl Client for Conditional {
    async fn get(&self, target: &Target) -> Result<Answer, BoxError> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = target.uri.clone();
        request.headers_mut().insert(IF_NONE_MATCH, HeaderValue::from_static(TAG));
        let response = self.client.0.clone().oneshot(request).await?;
        if response.status() != StatusCode::NOT_MODIFIED {
            return Ok((response.status(), Bytes::new()));
        }
        Ok((StatusCode::OK, self.content.clone()))
    }
}
