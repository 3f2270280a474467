//! What is signed in advance because something near it was challenged for.

mod common;

use common::{U_P, authorization, challenging, client, door, fact, layer, login, send, signatures, try_send, u_p};
use httplib2_auth::{Credential, Credentials, RequestCredentials, Unanswered};
use httplib2_core::who::{FirstOrigin, Origin};
use httplib2_testing::{Received, Server, reply, request};
use tower::Layer;

/// Challenges for what is below a path.
fn guarded(path: &'static str, challenge: &'static str) -> Server {
    Server::answering(move |received, _| match (received.uri().path().starts_with(path), authorization(received)) {
        (true, None) => challenging(challenge),
        _ => reply(200),
    })
}

/// Sends and returns what the server saw since.
async fn seen(client: &httplib2_auth::Auth<Server>, server: &Server, path: &str) -> Vec<String> {
    let before = server.saw().len();
    send(client, &format!("GET http://a.example{path}")).await;
    signatures(server).split_off(before)
}

#[tokio::test]
async fn what_is_as_deep_as_the_challenged_path_is_signed_in_advance() {
    // RFC 7617 §2.2, which mends H-AUTH-06.
    let server = guarded("/a/", "Basic realm=\"r\"");
    let client = client(&u_p(), &server);
    assert_eq!(seen(&client, &server, "/a/b.html").await, ["-", U_P]);
    for (path, signed) in
        [("/a/c?q", true), ("/a/", true), ("/a/b/c", true), ("/a", false), ("/ab", false), ("/", false), ("/A/", false)]
    {
        assert_eq!(seen(&client, &server, path).await, [if signed { U_P } else { "-" }], "{path}");
    }
    let response = send(&client, "GET http://a.example/a/b.html").await;
    assert_eq!(fact(&response).to_string(), "basic for \"r\", in advance");
    assert_eq!(fact(&response).challenges(), 0);
}

#[tokio::test]
async fn a_path_that_climbs_out_of_the_space_is_not_signed_in_advance() {
    let server = guarded("/a/x", "Basic realm=\"r\"");
    let client = client(&u_p(), &server);
    seen(&client, &server, "/a/x").await;
    for path in ["/a/../b", "/a/%2e%2e/b", "/a/..%2fb", "/a/..;/b"] {
        assert_eq!(seen(&client, &server, path).await, ["-"], "{path}");
    }
    assert_eq!(seen(&client, &server, "/a/b").await, [U_P]);
}

#[tokio::test]
async fn another_origin_is_another_space() {
    let server = door("Ticket u:n:1", "Ticket realm=\"r\", nonce=\"n\"");
    let client = client(&u_p(), &server);
    send(&client, "GET http://a.example/").await;
    for uri in ["http://b.example/", "http://a.example:8080/", "https://a.example/"] {
        let before = server.saw().len();
        send(&client, &format!("GET {uri}")).await;
        assert_eq!(signatures(&server)[before..], ["-", "Ticket u:n:1"], "{uri}");
    }
    // And another spelling is the same one.
    let before = server.saw().len();
    send(&client, "GET http://A.example:80/").await;
    assert_eq!(signatures(&server)[before..], ["Ticket u:n:2", "Ticket u:n:1"]);
}

#[tokio::test]
async fn a_list_of_uris_names_the_space() {
    // RFC 7616 §3.3: relative to the request, segment by segment, other origins left out.
    let server = guarded(
        "/",
        "Ticket realm=\"r\", nonce=\"n\", domain=\"/b ../c/ http://a.example/d https://e.example/f ::bad\"",
    );
    let client = client(&u_p(), &server);
    assert_eq!(seen(&client, &server, "/a/x").await, ["-", "Ticket u:n:1"]);
    for path in ["/b", "/b/x", "/c/x", "/d?q", "/a/x"] {
        assert_eq!(seen(&client, &server, path).await.len(), 1, "{path}");
    }
    for path in ["/bc", "/c", "/a/y", "/f", "/"] {
        assert_eq!(seen(&client, &server, path).await[0], "-", "{path}");
    }
}

