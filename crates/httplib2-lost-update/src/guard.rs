//! What a response says about how its update was guarded.

use std::{fmt, sync::Arc};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use httplib2_core::who::Guarded;

/// How an update was guarded, and what came of it: an extension of the response to every request whose
/// method is protected.
///
/// A 412 is not always somebody else's doing: where a layer below sends again what was already done, because the
/// answer was lost, the second send is refused for the tag that the first one made old.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    precondition: Result<(Precondition, Source), Unguarded>,
    refusal: Option<Refusal>,
    rounds: usize,
    not_merged: Option<NotMerged>,
}

/// A precondition that an update carried.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Precondition {
    /// `If-Match` with this value (RFC 9110 §13.1.1).
    IfMatch(HeaderValue),
    /// `If-Unmodified-Since` with this value (RFC 9110 §13.1.4).
    IfUnmodifiedSince(HeaderValue),
    /// `If-None-Match` with this value, which is `*` unless it is the caller's own (RFC 9110 §13.1.2).
    IfNoneMatch(HeaderValue),
}

/// Where a precondition came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// The caller set it; this layer left the request alone.
    Caller,
    /// An answer that passed through this layer earlier.
    Ledger,
    /// The source that [`LostUpdateLayer::known_tags`](crate::LostUpdateLayer::known_tags) named.
    KnownTags,
    /// [`CreateOnly`](crate::CreateOnly), or the layer's setting of that name.
    CreateOnly,
    /// The answer to a request that this layer made, for a merge or after a 428.
    Fetched,
}

/// Why an update carried no precondition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unguarded {
    /// This editor has seen no version of what the request selects, or one without a validator.
    NothingKnown,
    /// The version that was seen has only a weak tag, which `If-Match` never matches (RFC 9110 §8.8.3.2).
    WeakTag,
    /// The caller said [`IgnoreEtag`](crate::IgnoreEtag).
    IgnoreEtag,
}

/// The server refused an update for its precondition.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// 412: the resource is not what the precondition said; somebody else changed it (RFC 9110 §15.5.13).
    Conflict(Conflict),
    /// 428: the server takes no update without a precondition, and this one had none (RFC 6585 §3).
    Required,
}

/// A 412: which version was expected, and which one is there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Conflict {
    /// What was sent last; `None` when the server refused a request that had no precondition.
    pub sent: Option<Precondition>,
    /// The `ETag` of the 412 as it was received, if it had one: servers need not tell.
    pub current: Option<HeaderValue>,
}

/// Why a conflict was handed back although there is a hook that merges.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotMerged {
    /// The body of the refused request cannot be read again, or is longer than
    /// [`LostUpdateLayer::merge_bytes`](crate::LostUpdateLayer::merge_bytes).
    BodyGone,
    /// The current version could not be fetched: this is the text of the error.
    FetchFailed(Arc<str>),
    /// The current version was not answered with 200 but with this.
    Status(StatusCode),
    /// The body of the current version broke off, or is longer than
    /// [`LostUpdateLayer::merge_bytes`](crate::LostUpdateLayer::merge_bytes).
    NotWhole,
    /// What the caller has read is, as far as its `Vary` tells, not the variant that the request selects (RFC 9110
    /// §12.5.5), so that a fetch could bring what the edit was not made of. Nothing was fetched. Send the update with
    /// the fields of the read.
    OtherVariant,
    /// The current version has no strong tag, so that the merged one could not be guarded.
    NoTag,
    /// The hook gave up.
    GivenUp,
    /// Somebody was faster this many times, and no more rounds are allowed.
    Rounds(usize),
}

// === impl Guard ===

impl Guard {
    pub(crate) fn sent(precondition: Precondition, source: Source) -> Self {
        Self { precondition: Ok((precondition, source)), refusal: None, rounds: 0, not_merged: None }
    }

    pub(crate) fn unguarded(reason: Unguarded) -> Self {
        Self { precondition: Err(reason), refusal: None, rounds: 0, not_merged: None }
    }

    /// The precondition that the request carried, the last one where it was sent again.
    #[must_use]
    pub fn precondition(&self) -> Option<&Precondition> {
        self.precondition.as_ref().ok().map(|(precondition, _)| precondition)
    }

