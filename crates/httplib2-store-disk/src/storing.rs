//! Keys under which something is about to become visible.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use httplib2_store::Key;
use tokio::sync::oneshot;

use crate::{content::lock, shared::Shared};

/// Keys under which something is about to become visible: its body has come, and its files are being made.
///
/// Whoever asks for such a key waits for that, so that a request sees what the one before it has stored, although
/// that one did not wait for the disk.
#[derive(Default)]
pub(crate) struct Storing {
    /// How many there are, so that look-ups need no lock where there are none.
    number: AtomicUsize,
    keys: Mutex<HashMap<Key, Waiting>>,
}

#[derive(Default)]
struct Waiting {
    commits: usize,
    /// Dropped when it is over.
    waiting: Vec<oneshot::Sender<()>>,
}

/// A commit that is under way, until it is dropped.
pub(crate) struct Commit {
    shared: Arc<Shared>,
    key: Key,
}

// === impl Storing ===

impl Storing {
    /// Ends, with whatever, when all is visible that is being stored under a key now. `None` when nothing is.
    pub(crate) fn settled(&self, key: &Key) -> Option<oneshot::Receiver<()>> {
        if self.number.load(Ordering::Acquire) == 0 {
            return None;
        }
        let mut keys = lock(&self.keys);
        let waiting = &mut keys.get_mut(key)?.waiting;
        waiting.retain(|one| !one.is_closed());
        let (sender, receiver) = oneshot::channel();
        waiting.push(sender);
        Some(receiver)
    }
}

// === impl Commit ===

impl Commit {
    pub(crate) fn begin(shared: &Arc<Shared>, key: &Key) -> Self {
        let storing = &shared.storing;
        let mut keys = lock(&storing.keys);
        keys.entry(key.clone()).or_default().commits += 1;
        storing.number.fetch_add(1, Ordering::AcqRel);
        Self { shared: Arc::clone(shared), key: key.clone() }
    }
}

impl Drop for Commit {
    fn drop(&mut self) {
        let storing = &self.shared.storing;
        let mut keys = lock(&storing.keys);
        storing.number.fetch_sub(1, Ordering::AcqRel);
        let Some(waiting) = keys.get_mut(&self.key) else { return };
        waiting.commits -= 1;
        let over = if waiting.commits == 0 { keys.remove(&self.key) } else { None };
        // Not under the lock: it wakes those who wait.
        drop(keys);
        drop(over);
    }
}
