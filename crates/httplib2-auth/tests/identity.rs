//! For whom a response was obtained, and who says so beforehand (house: identity).
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod common;

use std::sync::Arc;

use common::{U_P, challenging, client, door, layer, login, send, signatures, try_send, u_p};
use http::{Extensions, Uri};
use httplib2_auth::{Ask, AuthLayer, Basic, Credential, Credentials, InAdvance, RequestCredentials};
use httplib2_core::who::{FirstOrigin, Identity, Origin, SignedAs, WhoSigns};
use httplib2_testing::{Server, reply, request};
use tower::{Layer, ServiceExt};

const TICKET: &str = "Ticket realm=\"r\", nonce=\"n\", domain=\"/a/\"";

fn uri(text: &str) -> Uri {
    text.parse().unwrap()
}

fn origin(text: &str) -> Origin {
    Origin::of(&uri(text)).unwrap()
}

fn signed_as<R>(response: &http::Response<R>) -> Option<Identity> {
    response.extensions().get().map(|SignedAs(identity)| identity.clone())
}

#[tokio::test]
async fn a_response_to_a_signed_request_says_whose_it_is() {
    let server = Server::answering(|received, _| match common::authorization(received) {
        Some(_) => reply(200),
        None if received.uri().path().starts_with("/a/") => challenging(TICKET),
        None => reply(200),
    });
    let client = client(&u_p(), &server);
    let (first, second) =
        (send(&client, "GET http://a.example/a/1").await, send(&client, "GET http://a.example/a/2").await);
    assert_eq!(signed_as(&first), Some(Identity::new("http://a.example \"r\" name u")));
    assert_eq!(signed_as(&first), signed_as(&second));
    // What was not signed is nobody's.
    assert_eq!(signed_as(&send(&client, "GET http://a.example/").await), None);
}

#[tokio::test]
async fn a_refusal_of_a_signed_request_is_marked_too() {
    let server = door("never", TICKET);
    let response = send(&client(&u_p(), &server), "GET http://a.example/a/").await;
    assert_eq!((response.status().as_u16(), signed_as(&response).is_some()), (401, true));
    let server = door("never", "Newauth");
    let response = send(&client(&u_p(), &server), "GET http://a.example/a/").await;
    assert_eq!((response.status().as_u16(), signed_as(&response)), (401, None));
}

#[tokio::test]
async fn the_handle_says_beforehand_what_the_mark_will_say() {
    let server = door("Ticket u:n:1", TICKET);
    let layer = layer(&u_p());
    let handle = layer.handle();
    assert_eq!(handle.who_signs(&uri("http://a.example/a/1"), &Extensions::new()), None);
    let response = send(&layer.layer(server), "GET http://a.example/a/1").await;
    assert_eq!(handle.who_signs(&uri("http://a.example/a/1"), &Extensions::new()), signed_as(&response));
    assert!(signed_as(&response).is_some());
    for elsewhere in ["http://a.example/b", "http://a.example/a/../b", "http://b.example/a/1"] {
        assert_eq!(handle.who_signs(&uri(elsewhere), &Extensions::new()), None, "{elsewhere}");
    }
}

#[tokio::test]
async fn the_handle_knows_who_signs_without_having_been_challenged() {
    let credentials = Credentials::new();
    credentials.add_for("a.example", Credential::token("t")).unwrap();
    let server = door("Bearer t", "Bearer realm=\"r\"");
    let layer = layer(&credentials);
    let handle = layer.handle();
    let foreseen = handle.who_signs(&uri("http://a.example/x"), &Extensions::new());
    let response = send(&layer.layer(server), "GET http://a.example/x").await;
    assert!(foreseen.is_some());
    assert_eq!(foreseen, signed_as(&response));
    assert_eq!(handle.who_signs(&uri("http://b.example/x"), &Extensions::new()), None);
}

#[tokio::test]
async fn the_handle_knows_who_signs_with_what_a_provider_gave() {
    let credentials = Credentials::new();
    let provider = async |_: Ask| Ok(Some(Credential::token("t").with_identity("joe")));
    credentials.provider_for("a.example", Arc::new(provider)).unwrap();
    let layer = layer(&credentials);
    let handle = layer.handle();
    assert_eq!(handle.who_signs(&uri("http://a.example/x"), &Extensions::new()), None, "nobody has asked yet");
    let response = send(&layer.layer(door("Bearer t", "Bearer")), "GET http://a.example/x").await;
    assert_eq!(handle.who_signs(&uri("http://a.example/x"), &Extensions::new()), signed_as(&response));
    assert_eq!(signed_as(&response), Some(Identity::new("http://a.example  user joe")));
}

