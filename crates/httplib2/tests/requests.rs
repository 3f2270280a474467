//! What the server gets of what the caller said.

use httplib2::{Body, ErrorKind, Http};
use httplib2_testing::{Received, Server, reply};

fn server() -> Server {
    Server::answering(|_, _| reply(200))
}

fn over(server: &Server) -> Http {
    Http::builder().build_over(server.clone()).expect("a client")
}

async fn refused(request: httplib2::RequestBuilder) -> ErrorKind {
    request.await.map(|_| ()).expect_err("it should be refused").kind()
}

fn field<'a>(received: &'a Received, name: &str) -> Option<&'a str> {
    received.headers().get(name).map(|value| value.to_str().expect("text"))
}

#[tokio::test]
async fn any_token_is_a_method_and_its_case_counts() {
    // H-API-05.
    let server = server();
    for method in ["GET", "get", "M-SEARCH", "PROPFIND", "x!#$%&'*+-.^_`|~9"] {
        over(&server).request("http://a.example/").method(method).await.unwrap();
        assert_eq!(server.requests().last().unwrap().method(), method);
    }
    for method in ["", "GET /", "GE T", "GET\r\nX-Evil: 1", "GÉT"] {
        assert_eq!(refused(over(&server).request("http://a.example/").method(method)).await, ErrorKind::InvalidRequest);
    }
}

#[tokio::test]
async fn a_uri_must_be_absolute_and_http() {
    // H-REQ-04, H-REQ-05, H-URI-03.
    let http = over(&server());
    for (uri, kind) in [
        ("/path", ErrorKind::RelativeUri),
        ("a.example/path", ErrorKind::RelativeUri),
        ("", ErrorKind::RelativeUri),
        ("http://", ErrorKind::RelativeUri),
        ("ftp://a.example/", ErrorKind::UnsupportedScheme),
        ("file:///etc/passwd", ErrorKind::UnsupportedScheme),
        ("http://a b/", ErrorKind::InvalidUri),
        ("http://a:port/", ErrorKind::InvalidUri),
        ("http://[::1/", ErrorKind::InvalidUri),
    ] {
        assert_eq!(refused(http.request(uri)).await, kind, "{uri:?}");
    }
}

#[tokio::test]
async fn nothing_in_a_uri_can_end_its_line() {
    // H-SEC-02, FRM-19, FRM-28.
    let server = server();
    over(&server).request("http://a.example/x HTTP/1.1\r\nX-Evil: 1\0é").await.unwrap();
    assert_eq!(server.saw(), ["GET http://a.example/x%20HTTP/1.1%0D%0AX-Evil:%201%00%C3%A9"]);
}

#[tokio::test]
async fn userinfo_becomes_credentials_and_the_fragment_stays_at_home() {
    // H-URI-05: no server is looked up by a name that holds a password.
    let server = server();
    let request = over(&server).request("http://joe:s3cret@a.example/#part").explain(true);
    let (response, _) = request.await.unwrap();
    assert_eq!(server.saw(), ["GET http://a.example/"]);
    assert_eq!(server.requests()[0].headers()["authorization"], "Basic am9lOnMzY3JldA==");
    assert_eq!(response.content_location(), "http://a.example/#part");
    assert!(!response.explain().to_string().contains("s3cret"), "{}", response.explain());
}

#[tokio::test]
async fn header_fields_keep_all_values_and_lose_outer_blanks() {
    // H-HDR-01, H-HDR-02.
    let server = server();
    let request = over(&server).request("http://a.example/").header("X-Two", " a  b\t").header("x-two", "c\\n");
    request.await.unwrap();
    let values: Vec<_> = server.requests()[0].headers().get_all("x-two").iter().cloned().collect();
    assert_eq!(values, ["a  b", "c\\n"]);
    for (name, value) in
        [("x-a", "a\r\nX-Evil: 1"), ("x-a", "a\nb"), ("x-a", "a\0b"), ("x a", "b"), ("", "b"), ("x:", "b")]
    {
        let request = over(&server).request("http://a.example/").header(name, value);
        assert_eq!(refused(request).await, ErrorKind::InvalidRequest, "{name:?}: {value:?}");
    }
    assert_eq!(server.saw().len(), 1);
}

#[tokio::test]
async fn defaults_fill_in_what_the_request_leaves_out() {
    // H-REQ-02.
    let server = server();
    let http =
        Http::builder().user_agent("mine/1").default_header("accept", "text/plain").build_over(server.clone()).unwrap();
    http.request("http://a.example/").await.unwrap();
    http.request("http://a.example/").header("User-Agent", "other").header("accept", "*/*").await.unwrap();
    let requests = server.requests();
    assert_eq!(
        (field(&requests[0], "user-agent"), field(&requests[0], "accept")),
        (Some("mine/1"), Some("text/plain"))
    );
    assert_eq!((field(&requests[1], "user-agent"), field(&requests[1], "accept")), (Some("other"), Some("*/*")));

    over(&server).request("http://a.example/").await.unwrap();
    assert!(field(&server.requests()[2], "user-agent").unwrap().starts_with("httplib2-rust/"));
}

