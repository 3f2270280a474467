//! The auth layer inside an axum proxy: the proxy signs what it sends to its upstream, with Digest or Basic as the
//! upstream asks, and its own clients know no password.

use std::convert::Infallible;

use axum::{Router, body::Body, extract::State, middleware, response::IntoResponse, routing};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, Uri, header};
use http_body_util::BodyExt;
use httplib2_auth::{Auth, AuthLayer, Authentication, Basic, Credential, Credentials};
use httplib2_auth_digest::Digest;
use httplib2_core::{body::Once, error::BoxError};
use httplib2_examples::DigestGuard;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tower::{Layer, ServiceExt};

#[derive(Clone)]
struct Proxy {
    upstream: String,
    /// What clients send may be a stream that cannot be sent again: `Once` says so to the layer.
    client: Auth<Client<HttpConnector, Once<Body>>>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let upstream = start_upstream().await?;

    let credentials = Credentials::new();
    // Over plain http somebody on the way could ask for Basic to get at the password behind a Digest. That is why a login
    // that was good for Digest answers no Basic there, and what asks for Basic gets a login of its own.
    credentials.add_for(&upstream, Credential::login("proxy", "s3cret"))?;
    credentials.add_for(&upstream, Credential::login("reader", "not so secret"))?;
    let layer = AuthLayer::new(credentials)
        .scheme(Digest::new())
        .scheme(Basic)
        // Nobody is on the way to an upstream on this machine.
        .secrets_over_http(true);
    let client = layer.layer(Client::builder(TokioExecutor::new()).build_http());
    let proxy = Proxy { upstream, client };
    let proxy = httplib2_examples::serve(Router::new().fallback(forward).with_state(proxy)).await?;

    // A stream is gone once it was sent, so it cannot be the first that is challenged.
    let (status, how, _) = post(&proxy, "/archive/a").await?;
    println!("POST /archive/a  {status}, {how}");
    assert_eq!(status, StatusCode::BAD_GATEWAY);
    assert!(how.contains("the body cannot be sent again"));

    // What has no body can, and from then on the proxy signs before it is asked: streams too.
    for (method, path, scheme) in [
        ("GET", "/archive/a", "digest for \"the archive\", after 1 challenge"),
        ("POST", "/archive/a", "digest for \"the archive\", in advance"),
        ("GET", "/legacy", "basic for \"legacy\", after 1 challenge"),
    ] {
        let (status, how, content) =
            if method == "GET" { get(&proxy, path).await? } else { post(&proxy, path).await? };
        println!("{method:<4} {path:<11} {status} {content:?}, {how}");
        assert_eq!((status, &*how), (StatusCode::OK, scheme));
    }
    Ok(())
}

/// Sends a request on to the upstream.
async fn forward(State(proxy): State<Proxy>, request: Request<Body>) -> Response<Body> {
    match exchange(proxy, request).await {
        Ok(response) => response,
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

async fn exchange(proxy: Proxy, request: Request<Body>) -> Result<Response<Body>, BoxError> {
    let mut request = request.map(Once::new);
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    *request.uri_mut() = format!("{}{target}", proxy.upstream).parse::<Uri>()?;
    request.headers_mut().remove(header::HOST);
    // What a client says of itself would stand in place of the proxy's own signature.
    request.headers_mut().remove(header::AUTHORIZATION);

    let mut response = proxy.client.oneshot(request).await?.map(Body::new);
    let how = response.extensions().get::<Authentication>().map(Authentication::to_string);
    if response.status() == StatusCode::UNAUTHORIZED {
        // The clients have nothing to do with it: neither does the challenge reach them, nor could they answer it.
        response = StatusCode::BAD_GATEWAY.into_response();
    }
    if let Some(how) = how {
        response.headers_mut().insert("x-signed", HeaderValue::from_str(&how)?);
    }
    Ok(response)
}

async fn get(proxy: &str, path: &str) -> Result<(StatusCode, String, String), BoxError> {
    send(Request::get(format!("{proxy}{path}")).body(Body::empty())?).await
}

/// Sends a body whose length nobody knows beforehand.
async fn post(proxy: &str, path: &str) -> Result<(StatusCode, String, String), BoxError> {
    let stream = Body::from_stream(futures_util::stream::iter([Ok::<_, Infallible>(Bytes::from("a letter"))]));
    send(Request::post(format!("{proxy}{path}")).body(stream)?).await
}

async fn send(request: Request<Body>) -> Result<(StatusCode, String, String), BoxError> {
    let response = Client::builder(TokioExecutor::new()).build_http().oneshot(request).await?;
    let how = response.headers().get("x-signed").map_or("", |how| how.to_str().unwrap_or_default()).to_owned();
    let status = response.status();
    Ok((status, how, String::from_utf8(response.into_body().collect().await?.to_bytes().to_vec())?))
}

/// An upstream that asks for Digest in one place and for Basic in another.
async fn start_upstream() -> std::io::Result<String> {
    let guard = DigestGuard::new("proxy", "s3cret").domain("/archive/");
    let archive = routing::get(async || "a letter").post(async |body: String| format!("stored {body:?}"));
    let legacy = async |request: Request<Body>| match request.headers().get(header::AUTHORIZATION) {
        Some(value) if value == "Basic cmVhZGVyOm5vdCBzbyBzZWNyZXQ=" => "old news".into_response(),
        _ => (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, r#"Basic realm="legacy""#)]).into_response(),
    };
    let routes = Router::new()
        .route("/archive/{name}", archive.layer(middleware::from_fn_with_state(guard, DigestGuard::check)))
        .route("/legacy", routing::get(legacy));
    httplib2_examples::serve(routes).await
}
