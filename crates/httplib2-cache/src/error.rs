//! What can go wrong in a body that the cache puts together.

use std::{error::Error, fmt};

/// A body could not be put together of what is stored and what the origin was asked for.
///
/// It comes as the error of a [`CacheBody`](crate::CacheBody); what came before it is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheError {
    /// The origin sent more or fewer bytes than its `Content-Range` said.
    WrongLength,
}

// === impl CacheError ===

impl fmt::Display for CacheError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WrongLength => "the origin sent another number of bytes than its Content-Range says",
        })
    }
}

impl Error for CacheError {}
