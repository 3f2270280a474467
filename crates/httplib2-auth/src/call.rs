//! What is kept of one call while it is under way.

mod challenges;
mod signing;

use std::{ops::ControlFlow, sync::Arc};

use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, request};
use http_body::Body;
use httplib2_core::{
    body::{DiscardLimits, Resend},
    context::Journal,
    error::BoxError,
    send::clone_head,
    who::SignedAs,
};
use httplib2_syntax::challenge::{self, Params};

use crate::{
    AuthError, Authentication, Credential, Unanswered,
    credentials::Scope,
    decide::Walk,
    first_contact::{Ahead, Turn},
    line::Line,
    options::Signature,
    party::Party,
    rules::{Rules, Side},
    spaces::{Learnt, Made, Validity, prefixes},
};

/// The request, as far as it is needed to send it again, and what happened so far.
pub(crate) struct Call<B> {
    /// As it came from the caller, unsigned.
    head: request::Parts,
    /// `None` once it cannot be sent again.
    body: Option<B>,
    has_content: bool,
    party: Party,
    /// Who signs the first send.
    first: Option<Arc<Learnt>>,
    /// Held while others wait for what this call learns.
    ahead: Option<Ahead>,
    /// Made when the first credential is looked for.
    walk: Option<Walk>,
    /// The values of signed requests that came back with a challenge.
    refused: Vec<HeaderValue>,
    /// Whether a signature that was stale was renewed.
    renewed: bool,
    /// Whether what is made of the present challenges is small enough to be remembered.
    keeps: bool,
}

/// What a send was signed with.
pub(crate) struct Signed {
    learnt: Arc<Learnt>,
    value: HeaderValue,
    /// Where its credential sits in the walk, unless it signed in advance.
    seat: Option<usize>,
    /// Whether something is to be learnt when it is accepted.
    is_new: bool,
}

/// The next send.
pub(crate) struct Again<B> {
    pub(crate) request: Request<B>,
    pub(crate) signed: Signed,
}

/// What is said of the answer that goes to the caller.
pub(crate) struct Fact {
    authentication: Authentication,
    signed_as: Option<SignedAs>,
}

/// Challenges of more bytes are answered, but what is made of them is not remembered: a hostile server must not fill
/// the memory.
const MAX_REMEMBERED: usize = 8 * 1024;

// === impl Call ===

