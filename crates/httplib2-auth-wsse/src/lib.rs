//! A tower layer, and a scheme for the layer of `httplib2-auth`, that signs HTTP requests with WSSE: a
//! `UsernameToken` of user name, nonce, time and a digest of them and the password.
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, Response, header::WWW_AUTHENTICATE};
//! use http_body_util::Full;
//! use httplib2_auth::{Authentication, Credential, Credentials};
//! use httplib2_auth_wsse::WsseAuthLayer;
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), httplib2_core::error::BoxError> {
//! // Any service of HTTP requests will do; this one lets in whoever brings a token.
//! let server = service_fn(async |request: Request<Full<Bytes>>| {
//!     if request.headers().contains_key("x-wsse") {
//!         return Ok(Response::new(Full::new(Bytes::from_static(b"in"))));
//!     }
//!     Response::builder()
//!         .status(401)
//!         .header(WWW_AUTHENTICATE, r#"WSSE realm="notes", profile="UsernameToken""#)
//!         .body(Full::default())
//! });
//! let credentials = Credentials::new();
//! credentials.add_for("example.org", Credential::login("joe", "s3cret"))?;
//! let client = WsseAuthLayer::new(credentials).layer(server);
//!
//! let response = client.oneshot(Request::get("http://example.org/").body(Full::default())?).await?;
//! assert_eq!(response.status(), 200);
//! let fact = response.extensions().get::<Authentication>().expect("it was signed");
//! assert_eq!(fact.to_string(), "wsse for \"notes\", after 1 challenge");
//! # Ok(())
//! # }
//! ```
//!
//! # Where it goes in a stack
//!
//! Where [`AuthLayer`](httplib2_auth::AuthLayer) goes: inside of retry, so that every try has a nonce and a time of its
//! own, since servers let a nonce in once. Inside of redirect and the cache.
//!
//! # What it does to a request
//!
//! Nothing to the first one to a place that is not known to ask, unless requests are signed
//! [in advance](WsseAuthLayer::in_advance). A signed one, and each of them anew, gets both fields:
//!
//! ```text
//! Authorization: WSSE profile="UsernameToken"
//! X-WSSE: UsernameToken Username="joe", PasswordDigest="…", Nonce="…", Created="2003-12-15T14:43:07Z"
//! ```
//!
//! `PasswordDigest` is the base64 of the SHA-1 of nonce, `Created` and password, one behind the other. The nonce has
//! 128 random bits; how it is written is a matter of the server ([`NonceForm`]). An `X-WSSE` that the request has already
//! is replaced, and its new value is marked sensitive.
//!
//! # What it does to a response
//!
//! A 401 with a challenge of WSSE is given up for that of the same request, signed. It is answered whether it
//! names the profile `UsernameToken` or none. What [`AuthLayer`](httplib2_auth::AuthLayer) says on responses, it says of
//! these.
//!
//! # Options
//!
//! | setting | default |
//! |---|---|
//! | [`in_advance`](WsseAuthLayer::in_advance) | no |
//! | [`Wsse::nonce_form`] | [`NonceForm::Base64`] |
//! | [`Wsse::clock`] | that of the operating system |
//! | [`Wsse::nonce`] | that of the operating system |
//!
//! Per request: [`RequestCredentials`](httplib2_auth::RequestCredentials), also whether they are sent in advance.
//!
//! # Errors
//!
//! None of its own: those of the inner service pass through. A challenge that asks for another profile, a name
//! with a control character and a clock outside of the years 1970 to 9999 sign nothing: the response comes as it is, and
//! [`Authentication`](httplib2_auth::Authentication) says why.
//!
//! # What it does not do
//!
//! It does not find out which form of nonce a server wants, nor how wrong its own clock is: servers refuse what is
//! more than some minutes old. It does not protect the request: who reads a token on the way can send another request
//! with it before the server sees it, and try passwords on it at leisure, for one SHA-1 each. Use https. Servers that
//! keep a salted hash of the password want that in its place.

mod layer;
mod scheme;
mod token;

pub use self::{layer::WsseAuthLayer, scheme::Wsse, token::NonceForm};
