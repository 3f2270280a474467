use super::*;

fn origin(uri: &str) -> Origin {
    Origin::of(&uri.parse().unwrap()).unwrap()
}

/// The names of the logins that are tried at an origin, in their order.
fn names(credentials: &Credentials, uri: &str, reach: Reach) -> Vec<String> {
    let name = |candidate: &Candidate| match &candidate.holder {
        Holder::Given(credential) => credential.as_login().unwrap().name().to_owned(),
        Holder::Supply(_) => "?".into(),
    };
    credentials.candidates(&origin(uri), reach).iter().map(name).collect()
}

#[test]
fn those_for_the_domain_come_first_each_in_their_order() {
    let credentials = Credentials::new();
    for (domain, name) in [("", "1"), ("a.example", "2"), ("b.example", "3"), ("", "4"), ("https://a.example", "5")] {
        let login = Credential::login(name, "");
        if domain.is_empty() { credentials.add(login) } else { credentials.add_for(domain, login).unwrap() }
    }
    credentials.provider_for("a.example", Arc::new(async |_: crate::Ask| Ok(None))).unwrap();
    for (uri, reach, expected) in [
        ("https://a.example", Reach::All, &["2", "5", "?", "1", "4"][..]),
        ("http://a.example", Reach::All, &["2", "?", "1", "4"]),
        ("http://a.example", Reach::Domain, &["2", "?"]),
        ("http://a.example", Reach::Origin, &[]),
        ("http://b.example", Reach::All, &["3", "1", "4"]),
        ("http://c.example", Reach::All, &["1", "4"]),
        ("http://c.example", Reach::Domain, &[]),
        ("https://a.example", Reach::Origin, &["5"]),
    ] {
        assert_eq!(names(&credentials, uri, reach), expected, "{uri} {reach:?}");
        assert_eq!(credentials.has_for(&origin(uri), reach), !expected.is_empty(), "{uri} {reach:?}");
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
    for (uri, reach, expected) in [
        ("https://a.example:8443", Reach::Domain, &["joe"][..]),
        ("http://a.example", Reach::All, &["joe"]),
        ("http://a.example", Reach::Origin, &[]),
        ("http://b.example", Reach::All, &[]), // It has an entry, of which nothing can be made.
        ("http://c.example", Reach::All, &["anonymous"]),
        ("http://c.example", Reach::Domain, &[]),
    ] {
        assert_eq!(names(&credentials, uri, reach), expected, "{uri} {reach:?}");
    }
    let found = credentials.candidates(&origin("http://a.example"), Reach::All).remove(0);
    let Holder::Given(credential) = found.holder else { panic!("{found:?}") };
    assert_eq!(credential.as_login().unwrap().password(), b"s3cret word");
}

#[test]
fn a_netrc_spells_its_hosts_as_people_do() {
    let credentials = Credentials::new();
    let machine = |(name, host)| format!("machine {host} login {name} password x\n");
    let hosts =
        ["::1", "[2001:DB8::1]", "b\u{fc}cher.example", "ports.example:8080", "https://no.example", "*.example"];
    let text: String = (1..).zip(hosts).map(machine).collect();
    credentials.netrc(&text).unwrap();
    for (uri, expected) in [
        ("http://[::1]:81", &["1"][..]),
        ("http://[0:0::1]", &["1"]),
        ("https://[2001:db8:0::1]", &["2"]),
        ("http://xn--bcher-kva.example", &["3"]),
        ("http://ports.example:8080", &["4"]),
        ("http://ports.example", &[]),
        ("https://no.example", &[]),
        ("http://a.example", &[]),
    ] {
        assert_eq!(names(&credentials, uri, Reach::All), expected, "{uri}");
    }
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
    assert!(one.is_empty());
    one.add_for("a.example", Credential::login("1", "")).unwrap();
    assert!(!one.is_empty());
    let two = one.copied();
    one.clear();
    two.add(Credential::login("2", ""));
    assert!(one.is_empty());
    assert_eq!(names(&two, "http://a.example", Reach::All), ["1", "2"]);
}
