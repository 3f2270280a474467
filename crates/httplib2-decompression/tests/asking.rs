//! What is asked for, and which answers are touched.

mod coded;

use http::{Response, header};
use httplib2_core::context::Journal;
use httplib2_decompression::{Coding, Decoded, DecodedBody, Decoding, DecompressionLayer, NotDecoded};
use httplib2_testing::{Body, Server, reply, request, text};
use tower::{Layer, ServiceExt};

use coded::{brotli, encode, gzip};

/// Answers everything with the same coded body, and with its fields.
fn server(status: u16, coding: &str) -> Server {
    let coding = coding.to_owned();
    Server::answering(move |_, _| {
        let body = gzip(b"text");
        reply(status)
            .header("content-encoding", coding.as_str())
            .header("content-length", body.len())
            .header("etag", "\"1\"")
            .header("accept-ranges", "bytes")
            .header("vary", "accept-encoding")
            .body(body)
    })
}

async fn is_untouched(response: Response<DecodedBody<Body>>) {
    let body = gzip(b"text");
    assert!(response.extensions().get::<Decoded>().is_none());
    assert_eq!(response.headers()["content-encoding"], "gzip");
    assert_eq!(response.headers()["content-length"], body.len().to_string());
    assert_eq!(coded::collect(response).await.expect("a body"), body);
}

#[tokio::test]
async fn only_codings_that_can_be_decoded_are_asked_for() {
    // H-REQ-06.
    let server = server(200, "gzip");
    DecompressionLayer::new().layer(server.clone()).oneshot(request("GET http://a.example/")).await.unwrap();
    let expected = if Coding::Zstd.is_available() { "gzip, deflate, br, zstd" } else { "gzip, deflate, br" };
    assert_eq!(server.requests()[0].headers()["accept-encoding"], expected);
}

#[tokio::test]
async fn the_caller_chooses_the_codings_and_their_rank() {
    let server = server(200, "gzip");
    let layer = DecompressionLayer::new().codings([Coding::Brotli, Coding::Gzip]).ranked(true);
    layer.layer(server.clone()).oneshot(request("GET http://a.example/")).await.unwrap();
    assert_eq!(server.requests()[0].headers()["accept-encoding"], "br, gzip;q=0.9");
}

#[tokio::test]
async fn who_names_codings_gets_coded_bytes() {
    for accepted in ["gzip", "br;q=0.5", "identity", ""] {
        let server = server(200, "gzip");
        let mut named = request("GET http://a.example/");
        named.headers_mut().insert(header::ACCEPT_ENCODING, accepted.parse().unwrap());
        let response = DecompressionLayer::new().layer(server.clone()).oneshot(named).await.unwrap();
        assert_eq!(server.requests()[0].headers()["accept-encoding"], accepted);
        is_untouched(response).await;
    }
}

#[tokio::test]
async fn a_range_is_not_one_of_coded_bytes() {
    // Trap 35, H-REQ-06: nothing is asked for. A server that ignores the range and codes the whole all the same
    // is decoded, since the caller named no codings.
    let server = server(200, "gzip");
    let mut ranged = request("GET http://a.example/");
    ranged.headers_mut().insert(header::RANGE, "bytes=0-3".parse().unwrap());
    let response = DecompressionLayer::new().layer(server.clone()).oneshot(ranged).await.unwrap();
    assert!(!server.requests()[0].headers().contains_key("accept-encoding"));
    assert_eq!(text(response).await.unwrap(), "text");
}

#[tokio::test]
async fn raw_asks_for_nothing_and_decodes_nothing() {
    let server = server(200, "gzip");
    let mut raw = request("GET http://a.example/");
    raw.extensions_mut().insert(Decoding::Raw);
    let response = DecompressionLayer::new().layer(server.clone()).oneshot(raw.clone()).await.unwrap();
    assert!(!server.requests()[0].headers().contains_key("accept-encoding"));
    // The option is read, never removed.
    assert_eq!(server.requests()[0].extensions().get(), Some(&Decoding::Raw));
    is_untouched(response).await;

    let off = DecompressionLayer::new().decoding(Decoding::Raw).layer(server.clone());
    is_untouched(off.oneshot(request("GET http://a.example/")).await.unwrap()).await;
}

#[tokio::test]
async fn the_answer_to_head_is_untouched_and_the_question_that_of_get() {
    // H-DEC-01, DEC-11, trap 35. Methods are case-sensitive: `head` is not HEAD.
    let server = server(200, "gzip");
    let client = DecompressionLayer::new().layer(server.clone());
    let response = client.clone().oneshot(request("HEAD http://a.example/")).await.unwrap();
    assert!(server.requests()[0].headers().contains_key("accept-encoding"));
    is_untouched(response).await;
    let response = client.oneshot(request("head http://a.example/")).await.unwrap();
    assert_eq!(text(response).await.unwrap(), "text");
}

