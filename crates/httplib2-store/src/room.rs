//! How much may be under construction at once.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::StoreError;

/// For stores: the memory that all bodies under construction may take together. Clones are the same room.
#[derive(Clone)]
pub struct Room(Arc<Inner>);

/// A share of a [`Room`], which is given back when it is dropped.
#[derive(Debug)]
pub struct Share {
    room: Room,
    bytes: u64,
}

struct Inner {
    taken: AtomicU64,
    limit: u64,
}

// === impl Room ===

impl Room {
    /// Room for so many bytes.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        Self(Arc::new(Inner { taken: AtomicU64::new(0), limit: bytes }))
    }

    /// A share of nothing yet.
    #[must_use]
    pub fn share(&self) -> Share {
        Share { room: self.clone(), bytes: 0 }
    }

    /// How many bytes there are in all.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.0.limit
    }
}

impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Room({} of {})", self.0.taken.load(Ordering::Relaxed), self.0.limit)
    }
}

// === impl Share ===

impl Share {
    /// Makes it so large: more, or less.
    ///
    /// # Errors
    ///
    /// [`StoreError::Full`] when there is not that much room. It is as it was then; less never fails.
    pub fn set(&mut self, bytes: u64) -> Result<(), StoreError> {
        let Inner { taken, limit } = &*self.room.0;
        match bytes.checked_sub(self.bytes) {
            Some(more) => {
                if taken.fetch_add(more, Ordering::Relaxed).saturating_add(more) > *limit {
                    taken.fetch_sub(more, Ordering::Relaxed);
                    return Err(StoreError::Full { limit: *limit });
                }
            }
            None => {
                taken.fetch_sub(self.bytes - bytes, Ordering::Relaxed);
            }
        }
        self.bytes = bytes;
        Ok(())
    }

    /// What it is a share of.
    #[must_use]
    pub fn room(&self) -> &Room {
        &self.room
    }

    /// Gives all of it back.
    pub fn release(&mut self) {
        self.room.0.taken.fetch_sub(std::mem::take(&mut self.bytes), Ordering::Relaxed);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_bounded_together_and_given_back() {
        let room = Room::new(10);
        let (mut one, mut other) = (room.share(), room.share());
        one.set(6).unwrap();
        assert!(matches!(other.set(5), Err(StoreError::Full { limit: 10 })));
        other.set(4).unwrap();
        assert_eq!(format!("{room:?}"), "Room(10 of 10)");
        one.set(1).unwrap();
        other.set(9).unwrap();
        drop(one);
        other.set(10).unwrap();
        other.release();
        assert_eq!(format!("{room:?}"), "Room(0 of 10)");
        room.share().set(u64::MAX).unwrap_err();
    }
}
