//! Calling the inner service: once, or several times within one exchange.

use std::{
    convert::identity,
    fmt,
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Request, Response, request};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::{body::Resend, error::BoxError};

/// A clonable service from HTTP requests to HTTP responses: one bound in place of six lines in every `where`.
///
/// It holds for every tower service of that shape; there is nothing to implement.
///
/// ```
/// use http::{Request, Response};
/// use http_body_util::Empty;
/// use bytes::Bytes;
/// use httplib2_core::send::HttpService;
///
/// fn takes_any_client<S: HttpService<Empty<Bytes>>>(_: S) {}
///
/// takes_any_client(tower::service_fn(async |_: Request<Empty<Bytes>>| {
///     Ok::<_, std::convert::Infallible>(Response::new(Empty::<Bytes>::new()))
/// }));
/// ```
pub trait HttpService<B>:
    Service<
        Request<B>,
        Response = Response<<Self as HttpService<B>>::ResponseBody>,
        Error: Into<BoxError>,
        Future: Send + 'static,
    > + Clone
    + Send
    + 'static
{
    /// The body of the responses.
    type ResponseBody: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static;
}

impl<S, B, R> HttpService<B> for S
where
    S: Service<Request<B>, Response = Response<R>, Error: Into<BoxError>, Future: Send + 'static>
        + Clone
        + Send
        + 'static,
    R: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type ResponseBody = R;
}

pin_project! {
    /// The one future that every layer returns: it *passes* the inner future through, or it is *exchanging*,
    /// which means that the layer's own story runs and may send several times.
    ///
    /// `F` is the inner service's future, `O` what this one resolves to. Passing costs no allocation,
    /// exchanging one box. Dropping it drops whatever is under way.
    pub struct Exchange<F, O>
    where
        F: Future,
    {
        #[pin]
        state: State<F, O>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F, O>
    where
        F: Future,
    {
        Passing { #[pin] inner: F, finish: fn(F::Output) -> O },
        Exchanging { story: Pin<Box<dyn Future<Output = O> + Send>> },
    }
}

/// Takes the service that was polled ready and leaves a clone of it behind.
///
/// A clone is not ready: behind a `ConcurrencyLimit` it holds no permit and may not be called before it was
/// polled ready itself. So `call` sends with what this returns, and the clone is what is polled next.
pub fn take_ready<S: Clone>(service: &mut S) -> S {
    let unready = service.clone();
    mem::replace(service, unready)
}

/// Copies the head of a request, extensions included: the spare of a layer that may send again.
pub fn clone_head<B>(request: &Request<B>) -> request::Parts {
    let mut copy = Request::new(());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    *copy.extensions_mut() = request.extensions().clone();
    copy.into_parts().0
}

/// Copies a request, head and extensions included, or returns `None` when its body cannot be sent again.
pub fn clone_request<B: Resend>(request: &Request<B>) -> Option<Request<B>> {
    let body = request.body().try_clone()?;
    Some(Request::from_parts(clone_head(request), body))
}

// === impl Exchange ===

impl<F: Future> Exchange<F, F::Output> {
    /// Hands the inner future through as it is.
    pub fn passing(inner: F) -> Self {
        Self::passing_with(inner, identity)
    }
}

impl<F: Future, O> Exchange<F, O> {
    /// Hands the inner future through and changes only the type of what it resolves to, such as the
    /// type of the body.
    pub fn passing_with(inner: F, finish: fn(F::Output) -> O) -> Self {
        Self { state: State::Passing { inner, finish } }
    }

    /// Runs the layer's own story.
    pub fn exchanging(story: impl Future<Output = O> + Send + 'static) -> Self {
        Self { state: State::Exchanging { story: Box::pin(story) } }
    }
}

impl<F: Future, O> Future for Exchange<F, O> {
    type Output = O;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<O> {
        match self.project().state.project() {
            StateProjection::Passing { inner, finish } => Poll::Ready(finish(ready!(inner.poll(cx)))),
            StateProjection::Exchanging { story } => story.as_mut().poll(cx),
        }
    }
}

impl<F: Future, O> fmt::Debug for Exchange<F, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Passing { .. } => "passing",
            State::Exchanging { .. } => "exchanging",
        };
        f.debug_tuple("Exchange").field(&format_args!("{state}")).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::Once;
    use http_body_util::Full;
    use std::{cell::Cell, future::ready as ready_future};

    #[test]
    fn take_ready_returns_the_original_and_leaves_the_clone() {
        #[derive(Debug)]
        struct Service {
            ready: Cell<bool>,
        }
        impl Clone for Service {
            fn clone(&self) -> Self {
                Self { ready: Cell::new(false) }
            }
        }
        let mut service = Service { ready: Cell::new(true) };
        assert!(take_ready(&mut service).ready.get());
        assert!(!service.ready.get());
    }

    #[test]
    fn a_copied_request_has_the_same_head_extensions_and_body() {
        let request = Request::put("http://example.org/a?b")
            .version(http::Version::HTTP_10)
            .header("x-one", "1")
            .extension(7_u8)
            .body(Full::new(Bytes::from_static(b"text")))
            .unwrap();
        let copy = clone_request(&request).unwrap();
        assert_eq!(copy.method(), request.method());
        assert_eq!(copy.uri(), request.uri());
        assert_eq!(copy.version(), request.version());
        assert_eq!(copy.headers(), request.headers());
        assert_eq!(copy.extensions().get::<u8>(), Some(&7));
        assert_eq!(copy.body().size_hint().exact(), Some(4));
    }

    #[test]
    fn a_request_whose_body_cannot_be_sent_again_is_not_copied() {
        let request = Request::new(Once::new(Full::new(Bytes::from_static(b"text"))));
        assert!(clone_request(&request).is_none());
    }

    #[tokio::test]
    async fn an_exchange_resolves_to_what_the_inner_future_or_the_story_gives() {
        assert_eq!(Exchange::passing(ready_future(1)).await, 1);
        assert_eq!(Exchange::passing_with(ready_future(1), |one| one + 1).await, 2);
        let story: Exchange<std::future::Ready<()>, u8> = Exchange::exchanging(async {
            tokio::task::yield_now().await;
            3
        });
        assert_eq!(format!("{story:?}"), "Exchange(exchanging)");
        assert_eq!(story.await, 3);
    }
}
