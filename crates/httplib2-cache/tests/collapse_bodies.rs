//! A body that several callers read while it is stored.

mod common;

use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http_body::Body as _;
use http_body_util::BodyExt;
use httplib2_cache::{CacheLayer, CollapseError};
use httplib2_core::{context::Spawn, error::is_caused_by};
use httplib2_store::MemoryStore;
use httplib2_testing::{Body, BodyLaws, Broken, Server, ServiceLaws, body_laws, request, service_laws};
use tokio::task::unconstrained;
use tower::ServiceExt;

use self::common::{
    GET, Site, cached, executor,
    piecemeal::{KIB, Piecemeal, kib, next, rest},
    settle,
    stores::{Call, Fault, Faulty},
};

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
