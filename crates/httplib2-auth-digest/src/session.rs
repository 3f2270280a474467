//! What belongs to one nonce of the server.

use std::{
    fmt,
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use http::HeaderValue;
use httplib2_auth::SignError;
use httplib2_core::context::Nonce;
use httplib2_syntax::challenge::quote;
use zeroize::Zeroizing;

use crate::{
    account::{Account, Signed},
    hash::Hex,
};

/// A nonce, how often it was used, and the parts of the header value that do not change as long as it lasts.
pub(crate) struct Session {
    pub(crate) nonce: Box<[u8]>,
    pub(crate) opaque: Box<[u8]>,
    /// From the scheme to where the target begins.
    prefix: Vec<u8>,
    /// What follows the signature.
    suffix: Vec<u8>,
    /// Wider than the eight digits that are sent, so that it never begins anew.
    used: AtomicU64,
    is_accepted: AtomicBool,
    /// What an algorithm of sessions uses for all requests.
    proof: OnceLock<Proof>,
}

/// A nonce of the client and the key that goes with it.
#[derive(Clone)]
pub(crate) struct Proof {
    cnonce: Hex,
    key: Zeroizing<Hex>,
}

/// What one value is made for.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) method: &'a [u8],
    pub(crate) target: &'a [u8],
    pub(crate) content: Option<&'a [u8]>,
}

/// How many bytes a client nonce is made of (RFC 7616 §5.12).
const CNONCE_BYTES: usize = 16;

/// Room for what stands between prefix and suffix, beside the target: the longest name of an algorithm, the longest
/// hash, the count and the client nonce.
const BETWEEN: usize = 192;

// === impl Session ===

impl Session {
    /// Returns `None` for a nonce or an opaque that cannot stand in a header field.
    pub(crate) fn new(account: &Account, nonce: &[u8], opaque: &[u8]) -> Option<Self> {
        let mut prefix = b"Digest ".to_vec();
        prefix.extend_from_slice(&account.user);
        let mut suffix = Vec::new();
        let mut is_quoted = push_quoted(b", realm=", &account.realm, &mut prefix);
        is_quoted &= push_quoted(b", nonce=", nonce, &mut prefix);
        prefix.extend_from_slice(b", uri=");
        if !opaque.is_empty() {
            is_quoted &= push_quoted(b", opaque=", opaque, &mut suffix);
        }
        if account.hashes_name {
            suffix.extend_from_slice(b", userhash=true");
        }
        is_quoted.then(|| Self {
            nonce: nonce.into(),
            opaque: opaque.into(),
            prefix,
            suffix,
            used: AtomicU64::new(0),
            is_accepted: AtomicBool::new(false),
            proof: OnceLock::new(),
        })
    }

    /// Whether it made this value: no other nonce gives the same prefix, because its quotes are closed in it.
    pub(crate) fn made(&self, sent: &HeaderValue) -> bool {
        sent.as_bytes().starts_with(&self.prefix)
    }

    /// Whether the server has taken a signature with this nonce.
    pub(crate) fn is_accepted(&self) -> bool {
        self.is_accepted.load(Ordering::Relaxed)
    }

    pub(crate) fn set_accepted(&self) {
        // Most often it is set already; a plain read leaves the cache line to all threads.
        if !self.is_accepted() {
            self.is_accepted.store(true, Ordering::Relaxed);
        }
    }

    /// Counts one more use of the nonce (RFC 7616 §3.4): each request has a count of its own, from 1.
    pub(crate) fn next_count(&self) -> Result<u32, SignError> {
        let used = self.used.fetch_add(1, Ordering::Relaxed);
        u32::try_from(used.saturating_add(1)).map_err(|_| SignError("the nonce of the server is used up"))
    }

    /// A new client nonce and its key; of an algorithm of sessions, always the same (RFC 7616 §3.4.2).
    pub(crate) fn proof(&self, account: &Account, random: &dyn Nonce) -> Result<Proof, SignError> {
        if let Some(proof) = self.proof.get() {
            return Ok(proof.clone());
        }
        let mut bytes = [0; CNONCE_BYTES];
        if account.qop.is_some() {
            random.fill(&mut bytes).map_err(|_| SignError("there are no random bytes for its nonce"))?;
        }
        let cnonce = Hex::of(&bytes);
        let proof = Proof::new(account, &self.nonce, cnonce);
        if account.algorithm.is_session {
            return Ok(self.proof.get_or_init(|| proof).clone());
        }
        Ok(proof)
    }

    /// Writes the value. Its parameters stand as httplib2 wrote them (H-DIG-02), those that it did not know behind
    /// them; what is quoted and what is not is laid down by RFC 7616 §3.4.
    pub(crate) fn write(
        &self,
        account: &Account,
        subject: Subject<'_>,
        count: u32,
        cnonce: &[u8],
        key: &Hex,
    ) -> Result<HeaderValue, SignError> {
        let count = Hex::of(&count.to_be_bytes());
        let hash = account.subject(subject.method, subject.target, subject.content);
        let signed = Signed { nonce: &self.nonce, count: count.as_bytes(), cnonce, subject: &hash };
        let response = account.response(key, &signed);

        let mut value =
            Vec::with_capacity(self.prefix.len() + subject.target.len() + BETWEEN + cnonce.len() + self.suffix.len());
        value.extend_from_slice(&self.prefix);
        if !quote(subject.target, &mut value) {
            return Err(SignError("its target holds a control character"));
        }
        push(&mut value, &[b", algorithm=", account.algorithm.name().as_bytes()]);
        push(&mut value, &[b", response=\"", response.as_bytes(), b"\""]);
        if let Some(qop) = account.qop {
            push(&mut value, &[b", qop=", qop.name().as_bytes(), b", nc=", count.as_bytes()]);
            push(&mut value, &[b", cnonce=\"", cnonce, b"\""]);
        }
        value.extend_from_slice(&self.suffix);
        HeaderValue::from_maybe_shared(Bytes::from(value)).map_err(|_| SignError("the value is no field value"))
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("used", &self.used).field("accepted", &self.is_accepted).finish_non_exhaustive()
    }
}

// === impl Proof ===

impl Proof {
    fn new(account: &Account, nonce: &[u8], cnonce: Hex) -> Self {
        Self { key: account.key(nonce, cnonce.as_bytes()), cnonce }
    }

    pub(crate) fn cnonce(&self) -> &[u8] {
        self.cnonce.as_bytes()
    }

    pub(crate) fn key(&self) -> &Hex {
        &self.key
    }
}

fn push(out: &mut Vec<u8>, pieces: &[&[u8]]) {
    for piece in pieces {
        out.extend_from_slice(piece);
    }
}

fn push_quoted(name: &[u8], value: &[u8], out: &mut Vec<u8>) -> bool {
    out.extend_from_slice(name);
    quote(value, out)
}

#[cfg(test)]
mod tests;
