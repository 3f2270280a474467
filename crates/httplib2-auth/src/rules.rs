//! The settings of a layer.

use std::{sync::Arc, time::Duration};

use http::{HeaderName, StatusCode, header};
use httplib2_core::{body::DiscardLimits, who::Origin};

use crate::{InAdvance, Scheme};

/// In which order the offers of a server are answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// By [strength](Scheme::strength), the strongest first (RFC 7616 §5.1).
    #[default]
    Strongest,
    /// In the order in which the schemes were added to the layer.
    AsAdded,
}

#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// In the order in which they were added.
    pub(crate) schemes: Vec<Arc<dyn Scheme>>,
    pub(crate) order: Order,
    pub(crate) allow_downgrade: bool,
    pub(crate) secrets_over_http: bool,
    pub(crate) credentials_follow_redirects: bool,
    pub(crate) in_advance: InAdvance,
    pub(crate) max_answers: u32,
    pub(crate) first_contact_wait: Duration,
    pub(crate) discard_limits: DiscardLimits,
    pub(crate) side: Side,
}

/// Who is answered: the server of the request (RFC 9110 §11.6) or a proxy (RFC 9110 §11.7).
#[derive(Clone, Debug)]
pub(crate) enum Side {
    Server,
    Proxy(Origin),
}

// === impl Rules ===

impl Default for Rules {
    fn default() -> Self {
        Self {
            schemes: Vec::new(),
            order: Order::default(),
            allow_downgrade: false,
            secrets_over_http: false,
            credentials_follow_redirects: false,
            in_advance: InAdvance::default(),
            max_answers: 4,
            first_contact_wait: Duration::from_secs(1),
            discard_limits: DiscardLimits::default(),
            side: Side::Server,
        }
    }
}

impl Rules {
    /// Whether a scheme may be used towards this origin at all.
    pub(crate) fn may_use(&self, scheme: &dyn Scheme, origin: &Origin) -> bool {
        !scheme.reveals_secret() || origin.is_secure() || self.secrets_over_http
    }

    /// The schemes in the order in which offers are answered.
    pub(crate) fn preferred(&self) -> Vec<&Arc<dyn Scheme>> {
        let mut schemes: Vec<_> = self.schemes.iter().collect();
        if self.order == Order::Strongest {
            schemes.sort_by_key(|scheme| std::cmp::Reverse(scheme.strength()));
        }
        schemes
    }
}

// === impl Side ===

impl Side {
    pub(crate) fn challenging(&self) -> StatusCode {
        match self {
            Self::Server => StatusCode::UNAUTHORIZED,
            Self::Proxy(_) => StatusCode::PROXY_AUTHENTICATION_REQUIRED,
        }
    }

    pub(crate) fn challenge(&self) -> HeaderName {
        match self {
            Self::Server => header::WWW_AUTHENTICATE,
            Self::Proxy(_) => header::PROXY_AUTHENTICATE,
        }
    }

    pub(crate) fn authorization(&self) -> HeaderName {
        match self {
            Self::Server => header::AUTHORIZATION,
            Self::Proxy(_) => header::PROXY_AUTHORIZATION,
        }
    }

    /// RFC 9110 §11.6.3 and §11.7.3.
    pub(crate) fn info(&self) -> HeaderName {
        match self {
            Self::Server => HeaderName::from_static("authentication-info"),
            Self::Proxy(_) => HeaderName::from_static("proxy-authentication-info"),
        }
    }
}
