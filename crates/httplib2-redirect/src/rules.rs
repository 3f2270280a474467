//! The settings of a layer, and the matrix of status codes and methods that they span.

use http::{Extensions, HeaderName, Method, StatusCode};
use httplib2_core::body::DiscardLimits;

use crate::Follow;

/// What happens to a redirect from https to http.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Downgrade {
    /// It is never followed.
    Refuse,
    /// It is followed only by a request without a body that carries no credentials.
    #[default]
    RefuseSecrets,
    /// It is followed like any other redirect to another origin: credentials are dropped, a body is sent.
    Allow,
}

#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) follow: Follow,
    pub(crate) max_redirects: usize,
    pub(crate) codes: Vec<StatusCode>,
    pub(crate) safe_methods: Vec<Method>,
    pub(crate) sensitive_headers: Vec<HeaderName>,
    pub(crate) forward_authorization_headers: bool,
    pub(crate) downgrade: Downgrade,
    pub(crate) moved_post_becomes_get: bool,
    pub(crate) httplib2_methods: bool,
    pub(crate) history_bytes: usize,
    pub(crate) discard_limits: DiscardLimits,
}

// === impl Rules ===

impl Default for Rules {
    fn default() -> Self {
        Self {
            follow: Follow::Safe,
            max_redirects: 5,
            codes: vec![
                StatusCode::MULTIPLE_CHOICES,
                StatusCode::MOVED_PERMANENTLY,
                StatusCode::FOUND,
                StatusCode::SEE_OTHER,
                StatusCode::TEMPORARY_REDIRECT,
                StatusCode::PERMANENT_REDIRECT,
            ],
            safe_methods: vec![Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE],
            sensitive_headers: Vec::new(),
            forward_authorization_headers: false,
            downgrade: Downgrade::default(),
            moved_post_becomes_get: false,
            httplib2_methods: false,
            history_bytes: 64 * 1024,
            discard_limits: DiscardLimits::default(),
        }
    }
}

impl Rules {
    pub(crate) fn follow_for(&self, options: &Extensions) -> Follow {
        options.get().copied().unwrap_or(self.follow)
    }

    pub(crate) fn is_safe(&self, method: &Method) -> bool {
        self.safe_methods.contains(method)
    }

    /// Whether a response with this status to this method is followed at all.
    pub(crate) fn follows(&self, follow: Follow, status: StatusCode, method: &Method) -> bool {
        match follow {
            Follow::Never => false,
            Follow::All => true,
            // 303 names another resource to GET, and 308 promises that repeating is what is wanted.
            Follow::Safe => {
                self.is_safe(method) || matches!(status, StatusCode::SEE_OTHER | StatusCode::PERMANENT_REDIRECT)
            }
        }
    }

    /// The method of the next request (RFC 9110 §15.4).
    pub(crate) fn next_method(&self, status: StatusCode, method: &Method) -> Method {
        let becomes_get = match status {
            StatusCode::SEE_OTHER | StatusCode::FOUND if self.httplib2_methods => true,
            // "GET or HEAD" (RFC 9110 §15.4.4).
            StatusCode::SEE_OTHER => *method != Method::HEAD,
            // Only POST may change, "for historical reasons" (RFC 9110 §15.4.3).
            StatusCode::FOUND => *method == Method::POST,
            StatusCode::MOVED_PERMANENTLY => self.moved_post_becomes_get && *method == Method::POST,
            _ => false,
        };
        if becomes_get { Method::GET } else { method.clone() }
    }

    /// Whether the next request goes without the body of this one.
    pub(crate) fn drops_body(&self, status: StatusCode, method: &Method, next: &Method) -> bool {
        let bodiless = matches!(*next, Method::GET | Method::HEAD);
        bodiless && (method != next || status == StatusCode::SEE_OTHER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn method(name: &str) -> Method {
        name.parse().unwrap()
    }

    /// One row of the matrix of H-REDIR: what a method becomes, `-` where the response is handed back.
    fn row(rules: &Rules, follow: Follow, status: u16) -> String {
        let status = StatusCode::from_u16(status).unwrap();
        let cells = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "X-OWN"].map(|name| {
            let method = method(name);
            if !rules.codes.contains(&status) || !rules.follows(follow, status, &method) {
                return "-".to_owned();
            }
            let next = rules.next_method(status, &method);
            let body = if rules.drops_body(status, &method, &next) { "" } else { "+" };
            format!("{next}{body}")
        });
        cells.join(" ")
    }

    #[test]
    fn by_default_safe_methods_follow_and_303_and_308_follow_for_all() {
        for (status, expected) in [
            (300, "GET+ HEAD+ OPTIONS+ - - - -"),
            (301, "GET+ HEAD+ OPTIONS+ - - - -"),
            (302, "GET+ HEAD+ OPTIONS+ - - - -"),
            (303, "GET HEAD GET GET GET GET GET"),
            (304, "- - - - - - -"),
            (305, "- - - - - - -"),
            (306, "- - - - - - -"),
            (307, "GET+ HEAD+ OPTIONS+ - - - -"),
            (308, "GET+ HEAD+ OPTIONS+ POST+ PUT+ DELETE+ X-OWN+"),
        ] {
            assert_eq!(row(&Rules::default(), Follow::Safe, status), expected, "{status}");
        }
    }

    #[test]
    fn when_all_are_followed_only_post_and_303_change_the_method() {
        for (status, expected) in [
            (300, "GET+ HEAD+ OPTIONS+ POST+ PUT+ DELETE+ X-OWN+"),
            (301, "GET+ HEAD+ OPTIONS+ POST+ PUT+ DELETE+ X-OWN+"),
            (302, "GET+ HEAD+ OPTIONS+ GET PUT+ DELETE+ X-OWN+"),
            (303, "GET HEAD GET GET GET GET GET"),
            (304, "- - - - - - -"),
            (307, "GET+ HEAD+ OPTIONS+ POST+ PUT+ DELETE+ X-OWN+"),
            (308, "GET+ HEAD+ OPTIONS+ POST+ PUT+ DELETE+ X-OWN+"),
        ] {
            assert_eq!(row(&Rules::default(), Follow::All, status), expected, "{status}");
        }
    }

    #[test]
    fn a_moved_post_becomes_get_where_asked() {
        let rules = Rules { moved_post_becomes_get: true, ..Rules::default() };
        assert_eq!(row(&rules, Follow::All, 301), "GET+ HEAD+ OPTIONS+ GET PUT+ DELETE+ X-OWN+");
    }

    #[test]
    fn httplib2_turned_every_302_and_303_into_get() {
        // H-REDIR-02.
        let rules = Rules { httplib2_methods: true, ..Rules::default() };
        assert_eq!(row(&rules, Follow::Safe, 302), "GET+ GET GET - - - -");
        assert_eq!(row(&rules, Follow::All, 302), "GET+ GET GET GET GET GET GET");
        assert_eq!(row(&rules, Follow::Safe, 303), "GET GET GET GET GET GET GET");
    }

    #[test]
    fn codes_and_safe_methods_can_be_replaced() {
        // H-API-22, H-API-27.
        let rules = Rules { codes: vec![StatusCode::TEMPORARY_REDIRECT], ..Rules::default() };
        assert_eq!(row(&rules, Follow::All, 302), "- - - - - - -");
        let rules = Rules { safe_methods: vec![method("X-OWN")], ..Rules::default() };
        assert_eq!(row(&rules, Follow::Safe, 307), "- - - - - - X-OWN+");
    }

    #[test]
    fn methods_are_case_sensitive() {
        assert!(!Rules::default().is_safe(&method("get")));
    }
}
