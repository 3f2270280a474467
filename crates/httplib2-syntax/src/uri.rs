//! URIs of the schemes `http` and `https` (RFC 9110 §4.2), from what callers type and servers send.
//!
//! Both may be IRIs, hold spaces, raw bytes or line breaks. What comes out is a [`Uri`] whose every byte may
//! stand on a request line: the host in one spelling (lower case, UTS 46, canonical addresses), the default
//! port left out, dot segments removed, whatever is no URI character percent-encoded, existing
//! percent-encodings left as they are.

mod host;
mod split;

use std::{
    borrow::Cow,
    error::Error,
    fmt::{self, Write as _},
};

use http::Uri;

use self::split::Parts;

/// A URI that can be sent, and the two parts of what was written that are never sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Target {
    /// Scheme, host, port, path and query.
    pub uri: Uri,
    /// What stood behind `#`, percent-encoded (RFC 9110 §4.2.5).
    pub fragment: Option<Box<str>>,
    /// What stood before `@`. It names a user and may hold a password, and is not part of
    /// [`uri`](Self::uri) (RFC 9110 §4.2.4).
    pub userinfo: Option<Userinfo>,
}

/// The userinfo of a URI, percent-encoded as it was written. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Userinfo(Box<str>);

/// Why a text is not a URI that can be sent.
///
/// It repeats nothing of the text but the scheme: the rest may hold a password.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidUri {
    /// It has no scheme or no host, so it says nothing about where to send.
    Relative,
    /// Its scheme is neither `http` nor `https`.
    UnsupportedScheme(Box<str>),
    /// Its host is no domain name and no address.
    Host,
    /// Its port is no number up to 65535.
    Port,
    /// It has more than 65,534 bytes.
    TooLong,
}

/// The longest URI that [`Uri`] holds.
const MAX_LENGTH: usize = u16::MAX as usize - 1;

/// Parses an absolute URI or IRI as a caller may type it.
///
/// # Errors
///
/// [`InvalidUri`] for anything that is not an absolute `http` or `https` URI with a host.
pub fn parse(text: &str) -> Result<Target, InvalidUri> {
    let parts = split::split(text.as_bytes());
    let scheme = parts.scheme.ok_or(InvalidUri::Relative)?;
    compose(web_scheme(scheme)?, &parts, &parts.path.remove_dot_segments(), parts.query)
}

/// Resolves a reference, such as the value of `Location`, against the URI of the request (RFC 3986 §5.2.2).
///
/// The reference is taken as octets: what is not ASCII is percent-encoded octet by octet, whatever its
/// charset was meant to be. The fragment of `base` is not known here; inheriting it (RFC 9110 §10.2.2) is
/// the caller's part.
///
/// # Errors
///
/// [`InvalidUri`] when the result is not an absolute `http` or `https` URI with a host.
pub fn resolve(base: &Uri, reference: &[u8]) -> Result<Target, InvalidUri> {
    let parts = split::split(reference);
    if let Some(scheme) = parts.scheme {
        return compose(web_scheme(scheme)?, &parts, &parts.path.remove_dot_segments(), parts.query);
    }
    let scheme = web_scheme(base.scheme_str().ok_or(InvalidUri::Relative)?.as_bytes())?;
    if parts.authority.is_some() {
        return compose(scheme, &parts, &parts.path.remove_dot_segments(), parts.query);
    }
    let authority = base.authority().ok_or(InvalidUri::Relative)?.as_str().as_bytes();
    let base_path = split::Path(base.path().as_bytes());
    let (path, query) = if parts.path.0.is_empty() {
        (Cow::Borrowed(base_path.0), parts.query.or_else(|| base.query().map(str::as_bytes)))
    } else if parts.path.0.starts_with(b"/") {
        (parts.path.remove_dot_segments(), parts.query)
    } else {
        (Cow::Owned(split::Path(&base_path.merge(parts.path)).remove_dot_segments().into_owned()), parts.query)
    };
    let mut target = compose(scheme, &Parts { authority: Some(authority), ..parts }, &path, query)?;
    // The base's own userinfo says nothing about where this reference leads.
    target.userinfo = None;
    Ok(target)
}

