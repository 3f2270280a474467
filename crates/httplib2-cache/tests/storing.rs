//! How an answer gets into the store: while it is read, and only as a whole.

mod common;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::FutureExt;
use http_body_util::BodyExt;
use httplib2_cache::{Kept, Served};
use httplib2_core::{context::Spawn, who::KnownTags};
use httplib2_store::MemoryStore;
use httplib2_testing::{Body, Server, Size, reply, request};
use tower::ServiceExt;

use self::common::{GET, Got, Site, cached, settle, with};

#[tokio::test]
async fn a_second_request_is_answered_from_the_store() {
    let site = Site::private(Server::new().on(GET, cached("max-age=60").header("x-one", "1").body("text")));
    let first = site.get().await;
    assert_eq!((first.text(), first.is_from_cache()), ("text", false));
    assert_eq!(first.why(), "nothing stored, origin asked -> answer being stored");
    site.later(10);
    let second = site.get().await;
    assert_eq!((second.status.as_u16(), second.text()), (200, "text"));
    assert_eq!((&second.headers["x-one"], &second.headers["age"]), (&"1".parse().unwrap(), &"10".parse().unwrap()));
    assert_eq!(second.why(), "fresh (age 10 s < lifetime 60 s) -> stored response");
    assert_eq!((second.served.age(), second.served.is_stale()), (Some(10), false));
    assert_eq!(site.sends(), 1);
}

#[tokio::test]
async fn the_head_and_each_frame_come_at_once() {
    // Trap 11: no store-and-forward.
    let body = Body::chunks(["one", "two"]).stalling();
    let site = Site::private(Server::new().on(GET, cached("max-age=60").body(body)));
    let response = site.cache.clone().oneshot(request(GET)).await.unwrap();
    let mut body = response.into_body();
    for expected in ["one", "two"] {
        let frame = body.frame().now_or_never().expect("it has arrived").unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), expected);
    }
    assert!(body.frame().now_or_never().is_none(), "the rest has not");
}

#[tokio::test]
async fn data_are_not_copied_on_their_way() {
    let data = Bytes::from(vec![7; 1000]);
    let site = Site::private(Server::new().on(GET, cached("max-age=60").body(data.clone())));
    let response = site.cache.clone().oneshot(request(GET)).await.unwrap();
    let frame = response.into_body().frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(frame.as_ptr(), data.as_ptr());
}

#[tokio::test]
async fn what_is_not_whole_is_not_stored() {
    // CACHE-12, CACHE-13.
    for body in [
        Body::chunks(["a part"]).breaking(),
        Body::chunks(["a part"]).announcing(Size::Unknown).breaking(),
        Body::empty().breaking(),
    ] {
        let site = Site::private(Server::new().on(GET, cached("max-age=60").body(body)));
        assert!(site.try_send(request(GET)).await.is_err());
        assert_eq!(site.layer.handle().usage().await.unwrap().entries, 0);
    }
    // The end came in order, but not after as much as was announced, or after more.
    for length in ["5", "3", "four", "-4", "4, 4", ""] {
        let reply = cached("max-age=60").header("content-length", length).body("text");
        let site = Site::private(Server::new().on(GET, reply));
        assert_eq!(site.get().await.text(), "text");
        assert_eq!(site.layer.handle().usage().await.unwrap().entries, 0, "{length}");
    }
    let twice = cached("max-age=60").header("content-length", "4").header("content-length", "5").body("text");
    let site = Site::private(Server::new().on(GET, twice));
    site.get().await;
    assert!(!site.get().await.is_from_cache());
}

#[tokio::test]
async fn a_whole_body_is_stored_whatever_is_known_of_its_length() {
    for size in [Size::Exact, Size::Range, Size::Unknown] {
        for body in [Body::empty(), Body::from("text"), Body::chunks(["te", "", "xt"]).trailers([("x-sum", "1")])] {
            let body = body.announcing(size).pausing();
            let site = Site::private(Server::new().on(GET, cached("max-age=60").body(body)));
            let first = site.get().await;
            let second = site.get().await;
            assert!(second.is_from_cache(), "{size:?}");
            assert_eq!((second.body, second.trailers), (first.body, first.trailers), "{size:?}");
        }
    }
}

#[tokio::test]
async fn a_body_is_stored_before_its_end_is_seen() {
    // Who knows the end from `Content-Length`, as a server does that passes the response on, polls no further.
    let reply = cached("max-age=60").header("content-length", "4").body("text");
    let site = Site::private(Server::new().on(GET, reply));
    let mut body = site.cache.clone().oneshot(request(GET)).await.unwrap().into_body();
    body.frame().await;
    assert!(http_body::Body::is_end_stream(&body));
    drop(body);
    assert!(site.get().await.is_from_cache());
    // And who sees an empty body does not poll at all.
    let site = Site::private(Server::new().on(GET, reply_204()));
    drop(site.cache.clone().oneshot(request(GET)).await.unwrap());
    assert!(site.get().await.is_from_cache());
}

