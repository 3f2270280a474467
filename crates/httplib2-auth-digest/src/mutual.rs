//! Whether the server has proved that it knows the password too (RFC 7616 §3.5): pure.

use http::HeaderValue;
use httplib2_syntax::challenge::{self, Params};

use crate::account::{Account, Signed};

/// Whether `info`, which came with the answer, holds the signature that only who knows the password can make for the
/// request that was signed with `sent`.
pub(crate) fn is_proven(account: &Account, sent: &HeaderValue, info: &Params) -> bool {
    let Some(claim) = info.bytes("rspauth") else { return false };
    // It is read back, because a nonce may have taken the place of the one that it was signed with.
    let parsed = challenge::parse([sent.as_bytes()]);
    let Some(params) = parsed.first().map(challenge::Challenge::params) else { return false };
    let field = |name| params.bytes(name).unwrap_or_default();
    let is_of_this_request = ["qop", "nc", "cnonce"]
        .into_iter()
        .all(|name| info.bytes(name).is_none_or(|told: &[u8]| told.eq_ignore_ascii_case(field(name))));
    if !is_of_this_request {
        return false;
    }
    let (nonce, cnonce) = (field("nonce"), field("cnonce"));
    let subject = account.subject(b"", field("uri"), None);
    let signed = Signed { nonce, count: field("nc"), cnonce, subject: &subject };
    account.response(&account.key(nonce, cnonce), &signed).as_bytes().eq_ignore_ascii_case(claim)
}
