//! A tower layer that answers HTTP authentication challenges (RFC 9110 §11): it sends the request again with
//! credentials, and the next ones in advance.
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, Response, header::{AUTHORIZATION, WWW_AUTHENTICATE}};
//! use http_body_util::Full;
//! use httplib2_auth::{Authentication, AuthLayer, Basic, Credential, Credentials};
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! // Any service of HTTP requests will do; this one lets in who knows Aladdin's password.
//! let server = service_fn(async |request: Request<Full<Bytes>>| {
//!     let known = request.headers().get(AUTHORIZATION).is_some_and(|value| value == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
//!     Ok::<_, std::convert::Infallible>(match known {
//!         true => Response::new(Full::new(Bytes::from_static(b"treasure"))),
//!         false => {
//!             let challenge = Response::builder().status(401).header(WWW_AUTHENTICATE, "Basic realm=\"cave\"");
//!             challenge.body(Full::default()).expect("a response")
//!         }
//!     })
//! });
//! let credentials = Credentials::new();
//! credentials.add_for("cave.example", Credential::login("Aladdin", "open sesame"))?;
//! let client = AuthLayer::new(credentials).scheme(Basic).layer(server);
//!
//! let request = || Request::get("https://cave.example/inside").body(Full::default());
//! let response = client.clone().oneshot(request()?).await?;
//! let how = response.extensions().get::<Authentication>().expect("it was signed");
//! assert_eq!(how.to_string(), "basic for \"cave\", after 1 challenge");
//!
//! // From now on that space is signed for in advance.
//! let response = client.oneshot(request()?).await?;
//! let how = response.extensions().get::<Authentication>().expect("it was signed");
//! assert_eq!(how.to_string(), "basic for \"cave\", in advance");
//! # Ok(())
//! # }
//! ```
//!
//! # Where it goes in a stack
//!
//! Inside of redirects, caches and retries: each hop has its own credentials, a stored answer costs no challenge, and each
//! try is signed anew, so that no nonce is used twice. Outside of limits on what is really sent, and of what logs each
//! send. Whatever stands outside and follows redirects puts a [`FirstOrigin`](httplib2_core::who::FirstOrigin) on each
//! request that it led to another origin; a cache asks the [handle](AuthLayer::handle) whose answers it may give.
//!
//! # What it does to a request
//!
//! Nothing, and without an allocation, if there are no [`Credentials`] or the caller set `Authorization`; nothing either if
//! no credential is for its origin, or if it is a TRACE (RFC 9110 §9.3.8). Otherwise:
//!
//! 1. A request in a protection space that is known is signed in advance. Spaces are those of the schemes (RFC 7617 §2.2,
//!    RFC 7616 §3.3); the nearest one signs. Credentials that are [sent in advance](AuthLayer::in_advance) anyway are.
//! 2. If nothing is known of its origin, one request goes ahead, and those that come meanwhile
//!    [wait](AuthLayer::first_contact_wait) until it was answered, holding nothing of the service inside.
//! 3. A challenge is answered by each credential in turn, those for the domain first, with the strongest scheme that is
//!    offered and can be used. The answer that is given up is read to its end within limits first.
//!
//! | what stops it | |
//! |---|---|
//! | a scheme that shows the secret, over plain http | skipped, unless [allowed](AuthLayer::secrets_over_http) |
//! | a weaker scheme than one that was refused | not tried with that credential, unless [allowed](AuthLayer::allow_downgrade) |
//! | over plain http, a weaker offer than one that the origin accepted before | the same |
//! | another origin that led the request | see [`Credentials`] |
//! | [`Credentials::clear`] meanwhile | nothing is signed any more |
//! | an offer that cannot be answered | skipped, which is no downgrade |
//! | an answer that would say what was refused already | not sent |
//! | two answers with one credential, four in all | [`max_answers`](AuthLayer::max_answers) |
//! | a body that cannot be sent again | the 401 is returned as it came |
//!
//! A signature that the server calls stale is renewed once. One that it refuses is forgotten, and a fresh challenge
//! answered. A scheme whose signature covers the content reads it first: in advance only a body that lies in memory.
//!
//! # What it does to a response
//!
//! A response to a signed request carries [`Authentication`], the scheme and realm and how many challenges it took, and
//! [`SignedAs`](httplib2_core::who::SignedAs), whose it is. A 401 that was not answered carries `Authentication` with the
//! reasons ([`Unanswered`]). `Authentication-Info` is handed to the scheme, which may fail the exchange over it.
//!
//! # Options
//!
//! | setting | default | per request |
//! |---|---|---|
//! | [`new`](AuthLayer::new): the credentials | | [`RequestCredentials`] |
//! | [`scheme`](AuthLayer::scheme) | none; [`Basic`] and [`Bearer`] are here | |
//! | [`order`](AuthLayer::order) | [`Order::Strongest`] | |
//! | [`allow_downgrade`](AuthLayer::allow_downgrade) | no | |
//! | [`secrets_over_http`](AuthLayer::secrets_over_http) | no | |
//! | [`in_advance`](AuthLayer::in_advance) | [`InAdvance::Tokens`] | [`RequestCredentials::in_advance`] |
//! | [`credentials_follow_redirects`](AuthLayer::credentials_follow_redirects) | no | [`FirstOrigin`](httplib2_core::who::FirstOrigin) |
//! | [`max_answers`](AuthLayer::max_answers) | 4 | |
//! | [`first_contact_wait`](AuthLayer::first_contact_wait) | one second | |
//! | [`discard_limits`](AuthLayer::discard_limits) | 64 KiB and one second per response | |
//! | [`for_proxy`](AuthLayer::for_proxy) | answers servers | |
//!
//! # Errors
//!
//! Those of the inner service pass through, boxed but with their type. Its own is [`AuthError`]: a server that had to prove
//! that it knows the secret did not. A challenge that is not answered is a fact on the response, not an error.
//!
//! # What it does not do
//!
//! It speaks no scheme that binds a connection to a user (NTLM, Negotiate). It asks nobody for a password: see [`Provider`].
//! It reads no file and no environment: [`Credentials::netrc`] takes a text. It does not record a body that cannot be sent
//! again: wrap it in a [`ReplayBody`](httplib2_core::body::ReplayBody) for that. It remembers 1,000 origins, those used
//! last, and 256 spaces and 256 credentials of each. It needs tokio's timer only to
//! wait for a first contact or an answer that stalls.

mod accepted;
mod basic;
mod bearer;
mod call;
mod credential;
mod credentials;
mod decide;
mod error;
mod exchange;
mod first_contact;
mod identity;
mod layer;
mod line;
mod options;
mod party;
mod path;
mod provider;
mod rules;
mod scheme;
mod service;
mod spaces;

pub use self::{
    basic::Basic,
    bearer::Bearer,
    credential::{Credential, Login, Token},
    credentials::{Credentials, InvalidDomain},
    error::AuthError,
    layer::AuthLayer,
    options::{Authentication, InAdvance, RequestCredentials, Unanswered},
    party::Signatories,
    provider::{Ask, Provided, Provider, ProviderError},
    rules::Order,
    scheme::{CannotAnswer, ContentDigest, Refusal, Scheme, SignError, Signer, Space, Unproven, Unsigned},
    service::Auth,
};
