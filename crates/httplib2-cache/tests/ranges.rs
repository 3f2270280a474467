//! Ranges cut out of what is stored as a whole (RFC 9110 §14, RFC 9111 §3.3).

mod common;

use http::{Method, Request, header};
use httplib2_cache::{
    CacheMode, Served,
    policy::{Rules, Why},
};
use httplib2_testing::{Body, FixedNonce, Reply, Server, reply};

use self::common::{GET, Got, Site, cached, executor, settle, stores::Call, stores::Fault, stores::Faulty, with};

const TEXT: &str = "0123456789";

fn whole() -> Reply {
    cached("max-age=60").header("etag", "\"a\"").header("content-type", "text/plain").body(TEXT)
}

fn answer(status: u16, directives: &str) -> Reply {
    reply(status).header("cache-control", directives)
}

/// A cache that holds the text as a whole.
async fn filled(reply: Reply) -> Site {
    filled_in(Site::private, Server::new().on(GET, reply)).await
}

async fn filled_in(site: impl Fn(Server) -> Site, server: Server) -> Site {
    let site = site(server).with(|layer| layer.nonce(FixedNonce::counting()));
    assert_eq!(site.get().await.status, 200);
    site
}

fn range(value: &'static str) -> Request<Body> {
    with(GET, &[("range", value)])
}

#[track_caller]
fn is_part(got: &Got, content_range: &str, text: &str) {
    assert_eq!((got.status.as_u16(), got.text()), (206, text), "{}", got.why());
    assert_eq!(got.headers[header::CONTENT_RANGE], content_range);
    assert_eq!(got.headers[header::CONTENT_LENGTH], text.len().to_string());
}

#[track_caller]
fn is_whole(got: &Got) {
    assert_eq!((got.status.as_u16(), got.text()), (200, TEXT), "{}", got.why());
    assert!(!got.headers.contains_key(header::CONTENT_RANGE));
}

#[tokio::test(start_paused = true)]
async fn one_range_of_a_stored_response_is_a_206() {
    // RFC 9110 §14.1.2, §15.3.7.1, CACHE-56.
    for (value, content_range, text) in [
        ("bytes=0-4", "bytes 0-4/10", "01234"),
        ("bytes=2-2", "bytes 2-2/10", "2"),
        ("bytes=7-", "bytes 7-9/10", "789"),
        ("bytes=-3", "bytes 7-9/10", "789"),
        ("bytes=-30", "bytes 0-9/10", TEXT),
        ("bytes=5-99", "bytes 5-9/10", "56789"),
        ("bytes=0-", "bytes 0-9/10", TEXT),
        // One that cannot be satisfied does not matter beside one that can.
        ("bytes=20-, 1-2", "bytes 1-2/10", "12"),
        // What touches is one range.
        ("bytes=0-2,3-4", "bytes 0-4/10", "01234"),
        ("bytes=4-5,0-4", "bytes 0-5/10", "012345"),
        ("bytes=0-1,4-5,1-4", "bytes 0-5/10", "012345"),
    ] {
        let site = filled(whole()).await;
        let got = site.send(range(value)).await;
        is_part(&got, content_range, text);
        assert_eq!((site.sends(), &got.headers[header::ETAG]), (1, &"\"a\"".parse().unwrap()), "{value}");
    }
}

#[tokio::test(start_paused = true)]
async fn several_ranges_are_a_multipart_body() {
    // RFC 9110 §15.3.7.2.
    let site = filled(whole()).await;
    let got = site.send(range("bytes=8-, 0-1, 4-4, 1-2")).await;
    let kind = got.headers[header::CONTENT_TYPE].to_str().unwrap();
    let boundary = kind.strip_prefix("multipart/byteranges; boundary=").expect("a boundary");
    assert_eq!(boundary.len(), 32);
    let part = |range, text| {
        format!("--{boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes {range}/10\r\n\r\n{text}\r\n")
    };
    let expected = part("8-9", "89") + &part("0-2", "012") + &part("4-4", "4") + &format!("--{boundary}--\r\n");
    assert_eq!((got.status.as_u16(), got.text()), (206, expected.as_str()));
    assert_eq!(got.headers[header::CONTENT_LENGTH], expected.len().to_string());
    assert!(!got.headers.contains_key(header::CONTENT_RANGE));
    // The next one has another boundary.
    assert_ne!(site.send(range("bytes=8-, 0-1")).await.headers[header::CONTENT_TYPE], kind);
    assert_eq!(site.sends(), 1);
}