#[tokio::test]
async fn a_list_that_names_no_uri_of_the_origin_leaves_the_challenged_one() {
    let server = guarded("/", "Ticket realm=\"r\", nonce=\"n\", domain=\"https://e.example/\"");
    let client = client(&u_p(), &server);
    seen(&client, &server, "/a/x").await;
    assert_eq!(seen(&client, &server, "/a/x").await, ["Ticket u:n:2"]);
    assert_eq!(seen(&client, &server, "/a/y").await[0], "-");
}

#[tokio::test]
async fn the_nearest_space_signs_and_of_several_the_last_that_was_learnt() {
    // H-AUTH-07.
    let server = Server::answering(|received, _| match (received.uri().path(), authorization(received)) {
        (path, Some("Ticket u:inner:1" | "Ticket u:inner:2")) if path.starts_with("/a/b/") => reply(200),
        (path, _) if path.starts_with("/a/b/") => {
            challenging("Ticket realm=\"inner\", nonce=\"inner\", domain=\"/a/b/\"")
        }
        (_, None) => challenging("Ticket realm=\"outer\", nonce=\"outer\", domain=\"/a/\""),
        _ => reply(200),
    });
    let client = client(&u_p(), &server);
    seen(&client, &server, "/a/x").await;
    // The outer one is refused there, and forgotten.
    assert_eq!(seen(&client, &server, "/a/b/x").await, ["Ticket u:outer:2", "Ticket u:inner:1"]);
    seen(&client, &server, "/a/x").await;
    assert_eq!(seen(&client, &server, "/a/b/x").await, ["Ticket u:inner:2"]);
    assert_eq!(seen(&client, &server, "/a/y").await, ["Ticket u:outer:2"]);
}

#[tokio::test]
async fn a_realm_that_is_known_is_signed_with_the_same_signer_elsewhere() {
    // RFC 9110 §11.5: the count goes on, no second nonce is used.
    let server = guarded("/", "Ticket realm=\"r\", nonce=\"n\", domain=\".\"");
    let client = client(&u_p(), &server);
    assert_eq!(seen(&client, &server, "/a/x").await, ["-", "Ticket u:n:1"]);
    assert_eq!(seen(&client, &server, "/b/x").await, ["-", "Ticket u:n:2"]);
    assert_eq!(seen(&client, &server, "/b/y").await, ["Ticket u:n:3"]);
    assert_eq!(seen(&client, &server, "/a/y").await, ["Ticket u:n:4"]);
}

#[tokio::test]
async fn a_signer_that_is_not_good_elsewhere_makes_room_for_a_new_one() {
    let server = Server::answering(|received, _| match (received.uri().path(), authorization(received)) {
        ("/a/x", Some(value)) if value.starts_with("Ticket u:a:") => reply(200),
        ("/b/x", Some(value)) if value.starts_with("Ticket u:b:") => reply(200),
        ("/a/x", _) => challenging("Ticket realm=\"r\", nonce=\"a\", domain=\".\""),
        _ => challenging("Ticket realm=\"r\", nonce=\"b\", domain=\".\""),
    });
    let client = client(&u_p(), &server);
    seen(&client, &server, "/a/x").await;
    assert_eq!(seen(&client, &server, "/b/x").await, ["-", "Ticket u:a:2", "Ticket u:b:1"]);
}

#[tokio::test]
async fn a_stale_signature_is_renewed_once() {
    let server = Server::answering(|received, _| match authorization(received) {
        Some("Ticket u:n2:1" | "Ticket u:n1:1") => reply(200),
        Some(_) => challenging("Ticket realm=\"r\", nonce=\"n2\", stale=true"),
        None => challenging("Ticket realm=\"r\", nonce=\"n1\""),
    });
    let client = client(&u_p(), &server);
    assert_eq!(seen(&client, &server, "/").await, ["-", "Ticket u:n1:1"]);
    let before = server.saw().len();
    let response = send(&client, "GET http://a.example/").await;
    assert_eq!(signatures(&server)[before..], ["Ticket u:n1:2", "Ticket u:n2:1"]);
    assert_eq!(fact(&response).to_string(), "ticket for \"r\", after 1 challenge");
}

