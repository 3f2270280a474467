//! Lost-update detection stands inside of redirect, where tags are learnt for the URI that they came from.

use bytes::Bytes;
use http::header;
use httplib2::{
    Http,
    lost_update::{Guard, LostUpdateLayer, Precondition, merge_fn},
    redirect::{Follow, RedirectLayer},
};
use httplib2_testing::{Server, reply, request};
use tower::{ServiceBuilder, ServiceExt};

/// What `If-Match` said in each PUT, nothing where it was absent.
fn preconditions(server: &Server) -> Vec<String> {
    let requests = server.requests();
    let puts = requests.iter().filter(|request| request.method() == "PUT");
    let of = |request: &httplib2_testing::Received| {
        let value = request.headers().get(header::IF_MATCH);
        value.map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
    };
    puts.map(of).collect()
}

/// `/latest` leads to the first version, and is a resource of its own to those who write to it.
fn server() -> Server {
    Server::new()
        .on("GET http://a.example/latest", reply(302).header("location", "/1"))
        .on("GET http://a.example/1", reply(200).header("etag", "\"one\"").body("one"))
        .on("PUT http://a.example/latest", reply(204))
        .on("PUT http://a.example/1", reply(204))
}

#[tokio::test]
async fn a_tag_belongs_to_the_uri_that_it_came_from() {
    // H-LOST-08.
    let server = server();
    let http = Http::builder().build_over(server.clone()).unwrap();
    http.request("http://a.example/latest").await.unwrap();
    for uri in ["http://a.example/latest", "http://a.example/1"] {
        http.request(uri).method("PUT").body("two").await.unwrap();
    }
    assert_eq!(preconditions(&server), ["", "\"one\""]);
}

#[tokio::test]
async fn lost_update_outside_of_redirect_sends_the_tag_of_one_uri_to_another() {
    let server = server();
    let wrong = ServiceBuilder::new()
        .layer(LostUpdateLayer::new())
        .layer(RedirectLayer::new().follow(Follow::All))
        .service(server.clone());
    wrong.clone().oneshot(request("GET http://a.example/latest")).await.unwrap();
    wrong.oneshot(request("PUT http://a.example/latest")).await.unwrap();
    assert_eq!(preconditions(&server), ["\"one\""], "the harm: /latest was asked to be what /1 was");
}

#[tokio::test]
async fn an_update_that_is_redirected_stays_guarded() {
    let server = Server::new()
        .on("GET http://a.example/doc", reply(200).header("etag", "\"v1\"").body("one"))
        .on("PUT http://a.example/doc", reply(308).header("location", "/doc2"))
        .on("PUT http://a.example/doc2", reply(412));
    let http = Http::builder().build_over(server.clone()).unwrap();
    http.request("http://a.example/doc").await.unwrap();
    let (response, _) = http.request("http://a.example/doc").method("PUT").body("two").await.unwrap();
    assert_eq!(response.status(), 412);
    assert_eq!(preconditions(&server), ["\"v1\"", "\"v1\""]);
}

#[tokio::test]
async fn a_conflict_goes_to_the_caller_with_what_is_known_of_it() {
    // H-LOST-07, LUP-02.
    let server = Server::new()
        .on("GET http://a.example/", reply(200).header("etag", "\"one\"").body("one"))
        .on("PUT http://a.example/", reply(412).header("etag", "\"two\""));
    let http = Http::builder().build_over(server.clone()).unwrap();
    http.request("http://a.example/").await.unwrap();
    let (response, _) = http.request("http://a.example/").method("PUT").body("mine").explain(true).await.unwrap();
    assert_eq!(response.status(), 412);
    let conflict = response.extensions().get::<Guard>().unwrap().conflict().unwrap();
    assert_eq!(conflict.sent, Some(Precondition::IfMatch("\"one\"".parse().unwrap())));
    assert_eq!(conflict.current.as_ref().unwrap(), "\"two\"");
    assert_eq!(preconditions(&server), ["\"one\""]);
    assert!(response.explain().to_string().contains("lost-update: "), "{}", response.explain());
}

#[tokio::test]
async fn a_conflict_is_merged_where_that_was_asked_for() {
    let server = Server::new()
        .on("GET http://a.example/", reply(200).header("etag", "\"one\"").body("a"))
        .on("GET http://a.example/", reply(200).header("etag", "\"two\"").body("a, b"))
        .on("PUT http://a.example/", reply(412))
        .on("PUT http://a.example/", reply(204).header("etag", "\"three\""));
    let hook = merge_fn(async |versions| {
        let (mine, theirs) = (versions.mine.into_body(), versions.theirs.into_body());
        Some(Bytes::from([&theirs[..], b" and ", &mine[..]].concat()))
    });
    let http = Http::builder().merge(hook).build_over(server.clone()).unwrap();
    http.request("http://a.example/").await.unwrap();
    let (response, _) = http.request("http://a.example/").method("PUT").body("a, c").await.unwrap();
    assert_eq!(response.status(), 204);
    assert_eq!(preconditions(&server), ["\"one\"", "\"two\""]);
    assert_eq!(server.requests().last().unwrap().body(), "a, b and a, c");
}

#[tokio::test]
async fn an_update_can_be_forced() {
    // H-LOST-05, H-API-26.
    let server = server();
    let http = Http::builder().build_over(server.clone()).unwrap();
    http.request("http://a.example/1").await.unwrap();
    http.request("http://a.example/1").method("PUT").body("two").ignore_etag().await.unwrap();
    assert_eq!(preconditions(&server), [""]);
}
