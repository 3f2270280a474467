//! One call: the first send, and one more as long as that is safe and may help.

use std::{fmt, future::poll_fn, ops::ControlFlow, sync::Arc, time::Duration};

use http::{Request, Response, request};
use httplib2_core::{
    body::{Resend, discard},
    context::{Journal, Remaining},
    send::HttpService,
};
use tokio::time::{Instant, sleep};

use crate::{
    Cause, Classify, GivenUp, Tries,
    budget::Key,
    decide::{Decision, Outcome, Reason, Sent, When, decide},
    rules::Rules,
};

/// What is kept of one call while it is under way.
struct Call<B> {
    head: request::Parts,
    /// `None` once it cannot be sent again.
    body: Option<B>,
    origin: Option<Key>,
    rules: Arc<Rules>,
    tries: u32,
    dead_connections: u32,
    given_up: Vec<GivenUp>,
}

/// Sends, and sends again as long as the outcome is one to give up.
///
/// `service` was polled ready, `spare` is a copy of `request`. Between two sends nothing is held of the
/// service below: it is made ready only just before it is called. Dropping the future at any `await` drops
/// the answer, the wait or the send that is under way; nothing runs on.
pub(crate) async fn exchange<S, B, C>(
    mut service: S,
    request: Request<B>,
    spare: Request<B>,
    rules: Arc<Rules>,
    classify: Arc<C>,
) -> Result<Response<S::ResponseBody>, S::Error>
where
    S: HttpService<B>,
    B: Resend,
    C: Classify<S::Error>,
{
    let mut call = Call::new(spare, rules);
    let mut request = request;
    loop {
        let again = match call.look(service.call(request).await, &*classify) {
            ControlFlow::Continue(again) => again,
            ControlFlow::Break(result) => return call.finish(result),
        };
        let begun = Instant::now();
        if let Some(response) = again.instead_of {
            discard(response.into_body(), call.rules.discard_limits).await;
        }
        let left = again.wait.saturating_sub(begun.elapsed());
        if !left.is_zero() {
            sleep(left).await;
        }
        if let Err(error) = poll_fn(|cx| service.poll_ready(cx)).await {
            return call.finish(Err(error));
        }
        request = again.request;
    }
}

/// The next send.
struct Again<B, R> {
    /// The response that is given up for it.
    instead_of: Option<Response<R>>,
    wait: Duration,
    request: Request<B>,
}

// === impl Call ===

impl<B: Resend> Call<B> {
    fn new(spare: Request<B>, rules: Arc<Rules>) -> Self {
        let (head, body) = spare.into_parts();
        let origin = rules.budgets.as_ref().map(|budgets| {
            let origin = budgets.key(&head.uri);
            budgets.note_call(origin);
            origin
        });
        Self { head, body: Some(body), origin, rules, tries: 1, dead_connections: 0, given_up: Vec::new() }
    }

    /// Decides whether a result goes to the caller or is given up for the next send.
    fn look<R, E>(
        &mut self,
        result: Result<Response<R>, E>,
        classify: &impl Classify<E>,
    ) -> ControlFlow<Result<Response<R>, E>, Again<B, R>> {
        let outcome = match &result {
            Ok(response) => Outcome::Answered(response.status(), response.headers()),
            Err(error) => Outcome::Failed(classify.classify(error)),
        };
        let Some(wait) = self.wait_after(outcome) else { return ControlFlow::Break(result) };
        let Some(request) = self.next_request() else { return ControlFlow::Break(result) };
        let given_up = GivenUp { cause: Cause::of(outcome), wait };
        self.record(&given_up);
        self.given_up.push(given_up);
        ControlFlow::Continue(Again { instead_of: result.ok(), wait, request })
    }

    /// How long to wait before the next send, or `None` when there is none.
    fn wait_after(&mut self, outcome: Outcome<'_>) -> Option<Duration> {
        let sent = Sent {
            method: &self.head.method,
            headers: &self.head.headers,
            options: &self.head.extensions,
            body_is_whole: self.body.as_ref().is_some_and(Resend::is_whole),
            tries: self.tries,
            dead_connections: self.dead_connections,
        };
        let wait = match decide(&self.rules, sent, outcome, self.rules.clock.now()) {
            Decision::Return => return None,
            Decision::Keep(reason) => Err(reason),
            Decision::SendAgain(when) => self.afford(when),
        };
        wait.map_err(|reason| self.record(&format_args!("{}, returned: {reason}", Cause::of(outcome)))).ok()
    }

    /// How long to wait before the next send, if the deadline and the budget allow it at all.
    fn afford(&mut self, when: When) -> Result<Duration, Reason> {
        let wait = match when {
            When::AtOnce => Duration::ZERO,
            When::After(asked) => asked.max(self.rules.backoff.wait(self.tries, self.random())),
        };
        if self.head.extensions.get::<Remaining>().is_some_and(|remaining| !remaining.allows(wait)) {
            return Err(Reason::Deadline(wait));
        }
        match when {
            When::AtOnce => self.dead_connections += 1,
            When::After(_) => {
                self.take_from_budget()?;
                self.tries += 1;
            }
        }
        Ok(wait)
    }

    fn take_from_budget(&self) -> Result<(), Reason> {
        match (&self.rules.budgets, self.origin) {
            (Some(budgets), Some(origin)) if !budgets.take_try(origin) => Err(Reason::Budget),
            _ => Ok(()),
        }
    }

    /// A random number; without randomness the highest, which makes the longest wait.
    fn random(&self) -> u64 {
        let mut bytes = [0; 8];
        self.rules.nonce.fill(&mut bytes).map_or(u64::MAX, |()| u64::from_le_bytes(bytes))
    }

    /// Makes the next request of the spare, of which another one is kept.
    ///
    /// Its extensions are those of the original request: nothing that a layer below put into those of an
    /// earlier send comes along.
    fn next_request(&mut self) -> Option<Request<B>> {
        // The send before may still be under way below, and use up the recording while this one waits.
        let body = self.body.take().filter(Resend::claim)?;
        self.body = body.try_clone();
        Some(Request::from_parts(self.head.clone(), body))
    }

    /// Says on the response, or in the journal where there is none, how many sends it took.
    fn finish<R, E>(self, result: Result<Response<R>, E>) -> Result<Response<R>, E> {
        if result.is_err() && !self.given_up.is_empty() {
            self.record(&format_args!("failed after {} sends", self.given_up.len() + 1));
        }
        result.map(|mut response| {
            Tries::mark(&mut response, self.given_up);
            response
        })
    }

    fn record(&self, fact: &dyn fmt::Display) {
        Journal::record(&self.head.extensions, "retry", fact);
    }
}

// === impl Cause ===

impl Cause {
    fn of(outcome: Outcome<'_>) -> Self {
        match outcome {
            Outcome::Answered(status, _) => Self::Status(status),
            Outcome::Failed(failure) => Self::Failure(failure),
        }
    }
}
