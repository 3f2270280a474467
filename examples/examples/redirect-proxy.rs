//! The redirect layer inside an axum proxy: the proxy follows what its upstream redirects, so its own clients
//! never see it, and says in a header how it got there.

use axum::{
    Router,
    body::Body,
    extract::State,
    response::{IntoResponse, Redirect as To},
    routing,
};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Empty};
use httplib2_core::body::Once;
use httplib2_redirect::{Hops, Redirect, RedirectLayer, SameOrigin};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tower::{Layer, ServiceExt};

/// What clients send may be a stream that cannot be sent again: `Once` says so to the layer.
type Upstream = Redirect<Client<HttpConnector, Once<Body>>, SameOrigin>;

#[derive(Clone)]
struct Proxy {
    authority: String,
    upstream: Upstream,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let upstream = Router::new()
        .route("/old", routing::any(async || To::permanent("/new")))
        .route("/new", routing::any(async |body: String| format!("upstream got {body:?}")))
        .route("/away", routing::get(async || To::temporary("http://elsewhere.example/")));
    let authority = serve(upstream).await?;

    let client = Client::builder(TokioExecutor::new()).build_http();
    let proxy = Proxy { authority, upstream: RedirectLayer::new().policy(SameOrigin).layer(client) };
    let proxy = serve(Router::new().fallback(forward).with_state(proxy)).await?;

    // Followed by the proxy.
    let (status, how, content) = get(&proxy, "/old").await?;
    println!("/old  {status} {content:?}, {how}");
    assert_eq!((status, &*content), (StatusCode::OK, "upstream got \"\""));

    // Not followed, because the policy keeps the proxy on its upstream.
    let (status, how, _) = get(&proxy, "/away").await?;
    println!("/away {status}, {how}");
    assert_eq!(status, StatusCode::TEMPORARY_REDIRECT);
    assert!(how.contains("another origin"));
    Ok(())
}

/// Sends a request on to the upstream.
async fn forward(State(proxy): State<Proxy>, request: Request<Body>) -> Response<Body> {
    match exchange(proxy, request).await {
        Ok(response) => response,
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

async fn exchange(
    proxy: Proxy,
    request: Request<Body>,
) -> Result<Response<Body>, Box<dyn std::error::Error + Send + Sync>> {
    let mut request = request.map(Once::new);
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    *request.uri_mut() = Uri::builder().scheme("http").authority(&*proxy.authority).path_and_query(target).build()?;
    request.headers_mut().remove(http::header::HOST);

    let mut response = proxy.upstream.oneshot(request).await?.map(Body::new);
    if let Some(hops) = response.extensions().get::<Hops>() {
        let how = HeaderValue::from_str(&hops.to_string())?;
        response.headers_mut().insert("x-reached", how);
    }
    Ok(response)
}

async fn get(authority: &str, path: &str) -> Result<(StatusCode, String, String), Box<dyn std::error::Error>> {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let response =
        client.oneshot(Request::get(format!("http://{authority}{path}")).body(Empty::<Bytes>::new())?).await?;
    let how = response.headers().get("x-reached").map_or("", |how| how.to_str().unwrap_or_default()).to_owned();
    let status = response.status();
    Ok((status, how, String::from_utf8(response.into_body().collect().await?.to_bytes().to_vec())?))
}

/// Serves on a free port of loopback.
async fn serve(routes: Router) -> std::io::Result<String> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(address.to_string())
}
