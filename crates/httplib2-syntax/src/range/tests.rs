#![expect(clippy::single_range_in_vec_init, reason = "lists of ranges, of which some have one")]

use super::*;
use proptest::prelude::*;

fn asked(value: &str) -> Requested {
    parse([value.as_bytes()])
}

fn part(range: Range<u64>, complete: u64) -> Option<ContentRange> {
    Some(ContentRange::Part { range, complete: Some(complete) })
}

#[test]
fn ranges_are_read_and_cut_to_the_length() {
    // RFC 9110 §14.1.2, the examples among them.
    for (value, length, expected) in [
        ("bytes=0-499", 10_000, &[0..500][..]),
        ("bytes=500-999", 10_000, &[500..1000]),
        ("bytes=-500", 10_000, &[9500..10_000]),
        ("bytes=9500-", 10_000, &[9500..10_000]),
        ("bytes=0-0,-1", 10_000, &[0..1, 9999..10_000]),
        ("bytes= 0-999, 4500-5499, -1000", 10_000, &[0..1000, 4500..5500, 9000..10_000]),
        ("bytes=0-999,,\t4500-5499 ,", 10_000, &[0..1000, 4500..5500]),
        ("BYTES=0-4", 10, &[0..5]),
        (" bytes=0-4\t", 10, &[0..5]),
        ("bytes=5-6,5-7,0-20", 10, &[5..7, 5..8, 0..10]),
        ("bytes=-20", 10, &[0..10]),
        ("bytes=0-99999999999999999999999", 10, &[0..10]),
        ("bytes=-99999999999999999999999", 10, &[0..10]),
        // Valid, but nothing satisfies them.
        ("bytes=10-", 10, &[]),
        ("bytes=10-20", 10, &[]),
        ("bytes=99999999999999999999999-", u64::MAX, &[]),
        ("bytes=-0", 10, &[]),
        ("bytes=0-", 0, &[]),
        ("bytes=-5", 0, &[]),
        ("bytes=10-, 0-0", 10, &[0..1]),
    ] {
        let Requested::Bytes(ranges) = asked(value) else { panic!("{value} asks for bytes") };
        assert_eq!(ranges.within(length).collect::<Vec<_>>(), expected, "{value}");
    }
}

#[test]
fn what_is_no_range_is_told_from_another_unit() {
    // RFC 9110 §14.2: both are ignored, but another unit may mean something to the origin.
    for value in [
        "",
        "bytes",
        "bytes=",
        "bytes=,",
        "=0-4",
        "bytes 0-4",
        "bytes =0-4",
        "bytes=a-b",
        "bytes=4-0",
        "bytes=-",
        "bytes=--5",
        "bytes=+0-4",
        "bytes=0-4;x",
        "bytes=0 -4",
        "bytes=0-4 5-6",
        "bytes=0-4,x",
        "bytes=0x0-4",
        "bytes=0-\u{663}",
        "bytes=0-4, 9-8",
    ] {
        assert_eq!(asked(value), Requested::Malformed, "{value}");
    }
    assert_eq!(asked("seconds=1-2"), Requested::OtherUnit);
    assert_eq!(parse([]), Requested::Malformed);
    assert_eq!(parse([&b"bytes=0-4"[..], b"bytes=0-4"]), Requested::Malformed);
}

#[test]
fn only_so_many_ranges_are_understood() {
    // RFC 9110 §17.15.
    let value = |count| format!("bytes={}", vec!["0-0"; count].join(","));
    assert!(matches!(asked(&value(MOST_RANGES)), Requested::Bytes(ranges) if ranges.iter().count() == MOST_RANGES));
    assert_eq!(asked(&value(MOST_RANGES + 1)), Requested::Malformed);
    assert_eq!(asked(&value(1_000_000)), Requested::Malformed);
}

#[test]
fn a_content_range_is_believed_only_if_it_is_possible() {
    // RFC 9110 §14.4.
    for (value, expected) in [
        ("bytes 42-1233/1234", part(42..1234, 1234)),
        ("Bytes 0-0/1", part(0..1, 1)),
        ("bytes 42-1233/*", Some(ContentRange::Part { range: 42..1234, complete: None })),
        ("bytes */1234", Some(ContentRange::Unsatisfied { complete: 1234 })),
        ("bytes */0", Some(ContentRange::Unsatisfied { complete: 0 })),
        ("bytes 0-18446744073709551614/18446744073709551615", part(0..u64::MAX, u64::MAX)),
        ("bytes 0-18446744073709551615/*", None),
        ("bytes 0-4/99999999999999999999", None),
        ("bytes 5-4/10", None),
        ("bytes 0-10/10", None),
        ("bytes 0-4/0", None),
        ("bytes */*", None),
        ("bytes *", None),
        ("bytes=0-4/10", None),
        ("bytes  0-4/10", None),
        ("bytes 0-4", None),
        ("bytes 0-/10", None),
        ("bytes -4/10", None),
        ("bytes 0-4/10/11", None),
        ("bytes 0 - 4/10", None),
        ("items 0-4/10", None),
        ("", None),
    ] {
        assert_eq!(content_range([value.as_bytes()]), expected, "{value}");
    }
    assert_eq!(content_range([&b"bytes 0-4/10"[..], b"bytes 0-4/10"]), None);
}

proptest! {
    #[test]
    fn ranges_that_are_written_are_read_again(
        ranges in prop::collection::vec((0_u8..3, any::<u64>(), any::<u64>()), 1..=MOST_RANGES),
    ) {
        let ranges = ranges.into_iter().map(|(kind, one, other)| match kind {
            0 => ByteRange::From(one),
            1 => ByteRange::FromTo(one.min(other), one.max(other)),
            _ => ByteRange::Last(one),
        });
        let ranges = ByteRanges(ranges.collect());
        prop_assert_eq!(asked(&ranges.to_string()), Requested::Bytes(ranges));
    }

    #[test]
    fn content_ranges_that_are_written_are_read_again(first in any::<u64>(), length in 1_u64.., complete: Option<u64>) {
        let Some(end) = first.checked_add(length) else { return Ok(()) };
        let range = ContentRange::Part { range: first..end, complete: complete.map(|complete| complete.max(end)) };
        let written = range.to_string();
        prop_assert_eq!(content_range([written.as_bytes()]), Some(range));
    }

    #[test]
    fn what_is_meant_is_never_empty_and_lies_within_the_whole(value in "bytes=[0-9, -]{0,40}", complete: u64) {
        if let Requested::Bytes(ranges) = asked(&value) {
            for range in ranges.within(complete) {
                prop_assert!(range.start < range.end && range.end <= complete);
            }
        }
    }
}
