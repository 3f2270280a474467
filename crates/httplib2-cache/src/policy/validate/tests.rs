use super::*;
use crate::policy::testing::{Ask, Entry, Head, http_date};

fn entry(tag: Option<&str>, modified: Option<i64>) -> Entry {
    let mut head = Head::cached("max-age=60");
    if let Some(tag) = tag {
        head = head.with("etag", tag);
    }
    if let Some(seconds) = modified {
        head = head.date("last-modified", seconds);
    }
    head.kept(&Rules::private(), &Ask::get())
}

/// The two fields that a request for the selected `entry` gets.
fn asked_with(entry: &Entry, ask: &Ask) -> (Option<String>, Option<String>) {
    let conditions = conditions(&Rules::private(), &ask.asked(), Some(entry.held()), []);
    let mut headers = ask.headers.clone();
    conditions.apply(&mut headers);
    let text = |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap().to_owned());
    (text(header::IF_NONE_MATCH), text(header::IF_MODIFIED_SINCE))
}

fn of(entries: &[Entry]) -> impl Iterator<Item = Held<'_>> {
    entries.iter().map(Entry::held)
}

/// What a 304 means if the first entry was selected.
fn means(entries: &[Entry], ask: &Ask, answer: &Head) -> NotModified {
    not_modified(&Rules::private(), &ask.asked(), of(entries), Some(0), &answer.headers)
}

#[test]
fn a_stored_response_is_validated_with_what_it_has() {
    // RFC 9111 §4.3.1, H-CACHE-45, H-CACHE-46.
    let date = http_date(-9);
    for (tag, modified, if_none_match, if_modified_since) in [
        (Some("\"a\""), None, Some("\"a\""), None),
        (Some("W/\"a\""), None, Some("W/\"a\""), None),
        (Some("a"), None, Some("a"), None),
        (None, Some(-9), None, Some(&*date)),
        (Some("\"a\""), Some(-9), Some("\"a\""), Some(&*date)),
        (None, None, None, None),
    ] {
        let found = asked_with(&entry(tag, modified), &Ask::get());
        assert_eq!(
            (found.0.as_deref(), found.1.as_deref()),
            (if_none_match, if_modified_since),
            "{tag:?} {modified:?}"
        );
    }
}

#[test]
fn the_tags_of_the_caller_go_together_with_the_stored_one() {
    // H-CACHE-45, H-CACHE-48.
    for (stored, callers, expected) in [
        ("\"a\"", "\"b\"", "\"b\", \"a\""),
        ("\"a\"", "\"a\"", "\"a\""),
        ("\"a\"", "\"b\", \"a\"", "\"b\", \"a\""),
        ("\"a\"", "W/\"a\"", "W/\"a\", \"a\""),
        ("\"a\"", "*", "*"),
        ("\"a\"", "b", "b"),
        ("a", "\"b\"", "\"b\""),
    ] {
        let ask = Ask::get().with("if-none-match", callers);
        let found = asked_with(&entry(Some(stored), Some(-9)), &ask);
        assert_eq!(found, (Some(expected.to_owned()), None), "{stored} {callers}");
    }
    let lines = Ask::get().with("if-none-match", "\"b\"").with("if-none-match", "\"c\"");
    assert_eq!(asked_with(&entry(Some("\"a\""), None), &lines).0.as_deref(), Some("\"b\", \"c\", \"a\""));
}

#[test]
fn a_modification_date_of_the_caller_stays_as_it_is() {
    // H-CACHE-46.
    let ask = Ask::get().date("if-modified-since", -5);
    assert_eq!(asked_with(&entry(None, Some(-9)), &ask), (None, Some(http_date(-5))));
    let tagged = asked_with(&entry(Some("\"a\""), Some(-9)), &ask);
    assert_eq!(tagged, (Some("\"a\"".to_owned()), Some(http_date(-5))));
}

#[test]
fn without_a_selected_response_all_variants_are_asked_about() {
    // RFC 9111 §4.3.1.
    let entries = [
        entry(Some("\"a\""), Some(-9)),
        entry(Some("W/\"b\""), None),
        entry(Some("\"a\""), None),
        entry(Some("c"), None),
        entry(None, Some(-9)),
    ];
    let ask = Ask::get();
    let conditions = conditions(&Rules::private(), &ask.asked(), None, of(&entries));
    // A weak tag may be that of another variant too (RFC 9110 §8.8.1).
    assert_eq!(conditions.if_none_match.unwrap(), "\"a\"");
    assert_eq!(conditions.if_modified_since, None);
}

#[test]
fn the_list_of_tags_has_an_end() {
    let entries: Vec<_> = (0..100).map(|at| entry(Some(&format!("\"{at}\"")), None)).collect();
    let conditions = conditions(&Rules::private(), &Ask::get().asked(), None, of(&entries));
    assert_eq!(etag::list([conditions.if_none_match.unwrap().as_bytes()]).count(), MOST_TAGS);
    // With the comma between them.
    let half = MOST_BYTES / 2 - 1;
    for (second, sent) in [(half, MOST_BYTES), (half + 1, half)] {
        let long = [("a", half), ("b", second)];
        let long = long.map(|(first, length)| entry(Some(&format!("\"{first}{}\"", "x".repeat(length - 3))), None));
        let conditions = super::conditions(&Rules::private(), &Ask::get().asked(), None, of(&long));
        assert_eq!(conditions.if_none_match.unwrap().len(), sent, "{second}");
    }
}

