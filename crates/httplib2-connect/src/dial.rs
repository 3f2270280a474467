//! One attempt to get a new connection, and the connection that comes of it.

use std::{
    error::Error,
    fmt,
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use http::Uri;
use httplib2_core::error::{BoxError, cause_ref};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{self, Connected};
use tower_service::Service;

use crate::{error::Phase, facts::Connection};

/// A service from a URI to a connection: what a [`Client`](crate::Client) gets its connections from.
///
/// It holds for every service of that shape; there is nothing to implement. The stream says of itself, as
/// hyper-util's [`Connection`](connect::Connection), whether HTTP/2 was agreed on and whether it leads to a
/// proxy. One connector stands for one route: the pool keeps connections by scheme and authority, and by
/// nothing else.
pub trait Connect:
    Service<Uri, Response = <Self as Connect>::Stream, Error: Into<BoxError>, Future: Send + 'static>
    + Clone
    + Send
    + Sync
    + 'static
{
    /// The connection.
    type Stream: Read + Write + connect::Connection + Unpin + Send + 'static;
}

/// The connector that hyper-util is given: one of the caller's, with a limit of time, and with a note on
/// every connection.
#[derive(Clone, Debug)]
pub(crate) struct Dialer<C> {
    connector: C,
    limit: Option<Duration>,
}

/// A connection with a note on it that hyper-util copies to each response and error.
pub(crate) struct Tracked<T> {
    /// With TLS it is over a kilobyte, and it is moved a dozen times before hyper has it; so it is kept aside.
    stream: Box<T>,
    note: Connection,
}

/// Why there is no connection. It passes through hyper-util in a box, and is never shown.
#[derive(Debug)]
pub(crate) struct DialError {
    pub(crate) phase: Phase,
    pub(crate) timed_out: bool,
    source: Option<BoxError>,
}

/// An error within an `io::Error`, as a cause of its own.
///
/// `io::Error::source` steps over the error that it holds, which is where rustls says what went wrong.
#[derive(Debug)]
struct Within(BoxError);

/// Returns the error that was given up for an `io::Error` on its way here, or `error` itself.
pub(crate) fn uncover(error: BoxError) -> BoxError {
    match error.downcast::<io::Error>() {
        Ok(io) if io.get_ref().is_some() => {
            let kind = io.kind();
            io.into_inner().map_or_else(|| io::Error::from(kind).into(), uncover)
        }
        Ok(io) => io,
        Err(error) => error,
    }
}

// === impl Connect ===

impl<S, T> Connect for S
where
    S: Service<Uri, Response = T, Error: Into<BoxError>, Future: Send + 'static> + Clone + Send + Sync + 'static,
    T: Read + Write + connect::Connection + Unpin + Send + 'static,
{
    type Stream = T;
}

// === impl Dialer ===

impl<C> Dialer<C> {
    pub(crate) fn new(connector: C, limit: Option<Duration>) -> Self {
        Self { connector, limit }
    }
}

impl<C: Connect> Service<Uri> for Dialer<C> {
    type Response = Tracked<C::Stream>;
    type Error = DialError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, DialError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        self.connector.poll_ready(cx).map_err(DialError::from_connector)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.connector.call(uri);
        let limit = self.limit;
        Box::pin(async move {
            let stream = match limit {
                None => connecting.await,
                Some(limit) => match tokio::time::timeout(limit, connecting).await {
                    Ok(connected) => connected,
                    Err(_) => return Err(DialError::timed_out(Phase::Connect)),
                },
            };
            stream.map(Tracked::new).map_err(DialError::from_connector)
        })
    }
}

// === impl Tracked ===

impl<T> Tracked<T> {
    fn new(stream: T) -> Self {
        Self { stream: Box::new(stream), note: Connection::new() }
    }
}

impl<T: connect::Connection> connect::Connection for Tracked<T> {
    fn connected(&self) -> Connected {
        self.stream.connected().extra(self.note.clone())
    }
}

impl<T: Read + Unpin> Read for Tracked<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer).map_err(Within::reachable)
    }
}

impl<T: Write + Unpin> Write for Tracked<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes).map_err(Within::reachable)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx).map_err(Within::reachable)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx).map_err(Within::reachable)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices).map_err(Within::reachable)
    }
}

// === impl DialError ===

impl DialError {
    /// A failure in `phase`.
    pub(crate) fn new(phase: Phase, source: impl Into<BoxError>) -> Self {
        let source = source.into();
        let timed_out = cause_ref::<io::Error>(&*source).is_some_and(|io| io.kind() == io::ErrorKind::TimedOut);
        Self { phase, timed_out, source: Some(source) }
    }

    /// The limit of time was reached in `phase`.
    pub(crate) fn timed_out(phase: Phase) -> Self {
        Self { phase, timed_out: true, source: None }
    }

    /// What a connector says: our own knows the phase, of another one it is only known that it connects.
    fn from_connector(error: impl Into<BoxError>) -> Self {
        match error.into().downcast::<Self>() {
            Ok(own) => *own,
            Err(error) => Self::new(Phase::Connect, uncover(error)),
        }
    }
}

impl fmt::Display for DialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no connection: {} failed", self.phase)
    }
}

impl Error for DialError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

// === impl Within ===

impl Within {
    fn reachable(error: io::Error) -> io::Error {
        if error.get_ref().is_none() {
            return error;
        }
        let kind = error.kind();
        io::Error::new(kind, Self(uncover(error.into())))
    }
}

impl fmt::Display for Within {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Within {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}
