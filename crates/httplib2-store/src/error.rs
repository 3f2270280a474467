//! What can go wrong in a store.

use std::{error::Error, fmt, io};

use httplib2_core::error::BoxError;

/// Why a store did not do what it was asked for.
///
/// None of these is the fault of the request: a cache makes a miss of it and goes on. The texts name no URI.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// The response is larger than the store takes.
    TooLarge {
        /// The largest response that it takes, in bytes of body, head and key together.
        limit: u64,
    },
    /// There is no room now: too much is being written at once, or the disk is full.
    Full {
        /// The bytes that there are in all.
        limit: u64,
    },
    /// The key was invalidated after the [`Generation`](crate::Generation) was taken, so this answer may be
    /// older than the write that invalidated it.
    Superseded,
    /// What was written is not the whole body: it has not the length that was announced, or a part of it was
    /// refused before.
    Incomplete,
    /// The entry is not there any more.
    Gone,
    /// What is there is not what was written.
    Damaged,
    /// The store cannot do this at all, such as a plain get-and-set store that is asked for a list.
    Unsupported,
    /// The operating system refused.
    Io(io::Error),
    /// Something else failed, such as the server of a remote store.
    Other(BoxError),
}

// === impl StoreError ===

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { limit } => write!(f, "the response is larger than the {limit} bytes that the store takes"),
            Self::Full { limit } => write!(f, "there is no room in the {limit} bytes of the store"),
            Self::Superseded => f.write_str("the key was invalidated in the meantime"),
            Self::Incomplete => f.write_str("the body to be stored is incomplete"),
            Self::Gone => f.write_str("the stored response is gone"),
            Self::Damaged => f.write_str("the stored response is damaged"),
            Self::Unsupported => f.write_str("the store cannot do this"),
            Self::Io(_) => f.write_str("the store could not read or write"),
            Self::Other(_) => f.write_str("the store failed"),
        }
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Other(error) => Some(&**error),
            _ => None,
        }
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
