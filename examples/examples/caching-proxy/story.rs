//! What the proxy does, shown on an upstream that stops half-way.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use axum::{Router, ServiceExt as _, response::IntoResponse, routing};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use httplib2_connect::Client;
use httplib2_core::error::BoxError;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use tower::ServiceExt as _;

use super::{Mode, Proxy, app};

/// How many requests the upstream was sent.
static ASKED: AtomicU32 = AtomicU32::new(0);

struct Upstream {
    uri: String,
    stop: oneshot::Sender<()>,
    stopped: JoinHandle<std::io::Result<()>>,
}

struct Clients {
    proxy: String,
    client: Client<Full<Bytes>>,
}

struct Answer {
    head: Response<()>,
    content: Bytes,
    /// Whether the upstream was sent something.
    asked: bool,
}

/// Tells it, and fails where something is not as it should be.
pub(super) async fn tell() -> Result<(), BoxError> {
    let upstream = start_upstream().await?;
    let proxy = Proxy::new(upstream.uri.parse()?, Mode::Shared, None, Duration::from_millis(500))?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let clients = Clients { proxy: format!("http://{}", listener.local_addr()?), client: Client::builder().build()? };
    tokio::spawn(async move { axum::serve(listener, app(proxy).into_make_service()).await });

    let answer = clients.get("nothing is stored", "/page", &[]).await?;
    assert!(answer.asked && answer.is("cache-status", "fwd=uri-miss"));
    let answer = clients.get("now it is", "/page", &[]).await?;
    assert!(!answer.asked && answer.is("cache-status", "hit") && answer.is("age", ""));
    let answer =
        clients.get("the client wants the upstream to be asked", "/page", &[("cache-control", "no-cache")]).await?;
    assert!(answer.asked && answer.head.status() == StatusCode::OK && answer.is("cache-status", "fwd-status=304"));
    let answer = clients.get("the client has it", "/page", &[("if-none-match", "\"v1\"")]).await?;
    assert!(!answer.asked && answer.head.status() == StatusCode::NOT_MODIFIED);

    let answer = clients.get("compressed on the way out", "/report", &[("accept-encoding", "gzip")]).await?;
    assert!(answer.asked && answer.is("content-encoding", "gzip") && answer.content.len() < 500);
    let answer = clients.get("stored as the upstream sent it", "/report", &[]).await?;
    assert!(!answer.asked && !answer.is("content-encoding", "") && answer.content.len() == 23_000);

    let answer =
        clients.get("a coding that is the upstream's business", "/report", &[("accept-encoding", "br, *;q=0")]).await?;
    assert_eq!(answer.head.status(), StatusCode::OK);

    let fields = [("connection", "x-hop"), ("x-hop", "1"), ("x-end", "2"), ("upgrade", "websocket")];
    let answer = clients.get("fields of the connection stay here", "/echo", &fields).await?;
    assert!(answer.asked && answer.content == "via: 1.1 caching-proxy, x-end: 2");
    let answer = clients.send("POST", "it changes the page", "/page", &[]).await?;
    assert!(answer.asked && answer.head.status() == StatusCode::NO_CONTENT);
    let answer = clients.get("and what was stored is gone", "/page", &[]).await?;
    assert!(answer.asked && answer.is("cache-status", "fwd=uri-miss"));
    let answer = clients.get("the upstream is too slow", "/slow", &[]).await?;
    assert_eq!(answer.head.status(), StatusCode::GATEWAY_TIMEOUT);
    let answer = clients.get("good for one use", "/news", &[]).await?;
    assert!(answer.asked);

    println!("the upstream stops");
    let _ = upstream.stop.send(());
    upstream.stopped.await??;
    let answer = clients.get("better old than nothing", "/news", &[]).await?;
    assert!(answer.head.status() == StatusCode::OK && answer.content == "news" && answer.is("age", ""));
    let answer = clients.get("nothing to stand in", "/echo", &[]).await?;
    assert_eq!(answer.head.status(), StatusCode::BAD_GATEWAY);
    println!("all as it should be");
    Ok(())
}

async fn start_upstream() -> Result<Upstream, BoxError> {
    let report =
        ([("cache-control", "max-age=60"), ("content-type", "text/plain")], "many lines of a report\n".repeat(1_000));
    let routes = Router::new()
        .route("/page", routing::get(page).post(async || StatusCode::NO_CONTENT))
        .route("/report", routing::get(async move || report))
        .route("/echo", routing::get(echo))
        .route("/news", routing::get(async || ([("cache-control", "max-age=0, stale-if-error=60")], "news")))
        .route("/slow", routing::get(async || tokio::time::sleep(Duration::from_secs(2)).await))
        .layer(tower::util::MapRequestLayer::new(|request: axum::extract::Request| {
            ASKED.fetch_add(1, Ordering::Relaxed);
            request
        }));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let uri = format!("http://{}", listener.local_addr()?);
    let (stop, asked_to) = oneshot::channel();
    let serving = axum::serve(listener, routes).with_graceful_shutdown(async { drop(asked_to.await) });
    Ok(Upstream { uri, stop, stopped: tokio::spawn(async { serving.await }) })
}

async fn page(headers: HeaderMap) -> impl IntoResponse {
    let fields = [("cache-control", "max-age=60"), ("etag", "\"v1\"")];
    match headers.get(header::IF_NONE_MATCH) {
        Some(tag) if tag == "\"v1\"" => (StatusCode::NOT_MODIFIED, fields, ""),
        _ => (StatusCode::OK, fields, "a page"),
    }
}

/// The fields of the request, but for the port that is another every time.
async fn echo(headers: HeaderMap) -> String {
    let mut fields: Vec<_> = headers.iter().filter(|(name, _)| **name != header::HOST).collect();
    fields.sort_by_key(|(name, _)| name.as_str());
    let fields = fields.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap_or_default()));
    fields.collect::<Vec<_>>().join(", ")
}

// === impl Clients ===

impl Clients {
    async fn get(&self, what: &str, path: &str, fields: &[(&str, &str)]) -> Result<Answer, BoxError> {
        self.send("GET", what, path, fields).await
    }

    async fn send(&self, method: &str, what: &str, path: &str, fields: &[(&str, &str)]) -> Result<Answer, BoxError> {
        let before = ASKED.load(Ordering::Relaxed);
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.proxy));
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let (head, body) = self.client.clone().oneshot(request.body(Full::default())?).await?.into_parts();
        let content = body.collect().await?.to_bytes();
        let asked = ASKED.load(Ordering::Relaxed) > before;
        let answer = Answer { head: Response::from_parts(head, ()), content, asked };
        answer.show(method, what, path);
        Ok(answer)
    }
}

// === impl Answer ===

impl Answer {
    /// Whether a field is there and contains the text.
    fn is(&self, name: &str, text: &str) -> bool {
        self.field(name).is_some_and(|value| value.contains(text))
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.head.headers().get(name)?.to_str().ok()
    }

    fn show(&self, method: &str, what: &str, path: &str) {
        let asked = if self.asked { "the upstream was asked" } else { "the upstream saw nothing" };
        println!("{what}\n  {method} {path}: {}, {} bytes, {asked}", self.head.status(), self.content.len());
        for name in ["age", "cache-status", "content-encoding"] {
            if let Some(value) = self.field(name) {
                println!("  {name}: {value}");
            }
        }
    }
}
