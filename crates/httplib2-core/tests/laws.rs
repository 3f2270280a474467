//! The bodies of core keep the laws of bodies.

use httplib2_core::body::{Once, ReplayBody, Resend};
use httplib2_testing::{BodyLaws, body_laws};

#[test]
fn a_body_that_is_sent_once_keeps_the_laws() {
    body_laws(Once::new, BodyLaws::new());
}

#[test]
fn a_recorded_body_keeps_the_laws_on_its_first_send() {
    body_laws(|body| ReplayBody::new(body, 1 << 20), BodyLaws::new());
}

#[test]
fn a_recorded_body_over_its_limit_keeps_the_laws() {
    body_laws(|body| ReplayBody::new(body, 3), BodyLaws::new());
}

#[test]
fn a_spare_keeps_the_laws_as_the_first_send_does() {
    body_laws(|body| ReplayBody::new(body, 1 << 20).try_clone().expect("nothing was recorded yet"), BodyLaws::new());
}
