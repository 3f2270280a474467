//! What is damaged is a miss, or a body that fails. It is never a wrong or a short body.

mod common;

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

use httplib2_store::{Answer, Store, StoreError};

use common::{builder, contents, data, etag, files, get, head, index_files, key, put, read, store, variants};

/// What may happen to a file, by its name.
const DAMAGES: [&str; 9] = [
    "cut to half",
    "emptied",
    "flipped at the start",
    "flipped at the end",
    "zeroed",
    "appended to",
    "no text",
    "a directory",
    "a link",
];

const LENGTHS: [usize; 5] = [1, 1_000, 60_000, 200_000, 1_100_000];

fn damage(path: &Path, how: &str) {
    let mut bytes = fs::read(path).expect("it is there");
    let last = bytes.len().saturating_sub(1);
    match how {
        "cut to half" => bytes.truncate(bytes.len() / 2),
        "emptied" => bytes.clear(),
        "flipped at the start" => bytes[0] ^= 1,
        "flipped at the end" => bytes[last] ^= 0x80,
        "zeroed" => bytes.fill(0),
        "appended to" => bytes.extend_from_slice(b"rubbish"),
        // dependencies.md §3, trap 7.
        "no text" => bytes.extend_from_slice(b"\n\xff\xfe\tmore"),
        "a directory" => {
            fs::remove_file(path).expect("it is there");
            return fs::create_dir(path).expect("it is not there");
        }
        "a link" => {
            let elsewhere = path.with_extension("elsewhere");
            fs::rename(path, &elsewhere).expect("it is there");
            #[cfg(unix)]
            std::os::unix::fs::symlink(elsewhere, path).expect("it is not there");
            return;
        }
        _ => unreachable!(),
    }
    let mut file = OpenOptions::new().write(true).truncate(true).open(path).expect("it is there");
    file.write_all(&bytes).expect("there is room");
}

