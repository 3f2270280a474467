//! What the checks store, and how they store and read it.

use std::{
    future::poll_fn,
    pin::pin,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use http_body::Body;

use super::Law;
use crate::{Entry, Found, Generation, Head, Key, Store, StoreError, StoredBody};

/// A body that was read to its end.
pub(super) struct Read {
    pub(super) data: Vec<u8>,
    pub(super) trailers: Option<HeaderMap>,
}

pub(super) fn key(name: &str) -> Key {
    Key::from_text(format!("http://example.org/{name}"))
}

/// A moment with a fraction of a second, as any response has.
pub(super) fn moment() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_125)
}

/// A head that says which one it is.
pub(super) fn head(etag: &str) -> Head {
    let mut fields = HeaderMap::new();
    fields.insert(header::DATE, HeaderValue::from_static("Tue, 14 Nov 2023 22:13:20 GMT"));
    if let Ok(etag) = HeaderValue::try_from(format!("\"{etag}\"")) {
        fields.insert(header::ETAG, etag);
    }
    fields.append(header::LINK, HeaderValue::from_static("</one>; rel=next"));
    fields.append(header::LINK, HeaderValue::from_static("</two>; rel=prev"));
    Head::new(StatusCode::OK, fields, moment())
}

/// A head of the variant in one language.
pub(super) fn variant(etag: &str, language: &str) -> Head {
    selected(head(etag), "accept-language", Some(language))
}

pub(super) fn selected(mut head: Head, name: &'static str, value: Option<&str>) -> Head {
    head.selecting = vec![(HeaderName::from_static(name), value.map(|value| value.as_bytes().into()))];
    head
}

/// Data without a pattern, which differ from number to number and do not shrink.
pub(super) fn data(number: u64, length: usize) -> Bytes {
    let mut state = number.wrapping_mul(2) + 1;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

pub(super) async fn look_up(law: Law, store: &Arc<dyn Store>, key: &Key) -> Found {
    law.expect(store.lookup(key).await, "a look-up")
}

/// The generation in which nothing was invalidated yet.
pub(super) async fn generation(law: Law, store: &Arc<dyn Store>, key: &Key) -> Generation {
    look_up(law, store, key).await.generation
}

/// Stores a response, in one piece, at once.
pub(super) async fn try_store(
    law: Law,
    store: &Arc<dyn Store>,
    key: &Key,
    head: Head,
    data: &Bytes,
) -> Result<Entry, StoreError> {
    let generation = generation(law, store, key).await;
    let mut writer = store.write(key.clone(), head, Some(data.len() as u64), generation)?;
    if !data.is_empty() {
        poll_fn(|cx| writer.poll_ready(cx)).await?;
        writer.write(data.clone())?;
    }
    writer.commit(None).await
}

pub(super) async fn store(law: Law, store: &Arc<dyn Store>, key: &Key, head: Head, data: &Bytes) -> Entry {
    law.expect(try_store(law, store, key, head, data).await, "storing a small response")
}

/// The only variant of a key.
pub(super) async fn only(law: Law, store: &Arc<dyn Store>, key: &Key) -> Entry {
    let found = look_up(law, store, key).await;
    match &*found.variants {
        [entry] => entry.clone(),
        variants => law.broken(format_args!("{} responses were found and not one", variants.len())),
    }
}

pub(super) async fn open(law: Law, store: &Arc<dyn Store>, key: &Key, entry: &Entry) -> StoredBody {
    law.expect(store.open(key, entry).await, "opening a body")
}

/// Reads the body of an entry and checks that it is these data.
pub(super) async fn holds(law: Law, store: &Arc<dyn Store>, key: &Key, entry: &Entry, expected: &Bytes) -> Read {
    let length = expected.len() as u64;
    law.holds(entry.length() == length, || format!("the length of a body of {length} is {}", entry.length()));
    let read = read(law, open(law, store, key, entry).await).await;
    law.holds(read.data == *expected, || format!("of {length} bytes {} came, and not the same ones", read.data.len()));
    read
}

/// Reads a body to its end, which it must have, and which it must have announced.
pub(super) async fn read(law: Law, body: StoredBody) -> Read {
    let length = body.size_hint().exact().unwrap_or_else(|| law.broken("the length of a body is not known"));
    let mut body = pin!(body);
    let mut read = Read { data: Vec::new(), trailers: None };
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        match law.expect(frame, "reading a body").into_data() {
            Ok(data) => read.data.extend_from_slice(&data),
            Err(frame) => read.trailers = frame.into_trailers().ok(),
        }
    }
    law.holds(read.data.len() as u64 == length, || {
        format!("{length} bytes were announced and {} came", read.data.len())
    });
    read
}

/// Whether two heads are the same in what every store keeps: status and header fields.
pub(super) fn is_same(left: &Head, right: &Head) -> bool {
    left.status == right.status && left.headers == right.headers
}

pub(super) async fn is_empty(law: Law, store: &Arc<dyn Store>, key: &Key) -> bool {
    look_up(law, store, key).await.variants.is_empty()
}
