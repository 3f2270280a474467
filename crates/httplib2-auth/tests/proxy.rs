//! A proxy that asks who the user is (RFC 9110 §11.7).

mod common;

use common::{Ticket, U_P, layer, login, send, try_send, u_p, unanswered};
use http::{HeaderValue, Method, Request};
use httplib2_auth::{Auth, AuthError, AuthLayer, Basic, Credentials, Unanswered};
use httplib2_core::who::{Origin, SignedAs};
use httplib2_testing::{Body, Received, Server, reply, request};
use tower::Layer;

fn proxy_authorization(received: &Received) -> Option<&str> {
    received.headers().get("proxy-authorization").map(|value| value.to_str().expect("text"))
}

fn seen(server: &Server) -> Vec<String> {
    server.requests().iter().map(|received| proxy_authorization(received).unwrap_or("-").to_owned()).collect()
}

fn proxy(open: &'static str, challenge: &'static str) -> Server {
    Server::answering(move |received, _| match proxy_authorization(received) == Some(open) {
        true => reply(200),
        false => reply(407).header("proxy-authenticate", challenge),
    })
}

fn origin(uri: &str) -> Origin {
    Origin::of(&uri.parse().expect("a URI")).expect("an origin")
}

fn through(credentials: &Credentials, server: &Server) -> Auth<Server> {
    layer(credentials).for_proxy(origin("http://proxy.example:3128")).layer(server.clone())
}

fn for_the_proxy() -> Credentials {
    let credentials = Credentials::new();
    credentials.add_for("proxy.example:3128", login()).expect("a domain");
    credentials
}

#[tokio::test]
async fn a_407_is_answered_once_for_all_that_goes_through_the_proxy() {
    // H-AUTH-09.
    let server = proxy(U_P, "Basic realm=\"p\"");
    let client = through(&for_the_proxy(), &server);
    for line in ["GET http://a.example/x/y", "GET http://a.example/", "GET https://b.example/z"] {
        let response = send(&client, line).await;
        assert_eq!(response.status(), 200);
        // The proxy let the request pass; whose the answer of the server is it does not say.
        assert!(response.extensions().get::<SignedAs>().is_none());
    }
    assert_eq!(seen(&server), ["-", U_P, U_P, U_P]);
    assert!(server.requests().iter().all(|received| !received.headers().contains_key("authorization")));
}

#[tokio::test]
async fn a_tunnel_is_asked_for_with_credentials_too() {
    let server = proxy("Ticket u:n:1", "Ticket realm=\"p\", nonce=\"n\"");
    let connect = Request::builder().method(Method::CONNECT).uri("b.example:443").body(Body::empty()).unwrap();
    assert_eq!(try_send(&through(&for_the_proxy(), &server), connect).await.unwrap().status(), 200);
    assert_eq!(seen(&server), ["-", "Ticket u:n:1"]);
}

#[tokio::test]
async fn credentials_are_matched_with_the_proxy_and_not_with_the_server() {
    let credentials = Credentials::new();
    credentials.add_for("a.example", login()).unwrap();
    let server = proxy(U_P, "Basic realm=\"p\"");
    let response = send(&through(&credentials, &server), "GET http://a.example/").await;
    assert_eq!(seen(&server), ["-"]);
    assert_eq!(unanswered(&response), Some(&Unanswered::NoCredentials));
}

#[tokio::test]
async fn a_401_is_nothing_to_the_layer_of_a_proxy_and_a_407_nothing_to_the_other() {
    let server = Server::answering(|_, _| reply(401).header("www-authenticate", "Basic realm=\"r\""));
    send(&through(&u_p(), &server), "GET http://a.example/").await;
    let server_of_407 = Server::answering(|_, _| reply(407).header("proxy-authenticate", "Basic realm=\"r\""));
    send(&common::client(&u_p(), &server_of_407), "GET http://a.example/").await;
    assert_eq!((server.saw().len(), server_of_407.saw().len()), (1, 1));
}

#[tokio::test]
async fn both_layers_work_over_each_other() {
    // PRX-01: each secret on its own side.
    let server =
        Server::answering(|received, _| match (proxy_authorization(received), common::authorization(received)) {
            (None, _) => reply(407).header("proxy-authenticate", "Basic realm=\"p\""),
            (Some(_), None) => reply(401).header("www-authenticate", "Ticket realm=\"s\", nonce=\"n\""),
            _ => reply(200),
        });
    let at_server = Credentials::new();
    at_server.add_for("a.example", login()).unwrap();
    let client = layer(&at_server).layer(through(&for_the_proxy(), &server));
    let response = tower::ServiceExt::oneshot(client, request("GET http://a.example/")).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(seen(&server), ["-", U_P, U_P]);
    assert_eq!(common::signatures(&server), ["-", "-", "Ticket u:n:1"]);
    assert!(response.extensions().get::<SignedAs>().is_some());
}

#[tokio::test]
async fn the_callers_own_proxy_authorization_goes_out_as_it_is() {
    let server = proxy(U_P, "Basic realm=\"p\"");
    let mut own = request("GET http://a.example/");
    own.headers_mut().insert("proxy-authorization", HeaderValue::from_static("Custom mine"));
    try_send(&through(&u_p(), &server), own).await.unwrap();
    assert_eq!(seen(&server), ["Custom mine"]);
}

#[tokio::test]
async fn a_password_goes_to_a_proxy_over_http_only_with_leave() {
    for (uri, expected) in [("http://proxy.example", 1), ("https://proxy.example", 2)] {
        let server = proxy(U_P, "Basic realm=\"p\"");
        let layer = AuthLayer::new(u_p()).scheme(Basic).for_proxy(origin(uri));
        // That the server is reached over https makes no difference.
        send(&layer.layer(server.clone()), "GET https://a.example/").await;
        assert_eq!(server.saw().len(), expected, "{uri}");
    }
}

#[tokio::test]
async fn a_proxy_proves_itself_in_its_own_field() {
    // RFC 9110 §11.7.3.
    for (field, is_proof) in [("proxy-authentication-info", true), ("authentication-info", false)] {
        let server = Server::answering(move |received, _| match proxy_authorization(received) {
            None => reply(407).header("proxy-authenticate", "Ticket realm=\"p\", nonce=\"n\""),
            Some(_) => reply(200).header(field, "proof=yes"),
        });
        let layer =
            AuthLayer::new(u_p()).scheme(Ticket { wants_proof: true }).for_proxy(origin("http://proxy.example"));
        let result = try_send(&layer.layer(server), request("GET http://a.example/")).await;
        match result {
            Ok(_) => assert!(is_proof),
            Err(error) => {
                let AuthError::Unproven { origin: at, scheme } = error.downcast_ref().unwrap() else { panic!() };
                assert_eq!((at, *scheme, is_proof), (&origin("http://proxy.example"), "ticket", false));
            }
        }
    }
}
