//! The thread of an origin.

use std::{
    future::Future,
    net::TcpListener as StdListener,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, combinators::UnsyncBoxBody};
use httplib2_core::error::BoxError;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    runtime,
    sync::oneshot,
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use super::Counts;

/// What is done with each connection.
pub(super) type Serve = Box<dyn Fn(TcpStream) -> Task + Send>;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

type Handler = Arc<dyn Fn(Request<Bytes>) -> Answer + Send + Sync>;

type Answer = Pin<Box<dyn Future<Output = Response<UnsyncBoxBody<Bytes, BoxError>>> + Send>>;

/// Accepts connections until it is told to stop, then drops those that are left.
pub(super) fn until(stopped: oneshot::Receiver<()>, listener: StdListener, serve: Serve, accepted: &AtomicUsize) {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime of one thread");
    runtime.block_on(async {
        listener.set_nonblocking(true).expect("a socket can be made to wait");
        let listener = TcpListener::from_std(listener).expect("the socket is not blocking");
        let mut tasks = JoinSet::new();
        let accepting = async {
            loop {
                if let Ok((stream, _)) = listener.accept().await {
                    accepted.fetch_add(1, Ordering::SeqCst);
                    tasks.spawn(serve(stream));
                }
            }
        };
        tokio::select! { () = accepting => {}, _ = stopped => {} }
    });
}

/// Speaks HTTP, over TLS if there is an acceptor.
pub(super) fn http<F, R>(
    handler: impl Fn(Request<Bytes>) -> F + Send + Sync + 'static,
    acceptor: Option<TlsAcceptor>,
    counts: Arc<Counts>,
) -> Serve
where
    F: Future<Output = Response<R>> + Send + 'static,
    R: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let handler: Handler = Arc::new(move |request| {
        let response = handler(request);
        Box::pin(async move { response.await.map(|body| body.map_err(Into::into).boxed_unsync()) })
    });
    Box::new(move |stream| {
        let (handler, acceptor, counts) = (Arc::clone(&handler), acceptor.clone(), Arc::clone(&counts));
        Box::pin(async move {
            match acceptor {
                None => exchanges(stream, handler, counts).await,
                // A client that does not like the certificate goes away; it knows why.
                Some(acceptor) => {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        exchanges(stream, handler, counts).await;
                    }
                }
            }
        })
    })
}

/// Leaves the connection to the handler.
pub(super) fn raw<F>(handler: impl Fn(TcpStream) -> F + Send + Sync + 'static) -> Serve
where
    F: Future<Output = ()> + Send + 'static,
{
    Box::new(move |stream| Box::pin(handler(stream)))
}

async fn exchanges(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    handler: Handler,
    counts: Arc<Counts>,
) {
    let service = service_fn(move |request: Request<Incoming>| {
        counts.requests.fetch_add(1, Ordering::SeqCst);
        let handler = Arc::clone(&handler);
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            Ok::<_, hyper::Error>(handler(Request::from_parts(head, body)).await)
        }
    });
    // How a connection ends is the client's concern.
    drop(auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await);
}
