//! Dates (RFC 9110 §5.6.7), as caches need them: from `Date`, `Expires` and `Last-Modified`.

use std::time::{Duration, SystemTime};

use crate::lex::{Cursor, trim};

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const SECONDS_PER_DAY: i64 = 86_400;
const DAYS_OF_400_YEARS: i64 = 146_097;
const DAYS_BEFORE_1970: i64 = 719_162;

/// Parses a date in one of the three forms of HTTP, or returns `None` for anything else.
///
/// | what is read more freely | than it is written |
/// |---|---|
/// | `-0000`, `+0000` or any numeric zone in place of `GMT` | as mail has it (RFC 5322 §3.3), and some servers with it |
/// | names of days, months and `GMT` in any case | as caches do |
/// | a day of the week that is not that day's | it adds nothing to the date |
/// | the second 60 | a leap second, taken for the one that follows it |
///
/// No other zone has a name, not even `UTC`, and no other form is accepted: what expires at a date that cannot be
/// read is taken for stale, which is safe. Of a year with two digits the last one is meant that is not more than 50
/// years after `now`. The result may lie before 1970.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use httplib2_syntax::date;
///
/// let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
/// let time = date::parse(b"Sun, 06 Nov 1994 08:49:37 GMT", now);
/// assert_eq!(time, Some(SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777)));
/// assert_eq!(date::parse(b"Sun, 06 Nov 1994 10:49:37 +0200", now), time);
/// assert_eq!(date::parse(b"0", now), None);
/// ```
#[must_use]
pub fn parse(value: &[u8], now: SystemTime) -> Option<SystemTime> {
    let mut cursor = Cursor::new(trim(value));
    let (date, offset) = read(&mut cursor, now)?;
    if !cursor.is_at_end() {
        return None;
    }
    system_time(date.seconds()? - offset)
}

/// A date and a time of the day, in order of greatness, so that comparing them compares times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Calendar {
    year: i64,
    /// From 1 on.
    month: i64,
    /// From 1 on.
    day: i64,
    second_of_day: i64,
}

/// Reads one of the three forms: the date, and by how many seconds its clock is ahead of GMT.
fn read(cursor: &mut Cursor<'_>, now: SystemTime) -> Option<(Calendar, i64)> {
    let name = cursor.take_while(|byte| byte.is_ascii_alphabetic());
    let is_long = DAYS.iter().any(|day| name.eq_ignore_ascii_case(day.as_bytes()));
    if !is_long && !DAYS.iter().any(|day| name.eq_ignore_ascii_case(&day.as_bytes()[..3])) {
        return None;
    }
    if !is_long && cursor.skip(b' ') {
        // `Sun Nov  6 08:49:37 1994`
        let month = month(cursor)?;
        skip(cursor, b' ')?;
        let day = if cursor.skip(b' ') { number(cursor, 1)? } else { number(cursor, 2)? };
        skip(cursor, b' ')?;
        let second_of_day = clock(cursor)?;
        skip(cursor, b' ')?;
        let year = number(cursor, 4)?;
        return Some((Calendar { year, month, day, second_of_day }, 0));
    }
    // `Sun, 06 Nov 1994 08:49:37 GMT` or `Sunday, 06-Nov-94 08:49:37 GMT`
    let (separator, digits_of_year) = if is_long { (b'-', 2) } else { (b' ', 4) };
    skip(cursor, b',')?;
    skip(cursor, b' ')?;
    let day = number(cursor, 2)?;
    skip(cursor, separator)?;
    let month = month(cursor)?;
    skip(cursor, separator)?;
    let year = number(cursor, digits_of_year)?;
    skip(cursor, b' ')?;
    let second_of_day = clock(cursor)?;
    skip(cursor, b' ')?;
    let offset = zone(cursor)?;
    let date = Calendar { year, month, day, second_of_day };
    Some((if is_long { date.in_century_at(Calendar::of(now)) } else { date }, offset))
}

