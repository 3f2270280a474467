//! For how long a response is fresh (RFC 9111 §4.2.1, §4.2.2).

use std::time::SystemTime;

use http::{StatusCode, header};

use super::{
    Answered, Rules,
    directives::{Directives, Flags},
    stored::{saturated, seconds},
    wire,
};

/// Where the lifetime of a response comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LifetimeFrom {
    /// From nothing: it is stale on arrival.
    Nothing,
    /// From `s-maxage`.
    SMaxAge,
    /// From `max-age`.
    MaxAge,
    /// From `Expires`.
    Expires,
    /// From a guess (RFC 9111 §4.2.2).
    Heuristic,
}

/// A lifetime in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lifetime {
    pub(super) seconds: u32,
    pub(super) from: LifetimeFrom,
}

/// The first that applies (RFC 9111 §4.2.1).
pub(super) fn of(
    rules: &Rules,
    answered: &Answered<'_>,
    directives: &Directives,
    date: SystemTime,
    last_modified: Option<SystemTime>,
) -> Lifetime {
    let explicit = |seconds, from| Lifetime { seconds, from };
    match (directives.s_maxage, directives.max_age) {
        (Some(seconds), _) if rules.is_shared() => return explicit(seconds, LifetimeFrom::SMaxAge),
        (_, Some(seconds)) => return explicit(seconds, LifetimeFrom::MaxAge),
        _ => {}
    }
    if answered.headers.contains_key(header::EXPIRES) && !directives.are_targeted {
        // What cannot be read, such as 0, has passed, and so has one of two different dates (RFC 9111 §5.3).
        let expires = wire::date(answered.headers, &header::EXPIRES, answered.times.received_at);
        return explicit(expires.map_or(0, |expires| seconds(expires, date)), LifetimeFrom::Expires);
    }
    match guess(rules, answered, directives, date, last_modified) {
        Some(seconds) => Lifetime { seconds, from: LifetimeFrom::Heuristic },
        None => Lifetime { seconds: 0, from: LifetimeFrom::Nothing },
    }
}

/// RFC 9111 §4.2.2.
fn guess(
    rules: &Rules,
    answered: &Answered<'_>,
    directives: &Directives,
    date: SystemTime,
    last_modified: Option<SystemTime>,
) -> Option<u32> {
    let heuristic = rules.heuristic?;
    // A page that begins a session is not for everybody, unless the origin says how long it is (CACHE-53).
    let is_personal = rules.is_shared() && answered.headers.contains_key(header::SET_COOKIE);
    if is_personal || !(is_guessable(answered.status) || directives.has(Flags::PUBLIC)) {
        return None;
    }
    let unchanged_for = date.duration_since(last_modified?).ok()?;
    let part = unchanged_for.as_secs() / 100 * u64::from(heuristic.percent)
        + unchanged_for.as_secs() % 100 * u64::from(heuristic.percent) / 100;
    Some(u32::try_from(part).unwrap_or(u32::MAX).min(saturated(heuristic.at_most)))
}

/// The statuses that are heuristically cacheable (RFC 9110 §15.1).
pub(super) fn is_guessable(status: StatusCode) -> bool {
    matches!(status.as_u16(), 200 | 203 | 204 | 206 | 300 | 301 | 308 | 404 | 405 | 410 | 414 | 501)
}

// === impl Lifetime ===

