//! The policy of the cache: laws for any two heads, and a second opinion, http-cache-semantics 3.
//!
//! That crate is asked only where it is right. Left out, because it is not:
//!
//! - an `Age` near the end of a `u64` panics in a later look-up;
//! - directive names are compared with case, and commas inside quotes split;
//! - a lifetime that is too large for a `u64` counts as zero (RFC 9111 §1.2.2 asks for 2^31);
//! - `no-cache` and `private` with fields are taken as if they had none;
//! - `must-understand`, `stale-while-revalidate`, `stale-if-error` and targeted fields (RFC 9213) are not known;
//! - `proxy-revalidate` in a shared cache makes a response stale at once, where it only forbids to use it stale;
//! - a `Date` in the past and the time that the response took are not counted as age (RFC 9111 §4.2.3);
//! - dates of RFC 850 and asctime are refused;
//! - of the status codes only a fixed list may be stored;
//! - `max-stale` is accepted against `no-cache`, `proxy-revalidate` and `s-maxage`;
//! - only the first line of a field that `Vary` names is compared, and white space counts;
//! - a guess has no upper limit, and needs no status that allows one;
//! - a HEAD request is never answered from a GET, and conditions of the caller are not answered at all;
//! - in a 304, a field that was not stored before is left out, and one without validators is handed to the caller;
//! - parts and invalidation are not known.
#![no_main]

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_cache_semantics::{CacheOptions, CachePolicy};
use httplib2_cache::policy::{
    Answered, Asked, Failure, Held, Keep, Reuse, Rules, Signed, Stored, Times, conditions, consider, freshen,
    freshen_by_head, invalidates, not_modified, reuse, select, stands_in, store,
};
use libfuzzer_sys::fuzz_target;

/// The second opinion is asked with lines of these.
const RESPONSE: [(&str, &str); 12] = [
    ("cache-control", "max-age=60"),
    ("cache-control", "max-age=3600"),
    ("cache-control", "s-maxage=120"),
    ("cache-control", "no-store"),
    ("cache-control", "no-cache"),
    ("cache-control", "private"),
    ("cache-control", "public"),
    ("cache-control", "must-revalidate"),
    ("age", "30"),
    ("etag", "\"a\""),
    ("vary", "x"),
    ("expires", "Fri, 15 Jan 2027 08:03:20 GMT"),
];

const REQUEST: [(&str, &str); 6] = [
    ("cache-control", "no-cache"),
    ("cache-control", "max-age=40"),
    ("cache-control", "min-fresh=40"),
    ("authorization", "Basic x"),
    ("x", "1"),
    ("x-other", "1"),
];

const URI: &str = "http://a.example/x";

fuzz_target!(|data: &[u8]| {
    if let Some((kind, rest)) = data.split_first() {
        let rules = if kind & 1 == 0 { Rules::private() } else { Rules::shared() };
        if kind & 2 == 0 { laws(&rules, rest) } else { second_opinion(&rules, rest) }
    }
});

fn zero() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

