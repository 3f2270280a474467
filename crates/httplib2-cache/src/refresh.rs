//! Refreshing in the background what is served stale meanwhile (RFC 5861 §3).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
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
    Served,
    ask::Ask,
    background::Place,
    forward::{Forwarding, forward},
    found::{Found, held},
    policy::Why,
    settings::Settings,
};

/// What is refreshed now, or could not be a moment ago.
#[derive(Debug, Default)]
pub(crate) struct Refreshes(Mutex<HashMap<(Key, EntryId), State>>);

#[derive(Clone, Copy, Debug)]
enum State {
    UnderWay,
    Failed(Instant),
}

/// One refresh that is under way.
struct Refreshing {
    of: (Key, EntryId),
    settings: Arc<Settings>,
    is_done: bool,
}

/// How long nothing is refreshed after a failure, so that a busy stale response does not beset an origin that is
/// down with one request after the other.
const PAUSE: Duration = Duration::from_secs(5);

/// How many failures are remembered.
const MOST_FAILED: usize = 1024;

/// Refreshes the stored response that was served, unless that is under way already or as much as may be is: then who
/// asks next tries again.
///
/// It has a budget of its own: neither the deadline nor the journal nor the conditions of the caller go along.
pub(crate) fn refresh<S, B>(inner: S, ask: Ask, body: B, settings: Arc<Settings>, found: Found, why: Why)
where
    S: HttpService<B>,
    B: Body + Resend + Send + 'static,
{
    let (Some(executor), Some(entry)) = (settings.executor.clone(), found.selected()) else { return };
    let Some(place) = Place::take(&settings) else { return };
    let Some(refreshing) = Refreshing::begin(&settings, (ask.key.clone(), entry.id())) else { return };
    let ask = in_background(ask);
    let validates = held(&settings, entry).stored.has_validator();
    let budget = settings.background;
    let forwarding = Forwarding { settings, ask, found, why, validates };
    executor.spawn(async move {
        // As a whole: its field alone would be copied into here.
        let (mut refreshing, _place) = (refreshing, place);
        let done = timeout(budget.time, async {
            // A failure leaves the stored response as it is; who asks a while later tries again.
            let Ok(response) = forward(inner, body, forwarding).await else { return false };
            let is_stale = matches!(response.extensions().get(), Some(Served::Stale { .. }));
            let is_answer = !is_stale && !response.status().is_server_error();
            discard(response.into_body(), DiscardLimits::new(budget.bytes, budget.time)).await;
            is_answer
        });
        refreshing.is_done = done.await.unwrap_or(false);
    });
}

fn in_background(mut ask: Ask) -> Ask {
    // A HEAD request would leave the stored content as it is, and a 304 about the caller's version too.
    ask.head.method = Method::GET;
    ask.head.headers.remove(header::IF_NONE_MATCH);
    ask.head.headers.remove(header::IF_MODIFIED_SINCE);
    // And a part would not take the place of the whole.
    ask.head.headers.remove(header::RANGE);
    ask.head.headers.remove(header::IF_RANGE);
    ask.head.extensions.remove::<Remaining>();
    ask.head.extensions.remove::<Journal>();
    ask
}

// === impl Refreshes ===

impl Refreshes {
    fn lock(&self) -> MutexGuard<'_, HashMap<(Key, EntryId), State>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Refreshing ===

impl Refreshing {
    /// `None` when it is under way already, or failed a moment ago.
    fn begin(settings: &Arc<Settings>, of: (Key, EntryId)) -> Option<Self> {
        let now = settings.clock.instant();
        let is_due = |state: &State| match state {
            State::UnderWay => false,
            State::Failed(at) => now.saturating_duration_since(*at) >= PAUSE,
        };
        let mut all = settings.refreshes.lock();
        if all.get(&of).is_some_and(|state| !is_due(state)) {
            return None;
        }
        if all.len() >= MOST_FAILED {
            all.retain(|_, state| !is_due(state));
        }
        all.insert(of.clone(), State::UnderWay);
        Some(Self { of, settings: Arc::clone(settings), is_done: false })
    }
}

impl Drop for Refreshing {
    fn drop(&mut self) {
        let mut all = self.settings.refreshes.lock();
        if self.is_done || all.len() > MOST_FAILED {
            all.remove(&self.of);
        } else {
            all.insert(self.of.clone(), State::Failed(self.settings.clock.instant()));
        }
    }
}
