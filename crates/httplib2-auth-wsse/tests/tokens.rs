//! What servers see of WSSE, and what callers get.

use http::StatusCode;
use httplib2_auth::{Authentication, CannotAnswer, Credential, Credentials, RequestCredentials, Unanswered};
use httplib2_auth_wsse::{NonceForm, Wsse, WsseAuthLayer};
use httplib2_core::{body::Once, context::Journal, who::Origin};
use httplib2_testing::{Body, FixedClock, FixedNonce, Received, Reply, Server, reply, request, text};
use tower::{Layer, ServiceExt};

const CHALLENGE: &str = "WSSE realm=\"foo\", profile=\"UsernameToken\"";

/// 2003-12-15T14:43:07Z.
const TIME: u64 = 1_071_499_387;

// The digests are b64encode(hashlib.sha1(bytes([n] * 16) + b"2003-12-15T14:43:07Z" + b"s3cret").digest()) for the n-th
// nonce, which has 16 bytes n.
const TOKENS: [&str; 3] = [
    r#"UsernameToken Username="joe", PasswordDigest="FMxkWyUrO0ot0cSGIOUqz0FnDQM=", Nonce="AQEBAQEBAQEBAQEBAQEBAQ==", Created="2003-12-15T14:43:07Z""#,
    r#"UsernameToken Username="joe", PasswordDigest="SQDfr0yNBdtXa5PxSWJoyXoYjyQ=", Nonce="AgICAgICAgICAgICAgICAg==", Created="2003-12-15T14:43:07Z""#,
    r#"UsernameToken Username="joe", PasswordDigest="m3JtwfxeC9xwBC6abOYprfw1BFc=", Nonce="AwMDAwMDAwMDAwMDAwMDAw==", Created="2003-12-15T14:43:07Z""#,
];

fn layer_of(credential: Credential) -> WsseAuthLayer {
    let credentials = Credentials::new();
    credentials.add(credential);
    WsseAuthLayer::new(credentials).wsse(wsse())
}

fn layer() -> WsseAuthLayer {
    layer_of(Credential::login("joe", "s3cret"))
}

fn wsse() -> Wsse {
    Wsse::new().clock(FixedClock::at_unix(TIME)).nonce(FixedNonce::counting())
}

/// Challenges whoever brings no token, and lets in whoever brings the next one of `tokens`.
fn guarded(tokens: &'static [&'static str]) -> Server {
    let mut tokens = tokens.iter();
    Server::answering(move |received, _| match token(received) {
        None => challenge(CHALLENGE),
        Some(token) if Some(&token) == tokens.next() => reply(200).body("in"),
        Some(_) => reply(403),
    })
}

fn challenge(line: &str) -> Reply {
    reply(401).header("www-authenticate", line)
}

/// The token of a request, if it has both fields, each once.
fn token(received: &Received) -> Option<&str> {
    let once = |name| {
        let mut values = received.headers().get_all(name).iter();
        values.next().filter(|_| values.next().is_none())?.to_str().ok()
    };
    once("authorization").filter(|value| *value == "WSSE profile=\"UsernameToken\"")?;
    once("x-wsse")
}

fn reason(response: &http::Response<Body>) -> &Unanswered {
    let fact = response.extensions().get::<Authentication>();
    fact.and_then(Authentication::unanswered).expect("a challenge that was not answered")
}

