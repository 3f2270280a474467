//! The decompression layer alone, over a plain hyper-util client.

use axum::{Router, http::header::CONTENT_ENCODING, routing};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use httplib2_core::error::cause_ref;
use httplib2_decompression::{DecodeError, DecodeErrorKind, Decoded, DecompressionLayer};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tower::{ServiceBuilder, ServiceExt};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let origin = start_origin().await?;

    let client = ServiceBuilder::new()
        .layer(DecompressionLayer::new().decode_limit_hard(1_000_000))
        .service(Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>());

    let request = Request::get(format!("{origin}/hello")).body(Full::default())?;
    let response = client.clone().oneshot(request).await?;
    let fact = response.extensions().get::<Decoded>().ok_or("it should have been coded")?.to_string();
    let content = response.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
    println!("/hello: {content:?}, {fact}");
    assert_eq!(content, "hello");

    let request = Request::get(format!("{origin}/bomb")).body(Full::default())?;
    let response = client.oneshot(request).await?;
    let error = response.into_body().collect().await.err().ok_or("the bomb should have been refused")?;
    println!("/bomb: {error}");
    let error = cause_ref::<DecodeError>(&*error).ok_or("it should say why")?;
    assert_eq!(error.kind, DecodeErrorKind::HardLimit(1_000_000));
    Ok(())
}

/// An origin on loopback that compresses without being asked.
async fn start_origin() -> std::io::Result<String> {
    let coded = |content: Bytes| async move { ([(CONTENT_ENCODING, "gzip")], content) };
    let (hello, bomb) = (httplib2_examples::gzip(b"hello"), httplib2_examples::gzip(&vec![0; 50_000_000]));
    let routes = Router::new()
        .route("/hello", routing::get(move || coded(hello)))
        .route("/bomb", routing::get(move || coded(bomb)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(format!("http://{address}"))
}
