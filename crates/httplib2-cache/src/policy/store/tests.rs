use super::*;
use crate::policy::testing::{Ask, Head};

fn kept(rules: &Rules, head: &Head, ask: &Ask) -> Result<Box<Kept>, NotStored> {
    match store(rules, &ask.asked(), &head.answered()) {
        Keep::Store(kept) => Ok(kept),
        Keep::Skip(why) => Err(why),
    }
}

fn private(head: &Head) -> Result<(), NotStored> {
    kept(&Rules::private(), head, &Ask::get()).map(drop)
}

fn shared(head: &Head, ask: &Ask) -> Result<(), NotStored> {
    kept(&Rules::shared(), head, ask).map(drop)
}

#[test]
fn any_final_status_with_explicit_freshness_is_stored() {
    // RFC 9111 §3. The statuses are those of the public cases.
    for status in [200, 203, 204, 299, 301, 302, 303, 307, 308, 400, 404, 410, 499, 500, 502, 503, 504, 599] {
        for head in [Head::new(status).with("cache-control", "max-age=60"), Head::new(status).date("expires", 60)] {
            assert_eq!(private(&head), Ok(()), "{status}");
            assert_eq!(shared(&head, &Ask::get()), Ok(()), "{status}");
        }
    }
}

#[test]
fn some_statuses_are_never_stored() {
    // RFC 9111 §3.3, §3.4, RFC 6585, CACHE-28, CACHE-47.
    for status in [100, 103, 226, 304, 407, 412, 416, 421, 425, 428, 429, 431, 511, 600, 999] {
        let head = Head { status, ..Head::cached("public, max-age=60") };
        assert_eq!(private(&head), Err(NotStored::Status), "{status}");
    }
}

#[test]
fn without_explicit_freshness_the_status_or_a_directive_makes_a_response_cacheable() {
    // RFC 9111 §3, RFC 9110 §15.1, CACHE-43.
    let tagged = |status| Head::new(status).with("etag", "\"a\"");
    assert_eq!(private(&tagged(200)), Ok(()));
    assert_eq!(private(&tagged(404)), Ok(()));
    for status in [201, 302, 403, 500] {
        assert_eq!(private(&tagged(status)), Err(NotStored::NotCacheable), "{status}");
        assert_eq!(private(&tagged(status).with("cache-control", "public")), Ok(()), "{status}");
        let directed = tagged(status).with("cache-control", "private");
        assert_eq!(private(&directed), Ok(()), "{status}");
        // s-maxage is nothing to a private cache.
        let shared_only = tagged(status).with("cache-control", "s-maxage=60");
        assert_eq!(private(&shared_only), Err(NotStored::NotCacheable), "{status}");
        assert_eq!(shared(&shared_only, &Ask::get()), Ok(()), "{status}");
    }
}

#[test]
fn what_would_never_be_used_is_not_stored() {
    // H-CACHE-11.
    for (head, expected) in [
        (Head::new(200), Err(NotStored::Useless)),
        (Head::cached("max-age=0"), Err(NotStored::Useless)),
        (Head::cached("public"), Err(NotStored::Useless)),
        (Head::cached("no-cache, max-age=60"), Err(NotStored::Useless)),
        (Head::cached("no-cache, stale-if-error=60"), Err(NotStored::Useless)),
        (Head::cached("no-cache").with("etag", "\"a\""), Ok(())),
        (Head::cached("max-age=0, stale-if-error=0, stale-while-revalidate=0"), Err(NotStored::Useless)),
        (Head::cached("max-age=0, stale-if-error=60"), Ok(())),
        (Head::cached("max-age=0, stale-while-revalidate=60"), Ok(())),
        (Head::new(200).date("last-modified", -5), Ok(())),
        (Head::cached("max-age=60").with("age", "100"), Ok(())),
    ] {
        assert_eq!(private(&head), expected, "{head:?}");
    }
}

#[test]
fn no_store_of_either_side_is_obeyed() {
    // RFC 9111 §5.2.1.5, §5.2.2.5, CACHE-01.
    let head = Head::cached("no-store, max-age=60");
    assert_eq!(private(&head), Err(NotStored::NoStore));
    let ask = Ask::get().control("no-store");
    let fresh = Head::cached("max-age=60");
    assert_eq!(kept(&Rules::private(), &fresh, &ask).map(drop), Err(NotStored::RequestNoStore));
}

#[test]
fn must_understand_replaces_no_store_where_the_status_is_understood() {
    // RFC 9111 §5.2.2.3, CACHE-54.
    let head = |status| Head { status, ..Head::cached("must-understand, no-store, max-age=60") };
    assert_eq!(private(&head(200)), Ok(()));
    assert_eq!(private(&head(503)), Ok(()));
    assert_eq!(private(&head(299)), Err(NotStored::NotUnderstood));
    let alone = Head { status: 299, ..Head::cached("must-understand, max-age=60") };
    assert_eq!(private(&alone), Err(NotStored::NotUnderstood));
}

