//! What the caller says.

use std::time::Duration;

/// The longest that one request waits for something to happen on its connection, as the socket timeout of
/// Python's httplib2.
///
/// A request extension; it replaces what
/// [`ClientBuilder::io_timeout`](crate::ClientBuilder::io_timeout) says for all requests. It bounds, each by
/// itself: getting a connection (from the pool, or resolved, connected and secured) that takes the request; the wait
/// until the head of the response is there, which starts anew with every frame that is taken from the request body, so
/// that a long upload is not cut; and every wait for a frame of the response body. Time in which a frame of the request
/// body is waited for is the caller's own and does not count. `Duration::MAX` stands for no limit.
///
/// ```
/// use http::Request;
/// use httplib2_connect::IoTimeout;
/// use std::time::Duration;
///
/// let request = Request::get("http://example.org/").extension(IoTimeout(Duration::from_secs(5))).body(())?;
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IoTimeout(pub Duration);

/// A version of TLS. Older ones are not offered (RFC 8996).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

/// A limit of a year is none: tokio and hyper-util cannot add any time to any other.
pub(crate) const FAR: Duration = Duration::from_secs(60 * 60 * 24 * 365);
