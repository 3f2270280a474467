//! What this layer itself can fail with.

use std::{error::Error, fmt};

use http::{Method, Uri};
use httplib2_core::who::Redacted;

use crate::Unguarded;

/// The failures of this layer; those of the inner service pass through as they are.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LostUpdateError {
    /// An update was not sent, because it had to have a precondition ([`RequireTag`](crate::RequireTag)) and
    /// there was none to give. Read the resource first, or send a precondition of your own.
    NothingKnown {
        /// The method of the request.
        method: Method,
        /// The URI of the request.
        uri: Uri,
        /// Why there was none.
        reason: Unguarded,
    },
}

// === impl LostUpdateError ===

impl fmt::Display for LostUpdateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::NothingKnown { method, uri, reason } = self;
        write!(f, "{method} {} was not sent: a precondition is required and {reason}", Redacted(uri))
    }
}

impl fmt::Debug for LostUpdateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LostUpdateError({self})")
    }
}

impl Error for LostUpdateError {}
