//! What a hostile or careless peer sends so that a wrong answer is stored or a stored one reused wrongly.

mod common;

use httplib2_testing::{Server, reply, request};

use self::common::{GET, Site, cached, with};

type Fields = &'static [(&'static str, &'static str)];

/// One answer, and whether the next request goes to the origin again.
struct Case {
    id: &'static str,
    shared: bool,
    status: u16,
    answer: Fields,
    /// The fields of the first and of the second request.
    asks: [Fields; 2],
    /// How many seconds later the second one comes.
    later: u64,
    reaches: bool,
}

const LONG_AGO: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

const fn case(id: &'static str, answer: Fields, reaches: bool) -> Case {
    Case { id, shared: false, status: 200, answer, asks: [&[], &[]], later: 0, reaches }
}

const CASES: &[Case] = &[
    case("it is stored at all", &[("cache-control", "max-age=3600")], false),
    case("CACHE-01", &[("cache-control", "no-store, max-age=3600"), ("etag", "\"e\"")], true),
    Case { shared: true, ..case("CACHE-03", &[("cache-control", "private, max-age=3600")], true) },
    Case {
        shared: true,
        asks: [&[("authorization", "Bearer alice")], &[]],
        ..case("CACHE-04", &[("cache-control", "max-age=3600")], true)
    },
    Case {
        asks: [&[("accept-language", "de")], &[("accept-language", "en")]],
        ..case("CACHE-07", &[("cache-control", "max-age=3600"), ("vary", "Accept-Language")], true)
    },
    Case {
        asks: [&[], &[("x-lang", "de")]],
        ..case("CACHE-09", &[("cache-control", "max-age=3600"), ("vary", "X-Lang")], true)
    },
    case("CACHE-10", &[("cache-control", "max-age=3600"), ("vary", "*")], true),
    case("CACHE-15", &[("cache-control", "no-cache, max-age=3600"), ("etag", "\"e\"")], true),
    case("CACHE-30", &[("cache-control", "max-age=3600"), ("cache-control", "no-store")], true),
    case("CACHE-31", &[("cache-control", "max-age=3600,\tNo-StOrE ,")], true),
    case("CACHE-33", &[("cache-control", "max-age=-1"), ("etag", "\"e\"")], true),
    case("CACHE-33", &[("cache-control", "max-age=abc"), ("etag", "\"e\"")], true),
    case("CACHE-33", &[("cache-control", "max-age="), ("etag", "\"e\"")], true),
    Case { later: 1_000_000, ..case("CACHE-35", &[("cache-control", "max-age=99999999999999999999")], false) },
    case("CACHE-35", &[("cache-control", "max-age=60"), ("age", "99999999999999999999")], true),
    case("CACHE-36", &[("cache-control", "max-age=3600"), ("age", "100000")], true),
    case("CACHE-37", &[("expires", "0"), ("last-modified", LONG_AGO)], true),
    Case { later: 2, ..case("CACHE-38", &[("cache-control", "max-age=1")], true) },
    Case { status: 500, ..case("CACHE-43", &[("last-modified", LONG_AGO)], true) },
    Case { status: 503, ..case("CACHE-43", &[("last-modified", LONG_AGO)], true) },
    Case {
        asks: [&[], &[("cache-control", "no-cache")]],
        ..case("CACHE-45", &[("cache-control", "max-age=3600")], true)
    },
    Case { asks: [&[], &[("pragma", "no-cache")]], ..case("CACHE-45", &[("cache-control", "max-age=3600")], true) },
    case("CACHE-49", &[("cache-control", "max-age=0, s-maxage=3600"), ("etag", "\"e\"")], true),
    Case {
        asks: [&[("authorization", "alice")], &[("authorization", "bob")]],
        ..case("CACHE-51", &[("cache-control", "max-age=3600"), ("vary", "Authorization")], true)
    },
    Case { status: 299, ..case("CACHE-54", &[("cache-control", "must-understand, no-store, max-age=60")], true) },
    Case { status: 400, ..case("CACHE-58", &[("last-modified", LONG_AGO)], true) },
    Case { status: 413, ..case("CACHE-58", &[("last-modified", LONG_AGO)], true) },
    case("CACHE-63", &[("content-type", "text/css")], true),
    Case { status: 301, ..case("RED-38", &[("location", "/new"), ("cache-control", "no-store")], true) },
    // Trap 25: the apparent age.
    case("trap 25", &[("cache-control", "max-age=60"), ("date", LONG_AGO)], true),
];