/// Four heads of any lines, and a time.
fn laws(rules: &Rules, data: &[u8]) {
    let mut parts = data.split(|byte| *byte == 0);
    let mut headers = || parts.next().map(lines).unwrap_or_default();
    let (first, response, second, answer) = (headers(), headers(), headers(), headers());
    let status = StatusCode::from_u16(200 + u16::from(data.first().copied().unwrap_or(0)) * 2).unwrap_or_default();
    let later = data.iter().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte))) >> 30;
    let uri = Uri::from_static(URI);
    let times = Times { requested_at: zero(), received_at: zero() };
    let answered = |headers, status| Answered { status, headers, times, signed: Signed::No };

    let asked = Asked::new(&Method::GET, &uri, &second);
    let _ = (consider(rules, &asked), invalidates(rules, &asked, status, &answer));
    let now = zero() + Duration::from_secs(later);
    let stored = Stored::read(rules, &answered(&response, status));
    assert!(stored.age(now) <= stored.age(now + Duration::from_secs(1)));
    let Keep::Store(kept) = store(rules, &Asked::new(&Method::GET, &uri, &first), &answered(&response, status)) else {
        return;
    };
    let held = Held { stored: &kept.stored, headers: &kept.headers, selecting: &kept.selecting, identity: None };
    assert_eq!(select(rules, &Asked::new(&Method::GET, &uri, &first), [held]), Some(0));
    let selected = select(rules, &asked, [held]);
    if let Reuse::Serve(hit) = reuse(rules, &asked, selected.map(|_| held), true, now) {
        assert!(kept.stored.is_fresh(now) || asked.control().max_stale.is_some(), "{}", hit.why);
    }
    let mut conditional = second.clone();
    conditions(rules, &asked, selected.map(|_| held), [held]).apply(&mut conditional);
    let _ = not_modified(rules, &asked, [held], selected, &answer);
    let freshened = freshen(rules, &asked, &held, &answered(&answer, StatusCode::NOT_MODIFIED));
    assert_eq!(freshened.headers.get("content-length"), kept.headers.get("content-length"));
    let _ = freshen_by_head(rules, &asked, &held, &answered(&answer, StatusCode::OK));
    let _ = stands_in(rules, &asked, &held, Failure::Disconnected, now);
}

fn lines(data: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n').take(20) {
        let at = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let value = line.get(at + 1..).unwrap_or_default();
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(&line[..at]), HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
    headers
}

/// Both say the same of whether a response answers a request without validation.
fn second_opinion(rules: &Rules, data: &[u8]) {
    let [response, first, second, later, ..] = *data else { return };
    let more = data.get(4).copied().unwrap_or(0);
    let mut headers = chosen(&RESPONSE, u16::from(response) | u16::from(more) << 8);
    headers.insert("date", HeaderValue::from_static("Fri, 15 Jan 2027 08:00:00 GMT"));
    let (first, second) = (chosen(&REQUEST, u16::from(first)), chosen(&REQUEST, u16::from(second)));
    let now = zero() + Duration::from_secs(u64::from(later));

    let uri = Uri::from_static(URI);
    let times = Times { requested_at: zero(), received_at: zero() };
    let answered = Answered { status: StatusCode::OK, headers: &headers, times, signed: Signed::No };
    let asked = Asked::new(&Method::GET, &uri, &second);
    let ours = match store(rules, &Asked::new(&Method::GET, &uri, &first), &answered) {
        Keep::Skip(_) => false,
        Keep::Store(kept) => {
            let held =
                Held { stored: &kept.stored, headers: &kept.headers, selecting: &kept.selecting, identity: None };
            select(rules, &asked, [held]).is_some()
                && matches!(reuse(rules, &asked, Some(held), false, now), Reuse::Serve(_))
        }
    };

    let authorization = |headers: &HeaderMap| headers.contains_key("authorization");
    if authorization(&first) != authorization(&second) || (rules.kind == Rules::shared().kind && authorization(&second))
    {
        // It does not keep users apart, nor an anonymous answer from a request that is made for somebody.
        return;
    }
    let request = |headers: &HeaderMap| {
        let mut request = Request::get(URI).body(()).expect("a request");
        *request.headers_mut() = headers.clone();
        request
    };
    let mut received = Response::new(());
    *received.headers_mut() = headers.clone();
    let options = CacheOptions { shared: rules.kind == Rules::shared().kind, ..CacheOptions::default() };
    let policy = CachePolicy::new_options(&request(&first), &received, zero(), options);
    let theirs = policy.is_storable() && policy.before_request(&request(&second), now).satisfies_without_revalidation();
    assert_eq!(ours, theirs, "{headers:?} to {first:?}, then {second:?} after {later} s");
}

fn chosen(pool: &[(&'static str, &'static str)], bits: u16) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (_, (name, value)) in pool.iter().enumerate().filter(|(at, _)| bits & 1 << at != 0) {
        headers.append(*name, HeaderValue::from_static(value));
    }
    headers
}
