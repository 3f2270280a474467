//! Whose version of what: variants by `Vary`, editors, origins, and other sources.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::{HeaderMap, HeaderValue, Method, Request, Uri};
use httplib2_core::who::{KnownTags, Validators};
use httplib2_lost_update::{Editor, Guard, LostUpdateLayer, Source};
use httplib2_testing::{Body, Server, reply, request};
use tower::{Layer, ServiceExt};

const URI: &str = "http://a.example/doc";

fn with(line: &str, fields: &[(&'static str, &'static str)]) -> Request<Body> {
    let mut request = request(line);
    for (name, value) in fields {
        request.headers_mut().insert(*name, HeaderValue::from_static(value));
    }
    request
}

fn editor(line: &str, number: u64, fields: &[(&'static str, &'static str)]) -> Request<Body> {
    let mut request = with(line, fields);
    request.extensions_mut().insert(Editor(number));
    request
}

fn if_match(server: &Server) -> Option<String> {
    let last = server.requests().pop().expect("a request");
    last.headers().get("if-match").map(|value| value.to_str().expect("text").to_owned())
}

/// A server whose tag is the request's `Accept`.
fn negotiating(vary: &'static str) -> Server {
    Server::answering(move |received, _| {
        let accept = received.headers().get("accept").map_or("none", |value| value.to_str().expect("text"));
        match *received.method() {
            Method::GET => reply(200).header("vary", vary).header("etag", format!("\"{accept}\"")),
            _ => reply(204),
        }
    })
}

#[tokio::test]
async fn an_update_carries_the_tag_of_the_variant_that_it_selects() {
    // H-LOST-04, LUP-09, RFC 9111 §4.1.
    for (read, written, sent) in [
        (&["json", "html"][..], Some("json"), Some("\"json\"")),
        (&["json", "html"][..], Some("html"), Some("\"html\"")),
        // None that was seen is the one that it selects: any of them, of which a wrong one costs a 412.
        (&["json"][..], Some("html"), Some("\"json\"")),
        (&["json", "text"][..], Some("html"), Some("\"text\", \"json\"")),
        // It does not say which one it means: the one that was seen, or any of them.
        (&["json"][..], None, Some("\"json\"")),
        (&["json", "html"][..], None, Some("\"html\", \"json\"")),
    ] {
        let server = negotiating("Accept");
        let client = LostUpdateLayer::new().layer(server.clone());
        for accept in read {
            client.clone().oneshot(with(&format!("GET {URI}"), &[("accept", accept)])).await.unwrap();
        }
        let fields: Vec<_> = written.iter().map(|accept| ("accept", *accept)).collect();
        client.oneshot(with(&format!("PUT {URI}"), &fields)).await.unwrap();
        assert_eq!(if_match(&server).as_deref(), sent, "{read:?} {written:?}");
    }
}

#[tokio::test]
async fn an_answer_that_varies_on_everything_was_seen_all_the_same() {
    // Trap 54.
    let server = negotiating("*");
    let client = LostUpdateLayer::new().layer(server.clone());
    client.clone().oneshot(request(&format!("GET {URI}"))).await.unwrap();
    client.oneshot(with(&format!("PUT {URI}"), &[("accept", "json")])).await.unwrap();
    assert_eq!(if_match(&server).as_deref(), Some("\"none\""));
}

#[tokio::test]
async fn the_date_of_an_answer_that_varies_on_everything_says_nothing_of_other_answers() {
    // A variant that is older than the one that was seen may have changed since, and would pass.
    for (vary, sent) in [("accept", true), ("*", false)] {
        let server = Server::answering(move |_, _| {
            let dated = reply(200).header("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT");
            dated.header("date", "Sun, 06 Nov 1994 08:49:38 GMT").header("vary", vary)
        });
        let client = LostUpdateLayer::new().if_unmodified_since(true).layer(server.clone());
        client.clone().oneshot(request(&format!("GET {URI}"))).await.unwrap();
        client.oneshot(request(&format!("PUT {URI}"))).await.unwrap();
        assert_eq!(server.requests()[1].headers().contains_key("if-unmodified-since"), sent, "{vary}");
    }
}

