//! The main job, end to end: starts an origin on loopback, plain and over TLS, and shows what one `request()`
//! does with it. It checks what it shows, and exits with an error if something is not as it should be.

use std::{
    fmt::Display,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode, header},
    middleware,
    response::{IntoResponse, Redirect},
    routing,
};
use httplib2::{
    ErrorKind, Http, Response, blocking,
    cache::CacheMode,
    lost_update::{Versions, merge_fn},
    redirect::NotFollowed,
    retry::RetryStatuses,
    store::{MemoryStore, Store},
    store_disk::DiskStore,
};
use httplib2_examples::{DigestGuard, Origin};

type Outcome = Result<(), Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Outcome {
    let origin = httplib2_examples::start(routes).await?;
    let http = Http::builder().ca_certs(&origin.ca_pem).timeout(Duration::from_secs(5)).build()?;
    get(&http, &origin).await?;
    redirects(&http, &origin).await?;
    post_again(&http, &origin).await?;
    downgrade(&http, &origin).await?;
    compressed(&http, &origin).await?;
    busy(&http, &origin).await?;
    login(&http, &origin).await?;
    two_editors(&http, &origin).await?;
    cached(&origin).await?;
    restarted(&origin).await?;
    timeout(&http, &origin).await?;
    without_a_runtime(&http, &origin)?;
    println!("all as it should be");
    Ok(())
}

fn routes(origin: &Origin) -> Router {
    let over_tls = format!("{}/moved", origin.tls);
    let insecure = format!("{}/hello", origin.plain);
    let guard = middleware::from_fn_with_state(DigestGuard::new("joe", "s3cret"), DigestGuard::check);
    Router::new()
        .route("/hello", routing::get(async || "Hello"))
        .route("/start", routing::get(async || Redirect::temporary("/next#section")))
        .route("/next", routing::get(async move || Redirect::to(&over_tls)))
        .route("/moved", routing::get(async || Redirect::permanent("/hello")))
        .route("/form", routing::post(async || Redirect::temporary("/inbox")))
        .route("/inbox", routing::post(receive))
        .route("/downgrade", routing::get(async move || Redirect::temporary(&insecure)))
        .route("/report", routing::get(async || coded(&b"many lines of a report\n".repeat(1_000))))
        .route("/bomb", routing::get(async || coded(&vec![0; 50_000_000])))
        .route("/busy", routing::get(busy_at_first))
        .route("/letters/{name}", routing::get(async || "Dear Joe").layer(guard))
        .route("/list", httplib2_examples::document("milk\n"))
        .route("/news", routing::get(news))
        .route("/almanac", routing::get(async || ([(header::CACHE_CONTROL, "max-age=3600")], "sunrise at six")))
        .route("/slow", routing::get(async || tokio::time::sleep(Duration::from_secs(3)).await))
}

async fn receive(headers: HeaderMap, body: Bytes) -> (StatusCode, String) {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("nothing");
    (StatusCode::CREATED, format!("{} bytes of {kind}", body.len()))
}

fn coded(content: &[u8]) -> impl IntoResponse + use<> {
    ([(header::CONTENT_ENCODING, "gzip")], httplib2_examples::gzip(content))
}

async fn busy_at_first() -> axum::response::Response {
    static REQUESTS: AtomicU32 = AtomicU32::new(0);
    match REQUESTS.fetch_add(1, Ordering::Relaxed) {
        0 => (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")]).into_response(),
        _ => "now I have time".into_response(),
    }
}

/// Has an answer for the first one who asks, says to the second one that it still holds for now, and to others nothing.
async fn news() -> impl IntoResponse {
    static REQUESTS: AtomicU32 = AtomicU32::new(0);
    let (status, lifetime, text) = match REQUESTS.fetch_add(1, Ordering::Relaxed) {
        0 => (StatusCode::OK, "max-age=60", "no news"),
        1 => (StatusCode::NOT_MODIFIED, "max-age=0, stale-if-error=600", ""),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "no-store", ""),
    };
    (status, [(header::CACHE_CONTROL, lifetime), (header::ETAG, "\"monday\"")], text)
}

