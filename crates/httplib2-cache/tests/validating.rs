//! What is asked of the origin about what is stored, and what its answer does to that.

mod common;

use httplib2_cache::{Served, Update, Validator, policy::Why};
use httplib2_core::context::Journal;
use httplib2_testing::{Body, Reply, Server, reply, request};

use self::common::{GET, Got, Site, cached, with};

fn tagged(tag: &'static str) -> Reply {
    cached("max-age=60").header("etag", tag).body("text")
}

fn not_modified(tag: &'static str) -> Reply {
    reply(304).header("etag", tag)
}

/// A cache with a response that has been stale for a minute, and the next answers of the server.
async fn stale(first: Reply, next: impl IntoIterator<Item = Reply>) -> Site {
    let server = next.into_iter().fold(Server::new().on(GET, first), |server, reply| server.on(GET, reply));
    let site = Site::private(server);
    site.get().await;
    site.later(120);
    site
}

#[tokio::test]
async fn a_stale_response_is_validated_and_freshened() {
    // CACHE-17; httplib2's reason to have a cache.
    let site = stale(tagged("\"a\""), [not_modified("\"a\"").header("x", "new")]).await;
    let journal = Journal::default();
    let mut request = request(GET);
    request.extensions_mut().insert(journal.clone());
    let got = site.send(request).await;
    assert_eq!((got.status.as_u16(), got.text(), &got.headers["x"]), (200, "text", &"new".parse().unwrap()));
    assert_eq!(site.server.requests()[1].headers()["if-none-match"], "\"a\"");
    let line = "cache: stale (age 120 s > lifetime 60 s), validated with ETag, 304 -> stored response freshened";
    assert_eq!(journal.lines().iter().map(ToString::to_string).collect::<Vec<_>>(), [line]);
    let with = Validator::ETag;
    assert!(
        matches!(got.served, Served::Validated { age: 0, then: Update::Freshened, with: said, .. } if said == with)
    );
    // It is fresh again, with the new field.
    site.later(59);
    let again = site.get().await;
    assert_eq!((again.text(), &again.headers["x"], site.sends()), ("text", &"new".parse().unwrap(), 2));
    assert_eq!(again.headers["age"], "59");
}

#[tokio::test]
async fn a_modification_date_validates_too() {
    let date = "Fri, 15 Jan 2027 07:00:00 GMT";
    let site = stale(cached("max-age=60").header("last-modified", date).body("text"), [reply(304)]).await;
    let got = site.get().await;
    assert_eq!(site.server.requests()[1].headers()["if-modified-since"], date);
    assert!(got.why().contains("validated with Last-Modified"), "{}", got.why());
}

#[tokio::test]
async fn another_answer_takes_its_place() {
    let site = stale(tagged("\"a\""), [tagged("\"b\"").body("new")]).await;
    assert_eq!(site.get().await.text(), "new");
    let again = site.get().await;
    assert_eq!((again.is_from_cache(), again.text(), site.sends()), (true, "new", 2));
}

#[tokio::test]
async fn a_304_with_another_tag_is_refused_and_asked_again_without_conditions() {
    // Trap 5, RFC 9111 §4.3.4.
    let site = stale(tagged("\"a\""), [not_modified("\"b\""), tagged("\"b\"").body("new")]).await;
    let got = site.get().await;
    assert_eq!((got.status.as_u16(), got.text()), (200, "new"));
    assert!(!site.server.requests()[2].headers().contains_key("if-none-match"));
    assert_eq!(site.get().await.text(), "new");
    assert_eq!(site.sends(), 3);
}

#[tokio::test]
async fn a_server_that_says_304_to_everything_is_handed_on() {
    let site = stale(tagged("\"a\""), [not_modified("\"b\"")]).await;
    assert_eq!(site.get().await.status, 304);
    assert_eq!(site.sends(), 3);
}

#[tokio::test]
async fn a_304_leaves_the_content_and_what_describes_it_alone() {
    // CACHE-19, RFC 9111 §3.2.
    let first = tagged("\"a\"").header("content-length", "4").header("content-type", "text/plain");
    let odd = not_modified("\"a\"").header("content-length", "0").header("content-encoding", "gzip");
    let site = stale(first, [odd.header("age", "5").header("transfer-encoding", "chunked")]).await;
    for _ in 0..2 {
        let got = site.get().await;
        assert_eq!((got.text(), &got.headers["content-length"]), ("text", &"4".parse().unwrap()));
        assert!(!got.headers.contains_key("content-encoding") && !got.headers.contains_key("transfer-encoding"));
        assert_eq!(got.headers["age"], "5");
    }
}

