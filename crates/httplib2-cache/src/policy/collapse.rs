//! May a request wait for another one that is under way? (RFC 9111 §4)

use std::time::SystemTime;

use http::{Method, header};

use super::{Asked, Held, Hit, Rules, Why, conditions, reuse::ages};

/// Whether a request that would go to the origin for the reason `why` may be answered together with others of the same
/// kind, as far as its head tells.
///
/// Only what nothing or something stale is stored for: one that asks for a part, for an answer of its own or for
/// somebody goes alone, and so does one about a stored response that says `no-cache`, which has to be confirmed to
/// each.
#[must_use]
pub fn collapses(rules: &Rules, asked: &Asked<'_>, why: Why) -> bool {
    let control = asked.control;
    let wants_its_own = control.no_store
        || control.no_cache
        || control.only_if_cached
        || control.max_age == Some(0)
        || asked.headers.contains_key(header::RANGE);
    *asked.method == Method::GET
        && !wants_its_own
        && !(rules.is_shared() && asked.is_authorized(rules))
        && matches!(why, Why::Missing | Why::OtherVariant | Why::Part | Why::Stale(_))
}

/// Whether the selected response, at most `longest` seconds stale, answers a request while another one is under way
/// that asks whether it still holds (RFC 9111 §4.2.4).
///
/// What forbids to use it stale, or whoever wants it fresh for longer, is obeyed.
#[must_use]
pub fn serves_meanwhile(
    rules: &Rules,
    asked: &Asked<'_>,
    held: &Held<'_>,
    longest: u32,
    now: SystemTime,
) -> Option<Hit> {
    let control = asked.control;
    let age = held.stored.age(now);
    let is_accepted = control.min_fresh.is_none() && control.max_age.is_none_or(|max_age| age <= max_age);
    let is_allowed = !held.stored.forbids_stale(rules) && held.stored.staleness(now) <= longest;
    let why = Why::WhileRevalidating(ages(held, now));
    (longest > 0 && is_accepted && is_allowed).then(|| Hit { age, give: conditions::give(asked, held), why })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{
        Ages,
        testing::{Ask, Head, at},
    };

    const STALE: Why = Why::Stale(Ages { age: 70, lifetime: 60 });

    #[test]
    fn only_what_has_no_wish_of_its_own_waits_for_another_request() {
        // RFC 9111 §4, peers.md §5.4.
        for (ask, expected) in [
            (Ask::get(), true),
            (Ask::get().control("max-age=10"), true),
            (Ask::get().control("max-stale"), true),
            (Ask::get().control("max-age=0"), false),
            (Ask::get().control("no-cache"), false),
            (Ask::get().control("no-store"), false),
            (Ask::get().control("only-if-cached"), false),
            (Ask { method: Method::HEAD, ..Ask::get() }, false),
            (Ask { method: Method::POST, ..Ask::get() }, false),
        ] {
            assert_eq!(collapses(&Rules::private(), &ask.asked(), Why::Missing), expected, "{:?}", ask.asked());
            assert_eq!(collapses(&Rules::shared(), &ask.asked(), STALE), expected, "{:?}", ask.asked());
        }
    }

    #[test]
    fn only_what_nothing_or_something_stale_is_stored_for_waits() {
        let age = Why::TooOld { age: 9, max_age: 5 };
        for (why, expected) in [
            (Why::Missing, true),
            (Why::OtherVariant, true),
            (STALE, true),
            (Why::NoCache, false),
            (Why::Range, false),
            (Why::Reload, false),
            (Why::RequestNoCache, false),
            (Why::Authorized, false),
            (age, false),
        ] {
            assert_eq!(collapses(&Rules::private(), &Ask::get().asked(), why), expected, "{why}");
        }
    }

    #[test]
    fn in_a_shared_cache_nobody_waits_for_what_is_made_for_somebody() {
        // RFC 9111 §3.5.
        for ask in [Ask::get().by("alice"), Ask::get().with("authorization", "Basic x")] {
            assert!(collapses(&Rules::private(), &ask.asked(), Why::Missing));
            assert!(!collapses(&Rules::shared(), &ask.asked(), Why::Missing));
        }
    }

    #[test]
    fn what_is_stale_answers_meanwhile_for_so_long_unless_that_is_forbidden() {
        // RFC 9111 §4.2.4, §5.2.2.2, §5.2.2.8.
        let rules = Rules::shared();
        for (directives, asked, longest, now, expected) in [
            ("max-age=60", "foo", 10, 70, true),
            ("max-age=60", "foo", 10, 71, false),
            ("max-age=60", "foo", 0, 60, false),
            ("max-age=60", "max-age=70", 10, 70, true),
            ("max-age=60", "max-age=69", 10, 70, false),
            ("max-age=60", "min-fresh=1", 10, 70, false),
            ("max-age=60, must-revalidate", "foo", 10, 70, false),
            ("max-age=60, proxy-revalidate", "foo", 10, 70, false),
            ("max-age=60, no-cache", "foo", 10, 70, false),
        ] {
            let entry = Head::cached(directives).kept(&rules, &Ask::get());
            let ask = Ask::get().control(asked);
            let hit = serves_meanwhile(&rules, &ask.asked(), &entry.held(), longest, at(now));
            assert_eq!(hit.is_some(), expected, "{directives}, {asked}, {longest}, {now}");
        }
    }
}
