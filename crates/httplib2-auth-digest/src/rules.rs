//! What the settings amount to.

use std::sync::Arc;

use httplib2_core::context::{Nonce, SystemNonce};

#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) prefer_auth_int: bool,
    pub(crate) allow_without_qop: bool,
    pub(crate) missing_qop_is_auth: bool,
    pub(crate) mutual: bool,
    pub(crate) nonce: Arc<dyn Nonce>,
}

// === impl Rules ===

impl Default for Rules {
    fn default() -> Self {
        Self {
            prefer_auth_int: false,
            allow_without_qop: true,
            missing_qop_is_auth: false,
            mutual: false,
            nonce: Arc::new(SystemNonce),
        }
    }
}
