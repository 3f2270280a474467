//! Is a request sent again, and when? Pure: what was sent and what came of it in, a decision out.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use http::{Extensions, HeaderMap, HeaderName, Method, StatusCode, header};
use httplib2_syntax::retry_after;

use crate::{Failure, Repeatable, rules::Rules};

/// What becomes of the outcome of a send.
#[derive(Debug, PartialEq)]
pub(crate) enum Decision {
    /// Nothing speaks for sending again: it goes to the caller.
    Return,
    /// Something does, and it still goes to the caller.
    Keep(Reason),
    /// It is given up for another send.
    SendAgain(When),
}

/// When the next send is made, and at whose cost.
#[derive(Debug, PartialEq)]
pub(crate) enum When {
    /// At once, and it costs no try: the connection was dead.
    AtOnce,
    /// As a try of its own, not before this time has passed.
    After(Duration),
}

/// Why something that speaks for sending again goes to the caller.
#[derive(Debug, PartialEq)]
pub(crate) enum Reason {
    /// The server may have acted on the request, and acting twice may do harm.
    Unsafe,
    /// The body cannot be sent again.
    BodyGone,
    /// All tries were made.
    TriesUsedUp(u32),
    /// The server asked for a longer wait than is allowed.
    AsksTooMuch(Duration),
    /// The deadline is over before a wait of this time is.
    Deadline(Duration),
    /// The calls to this origin have used up their tries.
    Budget,
}

/// What came of a send.
#[derive(Clone, Copy)]
pub(crate) enum Outcome<'a> {
    Answered(StatusCode, &'a HeaderMap),
    Failed(Failure),
}

/// The request that was sent.
#[derive(Clone, Copy)]
pub(crate) struct Sent<'a> {
    pub(crate) method: &'a Method,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) options: &'a Extensions,
    pub(crate) body_is_whole: bool,
    /// How many tries were made, this one included.
    pub(crate) tries: u32,
    /// How many dead connections were met, this one not included.
    pub(crate) dead_connections: u32,
}

/// Says that the server recognizes the request when it comes again
/// (draft-ietf-httpapi-idempotency-key-header).
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

pub(crate) fn decide(rules: &Rules, sent: Sent<'_>, outcome: Outcome<'_>, now: SystemTime) -> Decision {
    let may_have_been_processed = match outcome {
        Outcome::Answered(status, _) if rules.statuses_for(sent.options).contains(status) => true,
        Outcome::Failed(Failure::Unknown) if sent.word() == Some(true) => true,
        Outcome::Failed(Failure::Lost { unprocessed, .. }) => !unprocessed,
        Outcome::Failed(Failure::Unprocessed) => false,
        Outcome::Answered(..) | Outcome::Failed(Failure::Unknown | Failure::Final) => return Decision::Return,
    };
    if may_have_been_processed && !sent.is_harmless(rules) {
        return Decision::Keep(Reason::Unsafe);
    }
    if !sent.body_is_whole {
        return Decision::Keep(Reason::BodyGone);
    }
    let is_dead = matches!(outcome, Outcome::Failed(Failure::Lost { reused: true, .. }));
    if is_dead && sent.dead_connections < rules.dead_connections {
        return Decision::SendAgain(When::AtOnce);
    }
    let tries = rules.tries_for(sent.options);
    if sent.tries >= tries {
        return if tries > 1 { Decision::Keep(Reason::TriesUsedUp(tries)) } else { Decision::Return };
    }
    match asked_wait(outcome, now) {
        Some(wait) if wait > rules.max_wait => Decision::Keep(Reason::AsksTooMuch(wait)),
        wait => Decision::SendAgain(When::After(wait.unwrap_or_default())),
    }
}

/// How long the server asks to be left alone (RFC 9110 §10.2.3). Of several values the longest, for the
/// server surely does not want us earlier; what is no value asks for nothing.
fn asked_wait(outcome: Outcome<'_>, now: SystemTime) -> Option<Duration> {
    let Outcome::Answered(_, headers) = outcome else { return None };
    let values = headers.get_all(header::RETRY_AFTER).iter();
    values.filter_map(|value| Some(retry_after::parse(value.as_bytes())?.wait(now))).max()
}

// === impl Sent ===

impl Sent<'_> {
    /// Whether acting on the request twice does no harm.
    fn is_harmless(&self, rules: &Rules) -> bool {
        // Methods are case-sensitive (RFC 9110 §9.1), and so is their comparison.
        self.word().unwrap_or_else(|| {
            rules.idempotent_methods.contains(self.method) || self.headers.contains_key(IDEMPOTENCY_KEY)
        })
    }

    /// What the caller says about that.
    fn word(&self) -> Option<bool> {
        self.options.get().map(|Repeatable(word)| *word)
    }
}

// === impl Reason ===

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsafe => f.write_str("the server may have acted on it, and doing so twice may do harm"),
            Self::BodyGone => f.write_str("the body cannot be sent again"),
            Self::TriesUsedUp(tries) => write!(f, "all {tries} tries were made"),
            Self::AsksTooMuch(wait) => write!(f, "the server asks for {wait:?}, longer than allowed"),
            Self::Deadline(wait) => write!(f, "the deadline does not leave {wait:?}"),
            Self::Budget => f.write_str("the budget of this origin is used up"),
        }
    }
}

#[cfg(test)]
mod tests;
