//! What a request costs: time on the wall, time of the processor, allocations.

use std::{net::SocketAddr, time::Duration};

use rustix::{
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
    time::{ClockId, Timespec, clock_gettime},
};
use tokio::runtime::{Builder, Runtime};

use crate::{
    BoxError,
    scenarios::{Contender, Scenario},
    series::Length,
    streams::Streamer,
};

/// How much is sent before something can be said. What comes first ends it.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// How many rounds of one batch per client there are at most.
    pub rounds: usize,
    /// After how long no further round begins.
    pub time: Duration,
    /// How often a stream is read.
    pub streams: usize,
    /// How long a stream is, in MiB.
    pub stream: u64,
    /// The same for a client that holds all of it.
    pub held_stream: u64,
    /// What is done of what has figures of its own.
    pub series: Length,
}

/// The least that one request took in any batch, in microseconds.
///
/// The least is what moves least on a machine that others use too.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// From the call to the last byte.
    pub wall: f64,
    /// User and system time of this process, and so without the origin's.
    pub cpu: f64,
}

/// A hook for counters that only the program itself can read.
pub type Count = fn() -> u64;

// === impl Effort ===

impl Effort {
    /// How long a stream is for this client, in MiB.
    #[must_use]
    pub fn stream_of(&self, streamer: &Streamer) -> u64 {
        if streamer.holds_all { self.held_stream } else { self.stream }
    }
}

/// Keeps this process, and those that it starts, on one processor.
///
/// Left alone, the system moves client and origin together and apart as it likes. Apart, most of a round trip is the
/// time until the other processor wakes up, which says nothing of the client; and who was lucky would seem fast.
///
/// # Errors
///
/// Where the system does not allow it.
pub fn stay_on_one_processor() -> Result<(), BoxError> {
    let allowed = sched_getaffinity(None)?;
    let first = (0..CpuSet::MAX_CPU).find(|processor| allowed.is_set(*processor));
    let mut only = CpuSet::new();
    only.set(first.ok_or("there is no processor")?);
    Ok(sched_setaffinity(None, &only)?)
}

/// Sends batches of all clients in turn, so that each has its share of the good moments.
///
/// # Errors
///
/// Where an answer is not the right one.
pub fn times(scenario: &Scenario, contenders: &[Contender], effort: Effort) -> Result<Vec<Times>, BoxError> {
    let runtime = runtime()?;
    for contender in contenders {
        runtime.block_on(scenario.prepare(contender))?;
        runtime.block_on(scenario.send(contender, warm_up(scenario)))?;
        runtime.block_on(scenario.look_back(contender, warm_up(scenario)))?;
    }
    let requests = scenario.round_up(scenario.batch);
    let mut least = vec![Times { wall: f64::INFINITY, cpu: f64::INFINITY }; contenders.len()];
    let start = micros(ClockId::Monotonic);
    for round in 0..effort.rounds {
        for turn in 0..contenders.len() {
            let index = (round + turn) % contenders.len();
            runtime.block_on(scenario.prepare(&contenders[index]))?;
            let before = (micros(ClockId::Monotonic), micros(ClockId::ProcessCPUTime));
            runtime.block_on(scenario.send(&contenders[index], requests))?;
            let after = (micros(ClockId::Monotonic), micros(ClockId::ProcessCPUTime));
            let least = &mut least[index];
            least.wall = least.wall.min((after.0 - before.0) / requests as f64);
            least.cpu = least.cpu.min((after.1 - before.1) / requests as f64);
            runtime.block_on(scenario.look_back(&contenders[index], requests))?;
        }
        if micros(ClockId::Monotonic) - start > effort.time.as_micros() as f64 {
            break;
        }
    }
    Ok(least)
}

/// What `count` counts more for 2N requests than for N, per request.
///
/// # Errors
///
/// Where an answer is not the right one.
pub fn counts(scenario: &Scenario, origin: SocketAddr, count: Count) -> Result<Vec<f64>, BoxError> {
    let contenders = scenario.contenders(origin)?;
    let runtime = runtime()?;
    let requests = warm_up(scenario);
    let counted = |contender, requests| -> Result<u64, BoxError> {
        runtime.block_on(scenario.prepare(contender))?;
        let before = count();
        runtime.block_on(scenario.send(contender, requests))?;
        let counted = count() - before;
        runtime.block_on(scenario.look_back(contender, requests))?;
        Ok(counted)
    };
    let mut each = Vec::new();
    for contender in &contenders {
        counted(contender, requests)?;
        let (once, twice) = (counted(contender, requests)?, counted(contender, 2 * requests)?);
        each.push((twice as f64 - once as f64) / requests as f64);
    }
    Ok(each)
}

/// The runtime of all clients: one thread, as the origin has.
///
/// # Errors
///
/// Where the system has none to give.
pub fn runtime() -> Result<Runtime, BoxError> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

/// Until connections are open, pools filled and branches learnt.
fn warm_up(scenario: &Scenario) -> usize {
    scenario.round_up((scenario.batch / 2).max(1))
}

/// What a clock says, in microseconds.
pub(crate) fn micros(clock: ClockId) -> f64 {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(clock);
    tv_sec as f64 * 1e6 + tv_nsec as f64 / 1e3
}
