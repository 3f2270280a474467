//! A real origin on 127.0.0.1, plain or with TLS, for examples and for tests of real connections.
//!
//! ```
//! use httplib2_testing::{loopback::Loopback, request, reply, text};
//! use hyper_util::{client::legacy::Client, rt::TokioExecutor};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), httplib2_core::error::BoxError> {
//! let origin = Loopback::plain(async |request| reply(200).body(format!("you asked for {}", request.uri())).into_response());
//!
//! let client = Client::builder(TokioExecutor::new()).build_http();
//! let response = client.request(request(&format!("GET {}", origin.url("/page")))).await?;
//! assert_eq!(text(response).await?, "you asked for /page");
//! assert_eq!((origin.connections(), origin.requests()), (1, 1));
//! # Ok(())
//! # }
//! ```
//!
//! It runs on a thread and a runtime of its own, so it also serves blocking clients and does not notice when a
//! test pauses time. It stops when it is dropped.

mod certificates;
mod serve;

use std::{
    fmt,
    future::Future,
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use httplib2_core::error::BoxError;
use tokio::{net::TcpStream, sync::oneshot};

use self::serve::{Serve, http, raw};

pub use self::certificates::Certificate;

/// A real origin on 127.0.0.1 and a free port: see the [module](self).
pub struct Loopback {
    scheme: &'static str,
    address: SocketAddr,
    ca_pem: Option<String>,
    counts: Arc<Counts>,
    /// Dropped, it ends the thread.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Counts {
    connections: AtomicUsize,
    requests: AtomicUsize,
}

// === impl Loopback ===

impl Loopback {
    /// An http origin. HTTP/1.1, and HTTP/2 with a client that knows of it beforehand.
    ///
    /// The function gets each request with its whole body. It may wait, and answer with any body. A body that
    /// breaks before hyper could flush takes the head with it: see [`pausing`](crate::Body::pausing).
    pub fn plain<F, R>(handler: impl Fn(Request<Bytes>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Response<R>> + Send + 'static,
        R: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        Self::start("http", None, |counts| http(handler, None, counts))
    }

    /// An https origin with a certificate that [`ca_pem`](Self::ca_pem) vouches for; its client chooses between
    /// HTTP/2 and HTTP/1.1 by ALPN. Otherwise like [`plain`](Self::plain).
    pub fn tls<F, R>(handler: impl Fn(Request<Bytes>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Response<R>> + Send + 'static,
        R: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        Self::tls_with(Certificate::Trusted, handler)
    }

    /// Like [`tls`](Self::tls), with a certificate of the caller's choice.
    pub fn tls_with<F, R>(
        certificate: Certificate,
        handler: impl Fn(Request<Bytes>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Response<R>> + Send + 'static,
        R: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let (acceptor, ca_pem) = certificates::acceptor(certificate);
        Self::start("https", Some(ca_pem), |counts| http(handler, Some(acceptor), counts))
    }

    /// A server that is left alone with each of its connections, to say byte by byte what hyper never would.
    ///
    /// A connection that is dropped before the request was read is reset, and the client may lose what was
    /// sent to it.
    pub fn raw<F>(handler: impl Fn(TcpStream) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::start("http", None, |_| raw(handler))
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a path that begins with `/`, such as `http://127.0.0.1:4321/path`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    /// The certificate of the authority that signs [`Certificate::Trusted`], made anew for each origin, as PEM.
    ///
    /// # Panics
    ///
    /// When the origin has no TLS.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        self.ca_pem.as_deref().expect("only an origin with TLS has a certificate authority")
    }

    /// How many connections were accepted, also those whose handshake failed.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.counts.connections.load(Ordering::SeqCst)
    }

    /// How many requests came; [`raw`](Self::raw) connections count none.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.counts.requests.load(Ordering::SeqCst)
    }

    fn start(scheme: &'static str, ca_pem: Option<String>, serve: impl FnOnce(Arc<Counts>) -> Serve) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let counts = Arc::new(Counts::default());
        let serve = serve(Arc::clone(&counts));
        let (stop, stopped) = oneshot::channel();
        let accepted = Arc::clone(&counts);
        let thread = thread::spawn(move || serve::until(stopped, listener, serve, &accepted.connections));
        Self { scheme, address, ca_pem, counts, stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A handler's panic was its own; a second one here would end the process.
            drop(thread.join());
        }
    }
}

impl fmt::Debug for Loopback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loopback").field("url", &self.url("/")).field("counts", &self.counts).finish_non_exhaustive()
    }
}
