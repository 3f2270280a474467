//! The client that most would take.

use super::{Answer, Client, Target};
use crate::BoxError;

/// reqwest without its optional features.
#[derive(Clone, Debug, Default)]
pub struct Reqwest {
    client: reqwest::Client,
}

// === impl Reqwest ===

impl Client for Reqwest {
    async fn get(&self, target: &Target) -> Result<Answer, BoxError> {
        let response = self.client.get(&target.text).send().await?;
        Ok((response.status(), response.bytes().await?))
    }
}
