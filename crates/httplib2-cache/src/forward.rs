//! Sending a request on, and what becomes of the answer.

use std::{future::poll_fn, sync::Arc};

use bytes::Bytes;
use http::{Extensions, HeaderMap, Method, Request, Response, StatusCode, header, request};
use http_body::Body;
use httplib2_core::{
    body::{DiscardLimits, Resend, discard},
    context::Journal,
    error::BoxError,
    send::HttpService,
};
use httplib2_store::Entry;

use crate::{
    CacheBody, Kept, Served, Update, Validator,
    ask::Ask,
    found::{Found, freshened_head, held, now},
    keep::{Plan, keep, plan},
    policy::{
        Answered, CacheStatus, Conditions, Failure, Freshened, HeadSays, Held, NotModified, NotStored, Signed, Then,
        Times, Why, conditions, freshen, freshen_by_head, give, is_same_version, not_modified, obtained_for, stands_in,
    },
    respond::{FromStore, mark, refusal, serve},
    service::Handled,
    settings::Settings,
};

/// A request that goes to the origin.
pub(crate) struct Forwarding {
    pub(crate) settings: Arc<Settings>,
    pub(crate) ask: Ask,
    pub(crate) found: Found,
    pub(crate) why: Why,
    /// Whether the origin is asked about what is stored.
    pub(crate) validates: bool,
}

pub(crate) type Answer<S, B> = Result<Response<CacheBody<<S as HttpService<B>>::ResponseBody>>, BoxError>;

/// Sends a request that the cache has nothing to do with, and hands on the answer untouched.
pub(crate) async fn pass<S, B>(mut inner: S, request: Request<B>, settings: Arc<Settings>, why: Why) -> Answer<S, B>
where
    S: HttpService<B>,
{
    poll_fn(|cx| inner.poll_ready(cx)).await.map_err(Into::into)?;
    let journal = journal(request.extensions());
    let mut response = inner.call(request).await.map_err(Into::into)?.map(CacheBody::passing);
    let status = CacheStatus { forwarded: Some(why.forwarded()), ..CacheStatus::default() };
    mark(&settings, &journal, &mut response, Served::Network { why, kept: Kept::Passed }, status);
    Ok(response)
}

/// Answers a request that may not be sent.
pub(crate) async fn refuse<R, B>(
    request: Request<B>,
    settings: Arc<Settings>,
    why: Why,
) -> Result<Response<CacheBody<R>>, BoxError> {
    Ok(refusal(&settings, request.extensions(), Served::Refused { why }))
}

/// Sends the request, with conditions if something stored is to be validated, and once more without them when the 304
/// that came is about something else.
pub(crate) async fn forward<S, B>(mut inner: S, body: B, mut forwarding: Forwarding) -> Answer<S, B>
where
    S: HttpService<B>,
    B: Body + Resend + Send + 'static,
{
    // What could not be sent again is not validated: a 304 about something else would leave no way out.
    let mut spare = if forwarding.validates { body.try_clone() } else { None };
    // To copy extensions costs an allocation for each of them.
    let mut options = if spare.is_none() { Some(forwarding.take_extensions()) } else { None };
    let this = &forwarding;
    let mut conditions = if spare.is_some() { this.conditions() } else { Conditions::default() };
    // If not, a 304 answers the caller's own conditions, whatever it says.
    let asks_more = conditions != Conditions::default();
    let mut body = body;
    loop {
        let with = if conditions.if_none_match.is_some() { Validator::ETag } else { Validator::LastModified };
        let mut head = this.head(std::mem::take(&mut conditions));
        if let Some(options) = options.take() {
            head.extensions = options;
        }
        head.extensions.insert(Handled);
        let (response, times) = match send(&mut inner, head, body, &this.settings).await {
            Ok(answer) => answer,
            Err(error) if !this.settings.is_disconnection(&error) => return Err(error),
            Err(error) => return this.stand_in(Failure::Disconnected).await.ok_or(error),
        };
        if response.status() == StatusCode::NOT_MODIFIED
            && let Some(again) = spare.take()
        {
            let confirmed = match this.judge(&response) {
                NotModified::PassOn => return Ok(this.keep(response, times).await),
                NotModified::SendAgain if !asks_more => return Ok(this.keep(response, times).await),
                NotModified::Freshen(at) => this.freshen(at, with, &this.answered(&response, times)).await,
                NotModified::Confirm(at) => this.confirm(at, with).await,
                NotModified::SendAgain => None,
            };
            let (head, unwanted) = response.into_parts();
            discard(unwanted, DiscardLimits::default()).await;
            if let Some(confirmed) = confirmed {
                return Ok(with_extensions(head.extensions, confirmed));
            }
            body = again;
            continue;
        }
        if let Some(instead) = this.stand_in(Failure::Status(response.status())).await {
            let (head, unwanted) = response.into_parts();
            discard(unwanted, DiscardLimits::default()).await;
            return Ok(with_extensions(head.extensions, instead));
        }
        return Ok(this.keep(response, times).await);
    }
}

