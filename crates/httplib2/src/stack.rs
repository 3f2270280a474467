//! The composition: every layer, in the one order that is right.

use std::{
    fmt, io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header};
use http_body_util::BodyExt;
use httplib2_auth::AuthLayer;
use httplib2_cache::{Cache, CacheLayer};
use httplib2_connect::{ConnectError, Phase};
use httplib2_core::{
    error::{BoxError, cause_ref, is_caused_by},
    send::HttpService,
};
use httplib2_decompression::DecompressionLayer;
use httplib2_lost_update::{LostUpdateLayer, MergeHook};
use httplib2_redirect::{RedirectLayer, RedirectPolicy};
use httplib2_retry::{Failure, RetryLayer};
use tower::{Layer, Service, ServiceBuilder, ServiceExt};
use tower_http::set_header::SetRequestHeaderLayer;

use crate::{Body, Error, ResponseBody, deadline::DeadlineLayer, trace::SpanLayer};

/// The whole stack behind one name: a tower service of plain [`http`] requests. Cheap to clone, always ready.
#[derive(Clone)]
pub struct Stack {
    erased: Arc<dyn Exchanging>,
}

type Answer = Result<Response<ResponseBody>, Error>;

/// What of the composed type is left. A trait of our own costs one box for a call, tower's boxed services two.
trait Exchanging: Send + Sync {
    fn exchange(&self, request: Request<Body>) -> Pin<Box<dyn Future<Output = Answer> + Send>>;
}

/// What the stack is built from.
#[derive(Clone, Debug)]
pub(crate) struct Layers<P> {
    pub(crate) redirect: RedirectLayer<P>,
    pub(crate) lost_update: LostUpdateLayer<Option<MergeHook>>,
    pub(crate) decompression: DecompressionLayer,
    /// `None`: nothing is stored.
    pub(crate) cache: Option<CacheLayer>,
    pub(crate) retry: RetryLayer<fn(&BoxError) -> Failure>,
    pub(crate) auth: AuthLayer,
    /// Request fields that hold secrets, beside the well-known ones.
    pub(crate) sensitive: Vec<HeaderName>,
    /// The `User-Agent` of requests without one.
    pub(crate) user_agent: Option<HeaderValue>,
}

/// Composes the client, outermost layer first, over whatever answers at the bottom.
///
/// Each line says why it stands where it stands. `tests/stack` shows the harm of other orders.
pub(crate) fn stack<S, P>(server: S, layers: &Layers<P>) -> Stack
where
    S: HttpService<Body> + Sync,
    P: RedirectPolicy,
{
    let cache = layers.cache.clone();
    let secrets: Arc<[HeaderName]> = secrets(&layers.sensitive).into();
    let stack = ServiceBuilder::new()
        // Before any layer can print a request: what is secret says so, and stays out of every Debug below.
        .map_request(move |mut request: Request<Body>| {
            mark(request.headers_mut(), &secrets);
            request
        })
        // One span over all that is done for the call, however many sends it takes.
        .layer(SpanLayer)
        // Around all that the caller waits for, so that a chain of redirects has one deadline and not one each.
        .layer(DeadlineLayer)
        // Outside of all that belongs to one URI: to the layers below, each hop is a request of its own.
        .layer(layers.redirect.clone())
        // Inside of redirect, whose spare of the request is smaller without it.
        .layer(SetRequestHeaderLayer::if_not_present(header::USER_AGENT, layers.user_agent.clone()))
        // Inside of redirect, so that each hop carries the tag of its own URI and none of another; outside of all that
        // sends again, so that every try of one update has the same tag.
        .layer(layers.lost_update.clone())
        // Inside of redirect, so that whatever a hop keeps of a body can be read; outside of all that asks for the
        // bytes of the wire (a cache, `Range`, `ETag`).
        .layer(layers.decompression.clone())
        // Inside of redirect and decompression, so that each hop is stored for itself and as it was on the wire; outside of
        // all that sends, so that a hit takes no try, no challenge and no connection.
        .layer_fn(move |inner| match &cache {
            Some(layer) => layer.layer(inner),
            None => Cache::off(inner),
        })
        // Inside of redirect, so that each hop has tries of its own; outside of all that counts or signs one send.
        .layer(layers.retry.clone())
        // Inside of retry, so that every try is signed anew: nonces, counts and timestamps are good for one send.
        .layer(layers.auth.clone())
        // Before any layer can keep or print a response: a redirect keeps the ones that it follows.
        .map_response(|mut response: Response<S::ResponseBody>| {
            mark(response.headers_mut(), &[header::SET_COOKIE]);
            response
        })
        // Only here is known whether a connection was reused, and what of a request was sent.
        .service(server);
    Stack { erased: Arc::new(stack) }
}

/// What the retry layer is told of an error of the connection.
pub(crate) fn failure(error: &BoxError) -> Failure {
    let Some(error) = cause_ref::<ConnectError>(&**error) else { return Failure::Unknown };
    match error.phase() {
        _ if error.is_timeout() || error.is_request_body() || error.response_started() => Failure::Final,
        _ if error.is_connection_lost() => {
            Failure::Lost { reused: error.reused() == Some(true), unprocessed: error.is_unprocessed() }
        }
        Phase::Connect if is_caused_by::<io::Error>(error) => Failure::Unprocessed,
        Phase::Send | Phase::Receive if error.is_unprocessed() => Failure::Unprocessed,
        // Names, certificates and URIs do not get better by trying again (H-RETRY-01).
        _ => Failure::Final,
    }
}

/// Whether an error means that the origin could not be had, so that something stale may stand in: not where it was had
/// and is not to be trusted, where it talks nonsense, or where the caller's own request failed.
pub(crate) fn is_disconnected(error: &BoxError) -> bool {
    cause_ref::<ConnectError>(&**error).is_some_and(|error| {
        let is_unreachable =
            matches!(error.phase(), Phase::Resolve | Phase::Connect) && is_caused_by::<io::Error>(error);
        is_unreachable || error.is_timeout() || error.is_connection_lost()
    })
}

/// The request fields that hold secrets: the well-known ones and those that the caller named.
pub(crate) fn secrets(more: &[HeaderName]) -> Vec<HeaderName> {
    let known = [
        header::AUTHORIZATION,
        header::COOKIE,
        header::PROXY_AUTHORIZATION,
        HeaderName::from_static("cookie2"),
        HeaderName::from_static("x-wsse"),
    ];
    known.iter().chain(more).cloned().collect()
}

/// Says of secret fields that they are, to whatever prints or keeps them.
pub(crate) fn mark(headers: &mut HeaderMap, secret: &[HeaderName]) {
    for (name, value) in headers {
        if secret.contains(name) {
            value.set_sensitive(true);
        }
    }
}

// === impl Stack ===

impl Service<Request<Body>> for Stack {
    type Response = Response<ResponseBody>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.erased.exchange(request)
    }
}

impl fmt::Debug for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stack(..)")
    }
}

/// The only place where types end.
impl<S: HttpService<Body> + Sync> Exchanging for S {
    fn exchange(&self, request: Request<Body>) -> Pin<Box<dyn Future<Output = Answer> + Send>> {
        let stack = self.clone();
        Box::pin(async move {
            let uri = request.uri().clone();
            match stack.oneshot(request).await {
                Ok(response) => {
                    Ok(response.map(|body| ResponseBody::new(body.map_err(Into::into).boxed_unsync(), uri)))
                }
                Err(error) => Err(Error::from_cause(&uri, error)),
            }
        })
    }
}
