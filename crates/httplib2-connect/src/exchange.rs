//! One exchange, from the request that is on its way to the head of the response.

use std::{sync::Arc, time::Duration};

use http::{Extensions, HeaderMap, HeaderValue, Request, Response, Version, header};
use http_body::Body;
use httplib2_core::{context::Journal, error::BoxError};
use hyper::body::Incoming;
use hyper_util::client::legacy::{
    self, ResponseFuture,
    connect::{Connected, HttpInfo},
};
use tokio::time::{Instant, timeout_at};

use crate::{
    body::{ConnectBody, Stream},
    diagnose::diagnose,
    error::{ConnectError, Diagnosis, Fault, Phase, UnknownTransferCoding},
    facts::{Answered, Connection},
    options::FAR,
    send_body::{Progress, SendBody, Stage},
    target::Target,
};

/// What is kept of a request while it is sent.
pub(crate) struct Sending {
    target: Target,
    progress: Progress,
    limit: Option<Duration>,
    /// The journal of the request, if it has one.
    journal: Extensions,
    answered: Arc<Answered>,
}

enum Failure {
    Hyper(legacy::Error),
    TimedOut(Phase),
}

/// Waits for the head of the response, says what happened, and wraps the body.
pub(crate) async fn exchange(
    response: ResponseFuture,
    sending: Sending,
) -> Result<Response<ConnectBody>, ConnectError> {
    let outcome = match sending.limit {
        None => response.await.map_err(Failure::Hyper),
        Some(limit) => within(limit, response, &sending.progress).await,
    };
    match outcome {
        Ok(response) => sending.answered(response),
        Err(failure) => Err(sending.failed(failure)),
    }
}

/// Waits until a connection has taken the request, and then for the head of the response. The limit starts anew
/// whenever something of the request is taken, and does not run while the next of it is the caller's to give.
async fn within(
    limit: Duration,
    mut response: ResponseFuture,
    progress: &Progress,
) -> Result<Response<Incoming>, Failure> {
    let mut since = Instant::now();
    loop {
        if let Ok(outcome) = timeout_at(since + limit, &mut response).await {
            return outcome.map_err(Failure::Hyper);
        }
        since = match progress.stage() {
            Stage::Caller => Instant::now(),
            Stage::Server(last) if last > since => last,
            Stage::Connection | Stage::Server(_) => break,
        }
    }
    // Only what was let go before it was taken is surely on no connection.
    drop(response);
    let phase = if progress.is_over_before_it_began() {
        Phase::Connect
    } else if progress.is_whole() {
        Phase::Receive
    } else {
        Phase::Send
    };
    Err(Failure::TimedOut(phase))
}

// === impl Sending ===

impl Sending {
    pub(crate) fn new<B>(request: &Request<SendBody<B>>, limit: Option<Duration>, answered: &Arc<Answered>) -> Self {
        let mut journal = Extensions::new();
        if let Some(found) = request.extensions().get::<Journal>() {
            journal.insert(found.clone());
        }
        Self {
            target: Target::of(request.uri()),
            progress: request.body().progress(),
            limit: limit.filter(|time| *time < FAR),
            journal,
            answered: Arc::clone(answered),
        }
    }

    /// The error of a request that was given up before anything was done.
    pub(crate) fn refused(self, cause: impl Into<BoxError>) -> ConnectError {
        let diagnosis = Diagnosis { phase: Phase::Connect, fault: Fault::Other, unprocessed: true };
        self.recorded(ConnectError::new(self.target.clone(), diagnosis, None, Some(cause.into())))
    }

    fn answered(self, mut response: Response<Incoming>) -> Result<Response<ConnectBody>, ConnectError> {
        let version = response.version();
        let mut reused = None;
        let remote = response.extensions().get().map(HttpInfo::remote_addr);
        if let Some(connection) = response.extensions_mut().get_mut::<Connection>() {
            connection.answered(version, remote);
            reused = Some(connection.reused);
            if let (false, Some(driver)) = (connection.reused, self.progress.driver()) {
                self.answered.note(driver, connection);
            }
            Journal::record(&self.journal, "connect", connection);
        }
        if !response.body().is_end_stream() && has_unknown_transfer_coding(response.headers()) {
            let source = Some(UnknownTransferCoding.into());
            return Err(self.recorded(ConnectError::cut(self.target.clone(), Fault::Malformed, reused, source)));
        }
        let stream = (version == Version::HTTP_2).then_some(Stream { upload: self.progress });
        Ok(response.map(|body| ConnectBody::new(body, self.target, reused, self.limit, stream)))
    }

    fn failed(self, failure: Failure) -> ConnectError {
        let reused = self.reused(&failure);
        let (diagnosis, source) = match (self.progress.take_failure(), failure) {
            (Some(error), _) => {
                let diagnosis = Diagnosis { phase: Phase::Send, fault: Fault::RequestBody, unprocessed: false };
                (diagnosis, Some(error))
            }
            (None, Failure::Hyper(error)) => (diagnose(&error, self.progress.is_whole()), Some(error.into())),
            (None, Failure::TimedOut(phase)) => {
                (Diagnosis { phase, fault: Fault::Timeout, unprocessed: phase < Phase::Send }, None)
            }
        };
        self.recorded(ConnectError::new(self.target.clone(), diagnosis, reused, source))
    }

    fn recorded(&self, error: ConnectError) -> ConnectError {
        Journal::record(&self.journal, "connect", &error);
        error
    }

    fn reused(&self, failure: &Failure) -> Option<bool> {
        match failure {
            Failure::Hyper(error) => error.connect_info().and_then(was_reused),
            Failure::TimedOut(_) => self.progress.driver().map(|driver| self.answered.contains(driver)),
        }
    }
}

fn was_reused(connected: &Connected) -> Option<bool> {
    let mut known = Extensions::new();
    connected.get_extras(&mut known);
    known.get().map(Connection::has_answered)
}

/// Whether content is in a transfer coding other than `chunked` (RFC 9112 §6.1), which is the only one that hyper takes
/// off: what it would hand out is not the content. Nor was another one asked for; that is what `TE` would do.
fn has_unknown_transfer_coding(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let is_chunked = |coding: &HeaderValue| coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked");
    codings.next().is_some_and(|first| !is_chunked(first)) || codings.next().is_some()
}
