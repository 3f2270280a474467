//! A cache on a disk, over the network. The files are in the page cache.

use std::{
    cell::{Cell, RefCell},
    net::SocketAddr,
    path::Path,
    rc::Rc,
};

use bytes::Bytes;
use futures_util::future::{LocalBoxFuture, ready};
use http_body_util::Empty;
use hyper_util::client::legacy::{Client as Legacy, connect::HttpConnector};
use tempfile::TempDir;

use super::{
    Batch, Contender, Scenario,
    asking::{KIB, Kept, NOTHING, ONE, ONE_NOT_MODIFIED, Resource, Resources},
};
use crate::{
    BoxError,
    clients::{
        Client, Conditional, Files, Httplib2, HyperUtil, InDirectory, cacache, disk, disk_without_descriptors, tiers,
    },
    origin::cached::{self, Asked, Cacheable},
};

pub(super) const HIT_1K: Scenario =
    Scenario::in_a_row("disk-hit-1k", "GET of 1 KiB that is stored and fresh", 256, hits::<KIB>);
pub(super) const HIT_64K: Scenario =
    Scenario::in_a_row("disk-hit-64k", "GET of 64 KiB that is stored and fresh", 256, hits::<{ 64 * KIB }>);
pub(super) const HIT_1M: Scenario =
    Scenario::in_a_row("disk-hit-1m", "GET of 1 MiB that is stored and fresh", 32, hits::<{ 1024 * KIB }>);

/// In batches that end before the index is read as a whole, 50 ms after the store was opened.
pub(super) const FIRST_1K: Scenario = Scenario::in_a_row(
    "disk-first-1k",
    "1 KiB, for the first time since the store was opened",
    128,
    firsts::<KIB, 128>,
);
pub(super) const FIRST_64K: Scenario = Scenario::in_a_row(
    "disk-first-64k",
    "64 KiB, for the first time since the store was opened",
    32,
    firsts::<{ 64 * KIB }, 32>,
);
pub(super) const FIRST_1M: Scenario = Scenario::in_a_row(
    "disk-first-1m",
    "1 MiB, for the first time since the store was opened",
    8,
    firsts::<{ 1024 * KIB }, 8>,
);

/// The origin says that what is stored still holds.
pub(super) const VALIDATED: Scenario =
    Scenario::in_a_row("disk-304", "GET of 1 KiB that is stored and is validated each time", 128, validated);

/// One by one: what is stored in the background is stored before the next request is timed.
pub(super) const STORED: Scenario =
    Scenario::in_a_row("disk-miss-stored", "GET of 1 KiB that is stored: what one caller waits", 1, stored);

/// What is done in the background has no other processor to go to.
pub(super) const STORED_IN_A_ROW: Scenario =
    Scenario::in_a_row("disk-misses-stored", "the same, one after the other: nearly all that it costs", 128, stored);

/// A client that is made anew before each batch, in a directory that stays.
struct Reopening<C, F> {
    open: F,
    resource: Resource,
    /// How many entries there are, numbered from 0.
    entries: u64,
    /// Before the directory, so that it ends before that is removed.
    client: RefCell<Option<Rc<C>>>,
    directory: TempDir,
    next: Cell<u64>,
    asked: Cell<Asked>,
}

fn hits<const LENGTH: usize>(origin: SocketAddr) -> Result<Vec<Contender>, BoxError> {
    let fresh = Resources { origin, cacheable: Cacheable::Fresh, length: LENGTH, price: NOTHING };
    Ok(vec![
        fresh.contender("fs::read", InDirectory::new(|dir| Ok(Files::new(dir)))?)?,
        fresh.contender("DiskStore", InDirectory::new(|dir| disk(server(), dir))?)?,
        fresh.contender("DiskStore, none open", InDirectory::new(|dir| disk_without_descriptors(server(), dir))?)?,
        fresh.contender("Tiers", InDirectory::new(|dir| tiers(server(), dir))?)?,
        fresh.contender("httplib2", InDirectory::new(Httplib2::on_disk)?)?,
        fresh.contender("http-cache-tower", InDirectory::new(|dir| Ok(cacache(server(), dir)))?)?,
    ])
}

fn firsts<const LENGTH: usize, const ENTRIES: u64>(origin: SocketAddr) -> Result<Vec<Contender>, BoxError> {
    let numbered = Resources { origin, cacheable: Cacheable::Numbered, length: LENGTH, price: NOTHING };
    Ok(vec![
        reopening(numbered, ENTRIES, "fs::read", |dir| Ok(Files::new(dir)))?,
        reopening(numbered, ENTRIES, "fs::read, SHA-256", |dir| Ok(Files::hashing(dir)))?,
        reopening(numbered, ENTRIES, "DiskStore", |dir| disk(server(), dir))?,
        reopening(numbered, ENTRIES, "Tiers", |dir| tiers(server(), dir))?,
        reopening(numbered, ENTRIES, "httplib2", Httplib2::on_disk)?,
        reopening(numbered, ENTRIES, "http-cache-tower", |dir| Ok(cacache(server(), dir)))?,
    ])
}