async fn get(http: &Http, origin: &Origin) -> Outcome {
    let (response, content) = http.request(format!("{}/hello", origin.plain)).explain(true).await?;
    assert_eq!((response.status().as_u16(), &*content), (200, &b"Hello"[..]));
    show("a GET", &response, &content);
    Ok(())
}

async fn redirects(http: &Http, origin: &Origin) -> Outcome {
    let (response, content) = http.request(format!("{}/start", origin.plain)).explain(true).await?;
    let history: Vec<_> = response.history().map(|earlier| earlier.status().as_u16()).collect();
    assert_eq!(history, [308, 303, 307], "the last one first");
    assert_eq!(*response.uri(), format!("{}/hello", origin.tls).as_str());
    assert_eq!(response.fragment(), Some("section"), "inherited, never sent");
    show("a chain of redirects, from plain to TLS", &response, &content);
    Ok(())
}

async fn post_again(http: &Http, origin: &Origin) -> Outcome {
    let request = http.request(format!("{}/form", origin.plain)).method("POST").explain(true);
    let request = request.follow(httplib2::redirect::Follow::All);
    let (response, content) = request.header("content-type", "text/plain").body("This is text").await?;
    assert_eq!((response.status().as_u16(), &*content), (201, &b"12 bytes of text/plain"[..]));
    show("a POST that meets 307 and is sent again", &response, &content);
    Ok(())
}

async fn downgrade(http: &Http, origin: &Origin) -> Outcome {
    let request = http.request(format!("{}/downgrade", origin.tls)).explain(true);
    let (response, content) = request.header("authorization", "Bearer secret").await?;
    assert_eq!(response.not_followed(), Some(&NotFollowed::Downgrade));
    show("a redirect from https to http with credentials, not followed", &response, &content);
    Ok(())
}

async fn compressed(http: &Http, origin: &Origin) -> Outcome {
    let (response, content) = http.request(format!("{}/report", origin.plain)).explain(true).await?;
    assert_eq!(content.len(), 23_000);
    assert!(response.decoded().is_some());
    show("compressed content", &response, &content[..22]);

    let bomb = http.request(format!("{}/bomb", origin.plain));
    let error = bomb.await.err().ok_or("the bomb should have been refused")?;
    assert_eq!(error.kind(), ErrorKind::DecodeLimit);
    heading("50 MB in 50 kB");
    row("error", &error);
    println!();
    Ok(())
}

async fn busy(http: &Http, origin: &Origin) -> Outcome {
    let request = http.request(format!("{}/busy", origin.plain)).extension(RetryStatuses::transient()).explain(true);
    let (response, content) = request.await?;
    assert_eq!((response.status().as_u16(), &*content), (200, &b"now I have time"[..]));
    show("a 503 that says when to come again", &response, &content);
    Ok(())
}

async fn login(http: &Http, origin: &Origin) -> Outcome {
    http.add_credentials_for(&origin.tls, "joe", "s3cret")?;
    for (what, path) in [("a login with Digest", "/letters/1"), ("the next page asks for no password", "/letters/2")] {
        let (response, content) = http.request(format!("{}{path}", origin.tls)).explain(true).await?;
        assert_eq!((response.status().as_u16(), &*content), (200, &b"Dear Joe"[..]));
        show(what, &response, &content);
    }
    Ok(())
}

async fn two_editors(http: &Http, origin: &Origin) -> Outcome {
    let uri = format!("{}/list", origin.plain);
    let (_, seen) = http.request(&uri).await?;
    Http::new().request(&uri).method("PUT").body("milk\nbread\n").await?;

    // What was seen is not what is there: the server says 412, and the hook makes one of both.
    let mine = [&*seen, b"eggs\n"].concat();
    let request = http.request(&uri).method("PUT").body(mine).extension(merge_fn(both)).explain(true);
    let (response, content) = request.await?;
    assert_eq!(response.status().as_u16(), 204);
    show("an update that another one has overtaken", &response, &content);

    let (_, list) = http.request(&uri).await?;
    assert_eq!(list, "milk\nbread\neggs\n");
    Ok(())
}

