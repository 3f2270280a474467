use super::*;
use crate::policy::{
    Control,
    testing::{Ask, Head, at},
};

/// What becomes of `ask` so many seconds after `head` came and was stored.
fn reused(rules: &Rules, head: &Head, ask: &Ask, now: u64) -> Reuse {
    let entry = head.kept(rules, &Ask::get());
    reuse(rules, &ask.asked(), Some(entry.held()), true, at(now))
}

fn private(head: &Head, ask: &Ask, now: u64) -> Reuse {
    reused(&Rules::private(), head, ask, now)
}

fn served(reuse: Reuse) -> Hit {
    match reuse {
        Reuse::Serve(hit) => hit,
        other => panic!("not served: {other:?}"),
    }
}

fn tagged(directives: &str) -> Head {
    Head::cached(directives).with("etag", "\"a\"")
}

fn ages(age: u32, lifetime: u32) -> Ages {
    Ages { age, lifetime }
}

#[test]
fn a_fresh_response_is_served_with_its_age() {
    // RFC 9111 §4.2, §5.1, CACHE-38.
    let hit = served(private(&Head::cached("max-age=60"), &Ask::get(), 5));
    assert_eq!(hit, Hit { age: 5, give: Give::Whole, why: Why::Fresh(ages(5, 60)) });
    assert_eq!(private(&Head::cached("max-age=60"), &Ask::get(), 60), Reuse::Forward(Why::Stale(ages(60, 60))));
    assert_eq!(private(&tagged("max-age=60"), &Ask::get(), 61), Reuse::Validate(Why::Stale(ages(61, 60))));
}

#[test]
fn what_is_not_stored_is_asked_for() {
    let reused = |rules: &Rules, has_variants| reuse(rules, &Ask::get().asked(), None, has_variants, at(0));
    assert_eq!(reused(&Rules::private(), false), Reuse::Forward(Why::Missing));
    // RFC 9111 §4.3.1.
    assert_eq!(reused(&Rules::private(), true), Reuse::Validate(Why::OtherVariant));
    let rules = Rules { validates_variants: false, ..Rules::private() };
    assert_eq!(reused(&rules, true), Reuse::Forward(Why::OtherVariant));
}

#[test]
fn no_cache_is_validated_each_time() {
    // RFC 9111 §5.2.2.4, §5.2.1.4, CACHE-15, CACHE-45.
    assert_eq!(private(&tagged("max-age=60, no-cache"), &Ask::get(), 0), Reuse::Validate(Why::NoCache));
    let max_stale = Ask::get().control("max-stale");
    assert_eq!(private(&tagged("max-age=60, no-cache"), &max_stale, 90), Reuse::Validate(Why::NoCache));
    for ask in [Ask::get().control("no-cache"), Ask::get().with("pragma", "no-cache")] {
        assert_eq!(private(&tagged("max-age=60"), &ask, 0), Reuse::Validate(Why::RequestNoCache));
        assert_eq!(private(&Head::cached("max-age=60"), &ask, 0), Reuse::Forward(Why::RequestNoCache));
    }
}

#[test]
fn no_store_of_the_request_does_not_keep_it_from_the_store() {
    // RFC 9111 §5.2.1.5, H-CACHE-12.
    served(private(&Head::cached("max-age=60"), &Ask::get().control("no-store"), 0));
}

#[test]
fn max_age_of_the_request_can_only_shorten() {
    // RFC 9111 §5.2.1.1, H-CACHE-32.
    for (directives, asked, now, expected) in [
        ("max-age=60", "max-age=10", 10, None),
        ("max-age=60", "max-age=10", 11, Some(Why::TooOld { age: 11, max_age: 10 })),
        ("max-age=60", "max-age=0", 0, Some(Why::TooOld { age: 0, max_age: 0 })),
        ("max-age=10", "max-age=60", 10, Some(Why::Stale(ages(10, 10)))),
        // max-stale concerns the lifetime and not what the request itself accepts.
        ("max-age=60", "max-age=10, max-stale", 11, Some(Why::TooOld { age: 11, max_age: 10 })),
    ] {
        let expected = expected.map(Reuse::Forward);
        match private(&Head::cached(directives), &Ask::get().control(asked), now) {
            Reuse::Serve(_) => assert_eq!(expected, None, "{directives} {asked} {now}"),
            other => assert_eq!(Some(other), expected, "{directives} {asked} {now}"),
        }
    }
}

