//! A span over a call, while anybody traces.

use std::task::{Context, Poll};

use http::{Request, Response};
use http_body_util::Either;
use httplib2_core::{
    error::BoxError,
    send::{Exchange, HttpService},
};
use tower::{Layer, Service};
use tower_http::{
    classify::{NeverClassifyEos, ServerErrorsAsFailures, ServerErrorsFailureClass, SharedClassifier},
    trace::{DefaultOnFailure, ResponseBody, Trace, TraceLayer},
};
use tracing::{Level, Span, level_filters::LevelFilter};

use crate::Body;

/// tower-http's [`TraceLayer`], passed by while nobody listens at the level of what it tells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SpanLayer;

#[derive(Clone, Debug)]
pub(crate) struct Spanned<S> {
    inner: Trace<S, SharedClassifier<ServerErrorsAsFailures>, MakeSpan>,
}

type MakeSpan = fn(&Request<Body>) -> Span;

type Told<R> = Either<ResponseBody<R, NeverClassifyEos<ServerErrorsFailureClass>>, R>;

// === impl SpanLayer ===

impl<S> Layer<S> for SpanLayer {
    type Service = Spanned<S>;

    fn layer(&self, inner: S) -> Self::Service {
        let layer = TraceLayer::new_for_http()
            .make_span_with(span as MakeSpan)
            .on_failure(DefaultOnFailure::new().level(Level::DEBUG));
        Spanned { inner: layer.layer(inner) }
    }
}

// === impl Spanned ===

impl<S> Service<Request<Body>> for Spanned<S>
where
    S: HttpService<Body, Error = BoxError, ResponseBody: http_body::Body<Error = BoxError>>,
{
    type Response = Response<Told<S::ResponseBody>>;
    type Error = BoxError;
    type Future = Exchange<S::Future, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.get_mut().poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // Whoever listens at this level, if only to another target, may listen to what tower-http tells.
        if LevelFilter::current() < LevelFilter::DEBUG {
            let untold = |result: Result<Response<_>, _>| Ok(result?.map(Either::Right));
            return Exchange::passing_with(self.inner.get_mut().call(request), untold);
        }
        let sending = self.inner.call(request);
        Exchange::exchanging(async move { Ok(sending.await?.map(Either::Left)) })
    }
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
