//! The algorithms of RFC 9651 §4.2, as far as a dictionary needs them.

use super::{Dictionary, Item};
use crate::lex::{Cursor, is_token_byte};

/// RFC 9651 §4.2 and RFC 9651 §4.2.2.
pub(super) fn dictionary(text: &[u8]) -> Option<Dictionary> {
    let mut cursor = Cursor::new(text);
    let mut dictionary = Dictionary::default();
    skip_spaces(&mut cursor);
    while !cursor.is_at_end() {
        let key = key(&mut cursor)?;
        let item = if cursor.skip(b'=') { member(&mut cursor)? } else { Item::Boolean(true) };
        parameters(&mut cursor)?;
        dictionary.insert(key, item)?;
        cursor.skip_blanks();
        if cursor.is_at_end() {
            break;
        }
        skip(&mut cursor, b',')?;
        cursor.skip_blanks();
        if cursor.is_at_end() {
            // A comma at the end.
            return None;
        }
    }
    Some(dictionary)
}

/// An item or an inner list, without the parameters behind it (RFC 9651 §4.2.1.1).
fn member(cursor: &mut Cursor<'_>) -> Option<Item> {
    if !cursor.skip(b'(') {
        return bare_item(cursor);
    }
    loop {
        skip_spaces(cursor);
        if cursor.skip(b')') {
            return Some(Item::Other);
        }
        bare_item(cursor)?;
        parameters(cursor)?;
        if !matches!(cursor.peek()?, b' ' | b')') {
            return None;
        }
    }
}

/// RFC 9651 §4.2.3.2.
fn parameters(cursor: &mut Cursor<'_>) -> Option<()> {
    while cursor.skip(b';') {
        skip_spaces(cursor);
        key(cursor)?;
        if cursor.skip(b'=') {
            bare_item(cursor)?;
        }
    }
    Some(())
}

/// RFC 9651 §4.2.3.3.
fn key<'a>(cursor: &mut Cursor<'a>) -> Option<&'a str> {
    if !matches!(cursor.peek()?, b'a'..=b'z' | b'*') {
        return None;
    }
    let key = cursor.take_while(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.' | b'*'));
    str::from_utf8(key).ok()
}

/// RFC 9651 §4.2.3.1.
fn bare_item(cursor: &mut Cursor<'_>) -> Option<Item> {
    match cursor.peek()? {
        b'-' | b'0'..=b'9' => number(cursor),
        b'"' => string(cursor),
        b'*' | b'A'..=b'Z' | b'a'..=b'z' => {
            let token = cursor.take_while(|byte| is_token_byte(byte) || matches!(byte, b':' | b'/'));
            Some(Item::Token(str::from_utf8(token).ok()?.into()))
        }
        b':' => byte_sequence(cursor),
        b'?' => boolean(cursor),
        b'@' => {
            cursor.skip(b'@');
            // A date is a whole number of seconds (RFC 9651 §4.2.9).
            number(cursor).filter(|item| *item != Item::Other).map(|_| Item::Other)
        }
        b'%' => display_string(cursor),
        _ => None,
    }
}

/// An integer or a decimal (RFC 9651 §4.2.4).
fn number(cursor: &mut Cursor<'_>) -> Option<Item> {
    let sign = if cursor.skip(b'-') { -1 } else { 1 };
    let digits = cursor.take_while(|byte| byte.is_ascii_digit());
    if digits.is_empty() {
        return None;
    }
    if cursor.skip(b'.') {
        let fraction = cursor.take_while(|byte| byte.is_ascii_digit());
        return (digits.len() <= 12 && (1..=3).contains(&fraction.len())).then_some(Item::Other);
    }
    if digits.len() > 15 {
        return None;
    }
    Some(Item::Integer(sign * str::from_utf8(digits).ok()?.parse::<i64>().ok()?))
}

/// RFC 9651 §4.2.5.
fn string(cursor: &mut Cursor<'_>) -> Option<Item> {
    skip(cursor, b'"')?;
    let mut content = String::new();
    loop {
        let plain = cursor.take_while(|byte| matches!(byte, 0x20..=0x7e) && !matches!(byte, b'"' | b'\\'));
        content.push_str(str::from_utf8(plain).ok()?);
        if cursor.skip(b'"') {
            return Some(Item::String(content.into()));
        }
        skip(cursor, b'\\')?;
        let escaped = cursor.peek().filter(|byte| matches!(byte, b'"' | b'\\'))?;
        cursor.skip(escaped);
        content.push(char::from(escaped));
    }
}

/// RFC 9651 §4.2.7. Neither padding nor the bits behind the last octet are looked at, as it recommends.
fn byte_sequence(cursor: &mut Cursor<'_>) -> Option<Item> {
    skip(cursor, b':')?;
    cursor.take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='));
    skip(cursor, b':')?;
    Some(Item::Other)
}

/// RFC 9651 §4.2.8.
fn boolean(cursor: &mut Cursor<'_>) -> Option<Item> {
    skip(cursor, b'?')?;
    if cursor.skip(b'1') {
        return Some(Item::Boolean(true));
    }
    skip(cursor, b'0')?;
    Some(Item::Boolean(false))
}

/// RFC 9651 §4.2.10.
fn display_string(cursor: &mut Cursor<'_>) -> Option<Item> {
    skip(cursor, b'%')?;
    skip(cursor, b'"')?;
    let mut content = Vec::new();
    loop {
        let plain = cursor.take_while(|byte| matches!(byte, 0x20..=0x7e) && !matches!(byte, b'"' | b'%'));
        content.extend_from_slice(plain);
        if cursor.skip(b'"') {
            str::from_utf8(&content).ok()?;
            return Some(Item::Other);
        }
        skip(cursor, b'%')?;
        let (high, low) = (hex_digit(cursor)?, hex_digit(cursor)?);
        content.push(high << 4 | low);
    }
}

/// A digit of a percent-encoding, which has letters in lower case only.
fn hex_digit(cursor: &mut Cursor<'_>) -> Option<u8> {
    let digit = cursor.peek()?;
    cursor.skip(digit);
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

fn skip(cursor: &mut Cursor<'_>, byte: u8) -> Option<()> {
    cursor.skip(byte).then_some(())
}

fn skip_spaces(cursor: &mut Cursor<'_>) {
    cursor.take_while(|byte| byte == b' ');
}
