//! Stores in temporary directories, and what is put into them.
#![allow(dead_code, reason = "each test crate uses its part")]

use std::{
    future::poll_fn,
    path::{Path, PathBuf},
    pin::Pin,
    process::{Child, Command, Stdio},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use http_body::Body;
use httplib2_core::context::{Clock, SystemClock};
use httplib2_store::{Entry, Head, Key, Store, StoreError, StoredBody};
use httplib2_store_disk::{DiskStore, DiskStoreBuilder};

/// What a test tells the process that it starts.
pub(crate) const CHILD: &str = "HTTPLIB2_STORE_CHILD";

pub(crate) fn key(name: &str) -> Key {
    Key::from_text(format!("http://example.org/{name}"))
}

pub(crate) fn head(etag: &str) -> Head {
    let mut fields = HeaderMap::new();
    fields.insert(header::ETAG, HeaderValue::try_from(format!("\"{etag}\"")).expect("a field value"));
    Head::new(StatusCode::OK, fields, SystemClock.now())
}

pub(crate) fn german(language: &str) -> Head {
    let mut head = head(language);
    head.selecting = vec![(HeaderName::from_static("accept-language"), Some(language.as_bytes().into()))];
    head
}

/// Data that differ from number to number.
pub(crate) fn data(number: u64, length: usize) -> Bytes {
    let mut state = number.wrapping_mul(2) + 1;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// A store that looks at the disk at each look-up.
pub(crate) fn builder(directory: &Path) -> DiskStoreBuilder {
    DiskStore::builder(directory).notice_others(Duration::ZERO)
}

pub(crate) fn store(directory: &Path) -> DiskStore {
    builder(directory).open().expect("the directory can be used")
}

pub(crate) async fn put(store: &DiskStore, key: &Key, head: Head, data: &Bytes) -> Result<Entry, StoreError> {
    let generation = store.lookup(key).await?.generation;
    let mut writer = store.write(key.clone(), head, Some(data.len() as u64), generation)?;
    for at in (0..data.len()).step_by(100_000) {
        poll_fn(|cx| writer.poll_ready(cx)).await?;
        writer.write(data.slice(at..data.len().min(at + 100_000)))?;
    }
    writer.commit(None).await
}

pub(crate) async fn variants(store: &DiskStore, key: &Key) -> Vec<Entry> {
    store.lookup(key).await.expect("a look-up does not fail").variants.to_vec()
}

/// The body of the only variant, or what went wrong; `None` when there is no variant.
pub(crate) async fn get(store: &DiskStore, key: &Key) -> Option<Result<Vec<u8>, StoreError>> {
    let found = variants(store, key).await;
    assert!(found.len() < 2, "one variant");
    let entry = found.first()?;
    Some(match store.open(key, entry).await {
        Ok(body) => read(body).await,
        Err(error) => Err(error),
    })
}

pub(crate) async fn read(mut body: StoredBody) -> Result<Vec<u8>, StoreError> {
    let mut read = Vec::new();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        read.extend_from_slice(frame?.data_ref().map_or(&[], |data| &data[..]));
    }
    Ok(read)
}

pub(crate) async fn etag(store: &DiskStore, key: &Key) -> Option<String> {
    let found = variants(store, key).await;
    Some(found.first()?.head().headers[header::ETAG].to_str().expect("it is text").to_owned())
}

/// All files below a directory.
pub(crate) fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).into_iter().flatten() {
            let entry = entry.expect("it can be read");
            if entry.file_type().expect("it is still there").is_dir() {
                directories.push(entry.path());
            } else {
                files.push(entry.path());
            }
        }
    }
    files
}

pub(crate) fn index_files(directory: &Path) -> Vec<PathBuf> {
    files(&directory.join("httplib2-1/index-v5"))
}

pub(crate) fn contents(directory: &Path) -> Vec<PathBuf> {
    files(&directory.join("httplib2-1/content-v2"))
}

pub(crate) fn temporary(directory: &Path) -> Vec<PathBuf> {
    files(&directory.join("httplib2-1/tmp"))
}

/// Runs one test of this binary in another process, which is told something.
pub(crate) fn start(test: &str, told: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().expect("this test is a file"));
    command.args(["--exact", test, "--nocapture"]).env(CHILD, told).stdin(Stdio::piped()).stdout(Stdio::piped());
    command.spawn().expect("it can be started")
}

/// What this process was told, if a test started it.
pub(crate) fn told() -> Option<PathBuf> {
    std::env::var_os(CHILD).map(PathBuf::from)
}

/// Holds the lock as another process would, until it is dropped.
#[cfg(unix)]
pub(crate) fn hold_lock(directory: &Path) -> std::fs::File {
    let lock = std::fs::File::open(directory.join("httplib2-1/lock")).expect("the store made it");
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).expect("it can be had");
    lock
}

/// A file system in memory over a directory, until it is dropped.
pub(crate) struct Mounted(PathBuf);

impl Mounted {
    /// `None` where the right to do that is missing.
    pub(crate) fn over(directory: &Path, options: &str) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "none"]).arg(directory).stderr(Stdio::null());
        if mount.status().is_ok_and(|status| status.success()) {
            return Some(Self(directory.to_owned()));
        }
        println!("not run: this needs the right to mount a file system");
        None
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(&self.0).status());
    }
}
