//! The value of `Retry-After` (RFC 9110 §10.2.3): a number of seconds, or a date.

use std::time::{Duration, SystemTime};

/// When a server asks to be asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// After this time, counted from when the response arrived.
    Delay(Duration),
    /// At this time of the wall clock.
    At(SystemTime),
}

/// Parses the value of one `Retry-After` field, or returns `None` when it is neither form.
///
/// A number of any length is one: what does not fit becomes the longest delay that does. A date may have any
/// of the three forms of RFC 9110 §5.6.7; it must exist, name its own day of the week and lie in the years
/// 1970 to 9999. Of the form with two digits, years from 70 are taken for the last century.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use httplib2_syntax::retry_after::{self, RetryAfter};
///
/// assert_eq!(retry_after::parse(b"120"), Some(RetryAfter::Delay(Duration::from_secs(120))));
/// let date = retry_after::parse(b"Thu, 01 Jan 1970 00:02:00 GMT").expect("a date");
/// assert_eq!(date.wait(SystemTime::UNIX_EPOCH), Duration::from_secs(120));
/// assert_eq!(retry_after::parse(b"soon"), None);
/// ```
#[must_use]
pub fn parse(value: &[u8]) -> Option<RetryAfter> {
    let text = str::from_utf8(value).ok()?.trim_matches([' ', '\t']);
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are still a number, and no server means less by them.
        return Some(RetryAfter::Delay(Duration::from_secs(text.parse().unwrap_or(u64::MAX))));
    }
    // The date parser skips any white space, of which only blanks and tabs may surround a value.
    if text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace) {
        return None;
    }
    // Nor does it look at what stands between year and clock in the form with two digits of the year.
    let year_ends = text.rsplit_once('-').is_none_or(|(_, rest)| rest.as_bytes().get(2) == Some(&b' '));
    httpdate::parse_http_date(text).ok().filter(|_| year_ends).map(RetryAfter::At)
}

// === impl RetryAfter ===

impl RetryAfter {
    /// How long that is from `now` on: zero for a date that has passed.
    #[must_use]
    pub fn wait(self, now: SystemTime) -> Duration {
        match self {
            Self::Delay(delay) => delay,
            Self::At(date) => date.duration_since(now).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests;
