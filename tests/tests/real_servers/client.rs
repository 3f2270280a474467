//! The client that is tried, in one place.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use httplib2_tests::servers::Site;
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::RootCertStore;
use tokio::time::timeout;

/// No exchange takes longer.
const LIMIT: Duration = Duration::from_secs(20);

/// A pooled client that does not follow redirects.
pub struct Client(legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

/// A response whose body was read to its end.
pub type Answer = Response<Bytes>;

impl Client {
    /// A client that trusts the authority of the site and nobody else.
    pub fn of(site: &Site) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(site.certs().ca_der().to_vec().into()).unwrap();
        Self::trusting(roots)
    }

    /// A client that trusts nobody.
    pub fn plain() -> Self {
        Self::trusting(RootCertStore::empty())
    }

    fn trusting(roots: RootCertStore) -> Self {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let tls = rustls::ClientConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_all_versions()
            .build();
        Self(legacy::Client::builder(TokioExecutor::new()).build(connector))
    }

    pub async fn get(&self, uri: String) -> Answer {
        self.send(Request::get(uri).body(Full::default()).unwrap()).await
    }

    pub async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        self.try_send(request).await.unwrap()
    }

    pub async fn try_send(&self, request: Request<Full<Bytes>>) -> Result<Answer, Box<dyn std::error::Error>> {
        timeout(LIMIT, async {
            let (head, body) = self.0.request(request).await?.into_parts();
            Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
        })
        .await?
    }
}
