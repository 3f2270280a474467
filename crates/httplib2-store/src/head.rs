//! What is kept of an exchange beside the body.

use std::{any::Any, fmt, sync::OnceLock, time::SystemTime};

use bytes::BytesMut;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header};
use httplib2_core::who::Identity;

/// What is kept of an exchange beside the body of the response.
///
/// A store writes and reads all public fields, and whether a header value is marked sensitive. It makes nothing of
/// them but for [`selects_same`](Self::selects_same). `Debug` shows no values, only the names of fields.
#[non_exhaustive]
pub struct Head {
    /// The status of the response.
    pub status: StatusCode,
    /// The HTTP version of the response. Default: HTTP/1.1.
    pub version: Version,
    /// The header fields of the response that are kept (RFC 9111 §3.1).
    pub headers: HeaderMap,
    /// The request fields that selected the response, with the values in the form in which they are compared; `None`
    /// where the request had no such field (RFC 9111 §4.1). The values may be secret.
    pub selecting: Vec<(HeaderName, Option<Box<[u8]>>)>,
    /// For whom the response was obtained, where it is not for everybody.
    pub identity: Option<Identity>,
    /// When the request was sent (RFC 9111 §4.2.3).
    pub requested_at: SystemTime,
    /// When the head of the response arrived (RFC 9111 §4.2.3).
    pub received_at: SystemTime,
    memo: Slot,
}

type Slot = OnceLock<Box<Memo>>;

/// One of the values that were made of a head; the next one has another type.
struct Memo {
    value: Box<dyn Any + Send + Sync>,
    next: Slot,
}

/// What a field takes in a `HeaderMap` beside its text.
const FIELD_WEIGHT: u64 = 128;

/// What a head takes beside its fields, a small memo included.
const HEAD_WEIGHT: u64 = 512;

// === impl Head ===

impl Head {
    /// A head that is for everybody and was selected by nothing. Both times are `received_at`.
    #[must_use]
    pub fn new(status: StatusCode, headers: HeaderMap, received_at: SystemTime) -> Self {
        Self {
            status,
            version: Version::HTTP_11,
            headers,
            selecting: Vec::new(),
            identity: None,
            requested_at: received_at,
            received_at,
            memo: Slot::new(),
        }
    }

    /// Whether a response with this head takes the place of one with `other` under the same key: they were selected
    /// by the same request fields, in whatever order, and obtained for the same one.
    #[must_use]
    pub fn selects_same(&self, other: &Self) -> bool {
        self.identity == other.identity
            && self.selecting.len() == other.selecting.len()
            && self.selecting.iter().all(|field| other.selecting.contains(field))
    }

    /// Whether a response with this head was asked for before the one with `stored`, which therefore tells more of
    /// how the resource is now. `now` is the time: of a clock that was set back meanwhile nothing can be told.
    ///
    /// Of the same version a part (206) is always the older one and the whole never, whenever they were asked for.
    #[must_use]
    pub fn is_older_than(&self, stored: &Self, now: SystemTime) -> bool {
        let is_part = |head: &Self| head.status == StatusCode::PARTIAL_CONTENT;
        if is_part(self) != is_part(stored) && self.is_same_version(stored) {
            return is_part(self);
        }
        self.requested_at < stored.requested_at && stored.requested_at <= now
    }

    /// What `make` makes of the head: once, as long as the head is in memory.
    ///
    /// A cache keeps here what it parsed, so that a hit parses nothing. There is one value per type. It is not
    /// stored and not cloned with the head, and the head must not be changed any more once it was made.
    pub fn memo<T: Any + Send + Sync>(&self, make: impl FnOnce(&Self) -> T) -> &T {
        if let Some(made) = self.find() {
            return made;
        }
        let value = make(self);
        self.find().unwrap_or_else(|| self.append(value))
    }

    /// About how many bytes the head takes in memory.
    #[must_use]
    pub fn weight(&self) -> u64 {
        let selecting = self.selecting.iter().map(|(name, value)| {
            let value = value.as_ref().map_or(0, |value| value.len());
            (name.as_str().len() + value) as u64 + FIELD_WEIGHT
        });
        let identity = self.identity.as_ref().map_or(0, |identity| identity.as_str().len() as u64);
        HEAD_WEIGHT + fields_weight(&self.headers) + selecting.sum::<u64>() + identity
    }

    /// Whether both have the same `ETag`, or the same `Last-Modified` where a tag is missing.
    fn is_same_version(&self, other: &Self) -> bool {
        let agree = |name| Some(self.headers.get(&name)? == other.headers.get(&name)?);
        agree(header::ETAG).or_else(|| agree(header::LAST_MODIFIED)).unwrap_or(false)
    }

