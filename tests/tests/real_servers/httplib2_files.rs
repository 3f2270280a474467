//! Python's httplib2 and we read what the other one has written.
//!
//! They run with the Python that `HTTPBIN_PYTHON` names, which must have httplib2 0.32.1; without the variable, with
//! the one of `.ci/run`.

use std::{
    collections::BTreeMap,
    env,
    future::poll_fn,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, SystemTime},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use httplib2_store::{Entry, Head, Key, Store};
use httplib2_store_object::{Blocking, FileCache, ObjectStore, safename};
use serde_json::Value;

/// What httplib2 serves from a directory.
struct Served {
    uri: String,
    from_cache: bool,
    status: u64,
    /// A character stands for an octet.
    headers: BTreeMap<String, String>,
    leads_to: Option<String>,
    body: Vec<u8>,
}

/// What we write, and what of the request it depends on.
struct Case {
    uri: String,
    asked: Vec<(&'static str, &'static str)>,
    head: Head,
    body: Bytes,
}

#[tokio::test]
#[ignore = "needs python3 with httplib2"]
async fn what_httplib2_wrote_is_found_with_its_headers_and_body() {
    let directory = tempfile::tempdir().unwrap();
    let served = python("write", directory.path(), "");
    assert!(served.len() >= 40, "{} entries", served.len());
    let store = store(directory.path());
    for expected in served {
        let uri = &expected.uri;
        assert!(expected.from_cache, "{uri}");
        assert!(directory.path().join(safename(uri)).is_file(), "{uri}");
        let (entry, body) = found(&store, uri).await.unwrap_or_else(|| panic!("{uri} is not found"));
        assert_eq!(u64::from(entry.head().status.as_u16()), expected.status, "{uri}");
        // What httplib2 shows of a redirect is where it leads to.
        let expected_body = if expected.leads_to.is_some() { b"moved" } else { &expected.body[..] };
        assert!(body == expected_body, "{uri}: {body:?}");
        assert_eq!(fields(&entry.head().headers), without_notes(&expected), "{uri}");
        for (name, value) in &entry.head().selecting {
            let noted = expected.headers.get(&format!("-varied-{name}"));
            let members = |text: &str| text.replace(' ', "");
            let value = value.as_ref().map(|value| members(str::from_utf8(value).unwrap()));
            assert_eq!(value, noted.map(|noted| members(noted)), "{uri}: {name}");
        }
    }
}

#[tokio::test]
#[ignore = "needs python3 with httplib2"]
async fn what_we_wrote_is_served_by_httplib2_with_its_headers_and_body() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path());
    let cases = cases();
    assert!(cases.len() >= 40, "{} entries", cases.len());
    for case in &cases {
        let key = key(&case.uri);
        let generation = store.lookup(&key).await.unwrap().generation;
        let mut writer = store.write(key, case.head.clone(), None, generation).expect("it can be kept");
        poll_fn(|cx| writer.poll_ready(cx)).await.unwrap();
        writer.write(case.body.clone()).unwrap();
        writer.commit(None).await.unwrap_or_else(|error| panic!("{}: {error}", case.uri));
    }
    let asked: Vec<_> = cases
        .iter()
        .map(|case| serde_json::json!([case.uri, case.asked.iter().copied().collect::<BTreeMap<_, _>>()]))
        .collect();
    let served = python("read", directory.path(), &Value::from(asked).to_string());
    assert_eq!(served.len(), cases.len());
    for (case, served) in cases.iter().zip(served) {
        let uri = &case.uri;
        assert!(served.from_cache, "{uri} is not found");
        assert_eq!(served.status, u64::from(case.head.status.as_u16()), "{uri}");
        let is_coded = case.head.headers.contains_key("content-encoding");
        assert_eq!(served.headers.contains_key("-content-encoding"), is_coded, "{uri}");
        let mut expected = fields(&case.head.headers);
        expected.remove("content-encoding");
        expected.retain(|name, _| !name.starts_with('-'));
        if is_coded {
            expected.insert("content-length".to_owned(), case.body.len().to_string());
        }
        assert_eq!(without_notes(&served), expected, "{uri}");
        match case.head.headers.get("x-leads-to") {
            // It is followed to another one that is stored.
            Some(target) => assert_eq!(served.leads_to.as_deref(), target.to_str().ok(), "{uri}"),
            None => assert!(served.body == case.body, "{uri}: {:?}", served.body),
        }
        // We find it again ourselves, as it was.
        let (entry, body) = found(&store, uri).await.unwrap_or_else(|| panic!("{uri} is not found"));
        assert!(body == case.body && entry.head().selecting == case.head.selecting, "{uri}");
    }
}

