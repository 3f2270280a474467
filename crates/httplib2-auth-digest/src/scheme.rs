//! The scheme and its settings.

use std::sync::Arc;

use httplib2_auth::{CannotAnswer, Credential, Scheme, Signer};
use httplib2_core::context::Nonce;
use httplib2_syntax::challenge::Challenge;

use crate::{offer::Offer, rules::Rules, signer::DigestSigner};

/// Answers challenges of the scheme Digest (RFC 7616): see the [crate documentation](crate).
#[derive(Clone, Debug, Default)]
pub struct Digest {
    rules: Rules,
}

// === impl Digest ===

impl Digest {
    /// The scheme with the default settings.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the content of requests is signed too (`qop=auth-int`) where the server leaves the choice. Default: no,
    /// because a content must then be read twice; where the server offers nothing else, it is.
    #[must_use]
    pub fn prefer_auth_int(mut self, yes: bool) -> Self {
        self.rules.prefer_auth_int = yes;
        self
    }

    /// Whether a challenge without `qop` is answered in the form of RFC 2069, which knows neither counts nor nonces of
    /// the client. Default: yes. RFC 7616 §3.3 obliges servers to send it, but old ones do not.
    #[must_use]
    pub fn allow_without_qop(mut self, allow: bool) -> Self {
        self.rules.allow_without_qop = allow;
        self
    }

    /// Whether a challenge without `qop` is taken for one with `qop="auth"`, as httplib2 did. Default: no. Servers that
    /// mean RFC 2069 refuse what it sends then. Goes before [`allow_without_qop`](Self::allow_without_qop).
    #[must_use]
    pub fn missing_qop_is_auth(mut self, yes: bool) -> Self {
        self.rules.missing_qop_is_auth = yes;
        self
    }

    /// Whether the server must prove in every answer that it knows the password too (`rspauth`, RFC 7616 §3.5).
    /// Default: no, and the proof is not looked at.
    ///
    /// If it must, an exchange whose answer has no proof or a wrong one fails with [`Unproven`](httplib2_auth::Unproven).
    /// The proof of an answer with `auth-int` covers its content, which a scheme does not see, so `auth` is taken even
    /// if `auth-int` is [preferred](Self::prefer_auth_int), and a challenge that offers only `auth-int` is not answered.
    #[must_use]
    pub fn mutual(mut self, yes: bool) -> Self {
        self.rules.mutual = yes;
        self
    }

    /// Where the nonces of the client come from (RFC 7616 §5.12). Default: the operating system.
    #[must_use]
    pub fn nonce(mut self, nonce: impl Nonce) -> Self {
        self.rules.nonce = Arc::new(nonce);
        self
    }
}

impl Scheme for Digest {
    fn name(&self) -> &'static str {
        "digest"
    }

    fn strength(&self) -> u8 {
        30
    }

    fn preference(&self, challenge: &Challenge) -> u8 {
        Offer::read(challenge, &self.rules).map_or(0, |offer| offer.preference())
    }

    fn reveals_secret(&self) -> bool {
        false
    }

    fn answer(&self, challenge: &Challenge, credential: &Credential) -> Result<Arc<dyn Signer>, CannotAnswer> {
        let login = credential.as_login().ok_or(CannotAnswer::Credential("it is no name and password"))?;
        let offer = Offer::read(challenge, &self.rules)?;
        Ok(Arc::new(DigestSigner::new(&offer, login, self.rules.clone())?))
    }
}