#[test]
fn only_the_same_strong_tag_says_that_two_responses_are_the_same() {
    // RFC 9110 §8.8.3.2.
    for (one, other, expected) in [
        (Some("\"a\""), Some("\"a\""), true),
        (Some("\"a\""), Some("\"b\""), false),
        (Some("W/\"a\""), Some("W/\"a\""), false),
        (Some("\"a\""), Some("W/\"a\""), false),
        // No tag, however alike.
        (Some("a"), Some("a"), false),
        (Some("\"a\""), None, false),
        (None, None, false),
    ] {
        let is_same = is_same_version(&entry(one, None).headers, &entry(other, None).headers);
        assert_eq!(is_same, expected, "{one:?} {other:?}");
    }
}

#[test]
fn the_tags_of_another_user_are_not_sent() {
    let entries = [Head::cached("max-age=60").with("etag", "\"a\"").kept(&Rules::private(), &Ask::get().by("alice"))];
    let bob = Ask::get().by("bob");
    let none = conditions(&Rules::private(), &bob.asked(), None, of(&entries));
    assert_eq!(none, Conditions::default());
    let answer = Head::new(304).with("etag", "\"a\"");
    let means = not_modified(&Rules::private(), &bob.asked(), of(&entries), None, &answer.headers);
    assert_eq!(means, NotModified::SendAgain);
}

#[test]
fn a_304_freshens_the_response_that_its_tag_identifies() {
    // RFC 9111 §4.3.4, trap 5.
    for (stored, answered, expected) in [
        ("\"a\"", "\"a\"", NotModified::Freshen(0)),
        ("\"a\"", "W/\"a\"", NotModified::Freshen(0)),
        ("W/\"a\"", "W/\"a\"", NotModified::Freshen(0)),
        ("W/\"a\"", "\"a\"", NotModified::Confirm(0)),
        ("a", "a", NotModified::Freshen(0)),
        ("\"a\"", "\"b\"", NotModified::SendAgain),
        ("\"a\"", "W/\"b\"", NotModified::SendAgain),
        ("\"a\"", "a", NotModified::SendAgain),
    ] {
        let answer = Head::new(304).with("etag", answered);
        assert_eq!(means(&[entry(Some(stored), None)], &Ask::get(), &answer), expected, "{stored} {answered}");
    }
    let two = Head::new(304).with("etag", "\"a\"").with("etag", "\"b\"");
    assert_eq!(means(&[entry(Some("\"a\""), None)], &Ask::get(), &two), NotModified::SendAgain);
}

#[test]
fn a_tag_can_identify_another_variant_than_the_selected_one() {
    // RFC 9111 §4.1, §4.3.4.
    let entries = [entry(Some("\"a\""), None), entry(Some("\"b\""), None)];
    let answer = Head::new(304).with("etag", "\"b\"");
    assert_eq!(means(&entries, &Ask::get(), &answer), NotModified::Freshen(1));
    let unselected = not_modified(&Rules::private(), &Ask::get().asked(), of(&entries), None, &answer.headers);
    assert_eq!(unselected, NotModified::Freshen(1));
    // The same tag twice: the selected one.
    let twice = [entry(Some("\"b\""), None), entry(Some("\"b\""), None)];
    assert_eq!(means(&twice, &Ask::get(), &answer), NotModified::Freshen(0));
}

#[test]
fn without_a_tag_a_304_speaks_of_the_selected_response_only() {
    // RFC 9111 §4.3.4.
    let entries = [entry(Some("\"a\""), Some(-9)), entry(Some("\"b\""), Some(-9))];
    let ask = Ask::get();
    assert_eq!(means(&entries, &ask, &Head::new(304).date("last-modified", -9)), NotModified::Freshen(0));
    assert_eq!(means(&entries, &ask, &Head::new(304).date("last-modified", -8)), NotModified::SendAgain);
    assert_eq!(means(&entries, &ask, &Head::new(304)), NotModified::Freshen(0));
    for answer in [Head::new(304), Head::new(304).date("last-modified", -9)] {
        let unselected = not_modified(&Rules::private(), &ask.asked(), of(&entries), None, &answer.headers);
        assert_eq!(unselected, NotModified::SendAgain);
    }
}

#[test]
fn a_304_to_the_condition_of_the_caller_touches_nothing_stored() {
    // RFC 9111 §4.3.3, H-CACHE-48, H-CACHE-49.
    let entries = [entry(Some("\"a\""), Some(-9))];
    let ask = Ask::get().with("if-none-match", "\"b\"");
    assert_eq!(means(&entries, &ask, &Head::new(304).with("etag", "\"b\"")), NotModified::PassOn);
    assert_eq!(means(&entries, &ask, &Head::new(304).with("etag", "\"a\"")), NotModified::Freshen(0));
    // It may speak of what is stored, and then the caller's is outdated.
    assert_eq!(means(&entries, &ask, &Head::new(304)), NotModified::SendAgain);
    assert_eq!(means(&[], &ask, &Head::new(304)), NotModified::PassOn);
    let since = Ask::get().date("if-modified-since", 0);
    assert_eq!(means(&entries, &since, &Head::new(304)), NotModified::SendAgain);
    assert_eq!(means(&entries, &since, &Head::new(304).date("last-modified", -9)), NotModified::Freshen(0));
}
