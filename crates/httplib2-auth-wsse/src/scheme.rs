//! The scheme, and the signer of one name and password.

use std::{fmt, sync::Arc};

use http::{HeaderName, HeaderValue};
use httplib2_auth::{CannotAnswer, Credential, Scheme, SignError, Signer, Space, Unsigned};
use httplib2_core::context::{Clock, Nonce, SystemClock, SystemNonce};
use httplib2_syntax::{challenge::Challenge, timestamp};

use crate::{
    NonceForm,
    token::{NONCE_BYTES, beginning, token},
};

/// The WSSE scheme with a `UsernameToken`: a digest of the password, a nonce and the time.
///
/// The password does not travel. But the digest is one SHA-1: who reads it on the way can try passwords at leisure.
#[derive(Clone, Debug)]
pub struct Wsse {
    nonce_form: NonceForm,
    without_challenge: bool,
    clock: Arc<dyn Clock>,
    nonce: Arc<dyn Nonce>,
}

/// Signs with one name and password; makes a token for each send.
struct WsseSigner {
    wsse: Wsse,
    credential: Credential,
    /// The beginning of all its tokens.
    beginning: Box<[u8]>,
    realm: Option<Box<[u8]>>,
}

/// Carries the token, while `Authorization` names the scheme.
const X_WSSE: HeaderName = HeaderName::from_static("x-wsse");

/// The only profile there is (H-WSSE-01).
const PROFILE: &str = "UsernameToken";

const AUTHORIZATION: HeaderValue = HeaderValue::from_static("WSSE profile=\"UsernameToken\"");

/// How much of a profile that is not known is told.
const MOST_TOLD: usize = 32;

// === impl Wsse ===

impl Default for Wsse {
    fn default() -> Self {
        Self {
            nonce_form: NonceForm::default(),
            without_challenge: false,
            clock: Arc::new(SystemClock),
            nonce: Arc::new(SystemNonce),
        }
    }
}

impl Wsse {
    /// The scheme with the default settings.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How the nonce is written and digested. Default: [`NonceForm::Base64`].
    #[must_use]
    pub fn nonce_form(self, nonce_form: NonceForm) -> Self {
        Self { nonce_form, ..self }
    }

    /// Whether it signs without having been challenged, where the layer sends credentials in advance. Default: no, so that a
    /// layer which knows Basic as well sends that.
    #[must_use]
    pub fn without_challenge(self, yes: bool) -> Self {
        Self { without_challenge: yes, ..self }
    }

    /// Where the time of a token comes from. Default: the operating system.
    #[must_use]
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Where nonces come from. Default: the operating system.
    #[must_use]
    pub fn nonce(self, nonce: impl Nonce) -> Self {
        Self { nonce: Arc::new(nonce), ..self }
    }

    fn signer(&self, credential: &Credential, realm: Option<&[u8]>) -> Result<WsseSigner, CannotAnswer> {
        let login = credential.as_login().ok_or(CannotAnswer::Credential("WSSE needs a name and a password"))?;
        let beginning = beginning(login.name()).ok_or(CannotAnswer::Credential("the name has a control character"))?;
        Ok(WsseSigner { wsse: self.clone(), credential: credential.clone(), beginning, realm: realm.map(Into::into) })
    }
}

impl Scheme for Wsse {
    fn name(&self) -> &'static str {
        "wsse"
    }

    fn strength(&self) -> u8 {
        20
    }

    fn reveals_secret(&self) -> bool {
        false
    }

    /// A challenge without a profile, or without a realm, is answered all the same: servers leave them out.
    fn answer(&self, challenge: &Challenge, credential: &Credential) -> Result<Arc<dyn Signer>, CannotAnswer> {
        let params = challenge.params();
        match params.bytes("profile") {
            Some(profile) if !profile.eq_ignore_ascii_case(PROFILE.as_bytes()) => {
                let told = profile[..profile.len().min(MOST_TOLD)].escape_ascii();
                Err(CannotAnswer::Unsupported(format!("the profile \"{told}\"")))
            }
            _ => Ok(Arc::new(self.signer(credential, params.bytes("realm"))?)),
        }
    }

    fn in_advance(&self, credential: &Credential) -> Option<Arc<dyn Signer>> {
        let signer = self.without_challenge.then(|| self.signer(credential, None))?;
        Some(Arc::new(signer.ok()?))
    }
}

// === impl WsseSigner ===

impl Signer for WsseSigner {
    fn realm(&self) -> Option<&[u8]> {
        self.realm.as_deref()
    }

    fn space(&self) -> Space<'_> {
        Space::Depth
    }

    /// A token is used once: the nonce and the time of each send are its own.
    fn sign(&self, request: &mut Unsigned<'_>) -> Result<HeaderValue, SignError> {
        let Wsse { nonce_form, clock, nonce, .. } = &self.wsse;
        let login = self.credential.as_login().ok_or(SignError("there is no name and password"))?;
        let mut random = [0; NONCE_BYTES];
        nonce.fill(&mut random).map_err(|_| SignError("there are no random bytes for a nonce"))?;
        let created =
            timestamp::utc(clock.now()).ok_or(SignError("the clock is not between the years 1970 and 9999"))?;
        let value = token(&self.beginning, login, &random, *nonce_form, &created);
        let mut value = HeaderValue::try_from(value).map_err(|_| SignError("the token makes no field value"))?;
        value.set_sensitive(true);
        request.headers.insert(X_WSSE, value);
        Ok(AUTHORIZATION)
    }
}

impl fmt::Debug for WsseSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WsseSigner(..)")
    }
}

#[cfg(test)]
mod tests;
