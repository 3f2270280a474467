//! Keeps HTTP responses on a disk, in [cacache](https://docs.rs/cacache)'s format: checked before they are handed out,
//! within a number of bytes, shared by several processes.
//!
//! ```
//! use bytes::Bytes;
//! use http::{HeaderMap, StatusCode};
//! use httplib2_store::{Head, Key, Store};
//! use httplib2_store_disk::DiskStore;
//! use std::time::UNIX_EPOCH;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let temporary = tempfile::tempdir()?;
//! # let directory = temporary.path().join("cache");
//! let key = Key::of(&"http://example.org/page".parse()?).ok_or("no absolute URI")?;
//! let store = DiskStore::open(&directory)?;
//!
//! let found = store.lookup(&key).await?;
//! let head = Head::new(StatusCode::OK, HeaderMap::new(), UNIX_EPOCH);
//! let mut writer = store.write(key.clone(), head, None, found.generation)?;
//! writer.write(Bytes::from_static(b"hello world"))?;
//! writer.commit(None).await?;
//! drop(store);
//!
//! // After a restart, or in another process.
//! let store = DiskStore::open(&directory)?;
//! let found = store.lookup(&key).await?;
//! let body = store.open(&key, &found.variants[0]).await?;
//! assert_eq!(body.as_whole().map(|data| &data[..]), Some(&b"hello world"[..]));
//! # Ok(())
//! # }
//! ```
//!
//! # Where it goes in a stack
//!
//! Nowhere itself: a cache layer holds it as its `Arc<dyn Store>`, perhaps behind a store in memory that shares its
//! [`generations`](DiskStoreBuilder::generations).
//!
//! # What it does to a request
//!
//! It looks for its key in memory and, where that was not compared with the disk lately, in one small file. Neither
//! makes a future. Only where something is being stored under the key, it waits until that is there. Opening reads nothing: a thread of its own takes in what is on the disk, and a key that it did
//! not come to yet is looked for on the disk at once.
//!
//! # What it does to a response
//!
//! - All variants of a key are one line of JSON in an index file, each body is one file named by its SHA-256. An entry
//!   is visible when both are in place. [`commit`](httplib2_store::Writer::commit) answers when they are.
//! - Up to two pieces of 256 KiB of a body are in memory on their way to the disk, and all blocking work is done on
//!   other threads. A smaller body needs no file before its end. What is given up leaves no file.
//! - A body is compared with its digest when it is read for the first time in this process, or after its file
//!   changed: up to 1 MiB before the first byte goes out, a longer one while it goes out, with its last piece held back. A
//!   part of a longer one is handed out after the whole was compared. After that it is read directly: up to 1 MiB as one
//!   piece, on Linux without a thread where it is in the page cache.
//! - What a 304 changed is in memory at once and on the disk a moment later; a crash in between undoes it. A replacement, a
//!   removal and an invalidation are on the disk when the answer is there. An index file with more than eight lines is
//!   written anew, so that entries that are refreshed often do not get slower.
//! - Nothing is synchronised with the disk itself: after a power failure the last entries may be missing, and those that
//!   are torn are found out by their digest.
//!
//! Another process that uses the directory sees a change when
//! [`notice_others`](DiskStoreBuilder::notice_others) is over, and an answer that it is just fetching cannot undo an
//! invalidation of something that was stored.
//!
//! # What is on the disk
//!
//! Everything is below `httplib2-1` in the directory, which is closed to other users: it has mode 0700,
//! which closes all below it, whatever the modes of the directories there; files have 0600. A directory that the store
//! was named and that is not there is made with 0700, one that is there stays as it is. A `httplib2-1` that belongs to
//! somebody else or is a symbolic link is refused, and so is a file. No file is opened through a symbolic link. An index line holds
//! in clear what the cache keeps of an exchange: the URI with its query, the fields of the response, the identity and the
//! request fields that selected it. The cache gives the values of `Authorization`, `Cookie` and `Proxy-Authorization`
//! only as SHA-256. What has another version, above or below, is a miss.
//!
//! # Options
//!
//! | setting of [`DiskStore`] | default |
//! |---|---|
//! | [`capacity`](DiskStoreBuilder::capacity) | 1 GiB |
//! | [`max_object`](DiskStoreBuilder::max_object) | a quarter of the capacity, at most half of it |
//! | [`max_variants`](DiskStoreBuilder::max_variants) | 64 per key |
//! | [`max_writing`](DiskStoreBuilder::max_writing) | 16 MiB |
//! | [`max_heads`](DiskStoreBuilder::max_heads) | 32 MiB |
//! | [`descriptors`](DiskStoreBuilder::descriptors) | 128 |
//! | [`notice_others`](DiskStoreBuilder::notice_others) | 1 s |
//! | [`generations`](DiskStoreBuilder::generations) | its own |
//! | [`clock`](DiskStoreBuilder::clock) | the system's |
//!
//! # Errors
//!
//! [`StoreError`](httplib2_store::StoreError). [`DiskStore::open`] says at once when a directory cannot be used; a store
//! that was made with [`build`](DiskStoreBuilder::build) finds nothing instead and says so once a minute through
//! `tracing`. After something could not be written, nothing is stored for a second. A damaged body is
//! [`Damaged`](httplib2_store::StoreError::Damaged), from [`open`](httplib2_store::Store::open) where it is not longer than
//! 1 MiB and from the body itself otherwise, and its entry is gone.
//!
//! # What it does not do
//!
//! It encrypts nothing and compresses nothing. It does not follow what other processes store until it is asked for it, or
//! sweeps, so its limit holds for all of them together only from hour to hour. On systems other than Unix it takes no
//! lock and sets no modes.

mod bucket;
mod builder;
mod content;
mod descriptors;
mod digest;
mod files;
mod index;
mod job;
mod numbers;
mod read_at;
mod reader;
mod record;
mod report;
mod save;
mod shared;
mod store;
mod trouble;
mod upkeep;
mod verify;
mod writer;

/// The readers of what is on the disk, for a fuzzer. Not for anybody else: they may change at any time.
#[doc(hidden)]
pub mod fuzzing {
    pub use crate::{
        bucket::{Bucket, Line, read_bucket},
        record::{Record, Variant, read_record},
    };
}

pub use self::{
    builder::DiskStoreBuilder,
    report::{Swept, Verified},
    store::DiskStore,
};