/// Makes the inner service ready and calls it.
pub(crate) async fn send<S, B>(
    inner: &mut S,
    head: request::Parts,
    body: B,
    settings: &Settings,
) -> Result<(Response<S::ResponseBody>, Times), BoxError>
where
    S: HttpService<B>,
{
    poll_fn(|cx| inner.poll_ready(cx)).await.map_err(Into::into)?;
    let requested_at = settings.clock.now();
    let response = inner.call(Request::from_parts(head, body)).await.map_err(Into::into)?;
    Ok((response, Times { requested_at, received_at: settings.clock.now() }))
}

/// A stored response that answers in place of another one tells also what layers further in said on that one.
fn with_extensions<R>(mut extensions: Extensions, mut response: Response<R>) -> Response<R> {
    extensions.extend(std::mem::take(response.extensions_mut()));
    *response.extensions_mut() = extensions;
    response
}

/// Extensions with the journal of a request and nothing else: empty, and free, when there is none.
pub(crate) fn journal(options: &Extensions) -> Extensions {
    let mut extensions = Extensions::new();
    if let Some(journal) = options.get::<Journal>() {
        extensions.insert(journal.clone());
    }
    extensions
}

// === impl Forwarding ===

impl Forwarding {
    /// What asks the origin about what is stored.
    fn conditions(&self) -> Conditions {
        let selected = self.found.selected().map(|entry| held(&self.settings, entry));
        conditions(&self.settings.rules, &self.ask.asked(), selected, self.found.held(&self.settings))
    }

    /// The head of the request as it is sent.
    pub(crate) fn head(&self, conditions: Conditions) -> request::Parts {
        let mut head = self.ask.head.clone();
        conditions.apply(&mut head.headers);
        self.ask.mode.tell(&mut head.headers);
        head
    }

    /// Takes the extensions of a request that is sent once, but for what is asked for afterwards.
    fn take_extensions(&mut self) -> Extensions {
        let extensions = std::mem::take(&mut self.ask.head.extensions);
        self.ask.head.extensions = journal(&extensions);
        extensions
    }

    /// What a shared cache does not store for others is all the same for the one who asked.
    pub(crate) fn give_cookies(&self, answered: &HeaderMap, given: &mut HeaderMap) {
        if !self.settings.rules.is_shared() {
            return;
        }
        for cookie in answered.get_all(header::SET_COOKIE) {
            if !given.get_all(header::SET_COOKIE).iter().any(|other| other == cookie) {
                given.append(header::SET_COOKIE, cookie.clone());
            }
        }
    }

    /// Whether an answer was obtained for the one whom the stored responses are for.
    pub(crate) fn is_for_the_same<R>(&self, response: &Response<R>) -> bool {
        let identity = self.ask.identity.as_ref();
        self.settings.rules.is_shared() || obtained_for(identity, response.extensions().get()) == identity
    }

