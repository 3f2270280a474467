//! Whose answer is whose.

mod common;

use std::sync::Arc;

use httplib2_cache::{CacheLayer, Served, policy::NotStored};
use httplib2_core::who::{Identity, SignedAs};
use httplib2_store::{MemoryStore, Store};
use httplib2_testing::{Received, Reply, Server, reply};

use self::common::{GET, Signer, Site, cached, with};

/// Answers with whom it took the request for, and marks the answer like a layer that signed.
fn marking(signer: &Signer, directives: &'static str, marks: bool) -> Server {
    let signer = signer.clone();
    Server::answering(move |_, _| {
        let user = signer.user();
        let reply = cached(directives).body(user.unwrap_or("nobody"));
        match user {
            Some(user) if marks => reply.extension(SignedAs(Identity::new(user))),
            _ => reply,
        }
    })
}

fn by_authorization(directives: &'static str) -> Server {
    Server::answering(move |request: &Received, _| {
        let user = request.headers().get("authorization").map_or("nobody", |value| value.to_str().expect("text"));
        cached(directives).body(user.to_owned())
    })
}

fn signed_by(site: Site, signer: &Signer) -> Site {
    let signer = Arc::new(signer.clone());
    site.with(|layer| layer.who_signs(signer))
}

#[tokio::test]
async fn a_variant_answers_only_requests_that_select_it() {
    // Traps 2 and 6, H-CACHE-41.
    let site = Site::private(Server::answering(|request: &Received, _| {
        let language = request.headers()["accept-language"].to_str().unwrap().to_owned();
        cached("max-age=60").header("vary", "accept-language").body(language)
    }));
    for _ in 0..2 {
        for language in ["de", "en", "fr"] {
            assert_eq!(site.send(with(GET, &[("accept-language", language)])).await.text(), language);
        }
    }
    assert_eq!(site.sends(), 3);
}

#[tokio::test]
async fn another_variant_does_not_stand_in_for_a_failure() {
    // Trap 2.
    let german = cached("max-age=60, stale-if-error=600").header("vary", "accept-language").header("etag", "\"de\"");
    let broken = Reply::failing(|| std::io::Error::from(std::io::ErrorKind::ConnectionReset));
    for failure in [broken, reply(503)] {
        let site = Site::private(Server::new().on(GET, german.clone().body("deutsch")).on(GET, failure));
        site.send(with(GET, &[("accept-language", "de")])).await;
        let english = site.try_send(with(GET, &[("accept-language", "en")])).await;
        assert!(english.is_err() || english.is_ok_and(|got| got.status == 503));
        site.later(120);
        assert_eq!(site.send(with(GET, &[("accept-language", "de")])).await.text(), "deutsch");
    }
}

#[tokio::test]
async fn callers_that_sign_for_themselves_are_kept_apart_in_a_private_cache() {
    // Trap 8, CACHE-51.
    for directives in
        ["max-age=60", "private, max-age=60", "max-age=60, stale-while-revalidate=60", "public, max-age=60"]
    {
        let site = Site::private(by_authorization(directives)).on_tokio();
        for _ in 0..2 {
            for user in ["alice", "bob"] {
                assert_eq!(site.send(with(GET, &[("authorization", user)])).await.text(), user, "{directives}");
            }
            assert_eq!(site.get().await.text(), "nobody");
        }
        assert_eq!(site.sends(), 3, "{directives}");
    }
}

#[tokio::test]
async fn a_shared_cache_keeps_what_was_asked_for_with_authorization_only_for_everybody() {
    // CACHE-04, RFC 9111 §3.5.
    for (directives, shared) in [("max-age=60", false), ("public, max-age=60", true), ("s-maxage=60", true)] {
        let site = Site::shared(by_authorization(directives));
        site.send(with(GET, &[("authorization", "alice")])).await;
        assert_eq!(site.get().await.is_from_cache(), shared, "{directives}");
    }
    // CACHE-03, trap 9.
    let site = Site::shared(by_authorization("private, max-age=60"));
    site.get().await;
    assert!(!site.get().await.is_from_cache());
}

