//! The handle to what is stored.

mod common;

use std::sync::Arc;

use http::{HeaderMap, HeaderValue};
use httplib2_core::who::{KnownTags, Validators};
use httplib2_testing::{Server, reply};

use self::common::{GET, Signer, Site, URI, cached, with};

#[tokio::test]
async fn the_validators_of_what_is_stored_are_known() {
    let date = "Fri, 15 Jan 2027 07:00:00 GMT";
    let tagged = cached("max-age=60").header("vary", "x").header("last-modified", date);
    let server = Server::answering(move |request, _| {
        tagged.clone().header("etag", if request.headers().contains_key("x") { "W/\"b\"" } else { "\"a\"" })
    });
    let site = Site::private(server);
    let handle = site.layer.handle();
    let uri = URI.parse().unwrap();
    assert_eq!(handle.known_tags(&uri, &HeaderMap::new()).await, None);
    site.get().await;
    let known = |tag| Validators {
        etag: Some(HeaderValue::from_static(tag)),
        last_modified: Some(HeaderValue::from_static(date)),
    };
    assert_eq!(handle.known_tags(&uri, &HeaderMap::new()).await, Some(known("\"a\"")));
    // Stale too: it is what the caller has seen.
    site.later(1000);
    assert_eq!(handle.known_tags(&uri, &HeaderMap::new()).await, Some(known("\"a\"")));
    // Only of the variant that the request selects, and of its user.
    let with = |name: &'static str| HeaderMap::from_iter([(name.parse().unwrap(), HeaderValue::from_static("1"))]);
    assert_eq!(handle.known_tags(&uri, &with("x")).await, None);
    assert_eq!(handle.known_tags(&uri, &with("authorization")).await, None);
    site.send(common::with(GET, &[("x", "1")])).await;
    assert_eq!(handle.known_tags(&uri, &with("x")).await, Some(known("W/\"b\"")));
    assert_eq!(handle.known_tags(&"/path".parse().unwrap(), &HeaderMap::new()).await, None);
}

#[tokio::test]
async fn nothing_is_known_for_another_user() {
    let signer = Signer::new(None);
    let site = Site::private(Server::new().on(GET, cached("max-age=60").header("etag", "\"a\"")));
    let who = Arc::new(signer.clone());
    let site = site.with(|layer| layer.who_signs(who));
    site.get().await;
    let known = site.layer.handle().known_tags(&URI.parse().unwrap(), &HeaderMap::new());
    assert!(known.await.is_some());
    signer.set(Some("alice"));
    assert_eq!(site.layer.handle().known_tags(&URI.parse().unwrap(), &HeaderMap::new()).await, None);
}

#[tokio::test]
async fn what_has_no_validator_or_two_is_not_known() {
    let none = Site::private(Server::new().on(GET, cached("max-age=60")));
    none.get().await;
    assert_eq!(none.layer.handle().known_tags(&URI.parse().unwrap(), &HeaderMap::new()).await, None);
    let two =
        Site::private(Server::new().on(GET, cached("max-age=60").header("etag", "\"a\"").header("etag", "\"b\"")));
    two.get().await;
    assert_eq!(two.layer.handle().known_tags(&URI.parse().unwrap(), &HeaderMap::new()).await, None);
}

#[tokio::test]
async fn what_is_stored_can_be_dropped_by_uri_or_all_at_once() {
    let server = Server::answering(|_, _| cached("max-age=60").header("vary", "x"));
    let site = Site::shared(server);
    let handle = site.layer.handle();
    let asks = || [with(GET, &[]), with(GET, &[("x", "1")]), with(GET, &[("host", "b.example")])];
    for ask in asks() {
        site.send(ask).await;
    }
    site.line("GET http://a.example/other").await;
    assert_eq!(handle.usage().await.unwrap().entries, 4);
    handle.invalidate(&URI.parse().unwrap()).await.unwrap();
    assert_eq!(handle.usage().await.unwrap().entries, 1);
    for ask in asks() {
        assert!(!site.send(ask).await.is_from_cache());
    }
    handle.clear().await.unwrap();
    assert_eq!(handle.usage().await.unwrap().entries, 0);
    // A URI of which nothing can be stored is no error.
    handle.invalidate(&"/path".parse().unwrap()).await.unwrap();
}

#[tokio::test]
async fn a_store_that_cannot_list_still_drops_by_uri() {
    use common::stores::{Call, Fault, Faulty};
    let store = Faulty::new(Call::Remove, Fault::Fails);
    let site = Site::on(Server::new().on(GET, cached("max-age=60")).on("PUT http://a.example/", reply(204)), store);
    site.get().await;
    site.layer.handle().invalidate(&URI.parse().unwrap()).await.unwrap();
    assert!(!site.get().await.is_from_cache());
}
