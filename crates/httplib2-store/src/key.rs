//! What a response is stored under.

use std::{
    cell::RefCell,
    fmt::{self, Write},
    hash::{BuildHasher, Hash, Hasher, RandomState},
    sync::{Arc, LazyLock},
};

use http::Uri;

/// What a response is stored under: its absolute URI and, if wanted, a partition that is kept apart from others.
///
/// The scheme and the host are in lower case, a default port and an empty port are left out, an empty path is
/// `/` (RFC 9110 §4.2.3). Path and query stay byte for byte as they are: `%7E` and `~` are two keys although they are
/// equivalent there, because some servers tell them apart. There is no userinfo, no fragment and no method: what is
/// stored is the answer to GET.
///
/// Making one costs one allocation, cloning none. It carries its hash, which differs from process to process, so
/// that nobody can choose keys that collide. `Debug` hides the query and the partition.
///
/// ```
/// use httplib2_store::Key;
///
/// let key = Key::of(&"HTTP://joe@Example.org:80?q=1".parse()?).expect("it is absolute");
/// assert_eq!(key.as_str(), "http://example.org/?q=1");
/// assert_eq!(format!("{key:?}"), "Key(http://example.org/?..)");
/// assert_eq!(Key::of(&"/path".parse()?), None);
/// # Ok::<(), http::uri::InvalidUri>(())
/// ```
#[derive(Clone)]
pub struct Key {
    text: Arc<str>,
    hash: u64,
}

/// Stands between the URI, which holds no space, and the partition, which may.
const SEPARATOR: char = ' ';

/// How much of the scratch text a thread keeps from one key to the next.
const SCRATCH_KEPT: usize = 8 * 1024;

static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::new);

thread_local! {
    /// Where the text is put together, so that the key itself is the only allocation.
    static SCRATCH: RefCell<String> = const { RefCell::new(String::new()) };
}

// === impl Key ===

impl Key {
    /// Makes the key of an absolute URI. `None` for one that lacks a scheme or a host, or whose port is no number up
    /// to 65535.
    #[must_use]
    pub fn of(uri: &Uri) -> Option<Self> {
        Self::make(uri, None)
    }

    /// Like [`of`](Self::of), in a partition: the same URI in another partition, or in none, is another key.
    ///
    /// A partition separates for example the sites on whose behalf a browser fetches.
    #[must_use]
    pub fn in_partition(uri: &Uri, partition: &str) -> Option<Self> {
        Self::make(uri, Some(partition))
    }

    /// Makes a key again from what [`as_str`](Self::as_str) gave, for a store that wrote it down.
    pub fn from_text(text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        let hash = SEED.hash_one(&*text);
        Self { text, hash }
    }

    /// The URI and, behind a space, the partition: equal for equal keys, in every process. Not for logs.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The URI. Not for logs, because its query may hold secrets.
    #[must_use]
    pub fn uri(&self) -> &str {
        self.text.split_once(SEPARATOR).map_or(&*self.text, |(uri, _)| uri)
    }

    /// The partition, if it is in one.
    #[must_use]
    pub fn partition(&self) -> Option<&str> {
        self.text.split_once(SEPARATOR).map(|(_, partition)| partition)
    }

    /// The hash that it carries, which nobody can foretell: another one in each process.
    #[must_use]
    pub fn hash_code(&self) -> u64 {
        self.hash
    }

    fn make(uri: &Uri, partition: Option<&str>) -> Option<Self> {
        SCRATCH.with_borrow_mut(|text| {
            text.clear();
            write_uri(text, uri)?;
            if let Some(partition) = partition {
                text.push(SEPARATOR);
                text.push_str(partition);
            }
            let key = Self::from_text(text.as_str());
            if text.capacity() > SCRATCH_KEPT {
                *text = String::new();
            }
            Some(key)
        })
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && self.text == other.text
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uri = self.uri();
        let (path, query) = uri.split_once('?').map_or((uri, ""), |(path, _)| (path, "?.."));
        let partition = if self.partition().is_some() { " .." } else { "" };
        write!(f, "Key({path}{query}{partition})")
    }
}

fn write_uri(text: &mut String, uri: &Uri) -> Option<()> {
    text.push_str(uri.scheme_str()?);
    text.make_ascii_lowercase();
    let default_port = match text.as_str() {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    };
    text.push_str("://");
    write_authority(text, uri.authority()?.as_str(), default_port)?;
    let path = uri.path_and_query().map_or("", |path| path.as_str());
    if !path.starts_with('/') {
        text.push('/');
    }
    text.push_str(path);
    Some(())
}

