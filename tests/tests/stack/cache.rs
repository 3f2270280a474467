//! The cache stands inside of redirect and decompression and outside of all that sends.

use std::{path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Request, Uri, header};
use http_body_util::Channel;
use httplib2::{
    Compat, Http,
    cache::{CacheLayer, CacheMode},
    core::error::cause_ref,
    decompression::DecompressionLayer,
    redirect::RedirectLayer,
    retry::{RetryLayer, RetryStatuses},
    store::{
        Answer, Entry, EntryId, Found, Generation, Head, Key, Listed, MemoryStore, Store, StoreError, StoredBody,
        Usage, Writer,
    },
    store_disk::DiskStore,
    store_object::safename,
};
use httplib2_testing::{Reply, Server, reply, request, text};
use tower::{Layer, ServiceBuilder, ServiceExt};
use tower_http::set_header::SetRequestHeaderLayer;

fn cached(server: &Server) -> Http {
    Http::builder().cache(MemoryStore::new()).build_over(server.clone()).unwrap()
}

async fn get(http: &Http, uri: &str) -> String {
    String::from_utf8(http.request(uri).await.unwrap().1.to_vec()).unwrap()
}

fn fresh(body: &'static str) -> Reply {
    reply(200).header("cache-control", "max-age=60").body(body)
}

#[tokio::test]
async fn what_is_fresh_is_not_asked_for_again_and_says_so() {
    let server = Server::new().on("GET http://a.example/", fresh("one").header("etag", "\"1\""));
    let http = cached(&server);
    assert_eq!(get(&http, "http://a.example/").await, "one");
    let (response, content) = http.request("http://a.example/").explain(true).await.unwrap();
    assert_eq!((&*content, response.from_cache()), (&b"one"[..], true));
    assert!(response.headers().contains_key("age"));
    assert!(
        response.explain().to_string().contains("cache: fresh (age 0 s < lifetime 60 s)"),
        "{}",
        response.explain()
    );
    assert_eq!(server.saw().len(), 1);

    let (response, _) = http.request("http://a.example/").cache_mode(CacheMode::Reload).await.unwrap();
    assert!(!response.from_cache());
    assert_eq!(server.saw().len(), 2);
}

/// `/now` leads somewhere else each time, and what it leads to may be kept.
fn wandering() -> Server {
    Server::new()
        .on("GET http://a.example/now", reply(302).header("location", "/1"))
        .on("GET http://a.example/now", reply(302).header("location", "/2"))
        .on("GET http://a.example/1", fresh("one"))
        .on("GET http://a.example/2", fresh("two"))
}

#[tokio::test]
async fn a_temporary_redirect_is_asked_for_each_time() {
    let http = cached(&wandering());
    assert_eq!(get(&http, "http://a.example/now").await, "one");
    assert_eq!(get(&http, "http://a.example/now").await, "two");
}

#[tokio::test]
async fn a_cache_outside_of_redirect_freezes_a_temporary_redirect() {
    let wrong = ServiceBuilder::new()
        .layer(CacheLayer::private(Arc::new(MemoryStore::new())))
        .layer(RedirectLayer::new())
        .service(wandering());
    for _ in 0..2 {
        let response = wrong.clone().oneshot(request("GET http://a.example/now")).await.unwrap();
        assert_eq!(text(response).await.unwrap(), "one", "the harm: the second time it led to /2");
    }
}

/// 100,000 zeros in gzip.
const ZEROS: &[u8] = include_bytes!("zeros.gz");

fn coded() -> Server {
    let answer = reply(200).header("cache-control", "max-age=60").header("content-encoding", "gzip");
    Server::new().on("GET http://a.example/", answer.header("etag", "\"gz\"").body(ZEROS.to_vec()))
}

#[tokio::test]
async fn the_store_holds_what_was_on_the_wire() {
    let store = Arc::new(MemoryStore::new());
    let layer = CacheLayer::private(Arc::clone(&store) as Arc<dyn Store>);
    let http = Http::builder().cache_layer(layer).build_over(coded()).unwrap();
    for _ in 0..2 {
        assert_eq!(get(&http, "http://a.example/").await.len(), 100_000);
    }
    assert!(store.usage().await.unwrap().bytes < 5_000);
}

