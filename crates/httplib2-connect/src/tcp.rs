//! From the addresses of a server to a TCP connection.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    net::{IpAddr, SocketAddr},
    task::{Context, Poll},
    time::Duration,
    vec,
};

use http::Uri;
use hyper_util::{
    client::legacy::connect::{HttpConnector, dns::Name},
    rt::TokioIo,
};
use tokio::net::TcpStream;
use tower_service::Service;

use crate::{dial::DialError, error::Phase};

/// How TCP connections are made.
#[derive(Clone, Debug)]
pub(crate) struct Tcp {
    pub(crate) nodelay: bool,
    pub(crate) keepalive: Option<Duration>,
    pub(crate) local_address: Option<IpAddr>,
}

/// A resolver that knows the answer already.
#[derive(Clone)]
struct Known(Vec<SocketAddr>);

// === impl Tcp ===

impl Tcp {
    /// Connects to the server of `uri` at one of `addresses`, which are not asked for where the URI holds
    /// an address itself. Each of several gets an even share of `limit`, so that a dead one leaves time for
    /// the next; both families are tried at once when the preferred one is slow (RFC 8305). The limit of the whole
    /// is the caller's to keep.
    pub(crate) async fn connect(
        &self,
        uri: Uri,
        addresses: Vec<SocketAddr>,
        limit: Option<Duration>,
    ) -> Result<TokioIo<TcpStream>, DialError> {
        let several = addresses.len() > 1;
        let mut connector = HttpConnector::new_with_resolver(Known(addresses));
        connector.enforce_http(false);
        connector.set_nodelay(self.nodelay);
        connector.set_keepalive(self.keepalive);
        connector.set_local_address(self.local_address);
        // One timer the less: each that is set wakes the runtime's driver.
        connector.set_connect_timeout(limit.filter(|_| several));
        connector.call(uri).await.map_err(|error| DialError::new(Phase::Connect, error))
    }
}

impl Default for Tcp {
    fn default() -> Self {
        Self { nodelay: true, keepalive: Some(Duration::from_secs(60)), local_address: None }
    }
}

// === impl Known ===

impl Service<Name> for Known {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Name) -> Self::Future {
        ready(Ok(self.0.clone().into_iter()))
    }
}