fn validated(origin: SocketAddr) -> Result<Vec<Contender>, BoxError> {
    let validated = Resources { origin, cacheable: Cacheable::Validated, length: KIB, price: ONE_NOT_MODIFIED };
    Ok(vec![
        validated.contender("hyper-util, with tag", Conditional::on(cached::content(KIB)))?,
        validated.contender("DiskStore", InDirectory::new(|dir| disk(server(), dir))?)?,
        validated.contender("Tiers", InDirectory::new(|dir| tiers(server(), dir))?)?,
        validated.contender("httplib2", InDirectory::new(Httplib2::on_disk)?)?,
        validated.contender("http-cache-tower", InDirectory::new(|dir| Ok(cacache(server(), dir)))?)?,
    ])
}

fn stored(origin: SocketAddr) -> Result<Vec<Contender>, BoxError> {
    let numbered = Resources { origin, cacheable: Cacheable::Numbered, length: KIB, price: ONE };
    Ok(vec![
        numbered.new_uris("hyper-util", HyperUtil::default(), Kept::Nothing)?,
        numbered.new_uris("hyper-util, fs::write", InDirectory::new(|dir| Ok(Files::new(dir)))?, Kept::All)?,
        numbered.new_uris("DiskStore", InDirectory::new(|dir| disk(server(), dir))?, Kept::All)?,
        numbered.new_uris("Tiers", InDirectory::new(|dir| tiers(server(), dir))?, Kept::All)?,
        numbered.new_uris("httplib2", InDirectory::new(Httplib2::on_disk)?, Kept::All)?,
        numbered.new_uris("http-cache-tower", InDirectory::new(|dir| Ok(cacache(server(), dir)))?, Kept::All)?,
    ])
}

fn reopening<C: Client>(
    resources: Resources,
    entries: u64,
    name: &'static str,
    open: impl Fn(&Path) -> Result<C, BoxError> + 'static,
) -> Result<Contender, BoxError> {
    let (resource, directory) = (resources.of(name), TempDir::new()?);
    let (client, next, asked) = Default::default();
    let reopening = Reopening { open, resource, entries, client, directory, next, asked };
    Ok(Contender { name, sender: Box::new(reopening) })
}

fn server() -> Legacy<HttpConnector, Empty<Bytes>> {
    HyperUtil::default().0
}

// === impl Reopening ===

impl<C, F> Batch for Reopening<C, F>
where
    C: Client,
    F: Fn(&Path) -> Result<C, BoxError>,
{
    fn prepare(&self) -> LocalBoxFuture<'_, Result<(), BoxError>> {
        Box::pin(async move {
            if self.client.borrow().is_none() {
                self.fill().await?;
            }
            self.reopen()
        })
    }

    fn send(&self, requests: usize) -> LocalBoxFuture<'_, Result<(), BoxError>> {
        Box::pin(async move {
            if requests as u64 > self.entries {
                return Err(format!("there are only {} entries", self.entries).into());
            }
            let client = self.client()?;
            for _ in 0..requests {
                let number = self.next.get();
                self.next.set((number + 1) % self.entries);
                self.ask(&client, number).await?;
            }
            Ok(())
        })
    }

    fn look_back(&self, _: usize) -> LocalBoxFuture<'_, Result<(), BoxError>> {
        Box::pin(ready(self.was_nothing_asked_for()))
    }
}

impl<C, F> Reopening<C, F>
where
    C: Client,
    F: Fn(&Path) -> Result<C, BoxError>,
{
    /// Stores all entries, and looks for each: then they are on the disk.
    async fn fill(&self) -> Result<(), BoxError> {
        let client = (self.open)(self.directory.path())?;
        self.asked.set(self.resource.count()?);
        for number in (0..self.entries).chain(0..self.entries) {
            self.ask(&client, number).await?;
        }
        let (before, asked) = (self.asked.get(), self.resource.count()?);
        self.asked.set(asked);
        if asked.whole - before.whole != self.entries as usize {
            return Err(format!("the origin was asked {asked:?} for {} entries", self.entries).into());
        }
        Ok(())
    }

    fn reopen(&self) -> Result<(), BoxError> {
        // The old one first, as in a process that ends before another one begins.
        self.client.take();
        self.client.replace(Some(Rc::new((self.open)(self.directory.path())?)));
        Ok(())
    }

    fn client(&self) -> Result<Rc<C>, BoxError> {
        Ok(Rc::clone(self.client.borrow().as_ref().ok_or("nothing was prepared")?))
    }

    async fn ask(&self, client: &C, number: u64) -> Result<(), BoxError> {
        self.resource.expect(client.get(&self.resource.target(Some(number))?).await?, Some(number))
    }

    fn was_nothing_asked_for(&self) -> Result<(), BoxError> {
        let asked = self.resource.count()?;
        if asked != self.asked.get() {
            return Err(format!("the origin was asked {asked:?}").into());
        }
        Ok(())
    }
}
