//! Asking the store, which must never harm the caller.

use httplib2_store::{Answer, Entry, Key, StoreError};
use tokio::time::timeout;

use crate::settings::Settings;

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

    /// Drops what is stored of a URI, and what is being stored of it.
    pub(crate) async fn invalidate(&self, key: &Key) {
        self.wait("invalidation", self.store.invalidate(key)).await;
    }

    /// Drops one variant.
    pub(crate) async fn remove(&self, key: &Key, entry: &Entry) {
        self.wait("removal", self.store.remove(key, entry.id())).await;
    }
}

/// Says that the store failed, unless it did what it is there for.
pub(crate) fn complain(what: &'static str, error: &StoreError) {
    match error {
        StoreError::TooLarge { .. } | StoreError::Full { .. } | StoreError::Superseded | StoreError::Gone => {
            tracing::debug!(target: "httplib2", layer = "cache", what, "{error}");
        }
        _ => {
            let cause = std::error::Error::source(error);
            let cause = cause.map(ToString::to_string).unwrap_or_default();
            tracing::warn!(target: "httplib2", layer = "cache", what, cause, "{error}");
        }
    }
}
