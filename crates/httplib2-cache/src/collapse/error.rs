//! What can go wrong with what several callers share.

use std::{error::Error, fmt, sync::Arc};

use httplib2_core::error::BoxError;

/// Why an answer that several callers share could not be had.
///
/// Before the head of the answer only the first caller meets it: the others ask the origin themselves. Later it is an
/// error of the body.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CollapseError {
    /// The executor dropped the request while it was under way, or the inner service panicked.
    Dropped,
    /// The body broke off: the cause is the error of the inner body, which all who read it get.
    Broken(Arc<BoxError>),
    /// The caller read more slowly than others by more than is held for it, and the store does not have what it was to
    /// read on from there: it was not stored after all, or cannot be had.
    Behind,
}

// === impl CollapseError ===

impl fmt::Display for CollapseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dropped => "a request that was made in the background was dropped",
            Self::Broken(_) => "a body that is read by several broke off",
            Self::Behind => "a body was read too slowly, and the store does not have the rest of it",
        })
    }
}

impl Error for CollapseError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Broken(cause) => Some(&***cause),
            Self::Dropped | Self::Behind => None,
        }
    }
}
