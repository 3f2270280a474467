//! A quick store over a large one.

mod common;

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::BodyExt;
use httplib2_core::context::Clock;
use httplib2_store::{Answer, Entry, Head, Key, MemoryStore, Store, Tiers, conformance};
use httplib2_testing::FixedClock;

use self::common::{done, get, put};

async fn memory_over_memory(bytes: u64) -> Arc<dyn Store> {
    let upper = MemoryStore::builder().capacity(bytes / 4).build();
    Arc::new(Tiers::new(Arc::new(upper), Arc::new(MemoryStore::builder().capacity(bytes).build())))
}

fn key(name: &str) -> Key {
    Key::from_text(format!("http://a.example/{name}"))
}

fn head() -> Head {
    Head::new(StatusCode::OK, HeaderMap::new(), std::time::UNIX_EPOCH)
}

/// Two tiers, each of them in sight.
fn tiers() -> (MemoryStore, MemoryStore, Tiers) {
    let (upper, lower) = (MemoryStore::builder().max_object(2_000).build(), MemoryStore::new());
    let both = Tiers::new(Arc::new(upper.clone()), Arc::new(lower.clone()));
    (upper, lower, both)
}

fn entries(store: &MemoryStore) -> u64 {
    done(store.usage()).entries
}

fn only(store: &dyn Store, key: &Key) -> Entry {
    done(store.lookup(key)).variants[0].clone()
}

#[tokio::test(start_paused = true)]
async fn two_tiers_keep_the_laws_of_every_store() {
    conformance::every_store(memory_over_memory).await;
    conformance::streaming(memory_over_memory).await;
}

#[tokio::test]
async fn a_body_is_copied_up_when_it_is_asked_for() {
    let (upper, lower, both) = tiers();
    put(&both, &key("1"), head(), b"text").unwrap();
    assert_eq!((entries(&upper), entries(&lower)), (0, 1));
    for _ in 0..2 {
        assert_eq!(get(&both, &key("1"), &only(&both, &key("1"))).await, b"text");
        assert_eq!(entries(&upper), 1);
    }
    // It is read from above: the lower one does not have it any more.
    let entry = only(&both, &key("1"));
    done(lower.clear());
    assert_eq!(get(&both, &key("1"), &entry).await, b"text");
    assert_eq!(done(both.open_range(&key("1"), &entry, 1..3)).as_whole().map(|data| &data[..]), Some(&b"ex"[..]));
}

#[tokio::test]
async fn what_the_upper_one_does_not_take_is_read_from_below() {
    let (upper, _, both) = tiers();
    let large = vec![7; 10_000];
    put(&both, &key("large"), head(), &large).unwrap();
    for _ in 0..2 {
        assert_eq!(get(&both, &key("large"), &only(&both, &key("large"))).await, large);
        assert_eq!(entries(&upper), 0);
    }
}

#[tokio::test]
async fn a_copy_is_never_out_of_date() {
    let (_, lower, both) = tiers();
    put(&both, &key("1"), head(), b"old").unwrap();
    get(&both, &key("1"), &only(&both, &key("1"))).await;
    // Somebody else replaces it below.
    put(&lower, &key("1"), head(), b"new").unwrap();
    assert_eq!(get(&both, &key("1"), &only(&both, &key("1"))).await, b"new");
    // An update keeps the body.
    let found = done(both.lookup(&key("1")));
    let mut gone = head();
    gone.status = StatusCode::GONE;
    done(both.update(&key("1"), found.variants[0].id(), gone, found.generation));
    let entry = only(&both, &key("1"));
    assert_eq!((entry.head().status, get(&both, &key("1"), &entry).await), (StatusCode::GONE, b"new".to_vec()));
}

#[tokio::test]
async fn what_is_dropped_leaves_no_copy() {
    let (upper, _, both) = tiers();
    for drops in [
        (|both, key, entry| both.remove(key, entry.id())) as fn(&Tiers, &Key, &Entry) -> Answer<()>,
        |both, key, _| both.invalidate(key),
        |both, _, _| both.clear(),
    ] {
        put(&both, &key("1"), head(), b"text").unwrap();
        let entry = only(&both, &key("1"));
        get(&both, &key("1"), &entry).await;
        assert_eq!(entries(&upper), 1);
        done(drops(&both, &key("1"), &entry));
        assert_eq!(entries(&upper), 0);
    }
}

#[tokio::test]
async fn trailers_are_copied_too() {
    let (_, _, both) = tiers();
    let trailers = HeaderMap::from_iter([(http::header::ETAG, HeaderValue::from_static("\"1\""))]);
    let generation = done(both.lookup(&key("1"))).generation;
    done(both.write(key("1"), head(), None, generation).unwrap().commit(Some(trailers.clone())));
    for _ in 0..2 {
        let body = done(both.open(&key("1"), &only(&both, &key("1"))));
        assert_eq!(body.collect().await.unwrap().trailers(), Some(&trailers));
    }
}

#[tokio::test]
async fn a_use_from_above_counts_below() {
    let clock = FixedClock::at_unix(1_000);
    let (_, lower, both) = tiers();
    let both = both.clock(clock.clone());
    put(&both, &key("1"), head(), b"text").unwrap();
    let entry = only(&both, &key("1"));
    get(&both, &key("1"), &entry).await;
    assert_ne!(entry.last_used(), clock.now());
    get(&both, &key("1"), &entry).await;
    assert_eq!(only(&lower, &key("1")).last_used(), clock.now());
}
