//! Secrets stay out of everything that may be shown (AUTH-30).
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod common;

use std::{
    fmt::Write,
    sync::{Arc, Mutex},
};

use common::{challenging, layer, send, try_send};
use httplib2_auth::{Credential, Credentials, InAdvance, RequestCredentials};
use httplib2_core::{context::Journal, who::Origin};
use httplib2_testing::{Server, reply, request};
use tower::Layer;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

const SECRETS: [&str; 3] = ["s3cret", "dTpzM2NyZXQ", "t0ken"];

/// Writes down every event.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = write!(self.0, " {field}={value:?}");
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = self.0.lock().unwrap();
        let _ = write!(text, "{}", event.metadata().level());
        event.record(&mut Fields(&mut text));
        text.push('\n');
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

impl Log {
    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().lines().filter(|line| line.contains("auth")).map(Into::into).collect()
    }
}

#[tokio::test(flavor = "current_thread")]
async fn no_secret_is_in_a_log_a_journal_a_fact_or_debug_text() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let credentials = Credentials::new();
    credentials.add(Credential::login("u", "s3cret"));
    credentials.add_for("a.example", Credential::token("t0ken")).unwrap();
    let layer = layer(&credentials);
    let server = Server::answering(|received, _| match common::authorization(received) {
        Some(value) if value.starts_with("Basic") => reply(200),
        _ => challenging("Ticket realm=\"r\", Basic realm=\"r\", Bearer"),
    });
    let client = layer.layer(server.clone());
    let journal = Journal::default();
    let mut journaled = request("GET http://a.example/x");
    journaled.extensions_mut().insert(journal.clone());
    let own = RequestCredentials::new(Origin::of(journaled.uri()).unwrap(), Credential::login("u", "s3cret"));
    let response = try_send(&client, journaled).await.unwrap();
    assert_eq!(common::signatures(&server).len(), 2);

    let sent = server.requests()[1].headers()["authorization"].clone();
    assert!(sent.is_sensitive());
    let text = format!(
        "{layer:?} {client:?} {credentials:?} {:?} {own:?} {response:?} {journal:?} {} {sent:?} {:?}",
        layer.handle(),
        common::fact(&response),
        log.lines(),
    );
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn leave_to_send_a_secret_over_plain_http_is_warned_of_once_for_each_signer() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    for (setting, uri, expected) in [
        (InAdvance::Tokens, "http://a.example/", 1),
        (InAdvance::Always, "http://a.example/", 1),
        (InAdvance::Always, "https://a.example/", 0),
    ] {
        let before = log.lines().len();
        let server = common::door(common::U_P, "Basic realm=\"r\"");
        let client = layer(&common::u_p()).in_advance(setting).layer(server);
        for _ in 0..3 {
            send(&client, &format!("GET {uri}")).await;
        }
        let warnings: Vec<_> =
            log.lines().split_off(before).into_iter().filter(|line| line.starts_with("WARN")).collect();
        assert_eq!(warnings.len(), expected, "{warnings:?}");
        assert!(
            warnings.iter().all(|line| line.contains("http://a.example") && line.contains("basic")),
            "{warnings:?}"
        );
    }
}