    fn find<T: Any>(&self) -> Option<&T> {
        let mut slot = &self.memo;
        while let Some(memo) = slot.get() {
            if let Some(value) = memo.value.downcast_ref() {
                return Some(value);
            }
            slot = &memo.next;
        }
        None
    }

    fn append<T: Any + Send + Sync>(&self, value: T) -> &T {
        let mut slot = &self.memo;
        let mut memo = Some(Box::new(Memo { value: Box::new(value), next: Slot::new() }));
        loop {
            // Another thread may be first, with the same type or with another one.
            let last = slot.get_or_init(|| memo.take().unwrap_or_default());
            if let Some(value) = last.value.downcast_ref() {
                return value;
            }
            slot = &last.next;
        }
    }
}

impl Clone for Head {
    /// Copies all but what was made of it.
    fn clone(&self) -> Self {
        Self {
            status: self.status,
            version: self.version,
            headers: self.headers.clone(),
            selecting: self.selecting.clone(),
            identity: self.identity.clone(),
            requested_at: self.requested_at,
            received_at: self.received_at,
            memo: Slot::new(),
        }
    }
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let selecting: Vec<_> = self.selecting.iter().map(|(name, _)| name).collect();
        f.debug_struct("Head")
            .field("status", &self.status)
            .field("version", &self.version)
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("selecting", &selecting)
            .field("identity", &self.identity)
            .field("requested_at", &self.requested_at)
            .field("received_at", &self.received_at)
            .finish_non_exhaustive()
    }
}

// === impl Memo ===

impl Default for Memo {
    fn default() -> Self {
        Self { value: Box::new(()), next: Slot::new() }
    }
}

/// About how many bytes the fields take in memory.
pub(crate) fn fields_weight(fields: &HeaderMap) -> u64 {
    fields.iter().map(|(name, value)| (name.as_str().len() + value.len()) as u64 + FIELD_WEIGHT).sum()
}

