//! A client, its resource, and what the origin must have been asked for it.

use std::{cell::Cell, net::SocketAddr, ops::RangeInclusive};

use bytes::Bytes;
use futures_util::future::LocalBoxFuture;

use super::{Batch, Contender};
use crate::{
    BoxError,
    clients::{Answer, Client, Target},
    origin::cached::{self, Asked, Cacheable, NUMBER},
};

/// Resources of one kind, of which each client has one of its own.
#[derive(Clone, Copy)]
pub(super) struct Resources {
    pub(super) origin: SocketAddr,
    pub(super) cacheable: Cacheable,
    pub(super) length: usize,
    /// What a request costs the origin.
    pub(super) price: Asked,
}

/// What is looked for afterwards of answers that came from new URIs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// Nothing, because nothing is kept.
    Nothing,
    /// The last one.
    Last,
    /// Each. What is stored in the background is then there when the next batch begins.
    All,
}

/// A resource, or one for each number.
pub(super) struct Resource {
    origin: SocketAddr,
    cacheable: Cacheable,
    /// Counted by the origin.
    path: String,
    content: Bytes,
    answers: Cell<usize>,
}

/// A client and its resource.
struct Asking<C> {
    client: C,
    resource: Resource,
    target: Target,
    price: Asked,
    asked: Cell<Option<Asked>>,
    new_uris: Option<NewUris>,
}

/// Another URI for each request.
struct NewUris {
    last: Cell<u64>,
    kept: Kept,
}

pub(super) const KIB: usize = 1024;

/// What one request costs the origin where the cache does what it should.
pub(super) const NOTHING: Asked = Asked { whole: 0, not_modified: 0 };
pub(super) const ONE: Asked = Asked { whole: 1, not_modified: 0 };
pub(super) const ONE_NOT_MODIFIED: Asked = Asked { whole: 0, not_modified: 1 };

/// How many answers of a client are compared byte by byte.
const FIRST: usize = 8;

/// Of the others only so much at both ends: to compare 1 MiB takes longer than to get it from a cache.
const END: usize = KIB / 2;

// === impl Resources ===

impl Resources {
    pub(super) fn contender(self, name: &'static str, client: impl Client) -> Result<Contender, BoxError> {
        Ok(Contender { name, sender: Box::new(self.asking(name, client, None)?) })
    }

    pub(super) fn new_uris(self, name: &'static str, client: impl Client, kept: Kept) -> Result<Contender, BoxError> {
        let new_uris = NewUris { last: Cell::new(0), kept };
        Ok(Contender { name, sender: Box::new(self.asking(name, client, Some(new_uris))?) })
    }

    /// The resource of the client with this name.
    pub(super) fn of(self, name: &str) -> Resource {
        let Self { origin, cacheable, length, .. } = self;
        let who = name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
        let path = format!("{}?{who}", cached::path(cacheable, length));
        Resource { origin, cacheable, path, content: cached::content(length), answers: Cell::default() }
    }

    fn asking<C>(self, name: &str, client: C, new_uris: Option<NewUris>) -> Result<Asking<C>, BoxError> {
        let resource = self.of(name);
        let target = resource.target(None)?;
        Ok(Asking { client, resource, target, price: self.price, asked: Cell::default(), new_uris })
    }
}

// === impl Resource ===

impl Resource {
    pub(super) fn target(&self, number: Option<u64>) -> Result<Target, BoxError> {
        let number = number.map(|number| format!("&{number}")).unwrap_or_default();
        Target::new(format!("http://{}{}{number}", self.origin, self.path))
    }

    /// Whether this is an answer of the resource, or of the one with this number.
    pub(super) fn expect(&self, answer: Answer, number: Option<u64>) -> Result<(), BoxError> {
        let (status, content) = answer;
        if status != 200 || !self.is_right(&content, number.unwrap_or_default()) {
            return Err(format!("answered {status} with {} bytes", content.len()).into());
        }
        Ok(())
    }

    pub(super) fn count(&self) -> Result<Asked, BoxError> {
        cached::asked(self.origin, &self.path)
    }

    fn is_right(&self, content: &Bytes, number: u64) -> bool {
        let answers = self.answers.get();
        self.answers.set(answers + 1);
        let length = self.content.len();
        if content.len() != length {
            return false;
        }
        let ((begin, content), (known_begin, known)) = (content.split_at(NUMBER), self.content.split_at(NUMBER));
        let is_numbered = self.cacheable == Cacheable::Numbered;
        if is_numbered && begin != number.to_be_bytes() || !is_numbered && begin != known_begin {
            return false;
        }
        if answers < FIRST || length <= 2 * END {
            return content == known;
        }
        let last = known.len() - END;
        content[..END] == known[..END] && content[last..] == known[last..]
    }
}

// === impl Asking ===

impl<C: Client> Batch for Asking<C> {
    fn send(&self, requests: usize) -> LocalBoxFuture<'_, Result<(), BoxError>> {
        Box::pin(async move {
            if self.asked.get().is_none() {
                // What is stored once and for all is stored now.
                self.ask().await?;
                self.asked.set(Some(self.resource.count()?));
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
            let asked = self.resource.count()?;
            let expected = Asked {
                whole: before.whole + requests * self.price.whole,
                not_modified: before.not_modified + requests * self.price.not_modified,
            };
            if asked != expected {
                return Err(format!("the origin was asked {asked:?}, not {expected:?}").into());
            }
            if let Some(new_uris) = &self.new_uris {
                for number in new_uris.kept(requests) {
                    self.expect(&self.resource.target(Some(number))?, Some(number)).await?;
                }
                if self.resource.count()? != asked {
                    return Err("what was stored is not there".into());
                }
            }
            self.asked.set(Some(asked));
            Ok(())
        })
    }
}

impl<C: Client> Asking<C> {
    async fn ask(&self) -> Result<(), BoxError> {
        let Some(new_uris) = &self.new_uris else { return self.expect(&self.target, None).await };
        let number = new_uris.last.get() + 1;
        new_uris.last.set(number);
        self.expect(&self.resource.target(Some(number))?, Some(number)).await
    }

    async fn expect(&self, target: &Target, number: Option<u64>) -> Result<(), BoxError> {
        self.resource.expect(self.client.get(target).await?, number)
    }
}

// === impl NewUris ===

impl NewUris {
    /// The numbers of those that must be there after so many requests.
    fn kept(&self, requests: usize) -> RangeInclusive<u64> {
        let last = self.last.get();
        match self.kept {
            Kept::Nothing => last + 1..=last,
            Kept::Last => last..=last,
            Kept::All => last + 1 - requests as u64..=last,
        }
    }
}
