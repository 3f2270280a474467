//! A clock and a source of randomness that a test sets.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use httplib2_core::context::{Clock, Nonce, NonceUnavailable, SystemClock};

/// A clock that stands still until it is told otherwise. Clones show the same time.
///
/// ```
/// use httplib2_core::context::Clock;
/// use httplib2_testing::FixedClock;
/// use std::time::{Duration, UNIX_EPOCH};
///
/// let clock = FixedClock::at_unix(0);
/// let before = clock.instant();
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now(), UNIX_EPOCH + Duration::from_secs(60));
/// assert_eq!(clock.instant() - before, Duration::from_secs(60));
/// ```
#[derive(Clone, Debug)]
pub struct FixedClock(Arc<Mutex<Time>>);

/// A source of bytes that everybody can predict. Clones draw from the same source.
///
/// ```
/// use httplib2_core::context::{Nonce, NonceUnavailable};
/// use httplib2_testing::FixedNonce;
///
/// let nonce = FixedNonce::sequence(["abc"]);
/// let mut bytes = [0; 4];
/// nonce.fill(&mut bytes)?;
/// assert_eq!(&bytes, b"abca");
/// assert_eq!(nonce.fill(&mut bytes), Err(NonceUnavailable));
/// # Ok::<(), NonceUnavailable>(())
/// ```
#[derive(Clone, Debug)]
pub struct FixedNonce(Arc<Mutex<Source>>);

#[derive(Clone, Copy, Debug)]
struct Time {
    now: SystemTime,
    instant: Instant,
}

#[derive(Debug)]
struct Source {
    draws: Draws,
    failing: bool,
}

#[derive(Debug)]
enum Draws {
    Count(u8),
    Given(VecDeque<Vec<u8>>),
}

/// The date in the examples of RFC 9110 §5.6.7: Sun, 06 Nov 1994 08:49:37 GMT.
const DATE_OF_THE_RFC: u64 = 784_111_777;

// === impl FixedClock ===

impl Default for FixedClock {
    /// Stands at Sun, 06 Nov 1994 08:49:37 GMT, the date in the examples of RFC 9110 §5.6.7.
    fn default() -> Self {
        Self::at_unix(DATE_OF_THE_RFC)
    }
}

impl FixedClock {
    /// A clock that shows `now`.
    #[must_use]
    pub fn at(now: SystemTime) -> Self {
        Self(Arc::new(Mutex::new(Time { now, instant: SystemClock.instant() })))
    }

    /// A clock that shows so many seconds after 1970.
    #[must_use]
    pub fn at_unix(seconds: u64) -> Self {
        Self::at(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
    }

    /// Sets the wall clock, back too. The monotonic clock does not notice.
    pub fn set(&self, now: SystemTime) {
        self.lock().now = now;
    }

    /// Lets `time` pass on both clocks.
    pub fn advance(&self, time: Duration) {
        let mut both = self.lock();
        both.now += time;
        both.instant += time;
    }

    fn lock(&self) -> MutexGuard<'_, Time> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for FixedClock {
    fn now(&self) -> SystemTime {
        self.lock().now
    }

    fn instant(&self) -> Instant {
        self.lock().instant
    }
}

// === impl FixedNonce ===

impl Default for FixedNonce {
    fn default() -> Self {
        Self::counting()
    }
}

impl FixedNonce {
    /// Fills with 1 the first time, with 2 the second time, and so on; 0 follows 255.
    #[must_use]
    pub fn counting() -> Self {
        Self::new(Draws::Count(0))
    }

    /// Gives these in order, each repeated or cut to the length that is asked for. When all are used up, it
    /// fails, because a nonce that repeats proves nothing.
    pub fn sequence<N: Into<Vec<u8>>>(nonces: impl IntoIterator<Item = N>) -> Self {
        Self::new(Draws::Given(nonces.into_iter().map(Into::into).collect()))
    }

    /// From now on fails, or works again.
    pub fn set_failing(&self, failing: bool) {
        self.lock().failing = failing;
    }

    fn new(draws: Draws) -> Self {
        Self(Arc::new(Mutex::new(Source { draws, failing: false })))
    }

    fn lock(&self) -> MutexGuard<'_, Source> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Nonce for FixedNonce {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NonceUnavailable> {
        let mut source = self.lock();
        if source.failing {
            return Err(NonceUnavailable);
        }
        match &mut source.draws {
            Draws::Count(count) => {
                *count = count.wrapping_add(1);
                bytes.fill(*count);
            }
            Draws::Given(nonces) => {
                let nonce = nonces.pop_front().filter(|nonce| !nonce.is_empty()).ok_or(NonceUnavailable)?;
                bytes.iter_mut().zip(nonce.iter().cycle()).for_each(|(byte, given)| *byte = *given);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(nonce: &FixedNonce) -> Result<[u8; 2], NonceUnavailable> {
        let mut bytes = [0; 2];
        nonce.fill(&mut bytes).map(|()| bytes)
    }

    #[test]
    fn a_wall_clock_that_is_set_back_leaves_the_monotonic_one_alone() {
        let clock = FixedClock::default();
        let before = clock.instant();
        clock.set(SystemTime::UNIX_EPOCH);
        assert_eq!((clock.now(), clock.instant()), (SystemTime::UNIX_EPOCH, before));
    }

    #[test]
    fn counted_nonces_differ() {
        let nonce = FixedNonce::counting();
        assert_eq!((draw(&nonce), draw(&nonce.clone())), (Ok([1, 1]), Ok([2, 2])));
    }

    #[test]
    fn a_nonce_fails_when_told_to() {
        let nonce = FixedNonce::sequence([[7, 8, 9]]);
        nonce.set_failing(true);
        assert_eq!(draw(&nonce), Err(NonceUnavailable));
        nonce.set_failing(false);
        assert_eq!(draw(&nonce), Ok([7, 8]));
    }
}
