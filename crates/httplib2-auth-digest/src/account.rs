//! Who signs in which realm, and how: what stays the same as long as a signer lives.

use httplib2_auth::{CannotAnswer, Login};
use httplib2_syntax::challenge::quote;
use zeroize::Zeroizing;

use crate::{
    hash::{Algorithm, Hash, Hex},
    offer::{Offer, Qop},
};

/// A login in a realm, with the key that follows from its password.
pub(crate) struct Account {
    pub(crate) realm: Box<[u8]>,
    pub(crate) algorithm: Algorithm,
    pub(crate) qop: Option<Qop>,
    /// The parameter that names the user, as it is sent.
    pub(crate) user: Vec<u8>,
    pub(crate) hashes_name: bool,
    /// The hash of name, realm and password. It is as good as the password in this realm.
    key: Zeroizing<Hex>,
}

/// What one response is computed from, beside the key.
pub(crate) struct Signed<'a> {
    pub(crate) nonce: &'a [u8],
    pub(crate) count: &'a [u8],
    pub(crate) cnonce: &'a [u8],
    /// The hash of what is signed: method, target and perhaps content.
    pub(crate) subject: &'a Hex,
}

// === impl Account ===

impl Account {
    /// # Errors
    ///
    /// When the name cannot stand in a header field.
    pub(crate) fn new(offer: &Offer<'_>, login: &Login) -> Result<Self, CannotAnswer> {
        let hash = offer.algorithm.hash;
        let name = login.name().as_bytes();
        let mut user = b"username=".to_vec();
        // Asked of every name, also of one that is sent in another form: no server knows one with a line break.
        if !quote(name, &mut user) {
            return Err(CannotAnswer::Credential("the name holds a control character"));
        }
        if offer.hashes_name {
            user = [b"username=\"", hash.of(&[name, offer.realm]).as_bytes(), b"\""].concat();
        } else if offer.reads_utf8 && !name.is_ascii() {
            user = extended_name(name);
        }
        Ok(Self {
            realm: offer.realm.into(),
            algorithm: offer.algorithm,
            qop: offer.qop,
            user,
            hashes_name: offer.hashes_name,
            key: Zeroizing::new(hash.of(&[name, offer.realm, login.password()])),
        })
    }

    /// The key of a nonce (RFC 7616 §3.4.2): `A1` hashed.
    pub(crate) fn key(&self, nonce: &[u8], cnonce: &[u8]) -> Zeroizing<Hex> {
        if self.algorithm.is_session {
            Zeroizing::new(self.hash().of(&[self.key.as_bytes(), nonce, cnonce]))
        } else {
            self.key.clone()
        }
    }

    /// The hash of what is signed (RFC 7616 §3.4.3): `A2` hashed. In an answer of the server the method is empty.
    pub(crate) fn subject(&self, method: &[u8], target: &[u8], content: Option<&[u8]>) -> Hex {
        match content {
            Some(content) => self.hash().of(&[method, target, content]),
            None => self.hash().of(&[method, target]),
        }
    }

    /// The signature (RFC 7616 §3.4.1), without qop that of RFC 2069 §2.1.2.
    pub(crate) fn response(&self, key: &Hex, signed: &Signed<'_>) -> Hex {
        let Signed { nonce, count, cnonce, subject } = signed;
        let (key, subject) = (key.as_bytes(), subject.as_bytes());
        match self.qop {
            Some(qop) => self.hash().of(&[key, nonce, count, cnonce, qop.name().as_bytes(), subject]),
            None => self.hash().of(&[key, nonce, subject]),
        }
    }

    fn hash(&self) -> Hash {
        self.algorithm.hash
    }
}

/// The name as an extended parameter (RFC 7616 §3.4, RFC 8187 §3.2.1), which takes any character.
fn extended_name(name: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = b"username*=UTF-8''".to_vec();
    for &byte in name {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            out.push(byte);
        } else {
            out.extend([b'%', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        }
    }
    out
}
