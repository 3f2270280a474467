//! The one error of the facade.

use std::{error::Error as StdError, fmt};

use bytes::Bytes;
use http::Uri;
use httplib2_auth::AuthError;
use httplib2_cache::{CacheError, CollapseError};
use httplib2_connect::{ConnectError, Phase, UnsupportedScheme};
use httplib2_core::{
    error::{BoxError, cause_ref, is_caused_by},
    who::Redacted,
};
use httplib2_decompression::DecodeError;
use httplib2_lost_update::LostUpdateError;
use httplib2_store::StoreError;
use httplib2_syntax::uri::InvalidUri;
use tower_http::timeout::TimeoutError;

use crate::{Response, deadline::DeadlineExceeded};

/// Why a call failed: what kind of failure, at which URI, with the typed cause as its source.
///
/// `Display` and `Debug` show the URI without userinfo and query. The cause of any depth is reached with
/// [`cause_ref`](httplib2_core::error::cause_ref).
pub struct Error {
    inner: Box<Inner>,
}

/// What kind of failure an [`Error`] is. The names of httplib2's exceptions are in parentheses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The URI is not absolute (`RelativeURIError`).
    RelativeUri,
    /// The URI cannot be sent: its host or port is not one, or it is too long.
    InvalidUri,
    /// The URI is neither http nor https, or it is https and the crate was built without TLS.
    UnsupportedScheme,
    /// The request cannot be sent as it is: a method, a header field or a body that HTTP does not allow.
    InvalidRequest,
    /// The settings of the client are wrong, such as a file of certificates that holds none.
    InvalidSettings,
    /// The name of the host could not be resolved (`ServerNotFoundError`).
    ServerNotFound,
    /// No connection could be made.
    Connect,
    /// The TLS handshake failed: the certificate or the protocol was not accepted.
    Tls,
    /// The connection failed while the request was being sent, or the request's own body did.
    Send,
    /// The connection failed while the response was being received, or the response is not HTTP; or what was stored of
    /// it turned out to be damaged while it was read.
    Receive,
    /// A time limit was exceeded: that of one wait, or the deadline of the call.
    Timeout,
    /// The content is longer than allowed.
    ContentTooLong,
    /// The content is not in the coding that its fields name, or is damaged (`FailedToDecompressContent`).
    FailedToDecompressContent,
    /// The content decodes to more than allowed, in bytes or by ratio (`DecodeLimitError`, `DecodeRatioError`).
    DecodeLimit,
    /// The limit of redirects was reached (`RedirectLimit`). Carries the last response.
    RedirectLimit,
    /// A response that redirects does not say where to (`RedirectMissingLocation`). Carries that response.
    RedirectMissingLocation,
    /// Digest was asked for with an option that is not supported, and nothing else would do
    /// (`UnimplementedDigestAuthOptionError`). Carries the response.
    UnimplementedDigestAuthOption,
    /// The same for `HMACDigest` (`UnimplementedHmacDigestAuthOptionError`).
    UnimplementedHmacDigestAuthOption,
    /// The server did not prove that it knows the password, though it had to.
    MutualAuthentication,
    /// An update was to be sent only with the tag of the version that it changes, and none is known.
    UnknownVersion,
    /// Something else failed: a server given to
    /// [`build_over`](crate::HttpBuilder::build_over), or the blocking client's thread.
    Other,
}

struct Inner {
    kind: ErrorKind,
    uri: Option<Uri>,
    source: Option<BoxError>,
    response: Option<(Response, Bytes)>,
}

// === impl Error ===

impl Error {
    /// Makes the error of a failed exchange: the only place that looks at what the layers return.
    pub(crate) fn from_cause(uri: &Uri, cause: impl Into<BoxError>) -> Self {
        let cause = cause.into();
        let connect = cause_ref::<ConnectError>(&*cause);
        // The caller's own body comes first: what its error was caused by is not about this call.
        let kind = if connect.is_some_and(ConnectError::is_request_body) {
            ErrorKind::Send
        } else if is_caused_by::<DeadlineExceeded>(&*cause)
            || is_caused_by::<TimeoutError>(&*cause)
            || connect.is_some_and(ConnectError::is_timeout)
        {
            ErrorKind::Timeout
        } else if is_caused_by::<UnsupportedScheme>(&*cause) {
            ErrorKind::UnsupportedScheme
        } else if let Some(error) = cause_ref::<DecodeError>(&*cause) {
            if error.kind.is_limit() { ErrorKind::DecodeLimit } else { ErrorKind::FailedToDecompressContent }
        } else if is_caused_by::<AuthError>(&*cause) {
            ErrorKind::MutualAuthentication
        } else if is_caused_by::<LostUpdateError>(&*cause) {
            ErrorKind::UnknownVersion
        } else if let Some(error) = connect {
            error.phase().into()
        } else if is_caused_by::<CacheError>(&*cause)
            || is_caused_by::<CollapseError>(&*cause)
            || is_caused_by::<StoreError>(&*cause)
        {
            ErrorKind::Receive
        } else {
            ErrorKind::Other
        };
        Self::new(kind, Some(uri), Some(cause))
    }

