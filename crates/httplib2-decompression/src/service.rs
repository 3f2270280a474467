//! The service that the layer makes.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::{Extensions, Request, Response, header};
use httplib2_core::{
    context::Journal,
    send::{Exchange, HttpService},
};
use tower_service::Service;

use crate::{
    DecodedBody,
    decide::{Plan, plan},
    exchange::exchange,
    rules::Rules,
};

/// Asks the inner service for coded responses and decodes them: see the [crate documentation](crate).
#[derive(Clone, Debug)]
pub struct Decompression<S> {
    inner: S,
    rules: Arc<Rules>,
}

// === impl Decompression ===

impl<S> Decompression<S> {
    pub(crate) fn new(inner: S, rules: Arc<Rules>) -> Self {
        Self { inner, rules }
    }
}

impl<S, B> Service<Request<B>> for Decompression<S>
where
    S: HttpService<B>,
    B: 'static,
{
    type Response = Response<DecodedBody<S::ResponseBody>>;
    type Error = S::Error;
    type Future = Exchange<S::Future, Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let plan = plan(&self.rules, &request);
        if let (Plan::Ask | Plan::AskAndDecode, Some(codings)) = (plan, &self.rules.accept_encoding) {
            request.headers_mut().insert(header::ACCEPT_ENCODING, codings.clone());
        }
        if let Plan::Pass | Plan::Ask = plan {
            // There is one send, so the service that was polled ready makes it and no clone is needed.
            return Exchange::passing_with(self.inner.call(request), |answer| {
                answer.map(|response| response.map(DecodedBody::untouched))
            });
        }
        let limits = self.rules.limits_for(request.extensions());
        let journal = journal(request.extensions());
        let sent = self.inner.call(request);
        Exchange::exchanging(exchange::<S, B>(sent, Arc::clone(&self.rules), limits, journal))
    }
}

/// Extensions with the request's journal and nothing else: empty, and free, when there is none.
fn journal(options: &Extensions) -> Extensions {
    let mut extensions = Extensions::new();
    if let Some(journal) = options.get::<Journal>() {
        extensions.insert(journal.clone());
    }
    extensions
}
