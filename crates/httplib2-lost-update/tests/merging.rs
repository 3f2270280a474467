//! Conflicts that are merged.

use std::{
    collections::BTreeSet,
    io,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::Full;
use httplib2_core::{
    body::DiscardLimits,
    who::{Guarded, KnownTags, Validators},
};
use httplib2_lost_update::{Guard, LostUpdate, LostUpdateLayer, Merge, MergeHook, NotMerged, Source, merge_fn};
use httplib2_testing::{Reply, Server, reply, text};
use tower::{Layer, ServiceExt};

const URI: &str = "http://a.example/doc";

/// A server that keeps one document and takes only updates of its current version.
#[derive(Clone)]
struct Document(Arc<Mutex<(u64, Bytes)>>);

impl Document {
    fn new(text: &'static str) -> Self {
        Self(Arc::new(Mutex::new((1, Bytes::from_static(text.as_bytes())))))
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("a lock").1.to_vec()).expect("text")
    }

    fn server(&self) -> Server {
        let document = self.clone();
        Server::answering(move |received, _| {
            let mut document = document.0.lock().expect("a lock");
            let tag = |version: u64| HeaderValue::try_from(format!("\"v{version}\"")).expect("a tag");
            if *received.method() == Method::GET {
                return reply(200).header("etag", tag(document.0)).body(document.1.clone());
            }
            match received.headers().get("if-match") {
                None => reply(428),
                Some(expected) if *expected != tag(document.0) => reply(412).header("etag", tag(document.0)),
                Some(_) => {
                    *document = (document.0 + 1, received.body().clone());
                    reply(204).header("etag", tag(document.0))
                }
            }
        })
    }

    /// Somebody else's update.
    fn change(&self, text: &'static str) {
        let mut document = self.0.lock().expect("a lock");
        *document = (document.0 + 1, Bytes::from_static(text.as_bytes()));
    }
}

/// Both versions are lists of lines, and all lines are kept.
fn union() -> MergeHook {
    merge_fn(async |versions| {
        let both = [versions.theirs.body(), versions.mine.body()];
        let lines: BTreeSet<_> = both.iter().flat_map(|text| text.split(|byte| *byte == b'\n')).collect();
        Some(Bytes::from(lines.into_iter().collect::<Vec<_>>().join(&b'\n')))
    })
}

fn get() -> Request<Full<Bytes>> {
    Request::get(URI).body(Full::default()).expect("a request")
}

fn put(text: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::put(URI).header("content-type", "text/plain").body(Full::new(text.into())).expect("a request")
}

fn guard<R>(response: &Response<R>) -> &Guard {
    response.extensions().get().expect("a fact")
}

/// A client that has read `a`, which then became `a` and `b`.
async fn outdated<M: Merge<Full<Bytes>>>(layer: LostUpdateLayer<M>) -> (Document, Server, LostUpdate<Server, M>) {
    let document = Document::new("a");
    let server = document.server();
    let client = layer.layer(server.clone());
    client.clone().oneshot(get()).await.expect("an answer");
    document.change("a\nb");
    (document, server, client)
}

