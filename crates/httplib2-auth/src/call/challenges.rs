//! Answering the challenges of one response.

use std::sync::Arc;

use http::{HeaderMap, Request};
use http_body::Body;
use httplib2_core::{body::Resend, error::BoxError};
use httplib2_syntax::challenge::Challenge;

use super::{Again, Call, Signed, signing::NotSigned};
use crate::{
    Ask, Credential, ProviderError, Refusal, Unanswered,
    decide::{Offer, Step, offers},
    provider::Supply,
    spaces::{Learnt, Made, Validity},
};

/// How many names of schemes are told, and how long each may be.
const TOLD_NAMES: usize = 8;
const TOLD_LENGTH: usize = 32;

impl<B> Call<B>
where
    B: Body<Error: Into<BoxError>, Data: Send> + Resend + Send,
{
    /// Answers one of the challenges with which a request came back, or says why none.
    pub(super) async fn answer(
        &mut self,
        challenges: &[Challenge],
        signed: Option<&Signed>,
    ) -> Result<Again<B>, Vec<Unanswered>> {
        self.walk().look_again();
        if let Some(signed) = signed {
            self.refused.push(signed.value.clone());
            if !self.party.is_revoked() && self.is_stale(challenges, signed) {
                if let Some(again) = self.renew(signed).await {
                    return Ok(again);
                }
            } else {
                self.party.site.forget(&signed.learnt, self.head.uri.path());
                if !is_elsewhere(challenges, signed) {
                    self.walk().refused(&signed.learnt.credential, &*signed.learnt.scheme);
                }
            }
        }
        let shared = Arc::clone(&self.party.shared);
        let site = Arc::clone(&self.party.site);
        let offers = offers(&shared.rules, challenges, |scheme| shared.rules.may_use(scheme, &site.origin));
        loop {
            if self.party.is_revoked() {
                self.walk().note(Unanswered::NoCredentials);
                break;
            }
            match self.walk().next(&shared.rules, &site.accepted, &offers) {
                Step::Return => break,
                Step::Ask { seat } => self.ask_for_seat(seat, challenges).await,
                Step::Answer { seat, offer } => {
                    if let Some(again) = self.answer_with(seat, &offers, offer).await {
                        return Ok(again);
                    }
                }
            }
            if self.body_is_gone() {
                self.walk().note(Unanswered::BodyGone);
                break;
            }
        }
        Err(self.reasons(challenges, &offers))
    }

    /// Whether the server only wants what it challenged to be signed once more.
    fn is_stale(&self, challenges: &[Challenge], signed: &Signed) -> bool {
        let (scheme, signer) = (signed.learnt.scheme.name(), &signed.learnt.signer);
        let is_own = |challenge: &&Challenge| {
            let realm = challenge.params().bytes("realm");
            challenge.is(scheme) && signer.realm().is_none_or(|own| Some(own) == realm)
        };
        challenges.iter().filter(is_own).any(|challenge| signer.challenged(challenge, &signed.value) == Refusal::Stale)
    }

    /// Signs once more with the same signer, once in an exchange.
    async fn renew(&mut self, signed: &Signed) -> Option<Again<B>> {
        let shared = Arc::clone(&self.party.shared);
        let credential = signed.learnt.credential.clone();
        let seat = signed.seat.or_else(|| self.walk().seat_of(&credential));
        if self.renewed || !self.walk().may_renew(&shared.rules, seat) {
            self.walk().refused(&credential, &*signed.learnt.scheme);
            return None;
        }
        self.renewed = true;
        let again = self.send_again(&signed.learnt, seat, signed.is_new).await.ok()?;
        self.walk().sent(seat, None);
        Some(again)
    }

    async fn answer_with(&mut self, seat: usize, offers: &[Offer<'_>], at: usize) -> Option<Again<B>> {
        let offer = &offers[at];
        let (credential, scope) = self.walk().credential(seat)?;
        let credential = credential.clone();
        let scheme = offer.scheme.name();
        let realm = offer.challenge.params().bytes("realm");

        // Nobody is tried from elsewhere who may be the one that was refused here.
        let known = if self.refused.is_empty() {
            let is_for = |learnt: &Learnt| learnt.is_for(scheme, realm, &credential, scope);
            let fits = |learnt: &Learnt| learnt.signer.fits(offer.challenge);
            self.party.site.elsewhere(|learnt| self.party.may_sign(learnt) && is_for(learnt) && fits(learnt))
        } else {
            None
        };
        let settles = known.is_none().then_some(offer);
        let learnt = match known {
            Some(known) => known,
            None => match offer.scheme.answer(offer.challenge, &credential) {
                Ok(signer) => {
                    // What was challenged for stays right when other credentials are added.
                    let validity = Validity { changes: None, ..self.party.validity };
                    let made = Made { scheme: Arc::clone(offer.scheme), signer, grade: offer.grade };
                    self.learnt(made, credential, scope, validity)
                }
                Err(why) => {
                    self.walk().unfit(seat, at, Unanswered::because(scheme, why));
                    return None;
                }
            },
        };
        match self.send_again(&learnt, Some(seat), self.keeps).await {
            Ok(again) => {
                self.walk().sent(Some(seat), settles);
                Some(again)
            }
            Err(NotSigned::BodyGone) => None,
            Err(NotSigned::Repeats) => {
                self.walk().would_repeat(seat, offer);
                None
            }
            Err(NotSigned::Failed(_)) if settles.is_none() => {
                // What was learnt signs no more, such as when its nonce is used up: the challenge is answered anew.
                self.party.site.forget_all_of(&learnt);
                None
            }
            Err(NotSigned::Failed(why)) => {
                self.walk().unfit(seat, at, Unanswered::Unsigned { scheme, why });
                None
            }
        }
    }

    /// Signs, and makes the request of what was signed.
    async fn send_again(
        &mut self,
        learnt: &Arc<Learnt>,
        seat: Option<usize>,
        is_new: bool,
    ) -> Result<Again<B>, NotSigned> {
        let (headers, value) = self.sign_again(&*learnt.signer).await?;
        if self.refused.contains(&value) && !self.sets_other_fields(&headers) {
            return Err(NotSigned::Repeats);
        }
        let body = self.take_body().ok_or(NotSigned::BodyGone)?;
        let mut request = Request::from_parts(self.head.clone(), body);
        *request.headers_mut() = headers;
        Ok(Again { request, signed: Signed { learnt: Arc::clone(learnt), value, seat, is_new } })
    }

    /// Whether a signer set fields beside the one it was asked for. Those tell one signature from the next, as in WSSE.
    fn sets_other_fields(&self, headers: &HeaderMap) -> bool {
        let authorization = self.rules().side.authorization();
        headers.iter().any(|(name, value)| {
            *name != authorization && !self.head.headers.get_all(name).iter().any(|before| before == value)
        })
    }

    async fn ask_for_seat(&mut self, seat: usize, challenges: &[Challenge]) {
        let Some(supply) = self.walk().supply(seat) else {
            self.walk().given(seat, None);
            return;
        };
        if let Ok(credential) = self.ask(seat, &supply, challenges.to_vec()).await {
            self.walk().given(seat, credential);
        }
    }

    /// Asks the provider in a seat for a credential in place of the one that sits there.
    pub(super) async fn ask(
        &mut self,
        seat: usize,
        supply: &Supply,
        challenges: Vec<Challenge>,
    ) -> Result<Option<Credential>, ProviderError> {
        let refused = self.walk().credential(seat).map(|(credential, _)| credential.clone());
        let ask = Ask { origin: self.party.origin().clone(), challenges, refused };
        let answer = supply.ask(ask).await;
        if let Err(error) = &answer {
            self.walk().failed(seat, Unanswered::Provider(error.clone()));
        }
        answer
    }

    /// Whether there is content and it can no longer be sent.
    fn body_is_gone(&self) -> bool {
        self.has_content && !self.body.as_ref().is_some_and(Resend::is_whole)
    }

    fn reasons(&mut self, challenges: &[Challenge], offers: &[Offer<'_>]) -> Vec<Unanswered> {
        let mut reasons = self.walk().reasons();
        if challenges.is_empty() {
            reasons.push(Unanswered::NoChallenge);
        } else if offers.is_empty() {
            reasons.push(Unanswered::UnknownSchemes(names(challenges)));
        } else if reasons.is_empty() {
            reasons.push(Unanswered::NoCredentials);
        }
        reasons
    }
}

/// Whether a request that was signed in advance is challenged for other realms only: then it was not in the space that it
/// was signed for, and the credential was not refused.
fn is_elsewhere(challenges: &[Challenge], signed: &Signed) -> bool {
    let in_advance = signed.seat.is_none();
    let own = signed.learnt.signer.realm();
    let is_other = |challenge: &Challenge| {
        let realm = challenge.params().bytes("realm");
        realm.is_some() && own.is_some() && realm != own
    };
    in_advance && !challenges.is_empty() && challenges.iter().all(is_other)
}

/// The schemes that were offered, each once, as a list that is fit for a log.
fn names(challenges: &[Challenge]) -> String {
    let mut names: Vec<String> = Vec::new();
    for challenge in challenges {
        let name: String = challenge.scheme().chars().take(TOLD_LENGTH).collect::<String>().to_ascii_lowercase();
        if names.len() < TOLD_NAMES && !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}
