//! What answers teach the ledger, and what they make it forget.

use std::io;

use http::{HeaderValue, Method, Request, StatusCode};
use httplib2_lost_update::{IgnoreEtag, LostUpdateLayer};
use httplib2_testing::{Body, Reply, Server, reply, request};
use tower::{Layer, ServiceExt};

const URI: &str = "http://a.example/doc";

/// Plays these exchanges in order, then sends a PUT and returns the `If-Match` that it carried.
async fn if_match_after(layer: LostUpdateLayer, exchanges: Vec<(Request<Body>, Reply)>) -> Option<String> {
    let replies: Vec<_> = exchanges.iter().map(|(_, reply)| reply.clone()).collect();
    let server = Server::answering(move |_, n| replies.get(n).cloned().unwrap_or_else(|| reply(500)));
    let client = layer.layer(server.clone());
    for (request, _) in exchanges {
        // Whether it fails is a part of the exchange.
        let _ = client.clone().oneshot(request).await;
    }
    client.oneshot(send("PUT")).await.expect("an answer");
    let put = server.requests().pop().expect("a request");
    put.headers().get("if-match").map(|value| value.to_str().expect("text").to_owned())
}

fn send(method: &str) -> Request<Body> {
    request(&format!("{method} {URI}"))
}

fn tagged(status: u16, tag: &'static str) -> Reply {
    reply(status).header("etag", tag)
}

fn first_read() -> (Request<Body>, Reply) {
    (send("GET"), tagged(200, "\"v1\""))
}

#[tokio::test]
async fn a_later_answer_replaces_forgets_or_leaves_what_was_read() {
    let v1 = Some("\"v1\"");
    for (method, answer, expected) in [
        ("GET", tagged(200, "\"v2\""), Some("\"v2\"")),
        ("GET", reply(200), None),
        // What selected it is not known, but the caller has seen it.
        ("GET", tagged(200, "\"v2\"").header("vary", "*"), Some("\"v2\"")),
        ("GET", tagged(200, "\"v2\"").header("vary", "no list"), Some("\"v2\"")),
        ("GET", tagged(200, "W/\"v2\"").header("vary", "*"), None),
        ("GET", reply(200).header("vary", "*"), None),
        ("PUT", tagged(204, "\"v2\"").header("vary", "*"), Some("\"v2\"")),
        ("GET", reply(404), None),
        // The caller has seen no newer version, so the tag of one must not guard its edit.
        ("HEAD", tagged(200, "\"v2\""), v1),
        ("GET", tagged(206, "\"v2\""), v1),
        ("GET", tagged(302, "\"v2\""), v1),
        ("GET", tagged(503, "\"v2\""), v1),
        ("OPTIONS", tagged(200, "\"v2\""), v1),
        // What was written is what the caller knows best (RFC 9110 §8.8.3, RFC 9110 §9.3.4).
        ("PUT", tagged(201, "\"v2\""), Some("\"v2\"")),
        ("PATCH", tagged(204, "\"v2\""), Some("\"v2\"")),
        ("PUT", reply(204), None),
        ("PUT", tagged(204, "W/\"v2\""), None),
        ("DELETE", reply(204), None),
        // Not done, or not surely done: the old tag can only cost a 412.
        ("PUT", reply(202), v1),
        ("PUT", reply(401), v1),
        ("PUT", reply(500), v1),
        ("DELETE", reply(404), v1),
        ("PUT", Reply::failing(|| io::Error::from(io::ErrorKind::ConnectionReset)), v1),
        // Nobody knows what it did to the resource, and the caller has not seen it.
        ("POST", tagged(201, "\"v2\""), v1),
        ("LOCK", reply(200), v1),
        ("PUT", tagged(412, "\"v2\""), None),
    ] {
        let exchanges = vec![first_read(), (send(method), answer.clone())];
        let learnt = if_match_after(LostUpdateLayer::new(), exchanges).await;
        assert_eq!(learnt.as_deref(), expected, "{method} {answer:?}");
    }
}

#[tokio::test]
async fn an_unguarded_patch_makes_a_version_that_the_caller_has_not_seen() {
    // RFC 5789 §2: it changes a part of whatever is there. A PUT replaces it all.
    let unguarded = |method| {
        let mut request = send(method);
        request.extensions_mut().insert(IgnoreEtag);
        request
    };
    let own = |tag| {
        let mut patch = send("PATCH");
        patch.headers_mut().insert("if-match", HeaderValue::from_static(tag));
        patch
    };
    let v3 = Some("\"v3\"");
    for (update, expected) in
        [(unguarded("PATCH"), None), (unguarded("PUT"), v3), (own("\"v1\""), v3), (own("*"), None), (send("PATCH"), v3)]
    {
        let told = format!("{} {:?}", update.method(), update.headers());
        let exchanges = vec![first_read(), (update, tagged(204, "\"v3\""))];
        assert_eq!(if_match_after(LostUpdateLayer::new(), exchanges).await.as_deref(), expected, "{told}");
    }
    // Nothing was known of it.
    let exchanges = || vec![(send("PATCH"), tagged(204, "\"v3\""))];
    assert_eq!(if_match_after(LostUpdateLayer::new(), exchanges()).await, None);
    let unprotected = || LostUpdateLayer::new().optimistic_concurrency_methods([Method::PUT]);
    assert_eq!(if_match_after(unprotected(), exchanges()).await, None);
    let exchanges = vec![(own("\"v1\""), tagged(204, "\"v3\""))];
    assert_eq!(if_match_after(unprotected(), exchanges).await.as_deref(), v3);
}

