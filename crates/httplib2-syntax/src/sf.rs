//! Dictionaries of structured fields (RFC 9651 §3.2), such as `CDN-Cache-Control` (RFC 9213 §2.1).
//!
//! ```
//! use httplib2_syntax::sf::{self, Item};
//!
//! let directives = sf::dictionary([&b"max-age=60, must-revalidate;x=1"[..]]).expect("a dictionary");
//! assert_eq!(directives.item("max-age"), Some(&Item::Integer(60)));
//! assert_eq!(directives.item("must-revalidate"), Some(&Item::Boolean(true)));
//!
//! // One slip, and all of the field counts as absent (RFC 9651 §4.2).
//! assert_eq!(sf::dictionary([&b"max-age=60, Must-Revalidate"[..]]), None);
//! ```

mod read;

/// A dictionary: members by key, in the order of their first appearance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dictionary(Vec<(Box<str>, Item)>);

/// The value of a member. Its parameters are not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Item {
    /// `?1` or `?0`, and true also for a key that stands alone.
    Boolean(bool),
    /// A whole number of up to 15 digits.
    Integer(i64),
    /// A string, without quotes and escapes.
    String(Box<str>),
    /// A token.
    Token(Box<str>),
    /// A value of any other type: decimal, byte sequence, date, display string or inner list. It was parsed, because
    /// one that is malformed spoils the whole field.
    Other,
}

/// How many keys a dictionary may have: 1024, as many as RFC 9651 §3.2 asks for.
pub const MAX_MEMBERS: usize = 1024;

/// Parses all the lines of a field as one dictionary (RFC 9651 §4.2), or returns `None` when they are none.
///
/// No line and a single empty one are an empty dictionary. Of two members with the same key the last one counts.
#[must_use]
pub fn dictionary<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Option<Dictionary> {
    let mut lines = lines.into_iter();
    let first = lines.next().unwrap_or_default();
    match lines.next() {
        None => read::dictionary(first),
        Some(second) => {
            let mut joined = [first, second].join(&b", "[..]);
            for line in lines {
                joined.extend_from_slice(b", ");
                joined.extend_from_slice(line);
            }
            read::dictionary(&joined)
        }
    }
}

// === impl Dictionary ===

impl Dictionary {
    /// The value of the member with this key. Keys are in lower case.
    #[must_use]
    pub fn item(&self, key: &str) -> Option<&Item> {
        self.iter().find(|(known, _)| *known == key).map(|(_, item)| item)
    }

    /// All members.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Item)> {
        self.0.iter().map(|(key, item)| (&**key, item))
    }

    /// Returns `None` when it is full.
    fn insert(&mut self, key: &str, item: Item) -> Option<()> {
        if let Some((_, known)) = self.0.iter_mut().find(|(known, _)| **known == *key) {
            *known = item;
        } else if self.0.len() < MAX_MEMBERS {
            self.0.push((key.into(), item));
        } else {
            return None;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests;
