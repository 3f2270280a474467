//! The text of a `.netrc` file: names and passwords by host.
//!
//! The words are those of Python's `netrc` module: blanks and line ends separate them, `"..."` keeps them together,
//! a backslash takes the next character as it is, `#` in place of a keyword begins a comment that lasts to the end of the line.
//!
//! ```
//! use httplib2_syntax::netrc;
//!
//! let text = "machine example.org login joe password \"pass word\"  # at work\n\
//!             default login anonymous password joe@example.org";
//! let netrc = netrc::parse(text)?;
//! let entry = netrc.find("example.org").expect("an entry");
//! assert_eq!((entry.login(), entry.password()), (Some("joe"), Some("pass word")));
//! assert_eq!(netrc.find("example.com").and_then(|entry| entry.login()), Some("anonymous"));
//! # Ok::<(), netrc::InvalidNetrc>(())
//! ```

mod words;

use std::{borrow::Cow, error::Error, fmt};

use self::words::Words;

/// All that one text says.
///
/// What it holds is borrowed from the text, so that no secret is copied, but for words with a backslash: those copies
/// are not wiped when they are dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Netrc<'a> {
    entries: Vec<Entry<'a>>,
}

/// What is said of one host, or of all that have no entry. `Debug` shows only the host.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Entry<'a> {
    machine: Option<Cow<'a, str>>,
    login: Option<Cow<'a, str>>,
    password: Option<Cow<'a, str>>,
    account: Option<Cow<'a, str>>,
}

/// Why a text is no netrc. It repeats nothing of the text, which holds passwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidNetrc {
    /// A word stands where a keyword should.
    UnknownWord {
        /// The line of the word, from 1 on.
        line: usize,
    },
    /// The text ends behind a keyword that needs a word.
    MissingWord {
        /// The line of the keyword, from 1 on.
        line: usize,
    },
    /// A quote is never closed, or nothing follows a backslash.
    OpenQuote {
        /// The line of the word, from 1 on.
        line: usize,
    },
}

/// Parses the text of a netrc file.
///
/// Keywords are `machine`, `default`, `login` or `user`, `password`, `account` and `macdef`, whose macro is passed over:
/// it ends with the next empty line or with the text.
///
/// # Errors
///
/// [`InvalidNetrc`], with the number of the line.
pub fn parse(text: &str) -> Result<Netrc<'_>, InvalidNetrc> {
    let mut words = Words::new(text);
    let mut entries = Vec::new();
    // The entry that `login` and the like speak of: there is none at the beginning and behind a macro.
    let mut open: Option<Entry<'_>> = None;
    while let Some(word) = words.next()? {
        if word.starts_with('#') {
            words.skip_comment();
            continue;
        }
        let next = match &*word {
            "machine" => Some(Entry { machine: Some(words.value()?), ..Entry::default() }),
            "default" => Some(Entry::default()),
            "macdef" => {
                words.value()?;
                words.skip_macro();
                None
            }
            follower => {
                let unknown = InvalidNetrc::UnknownWord { line: words.line() };
                let entry = open.as_mut().ok_or(unknown)?;
                let slot = match follower {
                    "login" | "user" => &mut entry.login,
                    "password" => &mut entry.password,
                    "account" => &mut entry.account,
                    _ => return Err(unknown),
                };
                *slot = Some(words.value()?);
                continue;
            }
        };
        entries.extend(open);
        open = next;
    }
    entries.extend(open);
    Ok(Netrc { entries })
}

// === impl Netrc ===

impl<'a> Netrc<'a> {
    /// All entries, in their order.
    #[must_use]
    pub fn entries(&self) -> &[Entry<'a>] {
        &self.entries
    }

    /// The entry of this host, compared without regard to case, or else the default one. Of several the last one.
    #[must_use]
    pub fn find(&self, host: &str) -> Option<&Entry<'a>> {
        let last = |wanted: &dyn Fn(&Entry<'a>) -> bool| self.entries.iter().rev().find(|entry| wanted(entry));
        last(&|entry| entry.machine().is_some_and(|machine| machine.eq_ignore_ascii_case(host)))
            .or_else(|| last(&|entry| entry.machine.is_none()))
    }
}

// === impl Entry ===

impl Entry<'_> {
    /// The host as it is written, or `None` for the default entry.
    #[must_use]
    pub fn machine(&self) -> Option<&str> {
        self.machine.as_deref()
    }

    /// The name of the user.
    #[must_use]
    pub fn login(&self) -> Option<&str> {
        self.login.as_deref()
    }

    /// The password.
    #[must_use]
    pub fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }

    /// The account, a further password that HTTP has no use for.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }
}

impl fmt::Debug for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("machine", &self.machine).finish_non_exhaustive()
    }
}

// === impl InvalidNetrc ===

impl InvalidNetrc {
    /// The line, from 1 on.
    #[must_use]
    pub fn line(&self) -> usize {
        match *self {
            Self::UnknownWord { line } | Self::MissingWord { line } | Self::OpenQuote { line } => line,
        }
    }
}

impl fmt::Display for InvalidNetrc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownWord { line } => write!(f, "line {line} of the netrc has no keyword where one is needed"),
            Self::MissingWord { line } => write!(f, "nothing follows the keyword on line {line} of the netrc"),
            Self::OpenQuote { line } => write!(f, "the word on line {line} of the netrc never ends"),
        }
    }
}

impl Error for InvalidNetrc {}

#[cfg(test)]
mod tests;
