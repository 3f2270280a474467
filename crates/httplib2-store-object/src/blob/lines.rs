//! The lines of a head.

use std::borrow::Cow;

/// What ends a head.
const HEAD_END: &[u8] = b"\r\n\r\n";

/// Where the head ends and the body begins, if the head ends within so many bytes.
pub(super) fn split(blob: &[u8], longest: usize) -> Option<(usize, usize)> {
    let within = &blob[..blob.len().min(longest)];
    let at = within.windows(HEAD_END.len()).position(|window| window == HEAD_END)?;
    Some((at, at + HEAD_END.len()))
}

/// The names and values of a head, as they are written, without the blanks around the values.
///
/// A line that begins with a blank goes on with the value of the one before (H-CACHE-24). A line that is no field is
/// left out.
pub(super) fn fields(head: &[u8]) -> Vec<(&[u8], Cow<'_, [u8]>)> {
    let mut fields: Vec<(&[u8], Cow<'_, [u8]>)> = Vec::new();
    for line in head.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
            if let Some((_, value)) = fields.last_mut() {
                let value = value.to_mut();
                value.push(b' ');
                value.extend_from_slice(trim(line));
            }
        } else if let Some(colon) = line.iter().position(|byte| *byte == b':') {
            fields.push((&line[..colon], Cow::Borrowed(trim(&line[colon + 1..]))));
        }
    }
    fields
}

/// Without the blanks around it.
pub(super) fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(head: &str) -> Vec<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        fields(head.as_bytes()).into_iter().map(|(name, value)| (text(name), text(&value))).collect()
    }

    #[test]
    fn a_head_ends_at_the_first_empty_line() {
        assert_eq!(split(b"a: b\r\n\r\nc\r\n\r\nd", 100), Some((4, 8)));
        assert_eq!(split(b"a: b\r\n\r\n", 8), Some((4, 8)));
        for (blob, longest) in [(&b"a: b\r\n\r\n"[..], 7), (b"a: b\n\nc", 100), (b"a: b\r\n", 100), (b"", 100)] {
            assert_eq!(split(blob, longest), None, "{blob:?}");
        }
    }

    #[test]
    fn a_folded_value_is_one_value() {
        // H-CACHE-24, RFC 9112 §5.2.
        let expected = [("a".to_owned(), "1 2 3".to_owned()), ("b".to_owned(), String::new())];
        assert_eq!(read("a: 1\r\n  2\r\n\t3 \r\nb:"), expected);
        assert_eq!(read(" folded from nothing\r\na:\t1 2 3\r\nno field\r\nb: "), expected);
    }
}
