//! Work that blocks.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use httplib2_store::StoreError;
use tokio::{runtime::Handle, task::JoinHandle};

/// Work that was begun on a thread for work that blocks. It goes on when this is dropped.
pub(crate) enum Job<T> {
    Running(JoinHandle<T>, Handle),
    /// There was no runtime to give it to, so it was done at once.
    Done(Option<T>),
}

// === impl Job ===

impl<T: Send + 'static> Job<T> {
    pub(crate) fn start(work: impl FnOnce() -> T + Send + 'static) -> Self {
        match Handle::try_current() {
            Ok(runtime) => Self::Running(runtime.spawn_blocking(work), runtime),
            Err(_) => Self::Done(Some(work())),
        }
    }

    /// Goes on with what came of it, whether anybody waits for that or not.
    pub(crate) fn then<U, E>(self, next: impl FnOnce(T) -> Result<U, E> + Send + 'static) -> Job<Result<U, E>>
    where
        U: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let ended = || StoreError::Other("this was waited for before".into());
        match self {
            // Such work is begun in order, so this never takes the thread that the first part needs.
            Self::Running(task, runtime) => {
                let inside = runtime.clone();
                let work = move || match inside.block_on(task) {
                    Ok(result) => next(result),
                    Err(error) => Err(StoreError::Other(error.into()).into()),
                };
                Job::Running(runtime.spawn_blocking(work), runtime)
            }
            Self::Done(result) => Job::start(move || next(result.ok_or_else(ended)?)),
        }
    }
}

impl<T> Future for Job<T> {
    type Output = Result<T, StoreError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            // It fails when the runtime shuts down.
            Self::Running(task, _) => Pin::new(task).poll(cx).map_err(|error| StoreError::Other(error.into())),
            Self::Done(result) => match result.take() {
                Some(result) => Poll::Ready(Ok(result)),
                None => Poll::Pending,
            },
        }
    }
}

impl<T> Unpin for Job<T> {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    #[test]
    fn without_a_runtime_the_work_is_done_at_once() {
        let mut job = Job::start(|| 7);
        let polled = Pin::new(&mut job).poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(polled, Poll::Ready(Ok(7))));
    }

    #[test]
    fn what_comes_after_is_done_though_nobody_waits_and_there_is_one_thread() {
        let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
        let (done, wait) = std::sync::mpsc::channel();
        let entered = runtime.enter();
        let job = Job::start(|| 7).then(move |seven| done.send(seven).map_err(|error| StoreError::Other(error.into())));
        drop(entered);
        assert_eq!(wait.recv_timeout(std::time::Duration::from_secs(10)), Ok(7));
        drop(job);
    }

    #[tokio::test]
    async fn in_a_runtime_the_work_is_done_elsewhere() {
        let here = std::thread::current().id();
        assert_ne!(Job::start(|| std::thread::current().id()).await.unwrap(), here);
    }
}
