//! What is bounded: the space, the memory, the index files; and what is left behind.

mod common;

use std::{future::poll_fn, time::Duration};

use http::HeaderValue;
use httplib2_core::context::{Clock, SystemClock};
use httplib2_store::{Generations, Store, StoreError};
use httplib2_testing::FixedClock;

use common::{builder, contents, data, etag, files, get, head, index_files, key, put, store, temporary, variants};

const MIB: u64 = 1024 * 1024;

/// Before that no content is removed, because nobody can say which ones others have.
async fn all_is_known(kept: &httplib2_store_disk::DiskStore) {
    kept.usage().await.expect("it can be read");
}

#[tokio::test]
async fn an_entry_that_is_refreshed_often_stays_one_short_file() {
    // dependencies.md §3, trap 3.
    let directory = tempfile::tempdir().unwrap();
    let kept = store(directory.path());
    let entry = put(&kept, &key("a"), head("0"), &data(1, 1_000)).await.unwrap();
    for number in 1..=5_000 {
        let generation = kept.lookup(&key("a")).await.unwrap().generation;
        kept.update(&key("a"), entry.id(), head(&number.to_string()), generation).await.unwrap();
        if number % 10 == 0 {
            kept.flush().await.unwrap();
            let text = std::fs::read_to_string(&index_files(directory.path())[0]).unwrap();
            assert!(text.lines().count() <= 9, "{number}: {}", text.lines().count());
        }
    }
    assert_eq!(etag(&store(directory.path()), &key("a")).await.as_deref(), Some("\"5000\""));
    assert_eq!((index_files(directory.path()).len(), contents(directory.path()).len()), (1, 1));
}

#[tokio::test]
async fn a_refresh_is_on_the_disk_when_the_store_is_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let kept = store(directory.path());
    let entry = put(&kept, &key("a"), head("0"), &data(1, 1_000)).await.unwrap();
    let generation = kept.lookup(&key("a")).await.unwrap().generation;
    kept.update(&key("a"), entry.id(), head("1"), generation).await.unwrap();
    assert_eq!(etag(&kept, &key("a")).await.as_deref(), Some("\"1\""));
    drop(kept);
    assert_eq!(etag(&store(directory.path()), &key("a")).await.as_deref(), Some("\"1\""));
}

