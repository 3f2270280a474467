//! The adapter of the attack corpus: one JSON object per line in, one out, over the facade's public API.
//!
//! It maps options to the client's documented settings and adds no safety of its own.

use std::{
    error::Error,
    io::{self, BufRead, Write},
    sync::Arc,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use httplib2::{
    ErrorKind, Http, RequestBuilder, Response,
    auth::{AuthLayer, Basic, Credential, Credentials},
    cache::CacheLayer,
    digest::Digest,
    redirect::Follow,
    retry::RetryStatuses,
    store::MemoryStore,
    store_disk::DiskStore,
    wsse::Wsse,
};
use serde_json::{Value, json};

type Outcome<T> = Result<T, Box<dyn Error>>;

const FEATURES: [&str; 21] = [
    "redirect",
    "tls",
    "timeout",
    "max-body",
    "stream",
    "log",
    "retry",
    "decompress",
    "gzip",
    "deflate",
    "br",
    "zstd",
    "basic",
    "digest",
    "wsse",
    "auth-auto",
    "lost-update",
    "cache",
    "cache-private",
    "cache-shared",
    "disk",
];

fn main() -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut client = Http::new();
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{}",
        json!({ "hello": "httplib2-rust", "version": env!("CARGO_PKG_VERSION"), "features": FEATURES })
    )?;
    for line in io::stdin().lock().lines() {
        let command: Value = serde_json::from_str(&line?)?;
        let mut answer = match command["op"].as_str() {
            Some("new") => match new_client(&command["options"]) {
                Ok(new) => {
                    client = new;
                    json!({ "ok": true })
                }
                Err(error) => json!({ "ok": false, "error": "other", "message": chain(&*error) }),
            },
            Some("request") => runtime.block_on(request(&client, &command)),
            _ => json!({ "ok": false, "error": "other", "message": "unknown op" }),
        };
        answer["id"] = command["id"].clone();
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn new_client(options: &Value) -> Outcome<Http> {
    if options["log"] == "trace" {
        // Once a process; a second client logs to the same place.
        drop(tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(io::stderr).try_init());
    }
    let mut builder = Http::builder();
    if options["follow_redirects"] == false {
        builder = builder.follow(Follow::Never);
    }
    if let Some(limit) = options["max_redirects"].as_u64() {
        builder = builder.max_redirects(usize::try_from(limit)?);
    }
    if let Some(path) = options["ca_file"].as_str() {
        builder = builder.add_ca_certs(std::fs::read(path)?);
    }
    if let Some(time) = options["timeout_ms"].as_u64() {
        builder = builder.deadline(Duration::from_millis(time));
    }
    if let Some(bytes) = options["max_body"].as_u64() {
        builder = builder.max_body(bytes);
    }
    if let Some(retries) = options["retries"].as_u64() {
        builder = builder.tries(u32::try_from(retries)? + 1).retry_statuses(RetryStatuses::transient());
    }
    let cache = &options["cache"];
    builder = match (cache["mode"].as_str(), cache["dir"].as_str()) {
        (Some("shared"), None) => builder.cache_layer(CacheLayer::shared(Arc::new(MemoryStore::new()))),
        (Some("shared"), Some(dir)) => {
            builder.cache_layer(CacheLayer::shared(Arc::new(DiskStore::builder(dir).build())))
        }
        (_, Some(dir)) => builder.cache(dir),
        (Some(_), None) => builder.cache(MemoryStore::new()),
        (None, None) => builder,
    };
    let credentials = Credentials::new();
    for entry in options["auth"].as_array().into_iter().flatten() {
        let text = |name: &str| entry[name].as_str().unwrap_or_default();
        credentials.add_for(text("origin"), Credential::login(text("user"), text("pass")))?;
        // A client that is told the scheme knows no other.
        let only = |layer: AuthLayer| layer.secrets_over_http(true);
        builder = match text("scheme") {
            "basic" => builder.auth(|_| only(AuthLayer::new(Credentials::new()).scheme(Basic))),
            "digest" => builder.auth(|_| only(AuthLayer::new(Credentials::new()).scheme(Digest::new()))),
            "wsse" => builder.auth(|_| only(AuthLayer::new(Credentials::new()).scheme(Wsse::new()))),
            _ => builder,
        };
    }
    Ok(builder.credentials(&credentials).build()?)
}

async fn request(client: &Http, command: &Value) -> Value {
    match exchange(client, command).await {
        Ok(answer) => answer,
        Err(error) => {
            let class = error.downcast_ref::<httplib2::Error>().map_or("other", |error| class(error.kind()));
            json!({ "ok": false, "error": class, "message": chain(&*error) })
        }
    }
}

async fn exchange(client: &Http, command: &Value) -> Outcome<Value> {
    let request = build(client, command)?;
    match command["read_limit"].as_u64() {
        None => {
            let (response, content) = request.await?;
            Ok(answer(&response, &content))
        }
        Some(limit) => {
            let (response, mut body) = request.stream().await?;
            let mut content = Vec::new();
            while (content.len() as u64) < limit {
                match body.chunk().await? {
                    Some(piece) => content.extend_from_slice(&piece),
                    None => break,
                }
            }
            Ok(answer(&response, &content))
        }
    }
}

fn build(client: &Http, command: &Value) -> Outcome<RequestBuilder> {
    let mut request =
        client.request(command["url"].as_str().unwrap_or_default()).method(command["method"].as_str().unwrap_or("GET"));
    for field in command["headers"].as_array().into_iter().flatten() {
        request = request.header(field[0].as_str().unwrap_or_default(), field[1].as_str().unwrap_or_default());
    }
    if let Some(body) = command["body_b64"].as_str() {
        request = request.body(BASE64.decode(body)?);
    }
    if let Some(time) = command["timeout_ms"].as_u64() {
        request = request.deadline(Duration::from_millis(time));
    }
    Ok(request)
}

fn answer(response: &Response, content: &[u8]) -> Value {
    let headers: Vec<_> = response
        .headers()
        .iter()
        .map(|(name, value)| json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())]))
        .collect();
    json!({
        "ok": true,
        "status": response.status().as_u16(),
        "headers": headers,
        "body_len": content.len(),
        "body_b64": BASE64.encode(content),
    })
}

fn class(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Timeout => "timeout",
        ErrorKind::ServerNotFound | ErrorKind::Connect => "connect",
        ErrorKind::Tls => "tls",
        ErrorKind::Send | ErrorKind::Receive => "protocol",
        ErrorKind::RedirectLimit | ErrorKind::RedirectMissingLocation => "redirect",
        ErrorKind::RelativeUri | ErrorKind::InvalidUri | ErrorKind::UnsupportedScheme => "url",
        ErrorKind::InvalidRequest => "header",
        ErrorKind::ContentTooLong | ErrorKind::DecodeLimit => "limit",
        ErrorKind::FailedToDecompressContent => "decode",
        _ => "other",
    }
}

/// The error and all its causes, as a log would have them.
fn chain(error: &(dyn Error + 'static)) -> String {
    let causes: Vec<_> = std::iter::successors(Some(error), |&error| error.source()).map(ToString::to_string).collect();
    causes.join(": ")
}
