use proptest::prelude::*;

use super::*;

fn parsed(text: &str) -> Result<String, InvalidUri> {
    parse(text).map(|target| target.uri.to_string())
}

fn resolved(base: &str, reference: &str) -> Result<String, InvalidUri> {
    resolve(&base.parse().unwrap(), reference.as_bytes()).map(|target| target.uri.to_string())
}

#[test]
fn a_typed_uri_has_one_spelling() {
    for (typed, expected) in [
        ("http://example.org", "http://example.org/"),
        ("HTTP://Example.ORG:80/A", "http://example.org/A"),
        ("https://example.org:443/", "https://example.org/"),
        ("https://example.org:80/", "https://example.org:80/"),
        ("http://example.org:/", "http://example.org/"),
        ("http://example.org?q", "http://example.org/?q"),
        // H-URI-01: an empty query is not the same as none.
        ("http://example.org/?", "http://example.org/?"),
        ("http://example.org/a/../b/./c//d", "http://example.org/b/c//d"),
        ("http://example.org/../..", "http://example.org/"),
        // H-URI-02: what is percent-encoded stays as it is.
        ("http://example.org/%7e%zz%", "http://example.org/%7e%zz%"),
        ("http://[::0:1]:8080/", "http://[::1]:8080/"),
        ("http://127.1/", "http://127.0.0.1/"),
        ("http://0x7f000001/", "http://127.0.0.1/"),
        ("http://faß.de/", "http://xn--fa-hia.de/"),
        ("http://ｌocalhost/", "http://localhost/"),
        ("http://a_b.example/", "http://a_b.example/"),
    ] {
        assert_eq!(parsed(typed).as_deref(), Ok(expected), "{typed}");
    }
}

#[test]
fn what_is_no_uri_character_is_percent_encoded() {
    for (typed, expected) in [
        // H-SEC-02: nothing that ends a request line gets through.
        ("http://h/x HTTP/1.1\r\nX-Evil: 1", "http://h/x%20HTTP/1.1%0D%0AX-Evil:%201"),
        ("http://h/a\tb\0c", "http://h/a%09b%00c"),
        ("http://h/\"<>\\^`{|}", "http://h/%22%3C%3E%5C%5E%60%7B%7C%7D"),
        ("http://h/é?ü=€", "http://h/%C3%A9?%C3%BC=%E2%82%AC"),
        ("http://h/a[1]?b[]=2", "http://h/a[1]?b[]=2"),
    ] {
        assert_eq!(parsed(typed).as_deref(), Ok(expected), "{typed}");
    }
}

#[test]
fn a_text_that_cannot_be_sent_says_why() {
    for (typed, expected) in [
        ("", InvalidUri::Relative),
        ("/path", InvalidUri::Relative),
        ("//example.org/", InvalidUri::Relative),
        ("example.org/", InvalidUri::Relative),
        ("http:", InvalidUri::Relative),
        ("http:///path", InvalidUri::Relative),
        ("http://user@/", InvalidUri::Relative),
        ("file:///etc/passwd", InvalidUri::UnsupportedScheme("file".into())),
        ("FTP://example.org/", InvalidUri::UnsupportedScheme("ftp".into())),
        ("http://a b/", InvalidUri::Host),
        ("http://a\r\nb/", InvalidUri::Host),
        ("http://[::1%25lo]/", InvalidUri::Host),
        ("http://[::1/", InvalidUri::Host),
        ("http://1.2.3.4.5/", InvalidUri::Host),
        ("http://xn--a/", InvalidUri::Host),
        ("http://h:80x/", InvalidUri::Port),
        ("http://h:65536/", InvalidUri::Port),
        ("http://h:-1/", InvalidUri::Port),
    ] {
        assert_eq!(parsed(typed), Err(expected), "{typed:?}");
    }
    assert_eq!(parsed(&format!("http://h/{}", "a".repeat(70_000))), Err(InvalidUri::TooLong));
}

#[test]
fn the_host_is_the_same_for_every_reader() {
    // `http://good\@evil/`: some read the host as `good`, some as `evil`.
    assert_eq!(parsed("http://good.example\\@evil.example/"), Err(InvalidUri::Host));
    assert_eq!(parsed("http://good.example#@evil.example/").as_deref(), Ok("http://good.example/"));
    assert_eq!(parsed("http://good.example?@evil.example/").as_deref(), Ok("http://good.example/?@evil.example/"));
}

#[test]
fn userinfo_and_fragment_are_kept_apart() {
    let target = parse("http://joe:s3cret@example.org/x#a b").unwrap();
    assert_eq!(target.uri, "http://example.org/x");
    assert_eq!(target.fragment.as_deref(), Some("a%20b"));
    assert_eq!(target.userinfo.as_ref().map(Userinfo::as_str), Some("joe:s3cret"));
    assert!(!format!("{target:?}").contains("s3cret"));
}