#[tokio::test]
async fn a_stale_nonce_of_another_realm_is_a_challenge_of_its_own() {
    let server = Server::answering(|received, n| match (n, authorization(received)) {
        (0, _) => challenging("Ticket realm=\"r\", nonce=\"n\""),
        (2, _) => challenging("Ticket realm=\"other\", nonce=\"m\", stale=true"),
        _ => reply(200),
    });
    let client = client(&u_p(), &server);
    seen(&client, &server, "/").await;
    let response = send(&client, "GET http://a.example/").await;
    assert_eq!(signatures(&server)[2..], ["Ticket u:n:2", "Ticket u:m:1"]);
    assert_eq!(fact(&response).realm(), Some(&b"other"[..]));
}

#[tokio::test]
async fn a_space_that_was_challenged_for_stays_when_credentials_are_added() {
    let credentials = u_p();
    let server = guarded("/", "Ticket realm=\"r\", nonce=\"n\"");
    let client = client(&credentials, &server);
    seen(&client, &server, "/").await;
    credentials.add_for("a.example", Credential::login("later", "")).unwrap();
    assert_eq!(seen(&client, &server, "/").await, ["Ticket u:n:2"]);
}

#[tokio::test]
async fn what_the_server_says_of_the_next_signature_is_used() {
    // AUTH-33 in the manner of Ticket.
    let server = Server::answering(|received, _| match authorization(received) {
        None => challenging("Ticket realm=\"r\", nonce=\"n1\""),
        Some(_) => reply(200).header("authentication-info", "nextnonce=\"n2\""),
    });
    let client = client(&u_p(), &server);
    seen(&client, &server, "/").await;
    assert_eq!(seen(&client, &server, "/").await, ["Ticket u:n2:1"]);
}

#[tokio::test]
async fn a_refused_signer_is_forgotten_and_a_fresh_challenge_answered() {
    // H-AUTH-08: the next request does not fail with it first.
    let mut restarted = false;
    let server = Server::answering(move |received, _| {
        restarted |= received.uri().path() == "/restart";
        let nonce = if restarted { "new" } else { "old" };
        match authorization(received) {
            Some(value) if value.contains(nonce) => reply(200),
            _ => challenging(&format!("Ticket realm=\"r\", nonce=\"{nonce}\"")),
        }
    });
    let client = client(&u_p(), &server);
    seen(&client, &server, "/").await;
    assert_eq!(seen(&client, &server, "/restart").await, ["Ticket u:old:2", "Ticket u:new:1"]);
    assert_eq!(seen(&client, &server, "/").await, ["Ticket u:new:2"]);
}

#[tokio::test]
async fn a_password_that_is_refused_in_its_space_is_not_sent_again_and_forgotten() {
    let mut changed = false;
    let server = Server::answering(move |received, _| {
        changed |= received.uri().path() == "/change";
        match authorization(received) {
            Some(_) if !changed => reply(200),
            _ => challenging("Basic realm=\"r\""),
        }
    });
    let client = client(&u_p(), &server);
    seen(&client, &server, "/").await;
    // The very same value would be refused again.
    assert_eq!(seen(&client, &server, "/change").await, [U_P]);
    assert_eq!(seen(&client, &server, "/").await, ["-", U_P]);
}

#[tokio::test]
async fn a_refusal_at_one_path_leaves_the_spaces_elsewhere() {
    // As Apache does with who is known and not allowed: 401, in the same realm.
    let server = Server::answering(|received, _| match authorization(received) {
        Some(_) if received.uri().path().starts_with("/a/") => reply(200),
        _ => challenging("Basic realm=\"r\""),
    });
    let client = client(&u_p(), &server);
    assert_eq!(seen(&client, &server, "/a/x").await, ["-", U_P]);
    assert_eq!(seen(&client, &server, "/b/x").await, ["-", U_P]);
    assert_eq!(seen(&client, &server, "/a/x").await, [U_P]);
}

#[tokio::test]
async fn what_a_server_spreads_over_kilobytes_is_answered_and_not_remembered() {
    let realm: &'static str = "r".repeat(9_000).leak();
    let server = guarded("/", format!("Basic realm={realm}").leak());
    let client = client(&u_p(), &server);
    assert_eq!(seen(&client, &server, "/").await, ["-", U_P]);
    assert_eq!(seen(&client, &server, "/").await, ["-", U_P]);
}

