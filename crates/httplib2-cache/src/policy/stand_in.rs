//! May a stored response stand in for an answer that failed? (RFC 9111 §4.2.4, RFC 5861 §4)

use std::time::SystemTime;

use http::StatusCode;

use super::{Asked, Held, Hit, Rules, Why, conditions, directives::Flags, reuse::ages, stored::saturated};

/// How the origin failed to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It answered with this status.
    Status(StatusCode),
    /// It did not answer: no connection, or none that lasted.
    Disconnected,
}

/// Whether the selected response stands in for a failure, and how. `None`: the caller gets the failure.
///
/// Only a 500, 502, 503 or 504 is a failure (RFC 5861 §4). `no-cache`, `must-revalidate` and, in a shared cache,
/// `proxy-revalidate` and `s-maxage` forbid it, whatever permits it (RFC 9111 §4.2.4); so do `no-cache`,
/// `max-age` and `min-fresh` of the request, if it does not accept the response or say `stale-if-error` itself.
/// What the origin says about how long counts before any setting.
#[must_use]
pub fn stands_in(rules: &Rules, asked: &Asked<'_>, held: &Held<'_>, failure: Failure, now: SystemTime) -> Option<Hit> {
    if !is_failure(failure) || held.stored.forbids_stale(rules) || !is_accepted(rules, asked, held, now) {
        return None;
    }
    if held.stored.staleness(now) > longest(rules, asked, held, failure)? {
        return None;
    }
    let ages = ages(held, now);
    let why = match failure {
        Failure::Status(_) => Why::OnError(ages),
        Failure::Disconnected => Why::Disconnected(ages),
    };
    Some(Hit { age: ages.age, give: conditions::give(asked, held), why })
}

fn is_failure(failure: Failure) -> bool {
    match failure {
        Failure::Status(status) => matches!(status.as_u16(), 500 | 502 | 503 | 504),
        Failure::Disconnected => true,
    }
}

/// Whether the request has nothing against the response.
fn is_accepted(rules: &Rules, asked: &Asked<'_>, held: &Held<'_>, now: SystemTime) -> bool {
    let control = asked.control;
    let is_for_other = rules.is_shared() && asked.is_authorized(rules) && !held.stored.is_for_everybody();
    let is_too_old = control.max_age.is_some_and(|max_age| held.stored.age(now) > max_age || max_age == 0);
    let is_strict = control.no_cache || is_too_old || control.min_fresh.is_some();
    !is_for_other && !held.stored.flags.has(Flags::NO_CACHE) && (!is_strict || control.stale_if_error.is_some())
}

