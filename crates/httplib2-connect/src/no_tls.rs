//! The same interface as `tls.rs`, for a build without TLS: every https URI is an unsupported scheme.

use http::{Uri, uri::Scheme};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::{
    dial::DialError,
    error::{BuildError, Phase, UnsupportedScheme},
    options::TlsVersion,
};

/// What a connection is made of.
pub(crate) type Stream = TokioIo<TcpStream>;

/// What the caller says about TLS, which has nothing to act on here.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings(());

/// No TLS.
#[derive(Debug)]
pub(crate) struct Tls;

/// A handshake that is never made.
pub(crate) enum Handshake {}

// === impl Settings ===

impl Settings {
    pub(crate) fn trust_only(&mut self, _pem: &[u8]) {}

    pub(crate) fn trust_also(&mut self, _pem: &[u8]) {}

    pub(crate) fn trust_anyone(&mut self, _accept: bool) {}

    pub(crate) fn min_version(&mut self, _version: TlsVersion) {}

    pub(crate) fn max_version(&mut self, _version: TlsVersion) {}

    pub(crate) fn offer_http2(&mut self, _offer: bool) {}
}

// === impl Tls ===

impl Tls {
    pub(crate) fn new(_: Settings) -> Result<Self, BuildError> {
        Ok(Self)
    }

    pub(crate) fn handshake(&self, uri: &Uri) -> Result<Option<Handshake>, DialError> {
        match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => {
                Err(DialError::new(Phase::Connect, UnsupportedScheme::new(scheme)))
            }
            _ => Ok(None),
        }
    }
}

// === impl Handshake ===

impl Handshake {
    pub(crate) async fn secure(self, _: Uri, _: TokioIo<TcpStream>) -> Result<Stream, DialError> {
        match self {}
    }
}

/// A connection without TLS.
pub(crate) fn plain(tcp: TokioIo<TcpStream>) -> Stream {
    tcp
}
