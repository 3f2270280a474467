//! What adds credentials stands inside of redirect only if it knows for which origin they are.

use http::{HeaderValue, header};
use httplib2::{Http, redirect::RedirectLayer};
use httplib2_testing::{Server, reply, request};
use tower::{ServiceBuilder, ServiceExt};
use tower_http::set_header::SetRequestHeaderLayer;

fn server() -> Server {
    Server::new()
        .on("GET http://a.example/", reply(302).header("location", "http://b.example/"))
        .on("GET http://b.example/", reply(200))
}

fn fixed_authorization() -> SetRequestHeaderLayer<HeaderValue> {
    SetRequestHeaderLayer::overriding(header::AUTHORIZATION, HeaderValue::from_static("Bearer s3cret"))
}

#[tokio::test]
async fn credentials_of_one_origin_do_not_reach_another() {
    let server = server();
    let http = Http::builder().default_header("authorization", "Bearer s3cret").build_over(server.clone()).unwrap();
    http.request("http://a.example/").await.unwrap();
    assert_eq!(server.requests()[0].headers()[header::AUTHORIZATION], "Bearer s3cret");
    assert!(!server.requests()[1].headers().contains_key(header::AUTHORIZATION));
}

#[tokio::test]
async fn a_fixed_authorization_inside_of_redirect_reaches_every_origin() {
    // Trap 30.
    let server = server();
    let wrong = ServiceBuilder::new().layer(RedirectLayer::new()).layer(fixed_authorization()).service(server.clone());
    wrong.oneshot(request("GET http://a.example/")).await.unwrap();
    let harm = &server.requests()[1];
    assert_eq!(harm.headers()[header::AUTHORIZATION], "Bearer s3cret", "the harm: another origin got it");

    let right = ServiceBuilder::new().layer(fixed_authorization()).layer(RedirectLayer::new()).service(self::server());
    right.oneshot(request("GET http://a.example/")).await.unwrap();
}
