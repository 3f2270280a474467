//! A scripted tower service that records what it was sent.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use http_body_util::BodyExt;
use httplib2_core::error::BoxError;
use tower_service::Service;

use crate::{
    Body, Received, Reply,
    failure::Failure,
    laws::broken,
    permits::{Permit, Permits},
    script::{Script, parse},
};

/// A scripted tower service that records what it was sent: the bottom of a stack under test.
///
/// Clones share the script, the record and the permits. It takes requests with any body, reads the body, then
/// answers. It also holds its callers to the contract of tower: whoever calls an instance that was not polled
/// ready gets a panic.
///
/// ```
/// use httplib2_testing::{Server, reply, request, text};
/// use tower::ServiceExt;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), httplib2_core::error::BoxError> {
/// let server = Server::new()
///     .on("GET http://a.example/", reply(503))
///     .on("GET http://a.example/", reply(200).body("landed"));
///
/// assert_eq!(server.clone().oneshot(request("GET http://a.example/")).await?.status(), 503);
/// let response = server.clone().oneshot(request("GET http://a.example/")).await?;
///
/// assert_eq!(text(response).await?, "landed");
/// assert_eq!(server.saw(), ["GET http://a.example/", "GET http://a.example/"]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    /// What `poll_ready` took and `call` uses up.
    permit: Option<Permit>,
    /// Whether this instance has already kept its caller waiting.
    hesitated: bool,
}

/// The future of a [`Server`].
pub struct ServerFuture(Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>);

#[derive(Debug)]
struct Shared {
    script: Mutex<Script>,
    record: Mutex<Vec<Entry>>,
    permits: Permits,
    manners: Mutex<Manners>,
}

/// How a server behaves beside its script.
#[derive(Clone, Debug, Default)]
struct Manners {
    hesitating: bool,
    refusal: Option<Failure>,
    decoration: Option<fn(Reply) -> Reply>,
}

#[derive(Debug)]
struct Entry {
    received: Received,
    body: BytesMut,
}

const UNREADY_NEVER_CALLED: &str = "an unready service is never called";

// === impl Server ===

impl Default for Server {
    fn default() -> Self {
        Self::with_script(Script::default())
    }
}

impl Server {
    /// A server that answers nothing yet: see [`on`](Self::on).
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A server whose replies a function makes, from the request and the number of requests before it.
    ///
    /// Lines that are added with [`on`](Self::on) are looked at first.
    pub fn answering(program: impl FnMut(&Received, usize) -> Reply + Send + 'static) -> Self {
        Self::with_script(Script::program(Box::new(program)))
    }

    /// Answers requests of this method and URI, such as `GET http://a.example/`.
    ///
    /// Several replies to the same request are given in order; the last one repeats. A request without a
    /// line gets the error [`Unscripted`](crate::Unscripted).
    ///
    /// # Panics
    ///
    /// When `line` is not a method, a space and a URI.
    #[must_use]
    #[track_caller]
    pub fn on(self, line: &str, reply: Reply) -> Self {
        let (method, uri) = parse(line);
        self.shared.script().add(method, uri, reply);
        self
    }

    /// Takes on at most so many exchanges at a time, over all clones. Default: any number.
    ///
    /// `poll_ready` takes a permit, or waits for one. It is given back when the response future has completed
    /// or is dropped, or when the instance that was polled ready is dropped without having been called.
    #[must_use]
    pub fn limited(self, permits: usize) -> Self {
        self.shared.permits.set_limit(permits);
        self
    }

    /// Is never ready and never answers at the first poll, but at the second, so that a stack over it has more
    /// points at which it can be dropped.
    #[must_use]
    pub fn hesitating(self) -> Self {
        self.shared.manners().hesitating = true;
        self
    }

    /// Is never ready: `poll_ready` fails.
    #[must_use]
    pub fn refusing<E: Into<BoxError>>(self, error: impl Fn() -> E + Send + Sync + 'static) -> Self {
        self.shared.manners().refusal = Some(Failure::new(error));
        self
    }

    /// Changes every reply before it is given.
    pub(crate) fn decorated(self, decoration: fn(Reply) -> Reply) -> Self {
        self.shared.manners().decoration = Some(decoration);
        self
    }

    /// How many permits are free.
    #[must_use]
    pub fn permits_free(&self) -> usize {
        self.shared.permits.free()
    }

    /// The requests so far as `METHOD uri`, in the order in which `call` got them.
    #[must_use]
    pub fn saw(&self) -> Vec<String> {
        self.shared.record().iter().map(|entry| entry.received.line()).collect()
    }

    /// The requests so far, in the order in which `call` got them, each body as far as it was read.
    #[must_use]
    pub fn requests(&self) -> Vec<Received> {
        self.shared.record().iter().map(Entry::received).collect()
    }

