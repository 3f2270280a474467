//! A sweep removes what belongs to no entry, and nothing else: whatever it could not see.

mod common;

use std::{fs::File, future::poll_fn, path::Path, time::Duration};

use httplib2_core::context::{Clock, SystemClock};
use httplib2_store::Store;

use common::{builder, contents, data, get, head, key, put, store, temporary};

/// Stores so many responses, two hours ago.
async fn fill(directory: &Path, number: u64) {
    let kept = store(directory);
    for number in 0..number {
        put(&kept, &key(&number.to_string()), head("1"), &data(number, 100)).await.expect("there is room");
    }
    drop(kept);
    contents(directory).iter().for_each(|path| make_old(path, 7_200));
}

fn make_old(path: &Path, seconds: u64) {
    let then = SystemClock.now() - Duration::from_secs(seconds);
    File::options().write(true).open(path).and_then(|file| file.set_modified(then)).expect("it is there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_during_which_the_store_is_dropped_removes_no_content_of_an_entry() {
    let directory = tempfile::tempdir().unwrap();
    fill(directory.path(), 200).await;
    let kept = store(directory.path());
    let swept = kept.gc();
    drop(kept);
    assert_eq!(swept.await.unwrap().contents, 0);
    assert_eq!(contents(directory.path()).len(), 200);
    assert_eq!(get(&store(directory.path()), &key("0")).await.unwrap().unwrap(), data(0, 100));
}

#[tokio::test]
async fn a_response_that_comes_slowly_is_stored_though_the_directory_is_too_full() {
    let directory = tempfile::tempdir().unwrap();
    let kept = builder(directory.path()).capacity(2_000_000).max_object(1_000_000).open().unwrap();
    let generation = kept.lookup(&key("a")).await.unwrap().generation;
    let mut slow = kept.write(key("a"), head("1"), None, generation).unwrap();
    slow.write(data(1, 300_000)).unwrap();
    // Until a thread wrote it.
    let file = loop {
        poll_fn(|cx| slow.poll_ready(cx)).await.unwrap();
        match temporary(directory.path()).pop() {
            Some(file) if file.metadata().unwrap().len() == 300_000 => break file,
            _ => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    };
    make_old(&file, 120);
    // Of somebody else, who does not keep to the capacity.
    let left = directory.path().join("httplib2-1/tmp/left");
    std::fs::write(&left, data(2, 3_000_000)).unwrap();
    kept.gc().await.unwrap();
    assert!(left.exists() && file.exists());
    slow.commit(None).await.unwrap();
    assert_eq!(get(&kept, &key("a")).await.unwrap().unwrap(), data(1, 300_000));
    // What nobody here can be writing to gives way.
    make_old(&left, 120);
    kept.gc().await.unwrap();
    assert!(!left.exists());
}

#[cfg(target_os = "linux")]
mod descriptors {
    use std::{
        sync::atomic::{AtomicBool, Ordering},
        thread,
    };

    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    use httplib2_store::StoreError;

    use super::*;
    use crate::common::{index_files, start, told};

    /// Lets this process have no more files open than some dozens, until it is dropped.
    struct Few(Rlimit);

    impl Few {
        fn new() -> Self {
            let before = getrlimit(Resource::Nofile);
            let few = Rlimit { current: Some(80), maximum: before.maximum };
            setrlimit(Resource::Nofile, few).expect("fewer are always allowed");
            Self(before)
        }
    }

    impl Drop for Few {
        fn drop(&mut self) {
            setrlimit(Resource::Nofile, self.0).expect("they were allowed before");
        }
    }

    /// All that can be had.
    fn take() -> impl Iterator<Item = File> {
        std::iter::from_fn(|| File::open("/dev/null").ok())
    }

    #[tokio::test]
    async fn none_are_left_at_the_start() {
        let Some(directory) = told() else { return };
        let (few, taken) = (Few::new(), take().collect::<Vec<_>>());
        let kept = builder(&directory).build();
        kept.usage().await.unwrap();
        assert!(matches!(kept.gc().await, Err(StoreError::Io(_))));
        drop((few, taken));
        // Until it was swept in the background.
        tokio::time::sleep(Duration::from_millis(1_300)).await;
        assert_eq!(contents(&directory).len(), 40);
        assert_eq!(kept.usage().await.unwrap().entries, 40);
        kept.gc().await.unwrap();
        assert_eq!((index_files(&directory).len(), contents(&directory).len()), (40, 40));
    }

    #[test]
    fn they_come_and_go() {
        let Some(directory) = told() else { return };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (few, is_over) = (Few::new(), AtomicBool::new(false));
        let damaged: u64 = thread::scope(|scope| {
            scope.spawn(|| {
                // As in a busy server: it has all that it can have, and lets go of some now and then.
                let mut taken = Vec::new();
                while !is_over.load(Ordering::Relaxed) {
                    taken.extend(take());
                    thread::sleep(Duration::from_micros(30));
                    taken.truncate(taken.len().saturating_sub(1 + taken.len() % 4));
                    thread::sleep(Duration::from_micros(30));
                }
            });
            let swept = (0..40).map(|_| runtime.block_on(async { builder(&directory).build().gc().await }));
            let damaged = swept.flatten().map(|swept| swept.damaged).sum();
            is_over.store(true, Ordering::Relaxed);
            damaged
        });
        drop(few);
        assert_eq!((damaged, index_files(&directory).len(), contents(&directory).len()), (0, 40, 40));
    }

    #[tokio::test]
    async fn what_could_not_be_read_is_not_absent() {
        succeeds("descriptors::none_are_left_at_the_start").await;
    }

    #[tokio::test]
    async fn what_could_not_be_read_is_not_damaged() {
        succeeds("descriptors::they_come_and_go").await;
    }

    async fn succeeds(test: &str) {
        let directory = tempfile::tempdir().expect("there is room");
        fill(directory.path(), 40).await;
        let output = start(test, directory.path()).wait_with_output().expect("it ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}
