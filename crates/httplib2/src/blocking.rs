//! The client for programs without a runtime of their own.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let origin = httplib2_testing::Server::answering(|_, _| httplib2_testing::reply(200).body("Hello"));
//! # let http = httplib2::blocking::Http::from(httplib2::Http::builder().build_over(origin)?);
//! // let http = httplib2::blocking::Http::new();
//! let (response, content) = http.request("http://example.org/").send()?;
//! assert_eq!(response.status(), 200);
//! assert_eq!(content, "Hello");
//! # Ok(())
//! # }
//! ```
//!
//! One thread in the background owns a runtime and runs all requests of a client and its clones. Callers
//! only wait for channels, so it works in every context, also inside of a runtime. What runs on that thread itself (a
//! redirect policy, a body's iterator or factory, a resolver) must not send with the same client: that is an error.

use std::{
    io::{self, Read},
    pin::{Pin, pin},
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread, ThreadId},
};

use bytes::{Buf, Bytes};
use httplib2_auth::{Credentials, InvalidDomain};
use tokio::sync::{mpsc, oneshot};

use crate::{Error, ErrorKind, RequestBuilder, Response, ResponseBody};

/// A blocking client: see the [module documentation](self). Cheap to clone and to share.
#[derive(Clone, Debug, Default)]
pub struct Http {
    client: crate::Http,
    worker: Arc<Worker>,
}

/// The body of a response, read as it arrives.
///
/// Its errors reach the reader as [`io::Error`] with the typed [`Error`] inside. Dropping it gives up the
/// rest.
#[derive(Debug)]
pub struct Content {
    pieces: mpsc::Receiver<Result<Option<Bytes>, Error>>,
    piece: Bytes,
    ended: bool,
    /// Keeps the thread that delivers the pieces.
    _worker: Arc<Worker>,
}

type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

#[derive(Debug)]
struct Running {
    jobs: mpsc::UnboundedSender<Job>,
    thread: ThreadId,
}

/// The background thread, started by the first job. It ends when the last handle is gone.
#[derive(Debug, Default)]
struct Worker {
    running: Mutex<Option<Running>>,
}

// === impl Http ===

impl Http {
    /// A client with the default settings. [`HttpBuilder::build_blocking`](crate::HttpBuilder::build_blocking)
    /// makes others.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts a request of an absolute URI or IRI. See [`RequestBuilder`].
    pub fn request(&self, uri: impl AsRef<str>) -> RequestBuilder<Self> {
        RequestBuilder::new(self.clone(), uri.as_ref())
    }

    /// See [`Http::add_credentials`](crate::Http::add_credentials).
    pub fn add_credentials(&self, name: &str, password: &str) {
        self.client.add_credentials(name, password);
    }

    /// See [`Http::add_credentials_for`](crate::Http::add_credentials_for).
    ///
    /// # Errors
    ///
    /// [`InvalidDomain`].
    pub fn add_credentials_for(&self, domain: &str, name: &str, password: &str) -> Result<(), InvalidDomain> {
        self.client.add_credentials_for(domain, name, password)
    }

    /// See [`Http::clear_credentials`](crate::Http::clear_credentials).
    pub fn clear_credentials(&self) {
        self.client.clear_credentials();
    }

    /// See [`Http::credentials`](crate::Http::credentials).
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        self.client.credentials()
    }
}

impl From<crate::Http> for Http {
    fn from(client: crate::Http) -> Self {
        Self { client, worker: Arc::default() }
    }
}

impl RequestBuilder<Http> {
    /// Sends the request and collects the content.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`].
    pub fn send(self) -> Result<(Response, Bytes), Error> {
        let (http, draft) = self.into_parts();
        let draft = draft?;
        http.worker.run(async move { http.client.collect(draft).await })?
    }

    /// Sends the request and returns the head of the response with its body still to be read.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`].
    pub fn stream(self) -> Result<(Response, Content), Error> {
        let (http, draft) = self.into_parts();
        let draft = draft?;
        let worker = Arc::clone(&http.worker);
        let (sender, pieces) = mpsc::channel(1);
        let response = http.worker.clone().run(async move {
            let (response, body) = http.client.stream(draft).await?;
            tokio::spawn(deliver(body, sender));
            Ok(response)
        })?;
        Ok((response?, Content { pieces, piece: Bytes::new(), ended: false, _worker: worker }))
    }
}

/// Hands the pieces on, one at a time as they are taken, until the end, which is said, or until nobody wants them.
async fn deliver(mut body: ResponseBody, pieces: mpsc::Sender<Result<Option<Bytes>, Error>>) {
    loop {
        let piece = tokio::select! {
            piece = body.chunk() => piece,
            () = pieces.closed() => return,
        };
        let is_last = !matches!(piece, Ok(Some(_)));
        if pieces.send(piece).await.is_err() || is_last {
            return;
        }
    }
}

// === impl Content ===

impl Content {
    /// The next piece as it arrived; `None` at the end.
    ///
    /// # Errors
    ///
    /// Of the kinds [`ErrorKind::Receive`] and [`ErrorKind::Timeout`].
    pub fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        if self.piece.has_remaining() {
            return Ok(Some(std::mem::take(&mut self.piece)));
        }
        self.next()
    }

    /// The next piece from the background. If whoever delivers them is gone without a word, that is no end.
    fn next(&mut self) -> Result<Option<Bytes>, Error> {
        if self.ended {
            return Ok(None);
        }
        let next = wait(self.pieces.recv()).unwrap_or_else(|| Err(lost("the body ended in the background")));
        self.ended = !matches!(next, Ok(Some(_)));
        next
    }
}

impl Read for Content {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.piece.has_remaining() && !buffer.is_empty() {
            match self.next().map_err(io::Error::other)? {
                Some(piece) => self.piece = piece,
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.piece.remaining());
        self.piece.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}

// === impl Worker ===

impl Worker {
    /// Runs a future on the background thread and waits for what it gives.
    fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Result<T, Error> {
        let (done, result) = oneshot::channel();
        self.start(Box::pin(async move { drop(done.send(work.await)) }))?;
        wait(result).map_err(|error| Error::new(ErrorKind::Other, None, Some(error.into())))
    }

    fn start(&self, mut job: Job) -> Result<(), Error> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Running { jobs, thread }) = &*running {
            if *thread == thread::current().id() {
                return Err(lost("a request cannot wait for another one on the thread that runs both"));
            }
            match jobs.send(job) {
                Ok(()) => return Ok(()),
                // The thread is gone, which only a panic of its runtime can do: start another.
                Err(unsent) => job = unsent.0,
            }
        }
        let (jobs, receiver) = mpsc::unbounded_channel();
        let thread = start_thread(receiver).map_err(|error| Error::new(ErrorKind::Other, None, Some(error.into())))?;
        drop(jobs.send(job));
        *running = Some(Running { jobs, thread });
        Ok(())
    }
}

fn start_thread(mut jobs: mpsc::UnboundedReceiver<Job>) -> io::Result<ThreadId> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let work = move || {
        runtime.block_on(async move {
            while let Some(job) = jobs.recv().await {
                tokio::spawn(job);
            }
        });
    };
    Ok(thread::Builder::new().name("httplib2".to_owned()).spawn(work)?.thread().id())
}

fn lost(why: &'static str) -> Error {
    Error::new(ErrorKind::Other, None, Some(why.into()))
}

/// Parks the thread until the future is ready. Unlike a runtime's `block_on` it is allowed everywhere.
fn wait<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