fn cases() -> Vec<Case> {
    let origin = "http://oracle.example";
    let case = |uri: String, fields: &[(&'static str, &[u8])], body: &[u8]| {
        let mut headers = HeaderMap::new();
        headers.insert("date", HeaderValue::from_static("Tue, 14 Nov 2023 22:13:20 GMT"));
        for (name, value) in fields {
            headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap());
        }
        let received = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let head = Head::new(StatusCode::OK, headers, received);
        Case { uri, asked: Vec::new(), head, body: Bytes::copy_from_slice(body) }
    };
    let mut cases = Vec::new();
    let binary: Vec<u8> = (0..=255).collect();
    let large = vec![b'x'; 300_000];
    for (number, body) in
        [&b""[..], b"x", b"\r\n\r\n", b"status: 404\r\n\r\nx", b"\n\n", &binary, &large].iter().enumerate()
    {
        cases.push(case(format!("{origin}/body/{number}"), &[("etag", b"\"1\"")], body));
    }
    let long = format!("/{}", "y".repeat(400));
    for path in
        ["/", "/a?b=c", "/a?b=c&d=%20e", "/%7Ejoe", "/a//b", "/a;b", "/A/b.C", "/a(b)=!'*", "/a?http://b/", &long]
    {
        cases.push(case(format!("{origin}{path}"), &[("cache-control", b"max-age=60")], path.as_bytes()));
    }
    for origin in ["https://oracle.example", "http://oracle.example:8080", "http://127.0.0.1", "http://[::1]:81"] {
        cases.push(case(format!("{origin}/origin"), &[], origin.as_bytes()));
    }
    let value = |number: usize, value: &[u8]| case(format!("{origin}/value/{number}"), &[("x-value", value)], b"value");
    let values: [&[u8]; 14] = [
        b"",
        b"a  b",
        b"a: b",
        b"\"a, b\"",
        b"caf\xe9",
        "\u{20ac}".as_bytes(),
        // As Python's email package would split it (H-CACHE-23).
        b"a\xc2\x85b",
        b"a\x85b",
        b"=?utf-8?b?aGk=?=",
        b"=?foo?=",
        b"=?klingon?q?a?=",
        b"a =?utf-8?b?aGk=?= b",
        b"a,\tb",
        &[0xe9; 300],
    ];
    cases.extend(values.iter().enumerate().map(|(number, one)| value(number, one)));
    cases.push(case(format!("{origin}/long"), &[("x-value", &[b'z'; 5_000])], b"long"));
    cases.push(case(format!("{origin}/lines"), &[("link", b"</1>"), ("link", b"</2>"), ("link", b"</3>")], b"lines"));
    cases.push(case(format!("{origin}/located"), &[("content-location", b"/elsewhere")], b"located"));
    // H-CACHE-22.
    cases.push(case(format!("{origin}/evil"), &[("-x-permanent-redirect-url", b"http://evil.example/")], b"evil"));
    cases.push(case(format!("{origin}/coded"), &[("content-encoding", b"gzip"), ("content-length", b"3")], b"coded"));
    for (number, (vary, asked, compared)) in [
        ("Accept", &[("accept", "text/html, text/plain;q=0.5")][..], "text/html,text/plain;q=0.5"),
        ("accept-encoding", &[("accept-encoding", "gzip, deflate")], "gzip,deflate"),
        ("User-Agent", &[("user-agent", "a, (b,c)")], "a, (b,c)"),
        ("X-Quoted", &[("x-quoted", "\"a,b\"")], "\"a,b\""),
    ]
    .into_iter()
    .enumerate()
    {
        let mut case = case(format!("{origin}/vary/{number}"), &[("vary", vary.as_bytes())], b"vary");
        case.head.selecting = vec![(HeaderName::from_static(asked[0].0), Some(compared.as_bytes().into()))];
        case.asked = asked.to_vec();
        cases.push(case);
    }
    let mut absent = case(format!("{origin}/vary/absent"), &[("vary", b"x-absent")], b"vary");
    absent.head.selecting = vec![(HeaderName::from_static("x-absent"), None)];
    cases.push(absent);
    for status in [203, 204, 404, 410] {
        let mut case = case(format!("{origin}/status/{status}"), &[], b"");
        case.head.status = StatusCode::from_u16(status).unwrap();
        cases.push(case);
    }
    for status in [301, 308] {
        let leads_to: &[u8] = b"http://oracle.example/body/1";
        let fields = [("location", &b"../body/1"[..]), ("x-leads-to", leads_to)];
        let mut case = case(format!("{origin}/moved/{status}"), &fields, b"moved");
        case.head.status = StatusCode::from_u16(status).unwrap();
        cases.push(case);
    }
    cases
}

