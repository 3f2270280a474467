//! What a store over an object keeps, what not, and what it does when something goes wrong.

mod common;

use std::{
    io::Read,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use httplib2_core::{context::Spawn, error::BoxError, who::Identity};
use httplib2_store::{Generations, Head, Key, Store, StoreError, Usage};
use httplib2_store_object::{Blocking, BlockingObject, CacheObject, Later, ObjectStore};
use httplib2_testing::FixedClock;
use tokio::sync::Notify;

use crate::common::{Dictionary, Plain, body, get, head, key, moment, put};

/// "hello hello hello", by gzip.
fn gzipped() -> Vec<u8> {
    let mut coder = flate2::read::GzEncoder::new(&b"hello hello hello"[..], flate2::Compression::best());
    let mut coded = Vec::new();
    coder.read_to_end(&mut coded).expect("it is in memory");
    coded
}

fn ungzip(headers: &HeaderMap, coded: Bytes, limit: u64) -> Result<Bytes, BoxError> {
    assert_eq!(headers["content-encoding"], "gzip");
    let mut decoded = Vec::new();
    flate2::read::GzDecoder::new(&coded[..]).take(limit + 1).read_to_end(&mut decoded)?;
    if decoded.len() as u64 > limit { Err("too much".into()) } else { Ok(decoded.into()) }
}

/// Puts a blob into the object, as httplib2 might have.
fn blob(object: &Dictionary, key: &Key, text: &str) {
    let blob = Bytes::from(text.replace('\n', "\r\n"));
    object.blobs().insert(key.as_str().to_owned(), blob);
}

#[tokio::test]
async fn a_key_is_the_one_of_httplib2_where_it_can_be() {
    // H-CACHE-02, H-URI-01.
    for (uri, expected) in [
        ("HTTP://Example.org/A?b=C", "http://example.org/A?b=C"),
        ("http://example.org", "http://example.org/"),
        ("https://example.org:8443/", "https://example.org:8443/"),
        // To httplib2 these two are keys of their own.
        ("http://example.org:80/", "http://example.org/"),
        ("http://example.org/?", "http://example.org/?"),
    ] {
        let object = Dictionary::default();
        put(&ObjectStore::new(object.clone()), &key(uri), head(&[]), b"text").await.unwrap();
        assert_eq!(object.blobs().keys().collect::<Vec<_>>(), [expected]);
    }
}

#[tokio::test]
async fn a_partition_has_a_key_that_httplib2_never_asks_for() {
    let object = Dictionary::default();
    let store = ObjectStore::new(object.clone());
    let uri = "http://example.org/".parse().unwrap();
    let (plain, shared) = (Key::of(&uri).unwrap(), Key::in_partition(&uri, "site").unwrap());
    put(&store, &shared, head(&[]), b"shared").await.unwrap();
    assert!(get(&store, &plain).await.is_none());
    assert!(object.blobs().contains_key("http://example.org/ site"));
    assert!(object.text(&shared).contains("content-location: http://example.org/\r\n"));
}

#[tokio::test]
async fn a_coded_body_is_kept_decoded() {
    // H-CACHE-14, H-CACHE-16, H-CACHE-18.
    let object = Dictionary::default();
    let store = ObjectStore::builder(object.clone()).decode_with(ungzip).build();
    let page = key("http://example.org/");
    let fields = [("content-encoding", "gzip"), ("content-length", "20"), ("etag", "\"1\"")];
    let stored = put(&store, &page, head(&fields), &gzipped()).await.unwrap();
    let found = get(&store, &page).await.unwrap();
    for entry in [&stored, &found] {
        assert_eq!(entry.length(), 17);
        assert!(!entry.head().headers.contains_key("content-encoding"));
        assert_eq!(entry.head().headers["content-length"], "17");
        assert_eq!(body(&store, &page, entry).await, "hello hello hello");
    }
    assert!(object.text(&page).contains("\r\n-content-encoding: gzip\r\n"));

    // H-CACHE-51: a 304 speaks of the coded body.
    let fields = [("content-encoding", "gzip"), ("content-length", "0"), ("etag", "\"2\"")];
    let generation = store.lookup(&page).await.unwrap().generation;
    let updated = store.update(&page, found.id(), head(&fields), generation).await.unwrap();
    for entry in [updated, get(&store, &page).await.unwrap()] {
        assert_eq!((entry.id(), entry.length()), (found.id(), 17));
        assert_eq!(entry.head().headers["etag"], "\"2\"");
        assert_eq!(entry.head().headers["content-length"], "17");
        assert!(!entry.head().headers.contains_key("content-encoding"));
        assert_eq!(body(&store, &page, &entry).await, "hello hello hello");
    }
    assert!(object.text(&page).contains("\r\n-content-encoding: gzip\r\n"));
}

#[tokio::test]
async fn a_coded_body_that_cannot_be_decoded_is_not_kept() {
    let object = Dictionary::default();
    let page = key("http://example.org/");
    let coded = || head(&[("content-encoding", "gzip")]);
    let store = ObjectStore::new(object.clone());
    assert!(matches!(put(&store, &page, coded(), &gzipped()).await, Err(StoreError::Unsupported)));
    let store = ObjectStore::builder(object.clone()).decode_with(ungzip).build();
    assert!(matches!(put(&store, &page, coded(), b"no gzip").await, Err(StoreError::Other(_))));
    // More than may be kept.
    let store = ObjectStore::builder(object.clone()).decode_with(ungzip).max_object(16).build();
    assert!(put(&store, &page, coded(), &gzipped()[..10]).await.is_err());
    assert!(object.blobs().is_empty());
    // What has no coding needs nobody to decode it.
    let store = ObjectStore::builder(object).decode_with(|_, _, _| Err("nobody asked".into())).build();
    put(&store, &page, head(&[("content-encoding", "identity")]), b"text").await.unwrap();
    assert_eq!(get(&store, &page).await.unwrap().length(), 4);
}

#[tokio::test]
async fn what_is_for_somebody_is_not_kept() {
    let object = Dictionary::default();
    let store = ObjectStore::new(object.clone());
    let page = key("http://example.org/");
    let mut joes = head(&[]);
    joes.identity = Some(Identity::new("joe"));
    let mut signed = head(&[]);
    signed.selecting = vec![(HeaderName::from_static("authorization"), Some(b"s3cret".as_slice().into()))];
    let mut cookie = head(&[("vary", "cookie")]);
    cookie.selecting = vec![(HeaderName::from_static("cookie"), Some(b"s3cret".as_slice().into()))];
    for head in [joes, signed, cookie] {
        assert!(matches!(put(&store, &page, head, b"text").await, Err(StoreError::Unsupported)));
    }
    assert!(object.blobs().is_empty());
}

#[tokio::test]
async fn an_update_to_what_cannot_be_kept_takes_the_old_response_away() {
    // Otherwise it would go on answering without what the 304 said.
    let object = Dictionary::default();
    let store = ObjectStore::new(object.clone());
    let page = key("http://example.org/");
    let entry = put(&store, &page, head(&[]), b"text").await.unwrap();
    let generation = store.lookup(&page).await.unwrap().generation;
    let varies = head(&[("vary", "*")]);
    let updated = store.update(&page, entry.id(), varies, generation).await;
    assert!(matches!(updated, Err(StoreError::Unsupported)));
    assert!(object.blobs().is_empty());
}

#[tokio::test]
async fn an_update_of_what_was_replaced_does_not_undo_the_replacement() {
    // Answers to different requests often have the same body, such as none.
    let replaced = || head(&[("etag", "\"1\""), ("cache-control", "max-age=60")]);
    let mut gone = replaced();
    gone.status = StatusCode::GONE;
    for by in [gone, head(&[("etag", "\"2\"")]), head(&[("last-modified", "x")]), head(&[("x-other", "1")])] {
        let store = ObjectStore::new(Dictionary::default());
        let page = key("http://example.org/");
        put(&store, &page, replaced(), b"").await.unwrap();
        let found = store.lookup(&page).await.unwrap();
        let id = found.variants[0].id();
        // The 304 to one who was faster leaves it the one that it was.
        let refreshed = store.update(&page, id, head(&[("etag", "\"1\"")]), found.generation).await.unwrap();
        assert_eq!((refreshed.id(), get(&store, &page).await.unwrap().id()), (id, id));
        let replacement = put(&store, &page, by.clone(), b"").await.unwrap();
        assert_ne!(replacement.id(), id);
        let updated = store.update(&page, id, replaced(), found.generation).await;
        assert!(matches!(updated, Err(StoreError::Gone)), "{by:?}");
        store.remove(&page, id).await.unwrap();
        let now = get(&store, &page).await.unwrap();
        assert_eq!((now.id(), now.head().status), (replacement.id(), by.status));
        assert_eq!(now.head().headers, by.headers);
    }
}

#[tokio::test]
async fn the_request_fields_that_selected_a_response_are_found_again() {
    // H-CACHE-19.
    let object = Dictionary::default();
    let store = ObjectStore::new(object.clone());
    let page = key("http://example.org/");
    let mut german = head(&[("vary", "Accept-Language, X-Other")]);
    german.selecting = vec![
        (HeaderName::from_static("accept-language"), Some(b"de,en;q=0.5".as_slice().into())),
        (HeaderName::from_static("x-other"), None),
    ];
    put(&store, &page, german.clone(), b"hallo").await.unwrap();
    assert_eq!(get(&store, &page).await.unwrap().head().selecting, german.selecting);
    assert!(object.text(&page).contains("\r\n-varied-accept-language: de, en;q=0.5\r\n"));
    // There is one variant: another one takes its place (H-CACHE-41).
    let mut english = german.clone();
    english.selecting[0].1 = Some(b"en".as_slice().into());
    put(&store, &page, english.clone(), b"hello").await.unwrap();
    let entry = get(&store, &page).await.unwrap();
    assert_eq!(entry.head().selecting, english.selecting);
    assert_eq!(body(&store, &page, &entry).await, "hello");
}

#[tokio::test]
async fn what_cannot_be_read_is_not_there_and_gives_way() {
    // H-REQ-07.
    let object = Dictionary::default();
    let store = ObjectStore::new(object.clone());
    let page = key("http://example.org/");
    for text in [
        "",
        "garbage",
        "status: 200\n",
        "status: 200\ndate: x",
        "status: 200\ncontent-length: 9\n\ncut off",
        "status: 200\nvary: *\n\ntext",
        "status: 200\nvary: cookie\n-varied-cookie: a=1\n\ntext",
    ] {
        blob(&object, &page, text);
        assert!(get(&store, &page).await.is_none(), "{text}");
        put(&store, &page, head(&[]), b"text").await.unwrap();
        assert!(get(&store, &page).await.is_some());
    }
}

#[tokio::test]
async fn a_response_that_was_cut_off_is_not_there_wherever_it_was_cut() {
    // After a power failure the end of a file may be missing. A chunked answer does not say how long it is.
    let object = Dictionary::default();
    let store = ObjectStore::builder(object.clone()).decode_with(ungzip).build();
    let page = key("http://example.org/");
    for (fields, data) in [
        (&[][..], b"hello".to_vec()),
        (&[("content-length", "5")], b"hello".to_vec()),
        (&[("content-encoding", "gzip")], gzipped()),
    ] {
        put(&store, &page, head(fields), &data).await.unwrap();
        let whole = object.blobs()[page.as_str()].clone();
        let says_length = get(&store, &page).await.unwrap().head().headers.contains_key("content-length");
        assert_eq!(says_length, !fields.is_empty(), "what the note says is no field of the response");
        for length in 0..whole.len() {
            object.blobs().insert(page.as_str().to_owned(), whole.slice(..length));
            assert!(get(&store, &page).await.is_none(), "{length} of {}", whole.len());
        }
    }
}

#[tokio::test]
async fn what_httplib2_kept_counts_its_age_from_its_date() {
    let object = Dictionary::default();
    let clock = FixedClock::at(moment());
    let store = ObjectStore::builder(object.clone()).clock(clock.clone()).build();
    let page = key("http://example.org/");
    blob(
        &object,
        &page,
        "status: 200\ndate: Tue, 14 Nov 2023 22:13:10 GMT\ncontent-location: http://example.org/#x\n\ntext",
    );
    let entry = get(&store, &page).await.unwrap();
    let dated = moment() - Duration::from_secs(10);
    assert_eq!((entry.head().requested_at, entry.head().received_at, entry.stored_at()), (dated, dated, dated));
    assert!(!entry.head().headers.contains_key("content-location"));
    body(&store, &page, &entry).await;
    assert_eq!(entry.last_used(), moment());
    // Without a date it is as old as can be (H-CACHE-37).
    blob(&object, &page, "status: 200\n\ntext");
    assert_eq!(get(&store, &page).await.unwrap().head().received_at, std::time::UNIX_EPOCH);
}

#[tokio::test]
async fn a_response_without_a_date_gets_that_of_its_arrival() {
    // RFC 9110 §6.6.1.
    let object = Dictionary::default();
    let store = ObjectStore::new(object.clone());
    let page = key("http://example.org/");
    put(&store, &page, Head::new(StatusCode::OK, HeaderMap::new(), moment()), b"text").await.unwrap();
    let entry = get(&store, &page).await.unwrap();
    assert_eq!(entry.head().headers["date"], "Tue, 14 Nov 2023 22:13:20 GMT");
    assert_eq!(entry.head().received_at, moment());
}

#[tokio::test]
async fn a_response_larger_than_the_limit_is_neither_written_nor_read() {
    let object = Dictionary::default();
    let page = key("http://example.org/");
    let small = ObjectStore::builder(object.clone()).max_object(200).build();
    let large = ObjectStore::new(object.clone());
    let written = put(&small, &page, head(&[]), &[b'x'; 150]).await;
    assert!(matches!(written, Err(StoreError::TooLarge { limit: 200 })));
    let generation = small.lookup(&page).await.unwrap().generation;
    let announced = small.write(page.clone(), head(&[]), Some(201), generation);
    assert!(matches!(announced, Err(StoreError::TooLarge { limit: 200 })));
    put(&large, &page, head(&[]), &[b'x'; 150]).await.unwrap();
    assert!(get(&small, &page).await.is_none());
    assert!(get(&large, &page).await.is_some());
    // A head that could not be read back is as little written.
    let long = "x".repeat(100_000);
    let fields = [("a", &*long), ("b", &*long), ("c", &*long)];
    assert!(matches!(put(&large, &page, head(&fields), b"").await, Err(StoreError::TooLarge { .. })));
}

#[tokio::test]
async fn bodies_under_construction_are_bounded_together() {
    let store = ObjectStore::builder(Dictionary::default()).max_writing(10_000).build();
    let page = key("http://example.org/");
    let generation = store.lookup(&page).await.unwrap().generation;
    let write = |length: usize| {
        let mut writer = store.write(page.clone(), head(&[]), Some(length as u64), generation).unwrap();
        writer.write(Bytes::from(vec![b'x'; length])).map(|()| writer)
    };
    let first = write(6_000).unwrap();
    assert!(matches!(write(6_000), Err(StoreError::Full { limit: 10_000 })));
    first.commit(None).await.unwrap();
    let second = write(6_000).unwrap();
    drop(second);
    write(6_000).unwrap();
}

#[tokio::test]
async fn after_a_refused_piece_nothing_more_is_taken() {
    let store = ObjectStore::new(Dictionary::default());
    let page = key("http://example.org/");
    let generation = store.lookup(&page).await.unwrap().generation;
    let mut writer = store.write(page.clone(), head(&[]), Some(3), generation).unwrap();
    assert!(matches!(writer.write(Bytes::from("text")), Err(StoreError::Incomplete)));
    assert!(matches!(writer.write(Bytes::new()), Err(StoreError::Incomplete)));
    let ready = std::future::poll_fn(|cx| writer.poll_ready(cx)).await;
    assert!(matches!(ready, Err(StoreError::Incomplete)));
    assert!(matches!(writer.commit(None).await, Err(StoreError::Incomplete)));
}

#[tokio::test]
async fn a_plain_object_says_what_it_cannot_do() {
    let object = Plain::default();
    let store = ObjectStore::new(object.clone());
    let page = key("http://example.org/");
    put(&store, &page, head(&[]), b"text").await.unwrap();
    assert!(matches!(store.list().await, Err(StoreError::Unsupported)));
    assert!(matches!(store.usage().await, Err(StoreError::Unsupported)));
    let generation = store.lookup(&page).await.unwrap().generation;
    assert!(matches!(store.clear().await, Err(StoreError::Unsupported)));
    // Who wanted it cleared does not want what was under way either.
    let writer = store.write(page.clone(), head(&[]), Some(0), generation).unwrap();
    assert!(matches!(writer.commit(None).await, Err(StoreError::Superseded)));
    store.invalidate(&page).await.unwrap();
    assert!(get(&store, &page).await.is_none());
    let all = ObjectStore::new(object.0);
    put(&all, &page, head(&[]), b"text").await.unwrap();
    assert_eq!(all.list().await.unwrap().len(), 1);
}

#[tokio::test]
async fn stores_that_act_as_one_share_generations() {
    let generations = Arc::new(Generations::new());
    let make = || ObjectStore::builder(Dictionary::default()).generations(Arc::clone(&generations)).build();
    let (one, other) = (make(), make());
    let page = key("http://example.org/");
    let generation = one.lookup(&page).await.unwrap().generation;
    let writer = one.write(page.clone(), head(&[]), Some(0), generation).unwrap();
    other.invalidate(&page).await.unwrap();
    assert!(matches!(writer.commit(None).await, Err(StoreError::Superseded)));
}

#[tokio::test(start_paused = true)]
async fn what_is_found_while_it_is_invalidated_has_a_generation_that_ends() {
    /// Removes nothing before it is told to.
    #[derive(Clone, Debug, Default)]
    struct Reluctant(Dictionary, Arc<Notify>);

    impl CacheObject for Reluctant {
        fn get<'a>(&'a self, key: &'a str) -> Later<'a, Option<Bytes>> {
            self.0.get(key)
        }

        fn set<'a>(&'a self, key: &'a str, blob: Bytes) -> Later<'a, ()> {
            self.0.set(key, blob)
        }

        fn delete<'a>(&'a self, key: &'a str) -> Later<'a, ()> {
            Box::pin(async {
                self.1.notified().await;
                self.0.delete(key).await
            })
        }

        fn clear(&self) -> Later<'_, ()> {
            Box::pin(async {
                self.1.notified().await;
                self.0.clear().await
            })
        }
    }

    let page = key("http://example.org/");
    for (clears, is_given_up) in [(false, false), (false, true), (true, false), (true, true)] {
        let object = Reluctant::default();
        let store = ObjectStore::new(object.clone());
        let entry = put(&store, &page, head(&[]), b"old").await.unwrap();
        let before = store.lookup(&page).await.unwrap().generation;
        let mut removing = if clears { store.clear() } else { store.invalidate(&page) };
        assert!(tokio::time::timeout(Duration::from_secs(1), &mut removing).await.is_err());
        let found = store.lookup(&page).await.unwrap();
        assert_eq!(found.variants.len(), 1, "it is not removed yet");
        assert_ne!(found.generation, before);
        if is_given_up {
            drop(removing);
        } else {
            object.1.notify_one();
            removing.await.unwrap();
        }
        let updated = store.update(&page, entry.id(), head(&[]), found.generation).await;
        assert!(matches!(updated, Err(StoreError::Superseded)), "{updated:?}");
        let writer = store.write(page.clone(), head(&[]), Some(0), found.generation).unwrap();
        assert!(matches!(writer.commit(None).await, Err(StoreError::Superseded)));
    }
}

