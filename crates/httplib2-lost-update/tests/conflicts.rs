//! What becomes of a 412 and of a 428 without a hook.

use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use httplib2_core::body::{Once, ReplayBody};
use httplib2_lost_update::{CreateOnly, Guard, IgnoreEtag, LostUpdateLayer, Precondition, Refusal, Source};
use httplib2_testing::{Body, Server, reply, request, text};
use tower::{Layer, ServiceExt};

const URI: &str = "http://a.example/doc";

fn put() -> Request<Body> {
    Request::put(URI).body(Body::from("mine")).expect("a request")
}

fn guard<R>(response: &Response<R>) -> &Guard {
    response.extensions().get().expect("a fact")
}

fn precondition(tag: &'static str) -> Precondition {
    Precondition::IfMatch(HeaderValue::from_static(tag))
}

#[tokio::test]
async fn a_conflict_goes_to_the_caller_and_is_not_repaired_behind_its_back() {
    // LUP-02, H-LOST-07, RFC 9110 §15.5.13.
    for told in [Some("\"v2\""), None] {
        let refused = told.into_iter().fold(reply(412).body("changed"), |reply, tag| reply.header("etag", tag));
        let server = Server::new()
            .on(&format!("GET {URI}"), reply(200).header("etag", "\"v1\""))
            .on(&format!("PUT {URI}"), refused);
        let client = LostUpdateLayer::new().fetch_tag_on_428(true).layer(server.clone());
        client.clone().oneshot(request(&format!("GET {URI}"))).await.unwrap();
        let response = client.oneshot(put()).await.unwrap();
        assert_eq!(server.saw(), [format!("GET {URI}"), format!("PUT {URI}")]);
        let conflict = guard(&response).conflict().unwrap();
        assert_eq!(conflict.sent, Some(precondition("\"v1\"")));
        assert_eq!(conflict.current, told.map(HeaderValue::from_static));
        assert_eq!(response.status(), 412);
        assert_eq!(text(response).await.unwrap(), "changed");
    }
}

#[tokio::test]
async fn a_conflict_with_a_precondition_of_the_caller_is_a_fact_too() {
    let server = Server::new().on(&format!("PUT {URI}"), reply(412));
    let client = LostUpdateLayer::new().layer(server.clone());
    let mut own = put();
    own.headers_mut().insert("if-match", HeaderValue::from_static("\"mine\""));
    let response = client.clone().oneshot(own).await.unwrap();
    assert_eq!(guard(&response).conflict().unwrap().sent, Some(precondition("\"mine\"")));

    let mut creating = put();
    creating.extensions_mut().insert(CreateOnly);
    let response = client.oneshot(creating).await.unwrap();
    assert_eq!(guard(&response).to_string(), "If-None-Match: * to create only, refused: 412");
}

#[tokio::test]
async fn a_412_to_the_callers_own_precondition_forgets_the_same_tag_only() {
    for (own, left) in [("\"v1\"", None), ("\"v0\"", Some("\"v1\""))] {
        let server = Server::new()
            .on(&format!("GET {URI}"), reply(200).header("etag", "\"v1\""))
            .on(&format!("PUT {URI}"), reply(412));
        let client = LostUpdateLayer::new().layer(server.clone());
        client.clone().oneshot(request(&format!("GET {URI}"))).await.unwrap();
        let mut put_own = put();
        put_own.headers_mut().insert("if-match", HeaderValue::from_static(own));
        client.clone().oneshot(put_own).await.unwrap();
        client.oneshot(put()).await.unwrap();
        let sent = server.requests()[2].headers().get("if-match").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(sent.as_deref(), left);
    }
}

#[tokio::test]
async fn a_428_goes_to_the_caller() {
    // H-LOST-07, RFC 6585 §3: whoever fetches the tag only to send it protects nobody.
    let server = Server::new().on(&format!("PUT {URI}"), reply(428).body("conditional, please"));
    let client = LostUpdateLayer::new().layer(server.clone());
    let response = client.oneshot(put()).await.unwrap();
    assert_eq!(server.saw().len(), 1);
    assert_eq!(guard(&response).refusal(), Some(&Refusal::Required));
    assert_eq!(text(response).await.unwrap(), "conditional, please");
}

fn conditional_only(head: httplib2_testing::Reply) -> Server {
    Server::answering(move |received, _| match (received.method().as_str(), received.headers().get("if-match")) {
        ("HEAD", _) => head.clone(),
        (_, None) => reply(428).body("conditional, please"),
        (_, Some(tag)) if tag == "\"v1\"" => reply(204).header("etag", "\"v2\""),
        _ => reply(412),
    })
}