/// A list that only grows: what is there, and then what was added to it.
async fn both(versions: Versions) -> Option<Bytes> {
    let (mine, theirs) = (versions.mine.body(), versions.theirs.body());
    let (mine, theirs) = (str::from_utf8(mine).ok()?, str::from_utf8(theirs).ok()?);
    let added = mine.lines().filter(|line| !theirs.lines().any(|other| other == *line));
    Some(theirs.lines().chain(added).map(|line| format!("{line}\n")).collect::<String>().into())
}

async fn cached(origin: &Origin) -> Outcome {
    let http = Http::builder().cache(MemoryStore::new()).build()?;
    for (what, mode, from_cache) in [
        ("with a cache, the first time", CacheMode::Default, false),
        ("the second time", CacheMode::Default, true),
        ("asked whether it still holds", CacheMode::Revalidate, true),
        ("the origin fails: better old than nothing", CacheMode::Default, true),
    ] {
        let request = http.request(format!("{}/news", origin.plain)).cache_mode(mode).explain(true);
        let (response, content) = request.await?;
        assert_eq!((response.status().as_u16(), &*content), (200, &b"no news"[..]));
        assert_eq!(response.from_cache(), from_cache, "{what}");
        show(what, &response, &content);
    }
    Ok(())
}

/// What one process has stored, the next one finds.
async fn restarted(origin: &Origin) -> Outcome {
    let dir = tempfile::tempdir()?;
    for (what, from_cache) in [("a cache in a directory, the first run", false), ("the second run", true)] {
        // `.cache(DIR)` is the same with memory before it.
        let disk = DiskStore::open(dir.path())?;
        let http = Http::builder().cache(disk.clone()).build()?;
        let (response, content) = http.request(format!("{}/almanac", origin.plain)).explain(true).await?;
        assert_eq!((&*content, response.from_cache()), (&b"sunrise at six"[..], from_cache), "{what}");
        show(what, &response, &content);
        // The caller did not wait for the disk.
        for _ in 0..500 {
            if disk.usage().await?.entries > 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    Ok(())
}

async fn timeout(http: &Http, origin: &Origin) -> Outcome {
    let request = http.request(format!("{}/slow", origin.plain)).timeout(Duration::from_millis(200));
    let error = request.await.err().ok_or("the server should have been too slow")?;
    assert_eq!(error.kind(), ErrorKind::Timeout);
    heading("a server that is too slow");
    row("error", &error);
    println!();
    Ok(())
}

/// The blocking client works everywhere, here inside of a runtime.
fn without_a_runtime(http: &Http, origin: &Origin) -> Outcome {
    let http = blocking::Http::from(http.clone());
    let (response, content) = http.request(format!("{}/hello", origin.tls)).explain(true).send()?;
    assert_eq!((response.status().as_u16(), &*content), (200, &b"Hello"[..]));
    show("the same without async", &response, &content);
    Ok(())
}

fn show(what: &str, response: &Response, content: &[u8]) {
    heading(what);
    row("status", &format_args!("{} {}", response.status().as_u16(), response.reason()));
    row("version", &response.version());
    let history: Vec<_> = response.history().collect();
    for hop in history.iter().rev() {
        row("hop", &format_args!("{} {}", hop.status().as_u16(), hop.uri()));
    }
    row("uri", &response.content_location());
    row("content", &String::from_utf8_lossy(content));
    for line in response.explain().lines() {
        row("explain", line);
    }
    println!();
}

fn heading(what: &str) {
    println!("{what}");
}

fn row(name: &str, value: &dyn Display) {
    println!("  {name:<8} {value}");
}
