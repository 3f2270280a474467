//! Whom a client trusts.

use std::{fmt, sync::Arc};

use rustls::{
    DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use rustls_platform_verifier::Verifier as PlatformVerifier;

use crate::error::BuildError;

/// Whose certificates are accepted.
pub(crate) enum Trust {
    /// Those that the platform trusts, and these.
    Platform(Vec<CertificateDer<'static>>),
    /// Those that these vouch for, and nobody else's.
    Only(Arc<RootCertStore>),
    /// Everybody's, which is no protection against anyone on the way.
    Anyone,
}

/// Accepts every certificate. Whoever made it has its key, so there is no point in asking for that.
struct NoVerification(Arc<CryptoProvider>);

// === impl Trust ===

impl Trust {
    pub(crate) fn new(only: Option<&[u8]>, also: &[Vec<u8>], anyone: bool) -> Result<Self, BuildError> {
        let mut certificates = Vec::new();
        for pem in only.into_iter().chain(also.iter().map(Vec::as_slice)) {
            certificates.extend(certificates_of(pem)?);
        }
        let mut store = RootCertStore::empty();
        for certificate in &certificates {
            store.add(certificate.clone()).map_err(|error| BuildError::InvalidCertificate(error.into()))?;
        }
        Ok(match (anyone, only) {
            (true, _) => Self::Anyone,
            (false, Some(_)) => Self::Only(store.into()),
            (false, None) => Self::Platform(certificates),
        })
    }

    pub(crate) fn verifier(&self, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, Error> {
        let provider = provider.clone();
        Ok(match self {
            Self::Platform(also) => Arc::new(PlatformVerifier::new_with_extra_roots(also.iter().cloned(), provider)?),
            Self::Only(roots) => WebPkiServerVerifier::builder_with_provider(roots.clone(), provider)
                .build()
                .map_err(|error| Error::General(error.to_string()))?,
            Self::Anyone => Arc::new(NoVerification(provider)),
        })
    }
}

fn certificates_of(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, BuildError> {
    let certificates = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| BuildError::InvalidPem(error.into()))?;
    if certificates.is_empty() { Err(BuildError::NoCertificate) } else { Ok(certificates) }
}

// === impl NoVerification ===

impl ServerCertVerifier for NoVerification {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

impl fmt::Debug for NoVerification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NoVerification")
    }
}
