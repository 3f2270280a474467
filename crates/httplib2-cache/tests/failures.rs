//! What is served stale: in place of a failure, or while it is refreshed.

mod common;

use std::{io, time::Duration};

use http::Request;
use httplib2_cache::{CacheMode, Served, policy::Why};
use httplib2_core::context::{Journal, Remaining};
use httplib2_testing::{Body, Reply, Server, reply, request};

use self::common::{GET, Site, cached, settle, with};

fn reset() -> Reply {
    Reply::failing(|| io::Error::from(io::ErrorKind::ConnectionReset))
}

/// A cache with a response that has been stale for a minute, over a server that then answers like this.
async fn stale(site: impl Fn(Server) -> Site, directives: &str, then: Reply) -> Site {
    let first = cached(directives).header("etag", "\"a\"").body("old");
    let site = site(Server::new().on(GET, first).on(GET, then));
    site.get().await;
    site.later(120);
    site
}

#[tokio::test]
async fn a_stale_response_stands_in_for_a_failure_only_if_it_may() {
    // Traps 3 and 4, CACHE-16, RFC 5861 §4, RFC 9111 §4.2.4.
    for (directives, on_503, on_reset) in [
        ("max-age=60", false, true),
        ("max-age=60, stale-if-error=600", true, true),
        ("max-age=60, stale-if-error=30", false, false),
        ("max-age=60, must-revalidate, stale-if-error=600", false, false),
        ("no-cache, stale-if-error=600", false, false),
        ("max-age=60, proxy-revalidate, stale-if-error=600", true, true),
    ] {
        let site = stale(Site::private, directives, reply(503).body("busy")).await;
        let got = site.get().await;
        assert_eq!(got.text(), if on_503 { "old" } else { "busy" }, "{directives}");
        assert_eq!(got.served.is_stale(), on_503);
        let site = stale(Site::private, directives, reset()).await;
        match site.try_send(request(GET)).await {
            Ok(got) => assert!(on_reset && got.text() == "old" && got.headers["age"] == "120", "{directives}"),
            // Trap 18: the error is the one of the inner service.
            Err(error) => assert!(!on_reset && error.is::<io::Error>(), "{directives}"),
        }
    }
    let site = stale(Site::shared, "max-age=60, proxy-revalidate, stale-if-error=600", reply(503)).await;
    assert_eq!(site.get().await.status, 503);
}

#[tokio::test]
async fn a_response_that_stands_in_says_so() {
    let site = stale(Site::shared, "max-age=60, stale-if-error=600", reply(503).extension(7_u8)).await;
    let got = site.get().await;
    assert_eq!(got.why(), "stale (age 120 s > lifetime 60 s), served in place of an error -> stored response");
    assert!(matches!(got.served, Served::Stale { age: 120, why: Why::OnError(_) }));
    assert_eq!(got.headers["cache-status"], "httplib2; fwd=stale; fwd-status=503; ttl=-60");
}

#[tokio::test]
async fn the_caller_says_which_errors_are_no_answer() {
    let site = stale(Site::private, "max-age=60", reset()).await;
    let site = site.with(|layer| layer.disconnected(|error| !error.is::<io::Error>()));
    assert!(site.try_send(request(GET)).await.is_err());
    let site = site.with(|layer| layer.disconnected(|error| error.is::<io::Error>()));
    assert!(site.get().await.served.is_stale());
}

#[tokio::test]
async fn a_stale_response_is_served_while_one_refresh_is_under_way() {
    // RFC 5861 §3, peers 20.
    let slow = cached("max-age=60").body("new").delay(Duration::from_secs(5));
    tokio::time::pause();
    let site = stale(|server| Site::private(server).on_tokio(), "max-age=60, stale-while-revalidate=600", slow).await;
    for _ in 0..10 {
        let got = site.get().await;
        assert_eq!((got.text(), got.served.is_stale()), ("old", true));
        settle().await;
    }
    assert_eq!(site.sends(), 2, "one refresh at a time");
    assert_eq!(site.server.requests()[1].headers()["if-none-match"], "\"a\"");
    tokio::time::sleep(Duration::from_secs(6)).await;
    let got = site.get().await;
    assert_eq!((got.text(), got.served.is_stale(), site.sends()), ("new", false, 2));
}