impl Lifetime {
    /// Whether the origin said so.
    pub(super) fn is_explicit(self) -> bool {
        matches!(self.from, LifetimeFrom::SMaxAge | LifetimeFrom::MaxAge | LifetimeFrom::Expires)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::policy::{Heuristic, Stored, testing::Head};

    fn lifetime(rules: &Rules, head: &Head) -> (u32, LifetimeFrom) {
        let stored = Stored::read(rules, &head.answered());
        (stored.lifetime(), stored.lifetime_from())
    }

    fn modified(seconds_ago: i64) -> Head {
        Head::new(200).date("date", 0).date("last-modified", -seconds_ago)
    }

    #[test]
    fn the_first_of_s_maxage_max_age_and_expires_counts() {
        // RFC 9111 §4.2.1, H-CACHE-39, CACHE-49.
        let expires = || Head::new(200).date("date", 0).date("expires", 30);
        for (value, private, shared) in [
            ("foo", (30, LifetimeFrom::Expires), (30, LifetimeFrom::Expires)),
            ("max-age=60", (60, LifetimeFrom::MaxAge), (60, LifetimeFrom::MaxAge)),
            ("max-age=0", (0, LifetimeFrom::MaxAge), (0, LifetimeFrom::MaxAge)),
            ("max-age=0, s-maxage=9", (0, LifetimeFrom::MaxAge), (9, LifetimeFrom::SMaxAge)),
            ("s-maxage=1, max-age=60", (60, LifetimeFrom::MaxAge), (1, LifetimeFrom::SMaxAge)),
            ("s-maxage=x, max-age=60", (60, LifetimeFrom::MaxAge), (0, LifetimeFrom::SMaxAge)),
            ("s-maxage=9", (30, LifetimeFrom::Expires), (9, LifetimeFrom::SMaxAge)),
        ] {
            let head = expires().with("cache-control", value);
            assert_eq!(lifetime(&Rules::private(), &head), private, "private: {value}");
            assert_eq!(lifetime(&Rules::shared(), &head), shared, "shared: {value}");
        }
    }

    #[test]
    fn expires_counts_from_the_date_of_the_response() {
        // RFC 9111 §4.2.1, §5.3.
        let rules = Rules::private();
        let from = |seconds| (seconds, LifetimeFrom::Expires);
        assert_eq!(lifetime(&rules, &Head::new(200).date("date", -20).date("expires", 10)), from(30));
        assert_eq!(lifetime(&rules, &Head::new(200).date("date", 0).date("expires", -10)), from(0));
        // Without a date, or with one that cannot be read, from its arrival (H-CACHE-37).
        assert_eq!(lifetime(&rules, &Head::new(200).date("expires", 10)), from(10));
        assert_eq!(lifetime(&rules, &Head::new(200).with("date", "today").date("expires", 10)), from(10));
        // CACHE-37.
        for value in ["0", "-1", "", "Thu, 18 Aug 50 02:01:18 GMT"] {
            assert_eq!(lifetime(&rules, &modified(1000).with("expires", value)), from(0), "{value}");
        }
        let twice = Head::new(200).date("expires", 10).date("expires", 20);
        assert_eq!(lifetime(&rules, &twice), from(0));
        assert_eq!(lifetime(&rules, &Head::new(200).date("expires", 10).date("expires", 10)), from(10));
    }

    #[test]
    fn a_targeted_field_leaves_expires_no_say() {
        // RFC 9213 §2.2.
        let head = Head::new(200).date("expires", 10).with("cdn-cache-control", "must-revalidate");
        assert_eq!(lifetime(&Rules::shared(), &head).1, LifetimeFrom::Nothing);
        assert_eq!(lifetime(&Rules::private(), &head).1, LifetimeFrom::Expires);
    }

    #[test]
    fn a_guess_is_a_part_of_the_time_since_the_last_modification() {
        // RFC 9111 §4.2.2.
        let mut rules = Rules::private();
        let guessed = |seconds| (seconds, LifetimeFrom::Heuristic);
        assert_eq!(lifetime(&rules, &modified(86_400)), guessed(8_640));
        assert_eq!(lifetime(&rules, &modified(199)), guessed(19));
        assert_eq!(lifetime(&rules, &modified(5)), guessed(0));
        assert_eq!(lifetime(&rules, &modified(100 * 86_400)), guessed(86_400));
        assert_eq!(lifetime(&rules, &modified(-10)), (0, LifetimeFrom::Nothing));
        assert_eq!(lifetime(&rules, &Head::new(200)), (0, LifetimeFrom::Nothing));
        rules.heuristic = Some(Heuristic { percent: 50, at_most: Duration::from_secs(60) });
        assert_eq!(lifetime(&rules, &modified(100)), guessed(50));
        assert_eq!(lifetime(&rules, &modified(1000)), guessed(60));
        rules.heuristic = None;
        assert_eq!(lifetime(&rules, &modified(86_400)), (0, LifetimeFrom::Nothing));
    }

    #[test]
    fn a_guess_needs_a_status_that_allows_it_or_public() {
        // RFC 9110 §15.1, CACHE-43.
        for (status, guessed) in [
            (200, true),
            (203, true),
            (204, true),
            (300, true),
            (301, true),
            (308, true),
            (404, true),
            (405, true),
            (410, true),
            (414, true),
            (501, true),
            (201, false),
            (202, false),
            (302, false),
            (307, false),
            (400, false),
            (403, false),
            (500, false),
            (502, false),
            (503, false),
            (504, false),
            (599, false),
        ] {
            let head = || Head { status, ..modified(86_400) };
            let from = if guessed { LifetimeFrom::Heuristic } else { LifetimeFrom::Nothing };
            assert_eq!(lifetime(&Rules::private(), &head()).1, from, "{status}");
            let public = head().with("cache-control", "public");
            assert_eq!(lifetime(&Rules::private(), &public).1, LifetimeFrom::Heuristic, "{status}");
        }
    }

    #[test]
    fn a_shared_cache_guesses_nothing_about_a_response_that_sets_a_cookie() {
        // CACHE-53.
        let head = modified(86_400).with("set-cookie", "a=b").with("cache-control", "public");
        assert_eq!(lifetime(&Rules::shared(), &head).1, LifetimeFrom::Nothing);
        assert_eq!(lifetime(&Rules::private(), &head).1, LifetimeFrom::Heuristic);
        let explicit = head.with("cache-control", "max-age=5");
        assert_eq!(lifetime(&Rules::shared(), &explicit), (5, LifetimeFrom::MaxAge));
    }
}
