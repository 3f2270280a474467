//! The service that the layer makes.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use http_body::Body;
use httplib2_core::{
    body::Resend,
    send::{Exchange, HttpService, clone_request, take_ready},
};
use tower_service::Service;

use crate::{Classify, NothingKnown, exchange::exchange, rules::Rules};

/// Sends requests to the inner service again: see the [crate documentation](crate).
#[derive(Debug)]
pub struct Retry<S, C = NothingKnown> {
    inner: S,
    rules: Arc<Rules>,
    classify: Arc<C>,
}

// === impl Retry ===

impl<S, C> Retry<S, C> {
    pub(crate) fn new(inner: S, rules: Arc<Rules>, classify: Arc<C>) -> Self {
        Self { inner, rules, classify }
    }
}

impl<S: Clone, C> Clone for Retry<S, C> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), Arc::clone(&self.rules), Arc::clone(&self.classify))
    }
}

impl<S, C, B> Service<Request<B>> for Retry<S, C>
where
    S: HttpService<B>,
    C: Classify<S::Error>,
    B: Body + Resend + Send + 'static,
{
    type Response = Response<S::ResponseBody>;
    type Error = S::Error;
    type Future = Exchange<S::Future, Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut ready = take_ready(&mut self.inner);
        let spare = if self.rules.may_send_again(request.extensions()) { clone_request(&request) } else { None };
        let Some(spare) = spare else {
            return Exchange::passing(ready.call(request));
        };
        Exchange::exchanging(exchange(ready, request, spare, Arc::clone(&self.rules), Arc::clone(&self.classify)))
    }
}
