//! Which origins a credential is for.

use std::net::Ipv6Addr;

use httplib2_core::who::Origin;
use httplib2_syntax::uri;

use super::{InvalidDomain, Scope};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Domain {
    All,
    Host { host: Box<str>, port: Option<u16> },
    Origin(Origin),
}

// === impl Domain ===

impl Domain {
    pub(super) fn parse(text: &str) -> Result<Self, InvalidDomain> {
        if text.contains("://") {
            return Ok(Self::Origin(bare_origin(text)?));
        }
        if text.contains(['/', '?', '#', '\\']) {
            return Err(InvalidDomain);
        }
        // http and https do not differ in how a host and a port are written.
        let origin = bare_origin(&format!("http://{text}"))?;
        let port = names_port(text).then(|| origin.port());
        Ok(Self::Host { host: origin.host().into(), port })
    }

    /// A host, as a netrc names it: IPv6 addresses stand there without brackets. `None` for what is no host.
    pub(super) fn of_host(text: &str) -> Option<Self> {
        let bracketed = text.parse::<Ipv6Addr>().is_ok().then(|| format!("[{text}]"));
        Self::parse(bracketed.as_deref().unwrap_or(text)).ok().filter(|domain| matches!(domain, Self::Host { .. }))
    }

    /// How far a credential of this domain may be used, if it may be used at this origin at all.
    pub(super) fn scope(&self, origin: &Origin) -> Option<Scope> {
        match self {
            Self::All => Some(Scope::All),
            Self::Host { host, port } => {
                (**host == *origin.host() && port.is_none_or(|port| port == origin.port())).then_some(Scope::Domain)
            }
            Self::Origin(only) => (only == origin).then_some(Scope::Origin),
        }
    }
}

/// An origin and nothing else, so that nobody takes a path for a limit.
fn bare_origin(text: &str) -> Result<Origin, InvalidDomain> {
    if text.contains('*') {
        // It stands in no name; who writes it means a pattern.
        return Err(InvalidDomain);
    }
    let target = uri::parse(text).map_err(|_| InvalidDomain)?;
    let is_bare = target.uri.path() == "/"
        && target.uri.query().is_none()
        && target.fragment.is_none()
        && target.userinfo.is_none();
    Origin::of(&target.uri).filter(|_| is_bare).ok_or(InvalidDomain)
}

/// Whether digits stand behind the colon that ends the host.
fn names_port(text: &str) -> bool {
    let behind_host = text.rsplit_once(']').map_or(text, |(_, rest)| rest);
    behind_host.rsplit_once(':').is_some_and(|(_, port)| !port.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(domain: &str, uri: &str) -> bool {
        Domain::parse(domain).unwrap().scope(&Origin::of(&uri.parse().unwrap()).unwrap()).is_some()
    }

    #[test]
    fn a_domain_is_an_authority_a_host_or_an_origin() {
        // H-AUTH-04, with the host alone as an addition.
        for (domain, uri, expected) in [
            ("example.org", "http://example.org/", true),
            ("example.org", "https://example.org/", true),
            ("example.org", "http://example.org:8080/", true),
            ("EXAMPLE.org", "http://example.ORG/", true),
            ("example.org", "http://www.example.org/", false),
            ("example.org", "http://example.org.evil.example/", false),
            ("www.example.org", "http://example.org/", false),
            ("example.org:8080", "http://example.org:8080/", true),
            ("example.org:8080", "https://example.org:8080/", true),
            ("example.org:8080", "http://example.org/", false),
            ("example.org:80", "http://example.org/", true),
            ("example.org:80", "https://example.org/", false),
            ("example.org:443", "https://example.org/", true),
            ("example.org:", "https://example.org/", true),
            ("https://example.org", "https://example.org/", true),
            ("https://example.org/", "https://example.org:443/", true),
            ("https://example.org", "http://example.org/", false),
            ("https://example.org", "https://example.org:8443/", false),
            ("[::1]", "http://[0:0::1]:81/", true),
            ("[::1]:81", "http://[::1]/", false),
            ("bücher.example", "http://xn--bcher-kva.example/", true),
        ] {
            assert_eq!(matches(domain, uri), expected, "{domain} at {uri}");
        }
    }

    #[test]
    fn what_is_no_domain_is_refused() {
        for text in [
            "",
            "example.org/path",
            "https://example.org/path",
            "https://example.org?q",
            "https://example.org/#f",
            "joe@example.org",
            "https://joe:pw@example.org",
            "example.org:port",
            "example.org:99999",
            "ftp://example.org",
            "*",
            "*.example.org",
            "https://*.example.org",
            "exam ple.org",
            "/",
        ] {
            assert_eq!(Domain::parse(text), Err(InvalidDomain), "{text:?}");
        }
    }
}