/// For stores: copies all values into one piece of memory of their size.
///
/// A value that came from the network is a slice of the buffer that it was read into. To keep it is to keep the
/// buffer, hundreds of kilobytes perhaps, which no limit would see.
pub fn compact(fields: &mut HeaderMap) {
    let mut text = BytesMut::with_capacity(fields.values().map(HeaderValue::len).sum());
    for value in fields.values() {
        text.extend_from_slice(value.as_bytes());
    }
    let mut text = text.freeze();
    for value in fields.values_mut() {
        let copy = HeaderValue::from_maybe_shared(text.split_to(value.len()));
        if let Ok(mut copy) = copy
            && copy == *value
        {
            copy.set_sensitive(value.is_sensitive());
            *value = copy;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use std::{
        sync::Arc,
        time::{Duration, UNIX_EPOCH},
    };

    fn head(selecting: &[(&'static str, Option<&str>)], identity: Option<&str>) -> Head {
        let mut head = Head::new(StatusCode::OK, HeaderMap::new(), UNIX_EPOCH);
        let field = |(name, value): &(&'static str, Option<&str>)| {
            (HeaderName::from_static(name), value.map(|value| value.as_bytes().into()))
        };
        head.selecting = selecting.iter().map(field).collect();
        head.identity = identity.map(Identity::new);
        head
    }

    #[test]
    fn selecting_fields_and_identity_tell_variants_apart() {
        let german = head(&[("accept-language", Some("de")), ("cookie", None)], None);
        for (other, same) in [
            (head(&[("accept-language", Some("de")), ("cookie", None)], None), true),
            (head(&[("cookie", None), ("accept-language", Some("de"))], None), true),
            (head(&[("accept-language", Some("en")), ("cookie", None)], None), false),
            (head(&[("accept-language", Some("de")), ("cookie", Some(""))], None), false),
            (head(&[("accept-language", Some("de"))], None), false),
            (head(&[("accept-language", Some("de")), ("cookie", None)], Some("alice")), false),
        ] {
            assert_eq!(german.selects_same(&other), same, "{other:?}");
            assert_eq!(other.selects_same(&german), same, "{other:?}");
        }
        assert!(!head(&[], Some("alice")).selects_same(&head(&[], Some("bob"))));
    }

    #[test]
    fn a_head_is_older_by_the_time_of_its_request_unless_the_clock_was_set_back() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let requested = |seconds| Head::new(StatusCode::OK, HeaderMap::new(), at(seconds));
        for (new, stored, now, is_older) in
            [(10, 20, 30, true), (20, 20, 30, false), (30, 20, 30, false), (10, 20, 20, true), (10, 40, 30, false)]
        {
            assert_eq!(requested(new).is_older_than(&requested(stored), at(now)), is_older, "{new} {stored} {now}");
        }
    }

    #[test]
    fn a_part_is_older_than_the_whole_of_its_version() {
        let head = |status, etag: &'static str, modified: &'static str, requested| {
            let fields = [(header::ETAG, etag), (header::LAST_MODIFIED, modified)];
            let fields = fields.into_iter().filter(|(_, value)| !value.is_empty());
            let fields = fields.map(|(name, value)| (name, HeaderValue::from_static(value))).collect();
            Head::new(status, fields, UNIX_EPOCH + Duration::from_secs(requested))
        };
        let (whole, part, now) = (StatusCode::OK, StatusCode::PARTIAL_CONTENT, UNIX_EPOCH + Duration::from_secs(9));
        for (etag, other, modified, is_same) in [
            ("\"a\"", "\"a\"", "x", true),
            ("\"a\"", "\"b\"", "x", false),
            ("", "", "x", true),
            ("\"a\"", "", "x", true),
            ("", "", "", false),
        ] {
            for (first, second) in [(1, 2), (2, 1)] {
                let (whole, part) = (head(whole, etag, modified, first), head(part, other, modified, second));
                assert_eq!(part.is_older_than(&whole, now), is_same || second < first, "{etag} {other} {first}");
                assert_eq!(whole.is_older_than(&part, now), !is_same && first < second, "{etag} {other} {first}");
            }
        }
    }

    #[test]
    fn what_is_made_of_a_head_is_made_once_per_type() {
        let head = head(&[], None);
        assert_eq!(head.memo(|head| head.status.as_u16()), &200);
        assert_eq!(head.memo::<u16>(|_| unreachable!("it was made")), &200);
        assert_eq!(head.memo(|_| "another type"), &"another type");
        assert_eq!(head.memo::<&str>(|_| unreachable!("it was made")), &"another type");
        assert_eq!(head.memo::<u16>(|_| unreachable!("it was made")), &200);
        let copy = head.clone();
        assert_eq!((head.memo(|_| 1_u16), copy.memo(|_| 7_u16)), (&200, &7));
    }

    #[test]
    fn what_is_made_may_ask_for_more_to_be_made() {
        let head = head(&[], None);
        assert_eq!(head.memo(|head| *head.memo(|_| 2_u8) as u16 + 1), &3);
        assert_eq!(head.memo::<u8>(|_| unreachable!("it was made")), &2);
    }

    #[test]
    fn threads_that_make_it_at_once_see_one_value() {
        for _ in 0..50 {
            let head = head(&[], None);
            let make = |n: usize| std::ptr::from_ref(head.memo(|_| n.to_string())) as usize;
            let seen: Vec<_> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..4).map(|n| scope.spawn(move || make(n))).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            assert!(seen.iter().all(|one| *one == seen[0]));
        }
    }

    #[test]
    fn compacted_fields_are_the_same_and_let_their_buffer_go() {
        let read: Arc<[u8]> = Arc::from(&b"one\xe9tw\to"[..]);
        let buffer = Bytes::from_owner(Arc::clone(&read));
        let mut fields = HeaderMap::new();
        fields.append("b", HeaderValue::from_maybe_shared(buffer.slice(..4)).unwrap());
        fields.append("a", HeaderValue::from_static(""));
        let mut secret = HeaderValue::from_maybe_shared(buffer.slice(4..)).unwrap();
        secret.set_sensitive(true);
        fields.append("b", secret);
        let before = fields.clone();
        drop(buffer);
        compact(&mut fields);
        assert_eq!(fields, before);
        let sensitive: Vec<_> = fields.get_all("b").iter().map(HeaderValue::is_sensitive).collect();
        assert_eq!(sensitive, [false, true]);
        drop(before);
        assert_eq!(Arc::strong_count(&read), 1);
    }

    #[test]
    fn weight_grows_with_everything_that_is_kept() {
        let plain = head(&[], None).weight();
        assert!(head(&[], Some("alice")).weight() > plain);
        assert!(head(&[("cookie", Some("a=1"))], None).weight() > head(&[("cookie", None)], None).weight());
        let mut one = head(&[], None);
        one.headers.append("a", HeaderValue::from_static("1"));
        assert!(one.weight() > plain);
    }

    #[test]
    fn debug_shows_no_value() {
        let mut head = head(&[("authorization", Some("s3cret"))], Some("s3cret"));
        head.headers.insert("set-cookie", HeaderValue::from_static("s3cret"));
        let debug = format!("{head:?}");
        assert!(
            debug.contains("authorization") && debug.contains("set-cookie") && !debug.contains("s3cret"),
            "{debug}"
        );
    }
}
