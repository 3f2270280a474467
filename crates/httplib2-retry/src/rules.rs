//! The settings of a layer.

use std::{sync::Arc, time::Duration};

use http::{Extensions, Method};
use httplib2_core::{
    body::DiscardLimits,
    context::{Clock, Nonce, SystemClock, SystemNonce},
};

use crate::{
    MaxTries, RetryStatuses,
    backoff::Backoff,
    budget::{Budgets, RetryBudget},
};

#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) tries: u32,
    pub(crate) statuses: RetryStatuses,
    pub(crate) idempotent_methods: Vec<Method>,
    pub(crate) dead_connections: u32,
    pub(crate) backoff: Backoff,
    pub(crate) max_wait: Duration,
    pub(crate) budgets: Option<Arc<Budgets>>,
    pub(crate) discard_limits: DiscardLimits,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) nonce: Arc<dyn Nonce>,
}

// === impl Rules ===

impl Default for Rules {
    fn default() -> Self {
        Self {
            tries: 2,
            statuses: RetryStatuses::none(),
            // RFC 9110 §9.2.2.
            idempotent_methods: vec![
                Method::GET,
                Method::HEAD,
                Method::OPTIONS,
                Method::TRACE,
                Method::PUT,
                Method::DELETE,
            ],
            dead_connections: 3,
            backoff: Backoff::default(),
            max_wait: Duration::from_secs(30),
            budgets: Some(Arc::new(Budgets::new(RetryBudget::default()))),
            discard_limits: DiscardLimits::default(),
            clock: Arc::new(SystemClock),
            nonce: Arc::new(SystemNonce),
        }
    }
}

impl Rules {
    /// Whether a request with these options may ever be sent a second time.
    pub(crate) fn may_send_again(&self, options: &Extensions) -> bool {
        self.dead_connections > 0 || self.tries_for(options) > 1
    }

    pub(crate) fn tries_for(&self, options: &Extensions) -> u32 {
        options.get().map_or(self.tries, |MaxTries(tries)| *tries)
    }

    pub(crate) fn statuses_for<'a>(&'a self, options: &'a Extensions) -> &'a RetryStatuses {
        options.get().unwrap_or(&self.statuses)
    }
}
