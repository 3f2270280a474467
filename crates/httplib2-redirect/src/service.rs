//! The service that the layer makes.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::{Method, Request, Response};
use http_body::Body;
use httplib2_core::{
    body::Resend,
    send::{Exchange, HttpService, take_ready},
};
use tower_service::Service;

use crate::{
    Always, Follow, RedirectPolicy,
    exchange::{Spare, exchange},
    rules::Rules,
};

/// Follows redirects of the inner service: see the [crate documentation](crate).
#[derive(Debug)]
pub struct Redirect<S, P = Always> {
    inner: S,
    rules: Arc<Rules>,
    policy: Arc<P>,
}

// === impl Redirect ===

impl<S, P> Redirect<S, P> {
    pub(crate) fn new(inner: S, rules: Arc<Rules>, policy: Arc<P>) -> Self {
        Self { inner, rules, policy }
    }
}

impl<S: Clone, P> Clone for Redirect<S, P> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), Arc::clone(&self.rules), Arc::clone(&self.policy))
    }
}

impl<S, P, B> Service<Request<B>> for Redirect<S, P>
where
    S: HttpService<B>,
    P: RedirectPolicy,
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
        if self.rules.follow_for(request.extensions()) == Follow::Never || request.method() == Method::CONNECT {
            return Exchange::passing(ready.call(request));
        }
        // Outside of the future, which would hold the request besides its spare.
        let spare = Spare::of(&request);
        let first = ready.call(request);
        Exchange::exchanging(exchange(ready, first, spare, Arc::clone(&self.rules), Arc::clone(&self.policy)))
    }
}
