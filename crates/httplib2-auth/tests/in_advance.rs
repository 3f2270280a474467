//! What is sent before a server asks for it, and the credential of one request.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod common;

use common::{U_P, challenging, client, door, fact, layer, login, send, signatures, try_send, u_p, unanswered};
use httplib2_auth::{AuthLayer, Basic, Bearer, Credential, Credentials, InAdvance, RequestCredentials, Unanswered};
use httplib2_core::who::Origin;
use httplib2_testing::{Body, Server, reply, request};
use tower::Layer;

const BASIC: &str = "Basic realm=\"r\"";

fn open() -> Server {
    Server::answering(|_, _| reply(200))
}

fn with(line: &str, origin: &str, credential: Credential) -> http::Request<Body> {
    let mut request = request(line);
    let origin = Origin::of(&origin.parse().unwrap()).unwrap();
    request.extensions_mut().insert(RequestCredentials::new(origin, credential));
    request
}

#[tokio::test]
async fn passwords_wait_for_a_challenge_and_tokens_of_a_domain_do_not() {
    // H-AUTH-01, RFC 7617 §2.2.
    let of_domain = |credential| {
        let credentials = Credentials::new();
        credentials.add_for("a.example", credential).unwrap();
        credentials
    };
    let for_all = |credential| {
        let credentials = Credentials::new();
        credentials.add(credential);
        credentials
    };
    let (token, bearer) = (|| Credential::token("t"), "Bearer t");
    for (setting, credentials, expected) in [
        (InAdvance::Never, of_domain(token()), "-"),
        (InAdvance::Never, of_domain(login()), "-"),
        (InAdvance::Tokens, of_domain(token()), bearer),
        (InAdvance::Tokens, of_domain(login()), "-"),
        (InAdvance::Tokens, for_all(token()), "-"),
        (InAdvance::Always, of_domain(token()), bearer),
        (InAdvance::Always, of_domain(login()), U_P),
        (InAdvance::Always, for_all(token()), bearer),
        (InAdvance::Always, for_all(login()), U_P),
    ] {
        let server = open();
        let client = layer(&credentials).in_advance(setting).layer(server.clone());
        send(&client, "GET http://a.example/x").await;
        assert_eq!(signatures(&server), [expected], "{setting:?}");
        // Nobody else gets to see what is for a domain.
        if !credentials_are_for_all(&credentials) {
            send(&client, "GET http://b.example/x").await;
            assert_eq!(signatures(&server)[1], "-");
        }
    }
    // Nothing said is `Tokens`.
    let server = open();
    send(&client(&of_domain(token()), &server), "GET http://a.example/x").await;
    assert_eq!(signatures(&server), [bearer]);

    fn credentials_are_for_all(credentials: &Credentials) -> bool {
        let handle =
            AuthLayer::new(credentials.clone()).scheme(Basic).scheme(Bearer).in_advance(InAdvance::Always).handle();
        let elsewhere = "https://c.example/".parse().unwrap();
        httplib2_core::who::WhoSigns::who_signs(&handle, &elsewhere, &http::Extensions::new()).is_some()
    }
}

#[tokio::test]
async fn what_goes_in_advance_is_for_the_whole_origin_until_a_nearer_space_is_known() {
    let credentials = u_p();
    credentials.add(Credential::login("v", "p"));
    let server = Server::answering(|received, _| match (received.uri().path(), common::authorization(received)) {
        ("/v/x", Some(U_P)) => challenging("Basic realm=\"v\""),
        _ => reply(200),
    });
    let client = layer(&credentials).in_advance(InAdvance::Always).layer(server.clone());
    for line in
        ["GET http://a.example/x", "GET http://a.example/v/x", "GET http://a.example/v/x", "GET http://a.example/x"]
    {
        send(&client, line).await;
    }
    let v_p = "Basic djpw";
    assert_eq!(signatures(&server), [U_P, U_P, v_p, v_p, U_P]);
}

#[tokio::test]
async fn a_secret_does_not_go_over_plain_http_in_advance_either() {
    let layer = AuthLayer::new(u_p()).scheme(Basic).in_advance(InAdvance::Always);
    let server = open();
    send(&layer.layer(server.clone()), "GET http://a.example/x").await;
    send(&layer.layer(server.clone()), "GET https://a.example/x").await;
    assert_eq!(signatures(&server), ["-", U_P]);
}

