//! What is kept of a key beside the contents: all its variants, as one piece of JSON.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version};
use httplib2_core::who::Identity;
use httplib2_store::Head;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// All that is stored under a key, but for the contents.
#[derive(Debug, Default)]
pub struct Record {
    /// Another number after each invalidation of the key; zero before the first.
    pub epoch: u64,
    /// The responses.
    pub variants: Vec<Variant>,
}

/// One stored response, but for its content.
#[derive(Debug)]
#[non_exhaustive]
pub struct Variant {
    /// Its number, which no other has.
    pub id: u64,
    /// Everything that is known of it.
    pub head: Head,
    /// When its body was stored.
    pub stored_at: SystemTime,
    /// The length of the body in bytes.
    pub length: u64,
    /// The trailers, if there were any.
    pub trailers: Option<HeaderMap>,
    pub(crate) digest: Digest,
}

/// What is written of a variant.
pub(crate) struct Writable<'a> {
    pub(crate) id: u64,
    pub(crate) head: &'a Head,
    pub(crate) stored_at: SystemTime,
    pub(crate) length: u64,
    pub(crate) trailers: Option<&'a HeaderMap>,
    pub(crate) digest: Digest,
}

#[derive(Deserialize, Serialize)]
struct Wire {
    v: u64,
    epoch: u64,
    variants: Vec<WireVariant>,
}

#[derive(Deserialize, Serialize)]
struct WireVariant {
    id: u64,
    status: u16,
    version: u8,
    fields: Vec<WireField>,
    selecting: Vec<(String, Option<String>)>,
    identity: Option<String>,
    requested: u64,
    received: u64,
    stored: u64,
    length: u64,
    digest: String,
    trailers: Vec<WireField>,
}

/// The name, the value, and whether the value is marked sensitive.
type WireField = (String, String, bool);

/// The version of the format. Another one is no damage, but nothing is found in it.
const FORMAT: u64 = 1;

/// Longer than any body that a disk holds. Sums of such lengths fit into 64 bits.
const LONGEST: u64 = 1 << 48;

/// The most that a store keeps of one key.
pub(crate) const MOST_VARIANTS: usize = 4_096;

/// At least the length of a variant without texts.
const BARE_VARIANT: usize = 400;

/// At least the length of a field without its name and value.
const BARE_FIELD: usize = 16;

/// Reads what a store wrote. `None` for anything else.
#[must_use]
pub fn read_record(bytes: &[u8]) -> Option<Record> {
    let wire: Wire = serde_json::from_slice(bytes).ok()?;
    if wire.v != FORMAT || wire.variants.len() > MOST_VARIANTS {
        return None;
    }
    let variants: Option<Vec<_>> = wire.variants.into_iter().map(read_variant).collect();
    Some(Record { epoch: wire.epoch, variants: variants? })
}

pub(crate) fn write_record<'a>(epoch: u64, variants: impl Iterator<Item = Writable<'a>>) -> String {
    let wire = Wire { v: FORMAT, epoch, variants: variants.map(|variant| write_variant(&variant)).collect() };
    // Numbers, texts and lists: nothing in it can fail to be JSON.
    serde_json::to_string(&wire).unwrap_or_default()
}

/// How long a variant is when it is written, or a little more.
pub(crate) fn written_length(head: &Head, trailers: Option<&HeaderMap>) -> usize {
    let fields = head.headers.iter().chain(trailers.into_iter().flatten());
    let fields = fields.map(|(name, value)| BARE_FIELD + name.as_str().len() + text_length(value.as_bytes()));
    let selecting = head
        .selecting
        .iter()
        .map(|(name, value)| BARE_FIELD + name.as_str().len() + value.as_deref().map_or(0, text_length));
    let identity = head.identity.as_ref().map_or(0, |identity| text_length(identity.as_str().as_bytes()));
    BARE_VARIANT + fields.sum::<usize>() + selecting.sum::<usize>() + identity
}

