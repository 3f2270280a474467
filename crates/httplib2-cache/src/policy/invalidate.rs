//! What an unsafe request makes untrue (RFC 9111 §4.4).

use http::{HeaderMap, StatusCode, Uri, header};
use httplib2_core::who::Origin;
use httplib2_syntax::uri;

use super::{Asked, Rules, wire};

/// How many lines of `Location` and of `Content-Location` are looked at: there should be one.
const MOST_LINES: usize = 4;

/// The URIs of which nothing stored may be used any more, given the answer to a request whose method is not
/// safe: its own and those of the same origin in `Location` and `Content-Location`. None after an error, but its own
/// after a 412 ([`Rules::invalidate_on_412`]).
///
/// It holds for all variants and identities, and also for answers that are still under way.
#[must_use]
pub fn invalidates(rules: &Rules, asked: &Asked<'_>, status: StatusCode, headers: &HeaderMap) -> Vec<Uri> {
    if status == StatusCode::PRECONDITION_FAILED && rules.invalidate_on_412 {
        return vec![asked.uri.clone()];
    }
    if !(status.is_success() || status.is_redirection()) {
        return Vec::new();
    }
    let mut uris = vec![asked.uri.clone()];
    // An answer must not touch what belongs to another origin.
    let Some(origin) = Origin::of(asked.uri) else { return uris };
    for field in [header::LOCATION, header::CONTENT_LOCATION] {
        for line in wire::lines(headers, &field).take(MOST_LINES) {
            match uri::resolve(asked.uri, line) {
                Ok(target) if Origin::of(&target.uri).as_ref() == Some(&origin) && !uris.contains(&target.uri) => {
                    uris.push(target.uri);
                }
                _ => {}
            }
        }
    }
    uris
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::testing::{Ask, Head};

    fn invalidated(status: u16, lines: &[(&'static str, &str)]) -> Vec<String> {
        let head = lines.iter().fold(Head::new(status), |head, (name, value)| head.with(name, value));
        let uris = invalidates(&Rules::private(), &Ask::get().asked(), head.answered().status, &head.headers);
        uris.iter().map(Uri::to_string).collect()
    }

    #[test]
    fn an_answer_that_is_no_error_invalidates_the_target() {
        // RFC 9111 §4.4, H-CACHE-60, CACHE-20.
        for (status, expected) in [(200, 1), (204, 1), (303, 1), (304, 1), (400, 0), (405, 0), (503, 0), (999, 0)] {
            assert_eq!(invalidated(status, &[]).len(), expected, "{status}");
        }
        assert_eq!(invalidated(200, &[]), ["http://a.example/x"]);
    }

    #[test]
    fn a_precondition_that_failed_drops_the_version_that_it_was_about() {
        assert_eq!(invalidated(412, &[("location", "/y")]), ["http://a.example/x"]);
        let (rules, ask, head) = (Rules { invalidate_on_412: false, ..Rules::private() }, Ask::get(), Head::new(412));
        assert!(invalidates(&rules, &ask.asked(), head.answered().status, &head.headers).is_empty());
    }

    #[test]
    fn locations_of_the_same_origin_are_invalidated_too() {
        // RFC 9111 §4.4, H-CACHE-61, trap 13.
        for (value, expected) in [
            ("/y", Some("http://a.example/y")),
            ("http://A.example:80/y?q", Some("http://a.example/y?q")),
            ("x/1", Some("http://a.example/x/1")),
            ("/x", None),
            ("http://b.example/y", None),
            ("https://a.example/y", None),
            ("http://a.example:81/y", None),
            ("//b.example/y", None),
            ("http://[", None),
            ("", None),
        ] {
            for field in ["location", "content-location"] {
                let mut uris = vec!["http://a.example/x".to_owned()];
                uris.extend(expected.map(str::to_owned));
                let found = invalidated(201, &[(field, value)]);
                assert_eq!(found, uris, "{field}: {value}");
            }
        }
        let both = invalidated(201, &[("location", "/y"), ("content-location", "/z")]);
        assert_eq!(both, ["http://a.example/x", "http://a.example/y", "http://a.example/z"]);
    }
}
