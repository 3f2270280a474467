//! Parts that are stored, and how they come together (RFC 9111 §3.3, §3.4).

mod common;

use std::sync::Arc;

use http::{Method, header};
use http_body_util::BodyExt;
use httplib2_cache::{CacheLayer, CacheMode, policy::Rules};
use httplib2_core::who::{Identity, SignedAs};
use httplib2_store::MemoryStore;
use httplib2_testing::{FixedClock, Reply, Server, reply, request};
use tower::ServiceExt;

use self::common::{
    GET, Signer, Site, cached,
    parts::{
        TEXT, asked, bare, broken, download, is_part, is_whole, offline, part, part_of, range, script, site, whole,
    },
    settle,
    stores::{Call, Fault, Faulty},
    with,
};

#[tokio::test(start_paused = true)]
async fn a_stored_part_answers_ranges_within_it() {
    // RFC 9111 §3.3.
    let site = site([part(2, 8)]);
    is_part(&site.send(range("bytes=2-7")).await, "bytes 2-7/10", "234567");
    for (value, content_range, text) in [
        ("bytes=2-7", "bytes 2-7/10", "234567"),
        ("bytes=3-4", "bytes 3-4/10", "34"),
        ("bytes=7-7", "bytes 7-7/10", "7"),
        ("bytes=2-3,3-5", "bytes 2-5/10", "2345"),
    ] {
        let got = site.send(range(value)).await;
        is_part(&got, content_range, text);
        assert_eq!(got.why(), "fresh (age 0 s < lifetime 60 s) -> part of a stored response");
        assert_eq!(got.headers[header::CONTENT_LENGTH], text.len().to_string());
    }
    let several = site.send(range("bytes=2-2,5-5")).await;
    assert_eq!(several.status, 206);
    assert!(several.text().contains("Content-Range: bytes 5-5/10\r\n\r\n5\r\n"), "{}", several.text());
    assert_eq!(site.sends(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_part_at_the_end_answers_for_the_end() {
    let site = site([part(5, 10)]);
    site.send(range("bytes=-5")).await;
    is_part(&site.send(range("bytes=-2")).await, "bytes 8-9/10", "89");
    is_part(&site.send(range("bytes=6-")).await, "bytes 6-9/10", "6789");
    assert_eq!(site.sends(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_part_is_never_served_as_the_whole() {
    // RFC 9111 §3.3, CACHE-28, trap 15.
    for mode in [CacheMode::Default, CacheMode::ForceCache, CacheMode::Revalidate, CacheMode::Reload] {
        // The end of it, so that nothing is to be completed by it but the beginning.
        let site = site([part(5, 10), reply(404).body("no"), reply(404)]);
        site.send(range("bytes=5-")).await;
        let mut plain = request(GET);
        plain.extensions_mut().insert(mode);
        assert_eq!(site.send(plain).await.status, 404, "{mode:?}");
    }
    for mode in [CacheMode::OnlyIfCached, CacheMode::Offline] {
        let site = site([part(0, 5)]);
        site.send(range("bytes=0-4")).await;
        let asking = |value: Option<&'static str>| {
            let mut request = value.map_or_else(|| request(GET), range);
            request.extensions_mut().insert(mode);
            request
        };
        for value in [None, Some("bytes=0-5"), Some("bytes=7-"), Some("bytes=99-")] {
            let got = site.send(asking(value)).await;
            assert_eq!((got.status.as_u16(), site.sends()), (504, 1), "{mode:?} {value:?}");
        }
        is_part(&site.send(asking(Some("bytes=1-2"))).await, "bytes 1-2/10", "12");
        assert_eq!(site.sends(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_part_answers_neither_head_nor_conditions() {
    let site = site([part(0, 5), reply(304)]);
    site.send(range("bytes=0-4")).await;
    let got = site.send(with(GET, &[("range", "bytes=0-4"), ("if-none-match", "\"a\"")])).await;
    assert_eq!((got.status.as_u16(), site.sends()), (304, 2));
    let head = Site::private(script([part(0, 5)]).on("HEAD http://a.example/", reply(200)));
    head.send(range("bytes=0-4")).await;
    let got = head.line("HEAD http://a.example/").await;
    assert_eq!((got.status.as_u16(), head.sends()), (200, 2));
    assert_eq!(got.why(), "only a part stored, origin asked -> answer not stored: only answers to GET are");
}

#[tokio::test(start_paused = true)]
async fn a_head_answer_about_another_version_drops_the_part() {
    // RFC 9111 §4.3.5.
    for (tag, sends) in [("\"a\"", 2), ("\"b\"", 3)] {
        let server = script([part(0, 5), part(0, 5)]).on("HEAD http://a.example/", reply(200).header("etag", tag));
        let site = Site::private(server);
        site.send(range("bytes=0-4")).await;
        site.line("HEAD http://a.example/").await;
        is_part(&site.send(range("bytes=0-4")).await, "bytes 0-4/10", "01234");
        assert_eq!(site.sends(), sends, "{tag}");
    }
    // What somebody else would get says nothing of it.
    let head = reply(200).header("etag", "\"b\"").extension(SignedAs(Identity::new("bob")));
    let site = Site::private(script([part(0, 5)]).on("HEAD http://a.example/", head));
    site.send(range("bytes=0-4")).await;
    site.line("HEAD http://a.example/").await;
    assert!(site.send(range("bytes=0-4")).await.is_from_cache());
}

#[tokio::test(start_paused = true)]
async fn a_stale_part_is_freshened_by_the_same_again() {
    let site = site([part(0, 5), part(1, 3)]);
    site.send(range("bytes=0-4")).await;
    site.later(100);
    let got = site.send(range("bytes=1-2")).await;
    is_part(&got, "bytes 1-2/10", "12");
    assert_eq!(
        got.why(),
        "stale (age 100 s > lifetime 60 s), origin asked -> answer passed on, stored response freshened"
    );
    is_part(&site.send(range("bytes=0-4")).await, "bytes 0-4/10", "01234");
    assert_eq!(site.sends(), 2);
}

#[tokio::test(start_paused = true)]
async fn parts_that_touch_or_overlap_become_one() {
    for (first, second, of_first, of_second, united) in [
        ("bytes=0-4", "bytes=5-7", part(0, 5), part(5, 8), "bytes=0-7"),
        ("bytes=5-7", "bytes=0-4", part(5, 8), part(0, 5), "bytes=0-7"),
        ("bytes=5-7", "bytes=8-9", part(5, 8), part(8, 10), "bytes=5-9"),
        ("bytes=4-5", "bytes=2-7", part(4, 6), part(2, 8), "bytes=2-7"),
        ("bytes=0-4", "bytes=5-", part(0, 5), part(5, 10), "bytes=0-9"),
        ("bytes=-5", "bytes=0-4", part(5, 10), part(0, 5), "bytes=0-9"),
    ] {
        // Not even the caller's own validator stands in the way.
        let site = site([of_first, of_second]);
        site.send(range(first)).await;
        let got =
            site.send(with(GET, &[("range", second), ("cache-control", "no-cache"), ("if-none-match", "\"x\"")])).await;
        assert_eq!((got.status.as_u16(), site.sends()), (206, 2), "{second}");
        let got = site.send(range(united)).await;
        assert!(got.is_from_cache(), "{united}: {}", got.why());
        let (from, to) = united["bytes=".len()..].split_once('-').unwrap();
        assert_eq!(got.text(), &TEXT[from.parse().unwrap()..=to.parse().unwrap()]);
        if united == "bytes=0-9" {
            is_whole(&site.get().await);
        }
        assert_eq!(site.sends(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn of_parts_with_a_gap_the_larger_one_stays() {
    for (first, second, of_first, of_second, kept) in [
        ("bytes=0-4", "bytes=8-9", part(0, 5), part(8, 10), "bytes=0-4"),
        ("bytes=8-9", "bytes=0-4", part(8, 10), part(0, 5), "bytes=0-4"),
    ] {
        let site = site([of_first, of_second]);
        site.send(range(first)).await;
        site.send(range(second)).await;
        assert!(site.send(range(kept)).await.is_from_cache());
        assert_eq!(site.sends(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_part_of_another_version_takes_the_place_of_what_is_stored() {
    let site = site([part(0, 5), part_of("\"b\"", "abcde", 0, 2), part_of("\"b\"", "abcde", 2, 5)]);
    site.send(range("bytes=0-4")).await;
    // By the caller's wish, so that no range of the old one answers.
    let got = site.send(with(GET, &[("range", "bytes=0-1"), ("cache-control", "no-cache")])).await;
    is_part(&got, "bytes 0-1/5", "ab");
    assert_eq!(site.get().await.text(), "abcde");
    assert_eq!(asked(&site), ("bytes=2-".to_owned(), "\"b\"".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn only_one_range_of_what_was_asked_for_is_stored() {
    // RFC 9111 §3.4, RFC 9110 §14.4, §15.3.7.
    for (reply, is_stored) in [
        (part(0, 5), true),
        (part(0, 3), true),
        (part(0, 5).header("content-length", "5"), true),
        // Without a strong validator it answers for itself.
        (bare("bytes 0-4/10", "01234"), true),
        (part_of("W/\"a\"", TEXT, 0, 5), true),
        // A range that is none, or not what was asked for.
        (bare("bytes 0-4/*", "01234").header("etag", "\"a\""), false),
        (bare("bytes 4-0/10", "01234").header("etag", "\"a\""), false),
        (bare("bytes 0-10/10", "01234").header("etag", "\"a\""), false),
        (bare("lines 0-4/10", "01234").header("etag", "\"a\""), false),
        (bare("bytes */10", "01234").header("etag", "\"a\""), false),
        (part(0, 6), false),
        (part(5, 10), false),
        (part(0, 5).header("content-length", "6"), false),
        (part(0, 5).header("content-range", "bytes 0-4/10"), false),
        (reply(206).header("cache-control", "max-age=60").header("etag", "\"a\"").body("01234"), false),
        (part(0, 5).header("cache-control", "no-store"), false),
        // The body is shorter or longer than it says.
        (part(0, 5).body("0123456"), false),
        (part(0, 5).body("012"), false),
    ] {
        let server = Server::new().on(GET, reply.clone()).on(GET, reply.clone());
        let site = Site::private(server);
        let got = site.send(range("bytes=0-4")).await;
        assert_eq!(got.status, 206);
        let again = site.send(range("bytes=0-2")).await;
        assert_eq!(again.is_from_cache(), is_stored, "{reply:?}: {}", got.why());
        if is_stored {
            assert_eq!(again.text(), "012");
        }
    }
    // Nobody asked for a part.
    let site = site([part(0, 5), whole()]);
    assert_eq!(site.get().await.status, 206);
    is_whole(&site.get().await);
}

#[tokio::test(start_paused = true)]
async fn only_strong_validators_join() {
    // RFC 9111 §3.4, RFC 9110 §8.8.2.2, §13.1.5.
    const MODIFIED: &str = "Fri, 15 Jan 2027 07:00:00 GMT";
    let dated = |date: &'static str| {
        move |from: usize, to: usize| {
            let content_range = format!("bytes {from}-{}/10", to - 1);
            bare(&content_range, &TEXT[from..to]).header("last-modified", MODIFIED).header("date", date)
        }
    };
    let tagged = |tag: &'static str| move |from, to| part_of(tag, TEXT, from, to);
    type Make = Box<dyn Fn(usize, usize) -> Reply>;
    let cases: [(Make, &str); 7] = [
        (Box::new(tagged("\"a\"")), "\"a\""),
        (Box::new(tagged("W/\"a\"")), ""),
        (Box::new(tagged("a")), ""),
        (Box::new(|from, to| bare(&format!("bytes {from}-{}/10", to - 1), &TEXT[from..to])), ""),
        (Box::new(dated("Fri, 15 Jan 2027 07:59:30 GMT")), MODIFIED),
        (Box::new(dated("Fri, 15 Jan 2027 07:00:59 GMT")), ""),
        (Box::new(move |from, to| dated("Fri, 15 Jan 2027 07:59:30 GMT")(from, to).header("etag", "W/\"a\"")), ""),
    ];
    for (make, if_range) in cases {
        // The rest is asked for, or all of it.
        let rest = if if_range.is_empty() { whole() } else { make(5, 10) };
        let site = site([make(0, 5), rest]);
        site.send(range("bytes=0-4")).await;
        is_whole(&site.get().await);
        assert_eq!(asked(&site).1, if_range);
        // Two that touch become one, or the second takes the place of the first.
        let site = self::site([make(0, 5), make(5, 8)]);
        site.send(range("bytes=0-4")).await;
        site.send(with(GET, &[("range", "bytes=5-7"), ("cache-control", "max-stale")])).await;
        let both = with(GET, &[("range", "bytes=4-5"), ("cache-control", "only-if-cached, max-stale")]);
        assert_eq!(site.send(both).await.is_from_cache(), !if_range.is_empty());
        let second = with(GET, &[("range", "bytes=5-6"), ("cache-control", "only-if-cached, max-stale")]);
        assert!(site.send(second).await.is_from_cache());
    }
}

#[tokio::test(start_paused = true)]
async fn a_part_without_a_validator_leaves_the_whole() {
    let site = site([cached("max-age=60").body(TEXT), bare("bytes 0-4/10", "01234")]);
    site.get().await;
    let got = site.send(with(GET, &[("range", "bytes=0-4"), ("cache-control", "no-cache")])).await;
    assert_eq!(
        got.why(),
        "the request says no-cache, origin asked -> answer not stored: it is a part that does not fit"
    );
    is_whole(&site.get().await);
    // Of another length it is of another version.
    let site = self::site([cached("max-age=60").body(TEXT), bare("bytes 0-4/11", "01234"), reply(404)]);
    site.get().await;
    site.send(with(GET, &[("range", "bytes=0-4"), ("cache-control", "no-cache")])).await;
    assert_eq!(site.get().await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn several_parts_in_one_answer_pass_and_are_not_stored() {
    let several = reply(206).header("etag", "\"a\"").header("cache-control", "max-age=60").body("--x");
    let several = several.header("content-type", "multipart/byteranges; boundary=x");
    let site = site([several.clone(), several]);
    for sends in [1, 2] {
        assert_eq!(site.send(range("bytes=0-1,5-6")).await.text(), "--x");
        assert_eq!(site.sends(), sends);
    }
}

#[tokio::test(start_paused = true)]
async fn parts_are_not_stored_when_that_is_off() {
    let site = site([part(0, 5), part(0, 5), broken(5), whole()]).with(|layer| layer.parts(false));
    for sends in [1, 2] {
        is_part(&site.send(range("bytes=0-4")).await, "bytes 0-4/10", "01234");
        assert_eq!(site.sends(), sends);
    }
    download(&site).await.unwrap_err();
    is_whole(&site.get().await);
    assert_eq!(asked(&site), (String::new(), String::new()));
    // Ranges of what is whole are still cut.
    is_part(&site.send(range("bytes=0-4")).await, "bytes 0-4/10", "01234");
}

#[tokio::test(start_paused = true)]
async fn parts_are_kept_apart_by_variant_and_user() {
    // RFC 9111 §4.1, RFC 9110 §12.5.5.
    let variant =
        |tag: &str, text: &'static str, from, to| part_of(tag, text, from, to).header("vary", "accept-language");
    let site =
        site([variant("\"d\"", "deutsch", 0, 3), variant("\"e\"", "english", 0, 3), variant("\"d\"", "deutsch", 3, 7)]);
    let asking = |language, value| with(GET, &[("accept-language", language), ("range", value)]);
    site.send(asking("de", "bytes=0-2")).await;
    site.send(asking("en", "bytes=0-2")).await;
    assert_eq!(site.send(asking("de", "bytes=0-1")).await.text(), "de");
    assert_eq!(site.send(asking("en", "bytes=0-1")).await.text(), "en");
    assert_eq!(site.send(with(GET, &[("accept-language", "de")])).await.text(), "deutsch");
    assert_eq!(asked(&site), ("bytes=3-".to_owned(), "\"d\"".to_owned()));

    let signer = Signer::new(Some("alice"));
    let by = |user: &str, reply: Reply| reply.extension(SignedAs(Identity::new(user)));
    // In the end the rest comes for somebody else, and is not joined.
    let server = script([by("alice", part(0, 5)), by("bob", part(0, 5)), by("alice", part(5, 10)), by("bob", whole())]);
    let site = Site::private(server).with(|layer| layer.who_signs(Arc::new(signer.clone())));
    site.send(range("bytes=0-4")).await;
    signer.set(Some("bob"));
    assert!(!site.send(range("bytes=0-4")).await.is_from_cache());
    is_whole(&site.get().await);
    assert_eq!((site.sends(), asked(&site)), (4, (String::new(), String::new())));
}

#[tokio::test(start_paused = true)]
async fn a_shared_cache_joins_nothing_for_one_user() {
    // RFC 9111 §3.5.
    let site = Site::shared(script([part(0, 5), part(5, 10), whole()]));
    site.send(range("bytes=0-4")).await;
    let got = site.send(with(GET, &[("authorization", "Basic x"), ("range", "bytes=0-4")])).await;
    assert_eq!((got.is_from_cache(), site.sends()), (false, 2));
    site.send(with(GET, &[("authorization", "Basic x")])).await;
    assert_eq!(asked(&site), (String::new(), String::new()));
}

#[tokio::test(start_paused = true)]
async fn what_changes_the_resource_drops_the_part() {
    // RFC 9111 §4.4.
    let site = Site::private(script([part(0, 5), part(0, 5)]).on("POST http://a.example/", reply(204)));
    site.send(range("bytes=0-4")).await;
    site.line("POST http://a.example/").await;
    assert!(!site.send(range("bytes=0-4")).await.is_from_cache());
}

#[tokio::test(start_paused = true)]
async fn a_part_that_cannot_be_read_is_a_miss() {
    for fault in [Fault::Fails, Fault::Hangs] {
        let store = Faulty::new(Call::Open, fault);
        store.set_mended(false);
        let site = Site::on(script([part(0, 5), part(0, 5), whole()]), store);
        site.send(range("bytes=0-4")).await;
        is_part(&site.send(range("bytes=0-4")).await, "bytes 0-4/10", "01234");
        is_whole(&site.get().await);
        assert_eq!(site.sends(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_harms_no_caller() {
    for call in [Call::Begin, Call::Room, Call::Write, Call::Commit, Call::Update, Call::Remove] {
        for fault in [Fault::Fails, Fault::Hangs, Fault::Hesitates] {
            if call == Call::Begin && fault != Fault::Fails {
                continue;
            }
            let store = Faulty::new(call, fault);
            store.set_mended(true);
            let site = Site::on(script([part(3, 5), part(2, 4), part(5, 8)]), store.clone());
            site.send(range("bytes=3-4")).await;
            store.set_mended(false);
            is_part(
                &site.send(with(GET, &[("range", "bytes=2-3"), ("if-none-match", "\"x\"")])).await,
                "bytes 2-3/10",
                "23",
            );
            is_part(&site.send(range("bytes=4-7")).await, "bytes 4-7/10", "4567");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn more_than_may_be_read_in_the_background_is_not_copied_for_a_part() {
    let site = site([part(0, 5), part(5, 8), part(8, 10), part(5, 10)])
        .with(|layer| layer.background(4, std::time::Duration::from_secs(1)));
    site.send(range("bytes=0-4")).await;
    let got = site.send(range("bytes=5-7")).await;
    assert_eq!(got.why(), "only a part stored, origin asked -> answer not stored: it is too large");
    is_part(&site.send(range("bytes=0-4")).await, "bytes 0-4/10", "01234");
}

#[tokio::test(start_paused = true)]
async fn a_handle_tells_no_tags_of_parts() {
    use httplib2_core::who::KnownTags;
    let site = site([part(0, 5)]);
    site.send(range("bytes=0-4")).await;
    let known = site.layer.handle().known_tags(&common::URI.parse().unwrap(), &http::HeaderMap::new()).await;
    assert!(known.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_post_with_a_range_is_none_of_the_caches_business() {
    let post = "POST http://a.example/";
    let site = Site::private(Server::new().on(post, part(0, 5)));
    let mut request = range("bytes=0-4");
    *request.method_mut() = Method::POST;
    assert_eq!(site.send(request).await.status, 206);
    assert_eq!(site.layer.handle().usage().await.unwrap().entries, 0);
}

#[tokio::test(start_paused = true)]
async fn nothing_of_an_outdated_version_is_left() {
    let insists = || with(GET, &[("range", "bytes=0-4"), ("cache-control", "no-cache")]);
    let no_store = || with(GET, &[("range", "bytes=0-4"), ("cache-control", "no-cache, no-store")]);
    for (asking, answer, is_left) in [
        // Selected in another way, not stored, contradictory, of another length.
        (insists(), part_of("\"b\"", "abcdefghij", 0, 5).header("vary", "accept"), false),
        (insists(), part_of("\"b\"", "abcdefghij", 0, 5).header("vary", "*"), false),
        (insists(), part_of("\"b\"", "abcdefghij", 0, 5).header("content-range", "x"), false),
        (insists(), bare("bytes 0-4/11", "01234").header("etag", "\"a\""), false),
        (insists(), bare("bytes 0-4/11", "01234"), false),
        // Nobody may learn of what this request brought.
        (no_store(), part_of("\"b\"", "abcdefghij", 0, 5), true),
        // The same, or what says nothing.
        (insists(), part(0, 5), true),
        (insists(), bare("x", "01234"), true),
        (insists(), reply(500), true),
    ] {
        let site = Site::private(script([whole(), answer.clone()]));
        site.get().await;
        site.send(asking).await;
        let mut offline = offline(None);
        offline.headers_mut().insert("accept", "text/html".parse().unwrap());
        let got = site.send(offline).await;
        assert_eq!(got.status == 200, is_left, "{answer:?} {got:?}");
    }
}

/// The whole, and one byte to those who ask for a range, in a store whose clock is that of the cache.
fn whole_and_a_byte() -> Site {
    let server =
        Server::answering(|request, _| if request.headers().contains_key("range") { part(0, 1) } else { whole() });
    let clock = FixedClock::at_unix(1_800_000_000);
    let store = MemoryStore::builder().clock(clock.clone()).build();
    let site = Site::on(server, store).with(|layer| layer.clock(clock.clone()));
    Site { clock, ..site }
}

#[tokio::test(start_paused = true)]
async fn a_part_never_takes_the_place_of_the_whole_of_its_version() {
    // Asked for while the whole is on its way.
    for on_tokio in [false, true] {
        let site = if on_tokio { whole_and_a_byte().on_tokio() } else { whole_and_a_byte() };
        let first = site.cache.clone().oneshot(request(GET)).await.unwrap();
        site.later(1);
        is_part(&site.send(range("bytes=0-0")).await, "bytes 0-0/10", "0");
        assert_eq!(first.into_body().collect().await.unwrap().to_bytes(), TEXT);
        settle().await;
        is_whole(&site.send(offline(None)).await);
    }
    // Looked up before the whole came, and stored after it.
    let site = whole_and_a_byte();
    let small = site.cache.clone().oneshot(range("bytes=0-0")).await.unwrap();
    is_whole(&site.get().await);
    small.into_body().collect().await.unwrap();
    is_whole(&site.send(offline(None)).await);
    // The beginning of a download that breaks off after another one came to its end.
    let site = Site::private(script([broken(5), whole()]));
    let one = site.cache.clone().oneshot(request(GET)).await.unwrap();
    is_whole(&site.get().await);
    one.into_body().collect().await.unwrap_err();
    is_whole(&site.send(offline(None)).await);
}

#[tokio::test]
async fn what_is_outdated_does_not_outlive_what_was_not_stored_after_all() {
    let site = Site::private(script([whole(), part_of("\"b\"", "abcdefghij", 0, 5)]));
    site.get().await;
    let insists = with(GET, &[("range", "bytes=0-4"), ("cache-control", "no-cache")]);
    drop(site.cache.clone().oneshot(insists).await.unwrap());
    assert_eq!(site.send(offline(None)).await.status, 504);

    let other = cached("max-age=60").header("etag", "\"b\"").chunks(["abcdefg", "hij"]);
    let site = Site::private(script([part(0, 5), other])).with(|layer| layer.max_object(8));
    site.send(range("bytes=0-4")).await;
    assert_eq!(site.get().await.text(), "abcdefghij");
    let got = site.send(range("bytes=0-4")).await;
    assert!(!(got.text() == "01234" && got.is_from_cache()), "{}", got.why());
}

#[tokio::test]
async fn where_no_range_is_answered_no_part_is_stored() {
    let mut rules = Rules::private();
    rules.ranges = false;
    let layer = CacheLayer::with_rules(Arc::new(MemoryStore::new()), rules);
    let site = Site::over(script([whole(), part(0, 1)]), layer);
    site.get().await;
    site.send(range("bytes=0-0")).await;
    is_whole(&site.send(offline(None)).await);
}

#[tokio::test]
async fn a_byte_is_not_worth_a_copy_of_everything() {
    const LENGTH: usize = 1024 * 1024;
    let server = Server::answering(|request, _| {
        let value = request.headers()["range"].to_str().unwrap().strip_prefix("bytes=").unwrap().to_owned();
        let (first, last) = value.split_once('-').unwrap();
        let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
        let content_range = format!("bytes {first}-{last}/{LENGTH}");
        bare(&content_range, "").header("etag", "\"a\"").body(vec![7; last - first + 1])
    });
    for (stored, asked, is_joined) in
        [("bytes=0-9", "bytes=10-10", true), ("bytes=0-524287", "bytes=524288-524288", false)]
    {
        let site = Site::private(server.clone());
        site.send(range(stored)).await;
        site.send(range(asked)).await;
        assert_eq!(site.send(range(asked)).await.is_from_cache(), is_joined, "{asked}");
        assert!(site.send(range(stored)).await.is_from_cache(), "{stored}");
    }
}
