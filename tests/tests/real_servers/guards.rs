//! The guards of the servers, by hand: what the tests of authentication and of lost updates rely on.

use std::collections::BTreeMap;

use httplib2::{Http, Response};
use httplib2_tests::servers::{
    DIGESTS, SECRET, Site, USER, apache,
    guards::{ha1, md5},
};

use crate::{
    client::{client, get, text},
    site::on_both_servers,
};

on_both_servers! {
    basic_lets_the_user_in_and_nobody_else
    every_answer_is_in_the_log
}

async fn basic_lets_the_user_in_and_nobody_else(site: Site) {
    let http = client(&site);
    for uri in [site.plain("/basic/secret.txt"), site.tls("/basic/secret.txt")] {
        let refused = get(&http, uri.clone()).await.0;
        assert_eq!(refused.status(), 401);
        assert_eq!(refused.header("www-authenticate"), Some("Basic realm=\"basic\""));
        // b64encode(b"joe:open:sesame 7") and b64encode(b"joe:open")
        for (value, status) in [("Basic am9lOm9wZW46c2VzYW1lIDc=", 200), ("Basic am9lOm9wZW4=", 401)] {
            let answer = http.request(&uri).header("authorization", value).await.unwrap();
            assert_eq!(answer.0.status(), status);
            assert_eq!(text(&answer) == SECRET, status == 200);
        }
    }
}

async fn every_answer_is_in_the_log(site: Site) {
    let http = client(&site);
    for path in ["/hello.txt", "/basic/secret.txt", "/nothing"] {
        get(&http, site.plain(path)).await;
    }
    assert_eq!(site.answers(3), ["200 /hello.txt", "401 /basic/secret.txt", "404 /nothing"]);
    assert_eq!(site.challenges(3, "/basic/"), 1);
    assert_eq!(site.challenges(3, "/digest/"), 0);
}

#[tokio::test]
#[ignore = "needs apache2"]
async fn digest_lets_the_user_in_and_proves_itself() {
    let site = apache::start();
    let http = client(&site);
    for digest in DIGESTS {
        let mut user = User::challenged(&http, &site, digest.name).await;
        assert_eq!(user.challenge["qop"], "auth");
        let (response, body) = user.ask(&http).await;
        assert_eq!((response.status().as_u16(), &body[..]), (200, SECRET.as_bytes()), "{}", digest.name);
        assert_eq!(info(&response)["rspauth"], user.proof, "{}", digest.name);
        let names_the_next = matches!(digest.name, "once" | "brief");
        assert_eq!(info(&response).contains_key("nextnonce"), names_the_next, "{}", digest.name);

        user.password_hash = md5("joe:plain:wrong");
        assert_eq!(user.ask(&http).await.0.status(), 401, "{}", digest.name);
    }
}

#[tokio::test]
#[ignore = "needs apache2"]
async fn a_nonce_lives_as_long_as_its_directory_says() {
    let site = apache::start();
    let http = client(&site);
    for (name, later, at_once) in [("plain", 200, 200), ("forever", 200, 200), ("brief", 401, 200), ("once", 401, 401)]
    {
        let mut user = User::challenged(&http, &site, name).await;
        assert_eq!(user.ask(&http).await.0.status(), 200, "{name}");
        assert_eq!(user.ask(&http).await.0.status(), at_once, "{name}");
        tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
        let (response, _) = user.ask(&http).await;
        assert_eq!(response.status(), later, "{name}");
        if later == 401 {
            assert_eq!(challenge(&response)["stale"], "true", "{name}");
        }
    }
}

#[tokio::test]
#[ignore = "needs apache2"]
async fn counts_are_looked_at_where_that_is_configured() {
    let site = apache::start();
    let http = client(&site);
    for (name, status) in [("counted", 401), ("forever", 200)] {
        let mut user = User::challenged(&http, &site, name).await;
        assert_eq!(user.ask(&http).await.0.status(), 200, "{name}");
        user.count -= 1;
        assert_eq!(user.ask(&http).await.0.status(), status, "{name}");
    }
}

#[tokio::test]
#[ignore = "needs apache2"]
async fn a_domain_names_both_directories_of_a_realm() {
    let site = apache::start();
    let http = client(&site);
    let mut user = User::challenged(&http, &site, "wide").await;
    assert_eq!(user.challenge["domain"], "/digest/wide/ /digest/wider/");
    user.path = "/digest/wider/secret.txt".to_owned();
    assert_eq!(user.ask(&http).await.0.status(), 200);
}

