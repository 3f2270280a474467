//! HTTP Digest authentication (RFC 7616), as a tower layer of its own and as a scheme for
//! [`AuthLayer`](httplib2_auth::AuthLayer).
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, Response, header::{AUTHORIZATION, WWW_AUTHENTICATE}};
//! use http_body_util::Full;
//! use httplib2_auth::{Credential, Credentials};
//! use httplib2_auth_digest::DigestAuthLayer;
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! // Any service of HTTP requests will do; this one lets in whoever signs.
//! let server = service_fn(async |request: Request<Full<Bytes>>| {
//!     let challenge = r#"Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256"#;
//!     Ok::<_, std::convert::Infallible>(match request.headers().get(AUTHORIZATION) {
//!         Some(signature) => Response::new(Full::from(signature.as_bytes().to_vec())),
//!         None => Response::builder()
//!             .status(401)
//!             .header(WWW_AUTHENTICATE, challenge)
//!             .body(Full::default())
//!             .expect("a response"),
//!     })
//! });
//! let credentials = Credentials::new();
//! credentials.add_for("example.org", Credential::login("joe", "s3cret"))?;
//! let client = DigestAuthLayer::new(credentials).layer(server);
//!
//! let response = client.oneshot(Request::get("http://example.org/a").body(Full::default())?).await?;
//! assert_eq!(response.status(), 200);
//! # use http_body_util::BodyExt;
//! # let signature = response.into_body().collect().await?.to_bytes();
//! # assert!(signature.starts_with(br#"Digest username="joe", realm="r", nonce="n", uri="/a", algorithm=SHA-256, "#));
//! # Ok(())
//! # }
//! ```
//!
//! # Where it goes in a stack
//!
//! Inside of whatever sends a request again (redirect, cache, retry), so that each send is signed anew: a server
//! refuses a count that it has seen. Outside of the limits and of the client that connects.
//!
//! # What it does to a request
//!
//! Nothing, until the server has challenged one. That one is then sent again, signed, and so are from then on all
//! requests to its protection space: what the `domain` of the challenge lists, otherwise the whole origin. What is
//! signed is the method and the target as the request line has it (path and query, `*`, or the authority of CONNECT),
//! and with `auth-int` also the content, which must then be a body that can be read twice. Each signature has a count
//! of its own and a fresh nonce of 128 random bits; with an algorithm of sessions (`-sess`) that nonce lasts as long as
//! the server's. The password is never sent.
//!
//! | in the challenge | what is done |
//! |---|---|
//! | `algorithm` | `MD5`, `SHA-256`, `SHA-512-256`, each also with `-sess`; without it MD5; with another one it is not answered. Of several offers SHA-512-256 goes before SHA-256, that before MD5, and any without `qop` comes last |
//! | `qop` | `auth` if it is offered, otherwise `auth-int`; without it see the options |
//! | `userhash=true` | the name is sent hashed |
//! | `charset=UTF-8` | a name that is not ASCII is sent as `username*` (RFC 8187), otherwise as UTF-8 in quotes |
//! | `nonce`, `opaque` | are sent back; of more than 4 KiB, the challenge is not answered |
//! | `stale=true` | the new nonce is taken over, and the request signed once more |
//!
//! # What it does to a response
//!
//! `Authentication-Info` may name the next nonce, which is taken over if it is no longer than 4 KiB, and prove that the server knows the password too,
//! which is checked by option. A server that changes its nonce without calling the old one stale, and let the same
//! credential in before, is understood. With what the layer marks responses is told in [`httplib2_auth`].
//!
//! # Options
//!
//! | setting | default |
//! |---|---|
//! | [`prefer_auth_int`](Digest::prefer_auth_int) | no: `auth` where both are offered |
//! | [`allow_without_qop`](Digest::allow_without_qop) | yes: without `qop` the form of RFC 2069 is taken |
//! | [`missing_qop_is_auth`](Digest::missing_qop_is_auth) | no |
//! | [`mutual`](Digest::mutual) | no: the proof of the server is not looked at |
//! | [`nonce`](Digest::nonce) | the random source of the operating system |
//!
//! # Errors
//!
//! A challenge that cannot be answered is no error: its response is handed back, with the reason
//! ([`CannotAnswer`](httplib2_auth::CannotAnswer)) as the layer tells it. A request that cannot be signed, because there
//! are no random bytes or because a nonce was used 4,294,967,295 times, goes out unsigned. With
//! [`mutual`](Digest::mutual) an answer without proof fails the exchange
//! ([`AuthError::Unproven`](httplib2_auth::AuthError::Unproven)).
//!
//! # What it does not do
//!
//! It normalizes neither names nor passwords (RFC 7616 §4): they are hashed as the caller gave them, as UTF-8. It
//! checks no proof over the content of a response (`rspauth` with `auth-int`) and none that comes in trailers.
//! [`HmacDigest`], a legacy of httplib2, is answered only by a layer to which it was added.

mod account;
mod hash;
mod hmac;
mod layer;
mod mutual;
mod offer;
mod rules;
mod scheme;
mod session;
mod signer;
mod target;

pub use self::{hmac::HmacDigest, layer::DigestAuthLayer, scheme::Digest};
