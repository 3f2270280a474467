//! The words of a netrc.

use std::borrow::Cow;

use super::InvalidNetrc;

/// Walks over the words of a text.
#[derive(Debug)]
pub(super) struct Words<'a> {
    rest: &'a str,
    /// The line at which `rest` begins.
    here: usize,
    /// The line at which the last word began.
    line: usize,
}

fn is_separator(char: char) -> bool {
    matches!(char, ' ' | '\t' | '\r' | '\n')
}

// === impl Words ===

impl<'a> Words<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text, here: 1, line: 1 }
    }

    /// The line at which the last word began.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// The next word, without its quotes and escapes, or `None` at the end of the text.
    pub(super) fn next(&mut self) -> Result<Option<Cow<'a, str>>, InvalidNetrc> {
        let blanks = self.rest.len() - self.rest.trim_start_matches(is_separator).len();
        self.advance(blanks);
        self.line = self.here;
        if self.rest.is_empty() {
            return Ok(None);
        }
        // A quote within a word is a character like any other, as it is for Python.
        let word = if self.rest.starts_with('"') {
            self.advance(1);
            let word = self.up_to(|char| char == '"')?;
            if self.rest.is_empty() {
                return Err(InvalidNetrc::OpenQuote { line: self.line });
            }
            self.advance(1);
            word
        } else {
            self.up_to(is_separator)?
        };
        Ok(Some(word))
    }

    /// The word behind a keyword.
    pub(super) fn value(&mut self) -> Result<Cow<'a, str>, InvalidNetrc> {
        let line = self.line;
        self.next()?.ok_or(InvalidNetrc::MissingWord { line })
    }

    /// Goes to the end of the line on which the last word stands, unless that word was quoted over several.
    pub(super) fn skip_comment(&mut self) {
        self.advance(self.rest.find('\n').unwrap_or(self.rest.len()));
    }

    /// Goes behind the next empty line.
    pub(super) fn skip_macro(&mut self) {
        self.skip_comment();
        self.advance(self.rest.len().min(1));
        loop {
            let length = self.rest.find('\n').map_or(self.rest.len(), |end| end + 1);
            let is_empty = matches!(&self.rest[..length], "" | "\n" | "\r\n");
            self.advance(length);
            if is_empty {
                return;
            }
        }
    }

    /// Takes what stands before the first character that `ends` it, or before the end of the text.
    fn up_to(&mut self, ends: impl Fn(char) -> bool) -> Result<Cow<'a, str>, InvalidNetrc> {
        let mut word = Cow::Borrowed("");
        loop {
            let length = self.rest.find(|char| char == '\\' || ends(char)).unwrap_or(self.rest.len());
            word += &self.rest[..length];
            self.advance(length);
            if !self.rest.starts_with('\\') {
                return Ok(word);
            }
            self.advance(1);
            let escaped = self.rest.chars().next().ok_or(InvalidNetrc::OpenQuote { line: self.line })?;
            word += &self.rest[..escaped.len_utf8()];
            self.advance(escaped.len_utf8());
        }
    }

    fn advance(&mut self, length: usize) {
        let (passed, rest) = self.rest.split_at(length);
        self.here += passed.matches('\n').count();
        self.rest = rest;
    }
}
