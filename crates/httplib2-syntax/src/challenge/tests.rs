use std::iter;

use proptest::prelude::*;

use super::*;
use crate::lex::tests::in_linear_time;

mod reference;

/// Everything about the challenges in one string each: `Scheme token68` or `Scheme name=value;name=value`.
fn shown(challenges: &[Challenge]) -> Vec<String> {
    let param = |(name, value): (&str, &[u8])| format!("{name}={}", value.escape_ascii());
    let rest = |challenge: &Challenge| match challenge.token68() {
        Some(token68) => token68.to_owned(),
        None => challenge.params().iter().map(param).collect::<Vec<_>>().join(";"),
    };
    challenges.iter().map(|challenge| format!("{} {}", challenge.scheme(), rest(challenge)).trim().to_owned()).collect()
}

fn parsed(line: &[u8]) -> Vec<String> {
    shown(&parse([line]))
}

#[test]
fn challenges_that_keep_the_grammar_are_read() {
    for (line, expected) in [
        ("", &[][..]),
        // H-AUTH-20.
        (r#"Basic realm="me""#, &["Basic realm=me"]),
        (r#"Basic realm="me", algorithm="MD5""#, &["Basic realm=me;algorithm=MD5"]),
        ("Basic realm=me, algorithm=MD5", &["Basic realm=me;algorithm=MD5"]),
        ("realm=x, Basic realm=me", &["Basic realm=me"]),
        (r#"Digest realm="a", nonce="b" , Basic realm="c""#, &["Digest realm=a;nonce=b", "Basic realm=c"]),
        (r#"Basic realm="me",other="fred" "#, &["Basic realm=me;other=fred"]),
        (r#"Basic REAlm="me" "#, &["Basic REAlm=me"]),
        (r#"Basic realm="a\"b\\c\d""#, &[r#"Basic realm=a\"b\\cd"#]),
        (r#"Basic realm="with, comma = and blank""#, &["Basic realm=with, comma = and blank"]),
        (r#"Basic realm="""#, &["Basic realm="]),
        // Schemes without parameters: H-AUTH-22.
        ("Negotiate", &["Negotiate"]),
        ("Negotiate, NTLM", &["Negotiate", "NTLM"]),
        (r#"Negotiate, Basic realm="x""#, &["Negotiate", "Basic realm=x"]),
        (r#"Basic realm="x", Negotiate"#, &["Basic realm=x", "Negotiate"]),
        // Token68; dependencies that fail the whole header on it lose the Basic.
        ("Negotiate YII=, Basic realm=b", &["Negotiate YII=", "Basic realm=b"]),
        ("Basic realm", &["Basic realm"]),
        ("A ~.-_+/0aZ==,B", &["A ~.-_+/0aZ==", "B"]),
        ("A a=", &["A a="]),
        ("A a=b", &["A a=b"]),
        // Trap 44: Basic before Digest on one line; AUTH-18 and RFC 9110 §11.6.1.
        (r#"Basic realm="b", Digest realm="d", qop="auth""#, &["Basic realm=b", "Digest realm=d;qop=auth"]),
        (
            r#"Basic realm="simple", Newauth realm="apps", type=1, title="Login to \"apps\"""#,
            &["Basic realm=simple", r#"Newauth realm=apps;type=1;title=Login to \"apps\""#],
        ),
        // RFC 9110 §11.3: the list of parameters may begin with empty elements.
        ("Digest , realm=x", &["Digest realm=x"]),
        (" , ,Digest realm=x,, \t,nonce=n , ,Basic,", &["Digest realm=x;nonce=n", "Basic"]),
        ("Digest realm \t=\t \"x\"\t,nonce = n", &["Digest realm=x;nonce=n"]),
        // Every byte that a token may have.
        ("!#$%&'*+-.^_`|~09azAZ !#$%&'*+-.^_`|~=1", &["!#$%&'*+-.^_`|~09azAZ !#$%&'*+-.^_`|~=1"]),
    ] {
        assert_eq!(parsed(line.as_bytes()), expected, "{line}");
    }
}

#[test]
fn what_is_slightly_off_is_read_as_it_was_meant() {
    for (line, expected) in [
        ("Digest realm=\"x\", nonce=abc==", &["Digest realm=x;nonce=abc=="][..]),
        ("Digest nonce=abc==, realm=x", &["Digest nonce=abc==;realm=x"]),
        ("Digest domain=/a, nonce=n", &["Digest domain=/a;nonce=n"]),
        ("Digest domain=http://h:1/a?b=c;d, nonce=n", &["Digest domain=http://h:1/a?b=c;d;nonce=n"]),
        ("A YI=I=, B", &["A YI=I=", "B"]),
        ("\t Basic\trealm=x", &["Basic realm=x"]),
        ("Basic   realm=x   ", &["Basic realm=x"]),
        ("Digest, realm=x", &["Digest realm=x"]),
    ] {
        assert_eq!(parsed(line.as_bytes()), expected, "{line}");
    }
}

#[test]
fn octets_that_are_not_ascii_stay_as_they_are() {
    let challenges = parse([&b"Basic realm=\"caf\xc3\xa9 \\\xff\", other=\xe9"[..]]);
    assert_eq!(challenges[0].params().bytes("realm"), Some(&b"caf\xc3\xa9 \xff"[..]));
    assert_eq!(challenges[0].params().text("realm"), None);
    assert_eq!(challenges[0].params().bytes("other"), Some(&b"\xe9"[..]));
    assert_eq!(parse(["Basic realm=\"café\"".as_bytes()])[0].params().text("REALM"), Some("café"));
}

#[test]
fn a_malformed_challenge_is_dropped_and_its_parameters_go_to_nobody() {
    for (line, expected) in [
        // The one malformed vector of H-AUTH-21, and the shape of its unparsable rest.
        (r#"OAuth "Facebook Platform" "invalid_token" "Invalid OAuth access token.""#, &[][..]),
        (r#"Basic realm="x" junk"#, &[]),
        (r#"Digest realm="x" nonce="n", qop=auth, Basic realm="b""#, &["Basic realm=b"]),
        ("Digest realm=x, nonce=, qop=auth, Basic realm=b", &["Basic realm=b"]),
        ("Digest realm=my realm, nonce=n, Basic realm=b", &["Basic realm=b"]),
        (r#"A b="c", @@@, d=e, Basic realm=b"#, &["Basic realm=b"]),
        (r#"A b="c", "d", Basic realm=b"#, &["Basic realm=b"]),
        (r#"A b="c"d, e=f, Basic realm=b"#, &["Basic realm=b"]),
        // A malformed challenge takes nothing of the one before it.
        (r#"A b=c, Foo "bar", d=e, Basic realm=b"#, &["A b=c", "Basic realm=b"]),
        ("A b=c, =d, Basic realm=b", &["Basic realm=b"]),
        ("A =, Basic realm=b", &["Basic realm=b"]),
        ("=", &[]),
        ("A/b c=d", &[]),
        ("A:b c=d, E", &["E"]),
        // A scheme within quotes is none, wherever the quotes are.
        (r#"A @"Basic realm=evil", Basic realm=b"#, &["Basic realm=b"]),
        (r#"A b=c"d, Basic realm=evil", e=f, Basic realm=b"#, &["Basic realm=b"]),
        (r#"A b="c" ", Basic realm=evil", Basic realm=b"#, &["Basic realm=b"]),
        // A token68 and parameters exclude each other.
        ("A YII=, b=c, Basic realm=b", &["Basic realm=b"]),
        ("A =YII, B", &["B"]),
        ("A YII== b, B", &["B"]),
        // A name twice in a challenge: RFC 9110 §11.2.
        (r#"Digest realm="x", nonce="1", NONCE="2", Basic realm=b"#, &["Basic realm=b"]),
        ("Digest realm=x, realm=x, nonce=1", &[]),
        ("Digest realm=x, Digest realm=x", &["Digest realm=x", "Digest realm=x"]),
        // No control character, escaped or not.
        ("A b=\"c\u{1}d, Basic realm=evil\", Basic realm=b", &["Basic realm=b"]),
        ("A b=\"c\\\u{7f}d\", Basic realm=b", &["Basic realm=b"]),
        ("A b=c\u{b}, Basic realm=b", &["Basic realm=b"]),
        ("A\u{a0}b=c, Basic realm=b", &["Basic realm=b"]),
    ] {
        assert_eq!(parsed(line.as_bytes()), expected, "{line}");
    }
}

#[test]
fn a_quote_that_is_never_closed_takes_the_rest_of_its_line() {
    assert_eq!(parsed(br#"Basic realm="x"#), [""; 0]);
    assert_eq!(parsed(br#"A b=c, Digest realm="x, Basic realm=evil"#), ["A b=c"]);
    assert_eq!(parsed(br#"Digest realm="x\"#), [""; 0]);
    assert_eq!(shown(&parse([&br#"Digest realm="x"#[..], b"nonce=n, Basic realm=b"])), ["Basic realm=b"]);
}

#[test]
fn several_lines_are_one_list() {
    // Trap 44: not only the first line counts. RFC 9110 §5.3: nor does it matter where lines are joined.
    let lines = [&b"Digest realm=x,"[..], b"", b", nonce=n", b"Basic realm=b", b"Negotiate YII="];
    assert_eq!(shown(&parse(lines)), ["Digest realm=x;nonce=n", "Basic realm=b", "Negotiate YII="]);
    assert_eq!(parsed(&lines.join(&b", "[..])), shown(&parse(lines)));
    assert_eq!(parse(iter::empty()), []);
}

#[test]
fn schemes_and_names_are_compared_without_regard_to_case() {
    let challenges = parse([&b"bAsIc ReAlM=x"[..]]);
    assert!(challenges[0].is("Basic") && challenges[0].is("basic") && !challenges[0].is("Basi"));
    assert_eq!(challenges[0].params().text("realm"), Some("x"));
    assert_eq!(challenges[0].params().text("real"), None);
}

#[test]
fn hostile_lines_take_linear_time() {
    // AUTH-15, CVE-2021-21240.
    let long = |unit: &[u8], count: usize| unit.repeat(count);
    let hostile = [
        [&b"Digest "[..], &long(b"\xa0", 60_000)].concat(),
        [&b"Digest "[..], &long(b" ", 60_000)].concat(),
        [&b"Digest "[..], &long(b"\t", 60_000), b"@"].concat(),
        long(b"\"", 20_001),
        long(b"\\\"", 20_000),
        [&b"A b=\""[..], &long(b"\\\",", 20_000)].concat(),
        long(b",", 20_000),
        long(b"=", 20_000),
        [&b"A "[..], &long(b"a", 60_000)].concat(),
        [&b"A "[..], &long(b"=", 60_000)].concat(),
        long(b"A ", 30_000),
        long(b"A,", 30_000),
        long(b"A b=c,", 10_000),
        long(b"A a=\"\" \",", 6_000),
        [&b"A "[..], &(0..8_000).flat_map(|index| format!("a{index}=,").into_bytes()).collect::<Vec<_>>()].concat(),
        [&b"A "[..], &(0..7_000).flat_map(|index| format!("{index}=1,").into_bytes()).collect::<Vec<_>>()].concat(),
    ];
    for line in &hostile {
        assert!(line.len() <= MAX_BYTES, "or it would not be read at all");
        let _ = in_linear_time(|| (parse([&line[..]]), parse_info(line)));
    }
    let many_lines = vec![&b"\""[..]; 60_000];
    assert_eq!(in_linear_time(|| parse(many_lines)), []);
}

#[test]
fn a_line_that_leads_beyond_the_limit_is_not_read() {
    let filler = [&b"A b="[..], &b"c".repeat(MAX_BYTES - 4 - 2)].concat();
    assert_eq!(parse([&filler[..], b"BB"]).len(), 2);
    // Not cut either: what is left of a challenge can mean something else.
    assert_eq!(parse([&filler[..], b"BBB", b"C"]).len(), 1);
    assert_eq!(parse([&b"a".repeat(MAX_BYTES + 1)[..], b"C"]), []);
    assert_eq!(parse_info(&[&filler[2..], b" , d=e"].concat()), Params::default());
}

#[test]
fn so_many_challenges_and_parameters_are_read() {
    let challenges: Vec<_> = (0..MAX_CHALLENGES + 1).map(|index| format!("S{index}")).collect();
    assert_eq!(parsed(challenges.join(",").as_bytes()), challenges[..MAX_CHALLENGES]);
    // Those that are dropped do not count.
    let behind = format!("{}Basic realm=b", "A @,".repeat(MAX_CHALLENGES + 1));
    assert_eq!(parsed(behind.as_bytes()), ["Basic realm=b"]);

    let params: Vec<_> = (0..MAX_PARAMS + 1).map(|index| format!("p{index}={index}")).collect();
    let most = format!("Digest {}, Basic", params[..MAX_PARAMS].join(","));
    assert_eq!(parsed(most.as_bytes()).len(), 2);
    let more = format!("Digest {}, Basic", params.join(","));
    assert_eq!(parsed(more.as_bytes()), ["Basic"]);
    assert_eq!(parse_info(params.join(",").as_bytes()).iter().count(), MAX_PARAMS);
}

#[test]
fn authentication_info_gives_what_can_be_read() {
    // H-AUTH-24: an unparsable field does not fail a request that succeeded.
    for (value, expected) in [
        ("", ""),
        (
            r#"qop=auth, rspauth="0a", cnonce="c\"d", nc=00000001, nextnonce="n""#,
            r#"qop=auth;rspauth=0a;cnonce=c\"d;nc=00000001;nextnonce=n"#,
        ),
        ("nextnonce = \"n\" ,, ", "nextnonce=n"),
        ("nextnonce=abc==", "nextnonce=abc=="),
        (r#"Digest nextnonce="x", qop=auth"#, "qop=auth"),
        (r#"@@@, nextnonce="n", rspauth="x" junk"#, "nextnonce=n"),
        (r#"rspauth="good", RSPAUTH="bad""#, "rspauth=good"),
        (r#"qop=auth, nextnonce="open, rspauth=x"#, "qop=auth"),
        ("nextnonce", ""),
        ("=", ""),
    ] {
        let params = parse_info(value.as_bytes());
        let shown: Vec<_> = params.iter().map(|(name, value)| format!("{name}={}", value.escape_ascii())).collect();
        assert_eq!(shown.join(";"), expected, "{value}");
    }
}

#[test]
fn a_quoted_string_escapes_what_would_end_it() {
    let mut out = b"realm=".to_vec();
    assert!(quote(b"a\"b\\c\td \xff", &mut out));
    assert_eq!(out, b"realm=\"a\\\"b\\\\c\td \xff\"");
    // AUTH-13: nothing that ends a line gets through.
    for byte in (0..=0x1f).chain([0x7f]).filter(|byte| *byte != b'\t') {
        assert!(!quote(&[b'a', byte], &mut out), "{byte}");
    }
    assert_eq!(out, b"realm=\"a\\\"b\\\\c\td \xff\"");
}

fn read_by_grammar(text: &[u8]) -> Option<Vec<Challenge>> {
    let challenge = |(scheme, token68, params): reference::Read| Challenge {
        scheme: scheme.into(),
        token68: token68.map(Into::into),
        params: read_params(params),
    };
    Some(reference::challenges(text)?.into_iter().map(challenge).collect())
}

fn read_params(params: Vec<(String, Vec<u8>)>) -> Params {
    Params(params.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
}

/// Whether the grammar has nothing against it, but RFC 9110 §11.2 has.
fn has_a_name_twice(params: &Params) -> bool {
    params
        .iter()
        .enumerate()
        .any(|(index, (name, _))| params.iter().take(index).any(|(earlier, _)| earlier.eq_ignore_ascii_case(name)))
}

fn token() -> impl Strategy<Value = String> {
    "[!#$%&'*+.^_`|~0-9a-zA-Z-]{1,6}"
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>().prop_filter("no control", |byte| !is_control(*byte)), 0..8)
}

/// A challenge, its parameters in the order of their names, all of which differ.
fn challenge() -> impl Strategy<Value = Challenge> {
    let params = proptest::collection::btree_map(token().prop_map(|name| name.to_ascii_lowercase()), value(), 0..4)
        .prop_map(|params| (None, read_params(params.into_iter().collect())));
    let token68 = "[0-9a-zA-Z._~+/-]{1,6}={0,3}".prop_map(|token68| (Some(token68.into()), Params::default()));
    (token(), prop_oneof![3 => params, 1 => token68]).prop_map(|(scheme, (token68, params))| Challenge {
        scheme: scheme.into(),
        token68,
        params,
    })
}

/// What stands between two elements, around an equals sign, and whether a value that could do without is quoted.
#[derive(Clone, Debug)]
struct Spelling {
    comma: String,
    equals: String,
    quotes: bool,
}

fn spelling() -> impl Strategy<Value = Spelling> {
    ("[ \t]{0,2},[ \t,]{0,3}", "[ \t]{0,2}=[ \t]{0,2}", any::<bool>()).prop_map(|(comma, equals, quotes)| Spelling {
        comma,
        equals,
        quotes,
    })
}

fn written(challenges: &[Challenge], spelling: &Spelling) -> Vec<u8> {
    let mut out = Vec::new();
    for (index, challenge) in challenges.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(spelling.comma.as_bytes());
        }
        out.extend_from_slice(challenge.scheme.as_bytes());
        out.extend(challenge.token68.iter().flat_map(|token68| format!(" {token68}").into_bytes()));
        for (index, (name, value)) in challenge.params.iter().enumerate() {
            out.extend_from_slice(if index == 0 { " " } else { &spelling.comma }.as_bytes());
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(spelling.equals.as_bytes());
            let is_token = !value.is_empty() && value.iter().copied().all(crate::lex::is_token_byte);
            if is_token && !spelling.quotes {
                out.extend_from_slice(value);
            } else {
                assert!(quote(value, &mut out));
            }
        }
    }
    out
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        challenges in proptest::collection::vec(challenge(), 0..5),
        spelling in spelling(),
        line_break in any::<prop::sample::Index>(),
    ) {
        let line = written(&challenges, &spelling);
        prop_assert_eq!(&parse([&line[..]]), &challenges, "{}", line.escape_ascii());
        if !challenges.is_empty() {
            let (first, second) = challenges.split_at(line_break.index(challenges.len()));
            let lines = [written(first, &spelling), written(second, &spelling)];
            prop_assert_eq!(&parse(lines.iter().map(|line| &line[..])), &challenges);
        }
    }

    #[test]
    fn what_is_written_is_read_by_the_grammar_too(
        challenges in proptest::collection::vec(challenge(), 0..3),
        spelling in spelling(),
    ) {
        let line = written(&challenges, &spelling);
        prop_assert_eq!(read_by_grammar(&line), Some(challenges), "{}", line.escape_ascii());
    }

    #[test]
    fn whatever_keeps_the_grammar_is_read_as_the_grammar_reads_it(
        line in r#"((Basic|ab|YII==?|a|b|"(\\"|[x, =\\])*"|x\\) ?(=|,| )? ?){0,9}"#,
    ) {
        if let Some(mut expected) = read_by_grammar(line.trim_matches([' ', '\t']).as_bytes()) {
            expected.retain(|challenge| !has_a_name_twice(&challenge.params));
            prop_assert_eq!(parse([line.as_bytes()]), expected, "{}", line);
        }
        if let Some(params) = reference::info(line.trim_matches([' ', '\t']).as_bytes()) {
            let expected = read_params(params);
            prop_assume!(!has_a_name_twice(&expected));
            prop_assert_eq!(parse_info(line.as_bytes()), expected, "{}", line);
        }
    }

    #[test]
    fn any_octets_give_what_can_be_written_and_read_again(
        lines in proptest::collection::vec(proptest::collection::vec(
            prop_oneof![any::<u8>(), proptest::sample::select(&b"A1=,\" \\\t"[..])], 0..60), 0..3),
    ) {
        let challenges = parse(lines.iter().map(|line| &line[..]));
        let spelling = Spelling { comma: ",".into(), equals: "=".into(), quotes: true };
        prop_assert_eq!(parse([&written(&challenges, &spelling)[..]]), challenges);
        for line in &lines {
            let _ = parse_info(line);
        }
    }
}
