//! Basic and Digest of Apache, and Basic of nginx: who is let in, who is not, and what that costs.

use std::time::Duration;

use http_body_util::Full;
use httplib2::{
    Body, Http, Response,
    auth::{Authentication, Unanswered},
    digest::Digest,
};
use httplib2_tests::servers::{DIGESTS, PASSWORD, SECRET, Site, USER, apache, echoed};

use crate::{
    client::{client, get, settings, text},
    site::on_both_servers,
};

on_both_servers! {
    basic_lets_us_in_and_is_asked_for_once
    a_wrong_password_is_tried_once
    a_recorded_stream_arrives_behind_basic_and_another_is_not_cut_off
    credentials_in_the_uri_need_no_challenge
}

async fn basic_lets_us_in_and_is_asked_for_once(site: Site) {
    for uri in [site.plain("/basic/secret.txt"), site.tls("/basic/secret.txt")] {
        let http = user(&site);
        for fact in ["basic for \"basic\", after 1 challenge", "basic for \"basic\", in advance"] {
            let answer = get(&http, uri.clone()).await;
            assert_eq!((answer.0.status().as_u16(), text(&answer)), (200, SECRET));
            assert_eq!(authentication(&answer.0).to_string(), fact, "{uri}");
        }
    }
    assert_eq!(site.challenges(6, "/basic/"), 2);
    assert_eq!(site.answers(6).len(), 6);
}

/// H-AUTH: a bounded number of requests, and the 401 is the caller's.
async fn a_wrong_password_is_tried_once(site: Site) {
    let http = client(&site);
    http.add_credentials(USER, "open");
    for asked in 1..=3 {
        let (response, _) = get(&http, site.plain("/basic/secret.txt")).await;
        assert_eq!(response.status(), 401);
        assert_eq!(authentication(&response).unanswered(), Some(&Unanswered::Rejected("basic")));
        assert_eq!(site.answers(2 * asked), vec!["401 /basic/secret.txt"; 2 * asked]);
    }
}

async fn a_recorded_stream_arrives_behind_basic_and_another_is_not_cut_off(site: Site) {
    for uri in [site.plain("/basic/echo"), site.tls("/basic/echo")] {
        post_streams(&user(&site), &uri).await;
    }
}

/// RFC 7617 §2.2: whoever names the user in the URI wants the user to be named at once.
async fn credentials_in_the_uri_need_no_challenge(site: Site) {
    let uri = site.plain("/basic/secret.txt").replace("://", "://joe:open%3Asesame%207@");
    let answer = get(&client(&site), uri).await;
    assert_eq!((answer.0.status().as_u16(), text(&answer)), (200, SECRET), "{}", authentication(&answer.0));
    assert_eq!(site.answers(1), ["200 /basic/secret.txt"]);
}

#[tokio::test]
#[ignore = "needs apache2"]
async fn digest_lets_us_in_and_the_server_proves_itself() {
    let site = apache::start();
    for digest in DIGESTS {
        // With `mutual` an answer without the right `rspauth` fails (RFC 7616 §3.5).
        let http = settings(&site).auth(|layer| layer.scheme(Digest::new().mutual(true))).build().unwrap();
        http.add_credentials(USER, PASSWORD);
        let name = digest.name;
        // "wider" shares its realm with "wide", or else `domain` would not make one space of both.
        let realm = if name == "wider" { "wide" } else { name };
        for how in ["after 1 challenge", "in advance", "in advance"] {
            let answer = get(&http, site.plain(&format!("/digest/{name}/secret.txt?for=us"))).await;
            assert_eq!((answer.0.status().as_u16(), text(&answer)), (200, SECRET), "{name}");
            assert_eq!(authentication(&answer.0).to_string(), format!("digest for \"{realm}\", {how}"), "{name}");
        }
    }
    assert_eq!(site.challenges(4 * DIGESTS.len(), "/digest/"), DIGESTS.len());
}

#[tokio::test]
#[ignore = "needs apache2"]
async fn digest_works_over_http_2() {
    let site = apache::start();
    let http = user(&site);
    for _ in 0..2 {
        let answer = get(&http, site.tls("/digest/forever/secret.txt")).await;
        assert_eq!((answer.0.version(), text(&answer)), (20, SECRET));
    }
    assert_eq!(site.challenges(3, "/digest/"), 1);
}

