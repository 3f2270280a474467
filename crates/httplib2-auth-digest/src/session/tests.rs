//! Values that others computed. Where no document gives one, it comes from a script of Python's hashlib, which shares
//! nothing with the code here.

use httplib2_auth::Credential;
use httplib2_syntax::challenge;
use httplib2_testing::FixedNonce;

use super::*;
use crate::{offer::Offer, rules::Rules};

const MUFASA: (&str, &str) = ("Mufasa", "Circle of Life");
const JOE: (&str, &str) = ("joe", "password");
const JAESOEN: (&str, &str) = ("Jäsøn Doe", "Secret, or not?");

const GET_X: Subject<'_> = Subject { method: b"GET", target: b"/x?y=z", content: None };

fn session(challenge: &str, login: (&str, &str)) -> (Account, Session) {
    let challenges = challenge::parse([challenge.as_bytes()]);
    let offer = Offer::read(&challenges[0], &Rules::default()).unwrap();
    let credential = Credential::login(login.0, login.1);
    let account = Account::new(&offer, credential.as_login().unwrap()).unwrap();
    let session = Session::new(&account, offer.nonce, offer.opaque).unwrap();
    (account, session)
}

fn value(challenge: &str, login: (&str, &str), subject: Subject<'_>, count: u32, cnonce: &str) -> String {
    let (account, session) = session(challenge, login);
    let key = account.key(&session.nonce, cnonce.as_bytes());
    let value = session.write(&account, subject, count, cnonce.as_bytes(), &key).unwrap();
    assert!(session.made(&value));
    String::from_utf8(value.as_bytes().to_vec()).unwrap()
}

fn response(challenge: &str, login: (&str, &str), subject: Subject<'_>, count: u32, cnonce: &str) -> String {
    let value = value(challenge, login, subject, count, cnonce);
    challenge::parse([value.as_bytes()])[0].params().text("response").unwrap().into()
}

fn get(target: &str) -> Subject<'_> {
    Subject { method: b"GET", target: target.as_bytes(), content: None }
}

// H-DIG-02: the values that httplib2 is tested with, byte for byte.
#[test]
fn with_md5_the_parameters_stand_as_httplib2_wrote_them() {
    let challenge = r#"Digest realm="myrealm", nonce="KBAA=35", algorithm=MD5, qop="auth""#;
    assert_eq!(
        value(challenge, JOE, get("/test/digest/"), 1, "33033375ec278a46"),
        r#"Digest username="joe", realm="myrealm", nonce="KBAA=35", uri="/test/digest/", algorithm=MD5, response="de6d4a123b80801d0e94550411b6283f", qop=auth, nc=00000001, cnonce="33033375ec278a46""#
    );
    let challenge = r#"Digest realm="myrealm", nonce="30352fd", algorithm=MD5, qop="auth", opaque="atestopaque""#;
    assert_eq!(
        value(challenge, JOE, get("/digest/opaque/"), 1, "5ec2"),
        r#"Digest username="joe", realm="myrealm", nonce="30352fd", uri="/digest/opaque/", algorithm=MD5, response="a1fab43041f8f3789a447f48018bee48", qop=auth, nc=00000001, cnonce="5ec2", opaque="atestopaque""#
    );
}

#[test]
fn an_empty_opaque_is_not_sent() {
    let challenge = r#"Digest realm="myrealm", nonce="30352fd", qop="auth", opaque="""#;
    assert!(!value(challenge, JOE, GET_X, 1, "c1").contains("opaque"));
}

// RFC 7616 §3.9.1. The password has a small "of" (erratum 4495).
#[test]
fn the_examples_of_the_rfc_with_md5_and_sha_256() {
    for (algorithm, expected) in [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ] {
        let challenge = format!(
            r#"Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm},
               nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#
        )
        .replace('\n', " ");
        let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        assert_eq!(response(&challenge, MUFASA, get("/dir/index.html"), 1, cnonce), expected);
    }
}

// RFC 7616 §3.9.2 prints what a SHA-512 gives that was cut off. These are the values of SHA-512/256 (erratum 4897,
// confirmed with hashlib).
#[test]
fn the_example_of_the_rfc_with_sha_512_256() {
    let challenge = |userhash| {
        format!(
            r#"Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", charset=UTF-8, userhash={userhash}"#
        )
    };
    let cnonce = "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v";
    let rest = r#"realm="api@example.org", nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", uri="/doe.json", algorithm=SHA-512-256, response="3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5", qop=auth, nc=00000001, cnonce="NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v", opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS""#;
    // AUTH-35.
    let hashed = r#"username="793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b""#;
    assert_eq!(
        value(&challenge("true"), JAESOEN, get("/doe.json"), 1, cnonce),
        format!("Digest {hashed}, {rest}, userhash=true")
    );
    // AUTH-36.
    assert_eq!(
        value(&challenge("false"), JAESOEN, get("/doe.json"), 1, cnonce),
        format!("Digest username*=UTF-8''J%C3%A4s%C3%B8n%20Doe, {rest}")
    );
}