#[tokio::test]
async fn a_conflict_is_merged_and_sent_again_with_the_tag_that_was_merged() {
    let (document, server, client) = outdated(LostUpdateLayer::new().merge(union())).await;
    let mut edit = put("a\nc");
    for (name, value) in [
        ("accept", "text/plain"),
        ("content-length", "3"),
        ("content-digest", "sha-256=:x:"),
        ("expect", "100-continue"),
        ("range", "bytes=0-1"),
        ("cache-control", "only-if-cached"),
    ] {
        edit.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    edit.extensions_mut().insert(7_u8);
    let response = client.clone().oneshot(edit).await.unwrap();
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert_eq!(document.text(), "a\nb\nc");
    assert_eq!(guard(&response).rounds(), 1);
    assert_eq!(guard(&response).source(), Some(Source::Fetched));
    assert_eq!(guard(&response).to_string(), "If-Match: \"v2\" fetched for it, merged once");

    let line = |method: &str| format!("{method} {URI}");
    assert_eq!(server.saw()[1..], [line("PUT"), line("GET"), line("PUT")]);
    let [_, refused, fetched, merged] = &server.requests()[..] else { panic!("four requests") };
    assert_eq!(refused.headers()["if-match"], "\"v1\"");
    assert_eq!(fetched.headers()["accept"], "text/plain");
    // A cache below holds the version that has just been refused.
    assert_eq!(fetched.headers()["cache-control"], "no-cache");
    for gone in ["if-match", "content-type", "content-length", "content-digest", "expect", "range"] {
        assert!(!fetched.headers().contains_key(gone), "{gone}");
    }
    assert!(fetched.body().is_empty());
    assert_eq!(merged.headers()["if-match"], "\"v2\"");
    assert_eq!(merged.headers()["content-type"], "text/plain");
    assert!(!merged.headers().contains_key("content-length") && !merged.headers().contains_key("content-digest"));
    assert_eq!((fetched.extensions().get(), merged.extensions().get()), (Some(&7_u8), Some(&7_u8)));
}

#[tokio::test]
async fn what_was_merged_in_is_not_overwritten_by_the_next_update_either() {
    // The caller goes on with its own text, and was never given what somebody else wrote.
    let (document, server, client) = outdated(LostUpdateLayer::new().merge(union())).await;
    for (rounds, edit, text) in [(1, "a\nc", "a\nb\nc"), (1, "a\nc\nd", "a\nb\nc\nd"), (1, "e", "a\nb\nc\nd\ne")] {
        let before = server.saw().len();
        let response = client.clone().oneshot(put(edit)).await.unwrap();
        assert_eq!((response.status().as_u16(), guard(&response).rounds()), (204, rounds));
        assert_eq!(document.text(), text);
        assert_eq!(server.requests()[before].headers()["if-match"], "\"v1\"");
    }
    // From the next read on it knows them.
    client.clone().oneshot(get()).await.unwrap();
    let response = client.oneshot(put("x")).await.unwrap();
    assert_eq!((guard(&response).source(), guard(&response).rounds()), (Some(Source::Ledger), 0));
    assert_eq!(document.text(), "x");
}

#[tokio::test]
async fn a_merge_keeps_the_tag_that_another_source_knew() {
    /// Knows the tag once, as a cache does whose entry the update removes.
    #[derive(Debug, Default)]
    struct Once(AtomicBool);
    impl KnownTags for Once {
        fn known_tags(
            &self,
            _: &Uri,
            _: &HeaderMap,
        ) -> Pin<Box<dyn Future<Output = Option<Validators>> + Send + 'static>> {
            let known = !self.0.swap(true, Ordering::SeqCst);
            let etag = Some(HeaderValue::from_static("\"v1\""));
            Box::pin(async move { known.then_some(Validators { etag, last_modified: None }) })
        }
    }
    let document = Document::new("a");
    document.change("a\nb");
    let layer = LostUpdateLayer::new().known_tags(Arc::new(Once::default())).merge(union());
    let server = document.server();
    let client = layer.layer(server.clone());
    for (edit, text) in [("c", "a\nb\nc"), ("d", "a\nb\nc\nd")] {
        let before = server.saw().len();
        let response = client.clone().oneshot(put(edit)).await.unwrap();
        assert_eq!((guard(&response).rounds(), document.text()), (1, text.to_owned()));
        assert_eq!(server.requests()[before].headers().get("if-match"), Some(&HeaderValue::from_static("\"v1\"")));
    }
}

#[tokio::test]
async fn a_conflict_that_goes_to_the_caller_after_all_forgets_the_tag() {
    for (rounds, hook) in [(0, merge_fn(async |_| None)), (1, union())] {
        let server = Server::answering(|received, n| match *received.method() {
            Method::GET => reply(200).header("etag", format!("\"v{n}\"")),
            _ => reply(412),
        });
        let client = LostUpdateLayer::new().merge(hook).merge_rounds(1).layer(server.clone());
        client.clone().oneshot(get()).await.unwrap();
        let response = client.clone().oneshot(put("mine")).await.unwrap();
        assert_eq!((response.status().as_u16(), guard(&response).rounds()), (412, rounds));
        let before = server.saw().len();
        client.oneshot(put("mine")).await.unwrap();
        assert!(!server.requests()[before].headers().contains_key("if-match"));
    }
}