#[tokio::test]
async fn a_scheme_that_needs_a_challenge_waits_for_it() {
    let server = door("Ticket u:n:1", "Ticket realm=\"r\", nonce=\"n\"");
    let layer = AuthLayer::new(u_p()).scheme(common::Ticket::default()).in_advance(InAdvance::Always);
    let response = send(&layer.layer(server.clone()), "GET http://a.example/x").await;
    assert_eq!(signatures(&server), ["-", "Ticket u:n:1"]);
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn a_password_that_is_refused_in_advance_is_not_repeated() {
    let server = door("never", BASIC);
    let client = layer(&u_p()).in_advance(InAdvance::Always).layer(server.clone());
    let response = send(&client, "GET http://a.example/x").await;
    assert_eq!(signatures(&server), [U_P]);
    assert_eq!(unanswered(&response), Some(&Unanswered::Rejected("basic")));
    assert_eq!(fact(&response).challenges(), 0);
}

#[tokio::test]
async fn a_refused_basic_in_advance_gives_way_to_a_stronger_challenge() {
    let server = door("Ticket u:n:1", "Ticket realm=\"r\", nonce=\"n\", Basic realm=\"r\"");
    let client = layer(&u_p()).in_advance(InAdvance::Always).layer(server.clone());
    send(&client, "GET http://a.example/x").await;
    send(&client, "GET http://a.example/x").await;
    assert_eq!(signatures(&server)[..2], [U_P, "Ticket u:n:1"]);
}

#[tokio::test]
async fn a_credential_that_is_added_later_goes_in_advance_in_its_turn() {
    let credentials = Credentials::new();
    credentials.add(Credential::login("all", ""));
    let server = open();
    let client = layer(&credentials).in_advance(InAdvance::Always).layer(server.clone());
    send(&client, "GET http://a.example/x").await;
    credentials.add_for("a.example", login()).unwrap();
    send(&client, "GET http://a.example/x").await;
    assert_eq!(signatures(&server), ["Basic YWxsOg==", U_P]);
}

#[tokio::test]
async fn the_credential_of_a_request_replaces_those_of_the_layer() {
    let server = door("Basic b3duOg==", BASIC);
    let client = client(&u_p(), &server);
    let own = || with("GET http://a.example/x", "http://a.example", Credential::login("own", ""));
    try_send(&client, own()).await.unwrap();
    assert_eq!(signatures(&server), ["-", "Basic b3duOg=="]);
    // What was learnt with it is used for it, also when it is made anew,
    try_send(&client, own()).await.unwrap();
    assert_eq!(signatures(&server)[2..], ["Basic b3duOg=="]);
    // and for nobody else.
    send(&client, "GET http://a.example/x").await;
    assert_eq!(signatures(&server)[3..], ["-", U_P]);
    try_send(&client, with("GET http://a.example/x", "http://a.example", Credential::login("u", "q"))).await.unwrap();
    assert_eq!(signatures(&server)[5..], ["-", "Basic dTpx"]);
}

#[tokio::test]
async fn what_the_layer_learnt_is_not_used_for_a_request_with_its_own_credential() {
    let server = Server::answering(|received, _| match common::authorization(received) {
        None => challenging(BASIC),
        Some(_) => reply(200),
    });
    let client = client(&u_p(), &server);
    send(&client, "GET http://a.example/x").await;
    try_send(&client, with("GET http://a.example/x", "http://a.example", Credential::login("own", ""))).await.unwrap();
    assert_eq!(signatures(&server), ["-", U_P, "-", "Basic b3duOg=="]);
}

#[tokio::test]
async fn the_credential_of_a_request_counts_only_at_its_origin() {
    let server = door("never", BASIC);
    for origin in ["http://b.example", "https://a.example", "http://a.example:8080"] {
        let before = server.saw().len();
        let away = || with("GET http://a.example/x", origin, Credential::login("own", ""));
        try_send(&client(&Credentials::new(), &server), away()).await.unwrap();
        assert_eq!(signatures(&server)[before..], ["-"], "{origin}");
        // Those of the layer are as if it were absent.
        try_send(&client(&u_p(), &server), away()).await.unwrap();
        assert_eq!(signatures(&server)[before + 1..], ["-", U_P], "{origin}");
    }
}

#[tokio::test]
async fn a_request_says_itself_whether_its_credential_goes_in_advance() {
    let send_with = async |credential, in_advance: Option<bool>, setting| {
        let server = open();
        let mut request = request("GET http://a.example/x");
        let mut own = RequestCredentials::new(Origin::of(request.uri()).unwrap(), credential);
        if let Some(in_advance) = in_advance {
            own = own.in_advance(in_advance);
        }
        request.extensions_mut().insert(own);
        try_send(&layer(&Credentials::new()).in_advance(setting).layer(server.clone()), request).await.unwrap();
        signatures(&server).remove(0)
    };
    assert_eq!(send_with(login(), None, InAdvance::Tokens).await, "-");
    assert_eq!(send_with(login(), Some(true), InAdvance::Never).await, U_P);
    assert_eq!(send_with(login(), Some(false), InAdvance::Always).await, "-");
    assert_eq!(send_with(Credential::token("t"), None, InAdvance::Tokens).await, "Bearer t");
    assert_eq!(send_with(Credential::token("t"), Some(false), InAdvance::Tokens).await, "-");
}
