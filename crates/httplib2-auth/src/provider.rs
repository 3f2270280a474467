//! Credentials that are asked for when they are needed, such as tokens that expire.

use std::{
    collections::HashMap,
    error::Error,
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Poll, ready},
};

use httplib2_core::{error::BoxError, who::Origin};
use httplib2_syntax::challenge::Challenge;

use crate::Credential;

/// Gives credentials when they are needed.
///
/// What it gave for an origin is used there, without asking again, until a server refuses it. However many requests need
/// a credential for an origin at the same time, it is asked once: they share the answer, and it is asked on as long as
/// one of them still waits. So it must not fetch a credential for an origin by a request to that origin through the same
/// layer: that would wait for itself. Functions are providers:
///
/// ```
/// use std::sync::Arc;
///
/// use httplib2_auth::{Ask, Credential, Credentials};
///
/// let credentials = Credentials::new();
/// credentials.provider_for("api.example.org", Arc::new(async |ask: Ask| {
///     // A real one would ask the token server of `ask.origin` here.
///     let expired = ask.refused.is_some();
///     Ok(Some(Credential::token(if expired { "second" } else { "first" }).with_identity("joe")))
/// }))?;
/// # Ok::<(), httplib2_auth::InvalidDomain>(())
/// ```
pub trait Provider: Send + Sync + 'static {
    /// Gives a credential, or `None` when there is none for that origin.
    ///
    /// An error goes to whoever asked, as [`Unanswered::Provider`](crate::Unanswered::Provider) on the response.
    fn provide(&self, ask: Ask) -> Provided;
}

/// The future of a [`Provider`].
pub type Provided = Pin<Box<dyn Future<Output = Result<Option<Credential>, BoxError>> + Send>>;

/// For what a credential is needed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Ask {
    /// Where it is needed.
    pub origin: Origin,
    /// What the server asked for; empty when it was not asked yet, because the credential is sent in advance.
    pub challenges: Vec<Challenge>,
    /// The credential that was given before and has just been refused.
    pub refused: Option<Credential>,
}

/// A provider failed. Its own error is the [source](Error::source); the texts of this one tell nothing of it.
#[derive(Clone)]
pub struct ProviderError(Arc<dyn Error + Send + Sync>);

/// A provider, what it gave, and who is asking it.
pub(crate) struct Supply {
    provider: Arc<dyn Provider>,
    origins: Mutex<HashMap<Origin, Given>>,
}

#[derive(Default)]
struct Given {
    current: Option<Credential>,
    /// Those who wait hold it: when all have gone, what is under way is dropped.
    asking: Weak<Asking>,
}

type Answer = Result<Option<Credential>, ProviderError>;

/// One question that is under way. Whoever holds the lock drives it, and when they go another one does.
struct Asking(tokio::sync::Mutex<Progress>);

struct Progress {
    /// Gone when it has ended, or has panicked.
    provided: Option<Provided>,
    answer: Option<Answer>,
}

/// How many origins are remembered.
const MAX_ORIGINS: usize = 1_000;

impl<F, T> Provider for F
where
    F: Fn(Ask) -> T + Send + Sync + 'static,
    T: Future<Output = Result<Option<Credential>, BoxError>> + Send + 'static,
{
    fn provide(&self, ask: Ask) -> Provided {
        Box::pin(self(ask))
    }
}

// === impl Supply ===

impl Supply {
    pub(crate) fn new(provider: Arc<dyn Provider>) -> Self {
        Self { provider, origins: Mutex::default() }
    }

    /// What was given last for this origin.
    pub(crate) fn current(&self, origin: &Origin) -> Option<Credential> {
        self.origins().get(origin)?.current.clone()
    }

    /// A credential other than the one that was refused: the present one, or else a new one.
    pub(crate) async fn ask(&self, ask: Ask) -> Answer {
        let asking = match self.join(ask.clone()) {
            Ok(current) => return Ok(Some(current)),
            Err(asking) => asking,
        };
        let mut progress = asking.0.lock().await;
        if progress.answer.is_none() {
            let answer = progress.drive().await;
            self.land(&ask.origin, &asking, &answer);
            progress.answer = Some(answer);
        }
        progress.answer.clone().unwrap_or(Ok(None))
    }

    fn join(&self, ask: Ask) -> Result<Credential, Arc<Asking>> {
        let mut origins = self.origins();
        if origins.len() >= MAX_ORIGINS && !origins.contains_key(&ask.origin) {
            origins.retain(|_, given| given.asking.strong_count() > 0);
        }
        let given = origins.entry(ask.origin.clone()).or_default();
        let is_refused = |current: &Credential| ask.refused.as_ref().is_some_and(|refused| refused.is_same(current));
        if let Some(current) = given.current.as_ref().filter(|current| !is_refused(current)) {
            return Ok(current.clone());
        }
        let asking = given.asking.upgrade().unwrap_or_else(|| Arc::new(Asking::new(self.provider.provide(ask))));
        given.asking = Arc::downgrade(&asking);
        Err(asking)
    }

    /// Keeps what was given. A failure is not kept: who comes next asks again.
    fn land(&self, origin: &Origin, asking: &Arc<Asking>, answer: &Answer) {
        if let Some(given) = self.origins().get_mut(origin)
            && std::ptr::eq(given.asking.as_ptr(), Arc::as_ptr(asking))
        {
            given.asking = Weak::new();
            if let Ok(credential) = answer {
                given.current.clone_from(credential);
            }
        }
    }

    fn origins(&self) -> MutexGuard<'_, HashMap<Origin, Given>> {
        self.origins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Supply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Supply(..)")
    }
}

// === impl Asking ===

impl Asking {
    fn new(provided: Provided) -> Self {
        Self(tokio::sync::Mutex::new(Progress { provided: Some(provided), answer: None }))
    }
}

// === impl Progress ===

impl Progress {
    /// Polls to the end. A future that panics is not polled again: those who wait see that nothing was given.
    async fn drive(&mut self) -> Answer {
        poll_fn(|cx| {
            let Some(mut provided) = self.provided.take() else { return Poll::Ready(Ok(None)) };
            let polled = provided.as_mut().poll(cx);
            if polled.is_pending() {
                self.provided = Some(provided);
            }
            Poll::Ready(ready!(polled).map_err(|error| ProviderError(error.into())))
        })
        .await
    }
}

// === impl ProviderError ===

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the provider of credentials failed")
    }
}

impl fmt::Debug for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProviderError(..)")
    }
}

impl Error for ProviderError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

impl PartialEq for ProviderError {
    /// Whether both tell of one failure.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
