//! The layer.

use httplib2_auth::{Auth, AuthLayer, Credentials, InAdvance};
use tower_layer::Layer;

use crate::Wsse;

/// Answers challenges of the scheme WSSE, and of no other: see the [crate documentation](crate).
///
/// It is an [`AuthLayer`] with the scheme [`Wsse`] and the default settings. Who wants other settings, other schemes
/// beside it, or a handle for a cache, makes one of those: `AuthLayer::new(credentials).scheme(Wsse::new())`.
#[derive(Clone, Debug)]
pub struct WsseAuthLayer {
    auth: AuthLayer,
    wsse: Wsse,
}

// === impl WsseAuthLayer ===

impl WsseAuthLayer {
    /// A layer that uses these credentials.
    #[must_use]
    pub fn new(credentials: Credentials) -> Self {
        Self { auth: AuthLayer::new(credentials), wsse: Wsse::new() }
    }

    /// Replaces the scheme by one with other settings. Default: [`Wsse::new`].
    #[must_use]
    pub fn wsse(self, wsse: Wsse) -> Self {
        Self { wsse, ..self }
    }

    /// Whether requests are signed although no server asked for it, as those servers need that never do. Default: no.
    ///
    /// Credentials for all origins then go to every server that is addressed: name a domain for them.
    #[must_use]
    pub fn in_advance(self, yes: bool) -> Self {
        let auth = self.auth.in_advance(if yes { InAdvance::Always } else { InAdvance::default() });
        Self { auth, wsse: self.wsse.without_challenge(yes) }
    }
}

impl<S> Layer<S> for WsseAuthLayer {
    type Service = Auth<S>;

    fn layer(&self, inner: S) -> Auth<S> {
        self.auth.clone().scheme(self.wsse.clone()).layer(inner)
    }
}
