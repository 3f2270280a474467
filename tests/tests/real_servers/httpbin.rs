//! httpbin says what it was asked.

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::Full;
use httplib2_tests::servers::httpbin;

use crate::client::Client;

#[tokio::test]
#[ignore = "needs httpbin"]
async fn httpbin_says_what_it_was_asked() {
    let (httpbin, client) = (httpbin::start(), Client::plain());
    let request = Request::post(httpbin.uri("/anything?q=1"))
        .header("x-test", "one")
        .body(Full::new(Bytes::from_static(b"some text")))
        .unwrap();
    let answer = client.send(request).await;
    let said = std::str::from_utf8(answer.body()).unwrap();
    for part in [r#""method": "POST""#, r#""X-Test": "one""#, r#""data": "some text""#, r#""q": "1""#] {
        assert!(said.contains(part), "no {part} in {said}");
    }
}

#[tokio::test]
#[ignore = "needs httpbin"]
async fn httpbin_redirects_as_often_as_it_is_told() {
    let (httpbin, client) = (httpbin::start(), Client::plain());
    let answer = client.get(httpbin.uri("/redirect/2")).await;
    assert_eq!(answer.status(), StatusCode::FOUND);
    assert_eq!(answer.headers()[header::LOCATION], "/relative-redirect/1");
}
