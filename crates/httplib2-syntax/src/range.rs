//! Ranges of bytes (RFC 9110 §14): the values of `Range` and `Content-Range`.
//!
//! ```
//! use httplib2_syntax::range::{self, ContentRange, Requested};
//!
//! // The first five bytes, and the last three.
//! let Requested::Bytes(asked) = range::parse([&b"bytes=0-4, -3"[..]]) else { panic!("it asks for bytes") };
//! assert_eq!(asked.within(100).collect::<Vec<_>>(), [0..5, 97..100]);
//! assert_eq!(asked.to_string(), "bytes=0-4,-3");
//!
//! let answered = range::content_range([&b"bytes 0-4/100"[..]]).expect("a range");
//! assert_eq!(answered, ContentRange::Part { range: 0..5, complete: Some(100) });
//! assert_eq!(answered.to_string(), "bytes 0-4/100");
//! ```
//!
//! Positions are `u64` and ranges half open, as everywhere in Rust. On the wire the last byte is named, and not the one
//! behind it.

use std::{fmt, ops::Range};

use crate::lex::{Cursor, trim};

/// How many ranges one request may ask for; with more of them it asks for nothing that is understood (RFC 9110 §17.15).
pub const MOST_RANGES: usize = 16;

/// What a `Range` field asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requested {
    /// These bytes.
    Bytes(ByteRanges),
    /// Something in another unit than bytes.
    OtherUnit,
    /// Nothing: it cannot be read, stands there twice, or asks for more than [`MOST_RANGES`] ranges. It is ignored
    /// (RFC 9110 §14.2).
    Malformed,
}

/// The ranges that a request asks for, one at least, in the order of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByteRanges(Vec<ByteRange>);

/// One range that is asked for (RFC 9110 §14.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteRange {
    /// From the byte at this position to the end.
    From(u64),
    /// From the byte at the first position to the one at the last, both included.
    FromTo(u64, u64),
    /// The last so many bytes.
    Last(u64),
}

/// The value of a `Content-Range` field in bytes (RFC 9110 §14.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContentRange {
    /// These bytes, of so many. It is never empty, and `complete` not shorter than what the range says.
    Part {
        /// Which bytes they are.
        range: Range<u64>,
        /// The length of the whole, if it is known.
        complete: Option<u64>,
    },
    /// None of so many: the field of a 416.
    Unsatisfied {
        /// The length of the whole.
        complete: u64,
    },
}

/// Parses all the lines of `Range`. A number that does not fit is one beyond every end.
#[must_use]
pub fn parse<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Requested {
    let Some(line) = only(lines) else { return Requested::Malformed };
    let mut cursor = Cursor::new(trim(line));
    let unit = cursor.token();
    if unit.is_empty() || !cursor.skip(b'=') {
        return Requested::Malformed;
    }
    if !unit.eq_ignore_ascii_case(b"bytes") {
        return Requested::OtherUnit;
    }
    read_ranges(&mut cursor).map_or(Requested::Malformed, Requested::Bytes)
}

/// Parses all the lines of `Content-Range`, or returns `None` where there is not exactly one that is valid: a range
/// that ends before it begins, or reaches beyond the whole, is not to be believed (RFC 9110 §14.4).
#[must_use]
pub fn content_range<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Option<ContentRange> {
    let mut cursor = Cursor::new(trim(only(lines)?));
    if !cursor.token().eq_ignore_ascii_case(b"bytes") || !cursor.skip(b' ') {
        return None;
    }
    if cursor.skip(b'*') {
        let is_separated = cursor.skip(b'/');
        let complete = exact(&mut cursor).filter(|_| is_separated && cursor.is_at_end())?;
        return Some(ContentRange::Unsatisfied { complete });
    }
    let first = exact(&mut cursor)?;
    let is_joined = cursor.skip(b'-');
    let last = exact(&mut cursor).filter(|_| is_joined && cursor.skip(b'/'))?;
    let complete = if cursor.skip(b'*') { None } else { Some(exact(&mut cursor)?) };
    // A whole of 2^64 bytes has no length that fits.
    let end = last.checked_add(1)?;
    let is_valid = cursor.is_at_end() && first < end && complete.is_none_or(|complete| end <= complete);
    is_valid.then_some(ContentRange::Part { range: first..end, complete })
}