#[tokio::test]
async fn a_428_can_be_answered_with_the_tag_that_a_head_tells() {
    let server = conditional_only(reply(200).header("etag", "\"v1\""));
    let client = LostUpdateLayer::new().fetch_tag_on_428(true).layer(server.clone());
    let mut with_fields = put();
    with_fields.headers_mut().insert("content-type", HeaderValue::from_static("text/plain"));
    with_fields.headers_mut().insert("accept", HeaderValue::from_static("text/plain"));
    let response = client.clone().oneshot(with_fields).await.unwrap();
    assert_eq!(response.status(), 204);
    assert_eq!(guard(&response).source(), Some(Source::Fetched));
    assert_eq!(guard(&response).to_string(), "If-Match: \"v1\" fetched for it");
    let requests = server.requests();
    assert_eq!(server.saw(), [format!("PUT {URI}"), format!("HEAD {URI}"), format!("PUT {URI}")]);
    assert_eq!(requests[1].headers()["accept"], "text/plain");
    assert_eq!(requests[1].headers()["cache-control"], "no-cache");
    assert!(!requests[1].headers().contains_key("content-type") && requests[1].body().is_empty());
    assert_eq!(
        (requests[2].body().as_ref(), &requests[2].headers()["content-type"]),
        (&b"mine"[..], &HeaderValue::from_static("text/plain"))
    );
    // The new tag was learnt.
    client.oneshot(put()).await.unwrap();
    assert_eq!(server.requests()[3].headers()["if-match"], "\"v2\"");
}

#[tokio::test]
async fn a_428_stays_one_where_no_tag_can_be_fetched() {
    for head in [
        reply(200),
        reply(200).header("etag", "W/\"v1\""),
        reply(404).header("etag", "\"v1\""),
        httplib2_testing::Reply::failing(|| std::io::Error::from(std::io::ErrorKind::ConnectionReset)),
    ] {
        let server = conditional_only(head);
        let client = LostUpdateLayer::new().fetch_tag_on_428(true).layer(server.clone());
        let response = client.oneshot(put()).await.unwrap();
        assert_eq!(response.status(), 428);
        assert_eq!(guard(&response).refusal(), Some(&Refusal::Required));
        assert_eq!(text(response).await.unwrap(), "conditional, please");
        assert_eq!(server.saw().len(), 2);
    }
}

#[tokio::test]
async fn a_428_stays_one_where_the_body_is_gone_or_no_precondition_is_wanted() {
    let server = conditional_only(reply(200).header("etag", "\"v1\""));
    let client = LostUpdateLayer::new().fetch_tag_on_428(true).layer(server.clone());
    let foreign = put().map(|_| Once::new(Full::new(bytes::Bytes::from_static(b"mine"))));
    assert_eq!(client.oneshot(foreign).await.unwrap().status(), 428);
    assert_eq!(server.saw().iter().filter(|line| line.starts_with("PUT")).count(), 1);

    let server = conditional_only(reply(200).header("etag", "\"v1\""));
    let client = LostUpdateLayer::new().fetch_tag_on_428(true).layer(server.clone());
    let mut ignoring = put();
    ignoring.extensions_mut().insert(IgnoreEtag);
    assert_eq!(client.oneshot(ignoring).await.unwrap().status(), 428);
    assert_eq!(server.saw().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_early_428_takes_the_body_over_from_the_send_that_is_under_way() {
    // The first answer comes before the upload is over, and its body takes its time.
    let (mut upload, body) = http_body_util::Channel::<bytes::Bytes, std::convert::Infallible>::new(8);
    upload.send_data(bytes::Bytes::from_static(b"mi")).await.unwrap();
    let server = Server::new()
        .on(&format!("PUT {URI}"), reply(428).body("conditional").early().stalling())
        .on(&format!("HEAD {URI}"), reply(200).header("etag", "\"v1\""))
        .on(&format!("PUT {URI}"), reply(204));
    let client = LostUpdateLayer::new().fetch_tag_on_428(true).layer(server.clone());
    let sending = tokio::spawn(client.oneshot(put().map(|_| ReplayBody::new(Once::new(body), 200))));
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    upload.send_data(bytes::Bytes::from_static(b"ne")).await.unwrap();
    drop(upload);
    assert_eq!(sending.await.unwrap().unwrap().status(), 204);
    assert_eq!(server.requests()[2].body(), "mine");
}

#[tokio::test]
async fn a_428_that_was_answered_too_late_is_a_conflict() {
    let server = conditional_only(reply(200).header("etag", "\"v0\""));
    let client = LostUpdateLayer::new().fetch_tag_on_428(true).layer(server.clone());
    let response = client.oneshot(put()).await.unwrap();
    assert_eq!(guard(&response).conflict().unwrap().sent, Some(precondition("\"v0\"")));
    assert_eq!(server.saw().len(), 3);
}

#[tokio::test]
async fn two_updates_at_a_time_of_one_version_are_one_update_and_one_conflict() {
    let server = Server::answering(|received, n| match (received.method().as_str(), n) {
        ("GET", _) => reply(200).header("etag", "\"v1\""),
        (_, 1) => reply(204).header("etag", "\"v2\""),
        _ => reply(412),
    })
    .hesitating();
    let client = LostUpdateLayer::new().layer(server.clone());
    client.clone().oneshot(request(&format!("GET {URI}"))).await.unwrap();
    let (first, second) = (client.clone().oneshot(put()), client.clone().oneshot(put()));
    let (first, second) = tokio::join!(first, second);
    let mut statuses = [first.unwrap().status(), second.unwrap().status()];
    statuses.sort();
    assert_eq!(statuses, [StatusCode::NO_CONTENT, StatusCode::PRECONDITION_FAILED]);
    // The conflict was about the old version and forgets nothing newer.
    client.oneshot(put()).await.unwrap();
    assert_eq!(server.requests()[3].headers()["if-match"], "\"v2\"");
}
