use proptest::prelude::*;

use super::*;

/// `host: login password account`, a dash for what is not there.
fn read(text: &str) -> Result<Vec<String>, InvalidNetrc> {
    let shown = |entry: &Entry<'_>| {
        let [host, rest @ ..] = [entry.machine(), entry.login(), entry.password(), entry.account()]
            .map(|word| word.map_or_else(|| "-".to_owned(), |word| word.escape_debug().to_string()));
        format!("{host}: {}", rest.join(" "))
    };
    Ok(parse(text)?.entries().iter().map(shown).collect())
}

#[test]
fn entries_are_read_as_python_reads_them() {
    for (text, expected) in [
        ("", &[][..]),
        (" \r\n\t", &[]),
        ("machine h login l password p account a", &["h: l p a"]),
        ("machine h\n  account a\n\tpassword p\r\n user l\n", &["h: l p a"]),
        ("machine h", &["h: - - -"]),
        ("machine a login b machine c login d", &["a: b - -", "c: d - -"]),
        ("default login l password p", &["-: l p -"]),
        ("machine h login a login b", &["h: b - -"]),
        // A keyword is a word like any other where a value stands.
        ("machine machine login password password login", &["machine: password login -"]),
        // Quotes and backslashes.
        (r#"machine h password "a b""#, &["h: - a b -"]),
        (r#"machine h password "a\"b\\c\d""#, &[r#"h: - a\"b\\cd -"#]),
        (r"machine h password a\ b\\c\d", &[r"h: - a b\\cd -"]),
        (r#"machine h password a"b"#, &[r#"h: - a\"b -"#]),
        (r#"machine h password """#, &["h: -  -"]),
        ("machine h password \"a\nb\" login l", &["h: l a\\nb -"]),
        ("machine h password pässwörd", &["h: - pässwörd -"]),
        // Comments.
        ("# a comment\nmachine h login l", &["h: l - -"]),
        ("machine h # machine x\n#machine y\nlogin l#1 password #p", &["h: l#1 #p -"]),
        ("machine h login l #", &["h: l - -"]),
        ("#\nmachine h", &["h: - - -"]),
        // Macros.
        ("macdef init\n  machine x\n  \"\n\nmachine h login l", &["h: l - -"]),
        ("machine g login k\nmacdef m\r\ncd /\r\n\r\ndefault login l", &["g: k - -", "-: l - -"]),
        ("macdef m\n\nmachine h", &["h: - - -"]),
        ("macdef m\nmachine h", &[]),
        ("macdef m", &[]),
    ] {
        assert_eq!(read(text).unwrap(), expected, "{text:?}");
    }
}

#[test]
fn an_error_has_the_line_and_nothing_else() {
    use InvalidNetrc::{MissingWord, OpenQuote, UnknownWord};
    for (text, expected) in [
        ("s3cret", UnknownWord { line: 1 }),
        ("machine h login l\n\npassword p s3cret x\n", UnknownWord { line: 3 }),
        ("machine h password \"a\nb\" s3cret", UnknownWord { line: 2 }),
        ("# one\n# two\ns3cret", UnknownWord { line: 3 }),
        ("macdef m\na\n\ns3cret", UnknownWord { line: 4 }),
        ("password s3cret", UnknownWord { line: 1 }),
        ("machine h login s3cret\nmacdef m\n\npassword s3cret", UnknownWord { line: 4 }),
        ("machine h Login s3cret", UnknownWord { line: 1 }),
        ("\"\"", UnknownWord { line: 1 }),
        ("machine", MissingWord { line: 1 }),
        ("machine h password s3cret\nlogin\n\n", MissingWord { line: 2 }),
        ("macdef", MissingWord { line: 1 }),
        ("machine h password\n\"s3cret\nlogin l\n", OpenQuote { line: 2 }),
        ("machine h password \"s3cret\\\"", OpenQuote { line: 1 }),
        ("machine h password s3cret\\", OpenQuote { line: 1 }),
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!(error, expected, "{text:?}");
        assert!(error.to_string().contains(&format!("line {}", error.line())), "{error}");
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
    }
}

#[test]
fn a_host_has_its_own_entry_or_the_default_one() {
    let netrc = parse("machine a.example login 1 default login 2 machine A.example login 3 machine b login 4").unwrap();
    let login = |host| netrc.find(host).and_then(Entry::login);
    // As for Python, the last of several counts.
    assert_eq!(login("a.example"), Some("3"));
    assert_eq!(login("B"), Some("4"));
    assert_eq!(login("b.example"), Some("2"));
    assert_eq!(login("example"), Some("2"));
    assert_eq!(parse("machine a login 1").unwrap().find("b"), None);
    // A host of this name is not the default entry.
    assert_eq!(parse("machine default login 1").unwrap().find("x"), None);
}

#[test]
fn a_password_is_neither_shown_nor_copied() {
    let netrc = parse("machine h login n4me password s3cret account acc0unt").unwrap();
    let shown = format!("{netrc:?}");
    assert!(shown.contains("\"h\""));
    assert!(!["n4me", "s3cret", "acc0unt"].iter().any(|secret| shown.contains(secret)), "{shown}");
    assert!(matches!(netrc.entries()[0].password, Some(Cow::Borrowed("s3cret"))));
    let quoted = parse("machine h password \"s3 cret\"").unwrap();
    assert!(matches!(quoted.entries()[0].password, Some(Cow::Borrowed("s3 cret"))));
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        entries in proptest::collection::vec(("[a-z.]{1,6}", "\\PC{0,6}", "[ -~\n\t]{0,8}", any::<bool>()), 0..4),
    ) {
        let text = entries.iter().map(|(host, login, password, quotes)| {
            let written = |word: &str| {
                let escaped = word.replace('\\', "\\\\").replace('"', "\\\"");
                if *quotes || word.is_empty() {
                    format!("\"{escaped}\"")
                } else {
                    escaped.replace([' ', '\t', '\n'], "\\ ")
                }
            };
            format!("machine {host} login {} password {}\n", written(login), written(password))
        }).collect::<String>();
        let netrc = parse(&text).unwrap();
        prop_assert_eq!(netrc.entries().len(), entries.len());
        for (entry, (host, login, password, quotes)) in netrc.entries().iter().zip(&entries) {
            prop_assert_eq!(entry.machine(), Some(&**host));
            prop_assert_eq!(entry.login(), Some(&**login));
            let expected = if *quotes { password.clone() } else { password.replace(['\t', '\n'], " ") };
            prop_assert_eq!(entry.password(), Some(&*expected));
        }
    }

    #[test]
    fn any_text_is_a_netrc_or_an_error(text in "(machine|default|login|macdef|#|\"|\\\\| |\n|\r|a|é){0,20}") {
        if let Err(error) = parse(&text) {
            prop_assert!((1..=text.matches('\n').count() + 1).contains(&error.line()));
        }
    }
}