#[tokio::test]
async fn an_edit_of_one_variant_is_not_merged_with_another() {
    // RFC 9110 §12.5.5: the fetch carries the fields of the update.
    for (read, written, merged) in [
        (Some("json"), Some("json"), true),
        (None, None, true),
        (Some("json"), None, false),
        (Some("json"), Some("html"), false),
    ] {
        let server = Server::answering(|received, n| match (received.method(), received.headers().get("if-match")) {
            (&Method::GET, _) => reply(200).header("vary", "accept").header("etag", format!("\"v{n}\"")),
            (_, Some(tag)) if tag == "\"v0\"" => reply(412),
            _ => reply(204),
        });
        let client = LostUpdateLayer::new().merge(union()).layer(server.clone());
        let with = |mut request: Request<Full<Bytes>>, accept: Option<&'static str>| {
            accept.map(|accept| request.headers_mut().insert("accept", HeaderValue::from_static(accept)));
            request
        };
        client.clone().oneshot(with(get(), read)).await.unwrap();
        let response = client.oneshot(with(put("mine"), written)).await.unwrap();
        let reason = if merged { None } else { Some(&NotMerged::OtherVariant) };
        assert_eq!(guard(&response).not_merged(), reason, "{read:?} {written:?}");
        assert_eq!((guard(&response).rounds() == 1, server.saw().len()), (merged, if merged { 4 } else { 2 }));
    }
}

#[tokio::test]
async fn a_redirected_update_says_which_precondition_its_own_body_had() {
    // The merged one has another: who follows the redirect sends the caller's body again.
    let server = Server::new()
        .on(&format!("GET {URI}"), reply(200).header("etag", "\"v1\""))
        .on(&format!("PUT {URI}"), reply(412))
        .on(&format!("GET {URI}"), reply(200).header("etag", "\"v2\""))
        .on(&format!("PUT {URI}"), reply(308).header("location", "/other"));
    let client = LostUpdateLayer::new().merge(union()).layer(server.clone());
    client.clone().oneshot(get()).await.unwrap();
    let response = client.oneshot(put("mine")).await.unwrap();
    assert_eq!(server.requests()[3].headers()["if-match"], "\"v2\"");
    let guarded: Option<&Guarded> = response.extensions().get();
    assert_eq!(guarded.map(|guarded| guarded.value.to_str().unwrap()), Some("\"v1\""));
}

#[tokio::test]
async fn somebody_who_is_faster_again_is_merged_too() {
    let (document, server, client) = outdated(LostUpdateLayer::new()).await;
    drop(client);
    let other = document.clone();
    let rounds = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&rounds);
    let hook = merge_fn(move |versions| {
        seen.lock().unwrap().push((versions.round, versions.mine.body().clone(), versions.theirs.body().clone()));
        if versions.round == 1 {
            other.change("a\nb\nx");
        }
        let merged = [versions.theirs.body(), &b"\n"[..], versions.mine.body()].concat();
        async { Some(Bytes::from(merged)) }
    });
    let client = LostUpdateLayer::new().merge(hook).layer(server.clone());
    client.clone().oneshot(get()).await.unwrap();
    document.change("a\nb");
    let response = client.oneshot(put("c")).await.unwrap();
    assert_eq!(guard(&response).rounds(), 2);
    assert_eq!(document.text(), "a\nb\nx\nc");
    // The edit itself is merged anew each time, not what became of it in the round before.
    let expected = [(1, "c".into(), "a\nb".into()), (2, "c".into(), "a\nb\nx".into())];
    assert_eq!(*rounds.lock().unwrap(), expected);
}

