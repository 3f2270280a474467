//! The laws that every layer keeps.

mod common;

use common::{U_P, challenging, layer, login, u_p};
use futures_util::FutureExt;
use httplib2_auth::{Ask, AuthLayer, Credential, Credentials, InAdvance, RequestCredentials};
use httplib2_core::who::Origin;
use httplib2_testing::{Body, BodyLaws, Server, ServiceLaws, body_laws, reply, request, service_laws};
use std::sync::Arc;
use tower::{Layer, ServiceExt};

#[test]
fn auth_keeps_the_laws_of_services() {
    let laws = ServiceLaws::new()
        .exchange("a challenge", || {
            let server = Server::new()
                .on("GET http://a.example/", challenging("Basic realm=\"r\"").body("who?"))
                .on("GET http://a.example/", reply(200));
            (server, request("GET http://a.example/"))
        })
        .exchange("a body, and a refusal whose answer stalls", || {
            let server = Server::new().on("PUT http://a.example/", challenging("Basic realm=\"r\"").stalling());
            (server, request("PUT http://a.example/").map(|_| Body::chunks(["one, ", "two"]).pausing()))
        })
        .exchange("a stale signature over content", || {
            let server = Server::new()
                .on("PUT http://a.example/", challenging("Ticket realm=\"r\", nonce=\"1\", content=1"))
                .on("PUT http://a.example/", challenging("Ticket realm=\"r\", nonce=\"2\", stale=true"))
                .on("PUT http://a.example/", reply(200));
            (server, request("PUT http://a.example/").map(|_| Body::chunks(["one, ", "two"]).pausing()))
        });
    service_laws(|server| layer(&u_p()).layer(server), laws);
}

#[test]
fn auth_without_credentials_keeps_the_laws_of_services() {
    service_laws(|server| layer(&Credentials::new()).layer(server), ServiceLaws::new());
}

#[test]
fn auth_with_credentials_for_others_keeps_the_laws_of_services() {
    let credentials = Credentials::new();
    credentials.add_for("b.example", login()).unwrap();
    service_laws(|server| layer(&credentials).layer(server), ServiceLaws::new());
}

#[test]
fn auth_that_signs_in_advance_keeps_the_laws_of_services() {
    let laws = ServiceLaws::new().passing(|| {
        let mut request = request("POST http://a.example/laws");
        let origin = Origin::of(request.uri()).unwrap();
        request.extensions_mut().insert(RequestCredentials::new(origin, login()).in_advance(true));
        request
    });
    service_laws(|server| layer(&Credentials::new()).layer(server), laws);
}

#[test]
fn auth_that_asks_a_provider_first_keeps_the_laws_of_services() {
    // The service that was polled ready is given back before the provider is waited for.
    let wrap = |server| {
        let credentials = Credentials::new();
        let provider = async |_: Ask| {
            tokio::task::yield_now().await;
            Ok(Some(Credential::token("t")))
        };
        credentials.provider(Arc::new(provider));
        AuthLayer::new(credentials)
            .scheme(httplib2_auth::Bearer)
            .secrets_over_http(true)
            .in_advance(InAdvance::Always)
            .layer(server)
    };
    service_laws(wrap, ServiceLaws::new());
}

#[test]
fn auth_hands_bodies_through_untouched() {
    let wrap = |body| {
        let mut body = Some(body);
        let server = Server::answering(move |received, _| match received.headers().contains_key("authorization") {
            true => reply(200).body(body.take().expect("one request")),
            false => challenging("Basic realm=\"r\""),
        });
        let response = layer(&u_p()).layer(server.clone()).oneshot(request("GET http://a.example/"));
        let response = response.now_or_never().expect("nothing to wait for").expect("an answer");
        assert_eq!(common::signatures(&server), ["-", U_P]);
        response.into_body()
    };
    body_laws(wrap, BodyLaws::new());
}
