use super::*;
use crate::place::Keys;
use bytes::Bytes;
use http::{Extensions, HeaderMap};

const WIDE: Bounds = Bounds { uris: 100, bytes: 1_000_000 };

fn place(keys: &Keys, path: &str) -> Place {
    let uri = format!("http://a.example/{path}").parse().unwrap();
    keys.place(&uri, &HeaderMap::new(), &Extensions::new(), true).unwrap()
}

fn version(tag: &str) -> Option<Validators> {
    Some(Validators { etag: Some(format!("\"{tag}\"").parse().unwrap()), last_modified: None })
}

fn plain() -> Selecting {
    Selecting::new()
}

fn made(tag: &str) -> Option<(Selecting, Validators)> {
    version(tag).map(|seen| (plain(), seen))
}

fn read(ledger: &Ledger, place: &Place, tag: &str) {
    ledger.read(place, ledger.turn(), plain(), version(tag));
}

fn tags(ledger: &Ledger, place: &Place) -> Vec<String> {
    ledger.known(place).seen.iter().map(|seen| seen.etag.as_ref().unwrap().to_str().unwrap().replace('"', "")).collect()
}

#[test]
fn what_was_not_used_for_the_longest_time_is_forgotten_first() {
    let keys = Keys::default();
    let ledger = Ledger::new(Bounds { uris: 3, ..WIDE });
    let places: Vec<_> = (0..5).map(|n| place(&keys, &n.to_string())).collect();
    for place in &places[..3] {
        read(&ledger, place, "v1");
    }
    // The first is used again, so the second is the oldest, then the third.
    assert_eq!(tags(&ledger, &places[0]), ["v1"]);
    read(&ledger, &places[3], "v1");
    read(&ledger, &places[4], "v1");
    let left: Vec<_> = places.iter().map(|place| !ledger.known(place).seen.is_empty()).collect();
    assert_eq!(left, [true, false, false, true, true]);
}

#[test]
fn the_bytes_are_bounded_and_counted_right() {
    let keys = Keys::default();
    let bounds = Bounds { uris: 50, bytes: 8_000 };
    let ledger = Ledger::new(bounds);
    let mut chance = 1_u64;
    let mut draw = |limit: u64| {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (chance >> 33) % limit
    };
    let mut most = 0;
    for _ in 0..10_000 {
        let place = place(&keys, &draw(80).to_string());
        let tag = "x".repeat(usize::try_from(draw(1000)).unwrap());
        let selecting = vec![(draw(12), None)];
        match draw(5) {
            0 => ledger.written(&place, version(&tag).map(|seen| (selecting, seen))),
            1 => ledger.written(&place, None),
            2 => ledger.refused(&place, &ledger.known(&place).seen),
            3 => ledger.merged(&place, version(&tag).as_slice()),
            _ => ledger.read(&place, ledger.turn(), selecting, version(&tag)),
        }
        let state = ledger.lock();
        assert_eq!(state.bytes, state.entries.values().map(Entry::cost).sum::<usize>());
        assert!(state.bytes <= bounds.bytes && state.entries.len() <= bounds.uris);
        assert_eq!(state.order.len(), state.entries.len());
        assert!(state.order.iter().all(|(turn, key)| state.entries[key].used == *turn));
        most = most.max(state.entries.len());
    }
    assert!(most > 10, "only {most}");
}

#[test]
fn a_ledger_of_no_size_knows_nothing() {
    let keys = Keys::default();
    for bounds in [Bounds { uris: 0, ..WIDE }, Bounds { bytes: 0, ..WIDE }] {
        let ledger = Ledger::new(bounds);
        let doc = place(&keys, "doc");
        read(&ledger, &doc, "v1");
        ledger.written(&doc, made("v2"));
        assert_eq!(ledger.known(&doc).seen, []);
    }
}

#[test]
fn the_variants_of_one_uri_are_bounded() {
    let keys = Keys::default();
    let ledger = Ledger::new(WIDE);
    let doc = place(&keys, "doc");
    for n in 0..100 {
        ledger.read(&doc, ledger.turn(), vec![(n, None)], version(&n.to_string()));
    }
    assert_eq!(ledger.lock().entries[&doc.key].variants.len(), MOST_VARIANTS);
}