fn read_variant(wire: WireVariant) -> Option<Variant> {
    if wire.length > LONGEST {
        return None;
    }
    let mut head = Head::new(StatusCode::from_u16(wire.status).ok()?, read_fields(&wire.fields)?, time(wire.received)?);
    head.version = match wire.version {
        9 => Version::HTTP_09,
        10 => Version::HTTP_10,
        11 => Version::HTTP_11,
        20 => Version::HTTP_2,
        30 => Version::HTTP_3,
        _ => return None,
    };
    head.requested_at = time(wire.requested)?;
    head.identity = wire.identity.map(Identity::new);
    let selecting: Option<_> = wire.selecting.into_iter().map(read_selecting).collect();
    head.selecting = selecting?;
    let trailers = if wire.trailers.is_empty() { None } else { Some(read_fields(&wire.trailers)?) };
    let digest = Digest::from_hex(&wire.digest)?;
    Some(Variant { id: wire.id, head, stored_at: time(wire.stored)?, length: wire.length, trailers, digest })
}

fn write_variant(variant: &Writable<'_>) -> WireVariant {
    let head = variant.head;
    WireVariant {
        id: variant.id,
        status: head.status.as_u16(),
        version: match head.version {
            Version::HTTP_09 => 9,
            Version::HTTP_10 => 10,
            Version::HTTP_2 => 20,
            Version::HTTP_3 => 30,
            _ => 11,
        },
        fields: write_fields(&head.headers),
        selecting: head.selecting.iter().map(write_selecting).collect(),
        identity: head.identity.as_ref().map(|identity| identity.as_str().to_owned()),
        requested: nanoseconds(head.requested_at),
        received: nanoseconds(head.received_at),
        stored: nanoseconds(variant.stored_at),
        length: variant.length,
        digest: variant.digest.to_hex(),
        trailers: variant.trailers.map(write_fields).unwrap_or_default(),
    }
}

fn read_fields(wire: &[WireField]) -> Option<HeaderMap> {
    let mut fields = HeaderMap::new();
    for (name, value, sensitive) in wire {
        let mut value = HeaderValue::from_bytes(&bytes_of(value)?).ok()?;
        value.set_sensitive(*sensitive);
        // The plain method panics above some ten thousand fields.
        fields.try_append(HeaderName::from_bytes(name.as_bytes()).ok()?, value).ok()?;
    }
    Some(fields)
}

fn write_fields(fields: &HeaderMap) -> Vec<WireField> {
    fields
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), text_of(value.as_bytes()), value.is_sensitive()))
        .collect()
}

fn read_selecting((name, value): (String, Option<String>)) -> Option<(HeaderName, Option<Box<[u8]>>)> {
    let value = match value {
        Some(text) => Some(bytes_of(&text)?.into_boxed_slice()),
        None => None,
    };
    Some((HeaderName::from_bytes(name.as_bytes()).ok()?, value))
}

fn write_selecting((name, value): &(HeaderName, Option<Box<[u8]>>)) -> (String, Option<String>) {
    (name.as_str().to_owned(), value.as_deref().map(text_of))
}

/// Any bytes as a text of as many characters: byte by byte, as in ISO 8859-1.
fn text_of(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// How many bytes these are in JSON.
fn text_length(bytes: &[u8]) -> usize {
    let length = |byte: &u8| match byte {
        b'"' | b'\\' | b'\t' | 0x80.. => 2,
        0..0x20 => 6,
        _ => 1,
    };
    bytes.iter().map(length).sum()
}

fn bytes_of(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|character| u8::try_from(character).ok()).collect()
}

