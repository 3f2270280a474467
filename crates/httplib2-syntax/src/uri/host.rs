//! The authority of a URI: one spelling per host.

use std::{borrow::Cow, net::Ipv4Addr};

use super::InvalidUri;

/// An authority, taken apart.
pub(super) struct Authority<'a> {
    pub(super) userinfo: Option<&'a [u8]>,
    pub(super) host: Cow<'a, str>,
    /// `None` is the scheme's default.
    pub(super) port: Option<u16>,
}

/// Takes an authority apart (RFC 3986 §3.2).
pub(super) fn authority<'a>(scheme: &str, text: &'a [u8]) -> Result<Authority<'a>, InvalidUri> {
    let (userinfo, rest) = match text.iter().rposition(|byte| *byte == b'@') {
        Some(at) => (Some(&text[..at]), &text[at + 1..]),
        None => (None, text),
    };
    // Programs disagree on which side of a backslash the host is, so nobody gets to choose.
    if text.contains(&b'\\') {
        return Err(InvalidUri::Host);
    }
    let (host, port) = match rest.iter().rposition(|byte| *byte == b':') {
        Some(colon) if !rest[colon..].contains(&b']') => (&rest[..colon], &rest[colon + 1..]),
        _ => (rest, &[][..]),
    };
    if host.is_empty() {
        return Err(InvalidUri::Relative);
    }
    let port = match port {
        [] => None,
        digits if digits.iter().all(u8::is_ascii_digit) => {
            let digits = std::str::from_utf8(digits).map_err(|_| InvalidUri::Port)?;
            Some(digits.parse().map_err(|_| InvalidUri::Port)?)
        }
        _ => return Err(InvalidUri::Port),
    };
    let default = if scheme == "https" { 443 } else { 80 };
    let host = canonical(std::str::from_utf8(host).map_err(|_| InvalidUri::Host)?)?;
    Ok(Authority { userinfo, host, port: port.filter(|port| *port != default) })
}

/// The spelling under which a host is looked up, named to the server, verified and compared.
fn canonical(host: &str) -> Result<Cow<'_, str>, InvalidUri> {
    // The standard library's parser takes nothing but the canonical form of an address.
    if is_plain(host) || host.parse::<Ipv4Addr>().is_ok() {
        return Ok(Cow::Borrowed(host));
    }
    // UTS 46 for names, and the odd forms of addresses (`127.1`, `0x7f000001`, `[::0:1]`), which resolvers
    // would otherwise read in their own way behind our back.
    let host = url::Host::parse(host).map_err(|_| InvalidUri::Host)?;
    Ok(Cow::Owned(host.to_string()))
}

/// Whether a host is spelt in the one way already: a lower-case name that is no number and no punycode.
fn is_plain(host: &str) -> bool {
    let last_label = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    host.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._".contains(&byte))
        && last_label.starts_with(|first: char| first.is_ascii_lowercase())
        && !host.contains("xn--")
}
