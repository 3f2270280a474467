//! Concurrent requests that would be answered alike become one (RFC 9111 §4).

mod common;

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use http::{Request, Response};
use httplib2_cache::{CacheLayer, CacheMode, Served, policy::Why};
use httplib2_core::{
    context::{Journal, Remaining, Spawn},
    error::BoxError,
    who::{Identity, SignedAs},
};
use httplib2_store::MemoryStore;
use httplib2_testing::{Body, Reply, Server, Size, reply, request};
use tower::{Layer, ServiceExt, service_fn};

use self::common::{
    GET, Got, Signer, Site, cached, executor,
    parts::{TEXT, part, range, whole},
    settle, with,
};

/// An answer that takes a second.
fn slow(directives: &str) -> Reply {
    cached(directives).delay(Duration::from_secs(1))
}

/// All at once.
async fn send_all(site: &Site, requests: impl IntoIterator<Item = Request<Body>>) -> Vec<Got> {
    join_all(requests.into_iter().map(|request| site.send(request))).await
}

async fn get_all(site: &Site, count: usize) -> Vec<Got> {
    send_all(site, (0..count).map(|_| request(GET))).await
}

/// Nothing is under way any more, and nothing is held.
fn is_idle(site: &Site) -> bool {
    format!("{:?}", site.layer).contains("Flights { under_way: 0, held: 0, .. }")
}

#[tokio::test(start_paused = true)]
async fn a_thousand_misses_are_one_request() {
    let body = Body::chunks(["te", "xt"]).trailers([("x-sum", "1")]).pausing();
    let site = Site::private(Server::new().on(GET, slow("max-age=60").header("x-one", "1").body(body))).on_tokio();
    let got = get_all(&site, 1000).await;
    assert_eq!(site.sends(), 1);
    for got in &got {
        assert_eq!((got.text(), got.status.as_u16(), &got.headers["x-one"]), ("text", 200, &"1".parse().unwrap()));
        assert_eq!(got.trailers.as_ref().unwrap()["x-sum"], "1");
    }
    assert_eq!(got[0].why(), "nothing stored, origin asked -> answer being stored");
    assert_eq!(got[1].why(), "nothing stored, collapsed with a request under way -> its answer, being stored");
    assert_eq!(got[1].served, Served::Collapsed { age: 0, why: Why::Missing });
    assert_eq!((got[1].served.is_from_cache(), got[1].served.age()), (false, Some(0)));
    assert_eq!(got[1].headers["age"], "0");
    assert!(!got[0].headers.contains_key("age"));
    assert!(site.get().await.is_from_cache());
    assert!(is_idle(&site));
}

#[tokio::test(start_paused = true)]
async fn ten_variants_are_ten_requests() {
    const LANGUAGES: [&str; 10] = ["aa", "bb", "cc", "dd", "ee", "ff", "gg", "hh", "ii", "jj"];
    for vary in ["x-variant", "accept-language, x-variant", "x-variant, cookie"] {
        let server = Server::answering(move |received, _| {
            let variant = received.headers()["x-variant"].to_str().unwrap().to_owned();
            slow("max-age=60").header("vary", vary).body(variant)
        });
        let site = Site::private(server).on_tokio();
        let requests = (0..1000).map(|n| with(GET, &[("x-variant", LANGUAGES[n % 10])]));
        let got = send_all(&site, requests).await;
        for (n, got) in got.iter().enumerate() {
            assert_eq!(got.text(), LANGUAGES[n % 10]);
        }
        assert_eq!(site.sends(), 10, "{vary}");
        assert!(is_idle(&site));
    }
}

#[tokio::test(start_paused = true)]
async fn variants_that_are_known_are_asked_for_at_once() {
    let server = Server::answering(|received, _| {
        let variant = received.headers()["x-variant"].to_str().unwrap().to_owned();
        slow("max-age=60").header("vary", "x-variant").body(variant)
    });
    let site = Site::private(server).on_tokio();
    site.send(with(GET, &[("x-variant", "a")])).await;
    let start = tokio::time::Instant::now();
    let requests = (0..100).map(|n| with(GET, &[("x-variant", ["b", "c"][n % 2])]));
    send_all(&site, requests).await;
    assert_eq!((site.sends(), start.elapsed()), (3, Duration::from_secs(1)));
}

