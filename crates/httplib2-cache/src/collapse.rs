//! Concurrent requests that would be answered alike become one (RFC 9111 §4).
//!
//! The first one's fetch is a *flight*: it runs on the executor up to the head of the answer, whatever becomes of that
//! first caller. Others of the same name (key, user, fields that select as far as they are known) wait for the
//! head. An answer that is being stored is read by all together ([`stream`]); after one that changed what is stored they
//! look that up again; for anything else each goes alone. Who finds that the answer was selected by other fields
//! than its own enters again under those names, a bounded number of times.

mod error;
mod flight;
mod flights;
mod follow;
mod lead;
mod passes;
mod reader;
mod stream;
mod wakers;
mod watched;

use std::time::Duration;

use http::{HeaderName, Response, header};
use http_body::Body;
use httplib2_core::{
    body::Resend,
    context::{Journal, Remaining},
    error::BoxError,
    send::HttpService,
};

use self::{
    flights::{Entered, Name},
    follow::{Followed, follow, meanwhile},
    lead::lead,
};
use crate::{
    CacheBody, CacheMode,
    ask::Ask,
    complete::send_on,
    forward::Forwarding,
    policy::{self, Selecting, Why},
    settings::Settings,
};

pub use self::error::CollapseError;
pub(crate) use self::{flight::Flight, flights::Flights, reader::Reader};

/// How concurrent requests become one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Collapse {
    pub(crate) on: bool,
    /// How long a request waits for another one.
    pub(crate) wait: Duration,
    /// How many bytes of a body are held for those who read it together.
    pub(crate) buffer: u64,
    /// How stale a stored response may be to be served meanwhile.
    pub(crate) stale: Duration,
}

/// How often a request may wait for another one. The first answer tells which fields select, the second one those of
/// its own variant; after a third one nothing is to be expected of the fourth.
const ENTRIES: usize = 3;

/// An origin that selects by more fields than this is asked by each alone.
const MOST_NAMES: usize = 32;

/// Whether a request may become one with others, if there are any.
pub(crate) fn collapses(settings: &Settings, ask: &Ask, why: Why) -> bool {
    settings.collapse.on
        && ask.mode == CacheMode::Default
        && policy::collapses(&settings.rules, &ask.asked(), why)
        && !settings.flights.passes.has(&ask.key, settings.clock.now())
}

/// Answers a request together with others of its kind, or alone.
///
/// A request that waits has made nothing ready and holds no permit.
pub(crate) async fn collapse<S, B>(
    inner: S,
    body: B,
    mut forwarding: Forwarding,
) -> Result<Response<CacheBody<S::ResponseBody>>, BoxError>
where
    S: HttpService<B>,
    B: Body + Resend + Send + 'static,
{
    let mut names = Vec::new();
    let mut until = None;
    for _ in 0..ENTRIES {
        let Some(name) = name(&forwarding, &mut names) else { break };
        let (settings, found) = (&forwarding.settings, &forwarding.found);
        let Some(generation) = found.generation else { break };
        let flight = match Flights::enter(&settings.flights, name, generation, may_lead(&forwarding)) {
            Entered::Leads(flight) => return lead(inner, body, forwarding, flight).await,
            Entered::Follows(flight) => flight,
            Entered::None => break,
        };
        if let Some(response) = meanwhile(&forwarding).await {
            return Ok(response);
        }
        let wait = settings.collapse.wait;
        let until = *until.get_or_insert_with(|| Remaining::within(wait).end());
        match follow(&mut forwarding, flight, until).await {
            Followed::Answered(response) => return Ok(response),
            Followed::Again(more) => names.extend(more),
            Followed::Alone => break,
        }
    }
    if until.is_some() {
        let what = "waited for a request under way, which did not answer this one";
        Journal::record(&forwarding.ask.head.extensions, "cache", &what);
    }
    send_on(inner, body, forwarding).await
}

/// What a request has to have in common with another one to become one with it, as far as that is known before the
/// answer: the fields that are known to select.
///
/// Those that might select do not count. An origin that says no `Vary` is asked once, whatever its users' cookies
/// are; one that does is asked once more for each variant as soon as the first answer has said so.
fn name(forwarding: &Forwarding, names: &mut Vec<HeaderName>) -> Option<Name> {
    let Forwarding { settings, ask, found, .. } = forwarding;
    for held in found.held(settings) {
        names.extend(held.selecting.fields().map(|(name, _)| name.clone()));
    }
    if !settings.rules.is_shared() {
        names.extend(settings.rules.credentials.iter().filter(|name| ask.head.headers.contains_key(*name)).cloned());
    }
    names.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
    names.dedup();
    if names.len() > MOST_NAMES {
        return None;
    }
    let selecting = Selecting::named(&settings.rules, &ask.head.headers, names.iter().cloned());
    Some(Name { key: ask.key.clone(), identity: ask.identity.clone(), selecting })
}

/// Whether others may wait for the answer to this request. One with a condition of its own may be answered with a 304
/// that tells the others nothing, unless the cache adds its own.
fn may_lead(forwarding: &Forwarding) -> bool {
    let headers = &forwarding.ask.head.headers;
    let is_conditional = headers.contains_key(header::IF_NONE_MATCH) || headers.contains_key(header::IF_MODIFIED_SINCE);
    forwarding.validates && forwarding.found.selected().is_some() || !is_conditional
}

// === impl Collapse ===

impl Default for Collapse {
    fn default() -> Self {
        let wait = Duration::from_secs(5);
        Self { on: true, wait, buffer: 4 * 1024 * 1024, stale: Duration::ZERO }
    }
}
