//! A body that several callers read while it is stored.

mod common;

use std::{
    convert::Infallible,
    future::ready,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response};
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt, StreamBody};
use httplib2_cache::{CacheLayer, CollapseError};
use httplib2_core::{context::Spawn, error::is_caused_by};
use httplib2_store::MemoryStore;
use httplib2_testing::{Body, BodyLaws, Broken, Server, ServiceLaws, body_laws, request, service_laws};
use tokio::task::unconstrained;
use tower::{Layer, ServiceExt, service_fn};

use self::common::{
    GET, Site, cached, executor,
    piecemeal::{KIB, Piecemeal, kib, next, rest},
    settle,
    stores::{Call, Fault, Faulty},
};

/// A piece of a body that counts how many of its kind are alive.
struct Piece(Vec<u8>, Arc<AtomicUsize>);

#[tokio::test(start_paused = true)]
async fn each_frame_comes_to_all_at_once() {
    let site = Piecemeal::new(None);
    let [mut one, mut two, mut three] = site.bodies().await;
    for text in ["a", "b", "c"] {
        site.send(text).await;
        for body in [&mut three, &mut one, &mut two] {
            assert_eq!(next(body).unwrap(), text);
            assert!(next(body).is_none());
        }
    }
    // Somebody may come while it arrives.
    let late = site.cache.clone().oneshot(request(GET)).await.unwrap();
    site.trailers("x-sum", "3").await;
    for body in [one, two, three] {
        assert_eq!(body.collect().await.unwrap().trailers().unwrap()["x-sum"], "3");
    }
    let late = late.into_body().collect().await.unwrap();
    assert_eq!((late.trailers().unwrap()["x-sum"].clone(), late.to_bytes()), ("3".parse().unwrap(), "abc".into()));
    assert_eq!((site.sends(), site.entries().await), (1, 1));
    assert!(site.is_idle());
}

#[tokio::test(start_paused = true)]
async fn data_are_shared_and_not_copied() {
    let site = Piecemeal::new(None);
    let [mut one, mut two] = site.bodies().await;
    let data = Bytes::from(kib(1));
    site.send(data.clone()).await;
    assert_eq!(next(&mut one).unwrap().as_ptr(), data.as_ptr());
    assert_eq!(next(&mut two).unwrap().as_ptr(), data.as_ptr());
}

#[tokio::test(start_paused = true)]
async fn one_who_does_not_read_holds_nobody_up() {
    // The first caller's body is never polled; nor is that of another one.
    let site = Piecemeal::on(Some(100 * KIB), MemoryStore::new(), |layer| layer.collapse_buffer(10 * KIB as u64));
    let [first, other, third] = site.bodies().await;
    let reading = tokio::spawn(rest(third));
    for number in 0..100 {
        site.send(kib(number)).await;
    }
    site.end();
    let whole: Vec<u8> = (0..100).flat_map(kib).collect();
    assert_eq!(reading.await.unwrap().unwrap(), whole);
    // What it has missed it reads from the store.
    assert_eq!(rest(first).await.unwrap(), whole);
    assert_eq!(rest(other).await.unwrap(), whole);
    assert_eq!(site.sends(), 1);
    assert!(site.is_idle());
}

#[tokio::test(start_paused = true)]
async fn one_who_fell_behind_in_the_middle_reads_on_where_it_was() {
    let site = Piecemeal::on(Some(100 * KIB), MemoryStore::new(), |layer| layer.collapse_buffer(10 * KIB as u64));
    let [mut first, second] = site.bodies().await;
    site.send(kib(0)).await;
    assert_eq!(next(&mut first).unwrap(), kib(0));
    let reading = tokio::spawn(rest(second));
    for number in 1..50 {
        site.send(kib(number)).await;
    }
    settle().await;
    // Behind what is held it waits, and says truly how much is to come.
    assert!(next(&mut first).is_none() && !first.is_end_stream());
    assert_eq!(first.size_hint().exact(), None);
    assert!(first.size_hint().lower() <= 99 * KIB as u64);
    for number in 50..100 {
        site.send(kib(number)).await;
    }
    site.end();
    reading.await.unwrap().unwrap();
    assert_eq!(rest(first).await.unwrap(), (1..100).flat_map(kib).collect::<Vec<u8>>());
}

