//! The service that the layer makes.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response, header};
use http_body::Body;
use httplib2_core::{
    body::Resend,
    error::BoxError,
    send::{Exchange, HttpService, take_ready},
};
use tower_service::Service;

use crate::{
    CacheBody, CacheMode,
    ask::{Ask, Place},
    change::{Change, change},
    exchange::exchange,
    forward::{pass, refuse},
    policy::{Asked, Consider, Why, consider},
    settings::Settings,
};

/// Answers requests from a store, or sends them to the inner service: see the [crate documentation](crate).
#[derive(Clone, Debug)]
pub struct Cache<S> {
    inner: S,
    /// `None` in one that is off.
    settings: Option<Arc<Settings>>,
}

/// Marks a request that a cache handles, so that another one further in does nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Handled;

// === impl Cache ===

impl<S> Cache<S> {
    pub(crate) fn new(inner: S, settings: Arc<Settings>) -> Self {
        Self { inner, settings: Some(settings) }
    }

    /// A cache that is off: it hands everything through, for stacks whose type holds one in any case.
    pub fn off(inner: S) -> Self {
        Self { inner, settings: None }
    }
}

impl<S, B> Service<Request<B>> for Cache<S>
where
    S: HttpService<B>,
    B: Body + Resend + Send + 'static,
{
    type Response = Response<CacheBody<S::ResponseBody>>;
    type Error = BoxError;
    type Future = Exchange<S::Future, Result<Self::Response, BoxError>>;

    /// Always ready: the inner service is made ready in the future, and only if something is sent. One that is off is
    /// as ready as the inner service.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        match &self.settings {
            Some(_) => Poll::Ready(Ok(())),
            None => self.inner.poll_ready(cx).map_err(Into::into),
        }
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let Some(settings) = self.settings.clone() else {
            let passing = take_ready(&mut self.inner).call(request);
            return Exchange::passing_with(passing, |result| Ok(result.map_err(Into::into)?.map(CacheBody::passing)));
        };
        let inner = self.inner.clone();
        if request.extensions().get::<Handled>().is_some() {
            return Exchange::exchanging(pass(inner, request, settings, Why::OtherCache));
        }
        let mode = request.extensions().get::<CacheMode>().copied().unwrap_or_default();
        let asked = Asked::new(request.method(), request.uri(), request.headers())
            .with_content(has_content(&request))
            .with_control(mode.control(request.headers()));
        match consider(&settings.rules, &asked) {
            Consider::Bypass(why) => Exchange::exchanging(pass(inner, request, settings, why)),
            Consider::Refuse(why) => Exchange::exchanging(refuse(request, settings, why)),
            Consider::Invalidate(_) if mode == CacheMode::Offline => {
                Exchange::exchanging(refuse(request, settings, Why::Method))
            }
            Consider::Invalidate(when) => match Change::of(&request, &settings) {
                Some(what) => Exchange::exchanging(change(inner, request, settings, what, when)),
                None => Exchange::exchanging(pass(inner, request, settings, Why::Relative)),
            },
            Consider::LookUp | Consider::Forward(_) if mode == CacheMode::NoStore => {
                mode.tell(request.headers_mut());
                Exchange::exchanging(pass(inner, request, settings, Why::Reload))
            }
            considered @ (Consider::LookUp | Consider::Forward(_)) => {
                let control = asked.control();
                match Place::of(&request, &settings) {
                    Some(place) => {
                        let (head, body) = request.into_parts();
                        let ask = Ask::new(head, mode, control, place);
                        Exchange::exchanging(exchange(inner, ask, body, settings, considered))
                    }
                    None if control.only_if_cached => Exchange::exchanging(refuse(request, settings, Why::Relative)),
                    None => Exchange::exchanging(pass(inner, request, settings, Why::Relative)),
                }
            }
        }
    }
}

/// A body that does not know yet that it is empty counts as content: nothing is lost but a hit.
fn has_content<B: Body>(request: &Request<B>) -> bool {
    !request.body().is_end_stream() || request.headers().contains_key(header::TRANSFER_ENCODING)
}
