//! The directives of `Cache-Control` (RFC 9111 §5.2).
//!
//! ```
//! use httplib2_syntax::cache_control;
//!
//! let lines = [&br#"max-age="60", private="Set-Cookie, X-User""#[..], b"no-store x"];
//! let directives: Vec<_> = cache_control::directives(lines).collect();
//! assert!(directives[0].is("Max-Age"));
//! assert_eq!(directives[0].seconds(), Some(60));
//! assert_eq!(directives[1].value(), Some(&b"Set-Cookie, X-User"[..]));
//!
//! // It was meant to forbid something, so it had better count as if it did.
//! assert!(directives[2].is("no-store") && directives[2].is_malformed());
//! ```
//!
//! What cannot be parsed is not left out, because it may have been meant to forbid something: it is
//! [malformed](Directive::is_malformed), and the caller counts it where it restricts and not where it permits.

use std::borrow::Cow;

use crate::{
    lex::{Cursor, Malformed, is_token_byte},
    vary::{self, Member},
};

/// One directive: a name, and perhaps an argument.
///
/// Every argument may be a token or a quoted-string, whatever the directive's own grammar says (RFC 9111 §5.2).
/// Blanks around `=` are passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive<'a> {
    name: &'a str,
    value: Option<Cow<'a, [u8]>>,
    is_malformed: bool,
}

/// What a number of seconds becomes that is greater, 2,147,483,648: some 68 years (RFC 9111 §1.2.2).
pub const MAX_SECONDS: u32 = 1 << 31;

/// Reads the directives of all the lines of `Cache-Control`, in their order. Empty ones are left out.
///
/// Commas within quotes separate nothing. Behind a quote that is never closed every comma of the line does, and all
/// that follows is malformed: else a stray quote could hide a `no-store`. Allocates only to take escapes out.
pub fn directives<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> impl Iterator<Item = Directive<'a>> {
    lines.into_iter().flat_map(|line| Directives { cursor: Cursor::new(line), has_open_quote: false })
}

/// Parses a number of seconds (RFC 9111 §1.2.2), or returns `None` when it is anything but ASCII digits: a sign, a
/// fraction, a blank or nothing.
///
/// A number of any length is one: what is greater than [`MAX_SECONDS`] becomes that.
#[must_use]
pub fn delta_seconds(value: &[u8]) -> Option<u32> {
    if value.is_empty() {
        return None;
    }
    value.iter().try_fold(0_u32, |sum, byte| {
        let digit = char::from(*byte).to_digit(10)?;
        Some(sum.saturating_mul(10).saturating_add(digit).min(MAX_SECONDS))
    })
}

// === impl Directive ===

impl Directive<'_> {
    /// The name as it was received, empty if there was none.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name
    }

    /// Whether it has this name, compared without regard to case.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The argument, unquoted. A malformed directive has none.
    #[must_use]
    pub fn value(&self) -> Option<&[u8]> {
        self.value.as_deref()
    }

    /// The argument as a number of seconds, by [`delta_seconds`]; `None` also where there is no argument.
    #[must_use]
    pub fn seconds(&self) -> Option<u32> {
        delta_seconds(self.value()?)
    }

    /// The argument as a list of field names, as in `no-cache="Set-Cookie"`, or `None` when it has no argument: then
    /// all of the response is meant. What is no name is [`Member::Malformed`].
    pub fn fields(&self) -> Option<impl Iterator<Item = Member<'_>>> {
        Some(vary::members([self.value()?]))
    }

    /// Whether it broke the grammar: no name, text behind name or argument, an argument that is neither token nor
    /// quoted-string, a quote that is never closed.
    #[must_use]
    pub fn is_malformed(&self) -> bool {
        self.is_malformed
    }
}

/// The directives of one line.
#[derive(Debug)]
struct Directives<'a> {
    cursor: Cursor<'a>,
    /// Quotes mean nothing any more.
    has_open_quote: bool,
}

// === impl Directives ===

impl<'a> Directives<'a> {
    /// Reads from behind the name to the end of the element.
    fn read_value(&mut self) -> Result<Option<Cow<'a, [u8]>>, Malformed> {
        self.cursor.skip_blanks();
        if self.cursor.is_at_delimiter() {
            return Ok(None);
        }
        if !self.cursor.skip(b'=') {
            return Err(Malformed);
        }
        self.cursor.skip_blanks();
        let value = if self.cursor.peek() == Some(b'"') {
            self.quoted()?
        } else {
            let token = self.cursor.take_while(is_token_byte);
            if token.is_empty() {
                return Err(Malformed);
            }
            Cow::Borrowed(token)
        };
        self.cursor.skip_blanks();
        if self.cursor.is_at_delimiter() { Ok(Some(value)) } else { Err(Malformed) }
    }

    /// Reads a quoted-string, or finds out that it never ends and goes only to the next comma.
    fn quoted(&mut self) -> Result<Cow<'a, [u8]>, Malformed> {
        let before = self.cursor;
        let read = self.cursor.quoted();
        if read.is_err() && self.cursor.is_at_end() {
            // Happens once in a line, so time stays linear.
            self.has_open_quote = true;
            self.cursor = before;
            self.skip_element();
        }
        read
    }

    fn skip_element(&mut self) {
        loop {
            self.cursor.take_while(|byte| byte != b',' && (byte != b'"' || self.has_open_quote));
            if self.cursor.is_at_delimiter() {
                return;
            }
            // Well-formed or not, it is over when the cursor has moved on.
            let _ = self.quoted();
        }
    }
}

impl<'a> Iterator for Directives<'a> {
    type Item = Directive<'a>;

    fn next(&mut self) -> Option<Directive<'a>> {
        self.cursor.skip_delimiters();
        if self.cursor.is_at_end() {
            return None;
        }
        let name = self.cursor.token_text();
        let read = if name.is_empty() || self.has_open_quote { Err(Malformed) } else { self.read_value() };
        let is_malformed = read.is_err();
        if is_malformed {
            self.skip_element();
        }
        Some(Directive { name, value: read.unwrap_or_default(), is_malformed })
    }
}

#[cfg(test)]
mod tests;
