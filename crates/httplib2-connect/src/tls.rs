//! TLS with rustls. The only module that knows of it; `no_tls.rs` stands in where it is left out.

mod roots;

use std::{
    fmt,
    future::{Ready, ready},
    io,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
};

use http::{Uri, uri::Scheme};
use httplib2_core::error::BoxError;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::rt::TokioIo;
#[cfg(feature = "tls")]
use rustls::crypto::aws_lc_rs as provider;
#[cfg(not(feature = "tls"))]
use rustls::crypto::ring as provider;
use rustls::{ClientConfig, SupportedProtocolVersion, version};
use tokio::net::TcpStream;
use tower_service::Service;

use self::roots::Trust;
use crate::{
    dial::{DialError, uncover},
    error::{BuildError, Phase},
    options::TlsVersion,
};

/// What a connection is made of.
pub(crate) type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;

/// What the caller says about TLS.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    only: Option<Vec<u8>>,
    also: Vec<Vec<u8>>,
    anyone: bool,
    min: Option<TlsVersion>,
    max: Option<TlsVersion>,
    only_http1: bool,
}

/// The TLS of one client, set up when the first https URI comes.
pub(crate) struct Tls {
    trust: Trust,
    versions: Vec<&'static SupportedProtocolVersion>,
    only_http1: bool,
    config: OnceLock<Arc<ClientConfig>>,
}

/// A handshake that can be made.
pub(crate) struct Handshake(Arc<ClientConfig>);

/// A connector that hands out the connection that was made already.
struct Made(Option<TokioIo<TcpStream>>);

// === impl Settings ===

impl Settings {
    pub(crate) fn trust_only(&mut self, pem: &[u8]) {
        self.only = Some(pem.to_owned());
    }

    pub(crate) fn trust_also(&mut self, pem: &[u8]) {
        self.also.push(pem.to_owned());
    }

    pub(crate) fn trust_anyone(&mut self, accept: bool) {
        self.anyone = accept;
    }

    pub(crate) fn min_version(&mut self, version: TlsVersion) {
        self.min = Some(version);
    }

    pub(crate) fn max_version(&mut self, version: TlsVersion) {
        self.max = Some(version);
    }

    pub(crate) fn offer_http2(&mut self, offer: bool) {
        self.only_http1 = !offer;
    }

    fn versions(&self) -> Result<Vec<&'static SupportedProtocolVersion>, BuildError> {
        let versions: Vec<_> = [(TlsVersion::Tls12, &version::TLS12), (TlsVersion::Tls13, &version::TLS13)]
            .into_iter()
            .filter(|(version, _)| self.min.is_none_or(|min| *version >= min))
            .filter(|(version, _)| self.max.is_none_or(|max| *version <= max))
            .map(|(_, supported)| supported)
            .collect();
        if versions.is_empty() { Err(BuildError::NoTlsVersion) } else { Ok(versions) }
    }
}

// === impl Tls ===

impl Tls {
    pub(crate) fn new(settings: Settings) -> Result<Self, BuildError> {
        let versions = settings.versions()?;
        let trust = Trust::new(settings.only.as_deref(), &settings.also, settings.anyone)?;
        Ok(Self { trust, versions, only_http1: settings.only_http1, config: OnceLock::new() })
    }

    /// The handshake that the scheme of `uri` asks for, if any.
    ///
    /// # Errors
    ///
    /// Where the root certificates of the platform cannot be loaded. They are tried again next time.
    pub(crate) fn handshake(&self, uri: &Uri) -> Result<Option<Handshake>, DialError> {
        if uri.scheme() != Some(&Scheme::HTTPS) {
            return Ok(None);
        }
        if let Some(config) = self.config.get() {
            return Ok(Some(Handshake(config.clone())));
        }
        let config = self.configure().map_err(|error| DialError::new(Phase::Tls, error))?;
        Ok(Some(Handshake(self.config.get_or_init(|| config.into()).clone())))
    }

    /// Another crate in the build may switch on a second provider, and rustls then has no default; so it is
    /// named here.
    fn configure(&self) -> Result<ClientConfig, rustls::Error> {
        let provider = Arc::new(provider::default_provider());
        let verifier = self.trust.verifier(&provider)?;
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&self.versions)?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        if self.only_http1 {
            config.alpn_protocols.remove(0);
        }
        Ok(config)
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("ready", &self.config.get().is_some()).finish_non_exhaustive()
    }
}

// === impl Handshake ===

impl Handshake {
    pub(crate) async fn secure(self, uri: Uri, tcp: TokioIo<TcpStream>) -> Result<Stream, DialError> {
        let mut connector = HttpsConnector::from((Made(Some(tcp)), self.0));
        connector.call(uri).await.map_err(|error| DialError::new(Phase::Tls, uncover(error)))
    }
}

/// A connection without TLS.
pub(crate) fn plain(tcp: TokioIo<TcpStream>) -> Stream {
    Stream::Http(tcp)
}

// === impl Made ===

impl Service<Uri> for Made {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = Ready<Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        ready(self.0.take().ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{connector::Connector, resolve::Resolver, tcp::Tcp};

    #[test]
    fn tls_is_set_up_by_the_first_https_uri() {
        let tls = Tls::new(Settings { anyone: true, ..Settings::default() }).unwrap();
        assert!(tls.handshake(&Uri::from_static("http://example.org/")).unwrap().is_none());
        assert!(tls.config.get().is_none());
        assert!(tls.handshake(&Uri::from_static("https://example.org/")).unwrap().is_some());
        let first = Arc::as_ptr(tls.config.get().unwrap());
        assert!(tls.handshake(&Uri::from_static("https://example.org/")).unwrap().is_some());
        assert_eq!(Arc::as_ptr(tls.config.get().unwrap()), first);
    }

    #[tokio::test]
    async fn connecting_for_http_does_not_set_up_tls() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri: Uri = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let tls = Tls::new(Settings::default()).unwrap();
        let mut connector = Connector::new(Resolver::default(), Tcp::default(), tls, None);
        connector.call(uri).await.unwrap();
        assert!(format!("{connector:?}").contains("Tls { ready: false"));
    }
}
