//! Digest of httpbin, which knows more algorithms than Apache, and `auth-int`.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::Full;
use httplib2::{Body, ErrorKind, Http, auth::Unanswered, connect::Client, digest::Digest};
use httplib2_tests::servers::httpbin;
use tower::ServiceExt;

use crate::{
    auth::authentication,
    client::{plain_settings, text},
};

/// httpbin takes the path as it was decoded, so nothing in these may need an escape.
const NAME: &str = "joe";
const WORD: &str = "sesame";

/// How a response to `digest_uri` says that it let us in.
const LET_IN: &str = "\"authenticated\": true";

#[tokio::test]
#[ignore = "needs httpbin"]
async fn every_algorithm_and_qop_lets_us_in() {
    let httpbin = httpbin::start();
    // "any" offers both, and nothing that is said of `algorithm` is MD5.
    for algorithm in ["MD5", "SHA-256"] {
        for (qop, prefer_auth_int) in [("auth", false), ("auth-int", false), ("any", false), ("any", true)] {
            let wire = Wire::default();
            let http = wire.user(WORD, Digest::new().prefer_auth_int(prefer_auth_int));
            let uri = httpbin.uri(&format!("/digest-auth/{qop}/{NAME}/{WORD}/{algorithm}"));
            for challenges in [1, 0] {
                let answer = http.request(&uri).await.unwrap();
                assert_eq!(answer.0.status(), 200, "{qop} {algorithm}");
                assert!(text(&answer).contains(LET_IN), "{qop} {algorithm}");
                assert_eq!(authentication(&answer.0).challenges(), challenges, "{qop} {algorithm}");
            }
            assert_eq!(wire.statuses(), [401, 200, 200], "{qop} {algorithm}");
        }
    }
}

/// RFC 7616 §3.4.3: what is signed is the content too.
#[tokio::test]
#[ignore = "needs httpbin"]
async fn auth_int_covers_the_content() {
    let httpbin = httpbin::start();
    for algorithm in ["MD5", "SHA-256"] {
        let http = Wire::default().user(WORD, Digest::new());
        let uri = httpbin.digest_uri("auth-int", algorithm, NAME, WORD);
        // With a length, because the server of httpbin reads no chunks.
        let stream = || Body::wrap(Full::from("a text that is read once")).recorded(1_024);
        for body in [stream(), stream(), "a text".into(), "another text".into(), Body::empty()] {
            let answer = http.request(&uri).body(body).await.unwrap();
            assert_eq!(answer.0.status(), 200, "{algorithm}: {}", authentication(&answer.0));
            assert!(text(&answer).contains(LET_IN), "{algorithm}");
        }
        let once = Body::wrap(Full::from("a text that is read once"));
        let (response, _) = http.request(&uri).body(once).await.unwrap();
        assert_eq!(response.status(), 401, "{algorithm}");
    }
}

#[tokio::test]
#[ignore = "needs httpbin"]
async fn a_wrong_password_is_tried_once() {
    let httpbin = httpbin::start();
    for (qop, algorithm) in [("auth", "MD5"), ("auth-int", "SHA-256")] {
        let wire = Wire::default();
        let http = wire.user("open", Digest::new());
        let (response, _) = http.request(httpbin.digest_uri(qop, algorithm, NAME, WORD)).await.unwrap();
        assert_eq!(response.status(), 401);
        assert_eq!(authentication(&response).unanswered(), Some(&Unanswered::Rejected("digest")));
        assert_eq!(wire.statuses(), [401, 401]);
    }
}

/// H-DIG-09: SHA-512 is not the SHA-512-256 of RFC 7616, so nobody can know what is meant.
#[tokio::test]
#[ignore = "needs httpbin"]
async fn an_algorithm_that_no_rfc_has_is_an_error_with_its_response() {
    let (httpbin, wire) = (httpbin::start(), Wire::default());
    let http = wire.user(WORD, Digest::new());
    let error = http.request(httpbin.digest_uri("auth", "SHA-512", NAME, WORD)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnimplementedDigestAuthOption);
    let response = error.response().unwrap();
    assert_eq!(response.status(), 401);
    let what = "algorithm=\"SHA-512\"".to_owned();
    let expected = Unanswered::Unsupported { scheme: "digest", what };
    assert_eq!(authentication(response).unanswered(), Some(&expected));
    assert_eq!(wire.statuses(), [401]);
}

/// RFC 7616 §3.3: `stale` means a new nonce and the same password, here after each second answer.
#[tokio::test]
#[ignore = "needs httpbin"]
async fn a_stale_nonce_is_replaced_and_nobody_notices() {
    let httpbin = httpbin::start();
    for algorithm in ["MD5", "SHA-256"] {
        let wire = Wire { keeps_cookies: true, ..Wire::default() };
        let http = wire.user(WORD, Digest::new());
        for _ in 0..6 {
            let answer = http.request(httpbin.stale_uri(algorithm, NAME, WORD, 2)).await.unwrap();
            assert_eq!(answer.0.status(), 200, "{algorithm}");
            assert!(text(&answer).contains(LET_IN), "{algorithm}");
        }
        assert_eq!(wire.statuses(), [401, 200, 200, 401, 200, 200, 401, 200, 200], "{algorithm}");
    }
}

/// A server that calls every nonce stale gets no more than a few requests.
#[tokio::test]
#[ignore = "needs httpbin"]
async fn a_nonce_that_is_always_stale_is_given_up() {
    let (httpbin, wire) = (httpbin::start(), Wire::default());
    let http = wire.user(WORD, Digest::new());
    let request = http.request(httpbin.stale_uri("MD5", NAME, WORD, 0)).header("cookie", "stale_after=0");
    let (response, _) = request.await.unwrap();
    assert_eq!(response.status(), 401);
    assert!(matches!(wire.statuses().len(), 2..=3), "{:?}", wire.statuses());
    assert!(wire.statuses().iter().all(|status| *status == 401));
}

/// What goes over the wire below all layers: seen, and with the cookies that a server sets there.
#[derive(Clone, Default)]
struct Wire {
    keeps_cookies: bool,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    statuses: Vec<StatusCode>,
    cookies: BTreeMap<String, String>,
}

// === impl Wire ===

impl Wire {
    /// A client of a user with this password.
    fn user(&self, password: &str, digest: Digest) -> Http {
        let (sending, receiving) = (self.clone(), self.clone());
        let client = Client::builder().build::<Body>().unwrap();
        let server = client.map_request(move |request| sending.send(request)).map_response(move |response| {
            receiving.receive(&response);
            response
        });
        let http = plain_settings().auth(|layer| layer.scheme(digest)).build_over(server).unwrap();
        http.add_credentials(NAME, password);
        http
    }

    fn statuses(&self) -> Vec<StatusCode> {
        self.seen.lock().unwrap().statuses.clone()
    }

    fn send(&self, mut request: Request<Body>) -> Request<Body> {
        let seen = self.seen.lock().unwrap();
        if self.keeps_cookies && !seen.cookies.is_empty() {
            let cookies: Vec<_> = seen.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request.headers_mut().insert(header::COOKIE, HeaderValue::try_from(cookies.join("; ")).unwrap());
        }
        request
    }

    fn receive<R>(&self, response: &Response<R>) {
        let mut seen = self.seen.lock().unwrap();
        seen.statuses.push(response.status());
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            seen.cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}
