//! The first of several requests, whose fetch runs on the executor.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{Arc, Mutex, PoisonError},
    task::{Poll, ready},
};

use http::{Response, StatusCode};
use http_body::Body;
use httplib2_core::{body::Resend, context::Remaining, error::BoxError, send::HttpService};
use httplib2_store::{Entry, EntryId};
use tokio::{
    sync::oneshot::{self, error::TryRecvError},
    time::{Sleep, sleep},
};
use tracing::{Instrument, Span};

use super::{
    error::CollapseError,
    flight::{Arriving, Flight, Takeoff, Verdict},
    stream::Stream,
};
use crate::{
    CacheBody, Kept, Served,
    background::Place,
    complete::send_on,
    forward::Forwarding,
    policy::{Failure, NotStored, Why},
    settings::Settings,
};

type Answer<R> = Result<Response<CacheBody<R>>, BoxError>;

/// Makes the fetch on the executor and hands its answer to the first caller. Dropping the future leaves the fetch
/// running for a while.
///
/// If the executor drops the fetch before it begins, the caller makes it itself.
pub(super) async fn lead<S, B>(inner: S, body: B, forwarding: Forwarding, takeoff: Takeoff) -> Answer<S::ResponseBody>
where
    S: HttpService<B>,
    B: Body + Resend + Send + 'static,
{
    let Some(executor) = forwarding.settings.executor.clone() else {
        return send_on(inner, body, forwarding).await;
    };
    let (sender, mut receiver) = oneshot::channel();
    let start = Arc::new(Mutex::new(Some((inner, body, forwarding))));
    let begins = Arc::clone(&start);
    let fetch = async move {
        if let Some((inner, body, forwarding)) = take(&begins) {
            fetch(inner, body, forwarding, takeoff, sender).await;
        }
    };
    executor.spawn(fetch.instrument(Span::current()));
    // An executor may run or drop what it is given before it returns, and then there is nothing to wait for.
    let answer = match receiver.try_recv() {
        Err(TryRecvError::Empty) => receiver.await.ok(),
        answer => answer.ok(),
    };
    match (answer, take(&start)) {
        (Some(answer), _) => answer,
        (None, Some((inner, body, forwarding))) => send_on(inner, body, forwarding).await,
        (None, None) => Err(CollapseError::Dropped.into()),
    }
}

fn take<T>(start: &Mutex<Option<T>>) -> Option<T> {
    start.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Sends the request like any other, and publishes what comes of it.
async fn fetch<S, B>(
    inner: S,
    body: B,
    mut forwarding: Forwarding,
    takeoff: Takeoff,
    mut caller: oneshot::Sender<Answer<S::ResponseBody>>,
) where
    S: HttpService<B>,
    B: Body + Resend + Send + 'static,
{
    let flight = Arc::clone(takeoff.flight());
    let settings = Arc::clone(&forwarding.settings);
    // Others depend on it who have more time.
    forwarding.ask.head.extensions.remove::<Remaining>();
    forwarding.ask.flight = Some(Arc::clone(&flight));
    let answer = while_wanted(send_on(inner, body, forwarding), &mut caller, &settings).await;
    let Some(answer) = answer else { return };
    let answer = answer.map(|response| publish(response, &flight, &settings));
    // If the caller has gone, its reader goes here, and what is being stored is finished.
    drop(caller.send(answer));
}

/// Goes on without the caller for as long as work in the background may take, if there is a place for it. `None` when
/// that is over.
async fn while_wanted<T, R>(
    fetch: impl Future<Output = T>,
    caller: &mut oneshot::Sender<R>,
    settings: &Arc<Settings>,
) -> Option<T> {
    let mut place = None;
    let mut fetch = pin!(fetch);
    let mut overtime: Option<Pin<Box<Sleep>>> = None;
    poll_fn(|cx| {
        if let Poll::Ready(answer) = fetch.as_mut().poll(cx) {
            return Poll::Ready(Some(answer));
        }
        if overtime.is_none() {
            ready!(caller.poll_closed(cx));
            place = Place::take(settings);
            if place.is_none() {
                return Poll::Ready(None);
            }
        }
        let overtime = overtime.get_or_insert_with(|| Box::pin(sleep(settings.background.time)));
        overtime.as_mut().poll(cx).map(|()| None)
    })
    .await
}

/// Lets others have what is of use to them: the answer if it is being stored, word of it if not.
fn publish<R>(
    mut response: Response<CacheBody<R>>,
    flight: &Arc<Flight>,
    settings: &Arc<Settings>,
) -> Response<CacheBody<R>> {
    let Some(storing) = flight.take_storing() else {
        flight.end(verdict(&response, flight, settings));
        return response;
    };
    if flight.verdict().is_some() {
        // It is stored already, or cannot be.
        return response;
    }
    let Some(tee) = response.body_mut().take_tee() else { return response };
    let reader = Stream::open(tee, Arc::clone(flight), Arc::clone(settings), storing.length.is_some());
    let length = storing.length.unwrap_or(0);
    // No store is ever asked for it, so what is attached to it makes no difference.
    let nothing = Arc::clone(settings);
    let entry = Entry::new(EntryId::new(0), storing.head, length, settings.clock.now(), nothing);
    flight.publish(Arriving::new(entry, Arc::clone(reader.stream())));
    response.map(|_| CacheBody::shared(reader))
}

/// What an answer that is not being stored is good for.
fn verdict<R>(response: &Response<R>, flight: &Flight, settings: &Settings) -> Verdict {
    match response.extensions().get::<Served>() {
        Some(Served::Validated { .. }) => Verdict::Changed,
        Some(Served::Stale { why: Why::OnError(_), .. }) => {
            // Which one it was makes no difference to what may be served in its place.
            Verdict::Failed(Failure::Status(StatusCode::SERVICE_UNAVAILABLE))
        }
        Some(Served::Stale { why: Why::Disconnected(_), .. }) => Verdict::Failed(Failure::Disconnected),
        Some(Served::Network { kept: Kept::Not(why), .. }) if says_more_than_now(response.status(), *why) => {
            settings.flights.passes.note(&flight.name().key, settings.clock.now());
            Verdict::Nothing
        }
        Some(Served::Network { kept: Kept::TooLarge, .. }) => {
            settings.flights.passes.note(&flight.name().key, settings.clock.now());
            Verdict::Nothing
        }
        _ => Verdict::Nothing,
    }
}

/// Whether the next answer is likely to be of no use to others either: a failure passes, what was wrong with a request
/// is its own, and a 304 is about the condition of the caller.
fn says_more_than_now(status: StatusCode, why: NotStored) -> bool {
    let is_failure = status.is_client_error() || status.is_server_error();
    !is_failure && status != StatusCode::NOT_MODIFIED && why != NotStored::MarkMissing
}
