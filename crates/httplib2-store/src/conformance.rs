//! What every store owes to those who use it, as checks that a store's tests run.
//!
//! [`every_store`] holds for all stores, also for plain ones that keep one response per key; [`streaming`] for
//! those that keep variants and do not hold whole bodies in memory. Both run their checks one after the other, each
//! with a new store of 1 MiB, and panic with the name of the law and a sentence when one is broken, also when
//! a store does not answer for a minute. They need tokio's timer.
//!
//! ```
//! use std::sync::Arc;
//! use httplib2_store::{MemoryStore, Store, conformance};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let make = async |bytes| Arc::new(MemoryStore::builder().capacity(bytes).build()) as Arc<dyn Store>;
//! conformance::every_store(make).await;
//! conformance::streaming(make).await;
//! # }
//! ```

mod every;
mod limits;
mod replacing;
mod sample;
mod variants;
mod writing;

use std::{fmt, future::Future, sync::Arc, time::Duration};

use crate::Store;

/// How many bytes a store that is checked may take.
const ROOM: u64 = 1024 * 1024;

/// How long one check may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Checks what every store owes to those who use it.
///
/// `make` makes an empty store that may take so many bytes. It is asked once for each law:
///
/// | law | what is checked |
/// |---|---|
/// | what is committed is found | status, fields with several lines, body, times of use; also an empty body |
/// | nothing is visible before the commit | while it is written |
/// | what is given up leaves nothing | a dropped writer, bytes in use too |
/// | a body has the length that was announced | shorter and longer ones are refused |
/// | the later response takes the place of the earlier | once per key, body and head |
/// | what is removed is gone | one entry, all of a key; removing nothing is no error |
/// | an invalidation refuses what began before it | commits and updates, after `invalidate` and `clear` |
/// | an update changes the head and keeps the body | the name stays; of a removed entry it fails |
/// | different keys keep different responses | one byte at the far end, partitions |
/// | a store stays within its limit and goes on storing | three times as much as fits |
/// | what is too large is refused and not lost | no commit says yes to what is not there |
/// | listing and usage tell the truth | keys, lengths, number, bytes; a store that cannot list says so |
/// | after clearing there is nothing | look-up, listing, usage |
///
/// # Panics
///
/// When a law is broken, with its name.
pub async fn every_store(make: impl AsyncFn(u64) -> Arc<dyn Store>) {
    check("what is committed is found", every::committed_is_found, &make).await;
    check("nothing is visible before the commit", every::invisible_before_the_commit, &make).await;
    check("what is given up leaves nothing", every::given_up_leaves_nothing, &make).await;
    check("a body has the length that was announced", every::announced_length, &make).await;
    check("the later response takes the place of the earlier", replacing::later_replaces_earlier, &make).await;
    check("what is removed is gone", replacing::removed_is_gone, &make).await;
    check("an invalidation refuses what began before it", replacing::late_commits_are_refused, &make).await;
    check("an update changes the head and keeps the body", replacing::updates_keep_the_body, &make).await;
    check("different keys keep different responses", every::keys_differ, &make).await;
    check("a store stays within its limit and goes on storing", limits::stays_within_its_limit, &make).await;
    check("what is too large is refused and not lost", limits::too_large_is_refused, &make).await;
    check("listing and usage tell the truth", limits::listing_is_true, &make).await;
    check("after clearing there is nothing", limits::cleared_is_empty, &make).await;
}

/// Checks what a store with variants and streamed bodies owes besides.
///
/// | law | what is checked |
/// |---|---|
/// | the whole head is kept | every public field of [`Head`](crate::Head), repeated, odd and sensitive values |
/// | variants are kept apart | by selecting fields and by identity; replaced, updated and removed one by one |
/// | many variants of one key stay within the limit | and the newest is there |
/// | trailers are kept | with and without them |
/// | an older response does not take the place of a newer | by the time of its request; of another variant it may |
/// | a range of a body is that part of it | at both ends, in the middle, empty, beyond the end |
/// | a body that broke off is kept as a part | under its new head; or refused, and then it is not there |
/// | a body that is open is not disturbed | by a replacement, an update, a removal, an invalidation, clearing |
/// | writers of one key do not meet | interleaved; the last commit remains |
/// | memory is bounded while a large body is written | sixteen times what the store may take, piece by piece |
///
/// # Panics
///
/// When a law is broken, with its name.
pub async fn streaming(make: impl AsyncFn(u64) -> Arc<dyn Store>) {
    check("the whole head is kept", variants::whole_head_is_kept, &make).await;
    check("variants are kept apart", variants::are_kept_apart, &make).await;
    check("many variants of one key stay within the limit", limits::many_variants, &make).await;
    check("trailers are kept", writing::trailers_are_kept, &make).await;
    check("an older response does not take the place of a newer", replacing::older_is_refused, &make).await;
    check("a range of a body is that part of it", writing::ranges_are_parts, &make).await;
    check("a body that broke off is kept as a part", writing::parts_are_kept, &make).await;
    check("a body that is open is not disturbed", writing::open_bodies_are_not_disturbed, &make).await;
    check("writers of one key do not meet", writing::writers_do_not_meet, &make).await;
    check("memory is bounded while a large body is written", writing::memory_is_bounded, &make).await;
}

/// The name of the law that is being checked.
#[derive(Clone, Copy)]
struct Law(&'static str);

async fn check<F>(
    name: &'static str,
    law: impl FnOnce(Law, Arc<dyn Store>) -> F,
    make: &impl AsyncFn(u64) -> Arc<dyn Store>,
) where
    F: Future<Output = ()>,
{
    let store = make(ROOM).await;
    if tokio::time::timeout(PATIENCE, law(Law(name), store)).await.is_err() {
        Law(name).broken("there is no answer");
    }
}

// === impl Law ===

impl Law {
    /// Panics with the name of the law unless it is kept.
    #[track_caller]
    fn holds(self, kept: bool, breach: impl FnOnce() -> String) {
        if !kept {
            self.broken(breach());
        }
    }

    /// What must not fail.
    #[track_caller]
    fn expect<T, E: fmt::Debug>(self, result: Result<T, E>, what: &str) -> T {
        match result {
            Ok(value) => value,
            Err(error) => self.broken(format_args!("{what} failed with {error:?}")),
        }
    }

    #[track_caller]
    fn broken(self, breach: impl fmt::Display) -> ! {
        panic!("the law \"{}\" is broken: {breach}", self.0)
    }
}
