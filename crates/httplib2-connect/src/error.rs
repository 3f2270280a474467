//! What can go wrong.

use std::{error::Error, fmt};

use http::uri::Scheme;
use httplib2_core::error::BoxError;
use hyper_util::client::legacy;

use crate::{dial::DialError, target::Target};

/// A request that got no response, or a response that did not arrive whole.
///
/// It says what a layer above needs to act: how far things had come ([`phase`](Self::phase),
/// [`response_started`](Self::response_started)), what went wrong
/// ([`is_timeout`](Self::is_timeout), [`is_connection_lost`](Self::is_connection_lost),
/// [`is_request_body`](Self::is_request_body)), and whether it may be tried again
/// ([`is_unprocessed`](Self::is_unprocessed), [`reused`](Self::reused)). The typed cause (an `io::Error`, a
/// rustls error, [`UnsupportedScheme`], [`ServerNotFound`](crate::ServerNotFound)) is found with
/// [`cause_ref`](httplib2_core::error::cause_ref).
///
/// `Display` names the phase, the host and the port, and never userinfo, path, query or a header.
pub struct ConnectError(Box<Inner>);

struct Inner {
    target: Target,
    diagnosis: Diagnosis,
    reused: Option<bool>,
    response_started: bool,
    source: Option<BoxError>,
}

/// How far an exchange had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Phase {
    /// Looking up the addresses of the server.
    Resolve,
    /// Getting a connection: over TCP, or by whatever the connector does, or from the pool.
    Connect,
    /// Securing the connection with TLS.
    Tls,
    /// Sending the request; its body was not yet taken to the end.
    Send,
    /// Waiting for the response, and reading it.
    Receive,
}

/// The scheme of a URI that this client does not speak: other than http and https, or https in a build
/// without TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnsupportedScheme {
    /// The scheme.
    pub scheme: Box<str>,
}

/// The URI of a request names no server: it lacks a scheme or a host, or its port is no port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotAbsolute;

/// The content of a response is in a transfer coding other than `chunked`, which is the only one that is asked for
/// (RFC 9112 §7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownTransferCoding;

/// A client that cannot be built as it was asked to.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// The root certificates are not well-formed PEM.
    InvalidPem(BoxError),
    /// There is no certificate in what was given as root certificates.
    NoCertificate,
    /// A root certificate cannot be one.
    InvalidCertificate(BoxError),
    /// The lowest allowed version of TLS is above the highest.
    NoTlsVersion,
}

/// What an error means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Diagnosis {
    pub(crate) phase: Phase,
    pub(crate) fault: Fault,
    /// Surely no server acted on the request.
    pub(crate) unprocessed: bool,
}

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing happened for too long.
    Timeout,
    /// The connection ended or broke.
    Lost,
    /// What came over the connection is not HTTP, or breaks its rules.
    Malformed,
    /// The server, or the other side of HTTP/2, ended this exchange alone.
    Reset,
    /// The caller's request body failed.
    RequestBody,
    /// Anything else; the cause tells.
    Other,
}

// === impl ConnectError ===