#[test]
fn the_variant_that_was_read_last_counts() {
    // Two answers whose `Vary` differed may both fit a request (RFC 9111 §4.1).
    let keys = Keys::default();
    let ledger = Ledger::new(WIDE);
    let doc = place(&keys, "doc");
    let other = vec![(1, None)];
    for (tag, selecting) in [("v1", plain()), ("v2", other), ("v1", plain())] {
        ledger.read(&doc, ledger.turn(), selecting, version(tag));
        assert_eq!(tags(&ledger, &doc), [tag]);
    }
    assert_eq!(ledger.lock().entries[&doc.key].variants.len(), 2);
}

#[test]
fn what_was_asked_for_before_an_update_does_not_replace_what_the_update_taught() {
    let keys = Keys::default();
    let ledger = Ledger::new(WIDE);
    let (doc, other) = (place(&keys, "doc"), place(&keys, "other"));
    let before = ledger.turn();
    ledger.written(&doc, made("v2"));
    ledger.read(&doc, before, plain(), version("v1"));
    assert_eq!(tags(&ledger, &doc), ["v2"]);
    // It says nothing of another resource, nor of what is asked for from now on.
    ledger.read(&other, before, plain(), version("v1"));
    assert_eq!(tags(&ledger, &other), ["v1"]);
    read(&ledger, &doc, "v3");
    assert_eq!(tags(&ledger, &doc), ["v3"]);
}

#[test]
fn where_an_update_taught_nothing_an_old_answer_is_better_than_none() {
    let keys = Keys::default();
    let ledger = Ledger::new(WIDE);
    let doc = place(&keys, "doc");
    let before = ledger.turn();
    ledger.written(&doc, None);
    ledger.read(&doc, before, plain(), version("v1"));
    assert_eq!(tags(&ledger, &doc), ["v1"]);
}

#[test]
fn a_refusal_forgets_what_was_expected_and_nothing_newer() {
    let keys = Keys::default();
    let ledger = Ledger::new(WIDE);
    let doc = place(&keys, "doc");
    read(&ledger, &doc, "v1");
    let expected = ledger.known(&doc).seen;
    read(&ledger, &doc, "v2");
    ledger.refused(&doc, &expected);
    assert_eq!(tags(&ledger, &doc), ["v2"]);
    ledger.refused(&doc, &ledger.known(&doc).seen);
    assert_eq!(ledger.known(&doc).seen, []);
}

#[test]
fn a_merge_leaves_what_is_known_and_brings_what_another_source_knew() {
    let keys = Keys::default();
    let ledger = Ledger::new(WIDE);
    let doc = place(&keys, "doc");
    ledger.merged(&doc, &[]);
    assert_eq!(ledger.known(&doc).seen, []);
    for (expected, left) in [("v1", "v1"), ("v2", "v1")] {
        ledger.merged(&doc, version(expected).as_slice());
        assert_eq!(tags(&ledger, &doc), [left]);
    }
}

#[test]
fn a_version_without_a_tag_replaces_one_with_a_tag() {
    let keys = Keys::default();
    let ledger = Ledger::new(WIDE);
    let doc = place(&keys, "doc");
    read(&ledger, &doc, "v1");
    ledger.read(&doc, ledger.turn(), plain(), None);
    assert_eq!(ledger.known(&doc).seen, []);
}

#[test]
fn the_texts_of_a_response_are_copied() {
    // The fields of a response are parts of the buffer that it was read into, which one tag would keep alive.
    let keys = Keys::default();
    let ledger = Ledger::new(WIDE);
    let buffer = Bytes::from(b"\"v1\"Sun, 06 Nov 1994 08:49:37 GMT".to_vec());
    let part = |range| HeaderValue::from_maybe_shared(buffer.slice(range)).unwrap();
    let seen = Validators { etag: Some(part(0..4)), last_modified: Some(part(4..33)) };
    let doc = place(&keys, "doc");
    ledger.read(&doc, ledger.turn(), plain(), Some(seen.clone()));
    assert_eq!(ledger.known(&doc).seen, [seen]);
    assert!(buffer.is_unique());
}

#[test]
fn debug_shows_how_much_and_not_what() {
    let keys = Keys::default();
    let ledger = Ledger::new(WIDE);
    read(&ledger, &place(&keys, "s3cret"), "s3cret");
    let shown = format!("{ledger:?}");
    assert!(shown.starts_with("Ledger { uris: 1, bytes: ") && !shown.contains("s3cret"), "{shown}");
}
