//! A cache in front of a web server: the cache layer inside an axum proxy, with tracing and compression around it.
//!
//! ```sh
//! cargo run --release --example caching-proxy -- --listen 127.0.0.1:8080 --upstream http://127.0.0.1:8000
//! ```
//!
//! `PORT`, `UPSTREAM`, `MODE` and `DIR` of the environment stand in for the options. Without an upstream it starts one of its
//! own, shows what it does with it, checks what it shows, and ends.

use std::{convert::Infallible, env, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use axum::{ServiceExt as _, body::Body, response::IntoResponse};
use clap::{Parser, ValueEnum};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version,
    header::{CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HOST, VIA},
    uri::Authority,
};
use httplib2_cache::{
    Cache, CacheLayer, Served,
    policy::{Rules, SetCookies},
};
use httplib2_connect::{Client, ConnectError};
use httplib2_core::{
    body::Once,
    context::Spawn,
    error::{BoxError, cause_ref},
};
use httplib2_store::{MemoryStore, Store, Tiers};
use httplib2_store_disk::DiskStore;
use tokio::{net::TcpListener, runtime::Handle};
use tower::{Layer, Service, ServiceBuilder, ServiceExt as _};
use tower_http::{
    compression::{
        CompressionBody, CompressionLayer, Predicate,
        predicate::{DefaultPredicate, SizeAbove},
    },
    trace::{DefaultOnFailure, TraceLayer},
};
use tracing::{Level, Span, info, info_span};

mod story;

/// A cache in front of a web server.
#[derive(Parser)]
struct Arguments {
    /// Where to listen. [env: PORT, on 127.0.0.1]
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// The scheme, host and port of the web server. [env: UPSTREAM]
    #[arg(long)]
    upstream: Option<Uri>,
    /// Whose cache it is. Default: shared. [env: MODE]
    #[arg(long)]
    mode: Option<Mode>,
    /// A directory to keep responses in, behind those in memory. [env: DIR]
    #[arg(long)]
    dir: Option<PathBuf>,
    /// How many seconds the upstream may say nothing.
    #[arg(long, default_value_t = 30.0)]
    timeout: f64,
    /// What is logged: `info` says of each request what became of it.
    #[arg(long, default_value = "warn")]
    log: Level,
}

#[derive(Clone, Copy, ValueEnum)]
enum Mode {
    Shared,
    Private,
}

/// Answers clients from the cache or the upstream.
#[derive(Clone)]
struct Proxy {
    upstream: Uri,
    /// What clients send is a stream that cannot be sent again: `Once` says so to the layer.
    cache: Cache<Client<Once<Body>>>,
}

/// What became of a request below the compression.
#[derive(Clone, Copy)]
struct Sent(StatusCode);

/// Servers commonly close a connection after 5 idle seconds; what is closed before is not found dead. The pool looks
/// now and then, so that a connection may be open for twice as long.
const IDLE: Duration = Duration::from_millis(1_900);

/// Fields of one connection (RFC 9110 §7.6.1). `Trailer` is not among them: the trailers pass.
const OF_ONE_CONNECTION: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// Fields that make some servers answer for another URI, host or method, without a `Vary` that says so. Whoever may
/// send them chooses what all others get from the cache.
const UNKEYED: [&str; 9] = [
    "x-forwarded-host",
    "x-forwarded-scheme",
    "x-forwarded-server",
    "x-host",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
];

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt().with_max_level(arguments.log).with_writer(std::io::stderr).init();

    let upstream = match arguments.upstream {
        None => variable("UPSTREAM")?,
        given => given,
    };
    let Some(upstream) = upstream else {
        if arguments.listen.is_some() {
            return Err("nothing to put a cache in front of: --upstream is missing".into());
        }
        return story::tell().await;
    };
    let mode = match (arguments.mode, env::var("MODE")) {
        (None, Ok(mode)) => Mode::from_str(&mode, true)?,
        (mode, _) => mode.unwrap_or(Mode::Shared),
    };
    let address = match arguments.listen {
        Some(address) => address,
        None => SocketAddr::from(([127, 0, 0, 1], variable("PORT")?.unwrap_or(8080))),
    };

    let timeout = Duration::try_from_secs_f64(arguments.timeout)?;
    let dir = arguments.dir.or(variable("DIR")?);
    let app = app(Proxy::new(upstream.clone(), mode, dir, timeout)?);
    let listener = TcpListener::bind(address).await?;
    println!("http://{} answers for {upstream}", listener.local_addr()?);
    tokio::select! {
        served = async { axum::serve(listener, app.into_make_service()).await } => served?,
        stop = tokio::signal::ctrl_c() => stop?,
    }
    Ok(())
}

