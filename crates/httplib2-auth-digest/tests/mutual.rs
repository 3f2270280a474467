//! Whether the server proves that it knows the password too (RFC 7616 §3.5).

mod common;

use std::sync::Arc;

use http::HeaderValue;
use httplib2_auth::{CannotAnswer, Credential, Scheme, Signer, Unproven};
use httplib2_auth_digest::Digest;
use httplib2_syntax::challenge::{Params, parse_info};

use crate::common::{Claim, Known, challenge, claim, sign, signer};

const JOE: Known<'_> = Known { user: "joe", password: "s3cr3t", realm: "r", nonce: "n1", algorithm: "MD5" };

struct Exchange {
    signer: Arc<dyn Signer>,
    sent: HeaderValue,
    claim: Claim,
}

fn exchange(scheme: &Digest, text: &str, line: &str) -> Exchange {
    let signer = signer(scheme, text, "joe", "s3cr3t");
    let sent = sign(&*signer, line, b"").expect("a signature");
    Exchange { signer, claim: claim(&sent), sent }
}

impl Exchange {
    fn answered(&self, info: &str) -> Result<(), Unproven> {
        self.signer.accepted(&self.sent, &parse_info(info.as_bytes()))
    }

    /// What an honest server says.
    fn info(&self, known: &Known<'_>) -> String {
        let field = |name| self.claim.field(name);
        format!(
            r#"qop={}, rspauth="{}", cnonce="{}", nc={}"#,
            field("qop"),
            self.claim.rspauth(known),
            field("cnonce"),
            field("nc")
        )
    }
}

fn mutual() -> Digest {
    Digest::new().mutual(true)
}

// AUTH-32.
#[test]
fn a_server_that_knows_the_password_is_believed() {
    for algorithm in ["MD5", "MD5-sess", "SHA-256", "SHA-256-sess", "SHA-512-256", "SHA-512-256-sess"] {
        let text = format!(r#"Digest realm="r", nonce="n1", qop="auth", algorithm={algorithm}"#);
        for line in ["GET http://a.example/x?y=1", r#"GET http://a.example/a"b"#, "OPTIONS *"] {
            let exchange = exchange(&mutual(), &text, line);
            let info = exchange.info(&Known { algorithm, ..JOE });
            assert_eq!(exchange.answered(&info), Ok(()), "{algorithm} {line}");
            let alone = format!(r#"rspauth="{}""#, exchange.claim.rspauth(&Known { algorithm, ..JOE }));
            assert_eq!(exchange.answered(&alone), Ok(()), "{algorithm} {line}");
        }
    }
}

#[test]
fn a_server_without_qop_proves_it_in_the_form_of_rfc_2069() {
    let exchange = exchange(&mutual(), r#"Digest realm="r", nonce="n1""#, "GET http://a.example/");
    let rspauth = exchange.claim.rspauth(&JOE);
    assert_eq!(exchange.answered(&format!(r#"rspauth="{rspauth}""#)), Ok(()));
    assert_eq!(exchange.answered(&format!(r#"rspauth="{rspauth}", qop=auth"#)), Err(Unproven));
}

#[test]
fn a_server_that_does_not_know_the_password_is_not_believed() {
    let exchange = exchange(&mutual(), r#"Digest realm="r", nonce="n1", qop="auth""#, "GET http://a.example/");
    let right = exchange.info(&JOE);
    let response = exchange.claim.get("response").unwrap().to_owned();
    for info in [
        String::new(),
        "nextnonce=\"n2\"".into(),
        "rspauth=\"\"".into(),
        "rspauth=\"wrong\"".into(),
        // The signature of the request, sent back.
        format!("rspauth=\"{response}\""),
        exchange.info(&Known { password: "guess", ..JOE }),
        right.replace("nc=00000001", "nc=00000002"),
        right.replace("qop=auth", "qop=auth-int"),
        right.replace("cnonce=\"", "cnonce=\"0"),
    ] {
        assert_eq!(exchange.answered(&info), Err(Unproven), "{info}");
    }
    assert_eq!(exchange.signer.accepted(&exchange.sent, &Params::default()), Err(Unproven));
    let foreign = HeaderValue::from_static("Basic am9lOnMzY3IzdA==");
    assert_eq!(exchange.signer.accepted(&foreign, &parse_info(right.as_bytes())), Err(Unproven));
    assert_eq!(exchange.answered(&right), Ok(()), "what was changed above was right");
}

#[test]
fn an_answer_without_proof_teaches_no_nonce() {
    let exchange = exchange(&mutual(), r#"Digest realm="r", nonce="n1", qop="auth""#, "GET http://a.example/");
    assert_eq!(exchange.answered(r#"nextnonce="n2", rspauth="wrong""#), Err(Unproven));
    let next = claim(&sign(&*exchange.signer, "GET http://a.example/", b"").unwrap());
    assert_eq!(next.get("nonce"), Some("n1"));
}

#[test]
fn the_proof_of_an_older_nonce_still_counts() {
    let exchange = exchange(&mutual(), r#"Digest realm="r", nonce="n1", qop="auth""#, "GET http://a.example/");
    let info = exchange.info(&JOE);
    assert_eq!(exchange.answered(&format!(r#"{info}, nextnonce="n2""#)), Ok(()));
    assert_eq!(exchange.answered(&info), Ok(()));
}

// AUTH-32: "else ignored".
#[test]
fn who_asks_for_no_proof_gets_along_without() {
    let exchange = exchange(&Digest::new(), r#"Digest realm="r", nonce="n1", qop="auth""#, "GET http://a.example/");
    for info in ["", "rspauth=\"wrong\"", "rspauth=\"\""] {
        assert_eq!(exchange.answered(info), Ok(()));
    }
}

#[test]
fn a_proof_over_a_content_is_not_asked_for() {
    let offered = challenge(r#"Digest realm="r", nonce="n1", qop="auth-int""#);
    let refused = mutual().answer(&offered, &Credential::login("joe", "s3cr3t")).err();
    assert_eq!(refused, Some(CannotAnswer::Unsupported("mutual authentication with auth-int".into())));
    let both = r#"Digest realm="r", nonce="n1", qop="auth,auth-int""#;
    let exchange = exchange(&mutual().prefer_auth_int(true), both, "GET http://a.example/");
    assert_eq!(exchange.claim.get("qop"), Some("auth"));
}
