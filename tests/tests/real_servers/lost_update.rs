//! Two writers of one file in Apache's mod_dav.

use std::collections::HashSet;

use bytes::Bytes;
use httplib2::{
    Http, Response,
    lost_update::{Guard, IgnoreEtag, Precondition, Versions, merge_fn},
};
use httplib2_tests::servers::{Site, apache};
use tokio::sync::Barrier;

use crate::client::{client, get, settings, text};

/// How often each of the two writers adds a line.
const ROUNDS: usize = 500;

#[tokio::test]
#[ignore = "needs apache2"]
async fn of_a_thousand_updates_by_two_writers_none_is_lost() {
    let site = apache::start_dav();
    let uri = site.plain("/dav/list.txt");
    put(&client(&site), &uri, String::new()).await;
    let merging = || {
        let settings = settings(&site).merge(merge_fn(async |versions| merged(&versions)));
        // One writer may lose to the other several times in a row, and nothing may depend on luck.
        settings.lost_update(|layer| layer.merge_rounds(100)).build().unwrap()
    };
    let (one, two, start) = (merging(), merging(), Barrier::new(2));
    let (ours, theirs) = tokio::join!(write(&one, &uri, "one", &start), write(&two, &uri, "two", &start));

    let answer = get(&one, uri).await;
    let lines: Vec<_> = text(&answer).lines().collect();
    let expected: HashSet<_> = (0..ROUNDS).flat_map(|n| [format!("one {n}"), format!("two {n}")]).collect();
    assert_eq!(lines.len(), expected.len(), "no line is there twice");
    assert!(lines.iter().all(|line| expected.contains(*line)));
    for writer in ["one", "two"] {
        let own = lines.iter().filter_map(|line| line.strip_prefix(writer)?.trim_start().parse::<usize>().ok());
        assert!(own.eq(0..ROUNDS), "the lines of {writer} are in the order in which they were written");
    }

    let conflicts = refused(&site, 5 * ROUNDS);
    assert_eq!(conflicts, ours + theirs, "every 412 was merged");
    assert!(conflicts >= ROUNDS / 2, "of two that have read the same, one is refused: {conflicts}");
}

/// The same two writers without tags: that what is proven above could fail.
#[tokio::test]
#[ignore = "needs apache2"]
async fn without_tags_updates_are_lost() {
    let site = apache::start_dav();
    let uri = site.plain("/dav/list.txt");
    let (one, two) = (client(&site), client(&site));
    put(&one, &uri, String::new()).await;
    for (http, line) in [(&one, "one\n"), (&two, "two\n")] {
        get(http, uri.clone()).await;
        let careless = http.request(&uri).method("PUT").extension(IgnoreEtag).body(line);
        assert_eq!(careless.await.unwrap().0.status(), 204);
    }
    assert_eq!(text(&get(&one, uri).await), "two\n");
    assert_eq!(refused(&site, 6), 0);
}

#[tokio::test]
#[ignore = "needs apache2"]
async fn without_a_hook_the_conflict_is_the_caller_s() {
    let site = apache::start_dav();
    let uri = site.plain("/dav/note.txt");
    let (one, two) = (client(&site), client(&site));
    assert_eq!(put(&one, &uri, "first".into()).await.status(), 201);
    let (read, _) = get(&one, uri.clone()).await;
    get(&two, uri.clone()).await;

    assert_eq!(put(&two, &uri, "second".into()).await.status(), 204);
    let response = put(&one, &uri, "overtaken".into()).await;
    assert_eq!(response.status(), 412);
    let tag = read.header("etag").unwrap().parse().unwrap();
    assert_eq!(guard(&response).conflict().unwrap().sent, Some(Precondition::IfMatch(tag)));
    assert_eq!(text(&get(&one, uri.clone()).await), "second");

    // Who has read what is there may write.
    assert_eq!(put(&one, &uri, "third".into()).await.status(), 204);
}

#[tokio::test]
#[ignore = "needs apache2"]
async fn of_two_that_create_one_file_one_is_refused() {
    let site = apache::start_dav();
    let uri = site.plain("/dav/new.txt");
    let creating = || settings(&site).lost_update(|layer| layer.create_only(true)).build().unwrap();
    let (one, two) = (creating(), creating());
    let (ours, theirs) = tokio::join!(put(&one, &uri, "one".into()), put(&two, &uri, "two".into()));
    let mut statuses = [ours.status().as_u16(), theirs.status().as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 412]);
}

/// Adds lines, each to what was read just before, and returns how often that had to be merged.
async fn write(http: &Http, uri: &str, name: &str, start: &Barrier) -> usize {
    let mut merges = 0;
    for n in 0..ROUNDS {
        let read = get(http, uri.to_owned()).await;
        // Every other time both have read before one of them writes; in between they run free.
        if n % 2 == 0 {
            start.wait().await;
        }
        let response = put(http, uri, format!("{}{name} {n}\n", text(&read))).await;
        assert_eq!(response.status(), 204, "{}", guard(&response));
        merges += guard(&response).rounds();
    }
    merges
}

/// What is there, and below it what is new in mine.
fn merged(versions: &Versions) -> Option<Bytes> {
    let mine = str::from_utf8(versions.mine.body()).ok()?;
    let theirs = str::from_utf8(versions.theirs.body()).ok()?;
    let known: HashSet<_> = theirs.lines().collect();
    let mut merged = theirs.to_owned();
    for line in mine.lines().filter(|line| !known.contains(line)) {
        merged = merged + line + "\n";
    }
    Some(merged.into())
}

async fn put(http: &Http, uri: &str, content: String) -> Response {
    http.request(uri).method("PUT").body(content).await.unwrap().0
}

fn guard(response: &Response) -> &Guard {
    response.extensions().get().expect("it was an update")
}

/// How many of the answers were a 412.
fn refused(site: &Site, least: usize) -> usize {
    site.answers(least).iter().filter(|answer| answer.starts_with("412 ")).count()
}
