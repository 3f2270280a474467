use super::*;
use crate::policy::{
    Ages,
    testing::{Ask, Entry, Head, at},
};

fn whole(tag: &str) -> Head {
    Head::cached("max-age=60").with("etag", tag)
}

fn of(tag: &str, content_range: &str) -> Head {
    Head { status: 206, ..whole(tag) }.with("content-range", content_range)
}

fn entry(head: &Head) -> Entry {
    head.kept(&Rules::private(), &Ask::get())
}

/// What becomes of a request of which bytes 2 to 5 of 10 are stored.
fn used(ask: &Ask, seconds: u64) -> UsePart {
    use_part(&Rules::private(), &ask.asked(), &entry(&of("\"a\"", "bytes 2-5/10")).held(), 4, at(seconds))
}

fn range(value: &str) -> Ask {
    Ask::get().with("range", value)
}

#[test]
fn a_part_answers_what_lies_within_it_as_long_as_it_may_be_used() {
    // RFC 9111 §3.3.
    let fresh = Ages { age: 5, lifetime: 60 };
    for value in ["bytes=2-5", "bytes=3-3", "bytes=2-2,5-5", "bytes=2-3,3-5"] {
        let UsePart::Serve(hit) = used(&range(value), 5) else { panic!("{value} is answered") };
        assert_eq!((hit.age, hit.why), (5, Why::Fresh(fresh)));
    }
    let stale = Ages { age: 100, lifetime: 60 };
    assert_eq!(used(&range("bytes=2-5"), 100), UsePart::Forward(Why::Stale(stale)));
    assert_eq!(used(&range("bytes=2-5").control("no-cache"), 5), UsePart::Forward(Why::RequestNoCache));
    assert_eq!(used(&range("bytes=2-5").control("only-if-cached"), 100), UsePart::Refuse(Why::Stale(stale)));
    assert!(matches!(used(&range("bytes=2-5").control("max-stale"), 100), UsePart::Serve(_)));
}

#[test]
fn what_touches_the_part_at_one_side_is_completed() {
    for (value, missing) in [
        (Some("bytes=2-7"), Some(6..8)),
        (Some("bytes=5-"), Some(6..10)),
        (Some("bytes=-7"), Some(6..10)),
        (Some("bytes=0-5"), Some(0..2)),
        (Some("bytes=1-2"), Some(1..2)),
        // Both sides, or none.
        (None, None),
        (Some("bytes=1-6"), None),
        (Some("bytes=6-"), None),
        (Some("bytes=0-1"), None),
        (Some("bytes=2-2,7-7"), None),
        (Some("bytes=10-"), None),
    ] {
        let ask = value.map_or_else(Ask::get, range);
        for seconds in [5, 1000] {
            match (used(&ask, seconds), &missing) {
                (UsePart::Complete(found), Some(missing)) => {
                    assert_eq!((&found.missing, &found.if_range), (missing, &"\"a\"".parse().unwrap()), "{value:?}");
                    assert!(found.is_range);
                }
                (UsePart::Forward(why), None) => assert_eq!(why, Why::Part, "{value:?}"),
                (found, _) => panic!("{value:?}: {found:?}"),
            }
        }
        if missing.is_some() {
            assert_eq!(used(&ask.control("only-if-cached"), 5), UsePart::Refuse(Why::Part));
        }
    }
}

#[test]
fn the_callers_conditions_and_head_are_for_the_origin() {
    for ask in [
        range("bytes=2-5").with("if-none-match", "\"a\""),
        range("bytes=2-7").with("if-none-match", "\"b\""),
        range("bytes=2-5").date("if-modified-since", 0),
        Ask { method: Method::HEAD, ..range("bytes=2-5") },
    ] {
        assert_eq!(used(&ask, 5), UsePart::Forward(Why::Part));
    }
    // If-Range with another version asks for the whole.
    assert_eq!(used(&range("bytes=2-5").with("if-range", "\"b\""), 5), UsePart::Forward(Why::Part));
    assert!(matches!(used(&range("bytes=2-5").with("if-range", "\"a\""), 5), UsePart::Serve(_)));
}

