//! A server of the scheme that is written from the RFC alone: it shares no code with what it checks, neither to read
//! the value nor to compute it.

#![allow(dead_code, reason = "no test file uses everything")]

use std::{collections::BTreeMap, fmt::Write, sync::Arc};

use http::{HeaderMap, HeaderValue, Method, Uri};
use httplib2_auth::{Credential, Scheme, SignError, Signer, Unsigned};
use httplib2_syntax::challenge::{self, Challenge};
use sha2::Digest as _;

/// What a server knows.
#[derive(Clone, Debug)]
pub(crate) struct Known<'a> {
    pub(crate) user: &'a str,
    pub(crate) password: &'a str,
    pub(crate) realm: &'a str,
    pub(crate) nonce: &'a str,
    pub(crate) algorithm: &'a str,
}

/// The parameters of a value: by name, unquoted.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    params: BTreeMap<String, String>,
}

/// The hexadecimal hash of a text.
pub(crate) fn hash(algorithm: &str, text: &[u8]) -> String {
    let bytes = match algorithm.trim_end_matches("-sess") {
        "MD5" => md5::Md5::digest(text).to_vec(),
        "SHA-256" => sha2::Sha256::digest(text).to_vec(),
        "SHA-512-256" => sha2::Sha512_256::digest(text).to_vec(),
        other => panic!("no algorithm {other}"),
    };
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("room");
        text
    })
}

/// Reads a value strictly: what must be quoted is, and what must not be is not (RFC 7616 §3.4).
pub(crate) fn claim(value: &HeaderValue) -> Claim {
    let text = str::from_utf8(value.as_bytes()).expect("UTF-8").strip_prefix("Digest ").expect("the scheme");
    let mut params = BTreeMap::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=').expect("a parameter");
        let (content, after, is_quoted) = match after.strip_prefix('"') {
            Some(quoted) => {
                let (mut content, mut chars) = (String::new(), quoted.char_indices());
                let end = loop {
                    match chars.next().expect("a closing quote") {
                        (end, '"') => break end,
                        (_, '\\') => content.push(chars.next().expect("an escaped character").1),
                        (_, other) => content.push(other),
                    }
                };
                (content, &quoted[end + 1..], true)
            }
            None => {
                let end = after.find(", ").unwrap_or(after.len());
                (after[..end].to_owned(), &after[end..], false)
            }
        };
        let must_be_quoted = ["username", "realm", "nonce", "uri", "response", "cnonce", "opaque"].contains(&name);
        assert_eq!(is_quoted, must_be_quoted, "quotes of {name} in {text}");
        assert!(params.insert(name.to_owned(), content).is_none(), "{name} twice in {text}");
        rest = match after.strip_prefix(", ") {
            Some(more) => more,
            None => {
                assert_eq!(after, "", "after {name} in {text}");
                ""
            }
        };
    }
    Claim { params }
}

// === impl Claim ===

impl Claim {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.params.get(name).map(String::as_str)
    }

    /// One that must be there.
    pub(crate) fn field(&self, name: &str) -> &str {
        self.get(name).expect(name)
    }

    pub(crate) fn count(&self) -> u32 {
        let digits = self.field("nc");
        assert_eq!(digits.len(), 8);
        u32::from_str_radix(digits, 16).expect("digits")
    }

    /// The name, in whatever form it was sent.
    fn names(&self, known: &Known<'_>) -> bool {
        if let Some(extended) = self.get("username*") {
            return self.get("username").is_none() && decode(extended) == known.user;
        }
        let expected = match self.get("userhash") {
            Some("true") => hash(known.algorithm, format!("{}:{}", known.user, known.realm).as_bytes()),
            _ => known.user.to_owned(),
        };
        self.get("username") == Some(&*expected)
    }

    /// Whether it proves that the password is known, for this request.
    pub(crate) fn is_right(&self, known: &Known<'_>, method: &str, target: &str, body: &[u8]) -> bool {
        let right = self.signature(known, method, target, body);
        self.names(known)
            && self.get("realm") == Some(known.realm)
            && self.get("nonce") == Some(known.nonce)
            && self.get("algorithm") == Some(known.algorithm)
            && self.get("uri") == Some(target)
            && self.get("response") == Some(&*right)
    }

    /// The proof of an answer (RFC 7616 §3.5).
    pub(crate) fn rspauth(&self, known: &Known<'_>) -> String {
        self.signature(known, "", self.field("uri"), b"")
    }

    fn signature(&self, known: &Known<'_>, method: &str, target: &str, body: &[u8]) -> String {
        let h = |text: String| hash(known.algorithm, text.as_bytes());
        let mut a1 = format!("{}:{}:{}", known.user, known.realm, known.password);
        if known.algorithm.ends_with("-sess") {
            a1 = format!("{}:{}:{}", h(a1), known.nonce, self.field("cnonce"));
        }
        let mut a2 = format!("{method}:{target}");
        if self.get("qop") == Some("auth-int") {
            a2 = format!("{a2}:{}", hash(known.algorithm, body));
        }
        match self.get("qop") {
            None => h(format!("{}:{}:{}", h(a1), known.nonce, h(a2))),
            Some(qop) => {
                let (nc, cnonce) = (self.field("nc"), self.field("cnonce"));
                h(format!("{}:{}:{nc}:{cnonce}:{qop}:{}", h(a1), known.nonce, h(a2)))
            }
        }
    }
}

/// The text of an extended parameter in UTF-8 (RFC 8187 §3.2.1).
fn decode(extended: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = extended.strip_prefix("UTF-8''").expect("the charset").bytes();
    while let Some(byte) = rest.next() {
        assert!(byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~%".contains(&byte), "{byte} in {extended}");
        if byte == b'%' {
            let digits = [rest.next().expect("a digit"), rest.next().expect("a digit")];
            let digits = str::from_utf8(&digits).expect("ASCII");
            bytes.push(u8::from_str_radix(digits, 16).expect("digits"));
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).expect("UTF-8")
}

/// The challenge of this text.
pub(crate) fn challenge(text: &str) -> Challenge {
    let mut challenges = challenge::parse([text.as_bytes()]);
    assert_eq!(challenges.len(), 1, "{text}");
    challenges.remove(0)
}

/// What the scheme answers to a challenge with this login.
pub(crate) fn signer(scheme: &dyn Scheme, text: &str, user: &str, password: &str) -> Arc<dyn Signer> {
    scheme.answer(&challenge(text), &Credential::login(user, password)).expect("an answer")
}

/// Signs a request as the layer would, content included.
pub(crate) fn sign(signer: &dyn Signer, line: &str, body: &[u8]) -> Result<HeaderValue, SignError> {
    let (method, uri) = line.split_once(' ').expect("a method and a URI");
    let (method, uri): (Method, Uri) = (method.parse().expect("a method"), uri.parse().expect("a URI"));
    let content = signer.content_digest().map(|mut digest| {
        body.chunks(3).for_each(|piece| digest.update(piece));
        digest.finish()
    });
    let mut headers = HeaderMap::new();
    signer.sign(&mut Unsigned { method: &method, uri: &uri, headers: &mut headers, content: content.as_deref() })
}
