//! One deadline for the whole call, body included.

use std::{
    error::Error,
    fmt,
    task::{Context, Poll},
    time::Duration,
};

use http::{Request, Response};
use http_body_util::Either;
use httplib2_core::{
    context::Remaining,
    error::BoxError,
    send::{Exchange, HttpService, take_ready},
};
use tower::{Layer, Service};
use tower_http::timeout::DeadlineBody;

/// How long a whole call may take: a request extension, set from the builder's or the request's setting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(pub(crate) Duration);

/// The response head did not arrive before the deadline.
#[derive(Debug)]
pub(crate) struct DeadlineExceeded;

/// Ends a call that takes too long, and tells the layers below how long is left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeadlineLayer;

#[derive(Clone, Debug)]
pub(crate) struct WithDeadline<S> {
    inner: S,
}

type Timed<R> = Either<DeadlineBody<R>, R>;

// === impl DeadlineLayer ===

impl<S> Layer<S> for DeadlineLayer {
    type Service = WithDeadline<S>;

    fn layer(&self, inner: S) -> Self::Service {
        WithDeadline { inner }
    }
}

// === impl WithDeadline ===

impl<S, B> Service<Request<B>> for WithDeadline<S>
where
    S: HttpService<B>,
    B: Send + 'static,
{
    type Response = Response<Timed<S::ResponseBody>>;
    type Error = BoxError;
    type Future = Exchange<S::Future, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let mut ready = take_ready(&mut self.inner);
        let Some(Deadline(time)) = request.extensions().get().copied() else {
            let untimed = |result: Result<Response<_>, _>| Ok(result.map_err(Into::into)?.map(Either::Right));
            return Exchange::passing_with(ready.call(request), untimed);
        };
        let remaining = Remaining::within(time);
        request.extensions_mut().insert(remaining);
        let sending = ready.call(request);
        Exchange::exchanging(async move {
            let response = tokio::time::timeout_at(remaining.end(), sending).await.map_err(|_| DeadlineExceeded)?;
            let timed = |body| Either::Left(DeadlineBody::new(remaining.left(), body));
            Ok(response.map_err(Into::into)?.map(timed))
        })
    }
}

// === impl DeadlineExceeded ===

impl fmt::Display for DeadlineExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the deadline of the call is over")
    }
}

impl Error for DeadlineExceeded {}
