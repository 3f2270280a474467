//! The caller's own conditions, answered from a stored response (RFC 9111 §4.3.2, RFC 9110 §13).

use http::header;
use httplib2_syntax::etag::{self, Listed};

use super::{
    Asked, Held,
    wire::{self, Tag},
};

/// What the caller gets of a stored response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Give {
    /// All of it; to a HEAD request all but the content.
    Whole,
    /// A 304, because the caller has it already (RFC 9110 §15.4.5).
    NotModified,
}

/// Evaluates `If-None-Match` and, without it, `If-Modified-Since` of a GET or HEAD request (RFC 9110 §13.2.2).
#[must_use]
pub fn give(asked: &Asked<'_>, held: &Held<'_>) -> Give {
    // Conditions are about a representation, which only a 2xx has (RFC 9110 §13.2.1).
    if has_condition(asked) && held.stored.status.is_success() && is_known(asked, held) {
        Give::NotModified
    } else {
        Give::Whole
    }
}

/// Whether the caller made the request conditional in a way that a 304 can answer.
pub(super) fn has_condition(asked: &Asked<'_>) -> bool {
    asked.headers.contains_key(header::IF_NONE_MATCH) || asked.headers.contains_key(header::IF_MODIFIED_SINCE)
}

fn is_known(asked: &Asked<'_>, held: &Held<'_>) -> bool {
    if asked.headers.contains_key(header::IF_NONE_MATCH) {
        return matches_tag(asked, Tag::of(held.headers));
    }
    // A date that cannot be read is no condition (RFC 9110 §13.1.3).
    let Some(since) = wire::date(asked.headers, &header::IF_MODIFIED_SINCE, held.stored.received_at()) else {
        return false;
    };
    // Without a modification date that of the response, or of its arrival (RFC 9111 §4.3.2).
    held.stored.last_modified.unwrap_or_else(|| held.stored.date()) <= since
}

/// RFC 9110 §13.1.2: weak comparison, and `*` means any.
fn matches_tag(asked: &Asked<'_>, tag: Option<Tag<'_>>) -> bool {
    let listed = || etag::list(wire::lines(asked.headers, &header::IF_NONE_MATCH));
    if listed().any(|member| matches!(member, Listed::Any)) {
        return listed().count() == 1;
    }
    match tag {
        Some(Tag::Entity(tag)) => listed().any(|member| matches!(member, Listed::Tag(known) if known.weak_eq(tag))),
        // What is no tag is not told apart from the rest of a list, so it must be all there is.
        Some(Tag::Other(value)) => {
            wire::single(asked.headers, &header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == value)
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{
        Rules,
        testing::{Ask, Head},
    };

    fn given(head: &Head, ask: &Ask) -> Give {
        let entry = head.kept(&Rules::private(), &Ask::get());
        give(&ask.asked(), &entry.held())
    }

    #[test]
    fn if_none_match_compares_weakly() {
        // RFC 9110 §13.1.2, H-CACHE-47, trap 17.
        for (tag, known, expected) in [
            ("\"a\"", "\"a\"", Give::NotModified),
            ("\"a\"", "W/\"a\"", Give::NotModified),
            ("W/\"a\"", "\"a\"", Give::NotModified),
            ("\"a\"", "\"b\", \"a\" , \"c\"", Give::NotModified),
            ("\"a,b\"", "\"a,b\"", Give::NotModified),
            ("\"a\"", "*", Give::NotModified),
            ("\"a\"", "\"b\"", Give::Whole),
            ("\"a\"", "*, \"b\"", Give::Whole),
            ("\"a\"", "a", Give::Whole),
            ("a", "\"a\"", Give::Whole),
            ("a", "a", Give::NotModified),
            ("\"a\u{fc}\"", "\"a\u{fc}\"", Give::NotModified),
        ] {
            let head = Head::cached("max-age=60").with("etag", tag);
            assert_eq!(given(&head, &Ask::get().with("if-none-match", known)), expected, "{tag} {known}");
        }
        assert_eq!(given(&Head::cached("max-age=60"), &Ask::get().with("if-none-match", "\"a\"")), Give::Whole);
        let lines = Ask::get().with("if-none-match", "\"b\"").with("if-none-match", "\"a\"");
        assert_eq!(given(&Head::new(200).with("etag", "\"a\""), &lines), Give::NotModified);
    }

    #[test]
    fn if_none_match_takes_precedence_over_if_modified_since() {
        // RFC 9110 §13.2.2.
        let head = Head::cached("max-age=60").with("etag", "\"a\"").date("last-modified", -100);
        let both = |tag, seconds| Ask::get().with("if-none-match", tag).date("if-modified-since", seconds);
        assert_eq!(given(&head, &both("\"a\"", -200)), Give::NotModified);
        assert_eq!(given(&head, &both("\"b\"", 0)), Give::Whole);
    }

    #[test]
    fn if_modified_since_compares_dates() {
        // RFC 9110 §13.1.3.
        let head = Head::cached("max-age=60").date("last-modified", -100);
        for (seconds, expected) in [(-101, Give::Whole), (-100, Give::NotModified), (0, Give::NotModified)] {
            assert_eq!(given(&head, &Ask::get().date("if-modified-since", seconds)), expected, "{seconds}");
        }
        assert_eq!(given(&head, &Ask::get().with("if-modified-since", "yesterday")), Give::Whole);
        let twice = Ask::get().date("if-modified-since", 0).date("if-modified-since", 1);
        assert_eq!(given(&head, &twice), Give::Whole);
    }

    #[test]
    fn without_a_modification_date_that_of_the_response_counts() {
        // RFC 9111 §4.3.2.
        for head in [Head::new(200).date("date", 0), Head::new(200)] {
            assert_eq!(given(&head, &Ask::get().date("if-modified-since", -1)), Give::Whole);
            assert_eq!(given(&head, &Ask::get().date("if-modified-since", 0)), Give::NotModified);
        }
    }

    #[test]
    fn conditions_do_not_apply_to_what_is_no_success() {
        // RFC 9110 §13.2.1.
        let ask = Ask::get().with("if-none-match", "\"a\"");
        for (status, expected) in [(203, Give::NotModified), (301, Give::Whole), (404, Give::Whole)] {
            assert_eq!(given(&Head::new(status).with("etag", "\"a\""), &ask), expected, "{status}");
        }
    }
}