/// How stale it may be, in seconds.
fn longest(rules: &Rules, asked: &Asked<'_>, held: &Held<'_>, failure: Failure) -> Option<u32> {
    let by_origin = held.stored.stale_if_error.filter(|_| rules.stale_if_error);
    let by_request = asked.control.stale_if_error.filter(|_| rules.stale_if_error);
    let by_setting = || match failure {
        Failure::Status(_) => rules.stale_if_error_default.map(saturated),
        Failure::Disconnected => rules.stale_if_disconnected.map(saturated),
    };
    // Either may permit it on its own.
    by_origin.max(by_request).or_else(by_setting)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::policy::testing::{Ask, Head, at};

    const DAY: u64 = 24 * 60 * 60;

    fn stands(rules: &Rules, directives: &str, ask: &Ask, failure: Failure, now: u64) -> bool {
        let entry = Head::cached(directives).kept(rules, &Ask::get());
        stands_in(rules, &ask.asked(), &entry.held(), failure, at(now)).is_some()
    }

    fn status(code: u16) -> Failure {
        Failure::Status(StatusCode::from_u16(code).unwrap())
    }

    #[test]
    fn only_four_statuses_and_no_answer_are_failures() {
        // RFC 5861 §4.
        for (code, expected) in
            [(500, true), (502, true), (503, true), (504, true), (501, false), (505, false), (429, false), (404, false)]
        {
            let stands = stands(&Rules::private(), "max-age=60, stale-if-error=60", &Ask::get(), status(code), 90);
            assert_eq!(stands, expected, "{code}");
        }
    }

    #[test]
    fn stale_if_error_permits_for_so_long() {
        // RFC 5861 §4, H-CACHE-53, trap 3.
        let rules = Rules::private();
        for (directives, asked, now, expected) in [
            ("max-age=60, stale-if-error=30", "foo", 90, true),
            ("max-age=60, stale-if-error=30", "foo", 91, false),
            ("max-age=60", "foo", 60, false),
            ("max-age=60", "stale-if-error=30", 90, true),
            ("max-age=60", "stale-if-error=30", 91, false),
            ("max-age=60, stale-if-error=0", "stale-if-error=30", 90, true),
            ("max-age=60, stale-if-error=30", "stale-if-error=0", 90, true),
        ] {
            let ask = Ask::get().control(asked);
            assert_eq!(stands(&rules, directives, &ask, status(503), now), expected, "{directives} {asked} {now}");
        }
        let off = Rules { stale_if_error: false, ..Rules::private() };
        assert!(!stands(&off, "max-age=60, stale-if-error=30", &Ask::get(), status(503), 70));
    }

    #[test]
    fn a_setting_permits_where_the_origin_says_nothing() {
        let rules = Rules { stale_if_error_default: Some(Duration::from_secs(10)), ..Rules::private() };
        assert!(stands(&rules, "max-age=60", &Ask::get(), status(503), 70));
        assert!(!stands(&rules, "max-age=60", &Ask::get(), status(503), 71));
        assert!(!stands(&rules, "max-age=60, stale-if-error=0", &Ask::get(), status(503), 65));
    }

    #[test]
    fn without_an_answer_a_stale_response_is_served_for_a_day() {
        // RFC 9111 §4.2.4, trap 4.
        let rules = Rules::private();
        assert!(stands(&rules, "max-age=60", &Ask::get(), Failure::Disconnected, 60 + DAY));
        assert!(!stands(&rules, "max-age=60", &Ask::get(), Failure::Disconnected, 61 + DAY));
        assert!(!stands(&rules, "max-age=60, stale-if-error=30", &Ask::get(), Failure::Disconnected, 91));
        let off = Rules { stale_if_disconnected: None, ..Rules::private() };
        assert!(!stands(&off, "max-age=60", &Ask::get(), Failure::Disconnected, 60));
        assert!(stands(&off, "max-age=60, stale-if-error=30", &Ask::get(), Failure::Disconnected, 90));
    }

    #[test]
    fn directives_that_forbid_staleness_are_obeyed() {
        // RFC 9111 §5.2.2.2, §5.2.2.8, §5.2.2.10, CACHE-16, trap 3.
        for (directives, in_private, in_shared) in [
            ("must-revalidate", false, false),
            ("proxy-revalidate", true, false),
            ("s-maxage=60", true, false),
            ("no-cache", false, false),
            ("no-cache=\"x\"", true, true),
        ] {
            let directives = format!("max-age=60, stale-if-error=600, {directives}");
            for failure in [status(503), Failure::Disconnected] {
                assert_eq!(
                    stands(&Rules::private(), &directives, &Ask::get(), failure, 61),
                    in_private,
                    "{directives}"
                );
                assert_eq!(stands(&Rules::shared(), &directives, &Ask::get(), failure, 61), in_shared, "{directives}");
            }
        }
    }

    #[test]
    fn a_request_that_does_not_accept_it_gets_the_failure() {
        let sie = "max-age=60, stale-if-error=600";
        for (asked, expected) in [
            ("no-cache", false),
            ("max-age=0", false),
            ("max-age=60", false),
            ("max-age=61", true),
            ("min-fresh=1", false),
            ("no-cache, stale-if-error=60", true),
            ("max-stale", true),
        ] {
            let ask = Ask::get().control(asked);
            assert_eq!(stands(&Rules::private(), sie, &ask, Failure::Disconnected, 61), expected, "{asked}");
        }
        let alice = Ask::get().by("alice");
        assert!(!stands(&Rules::shared(), sie, &alice, status(503), 61));
        assert!(stands(&Rules::shared(), "public, max-age=60, stale-if-error=60", &alice, status(503), 61));
    }

    #[test]
    fn the_stand_in_answers_the_condition_of_the_caller() {
        let entry = Head::cached("max-age=60").with("etag", "\"a\"").kept(&Rules::private(), &Ask::get());
        let ask = Ask::get().with("if-none-match", "\"a\"");
        let hit = stands_in(&Rules::private(), &ask.asked(), &entry.held(), Failure::Disconnected, at(70)).unwrap();
        assert_eq!((hit.age, hit.give), (70, conditions::Give::NotModified));
        assert_eq!(hit.why, Why::Disconnected(super::super::Ages { age: 70, lifetime: 60 }));
    }
}
