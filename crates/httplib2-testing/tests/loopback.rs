//! A real origin, asked over real connections.

use std::{io, net::TcpStream as StdStream, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Version};
use http_body_util::{BodyExt, Full};
use httplib2_core::error::{BoxError, cause_ref};
use httplib2_testing::{
    Body, Broken,
    loopback::{Certificate, Loopback},
    reply, request, text,
};
use hyper::client::conn;
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioIo},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        self, CertificateError, ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

/// Says which version it was asked with.
async fn version(request: Request<Bytes>) -> http::Response<Body> {
    reply(200).body(format!("{:?}", request.version())).into_response()
}

async fn handshake(origin: &Loopback, alpn: &[u8], host: &'static str) -> Result<TlsStream<TcpStream>, BoxError> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(origin.ca_pem().as_bytes())?)?;
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.to_vec()];
    let stream = TcpStream::connect(origin.address()).await?;
    Ok(TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(host)?, stream).await?)
}

/// What rustls has against the certificate.
async fn refusal(certificate: Certificate) -> CertificateError {
    let origin = Loopback::tls_with(certificate, version);
    let error = handshake(&origin, b"http/1.1", "localhost").await.expect_err("it is refused");
    // An `io::Error` names as its source that of the error inside, and skips the error itself.
    let inside = cause_ref::<io::Error>(&*error).and_then(io::Error::get_ref).expect("rustls has its reasons");
    match cause_ref::<rustls::Error>(inside) {
        Some(rustls::Error::InvalidCertificate(error)) => error.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_plain_origin_gets_the_whole_body_and_counts() {
    let origin = Loopback::plain(async |request: Request<Bytes>| {
        reply(200).header("x-seen", request.method().as_str()).body(request.into_body()).into_response()
    });
    let client = Client::builder(TokioExecutor::new()).build_http();
    for _ in 0..2 {
        let post = Request::post(origin.url("/")).body(Body::chunks(["one, ", "two"])).unwrap();
        let response = client.request(post).await.unwrap();
        assert_eq!(response.headers()["x-seen"], "POST");
        assert_eq!(text(response).await.unwrap(), "one, two");
    }
    assert_eq!((origin.connections(), origin.requests()), (1, 2));
}

#[tokio::test]
async fn a_body_may_break_and_an_answer_may_take_its_time() {
    let origin = Loopback::plain(async |request: Request<Bytes>| {
        if request.uri().path() == "/slow" {
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        reply(200).body(Body::from("begun").pausing().breaking()).into_response()
    });
    let client = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request(&format!("GET {}", origin.url("/")))).await.unwrap();
    let error = response.into_body().collect().await.unwrap_err();
    assert!(cause_ref::<Broken>(&error).is_none(), "over the network an error has no type of the server's");
    let slow = client.request(request(&format!("GET {}", origin.url("/slow"))));
    assert!(tokio::time::timeout(Duration::from_millis(50), slow).await.is_err());
}

#[tokio::test]
async fn a_raw_origin_says_what_it_likes() {
    let origin = Loopback::raw(async |mut stream: TcpStream| {
        let mut request = [0; 1024];
        assert_ne!(stream.read(&mut request).await.expect("the client writes"), 0);
        stream.write_all(b"HTTP/1.1 299 Hm\r\nConnection: close\r\n\r\nraw").await.expect("the client listens");
    });
    let client = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request(&format!("GET {}", origin.url("/")))).await.unwrap();
    assert_eq!(response.status(), 299);
    assert_eq!(text(response).await.unwrap(), "raw");
}

#[tokio::test]
async fn a_tls_origin_speaks_what_alpn_chose() {
    let origin = Loopback::tls(version);
    for host in ["127.0.0.1", "::1", "localhost"] {
        let stream = handshake(&origin, b"http/1.1", host).await.unwrap();
        let (mut sender, connection) = conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let get = Request::get("/").header("host", host).body(Full::<Bytes>::default()).unwrap();
        assert_eq!(text(sender.send_request(get).await.unwrap()).await.unwrap(), "HTTP/1.1");
    }
    let stream = handshake(&origin, b"h2", "localhost").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut sender, connection) = conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let get = Request::get(origin.url("/")).version(Version::HTTP_2).body(Full::<Bytes>::default()).unwrap();
    assert_eq!(text(sender.send_request(get).await.unwrap()).await.unwrap(), "HTTP/2.0");
}

#[tokio::test]
async fn each_bad_certificate_is_bad_in_its_own_way() {
    assert_eq!(refusal(Certificate::SelfSigned).await, CertificateError::UnknownIssuer);
    assert!(matches!(refusal(Certificate::Expired).await, CertificateError::ExpiredContext { .. }));
    assert!(matches!(refusal(Certificate::WrongHost).await, CertificateError::NotValidForNameContext { .. }));
}

#[test]
fn an_origin_stops_when_it_is_dropped() {
    let origin = Loopback::plain(version);
    let address = origin.address();
    StdStream::connect(address).unwrap();
    drop(origin);
    assert!(StdStream::connect(address).is_err());
}

#[test]
#[should_panic(expected = "only an origin with TLS has a certificate authority")]
fn a_plain_origin_has_no_authority() {
    let _ = Loopback::plain(version).ca_pem();
}
