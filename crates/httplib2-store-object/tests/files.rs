//! httplib2's directory of files.

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use httplib2_store::StoreError;
use httplib2_store_object::{BlockingObject, FileCache, safename};
use httplib2_testing::FixedClock;

use crate::common::moment;

const KEY: &str = "http://example.org/";

/// A blob of so many bytes.
fn blob(length: usize) -> Bytes {
    let mut blob = b"status: 200\r\n\r\n".to_vec();
    blob.resize(length, b'x');
    blob.into()
}

fn names(dir: &Path) -> Vec<String> {
    let files = fs::read_dir(dir).expect("it is a directory").map(|file| file.expect("it can be read"));
    let mut names: Vec<_> = files.map(|file| file.file_name().into_string().expect("it is text")).collect();
    names.sort();
    names
}

fn touch(path: &Path, time: SystemTime) {
    let file = fs::File::options().write(true).open(path).expect("it is there");
    file.set_modified(time).expect("it is ours");
}

#[test]
fn what_was_set_is_there_until_it_is_deleted() {
    // H-CACHE-04.
    let directory = tempfile::tempdir().unwrap();
    let files = FileCache::new(directory.path()).unwrap();
    assert_eq!(files.get(KEY).unwrap(), None);
    files.delete(KEY).unwrap();
    for length in [100, 20_000, 15] {
        files.set(KEY, &blob(length)).unwrap();
        assert_eq!(files.get(KEY).unwrap(), Some(blob(length)));
        assert_eq!(names(directory.path()), [safename(KEY)]);
    }
    files.delete(KEY).unwrap();
    assert!(names(directory.path()).is_empty());
    assert_eq!(files.get(KEY).unwrap(), None);
}

#[test]
fn names_are_made_by_another_function_if_one_is_given() {
    let directory = tempfile::tempdir().unwrap();
    let files = FileCache::new(directory.path()).unwrap().safe(|key| format!("{}.txt", key.len()));
    files.set(KEY, &blob(20)).unwrap();
    assert_eq!(names(directory.path()), ["19.txt"]);
}

#[test]
fn no_name_leads_out_of_the_directory() {
    let directory = tempfile::tempdir().unwrap();
    let dir = directory.path().join("cache");
    fs::write(directory.path().join("other"), "status: 200\r\n\r\nsecret").unwrap();
    let absolute = directory.path().join("other").to_str().unwrap().to_owned();
    for name in ["../other", "..", ".", "", "a/b", "/", "other/", "a\0b", ".httplib2-1-1.tmp", &absolute] {
        let name = name.to_owned();
        let files = FileCache::new(&dir).unwrap().safe(move |_| name.clone());
        assert_eq!(files.get(KEY).unwrap(), None);
        assert!(matches!(files.set(KEY, &blob(20)), Err(StoreError::Io(_))));
        assert!(matches!(files.delete(KEY), Err(StoreError::Io(_))));
    }
    assert_eq!(names(&dir), [""; 0]);
    assert_eq!(names(directory.path()), ["cache", "other"]);
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let dir = directory.path().join("made/cache");
    let files = FileCache::new(&dir).unwrap();
    files.set(KEY, &blob(20)).unwrap();
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(dir.clone()), mode(dir.join(safename(KEY)))), (0o700, 0o600));
    assert_eq!(mode(directory.path().join("made")), 0o700);
    // A directory that somebody made for others is theirs.
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
    FileCache::new(&dir).unwrap();
    assert_eq!(mode(dir), 0o755);
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    use std::os::unix::fs::symlink;
    let directory = tempfile::tempdir().unwrap();
    let (dir, other) = (directory.path().join("cache"), directory.path().join("other"));
    let files = FileCache::new(&dir).unwrap();
    fs::write(&other, blob(20)).unwrap();
    let link = dir.join(safename(KEY));
    symlink(&other, &link).unwrap();
    assert_eq!(files.get(KEY).unwrap(), None);
    files.delete(KEY).unwrap();
    symlink(&other, &link).unwrap();
    files.set(KEY, &blob(30)).unwrap();
    assert_eq!(files.get(KEY).unwrap(), Some(blob(30)));
    assert_eq!(fs::read(&other).unwrap(), blob(20));
    // Nor are they counted or cleared.
    symlink(&other, dir.join("another")).unwrap();
    assert_eq!(files.usage().unwrap().entries, 1);
    files.clear().unwrap();
    assert_eq!(names(&dir), ["another"]);
    assert!(other.exists());
}

