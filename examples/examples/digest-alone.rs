//! The Digest layer alone, over a plain hyper-util client: one challenge for all requests to a protection space.

use std::{future::ready, time::Duration};

use axum::{Router, http::StatusCode, middleware, routing};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use httplib2_auth::{Authentication, Credential, Credentials, Unanswered};
use httplib2_auth_digest::DigestAuthLayer;
use httplib2_core::error::BoxError;
use httplib2_examples::DigestGuard;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tokio::{task::JoinSet, time::timeout};
use tower::{ServiceBuilder, ServiceExt};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let guard = DigestGuard::new("joe", "s3cret");
    let origin = start_origin(&guard).await?;

    let credentials = Credentials::new();
    credentials.add_for(&origin, Credential::login("joe", "s3cret"))?;
    let client = ServiceBuilder::new()
        .layer(DigestAuthLayer::new(credentials.clone()))
        .service(Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>());

    // The first one is challenged and sent again; from then on the layer knows how to sign.
    for (path, challenges) in [("/letters", 1), ("/letters?year=1999", 0), ("/maps", 0)] {
        let request = Request::get(format!("{origin}{path}")).body(Full::default())?;
        let response = client.clone().oneshot(request).await?;
        let fact = response.extensions().get::<Authentication>().ok_or("it should have been signed")?.clone();
        let content = response.into_body().collect().await?.to_bytes();
        println!("GET  {path:<18} {content:?}, {fact}");
        assert_eq!((fact.scheme(), fact.challenges()), (Some("digest"), challenges));
        assert_eq!(content, "from the archive");
    }

    // Also those that are under way together: each signature has a count of its own.
    let mut under_way = JoinSet::new();
    for n in 0..16 {
        let request = Request::post(format!("{origin}/maps/{n}")).body(Full::from("a new map"))?;
        under_way.spawn(client.clone().oneshot(request));
    }
    let all = timeout(Duration::from_secs(2), under_way.join_all()).await?;
    let let_in = all.iter().flatten().filter(|response| response.status() == StatusCode::OK).count();
    println!("POST {:<18} {let_in} of 16 let in", "/maps/…");
    assert_eq!(let_in, 16);
    println!("     {:<18} {} challenge for 19 requests", "", guard.challenges());
    assert_eq!(guard.challenges(), 1);

    // A password that is wrong is tried once, and the 401 says so.
    credentials.clear();
    credentials.add_for(&origin, Credential::login("joe", "guessed"))?;
    let response = client.oneshot(Request::get(format!("{origin}/letters")).body(Full::default())?).await?;
    let fact = response.extensions().get::<Authentication>().ok_or("it should have been signed")?;
    println!("GET  {:<18} {}, {fact}", "/letters", response.status());
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(fact.unanswered(), Some(&Unanswered::Rejected("digest")));
    assert_eq!(guard.challenges(), 3);
    Ok(())
}

/// An origin on loopback that lets in who signs.
async fn start_origin(guard: &DigestGuard) -> std::io::Result<String> {
    let routes = Router::new()
        .fallback(routing::any(|| ready("from the archive")))
        .layer(middleware::from_fn_with_state(guard.clone(), DigestGuard::check));
    httplib2_examples::serve(routes).await
}
