use super::*;
use httplib2_testing::FixedClock;

/// 2026-01-01T00:00:00Z.
const NOW: u64 = 1_767_225_600;

const AUTHORIZATION: &str = "WSSE profile=\"UsernameToken\"";

// b64encode(sha1(nonce + b"2026-01-01T00:00:00Zopen:sesame 7")), with hashlib, for these two nonces.
const BASE64: (&str, &str) = ("AQEBAQEBAQEBAQEBAQEBAQ==", "AZwZqizbbiFrxL0rwVOBvt1Q1GA=");
const PLAIN: (&str, &str) = ("a5a5a5a5", "NO1ULHSvb3oMAWvx9T1HzBD3POo=");

fn guard() -> Guard {
    Guard::default().clock(FixedClock::at_unix(NOW))
}

fn token((nonce, digest): (&str, &str)) -> String {
    token_of(USER, digest, nonce, "2026-01-01T00:00:00Z")
}

fn token_of(name: &str, digest: &str, nonce: &str, created: &str) -> String {
    format!(r#"UsernameToken Username="{name}", PasswordDigest="{digest}", Nonce="{nonce}", Created="{created}""#)
}

fn send(guard: &Guard, fields: &[(&str, &str)]) -> StatusCode {
    let mut request = Request::builder();
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    guard.answer(&request.body(Bytes::new()).unwrap()).status()
}

/// What becomes of a request with this token.
fn sent(guard: &Guard, token: &str) -> Result<(), Refusal> {
    let status = send(guard, &[("authorization", AUTHORIZATION), ("x-wsse", token)]);
    if status == StatusCode::OK { Ok(()) } else { Err(*guard.refusals().last().unwrap()) }
}

#[test]
fn a_token_lets_in_once() {
    let guard = guard();
    assert_eq!(sent(&guard, &token(BASE64)), Ok(()));
    assert_eq!(sent(&guard.clone(), &token(BASE64)), Err(Refusal::Replay));
    assert_eq!((guard.let_in(), guard.refusals()), (1, vec![Refusal::Replay]));
}

#[test]
fn the_form_of_the_nonce_is_that_of_the_guard() {
    assert_eq!(sent(&guard().plain_nonces(), &token(PLAIN)), Ok(()));
    assert_eq!(sent(&guard(), &token(PLAIN)), Err(Refusal::Digest));
    assert_eq!(sent(&guard().plain_nonces(), &token(BASE64)), Err(Refusal::Digest));
}

#[test]
fn a_token_is_good_for_five_minutes_before_and_after() {
    for (at, expected) in
        [(NOW - 301, Err(Refusal::Time)), (NOW - 300, Ok(())), (NOW + 300, Ok(())), (NOW + 301, Err(Refusal::Time))]
    {
        assert_eq!(sent(&Guard::default().clock(FixedClock::at_unix(at)), &token(BASE64)), expected, "{at}");
    }
}

#[test]
fn what_is_not_a_token_of_the_user_is_refused() {
    let (nonce, digest) = BASE64;
    let now = "2026-01-01T00:00:00Z";
    for (token, refusal) in [
        (token_of("jim", digest, nonce, now), Refusal::User),
        (token_of(USER, digest, nonce, "2026-01-01T00:00:01Z"), Refusal::Digest),
        (token_of(USER, digest, "AgICAgICAgICAgICAgICAg==", now), Refusal::Digest),
        (token_of(USER, digest, "no base64", now), Refusal::Token),
        (format!("{}, More=\"1\"", token(BASE64)), Refusal::Token),
        (token(BASE64).replace("Username=", "UserName="), Refusal::Token),
        (token(BASE64).replace("UsernameToken", "Username"), Refusal::Token),
        (token_of(USER, digest, nonce, now).split_once(", Created").unwrap().0.to_owned(), Refusal::Token),
        (String::new(), Refusal::Token),
    ] {
        assert_eq!(sent(&guard(), &token), Err(refusal), "{token}");
    }
}

#[test]
fn both_fields_must_be_there_once() {
    let token = token(BASE64);
    for (fields, refusal) in [
        (vec![], Refusal::Unsigned),
        (vec![("x-wsse", &*token)], Refusal::Authorization),
        (vec![("authorization", "Basic x"), ("x-wsse", &token)], Refusal::Authorization),
        (vec![("authorization", AUTHORIZATION)], Refusal::Token),
        (vec![("authorization", AUTHORIZATION), ("x-wsse", &token), ("x-wsse", &token)], Refusal::Token),
    ] {
        let guard = guard();
        assert_eq!(send(&guard, &fields), StatusCode::UNAUTHORIZED);
        assert_eq!(guard.refusals(), [refusal]);
    }
}

#[test]
fn a_guard_need_not_challenge() {
    assert_eq!(send(&guard().without_challenge(), &[]), StatusCode::FORBIDDEN);
}

#[test]
fn times_are_read_as_they_are_written() {
    for (text, expected) in [
        ("1970-01-01T00:00:00Z", Some(0)),
        ("2000-02-29T23:59:59Z", Some(951_868_799)),
        ("2003-12-15T14:43:07Z", Some(1_071_499_387)),
        ("9999-12-31T23:59:59Z", Some(253_402_300_799)),
        ("2001-02-29T00:00:00Z", None),
        ("2001-13-01T00:00:00Z", None),
        ("2001-04-31T00:00:00Z", None),
        ("2001-04-00T00:00:00Z", None),
        ("2001-04-01T24:00:00Z", None),
        ("1969-12-31T23:59:59Z", None),
        ("2001-04-01 00:00:00Z", None),
        ("2001-04-01T00:00:00.5Z", None),
        ("+001-04-01T00:00:00Z", None),
        ("", None),
    ] {
        let seconds = time(text).map(|time| time.duration_since(UNIX_EPOCH).unwrap().as_secs());
        assert_eq!(seconds, expected, "{text}");
    }
}
