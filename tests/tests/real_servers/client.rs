//! The client that is tried, in one place.

use std::time::Duration;

use bytes::Bytes;
use httplib2::{Http, HttpBuilder, Response};
use httplib2_tests::servers::Site;

pub type Answer = (Response, Bytes);

/// Settings that trust the authority of the site and nobody else. No call takes longer than 20 seconds.
pub fn settings(site: &Site) -> HttpBuilder {
    plain_settings().ca_certs(site.certs().ca_pem())
}

pub fn plain_settings() -> HttpBuilder {
    Http::builder().deadline(Duration::from_secs(20))
}

pub fn client(site: &Site) -> Http {
    settings(site).build().unwrap()
}

pub async fn get(http: &Http, uri: String) -> Answer {
    http.request(uri).await.unwrap()
}

pub fn text(answer: &Answer) -> &str {
    std::str::from_utf8(&answer.1).unwrap()
}
