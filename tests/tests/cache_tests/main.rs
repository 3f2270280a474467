//! The public caching cases of `../shared/cache-tests`, played in process with a clock that is stepped.
//!
//! `cargo test --test cache_tests -- --nocapture` prints what each case came to. Where the folder is absent (beside
//! the checkout, or named by `CACHE_TESTS_DIR`), nothing is played and that is said.

mod case;
mod client;
mod origin;
mod report;

use std::{collections::BTreeSet, path::Path, sync::Arc};

use httplib2_cache::{
    CacheLayer,
    policy::{Rules, SetCookies},
};
use httplib2_core::context::Spawn;
use httplib2_store::{MemoryStore, Store, Tiers};
use httplib2_store_disk::DiskStore;
use httplib2_testing::FixedClock;
use tower::Layer;

use self::{
    case::{Case, Kind},
    client::play,
    origin::Origin,
    report::Report,
};

/// Whose cache it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Private,
    Shared,
}

/// The required cases that do not pass, and why.
const REQUIRED_MISSED: [(&str, &str); 1] =
    [("interim-not-cached", "interim responses never reach a tower service: hyper keeps them to itself")];

const INTERIM: &str = "interim responses never reach a tower service";

/// The optimal cases that do not pass, and why.
const OPTIMAL_MISSED: [(&str, &str); 5] = [
    ("interim-102", INTERIM),
    ("interim-103", INTERIM),
    ("interim-no-header-reuse", INTERIM),
    ("vary-normalise-lang-order", "members of equal weight may stand in order of preference: Negotiation::Order"),
    ("vary-normalise-lang-select", "which language a server would choose is not guessed"),
];

#[tokio::test]
async fn a_private_cache_passes_the_public_cases() {
    hold(Mode::Private, in_memory).await;
}

#[tokio::test]
async fn a_shared_cache_passes_the_public_cases() {
    hold(Mode::Shared, in_memory).await;
}

#[tokio::test]
async fn a_private_cache_on_a_disk_passes_the_public_cases() {
    let directory = tempfile::tempdir().unwrap();
    hold(Mode::Private, |clock| on_disk(directory.path(), clock)).await;
}

#[tokio::test]
async fn a_shared_cache_on_a_disk_passes_the_public_cases() {
    let directory = tempfile::tempdir().unwrap();
    hold(Mode::Shared, |clock| on_disk(directory.path(), clock)).await;
}

#[tokio::test]
async fn a_private_cache_in_two_tiers_passes_the_public_cases() {
    let directory = tempfile::tempdir().unwrap();
    hold(Mode::Private, |clock| in_two_tiers(directory.path(), clock)).await;
}

#[tokio::test]
async fn a_shared_cache_in_two_tiers_passes_the_public_cases() {
    let directory = tempfile::tempdir().unwrap();
    hold(Mode::Shared, |clock| in_two_tiers(directory.path(), clock)).await;
}

fn in_memory(clock: FixedClock) -> Arc<dyn Store> {
    Arc::new(MemoryStore::builder().clock(clock).build())
}

fn on_disk(directory: &Path, clock: FixedClock) -> Arc<dyn Store> {
    Arc::new(DiskStore::builder(directory).clock(clock).open().unwrap())
}

fn in_two_tiers(directory: &Path, clock: FixedClock) -> Arc<dyn Store> {
    let tiers = Tiers::new(in_memory(clock.clone()), on_disk(directory, clock.clone()));
    Arc::new(tiers.clock(clock))
}

/// Plays all cases of a mode, and compares those that do not pass with the lists.
async fn hold(mode: Mode, store: impl FnOnce(FixedClock) -> Arc<dyn Store>) {
    let Some(cases) = case::read_all() else {
        println!("skipped: the cases are not beside the checkout, and CACHE_TESTS_DIR names no folder");
        return;
    };
    let report = play_all(mode, store, &cases).await;
    println!("{report}");
    for (kind, expected) in [(Kind::Required, &REQUIRED_MISSED[..]), (Kind::Optimal, &OPTIMAL_MISSED[..])] {
        let (all, missed) = report.tally(kind);
        let known: BTreeSet<_> = expected.iter().map(|(id, _)| *id).filter(|id| report.has(id)).collect();
        assert_eq!(missed.into_iter().collect::<BTreeSet<_>>(), known, "{mode:?}: those of {all} {kind:?} that miss");
    }
}

async fn play_all(mode: Mode, store: impl FnOnce(FixedClock) -> Arc<dyn Store>, cases: &[Case]) -> Report<'_> {
    let clock = FixedClock::at_unix(1_800_000_000);
    let origin = Origin::new(clock.clone());
    let store = store(clock.clone());
    let layer = match mode {
        Mode::Private => CacheLayer::private(store),
        Mode::Shared => {
            // The cases take RFC 9111 §7.3 at its word; left alone, a shared cache shares no cookies.
            let mut rules = Rules::shared();
            rules.set_cookies = SetCookies::Keep;
            CacheLayer::with_rules(store, rules)
        }
    };
    let executor = Spawn::new(|task| drop(tokio::spawn(task)));
    let cache = layer.clock(clock.clone()).executor(executor).layer(origin.server());
    let mut report = Report::new(mode);
    for case in cases.iter().filter(|case| case.is_for(mode)) {
        report.add(case, play(case, mode, &cache, &origin, &clock).await);
    }
    report
}
