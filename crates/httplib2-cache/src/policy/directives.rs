//! What a response tells caches (RFC 9111 §5.2.2, RFC 5861, RFC 8246, RFC 9213).

use std::fmt;

use http::{HeaderMap, HeaderName, header};
use httplib2_syntax::{
    cache_control::{self, delta_seconds},
    sf::{self, Item},
};

use super::{Rules, fields, wire};

/// The cache directives of a response. Where one comes twice, or says what cannot be read, the stricter sense
/// is taken (RFC 9111 §4.2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Directives {
    pub(super) flags: Flags,
    pub(super) max_age: Option<u32>,
    pub(super) s_maxage: Option<u32>,
    pub(super) stale_while_revalidate: Option<u32>,
    pub(super) stale_if_error: Option<u32>,
    /// They come from a targeted field, beside which `Expires` does not count (RFC 9213 §2.2).
    pub(super) are_targeted: bool,
}

/// A set of the facts that are either so or not.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Flags(u16);

/// The argument of a directive.
#[derive(Clone, Copy)]
enum Argument<'a> {
    Absent,
    Text(&'a [u8]),
    /// There is one that cannot be read: it restricts and permits nothing.
    Unreadable,
}

/// The directives that are looked for.
const KNOWN: [&str; 12] = [
    "immutable",
    "max-age",
    "must-revalidate",
    "must-understand",
    "no-cache",
    "no-store",
    "private",
    "proxy-revalidate",
    "public",
    "s-maxage",
    "stale-if-error",
    "stale-while-revalidate",
];

/// The names that `no-cache` and, in a shared cache, `private` list: such fields are not stored
/// (RFC 9111 §5.2.2.4, §5.2.2.7).
pub(super) fn withheld(rules: &Rules, headers: &HeaderMap) -> Vec<HeaderName> {
    let mut names = Vec::new();
    read(rules, headers, |name, argument| {
        if name == "no-cache" || (name == "private" && rules.is_shared()) {
            names.extend(argument.fields().unwrap_or_default());
        }
    });
    names
}

/// Hands each directive to `take` that speaks to this kind of cache, and says whether they come from a targeted
/// field: the first one of the list that holds any (RFC 9213 §2.2).
fn read(rules: &Rules, headers: &HeaderMap, mut take: impl FnMut(&'static str, Argument<'_>)) -> bool {
    for field in &rules.targets {
        let dictionary = sf::dictionary(wire::lines(headers, field)).unwrap_or_default();
        let mut is_empty = true;
        for (name, item) in dictionary.iter() {
            is_empty = false;
            if let Some(name) = known(name) {
                with_argument(name, item, |argument| take(name, argument));
            }
        }
        if !is_empty {
            return true;
        }
    }
    for directive in cache_control::directives(wire::lines(headers, &header::CACHE_CONTROL)) {
        if let Some(name) = known(directive.name()) {
            let argument = match directive.value() {
                _ if directive.is_malformed() => Argument::Unreadable,
                Some(value) => Argument::Text(value),
                None => Argument::Absent,
            };
            take(name, argument);
        }
    }
    false
}

fn known(name: &str) -> Option<&'static str> {
    KNOWN.into_iter().find(|known| name.eq_ignore_ascii_case(known))
}

