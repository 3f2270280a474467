//! Refreshing in the background what is served stale meanwhile (RFC 5861 §3).

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use http::{Method, header};
use http_body::Body;
use httplib2_core::{
    body::{DiscardLimits, Resend, discard},
    context::{Journal, Remaining},
    send::HttpService,
};
use httplib2_store::{EntryId, Key};
use tokio::time::timeout;

use crate::{
    ask::Ask,
    forward::{Forwarding, forward},
    found::{Found, held},
    policy::Why,
    settings::Settings,
};

/// What is refreshed now.
#[derive(Debug, Default)]
pub(crate) struct Refreshes(Mutex<HashSet<(Key, EntryId)>>);

/// One refresh that is under way.
struct Refreshing {
    of: (Key, EntryId),
    all: Arc<Refreshes>,
}

/// Refreshes the stored response that was served, unless that is under way already.
///
/// It has a budget of its own: neither the deadline nor the journal nor the conditions of the caller go along.
pub(crate) fn refresh<S, B>(inner: S, ask: Ask, body: B, settings: Arc<Settings>, found: Found, why: Why)
where
    S: HttpService<B>,
    B: Body + Resend + Send + 'static,
{
    let (Some(executor), Some(entry)) = (settings.executor.clone(), found.selected()) else { return };
    let Some(refreshing) = Refreshes::begin(&settings.refreshes, (ask.key.clone(), entry.id())) else { return };
    let ask = in_background(ask);
    let validates = held(&settings, entry).stored.has_validator();
    let budget = settings.background;
    let forwarding = Forwarding { settings, ask, found, why, validates };
    executor.spawn(async move {
        let _refreshing = refreshing;
        let done = timeout(budget.time, async {
            // A failure leaves the stored response as it is; the next one who asks tries again.
            if let Ok(response) = forward(inner, body, forwarding).await {
                discard(response.into_body(), DiscardLimits::new(budget.bytes, budget.time)).await;
            }
        });
        drop(done.await);
    });
}

fn in_background(mut ask: Ask) -> Ask {
    // A HEAD request would leave the stored content as it is, and a 304 about the caller's version too.
    ask.head.method = Method::GET;
    ask.head.headers.remove(header::IF_NONE_MATCH);
    ask.head.headers.remove(header::IF_MODIFIED_SINCE);
    ask.head.extensions.remove::<Remaining>();
    ask.head.extensions.remove::<Journal>();
    ask
}

// === impl Refreshes ===

impl Refreshes {
    /// `None` when it is under way already.
    fn begin(all: &Arc<Self>, of: (Key, EntryId)) -> Option<Refreshing> {
        let is_new = all.lock().insert(of.clone());
        is_new.then(|| Refreshing { of, all: Arc::clone(all) })
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<(Key, EntryId)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Refreshing ===

impl Drop for Refreshing {
    fn drop(&mut self) {
        self.all.lock().remove(&self.of);
    }
}