#[test]
fn what_is_no_file_is_not_there() {
    let directory = tempfile::tempdir().unwrap();
    let files = FileCache::new(directory.path()).unwrap().max_file(50);
    let path = directory.path().join(safename(KEY));
    fs::create_dir(&path).unwrap();
    assert_eq!(files.get(KEY).unwrap(), None);
    assert!(matches!(files.set(KEY, &blob(20)), Err(StoreError::Io(_))));
    assert_eq!(names(directory.path()), [safename(KEY)], "nothing half written is left");
    fs::remove_dir(&path).unwrap();
    // Larger than what is read.
    files.set(KEY, &blob(51)).unwrap();
    assert_eq!(files.get(KEY).unwrap(), None);
    files.set(KEY, &blob(50)).unwrap();
    assert_eq!(files.get(KEY).unwrap(), Some(blob(50)));
}

#[cfg(unix)]
#[test]
fn a_pipe_is_not_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let files = FileCache::new(directory.path()).unwrap();
    let path = directory.path().join(safename(KEY));
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    assert_eq!(files.get(KEY).unwrap(), None);
    files.set(KEY, &blob(20)).unwrap();
    assert_eq!(files.get(KEY).unwrap(), Some(blob(20)));
}

#[test]
fn a_directory_that_vanished_is_made_again() {
    let directory = tempfile::tempdir().unwrap();
    let dir = directory.path().join("cache");
    for files in [FileCache::new(&dir).unwrap(), FileCache::new(&dir).unwrap().max_bytes(1_000)] {
        fs::remove_dir_all(&dir).ok();
        assert_eq!(files.get(KEY).unwrap(), None);
        files.delete(KEY).unwrap();
        files.set(KEY, &blob(20)).unwrap();
        assert_eq!(files.get(KEY).unwrap(), Some(blob(20)));
    }
}

#[test]
fn a_file_in_place_of_the_directory_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    fs::write(&path, "").unwrap();
    FileCache::new(&path).unwrap_err();
    FileCache::new(path.join("cache")).unwrap_err();
}

#[test]
fn the_oldest_give_way_and_the_rest_stay_within_the_limit() {
    let directory = tempfile::tempdir().unwrap();
    let files = FileCache::new(directory.path()).unwrap().max_bytes(1_000);
    let key = |number: u64| format!("{KEY}{number}");
    for number in 0..10 {
        files.set(&key(number), &blob(100)).unwrap();
        // The even ones are older.
        let time = moment() + Duration::from_secs(number + 100 * (number % 2));
        touch(&directory.path().join(safename(&key(number))), time);
    }
    assert_eq!(files.usage().unwrap().bytes, 1_000);
    files.set(&key(10), &blob(100)).unwrap();
    let left: Vec<_> = (0..=10).filter(|number| files.get(&key(*number)).unwrap().is_some()).collect();
    // Room is made down to seven eighths.
    assert_eq!(left, [1, 3, 5, 6, 7, 8, 9, 10][..]);
    assert!(files.usage().unwrap().bytes <= 875);
    // What others write counts too, as soon as they are looked at.
    fs::write(directory.path().join("by httplib2"), blob(400)).unwrap();
    for number in 11..90 {
        files.set(&key(number), &blob(100)).unwrap();
    }
    assert!(files.usage().unwrap().bytes <= 1_000);
}

#[test]
fn a_file_that_is_too_large_is_refused_and_what_is_there_stays() {
    let directory = tempfile::tempdir().unwrap();
    let files = FileCache::new(directory.path()).unwrap().max_bytes(1_000);
    files.set(KEY, &blob(900)).unwrap();
    assert!(matches!(files.set(KEY, &blob(1_001)), Err(StoreError::TooLarge { limit: 1_000 })));
    assert_eq!(files.get(KEY).unwrap(), Some(blob(900)));
}

#[test]
fn a_file_that_nobody_stored_here_is_not_removed() {
    // Who gives a directory that has other things in it must not lose them.
    let directory = tempfile::tempdir().unwrap();
    let files = FileCache::new(directory.path()).unwrap().max_bytes(1_000);
    fs::write(directory.path().join("letter"), vec![b'x'; 900]).unwrap();
    touch(&directory.path().join("letter"), moment());
    fs::create_dir(directory.path().join("photos")).unwrap();
    files.set(KEY, &blob(100)).unwrap();
    assert!(matches!(files.set(&format!("{KEY}2"), &blob(150)), Err(StoreError::Full { limit: 1_000 })));
    files.clear().unwrap();
    assert_eq!(names(directory.path()), ["letter", "photos"]);
}

