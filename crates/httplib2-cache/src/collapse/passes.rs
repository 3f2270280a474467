//! Answers that were of no use to others: for a while nobody waits for the next one.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::SystemTime,
};

use httplib2_store::Key;

/// The keys whose last answers could not be shared, in a fixed amount of memory (8 KiB). A key that is forgotten too
/// early only costs those who wait for it some time.
pub(crate) struct Passes(Box<[AtomicU64; PLACES]>);

const PLACES: usize = 1024;

/// For how many seconds a key is remembered.
const SECONDS: u64 = 10;

/// The lower bits of a place hold the time in seconds, the upper ones most of the hash of the key.
const TIME: u64 = (1 << 24) - 1;

// === impl Passes ===

impl Passes {
    /// Whether requests for this key need not wait for each other.
    pub(crate) fn has(&self, key: &Key, now: SystemTime) -> bool {
        let noted = self.place(key).load(Ordering::Relaxed);
        noted & !TIME == key.hash_code() & !TIME && seconds(now).wrapping_sub(noted) & TIME < SECONDS
    }

    pub(crate) fn note(&self, key: &Key, now: SystemTime) {
        self.place(key).store(key.hash_code() & !TIME | seconds(now), Ordering::Relaxed);
    }

    fn place(&self, key: &Key) -> &AtomicU64 {
        // By the bits that are not compared.
        &self.0[key.hash_code() as usize % PLACES]
    }
}

impl Default for Passes {
    fn default() -> Self {
        Self(Box::new([const { AtomicU64::new(0) }; PLACES]))
    }
}

impl fmt::Debug for Passes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passes(..)")
    }
}

fn seconds(now: SystemTime) -> u64 {
    now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs()) & TIME
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_key_is_remembered_for_ten_seconds() {
        let passes = Passes::default();
        let key = Key::of(&"http://a.example/".parse().unwrap()).unwrap();
        let other = Key::of(&"http://b.example/".parse().unwrap()).unwrap();
        let at = |seconds: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds);
        assert!(!passes.has(&key, at(0)));
        passes.note(&key, at(0));
        assert!(passes.has(&key, at(9)) && !passes.has(&other, at(9)));
        assert!(!passes.has(&key, at(10)));
        // A clock that is set back makes nothing of it last longer.
        passes.note(&key, at(20));
        assert!(!passes.has(&key, at(5)));
    }
}