fn reply_204() -> httplib2_testing::Reply {
    reply(204).header("cache-control", "max-age=60")
}

#[tokio::test]
async fn what_its_reader_gives_up_is_not_stored_without_an_executor() {
    let site = Site::private(Server::new().on(GET, cached("max-age=60").body(Body::chunks(["one", "two"]))));
    let mut body = site.cache.clone().oneshot(request(GET)).await.unwrap().into_body();
    body.frame().await;
    drop(body);
    settle().await;
    assert!(!site.get().await.is_from_cache());
}

#[tokio::test]
async fn what_its_reader_gives_up_is_finished_in_the_background() {
    let body = Body::chunks(["one", "two"]).trailers([("x-sum", "2")]).pausing();
    let site = Site::private(Server::new().on(GET, cached("max-age=60").body(body))).on_tokio();
    let mut body = site.cache.clone().oneshot(request(GET)).await.unwrap().into_body();
    body.frame().await;
    drop(body);
    settle().await;
    let got = site.get().await;
    assert_eq!((got.is_from_cache(), got.text()), (true, "onetwo"));
    assert!(got.trailers.is_some());
    assert_eq!(site.sends(), 1);
}

#[tokio::test(start_paused = true)]
async fn work_in_the_background_has_a_budget() {
    let (bytes, time) = (6, Duration::from_secs(30));
    for (body, stored) in [
        (Body::chunks(["one", "two", "six"]), true),
        (Body::chunks(["one", "two", "three"]), false),
        (Body::chunks(["one", "two", "six"]).announcing(Size::Unknown), true),
        (Body::chunks(["one", "two", "three"]).announcing(Size::Unknown), false),
        (Body::chunks(["one"]).stalling(), false),
        (Body::chunks(["one", "two"]).breaking(), false),
    ] {
        let server = Server::new().on(GET, cached("max-age=60").body(body.clone())).limited(1);
        let site = Site::private(server).on_tokio().with(|layer| layer.background(bytes, time));
        let mut body_read = site.cache.clone().oneshot(request(GET)).await.unwrap().into_body();
        body_read.frame().await;
        drop(body_read);
        tokio::time::sleep(time * 2).await;
        let entries = site.layer.handle().usage().await.unwrap().entries;
        assert_eq!(entries == 1, stored, "{body:?}");
    }
}

#[tokio::test]
async fn what_is_too_large_is_handed_through_and_said() {
    for (body, at_once) in [(Body::from("12345"), true), (Body::from("12345").announcing(Size::Unknown), false)] {
        let site = Site::private(Server::new().on(GET, cached("max-age=60").body(body)));
        let site = site.with(|layer| layer.max_object(4));
        let got = site.get().await;
        assert_eq!(got.text(), "12345");
        let kept = if at_once { Kept::TooLarge } else { Kept::Storing };
        assert!(matches!(got.served, Served::Network { kept: said, .. } if said == kept), "{}", got.why());
        assert!(!site.get().await.is_from_cache());
    }
    let site = Site::on(
        Server::new().on(GET, cached("max-age=60").body(vec![0; 5000])),
        MemoryStore::builder().max_object(4000).build(),
    );
    assert_eq!(site.get().await.why(), "nothing stored, origin asked -> answer not stored: it is too large");
    let site =
        Site::private(Server::new().on(GET, cached("max-age=60").body("1234"))).with(|layer| layer.max_object(4));
    site.get().await;
    assert!(site.get().await.is_from_cache());
}

#[tokio::test]
async fn everything_of_a_miss_reaches_the_caller() {
    // Trap 10: extensions, bytes that are not ASCII, several values, trailers.
    let reply = cached("max-age=60").header("x", http::HeaderValue::from_bytes(b"\xfc").unwrap());
    let reply =
        reply.header("link", "<a>").header("link", "<b>").extension(7_u8).body("text").trailers([("x-sum", "1")]);
    let site = Site::private(Server::new().on(GET, reply));
    let response = site.cache.clone().oneshot(request(GET)).await.unwrap();
    assert_eq!(response.extensions().get(), Some(&7_u8));
    drop(response.into_body().collect().await.unwrap());
    let response = site.cache.clone().oneshot(request(GET)).await.unwrap();
    // A hit has the fields, all of them (trap 23), and no extension of another exchange.
    assert_eq!(response.extensions().get::<u8>(), None);
    assert_eq!(response.headers()["x"].as_bytes(), b"\xfc");
    assert_eq!(response.headers().get_all("link").iter().collect::<Vec<_>>(), ["<a>", "<b>"]);
    assert_eq!(response.into_body().collect().await.unwrap().trailers().unwrap()["x-sum"], "1");
}

