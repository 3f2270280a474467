//! The redirect layer alone, over a plain hyper-util client.

use axum::{Router, http::StatusCode, response::Redirect, routing};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use httplib2_redirect::{Hops, RedirectLayer};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tower::{ServiceBuilder, ServiceExt};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let origin = start_origin().await?;

    let client = ServiceBuilder::new()
        .layer(RedirectLayer::new().max_redirects(3))
        .service(Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>());

    let request = Request::post(format!("{origin}/form")).body(Full::from("a=1"))?;
    let response = client.clone().oneshot(request).await?;
    let hops = response.extensions().get::<Hops>().ok_or("it should have been redirected")?.clone();
    let content = response.into_body().collect().await?.to_bytes();
    println!("{hops}: {content:?}");
    assert_eq!(hops.method(), "GET");
    assert_eq!(content, "thanks");

    let response = client.oneshot(Request::get(format!("{origin}/loop")).body(Full::default())?).await?;
    let hops = response.extensions().get::<Hops>().ok_or("it should have been redirected")?;
    println!("{hops}");
    assert_eq!(response.status(), StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(hops.previous().len(), 3);
    Ok(())
}

/// An origin on loopback that redirects.
async fn start_origin() -> std::io::Result<String> {
    let routes = Router::new()
        .route("/form", routing::post(async || Redirect::to("/thanks")))
        .route("/thanks", routing::get(async || "thanks"))
        .route("/loop", routing::get(async || Redirect::temporary("/loop")));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(format!("http://{address}"))
}