#[tokio::test(start_paused = true)]
async fn an_origin_that_selects_by_something_else_each_time_is_asked_no_more_than_once_by_each() {
    // No hot loop: whoever met three answers for others goes alone.
    let server =
        Server::answering(|_, number| slow("max-age=60").header("vary", format!("x-{number}, x-who")).body("text"));
    let site = Site::private(server).on_tokio();
    let who: Vec<&'static str> = (0..20).map(|n| &*format!("{n}").leak()).collect();
    let got = send_all(&site, who.iter().map(|who| with(GET, &[("x-who", who)]))).await;
    assert_eq!((got.len(), site.sends()), (20, 20));
    assert!(is_idle(&site));
}

#[tokio::test(start_paused = true)]
async fn one_request_never_answers_two_users() {
    let signer = Signer::new(Some("alice"));
    let server = Server::answering(|_, number| slow("max-age=60").body(format!("{number}")));
    let site = Site::private(server).with(|layer| layer.who_signs(Arc::new(signer.clone()))).on_tokio();
    // Who signs is asked when the request is made.
    let alice = site.get();
    let (alice, bob) = tokio::join!(alice, async {
        settle().await;
        signer.set(Some("bob"));
        site.get().await
    });
    // Neither mark came back, so neither is stored, and each has its own.
    assert_eq!((alice.text(), bob.text(), site.sends()), ("0", "1", 2));
    // Nor does one who signs for itself get what another one does.
    let server = Server::answering(|_, number| slow("max-age=60").body(format!("{number}")));
    let site = Site::private(server).on_tokio();
    let requests = ["Basic a", "Basic b", "Basic a"].map(|value| with(GET, &[("authorization", value)]));
    let got = send_all(&site, requests).await;
    assert_eq!((got[0].text(), got[1].text(), got[2].text(), site.sends()), ("0", "1", "0", 2));
}

#[tokio::test(start_paused = true)]
async fn what_wants_an_answer_of_its_own_is_sent() {
    // RFC 9111 §4, peers.md §5.4.
    let mode = |mode: CacheMode| {
        let mut request = request(GET);
        request.extensions_mut().insert(mode);
        request
    };
    let site = || {
        let server = Server::answering(|_, _| slow("public, max-age=60").body("text"));
        [Site::private(server), Site::shared(Server::answering(|_, _| slow("public, max-age=60").body("text")))]
    };
    for (what, make) in [
        ("a part", &(|| with(GET, &[("range", "bytes=0-1")])) as &dyn Fn() -> Request<Body>),
        ("no-store", &|| with(GET, &[("cache-control", "no-store")])),
        ("no-cache", &|| with(GET, &[("cache-control", "no-cache")])),
        ("max-age=0", &|| with(GET, &[("cache-control", "max-age=0")])),
        ("a HEAD request", &|| request("HEAD http://a.example/")),
        ("a POST request", &|| request("POST http://a.example/")),
        ("a precondition", &|| with(GET, &[("if-match", "\"a\"")])),
        ("a condition", &|| with(GET, &[("if-none-match", "\"a\"")])),
        ("a reload", &|| mode(CacheMode::Reload)),
        ("no store", &|| mode(CacheMode::NoStore)),
        ("a forced use", &|| mode(CacheMode::ForceCache)),
    ] {
        for site in site() {
            let site = site.on_tokio();
            send_all(&site, [make(), make(), make()]).await;
            assert_eq!(site.sends(), 3, "{what}");
        }
    }
    let [private, shared] = site().map(Site::on_tokio);
    let make = || with(GET, &[("authorization", "Basic x")]);
    send_all(&private, [make(), make(), make()]).await;
    send_all(&shared, [make(), make(), make()]).await;
    assert_eq!((private.sends(), shared.sends()), (1, 3));
    // What may not be sent does not wait for what is.
    let [site, _] = site().map(Site::on_tokio);
    let (_, refused) = tokio::join!(site.get(), async {
        settle().await;
        site.send(with(GET, &[("cache-control", "only-if-cached")])).await
    });
    assert_eq!(refused.status, 504);
}

