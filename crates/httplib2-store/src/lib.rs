//! Where HTTP responses are kept: the [`Store`] trait, a store in memory, and a suite that every store passes.
//!
//! ```
//! use bytes::Bytes;
//! use http::{HeaderMap, StatusCode};
//! use httplib2_store::{Head, Key, MemoryStore, Store, StoredBody};
//! use std::time::UNIX_EPOCH;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = MemoryStore::new();
//! let key = Key::of(&"http://example.org/page".parse()?).ok_or("no absolute URI")?;
//!
//! // A miss, then what the network brought is written while it comes.
//! let found = store.lookup(&key).await?;
//! assert!(found.variants.is_empty());
//! let head = Head::new(StatusCode::OK, HeaderMap::new(), UNIX_EPOCH);
//! let mut writer = store.write(key.clone(), head, Some(11), found.generation)?;
//! writer.write(Bytes::from_static(b"hello "))?;
//! writer.write(Bytes::from_static(b"world"))?;
//! writer.commit(None).await?;
//!
//! // A hit.
//! let found = store.lookup(&key).await?;
//! let entry = &found.variants[0];
//! assert_eq!((entry.head().status, entry.length()), (StatusCode::OK, 11));
//! let body: StoredBody = store.open(&key, entry).await?;
//! assert_eq!(body.as_whole().map(|data| &data[..]), Some(&b"hello world"[..]));
//! # Ok(())
//! # }
//! ```
//!
//! # Where it goes in a stack
//!
//! Nowhere itself: a cache layer holds an `Arc<dyn Store>`. The store keeps what it is told to keep and knows nothing
//! of freshness. It decides two things: which response takes the place of which ([`Head::selects_same`]), and
//! what gives way when there is no room.
//!
//! # What it does to a request
//!
//! It makes a [`Key`] of its URI. Several responses may be kept under one key, told apart by the request fields
//! that selected them (RFC 9111 §4.1) and by the [identity](httplib2_core::who::Identity) they were obtained for.
//!
//! # What it does to a response
//!
//! - It becomes visible whole or not at all: with [`Writer::commit`]. A writer that is dropped leaves nothing.
//! - It is refused when the key was invalidated after the [`Generation`] that the look-up gave, so an
//!   answer that was under way cannot undo an invalidation.
//! - Its [`Head`] carries what the cache made of it ([`Head::memo`]), so that a hit parses nothing.
//! - Its body comes out with its exact length and its trailers ([`StoredBody`]).
//!
//! [`Tiers`] puts a quick store over a large one. A store that has all in memory answers without a future and without an allocation: see [`Answer`].
//!
//! # Options
//!
//! | setting of [`MemoryStore`] | default |
//! |---|---|
//! | [`capacity`](MemoryStoreBuilder::capacity) | 64 MiB |
//! | [`max_object`](MemoryStoreBuilder::max_object) | 4 MiB, at most 97 % of the capacity |
//! | [`max_variants`](MemoryStoreBuilder::max_variants) | 64 per key |
//! | [`max_writing`](MemoryStoreBuilder::max_writing) | 16 MiB |
//! | [`generations`](MemoryStoreBuilder::generations) | its own |
//! | [`clock`](MemoryStoreBuilder::clock) | the system's |
//! | [`on_evict`](MemoryStoreBuilder::on_evict) | nobody is told |
//!
//! # Errors
//!
//! [`StoreError`]. None concerns the caller of a cache: it makes a miss of it.
//!
//! # What it does not do
//!
//! It keeps nothing on a disk, and gives no body to readers while it is still being written. It does not expire
//! anything: what is stale may still be validated. `Vary` is not read here.
//!
//! Another store implements [`Store`] and runs [`conformance`] in its tests.

mod answer;
mod body;
mod collected;
pub mod conformance;
mod entry;
mod error;
mod generation;
mod head;
mod key;
mod memory;
mod place;
mod room;
mod store;
mod tiers;
mod under_way;

pub use self::{
    answer::Answer,
    body::StoredBody,
    collected::Collected,
    entry::{Entry, EntryId, Found, Listed, Usage},
    error::StoreError,
    generation::{Generation, Generations},
    head::{Head, compact},
    key::Key,
    memory::{MemoryStore, MemoryStoreBuilder},
    place::Place,
    room::{Room, Share},
    store::{Store, Writer},
    tiers::Tiers,
    under_way::{Change, Settled, UnderWay},
};
