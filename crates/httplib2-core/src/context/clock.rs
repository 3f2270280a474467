//! What time it is.

use std::{
    fmt,
    time::{Instant, SystemTime},
};

/// A source of time, so that a test can say what time it is.
///
/// Layers hold an `Arc<dyn Clock>`; the default is [`SystemClock`]. Sleeping and timeouts are not asked of
/// it: they use tokio's timer, which a test pauses.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The wall clock: what `Date` fields, timestamps and expiry dates are compared with. It may jump.
    fn now(&self) -> SystemTime;

    /// The monotonic clock: how long something took or has been kept. It never goes back.
    fn instant(&self) -> Instant;
}

/// The clocks of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

// === impl SystemClock ===

#[expect(clippy::disallowed_methods, reason = "the one place that asks the system for the time")]
impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn instant(&self) -> Instant {
        Instant::now()
    }
}
