//! Through the layer: what a server saw, and what the caller got.

mod common;

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use futures_util::{StreamExt, stream};
use http::{Response, StatusCode, header};
use httplib2_auth::{AuthError, AuthLayer, Credential, Credentials};
use httplib2_auth_digest::{Digest, DigestAuthLayer, HmacDigest};
use httplib2_core::error::{BoxError, cause_ref};
use httplib2_testing::{Body, FixedClock, FixedNonce, Received, Reply, Server, reply, request, text};
use tower::{Layer, ServiceExt};

use crate::common::{Claim, Known, claim};

const JOE: Known<'_> = Known { user: "joe", password: "s3cr3t", realm: "r", nonce: "n1", algorithm: "MD5" };

fn credentials(name: &str) -> Credentials {
    let credentials = Credentials::new();
    credentials.add(Credential::login(name, "s3cr3t"));
    credentials
}

fn joe() -> DigestAuthLayer {
    DigestAuthLayer::new(credentials("joe"))
}

fn challenging(challenge: &str) -> Reply {
    reply(401).header("www-authenticate", challenge).body("who?")
}

fn claimed(received: &Received) -> Option<Claim> {
    received.headers().get(header::AUTHORIZATION).map(claim)
}

/// A server that challenges with this, and lets in who knows the password.
fn guarded(challenge: &'static str, known: Known<'static>) -> Server {
    Server::answering(move |received, _| {
        let target = received.uri().path_and_query().expect("a path").as_str();
        match claimed(received) {
            Some(claim) if claim.is_right(&known, received.method().as_str(), target, received.body()) => {
                reply(200).body("in")
            }
            _ => challenging(challenge),
        }
    })
}

async fn send(layer: &DigestAuthLayer, server: &Server, line: &str) -> Result<Response<Body>, BoxError> {
    layer.layer(server.clone()).oneshot(request(line)).await
}

