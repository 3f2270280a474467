//! Requests that change something make what is stored untrue.

mod common;

use std::time::Duration;

use futures_util::FutureExt;
use httplib2_cache::{
    CacheLayer, CacheMode,
    policy::{Invalidate, Rules},
};
use httplib2_store::MemoryStore;
use httplib2_testing::{Reply, Server, reply, request};
use tower::ServiceExt;

use self::common::{GET, Site, cached, stores, with};

const PUT: &str = "PUT http://a.example/";

fn failing() -> Reply {
    Reply::failing(|| std::io::Error::from(std::io::ErrorKind::ConnectionReset))
}

/// A cache that has stored the answers to these GET requests, over a server that answers `change` like this.
async fn holding(lines: &[&str], change: &str, reply: Reply) -> Site {
    let server = lines
        .iter()
        .fold(Server::new().on(change, reply), |server, line| server.on(line, cached("max-age=600").body("old")));
    let site = Site::private(server);
    for line in lines {
        site.line(line).await;
    }
    site
}

#[tokio::test]
async fn a_change_that_was_made_drops_what_is_stored() {
    // CACHE-20, RFC 9111 §4.4.
    for method in ["POST", "PUT", "PATCH", "DELETE", "M-SEARCH"] {
        for (status, dropped) in [(200, true), (204, true), (303, true), (404, false), (405, false), (500, false)] {
            let change = format!("{method} http://a.example/");
            let site = holding(&[GET], &change, reply(status)).await;
            site.line(&change).await;
            assert_eq!(site.get().await.is_from_cache(), !dropped, "{method} {status}");
        }
    }
}

#[tokio::test]
async fn a_refused_change_drops_the_version_that_it_was_refused_for() {
    // Who reads again to merge must get the present version.
    let site = holding(&[GET], PUT, reply(412)).await;
    site.line(PUT).await;
    assert!(!site.get().await.is_from_cache());
    let site = holding(&[GET], PUT, reply(412)).await;
    let mut rules = Rules::private();
    rules.invalidate_on_412 = false;
    let site = Site::over(site.server.clone(), CacheLayer::with_rules(std::sync::Arc::new(MemoryStore::new()), rules));
    site.get().await;
    site.line(PUT).await;
    assert!(site.get().await.is_from_cache());
}

#[tokio::test]
async fn places_that_the_answer_names_are_dropped_too() {
    // Trap 13, H-CACHE-61.
    let lines = ["http://a.example/", "http://a.example/1", "http://a.example/2", "http://b.example/1"]
        .map(|uri| format!("GET {uri}"));
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    let made = reply(201).header("location", "/1").header("content-location", "http://a.example/2");
    for (answer, kept) in [
        (made, [false, false, false, true]),
        (reply(201).header("location", "http://b.example/1"), [false, true, true, true]),
    ] {
        let site = holding(&lines, "POST http://a.example/", answer).await;
        site.line("POST http://a.example/").await;
        for (line, kept) in lines.iter().zip(kept) {
            assert_eq!(site.line(line).await.is_from_cache(), kept, "{line}");
        }
    }
}

