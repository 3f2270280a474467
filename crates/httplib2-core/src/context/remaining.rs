//! How much of the deadline is left.

use std::time::Duration;

use tokio::time::Instant;

/// The end of the time that the caller gives the whole call, body included.
///
/// A request extension, set by the layer that enforces the deadline; it follows tokio's clock. Layers below read it to end in time
/// by themselves: a retry that could not finish is not begun, and a cache may answer stale before it is too
/// late. Work in the background does not inherit it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Remaining {
    end: Instant,
}

/// Stands for "no end" where adding the time given would leave the range of the clock.
const FAR: Duration = Duration::from_secs(60 * 60 * 24 * 365);

// === impl Remaining ===

impl Remaining {
    /// A deadline that ends after `time`, counted from now. A year is the most that can be given.
    #[must_use]
    pub fn within(time: Duration) -> Self {
        Self { end: Instant::now() + time.min(FAR) }
    }

    /// When it ends, for a timer.
    #[must_use]
    pub fn end(&self) -> Instant {
        self.end
    }

    /// The time that is left, zero once it is over.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// Whether something that takes `time` would still end before the deadline does.
    #[must_use]
    pub fn allows(&self, time: Duration) -> bool {
        time < self.left()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_left_shrinks_to_zero() {
        let remaining = Remaining::within(Duration::from_secs(3));
        assert!(remaining.allows(Duration::from_secs(2)));
        assert!(!remaining.allows(Duration::from_secs(3)));
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(remaining.left(), Duration::from_secs(1));
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(remaining.left(), Duration::ZERO);
    }

    #[test]
    fn a_boundless_time_does_not_overflow() {
        assert!(Remaining::within(Duration::MAX).allows(Duration::from_secs(3600)));
    }
}