#[tokio::test]
async fn the_tag_of_an_update_is_that_of_the_variant_it_selected() {
    let server = Server::answering(|received, n| match *received.method() {
        Method::GET => reply(200).header("vary", "accept").header("etag", "\"read\""),
        _ => reply(204).header("etag", format!("\"{n}\"")),
    });
    let client = LostUpdateLayer::new().layer(server.clone());
    let put = format!("PUT {URI}");
    client.clone().oneshot(with(&format!("GET {URI}"), &[("accept", "json")])).await.unwrap();
    client.clone().oneshot(with(&put, &[("accept", "json")])).await.unwrap();
    client.clone().oneshot(with(&put, &[("accept", "json")])).await.unwrap();
    assert_eq!(if_match(&server).as_deref(), Some("\"1\""));
    client.clone().oneshot(with(&format!("GET {URI}"), &[("accept", "html")])).await.unwrap();
    client.clone().oneshot(with(&put, &[("accept", "json")])).await.unwrap();
    assert_eq!(if_match(&server).as_deref(), Some("\"2\""));
}

#[tokio::test]
async fn what_one_editor_has_read_does_not_guard_the_edit_of_another() {
    let get = format!("GET {URI}");
    let put = format!("PUT {URI}");
    let ann: &[_] = &[("authorization", "Basic YW5uOng=")];
    let bob: &[_] = &[("authorization", "Basic Ym9iOng=")];
    let cookie: &[_] = &[("cookie", "session=1")];
    for (read, written, sent) in [
        (with(&get, ann), with(&put, ann), true),
        (with(&get, ann), with(&put, bob), false),
        (with(&get, ann), with(&put, &[]), false),
        (with(&get, cookie), with(&put, cookie), true),
        (with(&get, cookie), with(&put, &[]), false),
        (editor(&get, 1, &[]), editor(&put, 1, &[]), true),
        (editor(&get, 1, ann), editor(&put, 2, ann), false),
        (editor(&get, 1, ann), with(&put, ann), false),
        // The number takes the place of credentials that change from request to request.
        (editor(&get, 1, ann), editor(&put, 1, bob), true),
    ] {
        let server = Server::answering(|_, _| reply(200).header("etag", "\"v1\""));
        let client = LostUpdateLayer::new().layer(server.clone());
        client.clone().oneshot(read).await.unwrap();
        client.oneshot(written).await.unwrap();
        let (read, written) = (&server.requests()[0], &server.requests()[1]);
        let both = (read.headers(), written.headers());
        assert_eq!(written.headers().contains_key("if-match"), sent, "{both:?}");
    }
}

#[tokio::test]
async fn credentials_need_not_tell_editors_apart() {
    let server = Server::answering(|_, _| reply(200).header("etag", "\"v1\""));
    let client = LostUpdateLayer::new().credentials_separate_editors(false).layer(server.clone());
    client.clone().oneshot(request(&format!("GET {URI}"))).await.unwrap();
    client.oneshot(with(&format!("PUT {URI}"), &[("cookie", "session=1")])).await.unwrap();
    assert_eq!(if_match(&server).as_deref(), Some("\"v1\""));
}

#[tokio::test]
async fn a_tag_belongs_to_one_uri() {
    for (uri, sent) in [
        ("http://A.EXAMPLE:80/doc", true),
        ("http://joe:x@a.example/doc", true),
        ("http://a.example/doc?", false),
        ("http://a.example/doc?v=1", false),
        ("http://a.example/Doc", false),
        ("http://a.example:81/doc", false),
        ("https://a.example/doc", false),
        ("http://b.example/doc", false),
        // Without an origin nothing is known of it.
        ("/doc", false),
    ] {
        let server = Server::answering(|_, _| reply(200).header("etag", "\"v1\""));
        let client = LostUpdateLayer::new().layer(server.clone());
        client.clone().oneshot(request(&format!("GET {URI}"))).await.unwrap();
        client.clone().oneshot(request("GET /doc")).await.unwrap();
        client.oneshot(request(&format!("PUT {uri}"))).await.unwrap();
        assert_eq!(if_match(&server).is_some(), sent, "{uri}");
    }
}

