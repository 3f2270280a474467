//! What a cache has to do with a request, before any key is made (RFC 9111 §3, §4.4).

use http::{Method, header};

use httplib2_syntax::range::{self, Requested};

use super::{Asked, Invalidate, Rules, Why, wire};

/// What a cache has to do with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consider {
    /// Nothing: it goes on, and its answer is not stored.
    Bypass(Why),
    /// It may be answered from the store; if not, the answer to a GET may be stored.
    LookUp,
    /// It goes on unanswered, but a whole answer may be stored.
    Forward(Why),
    /// Its answer may drop what is stored: [`invalidates`](super::invalidates) says what.
    Invalidate(Invalidate),
    /// It forbids to ask the origin, and the store has no answer: 504 (RFC 9111 §5.2.1.7).
    Refuse(Why),
}

/// Decides by the method and by which fields are there.
#[must_use]
pub fn consider(rules: &Rules, asked: &Asked<'_>) -> Consider {
    let consider = by_head(rules, asked);
    match consider {
        Consider::Bypass(why) | Consider::Forward(why) if asked.control.only_if_cached => Consider::Refuse(why),
        _ => consider,
    }
}

fn by_head(rules: &Rules, asked: &Asked<'_>) -> Consider {
    if !matches!(*asked.method, Method::GET | Method::HEAD) {
        // A tunnel is no representation of anything (RFC 9110 §9.3.6).
        if *asked.method == Method::CONNECT || is_safe(asked.method) {
            return Consider::Bypass(Why::Method);
        }
        return Consider::Invalidate(rules.invalidate);
    }
    if asked.headers.is_empty() && !asked.has_content {
        return Consider::LookUp;
    }
    let has = |field| asked.headers.contains_key(field);
    if has(header::UPGRADE) {
        Consider::Bypass(Why::Upgrade)
    } else if has(header::IF_MATCH) || has(header::IF_UNMODIFIED_SINCE) {
        // They ask about the state of the origin, which a stored response does not tell (RFC 9110 §13.1.1).
        Consider::Bypass(Why::Precondition)
    } else if asked.has_content {
        // It has no meaning (RFC 9110 §9.3.1), but some servers give it one that no key shows.
        Consider::Bypass(Why::Content)
    } else if has(header::RANGE) && !is_answerable(rules, asked) {
        Consider::Forward(Why::Range)
    } else {
        Consider::LookUp
    }
}

/// Whether what is stored can answer a request with `Range`. Another unit than bytes may mean something to the origin;
/// what nobody can read is ignored (RFC 9110 §14.2), and so is every range of a HEAD request.
fn is_answerable(rules: &Rules, asked: &Asked<'_>) -> bool {
    let is_other = || range::parse(wire::lines(asked.headers, &header::RANGE)) == Requested::OtherUnit;
    rules.ranges && (*asked.method == Method::HEAD || !is_other())
}

/// The registered methods that change nothing. A method that is not known is taken for one that does.
fn is_safe(method: &Method) -> bool {
    matches!(method.as_str(), "GET" | "HEAD" | "OPTIONS" | "TRACE" | "PROPFIND" | "REPORT" | "SEARCH" | "QUERY" | "PRI")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::testing::Ask;

    fn considered(ask: &Ask) -> Consider {
        consider(&Rules::private(), &ask.asked())
    }

    #[test]
    fn only_get_and_head_are_looked_up() {
        // H-CACHE-03, RFC 9110 §9.2.1, RFC 9111 §4.4.
        for (method, expected) in [
            ("GET", Consider::LookUp),
            ("HEAD", Consider::LookUp),
            ("OPTIONS", Consider::Bypass(Why::Method)),
            ("TRACE", Consider::Bypass(Why::Method)),
            ("PROPFIND", Consider::Bypass(Why::Method)),
            ("CONNECT", Consider::Bypass(Why::Method)),
            ("POST", Consider::Invalidate(Invalidate::Answered)),
            ("PUT", Consider::Invalidate(Invalidate::Answered)),
            ("PATCH", Consider::Invalidate(Invalidate::Answered)),
            ("DELETE", Consider::Invalidate(Invalidate::Answered)),
            ("M-SEARCH", Consider::Invalidate(Invalidate::Answered)),
        ] {
            let ask = Ask { method: method.parse().unwrap(), ..Ask::get() };
            assert_eq!(considered(&ask), expected, "{method}");
        }
    }

    #[test]
    fn fields_that_only_the_origin_can_answer_keep_the_cache_out() {
        for (name, value, expected) in [
            ("upgrade", "websocket", Consider::Bypass(Why::Upgrade)),
            ("if-match", "\"a\"", Consider::Bypass(Why::Precondition)),
            ("if-unmodified-since", "x", Consider::Bypass(Why::Precondition)),
            ("range", "bytes=0-1", Consider::LookUp),
            ("range", "nothing", Consider::LookUp),
            ("range", "lines=0-1", Consider::Forward(Why::Range)),
            ("if-none-match", "\"a\"", Consider::LookUp),
            ("authorization", "Basic x", Consider::LookUp),
            ("cache-control", "no-store", Consider::LookUp),
            ("x", "y", Consider::LookUp),
        ] {
            assert_eq!(considered(&Ask::get().with(name, value)), expected, "{name}");
        }
    }

    #[test]
    fn no_range_of_a_head_request_means_anything() {
        // RFC 9110 §14.2.
        for value in ["bytes=0-1", "lines=0-1"] {
            let head = Ask { method: Method::HEAD, ..Ask::get().with("range", value) };
            assert_eq!(considered(&head), Consider::LookUp, "{value}");
        }
    }

    #[test]
    fn a_get_with_content_keeps_the_cache_out() {
        let ask = Ask::get();
        let consider = consider(&Rules::private(), &ask.asked().with_content(true));
        assert_eq!(consider, Consider::Bypass(Why::Content));
    }

    #[test]
    fn what_may_not_reach_the_origin_is_refused() {
        // RFC 9111 §5.2.1.7.
        let only = || Ask::get().control("only-if-cached");
        assert_eq!(considered(&only().with("range", "lines=0-1")), Consider::Refuse(Why::Range));
        assert_eq!(considered(&Ask { method: Method::OPTIONS, ..only() }), Consider::Refuse(Why::Method));
        assert_eq!(considered(&only()), Consider::LookUp);
        // An unsafe method asks for a change and not for an answer.
        let post = Ask { method: Method::POST, ..only() };
        assert_eq!(considered(&post), Consider::Invalidate(Invalidate::Answered));
    }

    #[test]
    fn an_unsafe_request_can_invalidate_before_it_is_sent() {
        // H-CACHE-60.
        let post = Ask { method: Method::POST, ..Ask::get() };
        assert_eq!(consider(&Rules::httplib2(), &post.asked()), Consider::Invalidate(Invalidate::Early));
    }
}