/// An object that is slow to set, and then says so.
#[derive(Debug, Default)]
struct Slow {
    inner: Dictionary,
    go: Notify,
}

#[derive(Clone, Debug, Default)]
struct Shared(Arc<Slow>);

impl CacheObject for Shared {
    fn get<'a>(&'a self, key: &'a str) -> Later<'a, Option<Bytes>> {
        self.0.inner.get(key)
    }

    fn set<'a>(&'a self, key: &'a str, blob: Bytes) -> Later<'a, ()> {
        Box::pin(async move {
            self.0.go.notified().await;
            self.0.inner.set(key, blob).await
        })
    }

    fn delete<'a>(&'a self, key: &'a str) -> Later<'a, ()> {
        self.0.inner.delete(key)
    }
}

#[tokio::test(start_paused = true)]
async fn on_an_executor_a_change_runs_to_its_end_and_the_next_one_waits_for_it() {
    let object = Shared::default();
    let spawn = Spawn::new(|task| drop(tokio::spawn(task)));
    let store = ObjectStore::builder(object.clone()).executor(spawn).build();
    let page = key("http://example.org/");
    let given_up = tokio::time::timeout(Duration::from_secs(1), put(&store, &page, head(&[]), b"text")).await;
    assert!(given_up.is_err());
    let invalidated = store.invalidate(&page);
    object.0.go.notify_one();
    invalidated.await.unwrap();
    // The commit was first, although nobody waited for it.
    assert!(get(&store, &page).await.is_none());

    let given_up = tokio::time::timeout(Duration::from_secs(1), put(&store, &page, head(&[]), b"text")).await;
    assert!(given_up.is_err());
    object.0.go.notify_one();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(get(&store, &page).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn without_an_executor_a_change_that_is_given_up_holds_nobody_up() {
    let object = Shared::default();
    let store = ObjectStore::new(object.clone());
    let page = key("http://example.org/");
    let given_up = tokio::time::timeout(Duration::from_secs(1), put(&store, &page, head(&[]), b"text")).await;
    assert!(given_up.is_err());
    store.invalidate(&page).await.unwrap();
    object.0.go.notify_one();
    put(&store, &page, head(&[]), b"text").await.unwrap();
    assert!(get(&store, &page).await.is_some());
}

#[tokio::test]
async fn an_executor_that_runs_nothing_is_an_error() {
    let store = ObjectStore::builder(Dictionary::default()).executor(Spawn::new(drop)).build();
    let page = key("http://example.org/");
    assert!(matches!(put(&store, &page, head(&[]), b"text").await, Err(StoreError::Other(_))));
}

/// An object that fails, or panics where it is told to.
#[derive(Debug, Default)]
struct Failing {
    panics: AtomicBool,
}

impl BlockingObject for Failing {
    fn get(&self, _: &str) -> Result<Option<Bytes>, StoreError> {
        assert!(!self.panics.load(Ordering::Relaxed), "it was told to");
        Err(StoreError::Other("no server".into()))
    }

    fn set(&self, _: &str, _: &Bytes) -> Result<(), StoreError> {
        Err(StoreError::Gone)
    }

    fn delete(&self, _: &str) -> Result<(), StoreError> {
        Ok(())
    }

    fn usage(&self) -> Result<Usage, StoreError> {
        Ok(Usage::new(1, None, 2))
    }
}

#[tokio::test]
async fn what_the_object_says_is_passed_on() {
    for blocking in [Blocking::inline(Failing::default()), Blocking::on(Failing::default(), |job| job())] {
        let store = ObjectStore::new(blocking.clone());
        let page = key("http://example.org/");
        assert!(matches!(store.lookup(&page).await, Err(StoreError::Other(_))));
        let generation = ObjectStore::new(Dictionary::default()).lookup(&page).await.unwrap().generation;
        let writer = store.write(page.clone(), head(&[]), Some(0), generation).unwrap();
        assert!(matches!(writer.commit(None).await, Err(StoreError::Gone)));
        store.invalidate(&page).await.unwrap();
        assert_eq!(store.usage().await.unwrap(), Usage::new(1, None, 2));
        assert!(matches!(store.list().await, Err(StoreError::Unsupported)));
        assert!(matches!(store.clear().await, Err(StoreError::Unsupported)));
    }
}

#[tokio::test]
async fn a_job_that_is_not_run_to_its_end_is_an_error() {
    let page = key("http://example.org/");
    let forgotten = ObjectStore::new(Blocking::on(Failing::default(), drop));
    assert!(matches!(forgotten.lookup(&page).await, Err(StoreError::Other(_))));
    let panicking = Blocking::on(Failing::default(), |job| drop(std::thread::spawn(job).join()));
    panicking.object().panics.store(true, Ordering::Relaxed);
    assert!(matches!(ObjectStore::new(panicking).lookup(&page).await, Err(StoreError::Other(_))));
}

#[tokio::test]
async fn jobs_run_where_they_are_told_to() {
    #[derive(Debug)]
    struct Where;

    impl BlockingObject for Where {
        fn get(&self, _: &str) -> Result<Option<Bytes>, StoreError> {
            let name = std::thread::current().name().unwrap_or_default().to_owned();
            Ok(Some(format!("status: 200\r\n\r\n{name}").into()))
        }

        fn set(&self, _: &str, _: &Bytes) -> Result<(), StoreError> {
            Ok(())
        }

        fn delete(&self, _: &str) -> Result<(), StoreError> {
            Ok(())
        }
    }

    let page = key("http://example.org/");
    let on = Blocking::on(Where, |job| drop(std::thread::Builder::new().name("patient".into()).spawn(job)));
    for (blocking, is_patient) in [(Blocking::inline(Where), false), (on, true)] {
        let store = ObjectStore::new(blocking);
        let entry = get(&store, &page).await.unwrap();
        assert_eq!(body(&store, &page, &entry).await == "patient", is_patient);
    }
}

#[tokio::test]
async fn debug_shows_no_secrets() {
    let store = ObjectStore::builder(Plain::default()).decode_with(ungzip);
    assert!(format!("{store:?}").contains("decodes: true"));
    let store = store.build();
    let page = key("http://example.org/?token=s3cret");
    let mut head = head(&[]);
    head.headers.insert("set-cookie", HeaderValue::from_static("s3cret"));
    let generation = store.lookup(&page).await.unwrap().generation;
    let mut writer = store.write(page, head, None, generation).unwrap();
    writer.write(Bytes::from("s3cret")).unwrap();
    for debug in [format!("{writer:?}"), format!("{store:?}"), format!("{:?}", Blocking::inline(Failing::default()))] {
        assert!(!debug.contains("s3cret"), "{debug}");
    }
}

#[tokio::test(start_paused = true)]
async fn on_an_executor_a_look_up_sees_what_was_committed_before_it_though_nobody_waited() {
    let object = Shared::default();
    let spawn = Spawn::new(|task| drop(tokio::spawn(task)));
    let store = ObjectStore::builder(object.clone()).executor(spawn).build();
    let page = key("http://example.org/");
    let generation = store.lookup(&page).await.unwrap().generation;
    let committing = store.write(page.clone(), head(&[]), Some(0), generation).unwrap().commit(None);
    // Another key is not waited for.
    assert!(get(&store, &key("http://example.org/other")).await.is_none());
    assert!(tokio::time::timeout(Duration::from_secs(1), get(&store, &page)).await.is_err());
    object.0.go.notify_one();
    assert!(get(&store, &page).await.is_some());
    drop(committing);
    // An invalidation is waited for, too.
    drop(store.invalidate(&page));
    assert!(get(&store, &page).await.is_none());
}
