use super::*;
use crate::policy::{
    Signed,
    testing::{Ask, Head, at, http_date},
};

fn freshened(rules: &Rules, stored: &Head, ask: &Ask, answer: &Head) -> Freshened {
    let entry = stored.kept(rules, &Ask::get());
    freshen(rules, &ask.asked(), &entry.held(), &answer.answered())
}

/// A 304 that comes 100 s after time zero.
fn answer() -> Head {
    Head { at: 100, ..Head::new(304) }
}

fn private(stored: &Head, answer: &Head) -> Freshened {
    freshened(&Rules::private(), stored, &Ask::get(), answer)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap())
}

#[test]
fn fields_of_the_304_replace_those_that_are_stored() {
    // RFC 9111 §3.2, trap 26.
    let stored = Head::cached("max-age=60").with("link", "<a>").with("link", "<b>").with("x-old", "1").with("x", "1");
    let update = answer().with("link", "<c>").with("link", "<d>").with("x", "2").with("x-new", "1");
    let headers = private(&stored, &update).headers;
    assert_eq!(headers.get_all("link").iter().collect::<Vec<_>>(), ["<c>", "<d>"]);
    assert_eq!(
        (text(&headers, "x-old"), text(&headers, "x"), text(&headers, "x-new")),
        (Some("1"), Some("2"), Some("1"))
    );
}

#[test]
fn fields_that_describe_the_stored_content_stay() {
    // RFC 9111 §3.2, H-CACHE-51, CACHE-19.
    let stored = Head::cached("max-age=60").with("content-length", "11").with("content-type", "text/plain");
    let update = answer()
        .with("content-length", "0")
        .with("content-encoding", "gzip")
        .with("content-range", "bytes 0-1/2")
        .with("transfer-encoding", "chunked")
        .with("connection", "x")
        .with("x", "1")
        .with("content-type", "text/html");
    let headers = private(&stored, &update).headers;
    assert_eq!(text(&headers, "content-length"), Some("11"));
    assert_eq!(text(&headers, "content-type"), Some("text/html"));
    for name in ["content-encoding", "content-range", "transfer-encoding", "connection", "x"] {
        assert!(!headers.contains_key(name), "{name}");
    }
}

#[test]
fn a_freshened_response_is_young_again() {
    // RFC 9111 §4.3.4, trap 25.
    let stored = Head::cached("max-age=60").with("age", "50");
    for (update, age, date) in
        [(answer(), 0, 100), (answer().date("date", 90), 10, 90), (answer().date("date", 100).with("age", "7"), 7, 100)]
    {
        let freshened = private(&stored, &update);
        assert_eq!(freshened.stored.age(at(100)), age);
        assert_eq!(text(&freshened.headers, "date"), Some(&*http_date(date)));
        assert_eq!(freshened.then, Then::Update);
        assert_eq!(freshened.stored.lifetime(), 60);
        assert_eq!(freshened.stored.status(), StatusCode::OK);
    }
    let longer = private(&stored, &answer().with("cache-control", "max-age=3600"));
    assert_eq!(longer.stored.lifetime(), 3600);
}

#[test]
fn a_304_that_forbids_storing_drops_the_response() {
    let stored = Head::cached("max-age=60").with("etag", "\"a\"");
    let then = |rules: &Rules, update: Head| freshened(rules, &stored, &Ask::get(), &update).then;
    let private = |update| then(&Rules::private(), update);
    assert_eq!(private(answer().with("cache-control", "no-store")), Then::Drop(NotStored::NoStore));
    assert_eq!(private(answer().with("cache-control", "private")), Then::Update);
    assert_eq!(private(answer().with("vary", "*")), Then::Drop(NotStored::VariesOnEverything));
    let shared = |update| then(&Rules::shared(), update);
    assert_eq!(shared(answer().with("cache-control", "private")), Then::Drop(NotStored::Private));
    assert_eq!(shared(Head { signed: Signed::Marked, ..answer() }), Then::Drop(NotStored::Authorized));
    assert_eq!(shared(answer()), Then::Update);
}

#[test]
fn a_request_that_says_no_store_updates_nothing() {
    // RFC 9111 §5.2.1.5.
    let ask = Ask::get().control("no-store");
    let freshened = freshened(&Rules::private(), &Head::cached("max-age=60"), &ask, &answer().with("x", "1"));
    assert_eq!(freshened.then, Then::Leave);
    assert_eq!(text(&freshened.headers, "x"), Some("1"));
}

