//! Timestamps as RFC 3339 §5.6 writes them, in UTC and whole seconds: what WSSE and `HMACDigest` sign.

use std::time::{SystemTime, UNIX_EPOCH};

/// `YYYY-MM-DDTHH:MM:SSZ`.
pub type Timestamp = [u8; 20];

const SECONDS_PER_DAY: u64 = 24 * 60 * 60;

/// The days of 400 years, after which the calendar repeats.
const DAYS_PER_ERA: u64 = 146_097;

/// From 0000-03-01 to 1970-01-01.
const DAYS_BEFORE_1970: u64 = 719_468;

/// Writes a time to the second below it, or returns `None` when the form cannot hold it: before 1970 (a clock that is
/// not set) and after 9999.
///
/// ```
/// use httplib2_syntax::timestamp;
/// use std::time::{Duration, UNIX_EPOCH};
///
/// let time = UNIX_EPOCH + Duration::from_secs(784_111_777);
/// assert_eq!(timestamp::utc(time).as_ref(), Some(b"1994-11-06T08:49:37Z"));
/// ```
#[must_use]
pub fn utc(time: SystemTime) -> Option<Timestamp> {
    let seconds = time.duration_since(UNIX_EPOCH).ok()?.as_secs();
    let (days, second) = (seconds / SECONDS_PER_DAY, seconds % SECONDS_PER_DAY);
    let (year, month, day) = civil(days);
    if year > 9999 {
        return None;
    }
    let mut text = *b"0000-00-00T00:00:00Z";
    for (at, width, number) in [
        (0, 4, year),
        (5, 2, month),
        (8, 2, day),
        (11, 2, second / 3600),
        (14, 2, second / 60 % 60),
        (17, 2, second % 60),
    ] {
        write(&mut text[at..at + width], number);
    }
    Some(text)
}

/// Year, month and day of the proleptic Gregorian calendar.
///
/// Years are counted from March, so that the leap day is the last one and months before it never move.
fn civil(days_since_1970: u64) -> (u64, u64, u64) {
    let days = days_since_1970 + DAYS_BEFORE_1970;
    let (era, day_of_era) = (days / DAYS_PER_ERA, days % DAYS_PER_ERA);
    // Takes out the leap days of 4, 100 and 400 years, in front of which all years are equally long.
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // From March on, five months have 153 days.
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// Writes the last digits of a number over `digits`.
fn write(digits: &mut [u8], mut number: u64) {
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789"[usize::try_from(number % 10).unwrap_or_default()];
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn text(seconds: u64) -> Option<String> {
        let timestamp = utc(UNIX_EPOCH + Duration::from_secs(seconds))?;
        Some(String::from_utf8(timestamp.into()).unwrap())
    }

    #[test]
    fn a_time_is_written_as_utc_to_the_second() {
        // The right side is what Python's datetime.utcfromtimestamp writes.
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_071_499_387, "2003-12-15T14:43:07Z"),
            (1_709_164_800, "2024-02-29T00:00:00Z"),
            (1_767_225_599, "2025-12-31T23:59:59Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(text(seconds).as_deref(), Some(expected));
        }
    }

    #[test]
    fn parts_of_a_second_are_left_out() {
        let time = UNIX_EPOCH + Duration::from_millis(1_071_499_387_999);
        assert_eq!(utc(time), Some(*b"2003-12-15T14:43:07Z"));
    }

    #[test]
    fn the_day_after_each_day_of_800_years_follows_the_calendar() {
        // A second way to the same: day by day, with the lengths of the months.
        let (mut year, mut month, mut day) = (1970, 1, 1);
        for days in 0..800 * 366 {
            assert_eq!(civil(days), (year, month, day));
            let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
            let length = match month {
                2 => 28 + u64::from(leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            day += 1;
            if day > length {
                (day, month) = (1, month + 1);
            }
            if month > 12 {
                (month, year) = (1, year + 1);
            }
        }
    }

    #[test]
    fn what_the_form_cannot_hold_is_refused() {
        assert_eq!(text(253_402_300_800), None);
        assert_eq!(utc(UNIX_EPOCH - Duration::from_nanos(1)), None);
        assert_eq!(utc(UNIX_EPOCH + Duration::from_secs(i64::MAX as u64)), None);
    }
}
