//! A cache with many entries is opened: how long until the first hit?

use std::{
    convert::Infallible,
    fs,
    future::{Ready, ready},
    path::Path,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{Empty, Full};
use httplib2_store::Store;
use httplib2_store_disk::DiskStore;
use rustix::time::ClockId;
use tempfile::TempDir;
use tower::Service;

use super::{Length, Row, Rows, Series};
use crate::{
    BoxError,
    clients::{Client, Files, Httplib2, Target, cacache, disk, tiers},
    measure::micros,
    origin::cached::{self, Cacheable, numbered},
};

pub(super) const OPENED: Series = Series {
    name: "disk-open",
    about: "a store of many entries is opened, and then one of 1 KiB is asked for for the first time: the least us",
    columns: &["entries", "open", "hit", "together", "x"],
    run: |_, length| Box::pin(opened(length)),
};

/// An entry.
struct Expected {
    target: Target,
    content: Bytes,
}

/// Answers each URI with content of its own, at once.
#[derive(Clone, Debug)]
struct Filling(Response<Bytes>);

/// Answers nobody: who asks it was not answered by the cache.
#[derive(Clone, Copy, Debug)]
struct Nobody;

/// How long each content is.
const KIB: usize = 1024;

/// After so many entries those are waited for that are stored in the background.
const AT_ONCE: u64 = 1_000;

/// http-cache-tower takes four times as long to store one, and reads nothing when it is opened.
const PEERS_ENTRIES: u64 = 1_000;

async fn opened(length: Length) -> Rows {
    let (entries, peers) = (length.entries, length.entries.min(PEERS_ENTRIES));
    let (files, store, peer) = (TempDir::new()?, TempDir::new()?, TempDir::new()?);
    let filling = || Filling(cached::answer(Cacheable::Fresh, KIB));
    for number in 0..length.openings {
        fs::write(files.path().join(number.to_string()), numbered(&cached::content(KIB), number))?;
    }
    fill(&disk(filling(), store.path())?, entries).await?;
    fill(&cacache(filling(), peer.path()), peers).await?;
    let floor = Files::new(files.path());
    let mut rows = vec![
        row("one open, one read", length.openings, length.openings, || Ok(floor.clone())).await?,
        row("DiskStore", entries, length.openings, || disk(Nobody, store.path())).await?,
        row("Tiers", entries, length.openings, || tiers(Nobody, store.path())).await?,
        row("httplib2", entries, length.openings, || Httplib2::on_disk(store.path())).await?,
        row("http-cache-tower", peers, length.openings, || Ok(cacache(Nobody, peer.path()))).await?,
        all_known(entries, store.path()).await?,
    ];
    let floor = rows[0].figures[3];
    rows.iter_mut().for_each(|row| row.figures.push(row.figures[3] / floor));
    Ok(rows)
}

/// Stores so many entries, and sees that they are there.
async fn fill(client: &impl Client, entries: u64) -> Result<(), BoxError> {
    for first in (0..entries).step_by(AT_ONCE as usize) {
        let numbers = first..entries.min(first + AT_ONCE);
        for number in numbers.clone().chain(numbers) {
            Expected::new(number)?.of(client).await?;
        }
    }
    Ok(())
}

async fn row<C: Client>(
    name: &'static str,
    entries: u64,
    openings: u64,
    open: impl Fn() -> Result<C, BoxError>,
) -> Result<Row, BoxError> {
    let mut least = [f64::INFINITY; 3];
    for opening in 0..openings {
        let expected = Expected::new(opening * entries / openings)?;
        let start = micros(ClockId::Monotonic);
        let client = open()?;
        let opened = micros(ClockId::Monotonic);
        expected.of(&client).await.map_err(|error| format!("{name}: {error}"))?;
        let found = micros(ClockId::Monotonic);
        for (least, time) in least.iter_mut().zip([opened - start, found - opened, found - start]) {
            *least = least.min(time);
        }
    }
    Ok(Row { name, figures: vec![entries as f64, least[0], least[1], least[2]] })
}

/// How long it takes until the whole index is in memory, which happens in the background.
async fn all_known(entries: u64, directory: &Path) -> Result<Row, BoxError> {
    let start = micros(ClockId::Monotonic);
    let store = DiskStore::open(directory)?;
    let opened = micros(ClockId::Monotonic);
    let known = store.usage().await?.entries;
    let end = micros(ClockId::Monotonic);
    if known != entries {
        return Err(format!("{known} entries are known, not {entries}").into());
    }
    Ok(Row { name: "all entries known", figures: vec![entries as f64, opened - start, end - opened, end - start] })
}

// === impl Expected ===

impl Expected {
    fn new(number: u64) -> Result<Self, BoxError> {
        // Nobody is there to be asked.
        let target =
            Target::new(format!("http://127.0.0.1:1{}?open&{number}", cached::path(Cacheable::Numbered, KIB)))?;
        Ok(Self { target, content: numbered(&cached::content(KIB), number) })
    }

    async fn of(&self, client: &impl Client) -> Result<(), BoxError> {
        let (status, content) = client.get(&self.target).await?;
        if status != 200 || content != self.content {
            return Err(format!("answered {status} with {} bytes", content.len()).into());
        }
        Ok(())
    }
}

// === impl Filling ===

impl Service<Request<Empty<Bytes>>> for Filling {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Empty<Bytes>>) -> Self::Future {
        let target = request.uri().path_and_query().map_or("", |target| target.as_str());
        ready(Ok(self.0.clone().map(|content| Full::new(numbered(&content, cached::number(target))))))
    }
}

// === impl Nobody ===

impl Service<Request<Empty<Bytes>>> for Nobody {
    type Response = Response<Full<Bytes>>;
    type Error = BoxError;
    type Future = Ready<Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Empty<Bytes>>) -> Self::Future {
        ready(Err("not in the cache".into()))
    }
}
