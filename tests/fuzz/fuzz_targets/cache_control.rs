//! `Cache-Control`, a line of input for each line of the field: never a panic, what keeps the grammar is read as a
//! slow parser reads it, and nothing hides a directive. The same lines as a structured field: never a panic.
#![no_main]

use httplib2_syntax::{age, cache_control, sf};
use libfuzzer_sys::fuzz_target;

mod pieces;

const PIECES: [&str; 20] = [
    "no-store", "a", "max-age=", "5", " ", "\t", ", ", ",", "=", "=\"", "\"", "\\", "\"x, y\"", "?1", "\n", ";", "(",
    ")", "%", "é",
];

type Read = (String, Option<Vec<u8>>);

fuzz_target!(|input: (bool, &[u8])| {
    let text = pieces::text(input, &PIECES);
    let lines: Vec<_> = text.split(|byte| *byte == b'\n').collect();
    for line in &lines {
        let directives: Vec<_> = cache_control::directives([*line]).collect();
        for directive in &directives {
            assert!(directive.value().is_none() || !directive.is_malformed());
            if let Some(fields) = directive.fields() {
                let _ = fields.count();
            }
        }
        match by_grammar(line) {
            Some(expected) => {
                assert!(!directives.iter().any(|directive| directive.is_malformed()));
                let read: Vec<Read> = directives
                    .iter()
                    .map(|directive| (directive.name().to_owned(), directive.value().map(<[u8]>::to_vec)))
                    .collect();
                assert_eq!(read, expected);
            }
            None => assert!(directives.iter().any(|directive| directive.is_malformed())),
        }
        if !line.contains(&b'"') {
            let hidden = [line, &b", no-store"[..]].concat();
            assert!(cache_control::directives([&hidden[..]]).any(|directive| directive.is("no-store")));
        }
    }
    let _ = age::parse(lines.iter().copied());
    if let Some(dictionary) = sf::dictionary(lines.iter().copied()) {
        for (key, item) in dictionary.iter() {
            assert_eq!(dictionary.item(key), Some(item));
        }
    }
});

/// `#( token [ BWS "=" BWS ( token / quoted-string ) ] )`, one byte after the other, or `None` if it is not that.
fn by_grammar(line: &[u8]) -> Option<Vec<Read>> {
    elements(line)?
        .into_iter()
        .filter(|element| !element.is_empty())
        .map(|element| {
            let Some(equals) = element.iter().position(|byte| *byte == b'=') else {
                return Some((token(&element)?, None));
            };
            let (name, value) = (trim(&element[..equals]), trim(&element[equals + 1..]));
            let value = if value.first() == Some(&b'"') { unquoted(value)? } else { token(value)?.into_bytes() };
            Some((token(name)?, Some(value)))
        })
        .collect()
}

/// What stands between commas outside quotes, or `None` if a quote is left open.
fn elements(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (mut elements, mut element, mut is_quoted, mut is_escaped) = (Vec::new(), Vec::new(), false, false);
    for &byte in line {
        if byte == b',' && !is_quoted {
            elements.push(trim(&element).to_vec());
            element.clear();
            continue;
        }
        element.push(byte);
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            _ => {}
        }
    }
    elements.push(trim(&element).to_vec());
    (!is_quoted).then_some(elements)
}

fn token(text: &[u8]) -> Option<String> {
    let is_token =
        !text.is_empty() && text.iter().all(|byte| byte.is_ascii_graphic() && !br#""(),/:;<=>?@[\]{}"#.contains(byte));
    is_token.then(|| String::from_utf8_lossy(text).into_owned())
}

fn unquoted(text: &[u8]) -> Option<Vec<u8>> {
    let (mut content, mut bytes) = (Vec::new(), text.iter().copied().skip(1));
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'"' => return bytes.next().is_none().then_some(content),
            b'\\' => bytes.next()?,
            byte => byte,
        };
        if byte.is_ascii_control() && byte != b'\t' {
            return None;
        }
        content.push(byte);
    }
    None
}

fn trim(text: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = text.iter().position(|byte| !is_blank(byte)).unwrap_or(text.len());
    let end = text.iter().rposition(|byte| !is_blank(byte)).map_or(start, |last| last + 1);
    &text[start..end]
}
