//! The Bearer scheme (RFC 6750).

use std::{fmt, sync::Arc};

use http::HeaderValue;
use httplib2_syntax::challenge::Challenge;
use zeroize::Zeroizing;

use crate::{CannotAnswer, Credential, Scheme, SignError, Signer, Space, Unsigned};

/// The Bearer scheme (RFC 6750): a token as it is, good for whoever holds it.
///
/// A token that is no `b64token` (RFC 6750 §2.1) cannot be sent. Its space is the whole origin.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bearer;

struct BearerSigner {
    value: HeaderValue,
    realm: Option<Box<[u8]>>,
}

// === impl Bearer ===

impl Scheme for Bearer {
    fn name(&self) -> &'static str {
        "bearer"
    }

    fn strength(&self) -> u8 {
        10
    }

    fn reveals_secret(&self) -> bool {
        true
    }

    fn answer(&self, challenge: &Challenge, credential: &Credential) -> Result<Arc<dyn Signer>, CannotAnswer> {
        let realm = challenge.params().bytes("realm").map(Into::into);
        Ok(Arc::new(BearerSigner { value: value(credential)?, realm }))
    }

    fn in_advance(&self, credential: &Credential) -> Option<Arc<dyn Signer>> {
        Some(Arc::new(BearerSigner { value: value(credential).ok()?, realm: None }))
    }
}

// === impl BearerSigner ===

impl Signer for BearerSigner {
    fn realm(&self) -> Option<&[u8]> {
        self.realm.as_deref()
    }

    fn space(&self) -> Space<'_> {
        Space::Origin
    }

    fn sign(&self, _: &mut Unsigned<'_>) -> Result<HeaderValue, SignError> {
        Ok(self.value.clone())
    }
}

impl fmt::Debug for BearerSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerSigner(..)")
    }
}

fn value(credential: &Credential) -> Result<HeaderValue, CannotAnswer> {
    let token = credential.as_token().ok_or(CannotAnswer::Credential("Bearer needs a token"))?.text();
    if !is_b64token(token) {
        return Err(CannotAnswer::Credential("the token has other characters than those of a token"));
    }
    let mut text = Zeroizing::new(String::with_capacity("Bearer ".len() + token.len()));
    text.push_str("Bearer ");
    text.push_str(token);
    let mut value = HeaderValue::from_str(&text).map_err(|_| CannotAnswer::Credential("it makes no field value"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// `b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="` (RFC 6750 §2.1).
fn is_b64token(token: &str) -> bool {
    let content = token.trim_end_matches('=');
    !content.is_empty() && content.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_sent_as_it_is() {
        let value = value(&Credential::token("mF_9.B5f-4.1JqM~+/==")).unwrap();
        assert_eq!(value, "Bearer mF_9.B5f-4.1JqM~+/==");
        assert!(value.is_sensitive());
    }

    #[test]
    fn what_is_no_token_is_not_sent() {
        for token in ["", "=", "a b", "a\r\nX-Evil: 1", "a=b", "\"a\"", "ä"] {
            assert!(matches!(value(&Credential::token(token)), Err(CannotAnswer::Credential(_))), "{token:?}");
        }
        assert!(matches!(value(&Credential::login("a", "b")), Err(CannotAnswer::Credential(_))));
    }
}
