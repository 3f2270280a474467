use proptest::prelude::*;

use super::*;

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

fn seconds(seconds: u64) -> Option<RetryAfter> {
    Some(RetryAfter::Delay(Duration::from_secs(seconds)))
}

fn at(seconds: u64) -> Option<RetryAfter> {
    Some(RetryAfter::At(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)))
}

#[test]
fn a_number_is_seconds_however_long_it_is() {
    // RTY-05.
    for (value, expected) in [
        ("0", 0),
        ("120", 120),
        ("00120", 120),
        (" 120\t", 120),
        ("999999999", 999_999_999),
        ("18446744073709551615", u64::MAX),
        ("18446744073709551616", u64::MAX),
        ("99999999999999999999", u64::MAX),
    ] {
        assert_eq!(parse(value.as_bytes()), seconds(expected), "{value}");
    }
    assert_eq!(parse("9".repeat(10_000).as_bytes()), seconds(u64::MAX));
}

#[test]
fn a_date_has_one_of_three_forms() {
    // The examples of RFC 9110 §5.6.7.
    for value in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
        assert_eq!(parse(value.as_bytes()), at(784_111_777), "{value}");
    }
    assert_eq!(parse(b"Fri, 31 Dec 9999 23:59:59 GMT"), at(253_402_300_799));
}

#[test]
fn anything_else_is_neither() {
    for value in [
        "",
        " ",
        "-1",
        "+1",
        "1.5",
        "1e9",
        "0x10",
        "1 2",
        "1, 2",
        "120s",
        "soon",
        "\u{0661}",
        "\u{b}120",
        "\u{c}Sun, 06 Nov 1994 08:49:37 GMT",
        "Mon, 06 Nov 1994 08:49:37 GMT",
        "sun, 06 nov 1994 08:49:37 gmt",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Wed, 30 Feb 2000 00:00:00 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Wed, 31 Dec 1969 23:59:59 GMT",
        "1994-11-06T08:49:37Z",
        "Sunday, 06-Nov-94x08:49:37 GMT",
    ] {
        assert_eq!(parse(value.as_bytes()), None, "{value}");
    }
    assert_eq!(parse(b"\xff\xfe"), None);
}

#[test]
fn a_date_that_has_passed_is_no_wait() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
    for (value, wait) in [
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Thu, 01 Jan 1970 00:16:40 GMT", 0),
        ("Thu, 01 Jan 1970 00:16:41 GMT", 1),
        ("7", 7),
    ] {
        assert_eq!(parse(value.as_bytes()).unwrap().wait(now), Duration::from_secs(wait), "{value}");
    }
}

/// What the value means, read straight off the grammar: forms are tried one by one, years are counted.
fn reference(value: &[u8]) -> Option<RetryAfter> {
    let mut text: Vec<char> = value.iter().map(|byte| char::from(*byte)).collect();
    while text.first().is_some_and(|first| [' ', '\t'].contains(first)) {
        text.remove(0);
    }
    while text.last().is_some_and(|last| [' ', '\t'].contains(last)) {
        text.pop();
    }
    delay_seconds(&text).or_else(|| date(&text))
}

/// `delay-seconds = 1*DIGIT`
fn delay_seconds(text: &[char]) -> Option<RetryAfter> {
    let mut sum = 0_u64;
    for char in text {
        sum = sum.saturating_mul(10).saturating_add(u64::from(char.to_digit(10)?));
    }
    if text.is_empty() { None } else { seconds(sum) }
}

/// `HTTP-date = IMF-fixdate / rfc850-date / asctime-date`
fn date(text: &[char]) -> Option<RetryAfter> {
    DAYS.iter().enumerate().find_map(|(index, day)| {
        let short = &day[..3];
        let forms = [
            format!("{short}, 11 222 3333 44:55:66 GMT"),
            format!("{day}, 11-222-33 44:55:66 GMT"),
            format!("{short} 222 11 44:55:66 3333"),
            format!("{short} 222  1 44:55:66 3333"),
        ];
        forms.iter().find_map(|form| time_of(form, text, index)).and_then(at)
    })
}

