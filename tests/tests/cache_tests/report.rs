//! What the cases came to, by the suite's own rules.

use std::{collections::BTreeMap, fmt};

use crate::{
    Mode,
    case::{Case, Kind},
    client::Outcome,
};

/// The outcome of every case that was played in one mode.
pub struct Report<'a> {
    pub mode: Mode,
    outcomes: BTreeMap<&'a str, (&'a Case, Outcome)>,
}

/// What a case came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Pass,
    Fail,
    /// A case that it depends on did not pass.
    Dependency,
    /// It could not be set up.
    Setup,
}

// === impl Report ===

impl<'a> Report<'a> {
    pub fn new(mode: Mode) -> Self {
        Self { mode, outcomes: BTreeMap::new() }
    }

    pub fn add(&mut self, case: &'a Case, outcome: Outcome) {
        self.outcomes.insert(&case.id, (case, outcome));
    }

    /// Whether the case was played.
    pub fn has(&self, id: &str) -> bool {
        self.outcomes.contains_key(id)
    }

    /// The cases of this kind, and of them those that did not pass.
    pub fn tally(&self, kind: Kind) -> (usize, Vec<&'a str>) {
        let of_kind: Vec<_> = self.outcomes.values().filter(|(case, _)| case.kind == kind).collect();
        let missed = of_kind.iter().filter(|(case, _)| self.verdict(&case.id) != Verdict::Pass);
        (of_kind.len(), missed.map(|(case, _)| case.id.as_str()).collect())
    }

    pub fn verdict(&self, id: &str) -> Verdict {
        // A case that is not played in this mode does not hold others up.
        let Some((case, outcome)) = self.outcomes.get(id) else { return Verdict::Pass };
        if case.depends_on.iter().any(|needed| self.verdict(needed) != Verdict::Pass) {
            return Verdict::Dependency;
        }
        match outcome {
            Ok(()) => Verdict::Pass,
            Err(failure) if failure.is_setup => Verdict::Setup,
            Err(_) => Verdict::Fail,
        }
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (id, (case, outcome)) in &self.outcomes {
            let verdict = self.verdict(id);
            if verdict != Verdict::Pass {
                let why = outcome.as_ref().err().map_or("", |failure| failure.why.as_str());
                writeln!(f, "{:?} {:?} {id}: {verdict:?} {why}", self.mode, case.kind)?;
            }
        }
        for kind in [Kind::Required, Kind::Optimal, Kind::Check] {
            let (all, missed) = self.tally(kind);
            writeln!(f, "{:?}: {} of {all} {kind:?}", self.mode, all - missed.len())?;
        }
        Ok(())
    }
}