#[tokio::test]
async fn two_writers_lose_no_update() {
    // The document is a number, and every update adds one to it: each one that is lost is missing at the end.
    const ROUNDS: usize = 1_000;
    fn plus_one(number: &Bytes) -> Bytes {
        let number: usize = str::from_utf8(number).expect("text").parse().expect("a number");
        (number + 1).to_string().into()
    }
    let document = Document::new("0");
    let server = document.server().hesitating();
    let layer = LostUpdateLayer::new().merge(merge_fn(async |versions| Some(plus_one(versions.theirs.body()))));
    let write = async || {
        let client = layer.layer(server.clone());
        let mut merges = 0;
        for round in 0..ROUNDS {
            let read = text(client.clone().oneshot(get()).await.unwrap()).await.unwrap();
            // So that the other one comes in between as often as not.
            for _ in 0..round % 3 {
                tokio::task::yield_now().await;
            }
            let response = client.clone().oneshot(put(plus_one(&read.into()))).await.unwrap();
            assert_eq!(response.status(), 204, "{}", guard(&response));
            merges += guard(&response).rounds();
        }
        merges
    };
    let (of_one, of_other) = tokio::join!(write(), write());
    assert_eq!(document.text(), (2 * ROUNDS).to_string());
    let merges = of_one + of_other;
    assert!(merges > ROUNDS / 10, "only {merges} conflicts");
}

#[tokio::test]
async fn the_rounds_are_bounded_and_the_last_conflict_is_returned() {
    let count = Arc::new(Mutex::new(1));
    let server = Server::answering(move |received, _| match *received.method() {
        Method::GET => {
            let mut count = count.lock().unwrap();
            *count += 1;
            reply(200).header("etag", format!("\"v{count}\""))
        }
        _ => reply(412).body("changed"),
    });
    let client = LostUpdateLayer::new().merge(union()).merge_rounds(3).layer(server.clone());
    client.clone().oneshot(get()).await.unwrap();
    let response = client.oneshot(put("mine")).await.unwrap();
    assert_eq!(response.status(), 412);
    assert_eq!((guard(&response).rounds(), guard(&response).not_merged()), (3, Some(&NotMerged::Rounds(3))));
    assert_eq!(server.saw().len(), 1 + 1 + 3 * 2);
    assert_eq!(text(response).await.unwrap(), "changed");
}

#[tokio::test]
async fn what_is_in_the_way_of_a_merge_returns_the_conflict_as_it_came() {
    let tagged = |status| reply(status).header("etag", "\"v2\"");
    let give_up = || merge_fn(async |_| None);
    let reset = Reply::failing(|| io::Error::from(io::ErrorKind::ConnectionReset));
    let why = "connection reset".into();
    for (hook, current, expected) in [
        (give_up(), tagged(200), NotMerged::GivenUp),
        (union(), tagged(404), NotMerged::Status(StatusCode::NOT_FOUND)),
        (union(), reply(200), NotMerged::NoTag),
        (union(), reply(200).header("etag", "W/\"v2\""), NotMerged::NoTag),
        (union(), tagged(200).body("123456789"), NotMerged::NotWhole),
        (union(), tagged(200).chunks(["12345", "6789"]), NotMerged::NotWhole),
        (union(), tagged(200).body("12").breaking(), NotMerged::NotWhole),
        (union(), reset, NotMerged::FetchFailed(why)),
    ] {
        let server = Server::new()
            .on(&format!("GET {URI}"), reply(200).header("etag", "\"v1\""))
            .on(&format!("GET {URI}"), current)
            .on(&format!("PUT {URI}"), reply(412).body("changed"));
        let client = LostUpdateLayer::new().merge(hook).merge_bytes(8).layer(server.clone());
        client.clone().oneshot(get()).await.unwrap();
        let response = client.oneshot(put("mine")).await.unwrap();
        assert_eq!(guard(&response).not_merged(), Some(&expected));
        assert!(guard(&response).conflict().is_some());
        assert_eq!(server.saw().len(), 3, "{expected}");
        assert_eq!(text(response).await.unwrap(), "changed");
    }
}

#[tokio::test]
async fn an_edit_that_is_too_long_or_gone_is_not_merged() {
    let (document, server, client) = outdated(LostUpdateLayer::new().merge(union()).merge_bytes(3)).await;
    let response = client.oneshot(put("1234")).await.unwrap();
    assert_eq!(guard(&response).not_merged(), Some(&NotMerged::BodyGone));
    assert_eq!((document.text(), server.saw().len()), ("a\nb".to_owned(), 2));
}

