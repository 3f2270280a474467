//! What servers send in `Location`, and what callers type: never a panic, and whatever comes out can be sent.
#![no_main]

use http::Uri;
use httplib2_syntax::uri;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|reference: &[u8]| {
    if let Ok(target) = uri::resolve(&Uri::from_static("http://a.example:8080/b/c?d"), reference) {
        check(&target.uri);
    }
    if let Ok(text) = std::str::from_utf8(reference)
        && let Ok(target) = uri::parse(text)
    {
        check(&target.uri);
        assert_eq!(uri::parse(&target.uri.to_string()).map(|again| again.uri), Ok(target.uri.clone()));
        // A second opinion on where it leads, from what this crate makes of it.
        let other = url::Url::parse(&target.uri.to_string()).expect("another parser takes it too");
        assert_eq!(other.host_str(), target.uri.host());
        assert_eq!(other.port_or_known_default(), target.uri.port_u16().or(match target.uri.scheme_str() {
            Some("https") => Some(443),
            _ => Some(80),
        }));
    }
});

fn check(uri: &Uri) {
    let text = uri.to_string();
    assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{text:?}");
    assert!(matches!(uri.scheme_str(), Some("http" | "https")));
    assert!(uri.host().is_some_and(|host| !host.is_empty()));
    assert!(!text.contains('@') || uri.path().contains('@') || uri.query().is_some_and(|query| query.contains('@')));
}
