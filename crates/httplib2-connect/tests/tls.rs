//! https: whom a client trusts, and what it says when it does not.
#![cfg(feature = "rustls-stack")]
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod common;

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use common::{Body, OK, get, read_head, send, server, text};
use http::{Response, Version};
use httplib2_connect::{BuildError, Client, ClientBuilder, ConnectError, Phase, TlsVersion};
use httplib2_core::error::cause_ref;
use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
#[cfg(feature = "tls")]
use rustls::crypto::aws_lc_rs as provider;
#[cfg(not(feature = "tls"))]
use rustls::crypto::ring as provider;
use rustls::{
    AlertDescription, CertificateError, ServerConfig,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
    version,
};
use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsAcceptor;

/// An authority, and the certificates that it gives out.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// An origin of https, and how many requests came to it.
struct Origin {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
}

impl Authority {
    fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    fn params(names: &[&str]) -> CertificateParams {
        CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap()
    }

    /// An origin with a certificate for `names`.
    async fn origin(&self, names: &[&str]) -> Origin {
        self.origin_with(Self::params(names), |_| ()).await
    }

    async fn origin_with(&self, params: CertificateParams, change: impl FnOnce(&mut ServerConfig)) -> Origin {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let mut config = config(&[&version::TLS12, &version::TLS13], certificate.der().clone(), &key);
        change(&mut config);
        Origin::new(config).await
    }
}

fn config(
    versions: &[&'static rustls::SupportedProtocolVersion],
    certificate: CertificateDer<'static>,
    key: &KeyPair,
) -> ServerConfig {
    ServerConfig::builder_with_provider(provider::default_provider().into())
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], PrivatePkcs8KeyDer::from(key.serialize_der()).into())
        .unwrap()
}

impl Origin {
    async fn new(config: ServerConfig) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = requests.clone();
        let address = server(move |_, stream| {
            let (acceptor, counted) = (acceptor.clone(), counted.clone());
            async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                    let mut server = h2::server::handshake(stream).await.unwrap();
                    while let Some(Ok((_, mut respond))) = server.accept().await {
                        counted.fetch_add(1, Ordering::Relaxed);
                        let mut body = respond.send_response(Response::new(()), false).unwrap();
                        body.send_data(Bytes::from_static(b"ok"), true).unwrap();
                    }
                } else {
                    while read_head(&mut stream).await.is_some() {
                        counted.fetch_add(1, Ordering::Relaxed);
                        stream.write_all(OK.as_bytes()).await.unwrap();
                    }
                }
            }
        })
        .await;
        Self { address, requests }
    }

    fn uri(&self, host: &str) -> String {
        format!("https://{host}:{}/", self.address.port())
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

fn trusting(authority: &Authority) -> ClientBuilder {
    Client::builder().ca_certs(&authority.pem)
}

fn build(builder: ClientBuilder) -> Client<Body> {
    builder.build().unwrap()
}

fn refusal(error: &ConnectError) -> &rustls::Error {
    assert_eq!((error.phase(), error.reused(), error.is_unprocessed()), (Phase::Tls, None, true), "{error:?}");
    cause_ref(error).unwrap()
}

#[tokio::test]
async fn a_server_is_trusted_by_the_given_certificates() {
    let authority = Authority::new("ours");
    let origin = authority.origin(&["localhost", "127.0.0.1"]).await;
    let client = build(trusting(&authority));
    for host in ["localhost", "127.0.0.1"] {
        let (connection, body) = text(&client, origin.uri(host)).await.unwrap();
        assert_eq!((connection.version, connection.reused, body.as_str()), (Version::HTTP_11, false, "ok"));
        assert!(text(&client, origin.uri(host)).await.unwrap().0.reused);
    }
}

#[tokio::test]
async fn http2_is_agreed_on_by_alpn() {
    let authority = Authority::new("ours");
    let params = Authority::params(&["localhost"]);
    let origin = authority.origin_with(params, |config| config.alpn_protocols = vec![b"h2".to_vec()]).await;
    let client = build(trusting(&authority));
    let (first, body) = text(&client, origin.uri("localhost")).await.unwrap();
    assert_eq!((first.version, body.as_str()), (Version::HTTP_2, "ok"));
    let (second, _) = text(&client, origin.uri("localhost")).await.unwrap();
    assert_eq!(second.to_string(), format!("reused connection to {}, HTTP/2.0", origin.address));
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_gets_no_request() {
    let (authority, other) = (Authority::new("ours"), Authority::new("another"));
    let origin = authority.origin(&["localhost"]).await;
    for builder in [Client::builder(), trusting(&other), Client::builder().add_ca_certs(&other.pem)] {
        let error = text(&build(builder), origin.uri("localhost")).await.unwrap_err();
        refusal(&error);
        assert_eq!(
            error.to_string(),
            format!("securing the connection to localhost:{}: failed", origin.address.port())
        );
    }
    let error = text(&build(trusting(&other)), origin.uri("localhost")).await.unwrap_err();
    assert_eq!(refusal(&error), &rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer));
    assert_eq!(origin.requests(), 0);
}

#[tokio::test]
async fn a_self_signed_server_gets_no_request() {
    let key = KeyPair::generate().unwrap();
    let certificate = Authority::params(&["localhost"]).self_signed(&key).unwrap();
    let origin = Origin::new(config(&[&version::TLS13], certificate.der().clone(), &key)).await;
    let error = text(&build(trusting(&Authority::new("ours"))), origin.uri("localhost")).await.unwrap_err();
    refusal(&error);
    assert_eq!(origin.requests(), 0);
}

#[tokio::test]
async fn a_server_of_another_name_gets_no_request() {
    let authority = Authority::new("ours");
    let mut params = Authority::params(&["example.org"]);
    // A common name stands for nothing (RFC 9110 §4.3.4).
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "localhost");
    let origin = authority.origin_with(params, |_| ()).await;
    let client = build(trusting(&authority));
    for host in ["localhost", "127.0.0.1"] {
        let error = text(&client, origin.uri(host)).await.unwrap_err();
        let cause = refusal(&error);
        assert!(
            matches!(cause, rustls::Error::InvalidCertificate(CertificateError::NotValidForNameContext { .. })),
            "{cause:?}"
        );
    }
    assert_eq!(origin.requests(), 0);
}

