use super::*;
use crate::{Basic, Credentials};

fn origin(uri: &str) -> Origin {
    Origin::of(&uri.parse().unwrap()).unwrap()
}

fn learnt(name: &str) -> Arc<Learnt> {
    let credential = Credential::login(name, "");
    let signer = Basic.in_advance(&credential).unwrap();
    let validity = Validity { clearings: 0, changes: None };
    let made = Made { scheme: Arc::new(Basic), signer, grade: Grade { strength: 0, preference: 0 } };
    Arc::new(Learnt::new(&origin("http://a.example"), made, (credential, Scope::Domain), validity))
}

fn nearest(site: &Site, path: &str) -> Option<String> {
    site.nearest(path, |_| true).map(|learnt| learnt.credential.as_login().unwrap().name().to_owned())
}

#[test]
fn a_site_is_found_by_every_spelling_and_is_one_for_each_origin() {
    let spaces = Spaces::default();
    let site = spaces.enter(origin("http://a.example"));
    assert!(Arc::ptr_eq(&site, &spaces.enter(origin("http://A.example:80/x"))));
    assert!(Arc::ptr_eq(&site, &spaces.find(&"http://a.example/y?z".parse().unwrap()).unwrap()));
    assert!(Arc::ptr_eq(&site, &spaces.find_origin(&origin("HTTP://a.EXAMPLE")).unwrap()));
    for other in ["https://a.example/", "http://a.example:8080/", "http://b.example/", "http://a.example:443/"] {
        assert!(spaces.find(&other.parse().unwrap()).is_none(), "{other}");
        assert!(spaces.find_origin(&origin(other)).is_none(), "{other}");
    }
    let odd = spaces.enter(origin("https://a.example:80"));
    assert!(Arc::ptr_eq(&odd, &spaces.find(&"https://a.example:80/".parse().unwrap()).unwrap()));
}

#[test]
fn the_nearest_space_signs_and_among_equals_the_last_that_was_learnt() {
    // H-AUTH-07.
    let spaces = Spaces::default();
    let site = spaces.enter(origin("http://a.example"));
    for (prefix, name) in [("/", "root"), ("/a/b/", "deep"), ("/a/", "old"), ("/a/", "new"), ("/a/c", "resource")] {
        site.learn(vec![prefix.into()], &learnt(name));
    }
    for (path, expected) in [
        ("/x", "root"),
        ("/a/x", "new"),
        ("/a/b/x", "deep"),
        ("/a/c", "resource"),
        ("/a/c/d", "resource"),
        ("/a/cd", "new"),
        ("/a/b/../x", "root"),
    ] {
        assert_eq!(nearest(&site, path).as_deref(), Some(expected), "{path}");
    }
    site.forget(&site.nearest("/a/x", |_| true).unwrap(), "/a/x");
    assert_eq!(nearest(&site, "/a/x").as_deref(), Some("old"));
}

#[test]
fn who_may_not_sign_is_passed_over() {
    let spaces = Spaces::default();
    let site = spaces.enter(origin("http://a.example"));
    site.learn(vec!["/".into()], &learnt("outer"));
    site.learn(vec!["/a/".into()], &learnt("inner"));
    let found = site.nearest("/a/x", |learnt| learnt.credential.as_login().unwrap().name() != "inner").unwrap();
    assert_eq!(found.credential.as_login().unwrap().name(), "outer");
    assert!(site.nearest("/a/x", |_| false).is_none());
    assert!(site.elsewhere(|_| false).is_none());
}

#[test]
fn a_new_signer_takes_over_all_spaces_of_its_realm_and_credential() {
    let spaces = Spaces::default();
    let site = spaces.enter(origin("http://a.example"));
    site.learn(vec!["/a/".into(), "/b/".into()], &learnt("joe"));
    site.learn(vec!["/a/".into()], &learnt("eve"));
    let new = learnt("joe");
    site.learn(vec!["/c/".into()], &new);
    for path in ["/b/x", "/c/x"] {
        assert!(Arc::ptr_eq(&site.nearest(path, |_| true).unwrap(), &new), "{path}");
    }
    assert_eq!(nearest(&site, "/a/x").as_deref(), Some("eve"));
}

