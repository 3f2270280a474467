//! One call: a read, whose answer is looked at; or an update, which is guarded and sent, and sent again where
//! the caller asked for that.

use std::{
    future::{Future, poll_fn},
    sync::Arc,
};

use http::{Extensions, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body::Body;
use httplib2_core::{body::Resend, context::Journal, error::BoxError, send::HttpService, who::Validators};

use crate::{
    Guard, LostUpdateError, Merger, NotMerged, Precondition, Source, Unguarded,
    again::{Spare, fetch_and_send, merge_and_send},
    decide::{Basis, Lesson, Wish, basis, lesson_of_read, lesson_of_update, own_precondition, precondition, wish},
    ledger::{Known, Turn},
    place::Place,
    rules::Rules,
    service::Shared,
    tag::is_strong,
};

/// What is kept of a read while it is under way.
pub(crate) struct Reading {
    place: Place,
    since: Turn,
    /// The `If-None-Match` of the caller.
    asked: Vec<HeaderValue>,
}

/// What is kept of an update while it is under way.
struct Writing {
    /// `None` where the URI has no origin.
    place: Option<Place>,
    method: Method,
    /// What the precondition was made of.
    expected: Known,
    /// The caller's journal and nothing else.
    journal: Extensions,
}

/// Looks at the answer to a GET. Dropping the future drops the send, and nothing is learnt.
///
/// The head is enough: whoever drops the body knows that there is another version, and that it was not read.
pub(crate) async fn read<R, E: Into<BoxError>>(
    sending: impl Future<Output = Result<Response<R>, E>>,
    reading: Reading,
    shared: Arc<Shared>,
) -> Result<Response<R>, BoxError> {
    let response = sending.await.map_err(Into::into)?;
    let Reading { place, since, asked } = reading;
    let seen = match lesson_of_read(response.status(), response.headers(), &asked) {
        Lesson::Nothing => return Ok(response),
        Lesson::Forget => None,
        Lesson::Version(seen) => Some(seen),
    };
    let (selecting, seen) = match shared.keys.selecting(response.headers(), &place.fields) {
        Some(selecting) => (selecting, seen),
        // What selected it is not known (`Vary: *`). The caller has seen it all the same, and a strong tag names no
        // other version of this resource.
        None => (Vec::new(), seen.filter(|seen| seen.etag.as_ref().is_some_and(is_strong))),
    };
    shared.ledger.read(&place, since, selecting, seen);
    Ok(response)
}

/// Guards an update, sends it, and learns from the answer.
///
/// `service` was polled ready. Dropping the future at any `await` drops what is under way. The ledger then keeps
/// what it knew: should the update have been done after all, the next one gets a 412.
pub(crate) async fn update<S, B>(
    mut service: S,
    mut request: Request<B>,
    merger: Option<Merger<B>>,
    shared: Arc<Shared>,
) -> Result<Response<S::ResponseBody>, BoxError>
where
    S: HttpService<B>,
    B: Body + Resend,
{
    let rules = &*shared.rules;
    let mut writing = Writing::of(&request, &shared);
    let wish = wish(rules, request.method(), request.headers(), request.extensions());
    let mut guard = match wish {
        Wish::Nothing => {
            let basis = basis(own_precondition(request.headers()).as_ref(), None);
            let response = service.call(request).await.map_err(Into::into)?;
            writing.learn(&response, basis, &shared);
            return Ok(response);
        }
        Wish::Own(own) => writing.expect_own(own),
        Wish::Ignore => Guard::unguarded(Unguarded::IgnoreEtag),
        Wish::CreateOnly => Guard::sent(Precondition::create_only(), Source::CreateOnly),
        Wish::Tag => {
            let mut source = Source::Ledger;
            writing.expected = writing.place.as_ref().map(|place| shared.ledger.known(place)).unwrap_or_default();
            if writing.expected.seen.is_empty()
                && let Some(sources) = &shared.sources
            {
                let asking = sources.known_tags(request.uri(), request.headers());
                (service, writing.expected.seen) = ask(service, asking).await?;
                source = Source::KnownTags;
            }
            let made = precondition(rules, request.method(), &writing.expected.seen, source);
            made.map_or_else(Guard::unguarded, |(precondition, source)| Guard::sent(precondition, source))
        }
    };
    permit(rules, &request, &guard)?;
    guard.put_into(request.headers_mut());
    Journal::record(&writing.journal, "lost-update", &guard);

    let may_go_again = guard.is_renewable() && (merger.is_some() || rules.fetch_tag_on_428);
    let spare = may_go_again.then(|| Spare::of(&request));
    let mut response = service.call(request).await.map_err(Into::into)?;
    let first = guard.guarded();
    guard.note(response.status(), response.headers());
    if let Some(spare) = spare
        && guard.is_curable()
    {
        response = match merger {
            Some(_) if writing.expected.is_of_others => {
                guard.give_up(NotMerged::OtherVariant);
                response
            }
            Some(merger) => merge_and_send(&mut service, response, spare, &merger, &mut guard, rules).await?,
            None if guard.reason().is_some() => {
                fetch_and_send(&mut service, response, spare, &mut guard, rules).await?
            }
            None => response,
        };
    }
    match &writing.place {
        Some(place) if guard.rounds() > 0 && guard.conflict().is_none() => {
            shared.ledger.merged(place, &writing.expected.seen);
        }
        _ => writing.learn(&response, basis(guard.precondition(), guard.source()), &shared),
    }
    if guard.refusal().is_some() || guard.source() == Some(Source::Fetched) {
        Journal::record(&writing.journal, "lost-update", &guard);
    }
    // Whoever follows a redirect sends the caller's own body, not the one that was merged: it must not get the tag
    // of what was taken up into that one.
    let guarded = if guard.rounds() > 0 { first } else { guard.guarded() };
    if let Some(guarded) = guarded {
        response.extensions_mut().insert(guarded);
    }
    response.extensions_mut().insert(guard);
    Ok(response)
}

/// Asks the other source, holding no readied service while it waits: somebody else may need the permit.
async fn ask<S, B>(
    service: S,
    asking: impl Future<Output = Option<Validators>>,
) -> Result<(S, Vec<Validators>), BoxError>
where
    S: HttpService<B>,
{
    let mut unready = service.clone();
    drop(service);
    let known = asking.await;
    poll_fn(|cx| unready.poll_ready(cx)).await.map_err(Into::into)?;
    // Nobody says when the answer with this date was made, so the date is not known to be strong.
    Ok((unready, known.map(|known| Validators { last_modified: None, ..known }).into_iter().collect()))
}

/// Refuses a request that must have a precondition and got none.
fn permit<B>(rules: &Rules, request: &Request<B>, guard: &Guard) -> Result<(), LostUpdateError> {
    match guard.reason() {
        Some(reason) if reason != Unguarded::IgnoreEtag && rules.requires_tag(request.extensions()) => {
            let (method, uri) = (request.method().clone(), request.uri().clone());
            let error = LostUpdateError::NothingKnown { method, uri, reason };
            Journal::record(request.extensions(), "lost-update", &error);
            Err(error)
        }
        _ => Ok(()),
    }
}

// === impl Reading ===

impl Reading {
    /// `None` where the URI has no origin, so that nothing can be remembered of it.
    pub(crate) fn of<B>(request: &Request<B>, shared: &Shared) -> Option<Self> {
        let asked = request.headers().get_all(header::IF_NONE_MATCH).iter().cloned().collect();
        Some(Self { place: shared.place(request)?, since: shared.ledger.turn(), asked })
    }
}

// === impl Writing ===

impl Writing {
    fn of<B>(request: &Request<B>, shared: &Shared) -> Self {
        let mut journal = Extensions::new();
        if let Some(asked_for) = request.extensions().get::<Journal>() {
            journal.insert(asked_for.clone());
        }
        Self { place: shared.place(request), method: request.method().clone(), expected: Known::default(), journal }
    }

    fn expect_own(&mut self, own: Precondition) -> Guard {
        if let Precondition::IfMatch(tag) = &own {
            self.expected.seen = vec![Validators { etag: Some(tag.clone()), last_modified: None }];
        }
        Guard::sent(own, Source::Caller)
    }

    fn learn<R>(&self, response: &Response<R>, basis: Basis, shared: &Shared) {
        let Some(place) = &self.place else { return };
        let Shared { rules, ledger, keys, .. } = shared;
        if response.status() == StatusCode::PRECONDITION_FAILED && !rules.guard_after_conflict {
            ledger.refused(place, &self.expected.seen);
        }
        match lesson_of_update(rules, &self.method, basis, response.status(), response.headers()) {
            Lesson::Nothing => {}
            Lesson::Forget => ledger.written(place, None),
            Lesson::Version(seen) => {
                let selecting = keys.selecting(response.headers(), &place.fields).unwrap_or_default();
                ledger.written(place, Some((selecting, seen)));
            }
        }
    }
}
