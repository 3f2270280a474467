//! The WSSE layer alone, over a plain hyper-util client: to a server that asks for it, and to one that only refuses.

use axum::{Router, http::StatusCode, middleware, routing};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use httplib2_auth::{Auth, Authentication, Credential, Credentials};
use httplib2_auth_wsse::WsseAuthLayer;
use httplib2_core::error::BoxError;
use httplib2_examples::WsseGuard;
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tower::{Layer, ServiceExt};

type SigningClient = Auth<Client<HttpConnector, Full<Bytes>>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let asking = WsseGuard::new("joe", "s3cret");
    let refusing = asking.clone().without_challenge();
    let origin = start_origin(&asking, &refusing).await?;

    let credentials = Credentials::new();
    credentials.add_for(&origin, Credential::login("joe", "s3cret"))?;
    let layer = WsseAuthLayer::new(credentials);
    let client = Client::builder(TokioExecutor::new()).build_http();

    // The first request is challenged; those after it to the same directory are signed before the server asks.
    let answering = layer.clone().layer(client.clone());
    for challenges in [1, 0, 0] {
        let response = post(&answering, &format!("{origin}/asking/feed")).await?;
        let fact = response.extensions().get::<Authentication>().ok_or("it should have been signed")?.clone();
        let content = response.into_body().collect().await?.to_bytes();
        println!("/asking/feed: {content:?}, {fact}");
        assert_eq!((fact.scheme(), fact.challenges()), (Some("wsse"), challenges));
        assert_eq!(content, "published");
    }

    // Nothing that could be answered.
    let response = post(&answering, &format!("{origin}/refusing/feed")).await?;
    println!("/refusing/feed: {}", response.status());
    assert_eq!(response.status(), StatusCode::FORBIDDEN);

    // Who knows that the server wants it signs from the start.
    let signing = layer.in_advance(true).layer(client);
    let response = post(&signing, &format!("{origin}/refusing/feed")).await?;
    let fact = response.extensions().get::<Authentication>().ok_or("it should have been signed")?;
    println!("/refusing/feed: {}, {fact}", response.status());
    assert_eq!((response.status(), fact.challenges()), (StatusCode::OK, 0));

    println!("{} different tokens", asking.let_in());
    assert_eq!(asking.let_in(), 4);
    Ok(())
}

async fn post(client: &SigningClient, uri: &str) -> Result<Response<Incoming>, BoxError> {
    client.clone().oneshot(Request::post(uri).body(Full::from("an entry"))?).await
}

/// An origin on loopback with two guards.
async fn start_origin(asking: &WsseGuard, refusing: &WsseGuard) -> std::io::Result<String> {
    let publish = |guard: &WsseGuard| {
        routing::post(async || "published").layer(middleware::from_fn_with_state(guard.clone(), WsseGuard::check))
    };
    let routes = Router::new().route("/asking/feed", publish(asking)).route("/refusing/feed", publish(refusing));
    httplib2_examples::serve(routes).await
}
