use http::HeaderName;

use super::*;
use crate::{Always, Follow, SameOrigin, policy_fn};

/// A GET of `http://a.example/x`, to be changed by each test.
struct Case {
    rules: Rules,
    method: &'static str,
    uri: &'static str,
    headers: HeaderMap,
    options: Extensions,
    content: Content,
    hops: usize,
}

fn case() -> Case {
    Case {
        rules: Rules::default(),
        method: "GET",
        uri: "http://a.example/x",
        headers: HeaderMap::new(),
        options: Extensions::new(),
        content: Content::Absent,
        hops: 0,
    }
}

impl Case {
    fn decide_with(&self, policy: &dyn RedirectPolicy, status: u16, locations: &[&str]) -> Decision {
        let mut headers = HeaderMap::new();
        for location in locations {
            headers.append(header::LOCATION, location.parse().unwrap());
        }
        let sent = Sent {
            method: &self.method.parse().unwrap(),
            uri: &self.uri.parse().unwrap(),
            headers: &self.headers,
            options: &self.options,
            content: self.content,
            hops: self.hops,
        };
        decide(&self.rules, policy, sent, StatusCode::from_u16(status).unwrap(), &headers)
    }

    fn decide(&self, status: u16, location: &str) -> Decision {
        self.decide_with(&Always, status, &[location])
    }

    fn with_header(mut self, name: &'static str) -> Self {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_static("v"));
        self
    }
}

fn followed(decision: Decision) -> Next {
    match decision {
        Decision::Follow(next) => next,
        other => panic!("not followed: {other:?}"),
    }
}

fn kept(decision: Decision) -> NotFollowed {
    match decision {
        Decision::Keep(reason) => reason,
        other => panic!("not kept: {other:?}"),
    }
}

#[test]
fn a_relative_location_stays_on_the_origin() {
    let next = followed(case().decide(302, "../y?z#part"));
    assert_eq!(next.uri, "http://a.example/y?z");
    assert_eq!(next.fragment.as_deref(), Some("part"));
    assert!(!next.leaves_origin);
}

#[test]
fn another_scheme_host_or_port_is_another_origin() {
    for (location, leaves) in [
        ("http://a.example/y", false),
        ("http://A.EXAMPLE:80/y", false),
        ("//a.example/y", false),
        ("http://b.example/y", true),
        ("//b.example/y", true),
        ("http://a.example:8080/y", true),
        ("https://a.example/y", true),
    ] {
        assert_eq!(followed(case().decide(302, location)).leaves_origin, leaves, "{location}");
    }
}

#[test]
fn userinfo_in_a_location_is_left_out() {
    // RED-33.
    assert_eq!(followed(case().decide(302, "http://evil:pw@b.example/")).uri, "http://b.example/");
}

#[test]
fn other_schemes_are_never_followed() {
    // RED-17, RED-18.
    for location in ["file:///etc/passwd", "ftp://b.example/x", "gopher://b.example/_x", "javascript:alert(1)"] {
        let reason = kept(case().decide(302, location));
        assert!(matches!(reason, NotFollowed::InvalidLocation(uri::InvalidUri::UnsupportedScheme(_))), "{location}");
    }
}

#[test]
fn a_missing_empty_or_ambiguous_location_is_a_fact() {
    // H-REDIR-06, RED-22, RED-35.
    assert_eq!(kept(case().decide_with(&Always, 302, &[])), NotFollowed::MissingLocation);
    assert_eq!(kept(case().decide(302, "")), NotFollowed::MissingLocation);
    assert_eq!(kept(case().decide_with(&Always, 302, &["/a", "/b"])), NotFollowed::AmbiguousLocation);
    assert_eq!(followed(case().decide_with(&Always, 302, &["/a", "/a"])).uri, "http://a.example/a");
}

#[test]
fn a_300_without_location_is_an_answer() {
    // H-REDIR-05.
    assert_eq!(case().decide_with(&Always, 300, &[]), Decision::Return);
    assert_eq!(followed(case().decide(300, "/y")).uri, "http://a.example/y");
}

#[test]
fn what_is_not_in_the_codes_is_an_answer() {
    for status in [200, 201, 304, 305, 404, 503] {
        assert_eq!(case().decide(status, "/y"), Decision::Return, "{status}");
    }
}

