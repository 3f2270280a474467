//! What is read from a response once, when it is stored, so that a look-up reads nothing.

use std::time::{Duration, SystemTime};

use http::{StatusCode, header};

use super::{
    Answered, Rules,
    directives::{Directives, Flags},
    lifetime::{self, Lifetime, LifetimeFrom},
    wire::{self, Tag},
};

/// A stored response as far as decisions need it: numbers and flags. It is made with [`store`](super::store) or
/// [`freshen`](super::freshen), or anew from a stored head with [`Stored::read`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    pub(super) status: StatusCode,
    pub(super) flags: Flags,
    pub(super) lifetime: Lifetime,
    /// `corrected_initial_age`.
    initial_age: u32,
    received_at: SystemTime,
    date: SystemTime,
    pub(super) last_modified: Option<SystemTime>,
    pub(super) stale_while_revalidate: u32,
    pub(super) stale_if_error: Option<u32>,
}

// === impl Stored ===

impl Stored {
    /// Reads the head of a response that may be stored, or that was: a store on a disk keeps its status, its
    /// fields ([`stored_fields`](super::stored_fields)) and its times, and nothing else.
    #[must_use]
    pub fn read(rules: &Rules, answered: &Answered<'_>) -> Self {
        let Answered { status, headers, times, .. } = *answered;
        let directives = Directives::of(rules, headers);
        let sent_at = wire::date(headers, &header::DATE, times.received_at);
        // A response without a date is dated when it arrives (RFC 9110 §6.6.1).
        let date = sent_at.unwrap_or(times.received_at);
        let last_modified = wire::date(headers, &header::LAST_MODIFIED, times.received_at);
        let mut flags = directives.flags;
        if Tag::of(headers).is_some() {
            flags.set(Flags::HAS_ETAG);
        }
        Self {
            status,
            flags,
            lifetime: lifetime::of(rules, answered, &directives, date, last_modified),
            initial_age: initial_age(answered, date),
            received_at: times.received_at,
            date,
            last_modified,
            stale_while_revalidate: directives.stale_while_revalidate.unwrap_or(0),
            stale_if_error: directives.stale_if_error,
        }
    }

    /// The status of the response.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The age of the response in seconds, which is also what an `Age` field says (RFC 9111 §4.2.3). A clock
    /// that was set back does not make it younger than it was on arrival.
    #[must_use]
    pub fn age(&self, now: SystemTime) -> u32 {
        self.initial_age.saturating_add(seconds(now, self.received_at))
    }

    /// For how many seconds it is fresh, counted from an age of zero (RFC 9111 §4.2.1).
    #[must_use]
    pub fn lifetime(&self) -> u32 {
        self.lifetime.seconds
    }

    /// Where the lifetime comes from.
    #[must_use]
    pub fn lifetime_from(&self) -> LifetimeFrom {
        self.lifetime.from
    }

    /// For how many seconds it will still be fresh; negative once it is stale. It is the `ttl` of RFC 9211 §2.4.
    #[must_use]
    pub fn remaining(&self, now: SystemTime) -> i64 {
        i64::from(self.lifetime()) - i64::from(self.age(now))
    }

    /// Whether its age is below its lifetime (RFC 9111 §4.2). A fresh response may still need to be validated.
    #[must_use]
    pub fn is_fresh(&self, now: SystemTime) -> bool {
        self.remaining(now) > 0
    }

    /// When it was made, by its `Date`, or when it arrived.
    #[must_use]
    pub fn date(&self) -> SystemTime {
        self.date
    }

    /// When its head arrived, or was last freshened.
    #[must_use]
    pub fn received_at(&self) -> SystemTime {
        self.received_at
    }

    /// Whether it can be validated: it has an entity tag or a modification date (RFC 9111 §4.3.1).
    #[must_use]
    pub fn has_validator(&self) -> bool {
        self.flags.has(Flags::HAS_ETAG) || self.last_modified.is_some()
    }

    /// For how many seconds it has been stale.
    pub(super) fn staleness(&self, now: SystemTime) -> u32 {
        self.age(now).saturating_sub(self.lifetime())
    }

    /// Whether a directive of the response forbids to use it stale, whatever permits it elsewhere
    /// (RFC 9111 §4.2.4).
    pub(super) fn forbids_stale(&self, rules: &Rules) -> bool {
        let flags = self.flags;
        let for_shared = flags.has(Flags::PROXY_REVALIDATE) || flags.has(Flags::SHARED_MAX_AGE);
        flags.has(Flags::NO_CACHE) || flags.has(Flags::MUST_REVALIDATE) || (rules.is_shared() && for_shared)
    }