#[tokio::test]
async fn every_hop_says_who_asks() {
    let server = Server::answering(|_, n| if n % 2 == 0 { reply(302).header("location", "/next") } else { reply(200) });
    let agents = || -> Vec<String> {
        server.requests().iter().rev().take(2).map(|hop| field(hop, "user-agent").unwrap().to_owned()).collect()
    };
    let http = Http::builder().default_header("User-Agent", "first/1").user_agent("mine/1");
    let http = http.build_over(server.clone()).unwrap();
    http.request("http://a.example/").await.unwrap();
    assert_eq!(agents(), ["mine/1", "mine/1"]);
    http.request("http://a.example/").header("user-agent", "other").await.unwrap();
    assert_eq!(agents(), ["other", "other"]);
}

#[tokio::test]
async fn a_secret_user_agent_does_not_leave_its_origin() {
    let server =
        Server::answering(|_, n| if n == 0 { reply(302).header("location", "http://b.example/") } else { reply(200) });
    let http = Http::builder().user_agent("secret").sensitive_header("user-agent".parse().unwrap());
    http.build_over(server.clone()).unwrap().request("http://a.example/").await.unwrap();
    let agents: Vec<_> = server.requests().iter().map(|hop| field(hop, "user-agent").map(str::to_owned)).collect();
    assert_eq!(agents, [Some("secret".to_owned()), None]);
}

#[tokio::test]
async fn methods_that_expect_content_say_that_there_is_none() {
    // H-HDR-04.
    let server = server();
    for (method, length) in
        [("POST", Some("0")), ("PUT", Some("0")), ("PATCH", Some("0")), ("GET", None), ("DELETE", None)]
    {
        over(&server).request("http://a.example/").method(method).await.unwrap();
        assert_eq!(field(server.requests().last().unwrap(), "content-length"), length, "{method}");
    }
}

#[tokio::test]
async fn a_framing_that_contradicts_the_body_is_refused() {
    let http = over(&server());
    let put = || http.request("http://a.example/").method("PUT").body("text");
    for (name, value) in [("content-length", "3"), ("content-length", "+4"), ("transfer-encoding", "chunked")] {
        assert_eq!(refused(put().header(name, value)).await, ErrorKind::InvalidRequest, "{name}: {value}");
    }
    put().header("content-length", "4").await.unwrap();
    let twice = http.request("http://a.example/").method("PUT").body(Body::chunks(["text"]));
    let twice = twice.header("content-length", "4").header("content-length", "5");
    assert_eq!(refused(twice).await, ErrorKind::InvalidRequest);
    // RFC 9110 §9.3.8.
    let trace = http.request("http://a.example/").method("TRACE").body("text");
    assert_eq!(refused(trace).await, ErrorKind::InvalidRequest);
}

#[tokio::test]
async fn every_kind_of_body_arrives() {
    let server = server();
    let http = over(&server);
    let stream = futures_util::stream::iter([Ok::<_, std::io::Error>("te"), Ok("xt")]);
    for body in [
        Body::from("text"),
        Body::from(b"text".to_vec()),
        Body::chunks(["te", "xt"]),
        Body::reader(&b"text"[..]),
        Body::stream(stream),
        Body::factory(|| Body::from("text")),
    ] {
        http.request("http://a.example/").method("PUT").body(body).await.unwrap();
        assert_eq!(server.requests().last().unwrap().body(), "text");
    }
}

#[tokio::test]
async fn the_first_thing_that_is_wrong_is_said() {
    let request = over(&server()).request("relative").method("not a method");
    assert!(format!("{request:?}").contains("relative"));
    assert_eq!(refused(request).await, ErrorKind::RelativeUri);
}

#[tokio::test]
async fn wrong_settings_are_an_error_of_the_builder() {
    let error = Http::builder().default_header("x y", "z").build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSettings);
    // H-TLS-04: said when the client is built, not when it is used.
    let error = Http::builder().ca_certs_file("/nowhere/at/all.pem").build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSettings);
    drop(Http::new());
}

#[tokio::test]
async fn what_would_be_read_in_two_ways_is_refused() {
    let http = over(&server());
    let request = || http.request("http://a.example/");
    assert_eq!(refused(request().header("host", "one").header("host", "two")).await, ErrorKind::InvalidRequest);
    assert_eq!(refused(request().method("CONNECT")).await, ErrorKind::InvalidRequest);
    let promised = request().method("PUT").body(Body::chunks(["0123456789"])).header("content-length", "5");
    assert_eq!(refused(promised).await, ErrorKind::InvalidRequest);
}