/// `#( int-range / suffix-range )`, of which one that is invalid makes all of them so.
fn read_ranges(cursor: &mut Cursor<'_>) -> Option<ByteRanges> {
    let mut ranges = Vec::new();
    loop {
        cursor.skip_delimiters();
        if cursor.is_at_end() {
            break;
        }
        let range = read_range(cursor)?;
        cursor.skip_blanks();
        if !cursor.is_at_delimiter() || ranges.len() == MOST_RANGES {
            return None;
        }
        ranges.push(range);
    }
    (!ranges.is_empty()).then_some(ByteRanges(ranges))
}

fn read_range(cursor: &mut Cursor<'_>) -> Option<ByteRange> {
    if cursor.skip(b'-') {
        return saturated(cursor).map(ByteRange::Last);
    }
    let first = saturated(cursor)?;
    if !cursor.skip(b'-') {
        return None;
    }
    match saturated(cursor) {
        None => Some(ByteRange::From(first)),
        Some(last) if first <= last => Some(ByteRange::FromTo(first, last)),
        Some(_) => None,
    }
}

fn only<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Option<&'a [u8]> {
    let mut lines = lines.into_iter();
    lines.next().filter(|_| lines.next().is_none())
}

fn digits<'a>(cursor: &mut Cursor<'a>) -> Option<&'a str> {
    let digits = cursor.take_while(|byte| byte.is_ascii_digit());
    str::from_utf8(digits).ok().filter(|digits| !digits.is_empty())
}

/// A number that is asked for: what does not fit is as good as the greatest.
fn saturated(cursor: &mut Cursor<'_>) -> Option<u64> {
    digits(cursor).map(|digits| digits.parse().unwrap_or(u64::MAX))
}

/// A number that is believed: what does not fit is none.
fn exact(cursor: &mut Cursor<'_>) -> Option<u64> {
    digits(cursor)?.parse().ok()
}

// === impl ByteRanges ===

impl ByteRanges {
    /// The ranges as they were asked for.
    pub fn iter(&self) -> impl Iterator<Item = ByteRange> {
        self.0.iter().copied()
    }

    /// The bytes that are meant of a whole of this length, none of the ranges empty. Those that cannot be satisfied are
    /// left out (RFC 9110 §14.1.2); others may overlap.
    pub fn within(&self, complete: u64) -> impl Iterator<Item = Range<u64>> {
        self.0.iter().filter_map(move |range| range.within(complete))
    }
}

impl From<ByteRange> for ByteRanges {
    fn from(range: ByteRange) -> Self {
        Self(vec![range])
    }
}

impl fmt::Display for ByteRanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes=")?;
        for (at, range) in self.0.iter().enumerate() {
            f.write_str(if at > 0 { "," } else { "" })?;
            write!(f, "{range}")?;
        }
        Ok(())
    }
}

// === impl ByteRange ===

impl ByteRange {
    /// The bytes that are meant of a whole of this length, or `None` where there are none.
    #[must_use]
    pub fn within(self, complete: u64) -> Option<Range<u64>> {
        let range = match self {
            Self::From(first) => first..complete,
            Self::FromTo(first, last) => first..complete.min(last.saturating_add(1)),
            Self::Last(length) => complete.saturating_sub(length)..complete,
        };
        (!range.is_empty()).then_some(range)
    }
}

impl fmt::Display for ByteRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::From(first) => write!(f, "{first}-"),
            Self::FromTo(first, last) => write!(f, "{first}-{last}"),
            Self::Last(length) => write!(f, "-{length}"),
        }
    }
}

// === impl ContentRange ===

impl fmt::Display for ContentRange {
    /// Writes the value of the field. A range that is empty cannot be written, and comes out as its first byte.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Part { range, complete } => {
                let last = range.end.saturating_sub(1).max(range.start);
                write!(f, "bytes {}-{last}/", range.start)?;
                match complete {
                    Some(complete) => write!(f, "{complete}"),
                    None => f.write_str("*"),
                }
            }
            Self::Unsatisfied { complete } => write!(f, "bytes */{complete}"),
        }
    }
}

#[cfg(test)]
mod tests;
