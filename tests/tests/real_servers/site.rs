//! One site, served by nginx and by Apache: each test runs against both.

use bytes::Bytes;
use http::{Request, StatusCode, Version, header};
use http_body_util::Full;
use httplib2_tests::servers::{HELLO, REDIRECT_CODES, Site, apache, echoed, large, nginx};

use crate::client::{Answer, Client};

/// Names each test once, for both servers.
macro_rules! on_both_servers {
    ($($test:ident)*) => {
        mod on_nginx {
            $(#[tokio::test]
            #[ignore = "needs nginx"]
            async fn $test() {
                super::$test(super::nginx::start()).await;
            })*
        }

        mod on_apache {
            $(#[tokio::test]
            #[ignore = "needs apache2"]
            async fn $test() {
                super::$test(super::apache::start()).await;
            })*
        }
    };
}

on_both_servers! {
    a_file_is_answered_with_its_validators
    a_large_file_arrives_whole
    the_server_sees_the_method_the_headers_and_the_body
    a_redirect_says_where_to_go
    requests_one_after_another_share_a_connection
    a_connection_that_the_server_closes_is_not_used_again
    over_tls_http_2_is_spoken
    a_server_whose_authority_is_unknown_gets_no_request
    a_slow_body_arrives_whole
}

async fn a_file_is_answered_with_its_validators(site: Site) {
    let client = Client::of(&site);
    for uri in [site.plain("/hello.txt"), site.elsewhere("/hello.txt"), site.tls("/hello.txt")] {
        let answer = client.get(uri).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(text(&answer), HELLO);
        assert!(answer.headers().contains_key(header::ETAG));
        assert!(answer.headers().contains_key(header::LAST_MODIFIED));
    }
}

async fn a_large_file_arrives_whole(site: Site) {
    let client = Client::of(&site);
    for uri in [site.plain("/large.bin"), site.tls("/large.bin")] {
        assert!(client.get(uri).await.body() == &large());
    }
}

async fn the_server_sees_the_method_the_headers_and_the_body(site: Site) {
    let client = Client::of(&site);
    for uri in [site.plain("/echo?q=1"), site.tls("/echo?q=1")] {
        let request = Request::put(uri)
            .header("x-test", "one")
            .header(header::CONTENT_TYPE, "text/x-test")
            .body(Full::new(Bytes::from_static(b"some text\n")))
            .unwrap();
        let answer = client.send(request).await;
        let echoed = |field| echoed(text(&answer), field);
        assert_eq!(echoed("method"), "PUT");
        assert_eq!(echoed("uri"), "/echo?q=1");
        assert_eq!(echoed("x-test"), "one");
        assert_eq!(echoed("content-type"), "text/x-test");
        assert_eq!(echoed("content-length"), "10");
        assert_eq!(echoed("cookie"), "");
        assert_eq!(echoed("body"), "some text\n");
    }
}

async fn a_redirect_says_where_to_go(site: Site) {
    let client = Client::of(&site);
    let location = async |uri: String| {
        let answer = client.get(uri).await;
        let location = answer.headers()[header::LOCATION].to_str().unwrap().to_owned();
        (answer.status().as_u16(), location)
    };
    for code in REDIRECT_CODES {
        let path = format!("/redirect/{code}");
        assert_eq!(location(site.plain(&path)).await, (code, "/echo".into()));
        assert_eq!(location(site.tls(&path)).await, (code, "/echo".into()));
        let path = format!("/redirect/{code}/absolute");
        assert_eq!(location(site.plain(&path)).await, (code, site.plain("/echo")));
        assert_eq!(location(site.tls(&path)).await, (code, site.tls("/echo")));
        assert_eq!(location(site.plain(&format!("/redirect/{code}/elsewhere"))).await, (code, site.elsewhere("/echo")));
        assert_eq!(location(site.plain(&format!("/redirect/{code}/tls"))).await, (code, site.tls("/echo")));
        assert_eq!(location(site.tls(&format!("/redirect/{code}/plain"))).await, (code, site.plain("/echo")));
    }
    assert_eq!(location(site.plain("/redirect/loop")).await, (302, "/redirect/loop".into()));
    assert_eq!(location(site.plain("/redirect/chain/5")).await, (302, "/redirect/chain/4".into()));
    assert_eq!(location(site.plain("/redirect/chain/1")).await, (302, "/echo".into()));
    assert_eq!(location(site.plain("/redirect/fragment")).await, (302, "/echo#part".into()));
    assert!(location(site.plain("/dir")).await.1.ends_with("/dir/"));
}

async fn requests_one_after_another_share_a_connection(site: Site) {
    let client = Client::of(&site);
    for uri in [site.plain("/echo"), site.tls("/echo")] {
        let first = client.get(uri.clone()).await;
        let second = client.get(uri).await;
        assert_eq!(echoed(text(&first), "remote-port"), echoed(text(&second), "remote-port"));
    }
}

async fn a_connection_that_the_server_closes_is_not_used_again(site: Site) {
    let client = Client::of(&site);
    let first = client.get(site.plain("/close")).await;
    let second = client.get(site.plain("/close")).await;
    assert_eq!(first.headers()[header::CONNECTION], "close");
    assert_ne!(echoed(text(&first), "remote-port"), echoed(text(&second), "remote-port"));
}

async fn over_tls_http_2_is_spoken(site: Site) {
    let client = Client::of(&site);
    let answer = client.get(site.tls("/echo")).await;
    assert_eq!(answer.version(), Version::HTTP_2);
    assert_eq!(echoed(text(&answer), "protocol"), "HTTP/2.0");
    let answer = client.get(site.plain("/echo")).await;
    assert_eq!(answer.version(), Version::HTTP_11);
    assert_eq!(echoed(text(&answer), "protocol"), "HTTP/1.1");
}

async fn a_server_whose_authority_is_unknown_gets_no_request(site: Site) {
    let request = Request::get(site.tls("/echo")).body(Full::default()).unwrap();
    assert!(Client::plain().try_send(request).await.is_err());
}

async fn a_slow_body_arrives_whole(site: Site) {
    let client = Client::of(&site);
    assert_eq!(text(&client.get(site.plain("/drip")).await), "first\nsecond\n");
    assert_eq!(echoed(text(&client.get(site.plain("/slow")).await), "uri"), "/slow");
}

fn text(answer: &Answer) -> &str {
    std::str::from_utf8(answer.body()).unwrap()
}