#[test]
fn max_age_of_the_request_lengthens_by_httplib2s_rule() {
    // H-CACHE-31, H-CACHE-32.
    let rules = Rules { request_max_age_lengthens: true, ..Rules::private() };
    let head = Head::cached("max-age=0");
    let hit = served(reused(&rules, &head, &Ask::get().control("max-age=3600"), 60));
    assert_eq!(hit.why, Why::FreshByRequest(ages(60, 3600)));
    for (asked, now) in [("max-age=3600", 3600), ("max-age=3600, min-fresh=3540", 60)] {
        let ask = Ask::get().control(asked);
        served(reused(&rules, &head, &ask, now - 1));
        assert_eq!(reused(&rules, &head, &ask, now), Reuse::Forward(Why::Stale(ages(now as u32, 3600))));
    }
    let no_cache = Head::cached("no-cache");
    assert_eq!(reused(&rules, &no_cache, &Ask::get().control("max-age=60"), 0), Reuse::Forward(Why::NoCache));
}

#[test]
fn min_fresh_wants_the_response_to_stay_fresh() {
    // RFC 9111 §5.2.1.3.
    let ask = Ask::get().control("min-fresh=20");
    served(private(&Head::cached("max-age=60"), &ask, 40));
    let short = Why::TooShort { left: 19, min_fresh: 20 };
    assert_eq!(private(&Head::cached("max-age=60"), &ask, 41), Reuse::Forward(short));
    let stale = Head::cached("max-age=60, stale-while-revalidate=60");
    assert_eq!(private(&stale, &ask, 61), Reuse::Forward(Why::Stale(ages(61, 60))));
}

#[test]
fn max_stale_accepts_a_stale_response() {
    // RFC 9111 §5.2.1.2.
    for (asked, now, expected) in [
        ("max-stale", 1_000_000, true),
        ("max-stale=10", 70, true),
        ("max-stale=10", 71, false),
        ("max-stale=x", 61, false),
    ] {
        let reuse = private(&Head::cached("max-age=60"), &Ask::get().control(asked), now);
        assert_eq!(matches!(reuse, Reuse::Serve(Hit { why: Why::MaxStale(_), .. })), expected, "{asked} {now}");
    }
}

#[test]
fn directives_that_forbid_staleness_are_obeyed_whatever_permits_it() {
    // RFC 9111 §4.2.4, traps 4 and 26.
    for (directives, in_private, in_shared) in [
        ("max-age=60", true, true),
        ("max-age=60, must-revalidate", false, false),
        ("max-age=60, proxy-revalidate", true, false),
        ("max-age=60, s-maxage=60", true, false),
        ("max-age=60, no-cache", false, false),
    ] {
        for permits in ["max-stale", "foo"] {
            let head = Head::cached(directives).with("cache-control", "stale-while-revalidate=60");
            for (rules, expected) in [(Rules::private(), in_private), (Rules::shared(), in_shared)] {
                let reuse = reused(&rules, &head, &Ask::get().control(permits), 61);
                let is_served = matches!(reuse, Reuse::Serve(_) | Reuse::ServeAndRefresh(_));
                assert_eq!(is_served, expected, "{directives} {permits} {:?}", rules.kind);
            }
        }
    }
}

#[test]
fn proxy_revalidate_does_not_keep_a_fresh_response_from_being_served() {
    served(reused(&Rules::shared(), &Head::cached("max-age=60, proxy-revalidate"), &Ask::get(), 5));
}

#[test]
fn a_response_is_served_while_it_is_revalidated() {
    // RFC 5861 §3.
    let head = tagged("max-age=60, stale-while-revalidate=10");
    let hit = Hit { age: 70, give: Give::Whole, why: Why::WhileRevalidating(ages(70, 60)) };
    assert_eq!(private(&head, &Ask::get(), 70), Reuse::ServeAndRefresh(hit));
    assert_eq!(private(&head, &Ask::get(), 71), Reuse::Validate(Why::Stale(ages(71, 60))));
    let rules = Rules { stale_while_revalidate: false, ..Rules::private() };
    assert_eq!(reused(&rules, &head, &Ask::get(), 70), Reuse::Validate(Why::Stale(ages(70, 60))));
    let zero = tagged("max-age=60, stale-while-revalidate=0");
    assert_eq!(private(&zero, &Ask::get(), 60), Reuse::Validate(Why::Stale(ages(60, 60))));
    // A request that sets a limit of its own is not answered beyond it.
    let asked = Ask::get().control("max-age=60");
    assert_eq!(private(&head, &asked, 61), Reuse::Validate(Why::TooOld { age: 61, max_age: 60 }));
}

