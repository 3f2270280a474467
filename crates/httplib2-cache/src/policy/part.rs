//! Parts of a representation: which are stored, how they are used and how they come together (RFC 9111 §3.3, §3.4).

use std::{ops::Range, time::SystemTime};

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use httplib2_syntax::range::{self, ByteRange, ByteRanges, Requested};

use super::{
    Answered, Asked, Held, Hit, Reuse, Rules, Why,
    conditions::has_condition,
    range::{Slice, Span, Strong, slice},
    reuse::reuse,
    wire::{self, Tag},
};

/// What becomes of a request of which only a part is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UsePart {
    /// The part answers it: it asks for nothing else.
    Serve(Hit),
    /// The part answers some of it, and the origin is asked for the rest.
    Complete(Missing),
    /// The origin is asked for all of it.
    Forward(Why),
    /// The origin may not be asked: 504 (RFC 9111 §5.2.1.7).
    Refuse(Why),
}

/// What is missing to answer a request, and what is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// What the request asks for.
    pub wanted: Span,
    /// What is stored.
    pub stored: Span,
    /// Whether the request asks for it as a range, and not for the whole.
    pub is_range: bool,
    /// What of it the origin is asked for: it comes right before or right behind what is stored.
    pub missing: Range<u64>,
    /// `If-Range`: only of this version.
    pub if_range: HeaderValue,
}

/// What a 206 is to something that is stored of the same resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meets {
    /// It is of another version, so that what is stored is outdated.
    Outdates,
    /// All of it is stored already.
    Within,
    /// It overlaps what is stored or comes right before or behind it: together they are a larger part, or the whole.
    Extends,
    /// It is of the same version, and there is a gap between the two.
    Apart,
    /// It has the same strong validator and cannot be of the same representation: one of them is a lie.
    Contradicts,
    /// Nothing tells whether it is of the same version.
    Unknown,
}

/// Decides what becomes of a request at the time `now` for which only a part with a body of `length` bytes is stored.
///
/// A part never answers a request for the whole, nor a HEAD request, nor one with conditions of the caller. What is
/// missing may be asked for however stale the part is: with `If-Range` that validates it (RFC 9111 §4.3.1).
#[must_use]
pub fn use_part(rules: &Rules, asked: &Asked<'_>, held: &Held<'_>, length: u64, now: SystemTime) -> UsePart {
    let forward = |why| if asked.control.only_if_cached { UsePart::Refuse(why) } else { UsePart::Forward(why) };
    if *asked.method != Method::GET || has_condition(asked) {
        return forward(Why::Part);
    }
    let Some(stored) = Span::of(held, length) else { return forward(Why::Part) };
    let (wanted, is_range) = match slice(rules, asked, held, length) {
        Slice::Whole => (std::iter::once(0..stored.complete).collect(), false),
        Slice::Ranges(ranges, _) => (ranges, true),
        Slice::Unsatisfiable(_) => return forward(Why::Part),
    };
    let permission = reuse(rules, asked, Some(*held), true, now);
    if wanted.iter().all(|range| stored.holds(range)) {
        return match permission {
            Reuse::Serve(hit) => UsePart::Serve(hit),
            Reuse::ServeAndRefresh(hit) => forward(hit.why.without_refresh()),
            Reuse::Validate(why) | Reuse::Forward(why) => UsePart::Forward(why),
            Reuse::Refuse(why) => UsePart::Refuse(why),
        };
    }
    // What an anonymous request got says nothing of what this one would get.
    let is_for_other = matches!(permission, Reuse::Forward(Why::Authorized));
    match missing(held, stored, wanted, is_range).filter(|_| !is_for_other && !asked.control.only_if_cached) {
        Some(missing) => UsePart::Complete(missing),
        None => forward(if is_for_other { Why::Authorized } else { Why::Part }),
    }
}

/// What has to be asked for, if that is one range and something of what is stored is of use.
fn missing(held: &Held<'_>, stored: Span, wanted: Vec<Range<u64>>, is_range: bool) -> Option<Missing> {
    let [wanted] = <[_; 1]>::try_from(wanted).ok()?;
    let have = &stored.range;
    let missing = if have.contains(&wanted.start) && have.end < wanted.end {
        have.end..wanted.end
    } else if wanted.start < have.start && have.start < wanted.end && wanted.end <= have.end {
        wanted.start..have.start
    } else {
        return None;
    };
    let if_range = Strong::of(held.headers, held.stored.received_at())?.if_range()?;
    let wanted = Span { range: wanted, complete: stored.complete };
    Some(Missing { wanted, is_range, stored, missing, if_range })
}