#[test]
fn the_limit_is_checked_before_the_location() {
    // H-REDIR-07.
    let at_limit = Case { hops: 5, ..case() };
    assert_eq!(kept(at_limit.decide_with(&Always, 302, &[])), NotFollowed::Limit(5));
    followed(Case { hops: 4, ..case() }.decide(302, "/y"));
}

#[test]
fn an_option_of_the_request_replaces_the_setting_of_the_layer() {
    let mut none = case();
    none.options.insert(MaxRedirects(0));
    assert_eq!(kept(none.decide(302, "/y")), NotFollowed::Limit(0));
    let mut all = Case { method: "PUT", ..case() };
    assert_eq!(kept(all.decide(307, "/y")), NotFollowed::UnsafeMethod);
    all.options.insert(Follow::All);
    followed(all.decide(307, "/y"));
}

#[test]
fn a_body_that_is_gone_is_not_sent_again_but_can_be_left_out() {
    let gone = Case { method: "POST", content: Content::Gone, ..case() };
    assert_eq!(kept(gone.decide(308, "/y")), NotFollowed::BodyGone);
    let next = followed(gone.decide(303, "/y"));
    assert!(next.drops_body);
    assert_eq!(next.method, Method::GET);
}

#[test]
fn a_downgrade_carries_neither_body_nor_credentials() {
    // H-REDIR-14.
    let secure = || Case { uri: "https://a.example/x", ..case() };
    let insecure = "http://a.example/y";
    followed(secure().decide(302, insecure));
    assert_eq!(kept(secure().with_header("cookie").decide(302, insecure)), NotFollowed::Downgrade);
    let put = Case { method: "PUT", content: Content::CanBeSentAgain, ..secure() };
    assert_eq!(kept(put.decide(308, insecure)), NotFollowed::Downgrade);
    followed(put.decide(303, insecure));
}

#[test]
fn a_downgrade_can_be_refused_or_allowed_altogether() {
    let with = |downgrade| Case {
        rules: Rules { downgrade, ..Rules::default() },
        uri: "https://a.example/x",
        ..case().with_header("authorization")
    };
    assert_eq!(kept(with(Downgrade::Refuse).decide(302, "http://b.example/")), NotFollowed::Downgrade);
    followed(with(Downgrade::Allow).decide(302, "http://b.example/"));
    let bare = Case { headers: HeaderMap::new(), ..with(Downgrade::Refuse) };
    assert_eq!(kept(bare.decide(302, "http://b.example/")), NotFollowed::Downgrade);
}

#[test]
fn an_unsafe_request_with_a_precondition_stays_on_its_origin() {
    let put = || Case { method: "PUT", content: Content::CanBeSentAgain, ..case().with_header("if-match") };
    assert_eq!(kept(put().decide(308, "http://b.example/")), NotFollowed::Precondition);
    followed(put().decide(308, "/y"));
    followed(Case { method: "GET", content: Content::Absent, ..put() }.decide(302, "http://b.example/"));
}

#[test]
fn a_policy_sees_the_resolved_hop_and_may_refuse_it_or_change_the_method() {
    // RED-37.
    let private = policy_fn(|attempt: &Attempt<'_>| match attempt.to.host() {
        Some("169.254.169.254") => crate::Verdict::Refuse("a private address"),
        _ => crate::Verdict::Follow(Method::HEAD),
    });
    let reason = kept(case().decide_with(&private, 302, &["//169.254.169.254/"]));
    assert_eq!(reason, NotFollowed::Refused("a private address"));
    assert_eq!(followed(case().decide_with(&private, 302, &["/y"])).method, Method::HEAD);
}

#[test]
fn combined_policies_each_can_refuse() {
    let two = SameOrigin.and(crate::Limit(1));
    followed(case().decide_with(&two, 302, &["/y"]));
    assert_eq!(kept(Case { hops: 1, ..case() }.decide_with(&two, 302, &["/y"])), NotFollowed::Limit(1));
    assert!(matches!(kept(case().decide_with(&two, 302, &["http://b.example/"])), NotFollowed::Refused(_)));
}
