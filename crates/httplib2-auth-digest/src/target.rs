//! What a request asks for, as its request line names it.

use std::borrow::Cow;

use http::{Method, Uri};

/// The request target without the origin (RFC 9112 §3.2): path and query, `*`, or the authority of CONNECT.
///
/// A URI of the `http` crate has no fragment, which is never sent.
pub(crate) fn target<'a>(method: &Method, uri: &'a Uri) -> Cow<'a, str> {
    if *method == Method::CONNECT
        && let Some(authority) = uri.authority()
    {
        let authority = authority.as_str();
        return Cow::Borrowed(authority.rsplit_once('@').map_or(authority, |(_, host)| host));
    }
    match uri.path_and_query().map_or("/", |target| target.as_str()) {
        "" => Cow::Borrowed("/"),
        // `http://example.org?q` is asked for with `/?q`.
        query if query.starts_with('?') => Cow::Owned(format!("/{query}")),
        target => Cow::Borrowed(target),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // H-DIG-14, AUTH-40, trap 44; RFC 7616 §3.4.6.
    #[test]
    fn the_target_is_what_the_request_line_says() {
        for (method, uri, expected) in [
            ("GET", "http://example.org/a/b?q=1&r=%20", "/a/b?q=1&r=%20"),
            ("GET", "http://example.org", "/"),
            ("GET", "http://example.org?q", "/?q"),
            ("GET", "http://example.org/a#part", "/a"),
            ("GET", "http://joe:secret@example.org/a", "/a"),
            ("GET", "/a?b", "/a?b"),
            ("OPTIONS", "*", "*"),
            ("CONNECT", "example.org:443", "example.org:443"),
            ("CONNECT", "joe:secret@example.org:443", "example.org:443"),
        ] {
            let (method, uri) = (method.parse().unwrap(), uri.parse().unwrap());
            assert_eq!(target(&method, &uri), expected, "{method} {uri}");
        }
    }

    #[test]
    fn the_target_of_the_whole_server_has_no_path() {
        let uri = Uri::builder().scheme("http").authority("example.org").path_and_query("*").build().unwrap();
        assert_eq!(target(&Method::OPTIONS, &uri), "*");
    }
}