    /// Where the precondition came from.
    #[must_use]
    pub fn source(&self) -> Option<Source> {
        self.precondition.as_ref().ok().map(|(_, source)| *source)
    }

    /// Why the request carried no precondition; `None` when it did.
    #[must_use]
    pub fn reason(&self) -> Option<Unguarded> {
        self.precondition.as_ref().err().copied()
    }

    /// What the server refused, if this response is a 412 or a 428.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }

    /// The conflict, if this response is a 412.
    #[must_use]
    pub fn conflict(&self) -> Option<&Conflict> {
        match &self.refusal {
            Some(Refusal::Conflict(conflict)) => Some(conflict),
            _ => None,
        }
    }

    /// How often the request was merged with the current version and sent again.
    #[must_use]
    pub fn rounds(&self) -> usize {
        self.rounds
    }

    /// Why a refusal was handed back although there is a hook that merges.
    #[must_use]
    pub fn not_merged(&self) -> Option<&NotMerged> {
        self.not_merged.as_ref()
    }

    /// Whether the layer made the precondition, or would have, so that it may make another one.
    pub(crate) fn is_renewable(&self) -> bool {
        match self.precondition {
            Ok((_, source)) => !matches!(source, Source::Caller | Source::CreateOnly),
            Err(reason) => reason != Unguarded::IgnoreEtag,
        }
    }

    /// Whether the request was refused for a precondition that was too old, or for want of one.
    pub(crate) fn is_curable(&self) -> bool {
        match self.refusal {
            Some(Refusal::Conflict(_)) => self.precondition.is_ok(),
            Some(Refusal::Required) => self.precondition.is_err(),
            None => false,
        }
    }

    /// Sets the precondition, unless it is there because the caller set it.
    pub(crate) fn put_into(&self, headers: &mut HeaderMap) {
        let Some(Guarded { name, value }) = self.guarded() else { return };
        for other in [header::IF_MATCH, header::IF_UNMODIFIED_SINCE, header::IF_NONE_MATCH] {
            headers.remove(other);
        }
        headers.insert(name, value);
    }

    /// The precondition that this layer added.
    pub(crate) fn guarded(&self) -> Option<Guarded> {
        match &self.precondition {
            Ok((precondition, source)) if *source != Source::Caller => {
                let (name, value) = precondition.field();
                Some(Guarded { name, value: value.clone() })
            }
            _ => None,
        }
    }

    /// The request goes out again with this, merged or not.
    pub(crate) fn renew(&mut self, precondition: Precondition, merged: bool) {
        self.precondition = Ok((precondition, Source::Fetched));
        self.rounds += usize::from(merged);
    }

    /// Notes what the answer says of the precondition.
    pub(crate) fn note(&mut self, status: StatusCode, headers: &HeaderMap) {
        self.refusal = match status {
            StatusCode::PRECONDITION_FAILED => {
                let current = headers.get(header::ETAG).cloned();
                Some(Refusal::Conflict(Conflict { sent: self.precondition().cloned(), current }))
            }
            StatusCode::PRECONDITION_REQUIRED => Some(Refusal::Required),
            _ => None,
        };
    }

    pub(crate) fn give_up(&mut self, reason: NotMerged) {
        self.not_merged = Some(reason);
    }
}

impl fmt::Display for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.precondition {
            Ok((precondition, source)) => write!(f, "{precondition} {source}")?,
            Err(reason) => write!(f, "no precondition: {reason}")?,
        }
        match self.rounds {
            0 => {}
            1 => f.write_str(", merged once")?,
            rounds => write!(f, ", merged {rounds} times")?,
        }
        if let Some(refusal) = &self.refusal {
            write!(f, ", refused: {refusal}")?;
        }
        match &self.not_merged {
            Some(reason) => write!(f, ", not merged: {reason}"),
            None => Ok(()),
        }
    }
}

// === impl Precondition ===

impl Precondition {
    pub(crate) fn create_only() -> Self {
        Self::IfNoneMatch(HeaderValue::from_static("*"))
    }

