//! The legacy scheme `HMACDigest`, as H-HMAC lays it down.

mod common;

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, HeaderValue, Method};
use httplib2_auth::{CannotAnswer, Credential, Refusal, Scheme, Signer, Space, Unsigned};
use httplib2_auth_digest::HmacDigest;
use httplib2_testing::{FixedClock, FixedNonce};

use crate::common::{challenge, sign, signer};

const FIRST: &str = r#"HMACDigest realm="myrealm", snonce="SN""#;

fn scheme() -> HmacDigest {
    HmacDigest::new().clock(FixedClock::default()).nonce(FixedNonce::counting())
}

fn joe(text: &str) -> Arc<dyn Signer> {
    signer(&scheme(), text, "joe", "password")
}

fn send(signer: &Arc<dyn Signer>) -> HeaderValue {
    sign(&**signer, "GET http://a.example/x", b"").expect("a signature")
}

// H-HMAC-04. The response is from Python's hmac.
#[test]
fn a_request_is_signed_with_what_the_draft_lists() {
    let uri = "http://a.example/x".parse().unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("accept", HeaderValue::from_static("*/*"));
    let mut request = Unsigned { method: &Method::GET, uri: &uri, headers: &mut headers, content: None };
    let value = joe(FIRST).sign(&mut request).unwrap();
    assert_eq!(
        value.to_str().unwrap(),
        r#"HMACDigest username="joe", realm="myrealm", snonce="SN", cnonce="01010101010101010101010101010101", uri="/x", created="1994-11-06T08:49:37Z", response="aa66628a35fd949ded081ae495d4d85ee9ba7e5f", headers="accept ""#
    );
}

#[test]
fn nonce_and_time_are_those_of_each_request() {
    let clock = FixedClock::default();
    let nonce = FixedNonce::counting();
    let signer = signer(&HmacDigest::new().clock(clock.clone()).nonce(nonce.clone()), FIRST, "joe", "password");
    let one = send(&signer);
    clock.advance(Duration::from_secs(1));
    let two = send(&signer);
    assert!(one.to_str().unwrap().contains(r#"cnonce="0101"#) && two.to_str().unwrap().contains(r#"cnonce="0202"#));
    assert!(two.to_str().unwrap().contains(r#"created="1994-11-06T08:49:38Z""#));
    nonce.set_failing(true);
    assert!(sign(&*signer, "GET http://a.example/x", b"").is_err());
}

// H-HMAC-03.
#[test]
fn options_that_nobody_knows_are_not_answered() {
    for (option, expected) in [
        ("reason=expired", Some(r#"reason="expired""#)),
        ("reason=stale", Some(r#"reason="stale""#)),
        ("algorithm=HMAC-SHA-256", Some(r#"algorithm="HMAC-SHA-256""#)),
        ("pw-algorithm=SHA-256", Some(r#"pw-algorithm="SHA-256""#)),
        ("reason=integrity", None),
        ("reason=Unauthorized", None),
        ("algorithm=HMAC-MD5, pw-algorithm=MD5", None),
    ] {
        let offered = challenge(&format!("{FIRST}, {option}"));
        let refused = scheme().answer(&offered, &Credential::login("joe", "password")).err();
        assert_eq!(refused, expected.map(|what| CannotAnswer::Unsupported(what.into())), "{option}");
    }
    let refused = scheme().answer(&challenge(FIRST), &Credential::token("password")).err();
    assert_eq!(refused, Some(CannotAnswer::Credential("it is no name and password")));
}

// H-HMAC-05.
#[test]
fn a_refusal_for_integrity_or_a_stale_nonce_is_signed_once_more() {
    for (reason, expected) in [
        ("reason=integrity", Refusal::Stale),
        ("reason=STALE", Refusal::Stale),
        ("reason=unauthorized", Refusal::Rejected),
        ("salt=x", Refusal::Rejected),
        ("reason=stale, algorithm=ROT13", Refusal::Rejected),
    ] {
        let signer = joe(FIRST);
        let sent = send(&signer);
        let next = challenge(&format!(r#"HMACDigest realm="myrealm", snonce="SN2", {reason}"#));
        assert_eq!(signer.challenged(&next, &sent), expected, "{reason}");
        let snonce = if expected == Refusal::Stale { r#"snonce="SN2""# } else { r#"snonce="SN""# };
        assert!(send(&signer).to_str().unwrap().contains(snonce), "{reason}");
    }
}

#[test]
fn a_refusal_of_an_older_nonce_is_signed_again_with_the_present_one() {
    let signer = joe(FIRST);
    let (one, two) = (send(&signer), send(&signer));
    let next = challenge(r#"HMACDigest realm="myrealm", snonce="SN2", reason=stale"#);
    assert_eq!(signer.challenged(&next, &one), Refusal::Stale);
    let next = challenge(r#"HMACDigest realm="myrealm", snonce="SN3", reason=unauthorized"#);
    assert_eq!(signer.challenged(&next, &two), Refusal::Stale);
    assert!(send(&signer).to_str().unwrap().contains(r#"snonce="SN2""#));
    let other = challenge(r#"HMACDigest realm="other", snonce="SN3", reason=stale"#);
    assert_eq!(signer.challenged(&other, &two), Refusal::Rejected);
}

#[test]
fn a_new_salt_makes_a_new_key() {
    let signer = joe(FIRST);
    let salted =
        challenge(r#"HMACDigest realm="myrealm", snonce="SN", salt="NaCl", pw-algorithm=MD5, reason=integrity"#);
    let unsalted = send(&signer);
    assert_eq!(signer.challenged(&salted, &unsalted), Refusal::Stale);
    let fresh = signer_with_salt();
    // The nonces of the client are counted: both draw their second one.
    assert_eq!(send(&signer), fresh);
}

fn signer_with_salt() -> HeaderValue {
    let signer = joe(r#"HMACDigest realm="myrealm", snonce="SN", salt="NaCl", pw-algorithm=MD5"#);
    send(&signer);
    send(&signer)
}

#[test]
fn it_stands_apart_from_digest() {
    let signer = joe(FIRST);
    assert_eq!((scheme().name(), scheme().strength(), scheme().reveals_secret()), ("hmacdigest", 40, false));
    assert_eq!((signer.space(), signer.realm()), (Space::Depth, Some(&b"myrealm"[..])));
    let shown = format!("{signer:?} {:?}", scheme());
    assert!(!shown.contains("password") && !shown.contains("joe"), "{shown}");
}