#[tokio::test]
async fn a_certificate_that_has_expired_is_refused() {
    let authority = Authority::new("ours");
    let mut params = Authority::params(&["localhost"]);
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    let origin = authority.origin_with(params, |_| ()).await;
    let error = text(&build(trusting(&authority)), origin.uri("localhost")).await.unwrap_err();
    let cause = refusal(&error);
    assert!(matches!(cause, rustls::Error::InvalidCertificate(CertificateError::ExpiredContext { .. })), "{cause:?}");
    assert_eq!(origin.requests(), 0);
}

#[tokio::test]
async fn added_certificates_are_trusted_too_and_later_ones_replace_earlier_ones() {
    let (authority, other) = (Authority::new("ours"), Authority::new("another"));
    let origin = authority.origin(&["localhost"]).await;
    let uri = origin.uri("localhost");
    let added = build(Client::builder().add_ca_certs(&authority.pem));
    assert_eq!(text(&added, &uri).await.unwrap().1, "ok");
    let added_to_others = build(trusting(&other).add_ca_certs(&authority.pem));
    assert_eq!(text(&added_to_others, &uri).await.unwrap().1, "ok");
    let replaced = build(trusting(&authority).ca_certs(&other.pem));
    refusal(&text(&replaced, &uri).await.unwrap_err());
    let bundle = build(Client::builder().ca_certs(format!("# a comment\n{}{}", other.pem, authority.pem)));
    assert_eq!(text(&bundle, &uri).await.unwrap().1, "ok");
}

#[tokio::test]
async fn danger_accept_invalid_certs_accepts_them() {
    let authority = Authority::new("ours");
    let mut params = Authority::params(&["example.org"]);
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    let origin = authority.origin_with(params, |_| ()).await;
    let client = build(Client::builder().danger_accept_invalid_certs(true));
    assert_eq!(text(&client, origin.uri("localhost")).await.unwrap().1, "ok");
    let client = build(Client::builder().danger_accept_invalid_certs(true).danger_accept_invalid_certs(false));
    refusal(&text(&client, origin.uri("localhost")).await.unwrap_err());
}

