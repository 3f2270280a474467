//! Tower services: one that answers at once, and tower-http's layer over another client.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response, header::AUTHORIZATION};
use http_body::Body;
use http_body_util::{BodyExt, Empty, Full};
use tower::{Service, ServiceExt};
use tower_http::follow_redirect::FollowRedirect;

use super::{Answer, Client, Reader, Target, stream::drain};
use crate::{BoxError, origin::answer};

/// Answers as the origin does, without a network in between: what is left is the cost of the layers around.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mock;

/// Any tower service as a client. It takes a URI that was parsed before.
#[derive(Clone, Debug)]
pub struct Over<S>(pub S);

/// Follows redirects with tower-http.
pub fn tower_http<S: Clone>(service: S) -> Over<FollowRedirect<S>> {
    Over(FollowRedirect::new(service))
}

// === impl Mock ===

impl<B> Service<Request<B>> for Mock {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let is_signed = request.headers().contains_key(AUTHORIZATION);
        ready(Ok(answer(request.uri().path(), is_signed).map(Full::new)))
    }
}

// === impl Over ===

impl<S, R> Client for Over<S>
where
    S: Service<Request<Empty<Bytes>>, Response = Response<R>, Error: Into<BoxError>> + Clone + 'static,
    R: Body<Error: Into<BoxError>>,
{
    async fn get(&self, target: &Target) -> Result<Answer, BoxError> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = target.uri.clone();
        let response = self.0.clone().oneshot(request).await.map_err(Into::into)?;
        Ok((response.status(), response.into_body().collect().await.map_err(Into::into)?.to_bytes()))
    }
}

impl<S, R> Reader for Over<S>
where
    S: Service<Request<Empty<Bytes>>, Response = Response<R>, Error: Into<BoxError>> + Clone + 'static,
    R: Body<Data = Bytes, Error: Into<BoxError>>,
{
    async fn read(&self, target: &Target) -> Result<u64, BoxError> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = target.uri.clone();
        let response = self.0.clone().oneshot(request).await.map_err(Into::into)?;
        if response.status() != 200 {
            return Err(format!("answered {}", response.status()).into());
        }
        drain(response.into_body()).await
    }
}
