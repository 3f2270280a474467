//! Dates: never a panic, what another parser reads is read the same way, what is read is written and read again, and
//! no year of two digits lies more than 50 years ahead.
#![no_main]

use std::time::{Duration, SystemTime};

use httplib2_syntax::date;
use libfuzzer_sys::fuzz_target;

mod pieces;

const PIECES: [&str; 33] = [
    "Sun",
    "Sunday",
    "Nov",
    "feb",
    "0",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "7",
    "8",
    "9",
    " ",
    " ",
    ",",
    ", ",
    "-",
    "-",
    ":",
    ":",
    "+",
    "GMT",
    "gmt",
    "UTC",
    "08:49:37",
    "06",
    "1994",
    "94",
    "29",
    "Sun, 06 Nov 1994 ",
    "-0000",
];

const DAY: Duration = Duration::from_secs(86_400);

fuzz_target!(|input: (i64, bool, &[u8])| {
    let (now, is_plain, bytes) = input;
    let value = &pieces::text((is_plain, bytes), &PIECES)[..];
    let distance = Duration::from_secs(now.unsigned_abs());
    let now = if now < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(distance)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(distance)
    };
    let Some(now) = now else { return };
    let read = date::parse(value, now);
    // A long day before a comma belongs to the form with two digits of the year. Where there is no comma, as in asctime,
    // all of it counts as long.
    let has_long_day = value.split(|byte| *byte == b',').next().is_some_and(|day| day.trim_ascii().len() > 3);
    let has_short_year = has_long_day && value.contains(&b',');
    if let Some(time) = read {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).is_ok_and(|since| since.as_secs() < 253_402_300_800);
        if since {
            let written = httpdate::fmt_http_date(time);
            assert_eq!(date::parse(written.as_bytes(), now), Some(time), "{written}");
        }
        if has_short_year && let Ok(ahead) = time.duration_since(now) {
            // And a day for the zone.
            assert!(ahead <= DAY * (50 * 366), "{time:?} is {ahead:?} ahead");
        }
    } else {
        assert!(!value.starts_with(b"Sun, 06 Nov 1994 08:49:37 GMT") || value.len() > 29);
    }
    if !has_long_day
        && let Ok(text) = std::str::from_utf8(value)
        // It skips any white space.
        && text.trim_matches([' ', '\t']) == text.trim()
        && let Ok(expected) = httpdate::parse_http_date(text)
    {
        assert_eq!(read, Some(expected), "{text:?}");
    }
});
