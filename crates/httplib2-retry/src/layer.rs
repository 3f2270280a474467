//! The layer and its settings.

use std::{sync::Arc, time::Duration};

use http::Method;
use httplib2_core::{
    body::DiscardLimits,
    context::{Clock, Nonce},
};
use tower_layer::Layer;

use crate::{NothingKnown, Retry, RetryBudget, RetryStatuses, backoff::Backoff, budget::Budgets, rules::Rules};

/// Sends requests again: see the [crate documentation](crate).
///
/// Clones of a layer, and all services that they make, share the budgets.
#[derive(Debug)]
pub struct RetryLayer<C = NothingKnown> {
    rules: Arc<Rules>,
    classify: Arc<C>,
}

// === impl RetryLayer ===

impl Default for RetryLayer {
    fn default() -> Self {
        Self { rules: Arc::default(), classify: Arc::new(NothingKnown) }
    }
}

impl<C> Clone for RetryLayer<C> {
    fn clone(&self) -> Self {
        Self { rules: Arc::clone(&self.rules), classify: Arc::clone(&self.classify) }
    }
}

impl RetryLayer {
    /// A layer with the default settings.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl<C> RetryLayer<C> {
    /// How many tries a call has, the first one included. Default: 2; with 0 or 1 there is only the first.
    /// Per request: [`MaxTries`](crate::MaxTries).
    #[must_use]
    pub fn tries(self, tries: u32) -> Self {
        self.set(|rules| rules.tries = tries)
    }

    /// The statuses of responses that are given up for another try. Default: none; see
    /// [`RetryStatuses::transient`]. Per request: a [`RetryStatuses`] extension.
    #[must_use]
    pub fn statuses(self, statuses: RetryStatuses) -> Self {
        self.set(|rules| rules.statuses = statuses)
    }

    /// The methods whose requests may be acted on more than once without harm. Default: GET, HEAD, OPTIONS,
    /// TRACE, PUT and DELETE (RFC 9110 §9.2.2). Per request: [`Repeatable`](crate::Repeatable).
    #[must_use]
    pub fn idempotent_methods(self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.set(|rules| rules.idempotent_methods = methods.into_iter().collect())
    }

    /// How many dead connections one call may meet: for each the request is sent again at once, which costs
    /// no try. Default: 3.
    ///
    /// A pool hands out the connections that it believes alive, and when the server has gone away without a
    /// word, several are not. Each one costs a send, and leaves the pool with it; the first new connection
    /// ends it. The bound is for the request that itself brings the server down: it must not bring down as
    /// many as the pool holds. With 0 nothing is sent again without costing a try.
    #[must_use]
    pub fn dead_connections(self, limit: u32) -> Self {
        self.set(|rules| rules.dead_connections = limit)
    }

    /// The longest waits before the second try (which doubles from try to try) and before any try. Default:
    /// 100 milliseconds and 10 seconds.
    ///
    /// The wait is a random time up to that, so that clients that failed together do not come back together.
    #[must_use]
    pub fn backoff(self, base: Duration, longest: Duration) -> Self {
        self.set(|rules| rules.backoff = Backoff { base, longest })
    }

    /// The longest wait that a server can ask for with `Retry-After`. Default: 30 seconds. A response that
    /// asks for more is returned as it is.
    #[must_use]
    pub fn max_wait(self, longest: Duration) -> Self {
        self.set(|rules| rules.max_wait = longest)
    }

    /// How many further tries the calls to one origin may have among them; `None` for any number. Default:
    /// [`RetryBudget::default`].
    #[must_use]
    pub fn budget(self, budget: impl Into<Option<RetryBudget>>) -> Self {
        let budgets = budget.into().map(|rule| Arc::new(Budgets::new(rule)));
        self.set(|rules| rules.budgets = budgets)
    }

    /// How much of a response that is given up is read so that its connection can be used again. Default:
    /// 64 KiB and one second.
    #[must_use]
    pub fn discard_limits(self, limits: DiscardLimits) -> Self {
        self.set(|rules| rules.discard_limits = limits)
    }

    /// The wall clock that dates in `Retry-After` are compared with. Default: the system's.
    #[must_use]
    pub fn clock(self, clock: impl Clock) -> Self {
        self.set(|rules| rules.clock = Arc::new(clock))
    }

    /// The randomness of the waits. Default: the system's. While it fails, waits are the longest allowed.
    #[must_use]
    pub fn nonce(self, nonce: impl Nonce) -> Self {
        self.set(|rules| rules.nonce = Arc::new(nonce))
    }

    /// Replaces what tells of the errors of the inner service: a [`Classify`](crate::Classify) of them.
    /// Default: [`NothingKnown`], with which an error leads to another send only where
    /// [`Repeatable`](crate::Repeatable) says so.
    #[must_use]
    pub fn classify<D>(self, classify: D) -> RetryLayer<D> {
        RetryLayer { rules: self.rules, classify: Arc::new(classify) }
    }

    fn set(mut self, change: impl FnOnce(&mut Rules)) -> Self {
        change(Arc::make_mut(&mut self.rules));
        self
    }
}

impl<S, C> Layer<S> for RetryLayer<C> {
    type Service = Retry<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        Retry::new(inner, Arc::clone(&self.rules), Arc::clone(&self.classify))
    }
}