    fn with_script(script: Script) -> Self {
        let shared = Shared {
            script: Mutex::new(script),
            record: Mutex::default(),
            permits: Permits::unlimited(),
            manners: Mutex::default(),
        };
        Self { shared: Arc::new(shared), permit: None, hesitated: false }
    }
}

impl Clone for Server {
    /// A clone is not ready, whatever the original is.
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), permit: None, hesitated: false }
    }
}

impl<B> Service<Request<B>> for Server
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = ServerFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        if self.permit.is_some() {
            return Poll::Ready(Ok(()));
        }
        let manners = self.shared.manners().clone();
        if manners.hesitating && !self.hesitated {
            self.hesitated = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Some(refusal) = manners.refusal {
            return Poll::Ready(Err(refusal.error()));
        }
        self.shared.permits.poll_take(cx).map(|permit| {
            self.permit = Some(permit);
            Ok(())
        })
    }

    #[track_caller]
    fn call(&mut self, request: Request<B>) -> ServerFuture {
        let (method, uri) = (request.method(), request.uri());
        let permit = self.permit.take();
        let permit = permit.unwrap_or_else(|| {
            broken(UNREADY_NEVER_CALLED, format_args!("the one that got {method} {uri} was not polled ready"))
        });
        self.hesitated = false;
        let number = self.shared.note(&request);
        let shared = Arc::clone(&self.shared);
        ServerFuture(Box::pin(async move {
            let _permit = permit;
            shared.answer(number, request).await
        }))
    }
}

// === impl ServerFuture ===

impl Future for ServerFuture {
    type Output = Result<Response<Body>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.get_mut().0.as_mut().poll(cx)
    }
}

impl fmt::Debug for ServerFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerFuture(..)")
    }
}

// === impl Shared ===

impl Shared {
    /// Records the head of a request and returns its number.
    fn note<B>(&self, request: &Request<B>) -> usize {
        let mut head = Request::new(());
        *head.method_mut() = request.method().clone();
        *head.uri_mut() = request.uri().clone();
        *head.version_mut() = request.version();
        *head.headers_mut() = request.headers().clone();
        *head.extensions_mut() = request.extensions().clone();
        let mut record = self.record();
        record.push(Entry { received: Received::new(head.into_parts().0), body: BytesMut::new() });
        record.len() - 1
    }

    /// Reads the body of the request of this number, finds its reply and gives it.
    async fn answer<B>(&self, number: usize, request: Request<B>) -> Result<Response<Body>, BoxError>
    where
        B: http_body::Body<Data = Bytes, Error: Into<BoxError>>,
    {
        let manners = self.manners().clone();
        if manners.hesitating {
            hesitate().await;
        }
        let (head, body) = request.into_parts();
        // A line is looked up before the body is read, because it says how much of the body is read.
        let scripted = self.script().reply(&head)?;
        self.read(number, body, scripted.as_ref().and_then(Reply::enough)).await?;
        let mut reply = scripted.unwrap_or_else(|| self.run_program(number));
        if let Some(decoration) = manners.decoration {
            reply = decoration(reply);
        }
        reply.give().await
    }

    /// Reads and records a body until its end, or until there is enough of it.
    async fn read<B>(&self, number: usize, body: B, enough: Option<u64>) -> Result<(), BoxError>
    where
        B: http_body::Body<Data = Bytes, Error: Into<BoxError>>,
    {
        let mut body = pin!(body);
        let mut read = 0;
        while enough.is_none_or(|enough| read < enough) {
            let Some(frame) = body.frame().await else {
                self.record()[number].received.whole = true;
                break;
            };
            let frame = frame.map_err(Into::into)?;
            let entry = &mut self.record()[number];
            match frame.into_data() {
                Ok(data) => {
                    read += data.len() as u64;
                    entry.body.extend_from_slice(&data);
                }
                Err(frame) => entry.received.trailers = frame.into_trailers().ok(),
            }
        }
        Ok(())
    }

    fn run_program(&self, number: usize) -> Reply {
        let received = self.record()[number].received();
        let reply = self.script().run(&received, number).expect("a request without a line is for the program");
        assert!(
            reply.enough().is_none(),
            "the reply to {} says how much to read, but the program saw the whole body",
            received.line()
        );
        reply
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn manners(&self) -> MutexGuard<'_, Manners> {
        self.manners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Entry ===

impl Entry {
    fn received(&self) -> Received {
        Received { body: self.body.clone().freeze(), ..self.received.clone() }
    }
}

/// `Pending` once, and wakes at once.
async fn hesitate() {
    let mut hesitated = false;
    poll_fn(|cx| {
        if hesitated {
            return Poll::Ready(());
        }
        hesitated = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
