//! Which updates carry a precondition, and which one.

use http::{
    HeaderValue, Method, Request, Response,
    header::{IF_MATCH, IF_NONE_MATCH},
};
use httplib2_core::{context::Journal, error::cause_ref, who::Guarded};
use httplib2_lost_update::{
    CreateOnly, Guard, IgnoreEtag, LostUpdateError, LostUpdateLayer, Precondition, RequireTag, Source, Unguarded,
};
use httplib2_testing::{Body, Server, reply, request};
use tower::{Layer, ServiceExt};

const URI: &str = "http://a.example/doc";

fn server(etag: &'static str) -> Server {
    Server::answering(move |received, _| match *received.method() {
        Method::GET => reply(200).header("etag", etag).header("cache-control", "no-store").body("one"),
        _ => reply(204),
    })
}

fn put() -> Request<Body> {
    Request::put(URI).body(Body::from("mine")).expect("a request")
}

/// The named field of the last request that the server saw.
fn last(server: &Server, name: &str) -> Option<String> {
    let last = server.requests().pop().expect("a request");
    last.headers().get(name).map(|value| value.to_str().expect("text").to_owned())
}

fn guard<R>(response: &Response<R>) -> &Guard {
    response.extensions().get().expect("a fact")
}

#[tokio::test]
async fn a_put_carries_the_tag_of_the_version_that_was_read() {
    // LUP-01, H-LOST-01; the answer was `no-store`, which says nothing against knowing its tag.
    let server = server("\"v1\"");
    let client = LostUpdateLayer::new().layer(server.clone());
    client.clone().oneshot(request(&format!("GET {URI}"))).await.unwrap();
    let response = client.oneshot(put()).await.unwrap();
    assert_eq!(last(&server, "if-match").as_deref(), Some("\"v1\""));
    assert_eq!(server.requests()[1].body(), "mine");
    assert_eq!(guard(&response).precondition(), Some(&Precondition::IfMatch(HeaderValue::from_static("\"v1\""))));
    assert_eq!(guard(&response).source(), Some(Source::Ledger));
    assert_eq!(guard(&response).to_string(), "If-Match: \"v1\" from the ledger");
}

#[tokio::test]
async fn a_response_names_the_precondition_that_was_added() {
    // Who follows a redirect reads it there, since the request itself passed without it.
    let server = server("\"v1\"");
    let client = LostUpdateLayer::new().layer(server.clone());
    let guarded = async |request| client.clone().oneshot(request).await.unwrap().extensions().get::<Guarded>().cloned();
    let field = |name, value| Some(Guarded { name, value: HeaderValue::from_static(value) });
    assert_eq!(guarded(put()).await, None);
    assert_eq!(guarded(request(&format!("GET {URI}"))).await, None);
    let mut own = put();
    own.headers_mut().insert("if-match", HeaderValue::from_static("\"v1\""));
    assert_eq!(guarded(own).await, None);
    guarded(request(&format!("GET {URI}"))).await;
    assert_eq!(guarded(put()).await, field(IF_MATCH, "\"v1\""));
    let mut creating = put();
    creating.extensions_mut().insert(CreateOnly);
    assert_eq!(guarded(creating).await, field(IF_NONE_MATCH, "*"));
}

#[tokio::test]
async fn the_protected_methods_can_be_chosen() {
    // LUP-07.
    for (methods, guarded) in [
        (None, ["PUT", "PATCH"].as_slice()),
        (Some(vec![Method::DELETE, Method::POST]), &["DELETE", "POST"]),
        (Some(vec![]), &[]),
    ] {
        for method in ["PUT", "PATCH", "DELETE", "POST", "HEAD", "OPTIONS", "PROPFIND"] {
            let server = server("\"v1\"");
            let layer = LostUpdateLayer::new();
            let layer = match &methods {
                Some(methods) => layer.optimistic_concurrency_methods(methods.iter().cloned()),
                None => layer,
            };
            let client = layer.layer(server.clone());
            client.clone().oneshot(request(&format!("GET {URI}"))).await.unwrap();
            let response = client.oneshot(request(&format!("{method} {URI}"))).await.unwrap();
            assert_eq!(last(&server, "if-match").is_some(), guarded.contains(&method), "{method} of {methods:?}");
            let fact = response.extensions().get::<Guard>();
            assert_eq!(fact.is_some(), guarded.contains(&method), "{method} of {methods:?}");
        }
    }
}

