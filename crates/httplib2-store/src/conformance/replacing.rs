//! Replacing, removing, invalidating, updating.

use std::{future::poll_fn, sync::Arc, time::Duration};

use super::{
    Law,
    sample::{data, generation, head, holds, is_empty, is_same, key, look_up, moment, only, store, try_store, variant},
};
use crate::{EntryId, Head, Store, StoreError};

pub(super) async fn later_replaces_earlier(law: Law, kept: Arc<dyn Store>) {
    let key = key("page");
    for (number, length) in [(1, 1_000), (2, 3_000), (3, 10), (4, 0)] {
        let (name, body) = (number.to_string(), data(number, length));
        store(law, &kept, &key, head(&name), &body).await;
        let entry = only(law, &kept, &key).await;
        law.holds(is_same(entry.head(), &head(&name)), || "the head is that of an earlier one".to_owned());
        holds(law, &kept, &key, &entry, &body).await;
    }
}

pub(super) async fn older_is_refused(law: Law, kept: Arc<dyn Store>) {
    let key = key("raced");
    let asked_for = |mut head: Head, seconds| {
        head.requested_at = moment() - Duration::from_secs(seconds);
        head
    };
    store(law, &kept, &key, asked_for(head("new"), 5), &data(1, 100)).await;
    superseded(law, try_store(law, &kept, &key, asked_for(head("old"), 6), &data(2, 100)).await, "an older response");
    let entry = only(law, &kept, &key).await;
    law.holds(is_same(entry.head(), &head("new")), || "the head is that of the older response".to_owned());
    holds(law, &kept, &key, &entry, &data(1, 100)).await;
    store(law, &kept, &key, asked_for(head("equal"), 5), &data(3, 100)).await;
    holds(law, &kept, &key, &only(law, &kept, &key).await, &data(3, 100)).await;
    store(law, &kept, &key, asked_for(variant("other", "de"), 7), &data(4, 100)).await;
}

pub(super) async fn removed_is_gone(law: Law, kept: Arc<dyn Store>) {
    let (removed, invalidated, other) = (key("removed"), key("invalidated"), key("other"));
    for key in [&removed, &invalidated, &other] {
        store(law, &kept, key, head("1"), &data(1, 100)).await;
    }
    let entry = only(law, &kept, &removed).await;
    for _ in 0..2 {
        law.expect(kept.remove(&removed, entry.id()).await, "removing, also what is not there,");
        law.expect(kept.invalidate(&invalidated).await, "invalidating, also what is not there,");
        for (key, what) in [(&removed, "removed"), (&invalidated, "invalidated")] {
            law.holds(is_empty(law, &kept, key).await, || format!("what was {what} was found"));
        }
    }
    match kept.open(&removed, &entry).await {
        // What was looked up before may still be there to be read, but only as it was.
        Ok(body) => {
            let read = super::sample::read(law, body).await;
            law.holds(read.data == data(1, 100), || "a removed body was opened and is another one".to_owned());
        }
        Err(StoreError::Gone) => {}
        Err(error) => law.broken(format_args!("opening what was removed fails with {error:?}")),
    }
    law.expect(kept.remove(&other, EntryId::new(u64::MAX)).await, "removing what never was");
    holds(law, &kept, &other, &only(law, &kept, &other).await, &data(1, 100)).await;
    store(law, &kept, &removed, head("2"), &data(2, 100)).await;
    holds(law, &kept, &removed, &only(law, &kept, &removed).await, &data(2, 100)).await;
}

pub(super) async fn late_commits_are_refused(law: Law, kept: Arc<dyn Store>) {
    let key = key("updated");
    // RFC 9111 §4.4: the answer to a GET that a PUT overtakes may be older than the PUT.
    for clears in [false, true] {
        store(law, &kept, &key, head("old"), &data(1, 100)).await;
        let before = generation(law, &kept, &key).await;
        let old = only(law, &kept, &key).await;
        let writer = kept.write(key.clone(), head("late"), Some(100), before);
        let mut writer = law.expect(writer, "beginning to store");
        law.expect(poll_fn(|cx| writer.poll_ready(cx)).await, "getting ready");
        law.expect(writer.write(data(2, 100)), "writing a piece");
        if clears {
            law.expect(kept.clear().await, "clearing");
        } else {
            law.expect(kept.invalidate(&key).await, "invalidating");
        }
        superseded(law, writer.commit(None).await, "a commit after the invalidation");
        law.holds(is_empty(law, &kept, &key).await, || "a late answer was found".to_owned());
        match kept.update(&key, old.id(), head("late"), before).await {
            Err(StoreError::Superseded | StoreError::Gone) => {}
            result => law.broken(format_args!("an update after the invalidation gave {result:?}")),
        }
        let later = match kept.write(key.clone(), head("late"), Some(0), before) {
            Ok(writer) => writer.commit(None).await,
            Err(error) => Err(error),
        };
        superseded(law, later, "what was begun afterwards, with the generation of before,");

        let entry = store(law, &kept, &key, head("new"), &data(3, 100)).await;
        superseded(law, kept.update(&key, entry.id(), head("late"), before).await, "a late update of a newer response");
        let entry = only(law, &kept, &key).await;
        law.holds(is_same(entry.head(), &head("new")), || "a late head is on a newer response".to_owned());
        holds(law, &kept, &key, &entry, &data(3, 100)).await;
    }
}

pub(super) async fn updates_keep_the_body(law: Law, kept: Arc<dyn Store>) {
    let (key, other) = (key("refreshed"), key("other"));
    let (body, id) = (data(1, 5_000), store(law, &kept, &key, head("1"), &data(1, 5_000)).await.id());
    store(law, &kept, &other, head("other"), &data(2, 100)).await;
    for number in 2..20 {
        let found = look_up(law, &kept, &key).await;
        let fresh = || head(&number.to_string());
        let updated = law.expect(kept.update(&key, id, fresh(), found.generation).await, "an update");
        let entry = only(law, &kept, &key).await;
        for entry in [updated, entry] {
            law.holds(entry.id() == id, || "an update gave the entry another name".to_owned());
            law.holds(is_same(entry.head(), &fresh()), || "the head is not the new one".to_owned());
            holds(law, &kept, &key, &entry, &body).await;
        }
    }
    law.holds(is_same(only(law, &kept, &other).await.head(), &head("other")), || {
        "an update changed the head of another key".to_owned()
    });
    law.expect(kept.remove(&key, id).await, "removing");
    let generation = generation(law, &kept, &key).await;
    match kept.update(&key, id, head("gone"), generation).await {
        Err(StoreError::Gone) => {}
        result => law.broken(format_args!("an update of what was removed gave {result:?}")),
    }
    law.holds(is_empty(law, &kept, &key).await, || "an update brought back what was removed".to_owned());
}

#[track_caller]
fn superseded<T: std::fmt::Debug>(law: Law, result: Result<T, StoreError>, what: &str) {
    match result {
        Err(StoreError::Superseded) => {}
        result => law.broken(format_args!("{what} gave {result:?}")),
    }
}