#[tokio::test]
async fn the_versions_of_tls_are_those_that_are_allowed() {
    let authority = Authority::new("ours");
    let key = KeyPair::generate().unwrap();
    let certificate = Authority::params(&["localhost"]).signed_by(&key, &authority.issuer).unwrap();
    let old = Origin::new(config(&[&version::TLS12], certificate.der().clone(), &key)).await;
    let new = Origin::new(config(&[&version::TLS13], certificate.der().clone(), &key)).await;
    let only_old = build(trusting(&authority).max_tls_version(TlsVersion::Tls12));
    let only_new = build(trusting(&authority).min_tls_version(TlsVersion::Tls13));
    assert_eq!(text(&only_old, old.uri("localhost")).await.unwrap().1, "ok");
    assert_eq!(text(&only_new, new.uri("localhost")).await.unwrap().1, "ok");
    let alert = rustls::Error::AlertReceived(AlertDescription::ProtocolVersion);
    assert_eq!(refusal(&text(&only_old, new.uri("localhost")).await.unwrap_err()), &alert);
    assert_eq!(refusal(&text(&only_new, old.uri("localhost")).await.unwrap_err()), &alert);
}

#[tokio::test]
async fn plain_text_on_the_port_of_tls_is_an_error_of_tls() {
    let address = server(|_, mut stream| async move {
        let _ = stream.write_all(OK.as_bytes()).await;
        common::settle().await;
    })
    .await;
    let client = build(Client::builder().danger_accept_invalid_certs(true));
    let error = text(&client, format!("https://{address}/")).await.unwrap_err();
    assert!(matches!(refusal(&error), rustls::Error::InvalidMessage(_)));
}

#[tokio::test]
async fn a_handshake_that_stalls_is_left_after_the_connect_timeout() {
    let address = server(|_, stream| async move {
        let _stream = stream;
        std::future::pending().await
    })
    .await;
    let client = build(Client::builder().danger_accept_invalid_certs(true).connect_timeout(Duration::from_millis(100)));
    let error = text(&client, format!("https://{address}/")).await.unwrap_err();
    assert!(error.is_timeout() && error.is_unprocessed());
    assert_eq!(error.phase(), Phase::Tls);
}

#[tokio::test]
async fn an_address_is_not_sent_as_a_server_name() {
    let authority = Authority::new("ours");
    let origin = authority.origin(&["127.0.0.1"]).await;
    // A server that is sent a name that is an address must refuse it (RFC 6066 §3); rustls does.
    assert_eq!(text(&build(trusting(&authority)), origin.uri("127.0.0.1")).await.unwrap().1, "ok");
}

#[tokio::test]
async fn what_rustls_says_of_an_established_connection_is_a_cause() {
    let authority = Authority::new("ours");
    let key = KeyPair::generate().unwrap();
    let certificate = Authority::params(&["localhost"]).signed_by(&key, &authority.issuer).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config(&[&version::TLS13], certificate.der().clone(), &key)));
    let address = server(move |_, stream| {
        let acceptor = acceptor.clone();
        async move {
            let mut stream = acceptor.accept(stream).await.unwrap();
            read_head(&mut stream).await;
            let (tcp, _) = stream.get_mut();
            let _ = tcp.write_all(b"this is no record of TLS").await;
            common::settle().await;
        }
    })
    .await;
    let uri = format!("https://localhost:{}/", address.port());
    let error = send(&build(trusting(&authority)), get(uri)).await.unwrap_err();
    assert_eq!((error.phase(), error.is_unprocessed()), (Phase::Receive, false));
    assert!(cause_ref::<rustls::Error>(&error).is_some(), "{error:?}");
}

#[test]
fn certificates_that_are_none_are_told_when_the_client_is_built() {
    let build = |pem: &str| Client::builder().ca_certs(pem).build::<Body>();
    let bad = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let broken = "-----BEGIN CERTIFICATE-----\n***\n-----END CERTIFICATE-----\n";
    assert!(matches!(build(""), Err(BuildError::NoCertificate)));
    assert!(matches!(build("text"), Err(BuildError::NoCertificate)));
    assert!(matches!(build(&KeyPair::generate().unwrap().serialize_pem()), Err(BuildError::NoCertificate)));
    assert!(matches!(build(bad), Err(BuildError::InvalidCertificate(_))));
    assert!(matches!(build(broken), Err(BuildError::InvalidPem(_))));
    let versions =
        Client::builder().min_tls_version(TlsVersion::Tls13).max_tls_version(TlsVersion::Tls12).build::<Body>();
    assert!(matches!(versions, Err(BuildError::NoTlsVersion)));
}