#[tokio::test]
#[ignore = "needs apache2"]
async fn a_wrong_password_for_digest_is_tried_once() {
    let site = apache::start();
    let http = client(&site);
    http.add_credentials(USER, "open");
    for asked in 1..=3 {
        let (response, _) = get(&http, site.plain("/digest/plain/secret.txt")).await;
        assert_eq!(response.status(), 401);
        assert_eq!(authentication(&response).unanswered(), Some(&Unanswered::Rejected("digest")));
        assert_eq!(site.answers(2 * asked), vec!["401 /digest/plain/secret.txt"; 2 * asked]);
    }
}

#[tokio::test]
#[ignore = "needs apache2"]
async fn a_recorded_stream_arrives_behind_digest_and_another_is_not_cut_off() {
    let site = apache::start();
    for uri in [site.plain("/digest/plain/echo"), site.tls("/digest/plain/echo")] {
        post_streams(&user(&site), &uri).await;
    }
}

#[tokio::test]
#[ignore = "needs apache2"]
async fn a_domain_makes_one_space_of_two_directories() {
    let site = apache::start();
    let http = user(&site);
    for path in ["/digest/wide/secret.txt", "/digest/wider/secret.txt"] {
        assert_eq!(text(&get(&http, site.plain(path)).await), SECRET);
    }
    assert_eq!(
        site.answers(3),
        ["401 /digest/wide/secret.txt", "200 /digest/wide/secret.txt", "200 /digest/wider/secret.txt"]
    );
}

#[tokio::test]
#[ignore = "needs apache2"]
async fn two_realms_of_one_origin_and_an_open_directory_do_not_get_in_each_other_s_way() {
    let site = apache::start();
    let http = user(&site);
    for _ in 0..10 {
        for path in ["/digest/wide/secret.txt", "/basic/secret.txt"] {
            assert_eq!(text(&get(&http, site.tls(path)).await), SECRET);
        }
        assert_eq!(get(&http, site.tls("/hello.txt")).await.0.status(), 200);
    }
    assert_eq!((site.challenges(32, "/digest/"), site.challenges(32, "/basic/")), (1, 1));
}

#[tokio::test]
#[ignore = "needs apache2"]
async fn over_plain_http_basic_is_not_answered_where_digest_was_good_enough() {
    // RFC 7616 §5.7: whoever is on the way could ask for it.
    let site = apache::start();
    let http = user(&site);
    assert_eq!(text(&get(&http, site.plain("/digest/wide/secret.txt")).await), SECRET);
    let (response, _) = get(&http, site.plain("/basic/secret.txt")).await;
    assert_eq!(response.status(), 401);
    assert_eq!(authentication(&response).unanswered(), Some(&Unanswered::Downgrade("basic")));
}

/// The first sends of these are refused before anybody has read them to the end.
async fn post_streams(http: &Http, uri: &str) {
    // Not many small ones: Apache hands the whole body to its script before it reads what that answers, and the script
    // waits for room to answer in, of which each small piece takes as much as a large one.
    let pieces = || (0..50).map(|n| format!("piece {n} of a stream\n").repeat(50));
    let whole: String = pieces().collect();
    let post = |body| http.request(uri).method("POST").timeout(Duration::from_secs(5)).body(body);

    let (response, _) = post(Body::chunks(pieces())).await.unwrap();
    assert_eq!(response.status(), 401, "{uri}");
    assert_eq!(authentication(&response).unanswered(), Some(&Unanswered::BodyGone), "{uri}");

    for (body, challenges) in [
        (Body::chunks(pieces()).recorded(1 << 20), 1),
        // From now on a stream is signed in advance, so one that cannot be repeated arrives as well.
        (Body::chunks(pieces()), 0),
        (Body::wrap(Full::from(whole.clone())).recorded(1 << 20), 0),
    ] {
        let answer = post(body).await.unwrap();
        assert_eq!(answer.0.status(), 200, "{uri}");
        assert!(echoed(text(&answer), "body") == whole, "{uri}");
        assert_eq!(authentication(&answer.0).challenges(), challenges, "{uri}");
    }
}

/// A client that knows the user's password.
pub fn user(site: &Site) -> Http {
    let http = client(site);
    http.add_credentials(USER, PASSWORD);
    http
}

pub fn authentication(response: &Response) -> &Authentication {
    response.extensions().get().unwrap_or_else(|| panic!("a {} of nobody", response.status()))
}