#[tokio::test]
async fn a_refresh_is_on_the_disk_after_a_moment() {
    let directory = tempfile::tempdir().unwrap();
    let kept = store(directory.path());
    let entry = put(&kept, &key("a"), head("0"), &data(1, 1_000)).await.unwrap();
    let generation = kept.lookup(&key("a")).await.unwrap().generation;
    kept.update(&key("a"), entry.id(), head("1"), generation).await.unwrap();
    let other = store(directory.path());
    for _ in 0..100 {
        if etag(&other, &key("a")).await.as_deref() == Some("\"1\"") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it was never written");
}

#[tokio::test]
async fn what_was_removed_stays_removed_after_a_start() {
    let directory = tempfile::tempdir().unwrap();
    let kept = store(directory.path());
    for name in ["removed", "invalidated", "kept"] {
        put(&kept, &key(name), head("1"), &data(1, 1_000)).await.unwrap();
    }
    let entry = variants(&kept, &key("removed")).await.remove(0);
    kept.remove(&key("removed"), entry.id()).await.unwrap();
    kept.invalidate(&key("invalidated")).await.unwrap();
    // Without an orderly end.
    std::mem::forget(kept);
    let again = store(directory.path());
    for (name, there) in [("removed", false), ("invalidated", false), ("kept", true)] {
        assert_eq!(get(&again, &key(name)).await.is_some(), there, "{name}");
    }
    again.clear().await.unwrap();
    assert_eq!(files(directory.path()).iter().filter(|path| !path.ends_with("lock")).count(), 0);
    assert_eq!(get(&store(directory.path()), &key("kept")).await.map(|_| ()), None);
}

#[tokio::test]
async fn the_space_is_bounded_after_a_start_too_and_old_ones_give_way() {
    let directory = tempfile::tempdir().unwrap();
    let clock = FixedClock::default();
    let open = || builder(directory.path()).capacity(MIB).clock(clock.clone()).open().unwrap();
    let kept = open();
    for number in 0..10 {
        clock.advance(Duration::from_secs(10));
        put(&kept, &key(&number.to_string()), head("1"), &data(number, 60_000)).await.unwrap();
    }
    drop(kept);
    let kept = open();
    // The first is used, and stays.
    clock.advance(Duration::from_secs(10));
    assert!(get(&kept, &key("0")).await.is_some());
    assert_eq!(kept.usage().await.unwrap().entries, 10);
    for number in 10..24 {
        clock.advance(Duration::from_secs(10));
        put(&kept, &key(&number.to_string()), head("1"), &data(number, 60_000)).await.unwrap();
        let on_disk: u64 = files(directory.path()).iter().map(|path| path.metadata().unwrap().len()).sum();
        assert!(on_disk <= MIB && kept.usage().await.unwrap().bytes <= MIB, "{on_disk}");
        assert_eq!(get(&kept, &key("0")).await.unwrap().unwrap(), data(0, 60_000));
    }
    for (number, there) in [(1, false), (5, false), (23, true)] {
        assert_eq!(get(&kept, &key(&number.to_string())).await.is_some(), there, "{number}");
    }
    assert_eq!(contents(directory.path()).len(), index_files(directory.path()).len());
}

#[tokio::test]
async fn a_content_that_two_entries_have_stays_until_both_are_gone() {
    let directory = tempfile::tempdir().unwrap();
    let kept = store(directory.path());
    all_is_known(&kept).await;
    for name in ["a", "b"] {
        put(&kept, &key(name), head("1"), &data(1, 1_000)).await.unwrap();
    }
    assert_eq!(contents(directory.path()).len(), 1);
    kept.invalidate(&key("a")).await.unwrap();
    assert_eq!(get(&kept, &key("b")).await.unwrap().unwrap(), data(1, 1_000));
    // A replacement with the same body, too.
    put(&kept, &key("b"), head("2"), &data(1, 1_000)).await.unwrap();
    assert_eq!(get(&kept, &key("b")).await.unwrap().unwrap(), data(1, 1_000));
    kept.invalidate(&key("b")).await.unwrap();
    assert_eq!(contents(directory.path()).len(), 0);
}

#[tokio::test]
async fn what_is_given_up_leaves_no_file() {
    let directory = tempfile::tempdir().unwrap();
    let kept = store(directory.path());
    let generation = kept.lookup(&key("a")).await.unwrap().generation;
    for length in [0, 1_000, 600_000, 2_000_000] {
        for announced in [None, Some(3_000_000)] {
            let mut writer = kept.write(key("a"), head("1"), announced, generation).unwrap();
            for at in (0..length).step_by(100_000) {
                poll_fn(|cx| writer.poll_ready(cx)).await.unwrap();
                writer.write(data(1, 100_000.min(length - at))).unwrap();
            }
            if announced.is_some() {
                assert!(matches!(writer.commit(None).await, Err(StoreError::Incomplete)));
            }
        }
    }
    // What a thread was just writing goes a moment later.
    for _ in 0..100 {
        if temporary(directory.path()).is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(temporary(directory.path()).is_empty() && contents(directory.path()).is_empty());
    assert_eq!(kept.usage().await.unwrap().bytes, 0);
}

#[tokio::test]
async fn a_refused_commit_leaves_no_content() {
    let directory = tempfile::tempdir().unwrap();
    let kept = store(directory.path());
    all_is_known(&kept).await;
    put(&kept, &key("a"), head("1"), &data(1, 1_000)).await.unwrap();
    for length in [1_000, 600_000] {
        let generation = kept.lookup(&key("a")).await.unwrap().generation;
        let mut writer = kept.write(key("a"), head("2"), None, generation).unwrap();
        writer.write(data(2, length)).unwrap();
        kept.invalidate(&key("a")).await.unwrap();
        assert!(matches!(writer.commit(None).await, Err(StoreError::Superseded)));
        assert!(contents(directory.path()).is_empty() && temporary(directory.path()).is_empty());
    }
}

#[tokio::test]
async fn a_response_over_the_limit_is_refused_by_name_whatever_makes_it_large() {
    let directory = tempfile::tempdir().unwrap();
    let kept = builder(directory.path()).max_object(10_000).open().unwrap();
    assert_eq!(kept.max_object(), 10_000);
    assert_eq!(builder(directory.path()).capacity(MIB).open().unwrap().max_object(), MIB / 4);
    assert_eq!(builder(directory.path()).capacity(MIB).max_object(MIB).open().unwrap().max_object(), MIB / 2);
    let is_refused = |result: Result<(), StoreError>| matches!(result, Err(StoreError::TooLarge { limit: 10_000 }));
    let generation = kept.lookup(&key("a")).await.unwrap().generation;
    assert!(is_refused(kept.write(key("a"), head("1"), Some(10_000), generation).map(drop)));
    let mut writer = kept.write(key("a"), head("1"), None, generation).unwrap();
    assert!(is_refused(writer.write(data(1, 10_000))));
    assert!(is_refused(kept.write(key(&"x".repeat(10_000)), head("1"), None, generation).map(drop)));
    let mut large = head("1");
    large.headers.insert("x-large", HeaderValue::try_from("x".repeat(10_000)).unwrap());
    assert!(is_refused(kept.write(key("a"), large.clone(), None, generation).map(drop)));
    let entry = put(&kept, &key("a"), head("1"), &data(1, 100)).await.unwrap();
    assert!(is_refused(kept.update(&key("a"), entry.id(), large, generation).await.map(drop)));
    assert_eq!(kept.usage().await.unwrap().entries, 1);
}

#[tokio::test]
async fn memory_on_its_way_to_the_disk_is_bounded() {
    let directory = tempfile::tempdir().unwrap();
    let kept = builder(directory.path()).max_writing(100_000).open().unwrap();
    let generation = kept.lookup(&key("a")).await.unwrap().generation;
    let mut first = kept.write(key("a"), head("1"), None, generation).unwrap();
    first.write(data(1, 60_000)).unwrap();
    let mut second = kept.write(key("b"), head("1"), None, generation).unwrap();
    assert!(matches!(second.write(data(1, 60_000)), Err(StoreError::Full { limit: 100_000 })));
    assert!(matches!(second.write(data(1, 1)), Err(StoreError::Incomplete)));
    assert!(matches!(second.commit(None).await, Err(StoreError::Incomplete)));
    // Each one that is begun takes some.
    let begun: Vec<_> = (0..1_000).map_while(|_| kept.write(key("c"), head("1"), None, generation).ok()).collect();
    assert!(begun.len() < 200);
    drop((begun, first));
    put(&kept, &key("b"), head("1"), &data(1, 60_000)).await.unwrap();
}

#[tokio::test]
async fn the_variant_that_was_not_used_for_the_longest_time_gives_way() {
    let directory = tempfile::tempdir().unwrap();
    let clock = FixedClock::default();
    let kept = builder(directory.path()).max_variants(3).clock(clock.clone()).open().unwrap();
    for number in ["1", "2", "3"] {
        clock.advance(Duration::from_secs(1));
        put(&kept, &key("a"), common::german(number), &data(1, 10)).await.unwrap();
    }
    clock.advance(Duration::from_secs(1));
    let first = variants(&kept, &key("a")).await.remove(0);
    drop(kept.open(&key("a"), &first).await.unwrap());
    assert_eq!(first.last_used(), clock.now());
    put(&kept, &key("a"), common::german("4"), &data(1, 10)).await.unwrap();
    let found = variants(&kept, &key("a")).await;
    let mut left: Vec<_> = found.iter().map(|entry| entry.head().headers["etag"].to_str().unwrap()).collect();
    left.sort_unstable();
    assert_eq!(left, ["\"1\"", "\"3\"", "\"4\""]);
}

#[tokio::test]
async fn heads_that_do_not_fit_in_memory_are_read_again() {
    let directory = tempfile::tempdir().unwrap();
    let kept = builder(directory.path()).max_heads(10_000).descriptors(0).open().unwrap();
    for number in 0..100 {
        put(&kept, &key(&number.to_string()), head(&number.to_string()), &data(number, 100)).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(600)).await;
    for number in 0..100 {
        assert_eq!(etag(&kept, &key(&number.to_string())).await, Some(format!("\"{number}\"")));
        assert_eq!(get(&kept, &key(&number.to_string())).await.unwrap().unwrap(), data(number, 100));
    }
    assert_eq!((kept.usage().await.unwrap().entries, kept.list().await.unwrap().len()), (100, 100));
}

#[tokio::test]
async fn stores_that_share_their_generations_are_invalidated_together() {
    let directories = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let generations = std::sync::Arc::new(Generations::new());
    let [one, other] = directories
        .each_ref()
        .map(|directory| builder(directory.path()).generations(generations.clone()).open().unwrap());
    let generation = one.lookup(&key("a")).await.unwrap().generation;
    let late = one.write(key("a"), head("1"), None, generation).unwrap();
    other.invalidate(&key("a")).await.unwrap();
    assert!(matches!(late.commit(None).await, Err(StoreError::Superseded)));
}

#[tokio::test]
async fn an_old_mark_of_an_invalidation_is_swept() {
    let directory = tempfile::tempdir().unwrap();
    let kept = store(directory.path());
    put(&kept, &key("a"), head("1"), &data(1, 10)).await.unwrap();
    kept.invalidate(&key("a")).await.unwrap();
    assert_eq!(kept.gc().await.unwrap().removed, 0);
    let path = &index_files(directory.path())[0];
    let old = SystemClock.now() - Duration::from_secs(3_601);
    std::fs::File::open(path).unwrap().set_modified(old).unwrap();
    assert_eq!(kept.gc().await.unwrap().removed, 1);
    assert!(files(&directory.path().join("httplib2-1/index-v5")).is_empty());
    assert_eq!(kept.usage().await.unwrap().bytes, 0);
}

#[tokio::test]
async fn debug_shows_no_secret() {
    let directory = tempfile::tempdir().unwrap();
    let kept = store(directory.path());
    let secret_key = httplib2_store::Key::from_text("http://example.org/?token=s3cret");
    let mut secret = common::german("s3cret");
    secret.headers.insert("set-cookie", HeaderValue::from_static("s3cret"));
    let generation = kept.lookup(&secret_key).await.unwrap().generation;
    let writer = kept.write(secret_key.clone(), secret.clone(), None, generation).unwrap();
    let writing = format!("{writer:?}");
    put(&kept, &secret_key, secret, &data(1, 100)).await.unwrap();
    let found = kept.lookup(&secret_key).await.unwrap();
    let body = kept.open(&secret_key, &found.variants[0]).await.unwrap();
    let debug = format!("{writing} {kept:?} {found:?} {body:?} {:?}", kept.list().await.unwrap());
    assert!(debug.contains("set-cookie") && !debug.contains("s3cret"), "{debug}");
}

#[tokio::test]
async fn bodies_on_their_way_to_the_disk_count_towards_the_space() {
    let directory = tempfile::tempdir().unwrap();
    let kept = builder(directory.path()).capacity(4 * MIB).open().unwrap();
    put(&kept, &key("old"), head("1"), &data(99, 900_000)).await.unwrap();
    all_is_known(&kept).await;
    let mut writers = Vec::new();
    for number in 0..20 {
        let key = key(&number.to_string());
        let generation = kept.lookup(&key).await.unwrap().generation;
        let mut writer = kept.write(key, head("1"), None, generation).unwrap();
        for piece in 0..3 {
            let is_ready = poll_fn(|cx| writer.poll_ready(cx)).await;
            // Most are refused by a thread, a moment later.
            if is_ready.and_then(|()| writer.write(data(number * 10 + piece, 300_000))).is_err() {
                break;
            }
        }
        writers.push(writer);
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let used: u64 = files(directory.path()).iter().filter_map(|path| Some(path.metadata().ok()?.len())).sum();
    let mut refused = 0;
    for writer in &mut writers {
        refused += u64::from(poll_fn(|cx| writer.poll_ready(cx)).await.is_err());
    }
    assert!(used <= 4 * MIB && refused > 0 && refused < 20, "{used} bytes, {refused} refused");
    // What is entered gives way to what comes, and what is given up takes no room.
    assert!(etag(&kept, &key("old")).await.is_none());
    drop(writers);
    tokio::time::sleep(Duration::from_millis(100)).await;
    put(&kept, &key("new"), head("1"), &data(1, 900_000)).await.unwrap();
}

fn long_head(language: &str, fields: usize, length: usize) -> httplib2_store::Head {
    let mut head = common::german(language);
    for number in 0..fields {
        head.headers
            .append("x-long", HeaderValue::try_from("y".repeat(length) + &number.to_string()).expect("a field value"));
    }
    head
}

#[tokio::test]
async fn responses_with_long_heads_are_found_after_a_start() {
    // The index file must not grow over what is read of one.
    let directory = tempfile::tempdir().unwrap();
    let kept = store(directory.path());
    for round in 0..5 {
        for (number, language) in ["de", "en", "fr"].into_iter().enumerate() {
            put(&kept, &key("a"), long_head(language, 60, 16_000), &data(number as u64 + round, 100)).await.unwrap();
        }
        let found = variants(&store(directory.path()), &key("a")).await;
        assert_eq!(found.len(), 3, "{round}");
    }
}

#[tokio::test]
async fn old_variants_with_long_heads_give_way_to_new_ones() {
    let directory = tempfile::tempdir().unwrap();
    let kept = store(directory.path());
    // As many bytes are twice as many in the index.
    let accented = HeaderValue::from_bytes(&[0xe9; 20_000]).unwrap();
    for number in 0..12 {
        let mut head = long_head(&number.to_string(), 30, 20_000);
        for _ in 0..10 {
            head.headers.append("x-accented", accented.clone());
        }
        put(&kept, &key("a"), head, &data(number, 100)).await.unwrap();
    }
    let found = variants(&store(directory.path()), &key("a")).await;
    assert_eq!(found.last().map(|entry| entry.head().headers["etag"].clone()), Some("\"11\"".parse().unwrap()));
}

#[tokio::test]
async fn refreshed_heads_that_do_not_fit_take_their_response_with_them_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let kept = store(directory.path());
    let other = put(&kept, &key("b"), head("1"), &data(9, 100)).await.unwrap();
    let mut entries = Vec::new();
    for (number, language) in (0..).zip(["de", "en", "fr"]) {
        entries.push(put(&kept, &key("a"), long_head(language, 60, 16_000), &data(number, 100)).await.unwrap());
    }
    let generation = kept.lookup(&key("a")).await.unwrap().generation;
    for (entry, language) in entries.iter().zip(["de", "en"]) {
        kept.update(&key("a"), entry.id(), long_head(language, 60, 32_000), generation).await.unwrap();
    }
    let generation = kept.lookup(&key("b")).await.unwrap().generation;
    kept.update(&key("b"), other.id(), head("2"), generation).await.unwrap();
    kept.flush().await.unwrap();
    kept.gc().await.unwrap();
    let again = store(directory.path());
    assert_eq!(etag(&again, &key("b")).await.as_deref(), Some("\"2\""));
    let found: Vec<_> = variants(&again, &key("a")).await.iter().map(|entry| entry.id()).collect();
    assert_eq!(found, [entries[2].id()]);
    put(&kept, &key("a"), common::german("de"), &data(1, 100)).await.unwrap();
}

#[tokio::test]
async fn contents_whose_index_files_are_damaged_take_no_space() {
    let directory = tempfile::tempdir().unwrap();
    let kept = builder(directory.path()).capacity(4 * MIB).open().unwrap();
    all_is_known(&kept).await;
    for number in 0..12 {
        let key = key(&number.to_string());
        put(&kept, &key, head("1"), &data(number, 900_000)).await.unwrap();
        for path in index_files(directory.path()) {
            std::fs::write(path, b"rubbish").unwrap();
        }
        assert!(variants(&kept, &key).await.is_empty());
    }
    let used: u64 = contents(directory.path()).iter().map(|path| path.metadata().unwrap().len()).sum();
    assert!(used <= 4 * MIB, "{used}");
}
