//! A second opinion on well-formed challenges: the ABNF of RFC 9110, rule by rule. A rule gives every way in which
//! it can match at a place, so nothing depends on what is tried first. Slow, and shared with the fuzzer.

/// Scheme, token68, and parameters by name.
pub(super) type Read = (String, Option<String>, Vec<(String, Vec<u8>)>);

/// The ways in which a rule matches: what it means, and where it ends.
type Ways<T> = Vec<(T, usize)>;

/// `WWW-Authenticate = #challenge` (RFC 9110 §11.6.1), or `None` if `text` is not one. An ambiguous grammar panics.
pub(super) fn challenges(text: &[u8]) -> Option<Vec<Read>> {
    whole(text, list(text, 0, &challenge))
}

/// `Authentication-Info = #auth-param` (RFC 9110 §11.6.3), or `None` if `text` is not one.
pub(super) fn info(text: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    whole(text, list(text, 0, &auth_param))
}

fn whole<T: std::fmt::Debug>(text: &[u8], ways: Ways<T>) -> Option<T> {
    let mut ways = ways.into_iter().filter(|(_, end)| *end == text.len());
    let meaning = ways.next()?.0;
    let other = ways.next();
    assert!(other.is_none(), "{} means {meaning:?} as well as {other:?}", text.escape_ascii());
    Some(meaning)
}

/// `challenge = auth-scheme [ 1*SP ( token68 / #auth-param ) ]`
fn challenge(text: &[u8], at: usize) -> Ways<Read> {
    let mut ways = Vec::new();
    for (scheme, end) in many(text, at, is_tchar) {
        let scheme = String::from_utf8(scheme).unwrap();
        push(&mut ways, (scheme.clone(), None, Vec::new()), end);
        for (_, end) in many(text, end, |byte| byte == b' ') {
            for (token68, end) in token68(text, end) {
                push(&mut ways, (scheme.clone(), Some(token68), Vec::new()), end);
            }
            for (params, end) in list(text, end, &auth_param) {
                push(&mut ways, (scheme.clone(), None, params), end);
            }
        }
    }
    ways
}

/// `token68 = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`
fn token68(text: &[u8], at: usize) -> Ways<String> {
    let mut ways = Vec::new();
    for (_, end) in many(text, at, |byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte)) {
        for end in std::iter::once(end).chain(many(text, end, |byte| byte == b'=').into_iter().map(|(_, end)| end)) {
            push(&mut ways, String::from_utf8(text[at..end].to_vec()).unwrap(), end);
        }
    }
    ways
}

/// `auth-param = token BWS "=" BWS ( token / quoted-string )`
fn auth_param(text: &[u8], at: usize) -> Ways<(String, Vec<u8>)> {
    let mut ways = Vec::new();
    for (name, end) in many(text, at, is_tchar) {
        for end in ows(text, end) {
            if text.get(end) != Some(&b'=') {
                continue;
            }
            for end in ows(text, end + 1) {
                let values = many(text, end, is_tchar).into_iter().chain(quoted_string(text, end));
                for (value, end) in values {
                    push(&mut ways, (String::from_utf8(name.clone()).unwrap(), value), end);
                }
            }
        }
    }
    ways
}

/// `quoted-string = DQUOTE *( qdtext / quoted-pair ) DQUOTE`
fn quoted_string(text: &[u8], at: usize) -> Option<(Vec<u8>, usize)> {
    let mut at = at;
    let mut content = Vec::new();
    if text.get(at)? != &b'"' {
        return None;
    }
    at += 1;
    loop {
        match (text.get(at)?, text.get(at + 1)) {
            (b'"', _) => return Some((content, at + 1)),
            (b'\\', Some(b'\t' | b' ' | 0x21..=0x7e | 0x80..)) => {
                content.push(text[at + 1]);
                at += 2;
            }
            (b'\t' | b' ' | 0x21 | 0x23..=0x5b | 0x5d..=0x7e | 0x80.., _) => {
                content.push(text[at]);
                at += 1;
            }
            _ => return None,
        }
    }
}

/// `#element = [ element ] *( OWS "," OWS [ element ] )`, as recipients read it (RFC 9110 §5.6.1.2).
fn list<T: Clone + PartialEq>(text: &[u8], at: usize, element: &dyn Fn(&[u8], usize) -> Ways<T>) -> Ways<Vec<T>> {
    let mut ways: Ways<Vec<T>> = vec![(Vec::new(), at)];
    for (first, end) in element(text, at) {
        push(&mut ways, vec![first], end);
    }
    let mut seen = 0;
    while let Some((elements, end)) = ways.get(seen).cloned() {
        seen += 1;
        for comma in ows(text, end) {
            if text.get(comma) != Some(&b',') {
                continue;
            }
            for start in ows(text, comma + 1) {
                push(&mut ways, elements.clone(), start);
                for (next, end) in element(text, start) {
                    push(&mut ways, [&elements[..], &[next]].concat(), end);
                }
            }
        }
    }
    ways
}

/// `1*( bytes that are wanted )`
fn many(text: &[u8], at: usize, wanted: impl Fn(u8) -> bool) -> Ways<Vec<u8>> {
    let mut ways = Vec::new();
    let mut end = at;
    while text.get(end).is_some_and(|byte| wanted(*byte)) {
        end += 1;
        ways.push((text[at..end].to_vec(), end));
    }
    ways
}

/// `OWS = *( SP / HTAB )`, and `BWS` is the same.
fn ows(text: &[u8], at: usize) -> Vec<usize> {
    let blanks = text[at..].iter().take_while(|byte| [b' ', b'\t'].contains(byte)).count();
    (at..=at + blanks).collect()
}

fn is_tchar(byte: u8) -> bool {
    matches!(
        byte,
        b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
    ) || byte.is_ascii_digit()
        || byte.is_ascii_alphabetic()
}

/// Leaves out what is there already: empty elements can be read in many ways that mean the same.
fn push<T: PartialEq>(ways: &mut Ways<T>, meaning: T, end: usize) {
    let way = (meaning, end);
    if !ways.contains(&way) {
        ways.push(way);
    }
}
