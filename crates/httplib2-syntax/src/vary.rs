//! The members of `Vary` (RFC 9110 §12.5.5), and of any other list of field names.
//!
//! ```
//! use httplib2_syntax::vary::{self, Member};
//!
//! let members: Vec<_> = vary::members([&b"Accept-Encoding, , accept language"[..]]).collect();
//! assert_eq!(members, [Member::Name("Accept-Encoding"), Member::Malformed]);
//! ```

use crate::lex::Cursor;

/// One member of `Vary`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Member<'a> {
    /// `*`: more than the fields of the request had a part in the choice.
    Any,
    /// The name of a field, as it was received. Names are compared without regard to case.
    Name(&'a str),
    /// What is no name. Nobody knows what it was meant to be, so it is safe to take it for `*`.
    Malformed,
}

/// Reads the members of all the lines of `Vary`. Empty ones are left out.
pub fn members<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> impl Iterator<Item = Member<'a>> {
    lines.into_iter().flat_map(|line| Members { cursor: Cursor::new(line) })
}

/// The members of one line.
#[derive(Debug)]
struct Members<'a> {
    cursor: Cursor<'a>,
}

// === impl Members ===

impl<'a> Iterator for Members<'a> {
    type Item = Member<'a>;

    fn next(&mut self) -> Option<Member<'a>> {
        self.cursor.skip_delimiters();
        if self.cursor.is_at_end() {
            return None;
        }
        let name = self.cursor.token_text();
        self.cursor.skip_blanks();
        let junk = self.cursor.take_while(|byte| byte != b',');
        Some(match name {
            _ if !junk.is_empty() || name.is_empty() => Member::Malformed,
            // The asterisk is a token like any other name, but it never names a field (RFC 9110 §12.5.5).
            "*" => Member::Any,
            name => Member::Name(name),
        })
    }
}

#[cfg(test)]
mod tests;
