//! What is special about the store in memory: its limits and its settings.

mod common;

use std::{
    sync::{
        Arc, Barrier, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use httplib2_core::context::Clock;
use httplib2_store::{Entry, Generations, Head, Key, MemoryStore, Store, StoreError, Writer};
use httplib2_testing::FixedClock;

use common::{done, get, now, put};

const MIB: u64 = 1024 * 1024;

fn key(name: &str) -> Key {
    Key::from_text(format!("http://example.org/{name}"))
}

fn head() -> Head {
    Head::new(StatusCode::OK, HeaderMap::new(), FixedClock::default().now())
}

fn german(language: &str) -> Head {
    let mut head = head();
    head.selecting = vec![(HeaderName::from_static("accept-language"), Some(language.as_bytes().into()))];
    head
}

/// A value, or a body, as the network brings it: a slice of a buffer.
fn slice_of(buffer: &Arc<[u8]>) -> Bytes {
    Bytes::from_owner(Arc::clone(buffer)).slice(..4)
}

fn variants(store: &MemoryStore, key: &Key) -> Arc<[Entry]> {
    done(store.lookup(key)).variants
}

fn writer(store: &MemoryStore, key: &Key, length: Option<u64>) -> Result<Box<dyn Writer>, StoreError> {
    store.write(key.clone(), head(), length, done(store.lookup(key)).generation)
}

#[test]
fn a_response_over_the_limit_is_refused_by_name_whatever_makes_it_large() {
    let store = MemoryStore::builder().max_object(10_000).build();
    assert_eq!(store.max_object(), 10_000);
    let limit = |result: Result<(), StoreError>| matches!(result, Err(StoreError::TooLarge { limit: 10_000 }));
    assert!(limit(writer(&store, &key("announced"), Some(10_000)).map(drop)));
    let mut unannounced = writer(&store, &key("unannounced"), None).unwrap();
    unannounced.write(Bytes::from(vec![0; 5_000])).unwrap();
    assert!(limit(unannounced.write(Bytes::from(vec![0; 5_000]))));
    assert!(limit(writer(&store, &key(&"x".repeat(10_000)), None).map(drop)));
    let mut large = head();
    large.headers.insert("x-large", HeaderValue::try_from("x".repeat(10_000)).unwrap());
    assert!(limit(put(&store, &key("head"), large.clone(), b"").map(drop)));
    let trailing = writer(&store, &key("trailers"), None).unwrap();
    assert!(limit(now(trailing.commit(Some(large.headers.clone()))).map(drop)));

    // An update that makes it too large leaves it as it was.
    let entry = put(&store, &key("updated"), head(), b"text").unwrap();
    let generation = done(store.lookup(&key("updated"))).generation;
    assert!(limit(now(store.update(&key("updated"), entry.id(), large, generation)).map(drop)));
    assert_eq!(done(store.usage()).entries, 1);
}

#[test]
fn a_response_of_nearly_the_limit_is_kept() {
    // dependencies.md §4: quick_cache refuses without an error what is above a shard's share.
    for (capacity, object) in [(64 * MIB, 40 * MIB), (64 * MIB, 4 * MIB), (MIB, MIB), (3 * MIB, 100 * MIB)] {
        let store = MemoryStore::builder().capacity(capacity).max_object(object).max_writing(capacity).build();
        assert!(store.max_object() >= object.min(capacity / 100 * 96));
        let data = vec![7; store.max_object() as usize - 2_000];
        for number in 0..20 {
            let key = key(&number.to_string());
            put(&store, &key, head(), &data).unwrap();
            assert_eq!(variants(&store, &key).len(), 1, "{capacity} {object} {number}");
        }
    }
}

#[test]
fn a_store_without_capacity_stores_nothing() {
    let store = MemoryStore::builder().capacity(0).build();
    assert!(matches!(put(&store, &key("a"), head(), b""), Err(StoreError::TooLarge { limit: 0 })));
}

#[test]
fn key_and_head_count_too() {
    let store = MemoryStore::new();
    let empty = done(store.usage()).bytes;
    put(&store, &key(&"x".repeat(1_000)), head(), b"").unwrap();
    let long_key = done(store.usage()).bytes;
    assert!(empty == 0 && long_key > 1_000);
    let mut large = head();
    large.headers.insert("x-large", HeaderValue::try_from("x".repeat(5_000)).unwrap());
    put(&store, &key("head"), large, b"").unwrap();
    assert!(done(store.usage()).bytes > long_key + 5_000);
}

#[tokio::test]
async fn the_variant_that_was_not_used_for_the_longest_time_gives_way() {
    let clock = FixedClock::default();
    let store = MemoryStore::builder().max_variants(3).clock(clock.clone()).build();
    let key = key("negotiated");
    let tick = || clock.advance(Duration::from_secs(1));
    let first = put(&store, &key, german("1"), b"1").unwrap();
    for number in ["2", "3"] {
        tick();
        put(&store, &key, german(number), number.as_bytes()).unwrap();
    }
    tick();
    assert_eq!(get(&store, &key, &first).await, b"1");
    tick();
    put(&store, &key, german("4"), b"4").unwrap();
    let mut left = Vec::new();
    for entry in &*variants(&store, &key) {
        left.push(get(&store, &key, entry).await);
    }
    left.sort();
    assert_eq!(left, [b"1", b"3", b"4"]);
}

#[tokio::test]
async fn an_entry_tells_when_it_was_stored_and_used() {
    let clock = FixedClock::default();
    let store = MemoryStore::builder().clock(clock.clone()).build();
    let start = clock.now();
    put(&store, &key("a"), head(), b"text").unwrap();
    clock.advance(Duration::from_secs(60));
    let entry = variants(&store, &key("a"))[0].clone();
    assert_eq!((entry.stored_at(), entry.last_used()), (start, start));
    get(&store, &key("a"), &entry).await;
    let listed = &done(store.list())[0];
    assert_eq!((listed.entry.stored_at(), listed.entry.last_used()), (start, clock.now()));
}

#[test]
fn what_is_under_construction_is_bounded() {
    let store = MemoryStore::builder().max_writing(100_000).build();
    let mut first = writer(&store, &key("1"), None).unwrap();
    first.write(Bytes::from(vec![0; 60_000])).unwrap();
    let mut second = writer(&store, &key("2"), None).unwrap();
    assert!(matches!(second.write(Bytes::from(vec![0; 60_000])), Err(StoreError::Full { limit: 100_000 })));
    // It stays refused, also when there is room again: a piece of it is missing.
    drop(first);
    assert!(matches!(second.write(Bytes::from_static(b"more")), Err(StoreError::Incomplete)));
    let ready = second.poll_ready(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(ready, Poll::Ready(Err(StoreError::Incomplete))));
    assert!(matches!(now(second.commit(None)), Err(StoreError::Incomplete)));
    for round in ["3", "4"] {
        let mut next = writer(&store, &key(round), None).unwrap();
        next.write(Bytes::from(vec![0; 60_000])).unwrap();
        done(next.commit(None));
    }
}

#[test]
fn one_that_was_refused_takes_no_room_while_it_waits_to_be_dropped() {
    let store = MemoryStore::builder().max_writing(100_000).max_object(90_000).build();
    let mut refused = writer(&store, &key("1"), None).unwrap();
    refused.write(Bytes::from(vec![0; 60_000])).unwrap();
    assert!(matches!(refused.write(Bytes::from(vec![0; 60_000])), Err(StoreError::TooLarge { .. })));
    writer(&store, &key("2"), None).unwrap().write(Bytes::from(vec![0; 60_000])).unwrap();
}

#[test]
fn one_that_announces_much_and_sends_little_takes_little_room() {
    let store = MemoryStore::builder().max_writing(100_000).build();
    let mut slow: Vec<_> = (0..10).map(|_| writer(&store, &key("slow"), Some(90_000)).unwrap()).collect();
    for writer in &mut slow {
        writer.write(Bytes::from_static(b"some")).unwrap();
    }
}

#[tokio::test]
async fn what_gives_way_is_handed_over_and_what_is_taken_away_is_not() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let hear = Arc::clone(&told);
    let store = MemoryStore::builder()
        .capacity(MIB)
        .max_variants(2)
        .on_evict(move |key, entry| hear.lock().unwrap().push((key.clone(), entry.clone())))
        .build();
    for _ in 0..3 {
        put(&store, &key("replaced"), head(), &[1; 1_000]).unwrap();
    }
    let entry = put(&store, &key("removed"), head(), b"").unwrap();
    done(store.remove(&key("removed"), entry.id()));
    done(store.invalidate(&key("replaced")));
    done(store.clear());
    assert_eq!(told.lock().unwrap().len(), 0);

    for language in ["de", "en", "fr"] {
        put(&store, &key("negotiated"), german(language), language.as_bytes()).unwrap();
    }
    put(&store, &key("large/1"), head(), &[1; 600_000]).unwrap();
    put(&store, &key("large/2"), head(), &[2; 600_000]).unwrap();
    let told = std::mem::take(&mut *told.lock().unwrap());
    assert_eq!(told[0].0, key("negotiated"));
    assert_eq!(get(&store, &told[0].0, &told[0].1).await, b"de");
    let (large, entry) = told.iter().find(|(told, _)| *told == key("large/1")).expect("there was no room for both");
    assert_eq!(get(&store, large, entry).await, [1; 600_000]);
    assert!(told.iter().all(|(told, _)| *told != key("large/2")));
}

#[test]
fn the_variants_of_one_key_may_not_drive_each_other_out_without_a_word() {
    let store = MemoryStore::builder().capacity(MIB).build();
    for number in 0..20 {
        let entry = put(&store, &key("negotiated"), german(&number.to_string()), &[0; 300_000]).unwrap();
        let found = variants(&store, &key("negotiated"));
        assert!(found.iter().any(|found| found.id() == entry.id()), "{number}");
        assert_eq!(found.len(), 3.min(number + 1), "{number}");
    }
}

#[test]
fn two_stores_that_share_their_generations_are_invalidated_together() {
    let generations = Arc::new(Generations::new());
    let store = || MemoryStore::builder().generations(Arc::clone(&generations)).build();
    let (one, other) = (store(), store());
    let late = writer(&one, &key("a"), None).unwrap();
    done(other.invalidate(&key("a")));
    assert!(matches!(now(late.commit(None)), Err(StoreError::Superseded)));
}

#[test]
fn what_is_old_is_never_seen_with_the_new_generation() {
    let generations = Arc::new(Generations::new());
    let store = MemoryStore::builder().generations(Arc::clone(&generations)).build();
    let page = key("a");
    // A race, which a store that has it the other way round loses once in two hundred times.
    for round in 0..4000 {
        put(&store, &page, head(), b"old").unwrap();
        let both_are_there = Barrier::new(2);
        let seen: Vec<_> = thread::scope(|scope| {
            scope.spawn(|| {
                both_are_there.wait();
                if round % 2 == 0 { done(store.invalidate(&page)) } else { done(store.clear()) }
            });
            both_are_there.wait();
            std::iter::from_fn(|| Some(done(store.lookup(&page))).filter(|found| !found.variants.is_empty())).collect()
        });
        assert!(!seen.iter().any(|found| generations.is_current(&page, found.generation)), "{round}");
    }
}

#[test]
fn clones_are_the_same_store() {
    let store = MemoryStore::new();
    let clone = store.clone();
    put(&clone, &key("a"), head(), b"text").unwrap();
    assert_eq!(variants(&store, &key("a")).len(), 1);
}

#[test]
fn what_is_kept_holds_no_buffer_of_the_network() {
    let buffer: Arc<[u8]> = Arc::from(&b"text and what came with it"[..]);
    let fields =
        || HeaderMap::from_iter([(http::header::ETAG, HeaderValue::from_maybe_shared(slice_of(&buffer)).unwrap())]);
    let store = MemoryStore::new();
    let mut head = head();
    head.headers = fields();
    let generation = done(store.lookup(&key("a"))).generation;
    let mut writer = store.write(key("a"), head.clone(), None, generation).unwrap();
    writer.write(slice_of(&buffer)).unwrap();
    let entry = done(writer.commit(Some(fields())));
    done(store.update(&key("a"), entry.id(), head, generation));
    assert_eq!(variants(&store, &key("a"))[0].head().headers["etag"], "text");
    assert_eq!(Arc::strong_count(&buffer), 1);
}

#[test]
fn a_hit_copies_no_body() {
    let store = MemoryStore::new();
    let entry = put(&store, &key("a"), head(), &vec![0; MIB as usize]).unwrap();
    let addresses: Vec<_> =
        (0..2).map(|_| done(store.open(&key("a"), &entry)).as_whole().expect("it is in memory").as_ptr()).collect();
    assert_eq!(addresses[0], addresses[1]);
}

#[test]
fn threads_see_whole_responses_and_nothing_from_before_an_invalidation() {
    let store = MemoryStore::builder().capacity(MIB).build();
    let keys: Vec<_> = (0..8).map(|n| key(&n.to_string())).collect();
    let read = AtomicU64::new(0);
    let one_thread = |seed: u64| {
        let mut random = seed;
        for _ in 0..2_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let key = &keys[(random >> 40) as usize % keys.len()];
            let byte = (random >> 48) as u8;
            match (random >> 56) % 8 {
                0 => done(store.invalidate(key)),
                1 => {
                    let generation = done(store.lookup(key)).generation;
                    let mut late = store.write(key.clone(), german(&byte.to_string()), None, generation).unwrap();
                    late.write(Bytes::from(vec![byte; 40_000])).unwrap();
                    done(store.invalidate(key));
                    assert!(matches!(now(late.commit(None)), Err(StoreError::Superseded)));
                }
                2..5 => match put(&store, key, german(&byte.to_string()), &vec![byte; 40_000]) {
                    Ok(_) | Err(StoreError::Superseded | StoreError::Full { .. }) => {}
                    Err(error) => panic!("{error:?}"),
                },
                _ => {
                    let found = variants(&store, key);
                    for (at, entry) in found.iter().enumerate() {
                        let language = entry.head().selecting[0].1.as_deref().unwrap();
                        let byte: u8 = std::str::from_utf8(language).unwrap().parse().unwrap();
                        let body = done(store.open(key, entry));
                        assert!(body.as_whole().unwrap().iter().all(|other| *other == byte));
                        assert!(found[..at].iter().all(|other| !other.head().selects_same(entry.head())));
                        read.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        }
    };
    thread::scope(|scope| {
        for seed in 0..4 {
            let one_thread = &one_thread;
            scope.spawn(move || one_thread(seed));
        }
    });
    assert!(read.into_inner() > 100);
    assert!(done(store.usage()).bytes <= MIB);
    done(store.clear());
    assert_eq!(done(store.usage()).bytes, 0);
}

#[test]
fn debug_of_a_store_and_of_what_it_gives_shows_no_secret() {
    let store = MemoryStore::new();
    let key = Key::from_text("http://example.org/?token=s3cret");
    let mut secret = german("s3cret");
    secret.headers.insert("set-cookie", HeaderValue::from_static("s3cret"));
    let writer = store.write(key.clone(), secret.clone(), None, done(store.lookup(&key)).generation).unwrap();
    let writing = format!("{writer:?}");
    put(&store, &key, secret, b"s3cret").unwrap();
    let found = done(store.lookup(&key));
    let body = done(store.open(&key, &found.variants[0]));
    let debug = format!("{writing} {store:?} {found:?} {body:?} {:?}", done(store.list()));
    assert!(debug.contains("set-cookie") && !debug.contains("s3cret"), "{debug}");
}