#[test]
fn a_304_that_changes_vary_selects_by_the_present_request() {
    // RFC 9111 §4.1, §4.3.4.
    let stored = Head::cached("max-age=60");
    let ask = Ask::get().with("x", "1");
    let freshened = freshened(&Rules::private(), &stored, &ask, &answer().with("vary", "x"));
    let Then::Reselect(selecting) = freshened.then else { panic!("{:?}", freshened.then) };
    let fields: Vec<_> = selecting.fields().map(|(name, value)| (name.as_str(), value)).collect();
    assert_eq!(fields, [("x", Some(&b"1"[..]))]);
    let same = Head::cached("max-age=60").with("vary", "x");
    assert_eq!(private(&same, &answer().with("vary", "x")).then, Then::Update);
}

#[test]
fn a_field_that_may_not_be_stored_does_not_come_with_an_update() {
    // RFC 9111 §5.2.2.4, CACHE-53.
    let stored = Head::cached("max-age=60, no-cache=\"x\"");
    assert!(!private(&stored, &answer().with("x", "1")).headers.contains_key("x"));
    let cookie = answer().with("set-cookie", "a=b");
    let shared = freshened(&Rules::shared(), &stored, &Ask::get(), &cookie);
    assert!(!shared.headers.contains_key("set-cookie"));
    assert_eq!(shared.then, Then::Update);
    assert!(private(&stored, &cookie).headers.contains_key("set-cookie"));
    // Without a lifetime one would be guessed, once the cookie is gone.
    let guessed = Head::new(200).date("date", 0).date("last-modified", -1000);
    assert_eq!(freshened(&Rules::shared(), &guessed, &Ask::get(), &cookie).then, Then::Drop(NotStored::SetCookie));
}

#[test]
fn a_head_answer_compares_all_that_both_tell() {
    // RFC 9111 §4.3.5, H-CACHE-52.
    let stored =
        Head::cached("max-age=60").with("etag", "\"a\"").with("last-modified", "x").with("content-length", "5");
    let head = || Head { at: 100, ..Head::new(200) };
    let without_length = Head::cached("max-age=60").with("etag", "\"a\"");
    for (stored, answer, expected) in [
        (&stored, head().with("etag", "\"a\""), "same"),
        (&stored, head().with("etag", "\"a\"").with("content-length", "5"), "same"),
        // Another version may be as long.
        (&stored, head().with("content-length", "5"), "nothing"),
        (&stored, head().with("etag", "\"b\""), "changed"),
        (&stored, head().with("etag", "\"a\"").with("content-length", "6"), "changed"),
        (&stored, head().with("last-modified", "y"), "changed"),
        (&stored, head(), "nothing"),
        (&stored, Head { status: 404, ..head().with("etag", "\"b\"") }, "nothing"),
        (&without_length, head().with("content-length", "5"), "nothing"),
        (&without_length, head().with("last-modified", "x"), "changed"),
    ] {
        let entry = stored.kept(&Rules::private(), &Ask::get());
        let ask = Ask { method: Method::HEAD, ..Ask::get() };
        let says = match freshen_by_head(&Rules::private(), &ask.asked(), &entry.held(), &answer.answered()) {
            HeadSays::Same(freshened) => {
                assert_eq!(freshened.stored.age(at(100)), 0);
                "same"
            }
            HeadSays::Changed => "changed",
            HeadSays::Nothing => "nothing",
        };
        assert_eq!(says, expected, "{answer:?}");
    }
}

#[test]
fn a_response_with_more_fields_than_are_kept_is_dropped() {
    // Each 304 could add some, for ever.
    let stored = Head::cached("max-age=60").with("etag", "\"a\"");
    for (fields, is_kept) in [(MOST_FIELDS, true), (MOST_FIELDS + 1, false)] {
        let known = private(&stored, &answer()).headers.len();
        let mut update = answer();
        update.headers.reserve(fields);
        for number in known..fields {
            update.headers.insert(HeaderName::try_from(format!("x-{number}")).unwrap(), number.into());
        }
        let freshened = private(&stored, &update);
        assert_eq!(freshened.headers.len(), fields);
        let expected = if is_kept { Then::Update } else { Then::Drop(NotStored::TooManyFields) };
        assert_eq!(freshened.then, expected, "{fields}");
    }
}