/// The examples of RFC 3986 §5.4, as far as they lead to `http`.
#[test]
fn references_resolve_as_the_rfc_shows() {
    for (reference, expected) in [
        ("g", "http://a/b/c/g"),
        ("./g", "http://a/b/c/g"),
        ("g/", "http://a/b/c/g/"),
        ("/g", "http://a/g"),
        ("//g", "http://g/"),
        ("?y", "http://a/b/c/d;p?y"),
        ("g?y", "http://a/b/c/g?y"),
        ("#s", "http://a/b/c/d;p?q"),
        ("g#s", "http://a/b/c/g"),
        ("g?y#s", "http://a/b/c/g?y"),
        (";x", "http://a/b/c/;x"),
        ("g;x", "http://a/b/c/g;x"),
        ("", "http://a/b/c/d;p?q"),
        (".", "http://a/b/c/"),
        ("./", "http://a/b/c/"),
        ("..", "http://a/b/"),
        ("../", "http://a/b/"),
        ("../g", "http://a/b/g"),
        ("../..", "http://a/"),
        ("../../g", "http://a/g"),
        ("../../../g", "http://a/g"),
        ("/./g", "http://a/g"),
        ("/../g", "http://a/g"),
        ("g.", "http://a/b/c/g."),
        (".g", "http://a/b/c/.g"),
        ("g..", "http://a/b/c/g.."),
        ("..g", "http://a/b/c/..g"),
        ("./../g", "http://a/b/g"),
        ("./g/.", "http://a/b/c/g/"),
        ("g/./h", "http://a/b/c/g/h"),
        ("g/../h", "http://a/b/c/h"),
        ("g;x=1/./y", "http://a/b/c/g;x=1/y"),
        ("g;x=1/../y", "http://a/b/c/y"),
        ("g?y/./x", "http://a/b/c/g?y/./x"),
        ("g?y/../x", "http://a/b/c/g?y/../x"),
    ] {
        assert_eq!(resolved("http://a/b/c/d;p?q", reference).as_deref(), Ok(expected), "{reference:?}");
    }
    assert_eq!(resolved("http://a/b", "g:h"), Err(InvalidUri::UnsupportedScheme("g".into())));
    assert_eq!(resolved("http://a/b", "http:g"), Err(InvalidUri::Relative));
}

#[test]
fn a_reference_with_a_colon_in_its_path_is_not_a_scheme() {
    assert_eq!(resolved("http://a/b", "/x:y").as_deref(), Ok("http://a/x:y"));
    assert_eq!(resolved("http://a/b", "./x:y").as_deref(), Ok("http://a/x:y"));
    assert_eq!(resolved("http://a/b", "1x:y").as_deref(), Ok("http://a/1x:y"));
}

#[test]
fn raw_octets_are_escaped_octet_by_octet() {
    // H-REDIR-09: neither read as Latin-1 nor refused.
    let target = resolve(&"http://a/".parse().unwrap(), b"/caf\xc3\xa9 \xff").unwrap();
    assert_eq!(target.uri, "http://a/caf%C3%A9%20%FF");
}

#[test]
fn the_userinfo_of_the_base_does_not_travel() {
    let target = resolve(&"http://joe:s3cret@a/b".parse().unwrap(), b"c").unwrap();
    assert_eq!(target.uri, "http://a/c");
    assert_eq!(target.userinfo, None);
}

#[test]
fn a_base_that_is_not_absolute_resolves_only_absolute_references() {
    assert_eq!(resolved("/b", "c"), Err(InvalidUri::Relative));
    assert_eq!(resolved("/b", "http://a/c").as_deref(), Ok("http://a/c"));
}

proptest! {
    #[test]
    fn any_octets_give_a_sendable_uri_or_an_error(reference in proptest::collection::vec(any::<u8>(), 0..60)) {
        if let Ok(target) = resolve(&Uri::from_static("http://a/b/c?d"), &reference) {
            let text = target.uri.to_string();
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{text}");
            prop_assert!(!text.contains('#') && !text.contains('\\'));
            prop_assert!(target.uri.host().is_some());
        }
    }

    #[test]
    fn parsing_the_result_again_changes_nothing(typed in "https?://[a-zA-Z0-9.\\[\\]:é]{1,12}(/[ -~é\r\n]{0,20})?") {
        if let Ok(first) = parse(&typed) {
            let again = parse(&first.uri.to_string()).unwrap();
            prop_assert_eq!(again.uri, first.uri);
        }
    }

    /// A second opinion: the `url` crate's resolution, where RFC 3986 and WHATWG agree.
    #[test]
    fn resolution_agrees_with_another_library(
        base in "/([a-c]{1,2}/){0,3}[a-c]?(\\?[a-c])?",
        reference in "(//[a-c]{1,3}\\.x)?(/)?(\\.\\./|\\./|[a-c;=]{1,2}/){0,4}(\\.\\.|\\.|[a-c]{0,2})(\\?[a-c/.]{0,3})?",
    ) {
        let base = format!("http://host.x{base}");
        let other = url::Url::parse(&base).unwrap().join(&reference).unwrap();
        let ours = resolved(&base, &reference);
        prop_assert_eq!(ours.as_deref(), Ok(other.as_str()), "{} {}", base, reference);
    }
}

#[test]
fn userinfo_is_a_name_and_a_password() {
    for (uri, name, password) in [
        ("http://joe:s3cret@example.org/", "joe", &b"s3cret"[..]),
        ("http://joe@example.org/", "joe", b""),
        ("http://joe:a:b@example.org/", "joe", b"a:b"),
        ("http://j%6Fe%40x:%FF%3a@example.org/", "joe@x", b"\xff:"),
        ("http://100%:%4@example.org/", "100%", b"%4"),
        ("http://Jäsøn:ü@example.org/", "Jäsøn", "ü".as_bytes()),
    ] {
        let userinfo = parse(uri).unwrap().userinfo.unwrap();
        assert_eq!(userinfo.decoded(), (name.to_owned(), password.to_vec()), "{uri}");
    }
}
