//! The index files: lines of `sha256(json) TAB json`, as cacache and npm write them.
//!
//! A line that was appended later takes the place of an earlier one with the same key.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use crate::digest::{Digest, hex};

/// The lines of one index file. Borrows the bytes.
#[derive(Debug)]
pub struct Bucket<'a> {
    /// The lines that are whole, in the order in which they were written.
    pub lines: Vec<Line<'a>>,
    /// Whether there is anything else in it.
    pub damaged: bool,
}

/// One line of an index file.
#[derive(Debug)]
pub struct Line<'a> {
    /// What was stored, or removed, under this key.
    pub key: Cow<'a, str>,
    /// Whether something is there: otherwise all was removed.
    pub live: bool,
    /// What was stored beside the content, as JSON.
    pub metadata: &'a str,
}

/// What a line is made of, in cacache's names.
#[derive(Deserialize, Serialize)]
struct Wire<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow)]
    integrity: Option<Cow<'a, str>>,
    time: u64,
    size: u64,
    #[serde(borrow)]
    metadata: &'a RawValue,
    /// Never used here; cacache writes it, so its readers ask for it.
    raw_metadata: Option<Vec<u8>>,
}

/// A file that is larger holds nothing of ours.
pub(crate) const LARGEST: u64 = 8 * 1024 * 1024;

/// Reads an index file.
#[must_use]
pub fn read_bucket(bytes: &[u8]) -> Bucket<'_> {
    let mut bucket = Bucket { lines: Vec::new(), damaged: bytes.len() as u64 > LARGEST };
    if bucket.damaged {
        return bucket;
    }
    for text in bytes.split(|byte| *byte == b'\n').filter(|text| !text.is_empty()) {
        match read_line(text) {
            Some(line) => bucket.lines.push(line),
            None => bucket.damaged = true,
        }
    }
    bucket
}

fn read_line(text: &[u8]) -> Option<Line<'_>> {
    let tab = text.iter().position(|byte| *byte == b'\t')?;
    let (sum, json) = (&text[..tab], &text[tab + 1..]);
    if sum != hex(&Sha256::digest(json)).as_bytes() {
        return None;
    }
    let wire: Wire<'_> = serde_json::from_slice(json).ok()?;
    Some(Line { key: wire.key, live: wire.integrity.is_some(), metadata: wire.metadata.get() })
}

/// Writes a line as it is appended: with the line end before it, so that a torn line spoils no other one.
///
/// `content` is that of the first variant, `None` when nothing is there any more; `time` counts milliseconds since
/// 1970. `None` when `metadata` is no JSON.
pub(crate) fn write_line(key: &str, content: Option<(&Digest, u64)>, time: u64, metadata: String) -> Option<Vec<u8>> {
    let metadata = RawValue::from_string(metadata).ok()?;
    let wire = Wire {
        key: key.into(),
        integrity: content.map(|(digest, _)| digest.to_integrity().into()),
        time,
        size: content.map_or(0, |(_, length)| length),
        metadata: &metadata,
        raw_metadata: None,
    };
    let json = serde_json::to_string(&wire).ok()?;
    let mut line = Vec::with_capacity(json.len() + 66);
    line.push(b'\n');
    line.extend_from_slice(hex(&Sha256::digest(&json)).as_bytes());
    line.push(b'\t');
    line.extend_from_slice(json.as_bytes());
    Some(line)
}

impl<'a> Bucket<'a> {
    /// The last line with this key.
    #[must_use]
    pub fn last(&self, key: &str) -> Option<&Line<'a>> {
        self.lines.iter().rev().find(|line| line.key == key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(key: &str, live: bool, metadata: &str) -> Vec<u8> {
        let digest = Digest::of(b"content");
        write_line(key, live.then_some((&digest, 7)), 1, metadata.to_owned()).unwrap()
    }

    #[test]
    fn the_last_line_of_a_key_counts() {
        let bytes = [line("a", true, "1"), line("b", true, "2"), line("a", true, "3"), line("b", false, "4")].concat();
        let bucket = read_bucket(&bytes);
        assert!(!bucket.damaged);
        assert_eq!(bucket.lines.len(), 4);
        assert_eq!(bucket.last("a").map(|line| (line.live, line.metadata)), Some((true, "3")));
        assert_eq!(bucket.last("b").map(|line| (line.live, line.metadata)), Some((false, "4")));
        assert!(bucket.last("c").is_none());
    }

    #[test]
    fn a_changed_byte_a_missing_tail_and_a_foreign_line_are_damage() {
        // DSK-01, 03, 05, 07; dependencies.md §3 trap 7.
        let good = [line("a", true, "{\"v\":1}"), line("a", true, "{\"v\":2}")].concat();
        for at in 0..good.len() {
            let mut flipped = good.clone();
            flipped[at] ^= 1;
            let bucket = read_bucket(&flipped);
            assert!(bucket.damaged, "byte {at}");
            assert!(bucket.lines.len() < 2 || flipped[at] == b'\n' || good[at] == b'\n', "byte {at}");
        }
        let first = line("a", true, "{\"v\":1}").len();
        for cut in 2..good.len() {
            let is_whole = cut == first || cut == first + 1;
            assert_eq!(read_bucket(&good[..cut]).damaged, !is_whole, "{cut}");
        }
        for tail in [&b"\xff\xfe"[..], b"\nx", b"\n\t", b"\0\0\0", b"\n\xc3\x28\tjson"] {
            assert!(read_bucket(&[&good[..], tail].concat()).damaged, "{tail:?}");
        }
        assert!(read_bucket(&vec![0; 1_000]).damaged && !read_bucket(b"\n\n").damaged && !read_bucket(b"").damaged);
    }

    #[test]
    fn a_line_with_a_right_sum_and_wrong_json_is_damage() {
        for json in ["", "{}", "[]", "{\"key\":1}", "{\"key\":\"a\",\"integrity\":null,\"time\":-1,\"size\":0}"] {
            let text = format!("\n{}\t{json}", hex(&Sha256::digest(json)));
            let bucket = read_bucket(text.as_bytes());
            assert!(bucket.damaged && bucket.lines.is_empty(), "{json}");
        }
    }

    #[test]
    fn a_huge_file_is_not_even_parsed() {
        let bytes = vec![b'\n'; LARGEST as usize + 1];
        assert!(read_bucket(&bytes).damaged);
    }
}
