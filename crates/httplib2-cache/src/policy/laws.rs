//! Laws that hold for any two heads, however odd.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use httplib2_core::who::Identity;
use proptest::prelude::*;

use super::{
    testing::{Ask, Entry, Head, at},
    *,
};

/// Values that a rule somewhere looks at.
const REQUEST: [(&str, &str); 20] = [
    ("cache-control", "no-cache"),
    ("cache-control", "no-store"),
    ("cache-control", "only-if-cached"),
    ("cache-control", "max-age=30"),
    ("cache-control", "max-age=0"),
    ("cache-control", "min-fresh=99999999999"),
    ("cache-control", "max-stale"),
    ("cache-control", "max-stale=99999999999"),
    ("cache-control", "stale-if-error=99999999999"),
    ("pragma", "no-cache"),
    ("authorization", "Bearer alice"),
    ("authorization", "Bearer bob"),
    ("accept-language", "de, en;q=0.5"),
    ("x", "1"),
    ("x", "2"),
    ("if-none-match", "\"a\", W/\"b\""),
    ("if-none-match", "*"),
    ("if-modified-since", "Sun, 13 Sep 2020 12:26:40 GMT"),
    ("range", "bytes=0-"),
    ("cookie", "a=b"),
];

const RESPONSE: [(&str, &str); 36] = [
    ("cache-control", "max-age=60"),
    ("cache-control", "max-age=99999999999999999999"),
    ("cache-control", "s-maxage=60"),
    ("cache-control", "no-store"),
    ("cache-control", "NO-STORE"),
    ("cache-control", "no-cache"),
    ("cache-control", "no-cache=\"x, y\""),
    ("cache-control", "private"),
    ("cache-control", "private=\"x\""),
    ("cache-control", "public"),
    ("cache-control", "must-revalidate"),
    ("cache-control", "proxy-revalidate"),
    ("cache-control", "must-understand"),
    ("cache-control", "immutable"),
    ("cache-control", "stale-while-revalidate=99999999999"),
    ("cache-control", "stale-if-error=99999999999"),
    ("cdn-cache-control", "max-age=60"),
    ("cdn-cache-control", "private"),
    ("age", "18446744073709551615"),
    ("age", "30"),
    ("date", "Sun, 13 Sep 2020 12:26:40 GMT"),
    ("date", "Fri, 31 Dec 9999 23:59:59 GMT"),
    ("date", "Mon, 01 Jan 0001 00:00:00 GMT"),
    ("expires", "0"),
    ("expires", "Fri, 31 Dec 9999 23:59:59 GMT"),
    ("last-modified", "Mon, 01 Jan 0001 00:00:00 GMT"),
    ("last-modified", "Sun, 13 Sep 2020 12:26:30 GMT"),
    ("etag", "\"a\""),
    ("etag", "W/\"b\""),
    ("etag", "c"),
    ("vary", "x"),
    ("vary", "authorization, accept-language"),
    ("vary", "*"),
    ("connection", "vary, x"),
    ("set-cookie", "a=b"),
    ("content-length", "5"),
];

fn fields(pool: &'static [(&'static str, &'static str)]) -> impl Strategy<Value = HeaderMap> {
    let name = prop::sample::select(pool).prop_map(|(name, _)| name);
    let odd = (name, "[ -~\t]{0,24}");
    let line = prop_oneof![
        4 => prop::sample::select(pool).prop_map(|(name, value)| (name, value.to_owned())),
        1 => odd,
    ];
    prop::collection::vec(line, 0..6).prop_map(|lines| {
        let value = |value: &str| HeaderValue::from_str(value).expect("printable");
        let mut headers = HeaderMap::new();
        for (name, text) in lines {
            headers.append(HeaderName::from_static(name), value(&text));
        }
        headers
    })
}

fn ask() -> impl Strategy<Value = Ask> {
    let method = prop::sample::select(&[Method::GET, Method::GET, Method::GET, Method::HEAD, Method::POST][..]);
    let identity = prop::sample::select(&[None, None, Some("alice"), Some("bob")][..]);
    (method, fields(&REQUEST), identity).prop_map(|(method, headers, identity)| Ask {
        method,
        uri: Uri::from_static("http://a.example/x"),
        headers,
        identity: identity.map(Identity::new),
    })
}

