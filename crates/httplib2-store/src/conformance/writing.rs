//! Bodies on their way in and out.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body::Body;

use super::{
    Law, ROOM,
    sample::{data, generation, head, holds, is_empty, key, look_up, only, open, read, store},
};
use crate::{Store, StoreError, Writer};

/// A piece of a body that counts as long as it lives.
struct Counted {
    data: Bytes,
    alive: Arc<AtomicU64>,
}

const PIECE: usize = 64 * 1024;

pub(super) async fn trailers_are_kept(law: Law, kept: Arc<dyn Store>) {
    let sum = |value: &'static str| HeaderMap::from_iter([(http::header::ETAG, HeaderValue::from_static(value))]);
    for (name, length, trailers) in
        [("with", 1_000, Some(sum("\"1\""))), ("empty", 0, Some(sum("\"2\""))), ("without", 1_000, None)]
    {
        let (key, body) = (key(name), data(1, length));
        let writer = kept.write(key.clone(), head(name), None, generation(law, &kept, &key).await);
        let mut writer = law.expect(writer, "beginning to store");
        put(law, &mut *writer, body.clone()).await;
        law.expect(writer.commit(trailers.clone()).await, "a commit");
        let found = look_up(law, &kept, &key).await;
        // After an update, too.
        let id = only(law, &kept, &key).await.id();
        let before = holds(law, &kept, &key, &only(law, &kept, &key).await, &body).await.trailers;
        law.expect(kept.update(&key, id, head("new"), found.generation).await, "an update");
        let after = holds(law, &kept, &key, &only(law, &kept, &key).await, &body).await.trailers;
        for read in [before, after] {
            law.holds(read == trailers, || format!("the trailers {trailers:?} came as {read:?}"));
        }
    }
}

pub(super) async fn ranges_are_parts(law: Law, kept: Arc<dyn Store>) {
    let (key, body) = (key("ranges"), data(1, 200_000));
    let entry = store(law, &kept, &key, head("ranges"), &body).await;
    for range in [0..200_000, 0..1, 199_999..200_000, 70_000..140_001, 5..5, 200_000..200_000] {
        let part = law.expect(kept.open_range(&key, &entry, range.clone()).await, "opening a range");
        let read = read(law, part).await;
        let expected = body.slice(range.start as usize..range.end as usize);
        law.holds(read.data == expected, || {
            format!("of the range {range:?} {} bytes came, or others", read.data.len())
        });
    }
    for beyond in [199_999..200_001, 200_001..200_002] {
        let Ok(mut part) = kept.open_range(&key, &entry, beyond.clone()).await else { continue };
        let mut last = None;
        while let Some(frame) = poll_fn(|cx| Pin::new(&mut part).poll_frame(cx)).await {
            last = Some(frame);
        }
        law.holds(matches!(last, Some(Err(_))), || format!("the range {beyond:?} of 200,000 bytes was read"));
    }
}

pub(super) async fn parts_are_kept(law: Law, kept: Arc<dyn Store>) {
    let (key, body) = (key("part"), data(1, 100_000));
    for (announced, taken_in) in [(Some(200_000), 100_000), (None, 70_000), (Some(200_000), 0)] {
        let writer = kept.write(key.clone(), head("whole"), announced, generation(law, &kept, &key).await);
        let mut writer = law.expect(writer, "beginning to store");
        let taken_in = body.slice(..taken_in);
        if !taken_in.is_empty() {
            put(law, &mut *writer, taken_in.clone()).await;
        }
        match writer.commit_part(head("part")).await {
            Ok(_) => {
                let entry = only(law, &kept, &key).await;
                law.holds(super::sample::is_same(entry.head(), &head("part")), || "it has another head".to_owned());
                holds(law, &kept, &key, &entry, &taken_in).await;
            }
            Err(StoreError::Unsupported) => {
                law.holds(is_empty(law, &kept, &key).await, || "it was refused and is there".to_owned());
            }
            Err(error) => law.broken(format_args!("it fails with {error:?}")),
        }
    }
}

