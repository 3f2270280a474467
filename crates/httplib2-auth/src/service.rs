//! The service that the layer makes.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::{Extensions, Request, Response, StatusCode};
use http_body::Body;
use httplib2_core::{
    body::Resend,
    error::BoxError,
    send::{Exchange, HttpService, take_ready},
};
use tower_service::Service;

use crate::{
    Authentication, Unanswered,
    exchange::exchange,
    party::{Concern, Shared, Unmatched},
    rules::Side,
};

/// Answers the challenges that the inner service comes back with: see the [crate documentation](crate).
#[derive(Debug)]
pub struct Auth<S> {
    inner: S,
    shared: Arc<Shared>,
}

// === impl Auth ===

impl<S> Auth<S> {
    pub(crate) fn new(inner: S, shared: Arc<Shared>) -> Self {
        Self { inner, shared }
    }
}

impl<S: Clone> Clone for Auth<S> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), Arc::clone(&self.shared))
    }
}

impl<S, B> Service<Request<B>> for Auth<S>
where
    S: HttpService<B>,
    B: Body<Error: Into<BoxError>, Data: Send> + Resend + Send + 'static,
{
    type Response = Response<S::ResponseBody>;
    type Error = BoxError;
    type Future = Exchange<S::Future, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut ready = take_ready(&mut self.inner);
        match self.shared.concern(&request) {
            Concern::None => Exchange::passing_with(ready.call(request), pass),
            Concern::Unmatched(why) => {
                let finish = match (&self.shared.rules.side, why) {
                    (Side::Server, Unmatched::Trace) => tell_trace,
                    (Side::Proxy(_), Unmatched::Trace) => tell_proxy_trace,
                    (Side::Server, Unmatched::OtherOrigin) => tell_other_origin,
                    (Side::Server, Unmatched::NoCredentials) => tell_no_credentials,
                    (Side::Proxy(_), _) => tell_no_proxy_credentials,
                };
                Exchange::passing_with(ready.call(request), finish)
            }
            Concern::Party(party) => Exchange::exchanging(exchange(ready, request, party)),
        }
    }
}

fn pass<R, E: Into<BoxError>>(result: Result<Response<R>, E>) -> Result<Response<R>, BoxError> {
    result.map_err(Into::into)
}

fn tell_trace<R, E: Into<BoxError>>(result: Result<Response<R>, E>) -> Result<Response<R>, BoxError> {
    tell(result, StatusCode::UNAUTHORIZED, Unanswered::Trace)
}

fn tell_proxy_trace<R, E: Into<BoxError>>(result: Result<Response<R>, E>) -> Result<Response<R>, BoxError> {
    tell(result, StatusCode::PROXY_AUTHENTICATION_REQUIRED, Unanswered::Trace)
}

fn tell_other_origin<R, E: Into<BoxError>>(result: Result<Response<R>, E>) -> Result<Response<R>, BoxError> {
    tell(result, StatusCode::UNAUTHORIZED, Unanswered::OtherOrigin)
}

fn tell_no_credentials<R, E: Into<BoxError>>(result: Result<Response<R>, E>) -> Result<Response<R>, BoxError> {
    tell(result, StatusCode::UNAUTHORIZED, Unanswered::NoCredentials)
}

fn tell_no_proxy_credentials<R, E: Into<BoxError>>(result: Result<Response<R>, E>) -> Result<Response<R>, BoxError> {
    tell(result, StatusCode::PROXY_AUTHENTICATION_REQUIRED, Unanswered::NoCredentials)
}

/// Says on a challenge why it was not answered. The journal of the request is out of reach here.
fn tell<R, E: Into<BoxError>>(
    result: Result<Response<R>, E>,
    challenging: StatusCode,
    why: Unanswered,
) -> Result<Response<R>, BoxError> {
    let mut response = pass(result)?;
    if response.status() == challenging {
        Authentication::new(None, 0, vec![why]).mark(&mut response, None, &Extensions::new());
    }
    Ok(response)
}
