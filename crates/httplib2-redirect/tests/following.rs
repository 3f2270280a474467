//! What is followed, and what comes back.

use http::{Method, StatusCode, header};
use httplib2_core::context::Journal;
use httplib2_redirect::{
    Follow, Fragment, Hops, MaxRedirects, NotFollowed, RedirectLayer, RedirectPolicy, SameOrigin, Verdict, policy_fn,
};
use httplib2_testing::{Server, reply, request, text};
use tower::{Layer, ServiceExt};

fn hops<R>(response: &http::Response<R>) -> &Hops {
    response.extensions().get::<Hops>().expect("the response says how it was reached")
}

#[tokio::test]
async fn a_chain_is_followed_to_its_end_and_told() {
    let server = Server::new()
        .on("GET http://a.example/1", reply(301).header("location", "/2").body("moved"))
        .on("GET http://a.example/2", reply(302).header("location", "http://b.example/3"))
        .on("GET http://b.example/3", reply(200).body("landed"));
    let client = RedirectLayer::new().layer(server.clone());

    let response = client.oneshot(request("GET http://a.example/1")).await.unwrap();

    assert_eq!(server.saw(), ["GET http://a.example/1", "GET http://a.example/2", "GET http://b.example/3"]);
    let hops = hops(&response);
    assert_eq!(hops.to_string(), "301 http://a.example/1 -> 302 http://a.example/2 -> http://b.example/3");
    assert_eq!(hops.uri(), "http://b.example/3");
    // H-REDIR-21: the whole chain, the first one first.
    assert_eq!(hops.previous()[0].response.status(), 301);
    assert_eq!(hops.previous()[0].response.body(), "moved");
    assert!(hops.previous()[0].body_is_whole);
    assert_eq!(hops.previous()[1].uri, "http://a.example/2");
    assert_eq!(text(response).await.unwrap(), "landed");
}

#[tokio::test]
async fn an_answer_that_does_not_redirect_is_untouched() {
    let server = Server::new().on("GET http://a.example/", reply(200).body("here"));
    let response = RedirectLayer::new().layer(server).oneshot(request("GET http://a.example/")).await.unwrap();
    assert!(response.extensions().get::<Hops>().is_none());
    assert_eq!(text(response).await.unwrap(), "here");
}

#[tokio::test]
async fn the_limit_hands_back_the_last_response_with_the_reason() {
    // H-REDIR-07: 5 allowed, 6 requests sent.
    let server = Server::new().on("GET http://a.example/loop", reply(302).header("location", "/loop").body("round"));
    let response =
        RedirectLayer::new().layer(server.clone()).oneshot(request("GET http://a.example/loop")).await.unwrap();
    assert_eq!(server.saw().len(), 6);
    assert_eq!(response.status(), 302);
    assert_eq!(hops(&response).not_followed(), Some(&NotFollowed::Limit(5)));
    assert_eq!(hops(&response).previous().len(), 5);
    assert_eq!(text(response).await.unwrap(), "round");
}

#[tokio::test]
async fn options_of_the_request_replace_those_of_the_layer() {
    let server = Server::new().on("GET http://a.example/loop", reply(302).header("location", "/loop"));
    let client = RedirectLayer::new().layer(server.clone());
    let mut limited = request("GET http://a.example/loop");
    limited.extensions_mut().insert(MaxRedirects(2));
    client.clone().oneshot(limited).await.unwrap();
    assert_eq!(server.saw().len(), 3);

    let mut never = request("GET http://a.example/loop");
    never.extensions_mut().insert(Follow::Never);
    let response = client.oneshot(never).await.unwrap();
    assert_eq!(server.saw().len(), 4);
    assert!(response.extensions().get::<Hops>().is_none());
}

#[tokio::test]
async fn every_extension_reaches_every_hop() {
    // Trap 27: a per-request option of a layer inside keeps its effect after the redirect.
    #[derive(Clone, Debug, PartialEq)]
    struct Option(u8);
    let server = Server::new()
        .on("GET http://a.example/", reply(302).header("location", "http://b.example/"))
        .on("GET http://b.example/", reply(200));
    let mut with_option = request("GET http://a.example/");
    with_option.extensions_mut().insert(Option(7));
    RedirectLayer::new().layer(server.clone()).oneshot(with_option).await.unwrap();
    for received in server.requests() {
        assert_eq!(received.extensions().get(), Some(&Option(7)));
    }
}