#[tokio::test]
async fn what_must_reach_the_origin_does() {
    for case in CASES {
        let answer = case.answer.iter().fold(reply(case.status), |reply, (name, value)| reply.header(*name, *value));
        let server = Server::new().on(GET, answer.body("first")).on(GET, reply(200).body("second"));
        let site = if case.shared { Site::shared(server) } else { Site::private(server) };
        site.send(with(GET, case.asks[0])).await;
        site.later(case.later);
        let second = site.send(with(GET, case.asks[1])).await;
        let expected = if case.reaches { ("second", 2) } else { ("first", 1) };
        assert_eq!((second.text(), site.sends()), expected, "{}: {:?}", case.id, case.answer);
    }
}

#[tokio::test]
async fn the_key_holds_authority_path_and_query_byte_for_byte() {
    // CACHE-22, CACHE-23, CACHE-26.
    let long = "x".repeat(4000);
    let mut lines: Vec<String> = ["", "?", "?a=1&b=2", "?b=2&a=1", "?a=1%26b=2", "?a=1&b=2&", "x/", "X", "%7Ex", "~x"]
        .map(|tail| format!("{GET}{tail}"))
        .to_vec();
    lines.extend(["http://b.example/", "http://a.example:81/", "https://a.example/"].map(|uri| format!("GET {uri}")));
    lines.extend(["1", "2"].map(|end| format!("{GET}{long}{end}")));
    let site = Site::private(Server::answering(|request, _| cached("max-age=3600").body(request.line())));
    for _ in 0..2 {
        for line in &lines {
            assert_eq!(site.line(line).await.text(), line);
        }
    }
    assert_eq!(site.sends(), lines.len());
}

#[tokio::test]
async fn a_part_is_not_the_whole() {
    // CACHE-28.
    let part = reply(206).header("cache-control", "max-age=3600").header("content-range", "bytes 0-0/5").body("w");
    let site = Site::private(Server::new().on(GET, part).on(GET, cached("max-age=3600").body("whole")));
    assert_eq!(site.send(with(GET, &[("range", "bytes=0-0")])).await.status, 206);
    assert_eq!(site.get().await.text(), "whole");
    // CACHE-56: a part of what is stored.
    let ranged = site.send(with(GET, &[("range", "bytes=1-2")])).await;
    assert_eq!((ranged.status.as_u16(), ranged.text(), site.sends()), (206, "ho", 2));
}

#[tokio::test]
async fn cookies_of_one_user_are_not_shared() {
    // CACHE-53.
    let site = Site::shared(Server::new().on(GET, cached("max-age=3600").header("set-cookie", "session=s3cret")));
    assert!(site.get().await.headers.contains_key("set-cookie"));
    let second = site.get().await;
    assert!(second.is_from_cache() && !second.headers.contains_key("set-cookie"));
}

#[tokio::test]
async fn endless_uris_stay_within_the_limit() {
    // CACHE-65.
    let store = httplib2_store::MemoryStore::builder().capacity(256 * 1024).build();
    let site = Site::on(Server::answering(|_, _| cached("max-age=3600").body(vec![b'x'; 1024])), store);
    for number in 0..1000 {
        site.send(request(&format!("GET http://a.example/{number}"))).await;
    }
    let usage = site.layer.handle().usage().await.unwrap();
    assert!(usage.bytes <= 256 * 1024 && usage.entries > 10, "{usage:?}");
}