#[tokio::test(start_paused = true)]
async fn without_randomness_several_ranges_are_answered_with_the_whole() {
    let nonce = FixedNonce::counting();
    nonce.set_failing(true);
    let site = filled(whole()).await.with(|layer| layer.nonce(nonce));
    is_whole(&site.send(range("bytes=0-1,4-5")).await);
    is_part(&site.send(range("bytes=0-1")).await, "bytes 0-1/10", "01");
    assert_eq!(site.sends(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_range_beyond_the_end_is_a_416() {
    // RFC 9110 §15.5.17.
    let site = filled(whole()).await;
    for value in ["bytes=10-", "bytes=10-20,99-", "bytes=-0"] {
        let got = site.send(range(value)).await;
        assert_eq!((got.status.as_u16(), got.text()), (416, ""), "{value}");
        assert_eq!(got.headers[header::CONTENT_RANGE], "bytes */10");
        assert_eq!(got.headers[header::CONTENT_LENGTH], "0");
        // A cache further out must not keep it for the resource.
        for name in ["cache-control", "etag", "content-type", "expires"] {
            assert!(!got.headers.contains_key(name), "{name}");
        }
    }
    assert_eq!(site.sends(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_valid_range_is_ignored() {
    // RFC 9110 §14.2, §17.15.
    let site = filled(whole()).await;
    for value in
        ["bytes=4-0", "bytes=x", "nothing", "bytes=0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0"]
    {
        is_whole(&site.send(range(value)).await);
    }
    is_whole(&site.send(with(GET, &[("range", "bytes=0-0"), ("range", "bytes=1-1")])).await);
    // Without a range there is nothing that it could be a condition of.
    is_whole(&site.send(with(GET, &[("if-range", "\"b\"")])).await);
    assert_eq!(site.sends(), 1);
    let empty = filled(cached("max-age=60")).await;
    assert_eq!(empty.send(range("bytes=0-")).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn if_range_wants_the_stored_version_or_the_whole() {
    // RFC 9110 §13.1.5.
    const MODIFIED: &str = "Fri, 15 Jan 2027 07:00:00 GMT";
    let dated = |seconds: &'static str| {
        let date = format!("Fri, 15 Jan 2027 07:{seconds} GMT");
        cached("max-age=7200").header("last-modified", MODIFIED).header("date", date).body(TEXT)
    };
    for (reply, condition, is_cut) in [
        (whole(), "\"a\"", true),
        (whole(), "\"b\"", false),
        (whole(), "W/\"a\"", false),
        (whole(), "a", false),
        (whole(), "\"a\", \"b\"", false),
        (whole(), MODIFIED, false),
        (cached("max-age=60").header("etag", "W/\"a\"").body(TEXT), "W/\"a\"", false),
        (cached("max-age=60").header("etag", "W/\"a\"").body(TEXT), "\"a\"", false),
        (cached("max-age=60").body(TEXT), "\"a\"", false),
        (dated("01:00"), MODIFIED, true),
        (dated("59:00"), MODIFIED, true),
        // RFC 9110 §8.8.2.2: it may have been modified again since.
        (dated("00:59"), MODIFIED, false),
        (dated("59:00"), "Fri, 15 Jan 2027 07:00:01 GMT", false),
        (dated("59:00"), "Friday, 15-Jan-27 07:00:00 GMT", false),
    ] {
        let site = filled(reply).await;
        let got = site.send(with(GET, &[("range", "bytes=0-1"), ("if-range", condition)])).await;
        if is_cut {
            is_part(&got, "bytes 0-1/10", "01")
        } else {
            is_whole(&got)
        }
        assert_eq!(site.sends(), 1, "{condition}");
        let twice = with(GET, &[("range", "bytes=0-1"), ("if-range", condition), ("if-range", condition)]);
        is_whole(&site.send(twice).await);
    }
}

#[tokio::test(start_paused = true)]
async fn conditions_come_before_ranges() {
    // RFC 9110 §13.2.2.
    let site = filled(whole()).await;
    for (tag, status) in [("\"a\"", 304), ("\"b\"", 206)] {
        let got = site.send(with(GET, &[("range", "bytes=0-1"), ("if-none-match", tag)])).await;
        assert_eq!(got.status, status, "{tag}");
    }
    let got = site.send(with(GET, &[("range", "bytes=99-"), ("if-none-match", "\"a\"")])).await;
    assert_eq!((got.status.as_u16(), site.sends()), (304, 1));
}

#[tokio::test(start_paused = true)]
async fn only_a_get_asks_for_ranges() {
    // RFC 9110 §14.2.
    let head = Server::new().on(GET, whole()).on("POST http://a.example/", reply(204));
    let site = filled_in(Site::private, head).await;
    let mut request = range("bytes=0-1");
    *request.method_mut() = Method::HEAD;
    let got = site.send(request).await;
    assert_eq!((got.status.as_u16(), &got.body[..], site.sends()), (200, &b""[..], 1));
    let got = site.send(with("POST http://a.example/", &[("range", "bytes=0-1")])).await;
    assert_eq!((got.status.as_u16(), site.sends()), (204, 2));
    assert_eq!(site.server.requests()[1].headers()["range"], "bytes=0-1");
}

#[tokio::test(start_paused = true)]
async fn only_a_200_is_cut() {
    for status in [203, 404] {
        let server = Server::new().on(GET, answer(status, "max-age=60").body(TEXT));
        let site = Site::private(server);
        site.get().await;
        let got = site.send(range("bytes=0-1")).await;
        assert_eq!((got.status.as_u16(), got.text(), site.sends()), (status, TEXT, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn another_unit_is_for_the_origin() {
    // RFC 9110 §14.1: it may know it.
    let site = filled_in(Site::private, Server::new().on(GET, whole()).on(GET, reply(206).body("a line"))).await;
    let got = site.send(range("lines=0-1")).await;
    assert_eq!((got.text(), site.sends()), ("a line", 2));
    assert_eq!(site.server.requests()[1].headers()["range"], "lines=0-1");
}

#[tokio::test(start_paused = true)]
async fn a_range_keeps_what_describes_the_representation_and_loses_digests_of_the_content() {
    // RFC 9110 §15.3.7, RFC 9530 §2.
    let reply = whole().header("content-encoding", "gzip").header("vary", "accept-encoding");
    let site = filled(reply.header("content-digest", "x").header("content-md5", "x").header("repr-digest", "y")).await;
    site.later(7);
    let got = site.send(range("bytes=0-1")).await;
    for (name, value) in [
        ("content-encoding", "gzip"),
        ("vary", "accept-encoding"),
        ("cache-control", "max-age=60"),
        ("content-type", "text/plain"),
        ("repr-digest", "y"),
        ("age", "7"),
    ] {
        assert_eq!(got.headers[name], value);
    }
    assert!(got.headers.contains_key("date"));
    assert!(!got.headers.contains_key("content-digest") && !got.headers.contains_key("content-md5"));
}

#[tokio::test(start_paused = true)]
async fn trailers_come_only_with_the_whole() {
    let site = filled(whole().trailers([("x-sum", "1")])).await;
    assert!(site.send(range("bytes=0-")).await.trailers.is_none());
    assert!(site.get().await.trailers.is_some());
}

#[tokio::test(start_paused = true)]
async fn it_is_said_that_a_part_came_from_the_store() {
    let site = filled_in(Site::shared, Server::new().on(GET, whole())).await;
    site.later(5);
    let got = site.send(range("bytes=0-1")).await;
    assert_eq!(got.why(), "fresh (age 5 s < lifetime 60 s) -> part of a stored response");
    assert!(matches!(got.served, Served::Part { age: 5, why: Why::Fresh(_) }));
    assert!(got.is_from_cache() && !got.served.is_stale() && got.served.age() == Some(5));
    assert_eq!(got.headers["cache-status"], "httplib2; hit; ttl=55");
    assert!(matches!(site.send(range("bytes=99-")).await.served, Served::Stored { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_stale_response_is_validated_with_the_range_on_the_request() {
    // RFC 9110 §13.2.2: a 304 comes before ranges, so that one request does for both.
    let server = Server::new().on(GET, whole()).on(GET, reply(304).header("etag", "\"a\""));
    let site = filled_in(Site::private, server).await;
    site.later(100);
    let got = site.send(range("bytes=2-3")).await;
    is_part(&got, "bytes 2-3/10", "23");
    assert!(matches!(got.served, Served::Validated { .. }));
    let sent = &site.server.requests()[1];
    assert_eq!(
        (&sent.headers()["range"], &sent.headers()["if-none-match"]),
        (&"bytes=2-3".parse().unwrap(), &"\"a\"".parse().unwrap())
    );
    // The whole was freshened.
    site.later(10);
    is_whole(&site.get().await);
    assert_eq!(site.sends(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_stale_response_of_an_old_version_gives_way_to_a_part_of_the_new_one() {
    let part = answer(206, "max-age=60").header("etag", "\"b\"").header("content-range", "bytes 2-3/5");
    let new = cached("max-age=60").header("etag", "\"b\"").body("abcde");
    let site = filled_in(Site::private, Server::new().on(GET, whole()).on(GET, part.body("cd")).on(GET, new)).await;
    site.later(100);
    is_part_of(&site.send(range("bytes=2-3")).await, "bytes 2-3/5", "cd");
    // Nothing of the old one is left, and the part is no whole.
    assert_eq!(site.get().await.text(), "abcde");
    assert_eq!(site.sends(), 3);
}

#[track_caller]
fn is_part_of(got: &Got, content_range: &str, text: &str) {
    assert_eq!((got.status.as_u16(), got.text()), (206, text), "{}", got.why());
    assert_eq!(got.headers[header::CONTENT_RANGE], content_range);
}

#[tokio::test(start_paused = true)]
async fn a_part_of_the_same_version_leaves_the_whole_and_freshens_it() {
    // RFC 9111 §3.4.
    let part = answer(206, "max-age=60").header("etag", "\"a\"").header("content-range", "bytes 2-3/10");
    let site = filled_in(
        Site::private,
        Server::new().on(GET, whole().header("content-length", "10")).on(GET, part.header("x", "new").body("23")),
    )
    .await;
    site.later(50);
    let got = site.send(with(GET, &[("range", "bytes=2-3"), ("cache-control", "no-cache")])).await;
    is_part_of(&got, "bytes 2-3/10", "23");
    assert_eq!(got.why(), "the request says no-cache, origin asked -> answer passed on, stored response freshened");
    site.later(50);
    let got = site.get().await;
    is_whole(&got);
    assert_eq!(
        (&got.headers["x"], &got.headers["content-length"], site.sends()),
        (&"new".parse().unwrap(), &"10".parse().unwrap(), 2)
    );
}

#[tokio::test(start_paused = true)]
async fn a_stale_response_stands_in_for_an_error_with_the_range_too() {
    // RFC 5861 §4.
    let reply_ = cached("max-age=1, stale-if-error=600").header("etag", "\"a\"").body(TEXT);
    let site = filled_in(Site::private, Server::new().on(GET, reply_).on(GET, reply(503))).await;
    site.later(100);
    let got = site.send(range("bytes=2-3")).await;
    is_part(&got, "bytes 2-3/10", "23");
    assert!(got.served.is_stale());
}

#[tokio::test(start_paused = true)]
async fn a_refresh_in_the_background_asks_for_the_whole() {
    // RFC 5861 §3.
    let stale = cached("max-age=1, stale-while-revalidate=600").header("etag", "\"a\"").body(TEXT);
    let new = cached("max-age=600").header("etag", "\"b\"").body("abcde");
    let site = Site::private(Server::new().on(GET, stale).on(GET, new)).with(|layer| layer.executor(executor()));
    site.get().await;
    site.later(100);
    let got = site.send(with(GET, &[("range", "bytes=2-3"), ("if-range", "\"a\"")])).await;
    is_part(&got, "bytes 2-3/10", "23");
    settle().await;
    let sent = &site.server.requests()[1];
    assert!(!sent.headers().contains_key("range") && !sent.headers().contains_key("if-range"));
    assert_eq!(site.get().await.text(), "abcde");
    assert_eq!(site.sends(), 2);
}

#[tokio::test(start_paused = true)]
async fn modes_and_directives_hold_for_ranges() {
    let only = || with(GET, &[("range", "bytes=0-1"), ("cache-control", "only-if-cached")]);
    assert_eq!(Site::private(Server::new()).send(only()).await.status, 504);
    let site = filled(whole()).await;
    is_part(&site.send(only()).await, "bytes 0-1/10", "01");
    site.later(100);
    assert_eq!(site.send(only()).await.status, 504);
    let mut offline = range("bytes=0-1");
    offline.extensions_mut().insert(CacheMode::Offline);
    is_part(&site.send(offline).await, "bytes 0-1/10", "01");
    assert_eq!(site.sends(), 1);
}

#[tokio::test(start_paused = true)]
async fn ranges_are_of_the_variant_that_the_request_selects() {
    // RFC 9111 §4.1.
    let variant = |text: &'static str| cached("max-age=60").header("vary", "accept-language").body(text);
    let site = Site::private(Server::new().on(GET, variant("deutsch")).on(GET, variant("english")));
    site.send(with(GET, &[("accept-language", "de")])).await;
    site.send(with(GET, &[("accept-language", "en")])).await;
    for (language, text) in [("de", "de"), ("en", "en")] {
        let got = site.send(with(GET, &[("accept-language", language), ("range", "bytes=0-1")])).await;
        assert_eq!((got.status.as_u16(), got.text(), site.sends()), (206, text, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn httplib2s_rules_leave_ranges_to_the_origin() {
    // H-CACHE-56.
    let part = answer(206, "max-age=60").header("etag", "\"a\"").header("content-range", "bytes 0-1/10");
    let server = Server::new().on(GET, whole()).on(GET, part.body("01"));
    let layer = httplib2_cache::CacheLayer::with_rules(
        std::sync::Arc::new(httplib2_store::MemoryStore::new()),
        Rules::httplib2(),
    );
    let site = Site::over(server, layer);
    site.get().await;
    for sends in [2, 3] {
        site.send(range("bytes=0-1")).await;
        assert_eq!(site.sends(), sends);
    }
    assert_eq!(site.get().await.text(), TEXT);
}

#[tokio::test(start_paused = true)]
async fn a_200_to_a_range_is_stored_as_the_whole() {
    // H-CACHE-56.
    let site = Site::private(Server::new().on(GET, whole()));
    is_whole(&site.send(range("bytes=0-1")).await);
    is_whole(&site.get().await);
    is_part(&site.send(range("bytes=0-1")).await, "bytes 0-1/10", "01");
    assert_eq!(site.sends(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_read_is_a_miss() {
    for fault in [Fault::Fails, Fault::Hangs] {
        let server = Server::new().on(GET, whole()).on(GET, whole());
        let store = Faulty::new(Call::Open, fault);
        let site = Site::on(server, store);
        site.get().await;
        for value in ["bytes=0-1", "bytes=0-1,4-5"] {
            let before = site.sends();
            is_whole(&site.send(range(value)).await);
            assert_eq!(site.sends(), before + 1);
        }
    }
}
