//! A directory that is not as it should be.

mod common;

use std::{fs, time::Duration};

use httplib2_store::{Store, StoreError};
use httplib2_testing::FixedClock;

use common::{builder, data, etag, files, get, head, key, put, read, start, store, told, variants};

#[tokio::test]
async fn a_file_in_place_of_the_directory_is_an_error_or_a_miss() {
    // DSK-13.
    let directory = tempfile::tempdir().unwrap();
    for path in [directory.path().join("file"), directory.path().join("file/below")] {
        fs::write(directory.path().join("file"), b"text").unwrap();
        assert!(matches!(builder(&path).open(), Err(StoreError::Io(_))), "{path:?}");
        let clock = FixedClock::default();
        let kept = builder(&path).clock(clock.clone()).build();
        for round in 0..2 {
            assert!(variants(&kept, &key("a")).await.is_empty());
            let stored = put(&kept, &key("a"), head("1"), &data(1, 100)).await;
            // It is not tried again at once.
            let expected = if round == 0 {
                matches!(stored, Err(StoreError::Io(_)))
            } else {
                matches!(stored, Err(StoreError::Full { .. }))
            };
            assert!(expected, "{stored:?}");
        }
        assert_eq!(kept.usage().await.unwrap().entries, 0);
        assert!(kept.list().await.unwrap().is_empty());
        kept.gc().await.unwrap();
        kept.verify().await.unwrap();
        // What was mended is used again.
        fs::remove_file(directory.path().join("file")).unwrap();
        clock.advance(Duration::from_secs(1));
        put(&kept, &key("a"), head("1"), &data(1, 100)).await.unwrap();
        assert_eq!(get(&kept, &key("a")).await.unwrap().unwrap(), data(1, 100));
        drop(kept);
        fs::remove_dir_all(directory.path().join("file")).unwrap();
    }
}

#[tokio::test]
async fn a_directory_that_vanishes_is_a_miss_and_is_made_again() {
    let outer = tempfile::tempdir().unwrap();
    let directory = outer.path().join("cache");
    let kept = store(&directory);
    for length in [10, 700_000, 2_000_000] {
        put(&kept, &key("a"), head("1"), &data(1, length)).await.unwrap();
        let generation = kept.lookup(&key("a")).await.unwrap().generation;
        let mut writer = kept.write(key("b"), head("1"), None, generation).unwrap();
        writer.write(data(1, length)).unwrap();
        let entry = variants(&kept, &key("a")).await.remove(0);
        fs::remove_dir_all(&directory).unwrap();
        assert!(variants(&kept, &key("a")).await.is_empty());
        // It was open, or it is gone.
        match kept.open(&key("a"), &entry).await {
            Ok(body) => assert_eq!(read(body).await.unwrap(), data(1, length)),
            Err(error) => assert!(matches!(error, StoreError::Gone), "{error:?}"),
        }
        kept.invalidate(&key("a")).await.unwrap();
        drop(writer.commit(None).await);
        tokio::time::sleep(Duration::from_millis(1_010)).await;
        put(&kept, &key("a"), head("2"), &data(2, length)).await.unwrap();
        assert_eq!(get(&kept, &key("a")).await.unwrap().unwrap(), data(2, length));
    }
}

#[cfg(unix)]
#[tokio::test]
async fn directories_and_files_are_closed_to_others() {
    // DSK-14, CWE-732.
    use std::os::unix::fs::PermissionsExt;
    let outer = tempfile::tempdir().unwrap();
    let directory = outer.path().join("made/here");
    let kept = store(&directory);
    put(&kept, &key("a"), head("1"), &data(1, 700_000)).await.unwrap();
    for _ in 0..12 {
        put(&kept, &key("a"), head("2"), &data(1, 100)).await.unwrap();
    }
    kept.invalidate(&key("b")).await.unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for path in files(&directory) {
        assert_eq!(mode(&path) & 0o077, 0, "{path:?}");
    }
    assert_eq!((mode(&directory), mode(&directory.join("httplib2-1"))), (0o700, 0o700));
    // The caller's own directory stays as it is.
    let open = outer.path().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
    put(&store(&open), &key("a"), head("1"), &data(1, 100)).await.unwrap();
    assert_eq!((mode(&open), mode(&open.join("httplib2-1"))), (0o755, 0o700));
}