#[tokio::test]
async fn the_precondition_of_the_caller_stands() {
    // LUP-04, H-LOST-02.
    for (name, value) in [
        ("if-match", "\"mine\""),
        ("if-match", "W/\"mine\""),
        ("if-none-match", "\"mine\""),
        ("if-unmodified-since", "Sun, 06 Nov 1994 08:49:37 GMT"),
    ] {
        let server = server("\"v1\"");
        let client = LostUpdateLayer::new().layer(server.clone());
        client.clone().oneshot(request(&format!("GET {URI}"))).await.unwrap();
        let mut put = put();
        put.headers_mut().insert(name, HeaderValue::from_static(value));
        let response = client.oneshot(put).await.unwrap();
        assert_eq!(last(&server, name).as_deref(), Some(value));
        let conditions = ["if-match", "if-none-match", "if-unmodified-since"];
        assert_eq!(conditions.into_iter().filter(|name| last(&server, name).is_some()).count(), 1);
        assert_eq!(guard(&response).source(), Some(Source::Caller));
    }
}

#[tokio::test]
async fn ignore_etag_sends_no_precondition() {
    // H-LOST-05, H-API-26.
    let server = server("\"v1\"");
    let client = LostUpdateLayer::new().require_tag(true).layer(server.clone());
    client.clone().oneshot(request(&format!("GET {URI}"))).await.unwrap();
    let mut ignoring = put();
    ignoring.extensions_mut().insert(IgnoreEtag);
    let response = client.oneshot(ignoring).await.unwrap();
    assert_eq!(last(&server, "if-match"), None);
    assert_eq!(guard(&response).reason(), Some(Unguarded::IgnoreEtag));
}

#[tokio::test]
async fn a_weak_tag_is_not_sent_unless_as_httplib2_did() {
    // H-LOST-06, trap 52, RFC 9110 §13.1.1.
    for (layer, sent) in
        [(LostUpdateLayer::new(), None), (LostUpdateLayer::new().httplib2_weak_tags(true), Some("W/\"v1\""))]
    {
        let server = server("W/\"v1\"");
        let client = layer.layer(server.clone());
        client.clone().oneshot(request(&format!("GET {URI}"))).await.unwrap();
        let response = client.oneshot(put()).await.unwrap();
        assert_eq!(last(&server, "if-match").as_deref(), sent);
        assert_eq!(guard(&response).reason(), sent.is_none().then_some(Unguarded::WeakTag));
    }
}

#[tokio::test]
async fn a_tag_without_quotes_goes_back_as_it_came() {
    // httplib2's own tests send `12345`.
    let server = server("12345");
    let client = LostUpdateLayer::new().layer(server.clone());
    client.clone().oneshot(request(&format!("GET {URI}"))).await.unwrap();
    client.oneshot(put()).await.unwrap();
    assert_eq!(last(&server, "if-match").as_deref(), Some("12345"));
}

#[tokio::test]
async fn where_only_a_date_is_known_it_is_sent_if_asked() {
    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    for (option, made, sent) in [
        (true, "Sun, 06 Nov 1994 08:49:38 GMT", Some(DATE)),
        (true, DATE, None),
        (false, "Sun, 06 Nov 1994 08:49:38 GMT", None),
    ] {
        let server = Server::new()
            .on(&format!("GET {URI}"), reply(200).header("last-modified", DATE).header("date", made))
            .on(&format!("PUT {URI}"), reply(204));
        let client = LostUpdateLayer::new().if_unmodified_since(option).layer(server.clone());
        client.clone().oneshot(request(&format!("GET {URI}"))).await.unwrap();
        client.oneshot(put()).await.unwrap();
        assert_eq!(last(&server, "if-unmodified-since").as_deref(), sent);
    }
}

#[tokio::test]
async fn to_create_only_is_asked_for_by_request_or_where_nothing_is_known() {
    // RFC 9110 §13.1.2.
    let server = server("\"v1\"");
    let client = LostUpdateLayer::new().create_only(true).layer(server.clone());
    let response = client.clone().oneshot(put()).await.unwrap();
    assert_eq!(last(&server, "if-none-match").as_deref(), Some("*"));
    assert_eq!(guard(&response).to_string(), "If-None-Match: * to create only");

    client.clone().oneshot(request(&format!("GET {URI}"))).await.unwrap();
    client.clone().oneshot(put()).await.unwrap();
    assert_eq!((last(&server, "if-none-match"), last(&server, "if-match")), (None, Some("\"v1\"".into())));

    client.clone().oneshot(request(&format!("GET {URI}"))).await.unwrap();
    let mut creating = put();
    creating.extensions_mut().insert(CreateOnly);
    client.oneshot(creating).await.unwrap();
    assert_eq!((last(&server, "if-none-match"), last(&server, "if-match")), (Some("*".into()), None));
}

