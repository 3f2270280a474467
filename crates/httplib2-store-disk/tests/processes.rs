//! Several processes in one directory, and processes that are killed.

mod common;

use std::{
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Child, ChildStdout},
    time::Duration,
};

use httplib2_core::context::{Clock, SystemClock};
use httplib2_store::{Store, StoreError};
use httplib2_store_disk::DiskStore;

use common::{
    builder, contents, data, etag, files, german, get, head, index_files, key, put, read, start, store, temporary,
    told, variants,
};

/// Another process with a store in the same directory, which does what it is told line by line.
struct Other {
    child: Child,
    says: BufReader<ChildStdout>,
}

// === impl Other ===

impl Other {
    fn start(directory: &Path) -> Self {
        let mut child = start("the_other_process", directory);
        let says = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut other = Self { child, says };
        other.wait();
        other
    }

    fn does(&mut self, what: &str) {
        writeln!(self.child.stdin.as_mut().expect("it is piped"), "{what}").expect("it listens");
        self.wait();
    }

    fn wait(&mut self) {
        let mut line = String::new();
        while !line.ends_with("done\n") {
            line.clear();
            assert!(self.says.read_line(&mut line).expect("it speaks text") > 0, "the other process ended");
        }
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().expect("it ends");
    }
}

#[tokio::test]
async fn the_other_process() {
    let Some(directory) = told() else { return };
    let store = store(&directory);
    println!("\ndone");
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        let (what, name) = line.split_once(' ').unwrap();
        match what {
            "invalidate" => store.invalidate(&key(name)).await.unwrap(),
            "clear" => store.clear().await.unwrap(),
            etag => drop(put(&store, &key(name), head(etag), &data(7, 5_000)).await.unwrap()),
        }
        println!("done");
    }
}

#[tokio::test]
async fn what_another_process_does_is_seen() {
    let directory = tempfile::tempdir().unwrap();
    let kept = store(directory.path());
    let mut other = Other::start(directory.path());
    assert_eq!(etag(&kept, &key("a")).await, None);
    for round in ["1", "2", "3"] {
        other.does(&format!("{round} a"));
        assert_eq!(etag(&kept, &key("a")).await, Some(format!("\"{round}\"")));
        assert_eq!(get(&kept, &key("a")).await.unwrap().unwrap(), data(7, 5_000));
        put(&kept, &key("a"), head("mine"), &data(1, 100)).await.unwrap();
        assert_eq!(etag(&kept, &key("a")).await.as_deref(), Some("\"mine\""));
    }
    other.does("invalidate a");
    assert_eq!(etag(&kept, &key("a")).await, None);
    for name in ["b", "c"] {
        put(&kept, &key(name), head("mine"), &data(1, 100)).await.unwrap();
    }
    other.does("clear -");
    for name in ["a", "b", "c"] {
        assert_eq!(etag(&kept, &key(name)).await, None);
    }
    put(&kept, &key("b"), head("again"), &data(1, 100)).await.unwrap();
    assert_eq!(get(&kept, &key("b")).await.unwrap().unwrap(), data(1, 100));
}

#[tokio::test]
async fn what_another_process_does_is_seen_within_the_time_that_was_set() {
    let directory = tempfile::tempdir().unwrap();
    let clock = httplib2_testing::FixedClock::default();
    let kept = DiskStore::builder(directory.path()).clock(clock.clone()).open().unwrap();
    let mut other = Other::start(directory.path());
    put(&kept, &key("a"), head("1"), &data(1, 100)).await.unwrap();
    other.does("invalidate a");
    assert_eq!(etag(&kept, &key("a")).await.as_deref(), Some("\"1\""));
    clock.advance(Duration::from_millis(999));
    assert_eq!(etag(&kept, &key("a")).await.as_deref(), Some("\"1\""));
    clock.advance(Duration::from_millis(1));
    assert_eq!(etag(&kept, &key("a")).await, None);
}