    pub(crate) fn answered<'a, R>(&self, response: &'a Response<R>, times: Times) -> Answered<'a> {
        let signed = Signed::of(self.ask.identity.as_ref(), response.extensions().get());
        Answered { status: response.status(), headers: response.headers(), times, signed }
    }

    /// What a 304 means that came to the conditions of this cache.
    fn judge<R>(&self, response: &Response<R>) -> NotModified {
        if !self.is_for_the_same(response) {
            // It tells what somebody else has.
            return NotModified::SendAgain;
        }
        let variants = self.found.held(&self.settings);
        let selected = self.found.selected_at();
        not_modified(&self.settings.rules, &self.ask.asked(), variants, selected, response.headers())
    }

    /// Updates a stored response and answers with it; `None` when its body cannot be had.
    async fn freshen<R>(&self, at: usize, with: Validator, answered: &Answered<'_>) -> Option<Response<CacheBody<R>>> {
        let entry = self.found.get(at)?;
        let held = held(&self.settings, entry);
        let freshened = freshen(&self.settings.rules, &self.ask.asked(), &held, answered);
        let updated = Held { stored: &freshened.stored, headers: &freshened.headers, ..held };
        let give = give(&self.ask.asked(), &updated);
        let age = freshened.stored.age(answered.times.received_at);
        let from = FromStore { entry, headers: HeaderMap::new(), give, age };
        // Before the update: if the body is gone there is nothing to update.
        let body = from.open(&self.settings, &self.ask).await?;
        let then = self.update(entry, &freshened, answered.times).await;
        let ttl = freshened.stored.remaining(answered.times.received_at);
        let mut headers = freshened.headers;
        self.give_cookies(answered.headers, &mut headers);
        let mut response = FromStore { headers, ..from }.response(body);
        let served = Served::Validated { age, why: self.why, with, then };
        self.mark(&mut response, served, Some(304), Some(ttl), then == Update::Freshened);
        Some(response)
    }

    /// Answers with a stored response that the origin confirmed for this request only.
    async fn confirm<R>(&self, at: usize, with: Validator) -> Option<Response<CacheBody<R>>> {
        let entry = self.found.get(at)?;
        let held = held(&self.settings, entry);
        let now = now(&self.settings, Some(entry));
        let (give, age) = (give(&self.ask.asked(), &held), held.stored.age(now));
        let from = FromStore { entry, headers: entry.head().headers.clone(), give, age };
        let body = from.open(&self.settings, &self.ask).await?;
        let mut response = from.response(body);
        let served = Served::Validated { age, why: self.why, with, then: Update::Left };
        self.mark(&mut response, served, Some(304), Some(held.stored.remaining(now)), false);
        Some(response)
    }

    pub(crate) async fn update(&self, entry: &Entry, freshened: &Freshened, times: Times) -> Update {
        let settings = &self.settings;
        match (&freshened.then, self.found.generation) {
            (Then::Drop(why), _) => {
                settings.remove(&self.ask.key, entry).await;
                Update::Dropped(*why)
            }
            (Then::Leave, _) | (_, None) => Update::Left,
            (Then::Update | Then::Reselect(_), Some(generation)) => {
                let head = freshened_head(settings, entry.head(), freshened, times);
                let update = settings.store.update(&self.ask.key, entry.id(), head, generation);
                if settings.wait("update", update).await.is_some() {
                    return Update::Freshened;
                }
                // It would go on by what the origin has just taken back.
                settings.remove(&self.ask.key, entry).await;
                Update::Failed
            }
        }
    }

    /// The stored response that answers in place of a failure, if one may.
    async fn stand_in<R>(&self, failure: Failure) -> Option<Response<CacheBody<R>>> {
        let entry = self.found.selected().filter(|_| self.ask.mode.looks())?;
        let settings = &self.settings;
        let now = now(settings, Some(entry));
        let hit = stands_in(&settings.rules, &self.ask.asked(), &held(settings, entry), failure, now)?;
        let forwarded_status = match failure {
            Failure::Status(status) => Some(status.as_u16()),
            Failure::Disconnected => None,
        };
        let status = CacheStatus { forwarded: Some(self.why.forwarded()), forwarded_status, ..CacheStatus::default() };
        serve(settings, &self.ask, entry, hit, status).await
    }

    /// Hands on an answer, and stores it if it may be.
    pub(crate) async fn keep<R>(&self, response: Response<R>, times: Times) -> Response<CacheBody<R>>
    where
        R: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        // What somebody else would get is none of the business of these stored responses.
        if self.ask.head.method == Method::HEAD && self.is_for_the_same(&response) {
            self.learn(&self.answered(&response, times)).await;
        }
        if response.status() == StatusCode::PARTIAL_CONTENT && self.ask.head.method == Method::GET {
            return self.keep_part(response, times).await;
        }
        let answered = self.answered(&response, times);
        let plan = plan(&self.settings, &self.ask, &self.found, &answered, response.extensions().get());
        let outdated = self.found.whole_or_part().filter(|entry| self.outdates(response.status(), &plan, entry));
        if let Some(entry) = outdated {
            self.settings.remove(&self.ask.key, entry).await;
        }
        let replaced = self.found.whole_or_part().filter(|entry| self.replaces(&plan, entry)).cloned();
        let broken = self.broken(&plan, &response);
        let (mut response, kept) = keep(&self.settings, &self.ask, plan, replaced, broken, response).await;
        let served = Served::Network { why: self.why, kept };
        self.mark(&mut response, served, None, None, kept == Kept::Storing);
        response
    }

    /// Whether the answer says what the stored response should say now, without taking its place: because it is not
    /// stored, or is selected in another way. The old one must not outlive it then.
    fn outdates(&self, status: StatusCode, plan: &Plan, entry: &Entry) -> bool {
        match plan {
            Plan::Store(head, _) => !head.selects_same(entry.head()),
            Plan::Not(Kept::Not(NotStored::Method | NotStored::RequestNoStore)) => false,
            Plan::Not(_) => is_newer(status),
        }
    }

    /// Whether the answer is to take the place of a stored response that would be used without asking again: if it
    /// cannot be stored after all, that one must not be used any longer.
    fn replaces(&self, plan: &Plan, entry: &Entry) -> bool {
        let Plan::Store(head, _) = plan else { return false };
        head.selects_same(entry.head())
            && held(&self.settings, entry).stored.is_fresh(now(&self.settings, Some(entry)))
            && !is_same_version(&head.headers, &entry.head().headers)
    }

    /// What the answer to a HEAD request says about what is stored (RFC 9111 §4.3.5).
    async fn learn(&self, answered: &Answered<'_>) {
        let Some(entry) = self.found.selected() else { return self.learn_of_part(answered).await };
        let held = held(&self.settings, entry);
        match freshen_by_head(&self.settings.rules, &self.ask.asked(), &held, answered) {
            HeadSays::Same(freshened) => {
                self.update(entry, &freshened, answered.times).await;
            }
            HeadSays::Changed => self.settings.remove(&self.ask.key, entry).await,
            HeadSays::Nothing => {}
        }
    }

    pub(crate) fn mark<R>(
        &self,
        response: &mut Response<R>,
        served: Served,
        forwarded_status: Option<u16>,
        ttl: Option<i64>,
        stored: bool,
    ) {
        let forwarded = Some(self.why.forwarded());
        let status = CacheStatus { forwarded, forwarded_status, ttl, stored, ..CacheStatus::default() };
        mark(&self.settings, &self.ask.head.extensions, response, served, status);
    }
}

/// Whether an answer says what the resource is now, and not only that something went wrong with the request.
fn is_newer(status: StatusCode) -> bool {
    status.is_success() && status != StatusCode::PARTIAL_CONTENT
        || matches!(status.as_u16(), 300..=303 | 307 | 308 | 404 | 410)
}