#[test]
fn only_answers_to_get_are_stored() {
    // H-CACHE-03, H-CACHE-62, CACHE-27.
    for method in [Method::HEAD, Method::POST, Method::OPTIONS] {
        let ask = Ask { method, ..Ask::get() };
        assert_eq!(kept(&Rules::private(), &Head::cached("max-age=60"), &ask).map(drop), Err(NotStored::Method));
    }
}

#[test]
fn private_keeps_a_response_out_of_a_shared_cache() {
    // RFC 9111 §5.2.2.7, CACHE-03.
    let head = Head::cached("private, max-age=60");
    assert_eq!(private(&head), Ok(()));
    assert_eq!(shared(&head, &Ask::get()), Err(NotStored::Private));
    let listed = Head::cached("private=\"x-user\", max-age=60").with("x-user", "alice").with("x", "y");
    let kept = kept(&Rules::shared(), &listed, &Ask::get()).unwrap();
    assert!(!kept.headers.contains_key("x-user") && kept.headers.contains_key("x"));
}

#[test]
fn what_was_obtained_for_somebody_is_shared_only_if_it_is_for_everybody() {
    // RFC 9111 §3.5, CACHE-04.
    for (directives, expected) in [
        ("max-age=60", Err(NotStored::Authorized)),
        ("max-age=60, proxy-revalidate", Err(NotStored::Authorized)),
        ("max-age=60, public", Ok(())),
        ("max-age=60, must-revalidate", Ok(())),
        ("max-age=60, s-maxage=60", Ok(())),
        ("max-age=60, s-maxage=abc", Err(NotStored::Authorized)),
        ("max-age=60, s-maxage", Err(NotStored::Authorized)),
        ("max-age=60, s-maxage=60, s-maxage=-1", Err(NotStored::Authorized)),
        ("public, private, max-age=60", Err(NotStored::Private)),
    ] {
        let head = Head::cached(directives);
        assert_eq!(shared(&head, &Ask::get().with("authorization", "Basic x")), expected, "{directives}");
        let marked = Head { signed: Signed::Marked, ..head.clone() };
        assert_eq!(shared(&marked, &Ask::get()), expected, "{directives}");
        assert_eq!(shared(&marked, &Ask::get().by("alice")), expected, "{directives}");
        assert_eq!(private(&marked), Ok(()), "{directives}");
    }
}

#[test]
fn a_missing_mark_keeps_a_response_out_of_every_cache() {
    let head = Head::cached("public, max-age=60");
    let unmarked = Head { signed: Signed::MarkMissing, ..head.clone() };
    assert_eq!(shared(&unmarked, &Ask::get()), Err(NotStored::MarkMissing));
    assert_eq!(shared(&head, &Ask::get().by("alice")), Err(NotStored::MarkMissing));
    assert_eq!(private(&unmarked), Err(NotStored::MarkMissing));
}

#[test]
fn cookies_of_one_user_are_not_shared() {
    // CACHE-53, RFC 9111 §7.3.
    let head = Head::cached("max-age=60").with("set-cookie", "a=b");
    let has_cookie =
        |rules: &Rules| kept(rules, &head, &Ask::get()).map(|kept| kept.headers.contains_key(header::SET_COOKIE));
    let with = |set_cookies| Rules { set_cookies, ..Rules::shared() };
    assert_eq!(has_cookie(&Rules::shared()), Ok(false));
    assert_eq!(has_cookie(&with(SetCookies::Skip)), Err(NotStored::SetCookie));
    assert_eq!(has_cookie(&with(SetCookies::Keep)), Ok(true));
    assert_eq!(has_cookie(&Rules::private()), Ok(true));
    let guessed = Head::new(200).date("date", 0).date("last-modified", -1000).with("set-cookie", "a=b");
    assert_eq!(shared(&guessed, &Ask::get()), Err(NotStored::SetCookie));
    assert_eq!(kept(&with(SetCookies::Keep), &guessed, &Ask::get()).map(|kept| kept.stored.lifetime()), Ok(0));
    assert_eq!(has_cookie(&Rules { set_cookies: SetCookies::Skip, ..Rules::private() }), Ok(true));
}

#[test]
fn what_varies_on_everything_is_not_stored() {
    // RFC 9111 §4.1.
    let head = Head::cached("max-age=60").with("vary", "*").with("etag", "\"a\"");
    assert_eq!(private(&head), Err(NotStored::VariesOnEverything));
}

#[test]
fn a_targeted_field_decides_in_a_shared_cache() {
    // RFC 9213 §2.2.
    let head = Head::cached("no-store").with("cdn-cache-control", "max-age=60");
    assert_eq!(shared(&head, &Ask::get()), Ok(()));
    assert_eq!(private(&head), Err(NotStored::NoStore));
    let head = Head::cached("max-age=60").with("cdn-cache-control", "private");
    assert_eq!(shared(&head, &Ask::get()), Err(NotStored::Private));
}

#[test]
fn each_reason_has_a_line() {
    assert_eq!(NotStored::Useless.to_string(), "not stored: it has neither a lifetime nor a validator");
}
