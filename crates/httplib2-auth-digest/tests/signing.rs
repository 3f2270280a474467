//! What is signed is what a server expects that was written from the RFC alone.

mod common;

use std::{collections::BTreeSet, thread};

use http::{HeaderMap, HeaderValue, Method};
use httplib2_auth::{CannotAnswer, Credential, Refusal, Scheme, Space, Unsigned};
use httplib2_auth_digest::Digest;
use httplib2_syntax::challenge::{Params, parse_info};
use httplib2_testing::FixedNonce;
use proptest::prelude::*;

use crate::common::{Known, challenge, claim, sign, signer};

const JOE: Known<'_> = Known { user: "joe", password: "s3cr3t", realm: "r", nonce: "n1", algorithm: "MD5" };
const ALGORITHMS: [&str; 6] = ["MD5", "MD5-sess", "SHA-256", "SHA-256-sess", "SHA-512-256", "SHA-512-256-sess"];

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

proptest! {
    #[test]
    fn a_server_lets_in_whoever_knows_the_password(
        user in "[^\\p{Cc}]{0,12}",
        password in any::<String>(),
        realm in "[^\\p{Cc}]{0,12}",
        nonce in "[^\\p{Cc}]{0,40}",
        path in "(/[a-zA-Z0-9._~!$&'()*+,;=:@%20\"-]{0,8}){1,3}",
        query in proptest::option::of("[a-zA-Z0-9&=%20/?'-]{0,12}"),
        body in proptest::collection::vec(any::<u8>(), 0..64),
        algorithm in prop::sample::select(ALGORITHMS.to_vec()),
        qop in prop::sample::select(vec!["auth", "auth-int", "auth-int, auth"]),
        userhash in any::<bool>(),
        charset in prop::sample::select(vec!["", ", charset=UTF-8"]),
    ) {
        let scheme = Digest::new().prefer_auth_int(true);
        let text = format!(
            r#"Digest realm={}, nonce={}, qop="{qop}", algorithm={algorithm}, userhash={userhash}{charset}"#,
            quoted(&realm), quoted(&nonce)
        );
        let target = query.map_or_else(|| path.clone(), |query| format!("{path}?{query}"));
        let signer = signer(&scheme, &text, &user, &password);
        let value = sign(&*signer, &format!("PUT http://a.example{target}"), &body).unwrap();
        let claim = claim(&value);
        let known = Known { user: &user, password: &password, realm: &realm, nonce: &nonce, algorithm };
        prop_assert!(claim.is_right(&known, "PUT", &target, &body), "{value:?}");
        prop_assert_eq!(claim.get("qop"), Some(if qop == "auth" { "auth" } else { "auth-int" }));
        // And nobody else: the server can tell.
        let wrong = Known { password: &format!("{password}!"), ..known.clone() };
        prop_assert!(!claim.is_right(&wrong, "PUT", &target, &body));
        prop_assert!(!claim.is_right(&known, "GET", &target, &body));
        prop_assert_eq!(claim.is_right(&known, "PUT", &target, &[&body[..], b"!"].concat()), qop == "auth");
    }
}

