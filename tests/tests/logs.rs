//! What is secret is marked before the first layer that could print it.
//!
//! In a process of its own and one test after the other: whether anybody listens is one answer for a whole process, and
//! tests that listen and tests that do not would make it waver.

use std::{
    io,
    sync::{Arc, Mutex},
};

use httplib2::Http;
use httplib2_testing::{Server, reply};
use tower::{ServiceBuilder, ServiceExt};
use tracing::{Level, instrument::WithSubscriber};
use tracing_subscriber::fmt::MakeWriter;

static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Log {
    fn subscriber(&self) -> impl tracing::Subscriber + Send + Sync + use<> {
        tracing_subscriber::fmt().with_max_level(Level::TRACE).with_writer(self.clone()).with_ansi(false).finish()
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn server() -> Server {
    Server::answering(|_, n| match n {
        0 => reply(302).header("location", "http://b.example/?token=s3cret").header("set-cookie", "sid=s3cret"),
        _ => reply(200).header("set-cookie", "sid=s3cret"),
    })
}

#[tokio::test]
async fn no_secret_reaches_the_log_the_journal_or_any_debug() {
    // AUTH-30, H-MISC-01.
    let _alone = ALONE.lock().await;
    let log = Log::default();
    let http = Http::builder()
        .sensitive_header("x-api-key".parse().unwrap())
        .build_over(
            ServiceBuilder::new()
                .map_request(|request| {
                    tracing::info!(?request, "what a layer below might print");
                    request
                })
                .service(server()),
        )
        .unwrap();
    let sending = async {
        let request = http
            .request("http://joe:s3cret@a.example/?token=s3cret#s3cret")
            .header("authorization", "Bearer s3cret")
            .header("proxy-authorization", "Basic s3cret")
            .header("cookie", "sid=s3cret")
            .header("x-wsse", "s3cret")
            .header("x-api-key", "s3cret")
            .explain(true);
        let builder = format!("{request:?}");
        let (response, _) = request.await.unwrap();
        format!("{builder} {:?} {:?}", response.previous().unwrap().headers(), response.explain())
    };
    let printed = sending.with_subscriber(log.subscriber()).await;
    assert!(log.text().contains("302 followed to http://b.example/?.."), "{}", log.text());
    // The layer that prints whole requests prints their URIs too, and a Location is what the server sent.
    for text in [printed, log.text()] {
        assert!(!text.replace("?token=s3cret", "").contains("s3cret"), "{text}");
    }
}

#[tokio::test]
async fn without_the_marks_a_layer_below_prints_every_secret() {
    let _alone = ALONE.lock().await;
    let log = Log::default();
    let wrong = ServiceBuilder::new().map_request(|request| {
        tracing::info!(?request, "what a layer below might print");
        request
    });
    let mut request = httplib2_testing::request("GET http://a.example/");
    request.headers_mut().insert("authorization", "Bearer s3cret".parse().unwrap());
    wrong.service(server()).oneshot(request).with_subscriber(log.subscriber()).await.unwrap();
    assert!(log.text().contains("s3cret"), "the harm: it is in the log");
}

#[tokio::test]
async fn whoever_traces_finds_the_call_in_one_span() {
    let _alone = ALONE.lock().await;
    let log = Log::default();
    let http = Http::builder().build_over(server()).unwrap();
    let sending = async { http.request("http://a.example/path?query").await };
    sending.with_subscriber(log.subscriber()).await.unwrap();
    let text = log.text();
    let span = r#"request{http.request.method=GET server.address="a.example" url.scheme="http"}"#;
    for told in ["started processing request", "302 followed to http://b.example/", "finished processing request"] {
        let line = text.lines().find(|line| line.contains(told)).unwrap_or_else(|| panic!("{told}: {text}"));
        assert!(line.contains(span), "{line}");
    }
}
