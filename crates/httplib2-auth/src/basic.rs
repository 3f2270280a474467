//! The Basic scheme (RFC 7617).

use std::{fmt, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::HeaderValue;
use httplib2_syntax::challenge::Challenge;
use zeroize::Zeroizing;

use crate::{CannotAnswer, Credential, Scheme, SignError, Signer, Space, Unsigned};

/// The Basic scheme (RFC 7617): name and password as they are, readable by everybody on the way.
///
/// Text is sent as UTF-8, whatever `charset` says (RFC 7617 §2.1). A name with a colon or a control character cannot
/// be sent (RFC 7617 §2); a password with control characters can, as servers accept it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Basic;

/// The one value that Basic has for a name and a password.
struct BasicSigner {
    value: HeaderValue,
    realm: Option<Box<[u8]>>,
}

// === impl Basic ===

impl Scheme for Basic {
    fn name(&self) -> &'static str {
        "basic"
    }

    fn strength(&self) -> u8 {
        0
    }

    fn reveals_secret(&self) -> bool {
        true
    }

    /// A challenge without the realm that RFC 7617 §2 requires is answered all the same: nothing depends on it.
    fn answer(&self, challenge: &Challenge, credential: &Credential) -> Result<Arc<dyn Signer>, CannotAnswer> {
        let realm = challenge.params().bytes("realm").map(Into::into);
        Ok(Arc::new(BasicSigner { value: value(credential)?, realm }))
    }

    fn in_advance(&self, credential: &Credential) -> Option<Arc<dyn Signer>> {
        Some(Arc::new(BasicSigner { value: value(credential).ok()?, realm: None }))
    }
}

// === impl BasicSigner ===

impl Signer for BasicSigner {
    fn realm(&self) -> Option<&[u8]> {
        self.realm.as_deref()
    }

    fn space(&self) -> Space<'_> {
        Space::Depth
    }

    fn sign(&self, _: &mut Unsigned<'_>) -> Result<HeaderValue, SignError> {
        Ok(self.value.clone())
    }
}

impl fmt::Debug for BasicSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BasicSigner(..)")
    }
}

fn value(credential: &Credential) -> Result<HeaderValue, CannotAnswer> {
    let login = credential.as_login().ok_or(CannotAnswer::Credential("Basic needs a name and a password"))?;
    if login.name().chars().any(char::is_control) {
        return Err(CannotAnswer::Credential("the name has a control character"));
    }
    if login.name().contains(':') {
        return Err(CannotAnswer::Credential("the name has a colon"));
    }
    let mut plain = Zeroizing::new(Vec::with_capacity(login.name().len() + 1 + login.password().len()));
    plain.extend_from_slice(login.name().as_bytes());
    plain.push(b':');
    plain.extend_from_slice(login.password());
    // The capacity is that of the whole, so that no copy is left behind where a buffer grew.
    let mut text = Zeroizing::new(String::with_capacity("Basic ".len() + plain.len().div_ceil(3) * 4));
    text.push_str("Basic ");
    STANDARD.encode_string(&*plain, &mut text);
    let mut value = HeaderValue::from_str(&text).map_err(|_| CannotAnswer::Credential("it makes no field value"))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_and_password_are_sent_as_base64_of_utf8() {
        for (name, password, expected) in [
            ("Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), // RFC 7617 §2
            ("test", "123£", "Basic dGVzdDoxMjPCow=="),                       // RFC 7617 §2.1
            ("u", "a:b", "Basic dTphOmI="),
            ("", "", "Basic Og=="),
            ("joe", "\0\r\n\x7f", "Basic am9lOgANCn8="), // H-BASIC-01
        ] {
            let value = value(&Credential::login(name, password)).unwrap();
            assert_eq!(value, expected);
            assert!(value.is_sensitive());
        }
    }

    #[test]
    fn a_name_that_the_form_cannot_hold_is_not_sent() {
        // RFC 7617 §2, AUTH-13.
        for name in ["a:b", "u\r\nX-Evil: 1", "\0", "a\u{85}"] {
            assert!(matches!(value(&Credential::login(name, "secret")), Err(CannotAnswer::Credential(_))), "{name:?}");
        }
        assert!(matches!(value(&Credential::token("secret")), Err(CannotAnswer::Credential(_))));
    }

    #[test]
    fn debug_shows_no_secret() {
        let signer = Basic.in_advance(&Credential::login("Aladdin", "open sesame")).unwrap();
        assert_eq!(format!("{signer:?}"), "BasicSigner(..)");
    }
}
