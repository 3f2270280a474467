//! The layer.

use httplib2_auth::{Auth, AuthLayer, Credentials};
use tower_layer::Layer;

use crate::Digest;

/// Answers challenges of the scheme Digest, and of no other: see the [crate documentation](crate).
///
/// It is an [`AuthLayer`] with the scheme [`Digest`] and the default settings. Who wants other settings, other schemes
/// beside it, the challenges of a proxy, or a handle for a cache, makes one of those:
/// `AuthLayer::new(credentials).scheme(Digest::new())`.
#[derive(Clone, Debug)]
pub struct DigestAuthLayer(AuthLayer);

// === impl DigestAuthLayer ===

impl DigestAuthLayer {
    /// A layer that uses these credentials.
    #[must_use]
    pub fn new(credentials: Credentials) -> Self {
        Self(AuthLayer::new(credentials).scheme(Digest::new()))
    }

    /// Replaces the scheme by one with other settings. Default: [`Digest::new`].
    #[must_use]
    pub fn digest(self, digest: Digest) -> Self {
        Self(self.0.scheme(digest))
    }
}

impl<S> Layer<S> for DigestAuthLayer {
    type Service = Auth<S>;

    fn layer(&self, inner: S) -> Auth<S> {
        self.0.layer(inner)
    }
}
