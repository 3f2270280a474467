//! HTTP responses in the files of Python's httplib2, or in anything else that can get, set and delete bytes.
//!
//! ```
//! use bytes::Bytes;
//! use http::{HeaderMap, StatusCode};
//! use httplib2_store::{Head, Key, Store};
//! use httplib2_store_object::{Blocking, FileCache, ObjectStore, safename};
//! use std::time::UNIX_EPOCH;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let temporary = tempfile::tempdir()?;
//! # let directory = temporary.path().join("cache");
//! let store = ObjectStore::new(Blocking::inline(FileCache::new(&directory)?));
//!
//! let key = Key::of(&"http://example.org/page".parse()?).ok_or("no absolute URI")?;
//! let found = store.lookup(&key).await?;
//! let head = Head::new(StatusCode::OK, HeaderMap::new(), UNIX_EPOCH);
//! let mut writer = store.write(key.clone(), head, Some(5), found.generation)?;
//! writer.write(Bytes::from_static(b"hello"))?;
//! writer.commit(None).await?;
//!
//! // This is what httplib2 finds, given the same directory.
//! let file = std::fs::read_to_string(directory.join(safename("http://example.org/page")))?;
//! assert_eq!(
//!     file,
//!     "status: 200\r\n\
//!      date: Thu, 01 Jan 1970 00:00:00 GMT\r\n\
//!      content-location: http://example.org/page\r\n\
//!      -length: 5\r\n\
//!      \r\n\
//!      hello"
//! );
//! # Ok(())
//! # }
//! ```
//!
//! # Where it goes in a stack
//!
//! Nowhere itself: a cache layer holds an `Arc<dyn Store>`. [`ObjectStore`] is a
//! [`Store`](httplib2_store::Store) over a [`CacheObject`], which is what httplib2 takes for its `cache` argument: a
//! client of memcached, a dictionary, or [`FileCache`], the directory of files that httplib2 keeps itself.
//!
//! # What it does to a request
//!
//! Its key is the one of httplib2: scheme and host in lower case, path, query (H-CACHE-02). They differ in one thing: a
//! [`Key`](httplib2_store::Key) has no default port, and to httplib2 `http://a/` and `http://a:80/` are two. What it
//! keeps for the second, or for `http://a/?`, is not found, and it does not find ours. A key in a partition is
//! another one, which httplib2 never asks for.
//!
//! # What it does to a response
//!
//! It writes one blob: a line `status: 200`, one line per field, notes, an empty line, the body without its content
//! coding (H-CACHE-14 to H-CACHE-25).
//!
//! - Several lines of a field become one, because httplib2 sees only the last one. They are several again when they
//!   are read, but for `Vary`: its names stay one list.
//! - What is not ASCII, or would be taken for an encoded-word of RFC 2047, is written as one. Reading is tolerant, and
//!   no value makes httplib2 fail.
//! - `Content-Encoding` and `Transfer-Encoding` are left out, fields named `status`, and whatever begins with `-`: such
//!   names are notes, and no server writes a note. `Content-Length` says how long the body is.
//! - Notes: which coding was removed, the request fields of `Vary`, where to a permanent redirect leads, and, a note of
//!   ours, how long the body is where no `Content-Length` says so. httplib2 shows all notes to its callers.
//! - httplib2 compares the noted request fields octet by octet. It and a cache find each other's variants where the cache
//!   compares them exactly too: one that passes over letter case or order (its `Negotiation`) writes them without, and
//!   may miss.
//! - `Content-Location` is added where there is none, and taken off again.
//! - There is no place for the times of a response but `Date`, which is added where it is missing or cannot be read
//!   (RFC 9110 §6.6.1). `Age` is corrected by what passed between `Date` and the arrival, so that the age that is read
//!   is the one that the response had, to a second.
//!
//! What it reads as a whole response, it serves. What is cut off (shorter than its `Content-Length` or the noted
//! length), larger than it may be or no blob at all is not there. What httplib2 wrote without a `Content-Length` says not
//! how long it was, so there nothing is seen to be cut off. Fields of a connection, which httplib2 keeps, are left out.
//!
//! # Options
//!
//! | setting of [`ObjectStore`] | default |
//! |---|---|
//! | [`max_object`](ObjectStoreBuilder::max_object) | 16 MiB |
//! | [`max_writing`](ObjectStoreBuilder::max_writing) | 64 MiB |
//! | [`decode_with`](ObjectStoreBuilder::decode_with) | none: a coded response is not kept |
//! | [`executor`](ObjectStoreBuilder::executor) | none: changes run where they are awaited |
//! | [`generations`](ObjectStoreBuilder::generations) | its own |
//! | [`clock`](ObjectStoreBuilder::clock) | the system's |
//!
//! | setting of [`FileCache`] | default |
//! |---|---|
//! | [`safe`](FileCache::safe) | [`safename`] |
//! | [`max_bytes`](FileCache::max_bytes) | no limit |
//! | [`max_file`](FileCache::max_file) | 64 MiB |
//! | [`clock`](FileCache::clock) | the system's |
//!
//! # Errors
//!
//! [`StoreError`](httplib2_store::StoreError). None concerns the caller of a cache: it makes a miss of it. What cannot be
//! kept is refused with [`Unsupported`](httplib2_store::StoreError::Unsupported), before its body comes.
//!
//! # What it does not do
//!
//! - One response per key: a variant takes the place of another one, and the last one that is written remains, also when
//!   it was asked for earlier.
//! - Not kept: a response that was obtained for an [identity](httplib2_core::who::Identity), since a blob does not
//!   say for whom; one that `Authorization`, `Proxy-Authorization` or `Cookie` selected, since httplib2 would have them
//!   noted in clear (it does, and such a blob is not read); redirects other than 301 and 308, and parts, which httplib2
//!   would serve as answers. Other fields that `Vary` names are written in clear.
//! - Not kept of a response: trailers, its HTTP version, when exactly it came, which values are sensitive.
//! - httplib2 notes neither for whom it obtained a response nor by which method. A directory of its own is for one user,
//!   and an empty page in it may be the answer to a HEAD (H-CACHE-03).
//! - Bodies are not streamed: they are in memory as a whole.
//! - A plain object can neither be listed nor cleared, and does not say how full it is
//!   ([`Unsupported`](httplib2_store::StoreError::Unsupported)). A [`FileCache`] can be cleared and says how full it is,
//!   but its names do not tell the keys.
//! - An invalidation refuses what began before it in this process only: another one may still store an older answer.

mod blob;
mod blocking;
mod builder;
mod files;
mod names;
mod object;
mod shared;
mod store;
mod writer;

#[doc(hidden)]
pub use self::blob::{Blob, read_blob};
pub use self::{
    blocking::{Blocking, BlockingObject, Job},
    builder::ObjectStoreBuilder,
    files::{FileCache, safename},
    object::{CacheObject, Later},
    store::ObjectStore,
};
