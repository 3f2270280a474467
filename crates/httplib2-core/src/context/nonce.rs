//! Randomness.

use std::{error::Error, fmt};

/// A source of random bytes, so that a test can fix them.
///
/// Layers hold an `Arc<dyn Nonce>`; the default is [`SystemNonce`]. Client nonces of Digest and WSSE come
/// from it (RFC 7616 §5.12), and the jitter of a retry.
pub trait Nonce: fmt::Debug + Send + Sync + 'static {
    /// Fills `bytes` with random bytes that nobody can predict.
    ///
    /// # Errors
    ///
    /// [`NonceUnavailable`] when the source has none to give. A caller that needs them for security gives
    /// up what it was doing; it never goes on with what `bytes` held before.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NonceUnavailable>;
}

/// The random source of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemNonce;

/// The operating system had no random bytes to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NonceUnavailable;

// === impl SystemNonce ===

impl Nonce for SystemNonce {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system for random bytes")]
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NonceUnavailable> {
        getrandom::fill(bytes).map_err(|_| NonceUnavailable)
    }
}

// === impl NonceUnavailable ===

impl fmt::Display for NonceUnavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the operating system gave no random bytes")
    }
}

impl Error for NonceUnavailable {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_nonces_of_the_system_differ() {
        let (mut one, mut two) = ([0; 16], [0; 16]);
        SystemNonce.fill(&mut one).unwrap();
        SystemNonce.fill(&mut two).unwrap();
        assert_ne!(one, two);
    }
}
