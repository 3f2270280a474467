//! The retry layer alone, over a tower service that knows nothing of it: a hyper-util client to an origin that is
//! busy at first.

use std::sync::atomic::{AtomicU32, Ordering};

use axum::{Router, http::StatusCode, response::IntoResponse, routing};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use httplib2_core::context::Journal;
use httplib2_retry::{Failure, RetryLayer, RetryStatuses, Tries};
use hyper_util::{
    client::legacy::{self, Client},
    rt::TokioExecutor,
};
use tower::{ServiceBuilder, ServiceExt};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let origin = start_origin().await?;

    // Only whoever knows the service below can tell what its errors mean.
    let classify = |error: &legacy::Error| if error.is_connect() { Failure::Unprocessed } else { Failure::Unknown };
    let client = ServiceBuilder::new()
        .layer(RetryLayer::new().tries(3).statuses(RetryStatuses::transient()).classify(classify))
        .service(Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>());

    let journal = Journal::default();
    let request = Request::put(format!("{origin}/doc")).extension(journal.clone()).body(Full::from("text"))?;
    let response = client.clone().oneshot(request).await?;
    let tries = response.extensions().get::<Tries>().ok_or("it should have taken several sends")?;
    println!("PUT: {}, {tries}", response.status());
    assert_eq!(tries.sends(), 2);
    assert_eq!(response.into_body().collect().await?.to_bytes(), "stored 4 bytes");

    // A POST may have been acted on, so its 503 is the answer.
    let request = Request::post(format!("{origin}/busy")).extension(journal.clone()).body(Full::from("text"))?;
    let response = client.oneshot(request).await?;
    println!("POST: {}", response.status());
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.extensions().get::<Tries>().is_none());

    for line in journal.lines() {
        println!("  {line}");
    }
    Ok(())
}

/// An origin on loopback that is busy for the first request, and where `/busy` always is.
async fn start_origin() -> std::io::Result<String> {
    static REQUESTS: AtomicU32 = AtomicU32::new(0);
    let busy = || (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "1")]);
    let store = async move |body: Bytes| match REQUESTS.fetch_add(1, Ordering::Relaxed) {
        0 => busy().into_response(),
        _ => format!("stored {} bytes", body.len()).into_response(),
    };
    let routes = Router::new().route("/doc", routing::put(store)).route("/busy", routing::post(async move || busy()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(format!("http://{address}"))
}