#[tokio::test]
async fn users_of_a_layer_that_signs_are_kept_apart_in_a_private_cache() {
    let signer = Signer::new(None);
    let site = signed_by(Site::private(marking(&signer, "max-age=60", true)), &signer);
    for _ in 0..2 {
        for user in [Some("alice"), Some("bob"), None] {
            signer.set(user);
            assert_eq!(site.get().await.text(), user.unwrap_or("nobody"));
        }
    }
    assert_eq!(site.sends(), 3);
}

#[tokio::test]
async fn a_mark_counts_also_where_nobody_said_beforehand_who_signs() {
    // The first request of a user: the challenge came only then.
    let signer = Signer::new(Some("alice"));
    let site = Site::private(marking(&signer, "max-age=60", true));
    site.get().await;
    assert!(!site.get().await.is_from_cache(), "nobody knows yet that the second one is for Alice");
    let site = signed_by(site, &signer);
    assert_eq!((site.get().await.is_from_cache(), site.sends()), (true, 2));
    signer.set(None);
    assert!(!site.get().await.is_from_cache());
}

#[tokio::test]
async fn a_missing_mark_fails_closed() {
    let signer = Signer::new(Some("alice"));
    for site in [Site::private, Site::shared] {
        let site = signed_by(site(marking(&signer, "public, max-age=60", false)), &signer);
        let got = site.get().await;
        let not = httplib2_cache::Kept::Not(NotStored::MarkMissing);
        assert!(matches!(got.served, Served::Network { kept, .. } if kept == not), "{}", got.why());
        assert!(!site.get().await.is_from_cache());
    }
}

#[tokio::test]
async fn a_shared_cache_applies_the_rule_for_authorization_to_marked_responses() {
    // RFC 9111 §3.5: the field itself is added further in.
    for (directives, shared) in [("max-age=60", false), ("public, max-age=60", true), ("private, max-age=60", false)] {
        let signer = Signer::new(Some("alice"));
        let site = Site::shared(marking(&signer, directives, true));
        site.get().await;
        signer.set(None);
        assert_eq!(site.get().await.is_from_cache(), shared, "{directives}");
    }
}

#[tokio::test]
async fn a_304_for_somebody_else_freshens_nothing() {
    let signer = Signer::new(Some("alice"));
    let alice = SignedAs(Identity::new("alice"));
    let bob = SignedAs(Identity::new("bob"));
    let tagged = |tag: &'static str| cached("max-age=60").header("etag", tag);
    let server = Server::new()
        .on(GET, tagged("\"a\"").body("for alice").extension(alice))
        .on(GET, reply(304).header("etag", "\"a\"").extension(bob.clone()))
        .on(GET, tagged("\"b\"").body("for bob").extension(bob));
    let site = signed_by(Site::private(server), &signer);
    site.get().await;
    site.later(120);
    assert_eq!(site.get().await.text(), "for bob");
    assert_eq!(site.sends(), 3);
    // It was stored for Bob.
    signer.set(Some("bob"));
    assert_eq!((site.get().await.text(), site.sends()), ("for bob", 3));
}

#[tokio::test]
async fn a_private_and_a_shared_cache_on_one_store_do_not_meet() {
    let store = Arc::new(MemoryStore::new());
    let server = Server::new().on(GET, cached("private, max-age=60"));
    let private = Site::over(server.clone(), CacheLayer::private(store.clone()));
    let shared = Site::over(server, CacheLayer::shared(store));
    private.get().await;
    assert!(!shared.get().await.is_from_cache());
    assert!(private.get().await.is_from_cache());
}

#[tokio::test]
async fn what_selects_a_response_is_not_kept_in_clear() {
    use httplib2_store::{MemoryStore, Store};
    let store = MemoryStore::new();
    let server = Server::new().on(GET, cached("max-age=60").header("vary", "cookie, x"));
    let site = Site::on(server, store.clone());
    site.send(with(GET, &[("authorization", "Bearer s3cret"), ("cookie", "s3cret"), ("x", "seen")])).await;
    let listed = store.list().await.unwrap();
    let selecting = &listed[0].entry.head().selecting;
    let has = |text: &[u8]| {
        selecting
            .iter()
            .flat_map(|(_, value)| value.as_deref())
            .any(|value| value.windows(text.len()).any(|at| at == text))
    };
    assert!(has(b"seen") && !has(b"s3cret"));
    assert!(!format!("{:?} {listed:?}", site.layer).contains("s3cret"));
}

