//! Which origin a request goes to, and for whom a response was obtained.
//!
//! The names here let two layers speak of the same thing without knowing each other: the cache asks
//! [`WhoSigns`], which the auth layer's handle implements; lost-update asks [`KnownTags`], which the
//! cache's handle implements.

use std::{borrow::Cow, fmt, future::Future, net::Ipv6Addr, pin::Pin, sync::Arc};

use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Uri};

/// Scheme, host and port: what credentials, permissions and cached answers belong to (RFC 9110 §4.3.1).
///
/// Equality is "same origin": the scheme and the host compare without regard to case, an absent port is the
/// scheme's default, and an IP literal compares by address. Userinfo, path and query play no part.
/// `Display` writes it as a URI without a path, the default port left out. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Origin(Arc<Parts>);

#[derive(PartialEq, Eq, Hash)]
struct Parts {
    scheme: Cow<'static, str>,
    host: Box<str>,
    port: u16,
}

/// What an [`Origin`] is made of, borrowed from a URI as far as that is written in the one spelling already: for a
/// look-up that need not copy anything.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OriginParts<'a> {
    /// The scheme in lower case, such as `https`.
    pub scheme: Cow<'a, str>,
    /// The host in lower case; an IPv6 address keeps its brackets.
    pub host: Cow<'a, str>,
    /// The port, the scheme's default where the URI names none.
    pub port: u16,
}

/// For whom a response was obtained: an opaque token that compares equal for the same user.
///
/// The layer that signs requests makes it from what identifies the user to the server (scheme, realm, name,
/// never the password). `Debug` hides it, because a user name is nobody else's business.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Identity(Arc<str>);

/// The mark on a response that was obtained with credentials: whose they were.
///
/// A response extension, set by the layer that signed the request, read by a cache outside of it
/// (RFC 9111 §3.5), which never saw the `Authorization` field itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedAs(pub Identity);

/// The origin that the caller addressed: an extension of every request that a redirect led to another one.
///
/// Set by the layer that follows redirects, read by the one that signs: what the caller gave for the origin that he
/// addressed is not for every origin that this one leads to. Absent, nobody was led.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstOrigin(pub Origin);

/// The precondition that a layer added to the request of this response (RFC 9110 §13.1): a response extension.
///
/// Set by the layer that detects lost updates, read by the one that follows redirects: the next request must carry it as
/// if it had been the caller's own, or not be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guarded {
    /// The field, such as `If-Match`.
    pub name: HeaderName,
    /// Its value.
    pub value: HeaderValue,
}

/// Displays a URI without what may be secret: its userinfo and its query, of which `?..` remains.
///
/// For texts that end up in logs: facts, journal lines and errors.
#[derive(Clone, Copy)]
pub struct Redacted<'a>(pub &'a Uri);

/// Answers, before a request is sent, for whom it would be signed.
pub trait WhoSigns: fmt::Debug + Send + Sync + 'static {
    /// Returns the identity that a request for `uri` with these extensions, which may hold credentials of its own,
    /// would be signed for, or `None` when it would go out unsigned.
    fn who_signs(&self, uri: &Uri, options: &Extensions) -> Option<Identity>;
}

/// The validators of the representation that was last seen of a resource (RFC 9110 §8.8).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// The `ETag` field as it was received, weak or strong.
    pub etag: Option<HeaderValue>,
    /// The `Last-Modified` field as it was received.
    pub last_modified: Option<HeaderValue>,
}

/// A source of validators: answers which version of a resource the caller has seen.
pub trait KnownTags: fmt::Debug + Send + Sync + 'static {
    /// Returns the validators of the stored representation of `uri` that a request with the header fields
    /// `request` selects (RFC 9111 §4.1), or `None` when none is known.
    ///
    /// The future owns what it needs, so that a store may be asked over a network.
    fn known_tags(
        &self,
        uri: &Uri,
        request: &HeaderMap,
    ) -> Pin<Box<dyn Future<Output = Option<Validators>> + Send + 'static>>;
}

// === impl Origin ===

impl Origin {
    /// Returns the origin of an absolute URI, or `None` for one that lacks a scheme or a host, has port
    /// text that is no number up to 65535, or has no default port and names none.
    #[must_use]
    pub fn of(uri: &Uri) -> Option<Self> {
        let OriginParts { scheme, host, port } = OriginParts::of(uri)?;
        let scheme = match &*scheme {
            "http" => Cow::Borrowed("http"),
            "https" => Cow::Borrowed("https"),
            other => Cow::Owned(other.to_owned()),
        };
        Some(Self(Arc::new(Parts { scheme, host: host.into(), port })))
    }

    /// The scheme in lower case, such as `https`.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.0.scheme
    }

    /// The host in lower case; an IPv6 address keeps its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.0.host
    }

    /// The port, the scheme's default where the URI named none.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port
    }

    /// Whether what is sent to this origin is protected in transit: its scheme is `https`.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.scheme() == "https"
    }
}