#[tokio::test]
async fn decompression_inside_of_the_cache_keeps_other_bytes_than_the_tag_names() {
    let store = Arc::new(MemoryStore::new());
    let wrong = ServiceBuilder::new()
        .layer(CacheLayer::private(Arc::clone(&store) as Arc<dyn Store>))
        .layer(DecompressionLayer::new())
        .service(coded());
    for _ in 0..2 {
        let response = wrong.clone().oneshot(request("GET http://a.example/")).await.unwrap();
        let (tag, coding) =
            (response.headers().get("etag").cloned(), response.headers().get("content-encoding").cloned());
        assert_eq!(text(response).await.unwrap().len(), 100_000);
        assert_eq!(
            (tag, coding),
            (Some(HeaderValue::from_static("\"gz\"")), None),
            "the harm: a strong tag of other bytes"
        );
    }
    assert!(store.usage().await.unwrap().bytes > 100_000, "the harm: the store holds what the wire never carried");
}

/// Is busy once when it is asked whether what it gave still holds.
fn busy() -> Server {
    let old = reply(200).header("cache-control", "max-age=0, stale-if-error=60").header("etag", "\"1\"").body("old");
    Server::new()
        .on("GET http://a.example/", old)
        .on("GET http://a.example/", reply(503))
        .on("GET http://a.example/", fresh("new"))
}

#[tokio::test(start_paused = true)]
async fn something_stale_stands_in_only_after_the_last_try() {
    let builder = Http::builder().cache(MemoryStore::new()).retry_statuses(RetryStatuses::transient());
    let http = builder.build_over(busy()).unwrap();
    assert_eq!(get(&http, "http://a.example/").await, "old");
    assert_eq!(get(&http, "http://a.example/").await, "new");
}

#[tokio::test(start_paused = true)]
async fn retry_outside_of_the_cache_is_not_asked_while_something_stale_is_there() {
    let wrong = ServiceBuilder::new()
        .layer(RetryLayer::new().statuses(RetryStatuses::transient()))
        .layer(CacheLayer::private(Arc::new(MemoryStore::new())))
        .service(busy());
    for _ in 0..2 {
        let response = wrong.clone().oneshot(request("GET http://a.example/")).await.unwrap();
        assert_eq!(text(response).await.unwrap(), "old", "the harm: the next try would have brought the new one");
    }
}

/// Everybody has a page of his own, which may be kept.
fn pages() -> Server {
    Server::answering(|received, _| match received.headers().get(header::AUTHORIZATION) {
        Some(who) => fresh("").body(who.as_bytes().to_vec()),
        None => reply(401).header("www-authenticate", "Basic realm=\"r\""),
    })
}

#[tokio::test]
async fn users_of_one_client_get_their_own_pages_in_private_and_in_shared_mode() {
    for shared in [false, true] {
        let server = pages();
        let store = Arc::new(MemoryStore::new());
        let layer = if shared { CacheLayer::shared(store) } else { CacheLayer::private(store) };
        let http = Http::builder().cache_layer(layer).build_over(server.clone()).unwrap();
        for _ in 0..2 {
            for (name, page) in [("alice", "Basic YWxpY2U6eA=="), ("bob", "Basic Ym9iOng=")] {
                let (_, content) = http.request("http://a.example/").basic_auth(name, "x").await.unwrap();
                assert_eq!(content, page);
                let own = http.request("http://a.example/").header("authorization", page);
                assert_eq!(own.await.unwrap().1, page);
            }
            let (response, _) = http.request("http://a.example/").await.unwrap();
            assert_eq!(response.status(), 401, "who says no name gets nobody's page");
        }
    }
}

#[tokio::test]
async fn pages_of_a_client_that_was_challenged_are_kept_for_its_user() {
    let server = pages();
    let store = Arc::new(MemoryStore::new());
    let client = |name: Option<&str>| {
        let layer = CacheLayer::private(Arc::clone(&store) as Arc<dyn Store>);
        let http = Http::builder().cache_layer(layer).build_over(server.clone()).unwrap();
        if let Some(name) = name {
            http.add_credentials(name, "x");
        }
        http
    };
    let alice = client(Some("alice"));
    for _ in 0..3 {
        assert_eq!(get(&alice, "http://a.example/").await, "Basic YWxpY2U6eA==");
    }
    assert_eq!(server.saw().len(), 2, "a challenge, and then the store");
    // Another client on the same store is not her.
    assert_eq!(get(&client(Some("bob")), "http://a.example/").await, "Basic Ym9iOng=");
    assert_eq!(client(None).request("http://a.example/").await.unwrap().0.status(), 401);
}