fn variable<T>(name: &str) -> Result<Option<T>, BoxError>
where
    T: std::str::FromStr<Err: Into<BoxError>>,
{
    env::var(name).ok().map(|value| value.parse()).transpose().map_err(Into::into)
}

/// The proxy and what stands around it, outermost first.
///
/// It is no `Router`: that one would give an answer to HEAD whose length is not known the length 0.
fn app(
    proxy: Proxy,
) -> impl Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send + 'static {
    let trace = TraceLayer::new_for_http()
        // Not the query, which may hold secrets.
        .make_span_with(
            |request: &Request<Body>| info_span!("request", method = %request.method(), path = request.uri().path()),
        )
        .on_response(|response: &Response<CompressionBody<Body>>, _: Duration, _: &Span| {
            let served = response.extensions().get::<Served>().map(tracing::field::display);
            info!(status = response.status().as_u16(), served);
        })
        // A 500 of the upstream is no failure of the proxy.
        .on_failure(DefaultOnFailure::new().level(Level::DEBUG));
    ServiceBuilder::new()
        .map_response(|response: Response<_>| response.map(Body::new))
        // Outside of all, so that it sees what clients get.
        .layer(trace)
        // The compression says 406 where a client wants no content as it is, whatever coding the upstream chose.
        .map_response(|mut response: Response<_>| {
            if let Some(Sent(status)) = response.extensions_mut().remove() {
                *response.status_mut() = status;
            }
            response
        })
        // Outside of the cache, so that the store holds what the upstream sent: one response for all codings, whose
        // tag and length are right.
        .layer(
            CompressionLayer::new().compress_when(DefaultPredicate::new().and(SizeAbove::new(1024)).and(may_transform)),
        )
        .map_response(|mut response: Response<_>| {
            let sent = Sent(response.status());
            response.extensions_mut().insert(sent);
            response
        })
        .service_fn(move |request| proxy.clone().answer(request))
}

/// Whether content may be compressed on the way, where it is long enough.
fn may_transform(status: StatusCode, _: Version, headers: &HeaderMap, _: &http::Extensions) -> bool {
    let says = |name, what| {
        let mut values = headers.get_all(name).iter().filter_map(|value: &HeaderValue| value.to_str().ok());
        values.any(|value| value.to_ascii_lowercase().contains(what))
    };
    // A length that is not known is that of a stream, which a compressor would hold back.
    status == StatusCode::OK
        && headers.contains_key(CONTENT_LENGTH)
        && (says(CONTENT_TYPE, "text/") || says(CONTENT_TYPE, "json") || says(CONTENT_TYPE, "xml"))
        // The server forbids it (RFC 9110 §7.7).
        && !says(CACHE_CONTROL, "no-transform")
        // A strong tag and a digest are those of these very bytes (RFC 9110 §8.8.1, RFC 9530 §2).
        && headers.get(ETAG).is_none_or(|tag| tag.as_bytes().starts_with(b"W/"))
        && !headers.contains_key("content-digest")
}

// === impl Proxy ===