#[test]
fn only_if_cached_never_asks_the_origin() {
    // RFC 9111 §5.2.1.7, H-CACHE-36, CACHE-40, trap 14.
    let only = || Ask::get().control("only-if-cached");
    let missing = reuse(&Rules::private(), &only().asked(), None, false, at(0));
    assert_eq!(missing, Reuse::Refuse(Why::Missing));
    served(private(&Head::cached("max-age=60"), &only(), 5));
    assert_eq!(private(&Head::cached("max-age=60"), &only(), 60), Reuse::Refuse(Why::Stale(ages(60, 60))));
    served(private(&Head::cached("max-age=60"), &Ask::get().control("only-if-cached, max-stale"), 60));
    let both = Ask::get().control("only-if-cached, no-cache");
    assert_eq!(private(&Head::cached("max-age=60"), &both, 5), Reuse::Refuse(Why::RequestNoCache));
    let swr = Head::cached("max-age=60, stale-while-revalidate=60");
    assert_eq!(private(&swr, &only(), 61), Reuse::Refuse(Why::Stale(ages(61, 60))));
    let rules = Rules { only_if_cached_serves_stale: true, ..Rules::private() };
    let hit = served(reused(&rules, &Head::cached("max-age=60, must-revalidate"), &only(), 61));
    assert_eq!(hit.why, Why::OnlyIfCached(ages(61, 60)));
    assert_eq!(reused(&rules, &Head::cached("no-cache"), &only(), 5), Reuse::Refuse(Why::NoCache));
}

#[test]
fn what_never_changes_is_not_reloaded_while_it_is_fresh() {
    // RFC 8246 §2.
    let head = tagged("max-age=60, immutable");
    served(private(&head, &Ask::get().control("max-age=0"), 5));
    assert_eq!(private(&head, &Ask::get().control("no-cache"), 5), Reuse::Validate(Why::RequestNoCache));
    let expired = Why::TooOld { age: 60, max_age: 0 };
    assert_eq!(private(&head, &Ask::get().control("max-age=0"), 60), Reuse::Validate(expired));
    let older = Why::TooOld { age: 5, max_age: 3 };
    assert_eq!(private(&head, &Ask::get().control("max-age=3"), 5), Reuse::Validate(older));
}

#[test]
fn a_request_made_for_somebody_gets_of_a_shared_cache_what_is_for_everybody() {
    // RFC 9111 §3.5.
    for (directives, is_for_everybody) in [
        ("max-age=60", false),
        ("max-age=60, public", true),
        ("max-age=60, must-revalidate", true),
        ("s-maxage=60", true),
        ("max-age=60, proxy-revalidate", false),
    ] {
        let head = Head::cached(directives).with("etag", "\"a\"");
        for ask in [Ask::get().with("authorization", "Basic x"), Ask::get().by("alice")] {
            match reused(&Rules::shared(), &head, &ask, 5) {
                Reuse::Serve(_) => assert!(is_for_everybody, "{directives}"),
                other => {
                    assert!(!is_for_everybody, "{directives}");
                    assert_eq!(other, Reuse::Forward(Why::Authorized), "{directives}");
                }
            }
        }
        served(reused(&Rules::shared(), &head, &Ask::get(), 5));
    }
}

#[test]
fn a_condition_of_the_caller_is_answered_from_what_is_served() {
    // RFC 9111 §4.3.2, trap 17.
    let known = Ask::get().with("if-none-match", "\"a\"");
    assert_eq!(served(private(&tagged("max-age=60"), &known, 5)).give, Give::NotModified);
    let other = Ask::get().with("if-none-match", "\"b\"");
    assert_eq!(served(private(&tagged("max-age=60"), &other, 5)).give, Give::Whole);
    assert_eq!(private(&tagged("max-age=60"), &known, 60), Reuse::Validate(Why::Stale(ages(60, 60))));
}

#[test]
fn a_caller_that_accepts_anything_gets_what_was_selected_for_it() {
    let forced = |rules: &Rules, head: &Head, ask: &Ask, now| {
        let entry = head.kept(rules, &Ask::get());
        let control = Control { accepts_any: true, ..Control::default() };
        reuse(rules, &ask.asked().with_control(control), Some(entry.held()), false, at(now))
    };
    let rules = Rules::private();
    for directives in ["max-age=60", "max-age=60, must-revalidate", "no-cache, max-age=60"] {
        let hit = served(forced(&rules, &tagged(directives), &Ask::get(), 100));
        assert_eq!(hit.why, Why::Forced(ages(100, 60)), "{directives}");
    }
    assert_eq!(served(forced(&rules, &tagged("max-age=60"), &Ask::get(), 0)).why, Why::Fresh(ages(0, 60)));
    // But nothing that is not for everybody.
    let alice = Ask::get().with("authorization", "alice");
    assert_eq!(forced(&Rules::shared(), &tagged("max-age=60"), &alice, 0), Reuse::Forward(Why::Authorized));
}
