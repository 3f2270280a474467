//! A request that waits for another one.

use std::sync::Arc;

use http::{HeaderName, Response};
use tokio::time::{Instant, timeout_at};

use super::{
    collapses,
    flight::{Arriving, Flight, Stage, Verdict},
};
use crate::{
    CacheBody, Served,
    exchange::decide,
    forward::Forwarding,
    found::{Found, held, now},
    policy::{CacheStatus, Consider, Failure, Give, Hit, Reuse, Why, reuse, select, serves_meanwhile, stands_in},
    respond::{FromStore, Opened, mark, serve},
};

/// What came of waiting.
pub(super) enum Followed<R> {
    /// An answer.
    Answered(Response<CacheBody<R>>),
    /// Others may be of use: there is another variant for it, selected by these fields as well.
    Again(Vec<HeaderName>),
    /// Nothing that is of use.
    Alone,
}

/// What the head of an answer is to one who waited for it.
enum Shared<R> {
    Answer(Response<CacheBody<R>>),
    /// It was selected by fields of these names, and they differ.
    OtherVariant(Vec<HeaderName>),
    /// Too much of its body has gone by.
    TooLate,
    /// It may not be used for this request.
    Unfit,
}

/// Answers with something stale while another request asks whether it still holds, if that was agreed to.
pub(super) async fn meanwhile<R>(forwarding: &Forwarding) -> Option<Response<CacheBody<R>>> {
    let settings = &forwarding.settings;
    let entry = forwarding.found.selected()?;
    let longest = u32::try_from(settings.collapse.stale.as_secs()).unwrap_or(u32::MAX);
    let now = now(settings, Some(entry));
    let held = held(settings, entry);
    let hit = serves_meanwhile(&settings.rules, &forwarding.ask.asked(), &held, longest, now)?;
    serve(settings, &forwarding.ask, entry, hit, CacheStatus::default()).await
}

/// Waits until the head of the answer is there, or until it is stored, but no longer than `until`.
pub(super) async fn follow<R>(forwarding: &mut Forwarding, flight: Arc<Flight>, until: Instant) -> Followed<R> {
    let Ok(Some(mut stage)) = timeout_at(until, flight.answered()).await else { return Followed::Alone };
    let mut names = Vec::new();
    if let Stage::Arriving(arriving) = &stage {
        match share(forwarding, arriving) {
            Shared::Answer(response) => return Followed::Answered(response),
            Shared::OtherVariant(more) => names = more,
            Shared::Unfit => return Followed::Alone,
            Shared::TooLate => {
                let Ok(Some(over)) = timeout_at(until, flight.ended()).await else { return Followed::Alone };
                stage = over;
            }
        }
    }
    match stage {
        Stage::Over(Verdict::Nothing) => Followed::Alone,
        Stage::Over(Verdict::Failed(failure)) => stand_in(forwarding, failure).await,
        Stage::Over(Verdict::Stored(_) | Verdict::Changed) | Stage::Arriving(_) | Stage::Asking => {
            look_again(forwarding, names).await
        }
    }
}

/// Uses an answer that is being stored as if it were stored, and reads it along.
fn share<R>(forwarding: &Forwarding, arriving: &Arriving) -> Shared<R> {
    let Forwarding { settings, ask, why, .. } = forwarding;
    let entry = &arriving.entry;
    let unfit = || {
        settings.flights.passes.note(&ask.key, settings.clock.now());
        Shared::Unfit
    };
    let held = held(settings, entry);
    if !settings.rules.is_shared() && entry.head().identity != ask.identity {
        // It was obtained for somebody else than was expected.
        return unfit();
    }
    if select(&settings.rules, &ask.asked(), [held]).is_none() {
        return Shared::OtherVariant(entry.head().selecting.iter().map(|(name, _)| name.clone()).collect());
    }
    let now = now(settings, Some(entry));
    let hit = match reuse(&settings.rules, &ask.asked(), Some(held), true, now) {
        Reuse::Serve(hit) | Reuse::ServeAndRefresh(hit) => hit,
        // Each use of it has to be confirmed, unless it is this request that wants more of it.
        _ if !held.stored.is_fresh(now) => return unfit(),
        Reuse::Validate(Why::NoCache) | Reuse::Forward(Why::NoCache) => return unfit(),
        _ => return Shared::Unfit,
    };
    let body = match hit.give {
        Give::NotModified => CacheBody::empty(),
        _ => match arriving.stream.join() {
            Some(reader) => CacheBody::shared(reader),
            None => return Shared::TooLate,
        },
    };
    let Hit { age, give, .. } = hit;
    let from = FromStore { entry, headers: entry.head().headers.clone(), give, age };
    let mut response = from.response(Opened::whole(body));
    let status = CacheStatus { ttl: Some(held.stored.remaining(now)), ..collapsed(*why) };
    mark(settings, &ask.head.extensions, &mut response, Served::Collapsed { age, why: *why }, status);
    Shared::Answer(response)
}

/// Answers from the store, which is not what it was.
async fn look_again<R>(forwarding: &mut Forwarding, names: Vec<HeaderName>) -> Followed<R> {
    let settings = Arc::clone(&forwarding.settings);
    let ask = &forwarding.ask;
    let found = Found::look_up(&settings, ask, true).await;
    let (why, validates) = match decide(&settings, ask, &found, Consider::LookUp) {
        Reuse::Validate(why) => (why, true),
        Reuse::Forward(why) => (why, false),
        Reuse::Serve(hit) | Reuse::ServeAndRefresh(hit) => {
            let Some(entry) = found.selected() else { return Followed::Alone };
            let response = serve(&settings, ask, entry, hit, collapsed(forwarding.why)).await;
            return response.map_or(Followed::Alone, Followed::Answered);
        }
        Reuse::Refuse(_) => return Followed::Alone,
    };
    let is_stale = found.selected().is_some();
    (forwarding.found, forwarding.why, forwarding.validates) = (found, why, validates);
    if is_stale {
        // What was confirmed just now is stale already: the next ones need not wait for each other either.
        settings.flights.passes.note(&forwarding.ask.key, settings.clock.now());
        return Followed::Alone;
    }
    if collapses(&settings, &forwarding.ask, why) { Followed::Again(names) } else { Followed::Alone }
}

/// Answers in place of a failure that another one met, by the rules for this request.
async fn stand_in<R>(forwarding: &Forwarding, failure: Failure) -> Followed<R> {
    let Forwarding { settings, ask, why, .. } = forwarding;
    let Some(entry) = forwarding.found.selected() else { return Followed::Alone };
    let now = now(settings, Some(entry));
    let hit = stands_in(&settings.rules, &ask.asked(), &held(settings, entry), failure, now);
    let Some(hit) = hit else { return Followed::Alone };
    let response = serve(settings, ask, entry, hit, collapsed(*why)).await;
    response.map_or(Followed::Alone, Followed::Answered)
}

/// The parameters of RFC 9211 §2.6 for a request that another one was made for.
fn collapsed(why: Why) -> CacheStatus {
    CacheStatus { forwarded: Some(why.forwarded()), collapsed: true, ..CacheStatus::default() }
}
