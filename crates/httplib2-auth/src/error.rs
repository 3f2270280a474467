//! What the layer adds to the failures of the service inside of it.

use std::{error::Error, fmt};

use httplib2_core::who::Origin;

use crate::Unproven;

/// Why the auth layer failed an exchange itself.
///
/// That a challenge was not answered is no error but a fact on the response: see [`Unanswered`](crate::Unanswered).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthError {
    /// The server had to prove that it knows the secret too, and did not (RFC 7616 §3.5): its answer was dropped.
    Unproven {
        /// Where the request went; of a proxy, the proxy.
        origin: Origin,
        /// The scheme that asks for the proof.
        scheme: &'static str,
    },
}

// === impl AuthError ===

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unproven { origin, scheme } => write!(f, "{scheme} at {origin}: {Unproven}"),
        }
    }
}

impl Error for AuthError {}
