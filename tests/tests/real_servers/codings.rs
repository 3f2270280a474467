//! Content codings of real servers.

use httplib2_tests::servers::{Site, httpbin, text};

use crate::{
    client::{client, get, plain_settings},
    site::on_both_servers,
};

on_both_servers! {
    compressed_content_is_decoded_and_says_so
    raw_content_and_ranges_are_left_as_they_are
}

async fn compressed_content_is_decoded_and_says_so(site: Site) {
    let http = client(&site);
    for coding in ["gzip", "br"] {
        for uri in [site.plain(&format!("/{coding}.txt")), site.tls(&format!("/{coding}.txt"))] {
            let (response, content) = get(&http, uri).await;
            assert!(content == text(), "{coding}");
            let decoded = response.decoded().expect("it was coded");
            assert_eq!(decoded.content_encoding, coding);
            assert_eq!(response.header("content-encoding"), None);
            assert_eq!(response.header("content-length"), Some(&*text().len().to_string()));
        }
    }
    let (response, content) = get(&http, site.plain("/hello.txt")).await;
    assert!(response.decoded().is_none() && !content.is_empty());
}

async fn raw_content_and_ranges_are_left_as_they_are(site: Site) {
    let http = client(&site);
    let (response, content) = http.request(site.plain("/gzip.txt")).raw().await.unwrap();
    assert_eq!(response.header("content-encoding"), None, "nobody asked for a coding");
    assert!(content == text());

    let coded = http.request(site.plain("/gzip.txt")).header("accept-encoding", "gzip");
    let (response, content) = coded.await.unwrap();
    assert_eq!(response.header("content-encoding"), Some("gzip"));
    assert_eq!(content[..2], [0x1f, 0x8b]);

    let (response, content) = http.request(site.plain("/gzip.txt")).header("range", "bytes=5-9").await.unwrap();
    assert_eq!(response.status(), 206);
    assert_eq!(content, text().as_bytes()[5..10]);

    let (response, content) = http.request(site.plain("/gzip.txt")).method("HEAD").await.unwrap();
    assert!(response.decoded().is_none() && content.is_empty());
}

#[tokio::test]
#[ignore = "needs httpbin"]
async fn httpbin_s_codings_are_decoded() {
    let (httpbin, http) = (httpbin::start(), plain_settings().build().unwrap());
    for (path, said) in [("/gzip", "gzipped"), ("/deflate", "deflated"), ("/brotli", "brotli")] {
        let (response, content) = http.request(httpbin.uri(path)).await.unwrap();
        let content = std::str::from_utf8(&content).unwrap();
        assert!(content.contains(&format!("\"{said}\": true")), "{path}: {content}");
        assert!(response.decoded().is_some(), "{path}");
    }
}

#[tokio::test]
#[ignore = "needs httpbin"]
async fn a_status_that_stays_is_handed_back_after_the_last_try() {
    let (httpbin, http) = (httpbin::start(), plain_settings().build().unwrap());
    let transient = httplib2::retry::RetryStatuses::transient();
    let (response, _) = http.request(httpbin.uri("/status/503")).extension(transient).await.unwrap();
    assert_eq!(response.status(), 503);
    let tries = response.extensions().get::<httplib2::retry::Tries>().expect("it was tried again");
    assert_eq!(tries.sends(), 2);
}
