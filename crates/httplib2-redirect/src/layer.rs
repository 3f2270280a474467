//! The layer and its settings.

use std::sync::Arc;

use http::{HeaderName, Method, StatusCode};
use httplib2_core::body::DiscardLimits;
use tower_layer::Layer;

use crate::{Always, Downgrade, Follow, Redirect, RedirectPolicy, rules::Rules};

/// Follows redirects: see the [crate documentation](crate).
#[derive(Debug)]
pub struct RedirectLayer<P = Always> {
    rules: Arc<Rules>,
    policy: Arc<P>,
}

// === impl RedirectLayer ===

impl Default for RedirectLayer {
    fn default() -> Self {
        Self { rules: Arc::default(), policy: Arc::new(Always) }
    }
}

impl<P> Clone for RedirectLayer<P> {
    fn clone(&self) -> Self {
        Self { rules: Arc::clone(&self.rules), policy: Arc::clone(&self.policy) }
    }
}

impl RedirectLayer {
    /// A layer with the default settings.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl<P> RedirectLayer<P> {
    /// Which redirects are followed. Default: [`Follow::Safe`]. Per request: a [`Follow`] extension.
    #[must_use]
    pub fn follow(self, follow: Follow) -> Self {
        self.set(|rules| rules.follow = follow)
    }

    /// How many redirects of one call are followed. Default: 5. At most 1,000. Per request:
    /// [`MaxRedirects`](crate::MaxRedirects).
    #[must_use]
    pub fn max_redirects(self, limit: usize) -> Self {
        self.set(|rules| rules.max_redirects = limit)
    }

    /// The status codes that redirect. Default: 300 (when it has a `Location`), 301, 302, 303, 307 and 308.
    #[must_use]
    pub fn redirect_codes(self, codes: impl IntoIterator<Item = StatusCode>) -> Self {
        self.set(|rules| rules.codes = codes.into_iter().collect())
    }

    /// The methods whose redirects [`Follow::Safe`] follows. Default: GET, HEAD, OPTIONS and TRACE
    /// (RFC 9110 §9.2.1).
    #[must_use]
    pub fn safe_methods(self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.set(|rules| rules.safe_methods = methods.into_iter().collect())
    }

    /// Adds a field, such as an API key, that must not leave its origin. A field whose value is marked
    /// sensitive never does.
    #[must_use]
    pub fn sensitive_header(self, name: HeaderName) -> Self {
        self.set(|rules| rules.sensitive_headers.push(name))
    }

    /// Whether `Authorization` is sent on to other origins too. Default: no. Think twice: whoever can redirect
    /// the request can then read the credentials.
    #[must_use]
    pub fn forward_authorization_headers(self, forward: bool) -> Self {
        self.set(|rules| rules.forward_authorization_headers = forward)
    }

    /// What happens to a redirect from https to http. Default: [`Downgrade::RefuseSecrets`].
    #[must_use]
    pub fn downgrade(self, downgrade: Downgrade) -> Self {
        self.set(|rules| rules.downgrade = downgrade)
    }

    /// Whether a POST that is answered by 301 becomes a GET, as browsers do (RFC 9110 §15.4.2). Default: no,
    /// as in httplib2.
    #[must_use]
    pub fn moved_post_becomes_get(self, yes: bool) -> Self {
        self.set(|rules| rules.moved_post_becomes_get = yes)
    }

    /// Whether 302 and 303 turn every method into GET, HEAD too, as httplib2 did. Default: no: HEAD stays
    /// HEAD, and a 302 changes nothing but POST (RFC 9110 §15.4.3).
    #[must_use]
    pub fn httplib2_methods(self, yes: bool) -> Self {
        self.set(|rules| rules.httplib2_methods = yes)
    }

    /// How many bytes of the bodies of followed responses are kept in [`Hops`](crate::Hops), all together.
    /// Default: 64 KiB. Of their header fields 1 MiB is kept.
    #[must_use]
    pub fn history_bytes(self, bytes: usize) -> Self {
        self.set(|rules| rules.history_bytes = bytes)
    }

    /// How much of a followed response is read so that its connection can be used again. Default: 64 KiB and
    /// one second.
    #[must_use]
    pub fn discard_limits(self, limits: DiscardLimits) -> Self {
        self.set(|rules| rules.discard_limits = limits)
    }

    /// Replaces the policy that looks at each hop before it is sent. Default: [`Always`].
    #[must_use]
    pub fn policy<Q: RedirectPolicy>(self, policy: Q) -> RedirectLayer<Q> {
        RedirectLayer { rules: self.rules, policy: Arc::new(policy) }
    }

    fn set(mut self, change: impl FnOnce(&mut Rules)) -> Self {
        change(Arc::make_mut(&mut self.rules));
        self
    }
}

impl<S, P> Layer<S> for RedirectLayer<P> {
    type Service = Redirect<S, P>;

    fn layer(&self, inner: S) -> Self::Service {
        Redirect::new(inner, Arc::clone(&self.rules), Arc::clone(&self.policy))
    }
}