#[tokio::test]
#[ignore = "needs apache2"]
async fn dav_compares_tags_that_are_strong_from_the_first_moment() {
    let site = apache::start_dav();
    let http = client(&site);
    let uri = site.plain("/dav/note.txt");
    let put = |text: &'static str, field: &'static str, tag: String| {
        let request = http.request(&uri).method("PUT").body(text);
        async move { request.header(field, tag).await.unwrap().0.status().as_u16() }
    };
    assert_eq!(put("one", "if-none-match", "*".into()).await, 201);
    assert_eq!(put("two", "if-none-match", "*".into()).await, 412);
    let (response, body) = get(&http, uri.clone()).await;
    let tag = response.header("etag").unwrap().to_owned();
    assert!(tag.starts_with('"'), "{tag}");
    assert_eq!(&body[..], b"one");

    assert_eq!(put("two", "if-match", tag.clone()).await, 204);
    assert_eq!(put("three", "if-match", tag).await, 412);
    assert_eq!(text(&get(&http, uri.clone()).await), "two");
}

#[tokio::test]
#[ignore = "needs apache2"]
async fn dav_lets_one_of_two_writers_through() {
    let site = apache::start_dav();
    let (one, two) = (client(&site), client(&site));
    let uri = site.plain("/dav/count.txt");
    one.request(&uri).method("PUT").body("0").await.unwrap();
    let count = async |http: &Http| {
        for _ in 0..50 {
            loop {
                let (response, body) = get(http, uri.clone()).await;
                let tag = response.header("etag").unwrap().to_owned();
                let next = std::str::from_utf8(&body).unwrap().parse::<u32>().unwrap() + 1;
                let put = http.request(&uri).method("PUT").header("if-match", tag).body(next.to_string());
                if put.await.unwrap().0.status() == 204 {
                    break;
                }
            }
        }
    };
    tokio::join!(count(&one), count(&two));
    assert_eq!(text(&get(&one, uri.clone()).await), "100");
}

/// A user of one directory, who answers by hand.
struct User {
    challenge: BTreeMap<String, String>,
    password_hash: String,
    count: u32,
    /// What the server must answer the last request with.
    proof: String,
    site: String,
    path: String,
}

impl User {
    async fn challenged(http: &Http, site: &Site, name: &str) -> Self {
        let path = format!("/digest/{name}/secret.txt");
        let (response, _) = get(http, site.plain(&path)).await;
        assert_eq!(response.status(), 401);
        let challenge = challenge(&response);
        Self {
            password_hash: ha1(&challenge["realm"]),
            challenge,
            count: 0,
            proof: String::new(),
            site: site.plain(""),
            path,
        }
    }

    async fn ask(&mut self, http: &Http) -> (Response, bytes::Bytes) {
        self.count += 1;
        let Self { challenge, password_hash, count, proof, site, path } = self;
        let (realm, nonce) = (&challenge["realm"], &challenge["nonce"]);
        let opaque = challenge.get("opaque").map(|opaque| format!(", opaque=\"{opaque}\"")).unwrap_or_default();
        let digest = |method| {
            let last = md5(&format!("{method}:{path}"));
            md5(&format!("{password_hash}:{nonce}:{count:08x}:abc:auth:{last}"))
        };
        let answer = digest("GET");
        // What the server answers with has no method (RFC 7616 §3.5).
        *proof = digest("");
        let value = format!(
            "Digest username=\"{USER}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{path}\", \
             response=\"{answer}\", algorithm=MD5{opaque}, qop=auth, nc={count:08x}, cnonce=\"abc\""
        );
        http.request(format!("{site}{path}")).header("authorization", value).await.unwrap()
    }
}

fn challenge(response: &Response) -> BTreeMap<String, String> {
    let value = response.header("www-authenticate").unwrap().to_owned();
    let challenges = httplib2_syntax::challenge::parse([value.as_bytes()]);
    assert!(challenges[0].is("digest"));
    owned(challenges[0].params())
}

fn info(response: &Response) -> BTreeMap<String, String> {
    let value = response.header("authentication-info").map(ToString::to_string).unwrap_or_default();
    owned(&httplib2_syntax::challenge::parse_info(value.as_bytes()))
}

fn owned(params: &httplib2_syntax::challenge::Params) -> BTreeMap<String, String> {
    params.iter().map(|(name, value)| (name.to_owned(), String::from_utf8_lossy(value).into_owned())).collect()
}
