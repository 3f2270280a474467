//! Where a request goes.

use std::{fmt, mem};

use http::{
    Uri,
    uri::{Authority, Scheme},
};
use httplib2_core::error::BoxError;

use crate::error::{NotAbsolute, UnsupportedScheme};

/// Where a request goes, kept for the case that it fails.
#[derive(Clone)]
pub(crate) struct Target {
    authority: Option<Authority>,
    default_port: u16,
}

/// Makes sure that a request can be sent to where its URI points, and takes userinfo out of it: a server is
/// never sent any (RFC 9110 §4.2.4), and connections are shared whatever it was.
pub(crate) fn prepare(uri: &mut Uri) -> Result<(), BoxError> {
    let scheme = uri.scheme().ok_or(NotAbsolute)?;
    if *scheme != Scheme::HTTP && *scheme != Scheme::HTTPS {
        return Err(UnsupportedScheme::new(scheme).into());
    }
    let authority = uri.authority().ok_or(NotAbsolute)?.as_str();
    let userinfo = authority.bytes().rposition(|byte| byte == b'@');
    let server = userinfo.map_or(authority, |end| &authority[end + 1..]);
    if !is_usable(server.as_bytes()) {
        return Err(NotAbsolute.into());
    }
    if userinfo.is_some() {
        let server: Authority = server.parse()?;
        let mut parts = mem::take(uri).into_parts();
        parts.authority = Some(server);
        *uri = Uri::from_parts(parts)?;
    }
    Ok(())
}

/// Whether there is a host, and a port that is one: hyper-util would take any other for the default port.
fn is_usable(server: &[u8]) -> bool {
    // The last of the two, because colons in brackets belong to an address.
    let colon = server.iter().rposition(|byte| matches!(byte, b':' | b']')).filter(|at| server[*at] == b':');
    let (host, port) = server.split_at(colon.unwrap_or(server.len()));
    let number = port.iter().skip(1).try_fold(0_u16, |number, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        number.checked_mul(10)?.checked_add(digit.into())
    });
    !host.is_empty() && (port.len() <= 1 || number.is_some_and(|number| number > 0))
}

// === impl Target ===

impl Target {
    pub(crate) fn of(uri: &Uri) -> Self {
        let default_port = if uri.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
        Self { authority: uri.authority().cloned(), default_port }
    }

    pub(crate) fn host(&self) -> Option<&str> {
        self.authority.as_ref().map(Authority::host)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.authority {
            Some(authority) => write!(f, "{}:{}", authority.host(), authority.port_u16().unwrap_or(self.default_port)),
            None => f.write_str("no server"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use httplib2_core::error::is_caused_by;

    fn prepared(uri: &str) -> Result<String, BoxError> {
        let mut uri = uri.parse()?;
        prepare(&mut uri)?;
        Ok(uri.to_string())
    }

    #[test]
    fn http_and_https_are_sent_anywhere() {
        for uri in
            ["http://a/", "HTTPS://a:1/b?c", "http://[::1]/", "http://[::1]:8080/", "http://a:65535/", "http://a:/"]
        {
            assert_eq!(prepared(uri).unwrap().to_lowercase(), uri.to_lowercase());
        }
    }

    #[test]
    fn userinfo_is_taken_out() {
        assert_eq!(prepared("http://user@a/b").unwrap(), "http://a/b");
        assert_eq!(prepared("https://user:word@[::1]:8080/b?c@d").unwrap(), "https://[::1]:8080/b?c@d");
        assert_eq!(Target::of(&"http://user:word@a/b?c".parse().unwrap()).to_string(), "a:80");
    }

    #[test]
    fn another_scheme_is_named() {
        let error = prepared("ftp://a/").unwrap_err();
        assert_eq!(error.to_string(), "the scheme ftp is not supported");
        assert!(is_caused_by::<UnsupportedScheme>(&*error));
    }

    #[test]
    fn a_uri_without_a_server_is_not_sent() {
        for uri in
            ["/a", "a:80", "*", "http://:80/", "http://user@/", "http://a:0/", "http://a:65536/", "http://a:+80/"]
        {
            assert!(prepared(uri).is_err(), "{uri}");
        }
        assert!(is_caused_by::<NotAbsolute>(&*prepared("/a").unwrap_err()));
        assert!(is_caused_by::<NotAbsolute>(&*prepared("http://a:0/").unwrap_err()));
    }
}
