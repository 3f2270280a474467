//! A cache in memory, over the network. The origin counts: an answer that did not come from where it should fails.

use std::{cell::Cell, net::SocketAddr};

use bytes::Bytes;
use futures_util::future::LocalBoxFuture;

use super::{Batch, Contender, Scenario};
use crate::{
    BoxError,
    clients::{Client, Conditional, Httplib2, HyperUtil, Over, Prepared, Target, cache_layer, http_cache_tower},
    origin::cached::{self, Asked, Cacheable},
};

pub(super) const HIT_1K: Scenario = hit("cache-hit-1k", "GET of 1 KiB that is stored and fresh", 256, hits::<KIB>);
pub(super) const HIT_64K: Scenario =
    hit("cache-hit-64k", "GET of 64 KiB that is stored and fresh", 256, hits::<{ 64 * KIB }>);
/// In batches as long as those of the others: what the first request of a batch takes more is then shared alike.
pub(super) const HIT_1M: Scenario =
    hit("cache-hit-1m", "GET of 1 MiB that is stored and fresh", 256, hits::<{ 1024 * KIB }>);

/// The origin says that what is stored still holds.
pub(super) const VALIDATED: Scenario = Scenario {
    name: "cache-304",
    about: "GET of 1 KiB that is stored and is validated each time",
    at_once: 1,
    batch: 256,
    contenders: validated,
};

/// Nothing is asked for twice.
pub(super) const STORED: Scenario = Scenario {
    name: "cache-miss-stored",
    about: "GET of 1 KiB, a new URI each time, that is stored",
    at_once: 1,
    batch: 256,
    contenders: stored,
};

/// A cache that has nothing to do.
pub(super) const UNTOUCHED: Scenario = Scenario {
    name: "cache-no-store",
    about: "GET of 1 KiB through a cache that may not keep it",
    at_once: 1,
    batch: 256,
    contenders: untouched,
};

const KIB: usize = 1024;

/// What one request costs the origin where the cache does what it should.
const NOTHING: Asked = Asked { whole: 0, not_modified: 0 };
const ONE: Asked = Asked { whole: 1, not_modified: 0 };
const ONE_NOT_MODIFIED: Asked = Asked { whole: 0, not_modified: 1 };

/// How many answers of a client are compared byte by byte.
const FIRST: usize = 8;

/// Of the others only so much at both ends: to compare 1 MiB takes longer than to get it from a cache.
const END: usize = KIB / 2;

/// Resources of one kind, of which each client has one of its own.
#[derive(Clone, Copy)]
struct Resources {
    origin: SocketAddr,
    cacheable: Cacheable,
    length: usize,
    /// What a request costs the origin.
    price: Asked,
}

/// A client and its resource.
struct Asking<C> {
    client: C,
    origin: SocketAddr,
    /// Counted by the origin.
    path: String,
    target: Target,
    content: Bytes,
    price: Asked,
    asked: Cell<Option<Asked>>,
    answers: Cell<usize>,
    new_uris: Option<NewUris>,
}

/// Another URI for each request.
struct NewUris {
    last: Cell<usize>,
    /// Whether the answers are stored.
    are_stored: bool,
}

const fn hit(
    name: &'static str,
    about: &'static str,
    batch: usize,
    contenders: fn(SocketAddr) -> Result<Vec<Contender>, BoxError>,
) -> Scenario {
    Scenario { name, about, at_once: 1, batch, contenders }
}

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
        fresh.new_uris("hyper-util", HyperUtil::default(), false)?,
        fresh.new_uris("httplib2-cache", cache_layer(HyperUtil::default().0), true)?,
        fresh.new_uris("httplib2", Httplib2::caching()?, true)?,
        fresh.new_uris("http-cache-tower", http_cache_tower(HyperUtil::default().0), true)?,
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

// === impl Resources ===

impl Resources {
    fn contender(self, name: &'static str, client: impl Client) -> Result<Contender, BoxError> {
        Ok(Contender { name, sender: Box::new(self.asking(name, client, None)?) })
    }

    fn new_uris(self, name: &'static str, client: impl Client, are_stored: bool) -> Result<Contender, BoxError> {
        let new_uris = NewUris { last: Cell::new(0), are_stored };
        Ok(Contender { name, sender: Box::new(self.asking(name, client, Some(new_uris))?) })
    }

    fn asking<C>(self, name: &str, client: C, new_uris: Option<NewUris>) -> Result<Asking<C>, BoxError> {
        let Self { origin, cacheable, length, price } = self;
        let who = name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
        let path = format!("{}?{who}", cached::path(cacheable, length));
        let target = Target::new(format!("http://{origin}{path}"))?;
        let content = cached::content(length);
        let (asked, answers) = Default::default();
        Ok(Asking { client, origin, path, target, content, price, asked, answers, new_uris })
    }
}

// === impl Asking ===

impl<C: Client> Batch for Asking<C> {
    fn send(&self, requests: usize) -> LocalBoxFuture<'_, Result<(), BoxError>> {
        Box::pin(async move {
            if self.asked.get().is_none() {
                // What is stored once and for all is stored now.
                self.ask().await?;
                self.asked.set(Some(self.count()?));
            }
            for _ in 0..requests {
                self.ask().await?;
            }
            Ok(())
        })
    }

    fn look_back(&self, requests: usize) -> LocalBoxFuture<'_, Result<(), BoxError>> {
        Box::pin(async move {
            let before = self.asked.get().ok_or("nothing was sent")?;
            let asked = self.count()?;
            let expected = Asked {
                whole: before.whole + requests * self.price.whole,
                not_modified: before.not_modified + requests * self.price.not_modified,
            };
            if asked != expected {
                return Err(format!("the origin was asked {asked:?}, not {expected:?}").into());
            }
            if let Some(new_uris) = &self.new_uris
                && new_uris.are_stored
            {
                self.expect(&self.numbered(new_uris.last.get())?).await?;
                if self.count()? != asked {
                    return Err("what was stored last is not there".into());
                }
            }
            self.asked.set(Some(asked));
            Ok(())
        })
    }
}

impl<C: Client> Asking<C> {
    async fn ask(&self) -> Result<(), BoxError> {
        let Some(new_uris) = &self.new_uris else { return self.expect(&self.target).await };
        new_uris.last.set(new_uris.last.get() + 1);
        self.expect(&self.numbered(new_uris.last.get())?).await
    }

    async fn expect(&self, target: &Target) -> Result<(), BoxError> {
        let (status, content) = self.client.get(target).await?;
        if status != 200 || !self.is_right(&content) {
            return Err(format!("answered {status} with {} bytes", content.len()).into());
        }
        Ok(())
    }

    fn is_right(&self, content: &Bytes) -> bool {
        let answers = self.answers.get();
        self.answers.set(answers + 1);
        let length = self.content.len();
        if answers < FIRST || length <= 2 * END || content.len() != length {
            return *content == self.content;
        }
        content[..END] == self.content[..END] && content[length - END..] == self.content[length - END..]
    }

    fn numbered(&self, number: usize) -> Result<Target, BoxError> {
        Target::new(format!("http://{}{}&{number}", self.origin, self.path))
    }

    fn count(&self) -> Result<Asked, BoxError> {
        cached::asked(self.origin, &self.path)
    }
}