#[test]
fn a_part_is_not_refreshed_in_the_background() {
    let head = of("\"a\"", "bytes 2-5/10").with("cache-control", "stale-while-revalidate=600");
    let used = use_part(&Rules::private(), &range("bytes=2-5").asked(), &entry(&head).held(), 4, at(100));
    assert_eq!(used, UsePart::Forward(Why::Stale(Ages { age: 100, lifetime: 60 })));
}

#[test]
fn what_a_206_is_to_what_is_stored() {
    // RFC 9110 §15.3.7.3.
    let (a, weak) = ("\"a\"", "W/\"a\"");
    let stored = of(a, "bytes 2-5/10");
    let dated = |seconds, content_range: &str| {
        Head { status: 206, ..Head::cached("max-age=60") }
            .date("last-modified", seconds)
            .with("content-range", content_range)
    };
    for (stored, length, answer, expected) in [
        (&stored, 4, of(a, "bytes 2-5/10"), Meets::Within),
        (&stored, 4, of(a, "bytes 3-4/10"), Meets::Within),
        (&stored, 4, of(a, "bytes 6-7/10"), Meets::Extends),
        (&stored, 4, of(a, "bytes 4-7/10"), Meets::Extends),
        (&stored, 4, of(a, "bytes 0-1/10"), Meets::Extends),
        (&stored, 4, of(a, "bytes 0-9/10"), Meets::Extends),
        (&stored, 4, of(a, "bytes 7-8/10"), Meets::Apart),
        (&stored, 4, of(a, "bytes 0-0/10"), Meets::Apart),
        (&stored, 4, of("\"b\"", "bytes 2-5/10"), Meets::Outdates),
        (&stored, 4, of("\"b\"", "bytes 2-5/11"), Meets::Outdates),
        (&stored, 4, of(a, "bytes 2-5/11"), Meets::Contradicts),
        (&stored, 4, of(a, "bytes 6-7/10").with("content-encoding", "gzip"), Meets::Contradicts),
        (&stored, 4, of(weak, "bytes 6-7/10"), Meets::Unknown),
        (&stored, 4, of("a", "bytes 6-7/10"), Meets::Outdates),
        (&stored, 4, dated(-100, "bytes 6-7/10"), Meets::Unknown),
        (&stored, 4, dated(-100, "bytes 6-7/11"), Meets::Outdates),
        // A store that lost some of it.
        (&stored, 3, of(a, "bytes 6-7/10"), Meets::Unknown),
        (&dated(-100, "bytes 2-5/10"), 4, dated(-100, "bytes 6-7/10"), Meets::Extends),
        (&dated(-100, "bytes 2-5/10"), 4, dated(-200, "bytes 6-7/10"), Meets::Outdates),
        (&dated(-10, "bytes 2-5/10"), 4, dated(-10, "bytes 6-7/10"), Meets::Unknown),
        (&whole(a), 10, of(a, "bytes 6-7/10"), Meets::Within),
        (&whole(a), 10, of("\"b\"", "bytes 6-7/10"), Meets::Outdates),
        (&whole(weak), 10, of(a, "bytes 6-7/10"), Meets::Unknown),
        (&whole(weak), 10, of("\"b\"", "bytes 6-7/10"), Meets::Outdates),
    ] {
        let span = Span::read(&answer.headers).unwrap();
        let found = meets(&entry(stored).held(), length, &answer.answered(), &span, false);
        assert_eq!(found, expected, "{:?} and {:?}", stored.headers, answer.headers);
    }
}

#[test]
fn what_the_answer_to_if_range_leaves_out_contradicts_nothing() {
    // RFC 9110 §15.3.7.
    let (plain, gzip) = (|| of("\"a\"", "bytes 2-5/10"), |head: Head| head.with("content-encoding", "gzip"));
    let next = || of("\"a\"", "bytes 6-7/10");
    for (stored, answer, is_conditional, expected) in [
        (gzip(plain()), next(), true, Meets::Extends),
        (gzip(plain()), next(), false, Meets::Contradicts),
        (gzip(plain()), gzip(next()), true, Meets::Extends),
        (gzip(plain()), gzip(next()), false, Meets::Extends),
        (plain(), gzip(next()), true, Meets::Contradicts),
        (plain(), next(), true, Meets::Extends),
    ] {
        let span = Span::read(&answer.headers).unwrap();
        let found = meets(&entry(&stored).held(), 4, &answer.answered(), &span, is_conditional);
        assert_eq!(found, expected, "{:?} and {:?}, {is_conditional}", stored.headers, answer.headers);
    }
}