#[tokio::test]
async fn damaged_files_are_a_miss_and_mend() {
    // DSK-01, 03, 05, 07: in this process, and after a start.
    for (part, select) in [("index", index_files as fn(&Path) -> Vec<PathBuf>), ("content", contents)] {
        for how in DAMAGES {
            for restarts in [false, true] {
                let directory = tempfile::tempdir().unwrap();
                let first = store(directory.path());
                for (number, length) in LENGTHS.into_iter().enumerate() {
                    put(&first, &key(&length.to_string()), head("1"), &data(number as u64, length)).await.unwrap();
                }
                let before = (!restarts).then(|| first.clone());
                drop(first);
                select(directory.path()).iter().for_each(|path| damage(path, how));
                let kept = before.unwrap_or_else(|| store(directory.path()));
                for (number, length) in LENGTHS.into_iter().enumerate() {
                    let (key, name) = (key(&length.to_string()), format!("{part} {how} {length} {restarts}"));
                    match get(&kept, &key).await {
                        None => {}
                        Some(Ok(body)) => assert_eq!(body, data(number as u64, length), "{name}"),
                        // A typed failure, and then it is gone.
                        Some(Err(StoreError::Damaged)) => {
                            assert!(part == "content" && get(&kept, &key).await.is_none(), "{name}");
                        }
                        Some(Err(StoreError::Gone | StoreError::Io(_))) => assert_eq!(part, "content", "{name}"),
                        Some(Err(error)) => panic!("{name}: {error:?}"),
                    }
                    // What is stored again is there, as long as there is no directory in the way.
                    let again = put(&kept, &key, head("2"), &data(9, length)).await;
                    match again {
                        Ok(_) => assert_eq!(get(&kept, &key).await.unwrap().unwrap(), data(9, length), "{name}"),
                        Err(error) => assert!(how == "a directory", "{name}: {error:?}"),
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn damage_is_found_before_the_first_byte_or_with_the_last_piece() {
    for length in LENGTHS {
        let directory = tempfile::tempdir().unwrap();
        put(&store(directory.path()), &key("a"), head("1"), &data(1, length)).await.unwrap();
        damage(&contents(directory.path())[0], "flipped at the end");
        let kept = store(directory.path());
        let entry = variants(&kept, &key("a")).await.remove(0);
        let opened = kept.open(&key("a"), &entry).await;
        if length <= 1024 * 1024 {
            assert!(matches!(opened, Err(StoreError::Damaged)), "{length}");
        } else {
            let mut body = opened.unwrap();
            let mut handed_out = 0;
            let error = loop {
                let frame = std::future::poll_fn(|cx| http_body::Body::poll_frame(std::pin::Pin::new(&mut body), cx));
                match frame.await.expect("it does not end well") {
                    Ok(frame) => handed_out += frame.data_ref().unwrap().len(),
                    Err(error) => break error,
                }
            };
            assert!(matches!(error, StoreError::Damaged) && handed_out < length, "{handed_out}");
        }
        assert!(variants(&kept, &key("a")).await.is_empty() && contents(directory.path()).is_empty(), "{length}");
        assert!(matches!(kept.open(&key("a"), &entry).await, Err(StoreError::Gone)));
    }
}

#[tokio::test]
async fn a_part_of_a_damaged_body_is_not_handed_out() {
    for length in [60_000, 200_000, 1_100_000] {
        let directory = tempfile::tempdir().unwrap();
        put(&store(directory.path()), &key("a"), head("1"), &data(1, length)).await.unwrap();
        damage(&contents(directory.path())[0], "flipped at the end");
        let kept = store(directory.path());
        let entry = variants(&kept, &key("a")).await.remove(0);
        assert!(matches!(kept.open_range(&key("a"), &entry, 0..10).await, Err(StoreError::Damaged)), "{length}");
    }
}

#[tokio::test]
async fn a_file_that_changes_after_it_was_checked_is_checked_again() {
    for length in LENGTHS {
        let directory = tempfile::tempdir().unwrap();
        let kept = store(directory.path());
        put(&kept, &key("a"), head("1"), &data(1, length)).await.unwrap();
        for _ in 0..2 {
            assert_eq!(get(&kept, &key("a")).await.unwrap().unwrap(), data(1, length));
        }
        damage(&contents(directory.path())[0], "flipped at the start");
        assert!(matches!(get(&kept, &key("a")).await, Some(Err(StoreError::Damaged))), "{length}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_was_checked_once_is_read_at_once() {
    let directory = tempfile::tempdir().unwrap();
    put(&store(directory.path()), &key("a"), head("1"), &data(1, 200_000)).await.unwrap();
    let kept = store(directory.path());
    let entry = variants(&kept, &key("a")).await.remove(0);
    for is_checked in [false, true] {
        let answer = kept.open(&key("a"), &entry);
        assert_eq!(matches!(answer, Answer::Ready(_)), is_checked);
        assert_eq!(read(answer.await.unwrap()).await.unwrap(), data(1, 200_000));
    }
    // What was written in this process is known to be right.
    let written = put(&kept, &key("b"), head("1"), &data(2, 200_000)).await.unwrap();
    assert!(matches!(kept.open(&key("b"), &written), Answer::Ready(Ok(_))));
}

#[tokio::test]
async fn an_entry_of_another_version_is_a_miss() {
    // DSK-29.
    let directory = tempfile::tempdir().unwrap();
    put(&store(directory.path()), &key("a"), head("1"), &data(1, 10)).await.unwrap();
    let path = &index_files(directory.path())[0];
    let line = fs::read_to_string(path).unwrap();
    let base = directory.path().join("httplib2-1");
    let disk_key = "httplib2/1 http://example.org/a";
    let old = cacache::index::find(&base, disk_key).unwrap().expect("cacache reads what was written");
    fs::remove_file(path).unwrap();
    let mut metadata = old.metadata.clone();
    metadata["v"] = 2.into();
    let written = cacache::WriteOpts::new().integrity(old.integrity.clone()).metadata(metadata);
    cacache::index::insert(&base, disk_key, written).unwrap();
    assert_ne!(fs::read_to_string(path).unwrap(), line);
    assert!(variants(&store(directory.path()), &key("a")).await.is_empty());
    // And one that cacache wrote is read.
    let written = cacache::WriteOpts::new().integrity(old.integrity).metadata(old.metadata);
    cacache::index::insert(&base, disk_key, written).unwrap();
    assert_eq!(etag(&store(directory.path()), &key("a")).await.as_deref(), Some("\"1\""));
}

#[tokio::test]
async fn an_index_file_with_the_key_of_another_one_is_a_miss() {
    // DSK-27: two keys with one hash.
    let directory = tempfile::tempdir().unwrap();
    let kept = store(directory.path());
    put(&kept, &key("a"), head("a"), &data(1, 10)).await.unwrap();
    let a = index_files(directory.path()).remove(0);
    put(&kept, &key("b"), head("b"), &data(2, 10)).await.unwrap();
    let b = index_files(directory.path()).into_iter().find(|path| *path != a).unwrap();
    fs::copy(&a, &b).unwrap();
    let kept = store(directory.path());
    assert!(variants(&kept, &key("b")).await.is_empty());
    assert_eq!(etag(&kept, &key("a")).await.as_deref(), Some("\"a\""));
    // The sweep at the start may have been first.
    kept.gc().await.unwrap();
    assert!(!b.exists() && a.exists());
}

#[tokio::test]
async fn verify_finds_what_is_damaged_and_what_is_missing() {
    let directory = tempfile::tempdir().unwrap();
    let kept = builder(directory.path()).open().unwrap();
    for number in 0..6 {
        put(&kept, &key(&number.to_string()), head("1"), &data(number % 5, 2_000)).await.unwrap();
    }
    put(&kept, &key("empty"), head("1"), &data(0, 0)).await.unwrap();
    let whole = kept.verify().await.unwrap();
    assert_eq!((whole.whole, whole.bytes, whole.damaged, whole.missing), (7, 12_000, 0, 0));
    let path = |number: u64| {
        let is_it = |path: &PathBuf| fs::read(path).unwrap() == data(number, 2_000);
        contents(directory.path()).into_iter().find(is_it).unwrap()
    };
    let (damaged, missing) = (path(1), path(2));
    damage(&damaged, "zeroed");
    fs::remove_file(missing).unwrap();
    let verified = kept.verify().await.unwrap();
    assert_eq!((verified.whole, verified.damaged, verified.missing), (5, 1, 1));
    assert_eq!(kept.usage().await.unwrap().entries, 5);
    let again = kept.verify().await.unwrap();
    assert_eq!((again.whole, again.damaged, again.missing), (5, 0, 0));
    assert_eq!(
        files(directory.path()).iter().filter(|path| path.starts_with(directory.path().join("httplib2-1/tmp"))).count(),
        0
    );
}

#[tokio::test]
async fn an_open_body_outlives_its_file() {
    let directory = tempfile::tempdir().unwrap();
    let kept = store(directory.path());
    put(&kept, &key("a"), head("1"), &data(1, 3_000_000)).await.unwrap();
    let entry = variants(&kept, &key("a")).await.remove(0);
    let body = kept.open(&key("a"), &entry).await.unwrap();
    fs::remove_dir_all(directory.path()).unwrap();
    assert_eq!(read(body).await.unwrap(), data(1, 3_000_000));
}

#[cfg(unix)]
#[tokio::test]
async fn damage_behind_what_was_already_read_is_found_when_it_is_read_again() {
    use std::{os::unix::fs::FileExt, time::Duration};
    let directory = tempfile::tempdir().unwrap();
    let body = data(1, 3_000_000);
    put(&store(directory.path()), &key("a"), head("1"), &body).await.unwrap();
    let kept = store(directory.path());
    let entry = variants(&kept, &key("a")).await.remove(0);
    let mut going_out = kept.open(&key("a"), &entry).await.unwrap();
    let first = std::future::poll_fn(|cx| http_body::Body::poll_frame(std::pin::Pin::new(&mut going_out), cx)).await;
    first.unwrap().unwrap();
    // The times of files are coarse.
    tokio::time::sleep(Duration::from_millis(30)).await;
    let file = OpenOptions::new().write(true).open(&contents(directory.path())[0]).unwrap();
    file.write_all_at(&[body[0] ^ 1], 0).unwrap();
    // All that this one reads is right.
    read(going_out).await.unwrap();
    assert!(matches!(get(&kept, &key("a")).await, Some(Err(StoreError::Damaged))));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_could_not_be_put_in_place_is_not_taken_for_checked() {
    // cacache says that it wrote a content when there is a file in its place already.
    use std::os::unix::fs::FileExt;
    let directory = tempfile::tempdir().unwrap();
    let kept = store(directory.path());
    let body = data(1, 400_000);
    put(&kept, &key("a"), head("1"), &body).await.unwrap();
    let file = OpenOptions::new().write(true).open(&contents(directory.path())[0]).unwrap();
    file.write_all_at(&[body[5] ^ 1], 5).unwrap();
    let temporary = directory.path().join("httplib2-1/tmp");
    fs::create_dir_all(&temporary).unwrap();
    // No file can be renamed from there.
    let Some(mounted) = common::Mounted::over(&temporary, "size=4m") else { return };
    let stored = put(&kept, &key("b"), head("1"), &body).await;
    drop(mounted);
    let found = get(&kept, &key("b")).await;
    assert!(stored.is_err() || matches!(found, Some(Err(StoreError::Damaged))), "a damaged body was handed out");
}
