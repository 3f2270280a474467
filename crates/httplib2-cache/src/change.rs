//! Requests that change something at the origin (RFC 9111 §4.4).

use std::{future::poll_fn, sync::Arc};

use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, header};
use httplib2_core::{error::BoxError, send::HttpService};
use httplib2_store::Key;

use crate::{
    CacheBody, Kept, Served,
    ask::key_of,
    forward::journal,
    policy::{Asked, CacheStatus, Invalidate, Why, invalidates},
    respond::mark,
    settings::Settings,
};

/// What a request may change.
pub(crate) struct Change {
    method: Method,
    target: Uri,
    key: Key,
    /// The fields that keys are made of.
    headers: HeaderMap,
}

/// Drops what is stored when nobody learns what became of the request: it may have been acted on.
struct Unanswered {
    key: Key,
    settings: Arc<Settings>,
    is_answered: bool,
}

/// Sends the request and drops what its answer makes untrue, before the caller gets that answer.
///
/// Where no answer comes, or the future is dropped before, what is stored of the URI is dropped too: nobody knows
/// whether the request was acted on.
pub(crate) async fn change<S, B>(
    mut inner: S,
    request: Request<B>,
    settings: Arc<Settings>,
    what: Change,
    when: Invalidate,
) -> Result<Response<CacheBody<S::ResponseBody>>, BoxError>
where
    S: HttpService<B>,
{
    if when == Invalidate::Early {
        settings.invalidate(&what.key).await;
    }
    poll_fn(|cx| inner.poll_ready(cx)).await.map_err(Into::into)?;
    let journal = journal(request.extensions());
    let mut unanswered = Unanswered::new(&what.key, &settings);
    let answer = inner.call(request).await.map_err(Into::into);
    unanswered.is_answered = true;
    if answer.is_err() {
        settings.invalidate(&what.key).await;
    }
    let response = answer?;
    // Also where the URI was invalidated early: what was stored of it since then shows it as it was before.
    for key in what.untrue(&settings, response.status(), response.headers()) {
        settings.invalidate(&key).await;
    }
    let mut response = response.map(CacheBody::passing);
    let status = CacheStatus { forwarded: Some(Why::Method.forwarded()), ..CacheStatus::default() };
    let served = Served::Network { why: Why::Method, kept: Kept::Passed };
    mark(&settings, &journal, &mut response, served, status);
    Ok(response)
}

// === impl Change ===

impl Change {
    /// `None` for a URI that names no origin: nothing is stored of it.
    pub(crate) fn of<B>(request: &Request<B>, settings: &Settings) -> Option<Self> {
        let (key, target) = key_of(settings, request.uri(), request.headers())?;
        let hosts = request.headers().get_all(header::HOST).iter();
        let headers = hosts.map(|host| (header::HOST, host.clone())).collect();
        Some(Self { method: request.method().clone(), target: target.into_owned(), key, headers })
    }

    /// The keys of what may not be used any more.
    fn untrue(&self, settings: &Settings, status: StatusCode, headers: &HeaderMap) -> Vec<Key> {
        let nothing = HeaderMap::new();
        let asked = Asked::new(&self.method, &self.target, &nothing);
        let uris = invalidates(&settings.rules, &asked, status, headers);
        uris.iter().filter_map(|uri| key_of(settings, uri, &self.headers)).map(|(key, _)| key).collect()
    }
}

// === impl Unanswered ===

impl Unanswered {
    fn new(key: &Key, settings: &Arc<Settings>) -> Self {
        Self { key: key.clone(), settings: Arc::clone(settings), is_answered: false }
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        if !self.is_answered {
            self.settings.invalidate_in_background(&self.key);
        }
    }
}
