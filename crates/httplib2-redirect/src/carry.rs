//! Which header fields a request still carries after a redirect.

use http::{HeaderMap, HeaderName, Method, Uri, header};

use crate::{decide::Next, rules::Rules};

/// Describe content that is no longer sent (RFC 9110 §15.4, last list).
const CONTENT_FIELDS: [HeaderName; 13] = [
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_LENGTH,
    header::CONTENT_LOCATION,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
    header::EXPECT,
    header::LAST_MODIFIED,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("repr-digest"),
];

/// Belong to the origin they were meant for.
const CREDENTIAL_FIELDS: [HeaderName; 5] = [
    header::AUTHORIZATION,
    header::COOKIE,
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("cookie2"),
    HeaderName::from_static("x-wsse"),
];

/// Compare with the version of one resource (RFC 9110 §13.1); `If-Range` belongs to `Range`.
const PRECONDITION_FIELDS: [HeaderName; 4] =
    [header::IF_MATCH, header::IF_MODIFIED_SINCE, header::IF_NONE_MATCH, header::IF_UNMODIFIED_SINCE];

/// Mean something to one origin only.
const ORIGIN_FIELDS: [HeaderName; 3] = [header::HOST, header::IF_RANGE, header::RANGE];

/// Whether a field that belongs to one origin is among `headers`.
pub(crate) fn has_credentials(headers: &HeaderMap, rules: &Rules) -> bool {
    headers.iter().any(|(name, value)| value.is_sensitive() || is_credential(name, rules))
}

pub(crate) fn has_precondition(headers: &HeaderMap) -> bool {
    PRECONDITION_FIELDS.iter().any(|name| headers.contains_key(name))
}

/// Takes out of `headers` what the next request must not carry, and returns the names.
///
/// Each hop starts from what the hop before it carried, so what was dropped stays dropped.
pub(crate) fn carry(
    headers: &mut HeaderMap,
    rules: &Rules,
    (method, uri): (&Method, &Uri),
    next: &Next,
) -> Vec<HeaderName> {
    let changes_resource = next.uri != *uri || next.method != *method;
    let drops = |name: &HeaderName, headers: &HeaderMap| {
        (next.drops_body && CONTENT_FIELDS.contains(name))
            || (next.leaves_origin
                && (ORIGIN_FIELDS.contains(name)
                    || PRECONDITION_FIELDS.contains(name)
                    || ((is_credential(name, rules) || headers.get_all(name).iter().any(|value| value.is_sensitive()))
                        && !(rules.forward_authorization_headers && name == header::AUTHORIZATION))))
            // A tag of the old resource would be compared with the new one. An unsafe request keeps it all
            // the same: it can only fail, while without it an update could be lost.
            || (changes_resource && rules.is_safe(&next.method) && PRECONDITION_FIELDS.contains(name))
    };
    let dropped: Vec<HeaderName> = headers.keys().filter(|name| drops(name, headers)).cloned().collect();
    for name in &dropped {
        headers.remove(name);
    }
    dropped
}

fn is_credential(name: &HeaderName, rules: &Rules) -> bool {
    CREDENTIAL_FIELDS.contains(name) || rules.sensitive_headers.contains(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [&str; 20] = [
        "accept",
        "authorization",
        "content-digest",
        "content-length",
        "content-type",
        "cookie",
        "expect",
        "host",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "proxy-authorization",
        "range",
        "transfer-encoding",
        "user-agent",
        "x-api-key",
        "x-secret",
        "x-wsse",
    ];

    /// What is left of one field of each kind.
    fn left(rules: &Rules, from: (&str, &str), to: (&str, &str), drops_body: bool, leaves_origin: bool) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for name in ALL {
            let mut value = http::HeaderValue::from_static("v");
            value.set_sensitive(name == "x-secret");
            headers.insert(name, value);
        }
        let next = Next {
            method: to.0.parse().unwrap(),
            uri: to.1.parse().unwrap(),
            fragment: None,
            drops_body,
            leaves_origin,
        };
        carry(&mut headers, rules, (&from.0.parse().unwrap(), &from.1.parse().unwrap()), &next);
        let mut names: Vec<_> = headers.keys().map(ToString::to_string).collect();
        names.sort();
        names
    }

    fn rules() -> Rules {
        Rules { sensitive_headers: vec![HeaderName::from_static("x-api-key")], ..Rules::default() }
    }

    #[test]
    fn what_leaves_an_origin_carries_no_credential_no_precondition_no_range_and_no_host() {
        // H-REDIR-11, H-REDIR-13, H-SEC-05; traps 28 and 29.
        let names = left(&rules(), ("GET", "http://a/"), ("GET", "http://b/"), false, true);
        assert_eq!(
            names,
            ["accept", "content-digest", "content-length", "content-type", "expect", "transfer-encoding", "user-agent"]
        );
    }

    #[test]
    fn within_an_origin_credentials_stay_and_preconditions_of_safe_methods_go() {
        let names = left(&rules(), ("GET", "http://a/1"), ("GET", "http://a/2"), false, false);
        let gone: Vec<_> = ALL.iter().filter(|name| !names.contains(&(**name).to_owned())).collect();
        assert_eq!(gone, [&"if-match", &"if-modified-since", &"if-none-match", &"if-unmodified-since"]);
    }

    #[test]
    fn within_an_origin_an_unsafe_request_keeps_its_precondition() {
        let names = left(&rules(), ("PUT", "http://a/1"), ("PUT", "http://a/2"), false, false);
        assert_eq!(names.len(), ALL.len());
    }

    #[test]
    fn a_request_without_its_body_carries_no_description_of_it() {
        // H-REDIR-11: a content-length that stays behind makes the server wait for a body.
        let names = left(&rules(), ("POST", "http://a/1"), ("GET", "http://a/1"), true, false);
        for name in ["content-digest", "content-length", "content-type", "expect", "transfer-encoding", "if-match"] {
            assert!(!names.contains(&name.to_owned()), "{name}");
        }
        assert!(names.contains(&"authorization".to_owned()));
    }

    #[test]
    fn authorization_alone_travels_for_those_who_insist() {
        // H-API-23, H-REDIR-12.
        let rules = Rules { forward_authorization_headers: true, ..rules() };
        let names = left(&rules, ("GET", "http://a/"), ("GET", "http://b/"), false, true);
        assert!(names.contains(&"authorization".to_owned()));
        for name in ["cookie", "proxy-authorization", "x-wsse", "x-api-key", "x-secret"] {
            assert!(!names.contains(&name.to_owned()), "{name}");
        }
    }
}