#[tokio::test]
async fn a_304_confirms_the_version_that_the_caller_has() {
    let mut conditional = send("GET");
    conditional.headers_mut().insert("if-none-match", HeaderValue::from_static("\"v7\""));
    let learnt = if_match_after(LostUpdateLayer::new(), vec![(conditional, reply(304))]).await;
    assert_eq!(learnt.as_deref(), Some("\"v7\""));
}

#[tokio::test]
async fn several_updates_in_a_row_are_all_guarded_unless_as_in_httplib2() {
    // H-LOST-03.
    let exchanges = || vec![first_read(), (send("PUT"), tagged(204, "\"v2\""))];
    assert_eq!(if_match_after(LostUpdateLayer::new(), exchanges()).await.as_deref(), Some("\"v2\""));
    let one_shot = LostUpdateLayer::new().httplib2_one_shot(true);
    assert_eq!(if_match_after(one_shot, exchanges()).await, None);
}

#[tokio::test]
async fn a_method_that_was_named_counts_as_one_that_makes_a_version() {
    let layer = LostUpdateLayer::new().optimistic_concurrency_methods([Method::PUT, Method::POST]);
    let exchanges = vec![first_read(), (send("POST"), tagged(201, "\"new\""))];
    assert_eq!(if_match_after(layer, exchanges).await, None);
}

#[tokio::test]
async fn a_conflict_forgets_the_tag_unless_it_is_to_guard_until_the_next_read() {
    let exchanges = || vec![first_read(), (send("PUT"), reply(412))];
    assert_eq!(if_match_after(LostUpdateLayer::new(), exchanges()).await, None);
    let guarding = || LostUpdateLayer::new().guard_after_conflict(true);
    assert_eq!(if_match_after(guarding(), exchanges()).await.as_deref(), Some("\"v1\""));
    let mut exchanges = exchanges();
    exchanges.push((send("GET"), tagged(200, "\"v2\"")));
    assert_eq!(if_match_after(guarding(), exchanges).await.as_deref(), Some("\"v2\""));
}

#[tokio::test]
async fn the_ledger_is_bounded() {
    for layer in [LostUpdateLayer::new().max_uris(2), LostUpdateLayer::new().max_bytes(700)] {
        let server = Server::answering(|received, _| match *received.method() {
            Method::GET => tagged(200, "\"v1\""),
            _ => reply(500),
        });
        let client = layer.layer(server.clone());
        for n in 0..3 {
            client.clone().oneshot(request(&format!("GET http://a.example/{n}"))).await.unwrap();
        }
        for n in 0..3 {
            client.clone().oneshot(request(&format!("PATCH http://a.example/{n}"))).await.unwrap();
        }
        let guarded =
            server.requests()[3..].iter().map(|put| put.headers().contains_key("if-match")).collect::<Vec<_>>();
        assert_eq!(guarded, [false, true, true]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_that_was_overtaken_by_an_update_does_not_bring_the_old_tag_back() {
    use std::time::Duration;
    let server = Server::new()
        .on(&format!("GET {URI}"), tagged(200, "\"v1\"").delay(Duration::from_secs(2)))
        .on(&format!("PUT {URI}"), tagged(204, "\"v2\""));
    let client = LostUpdateLayer::new().layer(server.clone());
    let slow = tokio::spawn(client.clone().oneshot(send("GET")));
    tokio::time::sleep(Duration::from_secs(1)).await;
    client.clone().oneshot(send("PUT")).await.unwrap();
    assert_eq!(slow.await.unwrap().unwrap().status(), StatusCode::OK);
    client.oneshot(send("PUT")).await.unwrap();
    assert_eq!(server.requests()[2].headers()["if-match"], "\"v2\"");
}

#[tokio::test(start_paused = true)]
async fn whatever_overtakes_whatever_the_tag_is_never_older_than_the_last_own_version() {
    use std::{
        sync::{Arc, Mutex},
        time::Duration,
    };
    // One editor, whose requests overlap: each takes effect on the server at some time, and is answered some
    // time later. The server counts versions.
    let delays = Arc::new(Mutex::new(7_u64));
    let draw = move || {
        let mut state = delays.lock().unwrap();
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        *state >> 33
    };
    let version = Arc::new(Mutex::new(0_u64));
    let known = Arc::new(Mutex::new(0_u64));
    let (made, chance) = (Arc::clone(&version), draw.clone());
    let server = Server::answering(move |received, _| {
        let mut version = made.lock().unwrap();
        if *received.method() == Method::PUT {
            *version += 1;
        }
        reply(200).header("etag", format!("\"{version}\"")).delay(Duration::from_millis(chance() % 50))
    });
    let client = LostUpdateLayer::new().layer(server.clone());
    for _ in 0..200 {
        let tasks: Vec<_> = (0..4)
            .map(|_| {
                let (client, known, wait) = (client.clone(), Arc::clone(&known), draw() % 50);
                let method = if draw() % 2 == 0 { "GET" } else { "PUT" };
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(wait)).await;
                    let response = client.oneshot(send(method)).await.unwrap();
                    if method == "PUT" {
                        let tag = response.headers()["etag"].to_str().unwrap().trim_matches('"').parse().unwrap();
                        *known.lock().unwrap() = tag;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        client.clone().oneshot(send("PUT")).await.unwrap();
        let put = server.requests().pop().unwrap();
        if let Some(sent) = put.headers().get("if-match") {
            let sent: u64 = sent.to_str().unwrap().trim_matches('"').parse().unwrap();
            assert!(sent >= *known.lock().unwrap(), "sent {sent} after {known:?}");
        }
    }
    assert!(*version.lock().unwrap() > 200);
}
