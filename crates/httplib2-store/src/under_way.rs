//! Keys under which something is about to become visible.

use std::{
    collections::HashMap,
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use tokio::sync::oneshot;

use crate::Key;

/// For stores that make nobody wait for what they store: the keys under which something is about to become visible.
/// Clones are the same.
///
/// A look-up waits for that, so that a request sees what the one before it has stored.
#[derive(Clone, Default)]
pub struct UnderWay(Arc<Inner>);

/// A change that is under way, until it is dropped.
pub struct Change {
    under_way: UnderWay,
    key: Key,
}

/// Ends when nothing is under way any more under a key.
#[derive(Debug)]
pub struct Settled(oneshot::Receiver<()>);

#[derive(Default)]
struct Inner {
    /// How many there are, so that look-ups need no lock where there are none.
    number: AtomicUsize,
    keys: Mutex<HashMap<Key, Waiting>>,
}

#[derive(Default)]
struct Waiting {
    changes: usize,
    /// Dropped when it is over.
    waiting: Vec<oneshot::Sender<()>>,
}

// === impl UnderWay ===

impl UnderWay {
    /// A change begins under this key.
    #[must_use]
    pub fn begin(&self, key: &Key) -> Change {
        let mut keys = self.lock();
        keys.entry(key.clone()).or_default().changes += 1;
        self.0.number.fetch_add(1, Ordering::AcqRel);
        Change { under_way: self.clone(), key: key.clone() }
    }

    /// What to wait for before this key is looked up. `None` when nothing is under way.
    #[must_use]
    pub fn settled(&self, key: &Key) -> Option<Settled> {
        if self.0.number.load(Ordering::Acquire) == 0 {
            return None;
        }
        let mut keys = self.lock();
        let waiting = &mut keys.get_mut(key)?.waiting;
        // Those who gave up take no room.
        waiting.retain(|one| !one.is_closed());
        let (sender, receiver) = oneshot::channel();
        waiting.push(sender);
        Some(Settled(receiver))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Waiting>> {
        self.0.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for UnderWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnderWay({})", self.0.number.load(Ordering::Relaxed))
    }
}

// === impl Change ===

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Change").field(&self.key).finish()
    }
}

impl Drop for Change {
    fn drop(&mut self) {
        let mut keys = self.under_way.lock();
        self.under_way.0.number.fetch_sub(1, Ordering::AcqRel);
        let Some(waiting) = keys.get_mut(&self.key) else { return };
        waiting.changes -= 1;
        let over = if waiting.changes == 0 { keys.remove(&self.key) } else { None };
        // Not under the lock: it wakes those who wait.
        drop(keys);
        drop(over);
    }
}

// === impl Settled ===

impl Future for Settled {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_key_is_settled_when_its_last_change_is_over() {
        let (under_way, key) = (UnderWay::default(), Key::from_text("http://example.org/"));
        let first = under_way.begin(&key);
        let second = under_way.begin(&key);
        assert!(under_way.settled(&Key::from_text("http://example.org/other")).is_none());
        let (settled, given_up) = (under_way.settled(&key).unwrap(), under_way.settled(&key).unwrap());
        drop((first, given_up));
        let mut settled = Box::pin(settled);
        assert!(settled.as_mut().poll(&mut Context::from_waker(std::task::Waker::noop())).is_pending());
        drop(second);
        settled.await;
        assert!(under_way.settled(&key).is_none());
    }
}
