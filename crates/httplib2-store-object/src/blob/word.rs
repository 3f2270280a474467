//! Field values as lines of a mail header, which is how httplib2 writes and reads them (RFC 2047, H-CACHE-23).
//!
//! It writes what is not ASCII as one encoded-word, and takes for one whatever begins with `=?` and ends with `?=`.
//! To it a value is text in which each character stands for one octet (ISO 8859-1).

use std::borrow::Cow;

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// Mail software is not of one mind about the padding, nor about the bits behind the last octet.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

const START: &[u8] = b"=?";
const END: &[u8] = b"?=";

/// The value as it is written. Plain text stays plain, unless it would be read as something else.
pub(crate) fn encode(value: &[u8]) -> Cow<'_, [u8]> {
    if is_plain(value) { Cow::Borrowed(value) } else { Cow::Owned(encode_always(value)) }
}

/// Whether a value is written as it is.
pub(crate) fn is_plain(value: &[u8]) -> bool {
    let is_blank = |byte: Option<&u8>| byte.is_some_and(|byte| matches!(byte, b' ' | b'\t'));
    value.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~'))
        && !is_blank(value.first())
        && !is_blank(value.last())
        && !looks_encoded(value)
}

/// The value as it was, or `None` for what was written as it is, also when it only looks like encoded-words.
pub(crate) fn decode(value: &[u8]) -> Option<Vec<u8>> {
    if !looks_encoded(value) {
        return None;
    }
    let mut text = String::new();
    let mut rest = value;
    while !rest.is_empty() {
        let (word, after) = next_word(rest)?;
        text.push_str(&word);
        // Blanks between encoded-words are no part of the text (RFC 2047 §6.2).
        rest = after.trim_ascii_start();
    }
    Some(octets(&text))
}

fn looks_encoded(value: &[u8]) -> bool {
    value.starts_with(START) && value.ends_with(END)
}

/// The value as one encoded-word, whatever it is.
pub(crate) fn encode_always(value: &[u8]) -> Vec<u8> {
    let text: String = value.iter().map(|byte| char::from(*byte)).collect();
    let base64 = BASE64.encode(&text);
    let quoted = quote(text.as_bytes());
    let (letter, encoded) = if quoted.len() < base64.len() { ("q", quoted) } else { ("b", base64) };
    format!("=?utf-8?{letter}?{encoded}?=").into_bytes()
}

/// RFC 2047 §4.2.
fn quote(text: &[u8]) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut quoted = String::with_capacity(text.len());
    for &byte in text {
        match byte {
            b' ' => quoted.push('_'),
            _ if byte.is_ascii_alphanumeric() || b"!*+-/".contains(&byte) => quoted.push(char::from(byte)),
            _ => {
                quoted.push('=');
                quoted.push(char::from(HEX[usize::from(byte >> 4)]));
                quoted.push(char::from(HEX[usize::from(byte & 15)]));
            }
        }
    }
    quoted
}

/// The text of the encoded-word that stands at the beginning, and what stands behind it.
fn next_word(value: &[u8]) -> Option<(String, &[u8])> {
    let value = value.strip_prefix(START)?;
    let (charset, value) = split_at(value, b"?")?;
    let (encoding, value) = split_at(value, b"?")?;
    // The end is looked for behind the second question mark, so that a `=` which quotes an octet is not taken for it.
    let (encoded, rest) = split_at(value, END)?;
    let octets = match encoding {
        b"b" | b"B" => BASE64.decode(encoded).ok()?,
        b"q" | b"Q" => unquote(encoded)?,
        _ => return None,
    };
    // RFC 2231 §5: a language may stand behind the character set.
    let charset = charset.split(|byte| *byte == b'*').next()?;
    let text = match charset.to_ascii_lowercase().as_slice() {
        b"utf-8" | b"utf8" | b"us-ascii" | b"ascii" => String::from_utf8(octets).ok()?,
        b"iso-8859-1" | b"latin-1" | b"latin1" => octets.into_iter().map(char::from).collect(),
        _ => return None,
    };
    Some((text, rest))
}

