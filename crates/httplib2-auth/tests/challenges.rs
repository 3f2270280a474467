//! Which challenges are answered, and what comes back when they are not.

mod common;

use common::{Ticket, U_P, challenging, client, door, fact, layer, login, send, signatures, try_send, u_p, unanswered};
use http::HeaderValue;
use httplib2_auth::{
    AuthLayer, Basic, Bearer, CannotAnswer, Credential, Credentials, InAdvance, Order, Scheme, SignError, Signer,
    Space, Unanswered, Unsigned,
};
use httplib2_core::{body::DiscardLimits, context::Journal};
use httplib2_syntax::challenge::Challenge;
use httplib2_testing::{Body, Server, reply, request, text};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tower::Layer;

const BASIC: &str = "Basic realm=\"r\"";
const TICKET: &str = "Ticket realm=\"r\", nonce=\"n\"";

#[tokio::test]
async fn a_challenge_is_answered_once_and_invisible_to_the_caller() {
    // AUTH-01, H-REQ-22.
    let server = door(U_P, BASIC);
    let response = send(&client(&u_p(), &server), "GET http://a.example/x").await;
    assert_eq!(signatures(&server), ["-", U_P]);
    assert_eq!(fact(&response).to_string(), "basic for \"r\", after 1 challenge");
    assert_eq!((fact(&response).scheme(), fact(&response).realm()), (Some("basic"), Some(&b"r"[..])));
    assert_eq!(fact(&response).challenges(), 1);
    assert_eq!(unanswered(&response), None);
    assert_eq!(text(response).await.unwrap(), "in");
}

#[tokio::test]
async fn a_refused_password_is_sent_once_and_the_401_comes_back() {
    // AUTH-02, RFC 9110 §15.5.2.
    let server = door("never", BASIC);
    let response = send(&client(&u_p(), &server), "GET http://a.example/x").await;
    assert_eq!(signatures(&server), ["-", U_P]);
    assert_eq!(response.status(), 401);
    assert_eq!(unanswered(&response), Some(&Unanswered::Rejected("basic")));
    assert_eq!(
        fact(&response).to_string(),
        "basic for \"r\", after 1 challenge, not answered: basic was answered and refused"
    );
}

#[tokio::test]
async fn a_server_that_refuses_for_ever_never_sees_a_credential_more_than_three_times() {
    // AUTH-02: whatever it says, new realms and stale nonces included.
    let hostile: [fn(usize) -> String; 5] = [
        |n| format!("Ticket realm=\"{n}\", nonce=\"n\""),
        |n| format!("Ticket realm=\"r\", nonce=\"{n}\", stale=true"),
        |n| format!("Ticket realm=\"{n}\", nonce=\"{n}\", stale=true"),
        |n| format!("Ticket realm=\"{}\", nonce=\"{n}\", stale={}", n.min(1), n > 1),
        |n| format!("Ticket realm=\"{}\", nonce=\"{n}\", stale={}", n % 2, n % 3 == 0),
    ];
    for (number, challenge) in hostile.into_iter().enumerate() {
        let server = Server::answering(move |received, n| match received.uri().path() {
            "/in" if common::authorization(received).is_some() => reply(200),
            _ => challenging(&challenge(n)),
        });
        let client = client(&u_p(), &server);
        for path in ["/x", "/x", "/in", "/x", "/x"] {
            let before = server.saw().len();
            send(&client, &format!("GET http://a.example{path}")).await;
            let sends = server.saw().len() - before;
            assert!(sends <= 3, "{path}, server {number}: {sends} sends");
        }
    }
}

#[tokio::test]
async fn a_stale_signature_is_renewed_once_whatever_is_allowed() {
    let server = Server::answering(|received, n| match common::authorization(received) {
        None => challenging(TICKET),
        Some(_) if n == 1 => reply(200),
        Some(_) => challenging(&format!("Ticket realm=\"r\", nonce=\"n{n}\", stale=true")),
    });
    let client = layer(&u_p()).allow_downgrade(true).max_answers(100).layer(server.clone());
    send(&client, "GET http://a.example/x").await;
    let response = send(&client, "GET http://a.example/x").await;
    // In advance, renewed, and answered afresh.
    assert_eq!(server.saw().len(), 2 + 3);
    assert_eq!(unanswered(&response), Some(&Unanswered::Rejected("ticket")));
}

