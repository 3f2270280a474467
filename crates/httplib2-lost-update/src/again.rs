//! An update that was refused, and is sent again: merged with the version that is there, or with its tag.

use std::{future::poll_fn, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header, request};
use http_body::Body;
use httplib2_core::{
    body::{DiscardLimits, Resend, discard, drain},
    error::BoxError,
    send::{HttpService, clone_head},
};

use crate::{Guard, Merger, NotMerged, Precondition, Versions, decide::strong_tag, rules::Rules, tag::if_match};

/// What is kept of a request in case it must be sent again.
pub(crate) struct Spare<B> {
    head: request::Parts,
    /// `None` when it cannot be sent again.
    body: Option<B>,
}

/// Merges the refused request with what is there now and sends it again, until it is no longer refused or
/// something is in the way; then the last refusal is returned.
///
/// A refusal is given up only when the next request is ready to be sent. Dropping the future at any `await`
/// drops what is under way; nothing runs on.
pub(crate) async fn merge_and_send<S, B>(
    service: &mut S,
    mut refused: Response<S::ResponseBody>,
    spare: Spare<B>,
    merger: &Merger<B>,
    guard: &mut Guard,
    rules: &Rules,
) -> Result<Response<S::ResponseBody>, BoxError>
where
    S: HttpService<B>,
    B: Body + Resend,
{
    let Spare { head, body } = spare;
    let mine = match body {
        Some(body) if body.claim() => whole(body, rules.merge_bytes).await,
        _ => None,
    };
    let Some(mine) = mine else {
        guard.give_up(NotMerged::BodyGone);
        return Ok(refused);
    };
    while guard.rounds() < rules.merge_rounds {
        let (precondition, merged) = match merge(service, &head, &mine, merger, guard.rounds() + 1, rules).await {
            Ok(merged) => merged,
            Err(reason) => {
                guard.give_up(reason);
                return Ok(refused);
            }
        };
        discard(refused.into_body(), rules.discard_limits).await;
        guard.renew(precondition, true);
        let mut again = Request::from_parts(head.clone(), merged);
        remove(again.headers_mut(), describes_octets);
        guard.put_into(again.headers_mut());
        refused = send(service, again).await?;
        guard.note(refused.status(), refused.headers());
        if guard.conflict().is_none() {
            return Ok(refused);
        }
    }
    guard.give_up(NotMerged::Rounds(rules.merge_rounds));
    Ok(refused)
}

/// Sends a request of which nothing was known again, with the tag that a HEAD tells, and returns what comes.
pub(crate) async fn fetch_and_send<S, B>(
    service: &mut S,
    refused: Response<S::ResponseBody>,
    spare: Spare<B>,
    guard: &mut Guard,
    rules: &Rules,
) -> Result<Response<S::ResponseBody>, BoxError>
where
    S: HttpService<B>,
    B: Body + Resend,
{
    let Spare { head, body } = spare;
    let Ok(told) = send(service, asking(&head, Method::HEAD)).await else { return Ok(refused) };
    let (told, unwanted) = told.into_parts();
    discard(unwanted, rules.discard_limits).await;
    let precondition = told.status.is_success().then(|| current(&told.headers, rules)).flatten();
    match (precondition, body) {
        (Some(precondition), Some(body)) if body.claim() => {
            discard(refused.into_body(), rules.discard_limits).await;
            guard.renew(precondition, false);
            let mut again = Request::from_parts(head, body);
            guard.put_into(again.headers_mut());
            let response = send(service, again).await?;
            guard.note(response.status(), response.headers());
            Ok(response)
        }
        _ => Ok(refused),
    }
}

/// One round: fetches what is there now and asks the hook. Nothing of `theirs` is learnt, because the caller has
/// not seen it.
async fn merge<S, B>(
    service: &mut S,
    head: &request::Parts,
    mine: &Bytes,
    merger: &Merger<B>,
    round: usize,
    rules: &Rules,
) -> Result<(Precondition, B), NotMerged>
where
    S: HttpService<B>,
    B: Resend,
{
    let theirs = send(service, asking(head, Method::GET)).await;
    let theirs = theirs.map_err(|error| NotMerged::FetchFailed(error.to_string().into()))?;
    let (theirs, body) = theirs.into_parts();
    if theirs.status != StatusCode::OK {
        discard(body, rules.discard_limits).await;
        return Err(NotMerged::Status(theirs.status));
    }
    let precondition = current(&theirs.headers, rules).ok_or(NotMerged::NoTag)?;
    let body = whole(body, rules.merge_bytes).await.ok_or(NotMerged::NotWhole)?;
    let mine = Request::from_parts(head.clone(), mine.clone());
    let versions = Versions { mine, theirs: Response::from_parts(theirs, body), round };
    let merged = merger.merge(versions).await.ok_or(NotMerged::GivenUp)?;
    Ok((precondition, merged))
}

async fn send<S, B>(service: &mut S, request: Request<B>) -> Result<Response<S::ResponseBody>, BoxError>
where
    S: HttpService<B>,
{
    poll_fn(|cx| service.poll_ready(cx)).await.map_err(Into::into)?;
    service.call(request).await.map_err(Into::into)
}

/// Reads a body to its end, or returns `None` when it is too long or breaks off. The time is bounded by whoever
/// bounds the call.
async fn whole<R: Body>(body: R, limit: u64) -> Option<Bytes> {
    let mut whole = BytesMut::new();
    let limits = DiscardLimits::new(limit, Duration::MAX);
    drain(body, limits, |data| whole.extend_from_slice(&data)).await.then(|| whole.freeze())
}

/// A request for what the update was about, with the fields that select a variant and those that identify the
/// caller, and past all caches: what they hold is the version that has just been refused.
fn asking<B: Resend>(head: &request::Parts, method: Method) -> Request<B> {
    let mut head = head.clone();
    head.method = method;
    remove(&mut head.headers, belongs_to_update);
    head.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Request::from_parts(head, B::default())
}

/// The precondition that an answer allows.
fn current(headers: &HeaderMap, rules: &Rules) -> Option<Precondition> {
    if_match(strong_tag(headers), rules.content_coding_suffixes).map(Precondition::IfMatch)
}

fn remove(headers: &mut HeaderMap, unwanted: fn(&HeaderName) -> bool) {
    let names: Vec<_> = headers.keys().filter(|name| unwanted(name)).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

/// Whether a field speaks of the octets of a body, so that it is wrong for another one.
fn describes_octets(name: &HeaderName) -> bool {
    let names = ["content-length", "content-md5", "content-digest", "repr-digest", "digest"];
    names.contains(&name.as_str())
}

/// Whether a field speaks of the update: of its body, of its condition, or of what is done with it.
fn belongs_to_update(name: &HeaderName) -> bool {
    const OTHERS: [HeaderName; 11] = [
        header::IF_MATCH,
        header::IF_NONE_MATCH,
        header::IF_MODIFIED_SINCE,
        header::IF_UNMODIFIED_SINCE,
        header::IF_RANGE,
        header::RANGE,
        header::TRANSFER_ENCODING,
        header::TRAILER,
        header::EXPECT,
        HeaderName::from_static("prefer"),
        HeaderName::from_static("idempotency-key"),
    ];
    name.as_str().starts_with("content-") || describes_octets(name) || OTHERS.contains(name)
}

// === impl Spare ===

impl<B: Body + Resend> Spare<B> {
    pub(crate) fn of(request: &Request<B>) -> Self {
        // A body without content may have no spare; the empty body stands for it.
        let body = request.body().try_clone().or_else(|| request.body().is_end_stream().then(B::default));
        Self { head: clone_head(request), body }
    }
}