#[tokio::test]
async fn the_handle_does_not_promise_what_is_not_sent() {
    // A secret over plain http, and a password that waits for its challenge.
    let here = origin("http://a.example");
    let insecure = AuthLayer::new(u_p()).scheme(Basic).in_advance(InAdvance::Always).handle();
    assert_eq!(insecure.who_signs(&uri("http://a.example/"), &Extensions::new()), None);
    assert!(insecure.who_signs(&uri("https://a.example/"), &Extensions::new()).is_some());
    assert_eq!(layer(&u_p()).handle().who_signs(&uri("http://a.example/"), &Extensions::new()), None);
    assert_eq!(
        layer(&u_p())
            .for_proxy(here)
            .in_advance(InAdvance::Always)
            .handle()
            .who_signs(&uri("http://a.example/"), &Extensions::new()),
        None
    );
}

#[tokio::test]
async fn the_handle_that_is_told_of_extensions_reads_them() {
    let server = door(U_P, "Basic realm=\"r\"");
    let layer = layer(&u_p());
    let handle = layer.handle();
    let here = origin("http://a.example");
    send(&layer.layer(server), "GET http://a.example/").await;
    let u = handle.who_signs(&uri("http://a.example/"), &Extensions::new()).unwrap();

    let mut own = Extensions::new();
    own.insert(RequestCredentials::new(here.clone(), Credential::login("v", "p")).in_advance(true));
    let v = handle.who_signs(&uri("http://a.example/"), &own).unwrap();
    assert_ne!(u, v);
    // What was said for one request is not for another origin.
    let mut away = Extensions::new();
    away.insert(RequestCredentials::new(origin("http://b.example"), login()).in_advance(true));
    assert_eq!(handle.who_signs(&uri("http://a.example/"), &away), Some(u));
    let mut redirected = Extensions::new();
    redirected.insert(FirstOrigin(origin("http://b.example")));
    assert_eq!(handle.who_signs(&uri("http://a.example/"), &redirected), None);
}

#[tokio::test]
async fn who_guesses_a_password_for_one_request_is_not_taken_for_the_user() {
    let here = origin("http://a.example");
    let server = Server::answering(|_, _| reply(200));
    let layer = layer(&Credentials::new());
    let (handle, client) = (layer.handle(), layer.layer(server));
    let ask = async |password: &str| {
        let mut asking = request("GET http://a.example/");
        let own = RequestCredentials::new(here.clone(), Credential::login("joe", password)).in_advance(true);
        asking.extensions_mut().insert(own);
        let foreseen = handle.who_signs(&uri("http://a.example/"), asking.extensions());
        let whose = signed_as(&try_send(&client, asking).await.unwrap());
        assert_eq!(whose, foreseen);
        whose.unwrap()
    };
    let right = ask("right").await;
    assert_eq!(right, ask("right").await);
    assert_ne!(right, ask("guess").await);
    assert!(right.as_str().ends_with(" name joe"));
}

#[tokio::test]
async fn a_handle_forgets_with_its_credentials() {
    let credentials = u_p();
    let layer = layer(&credentials);
    send(&layer.layer(door(U_P, "Basic realm=\"r\"")), "GET http://a.example/").await;
    assert!(layer.handle().who_signs(&uri("http://a.example/"), &Extensions::new()).is_some());
    credentials.clear();
    assert_eq!(layer.handle().who_signs(&uri("http://a.example/"), &Extensions::new()), None);
}

#[tokio::test]
async fn the_mark_survives_layers_outside_that_send_again() {
    // As a retry does: the second send of a request whose first was answered by 503.
    let server = Server::answering(|received, n| match (common::authorization(received), n) {
        (None, _) => challenging("Ticket realm=\"r\", nonce=\"n\""),
        (_, 1) => reply(503),
        _ => reply(200),
    });
    let client = client(&u_p(), &server);
    let retrying = tower::service_fn(move |request: http::Request<httplib2_testing::Body>| {
        let client = client.clone();
        async move {
            let spare = httplib2_core::send::clone_request(&request).unwrap();
            let response = client.clone().oneshot(request).await?;
            if response.status() == 503 { client.oneshot(spare).await } else { Ok(response) }
        }
    });
    let response = retrying.oneshot(request("GET http://a.example/")).await.unwrap();
    assert_eq!(signatures(&server), ["-", "Ticket u:n:1", "Ticket u:n:2"]);
    assert_eq!(signed_as(&response), Some(Identity::new("http://a.example \"r\" name u")));
}

#[tokio::test]
async fn a_hop_to_another_origin_is_marked_as_what_it_was_itself() {
    // As a redirect does: the extensions of the request travel, the mark of the response before does not.
    let credentials = Credentials::new();
    credentials.add_for("a.example", login()).unwrap();
    let server = door(U_P, "Basic realm=\"r\"");
    let client = client(&credentials, &server);
    let mut first = request("GET http://a.example/");
    first.extensions_mut().insert(FirstOrigin(origin("http://a.example")));
    let mut second = httplib2_core::send::clone_request(&first).unwrap();
    *second.uri_mut() = "http://b.example/".parse().unwrap();
    assert!(signed_as(&try_send(&client, first).await.unwrap()).is_some());
    let landed = try_send(&client, second).await.unwrap();
    assert_eq!((landed.status().as_u16(), signed_as(&landed)), (401, None));
    assert_eq!(signatures(&server), ["-", U_P, "-"]);
}
