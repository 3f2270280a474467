//! `Authentication-Info`: never a panic, and what keeps the grammar is read as a slow parser written from the ABNF
//! reads it.
#![no_main]

use httplib2_syntax::challenge;
use libfuzzer_sys::fuzz_target;

#[allow(dead_code, reason = "other targets use the rest")]
#[path = "../../../crates/httplib2-syntax/src/challenge/tests/reference.rs"]
mod reference;

mod pieces;

const PIECES: [&str; 14] = ["a", "nc", "A", " ", "\t", ", ", ",", "=", "=", "\"", "\\", "\"x, y\"", "a=b", "/"];

fuzz_target!(|input: (bool, &[u8])| {
    let value = &pieces::text(input, &PIECES)[..];
    let params = challenge::parse_info(value);
    let mut written = Vec::new();
    for (name, value) in params.iter() {
        written.extend_from_slice(format!("{name}=").as_bytes());
        assert!(challenge::quote(value, &mut written));
        written.push(b',');
    }
    assert_eq!(challenge::parse_info(&written), params, "written and read again");

    let is_trimmed = ![value.first(), value.last()].iter().flatten().any(|byte| matches!(byte, b' ' | b'\t'));
    // The slow parser is too slow for more.
    if is_trimmed
        && value.len() <= 160
        && let Some(expected) = reference::info(value)
    {
        let mut first = Vec::<(String, Vec<u8>)>::new();
        for (name, value) in expected {
            if !first.iter().any(|(known, _)| known.eq_ignore_ascii_case(&name)) {
                first.push((name, value));
            }
        }
        first.truncate(challenge::MAX_PARAMS);
        let read: Vec<_> = params.iter().map(|(name, value)| (name.to_owned(), value.to_vec())).collect();
        assert_eq!(read, first);
    }
});
