use super::*;

fn origin(uri: &str) -> Origin {
    Origin::of(&uri.parse().unwrap()).unwrap()
}

/// The names of the logins that are tried at an origin, in their order.
fn names(credentials: &Credentials, uri: &str, for_all: bool) -> Vec<String> {
    let name = |candidate: &Candidate| match &candidate.holder {
        Holder::Given(credential) => credential.as_login().unwrap().name().to_owned(),
        Holder::Supply(_) => "?".into(),
    };
    credentials.candidates(&origin(uri), for_all).iter().map(name).collect()
}

#[test]
fn those_for_the_domain_come_first_each_in_their_order() {
    let credentials = Credentials::new();
    for (domain, name) in [("", "1"), ("a.example", "2"), ("b.example", "3"), ("", "4"), ("https://a.example", "5")] {
        let login = Credential::login(name, "");
        if domain.is_empty() { credentials.add(login) } else { credentials.add_for(domain, login).unwrap() }
    }
    credentials.provider_for("a.example", Arc::new(async |_: crate::Ask| Ok(None))).unwrap();
    for (uri, for_all, expected) in [
        ("https://a.example", true, &["2", "5", "?", "1", "4"][..]),
        ("http://a.example", true, &["2", "?", "1", "4"]),
        ("http://a.example", false, &["2", "?"]),
        ("http://b.example", true, &["3", "1", "4"]),
        ("http://c.example", true, &["1", "4"]),
        ("http://c.example", false, &[]),
    ] {
        assert_eq!(names(&credentials, uri, for_all), expected, "{uri} {for_all}");
        assert_eq!(credentials.has_for(&origin(uri), for_all), !expected.is_empty(), "{uri} {for_all}");
    }
}

#[test]
fn a_netrc_names_hosts_and_a_default_for_all_others() {
    let credentials = Credentials::new();
    let text = "machine a.example login old password x\n\
                machine A.Example login joe password \"s3cret word\"\n\
                machine b.example login nobody\n\
                default login anonymous password x";
    credentials.netrc(text).unwrap();
    for (uri, for_all, expected) in [
        ("https://a.example:8443", false, &["joe"][..]),
        ("http://a.example", true, &["joe"]),
        ("http://b.example", true, &[]), // It has an entry, of which nothing can be made.
        ("http://c.example", true, &["anonymous"]),
        ("http://c.example", false, &[]),
    ] {
        assert_eq!(names(&credentials, uri, for_all), expected, "{uri} {for_all}");
    }
    let found = credentials.candidates(&origin("http://a.example"), true).remove(0);
    let Holder::Given(credential) = found.holder else { panic!("{found:?}") };
    assert_eq!(credential.as_login().unwrap().password(), b"s3cret word");
}

#[test]
fn a_netrc_that_cannot_be_read_adds_nothing() {
    let credentials = Credentials::new();
    let error = credentials.netrc("machine a.example login joe password s3cret\nnonsense").unwrap_err();
    assert_eq!(error.line(), 2);
    assert!(!error.to_string().contains("s3cret"));
    assert!(credentials.is_empty());
}

#[test]
fn clones_are_one_set_of_credentials() {
    let credentials = Credentials::new();
    let clone = credentials.clone();
    assert!(credentials.is_empty());
    clone.add(Credential::token("t"));
    assert!(!credentials.is_empty());
    credentials.clear();
    assert!(clone.is_empty());
}

#[test]
fn credentials_are_the_same_that_hold_the_same_secret() {
    let joe = Credential::login("joe", "one");
    assert!(joe.is_same(&joe.clone()));
    assert!(joe.is_same(&Credential::login("joe", "one")));
    assert!(!joe.is_same(&Credential::login("joe", "two")));
    assert!(!joe.is_same(&Credential::login("eve", "one")));
    assert!(!Credential::token("one").is_same(&Credential::login("one", "")));
}

#[test]
fn a_copy_is_on_its_own() {
    let one = Credentials::new();
    assert!(one.is_empty() && !one.has_for_all());
    one.add_for("a.example", Credential::login("1", "")).unwrap();
    assert!(!one.is_empty() && !one.has_for_all());
    let two = one.copied();
    one.clear();
    two.add(Credential::login("2", ""));
    assert!(one.is_empty() && two.has_for_all());
    assert_eq!(names(&two, "http://a.example", true), ["1", "2"]);
}