fn split_at<'a>(value: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = value.windows(separator.len()).position(|window| window == separator)?;
    Some((&value[..at], &value[at + separator.len()..]))
}

fn unquote(text: &[u8]) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        octets.push(match byte {
            b'_' => b' ',
            b'=' => digit(*rest.next()?)? << 4 | digit(*rest.next()?)?,
            byte => *byte,
        });
    }
    Some(octets)
}

fn digit(byte: u8) -> Option<u8> {
    // At most 15.
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

/// The octets that a text stands for: one for each character, where it has no greater ones.
fn octets(text: &str) -> Vec<u8> {
    let each: Option<Vec<u8>> = text.chars().map(|character| u8::try_from(character).ok()).collect();
    each.unwrap_or_else(|| text.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_written_as_it_is() {
        for value in ["", "text", "a\tb", "=?utf-8?q?a?= b", "=?", "?=", "a =?utf-8?q?a?="] {
            assert_eq!(&*encode(value.as_bytes()), value.as_bytes());
            assert_eq!(decode(value.as_bytes()), None, "{value}");
        }
    }

    #[test]
    fn what_httplib2_writes_is_read_as_the_octets_that_came() {
        // H-CACHE-23: the first two are what Python's email package makes of them.
        for (written, value) in [
            ("=?utf-8?b?w6k=?=", &b"\xe9"[..]),
            ("=?utf-8?q?caf=C3=A9_au_lait?=", b"caf\xe9 au lait"),
            ("=?utf-8?q?caf=C3=83=C2=A9?=", "café".as_bytes()),
            ("=?UTF-8?B?aGk?=", b"hi"),
            ("=?iso-8859-1?q?caf=E9?=", b"caf\xe9"),
            ("=?us-ascii*en?q?hi?=", b"hi"),
            ("=?utf-8?q?a_?= \t =?utf-8?q?b?=", b"a b"),
            ("=?utf-8?q?a?==?utf-8?q?b?=", b"ab"),
            ("=?utf-8?b?4oKs?=", "€".as_bytes()),
            ("=?utf-8?q??=", b""),
        ] {
            assert_eq!(decode(written.as_bytes()).as_deref(), Some(value), "{written}");
        }
    }

    #[test]
    fn what_only_looks_like_an_encoded_word_stays_as_it_is() {
        // H-CACHE-23: to httplib2 the first two are exceptions, in each request that follows.
        for value in [
            "=?foo?=",
            "=?klingon?q?a?=",
            "=?=",
            "=??=",
            "=???=",
            "=????=",
            "=?utf-8?x?a?=",
            "=?utf-8?b?%?=",
            "=?utf-8?q?=?=",
            "=?utf-8?q?=4?=",
            "=?utf-8?q?=FF?=",
            "=?us-ascii?b?/w?==?=",
            "=?utf-8?q?a?= and ?=",
        ] {
            assert_eq!(decode(value.as_bytes()), None, "{value}");
        }
    }

    #[test]
    fn every_value_comes_back() {
        let mut values: Vec<Vec<u8>> = (0..=255).map(|byte| vec![byte]).collect();
        values.extend((0..=255).map(|byte| vec![b'a', byte, b'?', b'=', byte]));
        values.extend(
            [&b"=?utf-8?b?aGk=?="[..], b"=?foo?=", b" a", b"a\t", b"a\x85b", b"\xff\xfe\xfd"].map(<[u8]>::to_vec),
        );
        values.push((0..=255).collect());
        for value in values {
            let written = encode(&value);
            assert!(written.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~')), "{written:?}");
            assert_eq!(decode(&written).unwrap_or_else(|| written.to_vec()), value);
        }
    }

    #[test]
    fn the_shorter_encoding_is_taken() {
        assert_eq!(&*encode("é".as_bytes()), b"=?utf-8?b?w4PCqQ==?=");
        assert_eq!(&*encode(b"a long text, and one \xe9"), b"=?utf-8?q?a_long_text=2C_and_one_=C3=A9?=");
    }
}