// H-DIG-06, AUTH-19; RFC 2069 §2.1.2.
#[test]
fn without_qop_the_form_is_that_of_rfc_2069() {
    for algorithm in ["MD5", "SHA-256", "SHA-512-256"] {
        let text = format!(r#"Digest realm="r", nonce="n1", algorithm={algorithm}"#);
        let claim =
            claim(&sign(&*signer(&Digest::new(), &text, "joe", "s3cr3t"), "GET http://a.example/", b"").unwrap());
        assert!(claim.is_right(&Known { algorithm, ..JOE }, "GET", "/", b""), "{claim:?}");
        assert_eq!((claim.get("qop"), claim.get("nc"), claim.get("cnonce")), (None, None, None));
    }
    let text = r#"Digest realm="r", nonce="n1""#;
    let compatible = Digest::new().missing_qop_is_auth(true);
    let claim = claim(&sign(&*signer(&compatible, text, "joe", "s3cr3t"), "GET http://a.example/", b"").unwrap());
    assert!(claim.is_right(&JOE, "GET", "/", b"") && claim.get("qop") == Some("auth"), "{claim:?}");

    let refusing = Digest::new().allow_without_qop(false);
    let refused = refusing.answer(&challenge(text), &Credential::login("joe", "s3cr3t")).err();
    assert_eq!(refused, Some(CannotAnswer::Unsupported("a challenge without qop".into())));
}

// Trap 43: also a request without content is signed with auth-int.
#[test]
fn with_auth_int_an_empty_content_is_signed_too() {
    let signer = signer(&Digest::new(), r#"Digest realm="r", nonce="n1", qop="auth-int""#, "joe", "s3cr3t");
    let claim = claim(&sign(&*signer, "GET http://a.example/", b"").unwrap());
    assert!(claim.is_right(&JOE, "GET", "/", b"") && claim.get("qop") == Some("auth-int"), "{claim:?}");
}

#[test]
fn with_auth_int_a_content_that_nobody_digested_is_not_signed() {
    let signer = signer(&Digest::new(), r#"Digest realm="r", nonce="n1", qop="auth-int""#, "joe", "s3cr3t");
    let (uri, mut headers) = ("http://a.example/".parse().unwrap(), HeaderMap::new());
    let mut request = Unsigned { method: &Method::PUT, uri: &uri, headers: &mut headers, content: None };
    assert!(signer.sign(&mut request).is_err());
}

#[test]
fn with_auth_the_content_is_not_asked_for() {
    assert!(
        signer(&Digest::new(), r#"Digest realm="r", nonce="n1", qop="auth""#, "joe", "x").content_digest().is_none()
    );
    let both = r#"Digest realm="r", nonce="n1", qop="auth, auth-int""#;
    assert!(signer(&Digest::new(), both, "joe", "x").content_digest().is_none());
    assert!(signer(&Digest::new().prefer_auth_int(true), both, "joe", "x").content_digest().is_some());
}

// Trap 44, AUTH-40.
#[test]
fn the_target_is_that_of_the_request_line() {
    let signer = signer(&Digest::new(), r#"Digest realm="r", nonce="n1", qop="auth""#, "joe", "s3cr3t");
    for (line, method, target) in [
        ("GET http://a.example", "GET", "/"),
        ("GET http://a.example/a?b=c#part", "GET", "/a?b=c"),
        ("GET http://a.example?b", "GET", "/?b"),
        ("OPTIONS *", "OPTIONS", "*"),
        ("CONNECT a.example:443", "CONNECT", "a.example:443"),
    ] {
        let claim = claim(&sign(&*signer, line, b"").unwrap());
        assert!(claim.is_right(&JOE, method, target, b""), "{line}: {claim:?}");
    }
}

// RFC 7616 §3.4: a server refuses a count that it has seen.
#[test]
fn counts_are_unique_whoever_signs_at_the_same_time() {
    for algorithm in ["MD5", "MD5-sess"] {
        let text = format!(r#"Digest realm="r", nonce="n1", qop="auth", algorithm={algorithm}"#);
        let signer = signer(&Digest::new(), &text, "joe", "s3cr3t");
        let sign_many = || {
            let claims = (0..250).map(|_| claim(&sign(&*signer, "GET http://a.example/", b"").unwrap()));
            let counts = claims.map(|claim| {
                assert!(claim.is_right(&Known { algorithm, ..JOE }, "GET", "/", b""));
                claim.count()
            });
            let counts: Vec<_> = counts.collect();
            assert!(counts.is_sorted(), "counts of one thread increase");
            counts
        };
        let counts: Vec<u32> = thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(sign_many)).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        let unique: BTreeSet<_> = counts.iter().copied().collect();
        assert_eq!((unique.len(), unique.first(), unique.last()), (2_000, Some(&1), Some(&2_000)));
    }
}

// H-DIG-05, AUTH-10, AUTH-39.
#[test]
fn client_nonces_come_from_the_source_of_randomness() {
    let scheme = Digest::new().nonce(FixedNonce::sequence([[0xab; 16], [0xcd; 16]]));
    let signer = signer(&scheme, r#"Digest realm="r", nonce="n1", qop="auth""#, "joe", "s3cr3t");
    for expected in ["ab", "cd"] {
        let claim = claim(&sign(&*signer, "GET http://a.example/", b"").unwrap());
        assert_eq!(claim.get("cnonce"), Some(&*expected.repeat(16)));
    }
    assert!(sign(&*signer, "GET http://a.example/", b"").is_err());
}

#[test]
fn client_nonces_of_the_system_are_fresh() {
    let text = r#"Digest realm="r", nonce="n1", qop="auth""#;
    let cnonces: BTreeSet<_> = (0..4)
        .map(|_| claim(&sign(&*signer(&Digest::new(), text, "joe", "x"), "GET http://a.example/", b"").unwrap()))
        .map(|claim| claim.get("cnonce").unwrap().to_owned())
        .collect();
    assert_eq!(cnonces.len(), 4);
    assert!(cnonces.iter().all(|cnonce| cnonce.len() == 32));
}

// RFC 7616 §3.3.
#[test]
fn the_protection_space_is_the_domain_or_the_origin() {
    for (domain, expected) in [
        ("", Space::Origin),
        (r#", domain="""#, Space::Origin),
        (r#", domain="/a http://b.example/c""#, Space::Uris("/a http://b.example/c")),
    ] {
        let text = format!(r#"Digest realm="r", nonce="n1", qop="auth"{domain}"#);
        let signer = signer(&Digest::new(), &text, "joe", "x");
        assert_eq!(signer.space(), expected);
        assert_eq!(signer.realm(), Some(&b"r"[..]));
    }
}

#[test]
fn a_token_is_no_login() {
    let challenge = challenge(r#"Digest realm="r", nonce="n1", qop="auth""#);
    let refused = Digest::new().answer(&challenge, &Credential::token("s3cr3t")).err();
    assert_eq!(refused, Some(CannotAnswer::Credential("it is no name and password")));
}

#[test]
fn nothing_secret_is_shown() {
    let signer = signer(&Digest::new(), r#"Digest realm="r", nonce="n1", qop="auth""#, "joe", "s3cr3t");
    let key = common::hash("MD5", b"joe:r:s3cr3t");
    sign(&*signer, "GET http://a.example/", b"").unwrap();
    let shown = format!("{signer:?} {:?}", Digest::new());
    assert!(shown.contains("MD5") && !shown.contains("s3cr3t") && !shown.contains(&key), "{shown}");
    assert!(!shown.contains("joe"), "{shown}");
}

#[test]
fn a_value_that_is_not_its_own_is_no_reason_to_forget_the_nonce() {
    let signer = signer(&Digest::new(), r#"Digest realm="r", nonce="n1", qop="auth""#, "joe", "s3cr3t");
    let foreign = HeaderValue::from_static("Basic am9lOnMzY3IzdA==");
    assert_eq!(signer.accepted(&foreign, &parse_info(b"nextnonce=\"n2\"")), Ok(()));
    assert_eq!(signer.accepted(&foreign, &Params::default()), Ok(()));
    let claim = claim(&sign(&*signer, "GET http://a.example/", b"").unwrap());
    assert_eq!((claim.get("nonce"), claim.count()), (Some("n1"), 1));
    let wrong = challenge(r#"Digest realm="other", nonce="n2", qop="auth", stale=true"#);
    assert_eq!(signer.challenged(&wrong, &foreign), Refusal::Rejected);
}
