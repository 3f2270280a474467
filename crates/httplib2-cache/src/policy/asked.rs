//! The heads that are decided about.

use std::{fmt, time::SystemTime};

use http::{HeaderMap, Method, StatusCode, Uri};
use httplib2_core::who::{Identity, Redacted, SignedAs};

use super::{Control, Rules, Selecting, Stored};

/// A request head, and what is known of who asks.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) identity: Option<&'a Identity>,
    pub(crate) has_content: bool,
    pub(crate) control: Control,
}

/// A response head, and when it came.
#[derive(Clone, Copy)]
pub struct Answered<'a> {
    /// Its status.
    pub status: StatusCode,
    /// Its header fields as they were received.
    pub headers: &'a HeaderMap,
    /// When it was asked for and when it arrived.
    pub times: Times,
    /// Whether it was obtained with credentials that the request did not show.
    pub signed: Signed,
}

/// When a request was sent and its response head arrived, by the wall clock (RFC 9111 §4.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// `request_time`: when the request was sent.
    pub requested_at: SystemTime,
    /// `response_time`: when the head of the response arrived.
    pub received_at: SystemTime,
}

/// Whether a layer below the cache signed the request, which then had no `Authorization` field up here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signed {
    /// Nobody would sign, and the response carries no mark.
    No,
    /// The response is marked as obtained with credentials.
    Marked,
    /// Somebody would sign, but the response has no mark. It counts as signed for nobody knows whom.
    MarkMissing,
}

/// A stored response: its head, and what selects it among the variants of its URI.
#[derive(Clone, Copy)]
pub struct Held<'a> {
    /// What was read from its head when it was stored.
    pub stored: &'a Stored,
    /// Its header fields as they were stored.
    pub headers: &'a HeaderMap,
    /// The request fields that it was selected by.
    pub selecting: &'a Selecting,
    /// For whom it was obtained.
    pub identity: Option<&'a Identity>,
}

/// For whom a response was obtained: for whom it is marked or, failing that, for whom it would have been signed.
/// It is stored for that identity.
#[must_use]
pub fn obtained_for<'a>(expected: Option<&'a Identity>, mark: Option<&'a SignedAs>) -> Option<&'a Identity> {
    mark.map(|SignedAs(identity)| identity).or(expected)
}

// === impl Asked ===

impl<'a> Asked<'a> {
    /// Looks at a request head. Its cache directives are parsed only if it has any.
    #[must_use]
    pub fn new(method: &'a Method, uri: &'a Uri, headers: &'a HeaderMap) -> Self {
        Self { method, uri, headers, identity: None, has_content: false, control: Control::of(headers) }
    }

    /// Says for whom the request would be signed further down; nobody by default.
    #[must_use]
    pub fn signed_for(mut self, identity: Option<&'a Identity>) -> Self {
        self.identity = identity;
        self
    }

    /// Says whether the request has a body; it has none by default.
    #[must_use]
    pub fn with_content(mut self, has_content: bool) -> Self {
        self.has_content = has_content;
        self
    }

    /// Replaces the cache directives of the request, as an option of the caller may.
    #[must_use]
    pub fn with_control(mut self, control: Control) -> Self {
        self.control = control;
        self
    }

    /// The cache directives that hold for this request.
    #[must_use]
    pub fn control(&self) -> Control {
        self.control
    }

    /// Whether the request is made for somebody, and its answer so perhaps for nobody else (RFC 9111 §3.5).
    pub(crate) fn is_authorized(&self, rules: &Rules) -> bool {
        self.identity.is_some() || rules.credentials.iter().any(|name| self.headers.contains_key(name))
    }
}

impl fmt::Debug for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked")
            .field("method", self.method)
            .field("uri", &Redacted(self.uri))
            .field("control", &self.control)
            .finish_non_exhaustive()
    }
}

// === impl Answered ===

impl fmt::Debug for Answered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answered")
            .field("status", &self.status)
            .field("times", &self.times)
            .field("signed", &self.signed)
            .finish_non_exhaustive()
    }
}

// === impl Signed ===

impl Signed {
    /// Compares who would have signed with the mark that came back.
    #[must_use]
    pub fn of(expected: Option<&Identity>, mark: Option<&SignedAs>) -> Self {
        match (expected, mark) {
            (_, Some(_)) => Self::Marked,
            (Some(_), None) => Self::MarkMissing,
            (None, None) => Self::No,
        }
    }
}

// === impl Held ===

impl fmt::Debug for Held<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("stored", self.stored).field("selecting", self.selecting).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_counts_before_what_was_expected() {
        let (alice, bob) = (Identity::new("alice"), SignedAs(Identity::new("bob")));
        for (expected, mark, signed, identity) in [
            (None, None, Signed::No, None),
            (Some(&alice), None, Signed::MarkMissing, Some(&alice)),
            (Some(&alice), Some(&bob), Signed::Marked, Some(&bob.0)),
            (None, Some(&bob), Signed::Marked, Some(&bob.0)),
        ] {
            assert_eq!(Signed::of(expected, mark), signed);
            assert_eq!(obtained_for(expected, mark), identity);
        }
    }

    #[test]
    fn debug_of_the_heads_shows_no_field() {
        let headers = HeaderMap::from_iter([(http::header::COOKIE, http::HeaderValue::from_static("s3cret"))]);
        let uri = Uri::from_static("http://joe:s3cret@a.example/?s3cret");
        let asked = Asked::new(&Method::GET, &uri, &headers);
        let times = Times { requested_at: SystemTime::UNIX_EPOCH, received_at: SystemTime::UNIX_EPOCH };
        let answered = Answered { status: StatusCode::OK, headers: &headers, times, signed: Signed::No };
        let text = format!("{asked:?} {answered:?}");
        assert!(!text.contains("s3cret") && text.contains("a.example"), "{text}");
    }
}