#[tokio::test]
async fn where_a_tag_is_required_an_update_without_one_is_not_sent() {
    let server = server("W/\"v1\"");
    let client = LostUpdateLayer::new().require_tag(true).layer(server.clone());
    let refused = |reason| LostUpdateError::NothingKnown { method: Method::PUT, uri: URI.parse().unwrap(), reason };
    let error = client.clone().oneshot(put()).await.unwrap_err();
    assert_eq!(cause_ref(&*error), Some(&refused(Unguarded::NothingKnown)));
    assert!(server.saw().is_empty());

    client.clone().oneshot(request(&format!("GET {URI}"))).await.unwrap();
    let error = client.clone().oneshot(put()).await.unwrap_err();
    assert_eq!(cause_ref(&*error), Some(&refused(Unguarded::WeakTag)));

    let mut anyway = put();
    anyway.extensions_mut().insert(RequireTag(false));
    assert_eq!(client.oneshot(anyway).await.unwrap().status(), 204);
    assert_eq!(server.saw().len(), 2);
}

#[tokio::test]
async fn a_request_can_require_a_tag_by_itself() {
    let server = server("\"v1\"");
    let client = LostUpdateLayer::new().layer(server.clone());
    let strict = || {
        let mut put = put();
        put.extensions_mut().insert(RequireTag(true));
        put
    };
    assert!(client.clone().oneshot(strict()).await.is_err());
    client.clone().oneshot(request(&format!("GET {URI}"))).await.unwrap();
    client.oneshot(strict()).await.unwrap();
    assert_eq!(last(&server, "if-match").as_deref(), Some("\"v1\""));
}

#[tokio::test]
async fn a_refused_update_names_no_secret() {
    let client = LostUpdateLayer::new().require_tag(true).layer(server("\"v1\""));
    let put = Request::put("http://joe:s3cret@a.example/doc?token=s3cret").body(Body::empty()).unwrap();
    let error = client.oneshot(put).await.unwrap_err();
    let expected = "PUT http://a.example/doc?.. was not sent: a precondition is required and nothing is known of the \
                    resource";
    assert_eq!(error.to_string(), expected);
    assert!(!format!("{error:?}").contains("s3cret"));
}

#[tokio::test]
async fn the_suffix_of_a_coding_can_be_left_out_too() {
    // Trap 52: Apache knows `"v1"` when `"v1-gzip"` comes back.
    for (option, sent) in [(false, "\"v1-gzip\""), (true, "\"v1-gzip\", \"v1\"")] {
        let server = server("\"v1-gzip\"");
        let client = LostUpdateLayer::new().content_coding_suffixes(option).layer(server.clone());
        client.clone().oneshot(request(&format!("GET {URI}"))).await.unwrap();
        client.oneshot(put()).await.unwrap();
        assert_eq!(last(&server, "if-match").as_deref(), Some(sent));
    }
}

#[tokio::test]
async fn the_journal_tells_what_was_sent_and_why() {
    let server = Server::new()
        .on(&format!("GET {URI}"), reply(200).header("etag", "\"v1\""))
        .on(&format!("PUT {URI}"), reply(412).header("etag", "\"v2\""));
    let client = LostUpdateLayer::new().layer(server);
    let journal = Journal::default();
    let explained = |line: &str| {
        let mut request = request(&format!("{line} {URI}"));
        request.headers_mut().insert("authorization", HeaderValue::from_static("Bearer s3cret"));
        request.extensions_mut().insert(journal.clone());
        request
    };
    client.clone().oneshot(explained("PUT")).await.unwrap();
    client.clone().oneshot(explained("GET")).await.unwrap();
    client.oneshot(explained("PUT")).await.unwrap();
    let lines: Vec<_> = journal.lines().iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "lost-update: no precondition: nothing is known of the resource",
            "lost-update: no precondition: nothing is known of the resource, refused: 412, now it is \"v2\"",
            "lost-update: If-Match: \"v1\" from the ledger",
            "lost-update: If-Match: \"v1\" from the ledger, refused: 412, now it is \"v2\"",
        ]
    );
}
