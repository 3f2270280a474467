use super::*;
use crate::RequireTag;

const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const A_SECOND_LATER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(*name, value.parse().unwrap());
    }
    headers
}

fn value(text: &'static str) -> HeaderValue {
    HeaderValue::from_static(text)
}

fn seen(etag: Option<&'static str>, last_modified: Option<&'static str>) -> Validators {
    Validators { etag: etag.map(value), last_modified: last_modified.map(value) }
}

#[test]
fn the_wish_of_a_request_is_that_of_its_caller() {
    // H-LOST-01, H-LOST-02, H-LOST-05.
    let none = Extensions::new;
    let with = |mark: fn(&mut Extensions)| {
        let mut options = Extensions::new();
        mark(&mut options);
        options
    };
    let ignoring = with(|options| {
        options.insert(IgnoreEtag);
    });
    let creating = with(|options| {
        options.insert(CreateOnly);
    });
    let both = with(|options| {
        options.insert(IgnoreEtag);
        options.insert(CreateOnly);
    });
    let own = Wish::Own(Precondition::IfMatch(value("\"mine\"")));
    for (method, fields, options, expected) in [
        ("PUT", &[][..], none(), Wish::Tag),
        ("PATCH", &[][..], none(), Wish::Tag),
        ("DELETE", &[][..], none(), Wish::Nothing),
        ("DELETE", &[("if-match", "\"mine\"")][..], none(), Wish::Nothing),
        ("PUT", &[("if-match", "\"mine\"")][..], none(), own.clone()),
        ("PUT", &[("if-match", "\"mine\"")][..], both.clone(), own),
        ("PUT", &[("if-none-match", "*")][..], none(), Wish::Own(Precondition::create_only())),
        ("PUT", &[("if-unmodified-since", DATE)][..], none(), Wish::Own(Precondition::IfUnmodifiedSince(value(DATE)))),
        // It means nothing for a PUT (RFC 9110 §13.1.3).
        ("PUT", &[("if-modified-since", DATE)][..], none(), Wish::Tag),
        ("PUT", &[][..], ignoring, Wish::Ignore),
        ("PUT", &[][..], creating.clone(), Wish::CreateOnly),
        ("PATCH", &[][..], creating.clone(), Wish::CreateOnly),
        ("DELETE", &[][..], creating, Wish::Nothing),
        ("PUT", &[][..], both, Wish::CreateOnly),
    ] {
        let method: Method = method.parse().unwrap();
        assert_eq!(wish(&Rules::default(), &method, &headers(fields), &options), expected, "{method} {fields:?}");
    }
    let mut options = Extensions::new();
    options.insert(CreateOnly);
    let other = Rules { methods: vec![Method::DELETE], ..Rules::default() };
    assert_eq!(wish(&other, &Method::PUT, &HeaderMap::new(), &options), Wish::CreateOnly);
    assert_eq!(wish(&other, &Method::PUT, &HeaderMap::new(), &Extensions::new()), Wish::Nothing);
}

#[test]
fn the_precondition_is_the_strongest_that_is_known() {
    let default = Rules::default;
    let dates = || Rules { if_unmodified_since: true, ..default() };
    let weak = || Rules { httplib2_weak_tags: true, ..default() };
    let creating = || Rules { create_only: true, ..default() };
    let suffixes = || Rules { content_coding_suffixes: true, ..default() };
    let tag = |text| Ok((Precondition::IfMatch(value(text)), Source::Ledger));
    let date = Ok((Precondition::IfUnmodifiedSince(value(DATE)), Source::Ledger));
    for (rules, known, expected) in [
        (default(), vec![], Err(Unguarded::NothingKnown)),
        (default(), vec![seen(Some("\"v1\""), Some(DATE))], tag("\"v1\"")),
        (default(), vec![seen(Some("12345"), None)], tag("12345")),
        // LUP-09: the request does not say which of them it means.
        (default(), vec![seen(Some("\"v1\""), None), seen(Some("\"v2\""), None)], tag("\"v1\", \"v2\"")),
        (default(), vec![seen(Some("W/\"v1\""), None), seen(Some("\"v2\""), None)], tag("\"v2\"")),
        // H-LOST-06, trap 52.
        (default(), vec![seen(Some("W/\"v1\""), Some(DATE))], Err(Unguarded::WeakTag)),
        (weak(), vec![seen(Some("W/\"v1\""), None)], tag("W/\"v1\"")),
        (dates(), vec![seen(Some("W/\"v1\""), Some(DATE))], date.clone()),
        (dates(), vec![seen(None, Some(DATE))], date),
        (dates(), vec![seen(Some("\"v1\""), Some(DATE))], tag("\"v1\"")),
        (dates(), vec![seen(None, Some(DATE)), seen(None, Some(DATE))], Err(Unguarded::NothingKnown)),
        (default(), vec![seen(None, Some(DATE))], Err(Unguarded::NothingKnown)),
        (creating(), vec![], Ok((Precondition::create_only(), Source::CreateOnly))),
        (creating(), vec![seen(Some("\"v1\""), None)], tag("\"v1\"")),
        (creating(), vec![seen(Some("W/\"v1\""), None)], Err(Unguarded::WeakTag)),
        (suffixes(), vec![seen(Some("\"v1-gzip\""), None)], tag("\"v1-gzip\", \"v1\"")),
        (default(), vec![seen(Some("\"v1-gzip\""), None)], tag("\"v1-gzip\"")),
    ] {
        assert_eq!(precondition(&rules, &Method::PUT, &known, Source::Ledger), expected, "{known:?}");
    }
    assert_eq!(precondition(&creating(), &Method::PATCH, &[], Source::Ledger), Err(Unguarded::NothingKnown));
}