impl<B> Call<B>
where
    B: Body<Error: Into<BoxError>, Data: Send> + Resend + Send,
{
    pub(crate) fn new(request: &Request<B>, party: Party) -> Self {
        Self {
            head: clone_head(request),
            body: request.body().try_clone(),
            has_content: !request.body().is_end_stream(),
            party,
            first: None,
            ahead: None,
            walk: None,
            refused: Vec::new(),
            renewed: false,
            keeps: true,
        }
    }

    /// Finds out who signs the first send. A request that nobody can sign waits for the first one to its origin.
    pub(crate) async fn prepare<S: Clone>(&mut self, line: &mut Line<S>) {
        self.first = self.party.nearest(self.head.uri.path());
        if self.first.is_none() {
            self.first = self.in_advance(line).await;
        }
        let longest = self.rules().first_contact_wait;
        if self.first.is_some() || longest.is_zero() {
            return;
        }
        self.ahead = match self.party.site.contact.turn() {
            Turn::Go => None,
            Turn::GoAhead(ahead) => Some(ahead),
            Turn::Wait(over) => {
                line.release();
                let contact = self.party.site.contact.clone();
                let ahead = contact.wait(over, longest).await;
                self.first = self.party.nearest(self.head.uri.path());
                ahead
            }
        };
    }

    /// The first credential that goes out before it is asked for, with the strongest scheme that can sign with it.
    async fn in_advance<S: Clone>(&mut self, line: &mut Line<S>) -> Option<Arc<Learnt>> {
        let scopes = self.walk().scopes();
        for (seat, scope) in scopes {
            let Some(credential) = self.credential_in_advance(seat, scope, line).await else { continue };
            if self.party.is_revoked() {
                return None;
            }
            if !self.party.goes_in_advance(scope, credential.as_token().is_some()) {
                continue;
            }
            let Some(made) = self.party.signer_in_advance(&credential) else { continue };
            let learnt = self.learnt(made, credential, scope, self.party.validity);
            self.party.site.learn(vec!["/".into()], &learnt);
            return Some(learnt);
        }
        None
    }

    /// What sits in a seat. A provider whose credential may go out in advance is asked for it.
    async fn credential_in_advance<S: Clone>(
        &mut self,
        seat: usize,
        scope: Scope,
        line: &mut Line<S>,
    ) -> Option<Credential> {
        let at_hand = self.walk().at_hand(seat);
        match self.walk().supply(seat) {
            Some(supply) if at_hand.is_none() && self.party.goes_in_advance(scope, true) => {
                line.release();
                self.ask(seat, &supply, Vec::new()).await.ok().flatten()
            }
            _ => at_hand,
        }
    }

    /// Decides whether the answer to a request that was signed with `signed` goes to the caller, or is given up for the next
    /// send.
    pub(crate) async fn look(
        &mut self,
        status: StatusCode,
        headers: &HeaderMap,
        signed: Option<Signed>,
    ) -> Result<ControlFlow<Option<Fact>, Again<B>>, AuthError> {
        if status != self.rules().side.challenging() {
            let Some(signed) = signed else { return Ok(ControlFlow::Break(None)) };
            self.check(&signed, headers)?;
            self.party.site.note_accepted(&signed.learnt);
            self.learn(&signed);
            return Ok(ControlFlow::Break(Some(self.fact(Some(&signed), Vec::new()))));
        }
        let lines = headers.get_all(self.rules().side.challenge());
        self.keeps = lines.iter().map(HeaderValue::len).sum::<usize>() <= MAX_REMEMBERED;
        let challenges = challenge::parse(lines.iter().map(HeaderValue::as_bytes));
        Ok(match self.answer(&challenges, signed.as_ref()).await {
            Ok(again) => ControlFlow::Continue(again),
            Err(reasons) => ControlFlow::Break(Some(self.fact(signed.as_ref(), reasons))),
        })
    }

    /// Lets the signer see what the server said of its signature.
    fn check(&self, signed: &Signed, headers: &HeaderMap) -> Result<(), AuthError> {
        let mut lines = headers.get_all(self.rules().side.info()).iter();
        let info = match (lines.next(), lines.next()) {
            (None, _) => Params::default(),
            (Some(only), None) => challenge::parse_info(only.as_bytes()),
            (Some(first), Some(second)) => {
                let lines: Vec<_> = [first, second].into_iter().chain(lines).map(HeaderValue::as_bytes).collect();
                challenge::parse_info(&lines.join(&b", "[..]))
            }
        };
        signed.learnt.signer.accepted(&signed.value, &info).map_err(|_| AuthError::Unproven {
            origin: self.party.origin().clone(),
            scheme: signed.learnt.scheme.name(),
        })
    }

    /// Remembers a signer that the server let in.
    fn learn(&self, signed: &Signed) {
        if signed.is_new {
            let space = prefixes(signed.learnt.signer.space(), &self.head.uri, self.party.origin());
            let prefixes = match self.rules().side {
                Side::Server => space,
                // What asks is the proxy, and wherever a request leads to makes no difference to it (RFC 9110 §11.7.2).
                Side::Proxy(_) => vec!["/".into()],
            };
            self.party.site.learn(prefixes, &signed.learnt);
        }
    }

    fn fact(&self, signed: Option<&Signed>, reasons: Vec<Unanswered>) -> Fact {
        let challenges = self.walk.as_ref().map_or(0, Walk::answers);
        let authentication = match signed {
            Some(signed) if challenges == 0 && reasons.is_empty() => signed.learnt.fact.clone(),
            _ => Authentication::new(signed.map(Signed::signature), challenges, reasons),
        };
        let signed_as = match self.rules().side {
            Side::Server => signed.map(|signed| SignedAs(signed.learnt.identity.clone())),
            Side::Proxy(_) => None,
        };
        Fact { authentication, signed_as }
    }

    /// Marks the answer, and lets those go who wait for what was learnt.
    pub(crate) fn finish<R>(self, response: &mut Response<R>, fact: Option<Fact>) {
        if let Some(fact) = fact {
            fact.authentication.mark(response, fact.signed_as, &self.head.extensions);
        }
        if let Some(ahead) = self.ahead {
            ahead.answered();
        }
    }

    pub(crate) fn discard_limits(&self) -> DiscardLimits {
        self.rules().discard_limits
    }

    /// Puts together what a signer was made of. One that shows the secret to everybody is worth a warning.
    fn learnt(&self, made: Made, credential: Credential, scope: Scope, validity: Validity) -> Arc<Learnt> {
        let origin = self.party.origin();
        if made.scheme.reveals_secret() && !origin.is_secure() {
            let scheme = made.scheme.name();
            tracing::warn!(target: "httplib2", layer = "auth", scheme, %origin, "a secret goes over plain http");
            let line = format_args!("{scheme} shows the secret to everybody on the way: {origin} is plain http");
            Journal::record(&self.head.extensions, "auth", &line);
        }
        Arc::new(Learnt::new(origin, made, (credential, scope), validity))
    }

    fn walk(&mut self) -> &mut Walk {
        self.walk.get_or_insert_with(|| self.party.walk())
    }

    fn rules(&self) -> &Rules {
        self.party.rules()
    }
}

// === impl Signed ===

impl Signed {
    fn signature(&self) -> Signature {
        let realm = self.learnt.signer.realm().map(Into::into);
        Signature { scheme: self.learnt.scheme.name(), realm }
    }
}
