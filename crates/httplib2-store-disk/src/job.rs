//! Work that blocks.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use httplib2_store::StoreError;
use tokio::{runtime::Handle, task::JoinHandle};

/// Work that was begun on a thread for work that blocks. It goes on when this is dropped.
pub(crate) enum Job<T> {
    Running(JoinHandle<T>),
    /// There was no runtime to give it to, so it was done at once.
    Done(Option<T>),
}

// === impl Job ===

impl<T: Send + 'static> Job<T> {
    pub(crate) fn start(work: impl FnOnce() -> T + Send + 'static) -> Self {
        match Handle::try_current() {
            Ok(runtime) => Self::Running(runtime.spawn_blocking(work)),
            Err(_) => Self::Done(Some(work())),
        }
    }
}

impl<T> Future for Job<T> {
    type Output = Result<T, StoreError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            // It fails when the runtime shuts down.
            Self::Running(task) => Pin::new(task).poll(cx).map_err(|error| StoreError::Other(error.into())),
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

    #[tokio::test]
    async fn in_a_runtime_the_work_is_done_elsewhere() {
        let here = std::thread::current().id();
        assert_ne!(Job::start(|| std::thread::current().id()).await.unwrap(), here);
    }
}