#[tokio::test]
async fn an_answer_that_was_under_way_does_not_undo_the_invalidation_of_another_process() {
    // RFC 9111 §4.4.
    for notices in [Duration::ZERO, Duration::from_secs(3600)] {
        let directory = tempfile::tempdir().unwrap();
        let kept = DiskStore::builder(directory.path()).notice_others(notices).open().unwrap();
        put(&kept, &key("a"), head("1"), &data(1, 100)).await.unwrap();
        let found = kept.lookup(&key("a")).await.unwrap();
        let late = kept.write(key("a"), head("late"), Some(0), found.generation).unwrap();
        let mut other = Other::start(directory.path());
        other.does("invalidate a");
        assert!(matches!(late.commit(None).await, Err(StoreError::Superseded)), "{notices:?}");
        // A refresh in memory may come first, but it does not stay.
        let refreshed = kept.update(&key("a"), found.variants[0].id(), head("late"), found.generation).await;
        drop(refreshed);
        kept.flush().await.unwrap();
        assert_eq!(etag(&store(directory.path()), &key("a")).await, None, "{notices:?}");
    }
}

#[tokio::test]
async fn the_variants_that_two_processes_store_are_all_there() {
    let directory = tempfile::tempdir().unwrap();
    let (one, other) = (store(directory.path()), store(directory.path()));
    for number in 0..6 {
        let (kept, language) = (if number % 2 == 0 { &one } else { &other }, number.to_string());
        put(kept, &key("a"), german(&language), &data(number, 100)).await.unwrap();
    }
    for kept in [one, other] {
        assert_eq!(variants(&kept, &key("a")).await.len(), 6);
    }
}

#[tokio::test]
async fn a_process_that_writes_until_it_is_killed() {
    let Some(directory) = told() else { return };
    let kept = builder(&directory).open().unwrap();
    println!("\ndone");
    for round in 0.. {
        for number in 0..8_u64 {
            let version = round * 8 + number;
            let body = data(version, 1 + (version as usize * 7_919) % 700_000);
            drop(put(&kept, &key(&number.to_string()), head(&version.to_string()), &body).await);
            if let Some(entry) = variants(&kept, &key(&number.to_string())).await.first() {
                let generation = kept.lookup(&key(&number.to_string())).await.unwrap().generation;
                drop(kept.update(&key(&number.to_string()), entry.id(), entry.head().clone(), generation).await);
            }
        }
    }
}

#[tokio::test]
async fn a_killed_process_leaves_whole_responses_only() {
    // DSK-10, DSK-24: whatever it was doing, no lock is left either.
    let directory = tempfile::tempdir().unwrap();
    let mut found = 0;
    for kill in 0..8 {
        let mut child = start("a_process_that_writes_until_it_is_killed", directory.path());
        let mut says = [0; 1];
        child.stdout.as_mut().unwrap().read_exact(&mut says).unwrap();
        std::thread::sleep(Duration::from_millis(150 + kill * 37));
        child.kill().unwrap();
        child.wait().unwrap();
        let kept = store(directory.path());
        for number in 0..8 {
            let Some(etag) = etag(&kept, &key(&number.to_string())).await else { continue };
            let version: u64 = etag.trim_matches('"').parse().unwrap();
            let body = get(&kept, &key(&number.to_string())).await.unwrap();
            assert_eq!(body.unwrap(), data(version, 1 + (version as usize * 7_919) % 700_000));
            found += 1;
        }
        put(&kept, &key("mine"), head("1"), &data(1, 10)).await.unwrap();
    }
    assert!(found > 8, "{found}");
}