#[tokio::test(start_paused = true)]
async fn a_challenge_is_answered_and_later_requests_bring_a_token_of_their_own() {
    // AUTH-25, H-WSSE-01.
    let server = guarded(&TOKENS);
    let client = layer().layer(server.clone());
    for path in ["x", "x", "y"] {
        let response = client.clone().oneshot(request(&format!("GET http://a.example/{path}"))).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(text(response).await.unwrap(), "in");
    }
    let x = "GET http://a.example/x";
    assert_eq!(server.saw(), [x, x, x, "GET http://a.example/y"]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_challenges_gets_a_token_in_advance() {
    // H-WSSE-04.
    let server = Server::answering(|received, _| match token(received) {
        Some(token) if TOKENS.contains(&token) => reply(200),
        _ => reply(403),
    });
    let client = layer().in_advance(true).layer(server.clone());
    for _ in 0..3 {
        let response = client.clone().oneshot(request("GET http://a.example/")).await.unwrap();
        assert_eq!(response.status(), 200);
        let fact = response.extensions().get::<Authentication>().unwrap();
        assert_eq!((fact.scheme(), fact.challenges()), (Some("wsse"), 0));
    }
    let seen: Vec<_> = server.requests().iter().map(|received| token(received).unwrap().to_owned()).collect();
    assert_eq!(seen, TOKENS);
}

#[tokio::test(start_paused = true)]
async fn without_a_challenge_nothing_is_signed_by_default() {
    for layer in [layer(), layer().in_advance(true).in_advance(false)] {
        let server = Server::new().on("GET http://a.example/", reply(403));
        let response = layer.layer(server.clone()).oneshot(request("GET http://a.example/")).await.unwrap();
        assert_eq!(response.status(), 403);
        assert!(server.requests()[0].headers().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn one_request_can_be_signed_in_advance_and_only_for_its_origin() {
    let server = guarded(&TOKENS);
    let client = WsseAuthLayer::new(Credentials::new()).wsse(wsse()).layer(server.clone());
    for (uri, status) in [("http://a.example/", 200), ("http://b.example/", 401)] {
        let origin = Origin::of(&"http://a.example/".parse().unwrap()).unwrap();
        let mut request = request(&format!("GET {uri}"));
        let login = Credential::login("joe", "s3cret");
        request.extensions_mut().insert(RequestCredentials::new(origin, login).in_advance(true));
        assert_eq!(client.clone().oneshot(request).await.unwrap().status(), status, "{uri}");
    }
    assert!(
        server
            .requests()
            .iter()
            .all(|received| received.uri().host() == Some("a.example") || token(received).is_none())
    );
}

#[tokio::test(start_paused = true)]
async fn the_form_of_the_nonce_can_be_chosen() {
    // H-WSSE-03. The digest is that of b"01" * 16.
    const PLAIN: [&str; 1] = [
        r#"UsernameToken Username="joe", PasswordDigest="Yk50pWBoqQrXGEM48Uoi4M/SiQ8=", Nonce="01010101010101010101010101010101", Created="2003-12-15T14:43:07Z""#,
    ];
    let layer = layer().wsse(wsse().nonce_form(NonceForm::Plain));
    let response = layer.layer(guarded(&PLAIN)).oneshot(request("GET http://a.example/")).await.unwrap();
    assert_eq!(response.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_password_that_is_refused_is_not_tried_for_ever() {
    // AUTH-02.
    let server = Server::new().on("GET http://a.example/", challenge(CHALLENGE));
    let response = layer().layer(server.clone()).oneshot(request("GET http://a.example/")).await.unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!(*reason(&response), Unanswered::Rejected("wsse"));
    assert!(server.saw().len() <= 3, "{:?}", server.saw());
    let mut tokens: Vec<_> =
        server.requests().iter().filter_map(|received| token(received).map(String::from)).collect();
    let sent = tokens.len();
    tokens.dedup();
    assert_eq!(tokens.len(), sent);
}

#[tokio::test(start_paused = true)]
async fn a_second_login_is_tried_when_the_first_is_refused() {
    // `Authorization` says the same for both of them: it is the token that tells them apart.
    let credentials = Credentials::new();
    credentials.add(Credential::login("jim", "s3cret"));
    credentials.add(Credential::login("joe", "s3cret"));
    for in_advance in [false, true] {
        let server = Server::answering(|received, _| match token(received) {
            Some(token) if token.contains("Username=\"joe\"") => reply(200),
            _ => challenge(CHALLENGE),
        });
        let layer = WsseAuthLayer::new(credentials.clone()).wsse(wsse()).in_advance(in_advance);
        let response = layer.layer(server.clone()).oneshot(request("GET http://a.example/")).await.unwrap();
        assert_eq!(response.status(), 200, "in advance: {in_advance}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_with_a_line_break_leaves_the_challenge_unanswered() {
    // AUTH-27.
    for layer in [layer_of(Credential::login("u\r\nX-Evil: 1", "s3cret")), layer_of(Credential::token("s3cret"))] {
        for layer in [layer.clone(), layer.in_advance(true)] {
            let server = guarded(&TOKENS);
            let response = layer.layer(server.clone()).oneshot(request("GET http://a.example/")).await.unwrap();
            assert_eq!(response.status(), 401);
            assert!(
                matches!(reason(&response), Unanswered::Unsuitable { scheme: "wsse", .. }),
                "{:?}",
                reason(&response)
            );
            assert_eq!(server.saw().len(), 1);
            assert!(server.requests()[0].headers().is_empty());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn another_profile_and_another_scheme_are_handed_back() {
    for (line, expected) in [
        ("WSSE profile=\"X509\"", CannotAnswer::Unsupported("the profile \"X509\"".into()).to_string()),
        ("Basic realm=\"foo\"", "only basic".into()),
    ] {
        let server = Server::new().on("GET http://a.example/", challenge(line));
        let response = layer().layer(server.clone()).oneshot(request("GET http://a.example/")).await.unwrap();
        assert_eq!(response.status(), 401);
        assert!(
            reason(&response).to_string().to_lowercase().ends_with(&expected.to_lowercase()),
            "{:?}",
            reason(&response)
        );
        assert_eq!(server.saw().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_is_sent_again_and_one_that_cannot_be_leaves_the_challenge_unanswered() {
    let server = guarded(&TOKENS);
    let client = layer().layer(server.clone());
    let whole = request("POST http://a.example/").map(|_| Body::from("text"));
    assert_eq!(client.oneshot(whole).await.unwrap().status(), 200);
    let bodies: Vec<_> = server.requests().iter().map(|received| received.body().clone()).collect();
    assert_eq!(bodies, ["text", "text"]);

    let client = layer().layer(guarded(&TOKENS));
    let gone = request("POST http://a.example/").map(|_| Once::new(Body::from("text")));
    let response = client.oneshot(gone).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(*reason(&response), Unanswered::BodyGone);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_not_set_signs_nothing_and_says_so() {
    let before_1970 = std::time::UNIX_EPOCH - std::time::Duration::from_secs(1);
    let layer = layer().wsse(wsse().clock(FixedClock::at(before_1970)));
    let server = guarded(&TOKENS);
    let response = layer.layer(server.clone()).oneshot(request("GET http://a.example/")).await.unwrap();
    assert_eq!(response.status(), 401);
    assert!(matches!(reason(&response), Unanswered::Unsigned { scheme: "wsse", .. }), "{:?}", reason(&response));
    assert!(server.requests().iter().all(|received| received.headers().is_empty()));
}

#[tokio::test(start_paused = true)]
async fn tokens_are_sensitive_and_no_secret_is_told() {
    let (server, journal) = (guarded(&TOKENS), Journal::default());
    let layer = layer();
    let mut request = request("GET http://a.example/");
    request.extensions_mut().insert(journal.clone());
    let response = layer.layer(server.clone()).oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);

    let signed = &server.requests()[1];
    assert!(signed.headers()["x-wsse"].is_sensitive() && signed.headers()["authorization"].is_sensitive());
    let fact = response.extensions().get::<Authentication>().unwrap();
    let told = format!("{layer:?} {fact:?} {:?} {:?}", journal.lines(), signed.headers());
    assert!(told.contains("wsse for"), "{told}");
    for secret in ["joe", "s3cret", "PasswordDigest", "AQEBAQEBAQEBAQEBAQEBAQ"] {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
}
