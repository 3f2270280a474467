//! The client.

use std::{
    fmt,
    future::{Ready, ready},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use httplib2_core::{error::BoxError, send::Exchange};
use tower_service::Service;

use crate::{
    body::ConnectBody,
    builder::ClientBuilder,
    connector::Connector,
    dial::Connect,
    error::ConnectError,
    exchange::{Sending, exchange},
    facts::Answered,
    options::IoTimeout,
    pools::Pools,
    send_body::SendBody,
    target::prepare,
};

type Outcome = Result<Response<ConnectBody>, ConnectError>;

/// A pooled HTTP/1.1 and HTTP/2 client: a tower service from requests with a body `B` to responses.
///
/// Clones share their connections. It is always ready; how many connections there are at once is for a layer
/// around it to limit. `C` is where new connections come from.
pub struct Client<B, C = Connector> {
    shared: Arc<Shared<B, C>>,
}

struct Shared<B, C> {
    pools: Pools<B, C>,
    io_timeout: Option<Duration>,
    answered: Arc<Answered>,
}

// === impl Client ===

impl Client<()> {
    /// A builder with the defaults.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }
}

impl<B, C> Client<B, C> {
    pub(crate) fn new(pools: Pools<B, C>, io_timeout: Option<Duration>) -> Self {
        Self { shared: Arc::new(Shared { pools, io_timeout, answered: Arc::default() }) }
    }
}

impl<B, C> Service<Request<B>> for Client<B, C>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
    C: Connect,
{
    type Response = Response<ConnectBody>;
    type Error = ConnectError;
    type Future = Exchange<Ready<Outcome>, Outcome>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let limit = request.extensions().get().map_or(self.shared.io_timeout, |IoTimeout(limit)| Some(*limit));
        let prepared = prepare(request.uri_mut());
        let request = request.map(SendBody::new);
        let sending = Sending::new(&request, limit, &self.shared.answered);
        if let Err(error) = prepared {
            return Exchange::passing(ready(Err(sending.refused(error))));
        }
        match self.shared.pools.send(request) {
            Ok(response) => Exchange::exchanging(exchange(response, sending)),
            Err(error) => Exchange::passing(ready(Err(sending.refused(error)))),
        }
    }
}

impl<B, C> Clone for Client<B, C> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<B, C> fmt::Debug for Client<B, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("io_timeout", &self.shared.io_timeout).finish_non_exhaustive()
    }
}