/// Seconds since 1970, if `text` has the form and is a date that falls on that day of the week.
///
/// In a form, 1 stands for a digit of the day, 2 for a letter of the month, 3 for a digit of the year, 4, 5 and
/// 6 for digits of the clock, and everything else for itself.
fn time_of(form: &str, text: &[char], day_of_week: usize) -> Option<u64> {
    if form.len() != text.len() {
        return None;
    }
    let (mut numbers, mut month) = ([0; 7], String::new());
    for (expected, found) in form.chars().zip(text) {
        match expected.to_digit(10) {
            Some(2) => month.push(*found),
            Some(slot) => {
                let number = &mut numbers[slot as usize];
                *number = *number * 10 + u64::from(found.to_digit(10)?);
            }
            None if expected == *found => {}
            None => return None,
        }
    }
    let [_, day, _, mut year, hour, minute, second] = numbers;
    let month = MONTHS.iter().position(|name| *name == month)?;
    if !form.contains("3333") {
        year += if year < 70 { 2000 } else { 1900 };
    }
    let exists = (1970..=9999).contains(&year)
        && (1..=lengths(year)[month]).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !exists {
        return None;
    }
    let years: u64 = (1970..year).map(|year| lengths(year).iter().sum::<u64>()).sum();
    let days = years + lengths(year)[..month].iter().sum::<u64>() + day - 1;
    // 1970 began on a Thursday.
    let falls_on_it = (days + 3) % 7 == day_of_week as u64;
    falls_on_it.then_some(days * 86_400 + hour * 3_600 + minute * 60 + second)
}

fn lengths(year: u64) -> [u64; 12] {
    let leap = (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400);
    [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
}

/// A time of the years 1970 to 9999 in each of the three forms.
fn spelt(time: u64) -> [String; 3] {
    let fixdate = httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(time));
    let (name, day, month, year, clock) =
        (&fixdate[..3], &fixdate[5..7], &fixdate[8..11], &fixdate[12..16], &fixdate[17..25]);
    let long = DAYS.iter().find(|day| day.starts_with(name)).unwrap();
    let blank = day.strip_prefix('0').map_or_else(|| day.to_owned(), |digit| format!(" {digit}"));
    [
        format!("{long}, {day}-{month}-{} {clock} GMT", &year[2..]),
        format!("{name} {month} {blank} {clock} {year}"),
        fixdate.clone(),
    ]
}

proptest! {
    #[test]
    fn any_octets_are_read_as_the_grammar_reads_them(value in proptest::collection::vec(any::<u8>(), 0..40)) {
        prop_assert_eq!(parse(&value), reference(&value));
    }

    #[test]
    fn any_number_is_read_as_the_grammar_reads_it(value in "[ \t]{0,2}[0-9]{1,25}[ \t]{0,2}") {
        prop_assert_eq!(parse(value.as_bytes()), reference(value.as_bytes()));
    }

    #[test]
    fn any_date_is_read_as_the_grammar_reads_it(time in 0..253_402_300_800_u64, form in 0..3_usize) {
        let value = spelt(time)[form].clone();
        let read = parse(value.as_bytes());
        prop_assert_eq!(read, reference(value.as_bytes()), "{}", value);
        // Two digits of a year tell only of the years from 1970 to 2069.
        if form != 0 || time < 3_155_760_000 {
            prop_assert_eq!(read, at(time), "{}", value);
        }
    }

    #[test]
    fn a_date_with_a_slip_is_read_as_the_grammar_reads_it(
        time in 0..253_402_300_800_u64,
        form in 0..3_usize,
        place in any::<prop::sample::Index>(),
        octet in any::<u8>(),
    ) {
        let mut value = spelt(time)[form].clone().into_bytes();
        let place = place.index(value.len());
        value[place] = octet;
        prop_assert_eq!(parse(&value), reference(&value), "{}", value.escape_ascii());
    }
}