/// Puts the pieces together again, each in its one spelling.
fn compose(scheme: &str, parts: &Parts<'_>, path: &[u8], query: Option<&[u8]>) -> Result<Target, InvalidUri> {
    let authority = host::authority(scheme, parts.authority.ok_or(InvalidUri::Relative)?)?;
    let mut text = String::with_capacity(
        scheme.len()
            + "://".len()
            + authority.host.len()
            + ":65535/?".len()
            + path.len()
            + query.map_or(0, <[u8]>::len),
    );
    text.push_str(scheme);
    text.push_str("://");
    text.push_str(&authority.host);
    if let Some(port) = authority.port {
        // Writing to a string does not fail.
        let _ = write!(text, ":{port}");
    }
    if !path.starts_with(b"/") {
        text.push('/');
    }
    push_escaped(&mut text, path);
    if let Some(query) = query {
        text.push('?');
        push_escaped(&mut text, query);
    }
    if text.len() > MAX_LENGTH {
        return Err(InvalidUri::TooLong);
    }
    Ok(Target {
        // Only the host can still displease it: path and query hold nothing but URI characters.
        uri: Uri::try_from(text).map_err(|_| InvalidUri::Host)?,
        fragment: parts.fragment.map(escaped),
        userinfo: authority.userinfo.map(|userinfo| Userinfo(escaped(userinfo))),
    })
}

fn web_scheme(scheme: &[u8]) -> Result<&'static str, InvalidUri> {
    if scheme.eq_ignore_ascii_case(b"http") {
        Ok("http")
    } else if scheme.eq_ignore_ascii_case(b"https") {
        Ok("https")
    } else {
        Err(InvalidUri::UnsupportedScheme(String::from_utf8_lossy(scheme).to_ascii_lowercase().into()))
    }
}

fn escaped(bytes: &[u8]) -> Box<str> {
    let mut text = String::with_capacity(bytes.len());
    push_escaped(&mut text, bytes);
    text.into_boxed_str()
}

/// Percent-encodes what RFC 3986 §2 does not allow anywhere in a URI.
fn push_escaped(text: &mut String, bytes: &[u8]) {
    if let Ok(already) = str::from_utf8(bytes)
        && bytes.iter().all(|byte| is_uri_character(*byte))
    {
        text.push_str(already);
        return;
    }
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in bytes {
        if is_uri_character(byte) {
            text.push(char::from(byte));
        } else {
            text.push('%');
            text.push(char::from(HEX[usize::from(byte >> 4)]));
            text.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

/// Takes percent-encodings off; what only looks like one stays.
fn unescaped(text: &str) -> Vec<u8> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        let digits =
            behind.first_chunk::<2>().filter(|digits| *first == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        let octet = digits.and_then(|digits| u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok());
        octets.push(octet.unwrap_or(*first));
        rest = if octet.is_some() { &behind[2..] } else { behind };
    }
    octets
}

/// Unreserved and reserved characters and the percent sign. `#` is escaped: where it separates, it was split off.
fn is_uri_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?[]@!$&'()*+,;=%".contains(&byte)
}

// === impl Userinfo ===

impl Userinfo {
    /// The text, such as `user:password`, still percent-encoded. Not for logs.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before and behind the first colon, percent-decoded: a name, and a password that is empty where
    /// there is no colon. Octets of the name that are no UTF-8 are replaced.
    #[must_use]
    pub fn decoded(&self) -> (String, Vec<u8>) {
        let (name, password) = self.0.split_once(':').unwrap_or((&self.0, ""));
        (String::from_utf8_lossy(&unescaped(name)).into_owned(), unescaped(password))
    }
}

impl fmt::Debug for Userinfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Userinfo(..)")
    }
}

// === impl InvalidUri ===

impl fmt::Display for InvalidUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Relative => f.write_str("an absolute URI is needed, with a scheme and a host"),
            Self::UnsupportedScheme(scheme) => write!(f, "the scheme {scheme:?} is neither http nor https"),
            Self::Host => f.write_str("the host is neither a domain name nor an address"),
            Self::Port => f.write_str("the port is not a number up to 65535"),
            Self::TooLong => write!(f, "the URI is longer than {MAX_LENGTH} bytes"),
        }
    }
}

impl Error for InvalidUri {}

#[cfg(test)]
mod tests;