fn write_authority(text: &mut String, authority: &str, default_port: Option<u16>) -> Option<()> {
    let host_and_port = authority.rsplit_once('@').map_or(authority, |(_, rest)| rest);
    // Within the brackets of an IPv6 address a colon begins no port.
    let host_end = host_and_port.rfind(']').map_or(0, |bracket| bracket + 1);
    let (host, port) = match host_and_port[host_end..].split_once(':') {
        Some((name, port)) => (&host_and_port[..host_end + name.len()], port),
        None => (host_and_port, ""),
    };
    if host.is_empty() {
        return None;
    }
    let start = text.len();
    text.push_str(host);
    text[start..].make_ascii_lowercase();
    if !port.is_empty() {
        let port: u16 = port.parse().ok()?;
        if Some(port) != default_port {
            write!(text, ":{port}").ok()?;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(uri: &str) -> Option<String> {
        Key::of(&uri.parse().unwrap()).map(|key| key.as_str().to_owned())
    }

    #[test]
    fn equivalent_spellings_of_scheme_host_and_port_are_one_key() {
        // H-CACHE-02, RFC 9110 §4.2.3.
        for (uri, expected) in [
            ("http://example.org", "http://example.org/"),
            ("HTTP://Example.ORG/", "http://example.org/"),
            ("http://example.org:80/", "http://example.org/"),
            ("http://example.org:/", "http://example.org/"),
            ("http://example.org:0080/", "http://example.org/"),
            ("https://example.org:443/a", "https://example.org/a"),
            ("http://example.org:443/", "http://example.org:443/"),
            ("http://example.org:8080?q", "http://example.org:8080/?q"),
            ("http://joe:s3cret@example.org/", "http://example.org/"),
            ("http://a%40b@example.org:81/", "http://example.org:81/"),
            ("http://[::1]/", "http://[::1]/"),
            ("http://[2001:DB8::1]:80/", "http://[2001:db8::1]/"),
            ("http://[::1]:8080/", "http://[::1]:8080/"),
            ("http://example.org/a#fragment", "http://example.org/a"),
        ] {
            assert_eq!(text(uri).as_deref(), Some(expected), "{uri}");
        }
    }

    #[test]
    fn path_and_query_stay_as_they_are() {
        for tail in ["/A/b", "/%7Ejoe", "/~joe", "/a//b", "/a/../b", "/a?B=%c3&&", "/a?", "/a?http://X.org:80", "/é"] {
            let uri = format!("http://example.org{tail}");
            assert_eq!(text(&uri), Some(uri));
        }
    }

    #[test]
    fn what_names_no_resource_of_a_host_has_no_key() {
        for uri in ["/path", "*", "example.org:80", "http://example.org:99999/"] {
            assert_eq!(text(uri), None, "{uri}");
        }
    }

    #[test]
    fn a_partition_is_part_of_the_key() {
        let uri = "http://example.org/".parse().unwrap();
        let keys = [
            Key::of(&uri).unwrap(),
            Key::in_partition(&uri, "").unwrap(),
            Key::in_partition(&uri, "a").unwrap(),
            Key::in_partition(&uri, "a b").unwrap(),
        ];
        for (at, key) in keys.iter().enumerate() {
            assert_eq!(keys.iter().position(|other| other == key), Some(at), "{at}");
            assert_eq!(&Key::from_text(key.as_str()), key);
            assert_eq!(key.uri(), "http://example.org/");
        }
        assert_eq!(keys.each_ref().map(Key::partition), [None, Some(""), Some("a"), Some("a b")]);
    }

    #[test]
    fn the_hash_is_that_of_the_text() {
        let uri = "http://example.org/".parse().unwrap();
        let key = Key::of(&uri).unwrap();
        assert_eq!(key.hash_code(), Key::from_text("http://example.org/").hash_code());
        assert_ne!(key.hash_code(), Key::in_partition(&uri, "a").unwrap().hash_code());
    }

    #[test]
    fn a_long_key_does_not_stay_in_the_scratch_text() {
        let long = format!("http://example.org/{}", "x".repeat(SCRATCH_KEPT));
        assert_eq!(text(&long), Some(long));
        SCRATCH.with_borrow(|text| assert!(text.capacity() <= SCRATCH_KEPT));
    }

    #[test]
    fn debug_shows_neither_query_nor_partition() {
        let key = Key::in_partition(&"http://example.org/a?token=s3cret".parse().unwrap(), "alice").unwrap();
        assert_eq!(format!("{key:?}"), "Key(http://example.org/a?.. ..)");
    }
}