    fn field(&self) -> (HeaderName, &HeaderValue) {
        match self {
            Self::IfMatch(value) => (header::IF_MATCH, value),
            Self::IfUnmodifiedSince(value) => (header::IF_UNMODIFIED_SINCE, value),
            Self::IfNoneMatch(value) => (header::IF_NONE_MATCH, value),
        }
    }
}

impl fmt::Display for Precondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::IfMatch(_) => "If-Match",
            Self::IfUnmodifiedSince(_) => "If-Unmodified-Since",
            Self::IfNoneMatch(_) => "If-None-Match",
        };
        write!(f, "{name}: {}", Text(self.field().1))
    }
}

// === impl Source ===

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Caller => "from the caller",
            Self::Ledger => "from the ledger",
            Self::KnownTags => "from another source",
            Self::CreateOnly => "to create only",
            Self::Fetched => "fetched for it",
        })
    }
}

// === impl Unguarded ===

impl fmt::Display for Unguarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NothingKnown => "nothing is known of the resource",
            Self::WeakTag => "only a weak tag is known",
            Self::IgnoreEtag => "the caller wants none",
        })
    }
}

// === impl Refusal ===

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict(Conflict { current: Some(current), .. }) => write!(f, "412, now it is {}", Text(current)),
            Self::Conflict(_) => f.write_str("412"),
            Self::Required => f.write_str("428, a precondition is required"),
        }
    }
}

// === impl NotMerged ===

impl fmt::Display for NotMerged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BodyGone => f.write_str("the body of the request cannot be read again"),
            Self::FetchFailed(why) => write!(f, "the current version could not be fetched, {why}"),
            Self::Status(status) => write!(f, "the current version was answered with {}", status.as_u16()),
            Self::NotWhole => f.write_str("the current version is too long or broke off"),
            Self::OtherVariant => f.write_str("what was read is another variant than the request selects"),
            Self::NoTag => f.write_str("the current version has no strong tag"),
            Self::GivenUp => f.write_str("the hook gave up"),
            Self::Rounds(rounds) => write!(f, "somebody was faster {rounds} times"),
        }
    }
}

/// A field value as it is read in a log: what is not ASCII text is escaped, a long one is cut.
struct Text<'a>(&'a HeaderValue);

/// What of a value is shown.
const SHOWN: usize = 100;

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_sensitive() {
            return f.write_str("(sensitive)");
        }
        let bytes = self.0.as_bytes();
        for &byte in bytes.iter().take(SHOWN) {
            match byte {
                b' '..=b'~' => write!(f, "{}", char::from(byte))?,
                _ => write!(f, "\\x{byte:02x}")?,
            }
        }
        if bytes.len() > SHOWN { f.write_str("..") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &'static str) -> HeaderValue {
        HeaderValue::from_static(text)
    }

    #[test]
    fn a_guard_reads_as_one_line() {
        let mut guard = Guard::sent(Precondition::IfMatch(value("\"v1\"")), Source::Ledger);
        assert_eq!(guard.to_string(), "If-Match: \"v1\" from the ledger");
        let told = HeaderMap::from_iter([(header::ETAG, value("\"v2\""))]);
        guard.note(StatusCode::PRECONDITION_FAILED, &told);
        guard.give_up(NotMerged::GivenUp);
        let expected = "If-Match: \"v1\" from the ledger, refused: 412, now it is \"v2\", not merged: the hook gave up";
        assert_eq!(guard.to_string(), expected);

        let mut guard = Guard::unguarded(Unguarded::WeakTag);
        guard.note(StatusCode::PRECONDITION_REQUIRED, &HeaderMap::new());
        let expected = "no precondition: only a weak tag is known, refused: 428, a precondition is required";
        assert_eq!(guard.to_string(), expected);
    }

    #[test]
    fn a_tag_cannot_write_more_than_a_line_into_a_log() {
        let long = HeaderValue::from_bytes(&[b"\"\xff".as_slice(), &[b'x'; 500]].concat()).unwrap();
        let shown = Precondition::IfMatch(long).to_string();
        assert!(shown.starts_with("If-Match: \"\\xffxxx") && shown.len() < 130, "{shown}");
        let mut secret = value("\"s3cret\"");
        secret.set_sensitive(true);
        assert_eq!(Precondition::IfMatch(secret).to_string(), "If-Match: (sensitive)");
    }
}
