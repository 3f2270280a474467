//! Which challenge is answered next, and with which credential? Pure: offers and what became of earlier answers in, one
//! step out.

use std::{cmp::Reverse, sync::Arc};

use httplib2_core::who::Origin;
use httplib2_syntax::challenge::Challenge;

use crate::{
    CannotAnswer, Credential, InAdvance, Scheme, Unanswered,
    accepted::{Accepted, Grade},
    credentials::{Candidate, Holder, Scope},
    provider::Supply,
    rules::{Order, Rules},
};

/// A challenge of a scheme that the layer knows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Offer<'a> {
    pub(crate) scheme: &'a Arc<dyn Scheme>,
    pub(crate) challenge: &'a Challenge,
    pub(crate) grade: Grade,
    /// Whether the scheme may be used towards this origin.
    pub(crate) allowed: bool,
}

/// What is done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The provider in this seat is asked for a credential in place of the one that sits there, if any.
    Ask { seat: usize },
    /// The credential in this seat answers this offer.
    Answer { seat: usize, offer: usize },
    /// The answer goes to the caller.
    Return,
}

/// The credentials of one exchange, and what became of them.
#[derive(Debug)]
pub(crate) struct Walk {
    origin: Origin,
    seats: Vec<Seat>,
    /// Answers that were sent.
    answers: u32,
    /// What was refused in this exchange.
    refusals: Vec<Unanswered>,
    /// What could not be done about the last challenges.
    notes: Vec<Unanswered>,
}

#[derive(Debug)]
struct Seat {
    holder: Holder,
    scope: Scope,
    credential: Option<Credential>,
    /// Nothing more is to be had of it.
    done: bool,
    /// Whether the provider was asked for another one in place of a refused one.
    renewed: bool,
    /// How often the credential was sent in an answer.
    answers: u32,
    /// How well the strongest scheme guards that was refused.
    refused_strength: Option<u8>,
    /// What was answered already, by scheme and realm.
    tried: Vec<(&'static str, Option<Box<[u8]>>)>,
    /// Which of the present offers it cannot answer.
    unfit: Vec<usize>,
}

/// With the send that was challenged first, nobody sees the same credential more than three times in one exchange.
const MAX_ANSWERS_PER_CREDENTIAL: u32 = 2;

/// The challenges that the layer could answer, in the order in which it would.
///
/// Those that guard the secret equally well stay in the order of the server (RFC 7616 §3.7).
pub(crate) fn offers<'a>(
    rules: &'a Rules,
    challenges: &'a [Challenge],
    allowed: impl Fn(&dyn Scheme) -> bool,
) -> Vec<Offer<'a>> {
    let known = rules.schemes.iter().flat_map(|scheme| {
        let of_scheme = challenges.iter().filter(|challenge| challenge.is(scheme.name()));
        of_scheme.map(|challenge| Offer {
            scheme,
            challenge,
            grade: Grade::of(&**scheme, challenge),
            allowed: allowed(&**scheme),
        })
    });
    let mut offers: Vec<_> = known.collect();
    if rules.order == Order::Strongest {
        offers.sort_by_key(|offer| Reverse(offer.grade));
    }
    offers
}

/// Whether a credential is sent before a server asks for it; of a provider's, before it is known, what it may be.
pub(crate) fn goes_in_advance(setting: InAdvance, scope: Scope, is_token: bool) -> bool {
    match setting {
        InAdvance::Never => false,
        InAdvance::Tokens => is_token && scope != Scope::All,
        InAdvance::Always => true,
    }
}

// === impl Walk ===

impl Walk {
    pub(crate) fn new(origin: Origin, candidates: Vec<Candidate>) -> Self {
        let seats = candidates.into_iter().map(Seat::new).collect();
        Self { origin, seats, answers: 0, refusals: Vec::new(), notes: Vec::new() }
    }