fn head() -> impl Strategy<Value = Head> {
    let status = prop::sample::select(&[200_u16, 200, 200, 203, 206, 302, 304, 404, 500, 503][..]);
    let signed = prop::sample::select(&[Signed::No, Signed::No, Signed::Marked, Signed::MarkMissing][..]);
    (status, fields(&RESPONSE), signed, 0..200_u64).prop_map(|(status, headers, signed, at)| Head {
        status,
        headers,
        signed,
        at,
    })
}

fn rules() -> impl Strategy<Value = Rules> {
    prop_oneof![
        Just(Rules::private()),
        Just(Rules::shared()),
        Just(Rules { negotiation: Negotiation::Order, ..Rules::private() }),
    ]
}

/// What is stored of `head` after `ask`, if anything is.
fn entry(rules: &Rules, ask: &Ask, head: &Head) -> Option<Entry> {
    match store(rules, &ask.asked(), &head.answered()) {
        Keep::Store(kept) => Some(Entry {
            stored: kept.stored,
            headers: kept.headers,
            selecting: kept.selecting,
            identity: ask.identity.clone(),
        }),
        Keep::Skip(_) => None,
    }
}

fn says(headers: &HeaderMap, directive: &str) -> bool {
    let lines = headers.get_all("cache-control").iter().map(HeaderValue::as_bytes);
    httplib2_syntax::cache_control::directives(lines).any(|found| found.is(directive))
}

