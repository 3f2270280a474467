//! How much of a body that several read is held, and how long who is slow is waited for.

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
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use httplib2_cache::{CacheLayer, CollapseError};
use httplib2_store::MemoryStore;
use httplib2_testing::{Body, request};
use tower::{Layer, ServiceExt, service_fn};

use self::common::{
    GET, executor,
    piecemeal::{KIB, Piecemeal, kib, next, rest},
    settle,
    stores::{Call, Fault, Faulty},
};

/// A piece of a body that counts, when it is let go, how many bytes of its kind are alive; one for an empty piece.
struct Piece(Vec<u8>, Arc<AtomicUsize>);

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.1.fetch_sub(self.0.len().max(1), Ordering::SeqCst);
    }
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

#[tokio::test(start_paused = true)]
async fn frames_with_little_or_nothing_in_them_are_not_held_without_end() {
    let alive = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&alive);
    let origin = service_fn(move |_: Request<Body>| {
        let count = Arc::clone(&count);
        // A byte between very many that have none.
        let frames = (1..).map(move |number| {
            let nothing = Piece(Vec::new(), Arc::clone(&count));
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
