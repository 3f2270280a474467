//! Redirects of real servers: each test runs against nginx and Apache.

use httplib2::{
    ErrorKind,
    redirect::{Follow, NotFollowed},
};
use httplib2_tests::servers::{HELLO, REDIRECT_CODES, Site, echoed};

use crate::{
    client::{client, get, text},
    site::on_both_servers,
};

on_both_servers! {
    every_code_is_followed_wherever_it_leads
    a_body_is_sent_again_by_308_and_left_out_by_303
    credentials_stay_on_their_origin
    a_downgrade_with_credentials_is_handed_back
    a_chain_has_its_history_and_a_loop_its_limit
    a_directory_gets_its_slash
    the_fragment_of_a_location_is_kept_and_not_sent
}

async fn every_code_is_followed_wherever_it_leads(site: Site) {
    let http = client(&site);
    for code in REDIRECT_CODES {
        for (from, to) in [
            (site.plain(&format!("/redirect/{code}")), site.plain("/echo")),
            (site.tls(&format!("/redirect/{code}")), site.tls("/echo")),
            (site.plain(&format!("/redirect/{code}/absolute")), site.plain("/echo")),
            (site.plain(&format!("/redirect/{code}/elsewhere")), site.elsewhere("/echo")),
            (site.plain(&format!("/redirect/{code}/tls")), site.tls("/echo")),
            (site.tls(&format!("/redirect/{code}/plain")), site.plain("/echo")),
        ] {
            let answer = get(&http, from.clone()).await;
            assert_eq!(answer.0.status(), 200);
            assert_eq!(*answer.0.uri(), to.as_str(), "{from}");
            let previous = answer.0.previous().unwrap();
            assert_eq!((previous.status().as_u16(), previous.uri().to_string()), (code, from));
            assert_eq!(echoed(text(&answer), "uri"), "/echo");
        }
    }
}

async fn a_body_is_sent_again_by_308_and_left_out_by_303(site: Site) {
    let http = client(&site);
    for (code, method, body) in [(308, "POST", "some text\n"), (303, "GET", "")] {
        let request = http.request(site.plain(&format!("/redirect/{code}/elsewhere"))).method("POST");
        let answer = request.header("content-type", "text/x-test").body("some text\n").await.unwrap();
        assert_eq!(echoed(text(&answer), "method"), method);
        assert_eq!(echoed(text(&answer), "body"), body);
        assert_eq!(echoed(text(&answer), "content-type"), if body.is_empty() { "" } else { "text/x-test" });
    }
    // 307 repeats an unsafe request only for those who ask.
    let post = || http.request(site.plain("/redirect/307")).method("POST").body("some text\n");
    let handed_back = post().await.unwrap();
    assert_eq!(handed_back.0.status(), 307);
    assert_eq!(handed_back.0.not_followed(), Some(&NotFollowed::UnsafeMethod));
    let followed = post().follow(Follow::All).await.unwrap();
    assert_eq!(echoed(text(&followed), "body"), "some text\n");
}

async fn credentials_stay_on_their_origin(site: Site) {
    let http = client(&site);
    for (path, expected) in [("/redirect/302/absolute", "Bearer s3cret"), ("/redirect/302/elsewhere", "")] {
        let request = http.request(site.plain(path)).header("authorization", "Bearer s3cret");
        let answer = request.header("cookie", "sid=s3cret").await.unwrap();
        assert_eq!(echoed(text(&answer), "authorization"), expected);
        assert_eq!(echoed(text(&answer), "cookie").is_empty(), expected.is_empty());
    }
}

async fn a_downgrade_with_credentials_is_handed_back(site: Site) {
    let http = client(&site);
    let request = http.request(site.tls("/redirect/302/plain")).header("authorization", "Bearer s3cret");
    let (response, _) = request.await.unwrap();
    assert_eq!(response.status(), 302);
    assert_eq!(response.not_followed(), Some(&NotFollowed::Downgrade));
}

async fn a_chain_has_its_history_and_a_loop_its_limit(site: Site) {
    let http = client(&site);
    let (response, _) = get(&http, site.plain("/redirect/chain/5")).await;
    assert_eq!(response.history().count(), 5);
    assert_eq!(response.history().last().unwrap().uri().path(), "/redirect/chain/5");

    let error = http.request(site.plain("/redirect/loop")).redirections(3).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RedirectLimit);
    let last = error.response().unwrap();
    assert_eq!(last.status(), 302);
    assert_eq!(last.history().count(), 3);
}

async fn a_directory_gets_its_slash(site: Site) {
    let (response, _) = client(&site).request(site.plain("/dir")).follow(Follow::Never).await.unwrap();
    assert_eq!(response.status(), 301);
    let answer = get(&client(&site), site.plain("/hello.txt")).await;
    assert_eq!(text(&answer), HELLO);
}

async fn the_fragment_of_a_location_is_kept_and_not_sent(site: Site) {
    let answer = client(&site).request(site.plain("/redirect/fragment#own")).await.unwrap();
    assert_eq!(answer.0.fragment(), Some("part"));
    assert_eq!(echoed(text(&answer), "uri"), "/echo");
    let answer = client(&site).request(site.plain("/redirect/302#own")).await.unwrap();
    assert_eq!(answer.0.fragment(), Some("own"));
}
