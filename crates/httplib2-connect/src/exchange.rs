//! One exchange, from the request that is on its way to the head of the response.

use std::{pin::pin, time::Duration};

use futures_util::future::{Either, select};
use http::{Extensions, Request, Response, Version};
use httplib2_core::{context::Journal, error::BoxError};
use hyper::body::Incoming;
use hyper_util::client::legacy::{
    self, ResponseFuture,
    connect::{CaptureConnection, Connected, capture_connection},
};
use tokio::time::{Instant, timeout, timeout_at};

use crate::{
    body::{ConnectBody, Stream},
    diagnose::diagnose,
    error::{ConnectError, Diagnosis, Fault, Phase},
    facts::Connection,
    options::FAR,
    send_body::{Progress, SendBody},
    target::Target,
};

/// What is kept of a request while it is sent.
pub(crate) struct Sending {
    target: Target,
    /// The request body, unless it is empty.
    progress: Option<Progress>,
    limit: Option<Limit>,
    /// The journal of the request, if it has one.
    journal: Extensions,
}

struct Limit {
    time: Duration,
    connection: CaptureConnection,
}

enum Failure {
    Hyper(legacy::Error),
    TimedOut(Phase),
}

/// Waits for the head of the response, says what happened, and wraps the body.
pub(crate) async fn exchange(
    response: ResponseFuture,
    mut sending: Sending,
) -> Result<Response<ConnectBody>, ConnectError> {
    let outcome = match &mut sending.limit {
        None => response.await.map_err(Failure::Hyper),
        Some(limit) => limit.wait(response, sending.progress.as_ref()).await,
    };
    match outcome {
        Ok(response) => Ok(sending.answered(response)),
        Err(failure) => Err(sending.failed(failure)),
    }
}

// === impl Sending ===

impl Sending {
    pub(crate) fn new<B>(request: &mut Request<SendBody<B>>, limit: Option<Duration>) -> Self {
        let target = Target::of(request.uri());
        let progress = request.body().progress();
        let mut journal = Extensions::new();
        if let Some(found) = request.extensions().get::<Journal>() {
            journal.insert(found.clone());
        }
        let limit =
            limit.filter(|time| *time < FAR).map(|time| Limit { time, connection: capture_connection(request) });
        Self { target, progress, limit, journal }
    }

    /// The error of a request that was given up before anything was done.
    pub(crate) fn refused(self, cause: impl Into<BoxError>) -> ConnectError {
        let diagnosis = Diagnosis { phase: Phase::Connect, fault: Fault::Other, unprocessed: true };
        self.recorded(diagnosis, None, Some(cause.into()))
    }

    fn answered(self, mut response: Response<Incoming>) -> Response<ConnectBody> {
        let version = response.version();
        let mut reused = None;
        if let Some(connection) = response.extensions_mut().get_mut::<Connection>() {
            connection.answered(version);
            reused = Some(connection.reused);
            Journal::record(&self.journal, "connect", connection);
        }
        let stream = (version == Version::HTTP_2).then(|| Stream { upload: self.progress });
        response.map(|body| ConnectBody::new(body, self.target, reused, self.limit.map(|limit| limit.time), stream))
    }

    fn failed(self, failure: Failure) -> ConnectError {
        let reused = self.reused(&failure);
        let whole = self.progress.as_ref().is_none_or(Progress::is_whole);
        let of_body = self.progress.as_ref().and_then(Progress::take_failure);
        let (diagnosis, source) = match (of_body, failure) {
            (Some(error), _) => {
                let diagnosis = Diagnosis { phase: Phase::Send, fault: Fault::RequestBody, unprocessed: false };
                (diagnosis, Some(error))
            }
            (None, Failure::Hyper(error)) => (diagnose(&error, whole), Some(error.into())),
            (None, Failure::TimedOut(phase)) => {
                (Diagnosis { phase, fault: Fault::Timeout, unprocessed: phase < Phase::Send }, None)
            }
        };
        self.recorded(diagnosis, reused, source)
    }

    fn recorded(self, diagnosis: Diagnosis, reused: Option<bool>, source: Option<BoxError>) -> ConnectError {
        let error = ConnectError::new(self.target, diagnosis, reused, source);
        Journal::record(&self.journal, "connect", &error);
        error
    }

    fn reused(&self, failure: &Failure) -> Option<bool> {
        match failure {
            Failure::Hyper(error) => error.connect_info().and_then(was_reused),
            Failure::TimedOut(_) => self.limit.as_ref()?.connection.connection_metadata().as_ref().and_then(was_reused),
        }
    }
}

fn was_reused(connected: &Connected) -> Option<bool> {
    let mut known = Extensions::new();
    connected.get_extras(&mut known);
    known.get().map(Connection::has_answered)
}

// === impl Limit ===

impl Limit {
    /// Waits for a connection, and then for the head of the response, which may take longer only while
    /// frames of the request body are taken.
    async fn wait(
        &mut self,
        mut response: ResponseFuture,
        progress: Option<&Progress>,
    ) -> Result<Response<Incoming>, Failure> {
        let connected = pin!(self.connection.wait_for_connection_metadata());
        match timeout(self.time, select(&mut response, connected)).await {
            Ok(Either::Left((outcome, _))) => return outcome.map_err(Failure::Hyper),
            Ok(Either::Right(_)) => {}
            Err(_) => return Err(Failure::TimedOut(Phase::Connect)),
        }
        let mut since = Instant::now();
        loop {
            if let Ok(outcome) = timeout_at(since + self.time, &mut response).await {
                return outcome.map_err(Failure::Hyper);
            }
            match progress.and_then(Progress::last) {
                Some(last) if last > since => since = last,
                _ if progress.is_none_or(Progress::is_whole) => return Err(Failure::TimedOut(Phase::Receive)),
                _ => return Err(Failure::TimedOut(Phase::Send)),
            }
        }
    }
}
