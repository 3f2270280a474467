//! A cache in memory, over the network. The origin counts: an answer that did not come from where it should fails.

use std::net::SocketAddr;

use super::{
    Contender, Scenario,
    asking::{KIB, Kept, NOTHING, ONE, ONE_NOT_MODIFIED, Resources},
};
use crate::{
    BoxError,
    clients::{Conditional, Httplib2, HyperUtil, Over, Prepared, cache_layer, http_cache_tower},
    origin::cached::{self, Cacheable},
};

pub(super) const HIT_1K: Scenario =
    Scenario::in_a_row("cache-hit-1k", "GET of 1 KiB that is stored and fresh", 256, hits::<KIB>);
pub(super) const HIT_64K: Scenario =
    Scenario::in_a_row("cache-hit-64k", "GET of 64 KiB that is stored and fresh", 256, hits::<{ 64 * KIB }>);
/// In batches as long as those of the others: what the first request of a batch takes more is then shared alike.
pub(super) const HIT_1M: Scenario =
    Scenario::in_a_row("cache-hit-1m", "GET of 1 MiB that is stored and fresh", 256, hits::<{ 1024 * KIB }>);

/// The origin says that what is stored still holds.
pub(super) const VALIDATED: Scenario =
    Scenario::in_a_row("cache-304", "GET of 1 KiB that is stored and is validated each time", 256, validated);

/// Nothing is asked for twice.
pub(super) const STORED: Scenario =
    Scenario::in_a_row("cache-miss-stored", "GET of 1 KiB, a new URI each time, that is stored", 256, stored);

/// A cache that has nothing to do.
pub(super) const UNTOUCHED: Scenario =
    Scenario::in_a_row("cache-no-store", "GET of 1 KiB through a cache that may not keep it", 256, untouched);

fn hits<const LENGTH: usize>(origin: SocketAddr) -> Result<Vec<Contender>, BoxError> {
    let fresh = Resources { origin, cacheable: Cacheable::Fresh, length: LENGTH, price: NOTHING };
    let prepared = Over(Prepared(cached::answer(Cacheable::Fresh, LENGTH)));
    Ok(vec![
        fresh.contender("an answer, cloned", prepared)?,
        Resources { price: ONE, ..fresh }.contender("hyper-util, again", HyperUtil::default())?,
        fresh.contender("httplib2-cache", cache_layer(HyperUtil::default().0))?,
        fresh.contender("httplib2", Httplib2::caching()?)?,
        fresh.contender("http-cache-tower", http_cache_tower(HyperUtil::default().0))?,
    ])
}

fn validated(origin: SocketAddr) -> Result<Vec<Contender>, BoxError> {
    let validated = Resources { origin, cacheable: Cacheable::Validated, length: KIB, price: ONE_NOT_MODIFIED };
    Ok(vec![
        validated.contender("hyper-util, with tag", Conditional::on(cached::content(KIB)))?,
        validated.contender("httplib2-cache", cache_layer(HyperUtil::default().0))?,
        validated.contender("httplib2", Httplib2::caching()?)?,
        validated.contender("http-cache-tower", http_cache_tower(HyperUtil::default().0))?,
    ])
}

fn stored(origin: SocketAddr) -> Result<Vec<Contender>, BoxError> {
    let fresh = Resources { origin, cacheable: Cacheable::Fresh, length: KIB, price: ONE };
    Ok(vec![
        fresh.new_uris("hyper-util", HyperUtil::default(), Kept::Nothing)?,
        fresh.new_uris("httplib2-cache", cache_layer(HyperUtil::default().0), Kept::Last)?,
        fresh.new_uris("httplib2", Httplib2::caching()?, Kept::Last)?,
        fresh.new_uris("http-cache-tower", http_cache_tower(HyperUtil::default().0), Kept::Last)?,
    ])
}

fn untouched(origin: SocketAddr) -> Result<Vec<Contender>, BoxError> {
    let never = Resources { origin, cacheable: Cacheable::Never, length: KIB, price: ONE };
    Ok(vec![
        never.contender("hyper-util", HyperUtil::default())?,
        never.contender("httplib2-cache", cache_layer(HyperUtil::default().0))?,
        never.contender("httplib2, no cache", Httplib2::over_network()?)?,
        never.contender("httplib2", Httplib2::caching()?)?,
        never.contender("http-cache-tower", http_cache_tower(HyperUtil::default().0))?,
    ])
}
