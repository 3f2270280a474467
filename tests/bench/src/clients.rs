//! Who is compared. Each client sends one GET and collects the content.

mod cache;
mod decoders;
mod disk;
mod httplib2;
mod hyper_util;
mod reqwest;
mod stream;
mod tower;

use bytes::Bytes;
use http::{StatusCode, Uri};

use crate::BoxError;

pub use self::{
    cache::{Conditional, Prepared, cache_layer, http_cache_tower},
    decoders::{Coded, Decoder},
    disk::{Files, InDirectory, cacache, disk, disk_without_descriptors, tiers},
    httplib2::Httplib2,
    hyper_util::{HyperUtil, SentAgain},
    reqwest::Reqwest,
    tower::{Mock, Over, tower_http},
};

/// A client that is compared.
pub trait Client: 'static {
    /// Sends one GET and collects the content.
    fn get(&self, target: &Target) -> impl Future<Output = Result<Answer, BoxError>>;
}

/// A client that hands out an answer piece by piece.
pub trait Reader: 'static {
    /// Sends one GET, reads the content to its end, keeps nothing of it and returns its length.
    fn read(&self, target: &Target) -> impl Future<Output = Result<u64, BoxError>>;
}

/// What is compared of an answer.
pub type Answer = (StatusCode, Bytes);

/// Whose credentials the clients have, where they have any.
pub const NAME: &str = "joe";

/// The password of [`NAME`].
pub const PASSWORD: &str = "s3cret";

/// What is asked for, in the form in which a client wants it: some parse the text for each request.
#[derive(Clone, Debug)]
pub struct Target {
    text: String,
    uri: Uri,
}

/// A client that follows no redirects, with somebody who knows where they lead.
#[derive(Debug)]
pub struct EachHop<C> {
    client: C,
    hops: Vec<Target>,
}

// === impl Target ===

impl Target {
    /// A URI in both forms.
    ///
    /// # Errors
    ///
    /// Where it is none.
    pub fn new(text: String) -> Result<Self, BoxError> {
        Ok(Self { uri: text.parse()?, text })
    }
}

// === impl EachHop ===

impl<C> EachHop<C> {
    /// Sends a request for each of `hops`, whatever it is asked for, and returns the last answer.
    pub fn new(client: C, hops: Vec<Target>) -> Self {
        Self { client, hops }
    }
}

impl<C: Client> Client for EachHop<C> {
    async fn get(&self, target: &Target) -> Result<Answer, BoxError> {
        let (last, before) = self.hops.split_last().unwrap_or((target, &[]));
        for hop in before {
            self.client.get(hop).await?;
        }
        self.client.get(last).await
    }
}
