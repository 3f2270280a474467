//! The `UsernameToken`: the value of `X-WSSE`. Pure: name, password, nonce and time in, bytes out.

use base64::{Engine, engine::general_purpose::STANDARD};
use httplib2_auth::Login;
use httplib2_syntax::{challenge::quote, timestamp::Timestamp};
use sha1::{Digest, Sha1};

/// How many random bytes a nonce has: 128 bits, so that none comes twice.
pub(crate) const NONCE_BYTES: usize = 16;

/// How the nonce is written, and what of it goes into the digest. Servers cannot be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum NonceForm {
    /// Random bytes go into the digest and their base64 is sent: as the `UsernameToken` Profile of OASIS §3.1 has it, and
    /// most servers do.
    #[default]
    Base64,
    /// The text that is sent goes into the digest: 32 hexadecimal digits. As Python's httplib2 and the first
    /// description of WSSE have it, for servers that decode nothing.
    Plain,
}

/// What comes before the digest, the same in all tokens of one name: `None` for a name that no quoted-string can hold.
pub(crate) fn beginning(name: &str) -> Option<Box<[u8]>> {
    // A control character is refused in all its forms: quoted or not, somebody may take it for the end of the line.
    if name.chars().any(char::is_control) {
        return None;
    }
    let mut beginning = b"UsernameToken Username=".to_vec();
    quote(name.as_bytes(), &mut beginning).then(|| {
        beginning.extend_from_slice(b", PasswordDigest=\"");
        beginning.into()
    })
}

/// The whole value, with exactly this order and spelling, which servers take apart by hand.
pub(crate) fn token(
    beginning: &[u8],
    login: &Login,
    nonce: &[u8; NONCE_BYTES],
    form: NonceForm,
    created: &Timestamp,
) -> Vec<u8> {
    let mut plain = [0; NONCE_BYTES * 2];
    let digested: &[u8] = match form {
        NonceForm::Base64 => nonce,
        NonceForm::Plain => {
            hex(nonce, &mut plain);
            &plain
        }
    };
    let digest = password_digest(digested, created, login.password());
    let (digest, base64) = (base64::<28>(&digest), base64::<24>(nonce));
    let sent: &[u8] = match form {
        NonceForm::Base64 => &base64,
        NonceForm::Plain => &plain,
    };
    // Made in one piece, whose length is that of the value, so that a field value can take it over as it is.
    [beginning, &digest, b"\", Nonce=\"", sent, b"\", Created=\"", created, b"\""].concat()
}

/// SHA-1 of all three, one behind the other. The password is fed where it lies, so no copy of it is left.
fn password_digest(nonce: &[u8], created: &[u8], password: &[u8]) -> [u8; 20] {
    Sha1::new().chain_update(nonce).chain_update(created).chain_update(password).finalize().into()
}

/// The base64 of what takes `N` characters.
fn base64<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut text = [0; N];
    let written = STANDARD.encode_slice(bytes, &mut text);
    debug_assert_eq!(written, Ok(N));
    text
}

fn hex(bytes: &[u8; NONCE_BYTES], out: &mut [u8; NONCE_BYTES * 2]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (pair, byte) in out.chunks_exact_mut(2).zip(bytes) {
        pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use httplib2_auth::Credential;

    fn value(name: &str, password: &str, nonce: u8, form: NonceForm) -> String {
        let login = Credential::login(name, password);
        let beginning = beginning(name).unwrap();
        let created = b"2026-01-01T00:00:00Z";
        let value = token(&beginning, login.as_login().unwrap(), &[nonce; NONCE_BYTES], form, created);
        String::from_utf8(value).unwrap()
    }

    #[test]
    fn the_digest_is_that_of_httplib2() {
        // H-WSSE-02, the vector of httplib2's test_wsse_algorithm. Python says the same:
        // b64encode(hashlib.sha1(nonce + created + password).digest()).
        let digest = password_digest(b"d36e316282959a9ed4c89851497a717f", b"2003-12-15T14:43:07Z", b"taadtaadpstcsm");
        assert_eq!(STANDARD.encode(digest), "quR/EWLAV4xLf9Zqyw4pDmfV9OY=");
    }

    #[test]
    fn a_base64_nonce_is_digested_as_bytes() {
        // The digest is hashlib.sha1(bytes([1] * 16) + created + password).
        assert_eq!(
            value("joe", "s3cret", 1, NonceForm::Base64),
            "UsernameToken Username=\"joe\", PasswordDigest=\"N5vROcqMw/rmUCPQU/09RnhlUAo=\", \
             Nonce=\"AQEBAQEBAQEBAQEBAQEBAQ==\", Created=\"2026-01-01T00:00:00Z\""
        );
    }

    #[test]
    fn a_plain_nonce_is_digested_as_it_is_sent() {
        // H-WSSE-03. The digest is hashlib.sha1(b"a5" * 16 + created + password).
        assert_eq!(
            value("joe", "s3cret", 0xa5, NonceForm::Plain),
            "UsernameToken Username=\"joe\", PasswordDigest=\"uwpxybESGQ9xrw8K0qoB4+1bFZ0=\", \
             Nonce=\"a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5\", Created=\"2026-01-01T00:00:00Z\""
        );
    }

    #[test]
    fn a_name_is_quoted() {
        // H-WSSE-04.
        for (name, expected) in [
            ("a\"b", r#"UsernameToken Username="a\"b", PasswordDigest=""#),
            ("a\\", r#"UsernameToken Username="a\\", PasswordDigest=""#),
            ("a, b", r#"UsernameToken Username="a, b", PasswordDigest=""#),
            ("jürgen", "UsernameToken Username=\"jürgen\", PasswordDigest=\""),
            ("", "UsernameToken Username=\"\", PasswordDigest=\""),
        ] {
            assert_eq!(beginning(name).as_deref(), Some(expected.as_bytes()), "{name:?}");
        }
    }

    #[test]
    fn a_name_with_a_control_character_has_no_form() {
        // AUTH-27.
        for name in ["u\r\nX-Evil: 1", "u\n", "\r", "\0", "a\tb", "\x7f", "a\u{85}b"] {
            assert_eq!(beginning(name), None, "{name:?}");
        }
    }
}
