//! Requests of which a part is stored (RFC 9111 §3.3, §3.4).

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use http::{Response, StatusCode, header};
use http_body::Body;
use httplib2_core::{
    body::{DiscardLimits, Resend, discard},
    error::BoxError,
    send::HttpService,
};
use httplib2_store::{Entry, StoredBody};

use crate::{
    CacheBody, Kept, Served,
    forward::{Answer, Forwarding, forward, send},
    found::{freshened_head, held, now, spanning},
    policy::{CacheStatus, Conditions, Missing, Then, Times, UsePart, Why, freshen, use_part},
    range::open_range,
    respond::{refusal, serve},
    service::Handled,
    splice::Chain,
    tee::Tee,
};

/// What is told about a response to a request for what was missing.
enum Rest {
    /// It is that.
    Joins,
    /// It answers what the caller asked for.
    Answers,
    /// It says nothing that the caller asked for, or lies.
    SendAgain,
}

/// Sends a request on, with the help of a part where one is stored.
pub(crate) async fn send_on<S, B>(inner: S, body: B, forwarding: Forwarding) -> Answer<S, B>
where
    S: HttpService<B>,
    B: Body + Resend + Send + 'static,
{
    match forwarding.found.part().cloned() {
        Some(part) => by_part(inner, body, forwarding, part).await,
        None => forward(inner, body, forwarding).await,
    }
}

/// Answers a request of which only a part is stored: with it, with its help, or without.
pub(crate) async fn by_part<S, B>(inner: S, body: B, forwarding: Forwarding, entry: Entry) -> Answer<S, B>
where
    S: HttpService<B>,
    B: Body + Resend + Send + 'static,
{
    let Forwarding { settings, ask, .. } = &forwarding;
    let now = now(settings, Some(&entry));
    let use_part = use_part(&settings.rules, &ask.asked(), &held(settings, &entry), entry.length(), now);
    match use_part {
        UsePart::Serve(hit) => {
            if let Some(response) = serve(settings, ask, &entry, hit, CacheStatus::default()).await {
                return Ok(response);
            }
            if ask.asked().control().only_if_cached {
                return Ok(refusal(settings, &ask.head.extensions, Served::Refused { why: Why::Missing }));
            }
            forward(inner, body, forwarding.without_part(Why::Missing)).await
        }
        UsePart::Complete(missing) => complete(inner, body, forwarding, &entry, missing).await,
        UsePart::Forward(why) => forward(inner, body, Forwarding { why, ..forwarding }).await,
        UsePart::Refuse(why) => Ok(refusal(settings, &ask.head.extensions, Served::Refused { why })),
    }
}

/// Asks for what is missing and answers with the two together; or, where the origin has something else to say, with
/// that. A lie costs another request, without anything that is stored.
async fn complete<S, B>(mut inner: S, body: B, forwarding: Forwarding, entry: &Entry, missing: Missing) -> Answer<S, B>
where
    S: HttpService<B>,
    B: Body + Resend + Send + 'static,
{
    // What could not be sent again is not changed: an answer to something else would leave no way out.
    let Some(spare) = body.try_clone() else { return forward(inner, body, forwarding).await };
    let Some(stored) = forwarding.open_stored(entry, &missing).await else {
        forwarding.settings.remove(&forwarding.ask.key, entry).await;
        return forward(inner, body, forwarding.without_part(Why::Missing)).await;
    };
    let mut head = forwarding.head(Conditions::default());
    missing.apply(&mut head.headers);
    head.extensions.insert(Handled);
    let (response, times) = send(&mut inner, head, body, &forwarding.settings).await?;
    match forwarding.judge_rest(entry, &missing, &response, times) {
        Rest::Joins => Ok(forwarding.join(entry, missing, stored, response, times).await),
        Rest::Answers => Ok(forwarding.keep(response, times).await),
        Rest::SendAgain => {
            discard(response.into_body(), DiscardLimits::default()).await;
            forward(inner, spare, forwarding).await
        }
    }
}

// === impl Forwarding ===

impl Forwarding {
    /// After it turned out that the part cannot be had.
    fn without_part(mut self, why: Why) -> Self {
        self.found.forget_part();
        Self { why, ..self }
    }

    /// The stored bytes that the caller is given.
    async fn open_stored(&self, entry: &Entry, missing: &Missing) -> Option<StoredBody> {
        let Range { start, end } = missing.wanted.range;
        let range = start.max(missing.stored.range.start)..end.min(missing.stored.range.end);
        open_range(&self.settings, &self.ask, entry, &missing.stored, &range).await
    }

    fn judge_rest<R>(&self, entry: &Entry, missing: &Missing, response: &Response<R>, times: Times) -> Rest {
        let answered = self.answered(response, times);
        match answered.status {
            StatusCode::PARTIAL_CONTENT
                if self.is_for_the_same(response) && missing.is_brought_by(&held(&self.settings, entry), &answered) =>
            {
                Rest::Joins
            }
            StatusCode::PARTIAL_CONTENT | StatusCode::NOT_MODIFIED | StatusCode::RANGE_NOT_SATISFIABLE => {
                Rest::SendAgain
            }
            _ => Rest::Answers,
        }
    }

    /// Answers with what is stored and what was missing, and stores the two as one.
    async fn join<R>(
        &self,
        entry: &Entry,
        missing: Missing,
        stored: StoredBody,
        response: Response<R>,
        times: Times,
    ) -> Response<CacheBody<R>>
    where
        R: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let settings = &self.settings;
        let freshened =
            freshen(&settings.rules, &self.ask.asked(), &held(settings, entry), &self.answered(&response, times));
        let (mut head, network) = response.into_parts();
        let writing = self.write_together(&freshened, times, &missing.wanted, true, (entry, &missing.stored)).await;
        let answered = std::mem::replace(&mut head.headers, freshened.headers.clone());
        self.give_cookies(&answered, &mut head.headers);
        missing.wanted.describe(&mut head.headers);
        head.status = StatusCode::OK;
        if missing.is_range {
            head.status = StatusCode::PARTIAL_CONTENT;
            head.headers.insert(header::CONTENT_RANGE, missing.wanted.content_range());
        }
        let from_store = missing.wanted.length() - missing.length();
        let chain = if missing.is_behind() {
            Chain::default().then(stored, from_store).then(network, missing.length())
        } else {
            Chain::default().then(network, missing.length()).then(stored, from_store)
        };
        let (tee, kept) = match writing {
            Ok((mut writer, broken)) => {
                if let Some(flight) = self.ask.flight.as_ref().filter(|_| !missing.is_range) {
                    let stored = spanning(&freshened_head(settings, entry.head(), &freshened, times), &missing.wanted);
                    writer = flight.watch(writer, stored, Some(missing.wanted.length()));
                }
                let tee = Tee::new(chain, writer, Arc::clone(settings));
                (tee.or_broken(broken), Kept::Storing)
            }
            Err(why) => (Tee::through(chain, Arc::clone(settings)), why),
        };
        if let Then::Drop(_) = freshened.then {
            settings.remove(&self.ask.key, entry).await;
        }
        let mut response = Response::from_parts(head, CacheBody::storing(tee));
        let served = Served::Completed { why: self.why, stored: from_store, kept };
        self.mark(&mut response, served, Some(206), None, kept == Kept::Storing);
        response
    }
}
