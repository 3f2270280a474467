//! The composition: every layer, in the one order that is right.

use std::{
    fmt, io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{HeaderName, Request, Response, header};
use http_body_util::BodyExt;
use httplib2_connect::{ConnectError, Phase};
use httplib2_core::{
    error::{BoxError, cause_ref, is_caused_by},
    send::HttpService,
};
use httplib2_decompression::DecompressionLayer;
use httplib2_redirect::{RedirectLayer, RedirectPolicy};
use httplib2_retry::{Failure, RetryLayer};
use tower::{Service, ServiceBuilder, ServiceExt};
use tower_http::{
    sensitive_headers::{SetSensitiveRequestHeadersLayer, SetSensitiveResponseHeadersLayer},
    trace::{DefaultOnFailure, TraceLayer},
};
use tracing::{Level, Span};

use crate::{Body, Error, ResponseBody, deadline::DeadlineLayer};

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
    pub(crate) decompression: DecompressionLayer,
    pub(crate) retry: RetryLayer<fn(&BoxError) -> Failure>,
    /// Request fields that hold secrets, beside the well-known ones.
    pub(crate) sensitive: Vec<HeaderName>,
}

/// Composes the client, outermost layer first, over whatever answers at the bottom.
///
/// Each line says why it stands where it stands. `tests/stack` shows the harm of other orders.
pub(crate) fn stack<S, P>(server: S, layers: &Layers<P>) -> Stack
where
    S: HttpService<Body> + Sync,
    P: RedirectPolicy,
{
    let stack = ServiceBuilder::new()
        // Before any layer can print a request: what is secret says so, and stays out of every Debug below.
        .layer(SetSensitiveRequestHeadersLayer::new(secrets(&layers.sensitive)))
        // One span over all that is done for the call, however many sends it takes.
        .layer(TraceLayer::new_for_http().make_span_with(span).on_failure(DefaultOnFailure::new().level(Level::DEBUG)))
        // Around all that the caller waits for, so that a chain of redirects has one deadline and not one each.
        .layer(DeadlineLayer)
        // Outside of all that belongs to one URI: to the layers below, each hop is a request of its own.
        .layer(layers.redirect.clone())
        // Inside of redirect, so that whatever a hop keeps of a body can be read; outside of all that asks for the
        // bytes of the wire (a cache, `Range`, `ETag`).
        .layer(layers.decompression.clone())
        // Inside of redirect, so that each hop has tries of its own; outside of all that counts or signs one send.
        .layer(layers.retry.clone())
        .map_err(Into::<BoxError>::into)
        // Before any layer can keep or print a response: a redirect keeps the ones that it follows.
        .layer(SetSensitiveResponseHeadersLayer::new([header::SET_COOKIE]))
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

/// The names are OpenTelemetry's. The path and the query stay out: they may hold secrets.
fn span(request: &Request<Body>) -> Span {
    let uri = request.uri();
    tracing::debug_span!(
        target: "httplib2",
        "request",
        http.request.method = %request.method(),
        server.address = uri.host(),
        server.port = uri.port_u16(),
        url.scheme = uri.scheme_str(),
    )
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
