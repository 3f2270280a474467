//! What a store answers: at once where it can, later where it must.

use std::{
    fmt,
    future::{Future, pending},
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use crate::StoreError;

/// The answer of a [`Store`](crate::Store): there already, or a future.
///
/// A store that has what it needs in memory answers [`Ready`](Self::Ready), which allocates nothing. It is a future
/// itself, so a caller who does not care simply awaits it; one who does matches.
#[must_use = "a pending answer does nothing until it is awaited"]
pub enum Answer<T> {
    /// The result is there.
    Ready(Result<T, StoreError>),
    /// The result comes. Dropping the future gives up waiting for it; what was asked for may happen all the same.
    Pending(Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'static>>),
}

// === impl Answer ===

impl<T> Answer<T> {
    /// An answer that comes later.
    pub fn pending(future: impl Future<Output = Result<T, StoreError>> + Send + 'static) -> Self {
        Self::Pending(Box::pin(future))
    }

    /// The answer with another result in it, made of this one when it is there.
    pub fn map<U>(self, make: impl FnOnce(T) -> U + Send + 'static) -> Answer<U>
    where
        T: 'static,
    {
        match self {
            Self::Ready(result) => Answer::Ready(result.map(make)),
            Self::Pending(future) => Answer::pending(async move { future.await.map(make) }),
        }
    }
}

impl<T> From<Result<T, StoreError>> for Answer<T> {
    fn from(result: Result<T, StoreError>) -> Self {
        Self::Ready(result)
    }
}

/// The result is never pinned, only moved out.
impl<T> Unpin for Answer<T> {}

impl<T: 'static> Future for Answer<T> {
    type Output = Result<T, StoreError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Self::Pending(future) = &mut *self {
            return future.as_mut().poll(cx);
        }
        // `Pending` has no size, so this box is no allocation.
        match mem::replace(&mut *self, Self::Pending(Box::pin(pending()))) {
            Self::Ready(result) => Poll::Ready(result),
            Self::Pending(_) => Poll::Pending,
        }
    }
}

impl<T> fmt::Debug for Answer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ready(Ok(_)) => "Answer(ready)",
            Self::Ready(Err(_)) => "Answer(failed)",
            Self::Pending(_) => "Answer(pending)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_is_awaited_whether_it_is_there_or_not() {
        assert_eq!(Answer::Ready(Ok(1)).await.unwrap(), 1);
        let later = Answer::pending(async {
            tokio::task::yield_now().await;
            Ok(2)
        });
        assert_eq!(later.map(|two| two + 1).await.unwrap(), 3);
        assert!(matches!(Answer::Ready(Ok(1)).map(|one| one + 1), Answer::Ready(Ok(2))));
        assert!(matches!(Answer::<()>::from(Err(StoreError::Gone)).await, Err(StoreError::Gone)));
    }
}
