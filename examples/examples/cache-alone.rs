//! The cache layer alone, over a plain hyper-util client to an origin that counts.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use axum::{Router, response::IntoResponse, routing};
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt, Empty};
use httplib2_cache::{CacheLayer, CacheMode, Served};
use httplib2_core::{body::Once, error::BoxError};
use httplib2_store::MemoryStore;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tower::{ServiceBuilder, ServiceExt};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let origin = start_origin().await?;

    let layer = CacheLayer::private(Arc::new(MemoryStore::new()));
    let stored = layer.handle();
    let client = ServiceBuilder::new()
        .layer(layer)
        .service(Client::builder(TokioExecutor::new()).build_http::<Once<Empty<Bytes>>>());

    // The origin counts what it is sent, and says the number in its answer.
    for (language, mode, expected, from_cache) in [
        // Nothing is stored yet, and then it is.
        ("en", CacheMode::Default, "hello 1", false),
        ("en", CacheMode::Default, "hello 1", true),
        // `Vary` names the language, so each has an answer of its own, and they are stored side by side.
        ("de", CacheMode::Default, "hallo 2", false),
        ("en", CacheMode::Default, "hello 1", true),
        ("de", CacheMode::Default, "hallo 2", true),
        // The origin is asked, and its 304 says that what is stored still holds.
        ("en", CacheMode::Revalidate, "hello 1", true),
        // What is stored is replaced.
        ("en", CacheMode::Reload, "hello 4", false),
        // Nobody is asked.
        ("en", CacheMode::Offline, "hello 4", true),
    ] {
        let request = Request::get(format!("{origin}/hello"))
            .header(header::ACCEPT_LANGUAGE, language)
            .extension(mode)
            .body(Once::default())?;
        let response = client.clone().oneshot(request).await?;
        let served = *response.extensions().get::<Served>().ok_or("each response says where it comes from")?;
        let content = response.into_body().collect().await?.to_bytes();
        println!("{language} {content:?}: {served}");
        assert_eq!((&*content, served.is_from_cache()), (expected.as_bytes(), from_cache));
    }

    let usage = stored.usage().await?;
    println!("{usage:?}");
    Ok(())
}

/// An origin on loopback that greets in two languages, and knows what it said by a tag.
async fn start_origin() -> std::io::Result<String> {
    static REQUESTS: AtomicU32 = AtomicU32::new(0);
    let hello = async |headers: HeaderMap| {
        let number = REQUESTS.fetch_add(1, Ordering::Relaxed) + 1;
        let is_german = headers.get(header::ACCEPT_LANGUAGE).is_some_and(|language| language == "de");
        let (word, tag) = if is_german { ("hallo", "\"de\"") } else { ("hello", "\"en\"") };
        let fields = [("cache-control", "max-age=60"), ("etag", tag), ("vary", "accept-language")];
        let is_known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known == tag);
        if is_known {
            (StatusCode::NOT_MODIFIED, fields).into_response()
        } else {
            (fields, format!("{word} {number}")).into_response()
        }
    };
    httplib2_examples::serve(Router::new().route("/hello", routing::get(hello))).await
}
