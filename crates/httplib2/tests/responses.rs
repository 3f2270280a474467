//! What the caller gets of what the server said.

use httplib2::{
    Error, ErrorKind, Http,
    core::error::is_caused_by,
    redirect::{Follow, NotFollowed},
};
use httplib2_testing::{Broken, Reply, Server, reply};

fn over(server: Server) -> Http {
    Http::builder().build_over(server).expect("a client")
}

#[tokio::test]
async fn a_response_tells_its_status_its_fields_and_its_request() {
    let server = Server::new()
        .on("PUT http://a.example/x", reply(201).header("set-cookie", "a=1").header("set-cookie", "b=2").body("made"));
    let request = over(server).request("http://a.example/x").method("PUT").header("x-own", "1").body("text");
    let (response, content) = request.await.unwrap();
    assert_eq!(content, "made");
    assert_eq!((response.status().as_u16(), &*response.reason(), response.version()), (201, "Created", 11));
    // H-RESP-02: repeated fields are not joined.
    assert_eq!(response.headers().get_all("set-cookie").iter().count(), 2);
    assert_eq!(response.request_method(), "PUT");
    assert_eq!(response.request_headers()["x-own"], "1");
    assert_eq!(response.uri(), "http://a.example/x");
    assert!(response.previous().is_none() && !response.from_cache() && response.connection().is_none());
}

#[tokio::test]
async fn the_chain_of_previous_responses_goes_back_to_the_first() {
    // H-REDIR-21, H-REDIR-22.
    let server = Server::new()
        .on("POST http://a.example/1", reply(303).header("location", "/2").body("see 2"))
        .on("GET http://a.example/2", reply(301).header("location", "http://b.example/3"))
        .on("GET http://b.example/3", reply(200).body("here"));
    let request = over(server).request("http://a.example/1").method("POST").body("text");
    let (response, content) = request.header("authorization", "x").await.unwrap();
    assert_eq!(content, "here");
    assert_eq!(response.uri(), "http://b.example/3");
    assert!(!response.request_headers().contains_key("authorization"));
    let second = response.previous().unwrap();
    assert_eq!((second.status().as_u16(), second.request_method().as_str()), (301, "GET"));
    let first = second.previous().unwrap();
    assert_eq!((first.status().as_u16(), first.request_method().as_str()), (303, "POST"));
    assert_eq!(first.content(), "see 2");
    assert_eq!(first.request_headers()["authorization"], "x");
    assert!(first.previous().is_none());
    let history: Vec<_> = response.history().map(|earlier| earlier.status().as_u16()).collect();
    assert_eq!(history, [301, 303]);
}

#[tokio::test]
async fn dead_ends_of_redirects_are_errors_that_carry_the_response() {
    // H-REDIR-06, H-REDIR-07, H-ERR-03, H-ERR-04.
    let looping = Server::new().on("GET http://a.example/", reply(302).header("location", "/").body("round"));
    let error = over(looping.clone()).request("http://a.example/").redirections(2).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RedirectLimit);
    assert_eq!(looping.saw().len(), 3);
    assert_eq!(error.response().unwrap().history().count(), 2);
    assert_eq!(error.content().unwrap(), "round");

    let lost = || over(Server::new().on("GET http://a.example/", reply(302).body("where?")));
    let error = lost().request("http://a.example/").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RedirectMissingLocation);
    let (response, content) = error.into_response().unwrap();
    assert_eq!((response.status().as_u16(), &*content), (302, &b"where?"[..]));

    // Not followed, so no dead end.
    let (response, _) = lost().request("http://a.example/").follow(Follow::Never).await.unwrap();
    assert_eq!(response.status(), 302);
    let unsafe_method = over(Server::new().on("PUT http://a.example/", reply(302)));
    let (response, _) = unsafe_method.request("http://a.example/").method("PUT").await.unwrap();
    assert_eq!(response.not_followed(), Some(&NotFollowed::UnsafeMethod));
}