#[test]
fn only_what_was_asked_for_may_be_stored() {
    let part = |ask: Ask, head: Head| part(&Rules::private(), &ask.asked(), &head.answered());
    for (value, content_range, fits) in [
        ("bytes=2-5", "bytes 2-5/10", true),
        // RFC 9110 §15.3.7: a server may send less.
        ("bytes=2-5", "bytes 3-4/10", true),
        ("bytes=2-99", "bytes 2-9/10", true),
        ("bytes=-3", "bytes 7-9/10", true),
        // And what lies between two ranges.
        ("bytes=0-1,4-5", "bytes 0-5/10", true),
        ("bytes=2-5", "bytes 1-5/10", false),
        ("bytes=2-5", "bytes 2-6/10", false),
        ("bytes=2-5", "bytes 6-7/10", false),
        ("bytes=20-", "bytes 2-5/10", false),
        ("bytes=x", "bytes 2-5/10", false),
        ("lines=2-5", "bytes 2-5/10", false),
    ] {
        assert_eq!(part(range(value), of("\"a\"", content_range)).is_some(), fits, "{value} {content_range}");
    }
    assert_eq!(part(Ask::get(), of("\"a\"", "bytes 0-9/10")), None);
    let ok = Head { status: 200, ..of("\"a\"", "bytes 2-5/10") };
    assert_eq!(part(range("bytes=2-5"), ok), None);
}

#[test]
fn what_is_missing_is_asked_for_under_the_stored_version() {
    let UsePart::Complete(missing) = used(&range("bytes=3-7"), 5) else { panic!("it is completed") };
    let mut headers = range("bytes=3-7").with("if-range", "\"x\"").headers;
    missing.apply(&mut headers);
    assert_eq!((&headers["range"], &headers["if-range"]), (&"bytes=6-7".parse().unwrap(), &"\"a\"".parse().unwrap()));
    assert_eq!((missing.length(), missing.is_behind()), (2, true));
    let UsePart::Complete(before) = used(&range("bytes=1-4"), 5) else { panic!("it is completed") };
    assert_eq!((before.length(), before.is_behind()), (1, false));
    let entry = entry(&of("\"a\"", "bytes 2-5/10"));
    for (answer, is_it) in [
        (of("\"a\"", "bytes 6-7/10"), true),
        (Head { status: 200, ..of("\"a\"", "bytes 6-7/10") }, false),
        (of("\"a\"", "bytes 6-8/10"), false),
        (of("\"a\"", "bytes 6-6/10"), false),
        (of("\"b\"", "bytes 6-7/10"), false),
        (of("W/\"a\"", "bytes 6-7/10"), false),
        (of("\"a\"", "bytes 6-7/11"), false),
    ] {
        assert_eq!(missing.is_brought_by(&entry.held(), &answer.answered()), is_it, "{:?}", answer.headers);
    }
}

#[test]
fn a_beginning_is_kept_where_the_rest_can_be_asked_for() {
    let head = || whole("\"a\"").with("content-length", "10");
    let is_kept = |rules: &Rules, head: Head, length| beginning(rules, &head.headers, length, at(0));
    assert!(is_kept(&Rules::private(), head(), 10) && is_kept(&Rules::shared(), head(), 10));
    assert!(is_kept(&Rules::private(), head().with("accept-ranges", "bytes"), 10));
    assert!(!is_kept(&Rules::private(), head().with("accept-ranges", " None"), 10));
    assert!(!is_kept(&Rules::private(), head(), 0));
    assert!(!is_kept(&Rules::private(), whole("\"a\""), 10));
    assert!(!is_kept(&Rules::private(), whole("W/\"a\"").with("content-length", "10"), 10));
    assert!(!is_kept(&Rules::httplib2(), head(), 10));
}