#[tokio::test(start_paused = true)]
async fn one_who_fell_behind_alone_reads_the_rest_into_the_store() {
    let site = Piecemeal::on(Some(30 * KIB), MemoryStore::new(), |layer| layer.collapse_buffer(10 * KIB as u64));
    let [first, mut second] = site.bodies().await;
    for number in 0..20 {
        site.send(kib(number)).await;
        next(&mut second).unwrap();
    }
    drop(second);
    let reading = tokio::spawn(rest(first));
    for number in 20..30 {
        site.send(kib(number)).await;
    }
    site.end();
    assert_eq!(reading.await.unwrap().unwrap(), (0..30).flat_map(kib).collect::<Vec<u8>>());
}

#[tokio::test(start_paused = true)]
async fn a_body_of_unknown_length_waits_for_its_first_caller_and_for_nobody_else() {
    let site = Piecemeal::on(None, MemoryStore::new(), |layer| layer.collapse_buffer(10 * KIB as u64));
    let [mut first, mut second, mut third] = site.bodies().await;
    for number in 0..10 {
        site.send(kib(number)).await;
        assert_eq!(next(&mut second).unwrap(), kib(number));
    }
    site.send(kib(10)).await;
    assert!(next(&mut second).is_none(), "the first caller has not read any");
    let waiting = tokio::spawn(async move { (second.frame().await.unwrap().unwrap().into_data().unwrap(), second) });
    settle().await;
    assert!(!waiting.is_finished());
    assert_eq!(next(&mut first).unwrap(), kib(0));
    let (data, second) = waiting.await.unwrap();
    assert_eq!(data, kib(10));
    // The third one is passed by.
    for number in 1..11 {
        assert_eq!(next(&mut first).unwrap(), kib(number));
    }
    for number in 11..30 {
        site.send(kib(number)).await;
        assert_eq!(next(&mut first).unwrap(), kib(number));
    }
    assert!(next(&mut third).is_none());
    // And when the first one has gone nobody has to wait any more.
    drop(first);
    let reading = tokio::spawn(rest(second));
    for number in 30..50 {
        site.send(kib(number)).await;
    }
    site.end();
    // The second one was passed by at last, as it did not read either.
    assert_eq!(reading.await.unwrap().unwrap(), (11..50).flat_map(kib).collect::<Vec<u8>>());
    assert_eq!(rest(third).await.unwrap(), (0..50).flat_map(kib).collect::<Vec<u8>>());
    assert!(site.is_idle());
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_the_store_or_for_one_who_leaves_is_woken() {
    // One who fell behind waits until the store makes the body visible, which takes its time.
    let buffer = |layer: CacheLayer| layer.collapse_buffer(10 * KIB as u64);
    let site = Piecemeal::on(Some(30 * KIB), Faulty::new(Call::Commit, Fault::Hesitates), buffer);
    let [mut first, second] = site.bodies().await;
    for number in 0..30 {
        site.send(kib(number)).await;
        next(&mut first).unwrap();
        if number == 20 {
            settle().await;
        }
    }
    let reading = tokio::spawn(rest(second));
    site.end();
    let whole = tokio::time::timeout(Duration::from_secs(1), reading).await.expect("it is woken").unwrap().unwrap();
    assert_eq!(whole.len(), 30 * KIB);
    // One who is ahead of the first caller waits until that one reads on or leaves.
    let site = Piecemeal::on(None, MemoryStore::new(), buffer);
    let [first, mut second] = site.bodies().await;
    for number in 0..10 {
        site.send(kib(number)).await;
        next(&mut second).unwrap();
    }
    site.send(kib(10)).await;
    let reading = tokio::spawn(rest(second));
    settle().await;
    drop(first);
    site.end();
    let rest = tokio::time::timeout(Duration::from_secs(1), reading).await.expect("it is woken").unwrap().unwrap();
    assert_eq!(rest, kib(10));
}

#[tokio::test(start_paused = true)]
async fn what_is_held_is_bounded() {
    let alive = Arc::new(AtomicUsize::new(0));
    let count = || alive.load(Ordering::SeqCst);
    let piece = || {
        alive.fetch_add(KIB, Ordering::SeqCst);
        Bytes::from_owner(Piece(kib(7), Arc::clone(&alive)))
    };
    let site = Piecemeal::on(Some(100 * KIB), MemoryStore::new(), |layer| layer.collapse_buffer(10 * KIB as u64));
    let [first, mut second, third] = site.bodies().await;
    let mut most = 0;
    for _ in 0..100 {
        site.send(piece()).await;
        drop(next(&mut second).unwrap());
        most = most.max(count());
    }
    assert!((9 * KIB..=11 * KIB).contains(&most), "{most}");
    assert!(next(&mut second).is_none() || count() <= 11 * KIB);
    drop((first, second, third));
    site.end();
    settle().await;
    assert_eq!(count(), 0);
    assert!(site.is_idle());
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.1.fetch_sub(self.0.len(), Ordering::SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_off_is_an_error_to_all() {
    let site = Piecemeal::new(None);
    let [mut one, mut two, three] = site.bodies().await;
    site.send("part").await;
    assert_eq!((next(&mut one).unwrap(), next(&mut two).unwrap()), ("part".into(), "part".into()));
    site.break_off();
    for body in [one, two, three] {
        let error = rest(body).await.unwrap_err();
        assert!(is_caused_by::<Broken>(&*error), "{error:?}");
    }
    assert_eq!((site.entries().await, site.sends()), (0, 1));
    assert!(site.is_idle());
}

#[tokio::test(start_paused = true)]
async fn one_who_reads_alone_gets_the_error_as_it_is() {
    let site = Piecemeal::new(None);
    let [one] = site.bodies().await;
    site.send("part").await;
    site.break_off();
    assert!(rest(one).await.unwrap_err().is::<Broken>());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_gives_up_midway_harms_only_those_who_fell_behind() {
    let faulty = Faulty::new(Call::Write, Fault::Fails);
    faulty.set_mended(true);
    let site = Piecemeal::on(Some(30 * KIB), faulty.clone(), |layer| layer.collapse_buffer(10 * KIB as u64));
    let [mut first, mut second, mut third] = site.bodies().await;
    for number in 0..15 {
        site.send(kib(number)).await;
        assert_eq!((next(&mut first).unwrap(), next(&mut second).unwrap()), (kib(number).into(), kib(number).into()));
    }
    faulty.set_mended(false);
    site.send(kib(15)).await;
    assert_eq!((next(&mut first).unwrap(), next(&mut second).unwrap()), (kib(15).into(), kib(15).into()));
    let error = third.frame().await.unwrap().unwrap_err();
    assert!(matches!(error.downcast_ref(), Some(CollapseError::Behind)), "{error}");
    assert!(third.frame().await.is_none());
    // Nobody joins what is not stored: this one has an answer of its own.
    let other = site.cache.clone().oneshot(request(GET)).await.unwrap();
    // Nor does anybody wait for that one, which would come to the same end.
    assert!(!site.is_under_way());
    assert_eq!(site.sends(), 2);
    drop(other);
}

#[tokio::test(start_paused = true)]
async fn after_the_store_gave_up_those_who_are_slow_are_waited_for_but_not_for_long() {
    let faulty = Faulty::new(Call::Write, Fault::Fails);
    let site = Piecemeal::on(Some(60 * KIB), faulty, |layer| layer.collapse_buffer(10 * KIB as u64));
    let [first, second, mut third] = site.bodies().await;
    let start = tokio::time::Instant::now();
    let reading = [first, second].map(|body| tokio::spawn(rest(body)));
    for number in 0..60 {
        site.send(kib(number)).await;
    }
    site.end();
    settle().await;
    // However fast two of them are, the third one loses nothing while it reads,
    for number in 0..20 {
        assert_eq!(next(&mut third).unwrap(), kib(number));
        settle().await;
    }
    assert!(reading.iter().all(|reading| !reading.is_finished()));
    // but it cannot hold them up for ever.
    for reading in reading {
        assert_eq!(reading.await.unwrap().unwrap(), (0..60).flat_map(kib).collect::<Vec<u8>>());
    }
    assert_eq!(start.elapsed(), Duration::from_secs(5));
    let error = rest(third).await.unwrap_err();
    assert!(matches!(error.downcast_ref(), Some(CollapseError::Behind)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_all_give_up_is_finished_or_dropped() {
    // Within the budget in bytes and time it is stored; who comes meanwhile reads it along.
    let site = Piecemeal::new(Some(3 * KIB));
    let [first, second] = site.bodies().await;
    site.send(kib(0)).await;
    drop((first, second));
    settle().await;
    site.send(kib(1)).await;
    settle().await;
    let late = site.cache.clone().oneshot(request(GET)).await.unwrap();
    site.send(kib(2)).await;
    site.end();
    assert_eq!(rest(late.into_body()).await.unwrap(), (0..3).flat_map(kib).collect::<Vec<u8>>());
    assert_eq!((site.entries().await, site.sends()), (1, 1));
    // Beyond it, it is dropped.
    for (length, bytes, seconds) in [(Some(30 * KIB), 1000, 5), (None, 1000, 5), (None, 1000 * KIB as u64, 40)] {
        let budget = Duration::from_secs(30);
        let site = Piecemeal::on(length, MemoryStore::new(), |layer| layer.background(bytes, budget));
        let [first, second] = site.bodies().await;
        drop((first, second));
        settle().await;
        site.send(kib(0)).await;
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        settle().await;
        assert!(!site.is_wanted().await, "{length:?}, {bytes}, {seconds}");
        assert!(site.is_idle());
        assert_eq!(site.entries().await, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_caller_may_go_in_the_middle_of_the_body() {
    let site = Piecemeal::new(None);
    let [mut first, second] = site.bodies().await;
    site.send("one").await;
    assert_eq!(next(&mut first).unwrap(), "one");
    drop(first);
    let reading = tokio::spawn(rest(second));
    site.send("two").await;
    site.end();
    assert_eq!(reading.await.unwrap().unwrap(), b"onetwo");
    assert_eq!((site.entries().await, site.sends()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn who_comes_when_too_much_has_gone_by_waits_for_the_store() {
    let site = Piecemeal::on(Some(30 * KIB), MemoryStore::new(), |layer| layer.collapse_buffer(10 * KIB as u64));
    let [mut first] = site.bodies().await;
    for number in 0..20 {
        site.send(kib(number)).await;
        next(&mut first).unwrap();
    }
    let late = tokio::spawn(site.cache.clone().oneshot(request(GET)));
    let reading = tokio::spawn(rest(first));
    settle().await;
    assert!(!late.is_finished());
    for number in 20..30 {
        site.send(kib(number)).await;
    }
    site.end();
    reading.await.unwrap().unwrap();
    let late = late.await.unwrap().unwrap();
    assert!(late.extensions().get::<httplib2_cache::Served>().unwrap().is_from_cache());
    assert_eq!(rest(late.into_body()).await.unwrap().len(), 30 * KIB);
    assert_eq!(site.sends(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_comes_while_the_store_makes_it_visible_has_it_too() {
    // A store on disk takes its time.
    for (fault, entries) in [(Fault::Hesitates, 1), (Fault::Hangs, 0)] {
        let site = Piecemeal::on(None, Faulty::new(Call::Commit, fault), |layer| layer);
        let [first] = site.bodies().await;
        let reading = tokio::spawn(rest(first));
        site.send("text").await;
        site.end();
        assert_eq!(reading.await.unwrap().unwrap(), b"text");
        if fault == Fault::Hangs {
            assert!(site.is_under_way());
            let late = site.cache.clone().oneshot(request(GET)).await.unwrap();
            assert_eq!(rest(late.into_body()).await.unwrap(), b"text");
        }
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!((site.entries().await, site.sends()), (entries, 1));
        assert!(site.is_idle());
    }
}

#[tokio::test(start_paused = true)]
async fn many_bodies_together_hold_no_more_than_sixteen() {
    let alive = Arc::new(AtomicUsize::new(0));
    let server = service_fn({
        let alive = Arc::clone(&alive);
        move |_: Request<Body>| {
            let alive = Arc::clone(&alive);
            let frames = (0..8).map(move |_| {
                alive.fetch_add(KIB, Ordering::SeqCst);
                Ok::<_, Infallible>(Frame::data(Bytes::from_owner(Piece(kib(7), Arc::clone(&alive)))))
            });
            let body = StreamBody::new(futures_util::stream::iter(frames));
            ready(Ok::<_, Infallible>(Response::builder().header("cache-control", "max-age=60").body(body).unwrap()))
        }
    });
    let layer = CacheLayer::private(Arc::new(MemoryStore::new())).executor(executor()).collapse_buffer(10 * KIB as u64);
    let cache = layer.layer(server);
    let mut bodies = Vec::new();
    for number in 0..100 {
        let request = request(&format!("GET http://a.example/{number}"));
        let mut body = cache.clone().oneshot(request).await.unwrap().into_body();
        for _ in 0..7 {
            body.frame().await.unwrap().unwrap();
        }
        bodies.push(body);
    }
    // Each has one frame at least.
    let held = alive.load(Ordering::SeqCst);
    assert!((160 * KIB..=(160 + 100) * KIB).contains(&held), "{held}");
    drop(bodies);
    settle().await;
    assert_eq!(alive.load(Ordering::SeqCst), 0);
}

/// Runs what it can at once, and drops the rest.
fn at_once() -> Spawn {
    Spawn::new(|task| {
        task.now_or_never();
    })
}

#[test]
fn bodies_that_may_be_shared_keep_the_laws() {
    for make in [Site::private, Site::shared] {
        let wrapped = |body: Body| {
            let mut body = Some(body);
            let server = Server::answering(move |_, _| cached("max-age=60").body(body.take().expect("one request")));
            let site = make(server).with(|layer| layer.executor(at_once()));
            let response = unconstrained(site.cache.oneshot(request(GET))).now_or_never();
            response.expect("nothing to wait for").expect("an answer").into_body()
        };
        body_laws(wrapped, BodyLaws::new());
    }
}

#[test]
fn bodies_that_are_read_along_keep_the_laws() {
    // The first caller's body lives on unread, and the other one is held to the laws.
    let wrapped = |body: Body| {
        let mut body = Some(body);
        let server = Server::answering(move |_, _| cached("max-age=60").body(body.take().expect("one request")));
        let site = Site::private(server).with(|layer| layer.executor(at_once()));
        let first = unconstrained(site.cache.clone().oneshot(request(GET))).now_or_never().unwrap().unwrap();
        let second = unconstrained(site.cache.oneshot(request(GET))).now_or_never().unwrap().unwrap();
        drop(first);
        second.into_body()
    };
    body_laws(wrapped, BodyLaws::new());
}

#[test]
fn a_cache_with_an_executor_keeps_the_laws_of_services() {
    for spawn in [executor, || Spawn::new(drop)] {
        let site = |server| Site::private(server).with(|layer| layer.executor(spawn())).cache;
        service_laws(site, ServiceLaws::new().always_ready());
    }
}

#[tokio::test(start_paused = true)]
async fn one_who_does_not_read_stops_nobody_for_long() {
    for (length, store) in
        [(None, None), (Some(30 * KIB), Some(Faulty::new(Call::Write, Fault::Fails)))] as [(_, Option<Faulty>); 2]
    {
        let small = |layer: CacheLayer| layer.collapse_buffer(10 * KIB as u64);
        let is_stored = store.is_none();
        let site = match store {
            None => Piecemeal::on(length, MemoryStore::new(), small),
            Some(store) => Piecemeal::on(length, store, small),
        };
        let [first, second] = site.bodies().await;
        let reading = tokio::spawn(rest(second));
        for n in 0..30 {
            site.send(kib(n)).await;
        }
        site.end();
        let second = tokio::time::timeout(Duration::from_secs(6), reading).await;
        assert_eq!(second.expect("in time").unwrap().unwrap().len(), 30 * KIB);
        // It reads on from the store, where that has it.
        assert_eq!(rest(first).await.is_ok(), is_stored, "{length:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_waited_a_minute_ago_has_patience_again() {
    let store = Faulty::new(Call::Write, Fault::Fails);
    let site = Piecemeal::on(Some(200 * KIB), store, |layer| layer.collapse_buffer(10 * KIB as u64));
    let [first, second, mut third] = site.bodies().await;
    drop(first);
    tokio::spawn(rest(second));
    // The second one waits a moment for the third one, which then reads all there is.
    for n in 0..12 {
        site.send(kib(n)).await;
        settle().await;
    }
    for n in 0..12 {
        assert_eq!(next(&mut third).unwrap(), kib(n));
        settle().await;
    }
    // A minute later comes a burst, and the third one is there within a millisecond.
    tokio::time::sleep(Duration::from_secs(60)).await;
    for n in 12..40 {
        site.send(kib(n)).await;
    }
    settle().await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    for n in 12..40 {
        assert!(third.frame().await.unwrap().is_ok(), "{n}");
        settle().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_of_other_uris_breaks_nobodys_download() {
    let site = Piecemeal::on(Some(30 * KIB), MemoryStore::new(), |layer| layer.collapse_buffer(10 * KIB as u64));
    let [first, second] = site.bodies().await;
    let reading = tokio::spawn(rest(second));
    for number in 0..29 {
        site.send(kib(number)).await;
    }
    settle().await;
    let handle = site.layer.handle();
    for number in 0..10_000 {
        handle.invalidate(&format!("http://b.example/{number}").parse().unwrap()).await.unwrap();
    }
    site.send(kib(29)).await;
    site.end();
    assert_eq!(reading.await.unwrap().unwrap().len(), 30 * KIB);
    assert_eq!(rest(first).await.unwrap().len(), 30 * KIB);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_room_goes_on_when_other_bodies_go() {
    let site = Piecemeal::on(None, MemoryStore::new(), |layer| layer.collapse_buffer(10 * KIB as u64));
    let mut others = Vec::new();
    for number in 0..18 {
        let request = request(&format!("GET http://a.example/{number}"));
        let mut body = site.cache.clone().oneshot(request).await.unwrap().into_body();
        for n in 0..10 {
            site.send(kib(n)).await;
            next(&mut body).unwrap();
        }
        others.push(body);
    }
    // The first one has read nothing of it, and all that may be held is.
    let [_first, mut second] = site.bodies().await;
    site.send(kib(0)).await;
    next(&mut second).unwrap();
    site.send(kib(1)).await;
    let waiting = tokio::spawn(async move { second.frame().await.unwrap().is_ok() });
    settle().await;
    assert!(!waiting.is_finished());
    let begun = tokio::time::Instant::now();
    drop(others);
    assert!(waiting.await.unwrap());
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

/// Nothing, that notes when it is let go.
struct Nothing(Arc<AtomicUsize>);

impl AsRef<[u8]> for Nothing {
    fn as_ref(&self) -> &[u8] {
        b""
    }
}

impl Drop for Nothing {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn frames_with_little_or_nothing_in_them_are_not_held_without_end() {
    let alive = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&alive);
    let origin = service_fn(move |_: Request<Body>| {
        let count = Arc::clone(&count);
        // A byte between very many that have none.
        let frames = (1..).map(move |number| {
            let nothing = Nothing(Arc::clone(&count));
            count.fetch_add(1, Ordering::SeqCst);
            let data = if number % 100 == 0 { Bytes::from_static(b"x") } else { Bytes::from_owner(nothing) };
            Ok::<_, Infallible>(Frame::data(data))
        });
        let body = StreamBody::new(futures_util::stream::iter(frames));
        ready(Ok::<_, Infallible>(Response::builder().header("cache-control", "max-age=60").body(body).unwrap()))
    });
    let layer = CacheLayer::private(Arc::new(MemoryStore::new())).executor(executor()).collapse_buffer(10 * KIB as u64);
    let mut body = layer.layer(origin).oneshot(request(GET)).await.unwrap().into_body();
    for _ in 0..1000 {
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "x");
    }
    assert!(alive.load(Ordering::SeqCst) < 10);
}
