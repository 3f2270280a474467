//! The check values are those of H-HMAC-04 and, for what that does not cover, of Python's hashlib and hmac.

use httplib2_auth::Credential;
use httplib2_syntax::challenge;

use super::*;

fn session(params: &str) -> Result<Session, CannotAnswer> {
    let line = format!("HMACDigest {params}");
    let credential = Credential::login("joe", "password");
    Session::new(challenge::parse([line.as_bytes()])[0].params(), credential.as_login().unwrap())
}

fn write(session: &Session, headers: &HeaderMap) -> String {
    let subject = Subject { method: b"GET", target: b"/x", headers, created: b"1994-11-06T08:49:37Z" };
    session.write(subject, b"CN").unwrap().to_str().unwrap().into()
}

fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
    fields.iter().map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
}

// H-HMAC-04.
#[test]
fn the_check_values_are_met() {
    let session = session(r#"realm="myrealm", snonce="SN""#).unwrap();
    assert_eq!(hash(false, &[b"password"]).as_bytes(), b"5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8");
    assert_eq!(session.key.as_bytes(), b"6902d1af2e2e3426956b705cb0f31d5c03c3de53");
    assert_eq!(
        write(&session, &HeaderMap::new()),
        r#"HMACDigest username="joe", realm="myrealm", snonce="SN", cnonce="CN", uri="/x", created="1994-11-06T08:49:37Z", response="53865eccc51ba2c34cc7c6424af45b4b0273c57d", headers="""#
    );
}

// H-HMAC-03.
#[test]
fn each_algorithm_and_the_salt_have_their_part() {
    for (params, expected) in [
        ("algorithm=HMAC-SHA-1, pw-algorithm=SHA-1, salt=\"\"", "53865eccc51ba2c34cc7c6424af45b4b0273c57d"),
        ("pw-algorithm=md5, salt=\"NaCl\"", "9334a538b06a7a4d8b8ddfae3853d986637eec10"),
        ("algorithm=hmac-md5", "58c769b6b72f7b8970ac43943dbbde6d"),
        ("algorithm=HMAC-MD5, pw-algorithm=MD5, salt=NaCl", "0f8075175d68dbd28b0097bccf016d94"),
    ] {
        let session = session(&format!(r#"realm="myrealm", snonce="SN", {params}"#)).unwrap();
        let value = write(&session, &HeaderMap::new());
        assert!(value.contains(&format!(r#"response="{expected}""#)), "{params}: {value}");
    }
}

#[test]
fn the_fields_that_reach_the_server_are_signed_and_named() {
    let session = session(r#"realm="myrealm", snonce="SN""#).unwrap();
    let mut headers = headers(&[
        ("accept", "text/html"),
        ("connection", "close, X-Hop"),
        ("x-hop", "1"),
        ("te", "trailers"),
        ("authorization", "HMACDigest old"),
        ("x-one", "one"),
    ]);
    headers.append("x-one", HeaderValue::from_static("two"));
    let value = write(&session, &headers);
    assert!(
        value.ends_with(r#"response="67d8877017ae9b959c8a1a194de07da6459002d1", headers="accept x-one ""#),
        "{value}"
    );
}

#[test]
fn what_the_scheme_does_not_know_is_refused() {
    let refused = |params: &str| session(params).err();
    let unsupported = |what: &str| Some(CannotAnswer::Unsupported(what.into()));
    assert_eq!(refused(r#"realm="r""#), unsupported("a challenge without snonce"));
    assert_eq!(refused(r#"realm="r", snonce="""#), unsupported("a challenge without snonce"));
    assert_eq!(refused(r#"realm="r", snonce="n", algorithm=SHA-1"#), unsupported(r#"algorithm="SHA-1""#));
    assert_eq!(refused(r#"realm="r", snonce="n", pw-algorithm=X"#), unsupported(r#"pw-algorithm="X""#));
    assert_eq!(refused(r#"snonce="n""#), Some(CannotAnswer::Malformed("it has no realm")));
}

// AUTH-13.
#[test]
fn a_name_with_a_control_character_is_refused() {
    let challenges = challenge::parse([&br#"HMACDigest realm="r", snonce="n""#[..]]);
    let credential = Credential::login("u\r\nX-Evil: 1", "password");
    let refused = Session::new(challenges[0].params(), credential.as_login().unwrap()).err();
    assert_eq!(refused, Some(CannotAnswer::Credential("the name holds a control character")));
}