#[tokio::test]
async fn a_second_credential_takes_over_where_the_first_is_refused() {
    let credentials = u_p();
    credentials.add(Credential::login("second", ""));
    let server = Server::answering(|received: &Received, _| match authorization(received) {
        Some(value) if value.contains("second") => reply(200),
        _ => challenging("Ticket realm=\"r\", nonce=\"n\""),
    });
    let client = client(&credentials, &server);
    assert_eq!(seen(&client, &server, "/").await, ["-", "Ticket u:n:1", "Ticket second:n:1"]);
    assert_eq!(seen(&client, &server, "/").await, ["Ticket second:n:2"]);
}

#[tokio::test]
async fn cleared_credentials_sign_nothing_more() {
    let credentials = u_p();
    let server = door(U_P, "Basic realm=\"r\"");
    let client = client(&credentials, &server);
    assert_eq!(seen(&client, &server, "/").await, ["-", U_P]);
    credentials.clear();
    assert_eq!(seen(&client, &server, "/").await, ["-"]);
    // What was learnt does not come back with new ones.
    credentials.add(login());
    assert_eq!(seen(&client, &server, "/").await, ["-", U_P]);
}

#[tokio::test]
async fn what_is_learnt_while_the_credentials_are_cleared_is_not_used() {
    let credentials = u_p();
    let clearing = credentials.clone();
    let server = Server::answering(move |received, n| match authorization(received) {
        None => challenging("Ticket realm=\"r\", nonce=\"n\""),
        Some(_) => {
            if n == 1 {
                clearing.clear();
                clearing.add(login());
            }
            reply(200)
        }
    });
    let client = client(&credentials, &server);
    assert_eq!(seen(&client, &server, "/").await, ["-", "Ticket u:n:1"]);
    assert_eq!(seen(&client, &server, "/").await, ["-", "Ticket u:n:1"]);
}

#[tokio::test]
async fn services_of_one_layer_share_what_they_learnt() {
    let server = door("Ticket u:n:1", "Ticket realm=\"r\", nonce=\"n\"");
    let layer = layer(&u_p());
    seen(&layer.layer(server.clone()), &server, "/").await;
    assert_eq!(seen(&layer.clone().layer(server.clone()), &server, "/").await[0], "Ticket u:n:2");
    // Another layer has its own.
    assert_eq!(seen(&common::layer(&u_p()).layer(server.clone()), &server, "/").await[0], "-");
}

#[tokio::test]
async fn a_request_that_cannot_be_signed_in_advance_goes_out_as_it_came() {
    let server = door("Ticket u:n:1", "Ticket realm=\"r\", nonce=\"n\"");
    let client = client(&u_p(), &server);
    seen(&client, &server, "/").await;
    let response = try_send(&client, request("GET http://a.example/unsignable")).await.unwrap();
    let received = &server.requests()[2];
    assert_eq!(authorization(received), None);
    assert!(!received.headers().contains_key("x-ticket"), "a half-signed request");
    assert_eq!(response.status(), 401);
    assert_eq!(server.saw().len(), 3);
}

