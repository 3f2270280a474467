//! For whom a request is signed, in a text without secrets.

use std::fmt::Write as _;

use httplib2_core::who::{Identity, Origin};
use sha2::{Digest as _, Sha256};

use crate::Credential;

/// What tells the user from all others: the origin, the realm, and the name, or the hash of the token.
pub(crate) fn identity(origin: &Origin, realm: Option<&[u8]>, credential: &Credential) -> Identity {
    let mut text = format!("{origin} ");
    // A realm is escaped, and so holds no blank that is not within the quotes; the name may hold anything, and comes last.
    if let Some(realm) = realm {
        let _ = write!(text, "\"{}\"", realm.escape_ascii());
    }
    match (credential.identity(), credential.as_login(), credential.as_token()) {
        (Some(identity), ..) => {
            let _ = write!(text, " user {identity}");
        }
        (None, Some(login), _) => {
            let _ = write!(text, " name {}", login.name());
        }
        (None, None, Some(token)) => {
            text.push_str(" token ");
            for byte in Sha256::digest(token.text().as_bytes()) {
                let _ = write!(text, "{byte:02x}");
            }
        }
        (None, None, None) => {}
    }
    Identity::new(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_that_of_one_user_in_one_realm_of_one_origin() {
        let (here, there) = (origin("http://a.example/"), origin("http://a.example:81/"));
        let joe = Credential::login("joe", "one");
        let base = identity(&here, Some(b"r"), &joe);
        assert_eq!(base.as_str(), "http://a.example \"r\" name joe");
        // The password is no part of who somebody is, and must not be learnt from the text.
        assert_eq!(base, identity(&here, Some(b"r"), &Credential::login("joe", "two")));
        for other in [
            identity(&there, Some(b"r"), &joe),
            identity(&here, Some(b"s"), &joe),
            identity(&here, None, &joe),
            identity(&here, Some(b"r"), &Credential::login("eve", "one")),
            identity(&here, Some(b"r"), &Credential::token("joe")),
            identity(&here, Some(b"r"), &Credential::token("x").with_identity("joe")),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn a_realm_cannot_be_written_so_that_it_takes_over_another_user() {
        let here = origin("http://a.example/");
        let tricky = identity(&here, Some(b"r\" name joe"), &Credential::login("eve", ""));
        assert_ne!(tricky, identity(&here, Some(b"r"), &Credential::login("joe name eve", "")));
        assert!(tricky.as_str().contains("\\\""));
    }

    #[test]
    fn tokens_differ_unless_they_are_said_to_be_of_one_user() {
        let here = origin("http://a.example/");
        let of = |credential: Credential| identity(&here, None, &credential);
        // printf abc | sha256sum
        let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(of(Credential::token("abc")).as_str(), format!("http://a.example  token {hash}"));
        assert_ne!(of(Credential::token("abc")), of(Credential::token("abd")));
        let joes = |token| Credential::token(token).with_identity("joe");
        assert_eq!(of(joes("abc")), of(joes("abd")));
    }

    fn origin(uri: &str) -> Origin {
        Origin::of(&uri.parse().unwrap()).unwrap()
    }
}
