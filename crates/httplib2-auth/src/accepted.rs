//! How strong a signature an origin has accepted: what is weaker may be asked for by somebody on the way.

use std::sync::{Mutex, MutexGuard, PoisonError};

use httplib2_core::who::Origin;
use httplib2_syntax::challenge::Challenge;

use crate::{Credential, Scheme, rules::Rules};

/// How well an offer guards the secret: by its scheme, and then among those of the scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Grade {
    pub(crate) strength: u8,
    pub(crate) preference: u8,
}

/// The strongest that one origin accepted, of each credential; the one that was added last is at the end.
#[derive(Debug, Default)]
pub(crate) struct Accepted(Mutex<Vec<(Credential, Grade)>>);

/// Of how many credentials it is remembered.
const MAX_CREDENTIALS: usize = 256;

// === impl Accepted ===

impl Accepted {
    pub(crate) fn note(&self, credential: &Credential, grade: Grade) {
        let mut known = self.lock();
        match known.iter_mut().find(|(of, _)| of.is_same(credential)) {
            Some((_, strongest)) => *strongest = grade.max(*strongest),
            None => {
                if known.len() >= MAX_CREDENTIALS {
                    known.remove(0);
                }
                known.push((credential.clone(), grade));
            }
        }
    }

    /// Below what nothing may be signed with this credential: over https, where nobody can make offers in the name of
    /// the server, there is no such bound.
    pub(crate) fn floor(&self, rules: &Rules, origin: &Origin, credential: &Credential) -> Option<Grade> {
        if origin.is_secure() || rules.allow_downgrade {
            return None;
        }
        self.lock().iter().find(|(of, _)| of.is_same(credential)).map(|(_, strongest)| *strongest)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Credential, Grade)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Grade ===

impl Grade {
    pub(crate) fn of(scheme: &dyn Scheme, challenge: &Challenge) -> Self {
        Self { strength: scheme.strength(), preference: scheme.preference(challenge) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(uri: &str) -> Origin {
        Origin::of(&uri.parse().unwrap()).unwrap()
    }

    #[test]
    fn the_strongest_of_each_credential_is_remembered_where_somebody_may_listen() {
        let (accepted, joe, eve) = (Accepted::default(), Credential::login("joe", "1"), Credential::login("eve", "1"));
        let (http, https, rules) = (origin("http://a.example"), origin("https://a.example"), Rules::default());
        let grade = |strength, preference| Grade { strength, preference };
        assert_eq!(accepted.floor(&rules, &http, &joe), None);
        for (strength, preference, expected) in
            [(30, 1, grade(30, 1)), (0, 9, grade(30, 1)), (30, 2, grade(30, 2)), (30, 0, grade(30, 2))]
        {
            accepted.note(&joe, grade(strength, preference));
            assert_eq!(accepted.floor(&rules, &http, &joe), Some(expected));
        }
        assert_eq!(accepted.floor(&rules, &http, &eve), None);
        assert_eq!(accepted.floor(&rules, &https, &joe), None);
        assert_eq!(accepted.floor(&Rules { allow_downgrade: true, ..rules }, &http, &joe), None);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (accepted, http, rules) = (Accepted::default(), origin("http://a.example"), Rules::default());
        let joe = |n: usize| Credential::login(n.to_string(), "");
        for n in 0..=MAX_CREDENTIALS {
            accepted.note(&joe(n), Grade { strength: 1, preference: 0 });
        }
        assert_eq!(accepted.lock().len(), MAX_CREDENTIALS);
        assert_eq!(accepted.floor(&rules, &http, &joe(0)), None);
        assert!(accepted.floor(&rules, &http, &joe(1)).is_some() && accepted.floor(&rules, &http, &joe(256)).is_some());
    }
}
