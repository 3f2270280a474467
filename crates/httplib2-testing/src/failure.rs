//! Errors that a script gives as often as it is asked.

use std::{error::Error, fmt, sync::Arc};

use httplib2_core::error::BoxError;

/// The error of a body that breaks off because the test says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

/// Makes an error. Few errors can be cloned, and a script may have to give its error again.
#[derive(Clone)]
pub(crate) struct Failure(Arc<dyn Fn() -> BoxError + Send + Sync>);

// === impl Broken ===

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body broke off, as the test says")
    }
}

impl Error for Broken {}

// === impl Failure ===

impl Failure {
    pub(crate) fn new<E: Into<BoxError>>(make: impl Fn() -> E + Send + Sync + 'static) -> Self {
        Self(Arc::new(move || make().into()))
    }

    pub(crate) fn error(&self) -> BoxError {
        (self.0)()
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Failure({})", self.error())
    }
}
