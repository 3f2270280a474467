//! Storing an answer while its caller reads it.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Response, header};
use http_body::Body;
use httplib2_core::{error::BoxError, who::SignedAs};
use httplib2_store::{Entry, Generation, Head, StoreError, Writer};

use crate::{
    CacheBody, Kept,
    ask::Ask,
    found::{Found, head_of},
    policy::{Answered, Keep, NotStored, obtained_for, store},
    settings::Settings,
    splice::Broken,
    stock::complain,
    tee::Tee,
};

/// What becomes of an answer.
pub(crate) enum Plan {
    Store(Box<Head>, Generation),
    Not(Kept),
}

/// Decides whether an answer is stored, and under which head.
pub(crate) fn plan(
    settings: &Settings,
    ask: &Ask,
    found: &Found,
    answered: &Answered<'_>,
    mark: Option<&SignedAs>,
) -> Plan {
    let kept = match store(&settings.rules, &ask.asked(), answered) {
        Keep::Store(kept) => kept,
        Keep::Skip(why) => return Plan::Not(Kept::Not(why)),
    };
    let Some(generation) = found.generation else { return Plan::Not(Kept::Failed) };
    // What a shared cache stores is for everybody.
    let identity = if settings.rules.is_shared() { None } else { obtained_for(ask.identity.as_ref(), mark).cloned() };
    Plan::Store(Box::new(head_of(settings, *kept, answered, identity)), generation)
}

/// Lets the body of an answer go to the store while it goes to the caller, if that is the plan. Otherwise, and where that
/// does not succeed, `outdated` is dropped.
pub(crate) async fn keep<R>(
    settings: &Arc<Settings>,
    ask: &Ask,
    plan: Plan,
    outdated: Option<Entry>,
    broken: Option<Broken>,
    response: Response<R>,
) -> (Response<CacheBody<R>>, Kept)
where
    R: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let (writer, kept) = match plan {
        Plan::Store(head, generation) => begin(settings, ask, *head, generation, &response),
        Plan::Not(why) => (None, why),
    };
    let Some(writer) = writer else {
        if let Some(entry) = outdated {
            settings.remove(&ask.key, &entry).await;
        }
        return (response.map(CacheBody::passing), kept);
    };
    let (head, body) = response.into_parts();
    let outdated = outdated.map(|entry| (ask.key.clone(), entry));
    let mut tee = Tee::new(body, writer, Arc::clone(settings)).in_place_of(outdated).or_broken(broken);
    tee.finish_if_empty().await;
    (Response::from_parts(head, CacheBody::storing(tee)), kept)
}

/// Begins to store an answer. `None` when it cannot be stored, with the reason.
fn begin<R: Body>(
    settings: &Settings,
    ask: &Ask,
    mut head: Head,
    generation: Generation,
    response: &Response<R>,
) -> (Option<Box<dyn Writer>>, Kept) {
    let Ok(length) = length(response.headers(), response.body()) else {
        return (None, Kept::Not(NotStored::NotCacheable));
    };
    if length.is_some_and(|length| length > settings.max_object) {
        return (None, Kept::TooLarge);
    }
    head.version = response.version();
    let shared = ask.flight.as_ref().map(|flight| (flight, head.clone()));
    match settings.store.write(ask.key.clone(), head, length, generation) {
        Ok(writer) => match shared {
            Some((flight, head)) => (Some(flight.watch(writer, head, length)), Kept::Storing),
            None => (Some(writer), Kept::Storing),
        },
        Err(error) => {
            complain("storing", &error);
            let too_large = matches!(error, StoreError::TooLarge { .. });
            (None, if too_large { Kept::TooLarge } else { Kept::Failed })
        }
    }
}

/// How long the body has to be so that it is whole (RFC 9112 §6.3): an error where the fields contradict each other.
fn length<R: Body>(headers: &HeaderMap, body: &R) -> Result<Option<u64>, ()> {
    let mut lines = headers.get_all(header::CONTENT_LENGTH).iter();
    let Some(first) = lines.next() else { return Ok(body.size_hint().exact()) };
    let is_digits = !first.is_empty() && first.as_bytes().iter().all(u8::is_ascii_digit);
    let length = first.to_str().ok().filter(|_| is_digits).and_then(|text| text.parse().ok()).ok_or(())?;
    if lines.any(|line| line != first) { Err(()) } else { Ok(Some(length)) }
}
