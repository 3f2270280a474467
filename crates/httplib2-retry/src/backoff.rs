//! How long to wait before the next try.

use std::time::Duration;

/// Exponential backoff with full jitter: any time from zero up to a ceiling that doubles with each try.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    pub(crate) base: Duration,
    pub(crate) longest: Duration,
}

// === impl Backoff ===

impl Default for Backoff {
    fn default() -> Self {
        Self { base: Duration::from_millis(100), longest: Duration::from_secs(10) }
    }
}

impl Backoff {
    /// The wait before the try that follows `tries` others, of which `random` picks one: 0 the shortest,
    /// `u64::MAX` the longest.
    pub(crate) fn wait(self, tries: u32, random: u64) -> Duration {
        let ceiling = u64::try_from(self.ceiling(tries).as_nanos()).unwrap_or(u64::MAX);
        // The upper half of the product is the share of the ceiling, rounded down.
        let share = (u128::from(ceiling) * u128::from(random)) >> u64::BITS;
        Duration::from_nanos(u64::try_from(share).unwrap_or(ceiling))
    }

    fn ceiling(self, tries: u32) -> Duration {
        let doublings = tries.saturating_sub(1);
        self.base.saturating_mul(2_u32.saturating_pow(doublings)).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_ceiling_doubles_up_to_the_longest() {
        let backoff = Backoff::default();
        for (tries, ceiling) in [(1, 100), (2, 200), (3, 400), (7, 6_400), (8, 10_000), (u32::MAX, 10_000)] {
            assert_eq!(backoff.ceiling(tries), Duration::from_millis(ceiling), "after {tries}");
        }
    }

    #[test]
    fn the_wait_is_any_share_of_the_ceiling() {
        let backoff = Backoff { base: Duration::from_secs(1), longest: Duration::from_secs(10) };
        assert_eq!(backoff.wait(1, 0), Duration::ZERO);
        assert_eq!(backoff.wait(1, 1 << 63), Duration::from_millis(500));
        assert_eq!(backoff.wait(1, u64::MAX), Duration::from_nanos(999_999_999));
        assert_eq!(backoff.wait(3, 1 << 62), Duration::from_secs(1));
    }

    proptest! {
        #[test]
        fn no_wait_is_above_the_longest(
            base in any::<Duration>(),
            longest in any::<Duration>(),
            tries in any::<u32>(),
            random in any::<u64>(),
        ) {
            let wait = Backoff { base, longest }.wait(tries, random);
            prop_assert!(wait <= longest);
        }

        #[test]
        fn no_wait_is_above_what_the_try_before_allowed_twice(tries in 1..40_u32, random in any::<u64>()) {
            let backoff = Backoff::default();
            prop_assert!(backoff.wait(tries + 1, random) <= backoff.ceiling(tries) * 2);
        }
    }
}
