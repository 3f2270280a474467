use proptest::prelude::*;

use super::*;

/// Keys and values, or `None` for what is no dictionary.
fn read(lines: &[&str]) -> Option<String> {
    let shown = |(key, item): (&str, &Item)| match item {
        Item::Boolean(value) => format!("{key}=?{}", u8::from(*value)),
        Item::Integer(value) => format!("{key}={value}"),
        Item::String(value) => format!("{key}={value:?}"),
        Item::Token(value) => format!("{key}={value}"),
        Item::Other => format!("{key}=.."),
    };
    let dictionary = dictionary(lines.iter().map(|line| line.as_bytes()))?;
    Some(dictionary.iter().map(shown).collect::<Vec<_>>().join(" "))
}

#[test]
fn a_dictionary_has_keys_and_items() {
    for (lines, expected) in [
        // The examples of RFC 9213 §2.1 and RFC 9651 §3.2.
        (&["max-age=600"][..], "max-age=600"),
        (&["max-age=60, must-revalidate,\tno-store"], "max-age=60 must-revalidate=?1 no-store=?1"),
        (&[r#"en="Applepie", da=:w4ZibGV0w6ZydGU=:"#], r#"en="Applepie" da=.."#),
        (&["a=?0, b, c; foo=bar"], "a=?0 b=?1 c=?1"),
        (&["rating=1.5, feelings=(joy sadness)"], "rating=.. feelings=.."),
        (&["a=(1 2), b=3, c=4;aa=bb, d=(5 6);valid"], "a=.. b=3 c=4 d=.."),
        (&["foo=1, bar=2"], "foo=1 bar=2"),
        (&["foo=1", "bar=2"], "foo=1 bar=2"),
        // The last one counts, in the place of the first.
        (&["a=1, b=2, a=3"], "a=3 b=2"),
        (&["a=1;x=2;y;z=\"q\", b"], "a=1 b=?1"),
        (&["a=1; x"], "a=1"),
        (&["*a_b-c.d*9=-15"], "*a_b-c.d*9=-15"),
        (&["a=999999999999999, b=-999999999999999"], "a=999999999999999 b=-999999999999999"),
        (&["a=-0"], "a=0"),
        (&["a=*t:/x, b=T"], "a=*t:/x b=T"),
        (&[r#"a="q\"\\b, c""#], r#"a="q\"\\b, c""#),
        (&["a=()"], "a=.."),
        (&["a=( 1  2;x \"s\"  )"], "a=.."),
        (&["a=@1659578233"], "a=.."),
        (&[r#"a=%"f%c3%bc ok""#], "a=.."),
        (&["a=123456789012.123, b=0.1"], "a=.. b=.."),
        (&["a=::"], "a=.."),
        (&["  a  ,  b  "], "a=?1 b=?1"),
        (&[""], ""),
        (&[], ""),
    ] {
        assert_eq!(read(lines).as_deref(), Some(expected), "{lines:?}");
    }
}

#[test]
fn one_slip_spoils_the_field() {
    for lines in [
        &["a=1,"][..],
        &[","],
        &["a,,b"],
        &["a b"],
        &["A=1"],
        &["1=a"],
        &["a=1 ;x"],
        &["a= 1"],
        &["a =1"],
        &["a="],
        &["a=1;"],
        &["a=1;X"],
        &["a=1;x="],
        &["a=1 b"],
        &["a=1000000000000000"],
        &["a=1234567890123.1"],
        &["a=1.1234"],
        &["a=1."],
        &["a=.1"],
        &["a=-"],
        &["a=+1"],
        &["a=\"b"],
        &[r#"a="b\c""#],
        &["a=\"é\""],
        &["a=\"\t\""],
        &[r#"a="b\"#],
        &["a=?2"],
        &["a=?"],
        &["a=:é:"],
        &["a=:YQ==", "b"],
        &["a=(1"],
        &["a=(1,2)"],
        &["a=(1\t2)"],
        &["a=(1\"b\")"],
        &["a=((1))"],
        &["a=@1.5"],
        &["a=@"],
        &[r#"a=%"%C3%BC""#],
        &[r#"a=%"%ff""#],
        &[r#"a=%"%f""#],
        &["a=%x"],
        &[r#"a=%"b"#],
        &["\ta"],
        // Two lines are joined by a comma, and this one then stands alone (RFC 9651 §4.2).
        &["a", ""],
        &["a=\u{a0}1"],
        &["a=<"],
    ] {
        assert_eq!(read(lines), None, "{lines:?}");
    }
}

#[test]
fn so_many_keys_are_read() {
    let keys = |count: usize| (0..count).map(|index| format!("k{index}")).collect::<Vec<_>>().join(",");
    let most = dictionary([keys(MAX_MEMBERS).as_bytes()]).unwrap();
    assert_eq!(most.item("k1023"), Some(&Item::Boolean(true)));
    assert_eq!(most.item("k1024"), None);
    assert_eq!(dictionary([keys(MAX_MEMBERS + 1).as_bytes()]), None);
    let again = format!("{},k0=7", keys(MAX_MEMBERS));
    assert_eq!(dictionary([again.as_bytes()]).unwrap().item("k0"), Some(&Item::Integer(7)));
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        members in proptest::collection::btree_map("[a-z*][a-z0-9_.*-]{0,5}", prop_oneof![
            any::<bool>().prop_map(Item::Boolean),
            (-999_999_999_999_999..=999_999_999_999_999_i64).prop_map(Item::Integer),
            "[ -~]{0,6}".prop_map(|text| Item::String(text.into())),
            "[a-zA-Z*][a-z:/*!A-Z0-9]{0,5}".prop_map(|text| Item::Token(text.into())),
        ], 0..6),
        comma in "[ \t]{0,2},[ \t]{0,2}",
        params in "(; {0,2}[a-z*](=(1|\"a\"|b|\\?0))?){0,2}",
    ) {
        let line = members.iter().map(|(key, item)| {
            let value = match item {
                Item::Boolean(true) => String::new(),
                Item::Boolean(false) => "=?0".to_owned(),
                Item::Integer(value) => format!("={value}"),
                Item::String(text) => format!("=\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
                Item::Token(text) => format!("={text}"),
                Item::Other => unreachable!("none is made"),
            };
            format!("{key}{value}{params}")
        }).collect::<Vec<_>>().join(&comma);
        let read = dictionary([line.as_bytes()]).expect("a dictionary");
        prop_assert_eq!(read.iter().count(), members.len());
        for (key, item) in &members {
            prop_assert_eq!(read.item(key), Some(item), "{}", line);
        }
    }

    #[test]
    fn any_octets_are_a_dictionary_or_none(line in proptest::collection::vec(
        prop_oneof![any::<u8>(), proptest::sample::select(&b"a1=,; \"\\()?:@%."[..])], 0..40)) {
        let _ = dictionary([&line[..]]);
    }
}
