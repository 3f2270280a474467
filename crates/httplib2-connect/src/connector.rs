//! The connector that a client has by itself: resolve, connect, secure.
//!
//! Each step knows its phase and ends in time. A way through a proxy is a step between connecting and
//! securing; a certificate of the client's own is a matter of the handshake that is made.

use std::{
    future::Future,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::Uri;
use httplib2_core::error::BoxError;
use tokio::time::{Instant, timeout_at};
use tower_service::Service;

use crate::{
    dial::DialError,
    error::Phase,
    resolve::Resolver,
    tcp::Tcp,
    tls::{self, Tls},
};

/// Connects over TCP, with TLS for https, to the server that a URI names.
///
/// It is what [`ClientBuilder::build`](crate::ClientBuilder::build) gives to a client; there is nothing to
/// set on it.
#[derive(Clone, Debug)]
pub struct Connector(Arc<Route>);

#[derive(Debug)]
struct Route {
    resolver: Resolver,
    tcp: Tcp,
    tls: Tls,
    limit: Option<Duration>,
}

// === impl Connector ===

impl Connector {
    pub(crate) fn new(resolver: Resolver, tcp: Tcp, tls: Tls, limit: Option<Duration>) -> Self {
        Self(Arc::new(Route { resolver, tcp, tls, limit }))
    }
}

impl Service<Uri> for Connector {
    type Response = tls::Stream;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<tls::Stream, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let route = self.0.clone();
        Box::pin(async move { Ok(route.connect(uri).await?) })
    }
}

// === impl Route ===

impl Route {
    async fn connect(&self, uri: Uri) -> Result<tls::Stream, DialError> {
        let end = self.limit.and_then(|limit| Instant::now().checked_add(limit));
        let handshake = self.tls.handshake(&uri)?;
        let addresses = within(end, Phase::Resolve, self.resolve(&uri)).await?;
        let tcp = within(end, Phase::Connect, self.tcp.connect(uri.clone(), addresses, self.limit)).await?;
        match handshake {
            None => Ok(tls::plain(tcp)),
            Some(handshake) => within(end, Phase::Tls, handshake.secure(uri, tcp)).await,
        }
    }
    async fn resolve(&self, uri: &Uri) -> Result<Vec<SocketAddr>, DialError> {
        let host = uri.host().unwrap_or_default();
        if is_address(host) {
            return Ok(Vec::new());
        }
        self.resolver.resolve(host).await.map_err(|error| DialError::new(Phase::Resolve, error))
    }
}

fn is_address(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    bare.parse::<IpAddr>().is_ok()
}

async fn within<T>(
    end: Option<Instant>,
    phase: Phase,
    step: impl Future<Output = Result<T, DialError>>,
) -> Result<T, DialError> {
    match end {
        None => step.await,
        Some(end) => timeout_at(end, step).await.unwrap_or_else(|_| Err(DialError::timed_out(phase))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_not_looked_up() {
        for host in ["127.0.0.1", "[::1]", "::1"] {
            assert!(is_address(host), "{host}");
        }
        for host in ["localhost", "127.0.0", "[::1", ""] {
            assert!(!is_address(host), "{host}");
        }
    }
}
