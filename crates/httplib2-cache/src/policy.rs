//! What a cache may do: the decisions of RFC 9111 as pure functions. Heads and times in, a decision out.
//!
//! Nothing here sends, stores or looks at a clock. The path of a request:
//!
//! 1. [`consider`] looks at its head, before any key is made.
//! 2. [`select`] finds the stored response that answers it.
//! 3. [`reuse`] says whether that may be used, has to be validated ([`conditions`]) or cannot be used.
//!    [`slice()`] says which bytes of it a request with `Range` gets, and [`use_part`] what becomes of a request of which
//!    only a part is stored.
//! 4. A 304 is judged by [`not_modified`]; then [`freshen`] updates what is stored. Another answer is stored if
//!    [`store`] says so; where [`part()`]s are stored, [`meets`] says what one is to the other. When no good answer comes, [`stands_in`] says whether the stored response will do.
//! 5. What an unsafe request changed is told by [`invalidates`], what a HEAD request found out by
//!    [`freshen_by_head`].
//!
//! ```
//! use std::time::{Duration, SystemTime};
//!
//! use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
//! use httplib2_cache::policy::{Answered, Asked, Held, Keep, Reuse, Rules, Signed, Times, reuse, store};
//!
//! let rules = Rules::private();
//! let (method, uri, fields) = (Method::GET, Uri::from_static("http://example.org/"), HeaderMap::new());
//! let asked = Asked::new(&method, &uri, &fields);
//!
//! // A response arrives.
//! let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
//! let headers = HeaderMap::from_iter([(header::CACHE_CONTROL, HeaderValue::from_static("max-age=60"))]);
//! let times = Times { requested_at: now, received_at: now };
//! let answered = Answered { status: StatusCode::OK, headers: &headers, times, signed: Signed::No };
//! let Keep::Store(kept) = store(&rules, &asked, &answered) else { panic!("it may be stored") };
//!
//! // Ten seconds later it answers another request.
//! let held = Held { stored: &kept.stored, headers: &kept.headers, selecting: &kept.selecting, identity: None };
//! let later = now + Duration::from_secs(10);
//! let Reuse::Serve(hit) = reuse(&rules, &asked, Some(held), false, later) else { panic!("it is fresh") };
//! assert_eq!(hit.why.to_string(), "fresh (age 10 s < lifetime 60 s)");
//! ```

mod asked;
mod canonical;
mod collapse;
mod conditions;
mod consider;
mod control;
mod directives;
mod fields;
mod freshen;
mod invalidate;
mod lifetime;
mod part;
mod range;
mod reuse;
mod rules;
mod select;
mod stand_in;
mod store;
mod stored;
mod validate;
mod why;
mod wire;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod testing;

pub(crate) use self::part::is_other_version;
pub use self::{
    asked::{Answered, Asked, Held, Signed, Times, obtained_for},
    collapse::{collapses, serves_meanwhile},
    conditions::{Give, give},
    consider::{Consider, consider},
    control::Control,
    fields::stored_fields,
    freshen::{Freshened, HeadSays, Then, freshen, freshen_by_head},
    invalidate::invalidates,
    lifetime::LifetimeFrom,
    part::{Meets, Missing, UsePart, beginning, leaves_fields_out, meets, part, use_part},
    range::{Slice, Span, slice},
    reuse::{Hit, Reuse, reuse},
    rules::{Heuristic, Invalidate, Kind, Negotiation, Rules, SetCookies},
    select::{Selecting, select},
    stand_in::{Failure, stands_in},
    store::{Keep, Kept, NotStored, store},
    stored::Stored,
    validate::{Conditions, NotModified, conditions, is_same_version, not_modified},
    why::{Ages, CacheStatus, Forwarded, Why},
};
