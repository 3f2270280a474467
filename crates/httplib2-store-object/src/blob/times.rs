//! `Date` and `Age`: all that a blob says of time.
//!
//! A head has the two moments between which the response came (RFC 9111 §4.2.3); in a blob there is no place for them,
//! since httplib2 would show a line of ours as a field, and `Date` and `Age` can say it as well: the one moment that is
//! read back is `Date`, and the `Age` that is written is what is missing from there to the age that the response really
//! had.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderValue, header};
use httplib2_store::Head;
use httplib2_syntax::{age, date};

/// The last second of the year 9999, which is the last one that can be written (RFC 9110 §5.6.7).
const LAST: Duration = Duration::from_secs(253_402_300_799);

/// What is written in place of the response's own fields.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) date: HeaderValue,
    /// In seconds. Nothing is written for none.
    pub(crate) age: u64,
}

/// What is written of the times of a response.
///
/// A `Date` that is missing or cannot be read becomes the time at which the response came (RFC 9110 §6.6.1); httplib2
/// would fail on one that cannot be read, in each request (H-CACHE-37).
pub(crate) fn written(head: &Head) -> Option<Written> {
    let received = head.received_at.clamp(SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH + LAST);
    let (date, dated) = match sole_date(&head.headers, received) {
        Some((value, time)) => (value.clone(), time),
        None => {
            let text = httpdate::fmt_http_date(received);
            let time = date::parse(text.as_bytes(), received)?;
            (HeaderValue::try_from(text).ok()?, time)
        }
    };
    // RFC 9111 §4.2.3.
    let lines = head.headers.get_all(header::AGE).iter().map(HeaderValue::as_bytes);
    let value = Duration::from_secs(age::parse(lines).map_or(0, u64::from));
    let delay = received.duration_since(head.requested_at).unwrap_or_default();
    let corrected = value.saturating_add(delay);
    let age = match received.duration_since(dated) {
        Ok(apparent) => corrected.saturating_sub(apparent),
        Err(ahead) => corrected.saturating_add(ahead.duration()),
    };
    Some(Written { date, age: age.as_secs() })
}

/// The moment from which the age of a stored response counts. What has no date is as old as can be.
pub(crate) fn read(headers: &HeaderMap, now: SystemTime) -> SystemTime {
    sole_date(headers, now).map_or(SystemTime::UNIX_EPOCH, |(_, time)| time)
}

fn sole_date(headers: &HeaderMap, now: SystemTime) -> Option<(&HeaderValue, SystemTime)> {
    let mut lines = headers.get_all(header::DATE).iter();
    let value = lines.next()?;
    let time = date::parse(value.as_bytes(), now)?;
    (lines.all(|other| other == value) && time >= SystemTime::UNIX_EPOCH).then_some((value, time))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::StatusCode;

    /// 2023-11-14, 22:13:20.
    const SECONDS: u64 = 1_700_000_000;

    fn head(date: &[&'static str], age: Option<u64>, requested: f64, received: f64) -> Head {
        let at =
            |seconds: f64| SystemTime::UNIX_EPOCH + Duration::from_secs(SECONDS) + Duration::from_secs_f64(seconds);
        let mut headers = HeaderMap::new();
        for date in date {
            headers.append(header::DATE, HeaderValue::from_static(date));
        }
        if let Some(age) = age {
            headers.insert(header::AGE, HeaderValue::from(age));
        }
        let mut head = Head::new(StatusCode::OK, headers, at(received));
        head.requested_at = at(requested);
        head
    }

    #[test]
    fn the_age_that_is_read_back_is_the_one_that_the_response_had() {
        // RFC 9111 §4.2.3: at 100 s, age = max(received - date, Age + received - requested) + 100 - received. The
        // columns: seconds of `Date`, `Age`, request and answer.
        for (date, age, requested, received) in [
            (0, None, 0.0, 0.1),
            (0, Some(0), 0.0, 0.9),
            (0, Some(50), 0.0, 1.0),
            (0, Some(50), 50.0, 50.0),
            (0, Some(5), 50.0, 51.0),
            (0, None, 30.0, 60.0),
            // The clock of the server is ahead.
            (20, None, 10.0, 11.0),
            (20, Some(7), 10.0, 11.0),
        ] {
            let text = format!("Tue, 14 Nov 2023 22:13:{} GMT", 20 + date);
            let mut head = head(&[], age, requested, received);
            head.headers.insert(header::DATE, HeaderValue::try_from(&text).unwrap());
            let written = written(&head).unwrap();
            let (apparent, corrected) = (received - f64::from(date), age.unwrap_or(0) as f64 + received - requested);
            let true_age = apparent.max(corrected).max(0.0) + 100.0 - received;
            let read_age = written.age as f64 + 100.0 - f64::from(date);
            assert!((read_age - true_age).abs() < 1.0, "{date} {age:?} {requested} {received}: {read_age} {true_age}");
            assert_eq!(written.date, text);
        }
    }

    #[test]
    fn a_date_that_cannot_be_read_becomes_the_time_of_arrival() {
        // RFC 9110 §6.6.1, H-CACHE-37.
        let one = "Tue, 14 Nov 2023 22:13:00 GMT";
        for (dates, expected) in [
            (&[one][..], one),
            (&[one, one], one),
            (&[], "Tue, 14 Nov 2023 22:13:21 GMT"),
            (&["yesterday"], "Tue, 14 Nov 2023 22:13:21 GMT"),
            (&[""], "Tue, 14 Nov 2023 22:13:21 GMT"),
            (&[one, "Tue, 14 Nov 2023 22:13:01 GMT"], "Tue, 14 Nov 2023 22:13:21 GMT"),
            (&["Thu, 01 Jan 1960 00:00:00 GMT"], "Tue, 14 Nov 2023 22:13:21 GMT"),
        ] {
            assert_eq!(written(&head(dates, None, 1.0, 1.5)).unwrap().date, expected, "{dates:?}");
        }
    }

    #[test]
    fn a_clock_that_is_far_off_is_no_panic() {
        for received in [SystemTime::UNIX_EPOCH - Duration::from_secs(1), SystemTime::UNIX_EPOCH + LAST * 2] {
            let head = Head::new(StatusCode::OK, HeaderMap::new(), received);
            assert!(written(&head).is_some());
        }
    }

    #[test]
    fn what_has_no_date_is_as_old_as_can_be() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(SECONDS);
        assert_eq!(read(&HeaderMap::new(), now), SystemTime::UNIX_EPOCH);
        let dated = head(&["Tue, 14 Nov 2023 22:13:20 GMT"], None, 0.0, 0.0);
        assert_eq!(read(&dated.headers, now), now);
    }
}
