//! Real HTTP/1.1 bytes over a pipe in memory, behind a real pooled client.
//!
//! ```
//! use httplib2_testing::{request, text, wire::Wire};
//! use hyper_util::{client::legacy::Client, rt::TokioExecutor};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), httplib2_core::error::BoxError> {
//! let wire = Wire::new(async |mut peer| {
//!     while let Some(request) = peer.request().await {
//!         assert!(request.head.starts_with("GET / HTTP/1.1\r\n"));
//!         peer.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nlanded").await;
//!     }
//! });
//! let client = Client::builder(TokioExecutor::new()).build(wire.connector());
//!
//! for _ in 0..2 {
//!     let response = client.request(request("GET http://a.example/")).await?;
//!     assert_eq!(text(response).await?, "landed");
//! }
//! assert_eq!(wire.connections(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! The host of a URI is not looked at: every connection goes to the same script. There is no TLS and no HTTP/2
//! here; [`loopback`](crate::loopback) has both.

mod connector;
mod peer;

use std::{
    fmt,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::io::{DuplexStream, duplex};

pub use self::{
    connector::{Connector, Stream},
    peer::{Peer, Request},
};

/// Connections in memory to a server that a test plays byte by byte: see the [module](self).
#[derive(Clone)]
pub struct Wire {
    script: Arc<dyn Fn(Peer) + Send + Sync>,
    connections: Arc<AtomicUsize>,
}

/// What one side of a connection can hold before the other one reads.
const CAPACITY: usize = 64 * 1024;

// === impl Wire ===

impl Wire {
    /// Runs `script` as the server, once for each connection, in a task of its own.
    ///
    /// A script that panics closes its connection.
    pub fn new<F>(script: impl Fn(Peer) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let script = Arc::new(move |peer| drop(tokio::spawn(script(peer))));
        Self { script, connections: Arc::default() }
    }

    /// A connector for a pooled client. Connecting needs tokio's runtime.
    #[must_use]
    pub fn connector(&self) -> Connector {
        Connector::new(self.clone())
    }

    /// How many connections were made.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    fn connect(&self) -> DuplexStream {
        let number = self.connections.fetch_add(1, Ordering::SeqCst);
        let (ours, theirs) = duplex(CAPACITY);
        (self.script)(Peer::new(number, theirs));
        ours
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("connections", &self.connections()).finish_non_exhaustive()
    }
}