#[tokio::test]
async fn only_a_precondition_of_this_layer_is_replaced() {
    let (document, server, client) = outdated(LostUpdateLayer::new().merge(union())).await;
    let mut own = put("mine");
    own.headers_mut().insert("if-match", HeaderValue::from_static("\"v1\""));
    let response = client.clone().oneshot(own).await.unwrap();
    assert_eq!((response.status().as_u16(), guard(&response).not_merged()), (412, None));
    let mut creating = put("mine");
    creating.extensions_mut().insert(httplib2_lost_update::CreateOnly);
    let response = client.oneshot(creating).await.unwrap();
    assert_eq!((response.status().as_u16(), server.saw().len()), (428, 3));
    assert_eq!(document.text(), "a\nb");

    // What had no precondition was not refused for being old.
    let server = Server::new().on(&format!("PUT {URI}"), reply(412));
    let response = LostUpdateLayer::new().merge(union()).layer(server.clone()).oneshot(put("mine")).await.unwrap();
    assert_eq!((response.status().as_u16(), guard(&response).not_merged()), (412, None));
    assert_eq!(server.saw().len(), 1);
}

#[tokio::test]
async fn a_428_is_answered_by_a_merge() {
    // RFC 6585 §3: what is overwritten has been taken up.
    let document = Document::new("a");
    let client = LostUpdateLayer::new().merge(union()).layer(document.server());
    let response = client.oneshot(put("b")).await.unwrap();
    assert_eq!((response.status().as_u16(), guard(&response).rounds()), (204, 1));
    assert_eq!(document.text(), "a\nb");
}

#[tokio::test]
async fn a_hook_of_the_request_replaces_that_of_the_layer() {
    let fixed = |text: &'static str| merge_fn(move |_| async move { Some(Bytes::from_static(text.as_bytes())) });
    for layer in [LostUpdateLayer::new().merge(Some(union())), LostUpdateLayer::new().merge(None)] {
        let (document, _, client) = outdated(layer).await;
        let mut edit = put("mine");
        edit.extensions_mut().insert(fixed("of the request"));
        client.oneshot(edit).await.unwrap();
        assert_eq!(document.text(), "of the request");
    }
    let (document, _, client) = outdated(LostUpdateLayer::new().merge(None::<MergeHook>)).await;
    assert_eq!(client.oneshot(put("mine")).await.unwrap().status(), 412);
    assert_eq!(document.text(), "a\nb");
}

#[tokio::test]
async fn an_error_of_the_merged_request_is_the_callers() {
    let server = Server::new()
        .on(&format!("GET {URI}"), reply(200).header("etag", "\"v1\""))
        .on(&format!("PUT {URI}"), reply(412))
        .on(&format!("PUT {URI}"), Reply::failing(|| io::Error::from(io::ErrorKind::ConnectionReset)));
    let client = LostUpdateLayer::new().merge(union()).layer(server);
    client.clone().oneshot(get()).await.unwrap();
    assert!(client.oneshot(put("mine")).await.unwrap_err().is::<io::Error>());
}

#[tokio::test(start_paused = true)]
async fn a_conflict_whose_body_stalls_does_not_hold_up_the_merge() {
    let server = Server::new()
        .on(&format!("GET {URI}"), reply(200).header("etag", "\"v1\""))
        .on(&format!("PUT {URI}"), reply(412).body("chang").stalling())
        .on(&format!("PUT {URI}"), reply(204));
    let limits = DiscardLimits::new(1024, Duration::from_millis(300));
    let client = LostUpdateLayer::new().merge(union()).discard_limits(limits).layer(server);
    client.clone().oneshot(get()).await.unwrap();
    let start = tokio::time::Instant::now();
    assert_eq!(client.oneshot(put("mine")).await.unwrap().status(), 204);
    assert_eq!(start.elapsed(), Duration::from_millis(300));
}

#[test]
fn debug_of_two_versions_shows_neither() {
    let seen = Arc::new(Mutex::new(String::new()));
    let shown = Arc::clone(&seen);
    let hook = merge_fn(move |versions| {
        *shown.lock().unwrap() = format!("{versions:?}");
        async { None }
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (_, _, client) = outdated(LostUpdateLayer::new().merge(hook)).await;
        let mut edit = put("s3cret");
        edit.headers_mut().insert("x-key", HeaderValue::from_static("s3cret"));
        client.oneshot(edit).await.unwrap();
    });
    assert_eq!(*seen.lock().unwrap(), format!("Versions(PUT {URI}, 6 bytes against 3 bytes, round 1)"));
}
