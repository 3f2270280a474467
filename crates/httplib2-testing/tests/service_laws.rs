//! The laws of a layer let a correct one pass, and catch each fault by the name of the law.

mod common;

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::{Arc, Weak},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{Extensions, HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use httplib2_core::{
    error::BoxError,
    send::{clone_request, take_ready},
};
use httplib2_testing::{Body, Server, ServiceLaws, reply, request, service_laws};
use tower::Service;

use common::assert_broken;

const LINE: &str = "GET http://a.example/busy";

/// A layer that sends once more after a 503, with at most one fault.
struct Faulty {
    inner: Server,
    fault: Fault,
    /// Only the original has it, and it goes with the original.
    _owner: Option<Arc<()>>,
    original: Weak<()>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    CallsAnUnreadyClone,
    CallsTheReadyOneTwice,
    ReadiesACloneWhileItHoldsTheReadyOne,
    GoesOnAfterItIsDropped,
    NeverWakesWhoWaits,
    IsAlwaysReady,
    SpinsUntilItIsReady,
    LosesRequestExtensions,
    LosesThemOnlyWhenItSendsAgain,
    LosesResponseExtensions,
    LosesThemOnlyAfterItSentAgain,
    JoinsFieldValues,
    TurnsUnknownMethodsIntoGet,
    ChangesTheStatus,
    SendsTwice,
    LosesTheRequestBody,
    LosesRequestTrailers,
    LosesTheResponseBody,
    LosesResponseTrailers,
    AnswersInsteadOfErrors,
    LosesTheTypeOfErrors,
    NeverAnswersAfterErrors,
    EndsBrokenBodies,
    LosesTheTypeOfBodyErrors,
    ClonesDieWithTheOriginal,
}

type Answer = Result<Response<UnsyncBoxBody<Bytes, BoxError>>, BoxError>;

fn faulty(fault: Fault) -> impl Fn(Server) -> Faulty {
    move |inner| {
        let owner = Arc::new(());
        Faulty { inner, fault, original: Arc::downgrade(&owner), _owner: Some(owner) }
    }
}

fn laws() -> ServiceLaws {
    ServiceLaws::new().exchange("a 503", || (Server::new().on(LINE, reply(503)).on(LINE, reply(200)), request(LINE)))
}

#[test]
fn a_correct_layer_keeps_every_law() {
    service_laws(faulty(Fault::None), laws());
}

#[test]
fn the_bare_server_keeps_every_law() {
    service_laws(|server| server, ServiceLaws::new());
}

#[test]
fn a_layer_that_is_always_ready_keeps_every_law_if_it_says_so() {
    service_laws(faulty(Fault::IsAlwaysReady), laws().always_ready());
    assert_broken("the layer is always ready", "a layer that is not", || {
        service_laws(faulty(Fault::None), laws().always_ready());
    });
}

#[test]
fn every_fault_is_caught_by_the_law_named_for_it() {
    for (fault, law) in [
        (Fault::CallsAnUnreadyClone, "an unready service is never called"),
        (Fault::CallsTheReadyOneTwice, "an unready service is never called"),
        (Fault::ReadiesACloneWhileItHoldsTheReadyOne, "the service that was polled ready is the one called"),
        (Fault::GoesOnAfterItIsDropped, "a dropped future gives back its permits"),
        (Fault::NeverWakesWhoWaits, "the layer is ready when the inner service is"),
        (Fault::IsAlwaysReady, "the layer is ready when the inner service is"),
        (Fault::SpinsUntilItIsReady, "the layer is ready when the inner service is"),
        (Fault::LosesRequestExtensions, "request extensions reach the server"),
        (Fault::LosesThemOnlyWhenItSendsAgain, "request extensions reach the server"),
        (Fault::LosesResponseExtensions, "response extensions reach the caller"),
        (Fault::LosesThemOnlyAfterItSentAgain, "response extensions reach the caller"),
        (Fault::JoinsFieldValues, "methods and fields pass as they are"),
        (Fault::TurnsUnknownMethodsIntoGet, "methods and fields pass as they are"),
        (Fault::ChangesTheStatus, "methods and fields pass as they are"),
        (Fault::SendsTwice, "methods and fields pass as they are"),
        (Fault::LosesTheRequestBody, "request data and trailers reach the server"),
        (Fault::LosesRequestTrailers, "request data and trailers reach the server"),
        (Fault::LosesTheResponseBody, "response data and trailers reach the caller"),
        (Fault::LosesResponseTrailers, "response data and trailers reach the caller"),
        (Fault::AnswersInsteadOfErrors, "inner errors pass with their type"),
        (Fault::LosesTheTypeOfErrors, "inner errors pass with their type"),
        (Fault::NeverAnswersAfterErrors, "inner errors pass with their type"),
        (Fault::EndsBrokenBodies, "body errors pass with their type"),
        (Fault::LosesTheTypeOfBodyErrors, "body errors pass with their type"),
        (Fault::ClonesDieWithTheOriginal, "clones work independently"),
    ] {
        assert_broken(law, &format!("{fault:?}"), || service_laws(faulty(fault), laws()));
    }
}

#[test]
#[should_panic(expected = "a 200 was to send several times, but sent 1 times: it proves nothing")]
fn an_exchange_that_sends_once_proves_nothing() {
    let laws = ServiceLaws::new().exchange("a 200", || (Server::new().on(LINE, reply(200)), request(LINE)));
    service_laws(faulty(Fault::None), laws);
}

/// The whole layer: every fault is one line of it.
async fn exchange(mut inner: Server, mut request: Request<Body>, fault: Fault) -> Answer {
    match fault {
        Fault::IsAlwaysReady => ready(&mut inner).await?,
        Fault::LosesRequestExtensions => *request.extensions_mut() = Extensions::new(),
        Fault::JoinsFieldValues => join_values(request.headers_mut()),
        Fault::TurnsUnknownMethodsIntoGet if request.method() == "X-LAW" => *request.method_mut() = http::Method::GET,
        Fault::LosesTheRequestBody => request = request.map(|_| Body::empty()),
        Fault::LosesRequestTrailers if request.headers().contains_key("x-law") => {
            let (head, body) = request.into_parts();
            request = Request::from_parts(head, body.collect().await?.to_bytes().into());
        }
        Fault::ReadiesACloneWhileItHoldsTheReadyOne => {
            let mut clone = inner.clone();
            ready(&mut clone).await?;
            inner = clone;
        }
        _ => {}
    }
    let mut spare = clone_request(&request).expect("a scripted body can be sent again");
    let mut answer = match fault {
        Fault::CallsAnUnreadyClone => inner.clone().call(request).await,
        Fault::GoesOnAfterItIsDropped => tokio::spawn(inner.call(request)).await?,
        _ => inner.call(request).await,
    };
    let again = answer.as_ref().is_ok_and(|response| response.status() == 503);
    if again || fault == Fault::SendsTwice {
        if fault == Fault::LosesThemOnlyWhenItSendsAgain {
            *spare.extensions_mut() = Extensions::new();
        }
        if fault != Fault::CallsTheReadyOneTwice {
            ready(&mut inner).await?;
        }
        answer = inner.call(spare).await;
    }
    let mut response = match answer {
        Ok(response) => response,
        Err(_) if fault == Fault::AnswersInsteadOfErrors => reply(502).into_response(),
        Err(error) if fault == Fault::LosesTheTypeOfErrors => return Err(error.to_string().into()),
        Err(_) if fault == Fault::NeverAnswersAfterErrors => std::future::pending().await,
        Err(error) => return Err(error),
    };
    if fault == Fault::LosesResponseExtensions || (again && fault == Fault::LosesThemOnlyAfterItSentAgain) {
        *response.extensions_mut() = Extensions::new();
    }
    if fault == Fault::ChangesTheStatus {
        *response.status_mut() = http::StatusCode::ACCEPTED;
    }
    Ok(response.map(|body| match fault {
        Fault::LosesTheResponseBody => Body::empty().boxed_unsync(),
        Fault::LosesResponseTrailers => body
            .map_frame(|frame| {
                frame.into_data().map_or_else(|_| http_body::Frame::data(Bytes::new()), http_body::Frame::data)
            })
            .boxed_unsync(),
        Fault::EndsBrokenBodies => EndsWhenBroken(body).boxed_unsync(),
        Fault::LosesTheTypeOfBodyErrors => body.map_err(|error| error.to_string().into()).boxed_unsync(),
        _ => body.boxed_unsync(),
    }))
}

async fn ready(inner: &mut Server) -> Result<(), BoxError> {
    poll_fn(|cx| poll_ready(inner, cx)).await
}

fn poll_ready(inner: &mut Server, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
    Service::<Request<Full<Bytes>>>::poll_ready(inner, cx)
}

fn join_values(fields: &mut HeaderMap) {
    let joined = fields.get_all("x-law").iter().map(|value| value.as_bytes()).collect::<Vec<_>>().join(&b", "[..]);
    fields.insert("x-law", joined.try_into().expect("values joined are a value"));
}

// === impl Faulty ===

impl Clone for Faulty {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), fault: self.fault, _owner: None, original: self.original.clone() }
    }
}

impl Service<Request<Body>> for Faulty {
    type Response = Response<UnsyncBoxBody<Bytes, BoxError>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        match self.fault {
            Fault::IsAlwaysReady => Poll::Ready(Ok(())),
            Fault::NeverWakesWhoWaits => poll_ready(&mut self.inner, &mut Context::from_waker(Waker::noop())),
            Fault::SpinsUntilItIsReady => {
                cx.waker().wake_by_ref();
                poll_ready(&mut self.inner, cx)
            }
            _ => poll_ready(&mut self.inner, cx),
        }
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if self.fault == Fault::ClonesDieWithTheOriginal && self.original.upgrade().is_none() {
            return Box::pin(std::future::ready(Err("the original is gone".into())));
        }
        Box::pin(exchange(take_ready(&mut self.inner), request, self.fault))
    }
}

/// A body whose errors become its end.
struct EndsWhenBroken(Body);

impl http_body::Body for EndsWhenBroken {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.0).poll_frame(cx).map(|frame| frame.filter(Result::is_ok))
    }
}
