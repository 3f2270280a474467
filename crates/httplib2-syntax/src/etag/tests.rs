use proptest::prelude::*;

use super::*;
use crate::lex::tests::in_linear_time;

#[test]
fn a_tag_is_quoted_and_perhaps_weak() {
    // RFC 9110 §8.8.3.
    for (value, expected) in [
        (&br#""xyzzy""#[..], Some((&b"xyzzy"[..], false))),
        (br#"W/"xyzzy""#, Some((b"xyzzy", true))),
        (br#""""#, Some((b"", false))),
        (br#"W/"""#, Some((b"", true))),
        (br#" "a" "#, Some((b"a", false))),
        (br#""a,b""#, Some((b"a,b", false))),
        // There are no escapes.
        (br#""a\""#, Some((br"a\", false))),
        (br#""a\"b""#, None),
        (b"\"\x80\xff\xc3\xbc\"", Some((b"\x80\xff\xc3\xbc", false))),
        (br#""-gzip!#~""#, Some((b"-gzip!#~", false))),
        // Without quotes it is no tag, as in httplib2's own tests.
        (b"12345", None),
        (br#"w/"xyzzy""#, None),
        (br#"W"xyzzy""#, None),
        (br#"W\"xyzzy""#, None),
        (br#"W/ "xyzzy""#, None),
        (b"W/xyzzy", None),
        (b"W/", None),
        (b"W", None),
        (br#""xyzzy"#, None),
        (br#"xyzzy""#, None),
        (br#"""#, None),
        (br#""a" "b""#, None),
        (br#""a", "b""#, None),
        (br#""a b""#, None),
        (b"\"a\tb\"", None),
        (b"\"a\x7fb\"", None),
        (b"*", None),
        (b"", None),
    ] {
        let read = parse(value).map(|tag| (tag.opaque(), tag.is_weak()));
        assert_eq!(read, expected, "{}", value.escape_ascii());
    }
}

#[test]
fn a_weak_tag_is_never_strongly_equal() {
    // The table of RFC 9110 §8.8.3.2.
    for (one, other, strong, weak) in [
        (r#"W/"1""#, r#"W/"1""#, false, true),
        (r#"W/"1""#, r#"W/"2""#, false, false),
        (r#"W/"1""#, r#""1""#, false, true),
        (r#""1""#, r#""1""#, true, true),
        (r#""1""#, r#""2""#, false, false),
        (r#""a""#, r#""A""#, false, false),
    ] {
        let (one, other) = (parse(one.as_bytes()).unwrap(), parse(other.as_bytes()).unwrap());
        assert_eq!((one.strong_eq(other), one.weak_eq(other)), (strong, weak), "{one:?} {other:?}");
        assert_eq!((other.strong_eq(one), other.weak_eq(one)), (strong, weak), "{other:?} {one:?}");
    }
}

/// `*`, `"tag"`, `W/"tag"` or `!`, with blanks between.
fn listed(lines: &[&str]) -> String {
    let shown = list(lines.iter().map(|line| line.as_bytes())).map(|member| match member {
        Listed::Any => "*".to_owned(),
        Listed::Malformed => "!".to_owned(),
        Listed::Tag(tag) => format!("{}\"{}\"", if tag.is_weak() { "W/" } else { "" }, tag.opaque().escape_ascii()),
    });
    shown.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_list_has_tags_or_an_asterisk() {
    for (lines, expected) in [
        (&[r#""xyzzy""#][..], r#""xyzzy""#),
        // RFC 9110 §13.1.2.
        (&[r#"W/"xyzzy", W/"r2d2xxxx", W/"c3piozzzz""#], r#"W/"xyzzy" W/"r2d2xxxx" W/"c3piozzzz""#),
        (&["*"], "*"),
        (&[" * "], "*"),
        (&[r#""a","b"	,, ,"c","#], r#""a" "b" "c""#),
        (&[r#""a,b", "c""#], r#""a,b" "c""#),
        (&[r#""a"#, r#""b""#], r#"! "b""#),
        (&[r#""a""#, "", r#"W/"b""#], r#""a" W/"b""#),
        (&[""], ""),
        (&[], ""),
        // What is malformed equals nothing, and hides nothing that follows.
        (&[r#"12345, "a""#], r#"! "a""#),
        (&[r#""a" "b", "c""#], r#"! "c""#),
        (&[r#""a b", "c""#], r#"! "c""#),
        (&[r#"w/"a,b", "c""#], r#"! "c""#),
        (&[r#"**, "c""#], r#"! "c""#),
        (&[r#""*""#], r#""*""#),
        (&[r#""c", "a, b"#], r#""c" !"#),
    ] {
        assert_eq!(listed(lines), expected, "{lines:?}");
    }
}

#[test]
fn hostile_lists_take_linear_time() {
    for unit in ["\"", "W/\"", ",", "\" ", "W", "* ", "\"\","] {
        let line = unit.repeat(30_001);
        in_linear_time(|| assert!(list([line.as_bytes()]).count() <= 30_001));
    }
}

proptest! {
    #[test]
    fn tags_that_are_written_are_read(
        tags in proptest::collection::vec((any::<bool>(), "[!#-~\u{80}-\u{ff}]{0,6}"), 0..5),
        comma in "[ \t]{0,2},[ \t,]{0,3}",
    ) {
        let tags: Vec<_> = tags.into_iter().map(|(weak, tag)| format!("{}\"{tag}\"", if weak { "W/" } else { "" })).collect();
        let line = tags.join(&comma);
        let read: Vec<_> = list([line.as_bytes()]).collect();
        prop_assert_eq!(read.len(), tags.len());
        for (read, tag) in read.iter().zip(&tags) {
            let alone = parse(tag.as_bytes()).unwrap();
            prop_assert!(matches!(read, Listed::Tag(read) if read.opaque() == alone.opaque() && read.is_weak() == alone.is_weak()));
        }
    }

    #[test]
    fn any_octets_are_tags_or_malformed(line in proptest::collection::vec(
        prop_oneof![any::<u8>(), proptest::sample::select(&b"W/\", *a"[..])], 0..60)) {
        for member in list([&line[..]]) {
            if let Listed::Tag(tag) = member {
                prop_assert!(!tag.opaque().iter().any(|byte| matches!(byte, 0..=b' ' | b'"' | 0x7f)));
            }
        }
    }
}
