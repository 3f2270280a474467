//! What belongs to one nonce of the server, and what is signed with it.

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use httplib2_auth::{CannotAnswer, Login, SignError};
use httplib2_syntax::challenge::{Params, quote};
use md5::Md5;
use sha1::Sha1;
use zeroize::Zeroizing;

use crate::hash::Hex;

pub(super) struct Session {
    is_md5: bool,
    snonce: Box<[u8]>,
    /// The hash of name, password, salt and realm, as text (H-HMAC-04).
    key: Zeroizing<Hex>,
    /// From the scheme to where the nonce of the client begins.
    prefix: Vec<u8>,
}

/// What one value is made for.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) method: &'a [u8],
    pub(super) target: &'a [u8],
    pub(super) headers: &'a HeaderMap,
    pub(super) created: &'a [u8],
}

// === impl Session ===

impl Session {
    pub(super) fn new(params: &Params, login: &Login) -> Result<Self, CannotAnswer> {
        let name = login.name().as_bytes();
        let realm = params.bytes("realm").ok_or(CannotAnswer::Malformed("it has no realm"))?;
        let snonce = params
            .bytes("snonce")
            .filter(|snonce| !snonce.is_empty())
            .ok_or_else(|| CannotAnswer::Unsupported("a challenge without snonce".into()))?;
        let is_md5 = choose(params, "algorithm", ["HMAC-SHA-1", "HMAC-MD5"])?;
        let key_is_md5 = choose(params, "pw-algorithm", ["SHA-1", "MD5"])?;
        let salt = params.bytes("salt").unwrap_or_default();

        let mut prefix = b"HMACDigest username=".to_vec();
        if !quote(name, &mut prefix) {
            return Err(CannotAnswer::Credential("the name holds a control character"));
        }
        for (name, value) in [(", realm=", realm), (", snonce=", snonce)] {
            prefix.extend_from_slice(name.as_bytes());
            if !quote(value, &mut prefix) {
                return Err(CannotAnswer::Malformed("it holds a control character"));
            }
        }
        let password = Zeroizing::new(hash(key_is_md5, &[login.password(), salt]));
        let key = Zeroizing::new(hash(key_is_md5, &[name, b":", password.as_bytes(), b":", realm]));
        Ok(Self { is_md5, snonce: snonce.into(), key, prefix })
    }

    /// Whether both differ in the nonce of the server alone: salt, algorithms and realm are the same.
    pub(super) fn signs_like(&self, other: &Self) -> bool {
        self.is_md5 == other.is_md5 && *self.key == *other.key
    }

    /// Whether it made this value.
    pub(super) fn made(&self, sent: &HeaderValue) -> bool {
        sent.as_bytes().starts_with(&self.prefix)
    }

    /// Writes the value: what H-HMAC-04 lists, in that order.
    pub(super) fn write(&self, subject: Subject<'_>, cnonce: &[u8]) -> Result<HeaderValue, SignError> {
        let Subject { method, target, headers, created } = subject;
        let mut names = Vec::new();
        let mut values = Vec::new();
        for name in end_to_end(headers) {
            names.extend_from_slice(name.as_str().as_bytes());
            names.push(b' ');
            // Who receives a repeated field may have joined its lines (RFC 9110 §5.3).
            for (index, value) in headers.get_all(name).iter().enumerate() {
                if index > 0 {
                    values.extend_from_slice(b", ");
                }
                values.extend_from_slice(value.as_bytes());
            }
        }
        let values = Zeroizing::new(values);
        let response = self.mac(&[method, b":", target, b":", cnonce, b":", &self.snonce, b":", &values]);

        let mut out = Vec::with_capacity(self.prefix.len() + target.len() + names.len() + 192);
        out.extend_from_slice(&self.prefix);
        for (name, value) in [
            (", cnonce=", cnonce),
            (", uri=", target),
            (", created=", created),
            (", response=", response.as_bytes()),
            (", headers=", &names),
        ] {
            out.extend_from_slice(name.as_bytes());
            if !quote(value, &mut out) {
                return Err(SignError("its target holds a control character"));
            }
        }
        HeaderValue::from_maybe_shared(Bytes::from(out)).map_err(|_| SignError("the value is no field value"))
    }

    fn mac(&self, pieces: &[&[u8]]) -> Hex {
        fn of<M: Mac + KeyInit>(key: &[u8], pieces: &[&[u8]]) -> Hex {
            // A key of any length is taken, so this never comes to the empty one.
            let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else { return Hex::of(&[]) };
            pieces.iter().for_each(|piece| mac.update(piece));
            Hex::of(&mac.finalize().into_bytes())
        }
        let key = self.key.as_bytes();
        if self.is_md5 { of::<Hmac<Md5>>(key, pieces) } else { of::<Hmac<Sha1>>(key, pieces) }
    }
}

/// Whether the second of two names is asked for; the first is the default.
fn choose(params: &Params, name: &str, [first, second]: [&str; 2]) -> Result<bool, CannotAnswer> {
    match params.bytes(name) {
        None => Ok(false),
        Some(asked) if asked.eq_ignore_ascii_case(first.as_bytes()) => Ok(false),
        Some(asked) if asked.eq_ignore_ascii_case(second.as_bytes()) => Ok(true),
        Some(asked) => Err(crate::offer::unsupported(name, asked)),
    }
}

fn hash(is_md5: bool, pieces: &[&[u8]]) -> Hex {
    fn of<D: sha1::Digest>(pieces: &[&[u8]]) -> Hex {
        let mut hasher = D::new();
        pieces.iter().for_each(|piece| hasher.update(piece));
        Hex::of(&hasher.finalize())
    }
    if is_md5 { of::<Md5>(pieces) } else { of::<Sha1>(pieces) }
}

/// The fields that reach the server as they are, without what is about to be replaced (RFC 9110 §7.6.1).
fn end_to_end(headers: &HeaderMap) -> impl Iterator<Item = &HeaderName> {
    const OF_A_HOP: [HeaderName; 9] = [
        header::CONNECTION,
        HeaderName::from_static("keep-alive"),
        header::PROXY_AUTHENTICATE,
        header::PROXY_AUTHORIZATION,
        header::AUTHORIZATION,
        header::TE,
        header::TRAILER,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
    ];
    let is_named = |name: &HeaderName| {
        let options = headers.get_all(header::CONNECTION).iter();
        options
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
            .any(|option| option.trim_ascii().eq_ignore_ascii_case(name.as_str().as_bytes()))
    };
    headers.keys().filter(move |name| !OF_A_HOP.contains(name) && !is_named(name))
}

#[cfg(test)]
mod tests;