#[tokio::test]
async fn a_304_that_adds_vary_selects_by_it_from_then_on() {
    let site = stale(tagged("\"a\""), [not_modified("\"a\"").header("vary", "x"), tagged("\"b\"").body("other")]).await;
    assert_eq!(site.send(with(GET, &[("x", "1")])).await.text(), "text");
    assert_eq!(site.send(with(GET, &[("x", "2")])).await.text(), "other");
    assert!(site.send(with(GET, &[("x", "1")])).await.is_from_cache());
    assert_eq!(site.sends(), 3);
}

#[tokio::test]
async fn a_304_that_forbids_storing_drops_what_is_stored_after_this_answer() {
    let site =
        stale(tagged("\"a\""), [not_modified("\"a\"").header("cache-control", "no-store"), tagged("\"b\"")]).await;
    let got = site.get().await;
    assert_eq!(got.text(), "text");
    assert!(matches!(got.served, Served::Validated { then: Update::Dropped(_), .. }), "{}", got.why());
    assert!(!site.get().await.is_from_cache());
    assert!(!site.server.requests()[2].headers().contains_key("if-none-match"));
}

#[tokio::test]
async fn the_conditions_of_the_caller_are_answered_from_a_fresh_response() {
    // Trap 17, H-CACHE-47.
    let site = Site::private(Server::new().on(GET, tagged("\"a\"").header("content-length", "4").header("x", "1")));
    site.get().await;
    let got = site.send(with(GET, &[("if-none-match", "W/\"a\"")])).await;
    assert_eq!((got.status.as_u16(), got.text(), &got.headers["x"]), (304, "", &"1".parse().unwrap()));
    assert!(!got.headers.contains_key("content-length"));
    assert_eq!(got.headers["etag"], "\"a\"");
    let got = site.send(with(GET, &[("if-none-match", "\"b\"")])).await;
    assert_eq!((got.status.as_u16(), got.text()), (200, "text"));
    assert_eq!(site.sends(), 1);
}

#[tokio::test]
async fn a_304_to_the_condition_of_the_caller_does_not_freshen_another_version() {
    // H-CACHE-48.
    let answers = [not_modified("\"mine\""), not_modified("\"a\""), tagged("\"c\"").body("new")];
    let site = stale(tagged("\"a\""), answers).await;
    let mine = || with(GET, &[("if-none-match", "\"mine\"")]);
    // The origin has the caller's version: the caller hears that, and nothing is freshened.
    let got = site.send(mine()).await;
    assert_eq!((got.status.as_u16(), &got.headers["etag"]), (304, &"\"mine\"".parse().unwrap()));
    assert_eq!(site.server.requests()[1].headers()["if-none-match"], "\"mine\", \"a\"");
    // It has the stored one: that is freshened, and the caller gets it.
    let got = site.send(mine()).await;
    assert_eq!((got.status.as_u16(), got.text()), (200, "text"));
    assert!(site.get().await.is_from_cache());
    assert_eq!(site.sends(), 3);
    // It has a third one.
    site.later(120);
    assert_eq!(site.send(mine()).await.text(), "new");
}

#[tokio::test]
async fn the_condition_of_a_caller_who_has_what_is_stored_is_answered_with_the_304() {
    let site = stale(tagged("\"a\""), [not_modified("\"a\"").header("x", "new")]).await;
    let got = site.send(with(GET, &[("if-none-match", "\"a\"")])).await;
    assert_eq!((got.status.as_u16(), got.text(), &got.headers["x"]), (304, "", &"new".parse().unwrap()));
    assert!(site.get().await.is_from_cache());
    assert_eq!(site.sends(), 2);
}

#[tokio::test]
async fn conditions_pass_when_nothing_is_stored() {
    let site = Site::private(Server::new().on(GET, not_modified("\"a\"")).on(GET, tagged("\"b\"")));
    let ask = || with(GET, &[("if-none-match", "\"a\"")]);
    assert_eq!(site.send(ask()).await.status, 304);
    assert_eq!(site.send(ask()).await.text(), "text");
    assert!(site.get().await.is_from_cache());
}

