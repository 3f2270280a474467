//! `Retry-After`: never a panic, a number is a number, a date is one that another parser reads the same way.
#![no_main]

use std::time::{Duration, SystemTime};

use httplib2_syntax::retry_after::{self, RetryAfter};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|value: &[u8]| {
    let Some(parsed) = retry_after::parse(value) else {
        assert!(value.is_empty() || !value.iter().all(u8::is_ascii_digit));
        return;
    };
    for now in [SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 40)] {
        let _ = parsed.wait(now);
    }
    if let RetryAfter::At(date) = parsed {
        let written = httpdate::fmt_http_date(date);
        assert_eq!(retry_after::parse(written.as_bytes()), Some(parsed));
    }
});