#[tokio::test]
async fn a_refresh_runs_without_the_deadline_and_the_journal_of_the_caller() {
    let not_modified = reply(304).header("etag", "\"a\"");
    let site =
        stale(|server| Site::private(server).on_tokio(), "max-age=60, stale-while-revalidate=600", not_modified).await;
    let journal = Journal::default();
    let mut request: Request<Body> = with("HEAD http://a.example/", &[("if-none-match", "\"mine\"")]);
    request.extensions_mut().insert(journal.clone());
    request.extensions_mut().insert(Remaining::within(Duration::from_secs(1)));
    request.extensions_mut().insert(7_u8);
    site.send(request).await;
    settle().await;
    let refresh = &site.server.requests()[1];
    assert_eq!(refresh.line(), GET, "HEAD would leave the content as it is");
    assert!(refresh.extensions().get::<Remaining>().is_none() && refresh.extensions().get::<Journal>().is_none());
    assert_eq!(refresh.extensions().get(), Some(&7_u8));
    assert_eq!(refresh.headers()["if-none-match"], "\"a\"", "not the condition of the caller");
    assert_eq!(journal.lines().len(), 1);
    assert!(!site.get().await.served.is_stale(), "it was freshened");
}

#[tokio::test]
async fn a_refresh_that_fails_leaves_what_is_stored_and_is_tried_again() {
    for failure in [reply(503), reset()] {
        let site =
            stale(|server| Site::private(server).on_tokio(), "max-age=60, stale-while-revalidate=600", failure).await;
        for sends in 2..4 {
            // Not at once: an origin that is down is not to be beset.
            for _ in 0..10 {
                assert_eq!(site.get().await.text(), "old");
                settle().await;
                assert_eq!(site.sends(), sends);
            }
            site.later(5);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_has_a_budget() {
    let never = cached("max-age=60").body(Body::from("n").stalling());
    let site = stale(|server| Site::private(server).on_tokio(), "max-age=60, stale-while-revalidate=6000", never).await;
    site.get().await;
    tokio::time::sleep(Duration::from_secs(31)).await;
    site.later(31);
    site.get().await;
    settle().await;
    assert_eq!(site.sends(), 3, "the first one was given up");
}

#[tokio::test(start_paused = true)]
async fn so_many_are_refreshed_at_once_and_no_more() {
    let line = |number: usize| format!("GET http://a.example/{number}");
    let server = (0..70).fold(Server::new(), |server, number| {
        let slow = cached("max-age=60").body("new").delay(Duration::from_secs(5));
        server.on(&line(number), cached("max-age=60, stale-while-revalidate=600").body("old")).on(&line(number), slow)
    });
    let site = Site::private(server).on_tokio();
    for number in 0..70 {
        site.line(&line(number)).await;
    }
    site.later(120);
    for sends in [70 + 64, 140] {
        for number in 0..70 {
            let got = site.line(&line(number)).await;
            assert!(got.is_from_cache(), "{number}");
        }
        settle().await;
        assert_eq!(site.sends(), sends);
        tokio::time::sleep(Duration::from_secs(6)).await;
    }
}

#[tokio::test]
async fn without_an_executor_nothing_is_served_while_it_is_refreshed() {
    let site = stale(Site::private, "max-age=60, stale-while-revalidate=600", reply(200).body("new")).await;
    assert_eq!(site.get().await.text(), "new");
}

#[tokio::test]
async fn the_window_of_a_refresh_is_bounded_and_its_users_are_kept_apart() {
    // CACHE-61.
    let new = cached("max-age=60").body("new");
    let site = stale(|server| Site::private(server).on_tokio(), "max-age=60, stale-while-revalidate=30", new).await;
    assert_eq!(site.get().await.text(), "new");
    let other = cached("max-age=60").body("for alice");
    let site = stale(|server| Site::private(server).on_tokio(), "max-age=60, stale-while-revalidate=600", other).await;
    assert_eq!(site.send(with(GET, &[("authorization", "alice")])).await.text(), "for alice");
}

#[tokio::test]
async fn offline_serves_what_may_not_be_served_otherwise() {
    let site = stale(Site::private, "max-age=60, must-revalidate", reset()).await;
    let mut offline = request(GET);
    offline.extensions_mut().insert(CacheMode::Offline);
    let got = site.send(offline).await;
    assert_eq!(got.why(), "stale (age 120 s > lifetime 60 s), forced by the caller -> stored response");
    assert_eq!(site.sends(), 1);
}
