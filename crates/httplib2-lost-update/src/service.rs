//! The service that the layer makes.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use http_body::Body;
use httplib2_core::{
    body::Resend,
    error::BoxError,
    send::{Exchange, HttpService, take_ready},
    who::KnownTags,
};
use tower_service::Service;

use crate::{
    Merge, NoMerge,
    exchange::{Reading, read, update},
    ledger::Ledger,
    place::{Keys, Place},
    rules::{Role, Rules},
};

/// Guards the updates of the inner service: see the [crate documentation](crate).
#[derive(Debug)]
pub struct LostUpdate<S, M = NoMerge> {
    inner: S,
    shared: Arc<Shared>,
    merge: Arc<M>,
}

/// What the clones of a service share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) rules: Arc<Rules>,
    pub(crate) ledger: Ledger,
    pub(crate) keys: Keys,
    pub(crate) sources: Option<Arc<dyn KnownTags>>,
}

// === impl LostUpdate ===

impl<S, M> LostUpdate<S, M> {
    pub(crate) fn new(inner: S, rules: Arc<Rules>, sources: Option<Arc<dyn KnownTags>>, merge: Arc<M>) -> Self {
        let ledger = Ledger::new(rules.bounds);
        Self { inner, shared: Arc::new(Shared { rules, ledger, keys: Keys::default(), sources }), merge }
    }
}

impl<S: Clone, M> Clone for LostUpdate<S, M> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), shared: Arc::clone(&self.shared), merge: Arc::clone(&self.merge) }
    }
}

impl<S, M, B> Service<Request<B>> for LostUpdate<S, M>
where
    S: HttpService<B>,
    M: Merge<B>,
    B: Body + Resend + Send + 'static,
{
    type Response = Response<S::ResponseBody>;
    type Error = BoxError;
    type Future = Exchange<S::Future, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut ready = take_ready(&mut self.inner);
        let passing =
            |mut ready: S, request| Exchange::passing_with(ready.call(request), |result| result.map_err(Into::into));
        match self.shared.rules.role(request.method()) {
            Role::Bystander => passing(ready, request),
            Role::Reader => match Reading::of(&request, &self.shared) {
                Some(reading) => Exchange::exchanging(read(ready.call(request), reading, Arc::clone(&self.shared))),
                None => passing(ready, request),
            },
            Role::Writer => {
                let merger = self.merge.merger(request.extensions());
                Exchange::exchanging(update(ready, request, merger, Arc::clone(&self.shared)))
            }
        }
    }
}

// === impl Shared ===

impl Shared {
    pub(crate) fn place<B>(&self, request: &Request<B>) -> Option<Place> {
        let by_user = self.rules.credentials_separate_editors;
        self.keys.place(request.uri(), request.headers(), request.extensions(), by_user)
    }
}