/// Which bytes a 206 holds, if it may be stored as a part: one range of a representation of known length, within what
/// was asked for.
///
/// One without a strong validator answers for itself alone: it is joined to nothing, and not completed (RFC 9111 §3.4).
#[must_use]
pub fn part(rules: &Rules, asked: &Asked<'_>, answered: &Answered<'_>) -> Option<Span> {
    let is_part = rules.parts && rules.ranges && answered.status == StatusCode::PARTIAL_CONTENT;
    if !is_part {
        return None;
    }
    let span = Span::read(answered.headers)?;
    let Requested::Bytes(ranges) = range::parse(wire::lines(asked.headers, &header::RANGE)) else { return None };
    let first = ranges.within(span.complete).map(|range| range.start).min()?;
    let end = ranges.within(span.complete).map(|range| range.end).max()?;
    // A server may send less, and of several ranges also what lies between them (RFC 9110 §15.3.7.2).
    (first <= span.range.start && span.range.end <= end).then_some(span)
}

/// Whether a 206 to this request comes without the fields that the caller has already (RFC 9110 §15.3.7). Then it is
/// never stored alone, and a field that it does not have says nothing.
#[must_use]
pub fn leaves_fields_out(asked: &Asked<'_>) -> bool {
    asked.headers.contains_key(header::IF_RANGE)
}

/// Tells what a 206 with these bytes is to a stored response with a body of `length` bytes (RFC 9110 §15.3.7.3), which
/// may [leave fields out](leaves_fields_out).
#[must_use]
pub fn meets(held: &Held<'_>, length: u64, answered: &Answered<'_>, span: &Span, leaves_out: bool) -> Meets {
    if is_other_version(held.headers, answered.headers) {
        return Meets::Outdates;
    }
    let known = Strong::of(held.headers, held.stored.received_at());
    let told = Strong::of(answered.headers, answered.times.received_at);
    let is_same = known.zip(told).is_some_and(|(known, told)| known.equals(told));
    let Some(stored) = Span::of(held, length) else { return Meets::Unknown };
    let coding = |headers| wire::single(headers, &header::CONTENT_ENCODING);
    let is_left_out = leaves_out && !answered.headers.contains_key(header::CONTENT_ENCODING);
    let is_coded_alike = is_left_out || coding(held.headers) == coding(answered.headers);
    let is_possible = stored.complete == span.complete && is_coded_alike;
    match (is_same, is_possible) {
        (true, false) => Meets::Contradicts,
        (false, _) if stored.complete != span.complete => Meets::Outdates,
        (false, _) => Meets::Unknown,
        _ if stored.holds(&span.range) => Meets::Within,
        _ if span.range.start <= stored.range.end && stored.range.start <= span.range.end => Meets::Extends,
        _ => Meets::Apart,
    }
}

/// Whether the validators of two responses tell that they are of different versions.
pub(crate) fn is_other_version(stored: &HeaderMap, answer: &HeaderMap) -> bool {
    if let (Some(known), Some(told)) = (Tag::of(stored), Tag::of(answer)) {
        return !known.weak_eq(told);
    }
    let modified = |headers| wire::single(headers, &header::LAST_MODIFIED);
    modified(stored).zip(modified(answer)).is_some_and(|(known, told)| known != told)
}

/// Whether the beginning of a 200 may be stored as a part in case that it breaks off: it tells its length, has a strong
/// validator, and does not say that no ranges of it may be asked for.
#[must_use]
pub fn beginning(rules: &Rules, headers: &HeaderMap, complete: u64, received_at: SystemTime) -> bool {
    let is_none = |line: &[u8]| line.trim_ascii().eq_ignore_ascii_case(b"none");
    rules.parts
        && complete > 0
        && headers.contains_key(header::CONTENT_LENGTH)
        && Strong::of(headers, received_at).is_some()
        && !wire::lines(headers, &header::ACCEPT_RANGES).any(is_none)
}

// === impl Missing ===

impl Missing {
    /// Asks for what is missing, in place of what the request asks for.
    pub fn apply(&self, headers: &mut HeaderMap) {
        let Range { start, end } = self.missing;
        let range =
            if end == self.wanted.complete { ByteRange::From(start) } else { ByteRange::FromTo(start, end - 1) };
        if let Ok(value) = HeaderValue::try_from(ByteRanges::from(range).to_string()) {
            headers.insert(header::RANGE, value);
            headers.insert(header::IF_RANGE, self.if_range.clone());
        }
    }

    /// How many bytes the origin is asked for.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.missing.end.saturating_sub(self.missing.start)
    }

    /// Whether they come behind what is stored.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        self.missing.start == self.stored.range.end
    }

    /// Whether a 206 is what was asked for, so that the two may be joined: all of what is missing and nothing else, of
    /// the same version.
    #[must_use]
    pub fn is_brought_by(&self, held: &Held<'_>, answered: &Answered<'_>) -> bool {
        let Some(span) = Span::read(answered.headers).filter(|span| span.range == self.missing) else { return false };
        // It was asked for with `If-Range`.
        let is_joined = matches!(meets(held, self.stored.length(), answered, &span, true), Meets::Extends);
        is_joined && answered.status == StatusCode::PARTIAL_CONTENT
    }
}

// === impl Span ===

impl Span {
    /// This together with bytes that it touches.
    #[must_use]
    pub fn joined(&self, other: &Range<u64>) -> Self {
        let range = self.range.start.min(other.start)..self.range.end.max(other.end);
        Self { range, complete: self.complete }
    }
}

#[cfg(test)]
mod tests;