fn store(directory: &Path) -> ObjectStore {
    let files = FileCache::new(directory).unwrap();
    // What is "coded" here is not, so there is nothing to decode.
    ObjectStore::builder(Blocking::inline(files)).decode_with(|_, body, _| Ok(body)).build()
}

fn key(uri: &str) -> Key {
    Key::of(&uri.parse().unwrap()).unwrap()
}

async fn found(store: &ObjectStore, uri: &str) -> Option<(Entry, Bytes)> {
    let found = store.lookup(&key(uri)).await.unwrap();
    let entry = found.variants.first()?.clone();
    let body = store.open(&key(uri), &entry).await.unwrap();
    let body = body.as_whole().unwrap().clone();
    Some((entry, body))
}

/// The fields of a response as httplib2 shows them, each on one line, but for what does not concern a cache.
fn fields(headers: &HeaderMap) -> BTreeMap<String, String> {
    let text = |value: &HeaderValue| value.as_bytes().iter().map(|byte| char::from(*byte)).collect::<String>();
    let line = |name: &HeaderName| headers.get_all(name).iter().map(text).collect::<Vec<_>>().join(",\t");
    headers.keys().map(|name| (name.to_string(), line(name))).collect()
}

/// What httplib2 shows, without what it adds.
fn without_notes(served: &Served) -> BTreeMap<String, String> {
    let mut headers = served.headers.clone();
    headers.retain(|name, _| !name.starts_with('-') && !matches!(&**name, "status" | "connection"));
    if headers.get("content-location") == Some(&served.uri) {
        headers.remove("content-location");
    }
    headers
}

fn python(mode: &str, directory: &Path, input: &str) -> Vec<Served> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python =
        env::var_os("HTTPBIN_PYTHON").map_or_else(|| tests.join("../target/ci-venv/bin/python"), PathBuf::from);
    let mut child = Command::new(python)
        .arg(tests.join("tests/real_servers/httplib2_files.py"))
        .args([mode.as_ref(), directory.as_os_str()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("there is a Python");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "it says above why it ended with {}", output.status);
    let lines: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    lines.iter().map(Served::of).collect()
}

// === impl Served ===

impl Served {
    fn of(line: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let headers = line["headers"].as_object().unwrap();
        Self {
            uri: text(&line["uri"]),
            from_cache: line["from_cache"].as_bool().unwrap(),
            status: line["status"].as_u64().unwrap(),
            headers: headers.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
            leads_to: line["leads_to"].as_str().map(str::to_owned),
            body: BASE64_STANDARD.decode(text(&line["body"])).unwrap(),
        }
    }
}
