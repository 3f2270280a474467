//! From the name of a server to its addresses.

use std::{error::Error, fmt, future::Future, net::SocketAddr, pin::Pin, sync::Arc};

use httplib2_core::error::BoxError;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use tower_service::Service;

type Addresses = Pin<Box<dyn Future<Output = Result<Vec<SocketAddr>, BoxError>> + Send>>;

/// Finds the addresses of a server by its name.
///
/// Default: the resolver of the operating system, on a thread of the runtime's blocking pool. An address
/// literal in a URI is never asked for.
///
/// ```
/// use httplib2_connect::Resolver;
///
/// // Port 0 stands for the port of the URI.
/// let everything_is_here = Resolver::new(|_name| async { Ok(vec![([127, 0, 0, 1], 0).into()]) });
/// # let _ = everything_is_here;
/// ```
#[derive(Clone)]
pub struct Resolver(Arc<dyn Fn(Box<str>) -> Addresses + Send + Sync>);

/// The name of a server has no address, or could not be looked up.
///
/// Found in a [`ConnectError`](crate::ConnectError) of the phase [`Resolve`](crate::Phase::Resolve).
#[derive(Debug)]
#[non_exhaustive]
pub struct ServerNotFound {
    /// The name that was looked for.
    pub host: Box<str>,
    source: Option<BoxError>,
}

// === impl Resolver ===

impl Resolver {
    /// Wraps a function from the name of a server to its addresses, in order of preference.
    ///
    /// No address at all counts as a failure. The port is used where the URI names none, and port 0 stands
    /// for the default of the scheme.
    pub fn new<F>(lookup: impl Fn(Box<str>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Vec<SocketAddr>, BoxError>> + Send + 'static,
    {
        Self(Arc::new(move |host| Box::pin(lookup(host))))
    }

    pub(crate) async fn resolve(&self, host: &str) -> Result<Vec<SocketAddr>, ServerNotFound> {
        match (self.0)(host.into()).await {
            Ok(addresses) if addresses.is_empty() => Err(ServerNotFound { host: host.into(), source: None }),
            Ok(addresses) => Ok(addresses),
            Err(error) => Err(ServerNotFound { host: host.into(), source: Some(error) }),
        }
    }
}

impl Default for Resolver {
    fn default() -> Self {
        Self::new(async |host: Box<str>| {
            let name: Name = host.parse()?;
            Ok(GaiResolver::new().call(name).await?.collect())
        })
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver(..)")
    }
}

// === impl ServerNotFound ===

impl fmt::Display for ServerNotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot find the server at {}", self.host)
    }
}

impl Error for ServerNotFound {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
