use std::time::{Duration, Instant};

use super::*;

/// Fails if it takes longer than AUTH-15 allows. What is linear takes milliseconds, what is quadratic half a minute.
#[expect(clippy::disallowed_methods, reason = "it is real time that a hostile peer would waste")]
pub(crate) fn in_linear_time<T>(read: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = read();
    assert!(start.elapsed() < Duration::from_secs(3), "took {:?}", start.elapsed());
    result
}

fn quoted(line: &[u8]) -> (Option<Vec<u8>>, Vec<u8>) {
    let mut cursor = Cursor::new(line);
    (cursor.quoted().ok().map(Cow::into_owned), cursor.rest.to_vec())
}

#[test]
fn a_quoted_string_ends_where_its_quote_is_closed() {
    for (line, content, rest) in [
        (&br#""""#[..], Some(&b""[..]), &b""[..]),
        (br#""a, b" c"#, Some(b"a, b"), b" c"),
        (br#""\"\\\a""#, Some(br#""\a"#), b""),
        (br#""a\"b"c"d""#, Some(br#"a"b"#), br#"c"d""#),
        (b"\"\xff\t\\\xfe\"", Some(b"\xff\t\xfe"), b""),
        (b"\"a\x00b\" c", None, b" c"),
        (b"\"a\\\x00b\" c", None, b" c"),
        (b"\"a\x7f\\\"b\" c", None, b" c"),
        (br#""a, b"#, None, b""),
        (br#""a\"#, None, b""),
        (br#""a\""#, None, b""),
        (b"a", None, b"a"),
        (b"", None, b""),
    ] {
        let expected = (content.map(<[u8]>::to_vec), rest.to_vec());
        assert_eq!(quoted(line), expected, "{}", line.escape_ascii());
    }
}

#[test]
fn only_an_escape_makes_a_copy() {
    assert!(matches!(Cursor::new(br#""a b""#).quoted(), Ok(Cow::Borrowed(b"a b"))));
    assert!(matches!(Cursor::new(br#""a\b""#).quoted(), Ok(Cow::Owned(_))));
}

#[test]
fn an_element_ends_at_a_comma_outside_quotes() {
    for (line, rest) in [
        (&b"a, b"[..], &b", b"[..]),
        (br#"a "b, c" d, e"#, b", e"),
        (br#""b\", c", d"#, b", d"),
        (b"\"b\x01, c\", d", b", d"),
        (br#"a "b, c"#, b""),
        (b"", b""),
        (b", a", b", a"),
    ] {
        let mut cursor = Cursor::new(line);
        cursor.skip_element();
        assert_eq!(cursor.rest, rest, "{}", line.escape_ascii());
    }
}

#[test]
fn only_spaces_and_tabs_are_blanks() {
    assert_eq!(trim(b" \t a b\t "), b"a b");
    assert_eq!(trim(b" \t"), b"");
    // U+00A0 and the rest that Unicode or C count as white space: H-SEC-03.
    for bytes in [&b"\xa0"[..], b"\xc2\xa0", b"\n", b"\r", b"\x0b", b"\x0c"] {
        assert_eq!(trim(bytes), bytes);
    }
}

#[test]
fn a_token_has_77_different_bytes() {
    // RFC 9110 §5.6.2: any visible character but the delimiters.
    for byte in 0..=u8::MAX {
        let expected = byte.is_ascii_graphic() && !br#""(),/:;<=>?@[\]{}"#.contains(&byte);
        assert_eq!(is_token_byte(byte), expected, "{byte}");
    }
    assert_eq!((0..=u8::MAX).filter(|byte| is_token_byte(*byte)).count(), 77);
}
