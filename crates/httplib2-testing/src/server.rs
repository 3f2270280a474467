//! A scripted server that records what it was sent.

mod received;
mod reply;

use std::{
    collections::HashMap,
    error::Error,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use httplib2_core::error::BoxError;
use tower_service::Service;

pub use self::{
    received::Received,
    reply::{Body, Broken, Reply, reply},
};

/// A server that answers by a script and remembers every request: the bottom of a stack under test.
///
/// Clones share the script, the memory and the permits. It holds its callers to the contract of tower: a
/// `call` that was not preceded by a `poll_ready` of the same instance panics.
pub struct Server {
    shared: Arc<Shared>,
    /// Taken by `poll_ready`, given to the future by `call`.
    readied: Option<Permit>,
}

/// Nothing in the script answers this request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unscripted(String);

struct Shared {
    script: Script,
    state: Mutex<State>,
}

enum Script {
    Lines(Mutex<HashMap<String, Line>>),
    Program(Box<dyn Fn(&Received, usize) -> Reply + Send + Sync>),
}

#[derive(Default)]
struct Line {
    replies: Vec<Reply>,
    next: usize,
}

struct State {
    received: Vec<Received>,
    free: usize,
    waiting: Vec<Waker>,
}

/// One of the requests that may be under way at once. Dropping it makes room for the next.
struct Permit(Arc<Shared>);

// === impl Server ===

impl Default for Server {
    fn default() -> Self {
        Self::of(Script::Lines(Mutex::default()))
    }
}

impl Server {
    /// A server without a script, to which [`on`](Self::on) adds.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A server that runs a function for each request; `n` is how many came before.
    pub fn answering(program: impl Fn(&Received, usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::of(Script::Program(Box::new(program)))
    }

    fn of(script: Script) -> Self {
        let state = State { received: Vec::new(), free: usize::MAX, waiting: Vec::new() };
        Self { shared: Arc::new(Shared { script, state: Mutex::new(state) }), readied: None }
    }

    /// Answers `line`, such as `GET http://a.example/path`, with `reply`. Several replies to one line are given
    /// in turn, and the last one from then on.
    ///
    /// # Panics
    ///
    /// If the server runs a function.
    #[must_use]
    pub fn on(self, line: &str, reply: Reply) -> Self {
        match &self.shared.script {
            Script::Lines(lines) => lock(lines).entry(line.to_owned()).or_default().replies.push(reply),
            Script::Program(_) => panic!("this server runs a function, which decides about {line} too"),
        }
        self
    }

    /// Lets at most `permits` requests be under way at once: `poll_ready` waits for room, which is taken until
    /// the response future has ended or is dropped.
    #[must_use]
    pub fn limited(self, permits: usize) -> Self {
        self.shared.state().free = permits;
        self
    }

    /// How many more requests may be under way now.
    #[must_use]
    pub fn permits_free(&self) -> usize {
        self.shared.state().free
    }

    /// The requests that came, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Received> {
        self.shared.state().received.clone()
    }

    /// Method and URI of the requests that came, in order.
    #[must_use]
    pub fn saw(&self) -> Vec<String> {
        self.shared.state().received.iter().map(Received::line).collect()
    }
}

/// The clone has not been polled ready.
impl Clone for Server {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), readied: None }
    }
}

impl<B> Service<Request<B>> for Server
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        if self.readied.is_none() {
            let mut state = self.shared.state();
            if state.free == 0 {
                state.waiting.push(cx.waker().clone());
                return Poll::Pending;
            }
            state.free -= 1;
            drop(state);
            self.readied = Some(Permit(Arc::clone(&self.shared)));
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let permit = self.readied.take();
        assert!(permit.is_some(), "the service that is called must have been polled ready");
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            let _permit = permit;
            shared.answer(request).await
        })
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("saw", &self.saw()).finish_non_exhaustive()
    }
}

// === impl Shared ===

impl Shared {
    async fn answer<B>(&self, request: Request<B>) -> Result<Response<Body>, BoxError>
    where
        B: http_body::Body<Data = Bytes, Error: Into<BoxError>>,
    {
        let (head, body) = request.into_parts();
        let (index, reply) = {
            let mut state = self.state();
            let received = Received::new(head);
            let reply = self.reply_to(&received, state.received.len())?;
            state.received.push(received);
            (state.received.len() - 1, reply)
        };
        if reply.reads_request() {
            let collected = body.collect().await.map_err(Into::into)?;
            self.state().received[index].set_body(collected);
        }
        reply.give().await
    }

    fn reply_to(&self, received: &Received, n: usize) -> Result<Reply, Unscripted> {
        match &self.script {
            Script::Program(program) => Ok(program(received, n)),
            Script::Lines(lines) => match lock(lines).get_mut(&received.line()) {
                Some(line) => {
                    let at = line.next.min(line.replies.len() - 1);
                    line.next += 1;
                    Ok(line.replies[at].clone())
                }
                None => Err(Unscripted(received.line())),
            },
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

// === impl Permit ===

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.free += 1;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }
}

// === impl Unscripted ===

impl fmt::Display for Unscripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the script has no answer to {}", self.0)
    }
}

impl Error for Unscripted {}