#[tokio::test]
async fn credentials_for_all_do_not_sign_what_a_redirect_led_elsewhere() {
    // H-REDIR-11, RED-06, trap 55.
    let origin = |uri: &str| Origin::of(&uri.parse().unwrap()).unwrap();
    let redirected = || {
        let mut redirected = request("GET http://b.example/land");
        redirected.extensions_mut().insert(FirstOrigin(origin("http://a.example/")));
        redirected
    };
    let server = door(U_P, "Basic realm=\"r\"");
    let client = client(&u_p(), &server);
    let response = try_send(&client, redirected()).await.unwrap();
    assert_eq!(signatures(&server), ["-"]);
    assert_eq!(common::unanswered(&response), Some(&Unanswered::OtherOrigin));
    // Not even where the same credentials are known to be good, because the caller went there itself.
    send(&client, "GET http://b.example/").await;
    assert_eq!(signatures(&server), ["-", "-", U_P]);
    try_send(&client, redirected()).await.unwrap();
    assert_eq!(signatures(&server)[3..], ["-"]);
    // Back at the first origin they are.
    let mut back = redirected();
    *back.uri_mut() = "http://a.example/".parse().unwrap();
    try_send(&client, back).await.unwrap();
    assert_eq!(signatures(&server)[4..], ["-", U_P]);

    // Nor where another credential is for that origin.
    let credentials = u_p();
    credentials.add_for("b.example", Credential::login("v", "p")).unwrap();
    let server = door(U_P, "Basic realm=\"r\"");
    let client = common::client(&credentials, &server);
    send(&client, "GET http://b.example/").await;
    try_send(&client, redirected()).await.unwrap();
    assert_eq!(signatures(&server), ["-", "Basic djpw", U_P, "-", "Basic djpw"]);

    // Those for that domain are used, and all are if the layer is told so.
    let credentials = Credentials::new();
    credentials.add_for("b.example", login()).unwrap();
    let server = door(U_P, "Basic realm=\"r\"");
    try_send(&common::client(&credentials, &server), redirected()).await.unwrap();
    assert_eq!(signatures(&server), ["-", U_P]);
    let server = door(U_P, "Basic realm=\"r\"");
    try_send(&layer(&u_p()).credentials_follow_redirects(true).layer(server.clone()), redirected()).await.unwrap();
    assert_eq!(signatures(&server), ["-", U_P]);
}

#[tokio::test]
async fn a_challenge_for_another_realm_refuses_nothing_that_was_sent_for_the_space_around_it() {
    // A space without `domain` is the whole origin (RFC 7616 §3.3), and yet a part of it may ask for something else.
    let server = Server::answering(|received, _| {
        let signed = authorization(received).unwrap_or_default();
        match received.uri().path().starts_with("/legacy/") {
            true if signed == U_P => reply(200),
            true => challenging("Basic realm=\"legacy\""),
            false if signed.starts_with("Ticket u:n:") => reply(200),
            false => challenging("Ticket realm=\"r\", nonce=\"n\""),
        }
    });
    let client = client(&u_p(), &server);
    let seen = async |path: &str| {
        let before = server.saw().len();
        send(&client, &format!("GET https://a.example{path}")).await;
        signatures(&server).split_off(before)
    };
    assert_eq!(seen("/").await, ["-", "Ticket u:n:1"]);
    assert_eq!(seen("/legacy/x").await, ["Ticket u:n:2", U_P]);
    // Both are known from then on, the nearest first (H-AUTH-07).
    seen("/").await;
    assert_eq!(seen("/legacy/y").await, [U_P]);
    assert_eq!(seen("/").await.len(), 1);
}

#[tokio::test]
async fn over_plain_http_a_weaker_challenge_is_not_answered_where_a_stronger_one_was() {
    // RFC 7616 §5.7: whatever its realm, and also when the space of the stronger one was forgotten.
    for realm in ["r", "other"] {
        let server = Server::answering(move |received, n| match (n, authorization(received)) {
            (0, _) => challenging("Ticket realm=\"r\", nonce=\"n\""),
            (1, _) => reply(200),
            (_, Some(U_P)) => reply(200),
            _ => challenging(&format!("Basic realm=\"{realm}\"")),
        });
        let credentials = u_p();
        let client = client(&credentials, &server);
        seen(&client, &server, "/").await;
        assert_eq!(seen(&client, &server, "/").await, ["Ticket u:n:2"], "{realm}");
        let response = send(&client, "GET http://a.example/").await;
        assert_eq!(common::unanswered(&response), Some(&Unanswered::Downgrade("basic")), "{realm}");
        assert_eq!(signatures(&server).last().unwrap(), "-", "{realm}");
        // Until the user begins anew, and for another login.
        credentials.add(Credential::login("v", "p"));
        assert_eq!(seen(&client, &server, "/").await, ["-", "Basic djpw"], "{realm}");
        credentials.clear();
        credentials.add(login());
        assert_eq!(seen(&client, &server, "/").await, ["-", U_P], "{realm}");
    }
}

