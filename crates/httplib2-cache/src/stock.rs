//! Asking the store, which must never harm the caller.

use std::sync::Arc;

use httplib2_store::{Answer, Entry, Key, StoreError};
use tokio::time::timeout;

use crate::{settings::Settings, untrue::Doubt};

// === impl Settings ===

impl Settings {
    /// What the store answers, or `None` when it fails or takes too long.
    pub(crate) async fn wait<T: 'static>(&self, what: &'static str, answer: Answer<T>) -> Option<T> {
        let result = match answer {
            Answer::Ready(result) => result,
            pending @ Answer::Pending(_) => match timeout(self.patience, pending).await {
                Ok(result) => result,
                Err(_) => {
                    tracing::warn!(target: "httplib2", layer = "cache", what, "the store does not answer");
                    return None;
                }
            },
        };
        result.map_err(|error| complain(what, &error)).ok()
    }

    /// Drops what is stored of a URI, and what is being stored of it. Where the store fails, it is not used until the
    /// store has done it.
    pub(crate) async fn invalidate(&self, key: &Key) {
        let unconfirmed = self.untrue.add(key);
        if self.wait("invalidation", self.store.invalidate(key)).await.is_some() {
            self.untrue.confirm(key, unconfirmed);
        }
    }

    /// Like [`invalidate`](Self::invalidate), for one that cannot wait.
    pub(crate) fn invalidate_in_background(self: &Arc<Self>, key: &Key) {
        let unconfirmed = self.untrue.add(key);
        match (self.store.invalidate(key), &self.executor) {
            (Answer::Ready(Ok(())), _) => self.untrue.confirm(key, unconfirmed),
            (Answer::Ready(Err(error)), _) => complain("invalidation", &error),
            (Answer::Pending(pending), Some(executor)) => {
                let (settings, key) = (Arc::clone(self), key.clone());
                executor.spawn(async move {
                    if pending.await.is_ok() {
                        settings.untrue.confirm(&key, unconfirmed);
                    }
                });
            }
            // The next one who asks for it waits.
            (Answer::Pending(_), None) => {}
        }
    }

    /// Whether what the store has of a URI may be used. An invalidation that it did not confirm is made again.
    pub(crate) async fn is_true(&self, key: &Key) -> bool {
        match self.untrue.doubt(key) {
            Doubt::None => return true,
            Doubt::Key => self.invalidate(key).await,
            Doubt::All => {
                let unconfirmed = self.untrue.last();
                if self.wait("clearing", self.store.clear()).await.is_some() {
                    self.untrue.confirm_all(unconfirmed);
                }
            }
        }
        self.untrue.doubt(key) == Doubt::None
    }

    /// Drops one variant that must not be used any more, for one that cannot wait.
    pub(crate) fn remove_in_background(&self, key: &Key, entry: &Entry) {
        match (self.store.remove(key, entry.id()), &self.executor) {
            (Answer::Ready(_), _) => {}
            (pending, Some(executor)) => executor.spawn(async move { drop(pending.await) }),
            // The next one who asks for it waits until all of the URI is dropped.
            (Answer::Pending(_), None) => drop(self.untrue.add(key)),
        }
    }

    /// Drops one variant.
    pub(crate) async fn remove(&self, key: &Key, entry: &Entry) {
        self.wait("removal", self.store.remove(key, entry.id())).await;
    }
}

/// Says that the store failed, unless it did what it is there for.
pub(crate) fn complain(what: &'static str, error: &StoreError) {
    match error {
        StoreError::TooLarge { .. }
        | StoreError::Full { .. }
        | StoreError::Superseded
        | StoreError::Gone
        | StoreError::Unsupported => {
            tracing::debug!(target: "httplib2", layer = "cache", what, "{error}");
        }
        _ => {
            let cause = std::error::Error::source(error);
            let cause = cause.map(ToString::to_string).unwrap_or_default();
            tracing::warn!(target: "httplib2", layer = "cache", what, cause, "{error}");
        }
    }
}
