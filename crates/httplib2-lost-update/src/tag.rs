//! What the value of an `ETag` is good for, and the `If-Match` that is made of it.

use http::HeaderValue;
use httplib2_syntax::etag;

/// What a tag can be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strength {
    /// It can be sent in `If-Match`.
    Strong,
    /// It never matches there (RFC 9110 §8.8.3.2).
    Weak,
    /// It is no tag, and nothing that could be sent back as one.
    Unusable,
}

/// No honest tag is longer, and a longer one would be sent with every update.
const LONGEST: usize = 1024;

/// What a server adds to the opaque part of a tag when it encodes the content on the fly: Apache's `mod_deflate`
/// and `mod_brotli` one dash, Jetty two, others a semicolon. The longer ones come first.
const CODING_SUFFIXES: [&[u8]; 10] =
    [b"--gzip", b"--br", b"--zstd", b"--deflate", b"-gzip", b"-br", b"-zstd", b"-deflate", b";gzip", b";br"];

/// Sorts a tag.
///
/// Text without quotes is no tag, but some servers send it and compare it octet by octet, so it goes back as
/// it came if it can stand in a list: without comma, quote, blank and control, and other than `*`, which would
/// match everything.
pub(crate) fn strength(value: &[u8]) -> Strength {
    if value.len() > LONGEST {
        return Strength::Unusable;
    }
    if let Some(tag) = etag::parse(value) {
        return if tag.is_weak() { Strength::Weak } else { Strength::Strong };
    }
    let opaque = |byte: &u8| *byte > b' ' && !matches!(byte, b'"' | b',' | 0x7f);
    match value {
        b"" | b"*" => Strength::Unusable,
        [b'w' | b'W', b'/', tag @ ..] if tag.starts_with(b"\"") || tag.iter().all(opaque) => Strength::Weak,
        _ if value.iter().all(opaque) => Strength::Strong,
        _ => Strength::Unusable,
    }
}

/// Whether a tag can be sent in `If-Match`.
pub(crate) fn is_strong(tag: &HeaderValue) -> bool {
    strength(tag.as_bytes()) == Strength::Strong
}

/// The value of `If-Match` that lists these tags, each also without its coding suffix if `unsuffixed`.
pub(crate) fn if_match<'a>(tags: impl IntoIterator<Item = &'a HeaderValue>, unsuffixed: bool) -> Option<HeaderValue> {
    let mut listed: Vec<Vec<u8>> = Vec::new();
    let mut add = |tag: Vec<u8>| {
        if !listed.contains(&tag) {
            listed.push(tag);
        }
    };
    for tag in tags {
        add(tag.as_bytes().to_vec());
        if unsuffixed && let Some(plain) = without_coding_suffix(tag.as_bytes()) {
            add(plain);
        }
    }
    if listed.is_empty() { None } else { HeaderValue::from_bytes(&listed.join(&b", "[..])).ok() }
}

/// The tag that the content has where it is not encoded, if this one looks as if it had been changed by that.
fn without_coding_suffix(tag: &[u8]) -> Option<Vec<u8>> {
    let opaque = etag::parse(tag).filter(|tag| !tag.is_weak())?.opaque();
    let plain = CODING_SUFFIXES.iter().find_map(|suffix| opaque.strip_suffix(*suffix))?;
    Some([b"\"", plain, b"\""].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_sorted_by_what_if_match_can_do_with_them() {
        for (tag, expected) in [
            ("\"v1\"", Strength::Strong),
            ("\"\"", Strength::Strong),
            ("\"a,b\"", Strength::Strong),
            ("\"\u{e9}\"", Strength::Strong),
            ("W/\"v1\"", Strength::Weak),
            // Wrong, and still meant to be weak.
            ("w/\"v1\"", Strength::Weak),
            ("W/v1", Strength::Weak),
            // The tags of httplib2's own tests have no quotes.
            ("12345", Strength::Strong),
            ("a-b_c/d=", Strength::Strong),
            ("*", Strength::Unusable),
            ("", Strength::Unusable),
            ("a b", Strength::Unusable),
            ("a,b", Strength::Unusable),
            ("a\tb", Strength::Unusable),
            ("\"v1", Strength::Unusable),
            ("v1\"", Strength::Unusable),
            ("\"v1\", \"v2\"", Strength::Unusable),
        ] {
            assert_eq!(strength(tag.as_bytes()), expected, "{tag}");
        }
        let long = |length: usize| format!("\"{}\"", "x".repeat(length - 2));
        assert_eq!(strength(long(LONGEST).as_bytes()), Strength::Strong);
        assert_eq!(strength(long(LONGEST + 1).as_bytes()), Strength::Unusable);
    }

    #[test]
    fn if_match_lists_each_tag_once() {
        for (tags, unsuffixed, expected) in [
            (&[][..], true, None),
            (&["\"v1\""][..], true, Some("\"v1\"")),
            (&["\"v1\"", "\"v2\"", "\"v1\""][..], false, Some("\"v1\", \"v2\"")),
            (&["\"v1-gzip\""][..], false, Some("\"v1-gzip\"")),
            (&["\"v1-gzip\""][..], true, Some("\"v1-gzip\", \"v1\"")),
            (&["\"v1-br\""][..], true, Some("\"v1-br\", \"v1\"")),
            (&["\"v1--gzip\""][..], true, Some("\"v1--gzip\", \"v1\"")),
            (&["\"v1;gzip\""][..], true, Some("\"v1;gzip\", \"v1\"")),
            (&["\"v1-gzip\"", "\"v1\""][..], true, Some("\"v1-gzip\", \"v1\"")),
            (&["W/\"v1-gzip\""][..], true, Some("W/\"v1-gzip\"")),
            (&["v1-gzip"][..], true, Some("v1-gzip")),
            (&["\"v1-gzipped\""][..], true, Some("\"v1-gzipped\"")),
        ] {
            let tags: Vec<_> = tags.iter().map(|tag| HeaderValue::from_static(tag)).collect();
            let made = if_match(&tags, unsuffixed);
            assert_eq!(made.as_ref().map(HeaderValue::as_bytes), expected.map(str::as_bytes), "{tags:?}");
        }
    }
}