#[tokio::test]
async fn over_plain_http_a_weaker_challenge_is_answered_with_leave() {
    let server = Server::answering(|received, n| match (n, authorization(received)) {
        (0, _) => challenging("Ticket realm=\"r\", nonce=\"n\""),
        (1, _) | (_, Some(U_P)) => reply(200),
        _ => challenging("Basic realm=\"other\""),
    });
    let client = layer(&u_p()).allow_downgrade(true).layer(server.clone());
    seen(&client, &server, "/").await;
    assert_eq!(seen(&client, &server, "/").await, ["Ticket u:n:2", U_P]);
}

#[tokio::test]
async fn over_plain_http_nothing_weaker_goes_in_advance_where_a_stronger_one_was_accepted() {
    let server = Server::answering(|received, n| match (n, authorization(received)) {
        (1, _) => challenging("Ticket realm=\"r\", nonce=\"n\", domain=\"/a\""),
        (0, Some(U_P)) => challenging("Newauth"),
        _ => reply(200),
    });
    let credentials = u_p();
    let client = layer(&credentials).in_advance(httplib2_auth::InAdvance::Always).layer(server.clone());
    // What the user asked for goes out as long as nothing better is known.
    assert_eq!(seen(&client, &server, "/x").await, [U_P]);
    let mut own = request("GET http://a.example/a");
    let origin = Origin::of(own.uri()).unwrap();
    own.extensions_mut().insert(RequestCredentials::new(origin, login()).in_advance(false));
    try_send(&client, own).await.unwrap();
    assert_eq!(signatures(&server)[1..], ["-", "Ticket u:n:1"]);
    assert_eq!(seen(&client, &server, "/y").await, ["-"]);
}

#[tokio::test]
async fn from_https_to_http_only_credentials_for_that_very_origin_go() {
    let led = || {
        let mut led = request("GET http://a.example/");
        led.extensions_mut().insert(FirstOrigin(Origin::of(&"https://a.example/".parse().unwrap()).unwrap()));
        led
    };
    let landing = || door(U_P, "Basic realm=\"r\"");
    for (domain, expected) in [
        ("a.example", &["-"][..]),
        ("a.example:80", &["-"]),
        ("https://a.example", &["-"]),
        ("http://a.example", &["-", U_P]),
    ] {
        let (server, credentials) = (landing(), Credentials::new());
        credentials.add_for(domain, login()).unwrap();
        let response = try_send(&client(&credentials, &server), led()).await.unwrap();
        assert_eq!(signatures(&server), expected, "{domain}");
        if domain.starts_with("a.") {
            assert_eq!(common::unanswered(&response), Some(&Unanswered::OtherOrigin), "{domain}");
        }
    }
    // A token would go there unasked.
    let (server, credentials) = (landing(), Credentials::new());
    credentials.add_for("a.example", Credential::token("t")).unwrap();
    try_send(&client(&credentials, &server), led()).await.unwrap();
    assert_eq!(signatures(&server), ["-"]);
    let (server, credentials) = (landing(), Credentials::new());
    credentials.netrc("machine a.example login u password p").unwrap();
    try_send(&client(&credentials, &server), led()).await.unwrap();
    assert_eq!(signatures(&server), ["-"]);
    // Nor those for all, even where they follow redirects.
    let server = landing();
    try_send(&layer(&u_p()).credentials_follow_redirects(true).layer(server.clone()), led()).await.unwrap();
    assert_eq!(signatures(&server), ["-"]);
    // What is known of http from elsewhere does not sign either.
    let (server, credentials) = (landing(), Credentials::new());
    credentials.add_for("a.example", login()).unwrap();
    let known = client(&credentials, &server);
    send(&known, "GET http://a.example/").await;
    try_send(&known, led()).await.unwrap();
    assert_eq!(signatures(&server), ["-", U_P, "-"]);
    // The request's own one is for that origin or for none.
    let server = landing();
    let mut own = led();
    let origin = Origin::of(own.uri()).unwrap();
    own.extensions_mut().insert(RequestCredentials::new(origin, login()));
    try_send(&client(&Credentials::new(), &server), own).await.unwrap();
    assert_eq!(signatures(&server), ["-", U_P]);
}