#[tokio::test]
async fn what_is_for_everybody_is_stored_once_for_all_in_a_shared_cache() {
    let signer = Signer::new(None);
    let site = signed_by(Site::shared(marking(&signer, "public, max-age=60", true)), &signer);
    for user in [Some("alice"), Some("bob"), None] {
        signer.set(user);
        let mut reload = with(GET, &[]);
        reload.extensions_mut().insert(httplib2_cache::CacheMode::Reload);
        site.send(reload).await;
        assert_eq!(site.layer.handle().usage().await.unwrap().entries, 1);
    }
}

#[tokio::test]
async fn no_host_field_puts_a_private_answer_where_a_shared_cache_looks() {
    let store = MemoryStore::new();
    for host in ["shared", "shared a.example"] {
        let private = cached("private, max-age=60").body("alice's").extension(SignedAs(Identity::new("alice")));
        let site = Site::over(Server::new().on(GET, private), CacheLayer::private(Arc::new(store.clone())));
        site.send(with(GET, &[("host", host)])).await;
        let public = Server::new().on(GET, reply(200).body("public"));
        let shared = Site::over(public, CacheLayer::shared(Arc::new(store.clone())));
        assert_eq!(shared.get().await.text(), "public");
        assert_eq!(shared.send(with(GET, &[("host", "a.example")])).await.text(), "public");
    }
}

#[tokio::test]
async fn an_answer_to_head_for_one_user_says_nothing_to_another() {
    let server = Server::answering(|request: &Received, _| match request.method().as_str() {
        "HEAD" => {
            let reply = cached("max-age=60").header("etag", "\"a\"").header("set-cookie", "sid=alice");
            reply.extension(SignedAs(Identity::new("alice")))
        }
        _ => cached("max-age=60").header("etag", "\"a\"").body("text"),
    });
    let site = Site::private(server);
    site.get().await;
    site.later(120);
    site.line("HEAD http://a.example/").await;
    let got = site.get().await;
    assert!(!got.headers.contains_key("set-cookie"), "{}", got.why());
}

#[tokio::test]
async fn a_field_that_was_named_as_a_credential_tells_users_apart() {
    let by_key = || {
        Server::answering(|request: &Received, _| {
            let user = request.headers().get("x-api-key").map_or("nobody", |value| value.to_str().expect("text"));
            cached("max-age=60").body(user.to_owned())
        })
    };
    let named = |layer: CacheLayer| layer.credential("x-api-key".parse().expect("a name"));
    let site = Site::private(by_key()).with(named);
    for _ in 0..2 {
        for user in ["alice", "bob"] {
            assert_eq!(site.send(with(GET, &[("x-api-key", user)])).await.text(), user);
        }
        assert_eq!(site.get().await.text(), "nobody");
    }
    assert_eq!(site.sends(), 3);
    // A shared cache keeps only what is for everybody.
    let site = Site::shared(by_key()).with(named);
    site.send(with(GET, &[("x-api-key", "alice")])).await;
    assert_eq!(site.get().await.text(), "nobody");
    assert_eq!(site.send(with(GET, &[("x-api-key", "bob")])).await.text(), "bob");
}

#[tokio::test]
async fn a_marked_value_that_selects_is_compared_and_not_kept() {
    let store = MemoryStore::new();
    let server = Server::answering(|_, _| cached("max-age=60").header("vary", "x-session"));
    let site = Site::on(server, store.clone());
    let asked = |value: &'static str, is_marked| {
        let mut request = with(GET, &[("x-session", value)]);
        request.headers_mut().values_mut().for_each(|value| value.set_sensitive(is_marked));
        request
    };
    site.send(asked("s3cret", true)).await;
    for (value, is_marked, is_hit) in [("s3cret", true, true), ("s3cret", false, true), ("other", true, false)] {
        assert_eq!(site.send(asked(value, is_marked)).await.is_from_cache(), is_hit, "{value} {is_marked}");
    }
    for line in store.list().await.expect("a list") {
        for (name, value) in &line.entry.head().selecting {
            let value = value.as_deref().expect("it was sent");
            assert!(!value.windows(6).any(|text| text == b"s3cret"), "{name}");
        }
    }
}
