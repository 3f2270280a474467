//! One call: the first send, and one more for each challenge that is answered.

use std::ops::ControlFlow;

use http::{Request, Response};
use http_body::Body;
use httplib2_core::{
    body::{Resend, discard},
    error::BoxError,
    send::HttpService,
};

use crate::{call::Call, line::Line, party::Party};

/// Sends, and sends again, signed, as long as a challenge comes back that can be answered.
///
/// `ready` was polled ready. It is held only up to the first send, and given back before that if the request has to wait.
/// Dropping the future at any `await` drops the answer, the wait or the send that is under way; who waits for this
/// request's first contact goes ahead in its place. Nothing runs on.
pub(crate) async fn exchange<S, B>(
    ready: S,
    mut request: Request<B>,
    party: Party,
) -> Result<Response<S::ResponseBody>, BoxError>
where
    S: HttpService<B>,
    B: Body<Error: Into<BoxError>, Data: Send> + Resend + Send,
{
    let mut line = Line::ready(ready);
    let mut call = Call::new(&request, party);
    call.prepare(&mut line).await;
    let mut signed = call.sign_first(&mut request).await;
    loop {
        let mut response = line.send(request).await?;
        match call.look(response.status(), response.headers(), signed).await? {
            ControlFlow::Break(fact) => {
                call.finish(&mut response, fact);
                return Ok(response);
            }
            ControlFlow::Continue(again) => {
                discard(response.into_body(), call.discard_limits()).await;
                (request, signed) = (again.request, Some(again.signed));
            }
        }
    }
}
