//! Heads in full, and several responses per key.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version};
use httplib2_core::who::Identity;

use super::{
    Law,
    sample::{data, head, holds, is_empty, is_same, key, look_up, moment, selected, store, variant},
};
use crate::{Entry, Head, Key, Store};

pub(super) async fn whole_head_is_kept(law: Law, kept: Arc<dyn Store>) {
    let key = key("head");
    for expected in [rich(), head("plain")] {
        store(law, &kept, &key, expected.clone(), &data(1, 10)).await;
    }
    let found = look_up(law, &kept, &key).await;
    law.holds(found.variants.len() == 2, || format!("{} of 2 variants were found", found.variants.len()));
    for expected in [rich(), head("plain")] {
        let Some(entry) = found.variants.iter().find(|entry| entry.head().selects_same(&expected)) else {
            law.broken("selecting fields or identity are not as they were");
        };
        same_in_full(law, entry.head(), &expected);
    }
    // A head that came by an update, too.
    let Some(entry) = found.variants.iter().find(|entry| entry.head().identity.is_none()) else { return };
    let mut gone = head("new");
    gone.status = StatusCode::GONE;
    let updated = kept.update(&key, entry.id(), gone.clone(), found.generation).await;
    same_in_full(law, law.expect(updated, "an update").head(), &gone);
}

pub(super) async fn are_kept_apart(law: Law, kept: Arc<dyn Store>) {
    let key = key("negotiated");
    let heads = |round: &str| {
        let name = |number: u8| format!("{round}{number}");
        [
            head(&name(0)),
            variant(&name(1), "de"),
            variant(&name(2), "en"),
            variant(&name(3), ""),
            selected(head(&name(4)), "accept-language", None),
            selected(head(&name(5)), "accept", Some("de")),
            signed(head(&name(6)), "alice"),
            signed(head(&name(7)), "bob"),
            signed(variant(&name(8), "de"), "bob"),
        ]
    };
    // Each is stored, and then each takes the place of its own earlier one.
    for (round, offset) in [("a", 0), ("b", 100)] {
        for (number, head) in heads(round).into_iter().enumerate() {
            store(law, &kept, &key, head, &data(offset + number as u64, 500)).await;
        }
        let heads = heads(round);
        let found = look_up(law, &kept, &key).await;
        law.holds(found.variants.len() == heads.len(), || {
            format!("{} of {} variants were found", found.variants.len(), heads.len())
        });
        for (number, head) in heads.iter().enumerate() {
            let entry = select(law, &found.variants, head);
            law.holds(is_same(entry.head(), head), || format!("variant {number} has the head of another one"));
            holds(law, &kept, &key, entry, &data(offset + number as u64, 500)).await;
        }
    }
    updated_alone(law, &kept, &key, &heads("b")).await;
    for (gone, head) in heads("b").iter().enumerate() {
        let found = look_up(law, &kept, &key).await;
        law.expect(kept.remove(&key, select(law, &found.variants, head).id()).await, "removing");
        let left = look_up(law, &kept, &key).await.variants.len();
        law.holds(left == heads("b").len() - gone - 1, || format!("after {} removals {left} are left", gone + 1));
    }
    for head in heads("c") {
        store(law, &kept, &key, head, &data(1, 10)).await;
    }
    law.expect(kept.invalidate(&key).await, "invalidating");
    law.holds(is_empty(law, &kept, &key).await, || "a variant outlived the invalidation".to_owned());
}

/// Updates one variant, and then another one so that it takes the place of the first.
async fn updated_alone(law: Law, kept: &Arc<dyn Store>, key: &Key, heads: &[Head]) {
    let found = look_up(law, kept, key).await;
    let (german, english) = (select(law, &found.variants, &heads[1]), select(law, &found.variants, &heads[2]));
    let updated = kept.update(key, german.id(), variant("new", "de"), found.generation).await;
    law.expect(updated, "an update");
    let after = look_up(law, kept, key).await;
    law.holds(after.variants.len() == heads.len(), || "an update changed the number of variants".to_owned());
    for head in heads.iter().filter(|head| !head.selects_same(german.head())) {
        let entry = select(law, &after.variants, head);
        law.holds(is_same(entry.head(), head), || "an update changed another variant".to_owned());
    }
    let updated = kept.update(key, english.id(), variant("newer", "de"), after.generation).await;
    law.expect(updated, "an update that selects what another one does");
    let after = look_up(law, kept, key).await;
    let entry = select(law, &after.variants, &variant("", "de"));
    law.holds(after.variants.len() == heads.len() - 1 && entry.id() == english.id(), || {
        "two variants that are selected by the same fields were found".to_owned()
    });
    holds(law, kept, key, entry, &data(102, 500)).await;
    store(law, kept, key, variant("b2", "en"), &data(102, 500)).await;
}

fn select<'a>(law: Law, variants: &'a [Entry], head: &Head) -> &'a Entry {
    let mut matching = variants.iter().filter(|entry| entry.head().selects_same(head));
    match (matching.next(), matching.next()) {
        (Some(entry), None) => entry,
        (None, _) => law.broken(format_args!("no variant is selected like {head:?}")),
        (Some(_), Some(_)) => law.broken("two variants that are selected by the same fields were found"),
    }
}

fn signed(mut head: Head, user: &str) -> Head {
    head.identity = Some(Identity::new(user));
    head
}

/// A head with everything that a store could forget.
fn rich() -> Head {
    let mut fields = HeaderMap::new();
    let mut secret = HeaderValue::from_static("session=s3cret");
    secret.set_sensitive(true);
    fields.append("set-cookie", HeaderValue::from_static("first=1"));
    fields.append("set-cookie", secret);
    fields.append("x-empty", HeaderValue::from_static(""));
    if let Ok(odd) = HeaderValue::from_bytes(b"caf\xe9\t\"\xff\"") {
        fields.append("x-odd", odd);
    }
    let mut head = Head::new(StatusCode::NON_AUTHORITATIVE_INFORMATION, fields, moment() + Duration::from_secs(2));
    head.version = Version::HTTP_2;
    head.requested_at = moment();
    head.identity = Some(Identity::new("basic:alice\u{e9}"));
    head.selecting = vec![
        (HeaderName::from_static("cookie"), Some(b"a=\xff".as_slice().into())),
        (HeaderName::from_static("accept"), None),
        (HeaderName::from_static("accept-language"), Some(b"".as_slice().into())),
    ];
    head
}

fn same_in_full(law: Law, found: &Head, expected: &Head) {
    law.holds(is_same(found, expected), || format!("status or fields are not as they were: {found:?}"));
    law.holds(found.version == expected.version, || format!("the version is {:?}", found.version));
    law.holds(found.selecting == expected.selecting, || "the selecting fields are not as they were".to_owned());
    law.holds(found.identity == expected.identity, || "the identity is not as it was".to_owned());
    let millis = |head: &Head| [head.requested_at, head.received_at].map(|at| at.duration_since(moment()).ok());
    law.holds(millis(found) == millis(expected), || format!("the times are {:?}", millis(found)));
    let sensitive = |head: &Head| -> Vec<_> { head.headers.values().map(HeaderValue::is_sensitive).collect() };
    law.holds(sensitive(found) == sensitive(expected), || "a sensitive value is not marked any more".to_owned());
}