// AUTH-03, AUTH-04, AUTH-11, AUTH-18, AUTH-19, H-DIG-04.
#[tokio::test]
async fn a_challenge_is_answered_and_the_next_request_signed_at_once() {
    for (challenge, known) in [
        (r#"Digest realm="r", nonce="n1", opaque="op/=q", qop="auth", algorithm=MD5"#, JOE),
        (r#"Digest realm="r", nonce="n1", qop="auth", algorithm=SHA-256"#, Known { algorithm: "SHA-256", ..JOE }),
        (r#"Digest realm="a\"b\\c", nonce="n1", qop="auth""#, Known { realm: r#"a"b\c"#, ..JOE }),
        (r#"Newauth realm="apps", type=1, title="Login to \"apps\"", Digest realm="r", nonce="n1", qop="auth""#, JOE),
        (r#"Digest realm="r", nonce="n1""#, JOE),
        (
            r#"Digest realm="r", nonce="n1", qop="auth-int", algorithm=SHA-512-256-sess"#,
            Known { algorithm: "SHA-512-256-sess", ..JOE },
        ),
    ] {
        let (server, layer) = (guarded(challenge, known), joe());
        for line in ["GET http://a.example/x?a=1&b=%20c", "GET http://a.example/other"] {
            let response = send(&layer, &server, line).await.unwrap();
            assert_eq!((response.status(), &*text(response).await.unwrap()), (StatusCode::OK, "in"), "{challenge}");
        }
        let claims: Vec<_> = server.requests().iter().map(claimed).collect();
        assert_eq!(claims.len(), 3, "{challenge}");
        assert!(claims[0].is_none(), "{challenge}");
        let counts = |claim: &Option<Claim>| claim.as_ref().and_then(|claim| claim.get("nc").map(str::to_owned));
        if challenge.contains("qop") {
            assert_eq!(counts(&claims[1]).as_deref(), Some("00000001"));
            assert_eq!(counts(&claims[2]).as_deref(), Some("00000002"));
        }
    }
}

// H-DIG-02, through the layer: byte for byte what httplib2 sends, with 32 digits in place of its 16. From hashlib.
#[tokio::test]
async fn the_value_is_the_one_that_httplib2_sends() {
    let server = Server::new()
        .on("GET http://a.example/test/digest/", challenging(r#"Digest realm="myrealm", nonce="KBAA=35", qop="auth""#))
        .on("GET http://a.example/test/digest/", reply(200));
    let credentials = Credentials::new();
    credentials.add(Credential::login("joe", "password"));
    let layer = DigestAuthLayer::new(credentials).digest(Digest::new().nonce(FixedNonce::counting()));
    send(&layer, &server, "GET http://a.example/test/digest/").await.unwrap();
    let sent = server.requests()[1].headers()[header::AUTHORIZATION].clone();
    assert!(sent.is_sensitive());
    assert_eq!(
        sent.to_str().unwrap(),
        r#"Digest username="joe", realm="myrealm", nonce="KBAA=35", uri="/test/digest/", algorithm=MD5, response="447b5d19e06b874dfa860c434954b7e9", qop=auth, nc=00000001, cnonce="01010101010101010101010101010101""#
    );
}

// AUTH-21.
#[tokio::test]
async fn content_that_is_signed_is_sent_whole() {
    for (qop, name) in [("auth", "MD5"), ("auth-int", "MD5"), ("auth-int", "SHA-256")] {
        let challenge = format!(r#"Digest realm="r", nonce="n1", qop="{qop}", algorithm={name}"#);
        let server = Server::new()
            .on("POST http://a.example/x", challenging(&challenge))
            .on("POST http://a.example/x", reply(200));
        let client = joe().layer(server.clone());
        let body = Body::chunks(["the-", "body"]).pausing();
        client.oneshot(request("POST http://a.example/x").map(|_| body)).await.unwrap();
        let signed = &server.requests()[1];
        assert_eq!(signed.body(), "the-body");
        let claim = claimed(signed).unwrap();
        assert_eq!(claim.get("qop"), Some(qop));
        assert!(claim.is_right(&Known { algorithm: name, ..JOE }, "POST", "/x", b"the-body"), "{claim:?}");
    }
}

// H-DIG-11: one more send, and the new nonce stays.
#[tokio::test]
async fn a_stale_nonce_costs_one_more_send() {
    let server = Server::new()
        .on("GET http://a.example/", challenging(r#"Digest realm="r", nonce="n1", qop="auth""#))
        .on("GET http://a.example/", reply(200))
        .on("GET http://a.example/", challenging(r#"Digest realm="r", nonce="n2", qop="auth", stale=TRUE"#))
        .on("GET http://a.example/", reply(200));
    let layer = joe();
    for _ in 0..3 {
        assert_eq!(send(&layer, &server, "GET http://a.example/").await.unwrap().status(), 200);
    }
    let used =
        |received: &Received| claimed(received).map(|claim| (claim.get("nonce").unwrap().to_owned(), claim.count()));
    let nonces: Vec<_> = server.requests().iter().map(used).collect();
    let n = |nonce: &str, count| Some((nonce.to_owned(), count));
    assert_eq!(nonces, [None, n("n1", 1), n("n1", 2), n("n2", 1), n("n2", 2)]);
}

// AUTH-33, H-DIG-12.
#[tokio::test]
async fn the_next_nonce_is_taken_from_authentication_info() {
    let server = Server::new()
        .on("GET http://a.example/", challenging(r#"Digest realm="r", nonce="n1", qop="auth""#))
        .on("GET http://a.example/", reply(200).header("authentication-info", r#"nextnonce="n2""#));
    let layer = joe();
    for _ in 0..2 {
        send(&layer, &server, "GET http://a.example/").await.unwrap();
    }
    let last = claimed(&server.requests()[2]).unwrap();
    assert!(last.is_right(&Known { nonce: "n2", ..JOE }, "GET", "/", b"") && last.count() == 1, "{last:?}");
}

#[tokio::test]
async fn a_wrong_password_ends_with_the_challenge() {
    let server = guarded(r#"Digest realm="r", nonce="n1", qop="auth""#, Known { password: "other", ..JOE });
    let response = send(&joe(), &server, "GET http://a.example/").await.unwrap();
    assert_eq!((response.status(), server.saw().len()), (StatusCode::UNAUTHORIZED, 2));
}

#[tokio::test]
async fn a_server_that_calls_every_nonce_stale_is_given_up() {
    let mut number = 0;
    let server = Server::answering(move |_, _| {
        number += 1;
        challenging(&format!(r#"Digest realm="r", nonce="n{number}", qop="auth", stale=true"#))
    });
    let response = send(&joe(), &server, "GET http://a.example/").await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert!(server.saw().len() <= 4, "{:?}", server.saw());
}

// AUTH-08, AUTH-13, AUTH-16: nothing is signed, and the challenge is the caller's.
#[tokio::test]
async fn what_cannot_be_answered_goes_to_the_caller() {
    for (name, challenge) in [
        ("joe", r#"Digest realm="r", nonce="n1", qop="auth", algorithm=ROT13"#),
        ("joe", r#"Digest realm="r", nonce="n1", qop="auth-conf""#),
        ("u\r\nX-Evil: 1", r#"Digest realm="r", nonce="n1", qop="auth""#),
        ("u\r\nX-Evil: 1", r#"Digest realm="r", nonce="n1", qop="auth", userhash=true"#),
        ("joe", "Digest"),
        ("joe", "Digest nonce"),
        ("joe", "="),
        ("joe", r#"Digest realm="r"#),
        ("joe", "Digest realm=r nonce=n"),
        ("joe", r#"Digest nonce="n1", qop="auth""#),
        ("joe", r#"Digest realm="r", qop="auth""#),
        ("joe", r#"Digest realm="r", realm="s", nonce="n1", qop="auth""#),
        ("joe", r#"Basic realm="r""#),
        ("joe", r#"HMACDigest realm="r", snonce="n1""#),
    ] {
        let server = Server::new().on("GET http://a.example/", challenging(challenge));
        let layer = DigestAuthLayer::new(credentials(name));
        let response = send(&layer, &server, "GET http://a.example/").await.unwrap();
        assert_eq!((response.status(), server.saw().len()), (StatusCode::UNAUTHORIZED, 1), "{challenge}");
    }
}

// X-08, where RFC 7616 §3.7 leaves it to the order of the server.
#[tokio::test]
async fn of_several_algorithms_the_strongest_that_is_known_is_taken() {
    let known = Known { algorithm: "SHA-256", ..JOE };
    for order in [["ROT13", "SHA-256", "MD5"], ["MD5", "ROT13", "SHA-256"], ["ROT13", "MD5", "SHA-256"]] {
        let offer =
            order.map(|algorithm| format!(r#"Digest realm="r", nonce="n1", qop="auth", algorithm={algorithm}"#));
        let server = guarded(offer.join(", ").leak(), known.clone());
        assert_eq!(send(&joe(), &server, "GET http://a.example/").await.unwrap().status(), 200, "{order:?}");
    }
}

#[tokio::test]
async fn over_plain_http_a_weaker_algorithm_is_a_downgrade() {
    // Who asks for MD5 without qop, with a nonce of its choice, has tables for it (RFC 7616 §5.9).
    const STRONG: &str = r#"Digest realm="r", nonce="n1", qop="auth", algorithm=SHA-256"#;
    for (weak, scheme) in [
        (r#"Digest realm="r", nonce="n2""#, "http"),
        (r#"Digest realm="other", nonce="n2", qop="auth""#, "http"),
        (r#"Digest realm="r", nonce="n2", algorithm=SHA-256"#, "http"),
        (r#"Digest realm="r", nonce="n2""#, "https"),
    ] {
        let server = Server::answering(move |received, n| match (n, claimed(received)) {
            (0, _) => challenging(STRONG),
            (1, _) => reply(200),
            _ => challenging(weak),
        });
        let layer = joe();
        for _ in 0..3 {
            send(&layer, &server, &format!("GET {scheme}://a.example/")).await.unwrap();
        }
        let claims = server.requests().iter().skip(3).filter(|received| claimed(received).is_some()).count();
        assert_eq!(claims > 0, scheme == "https", "{weak} over {scheme}");
    }
}

// A server that has old and new parts in one realm.
#[tokio::test]
async fn each_part_of_a_realm_gets_the_algorithm_that_it_asks_for() {
    let server = Server::answering(|received, _| match (received.uri().path(), claimed(received)) {
        ("/odd", _) => challenging(r#"Digest realm="r", nonce="n1", qop="auth", algorithm=ROT13"#),
        (_, Some(_)) => reply(200),
        ("/old", _) => challenging(r#"Digest realm="r", nonce="n1", qop="auth", domain="/old""#),
        _ => challenging(r#"Digest realm="r", nonce="n1", qop="auth", domain="/new", algorithm=SHA-256"#),
    });
    let layer = joe();
    for path in ["/old", "/odd", "/new", "/old", "/new"] {
        send(&layer, &server, &format!("GET http://a.example{path}")).await.unwrap();
    }
    let sent: Vec<_> = server
        .requests()
        .iter()
        .map(|received| {
            let value = received.headers().get("authorization").map_or("-", |value| value.to_str().unwrap());
            let algorithm = value.split("algorithm=").nth(1).map_or("-", |rest| rest.split(',').next().unwrap());
            format!("{} {algorithm}", received.uri().path())
        })
        .collect();
    assert_eq!(sent, ["/old -", "/old MD5", "/odd -", "/new -", "/new SHA-256", "/old MD5", "/new SHA-256"]);
}

#[tokio::test]
async fn a_stale_nonce_is_found_among_several_challenges() {
    let offer = |nonce: &str, extra: &str| {
        challenging(&format!(
            r#"Digest realm="r", nonce="{nonce}x", qop="auth", algorithm=SHA-512, Digest realm="r", nonce="{nonce}", qop="auth", algorithm=SHA-256{extra}, Digest realm="r", nonce="{nonce}y", qop="auth"{extra}"#
        ))
    };
    let server = Server::new()
        .on("GET http://a.example/", offer("n1", ""))
        .on("GET http://a.example/", offer("n2", ", stale=true"))
        .on("GET http://a.example/", reply(200));
    send(&joe(), &server, "GET http://a.example/").await.unwrap();
    let last = claimed(&server.requests()[2]).unwrap();
    assert!(last.is_right(&Known { nonce: "n2", algorithm: "SHA-256", ..JOE }, "GET", "/", b""), "{last:?}");
}

// A server whose algorithm changes while the client lives.
#[tokio::test]
async fn a_new_algorithm_is_answered_anew() {
    let server = Server::new()
        .on("GET http://a.example/", challenging(r#"Digest realm="r", nonce="n1", qop="auth""#))
        .on("GET http://a.example/", reply(200))
        .on("GET http://a.example/", challenging(r#"Digest realm="r", nonce="n1", qop="auth", algorithm=SHA-256"#))
        .on("GET http://a.example/", reply(200));
    let layer = joe();
    for _ in 0..2 {
        assert_eq!(send(&layer, &server, "GET http://a.example/").await.unwrap().status(), 200);
    }
    let last = claimed(&server.requests()[3]).unwrap();
    assert!(last.is_right(&Known { algorithm: "SHA-256", ..JOE }, "GET", "/", b""), "{last:?}");
}

// AUTH-32.
#[tokio::test]
async fn an_answer_that_proves_nothing_fails_who_asks_for_proof() {
    for (is_honest, mutual, expected) in [(true, true, true), (false, true, false), (false, false, true)] {
        let server = Server::answering(move |received, _| match claimed(received) {
            Some(claim) if is_honest => {
                reply(200).header("authentication-info", format!(r#"rspauth="{}""#, claim.rspauth(&JOE)))
            }
            Some(_) => reply(200).header("authentication-info", r#"rspauth="wrong""#),
            None => challenging(r#"Digest realm="r", nonce="n1", qop="auth""#),
        });
        let layer = joe().digest(Digest::new().mutual(mutual));
        let result = send(&layer, &server, "GET http://a.example/").await;
        assert_eq!(result.is_ok(), expected, "{is_honest} {mutual}");
        if let Err(error) = result {
            let unproven = cause_ref::<AuthError>(&*error);
            assert!(matches!(unproven, Some(AuthError::Unproven { scheme: "digest", .. })), "{error}");
            assert!(!error.to_string().contains("joe"), "{error}");
        }
    }
}

// RFC 7616 §3.3: inside the domain it is signed, outside it is not.
#[tokio::test]
async fn the_domain_says_what_is_signed_in_advance() {
    let server = guarded(r#"Digest realm="r", nonce="n1", qop="auth", domain="/a /b""#, JOE);
    let layer = joe();
    for path in ["a/1", "b/1", "c"] {
        send(&layer, &server, &format!("GET http://a.example/{path}")).await.unwrap();
    }
    let saw = server.saw();
    assert_eq!(saw.iter().filter(|line| line.ends_with("/b/1")).count(), 1, "{saw:?}");
    assert_eq!(saw.iter().filter(|line| line.ends_with("/c")).count(), 2, "{saw:?}");
}

#[tokio::test]
async fn many_at_once_cost_one_challenge_and_share_no_count() {
    let highest = Arc::new(AtomicU32::new(0));
    let seen = Arc::clone(&highest);
    let server = Server::answering(move |received, _| match claimed(received) {
        Some(claim) => {
            assert!(claim.is_right(&JOE, "GET", "/", b""));
            seen.fetch_max(claim.count(), Ordering::Relaxed);
            reply(200)
        }
        None => challenging(r#"Digest realm="r", nonce="n1", qop="auth""#),
    })
    .hesitating();
    let layer = joe();
    let answers = stream::iter(0..200).map(|_| send(&layer, &server, "GET http://a.example/")).buffer_unordered(16);
    answers.for_each(|answer| async { assert_eq!(answer.unwrap().status(), 200) }).await;
    assert_eq!((server.saw().len(), highest.load(Ordering::Relaxed)), (201, 200));
}

// H-HMAC-05, and that it is off unless it is added.
#[tokio::test]
async fn hmacdigest_is_answered_by_a_layer_that_was_given_it() {
    let server = Server::new()
        .on("GET http://a.example/x", challenging(r#"HMACDigest realm="r", snonce="S1""#))
        .on("GET http://a.example/x", challenging(r#"HMACDigest realm="r", snonce="S2", reason=stale"#))
        .on("GET http://a.example/x", reply(200));
    let scheme = HmacDigest::new().clock(FixedClock::default()).nonce(FixedNonce::counting());
    let layer = AuthLayer::new(credentials("joe")).scheme(Digest::new()).scheme(scheme);
    let response = layer.layer(server.clone()).oneshot(request("GET http://a.example/x")).await.unwrap();
    assert_eq!(response.status(), 200);
    let sent = |n: usize| server.requests()[n].headers()[header::AUTHORIZATION].to_str().unwrap().to_owned();
    assert!(sent(1).starts_with(r#"HMACDigest username="joe", realm="r", snonce="S1", cnonce="0101"#));
    assert!(sent(2).starts_with(r#"HMACDigest username="joe", realm="r", snonce="S2", cnonce="0202"#));
}
