//! Storing and finding again.

use std::{future::poll_fn, sync::Arc};

use bytes::Bytes;

use super::{
    Law,
    sample::{data, generation, head, holds, is_empty, is_same, key, only, store, try_store},
};
use crate::{Key, Store, StoreError};

pub(super) async fn committed_is_found(law: Law, kept: Arc<dyn Store>) {
    for (name, length) in [("text", 1_000), ("empty", 0), ("one", 1), ("more", 20_000)] {
        let (key, body) = (key(name), data(length, length as usize));
        law.holds(is_empty(law, &kept, &key).await, || "something was found before anything was stored".to_owned());
        let committed = store(law, &kept, &key, head(name), &body).await;
        let found = only(law, &kept, &key).await;
        law.holds(committed.id() == found.id(), || "another entry was found than was committed".to_owned());
        for entry in [committed, found] {
            law.holds(is_same(entry.head(), &head(name)), || {
                format!("status or fields are not as they were: {:?}", entry.head())
            });
            holds(law, &kept, &key, &entry, &body).await;
            law.holds(entry.last_used() >= entry.stored_at(), || "it was used before it was stored".to_owned());
        }
    }
}

pub(super) async fn invisible_before_the_commit(law: Law, kept: Arc<dyn Store>) {
    for (name, length) in [("announced", Some(2_000)), ("slow", None)] {
        let key = key(name);
        let generation = generation(law, &kept, &key).await;
        let writer = kept.write(key.clone(), head("slow"), length, generation);
        let mut writer = law.expect(writer, "beginning to store");
        let body = data(1, 2_000);
        for piece in [body.slice(..1_000), body.slice(1_000..)] {
            law.holds(is_empty(law, &kept, &key).await, || "a response was found before its end".to_owned());
            law.expect(poll_fn(|cx| writer.poll_ready(cx)).await, "getting ready");
            law.expect(writer.write(piece), "writing a piece");
        }
        law.holds(is_empty(law, &kept, &key).await, || "a response was found before it was committed".to_owned());
        law.expect(writer.commit(None).await, "a commit");
        holds(law, &kept, &key, &only(law, &kept, &key).await, &body).await;
    }
}

pub(super) async fn given_up_leaves_nothing(law: Law, kept: Arc<dyn Store>) {
    let (other, key) = (key("other"), key("given-up"));
    store(law, &kept, &other, head("other"), &data(1, 100)).await;
    let before = law.expect(kept.usage().await, "asking for the usage");
    for written in [0, 5_000] {
        let generation = generation(law, &kept, &key).await;
        let writer = kept.write(key.clone(), head("given-up"), None, generation);
        let mut writer = law.expect(writer, "beginning to store");
        if written > 0 {
            law.expect(poll_fn(|cx| writer.poll_ready(cx)).await, "getting ready");
            law.expect(writer.write(data(2, written)), "writing a piece");
        }
        drop(writer);
        law.holds(is_empty(law, &kept, &key).await, || "a response that was given up was found".to_owned());
        let after = law.expect(kept.usage().await, "asking for the usage");
        law.holds(after == before, || format!("the usage was {before:?} and is {after:?}"));
    }
}

pub(super) async fn announced_length(law: Law, kept: Arc<dyn Store>) {
    let key = key("length");
    for (announced, written) in [(1_000, 999), (1_000, 1_001), (1, 0), (0, 1)] {
        let generation = generation(law, &kept, &key).await;
        let writer = kept.write(key.clone(), head("length"), Some(announced), generation);
        let mut writer = law.expect(writer, "beginning to store");
        law.expect(poll_fn(|cx| writer.poll_ready(cx)).await, "getting ready");
        let taken = writer.write(data(1, written));
        // One who does not look at what the last write said must not get half a response stored either.
        let committed = writer.commit(None).await;
        for error in [taken.err(), committed.as_ref().err().map(|_| StoreError::Incomplete)].iter().flatten() {
            law.holds(matches!(error, StoreError::Incomplete), || format!("the reason was {error:?}"));
        }
        let found = !is_empty(law, &kept, &key).await;
        law.holds(committed.is_err() && !found, || {
            format!("a body of {announced} bytes was announced and one of {written} was stored")
        });
    }
}

pub(super) async fn keys_differ(law: Law, kept: Arc<dyn Store>) {
    let long = "x".repeat(5_000);
    let names = ["a", "b", "", "a?", "a?q=1", "a?q=2", "A", "a/"].map(str::to_owned);
    let names = names.into_iter().chain([format!("{long}1"), format!("{long}2"), long]);
    let mut keys: Vec<Key> = names.map(|name| key(&name)).collect();
    keys.extend(["http://example.org/a ", "http://example.org/a p", "https://example.org/a"].map(Key::from_text));
    for (number, key) in keys.iter().enumerate() {
        let (number, found) = (number as u64, is_empty(law, &kept, key).await);
        law.holds(found, || format!("what was stored under another key was found under {}", shown(key)));
        store(law, &kept, key, head(&number.to_string()), &data(number, 300)).await;
    }
    for (number, key) in keys.iter().enumerate() {
        let entry = only(law, &kept, key).await;
        law.holds(is_same(entry.head(), &head(&number.to_string())), || {
            format!("under {} is the head of another key", shown(key))
        });
        holds(law, &kept, key, &entry, &data(number as u64, 300)).await;
    }
    law.expect(kept.invalidate(&keys[0]).await, "invalidating");
    law.holds(is_empty(law, &kept, &keys[0]).await, || "an invalidated response was found".to_owned());
    for key in &keys[1..] {
        law.holds(!is_empty(law, &kept, key).await, || format!("another key was invalidated: {}", shown(key)));
    }
    // What a hash in the store's own tables does with many keys.
    for number in 0..200 {
        let stored = try_store(law, &kept, &key(&format!("many/{number}")), head("many"), &Bytes::new()).await;
        law.expect(stored, "storing a small response");
    }
}

/// The end of a key, which is where they differ.
fn shown(key: &Key) -> &str {
    let text = key.as_str();
    &text[text.len().saturating_sub(40)..]
}