#[test]
fn only_a_whole_version_teaches_what_the_caller_has_seen() {
    let tag = || Lesson::Version(seen(Some("\"v1\""), None));
    for (status, fields, asked, expected) in [
        (200, &[("etag", "\"v1\"")][..], &[][..], tag()),
        (200, &[("etag", "W/\"v1\"")][..], &[][..], Lesson::Version(seen(Some("W/\"v1\""), None))),
        (200, &[("etag", "\"v1\""), ("etag", "\"v1\"")][..], &[][..], tag()),
        (200, &[("etag", "\"v1\""), ("etag", "\"v2\"")][..], &[][..], Lesson::Forget),
        (200, &[("etag", "*")][..], &[][..], Lesson::Forget),
        (200, &[][..], &[][..], Lesson::Forget),
        (200, &[("etag", "\"v1\"")][..], &["\"v0\""][..], tag()),
        (404, &[("etag", "\"v1\"")][..], &[][..], Lesson::Forget),
        (410, &[][..], &[][..], Lesson::Forget),
        // The caller has seen no version, or a part of one, or one that a proxy changed.
        (203, &[("etag", "\"v1\"")][..], &[][..], Lesson::Nothing),
        (206, &[("etag", "\"v1\"")][..], &[][..], Lesson::Nothing),
        (302, &[("etag", "\"v1\"")][..], &[][..], Lesson::Nothing),
        (401, &[("etag", "\"v1\"")][..], &[][..], Lesson::Nothing),
        (500, &[("etag", "\"v1\"")][..], &[][..], Lesson::Nothing),
        // RFC 9110 §15.4.5: what the caller has is still there.
        (304, &[("etag", "\"v1\"")][..], &["\"v0\", \"v1\""][..], tag()),
        (304, &[("etag", "\"v1\"")][..], &["\"v0\"", "\"v1\""][..], tag()),
        (304, &[][..], &["\"v1\""][..], tag()),
        (304, &[("etag", "\"v2\"")][..], &["\"v1\""][..], Lesson::Nothing),
        (304, &[][..], &["\"v0\", \"v1\""][..], Lesson::Nothing),
        (304, &[][..], &["W/\"v1\""][..], Lesson::Nothing),
        (304, &[("etag", "\"v1\"")][..], &["W/\"v1\""][..], Lesson::Nothing),
        (304, &[("etag", "\"v1\"")][..], &["*"][..], Lesson::Nothing),
        (304, &[("etag", "\"v1\""), ("etag", "\"v2\"")][..], &["\"v1\""][..], Lesson::Nothing),
        (304, &[][..], &[][..], Lesson::Nothing),
    ] {
        let status = StatusCode::from_u16(status).unwrap();
        let asked: Vec<_> = asked.iter().map(|tag| value(tag)).collect();
        assert_eq!(lesson_of_read(status, &headers(fields), &asked), expected, "{status} {fields:?} {asked:?}");
    }
}

