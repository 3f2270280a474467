//! Authentication stands inside of retry, and knows for which origin its credentials are.

use http::header;
use httplib2::{
    ErrorKind, Http,
    auth::{Authentication, Credential, Credentials},
    core::who::SignedAs,
    digest::DigestAuthLayer,
    retry::{RetryLayer, RetryStatuses},
};
use httplib2_testing::{Received, Reply, Server, reply, request};
use tower::{ServiceBuilder, ServiceExt};

const DIGEST: &str = "Digest realm=\"r\", nonce=\"n1\", qop=\"auth\"";

fn challenge(challenge: &'static str) -> Reply {
    reply(401).header("www-authenticate", challenge)
}

/// What `Authorization` said in each request, nothing where it was absent.
fn authorizations(server: &Server) -> Vec<String> {
    let of = |request: &Received| {
        let value = request.headers().get(header::AUTHORIZATION);
        value.map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
    };
    server.requests().iter().map(of).collect()
}

/// Asks for Digest, and is busy once when it got it.
fn busy_behind_digest() -> Server {
    Server::answering(|request, n| match request.headers().contains_key(header::AUTHORIZATION) {
        false => challenge(DIGEST),
        true if n == 1 => reply(503),
        true => reply(200).body("in"),
    })
}

#[tokio::test(start_paused = true)]
async fn every_try_is_signed_anew_and_the_mark_survives_retry() {
    let server = busy_behind_digest();
    let http = Http::builder().retry_statuses(RetryStatuses::transient()).build_over(server.clone()).unwrap();
    http.add_credentials("joe", "s3cret");
    let (response, content) = http.request("http://a.example/").explain(true).await.unwrap();
    assert_eq!(content, "in");
    assert!(response.extensions().get::<SignedAs>().is_some());

    let sent = authorizations(&server);
    assert_eq!(sent.len(), 3);
    assert!(sent[1].contains("nc=00000001") && sent[2].contains("nc=00000002"), "{sent:?}");
    assert!(response.explain().to_string().contains("auth: digest for \"r\""), "{}", response.explain());
}

#[tokio::test(start_paused = true)]
async fn auth_outside_of_retry_replays_a_nonce_count() {
    let server = busy_behind_digest();
    let credentials = Credentials::new();
    credentials.add(Credential::login("joe", "s3cret"));
    let wrong = ServiceBuilder::new()
        .layer(DigestAuthLayer::new(credentials))
        .layer(RetryLayer::new().statuses(RetryStatuses::transient()))
        .service(server.clone());
    wrong.oneshot(request("GET http://a.example/")).await.unwrap();
    let sent = authorizations(&server);
    assert_eq!(sent.len(), 3);
    assert_eq!(sent[1], sent[2], "the harm: a signature for one send was sent twice");
}

#[tokio::test]
async fn the_mark_survives_redirect() {
    let server = Server::answering(|request, _| match request.uri().path() {
        _ if !request.headers().contains_key(header::AUTHORIZATION) => challenge("Basic realm=\"r\""),
        "/start" => reply(302).header("location", "/end"),
        _ => reply(200),
    });
    let http = Http::builder().build_over(server).unwrap();
    http.add_credentials("joe", "s3cret");
    let (response, _) = http.request("http://a.example/start").await.unwrap();
    assert_eq!(response.previous().unwrap().status(), 302);
    assert!(response.extensions().get::<SignedAs>().is_some());
    assert!(response.previous().unwrap().extensions().get::<SignedAs>().is_some());
}

/// Everybody asks for Basic; `a.example` sends who gave it on to `b.example`.
fn leads_away() -> Server {
    Server::answering(|request, _| match request.uri().host() {
        _ if !request.headers().contains_key(header::AUTHORIZATION) => challenge("Basic realm=\"r\""),
        Some("a.example") => reply(302).header("location", "http://b.example/"),
        _ => reply(200).body("in"),
    })
}

#[tokio::test]
async fn credentials_for_all_do_not_follow_a_redirect_to_another_origin() {
    // Trap 55, RED-06.
    let server = leads_away();
    let http = Http::builder().build_over(server.clone()).unwrap();
    http.add_credentials("joe", "s3cret");
    let (response, _) = http.request("http://a.example/").await.unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!(server.saw().len(), 3);
    assert_eq!(authorizations(&server)[2], "");

    // Whoever addresses the other origin himself lets it have them.
    assert_eq!(http.request("http://b.example/").await.unwrap().0.status(), 200);
}

#[tokio::test]
async fn credentials_for_all_follow_where_that_was_asked_for_and_those_of_a_domain_do_always() {
    let http = Http::builder().auth(|auth| auth.credentials_follow_redirects(true)).build_over(leads_away()).unwrap();
    http.add_credentials("joe", "s3cret");
    assert_eq!(http.request("http://a.example/").await.unwrap().1, "in");

    let http = Http::builder().build_over(leads_away()).unwrap();
    http.add_credentials_for("a.example", "joe", "one").unwrap();
    http.add_credentials_for("b.example", "joe", "two").unwrap();
    assert_eq!(http.request("http://a.example/").await.unwrap().1, "in");
}