#[tokio::test]
async fn a_request_with_credentials_of_its_own_does_not_get_the_page_of_the_clients_user() {
    let server = pages();
    let http = cached(&server);
    http.add_credentials("alice", "x");
    for _ in 0..2 {
        assert_eq!(get(&http, "http://a.example/").await, "Basic YWxpY2U6eA==");
        let (_, content) = http.request("http://a.example/").basic_auth("bob", "x").await.unwrap();
        assert_eq!(content, "Basic Ym9iOng=");
        // Who does not know the password is not her, whatever he says.
        let (_, content) = http.request("http://a.example/").basic_auth("alice", "guess").await.unwrap();
        assert_eq!(content, "Basic YWxpY2U6Z3Vlc3M=");
    }
}

#[tokio::test]
async fn auth_inside_of_a_shared_cache_without_marks_gives_one_users_page_to_all() {
    let store = Arc::new(MemoryStore::new());
    let shared = || CacheLayer::shared(Arc::clone(&store) as Arc<dyn Store>);
    let fixed =
        SetRequestHeaderLayer::overriding(header::AUTHORIZATION, HeaderValue::from_static("Basic YWxpY2U6eA=="));
    let wrong = ServiceBuilder::new().layer(shared()).layer(fixed).service(pages());
    let response = wrong.oneshot(request("GET http://a.example/")).await.unwrap();
    text(response).await.unwrap();

    let other = shared().layer(pages()).oneshot(request("GET http://a.example/")).await.unwrap();
    assert_eq!(text(other).await.unwrap(), "Basic YWxpY2U6eA==", "the harm: alice's page for somebody without a name");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_inside_of_retry_is_one_for_each_try() {
    let never = || Server::new().on("GET http://a.example/", reply(200).delay(Duration::from_secs(3_600)));
    let limit = Duration::from_secs(1);
    let wrong = ServiceBuilder::new()
        .layer(RetryLayer::new().tries(3).classify(|_: &tower::BoxError| httplib2::retry::Failure::Unprocessed))
        .timeout(limit)
        .service(never());
    let began = tokio::time::Instant::now();
    wrong.oneshot(request("GET http://a.example/")).await.unwrap_err();
    assert!(began.elapsed() >= 3 * limit, "the harm: the caller waited three times as long as he wanted");

    let http = Http::builder().tries(3).deadline(limit).build_over(never()).unwrap();
    let began = tokio::time::Instant::now();
    http.request("http://a.example/").await.unwrap_err();
    assert_eq!(began.elapsed(), limit);
}

#[tokio::test]
async fn an_update_carries_the_tag_of_what_was_served_and_none_that_only_the_cache_knows() {
    // LUP-01. What a refresh in the background or another client stored, this caller has not seen: its tag would let an
    // edit of something older through.
    let server = Server::new()
        .on("GET http://a.example/", fresh("one").header("etag", "\"v1\""))
        .on("PUT http://a.example/", reply(204));
    let store = Arc::new(MemoryStore::new());
    let client = || {
        let layer = CacheLayer::private(Arc::clone(&store) as Arc<dyn Store>);
        Http::builder().cache_layer(layer).build_over(server.clone()).unwrap()
    };
    get(&client(), "http://a.example/").await;
    let (reader, blind) = (client(), client());
    assert!(reader.request("http://a.example/").await.unwrap().0.from_cache());
    for http in [reader, blind] {
        http.request("http://a.example/").method("PUT").body("two").await.unwrap();
    }
    let requests = server.requests();
    let puts = requests.iter().filter(|received| received.method() == "PUT");
    let tags: Vec<_> = puts.map(|put| put.headers().get(header::IF_MATCH).is_some_and(|tag| tag == "\"v1\"")).collect();
    assert_eq!(tags, [true, false]);
}

#[tokio::test]
async fn the_stack_alone_is_a_service_with_a_cache_too() {
    let server = Server::new().on("GET http://a.example/", fresh("one"));
    let service = cached(&server).service();
    for _ in 0..2 {
        let request = Request::get("http://a.example/").body(httplib2::Body::empty()).unwrap();
        let response = service.clone().oneshot(request).await.unwrap();
        assert_eq!(text(response).await.unwrap(), "one");
    }
    assert_eq!(server.saw().len(), 1);
}

#[tokio::test]
async fn a_secret_field_that_was_named_tells_users_apart() {
    let server = Server::answering(|received, _| fresh("").body(received.headers()["x-api-key"].as_bytes().to_vec()));
    let builder = Http::builder().cache(MemoryStore::new()).sensitive_header("x-api-key".parse().unwrap());
    let http = builder.build_over(server.clone()).unwrap();
    for user in ["alice", "bob", "alice"] {
        let (_, content) = http.request("http://a.example/").header("x-api-key", user).await.unwrap();
        assert_eq!(&*content, user.as_bytes());
    }
    assert_eq!(server.saw().len(), 2);
}

/// Answers once, and then like this.
fn answering_once_and_then(then: &'static str) -> (std::net::SocketAddr, std::thread::JoinHandle<()>) {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let first = "HTTP/1.1 200 OK\r\nCache-Control: max-age=0, stale-if-error=60\r\nETag: \"1\"\r\n\
                 Content-Length: 3\r\nConnection: close\r\n\r\nold";
    let answering = std::thread::spawn(move || {
        for answer in [first, then] {
            let (mut connection, _) = listener.accept().unwrap();
            connection.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            let mut head = [0; 4096];
            assert!(connection.read(&mut head).unwrap() > 0);
            connection.write_all(answer.as_bytes()).unwrap();
        }
    });
    (address, answering)
}

#[tokio::test]
async fn nothing_stale_stands_in_for_an_origin_that_talks_nonsense() {
    for (answer, expected) in [("HTTP/1.1 2x0 what\r\n\r\n", None), ("", Some("old"))] {
        let (address, answering) = answering_once_and_then(answer);
        let http = Http::builder().cache(MemoryStore::new()).tries(1).build().unwrap();
        let uri = format!("http://{address}/");
        assert_eq!(get(&http, &uri).await, "old");
        let got = http.request(&uri).await.ok().map(|(_, content)| String::from_utf8(content.to_vec()).unwrap());
        assert_eq!(got.as_deref(), expected, "{answer:?}");
        answering.join().unwrap();
    }
}

/// Waits until what is stored in the background is there, for whoever comes next.
async fn settled(dir: &Path, uri: &'static str) {
    let key = Key::of(&Uri::from_static(uri)).unwrap();
    for _ in 0..500 {
        if !DiskStore::open(dir).unwrap().lookup(&key).await.unwrap().variants.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{uri} was not stored");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_serves_the_next_client_too() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::new().on("GET http://a.example/", fresh("one")).on("GET http://a.example/", fresh("two"));
    let client = || Http::builder().cache(dir.path()).build_over(server.clone()).unwrap();
    assert_eq!(get(&client(), "http://a.example/").await, "one");
    settled(dir.path(), "http://a.example/").await;
    let http = client();
    for _ in 0..2 {
        assert_eq!(get(&http, "http://a.example/").await, "one");
    }
    assert_eq!(server.saw().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_that_cannot_be_used_is_no_failure() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let server = Server::new().on("GET http://a.example/", fresh("one"));
    let http = Http::builder().cache(file.path()).build_over(server.clone()).unwrap();
    for _ in 0..2 {
        assert_eq!(get(&http, "http://a.example/").await, "one");
        // Until the store has failed, the next request reads the answer of this one along.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(server.saw().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_the_manner_of_httplib2_a_directory_holds_its_files() {
    // H-CACHE-14, H-CACHE-18: what was coded is kept decoded.
    let dir = tempfile::tempdir().unwrap();
    let coded = {
        use std::io::Write;
        let mut coder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        coder.write_all(b"text").unwrap();
        coder.finish().unwrap()
    };
    let reply = fresh("").header("content-encoding", "gzip").header("vary", "accept-encoding").body(coded);
    let server = Server::new().on("GET http://a.example/", reply);
    let client = || {
        let builder = Http::builder().compat(Compat::httplib2()).cache(dir.path());
        builder.build_over(server.clone()).unwrap()
    };
    assert_eq!(get(&client(), "http://a.example/").await, "text");
    let file = dir.path().join(safename("http://a.example/"));
    for _ in 0..500 {
        if file.exists() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("status: 200\r\n") && text.ends_with("\r\n\r\ntext"), "{text}");
    assert!(text.contains("-content-encoding: gzip\r\n") && text.contains("-varied-accept-encoding: "), "{text}");
    assert_eq!(get(&client(), "http://a.example/").await, "text");
    assert_eq!(server.saw().len(), 1);

    let error = Http::builder().compat(Compat::httplib2()).cache(&file).build().unwrap_err();
    assert_eq!(error.kind(), httplib2::ErrorKind::InvalidSettings);
}

/// A store whose bodies turn out to be damaged when they are read.
#[derive(Debug)]
struct Damaging(MemoryStore);

impl Store for Damaging {
    fn lookup(&self, key: &Key) -> Answer<Found> {
        self.0.lookup(key)
    }

    fn open(&self, _: &Key, entry: &Entry) -> Answer<StoredBody> {
        let body = Channel::<Bytes, StoreError>::new(1).1;
        Answer::Ready(Ok(StoredBody::streaming(body, entry.length())))
    }

    fn write(
        &self,
        key: Key,
        head: Head,
        length: Option<u64>,
        taken: Generation,
    ) -> Result<Box<dyn Writer>, StoreError> {
        self.0.write(key, head, length, taken)
    }

    fn update(&self, key: &Key, id: EntryId, head: Head, taken: Generation) -> Answer<Entry> {
        self.0.update(key, id, head, taken)
    }

    fn remove(&self, key: &Key, id: EntryId) -> Answer<()> {
        self.0.remove(key, id)
    }

    fn invalidate(&self, key: &Key) -> Answer<()> {
        self.0.invalidate(key)
    }

    fn clear(&self) -> Answer<()> {
        self.0.clear()
    }

    fn list(&self) -> Answer<Vec<Listed>> {
        self.0.list()
    }

    fn usage(&self) -> Answer<Usage> {
        self.0.usage()
    }
}

#[tokio::test]
async fn damage_that_is_found_while_reading_is_a_failure_to_receive() {
    let server = Server::new().on("GET http://a.example/", fresh("one"));
    let http = Http::builder().cache(Damaging(MemoryStore::new())).build_over(server).unwrap();
    assert_eq!(get(&http, "http://a.example/").await, "one");
    let error = http.request("http://a.example/").await.unwrap_err();
    assert_eq!(error.kind(), httplib2::ErrorKind::Receive, "{error:?}");
    assert!(matches!(cause_ref(&error), Some(StoreError::Damaged)), "{error:?}");
}

/// Answers a request, which is returned, with this and closes the connection.
fn answer_once(listener: &std::net::TcpListener, answer: &str) -> String {
    use std::io::{Read, Write};
    let (mut connection, _) = listener.accept().unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut head = [0; 4096];
    let length = connection.read(&mut head).unwrap();
    connection.write_all(answer.as_bytes()).unwrap();
    String::from_utf8_lossy(&head[..length]).to_ascii_lowercase()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_that_broke_off_goes_on_where_it_did() {
    // RFC 9111 §3.3, over real connections.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("http://{}/", listener.local_addr().unwrap());
    let answering = std::thread::spawn(move || {
        let fields = "Cache-Control: max-age=60\r\nETag: \"1\"\r\nConnection: close\r\n";
        let whole = format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 10\r\n\r\n01234");
        let rest = format!(
            "HTTP/1.1 206 Partial Content\r\n{fields}Content-Range: bytes 5-9/10\r\nContent-Length: 5\r\n\r\n56789"
        );
        [answer_once(&listener, &whole), answer_once(&listener, &rest)]
    });
    let http = Http::builder().cache(MemoryStore::new()).build().unwrap();
    assert_eq!(http.request(&uri).await.unwrap_err().kind(), httplib2::ErrorKind::Receive);
    for _ in 0..2 {
        assert_eq!(get(&http, &uri).await, "0123456789");
    }
    let [first, second] = answering.join().unwrap();
    assert!(!first.contains("\r\nrange: "), "{first}");
    assert!(second.contains("\r\nrange: bytes=5-\r\n") && second.contains("\r\nif-range: \"1\"\r\n"), "{second}");
}