#[tokio::test]
async fn a_missing_location_is_a_fact_and_not_an_error() {
    // H-REDIR-06.
    let server = Server::new().on("GET http://a.example/", reply(302).body("where?"));
    let response = RedirectLayer::new().layer(server).oneshot(request("GET http://a.example/")).await.unwrap();
    assert_eq!(hops(&response).not_followed(), Some(&NotFollowed::MissingLocation));
    assert_eq!(text(response).await.unwrap(), "where?");
}

#[tokio::test]
async fn head_stays_head_and_303_turns_everything_else_into_get() {
    // H-REDIR-02, H-REDIR-04, RED-10, RED-14.
    for (method, expected) in [("HEAD", "HEAD"), ("GET", "GET"), ("POST", "GET"), ("DELETE", "GET"), ("X-OWN", "GET")] {
        let server = Server::new()
            .on(&format!("{method} http://a.example/1"), reply(303).header("location", "/2"))
            .on(&format!("{expected} http://a.example/2"), reply(200));
        let client = RedirectLayer::new().layer(server.clone());
        client.oneshot(request(&format!("{method} http://a.example/1"))).await.unwrap();
        assert_eq!(server.saw()[1], format!("{expected} http://a.example/2"));
    }
}

#[tokio::test]
async fn an_unsafe_method_is_followed_only_by_303_and_308_unless_asked() {
    let server = || {
        Server::new()
            .on("PUT http://a.example/1", reply(307).header("location", "/2"))
            .on("PUT http://a.example/2", reply(201))
    };
    let response = RedirectLayer::new().layer(server()).oneshot(request("PUT http://a.example/1")).await.unwrap();
    assert_eq!(response.status(), 307);
    assert_eq!(hops(&response).not_followed(), Some(&NotFollowed::UnsafeMethod));

    let all = RedirectLayer::new().follow(Follow::All);
    let response = all.layer(server()).oneshot(request("PUT http://a.example/1")).await.unwrap();
    assert_eq!(response.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn fragments_are_inherited_and_never_sent() {
    // H-REDIR-10, RED-25, RFC 9110 §10.2.2.
    let server = Server::new()
        .on("GET http://a.example/1", reply(302).header("location", "/2"))
        .on("GET http://a.example/2", reply(302).header("location", "/3#own"))
        .on("GET http://a.example/3", reply(200));
    let client = RedirectLayer::new().layer(server.clone());
    let mut with_fragment = request("GET http://a.example/1");
    with_fragment.extensions_mut().insert(Fragment("top".into()));
    let response = client.oneshot(with_fragment).await.unwrap();
    let hops = hops(&response);
    assert_eq!(hops.previous()[0].fragment.as_deref(), Some("top"));
    assert_eq!(hops.previous()[1].fragment.as_deref(), Some("top"));
    assert_eq!(hops.fragment(), Some("own"));
    assert!(server.saw().iter().all(|line| !line.contains('#')));
}

#[tokio::test]
async fn a_policy_sees_each_hop_before_it_is_sent() {
    let server = Server::new()
        .on("GET http://a.example/1", reply(302).header("location", "/2"))
        .on("GET http://a.example/2", reply(302).header("location", "http://b.example/"));
    let policy = SameOrigin.and(policy_fn(|attempt| match attempt.method {
        &Method::GET => attempt.follow(),
        _ => Verdict::Refuse("only GET"),
    }));
    let client = RedirectLayer::new().policy(policy).layer(server.clone());
    let response = client.oneshot(request("GET http://a.example/1")).await.unwrap();
    assert_eq!(server.saw(), ["GET http://a.example/1", "GET http://a.example/2"]);
    assert!(matches!(hops(&response).not_followed(), Some(NotFollowed::Refused(_))));
}

#[tokio::test]
async fn the_journal_tells_each_hop_without_secrets() {
    let journal = Journal::default();
    let server = Server::new()
        .on("GET http://a.example/1?token=s3cret", reply(302).header("location", "http://b.example/2?token=s3cret"))
        .on("GET http://b.example/2?token=s3cret", reply(302));
    let mut explained = request("GET http://a.example/1?token=s3cret");
    explained.headers_mut().insert(header::AUTHORIZATION, "Bearer s3cret".parse().unwrap());
    explained.extensions_mut().insert(journal.clone());
    RedirectLayer::new().layer(server).oneshot(explained).await.unwrap();
    let lines: Vec<_> = journal.lines().iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "redirect: 302 followed to http://b.example/2?.. as GET, without authorization",
            "redirect: 302 returned: it has no Location",
        ]
    );
}
