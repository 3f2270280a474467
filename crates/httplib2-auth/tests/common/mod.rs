//! A scheme that does what Digest does, without its arithmetic, and short forms.

#![allow(dead_code, reason = "each test file uses its part of it")]
#![allow(clippy::unwrap_used, reason = "a test that gets something else has failed")]

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};

use http::{HeaderValue, Request, Response};
use httplib2_auth::{
    Auth, AuthLayer, Authentication, Basic, Bearer, CannotAnswer, ContentDigest, Credential, Credentials, Refusal,
    Scheme, SignError, Signer, Space, Unanswered, Unproven, Unsigned,
};
use httplib2_core::error::BoxError;
use httplib2_syntax::challenge::{Challenge, Params};
use httplib2_testing::{Body, Received, Reply, Server, reply, request};
use tower::{Layer, ServiceExt};

/// Signs with `Ticket name:nonce:count`, and `:sum` of the content if the challenge has `content`.
///
/// Unlike Basic it shows no password, has nonces that become stale (`for one` is good for one signature), spaces named by
/// `domain`, and may ask the server for a proof.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ticket {
    pub(crate) wants_proof: bool,
}

#[derive(Debug)]
struct TicketSigner {
    realm: Vec<u8>,
    domain: Option<String>,
    name: String,
    nonce: Mutex<String>,
    count: AtomicU32,
    covers_content: bool,
    wants_proof: bool,
}

struct Sum(u64);

impl Scheme for Ticket {
    fn name(&self) -> &'static str {
        "ticket"
    }

    fn strength(&self) -> u8 {
        30
    }

    fn reveals_secret(&self) -> bool {
        false
    }

    fn answer(&self, challenge: &Challenge, credential: &Credential) -> Result<Arc<dyn Signer>, CannotAnswer> {
        let params = challenge.params();
        if let Some(kind) = params.text("kind").filter(|kind| *kind != "plain") {
            return Err(CannotAnswer::Unsupported(format!("the kind {kind}")));
        }
        let login = credential.as_login().ok_or(CannotAnswer::Credential("Ticket needs a name"))?;
        Ok(Arc::new(TicketSigner {
            realm: params.bytes("realm").ok_or(CannotAnswer::Malformed("it has no realm"))?.to_vec(),
            domain: params.text("domain").map(Into::into),
            name: login.name().into(),
            nonce: Mutex::new(params.text("nonce").ok_or(CannotAnswer::Malformed("it has no nonce"))?.into()),
            count: AtomicU32::new(0),
            covers_content: params.bytes("content").is_some(),
            wants_proof: self.wants_proof,
        }))
    }
}

impl Signer for TicketSigner {
    fn realm(&self) -> Option<&[u8]> {
        Some(&self.realm)
    }

    fn space(&self) -> Space<'_> {
        self.domain.as_deref().map_or(Space::Origin, Space::Uris)
    }

    fn fits(&self, challenge: &Challenge) -> bool {
        let params = challenge.params();
        params.text("kind").is_none_or(|kind| kind == "plain")
            && params.bytes("content").is_some() == self.covers_content
    }

    fn content_digest(&self) -> Option<Box<dyn ContentDigest>> {
        self.covers_content.then(|| Box::new(Sum(0)) as Box<dyn ContentDigest>)
    }

    fn sign(&self, request: &mut Unsigned<'_>) -> Result<HeaderValue, SignError> {
        request.headers.insert("x-ticket", HeaderValue::from_static("1"));
        if request.uri.path().ends_with("/unsignable") {
            return Err(SignError("the path has no form"));
        }
        let count = self.count.fetch_add(1, Ordering::SeqCst) + 1;
        if count > 1 && *self.nonce.lock().unwrap() == "for one" {
            return Err(SignError("the nonce is used up"));
        }
        let mut text = format!("Ticket {}:{}:{count}", self.name, self.nonce.lock().unwrap());
        if let Some(content) = request.content {
            text.push(':');
            text.push_str(str::from_utf8(content).unwrap());
        }
        HeaderValue::try_from(text).map_err(|_| SignError("it is no field value"))
    }

    fn challenged(&self, challenge: &Challenge, _: &HeaderValue) -> Refusal {
        match challenge.params().text("nonce") {
            Some(nonce) if challenge.params().text("stale") == Some("true") => {
                *self.nonce.lock().unwrap() = nonce.into();
                self.count.store(0, Ordering::SeqCst);
                Refusal::Stale
            }
            _ => Refusal::Rejected,
        }
    }

    fn accepted(&self, _: &HeaderValue, info: &Params) -> Result<(), Unproven> {
        if let Some(next) = info.text("nextnonce") {
            *self.nonce.lock().unwrap() = next.into();
            self.count.store(0, Ordering::SeqCst);
        }
        if self.wants_proof && info.text("proof") != Some("yes") { Err(Unproven) } else { Ok(()) }
    }
}

impl ContentDigest for Sum {
    fn update(&mut self, piece: &[u8]) {
        self.0 += piece.iter().map(|byte| u64::from(*byte)).sum::<u64>();
    }

    fn finish(self: Box<Self>) -> Vec<u8> {
        self.0.to_string().into_bytes()
    }
}

/// `Basic dTpw`.
pub(crate) const U_P: &str = "Basic dTpw";

pub(crate) fn login() -> Credential {
    Credential::login("u", "p")
}

/// Credentials for everybody: u with the password p.
pub(crate) fn u_p() -> Credentials {
    let credentials = Credentials::new();
    credentials.add(login());
    credentials
}

/// Knows Ticket, Bearer and Basic, and uses them over http too.
pub(crate) fn layer(credentials: &Credentials) -> AuthLayer {
    AuthLayer::new(credentials.clone()).scheme(Ticket::default()).scheme(Bearer).scheme(Basic).secrets_over_http(true)
}

pub(crate) fn client(credentials: &Credentials, server: &Server) -> Auth<Server> {
    layer(credentials).layer(server.clone())
}

/// A server that lets in whoever says this, and challenges all others with that.
pub(crate) fn door(open: &'static str, challenge: &'static str) -> Server {
    Server::answering(move |received, _| match authorization(received) == Some(open) {
        true => reply(200).body("in"),
        false => challenging(challenge),
    })
}

pub(crate) fn challenging(challenge: &str) -> Reply {
    reply(401).header("www-authenticate", challenge)
}

pub(crate) async fn send(client: &Auth<Server>, line: &str) -> Response<Body> {
    try_send(client, request(line)).await.unwrap()
}

pub(crate) async fn try_send(client: &Auth<Server>, request: Request<Body>) -> Result<Response<Body>, BoxError> {
    client.clone().oneshot(request).await
}

pub(crate) fn authorization(received: &Received) -> Option<&str> {
    received.headers().get("authorization").map(|value| value.to_str().unwrap())
}

/// What the server saw in `Authorization`, request by request; `-` for nothing.
pub(crate) fn signatures(server: &Server) -> Vec<String> {
    server.requests().iter().map(|received| authorization(received).unwrap_or("-").to_owned()).collect()
}

pub(crate) fn fact<R>(response: &Response<R>) -> &Authentication {
    response.extensions().get().expect("the response says how it was authenticated")
}

pub(crate) fn unanswered<R>(response: &Response<R>) -> Option<&Unanswered> {
    fact(response).unanswered()
}
