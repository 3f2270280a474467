//! The legacy scheme `HMACDigest`.

mod session;
mod signer;

use std::sync::Arc;

use httplib2_auth::{CannotAnswer, Credential, Scheme, Signer};
use httplib2_core::context::{Clock, Nonce, SystemClock, SystemNonce};
use httplib2_syntax::challenge::Challenge;

use self::signer::HmacSigner;

/// Answers challenges of the legacy scheme `HMACDigest`, an Internet draft that expired (`draft-sayre-http-hmac-digest`).
///
/// It is there because httplib2 names it; no layer answers it unless it is added to one. New servers take [`Digest`].
/// It signs the method, the target and the header fields that stand in the request when it is signed, among them a
/// `Cookie`, but not the content, and a request that was overheard can be sent again as long as the server takes its
/// nonce.
///
/// | parameter of the challenge | taken | default |
/// |---|---|---|
/// | `realm` | any | it must be there |
/// | `snonce` | any | it must be there |
/// | `reason` | `unauthorized`, `integrity`; when a signed request is refused also `stale` | `unauthorized` |
/// | `salt` | any | empty |
/// | `algorithm` | `HMAC-SHA-1`, `HMAC-MD5` | `HMAC-SHA-1` |
/// | `pw-algorithm` | `SHA-1`, `MD5` | `SHA-1` |
///
/// A request that was refused for the reason `integrity` or `stale` is signed once more with the new nonce.
///
/// [`Digest`]: crate::Digest
#[derive(Clone, Debug)]
pub struct HmacDigest {
    clock: Arc<dyn Clock>,
    nonce: Arc<dyn Nonce>,
}

// === impl HmacDigest ===

impl Default for HmacDigest {
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), nonce: Arc::new(SystemNonce) }
    }
}

impl HmacDigest {
    /// The scheme with the default settings.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The clock that says when a request was signed (`created`). Default: that of the operating system.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Where the nonces of the client come from. Default: the operating system.
    #[must_use]
    pub fn nonce(mut self, nonce: impl Nonce) -> Self {
        self.nonce = Arc::new(nonce);
        self
    }
}

impl Scheme for HmacDigest {
    fn name(&self) -> &'static str {
        "hmacdigest"
    }

    fn strength(&self) -> u8 {
        40
    }

    fn reveals_secret(&self) -> bool {
        false
    }

    fn answer(&self, challenge: &Challenge, credential: &Credential) -> Result<Arc<dyn Signer>, CannotAnswer> {
        let signer = HmacSigner::new(challenge, credential, Arc::clone(&self.clock), Arc::clone(&self.nonce))?;
        Ok(Arc::new(signer))
    }
}
