//! What a response says about where it comes from.

use std::fmt;

use crate::policy::{NotStored, Why};

/// Where a response comes from, and why: an extension of every response. `Display` writes a line for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Served {
    /// From the origin.
    Network {
        /// Why it was asked.
        why: Why,
        /// What became of the answer.
        kept: Kept,
    },
    /// From the store, fresh.
    Stored {
        /// Its age in seconds.
        age: u32,
        /// Why it may be used.
        why: Why,
    },
    /// From the store, stale: accepted by the request, while it is refreshed, or in place of a failure.
    Stale {
        /// Its age in seconds.
        age: u32,
        /// Why it may be used.
        why: Why,
    },
    /// Part of what is stored, because the request asks for no more.
    Part {
        /// Its age in seconds.
        age: u32,
        /// Why it may be used.
        why: Why,
    },
    /// The beginning or the end from the store, and the rest from the origin (RFC 9111 §3.4).
    Completed {
        /// Why the origin was asked.
        why: Why,
        /// How many bytes come from the store.
        stored: u64,
        /// What becomes of it all.
        kept: Kept,
    },
    /// From the store, after the origin said that it still holds.
    Validated {
        /// Its age in seconds.
        age: u32,
        /// Why the origin was asked.
        why: Why,
        /// What it was asked with.
        with: Validator,
        /// What became of what is stored.
        then: Update,
    },
    /// From the origin, by the request of another caller that was under way.
    Collapsed {
        /// Its age in seconds.
        age: u32,
        /// Why the origin would have been asked.
        why: Why,
    },
    /// From this cache itself: a 504, because the origin may not be asked (RFC 9111 §5.2.1.7).
    Refused {
        /// Why it would have been asked.
        why: Why,
    },
}

/// What became of an answer of the origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kept {
    /// It is stored once its body has come to its end.
    Storing,
    /// It is of the version that is stored, which was freshened by it.
    Freshened,
    /// The rules are against it.
    Not(NotStored),
    /// It is longer than the store or the setting allows.
    TooLarge,
    /// The store failed.
    Failed,
    /// It was not for this cache to handle.
    Passed,
}

/// What the origin was asked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Validator {
    /// `If-None-Match`.
    ETag,
    /// `If-Modified-Since`.
    LastModified,
}

/// What became of a stored response that the origin confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Update {
    /// It was freshened.
    Freshened,
    /// It was left as it was: it was confirmed for this request only.
    Left,
    /// It was dropped: as it is now it may not be stored.
    Dropped(NotStored),
    /// It was dropped: the store failed to freshen it.
    Failed,
}

// === impl Served ===

impl Served {
    /// Whether the content comes from the store, all of it.
    #[must_use]
    pub fn is_from_cache(&self) -> bool {
        matches!(self, Self::Stored { .. } | Self::Stale { .. } | Self::Part { .. } | Self::Validated { .. })
    }

    /// Whether it is stale.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        match self {
            Self::Stale { .. } => true,
            Self::Part { why, .. } => !why.is_fresh(),
            _ => false,
        }
    }

    /// Its age in seconds, if it comes from the store or from the request of another caller.
    #[must_use]
    pub fn age(&self) -> Option<u32> {
        match self {
            Self::Stored { age, .. }
            | Self::Stale { age, .. }
            | Self::Part { age, .. }
            | Self::Validated { age, .. }
            | Self::Collapsed { age, .. } => Some(*age),
            Self::Network { .. } | Self::Completed { .. } | Self::Refused { .. } => None,
        }
    }

    /// A stored response that is used without being validated.
    pub(crate) fn from_store(age: u32, why: Why, is_part: bool) -> Self {
        if is_part {
            Self::Part { age, why }
        } else if why.is_fresh() {
            Self::Stored { age, why }
        } else {
            Self::Stale { age, why }
        }
    }
}

impl fmt::Display for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network { why, kept } => write!(f, "{why}, origin asked -> {kept}"),
            Self::Stored { why, .. } | Self::Stale { why, .. } => write!(f, "{why} -> stored response"),
            Self::Part { why, .. } => write!(f, "{why} -> part of a stored response"),
            Self::Completed { why, stored, kept } => {
                write!(f, "{why}, {stored} bytes of it used, origin asked for the rest -> {kept}")
            }
            Self::Validated { why, with, then, .. } => write!(f, "{why}, validated with {with}, 304 -> {then}"),
            Self::Collapsed { why, .. } => {
                write!(f, "{why}, collapsed with a request under way -> its answer, being stored")
            }
            Self::Refused { why } => write!(f, "{why}, origin not to be asked -> 504"),
        }
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Storing => f.write_str("answer being stored"),
            Self::Freshened => f.write_str("answer passed on, stored response freshened"),
            Self::Not(why) => write!(f, "answer {why}"),
            Self::TooLarge => f.write_str("answer not stored: it is too large"),
            Self::Failed => f.write_str("answer not stored: the store failed"),
            Self::Passed => f.write_str("answer passed on"),
        }
    }
}

impl fmt::Display for Validator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ETag => "ETag",
            Self::LastModified => "Last-Modified",
        })
    }
}

impl fmt::Display for Update {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Freshened => f.write_str("stored response freshened"),
            Self::Left => f.write_str("stored response"),
            Self::Dropped(why) => write!(f, "stored response, now {why}"),
            Self::Failed => f.write_str("stored response, now not stored: the store failed"),
        }
    }
}