#[cfg(unix)]
#[tokio::test]
async fn a_directory_that_cannot_be_written_to_is_read() {
    use std::os::unix::fs::PermissionsExt;
    if rustix::process::geteuid().is_root() {
        println!("not run: modes mean nothing to root");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    put(&store(directory.path()), &key("a"), head("1"), &data(1, 100)).await.unwrap();
    let set = |mode| {
        for path in [directory.path().to_owned(), directory.path().join("httplib2-1")] {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    set(0o500);
    let kept = builder(directory.path()).build();
    assert_eq!(get(&kept, &key("a")).await.unwrap().unwrap(), data(1, 100));
    assert!(put(&kept, &key("b"), head("1"), &data(1, 100)).await.is_err());
    set(0o700);
}

#[tokio::test]
async fn an_invalidation_that_cannot_be_written_holds_in_this_process() {
    let directory = tempfile::tempdir().unwrap();
    let kept = store(directory.path());
    put(&kept, &key("a"), head("1"), &data(1, 100)).await.unwrap();
    let base = directory.path().join("httplib2-1");
    let lock = base.join("lock");
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    // The lock cannot be had, and it is done without.
    kept.invalidate(&key("a")).await.unwrap();
    assert_eq!(etag(&kept, &key("a")).await, None);
    assert!(put(&kept, &key("a"), head("2"), &data(1, 100)).await.is_err());
    fs::remove_dir(&lock).unwrap();
    assert_eq!(etag(&store(directory.path()), &key("a")).await, None);
}

#[cfg(unix)]
#[tokio::test]
async fn with_few_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Some(directory) = told() else { return };
    let kept = builder(&directory).build();
    let keys: Vec<_> = (0..40).map(|number| key(&number.to_string())).collect();
    for key in &keys {
        put(&kept, key, head("1"), &data(1, 100)).await.unwrap();
    }
    let before = getrlimit(Resource::Nofile);
    // As many as are open now, and none more.
    let open = fs::read_dir("/proc/self/fd").unwrap().count() as u64 - 1;
    setrlimit(Resource::Nofile, Rlimit { current: Some(open), maximum: before.maximum }).unwrap();
    let mut failed = 0;
    for number in 100..140 {
        let key = key(&number.to_string());
        match put(&kept, &key, head("1"), &data(number, 100)).await {
            Ok(_) => {}
            Err(StoreError::Io(_) | StoreError::Full { .. } | StoreError::Gone) => failed += 1,
            Err(error) => panic!("{error:?}"),
        }
        for key in &keys {
            match get(&kept, key).await {
                None | Some(Err(StoreError::Io(_) | StoreError::Gone)) => failed += 1,
                Some(body) => assert_eq!(body.unwrap(), data(1, 100)),
            }
        }
    }
    setrlimit(Resource::Nofile, before).unwrap();
    tokio::time::sleep(Duration::from_millis(1_010)).await;
    put(&kept, &keys[0], head("1"), &data(2, 100)).await.unwrap();
    assert_eq!(get(&kept, &keys[0]).await.unwrap().unwrap(), data(2, 100));
    println!("\n{failed} failed");
}

#[cfg(target_os = "linux")]
#[test]
fn without_descriptors_it_is_a_miss_and_comes_back() {
    // DSK-31: EMFILE.
    let directory = tempfile::tempdir().unwrap();
    let output = start("with_few_descriptors", directory.path()).wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_stores_nothing_and_stays_readable() {
    // DSK-11.
    let directory = tempfile::tempdir().unwrap();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=256k", "none"])
        .arg(directory.path())
        .stderr(std::process::Stdio::null())
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        println!("not run: this needs the right to mount a file system");
        return;
    }
    let kept = store(directory.path());
    let worked = async {
        put(&kept, &key("small"), head("1"), &data(1, 20_000)).await.unwrap();
        for length in [400_000, 240_000] {
            let stored = put(&kept, &key("large"), head("1"), &data(2, length)).await;
            assert!(matches!(stored, Err(StoreError::Full { .. } | StoreError::Incomplete)), "{stored:?}");
            tokio::time::sleep(Duration::from_millis(1_010)).await;
        }
        assert_eq!(get(&kept, &key("small")).await.unwrap().unwrap(), data(1, 20_000));
        assert!(common::temporary(directory.path()).is_empty());
        // Until there is not even room for a line: what is there stays whole.
        for number in 0..200 {
            drop(put(&kept, &key(&number.to_string()), head("1"), &data(number, 3_000)).await);
            tokio::time::sleep(Duration::from_millis(6)).await;
        }
        let again = store(directory.path());
        for number in 0..200 {
            if let Some(body) = get(&again, &key(&number.to_string())).await {
                assert_eq!(body.unwrap(), data(number, 3_000));
            }
        }
        kept.invalidate(&key("small")).await.unwrap();
        assert_eq!(etag(&store(directory.path()), &key("small")).await, None);
    };
    worked.await;
    drop(kept);
    let unmounted = std::process::Command::new("umount").arg("-l").arg(directory.path()).status().unwrap();
    assert!(unmounted.success());
}

#[cfg(unix)]
#[tokio::test]
async fn what_somebody_else_wrote_is_not_found() {
    use std::os::unix::fs::{chown, symlink};
    // What is behind a link may be anybody's.
    let (directory, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    put(&store(elsewhere.path()), &key("a"), head("1"), &data(1, 100)).await.unwrap();
    symlink(elsewhere.path().join("httplib2-1"), directory.path().join("httplib2-1")).unwrap();
    let kept = builder(directory.path()).build();
    assert!(get(&kept, &key("a")).await.is_none());
    assert_eq!(kept.usage().await.unwrap().entries, 0);
    // The whole directory, one index file, one content.
    for whose in ["all", "index-v5", "content-v2"] {
        let directory = tempfile::tempdir().unwrap();
        put(&store(directory.path()), &key("a"), head("1"), &data(1, 100)).await.unwrap();
        let base = directory.path().join("httplib2-1");
        let path = if whose == "all" { base.clone() } else { files(&base.join(whose)).remove(0) };
        if chown(path, Some(65_534), None).is_err() {
            println!("not run: this needs the right to give files away");
            return;
        }
        let found = get(&builder(directory.path()).build(), &key("a")).await;
        assert!(!matches!(found, Some(Ok(_))), "{whose}");
        assert!(whose == "content-v2" || found.is_none(), "{whose}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_invalidation_for_which_the_disk_has_no_room_is_on_the_disk() {
    use std::io::Write;
    let directory = tempfile::tempdir().unwrap();
    let Some(_mounted) = common::Mounted::over(directory.path(), "size=256k") else { return };
    let kept = store(directory.path());
    // The line ends near the end of a block, so that the next one needs another block.
    let mut long = head("1");
    long.headers.insert("x-pad", "y".repeat(3_300).parse().unwrap());
    put(&kept, &key("a"), long, &data(1, 5_000)).await.unwrap();
    let mut filling = fs::File::create(directory.path().join("filling")).unwrap();
    while filling.write_all(&[0; 512]).is_ok() {}
    kept.invalidate(&key("a")).await.unwrap();
    assert_eq!(etag(&store(directory.path()), &key("a")).await, None);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::disallowed_methods, reason = "how long it takes is what is tested")]
async fn a_process_that_is_stuck_is_waited_for_only_once() {
    let directory = tempfile::tempdir().unwrap();
    let kept = store(directory.path());
    put(&kept, &key("a"), head("1"), &data(1, 100)).await.unwrap();
    let stuck = common::hold_lock(directory.path());
    let mut commits = Vec::new();
    for number in 0..12 {
        let key = key(&number.to_string());
        let generation = kept.lookup(&key).await.unwrap().generation;
        let mut writer = kept.write(key, head("1"), None, generation).unwrap();
        writer.write(data(number, 100)).unwrap();
        commits.push(writer);
    }
    let began = std::time::Instant::now();
    let commits: Vec<_> = commits.into_iter().map(|writer| writer.commit(None)).collect();
    for number in 0..12 {
        // It waits for the commit, and that one for the lock.
        assert!(variants(&kept, &key(&number.to_string())).await.is_empty());
    }
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    drop((commits, stuck));
    tokio::time::sleep(Duration::from_millis(1_010)).await;
    put(&kept, &key("b"), head("1"), &data(1, 100)).await.unwrap();
}
