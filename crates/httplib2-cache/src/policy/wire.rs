//! How the policy reads fields: lines of a header in, values of `httplib2_syntax` out.

use std::time::SystemTime;

use http::{HeaderMap, HeaderName, HeaderValue, header};
use httplib2_syntax::{
    date,
    etag::{self, EntityTag},
};

/// The lines of a field, in their order.
pub(super) fn lines<'a>(headers: &'a HeaderMap, field: &HeaderName) -> impl Iterator<Item = &'a [u8]> {
    headers.get_all(field).iter().map(HeaderValue::as_bytes)
}

/// The value of a field that has one, or the same one several times.
pub(super) fn single<'a>(headers: &'a HeaderMap, field: &HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(field).iter();
    let first = values.next()?;
    values.all(|other| other == first).then_some(first)
}

/// The date in a field that has one value (RFC 9110 §5.6.7).
pub(super) fn date(headers: &HeaderMap, field: &HeaderName, now: SystemTime) -> Option<SystemTime> {
    date::parse(single(headers, field)?.as_bytes(), now)
}

/// What an `ETag` field says.
#[derive(Clone, Copy, Debug)]
pub(super) enum Tag<'a> {
    /// An entity tag.
    Entity(EntityTag<'a>),
    /// Something else. It still names a version to the server that made it, if it is met again octet by octet.
    Other(&'a [u8]),
}

// === impl Tag ===

impl<'a> Tag<'a> {
    /// The tag of a response. Two different ones are none.
    pub(super) fn of(headers: &'a HeaderMap) -> Option<Self> {
        let value = single(headers, &header::ETAG)?.as_bytes();
        match etag::parse(value) {
            Some(tag) => Some(Self::Entity(tag)),
            None if value.is_empty() => None,
            None => Some(Self::Other(value)),
        }
    }

    pub(super) fn is_weak(self) -> bool {
        matches!(self, Self::Entity(tag) if tag.is_weak())
    }

    /// Strong comparison (RFC 9110 §8.8.3.2).
    pub(super) fn strong_eq(self, other: Self) -> bool {
        match (self, other) {
            (Self::Entity(left), Self::Entity(right)) => left.strong_eq(right),
            (Self::Other(left), Self::Other(right)) => left == right,
            _ => false,
        }
    }

    /// Weak comparison (RFC 9110 §8.8.3.2).
    pub(super) fn weak_eq(self, other: Self) -> bool {
        match (self, other) {
            (Self::Entity(left), Self::Entity(right)) => left.weak_eq(right),
            (Self::Other(left), Self::Other(right)) => left == right,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_different_values_are_none() {
        let mut headers = HeaderMap::new();
        headers.append(header::ETAG, HeaderValue::from_static("\"a\""));
        headers.append(header::ETAG, HeaderValue::from_static("\"a\""));
        assert!(Tag::of(&headers).is_some());
        headers.append(header::ETAG, HeaderValue::from_static("\"b\""));
        assert!(Tag::of(&headers).is_none());
    }

    #[test]
    fn what_is_no_tag_equals_only_itself() {
        let of = |value: &'static str| HeaderMap::from_iter([(header::ETAG, HeaderValue::from_static(value))]);
        let (bare, same, quoted) = (of("abc"), of("abc"), of("\"abc\""));
        let (bare, same, quoted) = (Tag::of(&bare).unwrap(), Tag::of(&same).unwrap(), Tag::of(&quoted).unwrap());
        assert!(bare.strong_eq(same) && bare.weak_eq(same) && !bare.is_weak());
        assert!(!bare.weak_eq(quoted) && !quoted.strong_eq(bare));
    }
}
