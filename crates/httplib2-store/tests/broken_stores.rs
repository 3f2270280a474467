//! The laws of stores let a correct one pass, and catch each fault by the name of the law.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};

use httplib2_store::conformance;
use tokio::runtime;

use common::{Fault, Faulty};

const FOUND: &str = "what is committed is found";
const INVISIBLE: &str = "nothing is visible before the commit";
const GIVEN_UP: &str = "what is given up leaves nothing";
const LENGTH: &str = "a body has the length that was announced";
const REPLACED: &str = "the later response takes the place of the earlier";
const REMOVED: &str = "what is removed is gone";
const SUPERSEDED: &str = "an invalidation refuses what began before it";
const UPDATED: &str = "an update changes the head and keeps the body";
const KEYS: &str = "different keys keep different responses";
const LIMIT: &str = "a store stays within its limit and goes on storing";
const LARGE: &str = "what is too large is refused and not lost";
const LISTED: &str = "listing and usage tell the truth";
const CLEARED: &str = "after clearing there is nothing";
const HEAD: &str = "the whole head is kept";
const VARIANTS: &str = "variants are kept apart";
const MANY: &str = "many variants of one key stay within the limit";
const TRAILERS: &str = "trailers are kept";
const OLDER: &str = "an older response does not take the place of a newer";
const RANGES: &str = "a range of a body is that part of it";
const PARTS: &str = "a body that broke off is kept as a part";
const OPEN: &str = "a body that is open is not disturbed";
const WRITERS: &str = "writers of one key do not meet";
const MEMORY: &str = "memory is bounded while a large body is written";

#[derive(Clone, Copy)]
enum Laws {
    OfEveryStore,
    OfStreaming,
}

/// What the laws say of a store with a fault.
fn say(laws: Laws, fault: Fault) -> Option<String> {
    let make = async |bytes| Faulty::store(fault, bytes);
    let runtime = runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime of one thread");
    let check = || match laws {
        Laws::OfEveryStore => runtime.block_on(conformance::every_store(make)),
        Laws::OfStreaming => runtime.block_on(conformance::streaming(make)),
    };
    let panic = catch_unwind(AssertUnwindSafe(check)).err()?;
    Some(*panic.downcast::<String>().expect("laws panic with a text"))
}

#[track_caller]
fn is_caught(laws: Laws, law: &str, fault: Fault) {
    let Some(said) = say(laws, fault) else { panic!("nobody noticed: {fault:?}") };
    assert!(said.starts_with(&format!("the law \"{law}\" is broken: ")), "{fault:?} gave: {said}");
}

#[test]
fn a_correct_store_keeps_every_law() {
    assert_eq!(say(Laws::OfEveryStore, Fault::None), None);
    assert_eq!(say(Laws::OfStreaming, Fault::None), None);
}

#[test]
fn a_fault_that_concerns_every_store_is_caught_by_its_law() {
    for (fault, law) in [
        (Fault::NeverAnswers, FOUND),
        (Fault::NeverReady, FOUND),
        (Fault::LosesTheLastByte, FOUND),
        (Fault::JoinsFieldLines, FOUND),
        (Fault::SaysYesToAnEmptyBody, FOUND),
        (Fault::ShowsWhatIsBeingWritten, INVISIBLE),
        (Fault::StoresWhatIsGivenUp, GIVEN_UP),
        (Fault::LeaksWhatIsGivenUp, GIVEN_UP),
        (Fault::IgnoresTheLength, LENGTH),
        (Fault::KeepsTheFirst, REPLACED),
        (Fault::KeepsTheOldHead, REPLACED),
        (Fault::IgnoresRemoval, REMOVED),
        (Fault::IgnoresGenerations, SUPERSEDED),
        (Fault::IgnoresGenerationsOfUpdates, SUPERSEDED),
        (Fault::ClearsWithoutGenerations, SUPERSEDED),
        (Fault::UpdatesIntoANewEntry, UPDATED),
        (Fault::UpdatesTheBodyAway, UPDATED),
        (Fault::UpdatesWhatIsGone, UPDATED),
        (Fault::CutsKeys, KEYS),
        (Fault::ForgetsPartitions, KEYS),
        (Fault::InvalidatesAll, REMOVED),
        (Fault::TakesMoreThanItsLimit, LIMIT),
        (Fault::StopsStoringWhenFull, LIMIT),
        (Fault::LosesWhatIsLarge, LARGE),
        (Fault::ListsNothing, LISTED),
        (Fault::CountsNothing, LISTED),
        (Fault::ClearsAllButOne, CLEARED),
    ] {
        is_caught(Laws::OfEveryStore, law, fault);
    }
}

#[test]
fn a_fault_that_concerns_variants_and_streaming_is_caught_by_its_law() {
    for (fault, law) in [
        (Fault::ForgetsTheVersion, HEAD),
        (Fault::ForgetsTheTimes, HEAD),
        (Fault::ForgetsSensitivity, HEAD),
        (Fault::MixesIdentities, HEAD),
        (Fault::MixesSelectingFields, HEAD),
        (Fault::TakesAbsentForEmpty, HEAD),
        (Fault::RemovesTheWholeKey, VARIANTS),
        (Fault::TakesMoreThanItsLimit, MANY),
        (Fault::LosesTrailers, TRAILERS),
        (Fault::LetsTheOlderWin, OLDER),
        (Fault::CutsOneTooMany, RANGES),
        (Fault::ReadsBeyondTheEnd, RANGES),
        (Fault::KeepsPartsAsWholes, PARTS),
        (Fault::ReadsWhatIsThereNow, OPEN),
        (Fault::LetsWritersMeet, WRITERS),
        (Fault::HoldsAllPieces, MEMORY),
    ] {
        is_caught(Laws::OfStreaming, law, fault);
    }
}

#[test]
fn a_plain_store_keeps_the_laws_of_every_store() {
    for fault in [
        Fault::ForgetsTheVersion,
        Fault::ForgetsTheTimes,
        Fault::ForgetsSensitivity,
        Fault::MixesIdentities,
        Fault::MixesSelectingFields,
        Fault::LosesTrailers,
    ] {
        assert_eq!(say(Laws::OfEveryStore, fault), None, "{fault:?}");
    }
}
