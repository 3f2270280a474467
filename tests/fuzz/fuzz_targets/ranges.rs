//! `Range` and `Content-Range`: never a panic, never a range that is empty or beyond the whole, and what is written is
//! read again as the same.
#![no_main]

use httplib2_syntax::range::{self, ContentRange, MOST_RANGES, Requested};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: (u64, &[u8])| {
    let (complete, value) = data;
    if let Requested::Bytes(ranges) = range::parse([value]) {
        let count = ranges.iter().count();
        assert!((1..=MOST_RANGES).contains(&count) && ranges.within(complete).count() <= count);
        assert!(ranges.within(complete).all(|range| range.start < range.end && range.end <= complete));
        assert_eq!(range::parse([ranges.to_string().as_bytes()]), Requested::Bytes(ranges));
    }
    if let Some(read) = range::content_range([value]) {
        if let ContentRange::Part { range, complete } = &read {
            assert!(range.start < range.end && complete.is_none_or(|complete| range.end <= complete));
        }
        assert_eq!(range::content_range([read.to_string().as_bytes()]), Some(read));
    }
});