#[test]
fn what_somebody_left_half_written_is_swept_away_after_an_hour() {
    let directory = tempfile::tempdir().unwrap();
    let left = |name: &str, age: u64| {
        let path = directory.path().join(name);
        fs::write(&path, "status: 200").unwrap();
        touch(&path, moment() - Duration::from_secs(age));
    };
    left(".httplib2-1-1.tmp", 3_601);
    left(".httplib2-1-2.tmp", 3_599);
    left(".other.tmp", 99_999);
    let files = FileCache::new(directory.path()).unwrap().clock(FixedClock::at(moment()));
    assert_eq!(names(directory.path()).len(), 3);
    files.set(KEY, &blob(20)).unwrap();
    assert_eq!(names(directory.path()), [".httplib2-1-2.tmp", ".other.tmp", &safename(KEY)]);
}

#[test]
fn readers_see_one_whole_blob_while_others_write() {
    // H-CACHE-04: httplib2 itself writes in place.
    let directory = tempfile::tempdir().unwrap();
    let open = || FileCache::new(directory.path()).unwrap();
    open().set(KEY, &Bytes::from(vec![b'a'; 50_000])).unwrap();
    std::thread::scope(|scope| {
        for letter in *b"abc" {
            scope.spawn(move || {
                let files = open();
                for _ in 0..100 {
                    files.set(KEY, &Bytes::from(vec![letter; 50_000])).unwrap();
                }
            });
        }
        for _ in 0..2 {
            scope.spawn(|| {
                let files = open();
                for _ in 0..300 {
                    // A reader that comes just when the file is exchanged may see none.
                    let Some(read) = files.get(KEY).unwrap() else { continue };
                    assert!(read.len() == 50_000 && read.iter().all(|byte| *byte == read[0]));
                }
            });
        }
    });
    assert_eq!(names(directory.path()), [safename(KEY)]);
}

#[test]
fn what_httplib2_is_just_rewriting_is_never_read_as_a_mixture() {
    // H-CACHE-04. The file may be seen cut off, which the response tells, but not as the beginning of one and the rest
    // of another.
    let directory = tempfile::tempdir().unwrap();
    let files = FileCache::new(directory.path()).unwrap();
    let path = directory.path().join(safename(KEY));
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0.. {
                let (letter, length) = [(b'a', 5_000), (b'b', 300_000), (b'c', 300_000)][round % 3];
                fs::write(&path, vec![letter; length]).unwrap();
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        for _ in 0..50_000 {
            let read = files.get(KEY).unwrap().unwrap_or_default();
            let is_mixed = read.iter().any(|byte| *byte != read[0]);
            is_over.fetch_or(is_mixed, Ordering::Relaxed);
            assert!(!is_mixed, "{} bytes", read.len());
        }
        is_over.store(true, Ordering::Relaxed);
    });
    assert_eq!(files.get(KEY).unwrap().map(|read| read.len() >= 5_000), Some(true), "at rest it is read");
}

#[test]
fn two_processes_share_a_directory() {
    // This test is its own second process.
    const DIRECTORY: &str = "HTTPLIB2_FILES_OF_THE_TEST";
    let write = |dir: &Path, letter: u8| {
        let files = FileCache::new(dir).unwrap().max_bytes(400_000);
        for round in 0..300 {
            let key = format!("{KEY}{}", round % 7);
            files.set(&key, &blob(20_000 + usize::from(letter))).unwrap();
            if let Some(read) = files.get(&key).unwrap() {
                assert!(
                    [b'a', b'b'].map(|letter| 20_000 + usize::from(letter)).contains(&read.len()),
                    "{}",
                    read.len()
                );
            }
        }
    };
    if let Some(dir) = std::env::var_os(DIRECTORY) {
        return write(Path::new(&dir), b'b');
    }
    let directory = tempfile::tempdir().unwrap();
    let mut other = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "two_processes_share_a_directory"])
        .env(DIRECTORY, directory.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    write(directory.path(), b'a');
    assert!(other.wait().unwrap().success());
    assert_eq!(names(directory.path()).len(), 7, "nothing half written is left");
    let files = FileCache::new(directory.path()).unwrap();
    assert_eq!(files.usage().unwrap().entries, 7);
}

#[test]
fn debug_shows_no_key() {
    let directory = tempfile::tempdir().unwrap();
    let files = FileCache::new(directory.path()).unwrap().max_bytes(7).max_file(5);
    let debug = format!("{files:?}");
    assert!(debug.contains("limit: Some(7)") && debug.contains("max_file: 5"), "{debug}");
    assert_eq!(files.dir(), directory.path());
}