    /// Looks at the offers of the present answer. What could not be answered is asked for again after it was told
    /// ([`unfit`](Self::unfit), [`given`](Self::given), ...), until something is sent or nothing is left.
    pub(crate) fn next(&mut self, rules: &Rules, accepted: &Accepted, offers: &[Offer<'_>]) -> Step {
        if offers.is_empty() {
            return Step::Return;
        }
        for seat in 0..self.seats.len() {
            match self.step_of(seat, rules, accepted, offers) {
                Some(_) if self.answers >= rules.max_answers => {
                    self.note(Unanswered::Limit(rules.max_answers));
                    return Step::Return;
                }
                Some(step) => return step,
                None => {}
            }
        }
        Step::Return
    }

    fn step_of(&mut self, at: usize, rules: &Rules, accepted: &Accepted, offers: &[Offer<'_>]) -> Option<Step> {
        let seat = &self.seats[at];
        if seat.done {
            return None;
        }
        let Some(credential) = &seat.credential else { return Some(Step::Ask { seat: at }) };
        let floor = accepted.floor(rules, &self.origin, credential);
        let mut notes = Vec::new();
        let offer = offers.iter().enumerate().position(|(n, offer)| match seat.objection(n, offer, rules, floor) {
            Objection::None => true,
            Objection::Settled => false,
            Objection::Because(reason) => {
                notes.push(reason);
                false
            }
        });
        let renewable = matches!(seat.holder, Holder::Supply(_)) && seat.was_refused() && !seat.renewed;
        let step = match offer {
            Some(offer) => Some(Step::Answer { seat: at, offer }),
            None if renewable => Some(Step::Ask { seat: at }),
            None => None,
        };
        notes.into_iter().for_each(|reason| self.note(reason));
        step
    }

    /// The provider was asked.
    pub(crate) fn given(&mut self, seat: usize, credential: Option<Credential>) {
        let seat = &mut self.seats[seat];
        seat.renewed |= seat.credential.is_some();
        let is_new = |new: &Credential| !seat.credential.as_ref().is_some_and(|refused| refused.is_same(new));
        match credential.filter(is_new) {
            Some(credential) => {
                seat.credential = Some(credential);
                seat.answers = 0;
                seat.refused_strength = None;
                seat.tried.clear();
                seat.unfit.clear();
            }
            None => seat.done = true,
        }
    }

    /// The provider failed: it is not asked again.
    pub(crate) fn failed(&mut self, seat: usize, reason: Unanswered) {
        self.seats[seat].done = true;
        self.refusals.push(reason);
    }

    /// An offer cannot be answered with that credential, which is no refusal: another one may be.
    pub(crate) fn unfit(&mut self, seat: usize, offer: usize, reason: Unanswered) {
        self.seats[seat].unfit.push(offer);
        self.note(reason);
    }

    /// An answer is sent. `settles` is whether another one of the same scheme and realm would not differ from it.
    pub(crate) fn sent(&mut self, seat: Option<usize>, settles: Option<&Offer<'_>>) {
        self.answers += 1;
        if let Some(seat) = seat {
            self.seats[seat].answers += 1;
            if let Some(offer) = settles {
                self.seats[seat].tried.push(offer.key());
            }
        }
    }

    /// Whether a signature that was stale may be renewed.
    pub(crate) fn may_renew(&self, rules: &Rules, seat: Option<usize>) -> bool {
        let answers = seat.map_or(0, |seat| self.seats[seat].answers);
        self.answers < rules.max_answers && (answers < MAX_ANSWERS_PER_CREDENTIAL || rules.allow_downgrade)
    }

    /// The seat of the credential that signed in advance, if it is still at hand.
    pub(crate) fn seat_of(&mut self, credential: &Credential) -> Option<usize> {
        for seat in self.seats.iter_mut().filter(|seat| seat.credential.is_none()) {
            seat.credential = seat.holder.current(&self.origin).filter(|current| current.is_same(credential));
        }
        self.seats.iter().position(|seat| seat.holds(credential))
    }

    /// A signature with this credential was refused.
    pub(crate) fn refused(&mut self, credential: &Credential, scheme: &dyn Scheme) {
        let reason = Unanswered::Rejected(scheme.name());
        if !self.refusals.contains(&reason) {
            self.refusals.push(reason);
        }
        self.seat_of(credential);
        for seat in self.seats.iter_mut().filter(|seat| seat.holds(credential)) {
            seat.refused_strength = seat.refused_strength.max(Some(scheme.strength()));
        }
    }

    /// An answer would be just what was refused already: it is not sent.
    pub(crate) fn would_repeat(&mut self, seat: usize, offer: &Offer<'_>) {
        self.seats[seat].tried.push(offer.key());
        let credential = self.seats[seat].credential.clone();
        if let Some(credential) = credential {
            self.refused(&credential, &**offer.scheme);
        }
    }

    /// Forgets what was said of the offers before, because new ones have come.
    pub(crate) fn look_again(&mut self) {
        self.notes.clear();
        for seat in &mut self.seats {
            seat.unfit.clear();
        }
    }

    pub(crate) fn note(&mut self, reason: Unanswered) {
        if !self.notes.contains(&reason) {
            self.notes.push(reason);
        }
    }

    pub(crate) fn credential(&self, seat: usize) -> Option<(&Credential, Scope)> {
        let seat = self.seats.get(seat)?;
        Some((seat.credential.as_ref()?, seat.scope))
    }

    /// Whom to ask for what sits there.
    pub(crate) fn supply(&self, seat: usize) -> Option<Arc<Supply>> {
        match &self.seats.get(seat)?.holder {
            Holder::Given(_) => None,
            Holder::Supply(supply) => Some(Arc::clone(supply)),
        }
    }

    /// The credential in this seat, or what its provider gave last.
    pub(crate) fn at_hand(&self, seat: usize) -> Option<Credential> {
        let seat = self.seats.get(seat)?;
        seat.credential.clone().or_else(|| seat.holder.current(&self.origin))
    }

    /// All seats, in their order, and how far what sits there may be used.
    pub(crate) fn scopes(&self) -> Vec<(usize, Scope)> {
        self.seats.iter().map(|seat| seat.scope).enumerate().collect()
    }

    pub(crate) fn answers(&self) -> u32 {
        self.answers
    }

    /// Why nothing more was done.
    pub(crate) fn reasons(&self) -> Vec<Unanswered> {
        self.refusals.iter().chain(&self.notes).cloned().collect()
    }
}

/// What speaks against answering an offer.
enum Objection {
    None,
    /// It was answered already, or could not be.
    Settled,
    Because(Unanswered),
}

// === impl Seat ===

impl Seat {
    fn new(Candidate { holder, scope }: Candidate) -> Self {
        let credential = match &holder {
            Holder::Given(credential) => Some(credential.clone()),
            Holder::Supply(_) => None,
        };
        Self {
            holder,
            scope,
            credential,
            done: false,
            renewed: false,
            answers: 0,
            refused_strength: None,
            tried: Vec::new(),
            unfit: Vec::new(),
        }
    }

    fn objection(&self, n: usize, offer: &Offer<'_>, rules: &Rules, floor: Option<Grade>) -> Objection {
        if self.unfit.contains(&n) || self.tried.contains(&offer.key()) {
            return Objection::Settled;
        }
        if !offer.allowed {
            return Objection::Because(Unanswered::Insecure(offer.scheme.name()));
        }
        if !rules.allow_downgrade {
            if self.refused_strength.is_some_and(|refused| offer.grade.strength < refused)
                || floor.is_some_and(|floor| offer.grade < floor)
            {
                return Objection::Because(Unanswered::Downgrade(offer.scheme.name()));
            }
            if self.answers >= MAX_ANSWERS_PER_CREDENTIAL {
                return Objection::Because(Unanswered::Limit(MAX_ANSWERS_PER_CREDENTIAL));
            }
        }
        Objection::None
    }

    fn holds(&self, credential: &Credential) -> bool {
        self.credential.as_ref().is_some_and(|own| own.is_same(credential))
    }

    fn was_refused(&self) -> bool {
        self.refused_strength.is_some()
    }
}

// === impl Offer ===

impl Offer<'_> {
    fn key(&self) -> (&'static str, Option<Box<[u8]>>) {
        (self.scheme.name(), self.challenge.params().bytes("realm").map(Into::into))
    }
}

// === impl Holder ===

impl Holder {
    /// What is at hand of it for this origin.
    pub(crate) fn current(&self, origin: &Origin) -> Option<Credential> {
        match self {
            Self::Given(credential) => Some(credential.clone()),
            Self::Supply(supply) => supply.current(origin),
        }
    }
}

impl Unanswered {
    pub(crate) fn because(scheme: &'static str, why: CannotAnswer) -> Self {
        match why {
            CannotAnswer::Unsupported(what) => Self::Unsupported { scheme, what },
            CannotAnswer::Malformed(what) => Self::Malformed { scheme, what },
            CannotAnswer::Credential(why) => Self::Unsuitable { scheme, why },
        }
    }
}

#[cfg(test)]
mod tests;
