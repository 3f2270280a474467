//! One site, served by nginx and by Apache: each test runs against both.

use httplib2::{ErrorKind, blocking};
use httplib2_tests::servers::{HELLO, Site, echoed, large};

use crate::client::{client, get, plain_settings, settings, text};

/// Names each test once, for both servers.
macro_rules! on_both_servers {
    ($($test:ident)*) => {
        mod on_nginx {
            $(#[tokio::test]
            #[ignore = "needs nginx"]
            async fn $test() {
                super::$test(httplib2_tests::servers::nginx::start()).await;
            })*
        }

        mod on_apache {
            $(#[tokio::test]
            #[ignore = "needs apache2"]
            async fn $test() {
                super::$test(httplib2_tests::servers::apache::start()).await;
            })*
        }
    };
}

pub(crate) use on_both_servers;

on_both_servers! {
    a_file_is_answered_with_its_validators
    a_large_file_arrives_whole
    the_server_sees_the_method_the_headers_and_the_body
    requests_one_after_another_share_a_connection
    a_connection_that_the_server_closes_is_not_used_again
    over_tls_http_2_is_spoken
    a_server_whose_authority_is_unknown_gets_no_request
    a_slow_body_arrives_whole_and_a_slower_one_is_a_timeout
    the_blocking_client_shares_one_connection_too
}

async fn a_file_is_answered_with_its_validators(site: Site) {
    let http = client(&site);
    for uri in [site.plain("/hello.txt"), site.elsewhere("/hello.txt"), site.tls("/hello.txt")] {
        let answer = get(&http, uri).await;
        assert_eq!(answer.0.status(), 200);
        assert_eq!(answer.0.reason(), "OK");
        assert_eq!(text(&answer), HELLO);
        assert!(answer.0.header("etag").is_some() && answer.0.header("last-modified").is_some());
    }
}

async fn a_large_file_arrives_whole(site: Site) {
    let http = client(&site);
    for uri in [site.plain("/large.bin"), site.tls("/large.bin")] {
        assert!(get(&http, uri).await.1 == large());
    }
}

async fn the_server_sees_the_method_the_headers_and_the_body(site: Site) {
    let http = client(&site);
    for uri in [site.plain("/echo?q=1"), site.tls("/echo?q=1")] {
        let request = http.request(uri).method("PUT").header("x-test", "one").header("content-type", "text/x-test");
        let answer = request.body("some text\n").await.unwrap();
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

async fn requests_one_after_another_share_a_connection(site: Site) {
    let http = client(&site);
    for uri in [site.plain("/echo"), site.tls("/echo")] {
        let first = get(&http, uri.clone()).await;
        let second = get(&http, uri).await;
        assert_eq!(echoed(text(&first), "remote-port"), echoed(text(&second), "remote-port"));
        assert!(!first.0.connection().unwrap().reused);
        assert!(second.0.connection().unwrap().reused);
    }
}

async fn a_connection_that_the_server_closes_is_not_used_again(site: Site) {
    let http = client(&site);
    let first = get(&http, site.plain("/close")).await;
    let second = get(&http, site.plain("/close")).await;
    assert_eq!(first.0.header("connection"), Some("close"));
    assert_ne!(echoed(text(&first), "remote-port"), echoed(text(&second), "remote-port"));
}

async fn over_tls_http_2_is_spoken(site: Site) {
    let http = client(&site);
    let answer = get(&http, site.tls("/echo")).await;
    assert_eq!(answer.0.version(), 20);
    assert_eq!(echoed(text(&answer), "protocol"), "HTTP/2.0");
    let answer = get(&http, site.plain("/echo")).await;
    assert_eq!(answer.0.version(), 11);
    assert_eq!(echoed(text(&answer), "protocol"), "HTTP/1.1");

    let http1 = settings(&site).http2(false).build().unwrap();
    assert_eq!(get(&http1, site.tls("/echo")).await.0.version(), 11);
}

async fn a_server_whose_authority_is_unknown_gets_no_request(site: Site) {
    let stranger = plain_settings().ca_certs(rcgen_authority()).build().unwrap();
    // H-SEC-01: not the second time either.
    for _ in 0..2 {
        let error = stranger.request(site.tls("/echo")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Tls);
    }
    let careless = plain_settings().danger_accept_invalid_certs(true).build().unwrap();
    assert_eq!(get(&careless, site.tls("/echo")).await.0.status(), 200);
}

async fn a_slow_body_arrives_whole_and_a_slower_one_is_a_timeout(site: Site) {
    let http = client(&site);
    assert_eq!(text(&get(&http, site.plain("/drip")).await), "first\nsecond\n");
    let wait = std::time::Duration::from_millis(500);
    for path in ["/slow", "/drip"] {
        let error = http.request(site.plain(path)).timeout(wait).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{path}: each wait is bounded");
        let error = http.request(site.plain(path)).deadline(wait).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{path}: the whole call is bounded");
    }
}

/// Also inside of a runtime, as here.
async fn the_blocking_client_shares_one_connection_too(site: Site) {
    let http = blocking::Http::from(client(&site));
    let ports: Vec<_> = (0..20)
        .map(|_| {
            let answer = http.request(site.plain("/echo")).send().unwrap();
            echoed(text(&answer), "remote-port").to_owned()
        })
        .collect();
    assert!(ports.iter().all(|port| *port == ports[0]), "{ports:?}");
}

fn rcgen_authority() -> String {
    httplib2_tests::servers::Certs::make().ca_pem().to_owned()
}