#[tokio::test]
async fn userinfo_is_sent_at_once_as_basic_to_its_origin_alone() {
    // H-URI-05.
    let server = leads_away();
    let http = Http::builder().build_over(server.clone()).unwrap();
    let (response, _) = http.request("http://jo%65:s3cret@a.example/").explain(true).await.unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!(server.saw(), ["GET http://a.example/", "GET http://b.example/"]);
    assert_eq!(authorizations(&server), ["Basic am9lOnMzY3JldA==", ""]);
    assert!(!format!("{:?}{}", response, response.explain()).contains("s3cret"));
}

#[tokio::test]
async fn a_request_may_bring_its_own_credentials() {
    let server = Server::answering(|_, _| reply(200));
    let http = Http::builder().build_over(server.clone()).unwrap();
    http.request("http://a.example/").basic_auth("joe", "s3cret").await.unwrap();
    http.request("http://a.example/").bearer_auth("t0ken").await.unwrap();
    http.request("http://a.example/").basic_auth("joe", "s3cret").header("authorization", "Own x").await.unwrap();
    http.request("http://a.example/").await.unwrap();
    assert_eq!(authorizations(&server), ["Basic am9lOnMzY3JldA==", "Bearer t0ken", "Own x", ""]);
}

#[tokio::test]
async fn a_password_that_goes_over_plain_http_is_told_of() {
    let server = Server::answering(|_, _| challenge("Basic realm=\"r\""));
    let http = Http::builder().build_over(server).unwrap();
    http.add_credentials("joe", "s3cret");
    for (uri, told) in [("http://a.example/", true), ("https://a.example/", false)] {
        let (response, _) = http.request(uri).explain(true).await.unwrap();
        assert_eq!(response.explain().to_string().contains("is plain http"), told, "{}", response.explain());
    }
}

#[tokio::test]
async fn editors_that_share_a_client_are_told_apart_by_their_number() {
    let server = Server::new()
        .on("GET http://a.example/", reply(200).header("etag", "\"v1\""))
        .on("GET http://a.example/", reply(200).header("etag", "\"v2\""))
        .on("PUT http://a.example/", reply(204));
    let http = Http::builder().build_over(server.clone()).unwrap();
    http.request("http://a.example/").editor(1).await.unwrap();
    http.request("http://a.example/").editor(2).await.unwrap();
    http.request("http://a.example/").method("PUT").editor(1).body("mine").await.unwrap();
    assert_eq!(server.requests()[2].headers()[header::IF_MATCH], "\"v1\"");
}

#[tokio::test]
async fn cleared_credentials_are_used_no_more() {
    let server = Server::answering(|request, _| match request.headers().contains_key(header::AUTHORIZATION) {
        true => reply(200),
        false => challenge("Basic realm=\"r\""),
    });
    let http = Http::builder().build_over(server.clone()).unwrap();
    http.add_credentials("joe", "s3cret");
    assert_eq!(http.request("http://a.example/").await.unwrap().0.status(), 200);
    http.clear_credentials();
    assert_eq!(http.request("http://a.example/").await.unwrap().0.status(), 401);
    assert_eq!(authorizations(&server).last().unwrap(), "");
}

#[tokio::test]
async fn clients_of_one_builder_have_credentials_of_their_own() {
    let credentials = Credentials::new();
    credentials.add(Credential::login("joe", "s3cret"));
    let builder = Http::builder().credentials(&credentials);
    let server = Server::answering(|request, _| match request.headers().contains_key(header::AUTHORIZATION) {
        true => reply(200),
        false => challenge("Basic realm=\"r\""),
    });
    let (one, two) = (builder.clone().build_over(server.clone()).unwrap(), builder.build_over(server).unwrap());
    one.clear_credentials();
    assert_eq!(one.request("http://a.example/").await.unwrap().0.status(), 401);
    assert_eq!(two.request("http://a.example/").await.unwrap().0.status(), 200);
}

#[tokio::test]
async fn an_option_that_is_not_supported_is_an_error_only_where_nothing_else_would_do() {
    // H-DIG-09.
    let rot13 = "Digest realm=\"r\", nonce=\"n\", qop=\"auth\", algorithm=ROT13";
    let server = Server::answering(move |_, _| challenge(rot13).body("no"));
    let http = Http::builder().build_over(server.clone()).unwrap();
    // Without credentials it is the server's answer, as any other (H-AUTH-02).
    assert_eq!(http.request("http://a.example/").await.unwrap().0.status(), 401);
    http.add_credentials("joe", "s3cret");
    let error = http.request("http://a.example/").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnimplementedDigestAuthOption);
    assert_eq!(error.into_response().unwrap().1, "no");
    assert_eq!(authorizations(&server), ["", ""]);

    let server = Server::answering(move |request, _| match request.headers().contains_key(header::AUTHORIZATION) {
        true => reply(200),
        false => challenge(rot13).header("www-authenticate", "Basic realm=\"r\""),
    });
    let http = Http::builder().build_over(server).unwrap();
    http.add_credentials("joe", "s3cret");
    let (response, _) = http.request("http://a.example/").await.unwrap();
    assert_eq!(response.extensions().get::<Authentication>().unwrap().scheme(), Some("basic"));
}
