//! What is missing of a stored part, and downloads that broke off (RFC 9111 §3.3, §3.4).

mod common;

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use http::Request;
use http_body::Frame;
use http_body_util::BodyExt;
use httplib2_cache::{CacheError, CacheMode, Served};
use httplib2_core::body::Resend;
use httplib2_testing::{Body, Broken, Server, reply, request};
use tower::ServiceExt;

use self::common::{
    GET, Site, cached,
    parts::{
        TEXT, asked, bare, broken, download, is_part, is_whole, offline, part, part_of, range, script, site, whole,
    },
    settle, with,
};

#[tokio::test(start_paused = true)]
async fn what_is_missing_is_asked_for_and_put_together() {
    // RFC 9111 §3.4, RFC 9110 §15.3.7.3.
    for (stored, at_first, wanted, asked_for, answer, result) in [
        // The rest of the whole.
        (part(0, 5), "bytes=0-4", None, "bytes=5-", part(5, 10), (200, "", TEXT)),
        (part(0, 5), "bytes=0-4", Some("bytes=0-"), "bytes=5-", part(5, 10), (206, "bytes 0-9/10", TEXT)),
        // The rest of a range.
        (part(0, 5), "bytes=0-4", Some("bytes=3-7"), "bytes=5-7", part(5, 8), (206, "bytes 3-7/10", "34567")),
        (part(2, 5), "bytes=2-4", Some("bytes=4-5"), "bytes=5-5", part(5, 6), (206, "bytes 4-5/10", "45")),
        (part(2, 5), "bytes=2-4", Some("bytes=-7"), "bytes=5-", part(5, 10), (206, "bytes 3-9/10", "3456789")),
        // What stands before it.
        (part(5, 10), "bytes=5-", None, "bytes=0-4", part(0, 5), (200, "", TEXT)),
        (part(5, 10), "bytes=5-", Some("bytes=3-6"), "bytes=3-4", part(3, 5), (206, "bytes 3-6/10", "3456")),
    ] {
        let site = site([stored, answer.header("x", "new")]);
        site.send(range(at_first)).await;
        let got = site.send(wanted.map_or_else(|| request(GET), range)).await;
        let (status, content_range, text) = result;
        assert_eq!((got.status.as_u16(), got.text()), (status, text), "{wanted:?}");
        assert_eq!(got.headers.get("content-range").map_or("", |value| value.to_str().unwrap()), content_range);
        assert_eq!(
            (&got.headers["content-length"], &got.headers["x"]),
            (&text.len().to_string().parse().unwrap(), &"new".parse().unwrap())
        );
        assert_eq!(asked(&site), (asked_for.to_owned(), "\"a\"".to_owned()));
        assert!(matches!(got.served, Served::Completed { .. }) && !got.is_from_cache());
        // It is stored together: what was got is there.
        let again = site.send(wanted.map_or_else(|| request(GET), range)).await;
        assert_eq!((again.text(), again.is_from_cache(), site.sends()), (text, true, 2));
        // And so is what was stored before.
        assert!(site.send(range(at_first)).await.is_from_cache());
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_said_that_a_part_was_completed() {
    // RFC 9211 §2.2.
    let site = Site::shared(script([part(0, 4), part(4, 10)]));
    site.send(range("bytes=0-3")).await;
    let got = site.get().await;
    assert_eq!(got.why(), "only a part stored, 4 bytes of it used, origin asked for the rest -> answer being stored");
    assert_eq!(got.headers["cache-status"], "httplib2; fwd=partial; fwd-status=206; stored");
    assert_eq!(site.get().await.headers["cache-status"], "httplib2; hit; ttl=60");
}

#[tokio::test(start_paused = true)]
async fn a_stale_part_is_completed_as_well_for_if_range_validates_it() {
    let site = site([part(0, 5), part(5, 10)]);
    site.send(range("bytes=0-4")).await;
    site.later(1000);
    is_whole(&site.get().await);
    // It is as fresh as the second part.
    site.later(50);
    is_whole(&site.get().await);
    assert_eq!(site.sends(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_lie_in_answer_to_what_was_missing_costs_one_more_request() {
    for lie in [
        // Not the bytes that were asked for.
        part(0, 5),
        part(4, 10),
        part(6, 10),
        part(5, 9),
        bare("bytes 5-9/*", "56789").header("etag", "\"a\""),
        bare("bytes 9-5/10", "56789").header("etag", "\"a\""),
        reply(206).header("etag", "\"a\"").body("56789"),
        // Another length.
        bare("bytes 5-9/11", "56789").header("etag", "\"a\""),
        // Another version, or one that is not said.
        part_of("\"b\"", TEXT, 5, 10),
        part_of("W/\"a\"", TEXT, 5, 10),
        bare("bytes 5-9/10", "56789"),
        // Another coding.
        part(5, 10).header("content-encoding", "gzip"),
        // Several.
        part(5, 10).header("content-range", "bytes 0-1/10"),
        reply(206).header("content-type", "multipart/byteranges; boundary=x").header("etag", "\"a\"").body("--x"),
        // What has no meaning here.
        reply(416).header("content-range", "bytes */5"),
        reply(304).header("etag", "\"a\""),
    ] {
        let new = cached("max-age=60").header("etag", "\"c\"").body("abc");
        let site = Site::private(Server::new().on(GET, part(0, 5)).on(GET, lie.clone()).on(GET, new));
        site.send(range("bytes=0-4")).await;
        let got = site.get().await;
        assert_eq!((got.status.as_u16(), got.text(), site.sends()), (200, "abc", 3), "{lie:?}");
        assert_eq!(asked(&site), (String::new(), String::new()));
        assert_eq!(site.get().await.text(), "abc");
        assert_eq!(site.sends(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_lie_the_callers_own_range_is_sent() {
    let site = site([part(0, 5), part(0, 5), part(3, 8)]);
    site.send(range("bytes=0-4")).await;
    is_part(&site.send(range("bytes=3-7")).await, "bytes 3-7/10", "34567");
    assert_eq!(asked(&site), ("bytes=3-7".to_owned(), String::new()));
    assert_eq!(site.sends(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_new_version_takes_the_place_of_the_part() {
    // RFC 9110 §13.1.5: If-Range fails, and so all of it comes.
    for is_stored in [true, false] {
        let new = if is_stored { cached("max-age=60") } else { cached("no-store") };
        let site = site([part(0, 5), new.header("etag", "\"b\"").body("abc"), part(0, 5)]);
        site.send(range("bytes=0-4")).await;
        assert_eq!(site.get().await.text(), "abc");
        assert_eq!(asked(&site), ("bytes=5-".to_owned(), "\"a\"".to_owned()));
        let got = site.send(range("bytes=0-4")).await;
        assert_eq!((got.is_from_cache(), got.status.as_u16()), (is_stored, 206));
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_instead_of_what_was_missing_goes_to_the_caller() {
    let site = site([part(0, 5), reply(500).body("no"), reply(404), part(0, 5)]);
    site.send(range("bytes=0-4")).await;
    assert_eq!(site.get().await.text(), "no");
    // An error says nothing of the part; that there is nothing any more does.
    assert!(site.send(range("bytes=0-4")).await.is_from_cache());
    assert_eq!(site.get().await.status, 404);
    assert!(!site.send(range("bytes=0-4")).await.is_from_cache());
}

#[tokio::test(start_paused = true)]
async fn a_rest_of_another_length_than_it_says_is_an_error_in_the_body() {
    for (rest, kept) in
        [(&["5678"][..], "bytes=9-"), (&["56789x"], "bytes=5-"), (&["567", "89", "0"], ""), (&[], "bytes=5-")]
    {
        let from = if kept == "bytes=9-" { 9 } else { 5 };
        let site = site([part(0, 5), part(5, 10).chunks(rest.iter().copied()), part(from, 10)]);
        site.send(range("bytes=0-4")).await;
        let error = download(&site).await.unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&CacheError::WrongLength), "{rest:?}");
        // What came before was right, and is kept as far as it goes.
        is_whole(&site.get().await);
        if !kept.is_empty() {
            assert_eq!(asked(&site).0, kept);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_broken_download_goes_on_where_it_broke_off() {
    // RFC 9111 §3.3.
    for bytes in 0..TEXT.len() {
        let rest = if bytes == 0 { whole() } else { part(bytes, 10) };
        let site = site([broken(bytes), rest]);
        let error = download(&site).await.unwrap_err();
        assert!(error.is::<Broken>());
        is_whole(&site.get().await);
        let (asked_for, version) = if bytes == 0 { (String::new(), "") } else { (format!("bytes={bytes}-"), "\"a\"") };
        assert_eq!(asked(&site), (asked_for, version.to_owned()));
        is_whole(&site.get().await);
        assert_eq!(site.sends(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_download_may_break_off_again_and_again() {
    let site =
        site([broken(3), part(3, 10).chunks(["345"]).breaking(), part(6, 10).chunks([""; 0]).breaking(), part(6, 10)]);
    for from in ["", "bytes=3-", "bytes=6-"] {
        download(&site).await.unwrap_err();
        assert_eq!(asked(&site).0, from);
    }
    is_whole(&site.get().await);
    assert_eq!(asked(&site).0, "bytes=6-");
    is_whole(&site.get().await);
    assert_eq!(site.sends(), 4);
}

#[tokio::test(start_paused = true)]
async fn an_incomplete_answer_is_never_served_as_the_whole() {
    // RFC 9111 §3.3, RFC 9112 §8: it ends without an error, but too early.
    let short = cached("max-age=60").header("etag", "\"a\"").header("content-length", "10").body("012");
    let site = site([short, part(3, 10)]);
    assert_eq!(site.get().await.text(), "012");
    is_part(&site.send(range("bytes=0-1")).await, "bytes 0-1/10", "01");
    assert_eq!(site.sends(), 1);
    is_whole(&site.get().await);
    assert_eq!(asked(&site).0, "bytes=3-");
}

#[tokio::test(start_paused = true)]
async fn what_broke_off_is_kept_only_if_it_can_be_completed() {
    for (reply, is_kept) in [
        (broken(5), true),
        (broken(5).header("accept-ranges", "bytes"), true),
        (broken(5).header("accept-ranges", "none"), false),
        (cached("max-age=60").header("content-length", "10").chunks(["01234"]).breaking(), false),
        (
            cached("max-age=60").header("etag", "W/\"a\"").header("content-length", "10").chunks(["01234"]).breaking(),
            false,
        ),
        (cached("max-age=60").header("etag", "\"a\"").chunks(["01234"]).breaking(), false),
        (cached("no-store").header("etag", "\"a\"").header("content-length", "10").chunks(["01234"]).breaking(), false),
    ] {
        let site = site([reply, part(0, 5)]);
        download(&site).await.unwrap_err();
        let got = site.send(range("bytes=0-4")).await;
        is_part(&got, "bytes 0-4/10", "01234");
        assert_eq!(got.is_from_cache(), is_kept);
    }
}

#[tokio::test(start_paused = true)]
async fn what_nobody_reads_on_is_kept_as_a_part() {
    for (site, reads) in [
        (site([whole().chunks(["012", "345", "6789"]), part(3, 10)]), true),
        // Too much for the background.
        (
            site([whole().chunks(["012", "345", "6789"]), part(3, 10)])
                .on_tokio()
                .with(|layer| layer.background(3, std::time::Duration::from_secs(1))),
            true,
        ),
        // In the background it breaks off.
        (site([whole().chunks(["012"]).breaking(), part(3, 10)]).on_tokio(), false),
        // In the background it never ends.
        (site([whole().chunks(["012"]).stalling(), part(3, 10)]).on_tokio(), true),
    ] {
        let response = site.cache.clone().oneshot(request(GET)).await.unwrap();
        let mut body = response.into_body();
        if reads {
            assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "012");
        }
        drop(body);
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        settle().await;
        is_whole(&site.get().await);
        assert_eq!(asked(&site).0, "bytes=3-");
    }
}

#[tokio::test(start_paused = true)]
async fn a_beginning_takes_no_place_of_more_of_the_same_version() {
    // The server ignores conditions and ranges, and breaks off.
    let site = site([whole(), broken(3)]);
    site.get().await;
    site.later(100);
    download(&site).await.unwrap_err();
    let mut offline = request(GET);
    offline.extensions_mut().insert(CacheMode::Offline);
    is_whole(&site.send(offline).await);
    let site = self::site([part(0, 5), broken(3)]);
    site.send(range("bytes=0-4")).await;
    download(&site).await.unwrap_err();
    is_part(&site.send(range("bytes=0-4")).await, "bytes 0-4/10", "01234");
    assert_eq!(site.sends(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_says_no_store_uses_a_part_and_leaves_it() {
    // RFC 9111 §5.2.1.5.
    let site = site([part(0, 5), part(5, 10), part(5, 10)]);
    site.send(range("bytes=0-4")).await;
    let no_store = || with(GET, &[("cache-control", "no-store")]);
    for sends in [2, 3] {
        is_whole(&site.send(no_store()).await);
        assert_eq!(site.sends(), sends);
    }
    is_part(&site.send(range("bytes=0-4")).await, "bytes 0-4/10", "01234");
}

/// An empty body that is never sent twice.
#[derive(Default)]
struct OnlyOnce;

impl http_body::Body for OnlyOnce {
    type Data = bytes::Bytes;
    type Error = Broken;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<bytes::Bytes>, Broken>>> {
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        true
    }
}

impl Resend for OnlyOnce {
    fn try_clone(&self) -> Option<Self> {
        None
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_cannot_be_sent_again_is_not_changed() {
    let site = site([part(0, 5), whole()]);
    site.send(range("bytes=0-4")).await;
    let server = site.server.clone();
    let inner =
        tower::service_fn(move |request: Request<OnlyOnce>| server.clone().oneshot(request.map(|_| Body::empty())));
    let cache = tower::Layer::layer(&site.layer, inner);
    let response = cache.oneshot(request(GET).map(|_| OnlyOnce)).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), TEXT);
    assert_eq!(asked(&site), (String::new(), String::new()));
}

#[tokio::test(start_paused = true)]
async fn joined_bytes_are_bounded_by_the_longest_that_is_stored() {
    let site = site([part(0, 5), part(5, 10), part(5, 10)]).with(|layer| layer.max_object(9));
    site.send(range("bytes=0-4")).await;
    for sends in [2, 3] {
        let got = site.get().await;
        is_whole(&got);
        assert_eq!(
            got.why(),
            "only a part stored, 5 bytes of it used, origin asked for the rest -> answer not stored: it is too large"
        );
        assert_eq!(site.sends(), sends);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rest_that_may_not_be_stored_answers_and_drops_the_part() {
    let site = site([part(0, 5), part(5, 10).header("cache-control", "no-store")]);
    site.send(range("bytes=0-4")).await;
    let got = site.get().await;
    is_whole(&got);
    assert_eq!(
        got.why(),
        "only a part stored, 5 bytes of it used, origin asked for the rest -> answer not stored: it says no-store"
    );
    assert_eq!(site.send(offline(Some("bytes=0-4"))).await.status, 504);
}
