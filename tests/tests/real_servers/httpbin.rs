//! httpbin says what it was asked.

use std::time::Duration;

use httplib2::{Body, ErrorKind, Http};
use httplib2_tests::servers::httpbin;

use crate::client::{plain_settings, text};

fn client() -> Http {
    plain_settings().build().unwrap()
}

#[tokio::test]
#[ignore = "needs httpbin"]
async fn every_method_arrives_with_its_headers_and_body() {
    let (httpbin, http) = (httpbin::start(), client());
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        let request = http.request(httpbin.uri("/anything?q=1")).method(method).header("x-test", "one");
        let answer = request.body("some text").await.unwrap();
        let method = format!("\"method\": \"{method}\"");
        for part in [&*method, r#""X-Test": "one""#, r#""data": "some text""#, r#""q": "1""#] {
            assert!(text(&answer).contains(part), "no {part} in {}", text(&answer));
        }
    }
    let (response, content) = http.request(httpbin.uri("/anything")).method("HEAD").await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(content.is_empty());
}

#[tokio::test]
#[ignore = "needs httpbin"]
async fn the_redirect_family_is_followed() {
    let (httpbin, http) = (httpbin::start(), client());
    for path in ["/redirect/4", "/relative-redirect/4", "/absolute-redirect/4"] {
        let (response, _) = http.request(httpbin.uri(path)).await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.history().count(), 4, "{path}");
        assert_eq!(response.uri().path(), "/get", "{path}");
    }
    let error = http.request(httpbin.uri("/redirect/6")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RedirectLimit);
    for code in [301, 302, 303, 307, 308] {
        let uri = httpbin.uri(&format!("/redirect-to?url=/anything&status_code={code}"));
        let answer =
            http.request(uri).method("POST").follow(httplib2::redirect::Follow::All).body("text").await.unwrap();
        let method = if matches!(code, 302 | 303) { "GET" } else { "POST" };
        assert!(text(&answer).contains(&format!("\"method\": \"{method}\"")), "{code}: {}", text(&answer));
        assert_eq!(text(&answer).contains("\"data\": \"text\""), method == "POST", "{code}");
    }
}

#[tokio::test]
#[ignore = "needs httpbin"]
async fn streams_arrive_piece_by_piece() {
    let (httpbin, http) = (httpbin::start(), client());
    let (_, mut body) = http.request(httpbin.uri("/drip?numbytes=4&duration=1&delay=0")).stream().await.unwrap();
    let mut pieces = Vec::new();
    while let Some(piece) = body.chunk().await.unwrap() {
        pieces.push(piece);
    }
    assert!(pieces.len() > 1, "one byte at a time, not {pieces:?}");
    assert_eq!(pieces.concat(), b"****");

    let (_, content) = http.request(httpbin.uri("/stream-bytes/100000?seed=1")).await.unwrap();
    assert_eq!(content.len(), 100_000);
}

#[tokio::test]
#[ignore = "needs httpbin"]
async fn a_delay_is_a_timeout() {
    let (httpbin, http) = (httpbin::start(), client());
    let error = http.request(httpbin.uri("/delay/5")).timeout(Duration::from_millis(300)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
}

#[tokio::test]
#[ignore = "needs httpbin"]
async fn an_upload_from_a_file_has_its_length() {
    let (httpbin, http) = (httpbin::start(), client());
    let path = std::env::temp_dir().join(format!("httplib2-upload-{}", std::process::id()));
    std::fs::write(&path, "from a file").unwrap();
    let answer = http.request(httpbin.uri("/put")).method("PUT").body(Body::file(&path).unwrap()).await.unwrap();
    std::fs::remove_file(path).unwrap();
    assert!(text(&answer).contains("\"data\": \"from a file\""));
    assert!(text(&answer).contains("\"Content-Length\": \"11\""));
}
