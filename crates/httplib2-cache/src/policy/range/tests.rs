#![expect(clippy::single_range_in_vec_init, reason = "lists of ranges, of which some have one")]

use super::*;
use crate::policy::{
    LifetimeFrom,
    testing::{Ask, Entry, Head},
};

fn entry(head: &Head) -> Entry {
    head.kept(&Rules::private(), &Ask::get())
}

fn whole() -> Head {
    Head::cached("max-age=60").with("etag", "\"a\"")
}

fn sliced(head: &Head, length: u64, ask: &Ask) -> Slice {
    slice(&Rules::private(), &ask.asked(), &entry(head).held(), length)
}

fn ranges(ranges: &[Range<u64>], complete: u64) -> Slice {
    Slice::Ranges(ranges.to_vec(), Span { range: 0..complete, complete })
}

#[test]
fn ranges_that_overlap_or_touch_become_one() {
    // RFC 9110 §15.3.7.2.
    for (asked, expected) in [
        ("bytes=0-4", &[0..5][..]),
        ("bytes=8-9,0-1", &[8..10, 0..2]),
        ("bytes=0-1,1-2,2-3", &[0..4]),
        ("bytes=0-1,4-5,2-3", &[0..6]),
        ("bytes=8-9,4-5,0-1,2-3", &[8..10, 0..6]),
        ("bytes=4-5,8-9,0-20", &[0..10]),
        ("bytes=0-0,2-2,4-4,6-6,0-3", &[0..5, 6..7]),
        ("bytes=5-5,5-5", &[5..6]),
    ] {
        assert_eq!(sliced(&whole(), 10, &Ask::get().with("range", asked)), ranges(expected, 10), "{asked}");
    }
}

#[test]
fn a_range_is_of_a_get_of_what_is_stored_as_a_200_or_as_a_part() {
    // RFC 9110 §14.2.
    let ask = || Ask::get().with("range", "bytes=0-1");
    assert_eq!(sliced(&whole(), 10, &ask()), ranges(&[0..2], 10));
    assert_eq!(sliced(&whole(), 10, &Ask { method: Method::HEAD, ..ask() }), Slice::Whole);
    assert_eq!(sliced(&whole(), 10, &Ask::get()), Slice::Whole);
    assert_eq!(sliced(&whole(), 0, &ask()), Slice::Whole);
    for status in [203, 300, 404] {
        assert_eq!(sliced(&Head { status, ..whole() }, 10, &ask()), Slice::Whole, "{status}");
    }
    let mut rules = Rules::private();
    rules.ranges = false;
    assert_eq!(slice(&rules, &ask().asked(), &entry(&whole()).held(), 10), Slice::Whole);
}

#[test]
fn a_range_is_given_if_what_is_stored_is_what_the_caller_has() {
    // RFC 9110 §13.1.5.
    let old = Head::cached("max-age=60").date("date", 0).date("last-modified", -3600);
    let new = Head::cached("max-age=60").date("date", 0).date("last-modified", -1);
    let since = |seconds| Ask::get().date("if-range", seconds);
    let tagged = |tag| Ask::get().with("if-range", tag);
    for (head, ask, is_given) in [
        (whole(), tagged("\"a\""), true),
        (whole(), tagged("\"b\""), false),
        (whole(), tagged("W/\"a\""), false),
        (whole(), tagged("\"a\"").with("if-range", "\"a\""), false),
        (whole(), since(-3600), false),
        (old.clone(), since(-3600), true),
        // As it is written, not by time.
        (old.clone(), since(-3601), false),
        (old.clone(), since(0), false),
        (old, tagged("\"a\""), false),
        // Its second may have had two versions.
        (new, since(-1), false),
    ] {
        let found = sliced(&head, 10, &ask.clone().with("range", "bytes=0-1"));
        assert_eq!(found, if is_given { ranges(&[0..2], 10) } else { Slice::Whole }, "{ask:?} {head:?}");
    }
}

#[test]
fn what_a_part_holds_is_read_from_its_head_and_its_length() {
    let part = |range| Head { status: 206, ..whole() }.with("content-range", range);
    let ask = Ask::get().with("range", "bytes=3-4");
    let span = Span { range: 2..6, complete: 10 };
    assert_eq!(sliced(&part("bytes 2-5/10"), 4, &ask), Slice::Ranges(vec![3..5], span.clone()));
    assert_eq!(sliced(&part("bytes 2-5/10"), 4, &Ask::get().with("range", "bytes=10-")), Slice::Unsatisfiable(span));
    // A store that lost some of it holds nothing that is known.
    assert_eq!(sliced(&part("bytes 2-5/10"), 3, &ask), Slice::Whole);
    assert_eq!(sliced(&part("bytes 2-5/*"), 4, &ask), Slice::Whole);
}

#[test]
fn a_content_range_has_to_agree_with_the_length() {
    let read = |fields: &[(&'static str, &str)]| {
        let head = fields.iter().fold(Head::new(206), |head, (name, value)| head.with(name, value));
        Span::read(&head.headers)
    };
    let span = Some(Span { range: 2..6, complete: 10 });
    assert_eq!(read(&[("content-range", "bytes 2-5/10")]), span);
    assert_eq!(read(&[("content-range", "bytes 2-5/10"), ("content-length", "4")]), span);
    for length in ["5", "3", "-4", "4x", ""] {
        assert_eq!(read(&[("content-range", "bytes 2-5/10"), ("content-length", length)]), None, "{length}");
    }
    assert_eq!(read(&[("content-length", "4")]), None);
    assert_eq!(read(&[("content-range", "bytes 2-5/10"), ("content-type", "Multipart/ByteRanges; boundary=x")]), None);
    assert_eq!(read(&[("content-range", "bytes 2-5/10"), ("content-range", "bytes 2-5/10")]), None);
}

#[test]
fn a_head_is_made_to_describe_what_is_sent() {
    let mut headers = whole().with("content-digest", "x").with("content-length", "3").headers;
    Span { range: 2..6, complete: 10 }.describe(&mut headers);
    assert_eq!(
        (&headers["content-length"], &headers["content-range"]),
        (&"4".parse().unwrap(), &"bytes 2-5/10".parse().unwrap())
    );
    assert!(!headers.contains_key("content-digest"));
    Span { range: 0..10, complete: 10 }.describe(&mut headers);
    assert_eq!((&headers["content-length"], headers.get("content-range")), (&"10".parse().unwrap(), None));
}

#[test]
fn a_date_is_strong_a_minute_after_it() {
    // RFC 9110 §8.8.2.2.
    for (seconds, is_strong) in [(-59, false), (-60, true), (-3600, true), (10, false)] {
        let head = Head::new(200).date("date", 0).date("last-modified", seconds);
        assert_eq!(Strong::of(&head.headers, super::super::testing::at(0)).is_some(), is_strong, "{seconds}");
    }
    // Where there is a tag, only that counts.
    let head = Head::new(200).date("date", 0).date("last-modified", -3600).with("etag", "W/\"a\"");
    assert!(Strong::of(&head.headers, super::super::testing::at(0)).is_none());
    let head = Head::new(200).date("last-modified", -3600);
    assert!(Strong::of(&head.headers, super::super::testing::at(0)).is_none());
}

#[test]
fn a_206_is_as_fresh_by_guess_as_a_200() {
    // RFC 9110 §15.1.
    let head = Head { status: 206, ..Head::new(200) }.date("date", 0).date("last-modified", -1000);
    assert_eq!(entry(&head).stored.lifetime_from(), LifetimeFrom::Heuristic);
}