/// The argument of a targeted directive. Its type is that of the directive, or it cannot be read (RFC 9213 §2.1).
fn with_argument(name: &str, item: &Item, take: impl FnOnce(Argument<'_>)) {
    match item {
        Item::Boolean(false) => {}
        Item::Boolean(true) => take(Argument::Absent),
        Item::Integer(seconds) if *seconds >= 0 && is_lifetime(name) => {
            take(Argument::Text(seconds.to_string().as_bytes()))
        }
        Item::String(text) if !is_lifetime(name) => take(Argument::Text(text.as_bytes())),
        _ => take(Argument::Unreadable),
    }
}

fn is_lifetime(name: &str) -> bool {
    matches!(name, "max-age" | "s-maxage" | "stale-if-error" | "stale-while-revalidate")
}

// === impl Directives ===

impl Directives {
    pub(super) fn of(rules: &Rules, headers: &HeaderMap) -> Self {
        let mut directives = Self::default();
        let mut is_readable = true;
        let are_targeted = read(rules, headers, |name, argument| {
            is_readable &= name != "s-maxage" || argument.is_lifetime();
            directives.take(name, argument);
        });
        if directives.s_maxage.is_some() && rules.is_shared() {
            directives.flags.set(Flags::SHARED_MAX_AGE);
            // It permits to share what was signed (RFC 9111 §3.5), and a permission has to be readable.
            if is_readable {
                directives.flags.set(Flags::SHAREABLE);
            }
        }
        Self { are_targeted, ..directives }
    }

    fn take(&mut self, name: &str, argument: Argument<'_>) {
        match name {
            "max-age" => argument.shorten(&mut self.max_age),
            "s-maxage" => argument.shorten(&mut self.s_maxage),
            "stale-while-revalidate" => argument.shorten(&mut self.stale_while_revalidate),
            "stale-if-error" => argument.shorten(&mut self.stale_if_error),
            "no-store" => self.flags.set(Flags::NO_STORE),
            "no-cache" if argument.fields().is_none() => self.flags.set(Flags::NO_CACHE),
            "private" if argument.fields().is_none() => self.flags.set(Flags::PRIVATE),
            "must-revalidate" => self.flags.set(Flags::MUST_REVALIDATE),
            "proxy-revalidate" => self.flags.set(Flags::PROXY_REVALIDATE),
            // What permits something has no argument; with one it is something else.
            "must-understand" if argument.is_absent() => self.flags.set(Flags::MUST_UNDERSTAND),
            "public" if argument.is_absent() => self.flags.set(Flags::PUBLIC),
            "immutable" if argument.is_absent() => self.flags.set(Flags::IMMUTABLE),
            _ => {}
        }
    }

    pub(super) fn has(&self, flag: u16) -> bool {
        self.flags.has(flag)
    }
}

// === impl Argument ===

impl Argument<'_> {
    fn is_absent(self) -> bool {
        matches!(self, Self::Absent)
    }

    fn is_lifetime(self) -> bool {
        matches!(self, Self::Text(text) if delta_seconds(text).is_some())
    }

    /// The names that it lists. `None` when the directive has to be taken without its argument.
    fn fields(self) -> Option<Vec<HeaderName>> {
        match self {
            Self::Text(text) => fields::listed(text),
            Self::Absent | Self::Unreadable => None,
        }
    }

    /// Keeps the least of several lifetimes. One that cannot be read is over (RFC 9111 §4.2.1).
    fn shorten(self, lifetime: &mut Option<u32>) {
        let seconds = match self {
            Self::Text(text) => delta_seconds(text).unwrap_or(0),
            Self::Absent | Self::Unreadable => 0,
        };
        *lifetime = Some(lifetime.map_or(seconds, |before| before.min(seconds)));
    }
}

// === impl Flags ===

impl Flags {
    pub(super) const NO_STORE: u16 = 1;
    pub(super) const NO_CACHE: u16 = 1 << 1;
    pub(super) const PRIVATE: u16 = 1 << 2;
    pub(super) const PUBLIC: u16 = 1 << 3;
    pub(super) const MUST_REVALIDATE: u16 = 1 << 4;
    pub(super) const PROXY_REVALIDATE: u16 = 1 << 5;
    pub(super) const MUST_UNDERSTAND: u16 = 1 << 6;
    pub(super) const IMMUTABLE: u16 = 1 << 7;
    /// There is an `s-maxage`, and the cache is a shared one.
    pub(super) const SHARED_MAX_AGE: u16 = 1 << 8;
    pub(super) const HAS_ETAG: u16 = 1 << 9;
    /// There is an `s-maxage` that can be read, and the cache is a shared one.
    pub(super) const SHAREABLE: u16 = 1 << 10;

    pub(super) fn set(&mut self, flag: u16) {
        self.0 |= flag;
    }

    pub(super) fn has(self, flag: u16) -> bool {
        self.0 & flag != 0
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [&str; 11] = [
            "no-store",
            "no-cache",
            "private",
            "public",
            "must-revalidate",
            "proxy-revalidate",
            "must-understand",
            "immutable",
            "s-maxage",
            "etag",
            "shareable",
        ];
        f.debug_set()
            .entries(NAMES.iter().enumerate().filter(|(at, _)| self.has(1 << at)).map(|(_, name)| name))
            .finish()
    }
}

#[cfg(test)]
mod tests;