pub(crate) fn nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn time(nanoseconds: u64) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_nanos(nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> Head {
        let mut fields = HeaderMap::new();
        let mut secret = HeaderValue::from_static("s3cret");
        secret.set_sensitive(true);
        fields.append("set-cookie", HeaderValue::from_static("a=1"));
        fields.append("set-cookie", secret);
        fields.append("x-odd", HeaderValue::from_bytes(b"caf\xe9\t\"\xff\\").unwrap());
        let mut head = Head::new(StatusCode::GONE, fields, SystemTime::UNIX_EPOCH + Duration::from_nanos(7));
        head.version = Version::HTTP_3;
        head.identity = Some(Identity::new("alice\u{e9}\u{20ac}"));
        head.selecting = vec![
            (HeaderName::from_static("cookie"), Some(b"\0\xff\n".as_slice().into())),
            (HeaderName::from_static("accept"), None),
        ];
        head
    }

    fn written(trailers: Option<&HeaderMap>) -> String {
        let (head, stored_at) = (head(), SystemTime::UNIX_EPOCH + Duration::from_secs(9));
        let digest = Digest::of(b"text");
        let variant = Writable { id: u64::MAX, head: &head, stored_at, length: 4, trailers, digest };
        write_record(5, [variant].into_iter())
    }

    #[test]
    fn everything_is_read_as_it_was_written() {
        for trailers in [None, Some(head().headers)] {
            let record = read_record(written(trailers.as_ref()).as_bytes()).unwrap();
            let [variant] = &record.variants[..] else { panic!("{record:?}") };
            assert_eq!((record.epoch, variant.id, variant.length), (5, u64::MAX, 4));
            assert_eq!(variant.stored_at, SystemTime::UNIX_EPOCH + Duration::from_secs(9));
            assert_eq!((variant.digest, &variant.trailers), (Digest::of(b"text"), &trailers));
            let (read, expected) = (&variant.head, head());
            assert!(read.selects_same(&expected) && read.selecting == expected.selecting);
            assert_eq!(
                (read.status, read.version, &read.headers),
                (expected.status, expected.version, &expected.headers)
            );
            assert_eq!((read.requested_at, read.received_at), (expected.requested_at, expected.received_at));
            let sensitive: Vec<_> = read.headers.values().map(HeaderValue::is_sensitive).collect();
            assert_eq!(sensitive, [false, true, false]);
        }
    }

    #[test]
    fn what_is_written_is_no_longer_than_was_said() {
        let mut every = head();
        every.selecting[0].1 = Some((0..=255).collect());
        every.headers.insert(
            "x-many",
            HeaderValue::from_bytes(&[b"\t\"\\".to_vec(), (0x80..=0xff).collect()].concat()).unwrap(),
        );
        for (head, trailers) in [(head(), None), (every.clone(), Some(&every.headers))] {
            let (stored_at, digest) = (SystemTime::UNIX_EPOCH + Duration::from_nanos(u64::MAX), Digest::of(b"text"));
            let variant = Writable { id: u64::MAX, head: &head, stored_at, length: LONGEST, trailers, digest };
            let written = write_record(0, [variant].into_iter()).len();
            let said = written_length(&head, trailers);
            assert!((written..written + 400).contains(&said), "{written} {said}");
        }
    }

    #[test]
    fn another_format_and_impossible_values_are_no_record() {
        // DSK-29.
        let good = written(None);
        assert!(read_record(good.as_bytes()).is_some());
        for (from, to) in [
            ("\"v\":1", "\"v\":2"),
            ("\"v\":1", "\"v\":0"),
            ("\"status\":410", "\"status\":99"),
            ("\"version\":30", "\"version\":31"),
            ("\"set-cookie\"", "\"set cookie\""),
            ("a=1", "a\\n1"),
            ("a=1", "\u{20ac}"),
            ("\"length\":4", "\"length\":-4"),
            ("\"length\":4", "\"length\":281474976710657"),
            ("\"length\":4", "\"length\":18446744073709551615"),
            ("\"digest\":\"", "\"digest\":\"0"),
            ("\"variants\":[", "\"variants\":["),
        ] {
            let changed = good.replacen(from, to, 1);
            assert_eq!(read_record(changed.as_bytes()).is_some(), from == to, "{from} {to}");
        }
        for other in ["", "null", "{}", "[[[[", &"[".repeat(100_000)] {
            assert!(read_record(other.as_bytes()).is_none());
        }
        let many = format!("{{\"v\":1,\"epoch\":0,\"variants\":[{}]}}", vec!["{}"; MOST_VARIANTS + 1].join(","));
        assert!(read_record(many.as_bytes()).is_none());
    }

    #[test]
    fn more_fields_than_a_map_holds_are_no_panic() {
        let fields = vec!["[\"a\",\"1\",false]"; 40_000].join(",");
        let many: String = (0..40_000).map(|n| format!("[\"a{n}\",\"1\",false],")).collect();
        for fields in [fields, many.trim_end_matches(',').to_owned()] {
            let record = written(None).replacen("\"trailers\":[]", &format!("\"trailers\":[{fields}]"), 1);
            drop(read_record(record.as_bytes()));
        }
    }
}
