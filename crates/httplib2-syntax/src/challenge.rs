//! Challenges of authentication (RFC 9110 §11.6): what `WWW-Authenticate` and `Authentication-Info` say.
//!
//! ```
//! use httplib2_syntax::challenge;
//!
//! // The example of RFC 9110 §11.6.1, and a second line.
//! let first = br#"Basic realm="simple", Newauth realm="apps", type=1, title="Login to \"apps\"""#;
//! let challenges = challenge::parse([&first[..], b"Negotiate YII="]);
//!
//! assert!(challenges[0].is("basic"));
//! assert_eq!(challenges[1].params().text("title"), Some(r#"Login to "apps""#));
//! assert_eq!(challenges[2].token68(), Some("YII="));
//! ```
//!
//! Commas separate challenges as well as their parameters, so what does not keep the grammar could change hands.
//! What is read when it is not kept:
//!
//! | what a server sends | what is read |
//! |---|---|
//! | an unquoted value that is no token, as in `nonce=abc==` | up to the next blank or comma, if it holds no `"` |
//! | blanks around `=`, empty elements, blanks at either end | as if they were not there |
//! | an unquoted value of no bytes, a control character, text behind a value | the challenge is dropped |
//! | a parameter name twice in a challenge (RFC 9110 §11.2) | the challenge is dropped: nobody knows which one counts |
//! | a parameter behind a token68 | the challenge is dropped |
//! | a quote that is never closed | the challenge is dropped, and so is the rest of its line |
//! | a parameter before the first scheme | ignored |
//! | parameters on a line of their own | they belong to the last challenge of the line before (RFC 9110 §5.3) |
//!
//! Behind a challenge that is dropped, reading goes on at the next scheme: no challenge gets the parameters of
//! another one.

use std::borrow::Cow;

use crate::lex::{Cursor, Malformed, is_blank, is_control};

/// One challenge: a scheme, and a token68 or parameters (RFC 9110 §11.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    scheme: Box<str>,
    token68: Option<Box<str>>,
    params: Params,
}

/// Parameters by name, in the order in which they stood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(Vec<(Box<str>, Box<[u8]>)>);

/// How many bytes are read of all lines together: 65,536. A line that would lead beyond it is not read, nor is any
/// after it.
pub const MAX_BYTES: usize = 64 * 1024;

/// How many challenges are read: 32. Those after them are ignored.
pub const MAX_CHALLENGES: usize = 32;

/// How many parameters a challenge may have: 32. One with more is dropped.
pub const MAX_PARAMS: usize = 32;

/// Parses all the field lines of `WWW-Authenticate` or `Proxy-Authenticate`, in their order.
///
/// Never fails: what is malformed is missing from the result, as the [table above](self) says.
#[must_use]
pub fn parse<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Vec<Challenge> {
    let mut offers = Offers::default();
    let mut room = MAX_BYTES;
    for line in lines {
        let Some(left) = room.checked_sub(line.len()) else { break };
        room = left;
        let mut cursor = Cursor::new(line);
        loop {
            cursor.skip_delimiters();
            if cursor.is_at_end() {
                break;
            }
            offers.read_element(&mut cursor);
        }
    }
    offers.close();
    offers.complete
}

/// Parses the value of `Authentication-Info` or `Proxy-Authentication-Info` (RFC 9110 §11.6.3).
///
/// Never fails: an element that is no parameter is left out, of two with the same name the first is kept, and so are
/// the first [`MAX_PARAMS`] of more. A value of more than [`MAX_BYTES`] has none.
#[must_use]
pub fn parse_info(value: &[u8]) -> Params {
    let mut params = Params::default();
    if value.len() > MAX_BYTES {
        return params;
    }
    let mut cursor = Cursor::new(value);
    loop {
        cursor.skip_delimiters();
        if cursor.is_at_end() {
            return params;
        }
        let name = cursor.token_text();
        if let Ok(value) = read_value(&mut cursor, name) {
            // One that is refused is left out like a malformed one.
            let _ = params.insert(name, value);
        }
        cursor.skip_element();
    }
}

