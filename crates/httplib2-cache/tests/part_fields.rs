//! What the fields of a 206 say of what is stored, and of what is not sent with it (RFC 9110 §15.3.7).

mod common;

use http::{Request, header};
use http_body_util::BodyExt;
use httplib2_cache::Served;
use httplib2_core::error::BoxError;
use httplib2_testing::{Body, Reply, Server, reply, request};
use tower::ServiceExt;

use self::common::{
    GET, Site,
    parts::{TEXT, bare, broken, is_part, is_whole, part, range, script, site, whole},
    with,
};

#[tokio::test(start_paused = true)]
async fn a_part_keeps_the_version_of_http_that_it_came_with() {
    let site = site([]);
    let inner = tower::service_fn(async |_: Request<Body>| {
        let mut response = part(0, 5).into_response();
        *response.version_mut() = http::Version::HTTP_2;
        Ok::<_, BoxError>(response)
    });
    let cache = tower::Layer::layer(&site.layer, inner);
    let beginning = tower::service_fn(async |_: Request<Body>| {
        let mut response = broken(5).into_response();
        *response.version_mut() = http::Version::HTTP_2;
        Ok::<_, BoxError>(response)
    });
    let broken_off = Site::private(Server::new()).layer;
    let beginning = tower::Layer::layer(&broken_off, beginning);
    beginning.clone().oneshot(request(GET)).await.unwrap().into_body().collect().await.unwrap_err();
    let response = beginning.oneshot(range("bytes=0-4")).await.unwrap();
    assert_eq!((response.status().as_u16(), response.version()), (206, http::Version::HTTP_2));
    for is_stored in [false, true] {
        let response = cache.clone().oneshot(range("bytes=0-4")).await.unwrap();
        assert_eq!(response.version(), http::Version::HTTP_2);
        assert_eq!(response.extensions().get::<Served>().unwrap().is_from_cache(), is_stored);
        response.into_body().collect().await.unwrap();
    }
}

#[tokio::test]
async fn a_cookie_of_the_rest_reaches_the_one_who_asked() {
    let site = Site::shared(script([part(0, 5), part(5, 10).header("set-cookie", "a=1")]));
    site.send(range("bytes=0-4")).await;
    let got = site.get().await;
    is_whole(&got);
    assert_eq!(got.headers["set-cookie"], "a=1");
}

#[tokio::test(start_paused = true)]
async fn what_comes_without_its_metadata_is_not_stored_alone() {
    // RFC 9110 §15.3.7: the sender leaves out what the caller of an If-Range has.
    for (asked, answer) in [("bytes=0-", part(0, 10)), ("bytes=0-4", part(0, 5))] {
        let site = site([answer, whole().header("content-encoding", "gzip")]);
        assert_eq!(site.send(with(GET, &[("range", asked), ("if-range", "\"a\"")])).await.status, 206);
        let got = site.get().await;
        is_whole(&got);
        assert_eq!((got.headers.contains_key("content-encoding"), site.sends()), (true, 2), "{asked}: {}", got.why());
    }
}

#[tokio::test(start_paused = true)]
async fn a_field_that_was_left_out_contradicts_nothing() {
    // RFC 9110 §15.3.7.
    let coded = |reply: Reply| reply.header("content-encoding", "gzip");
    let site = site([coded(part(0, 5)), part(5, 10)]);
    site.send(range("bytes=0-4")).await;
    let got = site.get().await;
    is_whole(&got);
    assert_eq!((got.headers[header::CONTENT_ENCODING].as_bytes(), site.sends()), (&b"gzip"[..], 2), "{}", got.why());
    // Also where the caller asks with what it has.
    let site = self::site([coded(whole()), part(2, 5)]);
    site.get().await;
    let mine = [("range", "bytes=2-4"), ("if-range", "\"a\""), ("cache-control", "no-cache")];
    is_part(&site.send(with(GET, &mine)).await, "bytes 2-4/10", "234");
    let got = site.get().await;
    is_whole(&got);
    assert!(got.is_from_cache() && got.headers[header::CONTENT_ENCODING] == "gzip", "{}", got.why());
    // Without If-Range nothing is left out: it is coded in another way.
    let site = self::site([coded(whole()), part(2, 5), coded(whole())]);
    site.get().await;
    site.send(with(GET, &[("range", "bytes=2-4"), ("cache-control", "no-cache")])).await;
    assert!(!site.get().await.is_from_cache());
}

#[tokio::test(start_paused = true)]
async fn the_digest_of_a_part_is_not_that_of_the_whole() {
    // RFC 9530 §2.
    let digested = whole().header("content-digest", "sha-256=:WHOLE=:");
    let site = site([digested, part(2, 5).header("content-digest", "sha-256=:PART=:").header("content-md5", "PART")]);
    site.get().await;
    site.send(with(GET, &[("range", "bytes=2-4"), ("cache-control", "no-cache")])).await;
    let got = site.get().await;
    is_whole(&got);
    assert!(got.is_from_cache() && !got.headers.contains_key("content-md5"), "{}", got.why());
    assert_eq!(got.headers["content-digest"], "sha-256=:WHOLE=:");
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_stored_any_more_is_dropped_by_a_part_too() {
    for directives in ["no-store", "private"] {
        for (field, now) in [("x-all", reply(200).body(TEXT)), ("range", bare("bytes 2-4/10", "234"))] {
            let now = now.header("etag", "\"a\"").header("cache-control", directives);
            let site = Site::shared(script([whole(), now, reply(200).body("again")]));
            site.get().await;
            site.send(with(GET, &[("cache-control", "no-cache"), (field, "bytes=2-4")])).await;
            assert_eq!(site.get().await.text(), "again", "{directives} {field}");
        }
    }
}
