//! How much work there may be in the background at once.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use crate::settings::Settings;

/// How many pieces of work for nobody who waits are under way: refreshes, fetches whose callers are gone, and bodies that
/// are read to their end.
#[derive(Debug, Default)]
pub(crate) struct Background(AtomicUsize);

/// The right to one of them, until it is dropped.
pub(crate) struct Place(Arc<Settings>);

// === impl Place ===

impl Place {
    /// How many there may be. Each holds a connection to the origin.
    const MOST: usize = 64;

    /// `None` when there are as many as may be.
    pub(crate) fn take(settings: &Arc<Settings>) -> Option<Self> {
        let this = Self(Arc::clone(settings));
        // Counted back when it is dropped, also where it was one too many.
        (settings.in_background.0.fetch_add(1, Ordering::Relaxed) < Self::MOST).then_some(this)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.in_background.0.fetch_sub(1, Ordering::Relaxed);
    }
}