/// Appends `value` to `out` as a quoted-string (RFC 9110 §5.6.4), or returns `false`, `out` unchanged, when it holds
/// a byte that no quoted-string can: a control character other than the tab.
#[must_use]
pub fn quote(value: &[u8], out: &mut Vec<u8>) -> bool {
    if value.iter().copied().any(is_control) {
        return false;
    }
    out.reserve(value.len() + 2);
    out.push(b'"');
    for &byte in value {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
    true
}

// === impl Challenge ===

impl Challenge {
    /// The scheme as it was received.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// Whether it is of this scheme, compared without regard to case.
    #[must_use]
    pub fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// The token68 that stands in place of parameters, as in `Negotiate YII=`.
    #[must_use]
    pub fn token68(&self) -> Option<&str> {
        self.token68.as_deref()
    }

    /// Its parameters.
    #[must_use]
    pub fn params(&self) -> &Params {
        &self.params
    }
}

// === impl Params ===

impl Params {
    /// The value of the parameter of this name (compared without regard to case), unquoted.
    #[must_use]
    pub fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The same as text, or `None` when it is not UTF-8.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        str::from_utf8(self.bytes(name)?).ok()
    }

    /// All of them: name as received and value unquoted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Refuses a name that is there already, and more than [`MAX_PARAMS`].
    fn insert(&mut self, name: &str, value: Cow<'_, [u8]>) -> Result<(), Malformed> {
        if self.0.len() == MAX_PARAMS || self.bytes(name).is_some() {
            return Err(Malformed);
        }
        self.0.push((name.into(), value.into()));
        Ok(())
    }
}

/// The challenges that were read so far.
#[derive(Debug, Default)]
struct Offers {
    complete: Vec<Challenge>,
    /// The one that parameters belong to. There is none before the first scheme and behind what was malformed.
    open: Option<Challenge>,
}

// === impl Offers ===

impl Offers {
    /// Reads one element of the list: a parameter, or a scheme and perhaps its token68 or first parameter.
    fn read_element(&mut self, cursor: &mut Cursor<'_>) {
        let name = cursor.token_text();
        let mut ahead = *cursor;
        let is_apart = ahead.skip_blanks();
        let read = if !name.is_empty() && (ahead.is_at_delimiter() || (is_apart && ahead.peek() != Some(b'='))) {
            *cursor = ahead;
            self.close();
            self.open = Some(Challenge { scheme: name.into(), token68: None, params: Params::default() });
            self.read_rest_of_scheme(cursor)
        } else {
            read_value(cursor, name).and_then(|value| self.add(name, value))
        };
        if read.is_err() {
            self.open = None;
            cursor.skip_element();
        }
    }

    fn read_rest_of_scheme(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Malformed> {
        if cursor.is_at_delimiter() {
            return Ok(());
        }
        // `a=` is both a token68 and the beginning of a parameter: it is a token68 if nothing else follows.
        if let Some(token68) = read_token68(cursor) {
            if let Some(open) = &mut self.open {
                open.token68 = Some(token68.into());
            }
            return Ok(());
        }
        let name = cursor.token_text();
        let value = read_value(cursor, name)?;
        self.add(name, value)
    }

    fn add(&mut self, name: &str, value: Cow<'_, [u8]>) -> Result<(), Malformed> {
        match &mut self.open {
            Some(open) if open.token68.is_some() => Err(Malformed),
            Some(open) => open.params.insert(name, value),
            None => Ok(()),
        }
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take()
            && self.complete.len() < MAX_CHALLENGES
        {
            self.complete.push(open);
        }
    }
}

/// Reads from behind the name of a parameter to the end of the element.
fn read_value<'a>(cursor: &mut Cursor<'a>, name: &str) -> Result<Cow<'a, [u8]>, Malformed> {
    cursor.skip_blanks();
    if name.is_empty() || !cursor.skip(b'=') {
        return Err(Malformed);
    }
    cursor.skip_blanks();
    let value = if cursor.peek() == Some(b'"') {
        cursor.quoted()?
    } else {
        // A quote ends it too, which is malformed then: a comma behind it could be meant to be within quotes.
        let value = cursor.take_while(|byte| !matches!(byte, b',' | b'"') && !is_blank(byte) && !is_control(byte));
        if value.is_empty() {
            return Err(Malformed);
        }
        Cow::Borrowed(value)
    };
    cursor.skip_blanks();
    if cursor.is_at_delimiter() { Ok(value) } else { Err(Malformed) }
}

/// `token68 = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="` (RFC 9110 §11.2), if it is all that is
/// left of the element. Otherwise the cursor stays where it is.
fn read_token68<'a>(cursor: &mut Cursor<'a>) -> Option<&'a str> {
    let mut ahead = *cursor;
    let text = ahead.take_while(|byte| !matches!(byte, b',' | b'"') && !is_blank(byte));
    ahead.skip_blanks();
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let content = &text[..text.len() - padding];
    let is_token68 = !content.is_empty()
        && content.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(byte))
        && ahead.is_at_delimiter();
    if !is_token68 {
        return None;
    }
    *cursor = ahead;
    str::from_utf8(text).ok()
}

#[cfg(test)]
mod tests;
