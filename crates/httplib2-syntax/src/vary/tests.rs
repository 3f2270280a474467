use proptest::prelude::*;

use super::*;

fn read<'a>(lines: &[&'a str]) -> Vec<Member<'a>> {
    members(lines.iter().map(|line| line.as_bytes())).collect()
}

#[test]
fn members_are_names_or_the_asterisk() {
    use Member::{Any, Malformed, Name};
    for (lines, expected) in [
        (&["Foo"][..], &[Name("Foo")][..]),
        (&["Accept-Encoding, accept-language"], &[Name("Accept-Encoding"), Name("accept-language")]),
        (&["Foo,Bar\t , Baz "], &[Name("Foo"), Name("Bar"), Name("Baz")]),
        (&["Foo", "Bar"], &[Name("Foo"), Name("Bar")]),
        (&[" ,, Foo ,", ""], &[Name("Foo")]),
        (&["*"], &[Any]),
        (&[" * "], &[Any]),
        // RFC 9110 §12.5.5: an asterisk among names is still one.
        (&["Foo, *"], &[Name("Foo"), Any]),
        (&["Foo", "*"], &[Name("Foo"), Any]),
        (&["**"], &[Name("**")]),
        (&["* *"], &[Malformed]),
        (&["*,"], &[Any]),
        (&["Foo Bar, Baz"], &[Malformed, Name("Baz")]),
        (&["Foo:, \"Bar\", Baz;q=1, Foo"], &[Malformed, Malformed, Malformed, Name("Foo")]),
        (&["\"a, b\""], &[Malformed, Malformed]),
        (&["Föö"], &[Malformed]),
        (&["\u{a0}Foo"], &[Malformed]),
        (&[""], &[]),
        (&[], &[]),
    ] {
        assert_eq!(read(lines), expected, "{lines:?}");
    }
}

proptest! {
    #[test]
    fn any_octets_are_read_as_by_splitting_at_commas(line in proptest::collection::vec(
        prop_oneof![any::<u8>(), proptest::sample::select(&b"Aa*, \t"[..])], 0..40)) {
        // The slow way: RFC 9110 §5.6.1.2 and §12.5.5.
        let expected: Vec<_> = line
            .split(|byte| *byte == b',')
            .map(crate::lex::trim)
            .filter(|member| !member.is_empty())
            .map(|member| match std::str::from_utf8(member) {
                Ok("*") => Member::Any,
                Ok(name) if name.bytes().all(crate::lex::is_token_byte) => Member::Name(name),
                _ => Member::Malformed,
            })
            .collect();
        prop_assert_eq!(members([&line[..]]).collect::<Vec<_>>(), expected);
    }
}
