use httplib2_auth::Credential;
use httplib2_syntax::challenge;

use super::*;
use crate::account::Account;

fn read(params: &str, rules: &Rules) -> Result<Option<Qop>, CannotAnswer> {
    let line = format!("Digest {params}");
    Offer::read(&challenge::parse([line.as_bytes()])[0], rules).map(|offer| offer.qop)
}

fn unsupported(what: &str) -> CannotAnswer {
    CannotAnswer::Unsupported(what.into())
}

// H-DIG-07, trap 56; RFC 7616 §3.3.
#[test]
fn a_list_of_qop_has_commas_and_blanks() {
    for (list, expected) in [
        ("auth", Qop::Auth),
        ("auth,auth-int", Qop::Auth),
        ("auth-int,auth", Qop::Auth),
        (" auth-int , auth ", Qop::Auth),
        ("AUTH", Qop::Auth),
        (",,auth,", Qop::Auth),
        ("token,auth", Qop::Auth),
        ("auth-int auth", Qop::Auth),
        ("auth-int", Qop::AuthInt),
        ("auth-conf, Auth-Int", Qop::AuthInt),
    ] {
        let params = format!(r#"realm="r", nonce="n", qop="{list}""#);
        assert_eq!(read(&params, &Rules::default()), Ok(Some(expected)), "{list}");
    }
    let params = r#"realm="r", nonce="n", qop="auth-conf,authint""#;
    assert_eq!(read(params, &Rules::default()), Err(unsupported(r#"qop="auth-conf,authint""#)));
}

#[test]
fn who_prefers_auth_int_gets_it_where_it_is_offered() {
    let rules = Rules { prefer_auth_int: true, ..Rules::default() };
    for (list, expected) in [("auth,auth-int", Qop::AuthInt), ("auth", Qop::Auth)] {
        assert_eq!(read(&format!(r#"realm="r", nonce="n", qop="{list}""#), &rules), Ok(Some(expected)));
    }
}

#[test]
fn who_wants_a_proof_takes_no_auth_int() {
    let rules = Rules { prefer_auth_int: true, mutual: true, ..Rules::default() };
    assert_eq!(read(r#"realm="r", nonce="n", qop="auth,auth-int""#, &rules), Ok(Some(Qop::Auth)));
    let refused = unsupported("mutual authentication with auth-int");
    assert_eq!(read(r#"realm="r", nonce="n", qop="auth-int""#, &rules), Err(refused));
}

// H-DIG-06, AUTH-19.
#[test]
fn a_missing_qop_is_rfc_2069_or_auth_or_refused() {
    let refusing = Rules { allow_without_qop: false, ..Rules::default() };
    let compatible = Rules { missing_qop_is_auth: true, ..refusing.clone() };
    for params in [r#"realm="r", nonce="n""#, r#"realm="r", nonce="n", qop="""#, r#"realm="r", nonce="n", qop=", ""#] {
        assert_eq!(read(params, &Rules::default()), Ok(None), "{params}");
        assert_eq!(read(params, &refusing), Err(unsupported("a challenge without qop")), "{params}");
        assert_eq!(read(params, &compatible), Ok(Some(Qop::Auth)), "{params}");
    }
}

#[test]
fn what_would_make_requests_too_large_for_the_server_is_no_nonce() {
    let rules = Rules::default();
    let refused = CannotAnswer::Malformed("its nonce or opaque is longer than 4 KiB");
    for (length, expected) in [(4_096, Ok(Some(Qop::Auth))), (4_097, Err(refused))] {
        let long = "n".repeat(length);
        assert_eq!(read(&format!(r#"realm="r", nonce="{long}", qop="auth""#), &rules), expected);
        assert_eq!(read(&format!(r#"realm="r", nonce="n", qop="auth", opaque="{long}""#), &rules), expected);
    }
}

#[test]
fn an_offer_counts_by_its_hash_and_less_without_qop() {
    let preference = |params: &str, rules: &Rules| {
        let line = format!("Digest realm=r, nonce=n, {params}");
        Offer::read(&challenge::parse([line.as_bytes()])[0], rules).unwrap().preference()
    };
    for (params, expected) in [
        ("qop=auth, algorithm=SHA-512-256", 3),
        ("qop=auth-int, algorithm=SHA-256-sess", 2),
        ("qop=auth, algorithm=SHA-256", 2),
        ("qop=auth", 1),
        ("algorithm=SHA-512-256", 0),
        ("algorithm=MD5", 0),
    ] {
        assert_eq!(preference(params, &Rules::default()), expected, "{params}");
    }
    // What counts is what is sent.
    assert_eq!(preference("algorithm=MD5", &Rules { missing_qop_is_auth: true, ..Rules::default() }), 1);
}

// H-DIG-08, AUTH-08.
#[test]
fn an_unknown_algorithm_is_not_taken_for_md5() {
    for (algorithm, refused) in [
        ("ROT13", r#"algorithm="ROT13""#),
        ("SHA-512", r#"algorithm="SHA-512""#),
        ("\"\"", r#"algorithm="""#),
        ("\"MD5,SHA-256\"", r#"algorithm="MD5,SHA-256""#),
        ("\"\\\"\u{e4}\"", r#"algorithm="\"\xc3\xa4""#),
    ] {
        let params = format!(r#"realm="r", nonce="n", qop="auth", algorithm={algorithm}"#);
        assert_eq!(read(&params, &Rules::default()), Err(unsupported(refused)));
    }
    assert!(read(r#"realm="r", nonce="n", qop="auth", algorithm="sha-256-SESS""#, &Rules::default()).is_ok());
}

#[test]
fn what_is_told_of_an_unknown_algorithm_is_short() {
    let params = format!(r#"realm="r", nonce="n", algorithm="{}""#, "x".repeat(60_000));
    let Err(CannotAnswer::Unsupported(told)) = read(&params, &Rules::default()) else { panic!("it was taken") };
    assert_eq!(told.len(), r#"algorithm="""#.len() + 64);
}

#[test]
fn a_session_needs_qop() {
    let params = r#"realm="r", nonce="n", algorithm=MD5-sess"#;
    assert_eq!(read(params, &Rules::default()), Err(unsupported("an algorithm of sessions without qop")));
    let rules = Rules { missing_qop_is_auth: true, ..Rules::default() };
    assert_eq!(read(params, &rules), Ok(Some(Qop::Auth)));
}

// H-DIG-10, AUTH-16.
#[test]
fn a_challenge_without_realm_or_nonce_is_malformed() {
    for (params, why) in [
        ("", "it has no realm"),
        (r#"nonce="n""#, "it has no realm"),
        (r#"realm="r""#, "it has no nonce"),
        (r#"realm="r", qop="auth", opaque="o""#, "it has no nonce"),
    ] {
        assert_eq!(read(params, &Rules::default()), Err(CannotAnswer::Malformed(why)), "{params}");
    }
}

// H-DIG-11, H-DIG-13; RFC 7616 §3.3.
#[test]
fn flags_have_no_case() {
    let rules = Rules::default();
    for (value, expected) in [("true", true), ("TRUE", true), ("\"True\"", true), ("false", false), ("1", false)] {
        let line = format!(r#"Digest realm="r", nonce="n", stale={value}, userhash={value}, charset=utf-8"#);
        let challenges = challenge::parse([line.as_bytes()]);
        let offer = Offer::read(&challenges[0], &rules).unwrap();
        assert_eq!((offer.is_stale, offer.hashes_name, offer.reads_utf8), (expected, expected, true), "{value}");
    }
    let challenges = challenge::parse([&br#"Digest realm="r", nonce="n", charset=ISO-8859-1, domain="  ""#[..]]);
    let offer = Offer::read(&challenges[0], &rules).unwrap();
    assert_eq!((offer.is_stale, offer.hashes_name, offer.reads_utf8, offer.domain), (false, false, false, None));
}

// AUTH-13.
#[test]
fn a_name_with_a_control_character_is_refused_in_every_form() {
    for extra in ["", ", userhash=true", ", charset=UTF-8"] {
        let line = format!(r#"Digest realm="r", nonce="n", qop="auth"{extra}"#);
        let challenges = challenge::parse([line.as_bytes()]);
        let offer = Offer::read(&challenges[0], &Rules::default()).unwrap();
        for name in ["u\r\nX-Evil: 1", "ü\n", "\0", "\x7f"] {
            let credential = Credential::login(name, "password");
            let refused = Account::new(&offer, credential.as_login().unwrap()).err();
            let expected = CannotAnswer::Credential("the name holds a control character");
            assert_eq!(refused, Some(expected), "{name:?} {extra}");
        }
    }
}
