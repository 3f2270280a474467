//! The laws that every body keeps.

use http_body::Body as _;
use http_body_util::{BodyExt, Either};
use httplib2_store::{StoreError, StoredBody};
use httplib2_testing::{Body, BodyLaws, body_laws};

#[test]
fn a_streamed_body_keeps_the_laws_of_bodies() {
    // A stored body has a known length, so of the kit's bodies only those with one can be stored.
    let wrap = |body: Body| match body.size_hint().exact() {
        Some(length) => Either::Left(StoredBody::streaming(body.map_err(StoreError::Other), length)),
        None => Either::Right(body),
    };
    body_laws(wrap, BodyLaws::new());
}
