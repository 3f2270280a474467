//! One pool of connections for each runtime that a client is used from.

use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use http::Request;
use http_body::Body;
use httplib2_core::error::BoxError;
use hyper_util::client::legacy::{self, ResponseFuture};
use tokio::runtime::{Handle, Id, TryCurrentError};

use crate::{
    dial::{Connect, Dialer},
    send_body::SendBody,
};

type Pool<B, C> = Arc<legacy::Client<Dialer<C>, SendBody<B>>>;

/// The pools of a client.
///
/// A connection is driven by a task of the runtime that it was made on. Another runtime must not use it: it
/// would hang while the first one stands still, and break when that one ends.
pub(crate) struct Pools<B, C> {
    builder: legacy::Builder,
    dialer: Dialer<C>,
    by_runtime: RwLock<Vec<(Id, Pool<B, C>)>>,
}

/// Nobody says when a runtime ends, so the pools of the oldest ones are dropped.
const MAX_RUNTIMES: usize = 64;

// === impl Pools ===

impl<B, C> Pools<B, C>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
    C: Connect,
{
    /// Sends a request over the pool of the current runtime.
    ///
    /// # Errors
    ///
    /// Outside a runtime.
    pub(crate) fn send(&self, request: Request<SendBody<B>>) -> Result<ResponseFuture, TryCurrentError> {
        let runtime = Handle::try_current()?.id();
        let pools = self.by_runtime.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, pool)) = pools.iter().find(|(id, _)| *id == runtime) {
            return Ok(pool.request(request));
        }
        drop(pools);
        Ok(self.pool_for(runtime).request(request))
    }

    fn pool_for(&self, runtime: Id) -> Pool<B, C> {
        let mut pools = self.by_runtime.write().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, pool)) = pools.iter().find(|(id, _)| *id == runtime) {
            return pool.clone();
        }
        if pools.len() == MAX_RUNTIMES {
            pools.remove(0);
        }
        let pool = Arc::new(self.builder.build(self.dialer.clone()));
        pools.push((runtime, pool.clone()));
        pool
    }
}

impl<B, C> Pools<B, C> {
    pub(crate) fn new(builder: legacy::Builder, dialer: Dialer<C>) -> Self {
        Self { builder, dialer, by_runtime: RwLock::default() }
    }
}
