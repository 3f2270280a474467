//! What the tests of both sets of laws share.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Asserts that this law, and no other, is found broken.
pub(crate) fn assert_broken(law: &str, fault: &str, check: impl FnOnce()) {
    let Err(panic) = catch_unwind(AssertUnwindSafe(check)) else {
        panic!("nobody noticed: {fault}");
    };
    let message = panic.downcast_ref::<String>().expect("laws panic with a text");
    assert!(message.starts_with(&format!("the law \"{law}\" is broken: ")), "{fault} gave: {message}");
}
