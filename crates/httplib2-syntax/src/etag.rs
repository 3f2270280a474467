//! Entity tags (RFC 9110 §8.8.3): the value of `ETag`, and the lists of `If-Match` and `If-None-Match`.
//!
//! ```
//! use httplib2_syntax::etag::{self, Listed};
//!
//! let tag = etag::parse(br#"W/"67ab43""#).expect("a tag");
//! assert!(tag.is_weak());
//! assert_eq!(tag.opaque(), b"67ab43");
//!
//! // A comma may be part of a tag.
//! let known: Vec<_> = etag::list([&br#""a,b", "67ab43""#[..]]).collect();
//! assert!(matches!(known[..], [Listed::Tag(_), Listed::Tag(other)] if other.weak_eq(tag) && !other.strong_eq(tag)));
//! ```

use crate::lex::{Cursor, trim};

/// An entity tag, as it was received. Two of them are compared with [`strong_eq`](Self::strong_eq) or
/// [`weak_eq`](Self::weak_eq), so there is no `==`.
#[derive(Clone, Copy, Debug)]
pub struct EntityTag<'a> {
    opaque: &'a [u8],
    is_weak: bool,
}

/// One member of `If-Match` or `If-None-Match` (RFC 9110 §13.1.1, RFC 9110 §13.1.2).
#[derive(Clone, Copy, Debug)]
pub enum Listed<'a> {
    /// `*`: any version at all. Counts only where it is the single member.
    Any,
    /// One version.
    Tag(EntityTag<'a>),
    /// What is neither, such as a tag without quotes. No tag equals it.
    Malformed,
}

/// Parses the value of `ETag`, or returns `None` when it is no entity tag.
///
/// Some servers send tags without quotes, or with `w/` in lower case. They are none, and can be neither weak nor
/// strong; who must send one back does so octet by octet.
#[must_use]
pub fn parse(value: &[u8]) -> Option<EntityTag<'_>> {
    let mut cursor = Cursor::new(trim(value));
    read_tag(&mut cursor).filter(|_| cursor.is_at_end())
}

/// Reads the members of all the lines of `If-Match` or `If-None-Match`. Empty ones are left out.
pub fn list<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> impl Iterator<Item = Listed<'a>> {
    lines.into_iter().flat_map(|line| Members { cursor: Cursor::new(line) })
}

/// `[ weak ] DQUOTE *etagc DQUOTE`. There are no escapes: a backslash is a byte like any other.
fn read_tag<'a>(cursor: &mut Cursor<'a>) -> Option<EntityTag<'a>> {
    let is_weak = cursor.skip(b'W');
    if is_weak && !cursor.skip(b'/') {
        return None;
    }
    if !cursor.skip(b'"') {
        return None;
    }
    let opaque = cursor.take_while(|byte| byte == 0x21 || (0x23..=0x7e).contains(&byte) || byte >= 0x80);
    cursor.skip(b'"').then_some(EntityTag { opaque, is_weak })
}

// === impl EntityTag ===

impl<'a> EntityTag<'a> {
    /// Whether it is marked as weak: not every octet need be the same in two representations that carry it.
    #[must_use]
    pub fn is_weak(self) -> bool {
        self.is_weak
    }

    /// What stands between the quotes. May hold any byte but controls, blanks and the quote.
    #[must_use]
    pub fn opaque(self) -> &'a [u8] {
        self.opaque
    }

    /// Strong comparison (RFC 9110 §8.8.3.2): both are strong, and the same. The one for `If-Match`.
    #[must_use]
    pub fn strong_eq(self, other: EntityTag<'_>) -> bool {
        !self.is_weak && !other.is_weak && self.opaque == other.opaque
    }

    /// Weak comparison (RFC 9110 §8.8.3.2): the same, whether weak or not. The one for `If-None-Match`.
    #[must_use]
    pub fn weak_eq(self, other: EntityTag<'_>) -> bool {
        self.opaque == other.opaque
    }
}

/// The members of one line.
#[derive(Debug)]
struct Members<'a> {
    cursor: Cursor<'a>,
}

// === impl Members ===

impl<'a> Iterator for Members<'a> {
    type Item = Listed<'a>;

    fn next(&mut self) -> Option<Listed<'a>> {
        let cursor = &mut self.cursor;
        cursor.skip_delimiters();
        if cursor.is_at_end() {
            return None;
        }
        let mut ahead = *cursor;
        let read = if ahead.skip(b'*') { Some(Listed::Any) } else { read_tag(&mut ahead).map(Listed::Tag) };
        ahead.skip_blanks();
        if let Some(read) = read
            && ahead.is_at_delimiter()
        {
            *cursor = ahead;
            return Some(read);
        }
        // A comma within quotes is not the end of what is malformed.
        while !cursor.is_at_delimiter() {
            cursor.take_while(|byte| !matches!(byte, b'"' | b','));
            if cursor.skip(b'"') {
                cursor.take_while(|byte| byte != b'"');
                cursor.skip(b'"');
            }
        }
        Some(Listed::Malformed)
    }
}

#[cfg(test)]
mod tests;