#[tokio::test]
async fn collected_content_is_bounded_and_streamed_content_is_not() {
    let server = Server::new()
        .on("GET http://a.example/known", reply(200).body("12345678"))
        .on("GET http://a.example/unknown", reply(200).chunks(["1234", "5678"]));
    let http = Http::builder().max_body(7).build_over(server).unwrap();
    for uri in ["http://a.example/known", "http://a.example/unknown"] {
        assert_eq!(http.request(uri).await.unwrap_err().kind(), ErrorKind::ContentTooLong);
        assert_eq!(http.request(uri).max_body(8).await.unwrap().1, "12345678");
        let (_, mut body) = http.request(uri).stream().await.unwrap();
        let mut length = 0;
        while let Some(piece) = body.chunk().await.unwrap() {
            length += piece.len();
        }
        assert_eq!(length, 8);
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_an_error_and_never_short() {
    let server = Server::new().on("GET http://a.example/", reply(200).chunks(["half"]).breaking());
    let http = over(server);
    let error = http.request("http://a.example/").await.unwrap_err();
    assert!(is_caused_by::<Broken>(&error));
    let (_, mut body) = http.request("http://a.example/").stream().await.unwrap();
    assert_eq!(body.chunk().await.unwrap().unwrap(), "half");
    assert!(body.chunk().await.is_err());
}

#[tokio::test]
async fn trailers_are_told_once_the_content_was_read() {
    let server = Server::new().on("GET http://a.example/", reply(200).body("text").trailers([("x-sum", "4")]));
    let (response, _) = over(server).request("http://a.example/").await.unwrap();
    assert_eq!(response.trailers().unwrap()["x-sum"], "4");
}

#[tokio::test]
async fn an_error_shows_where_it_happened_and_no_secret() {
    let server = Server::answering(|_, _| Reply::failing(|| std::io::Error::other("the cause")));
    let error: Error = over(server).request("http://joe:s3cret@a.example/x?token=s3cret").await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("http://a.example/x?.."), "{shown}");
    assert!(shown.contains("the cause"), "{shown}");
    assert!(!shown.contains("s3cret"), "{shown}");
    assert_eq!(error.uri().unwrap(), "http://a.example/x?token=s3cret");
    assert!(is_caused_by::<std::io::Error>(&error));
}

#[tokio::test]
async fn nothing_is_explained_unless_asked() {
    let server = Server::new().on("GET http://a.example/", reply(200));
    let http = over(server);
    let (response, _) = http.request("http://a.example/").await.unwrap();
    assert!(response.explain().lines().is_empty());
    let (response, _) = http.request("http://a.example/").explain(true).await.unwrap();
    assert_eq!(response.explain().to_string(), "call: answered 200 OK with HTTP version 11");
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_the_body_of_a_redirect_that_leads_nowhere() {
    let endless = reply(302).header("location", "/").body("begun").stalling();
    let http = over(Server::new().on("GET http://a.example/", endless));
    let start = tokio::time::Instant::now();
    let request = http.request("http://a.example/").redirections(0);
    let error = request.stream().await.map(|_| ()).unwrap_err();
    assert_eq!((error.kind(), error.content().unwrap().as_ref()), (ErrorKind::RedirectLimit, &b"begun"[..]));
    assert_eq!(start.elapsed().as_secs(), 1);
}

#[tokio::test]
async fn the_history_keeps_the_beginning_of_a_long_body() {
    let server = Server::new()
        .on("GET http://a.example/1", reply(302).header("location", "/2").body("x".repeat(70_000)))
        .on("GET http://a.example/2", reply(200));
    let (response, _) = over(server).request("http://a.example/1").await.unwrap();
    assert_eq!(response.previous().unwrap().content().len(), 64 * 1024);
}

#[tokio::test]
async fn no_debug_shows_a_secret_in_a_location_or_in_the_fields_of_the_request() {
    let location = "http://joe:s3cret@b.example/x?token=s3cret";
    let server = Server::new().on("GET http://a.example/", reply(302).header("location", location));
    let request = || over(server.clone()).request("http://a.example/").header("authorization", "Bearer s3cret");
    let error = request().redirections(0).await.unwrap_err();
    assert!(!format!("{error:?} {error}").contains("s3cret"), "{error:?}");
    let (response, _) = request().follow(Follow::Never).await.unwrap();
    let shown = format!("{response:?} {:?}", response.request_headers());
    assert!(!shown.contains("s3cret"), "{shown}");
}