#[tokio::test]
async fn each_service_of_a_layer_has_a_ledger_of_its_own() {
    let server = Server::answering(|_, _| reply(200).header("etag", "\"v1\""));
    let layer = LostUpdateLayer::new();
    layer.layer(server.clone()).oneshot(request(&format!("GET {URI}"))).await.unwrap();
    layer.layer(server.clone()).oneshot(request(&format!("PUT {URI}"))).await.unwrap();
    assert_eq!(if_match(&server), None);
}

/// A source that answers after a second, and counts how often it was asked.
#[derive(Debug, Default)]
struct Slow(AtomicUsize);

impl KnownTags for Slow {
    fn known_tags(
        &self,
        uri: &Uri,
        request: &HeaderMap,
    ) -> Pin<Box<dyn Future<Output = Option<Validators>> + Send + 'static>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let known = uri.path() == "/doc" && !request.contains_key("x-other");
        Box::pin(async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            known.then(|| Validators {
                etag: Some(HeaderValue::from_static("\"kept\"")),
                last_modified: Some(HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT")),
            })
        })
    }
}

#[tokio::test(start_paused = true)]
async fn another_source_is_asked_only_where_the_ledger_knows_nothing() {
    let server = Server::answering(|_, n| reply(200).header("etag", format!("\"{n}\"")));
    let source = Arc::new(Slow::default());
    let client = LostUpdateLayer::new().known_tags(source.clone()).layer(server.clone());
    let response = client.clone().oneshot(request(&format!("PUT {URI}"))).await.unwrap();
    assert_eq!(if_match(&server).as_deref(), Some("\"kept\""));
    let guard = response.extensions().get::<Guard>().unwrap();
    assert_eq!(
        (guard.source(), guard.to_string()),
        (Some(Source::KnownTags), "If-Match: \"kept\" from another source".into())
    );
    client.clone().oneshot(request(&format!("PUT {URI}"))).await.unwrap();
    assert_eq!(if_match(&server).as_deref(), Some("\"0\""));
    assert_eq!(source.0.load(Ordering::SeqCst), 1);

    client.oneshot(with(&format!("PUT {URI}?"), &[("x-other", "1")])).await.unwrap();
    assert_eq!(if_match(&server), None);
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_another_source_holds_no_permit() {
    let server = Server::answering(|_, _| reply(200)).limited(1);
    let client = LostUpdateLayer::new().known_tags(Arc::new(Slow::default())).layer(server.clone());
    let waiting = tokio::spawn(client.oneshot(request(&format!("PUT {URI}"))));
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(server.permits_free(), 1);
    assert_eq!(waiting.await.unwrap().unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn the_date_of_another_source_is_not_used() {
    // Nobody says when the answer with this date was made, so it may be weak (RFC 9110 §8.8.2.2).
    #[derive(Debug)]
    struct Dated;
    impl KnownTags for Dated {
        fn known_tags(
            &self,
            _: &Uri,
            _: &HeaderMap,
        ) -> Pin<Box<dyn Future<Output = Option<Validators>> + Send + 'static>> {
            let last_modified = Some(HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT"));
            Box::pin(async { Some(Validators { etag: None, last_modified }) })
        }
    }
    let server = Server::answering(|_, _| reply(200));
    let client = LostUpdateLayer::new().if_unmodified_since(true).known_tags(Arc::new(Dated)).layer(server.clone());
    client.oneshot(request(&format!("PUT {URI}"))).await.unwrap();
    assert!(!server.requests()[0].headers().contains_key("if-unmodified-since"));
}
