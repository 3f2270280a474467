//! What is read of blobs that httplib2, or somebody worse, has written.

use super::*;

fn read(head: &str, body: &str) -> Option<Blob> {
    read_blob(format!("{}\r\n\r\n{body}", head.replace('\n', "\r\n")).as_bytes())
}

/// The lines of a field.
fn lines(blob: &Blob, name: &str) -> Vec<Vec<u8>> {
    blob.headers.get_all(name).iter().map(|line| line.as_bytes().to_vec()).collect()
}

#[test]
fn a_blob_of_httplib2_is_a_response() {
    // As httplib2 0.32.1 writes it for a page that came coded, asked for with its own `Accept-Encoding`.
    let head = "status: 200\nserver: BaseHTTP/0.6 Python/3.11.7\ndate: Sat, 21 Nov 2026 17:00:00 GMT\n\
        cache-control: max-age=60\nvary: Accept-Encoding, X-Absent\ncontent-length: 5\n-content-encoding: gzip\n\
        content-location: http://127.0.0.1/page#top\n-varied-accept-encoding: gzip, deflate";
    let blob = read(head, "hello").unwrap();
    assert_eq!((blob.status, blob.body.len()), (StatusCode::OK, 5));
    assert_eq!(blob.coding.as_deref(), Some(&b"gzip"[..]));
    assert_eq!(blob.varied, [(header::ACCEPT_ENCODING, b"gzip, deflate".to_vec())]);
    let names: Vec<_> = blob.headers.keys().map(HeaderName::as_str).collect();
    let expected = ["server", "date", "cache-control", "vary", "content-length", "content-location"];
    assert_eq!(names, expected);
}

#[test]
fn what_is_no_blob_is_not_there() {
    for blob in [
        &b""[..],
        b"status: 200",
        b"status: 200\r\n",
        b"status: 200\n\n",
        b"\r\n\r\n",
        b"server: x\r\n\r\n",
        b"status: \r\n\r\n",
        b"status: abc\r\n\r\n",
        b"status: 20\r\n\r\n",
        b"status: 099\r\n\r\n",
        b"status: 103\r\n\r\n",
        b"status: 206\r\n\r\n",
        b"status: 304\r\n\r\n",
        b"status: 999\r\n\r\n",
    ] {
        assert!(read_blob(blob).is_none(), "{:?}", String::from_utf8_lossy(blob));
    }
    let endless = format!("status: 200\r\na: {}\r\n\r\n", "x".repeat(MAX_HEAD));
    assert!(read_blob(endless.as_bytes()).is_none());
    for (lines, is_read) in [(4096, true), (4097, false)] {
        let crowded = format!("status: 200\r\n{}\r\n", "a:\r\n".repeat(lines));
        assert_eq!(read_blob(crowded.as_bytes()).is_some(), is_read);
        let joined = format!("status: 200\r\na: {}\r\n\r\n", vec!["1"; lines].join(",\t"));
        assert_eq!(read_blob(joined.as_bytes()).is_some(), is_read);
    }
}

#[test]
fn the_first_status_counts() {
    // H-CACHE-25; a server may send a field of that name.
    assert_eq!(read("status: 404 Not Found\nstatus: 200", "").unwrap().status, 404);
    assert_eq!(read("a: b\nSTATUS: 200", "").unwrap().status, 200);
    assert!(read("status: 200\nstatus: 404", "").unwrap().headers.is_empty());
}

#[test]
fn lines_that_say_nothing_are_passed_over() {
    let blob = read("status: 200\nno field\n: empty\nb d: name\na: 1\n\u{1}: 2\nc: \u{1}\nd: 3", "").unwrap();
    assert_eq!(blob.headers.len(), 2);
    assert_eq!((lines(&blob, "a"), lines(&blob, "d")), (vec![b"1".to_vec()], vec![b"3".to_vec()]));
}

#[test]
fn a_value_is_read_as_it_came() {
    // H-CACHE-23.
    for (written, expected) in [
        ("text", &[&b"text"[..]][..]),
        ("=?utf-8?q?caf=C3=A9?=", &[b"caf\xe9"]),
        ("=?foo?=", &[b"=?foo?="]),
        ("=?klingon?q?a?=", &[b"=?klingon?q?a?="]),
        // What would be two lines, were it not encoded.
        ("=?utf-8?q?a=2C=09b?=", &[b"a,\tb"]),
        ("a,\tb,\tc", &[b"a", b"b", b"c"]),
        ("a, b", &[b"a, b"]),
        // A line end cannot be smuggled in.
        ("=?utf-8?q?a=0D=0Ab:_c?=", &[b"=?utf-8?q?a=0D=0Ab:_c?="]),
        ("", &[b""]),
    ] {
        let blob = read(&format!("status: 200\nx: {written}"), "").unwrap();
        assert_eq!(lines(&blob, "x"), expected, "{written}");
        assert_eq!(blob.headers.keys_len(), 1, "{written}");
    }
}

