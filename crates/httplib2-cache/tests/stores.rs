//! A store that does not do what it should never harms the caller.

mod common;

use std::time::Duration;

use httplib2_cache::{Kept, Served};
use httplib2_testing::{Body, Server, reply, request};

use self::common::{
    GET, Site, cached,
    stores::{CALLS, Call, Fault, Faulty},
    with,
};

fn server() -> Server {
    Server::answering(|request, _| match request.method().as_str() {
        "GET" if request.headers().contains_key("if-none-match") => reply(304).header("etag", "\"a\""),
        "GET" => cached("max-age=60").header("etag", "\"a\"").body(Body::chunks(["te", "xt"])),
        _ => reply(204),
    })
}

#[tokio::test(start_paused = true)]
async fn whatever_the_store_fails_at_the_caller_is_answered() {
    // Trap 12.
    for call in CALLS {
        for fault in [Fault::Fails, Fault::Hangs] {
            for executor in [false, true] {
                let site = Site::on(server(), Faulty::new(call, fault));
                let site = if executor { site.on_tokio() } else { site };
                let begun = tokio::time::Instant::now();
                for age in [0, 10, 100] {
                    site.later(age);
                    let got = site.get().await;
                    assert_eq!((got.status.as_u16(), got.text()), (200, "text"), "{call:?} {fault:?} at {age} s");
                }
                assert_eq!(site.line("PUT http://a.example/").await.status, 204);
                assert_eq!(site.get().await.text(), "text");
                assert!(begun.elapsed() <= Duration::from_secs(60), "{call:?} {fault:?}: {:?}", begun.elapsed());
            }
        }
    }
}

#[tokio::test]
async fn a_store_that_takes_its_time_is_waited_for() {
    for call in CALLS {
        for executor in [false, true] {
            let site = Site::on(server(), Faulty::new(call, Fault::Hesitates));
            let site = if executor { site.on_tokio() } else { site };
            assert_eq!(site.get().await.text(), "text");
            common::settle().await;
            assert!(site.get().await.is_from_cache(), "{call:?}");
            site.later(120);
            assert!(site.get().await.is_from_cache(), "{call:?}");
            site.later(50);
            assert!(site.get().await.is_from_cache(), "{call:?}");
            assert_eq!(site.sends(), 2, "{call:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn patience_with_a_slow_store_has_an_end_that_can_be_set() {
    let store = Faulty::new(Call::Room, Fault::Hangs);
    let site = Site::on(server(), store).with(|layer| layer.patience(Duration::from_secs(2)));
    let begun = tokio::time::Instant::now();
    assert_eq!(site.get().await.text(), "text");
    assert_eq!(begun.elapsed(), Duration::from_secs(2), "once, and then the store is given up");
}

#[tokio::test]
async fn a_store_that_fails_to_find_is_not_written_to_either() {
    let store = Faulty::new(Call::LookUp, Fault::Fails);
    let site = Site::on(server(), store.clone());
    let got = site.get().await;
    assert!(matches!(got.served, Served::Network { kept: Kept::Failed, .. }), "{}", got.why());
    // Without a generation a late answer could undo a change.
    store.set_mended(true);
    assert!(!site.get().await.is_from_cache());
    assert!(site.get().await.is_from_cache());
}

#[tokio::test]
async fn a_response_whose_body_is_gone_is_fetched_again() {
    let store = Faulty::new(Call::Open, Fault::Fails);
    let site = Site::on(server(), store.clone());
    site.get().await;
    let got = site.get().await;
    assert_eq!((got.text(), got.is_from_cache()), ("text", false));
    // Also where it was found only after the origin said that it still holds.
    site.later(120);
    let got = site.get().await;
    assert_eq!((got.text(), got.is_from_cache()), ("text", false));
    // Nor may it stand in for a failure or be had offline.
    let mut offline = request(GET);
    offline.extensions_mut().insert(httplib2_cache::CacheMode::Offline);
    assert_eq!(site.send(offline).await.status, 504);
    assert_eq!(site.layer.handle().usage().await.expect("a number").entries, 0, "what cannot be read is dropped");
    store.set_mended(true);
    site.get().await;
    assert!(site.get().await.is_from_cache());
}

#[tokio::test(start_paused = true)]
async fn what_the_store_neither_replaces_nor_freshens_is_not_used_any_more() {
    // RFC 9111 §4.3.4, §5.2.2.4: the origin has just said something else.
    for executor in [false, true] {
        for fault in [Fault::Fails, Fault::Refuses, Fault::Hangs] {
            for (call, says) in [
                (Call::Update, reply(304).header("etag", "\"a\"").header("cache-control", "no-cache")),
                (Call::Commit, cached("max-age=60").header("etag", "\"b\"").body("new")),
            ] {
                let store = Faulty::new(call, fault);
                store.set_mended(true);
                let old = cached("max-age=60").header("etag", "\"a\"").body("old");
                let again = cached("max-age=60").body("again");
                let site = Site::on(Server::new().on(GET, old).on(GET, says).on(GET, again), store.clone());
                let site = if executor { site.on_tokio() } else { site };
                site.get().await;
                store.set_mended(false);
                site.send(with(GET, &[("cache-control", "no-cache")])).await;
                tokio::time::sleep(Duration::from_secs(31)).await;
                let got = site.get().await;
                assert_eq!((got.text(), site.sends()), ("again", 3), "{call:?} {fault:?} {executor}: {}", got.why());
            }
        }
    }
}