proptest! {
    #[test]
    fn nothing_panics_and_what_is_served_has_a_reason(
        rules in rules(), first in ask(), head in head(), second in ask(), answer in head(), later in 0..u64::from(u32::MAX),
    ) {
        let asked = second.asked();
        let _ = (consider(&rules, &asked), invalidates(&rules, &asked, answer.answered().status, &answer.headers));
        let Some(entry) = entry(&rules, &first, &head) else { return Ok(()) };
        let held = entry.held();
        let now = at(later);
        let selected = select(&rules, &asked, [held]);
        match reuse(&rules, &asked, selected.map(|_| held), true, now) {
            Reuse::Serve(hit) => {
                prop_assert_eq!(hit.age, entry.stored.age(now));
                let is_fresh = matches!(hit.why, Why::Fresh(_)) && entry.stored.is_fresh(now);
                let is_accepted = matches!(hit.why, Why::MaxStale(_)) && says(&second.headers, "max-stale");
                prop_assert!(is_fresh || is_accepted, "{:?}", hit);
                prop_assert!(!asked.control().no_cache);
            }
            Reuse::ServeAndRefresh(_) => prop_assert!(says(&head.headers, "stale-while-revalidate")),
            Reuse::Refuse(_) => prop_assert!(asked.control().only_if_cached),
            Reuse::Validate(_) | Reuse::Forward(_) => prop_assert!(!asked.control().only_if_cached),
        }
        let mut headers = second.headers.clone();
        conditions(&rules, &asked, selected.map(|_| held), [held]).apply(&mut headers);
        let _ = not_modified(&rules, &asked, [held], selected, &answer.headers);
        let _ = freshen(&rules, &asked, &held, &answer.answered());
        let _ = freshen_by_head(&rules, &asked, &held, &answer.answered());
        let _ = stands_in(&rules, &asked, &held, Failure::Disconnected, now);
    }

    #[test]
    fn what_no_store_forbids_is_not_stored(rules in rules(), ask in ask(), head in head()) {
        let replaced = says(&head.headers, "must-understand") || head.headers.contains_key("cdn-cache-control");
        if says(&ask.headers, "no-store") || (says(&head.headers, "no-store") && !replaced) {
            prop_assert!(entry(&rules, &ask, &head).is_none());
        }
    }

    #[test]
    fn a_shared_cache_holds_nothing_private(ask in ask(), mut head in head()) {
        head.headers.remove("cdn-cache-control");
        if let Some(entry) = entry(&Rules::shared(), &ask, &head) {
            prop_assert!(!head.headers.get_all("cache-control").iter().any(|value| value == "private"));
            prop_assert!(!entry.headers.contains_key("set-cookie"));
            prop_assert!(head.signed != Signed::MarkMissing);
            if ask.headers.contains_key("authorization") || ask.identity.is_some() || head.signed == Signed::Marked {
                let is_for_everybody = ["public", "must-revalidate", "s-maxage"].iter().any(|name| says(&head.headers, name));
                prop_assert!(is_for_everybody);
            }
        }
    }

    #[test]
    fn another_identity_is_never_selected(first in ask(), head in head(), second in ask(), answer in head()) {
        let rules = Rules::private();
        let Some(entry) = entry(&rules, &first, &head) else { return Ok(()) };
        let lines = |ask: &Ask| ask.headers.get_all("authorization").iter().cloned().collect::<Vec<_>>();
        if first.identity != second.identity || lines(&first) != lines(&second) {
            let asked = second.asked();
            prop_assert_eq!(select(&rules, &asked, [entry.held()]), None);
            prop_assert_eq!(conditions(&rules, &asked, None, [entry.held()]), Conditions::default());
            let means = not_modified(&rules, &asked, [entry.held()], None, &answer.headers);
            prop_assert!(matches!(means, NotModified::PassOn | NotModified::SendAgain));
        }
    }

    #[test]
    fn the_request_that_brought_a_response_selects_it(rules in rules(), ask in ask(), head in head()) {
        if let Some(entry) = entry(&rules, &ask, &head) {
            prop_assert_eq!(select(&rules, &ask.asked(), [entry.held()]), Some(0));
        }
    }

    #[test]
    fn a_stale_response_never_becomes_fresh(rules in rules(), head in head(), now in 0..1_u64 << 33, later in 0..1_u64 << 33) {
        let stored = Stored::read(&rules, &head.answered());
        let (now, later) = (at(now.min(later)), at(now.max(later)));
        prop_assert!(stored.age(now) <= stored.age(later));
        prop_assert!(stored.is_fresh(now) || !stored.is_fresh(later));
    }

    #[test]
    fn what_forbids_staleness_is_never_served_stale(rules in rules(), ask in ask(), mut head in head(), later in 0..100_000_u64) {
        head.headers.remove("cdn-cache-control");
        head.headers.append("cache-control", HeaderValue::from_static("must-revalidate"));
        let Some(entry) = entry(&rules, &Ask { headers: HeaderMap::new(), ..Ask::get() }, &head) else { return Ok(()) };
        let (held, now) = (entry.held(), at(later));
        if !entry.stored.is_fresh(now) {
            let reuse = reuse(&rules, &ask.asked(), Some(held), false, now);
            prop_assert!(!matches!(reuse, Reuse::Serve(_) | Reuse::ServeAndRefresh(_)));
            prop_assert!(stands_in(&rules, &ask.asked(), &held, Failure::Disconnected, now).is_none());
        }
    }

    #[test]
    fn a_304_with_another_strong_tag_updates_nothing(rules in rules(), ask in ask(), mut head in head(), answer in head()) {
        head.headers.insert("etag", HeaderValue::from_static("\"stored\""));
        let mut answer = answer;
        answer.headers.insert("etag", HeaderValue::from_static("\"foreign\""));
        if let Some(entry) = entry(&rules, &ask, &head) {
            let means = not_modified(&rules, &ask.asked(), [entry.held()], Some(0), &answer.headers);
            prop_assert!(matches!(means, NotModified::PassOn | NotModified::SendAgain));
        }
    }

    #[test]
    fn an_update_keeps_the_content_described(rules in rules(), ask in ask(), head in head(), answer in head()) {
        if let Some(entry) = entry(&rules, &ask, &head) {
            let freshened = freshen(&rules, &ask.asked(), &entry.held(), &answer.answered());
            prop_assert_eq!(freshened.headers.get("content-length"), entry.headers.get("content-length"));
            let again = Answered { status: entry.stored.status(), headers: &freshened.headers, ..answer.answered() };
            prop_assert_eq!(Stored::read(&rules, &again), freshened.stored);
        }
    }

    #[test]
    fn what_is_stored_reads_the_same_from_a_disk(rules in rules(), ask in ask(), head in head()) {
        if let Some(entry) = entry(&rules, &ask, &head) {
            let stored = Answered { headers: &entry.headers, ..head.answered() };
            let again = Stored::read(&rules, &stored);
            prop_assert_eq!((again.age(at(500)), again.lifetime()), (entry.stored.age(at(500)), entry.stored.lifetime()));
        }
    }
}
