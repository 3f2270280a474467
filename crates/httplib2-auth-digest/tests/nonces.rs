//! How long a nonce of the server lasts, and what a refusal means.

mod common;

use std::sync::Arc;

use http::HeaderValue;
use httplib2_auth::{Refusal, Signer};
use httplib2_auth_digest::Digest;
use httplib2_syntax::challenge::{Params, parse_info};

use crate::common::{Claim, Known, challenge, claim, sign, signer};

const FIRST: &str = r#"Digest realm="r", nonce="n1", qop="auth", opaque="o1""#;
const JOE: Known<'_> = Known { user: "joe", password: "s3cr3t", realm: "r", nonce: "n1", algorithm: "MD5" };

fn joe(text: &str) -> Arc<dyn Signer> {
    signer(&Digest::new(), text, "joe", "s3cr3t")
}

fn send(signer: &Arc<dyn Signer>) -> (HeaderValue, Claim) {
    let value = sign(&**signer, "GET http://a.example/", b"").expect("a signature");
    let claim = claim(&value);
    (value, claim)
}

fn used(signer: &Arc<dyn Signer>) -> (String, u32) {
    let (_, claim) = send(signer);
    (claim.field("nonce").into(), claim.count())
}

fn refuse(signer: &Arc<dyn Signer>, sent: &HeaderValue, extra: &str) -> Refusal {
    signer.challenged(&challenge(&format!(r#"Digest realm="r", qop="auth", {extra}"#)), sent)
}

fn accept(signer: &Arc<dyn Signer>, sent: &HeaderValue, info: &str) {
    assert_eq!(signer.accepted(sent, &parse_info(info.as_bytes())), Ok(()));
}

// H-DIG-04, H-DIG-11; RFC 7616 §3.3.
#[test]
fn a_stale_nonce_is_replaced_and_counted_anew() {
    for stale in ["true", "TRUE", "\"True\""] {
        let signer = joe(FIRST);
        assert_eq!(used(&signer), ("n1".into(), 1));
        let (sent, _) = send(&signer);
        assert_eq!(refuse(&signer, &sent, &format!(r#"nonce="n2", opaque="o2", stale={stale}"#)), Refusal::Stale);
        let (_, claim) = send(&signer);
        assert!(claim.is_right(&Known { nonce: "n2", ..JOE }, "GET", "/", b""), "{claim:?}");
        assert_eq!((claim.get("opaque"), claim.count()), (Some("o2"), 1));
    }
}

#[test]
fn a_wrong_password_is_refused_for_good() {
    let signer = joe(FIRST);
    let (sent, _) = send(&signer);
    assert_eq!(refuse(&signer, &sent, r#"nonce="n2""#), Refusal::Rejected);
    assert_eq!(refuse(&signer, &sent, r#"nonce="n1""#), Refusal::Rejected);
    assert_eq!(refuse(&signer, &sent, r#"nonce="n2", stale=false"#), Refusal::Rejected);
}

// A count must not come twice with one nonce.
#[test]
fn a_nonce_that_is_called_stale_and_given_again_is_counted_on() {
    let signer = joe(FIRST);
    let (sent, _) = send(&signer);
    assert_eq!(refuse(&signer, &sent, r#"nonce="n1", stale=true"#), Refusal::Stale);
    assert_eq!(used(&signer), ("n1".into(), 2));
}

#[test]
fn a_refusal_of_an_older_nonce_is_signed_again_with_the_present_one() {
    let signer = joe(FIRST);
    let ((one, _), (two, _)) = (send(&signer), send(&signer));
    assert_eq!(refuse(&signer, &one, r#"nonce="n2", stale=true"#), Refusal::Stale);
    assert_eq!(used(&signer), ("n2".into(), 1));
    // The second request learns of it too late, whatever it is told; the nonce that it is offered is not needed.
    assert_eq!(refuse(&signer, &two, r#"nonce="n3", stale=true"#), Refusal::Stale);
    assert_eq!(refuse(&signer, &two, r#"nonce="n3""#), Refusal::Stale);
    assert_eq!(used(&signer), ("n2".into(), 2));
}

#[test]
fn a_server_that_forgets_to_say_stale_is_understood_after_a_success() {
    let signer = joe(FIRST);
    let (sent, _) = send(&signer);
    accept(&signer, &sent, "");
    assert_eq!(refuse(&signer, &sent, r#"nonce="n2""#), Refusal::Stale);
    // Once more without a success in between, and it is the password: somebody has changed it.
    let (sent, claim) = send(&signer);
    assert_eq!((claim.get("nonce"), claim.count()), (Some("n2"), 1));
    assert_eq!(refuse(&signer, &sent, r#"nonce="n3""#), Refusal::Rejected);
}

#[test]
fn a_refusal_with_the_same_nonce_after_a_success_is_one_of_the_password() {
    let signer = joe(FIRST);
    let (sent, _) = send(&signer);
    accept(&signer, &sent, "");
    assert_eq!(refuse(&signer, &sent, r#"nonce="n1""#), Refusal::Rejected);
}

#[test]
fn a_challenge_of_another_account_or_kind_is_not_taken_over() {
    for text in [
        r#"Digest realm="other", qop="auth", nonce="n2", stale=true"#,
        r#"Digest realm="r", qop="auth", nonce="n2", stale=true, algorithm=SHA-256"#,
        r#"Digest realm="r", qop="auth", nonce="n2", stale=true, algorithm=MD5-sess"#,
        r#"Digest realm="r", qop="auth", nonce="n2", stale=true, algorithm=ROT13"#,
        r#"Digest realm="r", qop="auth-int", nonce="n2", stale=true"#,
        r#"Digest realm="r", nonce="n2", stale=true"#,
        r#"Digest realm="r", qop="auth", nonce="n2", stale=true, userhash=true"#,
        r#"Digest realm="r", qop="auth", stale=true"#,
        "Digest stale=true",
    ] {
        let signer = joe(FIRST);
        let (sent, _) = send(&signer);
        accept(&signer, &sent, "");
        assert_eq!(signer.challenged(&challenge(text), &sent), Refusal::Rejected, "{text}");
        assert_eq!(used(&signer), ("n1".into(), 2), "{text}");
    }
}

// H-DIG-12, AUTH-33; RFC 7616 §3.5.
#[test]
fn the_next_nonce_is_used_from_then_on() {
    let signer = joe(FIRST);
    let (sent, _) = send(&signer);
    accept(&signer, &sent, r#"nextnonce="n2""#);
    let (_, claim) = send(&signer);
    assert!(claim.is_right(&Known { nonce: "n2", ..JOE }, "GET", "/", b""), "{claim:?}");
    assert_eq!((claim.get("opaque"), claim.count()), (Some("o1"), 1));
    assert_eq!(used(&signer), ("n2".into(), 2));
}

#[test]
fn a_next_nonce_that_comes_late_is_ignored() {
    let signer = joe(FIRST);
    let ((one, _), (two, _)) = (send(&signer), send(&signer));
    accept(&signer, &one, r#"nextnonce="n2""#);
    accept(&signer, &two, r#"nextnonce="n3""#);
    assert_eq!(used(&signer), ("n2".into(), 1));
}

#[test]
fn a_next_nonce_that_would_make_requests_too_large_is_ignored() {
    let signer = joe(r#"Digest realm="r", nonce="n1", qop="auth""#);
    for (length, expected) in [(4 * 1024 + 1, "n1"), (4 * 1024, "n")] {
        let (sent, _) = send(&signer);
        accept(&signer, &sent, &format!("nextnonce=\"{}\"", "n".repeat(length)));
        let nonce = used(&signer).0;
        assert!(nonce.starts_with(expected) && nonce.len() == if length > 4_096 { 2 } else { length }, "{length}");
    }
}

#[test]
fn a_next_nonce_that_is_no_new_one_does_not_count_anew() {
    let signer = joe(FIRST);
    let (sent, _) = send(&signer);
    for info in ["", r#"nextnonce="n1""#, r#"nextnonce="""#, "nextnonce", r#"qop=auth"#] {
        accept(&signer, &sent, info);
    }
    assert_eq!(signer.accepted(&sent, &Params::default()), Ok(()));
    assert_eq!(used(&signer), ("n1".into(), 2));
}

#[test]
fn a_next_nonce_is_of_an_account_that_was_accepted() {
    let signer = joe(FIRST);
    let (sent, _) = send(&signer);
    accept(&signer, &sent, r#"nextnonce="n2""#);
    let (sent, _) = send(&signer);
    assert_eq!(refuse(&signer, &sent, r#"nonce="n3""#), Refusal::Stale);
    assert_eq!(used(&signer), ("n3".into(), 1));
}

#[test]
fn a_session_gets_a_new_key_with_a_new_nonce() {
    let signer = joe(r#"Digest realm="r", nonce="n1", qop="auth", algorithm=MD5-sess"#);
    let known = Known { algorithm: "MD5-sess", ..JOE };
    let ((sent, one), (_, two)) = (send(&signer), send(&signer));
    assert_eq!(one.get("cnonce"), two.get("cnonce"));
    accept(&signer, &sent, r#"nextnonce="n2""#);
    let (_, three) = send(&signer);
    assert!(three.is_right(&Known { nonce: "n2", ..known }, "GET", "/", b""), "{three:?}");
    assert_ne!(one.get("cnonce"), three.get("cnonce"));
}
