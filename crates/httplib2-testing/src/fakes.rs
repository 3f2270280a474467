//! Time and randomness that a test decides.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use httplib2_core::context::{Clock, Nonce, NonceUnavailable, SystemClock};

/// A clock that stands still until it is told to move. Both of its times move together.
#[derive(Debug)]
pub struct FixedClock {
    now: Mutex<(SystemTime, Instant)>,
}

/// Bytes that count up from one, so that each nonce differs from the one before and every run is the same.
#[derive(Debug, Default)]
pub struct FixedNonce {
    last: AtomicU8,
    fails: AtomicBool,
}

// === impl FixedClock ===

impl FixedClock {
    /// A clock that shows this time.
    #[must_use]
    pub fn at(now: SystemTime) -> Self {
        Self { now: Mutex::new((now, SystemClock.instant())) }
    }

    /// A clock that shows a time so many seconds after 1970.
    #[must_use]
    pub fn at_unix(seconds: u64) -> Self {
        Self::at(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
    }

    /// Moves both times on.
    pub fn advance(&self, by: Duration) {
        let mut now = self.lock();
        now.0 += by;
        now.1 += by;
    }

    /// Lets the wall clock jump, as a correction would; the monotonic one stays.
    pub fn jump_to(&self, now: SystemTime) {
        self.lock().0 = now;
    }

    fn lock(&self) -> MutexGuard<'_, (SystemTime, Instant)> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for FixedClock {
    fn now(&self) -> SystemTime {
        self.lock().0
    }

    fn instant(&self) -> Instant {
        self.lock().1
    }
}

// === impl FixedNonce ===

impl FixedNonce {
    /// From now on there are no bytes to be had.
    pub fn run_dry(&self) {
        self.fails.store(true, Ordering::Relaxed);
    }
}

impl Nonce for FixedNonce {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NonceUnavailable> {
        if self.fails.load(Ordering::Relaxed) {
            return Err(NonceUnavailable);
        }
        let next = self.last.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        bytes.fill(next);
        Ok(())
    }
}
