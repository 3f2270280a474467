//! What the grammars of many fields share (RFC 9110 §5.6): tokens, quoted strings, lists with commas.

use std::borrow::Cow;

/// Walks over the value of one field line. It never goes back over a quoted string, so time stays linear.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

/// The grammar was not kept. The cursor stands behind what it could make sense of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// `tchar` (RFC 9110 §5.6.2).
pub(crate) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// A blank of `OWS` and `BWS` (RFC 9110 §5.6.3). No other byte is one, U+00A0 least of all (H-SEC-03).
pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Whether no field value may hold it (RFC 9110 §5.5): a control character other than the tab.
pub(crate) fn is_control(byte: u8) -> bool {
    byte.is_ascii_control() && byte != b'\t'
}

pub(crate) fn trim(bytes: &[u8]) -> &[u8] {
    let Some(first) = bytes.iter().position(|byte| !is_blank(*byte)) else { return &[] };
    let last = bytes.iter().rposition(|byte| !is_blank(*byte)).unwrap_or(first);
    &bytes[first..=last]
}

// === impl Cursor ===

impl<'a> Cursor<'a> {
    pub(crate) fn new(line: &'a [u8]) -> Self {
        Self { rest: line }
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// Whether an element of a list ends here: at a comma or at the end of the line.
    pub(crate) fn is_at_delimiter(&self) -> bool {
        matches!(self.peek(), None | Some(b','))
    }

    /// Steps over `byte` if it is the next one.
    pub(crate) fn skip(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    pub(crate) fn skip_blanks(&mut self) -> bool {
        !self.take_while(is_blank).is_empty()
    }

    /// Steps over what separates elements of a list, which includes empty elements (RFC 9110 §5.6.1.2).
    pub(crate) fn skip_delimiters(&mut self) {
        self.take_while(|byte| byte == b',' || is_blank(byte));
    }

    pub(crate) fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let length = self.rest.iter().position(|byte| !wanted(*byte)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    /// The token that begins here, empty if none does.
    pub(crate) fn token(&mut self) -> &'a [u8] {
        self.take_while(is_token_byte)
    }

    /// The same as text: a token is ASCII.
    pub(crate) fn token_text(&mut self) -> &'a str {
        str::from_utf8(self.token()).unwrap_or_default()
    }

    /// The content of the quoted-string that begins here (RFC 9110 §5.6.4).
    ///
    /// Of one with a control character the cursor stands behind the closing quote, of one that is never closed, at
    /// the end of the line: what was meant to be quoted is never taken for something else.
    pub(crate) fn quoted(&mut self) -> Result<Cow<'a, [u8]>, Malformed> {
        if !self.skip(b'"') {
            return Err(Malformed);
        }
        let (mut content, mut is_valid) = (Cow::Borrowed(&[][..]), true);
        loop {
            let plain = self.take_while(|byte| !matches!(byte, b'"' | b'\\'));
            is_valid &= !plain.iter().copied().any(is_control);
            if content.is_empty() {
                content = Cow::Borrowed(plain);
            } else {
                content.to_mut().extend_from_slice(plain);
            }
            if self.skip(b'"') {
                return if is_valid { Ok(content) } else { Err(Malformed) };
            }
            self.skip(b'\\');
            let Some((&escaped, rest)) = self.rest.split_first() else { return Err(Malformed) };
            self.rest = rest;
            is_valid &= !is_control(escaped);
            content.to_mut().push(escaped);
        }
    }

    /// Steps to the comma that ends this element, or to the end of the line. Commas within quotes end nothing.
    pub(crate) fn skip_element(&mut self) {
        loop {
            self.take_while(|byte| !matches!(byte, b'"' | b','));
            if self.is_at_delimiter() {
                return;
            }
            // Well-formed or not, it is over when the cursor has moved on.
            let _ = self.quoted();
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
