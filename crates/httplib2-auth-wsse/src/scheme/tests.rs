use super::*;
use std::time::{Duration, UNIX_EPOCH};

use http::{HeaderMap, Method, Uri};
use httplib2_syntax::challenge;
use httplib2_testing::{FixedClock, FixedNonce};

/// 2003-12-15T14:43:07Z.
const TIME: u64 = 1_071_499_387;

fn wsse() -> Wsse {
    Wsse::new().without_challenge(true).clock(FixedClock::at_unix(TIME)).nonce(FixedNonce::counting())
}

fn joe() -> Credential {
    Credential::login("joe", "s3cret")
}

fn answer(line: &str, credential: &Credential) -> Result<Arc<dyn Signer>, CannotAnswer> {
    let challenges = challenge::parse([line.as_bytes()]);
    wsse().answer(&challenges[0], credential)
}

/// `Authorization` and `X-WSSE` of one send.
fn sign(signer: &dyn Signer) -> Result<(HeaderValue, HeaderValue), SignError> {
    let mut headers = HeaderMap::new();
    let sent = sign_into(signer, &mut headers)?;
    Ok((sent, headers[X_WSSE].clone()))
}

fn sign_into(signer: &dyn Signer, headers: &mut HeaderMap) -> Result<HeaderValue, SignError> {
    let uri = Uri::from_static("http://example.org/");
    signer.sign(&mut Unsigned { method: &Method::GET, uri: &uri, headers, content: None })
}

