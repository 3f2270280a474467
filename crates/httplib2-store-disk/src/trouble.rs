//! What is done when the disk does not do what it should: say so now and then, and leave it alone for a while.

use std::{
    fmt, io,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use httplib2_store::StoreError;

/// How the disk fared lately.
#[derive(Debug, Default)]
pub(crate) struct Trouble(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    warned: Option<Instant>,
    failed: Option<Instant>,
    kept_back: u64,
}

/// How long nothing is said after something was said.
const SILENCE: Duration = Duration::from_secs(60);

/// How long no new response is stored after one could not be.
const REST: Duration = Duration::from_secs(1);

// === impl Trouble ===

impl Trouble {
    /// Warns, unless that was done lately.
    pub(crate) fn warn(&self, now: Instant, directory: &Path, what: &'static str, cause: &dyn fmt::Display) {
        let mut state = self.lock();
        if state.warned.is_some_and(|warned| now.saturating_duration_since(warned) < SILENCE) {
            state.kept_back += 1;
            return;
        }
        state.warned = Some(now);
        let kept_back = std::mem::take(&mut state.kept_back);
        drop(state);
        let directory = directory.display();
        tracing::warn!(target: "httplib2", layer = "store", %directory, %cause, kept_back, "the disk store: {what}");
    }

    pub(crate) fn note_failed_write(&self, now: Instant) {
        self.lock().failed = Some(now);
    }

    pub(crate) fn note_write(&self) {
        self.lock().failed = None;
    }

    /// Whether a write failed so short a time ago that there is no use in trying again.
    pub(crate) fn is_resting(&self, now: Instant) -> bool {
        self.lock().failed.is_some_and(|failed| now.saturating_duration_since(failed) < REST)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the operating system said, in the store's words.
pub(crate) fn store_error(error: io::Error, limit: u64) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full { limit },
        _ => StoreError::Io(error),
    }
}

/// What cacache said, in the operating system's words. Its own text names paths.
pub(crate) fn io_error(error: cacache::Error) -> io::Error {
    match error {
        cacache::Error::IoError(error, _) => error,
        _ => io::Error::other("the content could not be written"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use httplib2_core::context::Clock;
    use httplib2_testing::FixedClock;

    #[test]
    fn a_store_that_failed_rests_for_a_second() {
        let (clock, trouble) = (FixedClock::default(), Trouble::default());
        assert!(!trouble.is_resting(clock.instant()));
        trouble.note_failed_write(clock.instant());
        assert!(trouble.is_resting(clock.instant()));
        clock.advance(Duration::from_secs(1));
        assert!(!trouble.is_resting(clock.instant()));
        trouble.note_failed_write(clock.instant());
        trouble.note_write();
        assert!(!trouble.is_resting(clock.instant()));
    }

    #[test]
    fn a_full_disk_is_a_full_store() {
        let full = store_error(io::ErrorKind::StorageFull.into(), 7);
        assert!(matches!(full, StoreError::Full { limit: 7 }));
        assert!(matches!(store_error(io::ErrorKind::PermissionDenied.into(), 7), StoreError::Io(_)));
    }
}