#[tokio::test(start_paused = true)]
async fn without_an_executor_or_by_setting_each_is_sent() {
    let server = || Server::new().on(GET, slow("max-age=60").body("text"));
    for site in [Site::private(server()), Site::private(server()).on_tokio().with(|layer| layer.collapse(false))] {
        get_all(&site, 3).await;
        assert_eq!(site.sends(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn the_condition_of_one_who_waits_is_answered() {
    let server = Server::new().on(GET, slow("max-age=60").header("etag", "\"a\"").body("text"));
    let site = Site::private(server).on_tokio();
    let requests = [request(GET), with(GET, &[("if-none-match", "\"a\"")]), with(GET, &[("if-none-match", "\"b\"")])];
    let got = send_all(&site, requests).await;
    assert_eq!(got.iter().map(|got| got.status.as_u16()).collect::<Vec<_>>(), [200, 304, 200]);
    assert_eq!((got[1].text(), got[2].text(), site.sends()), ("", "text", 1));
}

#[tokio::test(start_paused = true)]
async fn what_is_stale_is_validated_once() {
    let server = Server::new().on(GET, cached("max-age=60").header("etag", "\"a\"").body("text")).on(
        GET,
        reply(304).header("cache-control", "max-age=60").header("etag", "\"a\"").delay(Duration::from_secs(1)),
    );
    let site = Site::private(server).on_tokio();
    site.get().await;
    site.later(100);
    let conditional = with(GET, &[("if-none-match", "\"a\"")]);
    let requests = [conditional].into_iter().chain((0..99).map(|_| request(GET)));
    let got = send_all(&site, requests).await;
    assert_eq!((site.sends(), got[0].status.as_u16()), (2, 304));
    assert!(got.iter().skip(1).all(|got| got.text() == "text" && got.is_from_cache()));
    assert_eq!(got[1].why(), "fresh (age 0 s < lifetime 60 s) -> stored response");
    assert!(is_idle(&site));
}

#[tokio::test(start_paused = true)]
async fn what_changed_is_fetched_once() {
    let server = Server::new()
        .on(GET, cached("max-age=60").header("etag", "\"a\"").body("old"))
        .on(GET, slow("max-age=60").header("etag", "\"b\"").body("new"));
    let site = Site::private(server).on_tokio();
    site.get().await;
    site.later(100);
    assert!(get_all(&site, 100).await.iter().all(|got| got.text() == "new"));
    assert_eq!(site.sends(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_stands_in_for_a_failure_answers_all() {
    // RFC 5861 §4.
    let failing = reply(503).delay(Duration::from_secs(1));
    let server = Server::new().on(GET, cached("max-age=60, stale-if-error=600").body("old")).on(GET, failing);
    let site = Site::private(server).on_tokio();
    site.get().await;
    site.later(100);
    let got = get_all(&site, 100).await;
    assert!(got.iter().all(|got| got.text() == "old" && got.served.is_stale()));
    assert_eq!(site.sends(), 2);
    assert!(got[1].why().ends_with("served in place of an error -> stored response"), "{}", got[1].why());
    // Who does not accept it asks for itself.
    let requests = [request(GET), with(GET, &[("cache-control", "min-fresh=1")])];
    let got = send_all(&site, requests).await;
    assert_eq!((got[0].text(), got[1].status.as_u16(), site.sends()), ("old", 503, 4));
}

#[tokio::test(start_paused = true)]
async fn something_stale_is_served_meanwhile_if_that_was_agreed_to() {
    // RFC 9111 §4.2.4.
    for (directives, stale, at_once) in
        [("max-age=60", 60, 9), ("max-age=60", 30, 0), ("max-age=60", 0, 0), ("max-age=60, must-revalidate", 60, 0)]
    {
        let server = Server::new()
            .on(GET, cached(directives).header("etag", "\"a\"").body("old"))
            .on(GET, slow("max-age=60").body("new"));
        let site = Site::private(server).on_tokio();
        let site = site.with(|layer| layer.collapse_stale(Duration::from_secs(stale)));
        site.get().await;
        site.later(100);
        let got = get_all(&site, 10).await;
        let stale = got.iter().filter(|got| got.served.is_stale() && got.text() == "old").count();
        assert_eq!((stale, site.sends()), (at_once, 2), "{directives}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_waited_long_enough_asks_the_origin() {
    let server = Server::new()
        .on(GET, cached("max-age=60").body("late").delay(Duration::from_secs(60)))
        .on(GET, cached("max-age=60").body("early"));
    let site = Site::private(server).on_tokio().with(|layer| layer.collapse_wait(Duration::from_secs(2)));
    let start = tokio::time::Instant::now();
    let (first, second) = tokio::join!(site.get(), async {
        settle().await;
        let got = site.get().await;
        (got, start.elapsed())
    });
    assert_eq!((first.text(), second.0.text(), second.1), ("late", "early", Duration::from_secs(2)));
    assert_eq!(second.0.why(), "nothing stored, origin asked -> answer being stored");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_for_one_only_makes_the_others_ask_and_the_next_ones_not_wait() {
    for reply in [
        slow("no-store"),
        slow("no-cache").header("etag", "\"a\"").body("text"),
        slow("max-age=0").header("etag", "\"a\""),
        slow("max-age=0").header("etag", "\"a\"").body("text"),
        slow("max-age=60").header("vary", "*"),
        slow("max-age=60").body(vec![0; 1000]),
    ] {
        let site = Site::private(Server::new().on(GET, reply)).on_tokio().with(|layer| layer.max_object(100));
        let start = tokio::time::Instant::now();
        get_all(&site, 10).await;
        // One, and then nine at once.
        assert_eq!((site.sends(), start.elapsed()), (10, Duration::from_secs(2)));
        // As it is known, they need not wait for the first one.
        let start = tokio::time::Instant::now();
        get_all(&site, 10).await;
        assert_eq!((site.sends(), start.elapsed()), (20, Duration::from_secs(1)));
        // After a while it is tried again.
        site.later(10);
        let start = tokio::time::Instant::now();
        get_all(&site, 10).await;
        assert!(start.elapsed() <= Duration::from_secs(2));
        assert!(is_idle(&site));
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_that_of_the_first_only() {
    let failing = || Reply::failing(|| std::io::Error::other("refused")).delay(Duration::from_secs(1));
    let server = Server::new().on(GET, failing()).on(GET, slow("max-age=60").body("text"));
    let site = Site::private(server).on_tokio();
    let got = join_all((0..3).map(|_| site.try_send(request(GET)))).await;
    assert!(got[0].as_ref().is_err_and(|error| error.is::<std::io::Error>()), "unwrapped");
    assert!(got[1..].iter().all(|got| got.as_ref().is_ok_and(|got| got.text() == "text")));
    assert_eq!(site.sends(), 3);
    assert!(is_idle(&site));
}

#[tokio::test(start_paused = true)]
async fn the_first_caller_may_go() {
    let site = Site::private(Server::new().on(GET, slow("max-age=60").body("text"))).on_tokio();
    let first = tokio::spawn({
        let site = site.clone();
        async move { site.get().await }
    });
    settle().await;
    let others = tokio::spawn({
        let site = site.clone();
        async move { get_all(&site, 10).await }
    });
    settle().await;
    first.abort();
    assert!(others.await.unwrap().iter().all(|got| got.text() == "text"));
    assert_eq!(site.sends(), 1);
    assert!(is_idle(&site));
}

#[tokio::test(start_paused = true)]
async fn what_all_have_given_up_is_stored_within_its_budget() {
    for (delay, stored) in [(10, 1), (40, 0)] {
        let reply = cached("max-age=60").body("text").delay(Duration::from_secs(delay));
        let site = Site::private(Server::new().on(GET, reply)).on_tokio();
        let gone = tokio::time::timeout(Duration::from_secs(1), get_all(&site, 10)).await;
        assert!(gone.is_err());
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!((site.layer.handle().usage().await.unwrap().entries, site.sends()), (stored, 1), "{delay}");
        assert!(is_idle(&site));
    }
}

#[tokio::test(start_paused = true)]
async fn who_comes_after_an_update_gets_nothing_from_before() {
    // RFC 9111 §4.4.
    let server = Server::new()
        .on(GET, slow("max-age=60").body("old"))
        .on(GET, slow("max-age=60").body("new"))
        .on("PUT http://a.example/", reply(204));
    let site = Site::private(server).on_tokio();
    let (before, after) = tokio::join!(get_all(&site, 3), async {
        settle().await;
        site.line("PUT http://a.example/").await;
        get_all(&site, 3).await
    });
    assert!(before.iter().all(|got| got.text() == "old"));
    assert!(after.iter().all(|got| got.text() == "new"));
    assert_eq!(site.sends(), 3);
    assert_eq!(site.get().await.text(), "new");
    assert!(is_idle(&site));
}

#[tokio::test(start_paused = true)]
async fn an_executor_that_drops_its_work_harms_nobody() {
    let site = Site::private(Server::new().on(GET, slow("max-age=60").body("text")));
    let site = site.with(|layer| layer.executor(Spawn::new(drop)));
    assert!(get_all(&site, 3).await.iter().all(|got| got.text() == "text"));
    assert!(is_idle(&site));
}

#[tokio::test(start_paused = true)]
async fn work_that_is_dropped_later_is_an_error_for_the_first_and_none_for_the_others() {
    let site = Site::private(Server::new().on(GET, slow("max-age=60").body("text")));
    let drops = Spawn::new(|task| {
        tokio::spawn(async move { drop(tokio::time::timeout(Duration::from_millis(500), task).await) });
    });
    let site = site.with(|layer| layer.executor(drops));
    let got = join_all((0..3).map(|_| site.try_send(request(GET)))).await;
    let error = got[0].as_ref().unwrap_err();
    assert!(matches!(error.downcast_ref(), Some(httplib2_cache::CollapseError::Dropped)), "{error}");
    assert!(got[1..].iter().all(|got| got.as_ref().is_ok_and(|got| got.text() == "text")));
    assert!(is_idle(&site));
}

#[tokio::test(start_paused = true)]
async fn who_waits_holds_no_permit() {
    let server = Server::new().on(GET, slow("max-age=60").body("text")).limited(1);
    let site = Site::private(server).on_tokio();
    assert_eq!(get_all(&site, 100).await.len(), 100);
    assert_eq!((site.sends(), site.server.permits_free()), (1, 1));
}

#[test]
fn callers_on_many_threads_share_one_request() {
    for size in [Size::Exact, Size::Unknown] {
        share_on_threads(size);
    }
}

fn share_on_threads(size: Size) {
    let background = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let handle = background.handle().clone();
    let body = Body::chunks((0..200).map(|number| vec![number; 1000])).pausing().announcing(size);
    let reply = cached("max-age=60").body(body).delay(Duration::from_millis(200));
    let site = Site::private(Server::new().on(GET, reply));
    let site =
        site.with(|layer| layer.executor(Spawn::new(move |task| drop(handle.spawn(task)))).collapse_buffer(8000));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let site = site.clone();
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                runtime.block_on(get_all(&site, 20))
            })
        })
        .collect();
    let background = std::thread::spawn(move || drop(background.block_on(stopped)));
    let expected: Vec<u8> = (0..200).flat_map(|number| vec![number; 1000]).collect();
    for thread in threads {
        assert!(thread.join().expect("answers").iter().all(|got| got.body == expected));
    }
    assert_eq!(site.sends(), 1);
    drop(stop);
    background.join().expect("an end");
    assert!(is_idle(&site));
}

#[tokio::test(start_paused = true)]
async fn a_user_who_is_not_named_gets_nothing_of_one_who_is() {
    // RFC 9111 §3.5: whose `Authorization` selects, or whose mark came back unexpected.
    let server = Server::answering(|_, number| slow("max-age=60").body(format!("{number}")));
    let site = Site::private(server).on_tokio();
    let got = send_all(&site, [with(GET, &[("authorization", "Basic a")]), request(GET)]).await;
    assert_eq!((got[0].text(), got[1].text()), ("0", "1"));
    let marked = |number| slow("max-age=60").body(format!("{number}")).extension(SignedAs(Identity::new("alice")));
    let site = Site::private(Server::answering(move |_, number| marked(number))).on_tokio();
    let start = tokio::time::Instant::now();
    let got = get_all(&site, 3).await;
    assert_eq!(got.iter().map(Got::text).collect::<HashSet<_>>().len(), 3);
    assert_eq!(start.elapsed(), Duration::from_secs(2), "nobody waited for a second one");
}

#[tokio::test(start_paused = true)]
async fn a_fetch_for_others_has_no_deadline_and_tells_the_journal_of_the_first() {
    let site = Site::private(Server::new().on(GET, slow("max-age=60").body("text"))).on_tokio();
    let journals = [Journal::default(), Journal::default()];
    let requests = journals.clone().map(|journal| {
        let mut request = request(GET);
        request.extensions_mut().insert(Remaining::within(Duration::from_secs(60)));
        request.extensions_mut().insert(journal);
        request
    });
    send_all(&site, requests).await;
    let received = site.server.requests();
    assert!(
        received[0].extensions().get::<Remaining>().is_none() && received[0].extensions().get::<Journal>().is_some()
    );
    let lines = journals.map(|journal| journal.lines().iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(lines[0], ["cache: nothing stored, origin asked -> answer being stored"]);
    assert_eq!(lines[1], ["cache: nothing stored, collapsed with a request under way -> its answer, being stored"]);
}

#[tokio::test(start_paused = true)]
async fn a_shared_cache_says_that_requests_were_collapsed() {
    // RFC 9211 §2.6.
    let store = Arc::new(MemoryStore::new());
    let site = Site::over(Server::new().on(GET, slow("max-age=60").body("text")), CacheLayer::shared(store)).on_tokio();
    let got = get_all(&site, 2).await;
    assert_eq!(got[0].headers["cache-status"], "httplib2; fwd=uri-miss; stored");
    assert_eq!(got[1].headers["cache-status"], "httplib2; fwd=uri-miss; collapsed; ttl=60");
}

#[tokio::test(start_paused = true)]
async fn when_the_first_caller_goes_before_the_head_the_others_still_share() {
    // More than may be read in the background.
    let server = Server::new().on(GET, slow("max-age=60").header("content-length", "4").body("text"));
    let site = Site::private(server).on_tokio().with(|layer| layer.background(2, Duration::from_secs(30)));
    let first = tokio::spawn(site.cache.clone().oneshot(request(GET)));
    settle().await;
    let all = site.clone();
    let others = tokio::spawn(async move { get_all(&all, 20).await });
    settle().await;
    first.abort();
    assert!(others.await.unwrap().iter().all(|got| got.text() == "text"));
    assert_eq!(site.sends(), 1);
    settle().await;
    assert!(is_idle(&site));
}

#[tokio::test(start_paused = true)]
async fn callers_that_go_leave_only_so_many_fetches() {
    struct Guard(Arc<AtomicUsize>);
    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
    let under_way = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&under_way);
    let inner = service_fn(move |_: Request<Body>| {
        count.fetch_add(1, Ordering::SeqCst);
        let guard = Guard(Arc::clone(&count));
        async move {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            drop(guard);
            Ok::<_, BoxError>(Response::new(Body::empty()))
        }
    });
    let cache = CacheLayer::shared(Arc::new(MemoryStore::new())).executor(executor()).layer(inner);
    for n in 0..200 {
        let call = tokio::spawn(cache.clone().oneshot(request(&format!("GET http://a.example/{n}"))));
        settle().await;
        call.abort();
    }
    settle().await;
    assert_eq!(under_way.load(Ordering::SeqCst), 64);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_was_wrong_does_not_keep_others_from_sharing() {
    let server = Server::answering(|received, _| {
        if received.headers().contains_key("x-bad") { reply(400) } else { slow("max-age=60").body("text") }
    });
    let site = Site::shared(server).on_tokio();
    assert_eq!(site.send(with(GET, &[("x-bad", "1")])).await.status, 400);
    get_all(&site, 100).await;
    assert_eq!(site.sends(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_a_part_is_stored_of_is_completed_once_for_all() {
    let server = Server::answering(|received, _| {
        let range = received.headers().get("range").map(|value| value.to_str().unwrap().to_owned());
        match range.as_deref() {
            Some("bytes=0-0") => part(0, 1),
            Some(_) => part(1, 10).delay(Duration::from_secs(1)),
            None => whole().delay(Duration::from_secs(1)),
        }
    });
    let site = Site::private(server).on_tokio();
    site.send(range("bytes=0-0")).await;
    let got = get_all(&site, 100).await;
    assert!(got.iter().all(|got| got.text() == TEXT && got.status == 200 && got.headers["content-length"] == "10"));
    assert_eq!(site.sends(), 2);
    assert_eq!(site.server.requests()[1].headers()["range"], "bytes=1-");
    settle().await;
    assert!(is_idle(&site) && site.get().await.is_from_cache());
}