impl Proxy {
    /// Needs a runtime, on which the cache works in the background.
    fn new(upstream: Uri, mode: Mode, dir: Option<PathBuf>, timeout: Duration) -> Result<Self, BoxError> {
        let is_plain = |authority: &Authority| !authority.as_str().contains('@');
        if upstream.scheme().is_none() || !upstream.authority().is_some_and(is_plain) || upstream.path() != "/" {
            return Err("the upstream is a scheme, a host and a port, such as http://127.0.0.1:8000".into());
        }
        let client = Client::builder().idle_timeout(IDLE).io_timeout(timeout).connect_timeout(timeout).build()?;

        let memory = Arc::new(MemoryStore::builder().capacity(256 << 20).max_object(32 << 20).build());
        let store: Arc<dyn Store> = match dir {
            Some(dir) => Arc::new(Tiers::new(memory, Arc::new(DiskStore::open(dir)?))),
            None => memory,
        };
        let mut rules = match mode {
            Mode::Shared => Rules::shared(),
            Mode::Private => Rules::private(),
        };
        // RFC 9111 §7.3 leaves it to the server to say in `Cache-Control` whether its cookies are for everybody. The
        // layer's default trusts no server with that and stores none in a shared cache.
        rules.set_cookies = SetCookies::Keep;
        let runtime = Handle::current();
        let executor = Spawn::new(move |task| drop(runtime.spawn(task)));
        let cache = CacheLayer::with_rules(store, rules).executor(executor).layer(client);
        Ok(Self { upstream, cache })
    }

    async fn answer(self, request: Request<Body>) -> Result<Response<Body>, Infallible> {
        if request.method() == Method::CONNECT {
            return Ok((StatusCode::NOT_IMPLEMENTED, "there are no tunnels here\n").into_response());
        }
        Ok(match self.exchange(request).await {
            Ok(response) => response,
            Err(error) => {
                let status = failure(&error);
                // Where the upstream is, is nothing to tell a client.
                info!(status = status.as_u16(), error);
                (status, status.canonical_reason().unwrap_or_default()).into_response()
            }
        })
    }

    async fn exchange(self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        let request = inbound(request.map(Once::new), self.upstream)?;
        let mut response = self.cache.oneshot(request).await?;
        // Outside of the cache, which reads some of these fields.
        strip(response.headers_mut());
        *response.version_mut() = Version::HTTP_11;
        Ok(response.map(Body::new))
    }
}

/// The request as the upstream gets it, if it gets it.
fn inbound<B>(mut request: Request<B>, upstream: Uri) -> Result<Request<B>, BoxError> {
    let headers = request.headers_mut();
    strip(headers);
    UNKEYED.iter().for_each(|name| drop(headers.remove(*name)));

    // Where the target names a host, `Host` counts for nothing (RFC 9112 §3.2.2).
    if let Some(host) = request.uri().authority().map(|named| named.as_str().rsplit('@').next().unwrap_or_default()) {
        let host = HeaderValue::from_str(host)?;
        request.headers_mut().insert(HOST, host);
    }
    // The cache wants whole URIs: that of the upstream, never one that a client makes up.
    let mut target = upstream.into_parts();
    target.path_and_query = request.uri().path_and_query().cloned();
    *request.uri_mut() = Uri::from_parts(target)?;

    // Each message has the version of who sends it, and `Via` that of who sent it before (RFC 9110 §2.5, §7.6.3).
    let via = if request.version() == Version::HTTP_10 { "1.0 caching-proxy" } else { "1.1 caching-proxy" };
    request.headers_mut().append(VIA, HeaderValue::from_static(via));
    *request.version_mut() = Version::HTTP_11;
    Ok(request)
}

/// Removes what is meant for the next hop alone: fields of one connection and those that `Connection` names.
fn strip(headers: &mut HeaderMap) {
    let named = headers.get_all(CONNECTION).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    let named: Vec<_> = named.filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok()).collect();
    named.iter().for_each(|name| drop(headers.remove(name)));
    OF_ONE_CONNECTION.iter().for_each(|name| drop(headers.remove(*name)));
}

/// What a client is told when there is no answer and nothing stored that may stand in.
fn failure(error: &BoxError) -> StatusCode {
    match cause_ref::<ConnectError>(&**error) {
        Some(error) if error.is_timeout() => StatusCode::GATEWAY_TIMEOUT,
        Some(error) if error.is_request_body() => StatusCode::BAD_REQUEST,
        _ => StatusCode::BAD_GATEWAY,
    }
}