pub(super) async fn open_bodies_are_not_disturbed(law: Law, kept: Arc<dyn Store>) {
    for (number, disturbance) in
        ["replacement", "update", "removal", "invalidation", "clearing"].into_iter().enumerate()
    {
        let key = key(disturbance);
        let body = data(number as u64, 200_000);
        store(law, &kept, &key, head("old"), &body).await;
        let entry = only(law, &kept, &key).await;
        let untouched = open(law, &kept, &key, &entry).await;
        let mut begun = open(law, &kept, &key, &entry).await;
        let mut start = Vec::new();
        if let Some(frame) = poll_fn(|cx| Pin::new(&mut begun).poll_frame(cx)).await
            && let Ok(data) = law.expect(frame, "reading a body").into_data()
        {
            start.extend_from_slice(&data);
        }
        match disturbance {
            "replacement" => drop(store(law, &kept, &key, head("new"), &data(50, 200_000)).await),
            "update" => {
                let generation = generation(law, &kept, &key).await;
                drop(law.expect(kept.update(&key, entry.id(), head("new"), generation).await, "an update"));
            }
            "removal" => law.expect(kept.remove(&key, entry.id()).await, "removing"),
            "invalidation" => law.expect(kept.invalidate(&key).await, "invalidating"),
            _ => law.expect(kept.clear().await, "clearing"),
        }
        start.extend(read(law, begun).await.data);
        for (what, read) in [("begun", start), ("open", read(law, untouched).await.data)] {
            law.holds(read == body, || {
                format!("of a body that was {what} before the {disturbance}, {} bytes came, or others", read.len())
            });
        }
        match kept.open(&key, &entry).await {
            Err(StoreError::Gone) => {}
            opened => {
                let read = read(law, law.expect(opened, "opening an entry of before")).await;
                law.holds(read.data == body, || format!("after the {disturbance} an entry of before has another body"));
            }
        }
    }
}

pub(super) async fn writers_do_not_meet(law: Law, kept: Arc<dyn Store>) {
    let key = key("raced");
    for last in [0, 1, 2] {
        let generation = generation(law, &kept, &key).await;
        let mut writers = Vec::new();
        for number in 0..4 {
            let writer = kept.write(key.clone(), head(&number.to_string()), None, generation);
            writers.push(Some(law.expect(writer, "beginning to store")));
        }
        let bodies: Vec<_> = (0..4).map(|number| data(number, 30_000)).collect();
        for at in (0..30_000).step_by(5_000) {
            for (writer, body) in writers.iter_mut().flatten().zip(&bodies) {
                put(law, &mut **writer, body.slice(at..at + 5_000)).await;
            }
        }
        // The fourth is given up between the commits of the others.
        for number in [(last + 1) % 3, 3, (last + 2) % 3, last] {
            let Some(writer) = writers[number].take() else { continue };
            if number < 3 {
                law.expect(writer.commit(None).await, "a commit");
                holds(law, &kept, &key, &only(law, &kept, &key).await, &bodies[number]).await;
            }
        }
        let entry = only(law, &kept, &key).await;
        law.holds(super::sample::is_same(entry.head(), &head(&last.to_string())), || {
            "the response that was committed last is not the one that remains".to_owned()
        });
    }
}

pub(super) async fn memory_is_bounded(law: Law, kept: Arc<dyn Store>) {
    let key = key("stream");
    let alive = Arc::new(AtomicU64::new(0));
    let writer = kept.write(key.clone(), head("stream"), None, generation(law, &kept, &key).await);
    let mut writer = law.expect(writer, "beginning to store");
    let mut failed = None;
    for number in 0..16 * ROOM / PIECE as u64 {
        let written = match poll_fn(|cx| writer.poll_ready(cx)).await {
            Ok(()) => writer.write(Counted::bytes(data(number, PIECE), &alive)),
            Err(error) => Err(error),
        };
        let held = alive.load(Ordering::SeqCst);
        law.holds(held <= ROOM, || format!("{held} bytes of what was written are still held in memory"));
        if let Err(error) = written {
            failed = Some(error);
            break;
        }
    }
    let refused = match (failed, writer.commit(None).await) {
        (Some(_), Ok(_)) => law.broken("a body was committed although a write had failed"),
        (Some(error), Err(_)) | (None, Err(error)) => error,
        (None, Ok(entry)) => law.broken(format_args!("{} bytes were stored in {ROOM}", entry.length())),
    };
    law.holds(matches!(refused, StoreError::TooLarge { .. } | StoreError::Full { .. }), || {
        format!("the reason was {refused:?}")
    });
    law.holds(is_empty(law, &kept, &key).await, || "what was refused was found".to_owned());
    store(law, &kept, &key, head("small"), &data(1, 100)).await;
}

async fn put(law: Law, writer: &mut dyn Writer, data: Bytes) {
    law.expect(poll_fn(|cx| writer.poll_ready(cx)).await, "getting ready");
    law.expect(writer.write(data), "writing a piece");
}

// === impl Counted ===

impl Counted {
    fn bytes(data: Bytes, alive: &Arc<AtomicU64>) -> Bytes {
        alive.fetch_add(data.len() as u64, Ordering::SeqCst);
        Bytes::from_owner(Self { data, alive: Arc::clone(alive) })
    }
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.data
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.alive.fetch_sub(self.data.len() as u64, Ordering::SeqCst);
    }
}
