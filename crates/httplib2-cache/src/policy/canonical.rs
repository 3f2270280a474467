//! The form in which a request field is compared with that of an earlier request (RFC 9111 §4.1).

use http::{HeaderMap, HeaderName, HeaderValue, header};
use httplib2_syntax::list;
use sha2::{Digest, Sha256};

use super::{Negotiation, Rules, wire};

/// How two values of a field are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Canonical {
    /// Line by line: what is no list has no white space to spare.
    Lines,
    /// Like that, and by its digest, so that a store never holds the secret itself.
    Secret,
    /// As a list: white space around members and the number of lines play no part.
    List,
    /// As a list of ranges: nor do letter case and a weight of one.
    Spelling,
    /// As a set of ranges: nor does their order.
    Order,
}

/// What a digest begins with, and no field value.
const SECRET: u8 = 0;

/// Beside the [credentials](Rules::credentials).
const SECRETS: [HeaderName; 3] = [header::AUTHORIZATION, header::COOKIE, header::PROXY_AUTHORIZATION];

const NEGOTIATION: [HeaderName; 4] =
    [header::ACCEPT, header::ACCEPT_CHARSET, header::ACCEPT_ENCODING, header::ACCEPT_LANGUAGE];

// === impl Canonical ===

impl Canonical {
    pub(super) fn of(rules: &Rules, name: &HeaderName) -> Self {
        if SECRETS.contains(name) || rules.credentials.contains(name) {
            return Self::Secret;
        }
        if !list::is_list(name) {
            return Self::Lines;
        }
        match rules.negotiation {
            _ if !NEGOTIATION.contains(name) => Self::List,
            Negotiation::Exact => Self::List,
            Negotiation::Spelling => Self::Spelling,
            Negotiation::Order => Self::Order,
        }
    }

    /// The canonical value of a field of a request that has it. A value that is marked as sensitive is a secret
    /// whatever its name.
    pub(super) fn of_request(self, request: &HeaderMap, name: &HeaderName) -> Option<Box<[u8]>> {
        let is_marked = request.get_all(name).iter().any(HeaderValue::is_sensitive);
        let canonical = if is_marked { Self::Secret } else { self };
        request.contains_key(name).then(|| {
            let mut value = Vec::new();
            canonical.write(request, name, |byte| value.push(byte));
            value.into_boxed_slice()
        })
    }

    /// Whether a request has this canonical value, or has no such field where it is `None`. Allocates only to
    /// bring a list in order.
    pub(super) fn equals(self, value: Option<&[u8]>, request: &HeaderMap, name: &HeaderName) -> bool {
        let Some(value) = value else { return !request.contains_key(name) };
        let canonical = if value.first() == Some(&SECRET) { Self::Secret } else { self };
        let mut rest = value.iter();
        let mut is_same = request.contains_key(name);
        canonical.write(request, name, |byte| is_same &= rest.next() == Some(&byte));
        is_same && rest.next().is_none()
    }

    fn write(self, request: &HeaderMap, name: &HeaderName, mut emit: impl FnMut(u8)) {
        let lines = wire::lines(request, name);
        match self {
            // No field has a line end in it.
            Self::Lines => separated(
                lines.map(<[u8]>::trim_ascii),
                b'\n',
                |line, emit| {
                    line.iter().for_each(|byte| emit(*byte));
                },
                &mut emit,
            ),
            Self::Secret => {
                emit(SECRET);
                let mut digest = Sha256::new();
                for line in lines {
                    digest.update(line.trim_ascii());
                    digest.update(b"\n");
                }
                digest.finalize().iter().for_each(|byte| emit(*byte));
            }
            Self::List => separated(
                lines.flat_map(list::members),
                b',',
                |member, emit| {
                    member.iter().for_each(|byte| emit(*byte));
                },
                &mut emit,
            ),
            Self::Spelling => separated(lines.flat_map(list::members), b',', spell, &mut emit),
            Self::Order => {
                let mut members: Vec<Vec<u8>> = lines.flat_map(list::members).map(spelled).collect();
                members.sort_unstable();
                separated(
                    members.iter().map(Vec::as_slice),
                    b',',
                    |member, emit| {
                        member.iter().for_each(|byte| emit(*byte));
                    },
                    &mut emit,
                );
            }
        }
    }
}

fn separated<'a, E: FnMut(u8)>(
    parts: impl Iterator<Item = &'a [u8]>,
    separator: u8,
    write: impl Fn(&[u8], &mut E),
    emit: &mut E,
) {
    for (at, part) in parts.enumerate() {
        if at > 0 {
            emit(separator);
        }
        write(part, emit);
    }
}

fn spelled(member: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(member.len());
    spell(member, &mut |byte| text.push(byte));
    text
}

/// Writes a range without blanks outside of quotes and without a weight of one, its name in lower case. The values of
/// parameters keep their case, which may count.
fn spell(member: &[u8], emit: &mut impl FnMut(u8)) {
    let mut is_quoted = false;
    let mut is_name = true;
    for byte in without_full_weight(member) {
        match byte {
            b' ' | b'\t' if !is_quoted => continue,
            b'"' => is_quoted = !is_quoted,
            b';' => is_name = false,
            _ => {}
        }
        emit(if is_name { byte.to_ascii_lowercase() } else { *byte });
    }
}

/// RFC 9110 §12.4.2: a weight of one is the default.
fn without_full_weight(member: &[u8]) -> &[u8] {
    let Some(at) = member.iter().rposition(|byte| *byte == b';') else { return member };
    let weight = member[at + 1..].trim_ascii();
    let Some(value) = weight.strip_prefix(b"q=").or_else(|| weight.strip_prefix(b"Q=")) else { return member };
    if matches!(value, b"1" | b"1." | b"1.0" | b"1.00" | b"1.000") { &member[..at] } else { member }
}
