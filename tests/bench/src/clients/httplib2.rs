//! What all this is about.

use std::path::Path;

use httplib2::{Body, Error, Http, core::send::HttpService};
use httplib2_store::MemoryStore;

use super::{Answer, Client, NAME, PASSWORD, Reader, Target, disk::two_tiers, stream::drain};
use crate::BoxError;

/// The facade with its default settings.
#[derive(Clone, Debug)]
pub struct Httplib2 {
    http: Http,
}

// === impl Httplib2 ===

impl Httplib2 {
    /// Over the network.
    ///
    /// # Errors
    ///
    /// Where the default settings were wrong.
    pub fn over_network() -> Result<Self, Error> {
        Http::builder().build().map(|http| Self { http })
    }

    /// Over the network, with a new connection for each request.
    ///
    /// # Errors
    ///
    /// Where the default settings were wrong.
    pub fn fresh() -> Result<Self, Error> {
        Http::builder().pool_max_idle_per_host(0).build().map(|http| Self { http })
    }

    /// Over the network, with a cache in memory.
    ///
    /// # Errors
    ///
    /// Where the default settings were wrong.
    pub fn caching() -> Result<Self, Error> {
        Http::builder().cache(MemoryStore::new()).build().map(|http| Self { http })
    }

    /// Over the network, with a cache in this directory.
    ///
    /// # Errors
    ///
    /// Where the default settings were wrong.
    pub fn on_disk(directory: &Path) -> Result<Self, BoxError> {
        Ok(Self { http: Http::builder().cache(directory).build()? })
    }

    /// The same with room for more than the default.
    ///
    /// # Errors
    ///
    /// Where the directory is no good.
    pub fn on_large_disk(directory: &Path) -> Result<Self, BoxError> {
        Ok(Self { http: Http::builder().cache(two_tiers(directory)?).build()? })
    }

    /// Over a service in place of the network.
    ///
    /// # Errors
    ///
    /// Where the default settings were wrong.
    pub fn over<S: HttpService<Body> + Sync>(service: S) -> Result<Self, Error> {
        Http::builder().build_over(service).map(|http| Self { http })
    }

    /// The same with a name and a password for `domain`.
    ///
    /// # Errors
    ///
    /// Where that is none.
    pub fn logged_in(self, domain: &str) -> Result<Self, BoxError> {
        self.http.add_credentials_for(domain, NAME, PASSWORD)?;
        Ok(self)
    }
}

impl Client for Httplib2 {
    async fn get(&self, target: &Target) -> Result<Answer, BoxError> {
        let (response, content) = self.http.request(&target.text).await?;
        Ok((response.status(), content))
    }
}

impl Reader for Httplib2 {
    async fn read(&self, target: &Target) -> Result<u64, BoxError> {
        let (response, body) = self.http.request(&target.text).stream().await?;
        if response.status() != 200 {
            return Err(format!("answered {}", response.status()).into());
        }
        drain(body).await
    }
}