    /// Whether a shared cache may give an answer to one user to another (RFC 9111 §3.5).
    pub(super) fn is_for_everybody(&self) -> bool {
        let flags = self.flags;
        flags.has(Flags::PUBLIC) || flags.has(Flags::MUST_REVALIDATE) || flags.has(Flags::SHAREABLE)
    }
}

/// RFC 9111 §4.2.3.
fn initial_age(answered: &Answered<'_>, date: SystemTime) -> u32 {
    let times = answered.times;
    let apparent_age = seconds(times.received_at, date);
    let response_delay = seconds(times.received_at, times.requested_at);
    let age_value = httplib2_syntax::age::parse(wire::lines(answered.headers, &header::AGE)).unwrap_or(0);
    apparent_age.max(age_value.saturating_add(response_delay))
}

/// Whole seconds from one time to a later one; none if it is not later.
pub(super) fn seconds(later: SystemTime, earlier: SystemTime) -> u32 {
    saturated(later.duration_since(earlier).unwrap_or_default())
}

pub(super) fn saturated(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::testing::{Head, at};

    /// A response that was asked for at 1000 s and arrived at 1000 s plus `delay`.
    fn stored(head: &Head, delay: u64) -> Stored {
        let mut answered = head.answered();
        answered.times.received_at = at(delay);
        Stored::read(&Rules::private(), &answered)
    }

    #[test]
    fn the_age_is_the_greater_of_apparent_age_and_age_value_with_delay() {
        // RFC 9111 §4.2.3, H-CACHE-33, trap 25. The date is that many seconds before time zero.
        for (date, age, delay, expected) in [
            (Some(0), None, 0, 0),
            (Some(0), Some("30"), 0, 30),
            (Some(0), Some("30"), 5, 35),
            (Some(0), None, 5, 5),
            (Some(7200), None, 0, 7200),
            (Some(7200), Some("30"), 5, 7205),
            (Some(10), Some("30"), 0, 30),
            (Some(-100), None, 0, 0),
            (None, None, 5, 5),
            (None, Some("30"), 0, 30),
            (Some(0), Some("abc"), 0, 0),
            (Some(0), Some("-7200"), 0, 0),
            (Some(0), Some("7200, 0"), 0, 7200),
            (Some(0), Some("99999999999999999999"), 0, 1 << 31),
        ] {
            let mut head = Head::new(200);
            if let Some(date) = date {
                head = head.date("date", -date);
            }
            if let Some(age) = age {
                head = head.with("age", age);
            }
            let stored = stored(&head, delay);
            assert_eq!(stored.age(at(delay)), expected, "{date:?} {age:?} {delay}");
            assert_eq!(stored.age(at(delay + 10)), expected + 10, "{date:?} {age:?} {delay}");
        }
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_make_a_response_younger_than_on_arrival() {
        let stored = stored(&Head::new(200).with("age", "30"), 0);
        assert_eq!(stored.age(SystemTime::UNIX_EPOCH), 30);
        let head = Head::new(200);
        let mut before = head.answered();
        before.times.requested_at = at(100);
        assert_eq!(Stored::read(&Rules::private(), &before).age(at(0)), 0);
    }

    #[test]
    fn an_age_has_an_end() {
        let stored = stored(&Head::new(200).with("age", "99999999999999999999"), 0);
        assert_eq!(stored.age(at(u64::from(u32::MAX))), u32::MAX);
        assert_eq!(stored.staleness(at(u64::from(u32::MAX))), u32::MAX);
    }

    #[test]
    fn a_response_is_stale_as_soon_as_its_age_reaches_its_lifetime() {
        // RFC 9111 §4.2.
        let stored = stored(&Head::new(200).with("cache-control", "max-age=60"), 0);
        for (now, remaining, fresh) in [(0, 60, true), (59, 1, true), (60, 0, false), (120, -60, false)] {
            assert_eq!((stored.remaining(at(now)), stored.is_fresh(at(now))), (remaining, fresh), "{now}");
        }
    }

    #[test]
    fn a_validator_is_a_tag_or_a_date_that_can_be_read() {
        for (name, value, expected) in [
            ("etag", "\"a\"", true),
            ("etag", "W/\"a\"", true),
            ("etag", "a", true),
            ("etag", "", false),
            ("last-modified", "Thu, 01 Jan 1970 00:10:00 GMT", true),
            ("last-modified", "yesterday", false),
            ("x", "y", false),
        ] {
            assert_eq!(stored(&Head::new(200).with(name, value), 0).has_validator(), expected, "{name}: {value}");
        }
    }
}