#[tokio::test]
async fn processes_that_write_the_same_keys_read_whole_responses() {
    // DSK-18.
    let directory = tempfile::tempdir().unwrap();
    let mut others: Vec<_> =
        (0..2).map(|_| start("a_process_that_writes_until_it_is_killed", directory.path())).collect();
    let kept = store(directory.path());
    let (mut whole, mut gone) = (0, 0);
    let _ = tokio::time::timeout(Duration::from_millis(2_500), async {
        loop {
            for number in 0..8 {
                let key = key(&number.to_string());
                let found = variants(&kept, &key).await;
                let Some(entry) = found.first() else { continue };
                let version: u64 = entry.head().headers["etag"].to_str().unwrap().trim_matches('"').parse().unwrap();
                match kept.open(&key, entry).await {
                    Ok(body) => {
                        let body = read(body).await.unwrap();
                        assert_eq!(body, data(version, 1 + (version as usize * 7_919) % 700_000));
                        whole += 1;
                    }
                    Err(StoreError::Gone) => gone += 1,
                    Err(error) => panic!("{error:?}"),
                }
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    for other in &mut others {
        other.kill().unwrap();
        other.wait().unwrap();
    }
    assert!(whole > 20, "{whole} were read and {gone} were gone");
}

#[tokio::test]
async fn what_a_killed_process_left_is_swept() {
    // DSK-33.
    let directory = tempfile::tempdir().unwrap();
    let kept = store(directory.path());
    put(&kept, &key("a"), head("1"), &data(1, 10)).await.unwrap();
    let base = directory.path().join("httplib2-1");
    std::fs::create_dir_all(base.join("tmp")).unwrap();
    std::fs::create_dir_all(directory.path().join("httplib2-0/index")).unwrap();
    std::fs::create_dir_all(directory.path().join("httplib2-2")).unwrap();
    std::fs::create_dir_all(directory.path().join("mine")).unwrap();
    std::fs::create_dir_all(base.join("content-v2/sha256/00/11")).unwrap();
    let empty = base.join("content-v2/sha256/00/11");
    let orphan = cacache::write_hash_sync(&base, b"orphan").unwrap();
    let hour = SystemClock.now() - Duration::from_secs(3_601);
    let old = |path: &Path| std::fs::File::open(path).unwrap().set_modified(hour).unwrap();
    for name in ["old", "new"] {
        std::fs::write(base.join("tmp").join(name), name).unwrap();
    }
    old(&base.join("tmp/old"));
    old(&empty);
    old(&directory.path().join("httplib2-0"));
    old(&directory.path().join("httplib2-2"));
    old(&directory.path().join("mine"));
    assert_eq!(contents(directory.path()).len(), 2);
    let swept = kept.gc().await.unwrap();
    assert_eq!((swept.temporary, swept.contents), (1, 0));
    assert!(!directory.path().join("httplib2-0").exists() && directory.path().join("httplib2-2").exists());
    assert!(directory.path().join("mine").exists() && !empty.exists());
    let orphan = files(&base)
        .into_iter()
        .find(|path| std::fs::read(path).unwrap() == b"orphan")
        .unwrap_or_else(|| panic!("{orphan} is not there"));
    old(&orphan);
    let swept = kept.gc().await.unwrap();
    assert_eq!((swept.temporary, swept.contents, swept.bytes), (0, 1, 6));
    assert_eq!((contents(directory.path()).len(), temporary(directory.path()).len()), (1, 1));
    assert_eq!(get(&kept, &key("a")).await.unwrap().unwrap(), data(1, 10));
}

#[tokio::test]
async fn an_invalidation_of_what_was_not_known_here_counts() {
    // RFC 9111 §4.4. It was stored and invalidated while an answer was under way here.
    let directory = tempfile::tempdir().unwrap();
    let (kept, other) = (store(directory.path()), store(directory.path()));
    let generation = kept.lookup(&key("a")).await.unwrap().generation;
    put(&other, &key("a"), head("1"), &data(1, 100)).await.unwrap();
    other.invalidate(&key("a")).await.unwrap();
    let late = kept.write(key("a"), head("late"), Some(0), generation).unwrap();
    assert!(matches!(late.commit(None).await, Err(StoreError::Superseded)));
    // Whoever asks after that may store, also where nothing was known before.
    for kept in [kept, store(directory.path())] {
        put(&kept, &key("a"), head("2"), &data(1, 100)).await.unwrap();
        other.invalidate(&key("a")).await.unwrap();
    }
}

#[tokio::test]
async fn a_sweep_hides_no_invalidation_of_another_process() {
    let directory = tempfile::tempdir().unwrap();
    let kept = builder(directory.path()).max_heads(0).open().unwrap();
    let other = store(directory.path());
    put(&kept, &key("a"), head("1"), &data(1, 100)).await.unwrap();
    let generation = kept.lookup(&key("a")).await.unwrap().generation;
    // After the first sweep, the heads leave memory at once.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    drop(kept.lookup(&key("b")).await);
    other.invalidate(&key("a")).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    kept.gc().await.unwrap();
    let late = kept.write(key("a"), head("late"), Some(0), generation).unwrap();
    assert!(matches!(late.commit(None).await, Err(StoreError::Superseded)));
}

#[tokio::test]
async fn an_eviction_does_not_undo_the_invalidation_of_another_process() {
    // RFC 9111 §4.4.
    let directory = tempfile::tempdir().unwrap();
    let kept = builder(directory.path()).capacity(1_000_000).max_object(400_000).open().unwrap();
    let other = store(directory.path());
    put(&kept, &key("a"), head("1"), &data(1, 300_000)).await.unwrap();
    let generation = kept.lookup(&key("a")).await.unwrap().generation;
    let late = kept.write(key("a"), head("late"), Some(0), generation).unwrap();
    other.invalidate(&key("a")).await.unwrap();
    // The oldest and largest gives way.
    for number in 0..4 {
        put(&kept, &key(&number.to_string()), head("1"), &data(10 + number, 200_000)).await.unwrap();
    }
    assert!(matches!(late.commit(None).await, Err(StoreError::Superseded)));
}

#[cfg(unix)]
#[tokio::test]
async fn a_line_that_another_process_is_just_appending_costs_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let kept = store(directory.path());
    let entry = put(&kept, &key("a"), german("de"), &data(1, 5_000)).await.unwrap();
    kept.usage().await.unwrap();
    let generation = kept.lookup(&key("a")).await.unwrap().generation;
    let late = kept.write(key("a"), german("fr"), Some(0), generation).unwrap();
    kept.update(&key("a"), entry.id(), german("de"), generation).await.unwrap();
    kept.flush().await.unwrap();
    let [file] = &index_files(directory.path())[..] else { panic!("one key") };
    let before = std::fs::read(file).unwrap();
    put(&store(directory.path()), &key("a"), german("en"), &data(2, 5_000)).await.unwrap();
    let after = std::fs::read(file).unwrap();
    let appending = common::hold_lock(directory.path());
    std::fs::write(file, &after[..before.len() + 200]).unwrap();
    assert!(variants(&kept, &key("a")).await.is_empty());
    std::fs::write(file, &after).unwrap();
    drop(appending);
    // This removes what nobody has any more.
    put(&kept, &key("b"), head("1"), &data(3, 100)).await.unwrap();
    late.commit(None).await.unwrap();
    let found = variants(&kept, &key("a")).await;
    assert_eq!(found.len(), 3);
    for entry in &found {
        read(kept.open(&key("a"), entry).await.unwrap()).await.unwrap();
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_another_process_removed_does_not_stay_open() {
    let directory = tempfile::tempdir().unwrap();
    let (kept, other) = (store(directory.path()), store(directory.path()));
    let open = || {
        let paths = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
        let paths = paths.filter_map(|file| std::fs::read_link(file.path()).ok());
        let is_body = |path: &Path| ["content-v2", "cleared-"].iter().any(|name| path.to_string_lossy().contains(name));
        paths.filter(|path| path.starts_with(directory.path()) && is_body(path)).count()
    };
    for number in 0..20 {
        let key = key(&number.to_string());
        put(&kept, &key, head("1"), &data(number, 300_000)).await.unwrap();
        get(&kept, &key).await.unwrap().unwrap();
    }
    assert_eq!(open(), 20);
    other.clear().await.unwrap();
    for number in 0..20 {
        assert_eq!(etag(&kept, &key(&number.to_string())).await, None);
    }
    assert_eq!(open(), 0);
}
