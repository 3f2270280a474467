use super::*;
use http::StatusCode;
use http_body_util::Full;
use httplib2_store::{Key, MemoryStore, Store};
use std::time::SystemTime;

fn key() -> Key {
    Key::of(&"http://a.example/".parse().unwrap()).unwrap()
}

fn stored(text: &'static str) -> Option<StoredBody> {
    Some(StoredBody::whole(Bytes::from(text), None))
}

fn text(text: &'static str) -> Full<Bytes> {
    Full::new(Bytes::from(text))
}

async fn splice(store: &MemoryStore, lead: Option<StoredBody>, trail: Option<StoredBody>) -> Box<Splice> {
    let generation = store.lookup(&key()).await.unwrap().generation;
    let head = Head::new(StatusCode::OK, HeaderMap::new(), SystemTime::UNIX_EPOCH);
    Box::new(Splice { inner: store.write(key(), head, None, generation).unwrap(), lead, trail })
}

async fn content(store: &MemoryStore, entry: &Entry) -> Bytes {
    store.open(&key(), entry).await.unwrap().collect().await.unwrap().to_bytes()
}

#[tokio::test]
async fn what_is_stored_goes_before_and_behind() {
    for (lead, trail, expected) in [
        (None, None, "-new-"),
        (stored("lead"), None, "lead-new-"),
        (None, stored("trail"), "-new-trail"),
        (stored("lead"), stored("trail"), "lead-new-trail"),
    ] {
        let store = MemoryStore::new();
        let mut writer = splice(&store, lead, trail).await;
        poll_fn(|cx| writer.poll_ready(cx)).await.unwrap();
        writer.write(Bytes::from("-new-")).unwrap();
        // Trailers of a part are not those of the whole.
        let entry =
            writer.commit(Some(HeaderMap::from_iter([(http::header::ETAG, "x".parse().unwrap())]))).await.unwrap();
        assert_eq!(content(&store, &entry).await, expected);
        assert!(store.open(&key(), &entry).await.unwrap().collect().await.unwrap().trailers().is_none());
    }
}

#[tokio::test]
async fn nothing_is_stored_without_what_goes_before() {
    let store = MemoryStore::new();
    let mut writer = splice(&store, stored("lead"), None).await;
    assert!(writer.write(Bytes::from("x")).is_err());
    assert!(matches!(writer.commit(None).await, Err(StoreError::Incomplete)));
    let head = || Head::new(StatusCode::PARTIAL_CONTENT, HeaderMap::new(), SystemTime::UNIX_EPOCH);
    assert!(splice(&store, stored("lead"), None).await.commit_part(head()).await.is_err());
    assert!(splice(&store, None, stored("trail")).await.commit_part(head()).await.is_err());
    assert_eq!(store.usage().await.unwrap().entries, 0);
}

#[tokio::test]
async fn damage_of_what_is_stored_is_an_error_of_the_writer() {
    let damaged = || Some(StoredBody::streaming(text("abc").map_err(|never| match never {}), 5));
    let store = MemoryStore::new();
    let mut writer = splice(&store, damaged(), None).await;
    assert!(matches!(poll_fn(|cx| writer.poll_ready(cx)).await, Err(StoreError::Damaged)));
    let writer = splice(&store, None, damaged()).await;
    assert!(matches!(writer.commit(None).await, Err(StoreError::Damaged)));
    assert_eq!(store.usage().await.unwrap().entries, 0);
}

#[tokio::test]
async fn a_chain_is_held_to_the_length_of_each_link() {
    for (first, second, expected) in [
        (("ab", 2), ("cd", 2), Some("abcd")),
        (("", 0), ("cd", 2), Some("cd")),
        (("ab", 2), ("", 0), Some("ab")),
        (("ab", 3), ("cd", 1), None),
        (("ab", 1), ("cd", 3), None),
        (("ab", 2), ("cd", 3), None),
        (("ab", 2), ("cd", 1), None),
    ] {
        let chain = Chain::default().then(text(first.0), first.1).then(text(second.0), second.1);
        assert_eq!(chain.size_hint().exact(), Some(first.1 + second.1));
        let read = chain.collect().await;
        match expected {
            Some(expected) => assert_eq!(read.unwrap().to_bytes(), expected),
            None => assert!(read.unwrap_err().is::<CacheError>(), "{first:?} {second:?}"),
        }
    }
}

#[tokio::test]
async fn a_chain_leaves_trailers_out_and_ends_once() {
    let trailers = HeaderMap::from_iter([(http::header::ETAG, "x".parse().unwrap())]);
    let body = || text("ab").with_trailers(std::future::ready(Some(Ok(trailers.clone()))));
    let mut chain = Chain::default().then(body(), 2).then(body(), 2);
    for left in [2, 0] {
        assert!(!chain.is_end_stream());
        assert_eq!(chain.frame().await.unwrap().unwrap().into_data().unwrap(), "ab");
        assert_eq!(chain.size_hint().exact(), Some(left));
    }
    assert!(chain.frame().await.is_none() && chain.frame().await.is_none() && chain.is_end_stream());
}
