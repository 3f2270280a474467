//! The floor: the pooled client that the others are built on, with nothing around it.

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::{
    client::legacy::{Client as Legacy, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};

use super::{Answer, Client, Target};
use crate::BoxError;

/// hyper-util's pooled client. It takes a URI that was parsed before.
#[derive(Clone, Debug)]
pub struct HyperUtil(pub Legacy<HttpConnector, Empty<Bytes>>);

/// The same, and what fails is sent once more, whatever it was: as little as can be done.
#[derive(Clone, Debug, Default)]
pub struct SentAgain(pub HyperUtil);

// === impl HyperUtil ===

impl Default for HyperUtil {
    fn default() -> Self {
        Self::keeping(usize::MAX)
    }
}

impl HyperUtil {
    /// A client that makes a new connection for each request.
    #[must_use]
    pub fn fresh() -> Self {
        Self::keeping(0)
    }

    fn keeping(connections: usize) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let mut builder = Legacy::builder(TokioExecutor::new());
        Self(builder.pool_timer(TokioTimer::new()).pool_max_idle_per_host(connections).build(connector))
    }
}

impl Client for SentAgain {
    async fn get(&self, target: &Target) -> Result<Answer, BoxError> {
        match self.0.get(target).await {
            Err(_) => self.0.get(target).await,
            answer => answer,
        }
    }
}

impl Client for HyperUtil {
    async fn get(&self, target: &Target) -> Result<Answer, BoxError> {
        let response = self.0.get(target.uri.clone()).await?;
        Ok((response.status(), response.into_body().collect().await?.to_bytes()))
    }
}