#[tokio::test]
async fn all_variants_and_users_are_dropped() {
    let server = Server::new().on(GET, cached("max-age=600").header("vary", "x")).on(PUT, reply(204));
    let site = Site::private(server);
    let asks = || [with(GET, &[("x", "1")]), with(GET, &[("x", "2")]), with(GET, &[("authorization", "alice")])];
    for ask in asks() {
        site.send(ask).await;
    }
    site.line(PUT).await;
    for ask in asks() {
        assert!(!site.send(ask).await.is_from_cache());
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_under_way_does_not_undo_a_change() {
    // Trap 13: whichever of the two comes first.
    for (get, put) in [(2, 1), (1, 2), (2, 2)] {
        let second = Duration::from_secs(1);
        let server = Server::new()
            .on(GET, cached("max-age=600").body("old").delay(get * second))
            .on(GET, cached("max-age=600").body("new"))
            .on(PUT, reply(204).delay(put * second));
        let site = Site::private(server);
        let (old, _) = tokio::join!(site.get(), site.line(PUT));
        assert_eq!(old.text(), "old");
        assert_eq!(site.get().await.text(), "new", "GET takes {get} s, PUT {put} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_was_under_way_does_not_undo_a_change() {
    let server = Server::new()
        .on(GET, cached("max-age=600").body("old"))
        .on(GET, cached("max-age=600").body("new"))
        .on(PUT, reply(204));
    let site = Site::private(server);
    let under_way = site.cache.clone().oneshot(request(GET)).await.unwrap();
    site.line(PUT).await;
    assert_eq!(httplib2_testing::text(under_way).await.unwrap(), "old");
    assert_eq!(site.get().await.text(), "new");
}

#[tokio::test(start_paused = true)]
async fn a_freshening_that_was_under_way_does_not_undo_a_change() {
    let server = Server::new()
        .on(GET, cached("max-age=60").header("etag", "\"a\"").body("old"))
        .on(GET, reply(304).header("etag", "\"a\"").delay(Duration::from_secs(2)))
        .on(GET, cached("max-age=60").body("new"))
        .on(PUT, reply(204).delay(Duration::from_secs(1)));
    let site = Site::private(server);
    site.get().await;
    site.later(120);
    tokio::join!(site.get(), site.line(PUT));
    assert_eq!(site.get().await.text(), "new");
}

#[tokio::test]
async fn a_change_of_which_nobody_knows_drops_what_is_stored() {
    // No answer came: it may have been made.
    let site = holding(&[GET], PUT, failing()).await;
    assert!(site.try_send(request(PUT)).await.is_err());
    assert!(!site.get().await.is_from_cache());
    // The caller went away.
    let site = holding(&[GET], PUT, reply(204).delay(Duration::from_secs(60))).await;
    assert!(site.cache.clone().oneshot(request(PUT)).now_or_never().is_none());
    assert!(!site.get().await.is_from_cache());
}

#[tokio::test]
async fn httplib2_drops_before_it_sends() {
    // H-CACHE-60.
    let mut rules = Rules::private();
    rules.invalidate = Invalidate::Early;
    let server = Server::new().on(GET, cached("max-age=600")).on(PUT, reply(500));
    let site = Site::over(server, CacheLayer::with_rules(std::sync::Arc::new(MemoryStore::new()), rules));
    site.get().await;
    site.line(PUT).await;
    assert!(!site.get().await.is_from_cache());
}

#[tokio::test(start_paused = true)]
async fn what_is_stored_between_an_early_invalidation_and_the_answer_is_dropped_too() {
    let mut rules = Rules::private();
    rules.invalidate = Invalidate::Early;
    let server = Server::new()
        .on(GET, cached("max-age=600").body("old"))
        .on(GET, cached("max-age=600").body("new"))
        .on(PUT, reply(204).delay(Duration::from_secs(2)));
    let site = Site::over(server, CacheLayer::with_rules(std::sync::Arc::new(MemoryStore::new()), rules));
    let read_meanwhile = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        site.get().await
    };
    tokio::join!(site.line(PUT), read_meanwhile);
    assert_eq!(site.get().await.text(), "new");
}

#[tokio::test]
async fn what_a_request_changes_is_dropped_in_every_mode() {
    let site = holding(&[GET], PUT, reply(204)).await;
    let mut put = request(PUT);
    put.extensions_mut().insert(CacheMode::NoStore);
    site.send(put).await;
    assert!(!site.get().await.is_from_cache());
}

#[tokio::test]
async fn a_safe_request_drops_nothing() {
    let site = holding(&[GET], "OPTIONS http://a.example/", reply(204)).await;
    site.line("OPTIONS http://a.example/").await;
    assert!(site.get().await.is_from_cache());
}

#[tokio::test]
async fn a_store_that_invalidates_later_is_waited_for() {
    let store = stores::Faulty::new(stores::Call::Invalidate, stores::Fault::Hesitates);
    let site = Site::on(Server::new().on(GET, cached("max-age=600")).on(PUT, reply(204)), store);
    site.get().await;
    site.line(PUT).await;
    assert!(!site.get().await.is_from_cache());
}

#[tokio::test]
async fn an_invalidation_that_the_store_did_not_make_is_not_forgotten() {
    for fault in [stores::Fault::Fails, stores::Fault::Hangs] {
        for is_dropped in [false, true] {
            let store = stores::Faulty::new(stores::Call::Invalidate, fault);
            let change = if is_dropped { reply(204).delay(Duration::from_secs(60)) } else { reply(204) };
            let server = Server::new()
                .on(GET, cached("max-age=600").body("old"))
                .on(GET, cached("max-age=600").body("new"))
                .on(PUT, change);
            let site = Site::on(server, store.clone()).with(|layer| layer.patience(Duration::from_millis(5)));
            site.get().await;
            if is_dropped {
                assert!(site.cache.clone().oneshot(request(PUT)).now_or_never().is_none());
            } else {
                site.line(PUT).await;
            }
            // The store still has it, and still cannot drop it.
            for _ in 0..2 {
                let got = site.get().await;
                assert_eq!((got.text(), got.is_from_cache()), ("new", false), "{fault:?} {is_dropped}");
            }
            store.set_mended(true);
            assert!(!site.get().await.is_from_cache(), "{fault:?} {is_dropped}: it was dropped now");
            assert!(site.get().await.is_from_cache(), "{fault:?} {is_dropped}");
        }
    }
}

#[tokio::test]
async fn the_spelling_of_host_does_not_matter() {
    for (stored, changed) in
        [("a.example", "a.example:80"), ("A.example", "a.example:"), ("b.example", "B.example:80"), ("", "a.example")]
    {
        let server = Server::new().on(GET, cached("max-age=600")).on(PUT, reply(204));
        let site = Site::private(server);
        let asked = || if stored.is_empty() { request(GET) } else { with(GET, &[("host", stored)]) };
        site.send(asked()).await;
        assert!(site.send(asked()).await.is_from_cache());
        site.send(with(PUT, &[("host", changed)])).await;
        assert!(!site.send(asked()).await.is_from_cache(), "{stored} {changed}");
    }
    let site = Site::private(Server::new().on(GET, cached("max-age=600")));
    site.send(with(GET, &[("host", "b.example")])).await;
    assert!(!site.send(with(GET, &[("host", "b.example:81")])).await.is_from_cache());
}

#[tokio::test]
async fn very_many_changes_at_once_do_not_empty_the_store() {
    let server =
        Server::answering(|request, _| if request.method() == "PUT" { reply(204) } else { cached("max-age=60") });
    let site = Site::on(server, stores::Faulty::new(stores::Call::Invalidate, stores::Fault::Hesitates));
    site.get().await;
    let lines: Vec<_> = (0..1100).map(|number| format!("PUT http://a.example/other/{number}")).collect();
    futures_util::future::join_all(lines.iter().map(|line| site.line(line))).await;
    assert!(site.get().await.is_from_cache());
}