#[tokio::test]
async fn the_strongest_offer_is_answered_wherever_it_stands() {
    // AUTH-05, AUTH-18, H-AUTH-03: on one line or several.
    for lines in
        [&["Basic realm=\"r\", Ticket realm=\"r\", nonce=\"n\""][..], &[BASIC, TICKET], &["Newauth x=1", BASIC, TICKET]]
    {
        let server = Server::answering(move |received, _| match common::authorization(received) {
            None => lines.iter().fold(reply(401), |reply, line| reply.header("www-authenticate", *line)),
            Some(_) => reply(200),
        });
        send(&client(&u_p(), &server), "GET http://a.example/x").await;
        assert_eq!(signatures(&server), ["-", "Ticket u:n:1"]);
    }
}

#[tokio::test]
async fn offers_are_answered_in_the_order_of_the_layer_if_it_says_so() {
    let server = door(U_P, "Ticket realm=\"r\", nonce=\"n\", Basic realm=\"r\"");
    let layer =
        AuthLayer::new(u_p()).scheme(Basic).scheme(Ticket::default()).secrets_over_http(true).order(Order::AsAdded);
    send(&layer.layer(server.clone()), "GET http://a.example/x").await;
    assert_eq!(signatures(&server), ["-", U_P]);
}

#[tokio::test]
async fn no_weaker_offer_is_answered_after_a_stronger_one_was_refused() {
    // H-AUTH-03, H-SEC-10, RFC 7616 §5.7.
    let challenge = "Ticket realm=\"r\", nonce=\"n\", Basic realm=\"r\"";
    let server = door(U_P, challenge);
    let response = send(&client(&u_p(), &server), "GET http://a.example/x").await;
    assert_eq!(signatures(&server), ["-", "Ticket u:n:1"]);
    assert_eq!(fact(&response).reasons(), [Unanswered::Rejected("ticket"), Unanswered::Downgrade("basic")]);

    // Also when the stronger offer is gone by then.
    let server = Server::answering(|received, _| match common::authorization(received) {
        None => challenging(TICKET),
        Some(_) => challenging(BASIC),
    });
    send(&client(&u_p(), &server), "GET http://a.example/x").await;
    assert_eq!(signatures(&server), ["-", "Ticket u:n:1"]);

    let server = door(U_P, challenge);
    let response = send(&layer(&u_p()).allow_downgrade(true).layer(server.clone()), "GET http://a.example/x").await;
    assert_eq!(signatures(&server), ["-", "Ticket u:n:1", U_P]);
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn a_stronger_offer_that_cannot_be_answered_hinders_no_other_one() {
    // AUTH-08: what is not understood is not answered as if it were something else.
    let server = door(U_P, "Ticket realm=\"r\", nonce=\"n\", kind=\"odd\", Basic realm=\"r\"");
    let response = send(&client(&u_p(), &server), "GET http://a.example/x").await;
    assert_eq!(signatures(&server), ["-", U_P]);
    assert_eq!(response.status(), 200);

    let server = door("never", "Ticket realm=\"r\", nonce=\"n\", kind=\"odd\"");
    let response = send(&client(&u_p(), &server), "GET http://a.example/x").await;
    assert_eq!(signatures(&server), ["-"]);
    let what = "the kind odd".to_owned();
    assert_eq!(unanswered(&response), Some(&Unanswered::Unsupported { scheme: "ticket", what }));
}

#[tokio::test]
async fn of_several_offers_of_one_scheme_the_first_that_is_understood_is_answered() {
    // H-AUTH-05, RFC 7616 §3.7.
    let server = door(
        "Ticket u:b:1",
        "Ticket realm=\"r\", nonce=\"a\", kind=\"odd\", Ticket realm=\"r\", nonce=\"b\", Ticket realm=\"r\", nonce=\"c\"",
    );
    let response = send(&client(&u_p(), &server), "GET http://a.example/x").await;
    assert_eq!(response.status(), 200);
    assert_eq!(signatures(&server), ["-", "Ticket u:b:1"]);
}

#[tokio::test]
async fn credentials_are_tried_in_their_order_those_for_the_domain_first() {
    // H-AUTH-03.
    let credentials = Credentials::new();
    credentials.add(Credential::login("all", ""));
    credentials.add_for("a.example", Credential::login("one", "")).unwrap();
    credentials.add_for("b.example", Credential::login("other", "")).unwrap();
    credentials.add_for("a.example:80", Credential::login("two", "")).unwrap();
    let server = door("never", TICKET);
    let response = send(&client(&credentials, &server), "GET http://a.example/x").await;
    assert_eq!(signatures(&server), ["-", "Ticket one:n:1", "Ticket two:n:1", "Ticket all:n:1"]);
    assert_eq!(fact(&response).challenges(), 3);
}

#[tokio::test]
async fn no_more_challenges_are_answered_than_allowed() {
    let credentials = Credentials::new();
    for name in ["a", "b", "c", "d", "e", "f"] {
        credentials.add(Credential::login(name, ""));
    }
    let server = door("never", TICKET);
    let response = send(&client(&credentials, &server), "GET http://a.example/x").await;
    assert_eq!(server.saw().len(), 5);
    assert_eq!(unanswered(&response), Some(&Unanswered::Limit(4)));

    let server = door("never", TICKET);
    let response = send(&layer(&credentials).max_answers(1).layer(server.clone()), "GET http://a.example/x").await;
    assert_eq!(server.saw().len(), 2);
    assert_eq!(unanswered(&response), Some(&Unanswered::Limit(1)));
}

#[tokio::test]
async fn credentials_of_one_origin_are_not_used_at_another() {
    // AUTH-23, trap 55, H-AUTH-04.
    let credentials = Credentials::new();
    credentials.add_for("http://a.example", login()).unwrap();
    for (uri, signs) in [
        ("http://a.example/x", true),
        ("http://a.example:8080/x", false),
        ("https://a.example/x", false),
        ("http://b.example/x", false),
        ("http://a.example.b.example/x", false),
    ] {
        let server = door(U_P, BASIC);
        let response = send(&client(&credentials, &server), &format!("GET {uri}")).await;
        assert_eq!(signatures(&server).len(), if signs { 2 } else { 1 }, "{uri}");
        assert_eq!(response.status(), if signs { 200 } else { 401 }, "{uri}");
        if !signs {
            assert_eq!(unanswered(&response), Some(&Unanswered::NoCredentials));
        }
    }
}

#[tokio::test]
async fn basic_is_not_answered_over_plain_http_unless_the_layer_is_told_so() {
    let layer = AuthLayer::new(u_p()).scheme(Basic).scheme(Ticket::default());
    let server = door(U_P, BASIC);
    let response = send(&layer.layer(server.clone()), "GET http://a.example/x").await;
    assert_eq!(signatures(&server), ["-"]);
    assert_eq!(unanswered(&response), Some(&Unanswered::Insecure("basic")));

    let server = door(U_P, BASIC);
    send(&layer.layer(server.clone()), "GET https://a.example/x").await;
    assert_eq!(signatures(&server), ["-", U_P]);

    let server = door("Ticket u:n:1", TICKET);
    send(&layer.layer(server.clone()), "GET http://a.example/x").await;
    assert_eq!(signatures(&server), ["-", "Ticket u:n:1"]);
    assert!(server.requests()[1].headers()["authorization"].is_sensitive(), "whatever the scheme says");
}

#[tokio::test]
async fn the_callers_own_authorization_goes_out_as_it_is() {
    // H-REQ-20.
    let server = door(U_P, BASIC);
    let client = client(&u_p(), &server);
    send(&client, "GET http://a.example/x").await;
    let mut own = request("GET http://a.example/x");
    own.headers_mut().insert("authorization", HeaderValue::from_static("Custom mine"));
    let response = try_send(&client, own).await.unwrap();
    assert_eq!(signatures(&server)[2..], ["Custom mine"]);
    assert_eq!(response.status(), 401);
}

#[tokio::test]
async fn unknown_schemes_are_skipped_and_told() {
    // AUTH-28, H-AUTH-22, RFC 9110 §11.4.
    let server = Server::answering(|_, _| {
        reply(401)
            .header("www-authenticate", "Negotiate")
            .header("www-authenticate", "NTLM, Foo bar==")
            .header("www-authenticate", "negotiate abc=")
    });
    let response = send(&client(&u_p(), &server), "GET http://a.example/x").await;
    assert_eq!(signatures(&server), ["-"]);
    assert_eq!(unanswered(&response), Some(&Unanswered::UnknownSchemes("negotiate, ntlm, foo".into())));
}

#[tokio::test]
async fn a_malformed_challenge_is_a_401_and_no_error() {
    // AUTH-16, H-AUTH-02, H-AUTH-21.
    for (value, expected) in [
        ("Ticket", Unanswered::Malformed { scheme: "ticket", what: "it has no realm" }),
        ("=", Unanswered::NoChallenge),
        ("Ticket nonce", Unanswered::Malformed { scheme: "ticket", what: "it has no realm" }),
        ("Basic realm=\"x", Unanswered::NoChallenge),
        (",,,", Unanswered::NoChallenge),
        ("", Unanswered::NoChallenge),
        ("\"Basic\" realm=\"x\"", Unanswered::NoChallenge),
    ] {
        let server = Server::answering(move |_, _| challenging(value).body("who?"));
        let response = send(&client(&u_p(), &server), "GET http://a.example/x").await;
        assert_eq!(signatures(&server), ["-"], "{value}");
        assert_eq!(unanswered(&response), Some(&expected), "{value}");
        assert_eq!(text(response).await.unwrap(), "who?");
    }
    let server = Server::answering(|_, _| reply(401));
    let response = send(&client(&u_p(), &server), "GET http://a.example/x").await;
    assert_eq!(unanswered(&response), Some(&Unanswered::NoChallenge));
}

#[tokio::test]
async fn hostile_challenges_take_no_time_and_little_room() {
    // AUTH-15, H-SEC-03.
    for value in [
        [b"Ticket ".to_vec(), vec![0xa0; 60_000]].concat(),
        [b"Ticket realm=\"".to_vec(), b"a\\\"".repeat(20_000)].concat(),
        [b"Basic x=y".to_vec(), b", ".repeat(20_000)].concat(),
        b"x".repeat(60_000),
        [b"Basic realm=".to_vec(), b"x".repeat(60_000)].concat(),
        [b"Ticket realm=r, nonce=n, kind=".to_vec(), b"x".repeat(60_000)].concat(),
        b"Foo, Bar, Baz, ".repeat(4_000),
    ] {
        let value = HeaderValue::from_bytes(&value).unwrap();
        let server = Server::answering(move |received, _| match common::authorization(received) {
            None => reply(401).header("www-authenticate", value.clone()),
            Some(_) => reply(200),
        });
        let response = send(&client(&u_p(), &server), "GET http://a.example/x").await;
        assert!(server.saw().len() <= 2);
        let told = fact(&response).to_string();
        assert!(told.len() < 500, "{} bytes", told.len());
    }
}

#[tokio::test]
async fn a_name_that_would_inject_a_field_is_not_sent() {
    // AUTH-13, CWE-93.
    let credentials = Credentials::new();
    credentials.add(Credential::login("u\r\nX-Evil: 1", "p"));
    let server = door(U_P, BASIC);
    let response = send(&client(&credentials, &server), "GET http://a.example/x").await;
    assert_eq!(signatures(&server), ["-"]);
    let why = "the name has a control character";
    assert_eq!(unanswered(&response), Some(&Unanswered::Unsuitable { scheme: "basic", why }));
    // A scheme that lets it through fails on the field value.
    let server = door(U_P, TICKET);
    let response = send(&client(&credentials, &server), "GET http://a.example/x").await;
    assert_eq!(signatures(&server), ["-"]);
    let why = SignError("it is no field value");
    assert_eq!(unanswered(&response), Some(&Unanswered::Unsigned { scheme: "ticket", why }));
}

#[tokio::test]
async fn tokens_answer_bearer_and_logins_answer_basic() {
    let credentials = Credentials::new();
    credentials.add(Credential::token("t0k"));
    credentials.add(login());
    let server = door("Bearer t0k", "Bearer, Basic realm=\"r\"");
    send(&client(&credentials, &server), "GET http://a.example/x").await;
    assert_eq!(signatures(&server), ["-", "Bearer t0k"]);
    let server = door(U_P, BASIC);
    send(&client(&credentials, &server), "GET http://a.example/x").await;
    assert_eq!(signatures(&server), ["-", U_P]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_given_up_is_read_within_limits_before_the_next_send() {
    // Trap 44: read to its end it leaves its connection for the next send.
    let server = Server::new()
        .on("GET http://a.example/x", challenging(BASIC).stalling())
        .on("GET http://a.example/x", reply(200));
    let limits = DiscardLimits::new(10, Duration::from_millis(300));
    let client = layer(&u_p()).discard_limits(limits).layer(server);
    let begun = tokio::time::Instant::now();
    assert_eq!(send(&client, "GET http://a.example/x").await.status(), 200);
    assert_eq!(begun.elapsed(), Duration::from_millis(300));
}

#[tokio::test]
async fn what_was_decided_is_in_the_journal_without_names() {
    let journal = Journal::default();
    let mut journaled = request("GET http://a.example/x");
    journaled.extensions_mut().insert(journal.clone());
    try_send(&client(&u_p(), &door(U_P, BASIC)), journaled).await.unwrap();
    let lines: Vec<_> = journal.lines().iter().map(ToString::to_string).collect();
    let exposed = "auth: basic shows the secret to everybody on the way: http://a.example is plain http";
    assert_eq!(lines, [exposed, "auth: basic for \"r\", after 1 challenge"]);
}

#[tokio::test]
async fn what_needed_no_credentials_says_nothing() {
    let server = Server::new().on("GET http://a.example/x", reply(200));
    let response = send(&client(&u_p(), &server), "GET http://a.example/x").await;
    assert!(response.extensions().get::<httplib2_auth::Authentication>().is_none());
}

#[tokio::test]
async fn an_error_of_the_second_send_passes_with_its_type() {
    let server = Server::new()
        .on("GET http://a.example/x", challenging(BASIC))
        .on("GET http://a.example/x", httplib2_testing::Reply::failing(|| httplib2_testing::Broken));
    let error = try_send(&client(&u_p(), &server), request("GET http://a.example/x")).await.unwrap_err();
    assert!(error.is::<httplib2_testing::Broken>());
}

#[tokio::test]
async fn a_scheme_that_is_added_twice_is_the_last_one() {
    let layer = AuthLayer::new(u_p()).scheme(Ticket::default()).scheme(Bearer).scheme(Ticket { wants_proof: true });
    let server = door("Ticket u:n:1", TICKET);
    let error = try_send(&layer.layer(server), request("GET http://a.example/x")).await.unwrap_err();
    assert!(error.is::<httplib2_auth::AuthError>());
}

#[tokio::test]
async fn a_server_that_does_not_prove_itself_fails_the_exchange() {
    // AUTH-32, RFC 7616 §3.5.
    let layer = AuthLayer::new(u_p()).scheme(Ticket { wants_proof: true });
    for (info, is_proof) in
        [(&["proof=yes"][..], true), (&["proof=no"], false), (&[], false), (&["a=b", "proof=\"yes\""], true)]
    {
        let server = Server::answering(move |received, _| match common::authorization(received) {
            None => challenging(TICKET),
            Some(_) => info.iter().fold(reply(200), |reply, line| reply.header("authentication-info", *line)),
        });
        let result = try_send(&layer.layer(server), request("GET http://a.example/x")).await;
        match result {
            Ok(response) => assert!(is_proof && response.status() == 200),
            Err(error) => {
                assert!(!is_proof);
                assert_eq!(
                    error.to_string(),
                    "ticket at http://a.example: the server did not prove that it knows the secret"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_request_with_a_body_is_sent_again_whole() {
    // AUTH-21.
    let server = door(U_P, BASIC);
    let client = client(&u_p(), &server);
    let put = request("POST http://a.example/x").map(|_| Body::chunks(["the ", "body"]));
    try_send(&client, put).await.unwrap();
    let bodies: Vec<_> = server.requests().iter().map(|received| received.body().clone()).collect();
    assert_eq!(bodies, ["the body", "the body"]);
}

#[tokio::test]
async fn a_signature_that_lies_in_another_field_is_not_taken_for_the_one_that_was_refused() {
    // As that of WSSE, whose `Authorization` is always the same.
    #[derive(Debug)]
    struct Beside(AtomicU32);
    #[derive(Debug)]
    struct BesideSigner(u32);
    impl Scheme for Beside {
        fn name(&self) -> &'static str {
            "beside"
        }
        fn strength(&self) -> u8 {
            20
        }
        fn reveals_secret(&self) -> bool {
            false
        }
        fn answer(&self, _: &Challenge, _: &Credential) -> Result<Arc<dyn Signer>, CannotAnswer> {
            Ok(Arc::new(BesideSigner(self.0.fetch_add(1, Ordering::SeqCst))))
        }
        fn in_advance(&self, _: &Credential) -> Option<Arc<dyn Signer>> {
            Some(Arc::new(BesideSigner(self.0.fetch_add(1, Ordering::SeqCst))))
        }
    }
    impl Signer for BesideSigner {
        fn realm(&self) -> Option<&[u8]> {
            None
        }
        fn space(&self) -> Space<'_> {
            Space::Origin
        }
        fn sign(&self, request: &mut Unsigned<'_>) -> Result<HeaderValue, SignError> {
            request.headers.insert("x-beside", HeaderValue::from(self.0));
            Ok(HeaderValue::from_static("Beside"))
        }
    }
    let server = Server::answering(|received, _| match received.headers().get("x-beside") {
        Some(value) if value != "0" => reply(200),
        _ => challenging("Beside"),
    });
    let layer = AuthLayer::new(u_p()).scheme(Beside(AtomicU32::new(0))).in_advance(InAdvance::Always);
    let response = send(&layer.layer(server.clone()), "GET http://a.example/x").await;
    assert_eq!((response.status().as_u16(), server.saw().len()), (200, 2));
}
