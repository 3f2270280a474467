//! Keys under which something is being changed.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use httplib2_store::Key;
use tokio::sync::oneshot;

use crate::shared::Shared;

/// The changes that run on an executor, by their keys.
#[derive(Default)]
pub(crate) struct ChangesUnderWay(Mutex<HashMap<Key, Waiting>>);

#[derive(Default)]
struct Waiting {
    changes: usize,
    /// Dropped when it is over.
    waiting: Vec<oneshot::Sender<()>>,
}

/// A change that is under way, until it is dropped.
pub(crate) struct UnderWay {
    shared: Arc<Shared>,
    key: Key,
}

// === impl ChangesUnderWay ===

impl ChangesUnderWay {
    /// Ends, with whatever, when nothing is being changed under a key any more. `None` when nothing is now.
    pub(crate) fn settled(&self, key: &Key) -> Option<oneshot::Receiver<()>> {
        let mut keys = self.lock();
        let waiting = &mut keys.get_mut(key)?.waiting;
        // Those who gave up take no room.
        waiting.retain(|one| !one.is_closed());
        let (sender, receiver) = oneshot::channel();
        waiting.push(sender);
        Some(receiver)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl UnderWay ===

impl UnderWay {
    pub(crate) fn begin(shared: &Arc<Shared>, key: &Key) -> Self {
        shared.under_way.lock().entry(key.clone()).or_default().changes += 1;
        Self { shared: Arc::clone(shared), key: key.clone() }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut keys = self.shared.under_way.lock();
        let Some(waiting) = keys.get_mut(&self.key) else { return };
        waiting.changes -= 1;
        let over = if waiting.changes == 0 { keys.remove(&self.key) } else { None };
        // Not under the lock: it wakes those who wait.
        drop(keys);
        drop(over);
    }
}