#[test]
fn a_note_is_no_field() {
    // H-CACHE-22.
    let blob = read(
        "status: 200\n-x-permanent-redirect-url: http://evil/\n-a: b\n-varied-: c\n-varied-x: 1\n-varied-x: 2",
        "",
    );
    let blob = blob.unwrap();
    assert!(blob.headers.is_empty());
    assert_eq!(blob.varied, [(HeaderName::from_static("x"), b"1".to_vec())]);
}

#[test]
fn fields_of_a_connection_are_left_out() {
    // H-CACHE-15, RFC 9111 §3.1. The body has no coding any more, whatever a field says.
    let head = "status: 200\nconnection: close, X-Hop, Date\nx-hop: 1\nkeep-alive: timeout=5\nproxy-authenticate: Basic\n\
        transfer-encoding: chunked\ncontent-encoding: gzip\ndate: now\nx-end: 2";
    let blob = read(head, "").unwrap();
    assert_eq!(blob.headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["date", "x-end"]);
}

#[test]
fn a_body_that_was_cut_off_is_not_there_and_a_wrong_length_is_put_right() {
    // H-CACHE-51; httplib2 writes in place, so a reader may see the beginning (H-CACHE-04).
    for (length, expected) in [
        ("5", Some("5")),
        ("6", None),
        ("0", Some("5")),
        ("4", Some("5")),
        ("five", Some("5")),
        ("99999999999999999999999", Some("5")),
    ] {
        let blob = read(&format!("status: 200\ncontent-length: {length}"), "hello");
        let read = blob.map(|blob| blob.headers[header::CONTENT_LENGTH].to_str().unwrap().to_owned());
        assert_eq!(read.as_deref(), expected, "{length}");
    }
    assert!(read("status: 200", "hello").unwrap().headers.is_empty());
}

#[test]
fn a_body_that_has_not_the_noted_length_is_not_there() {
    for (noted, is_read) in [("5", true), ("6", false), ("4", false), ("0", false), ("five", true), ("", true)] {
        let blob = read(&format!("status: 200\n-length: {noted}"), "hello");
        assert_eq!(blob.is_some(), is_read, "{noted}");
        assert!(blob.is_none_or(|blob| blob.headers.is_empty()), "{noted}");
    }
    // H-CACHE-51: httplib2 has taken over the length of a 304, and the note with the rest.
    let blob = read("status: 200\n-length: 5\ncontent-length: 0", "hello").unwrap();
    assert_eq!(blob.headers[header::CONTENT_LENGTH], "5");
}

#[test]
fn a_body_may_hold_anything() {
    let blob = read("status: 200", "\r\n\r\nstatus: 404\r\n\r\n").unwrap();
    assert_eq!(blob.body, 15..15 + 19);
}

#[test]
fn no_blob_is_a_panic_and_none_brings_notes_in() {
    let good = b"status: 200\r\nvary: a, b\r\ncontent-length: 5\r\nx: =?utf-8?q?=C3=A9?= =?utf-8?b?w6k=?=\r\n\
        link: 1,\t2\r\n  3\r\nconnection: x\r\n-varied-a: 1\r\n-content-encoding: gzip\r\n\r\nhello";
    assert!(read_blob(good).is_some());
    let mut state = 1_u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let odd = b"\r\n\t =?:-,_\0\xff19bq";
    let mut read = 0;
    for _ in 0..50_000 {
        let mut blob = good.to_vec();
        for _ in 0..=random(4) {
            let (at, byte) = (random(blob.len()), odd[random(odd.len())]);
            match random(3) {
                0 => blob[at] = byte,
                1 => blob.insert(at, byte),
                _ => drop(blob.remove(at)),
            }
        }
        let Some(found) = read_blob(&blob) else { continue };
        read += 1;
        assert!(found.headers.keys().all(|name| !name.as_str().starts_with('-') && *name != STATUS));
        assert!(found.body.end == blob.len() && found.body.start <= blob.len());
    }
    assert!(read > 10_000, "{read}");
}

#[test]
fn debug_shows_no_values() {
    let blob = read("status: 200\nset-cookie: s3cret\nvary: x\n-varied-x: s3cret", "s3cret").unwrap();
    let debug = format!("{blob:?}");
    assert!(debug.contains("set-cookie") && !debug.contains("s3cret"), "{debug}");
}