#[tokio::test]
async fn credentials_that_are_cleared_meanwhile_answer_no_challenge() {
    for stale in [false, true] {
        let credentials = u_p();
        let clearing = credentials.clone();
        let server = Server::answering(move |received, n| match (n, authorization(received)) {
            (1, _) if stale => reply(200),
            (0, _) if stale => challenging("Ticket realm=\"r\", nonce=\"n\""),
            _ => {
                clearing.clear();
                challenging("Ticket realm=\"r\", nonce=\"m\", stale=true")
            }
        });
        let client = client(&credentials, &server);
        if stale {
            assert_eq!(seen(&client, &server, "/").await, ["-", "Ticket u:n:1"]);
        }
        let response = send(&client, "GET http://a.example/").await;
        assert_eq!(response.status(), 401);
        assert!(fact(&response).reasons().contains(&Unanswered::NoCredentials));
        assert_eq!(signatures(&server).last().unwrap(), if stale { "Ticket u:n:2" } else { "-" });
    }
}

#[tokio::test]
async fn the_requests_own_credential_outlives_those_that_are_cleared() {
    let credentials = u_p();
    let clearing = credentials.clone();
    let server = Server::answering(move |received, _| match authorization(received) {
        Some("Basic djpw") => reply(200),
        _ => {
            clearing.clear();
            challenging("Basic realm=\"r\"")
        }
    });
    let mut own = request("GET http://a.example/");
    let origin = Origin::of(own.uri()).unwrap();
    own.extensions_mut().insert(RequestCredentials::new(origin, Credential::login("v", "p")));
    assert_eq!(try_send(&client(&credentials, &server), own).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_trace_is_not_signed() {
    // RFC 9110 §9.3.8: who receives it sends it back as it came.
    let server = door(U_P, "Basic realm=\"r\"");
    let client = client(&u_p(), &server);
    send(&client, "GET http://a.example/").await;
    let response = send(&client, "TRACE http://a.example/").await;
    assert_eq!(signatures(&server), ["-", U_P, "-"]);
    assert_eq!(common::unanswered(&response), Some(&Unanswered::Trace));
}

#[tokio::test]
async fn a_signer_that_does_not_fit_a_challenge_elsewhere_leaves_it_to_a_new_one() {
    // RFC 9110 §11.5: one realm, and yet another algorithm.
    let server = Server::answering(|received, _| match (received.uri().path(), authorization(received)) {
        (_, Some(_)) => reply(200),
        ("/a", None) => challenging("Ticket realm=\"r\", nonce=\"a\", domain=\"/a\""),
        ("/b", None) => challenging("Ticket realm=\"r\", nonce=\"b\", domain=\"/b\", content=1"),
        _ => challenging("Ticket realm=\"r\", nonce=\"c\", kind=\"odd\""),
    });
    let client = client(&u_p(), &server);
    assert_eq!(seen(&client, &server, "/a").await, ["-", "Ticket u:a:1"]);
    assert_eq!(seen(&client, &server, "/b").await, ["-", "Ticket u:b:1:0"]);
    // What nobody can answer is not answered with what was asked for elsewhere.
    assert_eq!(seen(&client, &server, "/c").await, ["-"]);
}

#[tokio::test]
async fn a_weaker_challenge_for_the_same_realm_is_a_downgrade() {
    // RFC 7616 §5.7: who asks for the password where a ticket was good yesterday is somebody else.
    let server = Server::answering(|received, n| match (n, authorization(received)) {
        (0, _) => challenging("Ticket realm=\"r\", nonce=\"n\""),
        (1, _) => reply(200),
        _ => challenging("Basic realm=\"r\""),
    });
    let client = client(&u_p(), &server);
    seen(&client, &server, "/").await;
    assert_eq!(seen(&client, &server, "/").await, ["Ticket u:n:2"]);
}

#[tokio::test]
async fn a_signer_that_is_used_up_gives_way_to_a_new_one() {
    let server = door("Ticket u:for one:1", "Ticket realm=\"r\", nonce=\"for one\"");
    let client = client(&u_p(), &server);
    for _ in 0..3 {
        assert_eq!(seen(&client, &server, "/").await, ["-", "Ticket u:for one:1"]);
    }
}