    pub(crate) fn new(kind: ErrorKind, uri: Option<&Uri>, source: Option<BoxError>) -> Self {
        Self { inner: Box::new(Inner { kind, uri: uri.cloned(), source, response: None }) }
    }

    pub(crate) fn with_response(mut self, response: Response, content: Bytes) -> Self {
        self.inner.response = Some((response, content));
        self
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// The URI of the call, query included; `None` when there was none that could be sent.
    #[must_use]
    pub fn uri(&self) -> Option<&Uri> {
        self.inner.uri.as_ref()
    }

    /// The host that the failure is about: after a redirect not the one that was asked for.
    fn host(&self) -> Option<&str> {
        let source = self.inner.source.as_deref().and_then(|source| cause_ref::<ConnectError>(source));
        source.and_then(ConnectError::host).or_else(|| self.uri()?.host())
    }

    /// The response that came with the failure, for the [kinds](ErrorKind) that say so.
    #[must_use]
    pub fn response(&self) -> Option<&Response> {
        self.inner.response.as_ref().map(|(response, _)| response)
    }

    /// The content of that response.
    #[must_use]
    pub fn content(&self) -> Option<&Bytes> {
        self.inner.response.as_ref().map(|(_, content)| content)
    }

    /// The response that came with the failure and its content.
    #[must_use]
    pub fn into_response(self) -> Option<(Response, Bytes)> {
        self.inner.response
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (ErrorKind::ServerNotFound, Some(host)) = (self.kind(), self.host()) {
            return write!(f, "unable to find the server at {host}");
        }
        write!(f, "{}", self.kind())?;
        if let Some(uri) = self.uri() {
            write!(f, " ({})", Redacted(uri))?;
        }
        if let Some(source) = &self.inner.source {
            write!(f, ": {source}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.kind())
            .field("uri", &self.uri().map(Redacted))
            .field("source", &self.inner.source)
            .field("response", &self.response())
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.inner.source.as_deref().map(|source| source as _)
    }
}

// === impl ErrorKind ===

impl From<Phase> for ErrorKind {
    fn from(phase: Phase) -> Self {
        match phase {
            Phase::Resolve => Self::ServerNotFound,
            Phase::Connect => Self::Connect,
            Phase::Tls => Self::Tls,
            Phase::Send => Self::Send,
            Phase::Receive => Self::Receive,
            _ => Self::Other,
        }
    }
}

impl From<&InvalidUri> for ErrorKind {
    fn from(error: &InvalidUri) -> Self {
        match error {
            InvalidUri::Relative => Self::RelativeUri,
            InvalidUri::UnsupportedScheme(_) => Self::UnsupportedScheme,
            _ => Self::InvalidUri,
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RelativeUri => "the URI is relative",
            Self::InvalidUri => "the URI is invalid",
            Self::UnsupportedScheme => "the scheme is not supported",
            Self::InvalidRequest => "the request is invalid",
            Self::InvalidSettings => "the settings are invalid",
            Self::ServerNotFound => "unable to find the server",
            Self::Connect => "unable to connect",
            Self::Tls => "the TLS handshake failed",
            Self::Send => "the request could not be sent",
            Self::Receive => "the response could not be received",
            Self::Timeout => "a time limit was exceeded",
            Self::ContentTooLong => "the content is longer than allowed",
            Self::FailedToDecompressContent => "the content could not be decoded",
            Self::DecodeLimit => "the content decodes to more than allowed",
            Self::RedirectLimit => "redirected more times than allowed",
            Self::RedirectMissingLocation => "redirected, but the response has no Location",
            Self::UnimplementedDigestAuthOption => "Digest is asked for with an option that is not supported",
            Self::UnimplementedHmacDigestAuthOption => "HMACDigest is asked for with an option that is not supported",
            Self::MutualAuthentication => "the server did not prove that it knows the password",
            Self::UnknownVersion => "nothing is known of the version that would be overwritten",
            Self::Other => "the call failed",
        })
    }
}
