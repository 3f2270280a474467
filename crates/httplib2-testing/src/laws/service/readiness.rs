//! Laws of readiness: who is called, who waits, and what a dropped future gives back.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
};

use http::{Request, Response};
use httplib2_core::{error::BoxError, send::HttpService};
use tower_service::Service;

use super::ServiceLaws;
use crate::{
    Body, Server,
    laws::{Alarm, MAX_IDLE_POLLS, MAX_POLLS, broken, in_time, law},
};

const READY_ONE_CALLED: &str = "the service that was polled ready is the one called";
const PERMITS_BACK: &str = "a dropped future gives back its permits";
const READY_AS_INNER: &str = "the layer is ready when the inner service is";
const ALWAYS_READY: &str = "the layer is always ready";
const INDEPENDENT_CLONES: &str = "clones work independently";

pub(super) async fn check<S: HttpService<Body>>(wrap: &impl Fn(Server) -> S, laws: &ServiceLaws) {
    for (name, make) in laws.all_exchanges() {
        let (server, request) = make();
        nothing_hangs_behind_one_permit(wrap, name, server, request).await;
    }
    if laws.always_ready {
        always_ready(wrap, laws).await;
    } else {
        ready_as_the_inner_service(wrap, laws).await;
    }
    for (name, make) in laws.all_exchanges() {
        dropped_futures(wrap, name, make).await;
    }
    clones(wrap, laws).await;
}

async fn nothing_hangs_behind_one_permit<S: HttpService<Body>>(
    wrap: &impl Fn(Server) -> S,
    name: &str,
    server: Server,
    request: Request<Body>,
) {
    let server = server.limited(1);
    let mut service = wrap(server.clone());
    let answer = in_time(send(&mut service, request)).await;
    law(answer.is_some(), READY_ONE_CALLED, || format!("{name} hangs behind a limit of one permit"));
    drop(answer);
    let free = server.permits_free();
    law(free == 1, PERMITS_BACK, || format!("{name} is over and still holds its permit"));
}

async fn ready_as_the_inner_service<S: HttpService<Body>>(wrap: &impl Fn(Server) -> S, laws: &ServiceLaws) {
    let (server, request) = laws.passing_exchange();
    let server = server.limited(1);
    let holder = readied(&server).await;
    let mut service = wrap(server);
    let alarm = Arc::new(Alarm::default());
    let mut rings = 0;
    for idle_polls in 0.. {
        let early = alarm.poll(pin!(ready(&mut service)));
        law(early.is_pending(), READY_AS_INNER, || "it is ready although the inner service is `Pending`".to_owned());
        if alarm.rings() == rings {
            break;
        }
        rings = alarm.rings();
        law(idle_polls < MAX_IDLE_POLLS, READY_AS_INNER, || "it spins while the inner service is `Pending`".to_owned());
        alarm.rung().await;
    }
    drop(holder);
    let woken = alarm.rung().await;
    law(woken, READY_AS_INNER, || "nobody was woken when the inner service became ready".to_owned());
    let late = alarm.poll(pin!(ready(&mut service)));
    law(late.is_ready(), READY_AS_INNER, || "it is `Pending` although the inner service is ready".to_owned());
    let answer = in_time(service.call(request)).await;
    law(answer.is_some(), READY_ONE_CALLED, || "it hangs after it waited for the inner service".to_owned());
}

async fn always_ready<S: HttpService<Body>>(wrap: &impl Fn(Server) -> S, laws: &ServiceLaws) {
    let (server, request) = laws.passing_exchange();
    let server = server.limited(1);
    let holder = readied(&server).await;
    let mut service = wrap(server.clone());
    let alarm = Arc::new(Alarm::default());
    let early = alarm.poll(pin!(ready(&mut service)));
    law(early.is_ready(), ALWAYS_READY, || "it is `Pending` because the inner service is".to_owned());
    let mut call = pin!(service.call(request));
    law(alarm.poll(call.as_mut()).is_pending() && server.saw().is_empty(), ALWAYS_READY, || {
        "its future did not wait for the inner service to be ready".to_owned()
    });
    drop(holder);
    law(alarm.rung().await, ALWAYS_READY, || "its future was not woken when the inner service became ready".to_owned());
    law(in_time(call).await.is_some(), ALWAYS_READY, || {
        "its future hangs although the inner service is ready".to_owned()
    });
}

