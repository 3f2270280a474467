//! `Vary` and lists of entity tags, a line of input for each line of the field: never a panic, and members are what
//! stands between commas.
#![no_main]

use http::HeaderName;
use httplib2_syntax::{
    etag::{self, Listed},
    vary::{self, Member},
};
use libfuzzer_sys::fuzz_target;

mod pieces;

const PIECES: [&str; 12] = ["a", "Accept", "*", " ", "\t", ",", "\"", "W/\"", "\"a,b\"", "\n", "\\", "é"];

fuzz_target!(|input: (bool, &[u8])| {
    let text = &pieces::text(input, &PIECES)[..];
    let lines: Vec<_> = text.split(|byte| *byte == b'\n').collect();
    let mut members = vary::members(lines.iter().copied());
    for piece in text.split(|byte| matches!(byte, b'\n' | b',')) {
        let piece = trim(piece);
        if piece.is_empty() {
            continue;
        }
        let member = members.next();
        // A second opinion on what a name is, of those that are not too long for it.
        let expected = match HeaderName::from_bytes(piece) {
            _ if piece.len() > 1_000 => continue,
            _ if piece == b"*" => Member::Any,
            Ok(_) => Member::Name(std::str::from_utf8(piece).expect("a name is ASCII")),
            Err(_) => Member::Malformed,
        };
        assert_eq!(member, Some(expected));
    }
    assert_eq!(members.next(), None);

    for listed in etag::list(lines.iter().copied()) {
        if let Listed::Tag(tag) = listed {
            let written = [if tag.is_weak() { &b"W/\""[..] } else { b"\"" }, tag.opaque(), b"\""].concat();
            let again = etag::parse(&written).expect("a tag");
            assert!(again.weak_eq(tag) && again.is_weak() == tag.is_weak());
        }
    }
    // A single tag is a list of one.
    if let (Some(tag), [line]) = (etag::parse(text), &lines[..]) {
        let listed: Vec<_> = etag::list([*line]).collect();
        assert!(matches!(listed[..], [Listed::Tag(other)] if other.weak_eq(tag)));
    }
});

fn trim(text: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = text.iter().position(|byte| !is_blank(byte)).unwrap_or(text.len());
    let end = text.iter().rposition(|byte| !is_blank(byte)).map_or(start, |last| last + 1);
    &text[start..end]
}