fn skip(cursor: &mut Cursor<'_>, byte: u8) -> Option<()> {
    cursor.skip(byte).then_some(())
}

/// A number of exactly so many digits.
fn number(cursor: &mut Cursor<'_>, digits: u32) -> Option<i64> {
    (0..digits).try_fold(0, |sum, _| {
        let digit = cursor.peek().filter(u8::is_ascii_digit)?;
        cursor.skip(digit);
        Some(sum * 10 + i64::from(digit - b'0'))
    })
}

fn month(cursor: &mut Cursor<'_>) -> Option<i64> {
    let name = cursor.take_while(|byte| byte.is_ascii_alphabetic());
    (1..).zip(MONTHS).find(|(_, month)| name.eq_ignore_ascii_case(month.as_bytes())).map(|(index, _)| index)
}

/// `08:49:37` as the second of the day.
fn clock(cursor: &mut Cursor<'_>) -> Option<i64> {
    let hour = number(cursor, 2)?;
    skip(cursor, b':')?;
    let minute = number(cursor, 2)?;
    skip(cursor, b':')?;
    let second = number(cursor, 2)?;
    (hour < 24 && minute < 60 && second <= 60).then_some(hour * 3_600 + minute * 60 + second)
}

/// `GMT`, or hours and minutes, as seconds ahead of GMT.
fn zone(cursor: &mut Cursor<'_>) -> Option<i64> {
    let sign = match cursor.peek()? {
        b'+' => 1,
        b'-' => -1,
        _ => return cursor.take_while(|byte| byte.is_ascii_alphabetic()).eq_ignore_ascii_case(b"GMT").then_some(0),
    };
    // Steps over the sign that was seen.
    let _ = cursor.skip(b'+') || cursor.skip(b'-');
    let (hours, minutes) = (number(cursor, 2)?, number(cursor, 2)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

fn system_time(seconds: i64) -> Option<SystemTime> {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(distance)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(distance)
    }
}

// === impl Calendar ===

impl Calendar {
    /// The date of a time in GMT.
    fn of(time: SystemTime) -> Self {
        let seconds = match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX),
        };
        let (mut year, mut day) = (1970, seconds.div_euclid(SECONDS_PER_DAY));
        // 400 years always have as many days. What is left is counted.
        year += 400 * day.div_euclid(DAYS_OF_400_YEARS);
        day = day.rem_euclid(DAYS_OF_400_YEARS);
        while day >= days_of_year(year) {
            day -= days_of_year(year);
            year += 1;
        }
        let mut month = 1;
        while day >= days_of_month(year, month) {
            day -= days_of_month(year, month);
            month += 1;
        }
        Self { year, month, day: day + 1, second_of_day: seconds.rem_euclid(SECONDS_PER_DAY) }
    }

    /// Takes the year for the last two digits of one: of the last that is not more than 50 years after `now`.
    fn in_century_at(self, now: Self) -> Self {
        let last = now.year + 50;
        let date = Self { year: last - (last - self.year).rem_euclid(100), ..self };
        if date > (Self { year: last, ..now }) { Self { year: date.year - 100, ..date } } else { date }
    }

    /// Seconds since 1970, if there is such a date.
    fn seconds(self) -> Option<i64> {
        let exists = (1..=9999).contains(&self.year) && (1..=days_of_month(self.year, self.month)).contains(&self.day);
        if !exists {
            return None;
        }
        let years = self.year - 1;
        let days_before_year = years * 365 + years / 4 - years / 100 + years / 400;
        let days_before_month: i64 = (1..self.month).map(|month| days_of_month(self.year, month)).sum();
        let days = days_before_year + days_before_month + self.day - 1 - DAYS_BEFORE_1970;
        Some(days * SECONDS_PER_DAY + self.second_of_day)
    }
}

fn is_leap(year: i64) -> bool {
    (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
}

fn days_of_year(year: i64) -> i64 {
    if is_leap(year) { 366 } else { 365 }
}

fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests;