#[test]
fn a_challenge_is_answered_with_both_fields() {
    // H-WSSE-01. The digest is hashlib.sha1(bytes([1] * 16) + b"2003-12-15T14:43:07Zs3cret").
    let signer = answer(r#"WSSE realm="foo", profile="UsernameToken""#, &joe()).unwrap();
    assert_eq!(signer.realm(), Some(&b"foo"[..]));
    assert_eq!(signer.space(), Space::Depth);
    let (authorization, token) = sign(&*signer).unwrap();
    assert_eq!(authorization, "WSSE profile=\"UsernameToken\"");
    assert_eq!(
        token,
        "UsernameToken Username=\"joe\", PasswordDigest=\"FMxkWyUrO0ot0cSGIOUqz0FnDQM=\", \
         Nonce=\"AQEBAQEBAQEBAQEBAQEBAQ==\", Created=\"2003-12-15T14:43:07Z\""
    );
    assert_eq!(token.as_bytes().iter().filter(|byte| **byte == b',').count(), 3);
}

#[test]
fn a_challenge_is_answered_whatever_it_leaves_out() {
    for line in ["WSSE", r#"WSSE realm="foo""#, "wsse profile=UsernameToken", r#"WSSE profile="usernametoken""#] {
        let signer = answer(line, &joe()).unwrap();
        assert_eq!(signer.realm().is_some(), line.contains("realm"), "{line}");
        sign(&*signer).unwrap();
    }
}

#[test]
fn a_profile_that_is_not_known_is_not_answered() {
    // H-WSSE-04.
    let refused = |line: &str| answer(line, &joe()).unwrap_err().to_string();
    assert_eq!(refused(r#"WSSE profile="X509""#), r#"the profile "X509" is not supported"#);
    assert_eq!(refused(r#"WSSE profile="""#), r#"the profile "" is not supported"#);
    assert_eq!(refused("WSSE profile=\"\u{e9}\""), r#"the profile "\xc3\xa9" is not supported"#);
    let long = format!("WSSE profile=\"{}\"", "x".repeat(10_000));
    assert_eq!(refused(&long), format!("the profile \"{}\" is not supported", "x".repeat(MOST_TOLD)));
}

#[test]
fn a_credential_of_another_kind_is_not_answered_for() {
    let refused = answer("WSSE", &Credential::token("s3cret")).unwrap_err();
    assert_eq!(refused, CannotAnswer::Credential("WSSE needs a name and a password"));
    assert!(wsse().in_advance(&Credential::token("s3cret")).is_none());
}

#[test]
fn a_name_with_a_line_break_is_refused() {
    // AUTH-27.
    let evil = Credential::login("u\r\nX-Evil: 1", "s3cret");
    assert_eq!(answer("WSSE", &evil).unwrap_err(), CannotAnswer::Credential("the name has a control character"));
    assert!(wsse().in_advance(&evil).is_none());
}

#[test]
fn a_password_may_hold_any_byte() {
    let signer = answer("WSSE", &Credential::login("joe", b"\0\r\n\xff\"\\")).unwrap();
    sign(&*signer).unwrap();
}

#[test]
fn a_name_beyond_ascii_is_sent_as_utf8() {
    let (_, token) = sign(&*wsse().in_advance(&Credential::login("jürgen", "s3cret")).unwrap()).unwrap();
    assert!(token.as_bytes().starts_with("UsernameToken Username=\"jürgen\"".as_bytes()));
}

#[test]
fn every_send_has_a_nonce_and_a_time_of_its_own() {
    // AUTH-25, H-WSSE-03.
    let clock = FixedClock::at_unix(TIME);
    let signer = wsse().clock(clock.clone()).in_advance(&joe()).unwrap();
    let (_, first) = sign(&*signer).unwrap();
    let (_, second) = sign(&*signer).unwrap();
    clock.advance(Duration::from_secs(60));
    let (_, third) = sign(&*signer).unwrap();
    let ends = |value: &HeaderValue, end: &str| value.to_str().unwrap().ends_with(end);
    assert!(ends(&first, r#"Nonce="AQEBAQEBAQEBAQEBAQEBAQ==", Created="2003-12-15T14:43:07Z""#));
    assert!(ends(&second, r#"Nonce="AgICAgICAgICAgICAgICAg==", Created="2003-12-15T14:43:07Z""#));
    assert!(ends(&third, r#"Nonce="AwMDAwMDAwMDAwMDAwMDAw==", Created="2003-12-15T14:44:07Z""#));
}

#[test]
fn nonces_of_the_operating_system_differ() {
    let signer = Wsse::new().without_challenge(true).in_advance(&joe()).unwrap();
    assert_ne!(sign(&*signer).unwrap().1, sign(&*signer).unwrap().1);
}

#[test]
fn the_nonce_is_sent_plain_where_asked() {
    // H-WSSE-03.
    let signer = wsse().nonce_form(NonceForm::Plain).in_advance(&joe()).unwrap();
    let (_, token) = sign(&*signer).unwrap();
    assert!(token.to_str().unwrap().contains(r#", Nonce="01010101010101010101010101010101", "#));
}

#[test]
fn a_token_of_the_request_is_replaced() {
    let mut headers = HeaderMap::new();
    headers.append(X_WSSE, HeaderValue::from_static("old"));
    headers.append(X_WSSE, HeaderValue::from_static("older"));
    sign_into(&*wsse().in_advance(&joe()).unwrap(), &mut headers).unwrap();
    assert_eq!(headers.get_all(X_WSSE).iter().count(), 1);
    assert!(headers[X_WSSE].to_str().unwrap().starts_with("UsernameToken "));
}

#[test]
fn without_randomness_nothing_is_signed() {
    let nonce = FixedNonce::counting();
    nonce.set_failing(true);
    let signer = wsse().nonce(nonce).in_advance(&joe()).unwrap();
    let mut headers = HeaderMap::new();
    assert!(sign_into(&*signer, &mut headers).is_err());
    assert!(headers.is_empty());
}

#[test]
fn a_clock_that_is_out_of_range_signs_nothing() {
    for time in [UNIX_EPOCH - Duration::from_secs(1), UNIX_EPOCH + Duration::from_secs(253_402_300_800)] {
        let signer = wsse().clock(FixedClock::at(time)).in_advance(&joe()).unwrap();
        let mut headers = HeaderMap::new();
        assert!(sign_into(&*signer, &mut headers).is_err());
        assert!(headers.is_empty());
    }
}

#[test]
fn a_token_is_sensitive_and_debug_shows_neither_name_nor_password() {
    let signer = answer("WSSE", &joe()).unwrap();
    let (_, token) = sign(&*signer).unwrap();
    assert!(token.is_sensitive());
    let shown = format!("{signer:?} {token:?} {:?}", wsse());
    assert!(!shown.contains("joe") && !shown.contains("s3cret"), "{shown}");
}

#[test]
fn nothing_is_signed_unasked_unless_that_is_wanted() {
    // Beside Basic, which is what a server that never challenges mostly wants.
    assert!(Wsse::new().in_advance(&joe()).is_none());
}