#[tokio::test]
async fn head_is_answered_from_a_stored_get() {
    // Trap 16.
    let site = Site::private(Server::new().on(GET, tagged("\"a\"").header("content-length", "4")));
    site.get().await;
    let got = site.line("HEAD http://a.example/").await;
    assert_eq!((got.status.as_u16(), got.text(), &got.headers["content-length"]), (200, "", &"4".parse().unwrap()));
    assert!(got.is_from_cache());
    assert_eq!(site.sends(), 1);
}

#[tokio::test]
async fn head_does_not_fill_get() {
    // CACHE-27, the bug of httplib2.
    let server = Server::new().on("HEAD http://a.example/", tagged("\"a\"").body("")).on(GET, tagged("\"a\""));
    let site = Site::private(server);
    site.line("HEAD http://a.example/").await;
    assert_eq!(site.get().await.text(), "text");
}

#[tokio::test]
async fn head_freshens_or_drops_what_get_stored() {
    // RFC 9111 §4.3.5.
    for (tag, kept) in [("\"a\"", true), ("\"b\"", false)] {
        let head = cached("max-age=60").header("etag", tag).header("x", "new");
        let server = Server::new().on(GET, tagged("\"a\"")).on("HEAD http://a.example/", head);
        let site = Site::private(server);
        site.get().await;
        site.later(120);
        site.line("HEAD http://a.example/").await;
        let got = site.get().await;
        assert_eq!((got.is_from_cache(), got.headers.contains_key("x")), (kept, kept), "{tag}");
    }
}

#[tokio::test]
async fn a_newer_answer_that_is_not_stored_does_not_leave_the_older_one() {
    for status in [200, 404, 410] {
        let newer = reply(status).header("cache-control", "no-store").body("new");
        let site = stale(tagged("\"a\""), [newer.clone(), not_modified("\"a\"")]).await;
        assert_eq!(site.get().await.text(), "new");
        site.get().await;
        assert!(!site.server.requests()[2].headers().contains_key("if-none-match"), "{status}");
    }
    // A failure tells nothing new of it, nor does a request that is not to be stored.
    for (status, no_store) in [(503, false), (401, false), (200, true)] {
        let newer = reply(status).header("cache-control", "no-store");
        let site = stale(tagged("\"a\""), [newer, not_modified("\"a\"")]).await;
        let fields: &[_] = if no_store { &[("cache-control", "no-store")] } else { &[] };
        site.send(with(GET, fields)).await;
        assert_eq!(site.get().await.text(), "text", "{status}");
    }
}

#[tokio::test]
async fn an_answer_that_varies_takes_the_place_of_one_that_did_not() {
    let varied = tagged("\"b\"").header("vary", "x").body("varied");
    let site = stale(tagged("\"a\""), [varied, tagged("\"c\"").body("other")]).await;
    site.send(with(GET, &[("x", "1")])).await;
    // The old one would still answer this, if it was there.
    site.send(with(GET, &[("x", "2")])).await;
    assert_eq!(site.server.requests()[2].headers()["if-none-match"], "\"b\"");
}

#[tokio::test]
async fn all_variants_are_asked_about_when_none_matches() {
    let server = Server::new()
        .on(GET, tagged("\"de\"").header("vary", "accept-language").body("deutsch"))
        .on(GET, not_modified("\"de\"").header("vary", "accept-language"));
    let site = Site::private(server);
    site.send(with(GET, &[("accept-language", "de")])).await;
    let got = site.send(with(GET, &[("accept-language", "fr")])).await;
    assert_eq!(got.text(), "deutsch");
    assert!(matches!(got.served, Served::Validated { why: Why::OtherVariant, .. }));
}

#[tokio::test]
async fn date_is_not_rewritten() {
    // Trap 24.
    let date = "Fri, 15 Jan 2027 07:59:50 GMT";
    let site = Site::private(Server::new().on(GET, cached("max-age=60").header("date", date)));
    site.get().await;
    site.later(5);
    let got = site.get().await;
    assert_eq!((got.headers["date"].to_str().unwrap(), got.headers["age"].to_str().unwrap()), (date, "15"));
}

#[tokio::test]
async fn a_wall_clock_that_is_set_back_makes_nothing_younger() {
    // Peers §5.5: monotonic for residence time, wall clock for dates.
    use httplib2_core::context::Clock;
    let site = stale(tagged("\"a\""), [not_modified("\"a\"")]).await;
    let now = site.clock.now();
    site.clock.set(now - std::time::Duration::from_secs(1000));
    assert!(matches!(site.get().await.served, Served::Validated { .. }));
}

