//! Cutting a reference into its five parts (RFC 3986 §3) and its path into segments.

use std::borrow::Cow;

/// The parts of a reference, each without its delimiter.
#[derive(Clone, Copy)]
pub(super) struct Parts<'a> {
    pub(super) scheme: Option<&'a [u8]>,
    pub(super) authority: Option<&'a [u8]>,
    pub(super) path: Path<'a>,
    pub(super) query: Option<&'a [u8]>,
    pub(super) fragment: Option<&'a [u8]>,
}

#[derive(Clone, Copy)]
pub(super) struct Path<'a>(pub(super) &'a [u8]);

/// Splits as RFC 3986 appendix B does, which never fails.
pub(super) fn split(reference: &[u8]) -> Parts<'_> {
    let (rest, fragment) = cut(reference, b"#");
    let (rest, query) = cut(rest, b"?");
    let (scheme, rest) = match cut(rest, b":/") {
        (scheme, Some(_)) if rest[scheme.len()] == b':' && is_scheme(scheme) => {
            (Some(scheme), &rest[scheme.len() + 1..])
        }
        _ => (None, rest),
    };
    let (authority, path) = match rest.strip_prefix(b"//") {
        Some(rest) => {
            let end = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
            (Some(&rest[..end]), &rest[end..])
        }
        None => (None, rest),
    };
    Parts { scheme, authority, path: Path(path), query, fragment }
}

/// Cuts at the first of `delimiters`, which belongs to neither side.
fn cut<'a>(text: &'a [u8], delimiters: &[u8]) -> (&'a [u8], Option<&'a [u8]>) {
    match text.iter().position(|byte| delimiters.contains(byte)) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

fn is_scheme(text: &[u8]) -> bool {
    text.first().is_some_and(u8::is_ascii_alphabetic)
        && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte))
}

// === impl Path ===

impl<'a> Path<'a> {
    /// Puts a relative path in place of everything behind the last slash (RFC 3986 §5.2.3).
    pub(super) fn merge(self, relative: Path<'_>) -> Vec<u8> {
        let directory = self.0.iter().rposition(|byte| *byte == b'/').map_or(&b"/"[..], |slash| &self.0[..=slash]);
        [directory, relative.0].concat()
    }

    /// Takes `.` and `..` out of a path (RFC 3986 §5.2.4). What would lead above the root stays at the root.
    pub(super) fn remove_dot_segments(self) -> Cow<'a, [u8]> {
        let Some(rest) = self.0.strip_prefix(b"/") else { return Cow::Borrowed(self.0) };
        if !self.0.windows(2).any(|pair| pair == b"/.") {
            return Cow::Borrowed(self.0);
        }
        let mut kept = Vec::with_capacity(self.0.len());
        let mut segments = rest.split(|byte| *byte == b'/').peekable();
        while let Some(segment) = segments.next() {
            let is_last = segments.peek().is_none();
            match segment {
                b"." | b".." => {
                    if segment == b".." {
                        let parent = kept.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
                        kept.truncate(parent);
                    }
                    if is_last {
                        kept.push(b'/');
                    }
                }
                _ => {
                    kept.push(b'/');
                    kept.extend_from_slice(segment);
                }
            }
        }
        Cow::Owned(kept)
    }
}