// RFC 2617 §3.5, and RFC 2069 §2.4 as erratum 749 corrects it.
#[test]
fn the_examples_of_the_older_rfcs() {
    let nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093";
    let challenge = format!(r#"Digest realm="testrealm@host.com", nonce="{nonce}", qop="auth,auth-int""#);
    let login = ("Mufasa", "Circle Of Life");
    let expected = "6629fae49393a05397450978507c4ef1";
    assert_eq!(response(&challenge, login, get("/dir/index.html"), 1, "0a4f113b"), expected);

    let challenge = format!(r#"Digest realm="testrealm@host.com", nonce="{nonce}""#);
    assert_eq!(
        value(&challenge, ("Mufasa", "CircleOfLife"), get("/dir/index.html"), 1, ""),
        format!(
            r#"Digest username="Mufasa", realm="testrealm@host.com", nonce="{nonce}", uri="/dir/index.html", algorithm=MD5, response="1949323746fe6a43ef61f9606e7febea""#
        )
    );
}

// RFC 7616 §3.4.2. From hashlib.
#[test]
fn the_key_of_a_session_holds_both_nonces() {
    for (algorithm, plain, session) in [
        ("MD5", "bd20bc12edf2e8ee0f3097fb27897791", "407a08b8a74af27d4aed368d4f662593"),
        (
            "SHA-256",
            "d6c8f93badfa9efe898bf7a3c09b753db384b18b30726a1a660fd622bc06639a",
            "24018681b77ea6a77469987166a380261f8fbb77d7c5ea8eeee0a7c2715828e3",
        ),
        (
            "SHA-512-256",
            "8704527da8044a948b5dda401596082722f95c4d55cb35f6d278409a59375ca4",
            "47dfeb585ef4a53d2162e5666fe10b56f07a7090e512f8c6dab7808a93cba703",
        ),
    ] {
        for (suffix, expected) in [("", plain), ("-sess", session)] {
            let challenge = format!(r#"Digest realm="myrealm", nonce="n1", qop="auth", algorithm={algorithm}{suffix}"#);
            let value = value(&challenge, JOE, GET_X, 10, "c1");
            assert!(value.contains(&format!(", algorithm={algorithm}{suffix}, ")), "{value}");
            assert!(value.contains(&format!(r#", response="{expected}", qop=auth, nc=0000000a, "#)), "{value}");
        }
    }
}

// RFC 7616 §3.4.3. From hashlib: the content is "the body".
#[test]
fn with_auth_int_the_content_is_signed() {
    for (algorithm, expected) in [
        ("MD5", "7a1d9261cbb29944e0f74dad82fd7ea8"),
        ("MD5-sess", "396d722372a38e11681f63f31951e0a3"),
        ("SHA-256", "5cbb9202b5b76cfa356e24516a30d7e97a295f3cf33f1995b99d4881d5a88244"),
        ("SHA-256-sess", "c7826031654aae171e9b7e7b22e675a84d333b16f7f0d117479469f10b49ac8e"),
        ("SHA-512-256", "64b44fcb9dddddb695a0a57eafb51dc7a734147caa78b993871d0ef6e971b089"),
        ("SHA-512-256-sess", "3b7c4ae1e10c9ec836e089fb9ebf09514d08f62f9d6424d0064649a45c7929b6"),
    ] {
        let challenge = format!(r#"Digest realm="myrealm", nonce="n1", qop="auth-int", algorithm={algorithm}"#);
        let content = session(&challenge, JOE).0.algorithm.hash.of(&[b"the body"]);
        let subject = Subject { method: b"PUT", target: b"/x", content: Some(content.as_bytes()) };
        let value = value(&challenge, JOE, subject, 1, "c1");
        assert!(value.contains(&format!(r#", response="{expected}", qop=auth-int, nc=00000001, "#)), "{value}");
    }
}

// H-DIG-03, AUTH-11; RFC 9110 §5.6.4. From hashlib, over what the quotes mean.
#[test]
fn quotes_and_backslashes_are_escaped_but_signed_as_they_are() {
    let challenge = r#"Digest realm="r\"s\\t", nonce="n\"1", qop="auth", opaque="\"""#;
    assert_eq!(
        value(challenge, (r#"a"b\c"#, "p:w"), get(r#"/a"b"#), 1, "c1"),
        r#"Digest username="a\"b\\c", realm="r\"s\\t", nonce="n\"1", uri="/a\"b", algorithm=MD5, response="dfdb25ebc4037edc8994cd8ff98901ea", qop=auth, nc=00000001, cnonce="c1", opaque="\"""#
    );
}

// H-DIG-01: UTF-8, also where the server does not say that it reads it. From hashlib.
#[test]
fn without_a_charset_a_name_is_sent_as_utf_8() {
    let challenge = r#"Digest realm="r", nonce="n1", qop="auth""#;
    let value = value(challenge, ("Jäsøn", "pw"), get("/"), 1, "c1");
    assert!(value.starts_with(r#"Digest username="Jäsøn", "#), "{value}");
    assert!(value.contains("b499bc1fa3ebb7a106aa8e9b0f641c48"), "{value}");
}

#[test]
fn a_name_of_ascii_is_never_extended() {
    let challenge = r#"Digest realm="r", nonce="n1", qop="auth", charset="utf-8""#;
    assert!(value(challenge, JOE, GET_X, 1, "c1").starts_with(r#"Digest username="joe", "#));
}

// RFC 7616 §3.4: eight digits, and a count never comes twice.
#[test]
fn counts_begin_with_one_and_end_when_eight_digits_are_used_up() {
    let (account, session) = session(r#"Digest realm="r", nonce="n1", qop="auth""#, JOE);
    assert_eq!((session.next_count(), session.next_count()), (Ok(1), Ok(2)));
    session.used.store(u64::from(u32::MAX) - 1, Ordering::Relaxed);
    let last = session.next_count().unwrap();
    let key = account.key(b"n1", b"c1");
    let value = session.write(&account, GET_X, last, b"c1", &key).unwrap();
    assert!(value.to_str().unwrap().contains(", nc=ffffffff, "), "{value:?}");
    for _ in 0..3 {
        assert!(session.next_count().is_err());
    }
}

// RFC 7616 §5.12: at least 128 bits, hence 32 digits.
#[test]
fn client_nonces_are_fresh_but_of_a_session() {
    let nonce = FixedNonce::counting();
    for (algorithm, is_kept) in [("SHA-256", false), ("SHA-256-sess", true)] {
        let challenge = format!(r#"Digest realm="r", nonce="n1", qop="auth", algorithm={algorithm}"#);
        let (account, session) = session(&challenge, JOE);
        let mut cnonces = (0..2).map(|_| session.proof(&account, &nonce).unwrap().cnonce().to_vec());
        let (one, two) = (cnonces.next().unwrap(), cnonces.next().unwrap());
        assert_eq!((one.len(), one == two), (32, is_kept), "{algorithm}");
    }
}

#[test]
fn without_randomness_nothing_is_signed() {
    let nonce = FixedNonce::counting();
    nonce.set_failing(true);
    for challenge in [
        r#"Digest realm="r", nonce="n1", qop="auth""#,
        r#"Digest realm="r", nonce="n1", qop="auth", algorithm=MD5-sess"#,
    ] {
        let (account, session) = session(challenge, JOE);
        assert!(session.proof(&account, &nonce).is_err());
    }
    // RFC 2069 has no nonce of the client.
    let (account, session) = session(r#"Digest realm="r", nonce="n1""#, JOE);
    assert!(session.proof(&account, &nonce).is_ok());
}

#[test]
fn no_nonce_is_taken_for_another_one() {
    let (account, session) = session(r#"Digest realm="r", nonce="n1", qop="auth""#, JOE);
    let key = account.key(b"n1", b"c1");
    let value = session.write(&account, GET_X, 1, b"c1", &key).unwrap();
    for other in [r"n", "n1 ", "n11", r#"n1", uri="/"#, "N1", ""] {
        assert!(!Session::new(&account, other.as_bytes(), b"").unwrap().made(&value), "{other:?}");
    }
    assert!(Session::new(&account, b"n1", b"other").unwrap().made(&value));
}

#[test]
fn what_no_field_value_holds_is_refused() {
    let (account, session) = session(r#"Digest realm="r", nonce="n1", qop="auth""#, JOE);
    for nonce in [&b"n\r\nX-Evil: 1"[..], b"n\0"] {
        assert!(Session::new(&account, nonce, b"").is_none());
        assert!(Session::new(&account, b"n1", nonce).is_none());
    }
    let key = account.key(b"n1", b"c1");
    assert!(session.write(&account, get("/\r\n"), 1, b"c1", &key).is_err());
}