#[tokio::test]
async fn a_request_with_content_passes_by() {
    let server = Server::new().on(GET, tagged("\"a\""));
    let site = Site::private(server);
    site.get().await;
    let got = site.send(request(GET).map(|_| Body::from("why not"))).await;
    assert!(!got.is_from_cache());
    assert_eq!(site.server.requests()[1].body(), "why not");
}

/// A body that is empty and cannot be sent again all the same.
#[derive(Clone, Copy, Debug, Default)]
struct Unrepeatable;

impl http_body::Body for Unrepeatable {
    type Data = bytes::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, Self::Error>>> {
        std::task::Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        true
    }
}

impl httplib2_core::body::Resend for Unrepeatable {
    fn try_clone(&self) -> Option<Self> {
        None
    }
}

#[tokio::test]
async fn what_cannot_be_sent_again_is_not_validated() {
    // A 304 about another version would leave nothing to answer with.
    let site = stale(tagged("\"a\""), [tagged("\"b\"").body("new")]).await;
    let response = tower::ServiceExt::oneshot(site.cache.clone(), request(GET).map(|_| Unrepeatable)).await.unwrap();
    assert_eq!(httplib2_testing::text(response).await.unwrap(), "new");
    assert!(!site.server.requests()[1].headers().contains_key("if-none-match"));
}

#[tokio::test]
async fn a_weak_tag_never_brings_the_coding_of_another_variant() {
    // nginx weakens the tag of what it encodes, and compares weakly with that of what it does not (RFC 9110 §8.8.1).
    let site = Site::private(Server::answering(|received, _| {
        let vary = |reply: Reply| reply.header("vary", "accept-encoding");
        match (received.headers().get("if-none-match"), received.headers()["accept-encoding"] == "gzip") {
            (Some(_), _) => vary(not_modified("\"a\"")),
            (None, true) => vary(tagged("W/\"a\"")).header("content-encoding", "gzip").body("coded"),
            (None, false) => vary(tagged("\"a\"")),
        }
    }));
    assert_eq!(site.send(with(GET, &[("accept-encoding", "gzip")])).await.text(), "coded");
    let got = site.send(with(GET, &[("accept-encoding", "identity")])).await;
    assert_eq!((got.text(), got.headers.get("content-encoding")), ("text", None));
}

#[tokio::test]
async fn a_304_that_does_not_say_whose_tag_it_means_is_asked_about_again() {
    let site = stale(tagged("\"new\""), [reply(304), tagged("\"new\"")]).await;
    let got = site.send(with(GET, &[("if-none-match", "\"old\"")])).await;
    assert_eq!((got.status.as_u16(), got.text()), (200, "text"), "what the caller has is outdated");
    let asked: Vec<_> =
        site.server.requests()[1..].iter().map(|sent| sent.headers()["if-none-match"].clone()).collect();
    assert_eq!(asked, ["\"old\", \"new\"", "\"old\""]);
}

#[tokio::test]
async fn a_head_that_grows_with_every_304_is_dropped() {
    let site = Site::private(Server::answering(|received, n| match received.headers().get("if-none-match") {
        None => cached("no-cache").header("etag", "\"a\"").body("text"),
        Some(_) => (0..90).fold(not_modified("\"a\""), |reply, at| reply.header(format!("x-{n}-{at}"), "")),
    }));
    for _ in 0..30 {
        let got = site.get().await;
        assert!(got.text() == "text" && got.headers.len() < 700, "{} fields", got.headers.len());
    }
}

#[tokio::test]
async fn a_cookie_of_a_304_goes_to_the_one_who_asked_and_not_to_others() {
    let stored = cached("max-age=60, public").header("etag", "\"a\"").body("text");
    let not_modified = reply(304).header("etag", "\"a\"").header("set-cookie", "a=1").header("set-cookie", "b=2");
    let site = Site::shared(Server::new().on(GET, stored).on(GET, not_modified));
    site.get().await;
    site.later(120);
    let cookies = |got: &Got| got.headers.get_all("set-cookie").iter().count();
    let got = site.get().await;
    assert_eq!((got.text(), cookies(&got)), ("text", 2));
    let got = site.get().await;
    assert_eq!((got.is_from_cache(), cookies(&got)), (true, 0), "{}", got.why());
}