impl<'a> OriginParts<'a> {
    /// Takes them from an absolute URI, or returns `None` where [`Origin::of`] does.
    #[must_use]
    pub fn of(uri: &'a Uri) -> Option<Self> {
        let scheme = lower(uri.scheme_str()?);
        let authority = uri.authority()?;
        if authority.host().is_empty() || (authority.port().is_none() && has_port_text(authority.as_str())) {
            return None;
        }
        let port = match authority.port() {
            Some(port) => port.as_str().parse().ok()?,
            None => default_port(&scheme)?,
        };
        Some(Self { scheme, host: canonical_host(authority.host()), port })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme(), self.host())?;
        if default_port(self.scheme()) == Some(self.port()) { Ok(()) } else { write!(f, ":{}", self.port()) }
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({self})")
    }
}

// === impl Identity ===

impl Identity {
    /// Makes an identity from a text that is the same for the same user and differs between users.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The text it was made from, for a store that must write or hash it. Not for logs.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(..)")
    }
}

// === impl Redacted ===

impl fmt::Display for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(scheme) = self.0.scheme_str() {
            write!(f, "{scheme}://")?;
        }
        if let Some(authority) = self.0.authority() {
            f.write_str(authority.as_str().rsplit('@').next().unwrap_or_default())?;
        }
        f.write_str(self.0.path())?;
        if self.0.query().is_some() { f.write_str("?..") } else { Ok(()) }
    }
}

impl fmt::Debug for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// Whether something stands behind the colon that ends the host, which `Uri` then could not read as a port.
fn has_port_text(authority: &str) -> bool {
    let host_and_port = authority.rsplit_once('@').map_or(authority, |(_, rest)| rest);
    let behind_host = host_and_port.rsplit_once(']').map_or(host_and_port, |(_, rest)| rest);
    behind_host.split_once(':').is_some_and(|(_, port)| !port.is_empty())
}

/// Lower case, and one spelling per address: `[::0:1]` and `[::1]` are the same host.
///
/// Of an IPv4 address only the one spelling parses.
fn canonical_host(host: &str) -> Cow<'_, str> {
    if let Some(literal) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'))
        && let Ok(address) = literal.parse::<Ipv6Addr>()
    {
        return Cow::Owned(format!("[{address}]"));
    }
    lower(host)
}

fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(uri: &str) -> Option<Origin> {
        Origin::of(&uri.parse().unwrap())
    }

    #[test]
    fn equality_is_same_origin() {
        for (left, right, same) in [
            ("http://example.org/", "http://example.org/other?q", true),
            ("http://example.org/", "http://example.org:80/", true),
            ("https://example.org/", "https://example.org:443/", true),
            ("HTTP://Example.ORG/", "http://example.org/", true),
            ("http://[::1]:80/", "http://[0:0::1]/", true),
            ("http://user:secret@example.org/", "http://example.org/", true),
            ("http://example.org:/", "http://example.org/", true),
            ("http://example.org/", "https://example.org/", false),
            ("http://example.org:443/", "https://example.org/", false),
            ("http://example.org/", "http://example.org:8080/", false),
            ("http://example.org/", "http://www.example.org/", false),
            ("http://example.org/", "http://example.org./", false),
            ("http://127.0.0.1/", "http://127.0.0.2/", false),
        ] {
            assert_eq!(origin(left) == origin(right), same, "{left} and {right}");
            assert!(origin(left).is_some() && origin(right).is_some(), "{left} and {right}");
        }
    }

    #[test]
    fn nothing_is_copied_of_a_uri_in_the_one_spelling() {
        for (uri, borrows) in [
            ("http://a.example/x", true),
            ("https://u@1.a-b.example:8443", true),
            ("http://127.0.0.1:80/x", true),
            ("http://A.example/x", false),
            ("http://[::1]/x", false),
        ] {
            let parsed = uri.parse().unwrap();
            let parts = OriginParts::of(&parsed).unwrap();
            assert_eq!(matches!((&parts.scheme, &parts.host), (Cow::Borrowed(_), Cow::Borrowed(_))), borrows, "{uri}");
            let origin = Origin::of(&parsed).unwrap();
            assert_eq!((&*parts.scheme, &*parts.host, parts.port), (origin.scheme(), origin.host(), origin.port()));
        }
    }

    #[test]
    fn what_is_not_absolute_has_no_origin() {
        for uri in ["/path", "example.org:80", "*", "urn://"] {
            if let Ok(uri) = uri.parse() {
                assert_eq!(Origin::of(&uri), None, "{uri}");
            }
        }
        assert_eq!(origin("gopher://example.org/"), None);
        assert_eq!(origin("http://example.org:99999/"), None);
    }

    #[test]
    fn display_is_a_uri_without_userinfo_and_default_port() {
        assert_eq!(origin("http://joe:secret@Example.org:80/x").unwrap().to_string(), "http://example.org");
        assert_eq!(origin("https://example.org:8443/").unwrap().to_string(), "https://example.org:8443");
    }

    #[test]
    fn a_redacted_uri_shows_neither_userinfo_nor_query() {
        for (uri, expected) in [
            ("http://joe:s3cret@example.org:81/a?token=s3cret", "http://example.org:81/a?.."),
            ("https://example.org/a", "https://example.org/a"),
            ("/a?b", "/a?.."),
            ("example.org:443", "example.org:443"),
        ] {
            assert_eq!(Redacted(&uri.parse().unwrap()).to_string(), expected);
        }
    }

    #[test]
    fn debug_of_an_identity_hides_the_user() {
        assert!(!format!("{:?}", SignedAs(Identity::new("basic:alice"))).contains("alice"));
    }
}
