use proptest::prelude::*;

use super::*;

/// 15 January 2027, 08:00:00 GMT.
const NOW: u64 = 1_800_000_000;

fn at(seconds: i64) -> SystemTime {
    system_time(seconds).unwrap()
}

/// Seconds since 1970 of what `value` means at [`NOW`].
fn read(value: &str) -> Option<i64> {
    read_at(value, at(NOW as i64))
}

fn read_at(value: &str, now: SystemTime) -> Option<i64> {
    let time = parse(value.as_bytes(), now)?;
    Some(match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => since.as_secs() as i64,
        Err(before) => -(before.duration().as_secs() as i64),
    })
}

#[test]
fn a_date_has_one_of_three_forms() {
    // The examples of RFC 9110 §5.6.7.
    for value in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
        assert_eq!(read(value), Some(784_111_777), "{value}");
    }
    for (value, expected) in [
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Wed, 31 Dec 1969 23:59:59 GMT", -1),
        ("Mon, 01 Jan 1601 00:00:00 GMT", -11_644_473_600),
        ("Tue, 29 Feb 2000 12:00:00 GMT", 951_825_600),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
        ("Tue Nov 16 08:49:37 1994", 784_975_777),
        (" \tSun, 06 Nov 1994 08:49:37 GMT ", 784_111_777),
    ] {
        assert_eq!(read(value), Some(expected), "{value}");
    }
}

#[test]
fn the_dates_of_the_public_cache_tests_are_read_or_not() {
    // suite-expires-parse: what may be used, and what must not be.
    for (value, expected) in [
        ("Tue, 19 Jan 2038 14:14:08 GMT", Some(2_147_523_248)),
        ("Sun, 21 Nov 2286 04:46:39 GMT", Some(10_000_039_599)),
        ("Thursday, 18-Aug-50 02:01:18 GMT", Some(2_544_400_878)),
        ("Thu Aug 18 02:01:18 2050", Some(2_544_400_878)),
        ("Thu Aug  8 02:01:18 2050", Some(2_543_536_878)),
        ("THU, 18 Aug 2050 02:01:18 GMT", Some(2_544_400_878)),
        ("Thu, 18 AUG 2050 02:01:18 GMT", Some(2_544_400_878)),
        ("Thu, 18 Aug 2050 02:01:18 gMT", Some(2_544_400_878)),
        ("Thu, 18 Aug 2050 02:01:18 UTC", None),
        ("Thu, 18 Aug 2050 02:01:18 AEST", None),
        ("Thu, 18 Aug 50 02:01:18 GMT", None),
        ("Thu 18 Aug 2050 02:01:18 GMT", None),
        ("Thu, 18  Aug  2050 02:01:18 GMT", None),
        ("Thu, 18-Aug-2050 02:01:18 GMT", None),
        ("Thu, 18 Aug 2050 02.01.18 GMT", None),
        ("Thu, 18 Aug 2050 2:01:18 GMT", None),
        ("0", None),
    ] {
        assert_eq!(read(value), expected, "{value}");
    }
}

#[test]
fn a_zone_may_be_a_number() {
    // httplib2's test server ends every date with -0000.
    for (value, expected) in [
        ("Sun, 06 Nov 1994 08:49:37 -0000", Some(784_111_777)),
        ("Sun, 06 Nov 1994 08:49:37 +0000", Some(784_111_777)),
        ("Sun, 06 Nov 1994 10:49:37 +0200", Some(784_111_777)),
        ("Sun, 06 Nov 1994 03:19:37 -0530", Some(784_111_777)),
        ("Sunday, 06-Nov-94 10:49:37 +0200", Some(784_111_777)),
        ("Thu, 01 Jan 1970 00:00:00 +0100", Some(-3_600)),
        ("Fri, 31 Dec 9999 23:59:59 -2359", Some(253_402_387_139)),
        ("Sun, 06 Nov 1994 08:49:37 +00:00", None),
        ("Sun, 06 Nov 1994 08:49:37 +000", None),
        ("Sun, 06 Nov 1994 08:49:37 +00000", None),
        ("Sun, 06 Nov 1994 08:49:37 +-0000", None),
        ("Sun, 06 Nov 1994 08:49:37 0000", None),
        ("Sun, 06 Nov 1994 08:49:37 +2400", None),
        ("Sun, 06 Nov 1994 08:49:37 +0060", None),
        ("Sun, 06 Nov 1994 08:49:37 GMT+0", None),
        ("Sun, 06 Nov 1994 08:49:37 +0000 (UTC)", None),
        ("Sun, 06 Nov 1994 08:49:37 Z", None),
        ("Sun, 06 Nov 1994 08:49:37 ", None),
        ("Sun, 06 Nov 1994 08:49:37", None),
        ("Sun Nov  6 08:49:37 1994 GMT", None),
    ] {
        assert_eq!(read(value), expected, "{value}");
    }
}