#[tokio::test]
async fn a_tunnel_is_untouched() {
    let server = server(200, "gzip");
    let response =
        DecompressionLayer::new().layer(server.clone()).oneshot(request("CONNECT a.example:80")).await.unwrap();
    assert!(!server.requests()[0].headers().contains_key("accept-encoding"));
    is_untouched(response).await;
}

#[tokio::test]
async fn an_answer_without_whole_content_is_untouched() {
    // H-DEC-06, DEC-11, trap 35.
    for status in [101, 204, 205, 206, 304] {
        let client = DecompressionLayer::new().layer(server(status, "gzip"));
        is_untouched(client.oneshot(request("GET http://a.example/")).await.unwrap()).await;
    }
}

#[tokio::test]
async fn an_answer_without_a_coding_is_untouched() {
    for coding in ["identity", ""] {
        let client = DecompressionLayer::new().layer(server(200, coding));
        let response = client.oneshot(request("GET http://a.example/")).await.unwrap();
        assert_eq!(response.headers()["content-encoding"], coding);
        assert!(response.headers().contains_key("content-length"));
        assert!(response.extensions().get::<Decoded>().is_none());
        assert_eq!(coded::collect(response).await.unwrap(), gzip(b"text"));
    }
}

#[tokio::test]
async fn a_decoded_answer_loses_what_speaks_of_the_coded_bytes_and_nothing_else() {
    // H-DEC-03, DEC-18: the former values are in the fact.
    let client = DecompressionLayer::new().layer(server(200, "GZip"));
    let response = client.oneshot(request("GET http://a.example/")).await.unwrap();
    let mut names: Vec<_> = response.headers().keys().map(header::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept-ranges", "etag", "vary"]);
    let fact = response.extensions().get::<Decoded>().unwrap();
    assert_eq!(fact.codings, [Coding::Gzip]);
    assert_eq!(fact.content_encoding, "GZip");
    assert_eq!(fact.content_length, Some(gzip(b"text").len() as u64));
    assert_eq!(fact.to_string(), "decoded from gzip (24 bytes)");
    assert_eq!(text(response).await.unwrap(), "text");
}

#[tokio::test]
async fn a_chain_of_many_codings_is_handed_on_undecoded_with_the_reason() {
    // DEC-03.
    let many = vec!["gzip"; 60].join(", ");
    let response = coded::get(&DecompressionLayer::new(), &many, "deep").await;
    assert_eq!(response.headers()["content-encoding"], many);
    let reason = response.extensions().get::<NotDecoded>().unwrap();
    assert_eq!(reason, &NotDecoded::TooManyCodings { count: 60, limit: 2 });
    assert_eq!(reason.to_string(), "not decoded: it has 60 codings, and 2 are allowed");
    assert_eq!(text(response).await.unwrap(), "deep");
}

#[tokio::test]
async fn an_unknown_coding_is_handed_on_with_all_codings_around_it() {
    let body = gzip(b"text");
    let response = coded::get(&DecompressionLayer::new(), "aes128gcm, gzip", body.clone()).await;
    assert_eq!(response.headers()["content-encoding"], "aes128gcm, gzip");
    let reason = response.extensions().get::<NotDecoded>().unwrap();
    assert_eq!(reason, &NotDecoded::UnknownCoding("aes128gcm".into()));
    assert_eq!(coded::collect(response).await.unwrap(), body);
}

#[tokio::test]
async fn a_coding_that_was_not_to_be_asked_for_is_not_decoded() {
    let layer = DecompressionLayer::new().codings([Coding::Gzip]);
    let response = coded::get(&layer, "br", brotli(b"text")).await;
    assert_eq!(response.extensions().get(), Some(&NotDecoded::UnknownCoding("br".into())));
}

#[tokio::test]
async fn the_layer_twice_decodes_once() {
    let twice = DecompressionLayer::new().layer(DecompressionLayer::new().layer(server(200, "gzip")));
    let response = twice.oneshot(request("GET http://a.example/")).await.unwrap();
    assert_eq!(text(response).await.unwrap(), "text");
}

#[tokio::test]
async fn the_journal_tells_what_was_done() {
    let journal = Journal::default();
    for (coding, body) in [("br, gzip", encode(Coding::Gzip, &brotli(b"text"))), ("compress", b"?".to_vec())] {
        let server =
            Server::new().on("GET http://a.example/", reply(200).header("content-encoding", coding).body(body));
        let mut explained = request("GET http://a.example/");
        explained.extensions_mut().insert(journal.clone());
        let response = DecompressionLayer::new().layer(server).oneshot(explained).await.unwrap();
        coded::collect(response).await.unwrap();
    }
    let lines: Vec<_> = journal.lines().iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        ["decompression: decoded from br, gzip", "decompression: not decoded: the coding compress is unknown"]
    );
}
