//! Numbers that nothing else has, in no process.

use std::{
    hash::{BuildHasher, RandomState},
    process,
    sync::atomic::{AtomicU64, Ordering},
    time::SystemTime,
};

/// Gives numbers of which no two are the same.
///
/// A forked process goes on with the randomness and the count of its parent, as all others that are forked from it do.
/// So each number is of the process that asks, too, and of the time, since the numbers of processes come again.
#[derive(Debug)]
pub(crate) struct Numbers {
    hasher: RandomState,
    given: AtomicU64,
}

// === impl Numbers ===

impl Numbers {
    pub(crate) fn new() -> Self {
        Self { hasher: RandomState::new(), given: AtomicU64::new(0) }
    }

    /// Another number than any before; never zero.
    pub(crate) fn next(&self, now: SystemTime) -> u64 {
        self.number(self.given.fetch_add(1, Ordering::Relaxed), process::id(), now)
    }

    fn number(&self, given: u64, process: u32, now: SystemTime) -> u64 {
        self.hasher.hash_one((given, process, now)).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::HashSet, time::Duration};

    #[test]
    fn a_forked_process_and_one_with_its_number_later_give_other_numbers() {
        let numbers = Numbers::new();
        let times = [0, 1].map(|time| SystemTime::UNIX_EPOCH + Duration::from_nanos(time));
        let all = (0..10).flat_map(|given| [7, 8].map(|process| (given, process)));
        let all: Vec<_> =
            all.flat_map(|(given, process)| times.map(|time| numbers.number(given, process, time))).collect();
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), 40);
        assert!(!all.contains(&0));
    }

    #[test]
    fn no_number_comes_twice() {
        let numbers = Numbers::new();
        let given: HashSet<_> = (0..1_000).map(|_| numbers.next(SystemTime::UNIX_EPOCH)).collect();
        assert_eq!(given.len(), 1_000);
    }
}
