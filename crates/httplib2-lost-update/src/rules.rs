//! The settings of a layer, and what they say of a method.

use http::{Extensions, Method};
use httplib2_core::body::DiscardLimits;

use crate::{RequireTag, ledger::Bounds};

#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) methods: Vec<Method>,
    pub(crate) credentials_separate_editors: bool,
    pub(crate) if_unmodified_since: bool,
    pub(crate) create_only: bool,
    pub(crate) require_tag: bool,
    pub(crate) guard_after_conflict: bool,
    pub(crate) fetch_tag_on_428: bool,
    pub(crate) content_coding_suffixes: bool,
    pub(crate) httplib2_weak_tags: bool,
    pub(crate) httplib2_one_shot: bool,
    pub(crate) merge_rounds: usize,
    pub(crate) merge_bytes: u64,
    pub(crate) discard_limits: DiscardLimits,
    pub(crate) bounds: Bounds,
}

/// What this layer has to do with a request of some method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Nothing.
    Bystander,
    /// Its answer shows the caller a version.
    Reader,
    /// It makes a new version.
    Writer,
}

// === impl Rules ===

impl Default for Rules {
    fn default() -> Self {
        Self {
            methods: vec![Method::PUT, Method::PATCH],
            credentials_separate_editors: true,
            if_unmodified_since: false,
            create_only: false,
            require_tag: false,
            guard_after_conflict: false,
            fetch_tag_on_428: false,
            content_coding_suffixes: false,
            httplib2_weak_tags: false,
            httplib2_one_shot: false,
            merge_rounds: 5,
            merge_bytes: 1024 * 1024,
            discard_limits: DiscardLimits::default(),
            bounds: Bounds { uris: 4096, bytes: 2 * 1024 * 1024 },
        }
    }
}

impl Rules {
    /// Of methods other than these it is not known what they do to the resource. If they changed it, the old
    /// tag costs a 412, and rightly so, since the caller has not seen the change.
    pub(crate) fn role(&self, method: &Method) -> Role {
        match *method {
            Method::GET => Role::Reader,
            // Nothing that these answer is a version, and none of them makes one (RFC 9110 §9.3).
            Method::HEAD | Method::OPTIONS | Method::TRACE | Method::CONNECT => Role::Bystander,
            Method::PUT | Method::PATCH | Method::DELETE => Role::Writer,
            _ if self.methods.contains(method) => Role::Writer,
            _ => Role::Bystander,
        }
    }

    pub(crate) fn protects(&self, method: &Method) -> bool {
        self.role(method) == Role::Writer && self.methods.contains(method)
    }

    pub(crate) fn requires_tag(&self, options: &Extensions) -> bool {
        options.get().map_or(self.require_tag, |RequireTag(required)| *required)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_method_has_its_role() {
        let default = Rules::default();
        let more = Rules { methods: vec![Method::GET, Method::HEAD, Method::POST, Method::DELETE], ..Rules::default() };
        for (name, role, protected, role_of_more, protected_of_more) in [
            ("GET", Role::Reader, false, Role::Reader, false),
            ("HEAD", Role::Bystander, false, Role::Bystander, false),
            ("OPTIONS", Role::Bystander, false, Role::Bystander, false),
            ("TRACE", Role::Bystander, false, Role::Bystander, false),
            ("CONNECT", Role::Bystander, false, Role::Bystander, false),
            ("PUT", Role::Writer, true, Role::Writer, false),
            ("PATCH", Role::Writer, true, Role::Writer, false),
            ("DELETE", Role::Writer, false, Role::Writer, true),
            ("POST", Role::Bystander, false, Role::Writer, true),
            ("PROPFIND", Role::Bystander, false, Role::Bystander, false),
            // Methods are case-sensitive (RFC 9110 §9.1).
            ("put", Role::Bystander, false, Role::Bystander, false),
        ] {
            let method = name.parse().unwrap();
            assert_eq!((default.role(&method), default.protects(&method)), (role, protected), "{name}");
            assert_eq!((more.role(&method), more.protects(&method)), (role_of_more, protected_of_more), "{name}");
        }
    }
}
