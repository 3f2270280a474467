//! What of a stored response a request with `Range` gets (RFC 9110 §14).

use std::{ops::Range, time::SystemTime};

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use httplib2_syntax::{
    etag::{self, EntityTag},
    range::{self, ContentRange, Requested},
};

use super::{
    Asked, Held, Rules,
    stored::seconds,
    wire::{self, Tag},
};

/// What of a stored response answers a request, if its conditions let it be answered with content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slice {
    /// All of it: the request asks for no range, or its `Range` is ignored.
    Whole,
    /// These bytes of the representation, none of them twice, in the order of the request: a 206.
    Ranges(Vec<Range<u64>>, Span),
    /// Nothing, because the representation is shorter than what is asked for: a 416.
    Unsatisfiable(Span),
}

/// Which bytes of a representation a response holds, and how many there are in all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The bytes that it holds. They are not empty unless the representation is.
    pub range: Range<u64>,
    /// The length of the representation.
    pub complete: u64,
}

/// A validator that two responses have only if they are the same, octet by octet (RFC 9110 §8.8.1).
#[derive(Clone, Copy, Debug)]
pub(super) enum Strong<'a> {
    Tag(EntityTag<'a>),
    Date(&'a HeaderValue),
}

/// The media type of an answer with several parts.
const SEVERAL: &[u8] = b"multipart/byteranges";

/// Decides which bytes of a stored response with a body of `length` bytes a request asks for.
///
/// Only a GET asks for ranges, and only of a 200, or of a 206 that is stored as a part. `Range` is ignored where it is
/// malformed, where it asks for too many ranges, for another unit, or for something of an empty representation, and
/// where `If-Range` names another version (RFC 9110 §14.2).
/// Ranges that overlap or touch become one (RFC 9110 §15.3.7.2).
#[must_use]
pub fn slice(rules: &Rules, asked: &Asked<'_>, held: &Held<'_>, length: u64) -> Slice {
    if !rules.ranges || *asked.method != Method::GET || !asked.headers.contains_key(header::RANGE) {
        return Slice::Whole;
    }
    let Some(span) = Span::of(held, length).filter(|span| span.complete > 0) else { return Slice::Whole };
    let Requested::Bytes(ranges) = range::parse(wire::lines(asked.headers, &header::RANGE)) else {
        return Slice::Whole;
    };
    if !if_range(asked, held) {
        return Slice::Whole;
    }
    let ranges = joined(ranges.within(span.complete));
    if ranges.is_empty() { Slice::Unsatisfiable(span) } else { Slice::Ranges(ranges, span) }
}

/// Evaluates `If-Range` (RFC 9110 §13.1.5): whether it is absent, or names strongly what is stored.
fn if_range(asked: &Asked<'_>, held: &Held<'_>) -> bool {
    let mut lines = wire::lines(asked.headers, &header::IF_RANGE);
    let (Some(known), another) = (lines.next(), lines.next()) else { return true };
    if another.is_some() {
        return false;
    }
    if let Some(known) = etag::parse(known) {
        return Tag::of(held.headers).is_some_and(|tag| tag.strong_eq(Tag::Entity(known)));
    }
    // A date is compared as it is written, and only where it is strong.
    let modified = dated(held.headers, held.stored.received_at());
    modified.is_some_and(|modified| modified.as_bytes() == known.trim_ascii())
}

/// Ranges that have a byte in common or no byte between them as one range, which stands where the first of them stood.
fn joined(ranges: impl Iterator<Item = Range<u64>>) -> Vec<Range<u64>> {
    let mut joined: Vec<Range<u64>> = Vec::new();
    for mut range in ranges {
        // What is in the list is apart, so that a range joins each of its members at most once.
        let mut place = joined.len();
        for at in (0..joined.len()).rev() {
            if range.start <= joined[at].end && joined[at].start <= range.end {
                let other = joined.remove(at);
                range = range.start.min(other.start)..range.end.max(other.end);
                place = at;
            }
        }
        joined.insert(place, range);
    }
    joined
}

/// A `Last-Modified` that is strong (RFC 9110 §8.8.2.2).
///
/// It is where the response was made so long after that the clock of the one who dates and that of the one who modifies
/// are no matter: a minute, the time that RFC 7232 §2.2.2 had.
fn dated(headers: &HeaderMap, received_at: SystemTime) -> Option<&HeaderValue> {
    const APART: u32 = 60;
    let modified = wire::date(headers, &header::LAST_MODIFIED, received_at)?;
    let date = wire::date(headers, &header::DATE, received_at)?;
    wire::single(headers, &header::LAST_MODIFIED).filter(|_| seconds(date, modified) >= APART)
}

// === impl Span ===

impl Span {
    /// Which bytes a stored response with a body of this length holds; `None` if it is neither whole nor a part.
    pub(crate) fn of(held: &Held<'_>, length: u64) -> Option<Self> {
        match held.stored.status() {
            StatusCode::OK => Some(Self { range: 0..length, complete: length }),
            StatusCode::PARTIAL_CONTENT => Self::read(held.headers).filter(|span| span.length() == length),
            _ => None,
        }
    }

    /// Reads the `Content-Range` of a 206. `None` where it is missing, invalid or without the length of the whole,
    /// and where `Content-Length` says something else or `Content-Type` that there are several (RFC 9110 §15.3.7.2).
    #[must_use]
    pub fn read(headers: &HeaderMap) -> Option<Self> {
        let read = range::content_range(wire::lines(headers, &header::CONTENT_RANGE))?;
        let ContentRange::Part { range, complete: Some(complete) } = read else { return None };
        let span = Self { range, complete };
        let kind = headers.get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
        if kind.get(..SEVERAL.len()).is_some_and(|kind| kind.eq_ignore_ascii_case(SEVERAL)) {
            return None;
        }
        let length = headers.get(header::CONTENT_LENGTH).map(HeaderValue::as_bytes);
        length.is_none_or(|length| length == span.length().to_string().as_bytes()).then_some(span)
    }

    /// How many bytes it holds.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.range.end.saturating_sub(self.range.start)
    }

    /// Whether that is all there is.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.range == (0..self.complete)
    }

    /// Whether it holds all of a range.
    #[must_use]
    pub fn holds(&self, range: &Range<u64>) -> bool {
        self.range.start <= range.start && range.end <= self.range.end
    }

    /// Describes the content in the fields of a response: its length, and its place if it is not the whole. Digests of
    /// other content are taken out.
    pub fn describe(&self, headers: &mut HeaderMap) {
        for digest in ["content-digest", "content-md5"] {
            headers.remove(digest);
        }
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(self.length()));
        if self.is_whole() {
            headers.remove(header::CONTENT_RANGE);
        } else {
            headers.insert(header::CONTENT_RANGE, self.content_range());
        }
    }

    /// The value of `Content-Range`.
    pub(crate) fn content_range(&self) -> HeaderValue {
        let value = ContentRange::Part { range: self.range.clone(), complete: Some(self.complete) }.to_string();
        HeaderValue::try_from(value).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

// === impl Strong ===

impl<'a> Strong<'a> {
    /// The strong validator of a response, if it has one. Where there is a tag, the date does not count.
    pub(super) fn of(headers: &'a HeaderMap, received_at: SystemTime) -> Option<Self> {
        if headers.contains_key(header::ETAG) {
            return match Tag::of(headers)? {
                Tag::Entity(tag) if !tag.is_weak() => Some(Self::Tag(tag)),
                Tag::Entity(_) | Tag::Other(_) => None,
            };
        }
        dated(headers, received_at).map(Self::Date)
    }

    pub(super) fn equals(self, other: Strong<'_>) -> bool {
        match (self, other) {
            (Self::Tag(one), Strong::Tag(other)) => one.strong_eq(other),
            (Self::Date(one), Strong::Date(other)) => one == other,
            _ => false,
        }
    }

    /// The value of an `If-Range` field that asks for the same version.
    pub(super) fn if_range(self) -> Option<HeaderValue> {
        match self {
            Self::Tag(tag) => HeaderValue::from_bytes(&[b"\"", tag.opaque(), b"\""].concat()).ok(),
            Self::Date(date) => Some(date.clone()),
        }
    }
}

#[cfg(test)]
mod tests;