/// Drops the future of an exchange after no poll, after one, after two, and so on until it completes.
async fn dropped_futures<S: HttpService<Body>>(
    wrap: &impl Fn(Server) -> S,
    name: &str,
    make: impl Fn() -> (Server, Request<Body>),
) {
    for polls in 0..MAX_POLLS {
        let (server, request) = make();
        let server = server.limited(1).hesitating();
        let mut service = wrap(server.clone());
        let readied = in_time(ready(&mut service)).await;
        law(readied.is_some_and(|ready| ready.is_ok()), READY_AS_INNER, || format!("{name}: it never is"));
        let completed = {
            let mut call = Box::pin(service.call(request));
            poll_times(call.as_mut(), polls, name).await
        };
        law(server.permits_free() == 1, PERMITS_BACK, || {
            format!("{name}, dropped after {polls} polls, still holds a permit")
        });
        let again = in_time(ready(&mut service)).await;
        law(again.is_some(), PERMITS_BACK, || format!("{name}, dropped after {polls} polls, blocks what comes next"));
        if completed {
            return;
        }
    }
    broken(READY_ONE_CALLED, format_args!("{name} is not over after {MAX_POLLS} polls"));
}

async fn clones<S: HttpService<Body>>(wrap: &impl Fn(Server) -> S, laws: &ServiceLaws) {
    let (server, _) = laws.passing_exchange();
    let mut original = wrap(server.limited(2));
    let works = async |service: &mut S, breach: &str| {
        let answer = in_time(service.call(laws.passing_exchange().1)).await;
        law(matches!(answer, Some(Ok(_))), INDEPENDENT_CLONES, || breach.to_owned());
    };
    ready_in_time(&mut original, "the original is never ready").await;
    let mut clone = original.clone();
    ready_in_time(&mut clone, "a clone of a ready service is never ready").await;
    works(&mut clone, "a clone that was called before the original gave no response").await;
    works(&mut original, "the original gave no response after its clone was called").await;
    drop(original);
    ready_in_time(&mut clone, "a clone is not ready again without the original").await;
    works(&mut clone, "a clone gave no response without the original").await;
}

/// Polls so many times, each time after it was woken, and says whether the future completed.
async fn poll_times<F: Future>(mut future: Pin<&mut F>, polls: usize, name: &str) -> bool {
    let alarm = Arc::new(Alarm::default());
    for poll in 0..polls {
        if poll > 0 {
            let woken = alarm.rung().await;
            law(woken, READY_ONE_CALLED, || format!("{name} hangs at its await point number {poll}"));
        }
        if alarm.poll(future.as_mut()).is_ready() {
            return true;
        }
    }
    false
}

pub(super) async fn send<S: HttpService<Body>>(
    service: &mut S,
    request: Request<Body>,
) -> Result<Response<S::ResponseBody>, BoxError> {
    ready(service).await?;
    service.call(request).await.map_err(Into::into)
}

fn ready<S: HttpService<Body>>(service: &mut S) -> impl Future<Output = Result<(), BoxError>> {
    poll_fn(|cx| service.poll_ready(cx).map_err(Into::into))
}

async fn ready_in_time<S: HttpService<Body>>(service: &mut S, breach: &str) {
    let readied = in_time(ready(service)).await;
    law(matches!(readied, Some(Ok(()))), INDEPENDENT_CLONES, || breach.to_owned());
}

/// An instance of the server that holds a permit until it is dropped.
async fn readied(server: &Server) -> Server {
    let mut server = server.clone();
    let poll = poll_fn(|cx| Poll::Ready(Service::<Request<Body>>::poll_ready(&mut server, cx))).await;
    assert!(poll.is_ready(), "nobody else holds a permit yet");
    server
}
