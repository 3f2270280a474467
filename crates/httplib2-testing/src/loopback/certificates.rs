//! Certificates of a throw-away authority.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
};

/// What certificate an origin shows. All but one are refused by a careful client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Certificate {
    /// For `127.0.0.1`, `::1` and `localhost`, signed by the authority of [`ca_pem`](super::Loopback::ca_pem). The
    /// default.
    #[default]
    Trusted,
    /// For the same hosts, signed by itself.
    SelfSigned,
    /// Like the trusted one, but its time was over on 1 January 2020.
    Expired,
    /// Signed by the authority, but for `other.example`.
    WrongHost,
}

/// What shows the certificate, and the authority's own certificate as PEM.
pub(super) fn acceptor(certificate: Certificate) -> (TlsAcceptor, String) {
    let (ca_pem, issuer) = authority();
    let key = KeyPair::generate().expect("ring makes keys");
    let params = certificate.params();
    let signed = match certificate {
        Certificate::SelfSigned => params.self_signed(&key),
        _ => params.signed_by(&key, &issuer),
    };
    let chain = vec![signed.expect("the parameters make a certificate").der().clone()];
    // Named, because other crates of a build may bring other providers, and rustls would not choose.
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring supports every version")
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .expect("the key is that of the certificate");
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    (TlsAcceptor::from(Arc::new(config)), ca_pem)
}

fn authority() -> (String, Issuer<'static, KeyPair>) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "throw-away test authority");
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    let key = KeyPair::generate().expect("ring makes keys");
    let pem = params.self_signed(&key).expect("the parameters make a certificate").pem();
    (pem, Issuer::new(params, key))
}

// === impl Certificate ===

impl Certificate {
    fn params(self) -> CertificateParams {
        let hosts = match self {
            Self::WrongHost => vec!["other.example".to_owned()],
            _ => vec!["127.0.0.1".to_owned(), "::1".to_owned(), "localhost".to_owned()],
        };
        let mut params = CertificateParams::new(hosts).expect("the hosts are names and addresses");
        params.distinguished_name.push(DnType::CommonName, "loopback");
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        if self == Self::Expired {
            params.not_after = date_time_ymd(2020, 1, 1);
        }
        params
    }
}
