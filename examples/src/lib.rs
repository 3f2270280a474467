//! What the examples share: an origin on loopback, plain and over TLS, and what it can do: compress, ask for
//! credentials and check them, and keep documents that several people edit.

mod digest;
mod document;
mod wsse;

use std::{
    io::{self, Write},
    net::SocketAddr,
    sync::Arc,
};

use axum::{Router, serve::Listener};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer},
    server::TlsStream,
};

pub use self::{digest::DigestGuard, document::document, wsse::WsseGuard};

/// Where an origin listens, and whom its clients must trust.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Such as `http://127.0.0.1:12345`.
    pub plain: String,
    /// Such as `https://127.0.0.1:12346`.
    pub tls: String,
    /// The certificate authority that vouches for it, in PEM.
    pub ca_pem: String,
}

type Failure = Box<dyn std::error::Error>;

/// Listens on two free ports and serves what `routes` makes of the two addresses, as long as the runtime lives.
///
/// # Errors
///
/// When there are no free ports.
pub async fn start(routes: impl FnOnce(&Origin) -> Router) -> Result<Origin, Failure> {
    let (config, ca_pem) = certificate()?;
    let plain = TcpListener::bind("127.0.0.1:0").await?;
    let tls =
        TlsListener { tcp: TcpListener::bind("127.0.0.1:0").await?, acceptor: TlsAcceptor::from(Arc::new(config)) };
    let origin = Origin {
        plain: format!("http://{}", plain.local_addr()?),
        tls: format!("https://{}", tls.tcp.local_addr()?),
        ca_pem,
    };
    let routes = routes(&origin);
    let over_tls = routes.clone();
    tokio::spawn(async move { axum::serve(plain, routes).await });
    tokio::spawn(async move { axum::serve(tls, over_tls).await });
    Ok(origin)
}

/// Listens on a free port and serves `routes`, as long as the runtime lives. Returns such as `http://127.0.0.1:12345`.
///
/// # Errors
///
/// When there is no free port.
pub async fn serve(routes: Router) -> io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(format!("http://{address}"))
}

/// Compresses content as a server would.
///
/// # Panics
///
/// Never: writing to memory does not fail.
pub fn gzip(content: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).expect("memory takes it");
    encoder.finish().expect("memory takes it").into()
}

/// A certificate for 127.0.0.1 from an authority that lives as long as this process.
fn certificate() -> Result<(ServerConfig, String), Failure> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()])?.signed_by(&key, &authority)?;
    let key = PrivateKeyDer::try_from(key.serialize_der())?;
    let config = ServerConfig::builder_with_provider(aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)?;
    Ok((config, authority.pem()))
}

struct TlsListener {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let Ok((tcp, address)) = self.tcp.accept().await else { continue };
            if let Ok(tls) = self.acceptor.accept(tcp).await {
                return (tls, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}
