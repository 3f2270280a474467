//! What is compared: one file each.
//!
//! To add one: a file with a [`Scenario`], its line in [`ALL`], and what the origin answers in `origin.rs`.

mod asking;
mod cache;
mod decoding;
mod digest;
mod disk;
mod dying;
mod mock;
mod redirects;
mod small;

use std::net::SocketAddr;

use bytes::Bytes;
use futures_util::future::{LocalBoxFuture, ready, try_join_all};

use crate::{
    BoxError,
    clients::{Client, Target},
    origin::CONTENT,
};

/// All scenarios, in the order in which they run.
pub const ALL: [Scenario; 27] = [
    small::SEQUENTIAL,
    small::AT_ONCE,
    redirects::OVER_NETWORK,
    dying::CONNECTION,
    digest::OVER_NETWORK,
    mock::SMALL,
    mock::REDIRECTS,
    mock::LAYERS,
    digest::MOCK,
    decoding::GZIP,
    decoding::BROTLI,
    decoding::ZSTD,
    cache::HIT_1K,
    cache::HIT_64K,
    cache::HIT_1M,
    cache::VALIDATED,
    cache::STORED,
    cache::UNTOUCHED,
    disk::HIT_1K,
    disk::HIT_64K,
    disk::HIT_1M,
    disk::FIRST_1K,
    disk::FIRST_64K,
    disk::FIRST_1M,
    disk::VALIDATED,
    disk::STORED,
    disk::STORED_IN_A_ROW,
];

/// The same requests for several clients.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What is done, in a few words.
    pub about: &'static str,
    /// How many requests are under way at the same time.
    pub at_once: usize,
    /// How many requests are timed as one: some milliseconds.
    pub batch: usize,
    /// Makes the clients, given where the origin is. The first is the floor of the ratios.
    contenders: fn(SocketAddr) -> Result<Vec<Contender>, BoxError>,
}

/// One client with what it is to ask for.
pub struct Contender {
    /// What it is called in the table.
    pub name: &'static str,
    sender: Box<dyn Batch>,
}

/// A client whose type is not known any more: at this height, so that it costs nothing per request.
trait Batch {
    /// Makes ready what the next requests need.
    fn prepare(&self) -> LocalBoxFuture<'_, Result<(), BoxError>> {
        Box::pin(ready(Ok(())))
    }

    fn send(&self, requests: usize) -> LocalBoxFuture<'_, Result<(), BoxError>>;

    /// Looks at what `requests` requests, sent since the last time, have left behind.
    fn look_back(&self, _requests: usize) -> LocalBoxFuture<'_, Result<(), BoxError>> {
        Box::pin(ready(Ok(())))
    }
}

struct Sender<C> {
    client: C,
    target: Target,
    content: Bytes,
}

/// The scenario of this name.
///
/// # Errors
///
/// Where there is none.
pub fn named(name: &str) -> Result<Scenario, BoxError> {
    let known = || ALL.map(|scenario| scenario.name).join(", ");
    ALL.into_iter()
        .find(|scenario| scenario.name == name)
        .ok_or_else(|| format!("there is no scenario {name:?}, only {}", known()).into())
}

// === impl Scenario ===

impl Scenario {
    /// One request after the other.
    const fn in_a_row(
        name: &'static str,
        about: &'static str,
        batch: usize,
        contenders: fn(SocketAddr) -> Result<Vec<Contender>, BoxError>,
    ) -> Self {
        Self { name, about, at_once: 1, batch, contenders }
    }

    /// The clients, the floor first.
    ///
    /// # Errors
    ///
    /// Where one cannot be built.
    pub fn contenders(&self, origin: SocketAddr) -> Result<Vec<Contender>, BoxError> {
        (self.contenders)(origin)
    }

    /// How many requests are sent where at least `requests` are wanted: the same for each that is under way.
    #[must_use]
    pub fn round_up(&self, requests: usize) -> usize {
        requests.next_multiple_of(self.at_once)
    }

    /// Makes ready what the next [`send`](Self::send) needs, outside of what is measured.
    ///
    /// # Errors
    ///
    /// Where that fails.
    pub async fn prepare(&self, contender: &Contender) -> Result<(), BoxError> {
        contender.sender.prepare().await.map_err(|error| self.told(contender, error))
    }

    /// Sends `requests` requests, and looks at every answer.
    ///
    /// # Errors
    ///
    /// Where an answer is not the right one, or there is none.
    pub async fn send(&self, contender: &Contender, requests: usize) -> Result<(), BoxError> {
        let told = |error| self.told(contender, error);
        if self.at_once == 1 {
            return contender.sender.send(requests).await.map_err(told);
        }
        let each = requests / self.at_once;
        let senders = (0..self.at_once).map(|_| contender.sender.send(each));
        try_join_all(senders).await.map(drop).map_err(told)
    }

    /// Looks at what cannot be seen in the answers, outside of what is measured: was a cache a cache for the last
    /// `requests` requests?
    ///
    /// # Errors
    ///
    /// Where it was not.
    pub async fn look_back(&self, contender: &Contender, requests: usize) -> Result<(), BoxError> {
        contender.sender.look_back(requests).await.map_err(|error| self.told(contender, error))
    }

    fn told(&self, contender: &Contender, error: BoxError) -> BoxError {
        format!("{}, {}: {error}", self.name, contender.name).into()
    }
}

// === impl Contender ===

impl Contender {
    fn new(name: &'static str, client: impl Client, target: &Target) -> Self {
        Self::expecting(name, client, target, &Bytes::from_static(&CONTENT))
    }

    fn expecting(name: &'static str, client: impl Client, target: &Target, content: &Bytes) -> Self {
        Self { name, sender: Box::new(Sender { client, target: target.clone(), content: content.clone() }) }
    }
}

// === impl Sender ===

impl<C: Client> Batch for Sender<C> {
    fn send(&self, requests: usize) -> LocalBoxFuture<'_, Result<(), BoxError>> {
        Box::pin(async move {
            for _ in 0..requests {
                let (status, content) = self.client.get(&self.target).await?;
                if status != 200 || content != self.content {
                    return Err(format!("answered {status} with {} bytes", content.len()).into());
                }
            }
            Ok(())
        })
    }
}
