//! For whom a request is signed, in a text without secrets.

use std::{
    fmt::Write as _,
    hash::{BuildHasher as _, RandomState},
    sync::OnceLock,
};

use httplib2_core::{
    context::{Nonce as _, SystemNonce},
    who::{Identity, Origin},
};
use sha2::{Digest as _, Sha256};

use crate::{Credential, credentials::Scope};

/// With what passwords are hashed, so that nobody who reads an identity can try out passwords.
static KEY: OnceLock<[u8; 32]> = OnceLock::new();

/// What tells the user from all others: the origin, the realm, and the name, or the hash of the token.
///
/// A name that came with one request may be anybody's: there a password counts too, so that who guesses one is not taken
/// for who knows it.
pub(crate) fn identity(origin: &Origin, realm: Option<&[u8]>, credential: &Credential, scope: Scope) -> Identity {
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
            if scope == Scope::Request {
                let hash = keyed_hash(&[text.as_bytes(), login.name().as_bytes(), login.password()]);
                text.push_str(" password ");
                push_hex(&mut text, &hash);
            }
            let _ = write!(text, " name {}", login.name());
        }
        (None, None, Some(token)) => {
            text.push_str(" token ");
            push_hex(&mut text, &Sha256::digest(token.text().as_bytes()));
        }
        (None, None, None) => {}
    }
    Identity::new(text)
}

/// A hash of these parts that means nothing outside of this process.
fn keyed_hash(parts: &[&[u8]]) -> [u8; 16] {
    let mut hasher = Sha256::new_with_prefix(KEY.get_or_init(key));
    for part in parts {
        hasher.update(part.len().to_be_bytes());
        hasher.update(part);
    }
    let mut hash = [0; 16];
    hash.copy_from_slice(&hasher.finalize()[..16]);
    hash
}

fn key() -> [u8; 32] {
    let mut key = [0; 32];
    if SystemNonce.fill(&mut key).is_err() {
        // Better keys than those of hash tables there are not then.
        for (n, piece) in key.chunks_exact_mut(8).enumerate() {
            piece.copy_from_slice(&RandomState::new().hash_one(n).to_be_bytes());
        }
    }
    key
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_that_of_one_user_in_one_realm_of_one_origin() {
        let (here, there) = (origin("http://a.example/"), origin("http://a.example:81/"));
        let joe = Credential::login("joe", "one");
        let base = identity(&here, Some(b"r"), &joe, Scope::Domain);
        assert_eq!(base.as_str(), "http://a.example \"r\" name joe");
        // The password is no part of who somebody is, and must not be learnt from the text.
        assert_eq!(base, identity(&here, Some(b"r"), &Credential::login("joe", "two"), Scope::Domain));
        for other in [
            identity(&there, Some(b"r"), &joe, Scope::Domain),
            identity(&here, Some(b"s"), &joe, Scope::Domain),
            identity(&here, None, &joe, Scope::Domain),
            identity(&here, Some(b"r"), &Credential::login("eve", "one"), Scope::Domain),
            identity(&here, Some(b"r"), &Credential::token("joe"), Scope::Domain),
            identity(&here, Some(b"r"), &Credential::token("x").with_identity("joe"), Scope::Domain),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn a_login_that_came_with_a_request_is_a_user_only_with_its_password() {
        let here = origin("http://a.example/");
        let own = |credential: &Credential| identity(&here, Some(b"r"), credential, Scope::Request);
        let (right, wrong) = (Credential::login("joe", "right"), Credential::login("joe", "wrong"));
        assert_eq!(own(&right), own(&Credential::login("joe", "right")));
        assert_ne!(own(&right), own(&wrong));
        assert_ne!(own(&right), identity(&here, Some(b"r"), &right, Scope::Domain));
        // Nothing of it is the same for two users with one password, or a hash that everybody can compute.
        let hash = |credential: &Credential| own(credential).as_str().split(' ').nth(3).unwrap().to_owned();
        assert_eq!(own(&right).as_str(), format!("http://a.example \"r\" password {} name joe", hash(&right)));
        assert_eq!(hash(&right).len(), 32);
        assert_ne!(hash(&right), hash(&Credential::login("eve", "right")));
        let mut plain = String::new();
        push_hex(&mut plain, &Sha256::digest(b"right"));
        assert!(!own(&right).as_str().contains(&plain[..32]) && !own(&right).as_str().contains("right"));
        // Whoever says whose it is answers for it.
        assert_eq!(own(&right.with_identity("joe")), own(&wrong.with_identity("joe")));
    }

    #[test]
    fn a_realm_cannot_be_written_so_that_it_takes_over_another_user() {
        let here = origin("http://a.example/");
        let tricky = identity(&here, Some(b"r\" name joe"), &Credential::login("eve", ""), Scope::Domain);
        assert_ne!(tricky, identity(&here, Some(b"r"), &Credential::login("joe name eve", ""), Scope::Domain));
        assert!(tricky.as_str().contains("\\\""));
    }

    #[test]
    fn tokens_differ_unless_they_are_said_to_be_of_one_user() {
        let here = origin("http://a.example/");
        let of = |credential: Credential| identity(&here, None, &credential, Scope::Domain);
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
