use super::*;

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(*name, value.parse().unwrap());
    }
    headers
}

fn private(value: &str) -> Directives {
    Directives::of(&Rules::private(), &headers(&[("cache-control", value)]))
}

fn shared(lines: &[(&'static str, &str)]) -> Directives {
    Directives::of(&Rules::shared(), &headers(lines))
}

#[test]
fn directives_are_read_in_any_case_and_over_several_lines() {
    // CACHE-30, CACHE-31, trap 22.
    assert!(private("max-age=3600,\tNo-StOrE ,").has(Flags::NO_STORE));
    let both = shared(&[("cache-control", "max-age=3600"), ("cache-control", "no-store")]);
    assert!(both.has(Flags::NO_STORE));
    assert_eq!(both.max_age, Some(3600));
    assert_eq!(private("MaX-aGe=\"60\"").max_age, Some(60));
}

#[test]
fn a_directive_inside_a_quoted_argument_is_none() {
    // RFC 9110 §5.6.4, H-CACHE-38.
    let directives = private("ext=\"a, no-store, max-age=1\", max-age=60");
    assert!(!directives.has(Flags::NO_STORE));
    assert_eq!(directives.max_age, Some(60));
}

#[test]
fn a_lifetime_that_cannot_be_read_is_over() {
    // RFC 9111 §4.2.1, CACHE-33, CACHE-35.
    for value in ["max-age", "max-age=", "max-age=-1", "max-age=abc", "max-age=1.0", "max-age=1 2", "max-age=\"1"] {
        assert_eq!(private(value).max_age, Some(0), "{value}");
    }
    assert_eq!(private("max-age=99999999999999999999").max_age, Some(1 << 31));
}

#[test]
fn of_two_lifetimes_the_shorter_one_counts() {
    // RFC 9111 §4.2.1.
    assert_eq!(private("max-age=100, max-age=10").max_age, Some(10));
    assert_eq!(private("max-age=10, max-age=100").max_age, Some(10));
}

#[test]
fn no_cache_and_private_with_fields_withhold_the_fields_only() {
    // RFC 9111 §5.2.2.4, §5.2.2.7.
    for (value, whole) in [
        ("no-cache", true),
        ("no-cache=\"X-A, x-b\"", false),
        ("no-cache=x-a", false),
        ("no-cache=\"\"", true),
        ("no-cache=\"a b\"", true),
        ("no-cache=\"x-a", true),
        ("no-cache=\"x-a\", no-cache", true),
        // Without them the rest could not be used.
        ("no-cache=\"Vary\"", true),
        ("no-cache=\"x-a, Content-Encoding\"", true),
    ] {
        assert_eq!(private(value).has(Flags::NO_CACHE), whole, "{value}");
        let value = value.replace("no-cache", "private");
        assert_eq!(shared(&[("cache-control", &value)]).has(Flags::PRIVATE), whole, "{value}");
    }
    let listed = headers(&[("cache-control", "no-cache=\"X-A\", private=\"x-b\", no-cache=x-c")]);
    assert_eq!(withheld(&Rules::private(), &listed), ["x-a", "x-c"]);
    assert_eq!(withheld(&Rules::shared(), &listed), ["x-a", "x-b", "x-c"]);
}

#[test]
fn what_is_malformed_restricts_and_permits_nothing() {
    assert!(private("no-store x").has(Flags::NO_STORE));
    assert!(private("must-revalidate=1").has(Flags::MUST_REVALIDATE));
    for value in ["public=1", "public x", "immutable=0", "must-understand=x"] {
        assert_eq!(private(value).flags, Flags::default(), "{value}");
    }
}

#[test]
fn a_targeted_field_replaces_cache_control_in_a_shared_cache() {
    // RFC 9213 §2.2.
    let lines = [("cache-control", "no-store, max-age=1"), ("cdn-cache-control", "max-age=600, private=\"X-A\";q")];
    let directives = shared(&lines);
    assert!(directives.are_targeted && !directives.has(Flags::NO_STORE) && !directives.has(Flags::PRIVATE));
    assert_eq!(directives.max_age, Some(600));
    assert_eq!(withheld(&Rules::shared(), &headers(&lines)), ["x-a"]);
    let private = Directives::of(&Rules::private(), &headers(&lines));
    assert!(!private.are_targeted && private.has(Flags::NO_STORE));
}

#[test]
fn a_targeted_field_that_is_empty_or_malformed_counts_as_absent() {
    // RFC 9213 §2.1.
    for value in ["", "Max-Age=600", "max-age=600, &&&", "max-age=600,"] {
        let directives = shared(&[("cache-control", "max-age=1"), ("cdn-cache-control", value)]);
        assert_eq!((directives.are_targeted, directives.max_age), (false, Some(1)), "{value}");
    }
}

#[test]
fn a_targeted_directive_of_another_type_counts_where_it_restricts() {
    for (value, max_age) in [
        ("max-age=60", Some(60)),
        ("max-age=-1", Some(0)),
        ("max-age=\"60\"", Some(0)),
        ("max-age=1.5", Some(0)),
        ("max-age", Some(0)),
        ("max-age=99999999999", Some(1 << 31)),
        ("max-age=?0", None),
    ] {
        assert_eq!(shared(&[("cdn-cache-control", value)]).max_age, max_age, "{value}");
    }
    assert!(shared(&[("cdn-cache-control", "no-store=token")]).has(Flags::NO_STORE));
    assert!(!shared(&[("cdn-cache-control", "no-store=?0, a")]).has(Flags::NO_STORE));
    for (value, is_public) in [("public", true), ("public=?1", true), ("public=1", false), ("public=?0", false)] {
        assert_eq!(shared(&[("cdn-cache-control", value)]).has(Flags::PUBLIC), is_public, "{value}");
    }
    // Only a string lists fields.
    for (value, whole) in
        [("no-cache", true), ("no-cache=1", true), ("no-cache=x-a", true), ("no-cache=\"x-a\"", false)]
    {
        assert_eq!(shared(&[("cdn-cache-control", value)]).has(Flags::NO_CACHE), whole, "{value}");
    }
}

#[test]
fn the_first_of_several_targets_counts() {
    let mut rules = Rules::shared();
    rules.targets = ["example-cdn-cache-control", "cdn-cache-control"].map(HeaderName::from_static).to_vec();
    let lines = [("cdn-cache-control", "max-age=1"), ("example-cdn-cache-control", "max-age=2")];
    assert_eq!(Directives::of(&rules, &headers(&lines)).max_age, Some(2));
    assert_eq!(Directives::of(&rules, &headers(&lines[..1])).max_age, Some(1));
}

#[test]
fn debug_names_what_is_set() {
    assert_eq!(format!("{:?}", private("no-store, private").flags), "{\"no-store\", \"private\"}");
}
