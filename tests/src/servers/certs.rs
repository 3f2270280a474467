//! A certificate authority that lives as long as a test.

use std::{fs, io, path::Path};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};

/// A certificate authority, and a certificate of it for `localhost` and 127.0.0.1.
///
/// Nobody trusts it who was not given [`ca_pem`](Self::ca_pem) or [`ca_der`](Self::ca_der).
#[derive(Debug)]
pub struct Certs {
    ca_pem: String,
    ca_der: Vec<u8>,
    certificate_pem: String,
    key_pem: String,
}

impl Certs {
    /// Makes new keys and signs them.
    pub fn make() -> Self {
        Self::try_make().expect("rcgen signs with the keys that it made")
    }

    fn try_make() -> Result<Self, rcgen::Error> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "httplib2 test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;

        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(["localhost".into(), "127.0.0.1".into()])?;
        params.distinguished_name.push(DnType::CommonName, "localhost");
        let certificate = params.signed_by(&key, &authority)?;

        Ok(Self {
            ca_pem: authority.pem(),
            ca_der: authority.der().to_vec(),
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
        })
    }

    /// Returns the certificate of the authority as PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Returns the certificate of the authority as DER.
    pub fn ca_der(&self) -> &[u8] {
        &self.ca_der
    }

    /// Writes `cert.pem` and `key.pem`, which is what a server is configured with.
    pub(super) fn write(&self, dir: &Path) -> io::Result<()> {
        fs::write(dir.join("cert.pem"), &self.certificate_pem)?;
        fs::write(dir.join("key.pem"), &self.key_pem)
    }
}
