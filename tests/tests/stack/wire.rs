//! The shipped stack over real bytes: what stands on the wire, and what a broken server does.

use std::time::Duration;

use httplib2::{Body, ErrorKind, Http, connect::Client};
use httplib2_testing::wire::{Peer, Wire};

fn over(wire: &Wire) -> Http {
    let client = Client::builder().io_timeout(Duration::from_secs(5)).build_with_connector(wire.connector());
    Http::builder().build_over(client).unwrap()
}

async fn answer(mut peer: Peer, answer: &'static str) {
    while peer.request().await.is_some() {
        peer.send(answer).await;
    }
}

#[tokio::test]
async fn a_request_stands_on_the_wire_as_it_was_made() {
    let wire = Wire::new(async |mut peer| {
        while let Some(request) = peer.request().await {
            let body = String::from_utf8_lossy(&request.body).into_owned();
            let echo = format!("{}|{body}", request.head);
            peer.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{echo}", echo.len())).await;
        }
    });
    let http = over(&wire);
    let request = http.request("http://a.example:8080/x y?q#part").method("PUT").header("X-Own", "1").body("text");
    let (_, content) = request.await.unwrap();
    let echo = String::from_utf8(content.to_vec()).unwrap();
    assert!(echo.starts_with("PUT /x%20y?q HTTP/1.1\r\n"), "{echo}");
    assert!(echo.contains("\r\nhost: a.example:8080\r\n") && echo.contains("\r\nx-own: 1\r\n"), "{echo}");
    assert!(echo.contains("\r\ncontent-length: 4\r\n") && echo.ends_with("\r\n\r\n|text"), "{echo}");

    let streamed = http.request("http://a.example/").method("PUT").body(Body::chunks(["te", "xt"]));
    let (_, content) = streamed.await.unwrap();
    let echo = String::from_utf8(content.to_vec()).unwrap();
    assert!(echo.contains("\r\ntransfer-encoding: chunked\r\n") && echo.ends_with("|text"), "{echo}");
}

#[tokio::test]
async fn a_followed_redirect_gives_its_connection_back() {
    // Trap 32: the body of a 302 is read to its end.
    let wire = Wire::new(async |mut peer| {
        while let Some(request) = peer.request().await {
            if request.head.starts_with("GET /end ") {
                peer.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nend").await;
            } else {
                let page = "x".repeat(30_000);
                let head = "HTTP/1.1 302 Found\r\nLocation: /end\r\nContent-Length: 30000\r\n\r\n";
                peer.send(format!("{head}{page}")).await;
            }
        }
    });
    let http = over(&wire);
    for _ in 0..5 {
        let (response, content) = http.request("http://a.example/start").await.unwrap();
        assert_eq!(content, "end");
        assert_eq!(response.previous().unwrap().content().len(), 30_000);
    }
    assert_eq!(wire.connections(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_redirect_whose_body_never_ends_costs_a_second_and_a_connection() {
    let wire = Wire::new(async |mut peer| {
        while let Some(request) = peer.request().await {
            if request.head.starts_with("GET /end ") {
                peer.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nend").await;
            } else {
                peer.send("HTTP/1.1 302 Found\r\nLocation: /end\r\nTransfer-Encoding: chunked\r\n\r\n").await;
                tokio::time::sleep(Duration::from_secs(3600)).await;
            }
        }
    });
    let start = tokio::time::Instant::now();
    let (_, content) = over(&wire).request("http://a.example/start").await.unwrap();
    assert_eq!(content, "end");
    assert_eq!(start.elapsed(), Duration::from_secs(1));
    assert_eq!(wire.connections(), 2);
}

#[tokio::test]
async fn a_reason_phrase_is_told_as_it_was_sent() {
    let wire = Wire::new(|peer| answer(peer, "HTTP/1.0 299 Good enough\r\nContent-Length: 0\r\n\r\n"));
    let (response, _) = over(&wire).request("http://a.example/").await.unwrap();
    assert_eq!((response.status().as_u16(), &*response.reason(), response.version()), (299, "Good enough", 10));
}

#[tokio::test]
async fn an_interim_response_is_not_the_answer() {
    // H-HDR-07: nor is it the answer to the next request.
    let wire = Wire::new(|peer| {
        answer(peer, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    });
    let http = over(&wire);
    for _ in 0..2 {
        let (response, content) = http.request("http://a.example/").await.unwrap();
        assert_eq!((response.status().as_u16(), &*content), (200, &b"ok"[..]));
    }
}

#[tokio::test]
async fn what_is_cut_off_or_is_not_http_is_an_error() {
    for sent in [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n",
        "HTTP/1.1 200",
        "ICY 200 OK\r\n\r\n",
        "",
    ] {
        let wire = Wire::new(move |mut peer: Peer| async move {
            peer.request().await;
            peer.send(sent).await;
            peer.close();
        });
        let error = over(&wire).request("http://a.example/").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Receive, "{sent:?}: {error}");
    }
}

#[tokio::test]
async fn a_head_has_no_content_and_keeps_its_connection() {
    // H-CONN-04.
    let wire = Wire::new(|peer| answer(peer, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"));
    let http = over(&wire);
    for _ in 0..3 {
        let (response, content) = http.request("http://a.example/").method("HEAD").await.unwrap();
        assert_eq!(response.header("content-length"), Some("1000"));
        assert!(content.is_empty());
    }
    assert_eq!(wire.connections(), 1);
}

#[tokio::test]
async fn a_request_body_that_fails_is_an_error_of_sending_whatever_its_cause() {
    struct Fails(bool);
    impl std::io::Read for Fails {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            if std::mem::replace(&mut self.0, true) {
                return Err(std::io::ErrorKind::TimedOut.into());
            }
            buffer[0] = b'x';
            Ok(1)
        }
    }
    let wire = Wire::new(|peer| answer(peer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    let request = over(&wire).request("http://a.example/").method("PUT").body(Body::reader(Fails(false)));
    assert_eq!(request.await.unwrap_err().kind(), ErrorKind::Send);
}