impl ConnectError {
    /// How far things had come.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.0.diagnosis.phase
    }

    /// Whether something took longer than its limit: [`IoTimeout`](crate::IoTimeout), the limit for
    /// connecting, or the answer to a ping of HTTP/2.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.0.diagnosis.fault == Fault::Timeout
    }

    /// Whether an existing connection ended or broke: closed, reset, going away. Not so when the server
    /// answered with something that is not HTTP, nor when no connection was made.
    #[must_use]
    pub fn is_connection_lost(&self) -> bool {
        self.0.diagnosis.fault == Fault::Lost
    }

    /// Whether it was the caller's request body that failed, which is no fault of the connection. Its error
    /// is the source.
    #[must_use]
    pub fn is_request_body(&self) -> bool {
        self.0.diagnosis.fault == Fault::RequestBody
    }

    /// Whether surely no server acted on the request, so that even one that is not idempotent may be sent
    /// again: no connection was made, or not one byte was written, or HTTP/2 says so (RFC 9113 §8.7).
    #[must_use]
    pub fn is_unprocessed(&self) -> bool {
        self.0.diagnosis.unprocessed
    }

    /// Whether the connection had carried a response before, or `None` when none had taken the request.
    #[must_use]
    pub fn reused(&self) -> Option<bool> {
        self.0.reused
    }

    /// Whether the head of the response had arrived, so that this is an error of its body.
    #[must_use]
    pub fn response_started(&self) -> bool {
        self.0.response_started
    }

    /// The host that the request was for, if its URI has one.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.0.target.host()
    }

    /// A request without a response.
    pub(crate) fn new(target: Target, diagnosis: Diagnosis, reused: Option<bool>, source: Option<BoxError>) -> Self {
        Self(Box::new(Inner { target, diagnosis, reused, response_started: false, source }))
    }

    /// A response that did not arrive whole.
    pub(crate) fn cut(target: Target, fault: Fault, reused: Option<bool>, source: Option<BoxError>) -> Self {
        let diagnosis = Diagnosis { phase: Phase::Receive, fault, unprocessed: false };
        Self(Box::new(Inner { target, diagnosis, reused, response_started: true, source }))
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.0.diagnosis.phase, self.0.target, self.0.diagnosis.fault)
    }
}

impl fmt::Debug for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectError")
            .field("target", &format_args!("{}", self.0.target))
            .field("diagnosis", &self.0.diagnosis)
            .field("reused", &self.0.reused)
            .field("response_started", &self.0.response_started)
            .field("source", &self.0.source)
            .finish()
    }
}

impl Error for ConnectError {
    /// The first cause that says something: the wrappings of hyper-util are stepped over.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let mut cause: &(dyn Error + 'static) = self.0.source.as_deref()?;
        while cause.is::<legacy::Error>() || cause.is::<DialError>() {
            match cause.source() {
                Some(next) => cause = next,
                None if cause.is::<DialError>() => return None,
                None => break,
            }
        }
        Some(cause)
    }
}

// === impl Phase ===

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "resolving",
            Self::Connect => "connecting to",
            Self::Tls => "securing the connection to",
            Self::Send => "sending to",
            Self::Receive => "receiving from",
        })
    }
}

// === impl UnsupportedScheme ===

impl UnsupportedScheme {
    pub(crate) fn new(scheme: &Scheme) -> Self {
        Self { scheme: scheme.as_str().into() }
    }
}

impl fmt::Display for UnsupportedScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the scheme {} is not supported", self.scheme)
    }
}

impl Error for UnsupportedScheme {}

// === impl NotAbsolute ===

impl fmt::Display for NotAbsolute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the URI of the request names no server")
    }
}

impl Error for NotAbsolute {}

// === impl UnknownTransferCoding ===

impl fmt::Display for UnknownTransferCoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the content is in a transfer coding other than chunked")
    }
}

impl Error for UnknownTransferCoding {}

// === impl BuildError ===

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidPem(_) => "the root certificates are not well-formed PEM",
            Self::NoCertificate => "there is no certificate among the root certificates",
            Self::InvalidCertificate(_) => "a root certificate cannot be one",
            Self::NoTlsVersion => "the lowest allowed version of TLS is above the highest",
        })
    }
}

impl Error for BuildError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::InvalidPem(source) | Self::InvalidCertificate(source) => Some(&**source),
            Self::NoCertificate | Self::NoTlsVersion => None,
        }
    }
}

// === impl Fault ===

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout => "timed out",
            Self::Lost => "the connection was lost",
            Self::Malformed => "the response is malformed",
            Self::Reset => "the exchange was ended",
            Self::RequestBody => "the request body failed",
            Self::Other => "failed",
        })
    }
}
