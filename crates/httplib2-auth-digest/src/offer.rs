//! What a challenge asks for, and whether that can be given: pure.

use httplib2_auth::CannotAnswer;
use httplib2_syntax::challenge::Challenge;

use crate::{
    hash::{Algorithm, Hash},
    rules::Rules,
};

/// A challenge of the scheme that can be answered (RFC 7616 §3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Offer<'a> {
    pub(crate) realm: &'a [u8],
    pub(crate) nonce: &'a [u8],
    /// Empty when there was none.
    pub(crate) opaque: &'a [u8],
    pub(crate) domain: Option<&'a str>,
    pub(crate) algorithm: Algorithm,
    /// The one that is taken. `None` is the form of RFC 2069.
    pub(crate) qop: Option<Qop>,
    pub(crate) is_stale: bool,
    /// Whether the server reads UTF-8 in names and passwords (RFC 7616 §4).
    pub(crate) reads_utf8: bool,
    /// Whether the server takes the hash of a name for the name (RFC 7616 §3.4.4).
    pub(crate) hashes_name: bool,
}

/// A nonce or an opaque of more bytes is no honest one. It would make every request from then on too large for the server.
pub(crate) const MAX_ECHOED: usize = 4 * 1024;

/// A quality of protection (RFC 7616 §3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Qop {
    /// The method and the target are signed.
    Auth,
    /// The content too.
    AuthInt,
}

// === impl Offer ===

impl<'a> Offer<'a> {
    /// Reads a challenge. What it says of no concern to the scheme is ignored.
    pub(crate) fn read(challenge: &'a Challenge, rules: &Rules) -> Result<Self, CannotAnswer> {
        let params = challenge.params();
        let is_true = |name| params.bytes(name).is_some_and(|value: &[u8]| value.eq_ignore_ascii_case(b"true"));
        let algorithm = match params.bytes("algorithm") {
            None => Algorithm { hash: Hash::Md5, is_session: false },
            // Whoever takes an unknown one for MD5 lets a server choose the weakest by a word that means nothing.
            Some(name) => {
                str::from_utf8(name).ok().and_then(Algorithm::named).ok_or_else(|| unsupported("algorithm", name))?
            }
        };
        let qop = choose_qop(params.bytes("qop"), rules)?;
        if qop.is_none() && algorithm.is_session {
            // The key of a session depends on the client's nonce, which the form of RFC 2069 does not send.
            return Err(CannotAnswer::Unsupported("an algorithm of sessions without qop".into()));
        }
        let realm = params.bytes("realm").ok_or(CannotAnswer::Malformed("it has no realm"))?;
        let nonce = params.bytes("nonce").ok_or(CannotAnswer::Malformed("it has no nonce"))?;
        let opaque = params.bytes("opaque").unwrap_or_default();
        if nonce.len() > MAX_ECHOED || opaque.len() > MAX_ECHOED {
            return Err(CannotAnswer::Malformed("its nonce or opaque is longer than 4 KiB"));
        }
        Ok(Self {
            realm,
            nonce,
            opaque,
            domain: params.text("domain").map(str::trim).filter(|domain| !domain.is_empty()),
            algorithm,
            qop,
            is_stale: is_true("stale"),
            reads_utf8: params.bytes("charset").is_some_and(|charset| charset.eq_ignore_ascii_case(b"utf-8")),
            hashes_name: is_true("userhash"),
        })
    }
}

impl Offer<'_> {
    /// How well it guards the password: a server that can choose the nonce alone (RFC 2069) may have computed beforehand
    /// what passwords give with it (RFC 7616 §5.9).
    pub(crate) fn preference(&self) -> u8 {
        match (self.qop, self.algorithm.hash) {
            (None, _) => 0,
            (Some(_), Hash::Md5) => 1,
            (Some(_), Hash::Sha256) => 2,
            (Some(_), Hash::Sha512_256) => 3,
        }
    }
}

// === impl Qop ===

impl Qop {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::AuthInt => "auth-int",
        }
    }
}

/// Chooses one of the list, which has commas (H-DIG-07), or blanks as httplib2 read it. An empty list is none.
fn choose_qop(list: Option<&[u8]>, rules: &Rules) -> Result<Option<Qop>, CannotAnswer> {
    let offered = |wanted: Qop| {
        list.is_some_and(|list| elements(list).any(|name| name.eq_ignore_ascii_case(wanted.name().as_bytes())))
    };
    let Some(list) = list.filter(|list| elements(list).next().is_some()) else {
        return match (rules.missing_qop_is_auth, rules.allow_without_qop) {
            (true, _) => Ok(Some(Qop::Auth)),
            (false, true) => Ok(None),
            (false, false) => Err(CannotAnswer::Unsupported("a challenge without qop".into())),
        };
    };
    // The proof of an answer with auth-int covers its content, which a signer does not see.
    match (offered(Qop::Auth), offered(Qop::AuthInt)) {
        (true, true) if rules.prefer_auth_int && !rules.mutual => Ok(Some(Qop::AuthInt)),
        (true, _) => Ok(Some(Qop::Auth)),
        (false, true) if rules.mutual => Err(CannotAnswer::Unsupported("mutual authentication with auth-int".into())),
        (false, true) => Ok(Some(Qop::AuthInt)),
        (false, false) => Err(unsupported("qop", list)),
    }
}

fn elements(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|byte| matches!(byte, b',' | b' ' | b'\t')).filter(|element| !element.is_empty())
}

/// Names what is not supported, as far as it fits into a line of a log.
pub(crate) fn unsupported(what: &str, value: &[u8]) -> CannotAnswer {
    let shown = &value[..value.len().min(64)];
    CannotAnswer::Unsupported(format!("{what}=\"{}\"", shown.escape_ascii()))
}

#[cfg(test)]
mod tests;
