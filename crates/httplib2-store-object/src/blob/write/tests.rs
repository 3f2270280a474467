//! What is written, and that the same is read back.

use super::*;
use crate::blob::read_blob;
use httplib2_core::who::Identity;
use std::time::{Duration, SystemTime};

const DATE: &str = "Tue, 14 Nov 2023 22:13:20 GMT";

fn key() -> Key {
    Key::of(&"http://example.org/a/b?q=1".parse().unwrap()).unwrap()
}

fn response(status: u16, fields: &[(&'static str, &[u8])]) -> Head {
    let mut headers = HeaderMap::new();
    headers.insert(header::DATE, HeaderValue::from_static(DATE));
    for (name, value) in fields {
        headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap());
    }
    let received_at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    Head::new(StatusCode::from_u16(status).unwrap(), headers, received_at)
}

fn written(head: &Head, coding: Option<&[u8]>) -> Result<String, Refused> {
    super::head(&key(), head, Body { length: 7, coding }).map(|blob| String::from_utf8(blob).unwrap())
}

/// The lines behind status and date, and before the `Content-Location` and the length that are added.
fn lines(head: &Head) -> Vec<String> {
    let text = written(head, None).unwrap();
    let text = text.strip_prefix(&format!("status: 200\r\ndate: {DATE}\r\n")).unwrap();
    let text = text.strip_suffix("content-location: http://example.org/a/b?q=1\r\n-length: 7\r\n\r\n").unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_response_is_written_as_httplib2_writes_it() {
    // H-CACHE-14 to H-CACHE-21.
    let mut head = response(
        200,
        &[
            ("content-type", b"text/html"),
            ("content-encoding", b"gzip"),
            ("content-length", b"99"),
            ("transfer-encoding", b"chunked"),
            ("vary", b"accept, x-absent"),
        ],
    );
    head.selecting = vec![
        (header::ACCEPT, Some(b"text/html,text/plain".as_slice().into())),
        (HeaderName::from_static("x-absent"), None),
    ];
    let expected = "status: 200\n\
        date: Tue, 14 Nov 2023 22:13:20 GMT\n\
        content-type: text/html\n\
        vary: accept, x-absent\n\
        content-length: 7\n\
        content-location: http://example.org/a/b?q=1\n\
        -content-encoding: gzip\n\
        -varied-accept: text/html, text/plain\n\n";
    assert_eq!(written(&head, Some(b"gzip")).unwrap(), expected.replace('\n', "\r\n"));
}

#[test]
fn what_a_server_sends_writes_no_note_and_no_status() {
    // H-CACHE-22: httplib2 would follow it, in each request.
    let head =
        response(200, &[("-x-permanent-redirect-url", b"http://evil/"), ("-varied-a", b"b"), ("status", b"500")]);
    assert_eq!(lines(&head), [""; 0]);
}

#[test]
fn several_lines_are_one_where_they_can_be_told_apart_again() {
    // httplib2 sees only the last line of a name.
    for (values, expected) in [
        (&["a", "b", "c"][..], &["x: a,\tb,\tc"][..]),
        (&["a,", "b"], &["x: a,,\tb"]),
        (&["a", ""], &["x: a", "x: "]),
        (&["a", "\u{e9}"], &["x: a", "x: =?utf-8?b?w4PCqQ==?="]),
        (&["a,\tb"], &["x: =?utf-8?b?YSwJYg==?="]),
        (&["a,\tb", "c"], &["x: =?utf-8?b?YSwJYg==?=", "x: c"]),
        (&["a,", "\tb"], &["x: a,", "x: =?utf-8?b?CWI=?="]),
        (&["=?foo?="], &["x: =?utf-8?b?PT9mb28/PQ==?="]),
        (&["=?a", "b?="], &["x: =?a", "x: b?="]),
    ] {
        let fields: Vec<_> = values.iter().map(|value| ("x", value.as_bytes())).collect();
        let head = response(200, &fields);
        let text = written(&head, None).unwrap();
        let read = read_blob(format!("{text}1234567").as_bytes()).unwrap();
        let back: Vec<_> = read.headers.get_all("x").iter().map(HeaderValue::as_bytes).collect();
        assert_eq!(back, values.iter().map(|value| value.as_bytes()).collect::<Vec<_>>(), "{text}");
        assert_eq!(lines(&head), expected, "{values:?}");
    }
}

#[test]
fn httplib2_finds_all_names_of_a_vary_on_several_lines() {
    // H-CACHE-40: httplib2 looks at one line, takes the blanks out of it, and splits it at the commas.
    for lines in [&["accept", "Accept-Language"][..], &["accept", "", "accept-language"], &["accept,\taccept-language"]]
    {
        let fields: Vec<_> = lines.iter().map(|line| ("vary", line.as_bytes())).collect();
        let mut head = response(200, &fields);
        head.selecting = vec![(header::ACCEPT, Some(b"a".as_slice().into())), (header::ACCEPT_LANGUAGE, None)];
        let text = written(&head, None).unwrap();
        let vary: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("vary: ")).collect();
        assert_eq!(vary.len(), 1, "{lines:?}");
        let named: Vec<_> = vary[0].split(',').map(|name| name.replace(' ', "").to_lowercase()).collect();
        assert_eq!(named, ["accept", "accept-language"], "{lines:?}");
        let read = read_blob(format!("{text}1234567").as_bytes()).unwrap();
        assert_eq!(varied::read(&read.headers, &read.varied), Some(head.selecting), "{lines:?}");
    }
}

#[test]
fn only_final_answers_and_permanent_redirects_are_kept() {
    // H-CACHE-10, H-CACHE-17, H-CACHE-20.
    for (status, location, expected) in [
        (200, None, Some(("200", None))),
        (203, None, Some(("203", None))),
        (204, None, Some(("204", None))),
        (404, None, Some(("404", None))),
        (501, None, Some(("501", None))),
        (304, None, Some(("200", None))),
        (301, Some("/c"), Some(("301", Some("http://example.org/c")))),
        (308, Some("../c?d#e"), Some(("308", Some("http://example.org/c?d#e")))),
        (301, Some("HTTPS://Other.example"), Some(("301", Some("https://other.example/")))),
        (301, None, None),
        (301, Some("mailto:a@b"), None),
        (206, None, None),
        (300, None, None),
        (302, Some("/c"), None),
        (303, Some("/c"), None),
        (307, Some("/c"), None),
        (100, None, None),
        (999, None, None),
    ] {
        let fields: Vec<_> = location.iter().map(|location| ("location", location.as_bytes())).collect();
        let text = written(&response(status, &fields), None);
        let text = text.as_ref().map(|text| {
            let line = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
            (line("status: ").unwrap(), line("-x-permanent-redirect-url: "))
        });
        assert_eq!(text.ok(), expected, "{status} {location:?}");
    }
    let two = response(301, &[("location", b"/a"), ("location", b"/b")]);
    assert_eq!(written(&two, None), Err(Refused::Status));
}

#[test]
fn what_is_for_somebody_is_not_kept() {
    let mut head = response(200, &[]);
    head.identity = Some(Identity::new("joe"));
    assert_eq!(written(&head, None), Err(Refused::Identity));
    head.identity = None;
    head.selecting = vec![(header::AUTHORIZATION, Some(b"s3cret".as_slice().into()))];
    assert_eq!(written(&head, None), Err(Refused::Selection));
    head.headers.insert(header::VARY, HeaderValue::from_static("authorization"));
    assert_eq!(written(&head, None), Err(Refused::Selection));
}

#[test]
fn the_content_location_that_was_added_is_taken_off_again() {
    // H-CACHE-21: httplib2 writes it with the fragment.
    for (location, stays) in [
        ("http://example.org/a/b?q=1", false),
        ("HTTP://Example.org:80/a/b?q=1#top", false),
        ("http://example.org/a/b", true),
        ("/a/b?q=1", true),
        ("b?q=1", true),
    ] {
        let mut headers = response(200, &[("content-location", location.as_bytes())]).headers;
        drop_added(&key(), &mut headers);
        assert_eq!(headers.contains_key(header::CONTENT_LOCATION), stays, "{location}");
    }
    let sent = response(200, &[("content-location", b"/other")]);
    assert_eq!(written(&sent, None).unwrap().matches("content-location").count(), 1);
}

#[test]
fn identity_is_no_coding() {
    for (fields, expected) in [
        (&[][..], None),
        (&["gzip"][..], Some("gzip")),
        (&["Identity"], None),
        (&[" "], None),
        (&["gzip", "identity", "br"], Some("gzip, br")),
        (&["deflate, gzip"], Some("deflate, gzip")),
    ] {
        let fields: Vec<_> = fields.iter().map(|value| ("content-encoding", value.as_bytes())).collect();
        assert_eq!(coding(&response(200, &fields).headers).as_deref(), expected.map(str::as_bytes), "{fields:?}");
    }
}
