//! Challenges, a line of input for each line of the field: never a panic, what keeps the grammar is read as a slow
//! parser written from the ABNF reads it, and as another library does.
#![no_main]

use http_auth::parser::ChallengeParser;
use httplib2_syntax::challenge::{self, Challenge, Params};
use libfuzzer_sys::fuzz_target;

#[allow(dead_code, reason = "other targets use the rest")]
#[path = "../../../crates/httplib2-syntax/src/challenge/tests/reference.rs"]
mod reference;

mod pieces;

const PIECES: [&str; 20] = [
    "Basic", "a", "B", "token==", " ", " ", "\t", ", ", ",", "=", "=", "=", "\"", "\"\"", "\\", "\"x, y\"", "a=b",
    "\n", "/", "é",
];

/// The slow parser is too slow for more.
const SHORT: usize = 160;

fuzz_target!(|input: (bool, &[u8])| {
    let text = pieces::text(input, &PIECES);
    let lines: Vec<_> = text.split(|byte| *byte == b'\n').collect();
    let challenges = challenge::parse(lines.iter().copied());
    assert_eq!(challenge::parse([&written(&challenges)[..]]), challenges, "written and read again");

    if lines.iter().all(|line| line.len() <= SHORT) && lines.len() <= 4 {
        let by_grammar: Option<Vec<_>> = lines.iter().map(|line| reference::challenges(trim(line))).collect();
        if let Some(expected) = by_grammar {
            let mut expected = expected.concat();
            expected.retain(|(_, _, params)| is_acceptable(params));
            assert_eq!(read(&challenges), expected);
        }
    }
    for line in lines {
        if let Ok(text) = std::str::from_utf8(line)
            && let Some(expected) = read_by_http_auth(text)
        {
            assert_eq!(read(&challenge::parse([line])), expected, "{text:?}");
        }
    }
});

fn read(challenges: &[Challenge]) -> Vec<reference::Read> {
    let params = |params: &Params| params.iter().map(|(name, value)| (name.to_owned(), value.to_vec())).collect();
    challenges
        .iter()
        .map(|challenge| {
            let token68 = challenge.token68().map(str::to_owned);
            (challenge.scheme().to_owned(), token68, params(challenge.params()))
        })
        .collect()
}

/// Every name is there once, and there are not too many: what the grammar cannot say.
fn is_acceptable(params: &[(String, Vec<u8>)]) -> bool {
    let is_first = |(index, (name, _)): (usize, &(String, Vec<u8>))| {
        params[..index].iter().all(|(earlier, _)| !earlier.eq_ignore_ascii_case(name))
    };
    params.len() <= challenge::MAX_PARAMS && params.iter().enumerate().all(is_first)
}

/// What that library reads, or `None` where it gives up.
fn read_by_http_auth(text: &str) -> Option<Vec<reference::Read>> {
    let mut challenges = Vec::new();
    for challenge in ChallengeParser::new(text) {
        let challenge = challenge.ok()?;
        let params =
            challenge.params.iter().map(|(name, value)| ((*name).to_owned(), value.to_unescaped().into_bytes()));
        challenges.push((challenge.scheme.to_owned(), None, params.collect::<Vec<_>>()));
    }
    challenges.retain(|(_, _, params)| is_acceptable(params));
    challenges.truncate(challenge::MAX_CHALLENGES);
    Some(challenges)
}

fn written(challenges: &[Challenge]) -> Vec<u8> {
    let mut line = Vec::new();
    for challenge in challenges {
        line.extend_from_slice(challenge.scheme().as_bytes());
        line.push(b' ');
        line.extend_from_slice(challenge.token68().unwrap_or_default().as_bytes());
        for (name, value) in challenge.params().iter() {
            line.extend_from_slice(format!("{name}=").as_bytes());
            assert!(challenge::quote(value, &mut line));
            line.push(b',');
        }
        line.push(b',');
    }
    line
}

fn trim(line: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = line.iter().position(|byte| !is_blank(byte)).unwrap_or(line.len());
    let end = line.iter().rposition(|byte| !is_blank(byte)).map_or(start, |last| last + 1);
    &line[start..end]
}