#[test]
fn a_date_is_strong_when_its_answer_was_made_at_least_a_second_later() {
    // RFC 9110 §8.8.2.2.
    for (fields, strong) in [
        (&[("last-modified", DATE), ("date", A_SECOND_LATER)][..], true),
        (&[("last-modified", DATE), ("date", DATE)][..], false),
        (&[("last-modified", A_SECOND_LATER), ("date", DATE)][..], false),
        (&[("last-modified", DATE)][..], false),
        (&[("last-modified", "yesterday"), ("date", A_SECOND_LATER)][..], false),
        (&[("last-modified", DATE), ("date", "now")][..], false),
        (&[("last-modified", DATE), ("last-modified", "x"), ("date", A_SECOND_LATER)][..], false),
    ] {
        let expected = if strong { Lesson::Version(seen(None, Some(DATE))) } else { Lesson::Forget };
        assert_eq!(lesson_of_read(StatusCode::OK, &headers(fields), &[]), expected, "{fields:?}");
    }
}

#[test]
fn the_answer_to_an_update_teaches_the_version_that_was_made() {
    // RFC 9110 §8.8.3, RFC 9110 §9.3.4.
    let tag = || Lesson::Version(seen(Some("\"v2\""), None));
    let strong = &[("etag", "\"v2\"")][..];
    for (method, status, fields, expected) in [
        ("PUT", 200, strong, tag()),
        ("PUT", 201, strong, tag()),
        ("PUT", 204, strong, tag()),
        ("PATCH", 204, strong, tag()),
        ("PUT", 204, &[("etag", "v2")][..], Lesson::Version(seen(Some("v2"), None))),
        ("PUT", 204, &[][..], Lesson::Forget),
        ("PUT", 204, &[("etag", "W/\"v2\"")][..], Lesson::Forget),
        // Its tag is not that of the resource.
        ("POST", 201, strong, Lesson::Forget),
        ("DELETE", 204, strong, Lesson::Forget),
        // Not done, or not surely.
        ("PUT", 202, strong, Lesson::Nothing),
        ("PUT", 207, strong, Lesson::Nothing),
        ("PUT", 303, strong, Lesson::Nothing),
        ("PUT", 412, strong, Lesson::Nothing),
        ("PUT", 500, strong, Lesson::Nothing),
        ("DELETE", 404, strong, Lesson::Nothing),
    ] {
        let (method, status) = (method.parse().unwrap(), StatusCode::from_u16(status).unwrap());
        let lesson = lesson_of_update(&Rules::default(), &method, Basis::Seen, status, &headers(fields));
        assert_eq!(lesson, expected, "{method} {status} {fields:?}");
    }
    // H-LOST-03.
    let one_shot = Rules { httplib2_one_shot: true, ..Rules::default() };
    let lesson = lesson_of_update(&one_shot, &Method::PUT, Basis::Seen, StatusCode::OK, &headers(strong));
    assert_eq!(lesson, Lesson::Forget);
    // The whole is the caller's, whatever it replaced; of a part it has not seen the rest.
    for (method, expected) in [(Method::PUT, tag()), (Method::PATCH, Lesson::Forget)] {
        let lesson =
            lesson_of_update(&Rules::default(), &method, Basis::Unknown, StatusCode::NO_CONTENT, &headers(strong));
        assert_eq!(lesson, expected, "{method}");
    }
}

#[test]
fn a_precondition_ensures_that_the_caller_has_seen_what_it_changes() {
    // RFC 9110 §13.1.
    let star = || value("*");
    for (precondition, source, expected) in [
        (Some(Precondition::IfMatch(value("\"v1\""))), Some(Source::Ledger), Basis::Seen),
        (Some(Precondition::IfMatch(value("\"v1\""))), Some(Source::Caller), Basis::Seen),
        (Some(Precondition::IfMatch(value("\"v1\""))), None, Basis::Seen),
        (Some(Precondition::IfMatch(value("\"v1\""))), Some(Source::Fetched), Basis::Unknown),
        (Some(Precondition::IfMatch(star())), Some(Source::Caller), Basis::Unknown),
        (Some(Precondition::IfUnmodifiedSince(value(DATE))), Some(Source::Ledger), Basis::Seen),
        (Some(Precondition::IfNoneMatch(star())), Some(Source::CreateOnly), Basis::Seen),
        (Some(Precondition::IfNoneMatch(value("\"v1\""))), Some(Source::Caller), Basis::Unknown),
        (None, None, Basis::Unknown),
    ] {
        assert_eq!(basis(precondition.as_ref(), source), expected, "{precondition:?} {source:?}");
    }
}

#[test]
fn a_tag_is_required_by_the_layer_or_by_the_request() {
    let mut options = Extensions::new();
    let (required, not) = (Rules { require_tag: true, ..Rules::default() }, Rules::default());
    assert!(required.requires_tag(&options) && !not.requires_tag(&options));
    options.insert(RequireTag(false));
    assert!(!required.requires_tag(&options));
    options.insert(RequireTag(true));
    assert!(not.requires_tag(&options));
}
