//! Many threads with one store, or with several in one directory.

mod common;

use std::{
    collections::HashSet,
    future::poll_fn,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use httplib2_store::{Key, Store, StoreError};
use httplib2_store_disk::DiskStore;

use common::{builder, contents, data, etag, german, head, index_files, key, put, read, store, variants};

const MIB: u64 = 1024 * 1024;

/// One of many who store, read, refresh, remove and invalidate at random.
async fn works(kept: DiskStore, keys: Arc<Vec<Key>>, seed: u64, rounds: u64, whole: Arc<AtomicU64>) {
    let mut random = seed;
    for _ in 0..rounds {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let key = &keys[(random >> 40) as usize % keys.len()];
        let number = (random >> 48) % 6;
        let body = data(number, 1 + number as usize * 11_000);
        match (random >> 56) % 16 {
            0 => kept.invalidate(key).await.expect("it can be written"),
            1 => {
                let generation = kept.lookup(key).await.expect("a look-up").generation;
                let mut late = kept.write(key.clone(), german("late"), None, generation).expect("there is room");
                late.write(body).expect("there is room");
                kept.invalidate(key).await.expect("it can be written");
                let committed = late.commit(None).await;
                assert!(matches!(committed, Err(StoreError::Superseded)), "{committed:?}");
            }
            2 => {
                let found = kept.lookup(key).await.expect("a look-up");
                if let Some(entry) = found.variants.first() {
                    let head =
                        german(&String::from_utf8_lossy(entry.head().selecting[0].1.as_deref().unwrap_or_default()));
                    match kept.update(key, entry.id(), head, found.generation).await {
                        Ok(_) | Err(StoreError::Gone | StoreError::Superseded) => {}
                        Err(error) => panic!("{error:?}"),
                    }
                }
            }
            3 => {
                if let Some(entry) = variants(&kept, key).await.first() {
                    kept.remove(key, entry.id()).await.expect("it can be written");
                }
            }
            4..7 => match put(&kept, key, german(&number.to_string()), &body).await {
                Ok(_) | Err(StoreError::Superseded) => {}
                Err(error) => panic!("{error:?}"),
            },
            _ => {
                let found = variants(&kept, key).await;
                for (at, entry) in found.iter().enumerate() {
                    assert!(found[..at].iter().all(|other| !other.head().selects_same(entry.head())));
                    let language = String::from_utf8_lossy(entry.head().selecting[0].1.as_deref().unwrap_or_default());
                    let number: u64 = language.parse().expect("no late one is found");
                    match kept.open(key, entry).await {
                        Ok(body) => {
                            let body = read(body).await.expect("it is whole");
                            assert_eq!(body, data(number, 1 + number as usize * 11_000));
                            whole.fetch_add(1, Ordering::Relaxed);
                        }
                        // It was replaced, or another store removed an entry with the same body.
                        Err(StoreError::Gone) => {}
                        Err(error) => panic!("{error:?}"),
                    }
                }
            }
        }
    }
}

/// What the store says of itself is what is on the disk.
async fn is_settled(kept: &DiskStore, directory: &Path) {
    kept.flush().await.expect("the disk is well");
    let lines = kept.list().await.expect("the disk is well");
    let usage = kept.usage().await.expect("the disk is well");
    assert_eq!(usage.entries, lines.len() as u64);
    let blocks = |path: &std::path::PathBuf| path.metadata().expect("the disk is well").len().div_ceil(4096) * 4096;
    let on_disk: u64 = contents(directory).iter().chain(&index_files(directory)).map(blocks).sum();
    assert_eq!(usage.bytes, on_disk);
    let mut held = HashSet::new();
    for line in &lines {
        let body =
            read(kept.open(&line.key, &line.entry).await.expect("the disk is well")).await.expect("the disk is well");
        held.insert(body);
    }
    assert_eq!(held.len(), contents(directory).len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn threads_see_whole_responses_and_nothing_from_before_an_invalidation() {
    for capacity in [64 * MIB, MIB] {
        let directory = tempfile::tempdir().unwrap();
        let kept = builder(directory.path()).capacity(capacity).open().unwrap();
        let keys: Arc<Vec<_>> = Arc::new((0..8).map(|number| key(&number.to_string())).collect());
        let whole = Arc::new(AtomicU64::new(0));
        let tasks: Vec<_> = (0..4)
            .map(|seed| tokio::spawn(works(kept.clone(), Arc::clone(&keys), seed, 400, Arc::clone(&whole))))
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert!(whole.load(Ordering::Relaxed) > 100);
        assert!(kept.usage().await.unwrap().bytes <= capacity);
        is_settled(&kept, directory.path()).await;
        let before: HashSet<_> = kept.list().await.unwrap().iter().map(|line| line.entry.id()).collect();
        drop(kept);
        let again = builder(directory.path()).capacity(capacity).open().unwrap();
        let after: HashSet<_> = again.list().await.unwrap().iter().map(|line| line.entry.id()).collect();
        assert_eq!(before, after);
        is_settled(&again, directory.path()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn stores_in_one_directory_see_whole_responses() {
    let directory = tempfile::tempdir().unwrap();
    let keys: Arc<Vec<_>> = Arc::new((0..8).map(|number| key(&number.to_string())).collect());
    let whole = Arc::new(AtomicU64::new(0));
    let stores: Vec<_> = (0..3).map(|_| builder(directory.path()).open().unwrap()).collect();
    let tasks: Vec<_> = stores
        .iter()
        .zip(1_000..)
        .map(|(kept, seed)| tokio::spawn(works(kept.clone(), Arc::clone(&keys), seed, 300, Arc::clone(&whole))))
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert!(whole.load(Ordering::Relaxed) > 50);
    for kept in &stores {
        kept.flush().await.unwrap();
    }
    let ids = async |kept: &DiskStore| {
        let mut ids = HashSet::new();
        for key in &*keys {
            ids.extend(variants(kept, key).await.iter().map(|entry| entry.id()));
        }
        ids
    };
    let first = ids(&stores[0]).await;
    for kept in &stores[1..] {
        assert_eq!(ids(kept).await, first);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_up_sees_what_was_committed_before_it_though_nobody_waited_for_the_disk() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path());
    // Small ones need no file before their end; large ones have one that is still being written to.
    for length in [0, 100, 600_000] {
        let (key, body) = (key(&length.to_string()), data(1, length));
        for number in 0..20 {
            let generation = store.lookup(&key).await.unwrap().generation;
            let mut writer = store.write(key.clone(), head(&number.to_string()), None, generation).unwrap();
            for piece in body.chunks(100_000) {
                poll_fn(|cx| writer.poll_ready(cx)).await.unwrap();
                writer.write(body.slice_ref(piece)).unwrap();
            }
            let committing = tokio::spawn(writer.commit(None));
            assert_eq!(etag(&store, &key).await, Some(format!("\"{number}\"")), "{length}");
            committing.await.unwrap().unwrap();
        }
    }
}

#[tokio::test]
async fn a_look_up_waits_for_no_commit_that_nobody_polls() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path());
    for length in [100, 300_000, 600_000] {
        let key = key(&length.to_string());
        let generation = store.lookup(&key).await.unwrap().generation;
        let mut writer = store.write(key.clone(), head("1"), None, generation).unwrap();
        writer.write(data(1, length)).unwrap();
        let committing = writer.commit(None);
        let found = tokio::time::timeout(std::time::Duration::from_secs(10), etag(&store, &key)).await;
        assert_eq!(found.unwrap().as_deref(), Some("\"1\""), "{length}");
        committing.await.unwrap();
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_flush_waits_for_what_another_thread_is_saving() {
    use std::time::Duration;
    let directory = tempfile::tempdir().unwrap();
    let kept = store(directory.path());
    let entry = put(&kept, &key("a"), head("1"), &data(1, 10)).await.unwrap();
    // After the first sweep its own thread saves what is refreshed, a quarter of a second later.
    tokio::time::sleep(Duration::from_millis(1_400)).await;
    let held = common::hold_lock(directory.path());
    let generation = kept.lookup(&key("a")).await.unwrap().generation;
    kept.update(&key("a"), entry.id(), head("2"), generation).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let flushing = tokio::spawn(kept.flush());
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!flushing.is_finished());
    drop(held);
    flushing.await.unwrap().unwrap();
    assert_eq!(etag(&builder(directory.path()).build(), &key("a")).await.as_deref(), Some("\"2\""));
}