#[test]
fn who_was_refused_at_one_path_is_forgotten_for_the_spaces_around_it() {
    let spaces = Spaces::default();
    let site = spaces.enter(origin("http://a.example"));
    let joe = learnt("joe");
    site.learn(vec!["/a/".into(), "/a/b/".into(), "/c/".into()], &joe);
    site.forget(&joe, "/a/x");
    assert_eq!(nearest(&site, "/a/x"), None);
    assert!(nearest(&site, "/a/b/x").is_some() && nearest(&site, "/c/x").is_some());
}

#[test]
fn what_is_learnt_is_bounded() {
    let spaces = Spaces::default();
    let site = spaces.enter(origin("http://a.example"));
    let joe = learnt("joe");
    for n in 0..=MAX_SPACES {
        site.learn(vec![format!("/{n}/").into()], &joe);
        // The same one again takes no room.
        site.learn(vec![format!("/{n}/").into()], &joe);
    }
    assert_eq!(site.entries.read().unwrap().len(), MAX_SPACES);
    assert_eq!(nearest(&site, "/0/"), None);
    assert!(nearest(&site, "/1/").is_some());

    for n in 1..MAX_ORIGINS {
        spaces.enter(origin(&format!("https://{n}.example")));
    }
    assert!(spaces.find(&"http://a.example/".parse().unwrap()).is_some(), "it was used last but one");
    spaces.enter(origin("https://one.more.example"));
    assert!(spaces.find(&"http://a.example/".parse().unwrap()).is_some());
    assert!(spaces.find(&"https://1.example/".parse().unwrap()).is_none(), "the least recently used one");
    let sites = spaces.sites.read().unwrap();
    assert_eq!(sites.http.len() + sites.https.len(), MAX_ORIGINS);
}

#[test]
fn a_site_that_is_known_pushes_nobody_out() {
    let spaces = Spaces::default();
    for n in 0..MAX_ORIGINS {
        spaces.enter(origin(&format!("http://{n}.example")));
    }
    spaces.enter(origin("http://7.example"));
    assert!(spaces.find(&"http://0.example/".parse().unwrap()).is_some());
}

#[test]
fn a_space_is_read_relative_to_its_request() {
    // RFC 7617 §2.2, RFC 7616 §3.3.
    let uri = "http://a.example/x/y?q".parse().unwrap();
    let here = origin("http://a.example");
    for (space, expected) in [
        (Space::Origin, &["/"][..]),
        (Space::Depth, &["/x/"]),
        (Space::Uris("/"), &["/"]),
        (Space::Uris("/a http://a.example/b?c HTTP://A.EXAMPLE:80/d"), &["/a", "/b", "/d", "/x/y"]),
        (Space::Uris("."), &["/x/"]),
        (Space::Uris("../x"), &["/x"]),
        (Space::Uris("http://b.example/ https://a.example/ //a.example:81/"), &["/x/y"]),
        (Space::Uris(""), &["/x/y"]),
        (Space::Uris("http://["), &["/x/y"]),
    ] {
        assert_eq!(prefixes(space, &uri, &here), expected.iter().map(|&text| text.into()).collect::<Vec<Box<str>>>());
    }
    let many = "/a ".repeat(1_000);
    assert_eq!(prefixes(Space::Uris(&many), &uri, &here).len(), MAX_URIS + 1);
}

#[test]
fn what_was_learnt_with_credentials_goes_with_them() {
    let (credentials, spaces) = (Credentials::new(), Arc::new(Spaces::default()));
    credentials.tell_when_cleared(&spaces);
    let joe = learnt("joe");
    spaces.enter(origin("http://a.example")).learn(vec!["/".into()], &joe);
    assert_eq!(Arc::strong_count(&joe), 2);
    credentials.clear();
    assert!(spaces.find_origin(&origin("http://a.example")).is_none());
    // No secret lies around until somebody happens to look for it.
    assert_eq!(Arc::strong_count(&joe), 1);
}
