use proptest::prelude::*;

use super::*;
use crate::lex::tests::in_linear_time;

/// `name`, `name=value` or `name!` for what is malformed.
fn read(lines: &[&str]) -> Vec<String> {
    let shown = |directive: Directive<'_>| {
        let value = directive.value().map(|value| format!("={}", value.escape_ascii()));
        let mark = if directive.is_malformed() { "!" } else { "" };
        format!("{}{}{mark}", directive.name(), value.unwrap_or_default())
    };
    directives(lines.iter().map(|line| line.as_bytes())).map(shown).collect()
}

#[test]
fn directives_are_names_and_arguments() {
    for (lines, expected) in [
        (&["no-store"][..], &["no-store"][..]),
        (&["max-age=3600, must-revalidate"], &["max-age=3600", "must-revalidate"]),
        (&["max-age=3600", "s-maxage=1"], &["max-age=3600", "s-maxage=1"]),
        (&["foobar, max-age=3600"], &["foobar", "max-age=3600"]),
        // RFC 9111 §5.2: both forms for every argument.
        (&[r#"max-age="3600", no-cache=Set-Cookie"#], &["max-age=3600", "no-cache=Set-Cookie"]),
        (&[r#"no-cache="a, b", max-age=1"#], &["no-cache=a, b", "max-age=1"]),
        (&[r#"a="b\"c\\d\e, f", g"#], &[r#"a=b\"c\\de, f"#, "g"]),
        (&[r#"a="", b"#], &["a=", "b"]),
        // Empty elements, and blanks that do not belong there.
        (&[" , ,no-cache ,\t, no-store,"], &["no-cache", "no-store"]),
        (&["max-age = 60 , private =\t\"a\""], &["max-age=60", "private=a"]),
        (&["max-age=-1"], &["max-age=-1"]),
        (&["max-age=1.5"], &["max-age=1.5"]),
        (&[""], &[]),
        (&[], &[]),
    ] {
        assert_eq!(read(lines), expected, "{lines:?}");
    }
}

#[test]
fn what_cannot_be_parsed_is_not_left_out() {
    for (line, expected) in [
        ("no-store x, private", &["no-store!", "private"][..]),
        ("no-store=, private", &["no-store!", "private"]),
        // H-CACHE-38: a semicolon separates nothing.
        ("no-store; max-age=1, private", &["no-store!", "private"]),
        ("max-age=60;x, private", &["max-age!", "private"]),
        ("max-age=60 s-maxage=5, private", &["max-age!", "private"]),
        ("private=\"a\" b, max-age=1", &["private!", "max-age=1"]),
        ("private=\"a\"b, max-age=1", &["private!", "max-age=1"]),
        ("private=a\"b, c\", max-age=1", &["private!", "max-age=1"]),
        ("private=\"a\u{1}, b\", max-age=1", &["private!", "max-age=1"]),
        ("\"no-store\", private", &["!", "private"]),
        ("=1, @, private", &["!", "!", "private"]),
        ("max-age=é, private", &["max-age!", "private"]),
        ("max-age==1", &["max-age!"]),
        ("max-age=\u{a0}1", &["max-age!"]),
    ] {
        assert_eq!(read(&[line]), expected, "{line}");
    }
}

#[test]
fn a_quote_that_is_never_closed_hides_nothing() {
    for (line, expected) in [
        (r#"private="a, no-store, max-age=1"#, &["private!", "no-store!", "max-age!"][..]),
        (r#"x y"a, no-store"#, &["x!", "no-store!"]),
        (r#"max-age=1, private="a\", no-store"#, &["max-age=1", "private!", "no-store!"]),
        (r#"a="b"", no-store"#, &["a!", "no-store!"]),
        (r#"a="\", no-store, b=\", no-cache"#, &["a!", "no-store!", "b!", "no-cache!"]),
        (r#"private="a"#, &["private!"]),
    ] {
        assert_eq!(read(&[line]), expected, "{line}");
    }
    // The next line is another one.
    assert_eq!(read(&[r#"private="a"#, r#"max-age=1, b="c, d""#]), ["private!", "max-age=1", "b=c, d"]);
}

#[test]
fn names_are_compared_without_regard_to_case() {
    let directive = directives([&b"MaX-aGe=3600"[..]]).next().unwrap();
    assert!(directive.is("max-age") && !directive.is("max-ag"));
    assert_eq!((directive.name(), directive.seconds()), ("MaX-aGe", Some(3600)));
}

#[test]
fn seconds_are_digits_and_nothing_else() {
    // RFC 9111 §1.2.2.
    for (value, expected) in [
        ("0", Some(0)),
        ("3600", Some(3600)),
        ("0003600", Some(3600)),
        ("2147483647", Some(2_147_483_647)),
        ("2147483648", Some(2_147_483_648)),
        ("2147483649", Some(2_147_483_648)),
        ("4294967296", Some(2_147_483_648)),
        ("99999999999", Some(2_147_483_648)),
        ("18446744073709551617", Some(2_147_483_648)),
        ("", None),
        ("-1", None),
        ("+1", None),
        ("1.0", None),
        ("1e3", None),
        ("0x1", None),
        (" 1", None),
        ("1 ", None),
        ("1,2", None),
        ("\u{661}", None),
        ("99999999999999999999x", None),
    ] {
        assert_eq!(delta_seconds(value.as_bytes()), expected, "{value}");
    }
    assert_eq!(delta_seconds(&b"9".repeat(100_000)), Some(MAX_SECONDS));
    for line in ["max-age", "max-age=x", "max-age=1 2", "max-age=\"1 \""] {
        assert_eq!(directives([line.as_bytes()]).next().unwrap().seconds(), None, "{line}");
    }
}

#[test]
fn an_argument_may_be_a_list_of_fields() {
    let fields = |line: &str| {
        let directive = directives([line.as_bytes()]).next().unwrap();
        directive.fields().map(|fields| fields.map(|field| format!("{field:?}")).collect::<Vec<_>>())
    };
    let (a, b) = (r#"Name("Set-Cookie")"#.to_owned(), r#"Name("X-User")"#.to_owned());
    assert_eq!(fields(r#"no-cache="Set-Cookie, , X-User""#), Some(vec![a.clone(), b]));
    assert_eq!(fields("private=Set-Cookie"), Some(vec![a]));
    assert_eq!(fields(r#"private="Set-Cookie;""#), Some(vec!["Malformed".to_owned()]));
    assert_eq!(fields(r#"private="""#), Some(Vec::new()));
    assert_eq!(fields("private"), None);
}

#[test]
fn only_an_escape_makes_a_copy() {
    let borrows = |line: &str| {
        let directive = directives([line.as_bytes()]).next().unwrap();
        matches!(directive.value, Some(Cow::Borrowed(_)))
    };
    assert!(borrows(r#"a="b c""#) && borrows("a=b") && !borrows(r#"a="b\c""#));
}

#[test]
fn hostile_lines_take_linear_time() {
    for unit in ["\"", "\\\"", "\\\",", ",", "=", "a=\"", "a=\"\\\",", "a=\"b\" \"", " ", "a ", "\u{a0}"] {
        for start in ["", "a=\"", "a \"", "a="] {
            let line = format!("{start}{}", unit.repeat(30_001));
            in_linear_time(|| assert!(directives([line.as_bytes()]).count() <= line.len()));
        }
    }
}

fn argument() -> impl Strategy<Value = Option<Vec<u8>>> {
    proptest::option::of(proptest::collection::vec(
        any::<u8>().prop_filter("no control", |byte| !crate::lex::is_control(*byte)),
        0..8,
    ))
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        written in proptest::collection::vec(("[!#$%&'*+.^_`|~0-9a-zA-Z-]{1,6}", argument()), 0..6),
        comma in "[ \t]{0,2},[ \t,]{0,3}",
    ) {
        let mut line = Vec::new();
        for (name, value) in &written {
            line.extend_from_slice(name.as_bytes());
            if let Some(value) = value {
                line.push(b'=');
                prop_assert!(crate::challenge::quote(value, &mut line));
            }
            line.extend_from_slice(comma.as_bytes());
        }
        let read: Vec<_> = directives([&line[..]])
            .map(|directive| (directive.name().to_owned(), directive.value().map(<[u8]>::to_vec)))
            .collect();
        prop_assert_eq!(read, written);
        prop_assert!(directives([&line[..]]).all(|directive| !directive.is_malformed()));
    }

    #[test]
    fn a_name_that_stands_alone_is_never_hidden(
        before in proptest::collection::vec(
            prop_oneof![any::<u8>(), proptest::sample::select(&b"a=, \\"[..])], 0..40),
        quote in any::<prop::sample::Index>(),
    ) {
        // With one quote at most, nothing that follows a comma can be within quotes.
        let mut line: Vec<u8> = before.into_iter().filter(|byte| *byte != b'"').collect();
        line.insert(quote.index(line.len() + 1), b'"');
        line.extend_from_slice(b", no-store");
        prop_assert!(directives([&line[..]]).any(|directive| directive.is("no-store")));
    }
}
