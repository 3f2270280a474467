//! What every layer and every body owes to its neighbours.

mod body;
mod service;

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use tokio::{runtime, sync::Notify, time::timeout};

pub use self::{
    body::{BodyLaws, body_laws},
    service::{ServiceLaws, service_laws},
};

/// How long anything may take, in paused time, until it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(60 * 60);

/// How often anything may be polled until it counts as hanging: time stands still while somebody is busy.
const MAX_POLLS: usize = 10_000;

/// How often something may ask to be polled again although it waits for somebody else.
const MAX_IDLE_POLLS: usize = 32;

/// A waker that counts.
#[derive(Debug, Default)]
struct Alarm {
    rings: AtomicUsize,
    rung: Notify,
}

/// An extension of requests and responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark(&'static str);

/// Panics with the name of the law unless it is kept.
#[track_caller]
fn law(kept: bool, name: &str, breach: impl FnOnce() -> String) {
    if !kept {
        broken(name, breach());
    }
}

#[track_caller]
pub(crate) fn broken(name: &str, breach: impl fmt::Display) -> ! {
    panic!("the law \"{name}\" is broken: {breach}")
}

/// Runs a check on a runtime whose time passes only where everybody waits for it.
fn in_paused_time(check: impl Future<Output = ()>) {
    let runtime = runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime of one thread").block_on(check);
}

/// What the future resolves to, or `None` when it hangs.
async fn in_time<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut polls = 0;
    let bounded = poll_fn(|cx| {
        polls += 1;
        if polls > MAX_POLLS { Poll::Ready(None) } else { future.as_mut().poll(cx).map(Some) }
    });
    timeout(PATIENCE, bounded).await.ok().flatten()
}

// === impl Alarm ===

impl Alarm {
    /// Polls once, to be woken by this alarm.
    fn poll<F: Future>(self: &Arc<Self>, future: Pin<&mut F>) -> Poll<F::Output> {
        let waker = Waker::from(Arc::clone(self));
        future.poll(&mut Context::from_waker(&waker))
    }

    fn rings(&self) -> usize {
        self.rings.load(Ordering::SeqCst)
    }

    /// Waits until it rings, or has rung since the last time; returns whether it did.
    async fn rung(&self) -> bool {
        in_time(self.rung.notified()).await.is_some()
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.rings.fetch_add(1, Ordering::SeqCst);
        self.rung.notify_one();
    }
}