#[test]
fn a_year_with_two_digits_is_at_most_50_years_ahead() {
    // RFC 9110 §5.6.7.
    for (now, value, year) in [
        ("Fri, 15 Jan 2027 08:00:00 GMT", "Friday, 15-Jan-77 08:00:00 GMT", 2077),
        ("Fri, 15 Jan 2027 08:00:00 GMT", "Friday, 15-Jan-77 08:00:01 GMT", 1977),
        ("Fri, 15 Jan 2027 08:00:00 GMT", "Saturday, 16-Jan-77 00:00:00 GMT", 1977),
        ("Fri, 15 Jan 2027 08:00:00 GMT", "Tuesday, 01-Feb-77 00:00:00 GMT", 1977),
        ("Fri, 15 Jan 2027 08:00:00 GMT", "Thursday, 31-Dec-76 23:59:59 GMT", 2076),
        ("Fri, 15 Jan 2027 08:00:00 GMT", "Sunday, 01-Jan-78 00:00:00 GMT", 1978),
        ("Fri, 15 Jan 2027 08:00:00 GMT", "Friday, 01-Jan-27 00:00:00 GMT", 2027),
        ("Fri, 15 Jan 2027 08:00:00 GMT", "Saturday, 01-Jan-00 00:00:00 GMT", 2000),
        ("Fri, 31 Dec 1999 23:59:59 GMT", "Saturday, 01-Jan-05 00:00:00 GMT", 2005),
        ("Fri, 31 Dec 1999 23:59:59 GMT", "Friday, 31-Dec-99 23:59:59 GMT", 1999),
        ("Fri, 31 Dec 1999 23:59:59 GMT", "Sunday, 01-Jan-50 00:00:00 GMT", 1950),
        ("Mon, 01 Jan 2060 00:00:00 GMT", "Monday, 01-Jan-10 00:00:00 GMT", 2110),
    ] {
        let now = parse(now.as_bytes(), SystemTime::UNIX_EPOCH).unwrap();
        let time = parse(value.as_bytes(), now).unwrap();
        assert_eq!(Calendar::of(time).year, year, "{value}");
    }
    // There was no such day in 1900, and there is one in 2000.
    assert_eq!(read("Monday, 29-Feb-00 00:00:00 GMT"), Some(951_782_400));
    let in_1920 = parse(b"Thu, 01 Jan 1920 00:00:00 GMT", SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(read_at("Thursday, 29-Feb-00 00:00:00 GMT", in_1920), None);
}

#[test]
fn the_day_of_the_week_adds_nothing() {
    for value in ["Mon, 06 Nov 1994 08:49:37 GMT", "friday, 06-Nov-94 08:49:37 GMT", "SAT Nov  6 08:49:37 1994"] {
        assert_eq!(read(value), Some(784_111_777), "{value}");
    }
}

#[test]
fn a_leap_second_is_the_one_that_follows() {
    assert_eq!(read("Sat, 31 Dec 2016 23:59:60 GMT"), read("Sun, 01 Jan 2017 00:00:00 GMT"));
    assert_eq!(read("Sat, 31 Dec 2016 23:59:61 GMT"), None);
}

#[test]
fn anything_else_is_no_date() {
    for value in [
        "",
        " ",
        "-1",
        "1800000000",
        "1994-11-06T08:49:37Z",
        "So, 06 Nov 1994 08:49:37 GMT",
        "Sonntag, 06-Nov-94 08:49:37 GMT",
        ", 06 Nov 1994 08:49:37 GMT",
        "06 Nov 1994 08:49:37 GMT",
        "Sun,06 Nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 November 1994 08:49:37 GMT",
        "Sun, 06 Xxx 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Wed, 29 Feb 2023 08:49:37 GMT",
        "Thu, 29 Feb 1900 08:49:37 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Sun, 06 Nov 10000 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49 GMT",
        "Sun, 06 Nov 1994 08:49:37GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT;",
        "Sunday, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sunday Nov  6 08:49:37 1994",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov 006 08:49:37 1994",
        "Sun Nov  0 08:49:37 1994",
        "Sun Nov  6 08:49:37 94",
        "\u{a0}Sun, 06 Nov 1994 08:49:37 GMT",
    ] {
        assert_eq!(read(value), None, "{value}");
    }
}

#[test]
fn any_clock_will_do() {
    for now in [SystemTime::UNIX_EPOCH, at(-62_135_596_800), at(253_402_300_799), at(1 << 56), at(-(1 << 55))] {
        let _ = read_at("Sunday, 06-Nov-94 08:49:37 GMT", now);
        assert_eq!(read_at("Sun, 06 Nov 1994 08:49:37 GMT", now), Some(784_111_777));
    }
}

proptest! {
    #[test]
    fn a_date_that_another_parser_reads_is_read_the_same(time in 0..253_402_300_800_i64, form in 0..3_usize) {
        let fixdate = httpdate::fmt_http_date(at(time));
        let (day, month, year, clock) = (&fixdate[5..7], &fixdate[8..11], &fixdate[12..16], &fixdate[17..25]);
        let blank = day.strip_prefix('0').map_or_else(|| day.to_owned(), |digit| format!(" {digit}"));
        let value = match form {
            0 => fixdate.clone(),
            1 => format!("Monday, {day}-{month}-{} {clock} GMT", &year[2..]),
            _ => format!("Mon {month} {blank} {clock} {year}"),
        };
        if form == 1 {
            // At this time no more than this can be told from two digits.
            prop_assert_eq!(read_at(&value, at(time)), Some(time), "{}", value);
        } else {
            prop_assert_eq!(read(&value), Some(time), "{}", value);
        }
    }

    #[test]
    fn the_calendar_goes_both_ways(time in -62_135_596_800..253_402_300_800_i64) {
        prop_assert_eq!(Calendar::of(at(time)).seconds(), Some(time));
    }

    #[test]
    fn any_octets_are_a_date_or_none(value in proptest::collection::vec(any::<u8>(), 0..40), place in 0..29_usize, octet in any::<u8>()) {
        let _ = parse(&value, at(NOW as i64));
        let mut slip = b"Sun, 06 Nov 1994 08:49:37 GMT".to_vec();
        slip[place] = octet;
        let _ = parse(&slip, at(NOW as i64));
    }
}
