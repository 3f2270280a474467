//! One request that is looked up: answered from the store, or sent on.

use std::sync::Arc;

use http::Response;
use http_body::Body;
use httplib2_core::{body::Resend, error::BoxError, send::HttpService};

use crate::{
    CacheBody, Served,
    ask::Ask,
    collapse::{collapse, collapses},
    complete::by_part,
    forward::{Forwarding, forward},
    found::{Found, held, now},
    policy::{CacheStatus, Consider, Reuse, Why, reuse},
    refresh::refresh,
    respond::{refusal, serve},
    settings::Settings,
};

/// Looks the request up and decides what becomes of it. A hit sends nothing and makes nothing ready.
///
/// Dropping the future drops what is under way; a refresh that was begun runs on.
pub(crate) async fn exchange<S, B>(
    inner: S,
    ask: Ask,
    body: B,
    settings: Arc<Settings>,
    considered: Consider,
) -> Result<Response<CacheBody<S::ResponseBody>>, BoxError>
where
    S: HttpService<B>,
    B: Body + Resend + Send + 'static,
{
    let found = Found::look_up(&settings, &ask, considered == Consider::LookUp).await;
    if let Some(part) = found.part().filter(|_| ask.mode.looks()).cloned() {
        let may_collapse = considered == Consider::LookUp && collapses(&settings, &ask, Why::Part);
        let forwarding = Forwarding { settings, ask, found, why: Why::Part, validates: false };
        return if may_collapse {
            Box::pin(collapse(inner, body, forwarding)).await
        } else {
            Box::pin(by_part(inner, body, forwarding, part)).await
        };
    }
    let (why, validates) = match decide(&settings, &ask, &found, considered) {
        Reuse::Validate(why) => (why, true),
        Reuse::Forward(why) => (why, false),
        Reuse::Refuse(why) => return Ok(refusal(&settings, &ask.head.extensions, Served::Refused { why })),
        reuse @ (Reuse::Serve(hit) | Reuse::ServeAndRefresh(hit)) => {
            if let Some(entry) = found.selected()
                && let Some(response) = serve(&settings, &ask, entry, hit, CacheStatus::default()).await
            {
                if matches!(reuse, Reuse::ServeAndRefresh(_)) {
                    refresh(inner, ask, body, settings, found, hit.why);
                }
                return Ok(response);
            }
            if ask.asked().control().only_if_cached {
                let served = Served::Refused { why: Why::Missing };
                return Ok(refusal(&settings, &ask.head.extensions, served));
            }
            (Why::Missing, false)
        }
    };
    let may_collapse = considered == Consider::LookUp && collapses(&settings, &ask, why);
    let forwarding = Forwarding { settings, ask, found, why, validates };
    // In a box of its own, so that a hit does not carry its size about.
    if may_collapse {
        Box::pin(collapse(inner, body, forwarding)).await
    } else {
        Box::pin(forward(inner, body, forwarding)).await
    }
}

pub(crate) fn decide(settings: &Settings, ask: &Ask, found: &Found, considered: Consider) -> Reuse {
    match considered {
        Consider::Forward(why) => Reuse::Forward(why),
        _ if !ask.mode.looks() => Reuse::Forward(Why::Reload),
        _ => {
            let selected = found.selected();
            let now = now(settings, selected);
            let has_variants = !found.is_empty();
            let held = selected.map(|entry| held(settings, entry));
            reuse(&settings.rules, &ask.asked(), held, has_variants, now)
        }
    }
}
