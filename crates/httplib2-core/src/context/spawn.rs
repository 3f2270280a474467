//! Who runs background work.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

type Task = Pin<Box<dyn Future<Output = ()> + Send + 'static>>;

/// A handle to an executor, given to a layer when it is built.
///
/// Work that outlives a call (refreshing a stale answer, finishing what is being stored) runs on it; a layer
/// without one does not start such work at all.
///
/// ```
/// use httplib2_core::context::Spawn;
///
/// let on_tokio = Spawn::new(|task| {
///     tokio::spawn(task);
/// });
/// # let _ = on_tokio;
/// ```
#[derive(Clone)]
pub struct Spawn(Arc<dyn Fn(Task) + Send + Sync>);

// === impl Spawn ===

impl Spawn {
    /// Wraps a function that runs a task to its end without blocking the caller.
    pub fn new(run: impl Fn(Task) + Send + Sync + 'static) -> Self {
        Self(Arc::new(run))
    }

    /// Starts `task` in the background.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        (self.0)(Box::pin(task));
    }
}

impl fmt::Debug for Spawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Spawn(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_runs_on_the_executor_that_was_given() {
        let (done, wait) = tokio::sync::oneshot::channel();
        let spawn = Spawn::new(|task| drop(tokio::spawn(task)));
        spawn.clone().spawn(async move { done.send(7).unwrap() });
        assert_eq!(wait.await, Ok(7));
    }
}
