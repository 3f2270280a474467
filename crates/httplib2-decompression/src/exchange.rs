//! One call whose answer may have to be decoded.

use std::sync::Arc;

use http::{Extensions, Response, header};
use httplib2_core::{context::Journal, send::HttpService};

use crate::{
    DecodeLimits, DecodedBody,
    chain::Chain,
    decide::{Decision, decide},
    rules::Rules,
};

/// Waits for the answer and wraps its body in a decoder, if it has a coding that is decoded.
///
/// Dropping the future drops the send that is under way; nothing runs on.
pub(crate) async fn exchange<S, B>(
    sent: S::Future,
    rules: Arc<Rules>,
    limits: DecodeLimits,
    journal: Extensions,
) -> Result<Response<DecodedBody<S::ResponseBody>>, S::Error>
where
    S: HttpService<B>,
{
    let mut response = sent.await?;
    match decide(&rules, response.status(), response.headers()) {
        Decision::Pass => Ok(response.map(DecodedBody::untouched)),
        Decision::HandOn(reason) => {
            Journal::record(&journal, "decompression", &reason);
            response.extensions_mut().insert(reason);
            Ok(response.map(DecodedBody::untouched))
        }
        Decision::Decode(decoded) => {
            Journal::record(&journal, "decompression", &decoded);
            // Both speak of the coded body. `Accept-Ranges` stays: it speaks of the resource, and a request
            // with a `Range` is sent without our `Accept-Encoding` (RFC 9110 §14.3).
            response.headers_mut().remove(header::CONTENT_ENCODING);
            response.headers_mut().remove(header::CONTENT_LENGTH);
            let chain = Chain::new(&decoded.codings, limits);
            response.extensions_mut().insert(decoded);
            Ok(response.map(|body| DecodedBody::decoding(body, chain, journal)))
        }
    }
}