#[tokio::test]
async fn fields_of_one_connection_reach_the_caller_and_not_the_store() {
    let reply = cached("max-age=60").header("connection", "x-hop").header("x-hop", "1").header("keep-alive", "5");
    let site = Site::shared(Server::new().on(GET, reply.header("set-cookie", "a=b")));
    let first = site.get().await;
    assert!(first.headers.contains_key("x-hop") && first.headers.contains_key("set-cookie"));
    let second = site.get().await;
    assert!(second.is_from_cache());
    for name in ["connection", "x-hop", "keep-alive", "set-cookie"] {
        assert!(!second.headers.contains_key(name), "{name}");
    }
}

#[tokio::test]
async fn a_dropped_request_leaves_nothing_behind() {
    let site = Site::private(Server::new().on(GET, cached("max-age=60").delay(Duration::from_secs(9))).limited(1));
    assert!(site.cache.clone().oneshot(request(GET)).now_or_never().is_none());
    assert_eq!(site.server.permits_free(), 1);
    assert_eq!(site.layer.handle().known_tags(&"http://a.example/".parse().unwrap(), &Default::default()).await, None);
}

#[tokio::test]
async fn a_hit_has_the_version_of_the_answer_that_was_stored() {
    let site = Site::private(Server::new().on(GET, cached("max-age=60")));
    let over_http2 = tower::util::MapResponse::new(site.server.clone(), |mut response: http::Response<Body>| {
        *response.version_mut() = http::Version::HTTP_2;
        response
    });
    let cache = tower::Layer::layer(&site.layer, over_http2);
    for _ in 0..2 {
        let response = cache.clone().oneshot(request(GET)).await.unwrap();
        assert_eq!(response.version(), http::Version::HTTP_2);
        response.into_body().collect().await.unwrap();
    }
    assert_eq!(site.sends(), 1);
}

#[tokio::test]
async fn what_cannot_take_the_place_of_an_older_response_drops_it() {
    let new = || cached("max-age=600").header("etag", "\"new\"");
    for (reply, text) in [
        (new().header("content-length", "11").body("new version"), Some("new version")),
        (new().body(Body::chunks(["new ver", "sion"])), Some("new version")),
        (new().body(Body::from("new").breaking()), None),
    ] {
        let server = Server::new().on(GET, cached("max-age=600").header("etag", "\"old\"").body("old")).on(GET, reply);
        let site = Site::private(server).with(|layer| layer.max_object(5));
        site.get().await;
        assert!(site.get().await.is_from_cache());
        let got = site.try_send(with(GET, &[("cache-control", "no-cache")])).await.ok();
        assert_eq!(got.as_ref().map(Got::text), text);
        // What is stored says how the resource was before.
        assert!(!site.try_send(request(GET)).await.is_ok_and(|got| got.is_from_cache()), "{text:?}");
    }
}

#[tokio::test]
async fn one_that_is_read_in_part_only_drops_the_older_one_unless_it_is_the_same() {
    for (tag, is_kept) in [("\"old\"", true), ("\"new\"", false), ("W/\"old\"", false)] {
        let reply = cached("max-age=600").header("etag", tag).body(Body::chunks(["a", "b"]));
        let server = Server::new().on(GET, cached("max-age=600").header("etag", "\"old\"").body("old")).on(GET, reply);
        let site = Site::private(server);
        site.get().await;
        let request = with(GET, &[("cache-control", "no-cache")]);
        drop(site.cache.clone().oneshot(request).await.expect("an answer"));
        assert_eq!(site.get().await.is_from_cache(), is_kept, "{tag}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_so_many_bodies_are_read_to_their_end_in_the_background() {
    for collapses in [false, true] {
        let running = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&running);
        let executor = Spawn::new(move |task| {
            let count = Arc::clone(&count);
            count.fetch_add(1, Ordering::SeqCst);
            drop(tokio::spawn(async move {
                task.await;
                count.fetch_sub(1, Ordering::SeqCst);
            }));
        });
        let server = Server::answering(|_, _| cached("max-age=600").body(Body::from("a").stalling()));
        let site = Site::private(server).with(|layer| layer.executor(executor).collapse(collapses));
        for n in 0..100 {
            let line = format!("GET http://a.example/{n}");
            drop(site.cache.clone().oneshot(request(&line)).await.expect("an answer"));
        }
        settle().await;
        assert_eq!(running.load(Ordering::SeqCst), 64, "{collapses}");
        // Their time is over, and there is room again.
        tokio::time::sleep(Duration::from_secs(31)).await;
        assert_eq!(running.load(Ordering::SeqCst), 0, "{collapses}");
        drop(site.cache.clone().oneshot(request(GET)).await.expect("an answer"));
        settle().await;
        assert_eq!(running.load(Ordering::SeqCst), 1, "{collapses}");
    }
}
