//! What is known of a send that failed. A trait, because only whoever knows the service below can tell.

use std::fmt;

/// Says of each error of the inner service what is known about it.
///
/// Whether the request is sent again is the layer's own decision; this only gives it the facts. A function
/// of a borrowed error is a classifier too:
///
/// ```
/// use httplib2_core::error::{BoxError, cause_ref};
/// use httplib2_retry::{Failure, RetryLayer};
/// use std::io::{self, ErrorKind};
///
/// // For a service that fails with an `io::Error` and opens a new connection for each request.
/// let layer = RetryLayer::new().classify(|error: &BoxError| match cause_ref(&**error).map(io::Error::kind) {
///     Some(ErrorKind::ConnectionRefused) => Failure::Unprocessed,
///     Some(ErrorKind::ConnectionReset) => Failure::Lost { reused: false, unprocessed: false },
///     Some(_) => Failure::Final,
///     None => Failure::Unknown,
/// });
/// # let _ = layer;
/// ```
pub trait Classify<E>: Send + Sync + 'static {
    /// Looks at the error of one send.
    fn classify(&self, error: &E) -> Failure;
}

/// What is known of a send that failed.
///
/// When in doubt, say less: [`Unknown`](Self::Unknown), or that the request may have been processed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Failure {
    /// Nothing is known. Sent again only on the caller's word: [`Repeatable(true)`](crate::Repeatable).
    #[default]
    Unknown,
    /// Sending again would not help or is not wanted: the caller's own body failed, the time ran out, the
    /// head of the response had arrived, the answer is not HTTP, the URI or the certificate is wrong.
    Final,
    /// Surely no server acted on the request, and the connection is not to blame: none was made, or the
    /// server refused the request over a connection that lives (RFC 9113 §8.7).
    Unprocessed,
    /// The connection ended or broke before the head of the response.
    Lost {
        /// Whether it had carried a response before, so that it may have been dead already.
        reused: bool,
        /// Whether surely no server acted on the request, such as when not one byte of it was written.
        unprocessed: bool,
    },
}

/// Knows nothing of any error: the classifier of a layer that was given none.
#[derive(Clone, Copy, Debug, Default)]
pub struct NothingKnown;

// === impl Classify ===

impl<E> Classify<E> for NothingKnown {
    fn classify(&self, _: &E) -> Failure {
        Failure::Unknown
    }
}

impl<E, F> Classify<E> for F
where
    F: Fn(&E) -> Failure + Send + Sync + 'static,
{
    fn classify(&self, error: &E) -> Failure {
        self(error)
    }
}

// === impl Failure ===

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "an error",
            Self::Final => "a final error",
            Self::Unprocessed => "not processed",
            Self::Lost { reused: true, .. } => "reused connection lost",
            Self::Lost { reused: false, .. } => "connection lost",
        })
    }
}
