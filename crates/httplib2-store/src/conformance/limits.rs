//! Limits, listing, usage.

use std::{collections::HashMap, future::poll_fn, sync::Arc};

use super::{
    Law, ROOM,
    sample::{data, generation, head, holds, is_empty, key, look_up, only, store, try_store, variant},
};
use crate::{Store, StoreError, Usage};

pub(super) async fn stays_within_its_limit(law: Law, kept: Arc<dyn Store>) {
    let length = ROOM / 32;
    let count = 3 * ROOM / length;
    for number in 0..count {
        let (key, body) = (key(&number.to_string()), data(number, length as usize));
        store(law, &kept, &key, head("1"), &body).await;
        holds(law, &kept, &key, &only(law, &kept, &key).await, &body).await;
        within_limit(law, &kept).await;
    }
    let mut left = 0;
    for number in 0..count {
        let key = key(&number.to_string());
        for entry in look_up(law, &kept, &key).await.variants.iter() {
            holds(law, &kept, &key, entry, &data(number, length as usize)).await;
            left += 1;
        }
    }
    law.holds(left * length <= ROOM, || format!("{left} bodies of {length} bytes are within {ROOM} bytes"));
    law.holds(left * length >= ROOM / 4, || format!("only {left} bodies of {length} bytes are left in {ROOM} bytes"));
}

pub(super) async fn many_variants(law: Law, kept: Arc<dyn Store>) {
    let key = key("negotiated");
    for number in 0..300 {
        let body = data(number, 8_000);
        let head = variant("1", &number.to_string());
        let id = store(law, &kept, &key, head, &body).await.id();
        let found = look_up(law, &kept, &key).await;
        match found.variants.iter().find(|entry| entry.id() == id) {
            Some(entry) => holds(law, &kept, &key, entry, &body).await,
            None => law.broken("the newest variant was not found"),
        };
        within_limit(law, &kept).await;
    }
}

pub(super) async fn too_large_is_refused(law: Law, kept: Arc<dyn Store>) {
    let other = key("other");
    store(law, &kept, &other, head("other"), &data(1, 100)).await;
    for divisor in [8, 4, 2, 1] {
        for announces in [true, false] {
            let key = key("large");
            let body = data(divisor, (2 * ROOM / divisor) as usize);
            let length = announces.then_some(body.len() as u64);
            let generation = generation(law, &kept, &key).await;
            let stored = async {
                let mut writer = kept.write(key.clone(), head("large"), length, generation)?;
                for at in (0..body.len()).step_by(16 * 1024) {
                    poll_fn(|cx| writer.poll_ready(cx)).await?;
                    writer.write(body.slice(at..body.len().min(at + 16 * 1024)))?;
                }
                writer.commit(None).await
            };
            match stored.await {
                Ok(_) => {
                    holds(law, &kept, &key, &only(law, &kept, &key).await, &body).await;
                }
                Err(StoreError::TooLarge { .. } | StoreError::Full { .. }) => {
                    law.holds(is_empty(law, &kept, &key).await, || "what was refused was found".to_owned());
                }
                Err(error) => law.broken(format_args!("the reason was {error:?}")),
            }
            within_limit(law, &kept).await;
            law.expect(kept.invalidate(&key).await, "invalidating");
        }
    }
    store(law, &kept, &other, head("other"), &data(2, 100)).await;
    holds(law, &kept, &other, &only(law, &kept, &other).await, &data(2, 100)).await;
}

pub(super) async fn listing_is_true(law: Law, kept: Arc<dyn Store>) {
    let empty = usage(law, &kept).await;
    law.holds(empty.entries == 0, || format!("a new store says of itself {empty:?}"));
    let mut expected = HashMap::new();
    for number in 0..20 {
        let key = key(&number.to_string());
        let length = number * 100;
        let entry = store(law, &kept, &key, head("1"), &data(number, length as usize)).await;
        expected.insert(key, (entry.id(), length));
    }
    let usage = usage(law, &kept).await;
    let bytes: u64 = expected.values().map(|(_, length)| length).sum();
    law.holds(usage.entries == 20, || format!("there are 20 entries and not {}", usage.entries));
    law.holds(usage.bytes >= bytes, || format!("bodies of {bytes} bytes take {}", usage.bytes));
    let lines = match kept.list().await {
        Err(StoreError::Unsupported) => return,
        lines => law.expect(lines, "listing"),
    };
    law.holds(lines.len() == expected.len(), || format!("20 entries are listed in {} lines", lines.len()));
    for line in lines {
        let listed = Some((line.entry.id(), line.entry.length()));
        law.holds(expected.remove(&line.key) == listed, || format!("this was not stored: {line:?}"));
    }
}

pub(super) async fn cleared_is_empty(law: Law, kept: Arc<dyn Store>) {
    let before = usage(law, &kept).await;
    for round in 0..2 {
        for number in 0..10 {
            store(law, &kept, &key(&number.to_string()), head("1"), &data(number, 1_000)).await;
        }
        law.expect(kept.clear().await, "clearing");
        for number in 0..10 {
            law.holds(is_empty(law, &kept, &key(&number.to_string())).await, || {
                format!("after clearing for the {round}. time a response was found")
            });
        }
        let after = usage(law, &kept).await;
        law.holds(after == before, || format!("after clearing the usage is {after:?}"));
        match kept.list().await {
            Err(StoreError::Unsupported) => {}
            lines => {
                let lines = law.expect(lines, "listing").len();
                law.holds(lines == 0, || format!("after clearing {lines} entries are listed"));
            }
        }
    }
    let stored = try_store(law, &kept, &key("again"), head("1"), &data(1, 100)).await;
    law.expect(stored, "storing after clearing");
}

async fn within_limit(law: Law, kept: &Arc<dyn Store>) {
    let usage = usage(law, kept).await;
    law.holds(usage.bytes <= ROOM && usage.limit.is_some_and(|limit| limit <= ROOM), || {
        format!("a store of {ROOM} bytes says of itself {usage:?}")
    });
}

async fn usage(law: Law, kept: &Arc<dyn Store>) -> Usage {
    law.expect(kept.usage().await, "asking for the usage")
}
