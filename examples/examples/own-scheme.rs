//! A scheme of one's own, such as APIs have: an HMAC over method, target and time, with a key that both sides know.
//! Plugged into the facade, which knows it from then on beside Digest and the others.

use std::{
    fmt,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    extract::Request,
    response::{IntoResponse, Response},
    routing,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use httplib2::{
    Http,
    auth::{Authentication, CannotAnswer, Credential, InAdvance, Scheme, SignError, Signer, Space, Unsigned},
    core::context::{Clock, SystemClock},
};
use httplib2_syntax::challenge::{self, Challenge};
use sha2::Sha256;

type Failure = Box<dyn std::error::Error>;

/// `Authorization: Timed key="…", time="…", mac="…"`.
#[derive(Debug)]
struct Timed;

/// Signs with one key. The credential wipes it from memory when it goes.
struct TimedSigner(Credential);

const KEY: &str = "key1";
const SECRET: &[u8] = b"known to both sides";

/// How far the clocks may be apart, in seconds.
const WINDOW: u64 = 60;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let origin = httplib2_examples::serve(Router::new().fallback(routing::any(answer))).await?;

    let http = Http::builder().auth(|auth| auth.scheme(Timed)).build()?;
    http.add_credentials_for(&origin, KEY, std::str::from_utf8(SECRET)?)?;
    for challenges in [1, 0] {
        let (response, content) = http.request(format!("{origin}/orders?page=2")).explain(true).await?;
        let fact = response.extensions().get::<Authentication>().ok_or("it should have been signed")?;
        println!("GET:  {} {content:?}\n{}", response.status(), response.explain());
        assert_eq!((fact.scheme(), fact.challenges()), (Some("timed"), challenges));
        assert_eq!(content, "2 orders");
    }

    // Who says so signs from the first request on, and then needs no challenge at all.
    let http = Http::builder().auth(|auth| auth.scheme(Timed).in_advance(InAdvance::Always)).build()?;
    http.add_credentials_for(&origin, KEY, std::str::from_utf8(SECRET)?)?;
    let (response, content) = http.request(format!("{origin}/orders")).method("POST").body("tea").explain(true).await?;
    println!("POST: {} {content:?}\n{}", response.status(), response.explain());
    assert_eq!(content, "2 orders");

    let http = Http::builder().auth(|auth| auth.scheme(Timed)).build()?;
    http.add_credentials_for(&origin, KEY, "guessed")?;
    let (response, content) = http.request(format!("{origin}/orders")).explain(true).await?;
    println!("GET:  {} {content:?}\n{}", response.status(), response.explain());
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    Ok(())
}

// === impl Timed ===

impl Scheme for Timed {
    fn name(&self) -> &'static str {
        "timed"
    }

    /// More than Digest has: of several offers the facade answers this one.
    fn strength(&self) -> u8 {
        50
    }

    fn reveals_secret(&self) -> bool {
        false
    }

    fn answer(&self, _: &Challenge, credential: &Credential) -> Result<Arc<dyn Signer>, CannotAnswer> {
        let login = credential.as_login().ok_or(CannotAnswer::Credential("Timed needs a key and its name"))?;
        if !login.name().bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(CannotAnswer::Credential("the name of a key has only letters and digits"));
        }
        Ok(Arc::new(TimedSigner(credential.clone())))
    }

    /// A scheme that needs something of the server, such as a nonce, leaves this out.
    fn in_advance(&self, credential: &Credential) -> Option<Arc<dyn Signer>> {
        credential.as_login().map(|_| Arc::new(TimedSigner(credential.clone())) as Arc<dyn Signer>)
    }
}

// === impl TimedSigner ===

impl Signer for TimedSigner {
    fn realm(&self) -> Option<&[u8]> {
        None
    }

    fn space(&self) -> Space<'_> {
        Space::Origin
    }

    fn sign(&self, request: &mut Unsigned<'_>) -> Result<HeaderValue, SignError> {
        let login = self.0.as_login().ok_or(SignError("there is no key"))?;
        let time = seconds(SystemClock.now());
        let mac = mac(login.password(), request.method, request.uri, time).ok_or(SignError("the key is none"))?;
        let mac = STANDARD.encode(mac.finalize().into_bytes());
        let value = format!(r#"Timed key="{}", time="{time}", mac="{mac}""#, login.name());
        HeaderValue::try_from(value).map_err(|_| SignError("the name of the key makes no field value"))
    }
}

/// Shows nothing of the key.
impl fmt::Debug for TimedSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TimedSigner(..)")
    }
}

/// What both sides compute.
fn mac(key: &[u8], method: &Method, uri: &Uri, time: u64) -> Option<Hmac<Sha256>> {
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let signed = format!("{method}\n{target}\n{time}");
    Some(Hmac::new_from_slice(key).ok()?.chain_update(signed))
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// The origin's side.
async fn answer(request: Request) -> Response {
    match look(request.method(), request.uri(), request.headers()) {
        Some(()) => "2 orders".into_response(),
        None => (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Timed")], "who are you?").into_response(),
    }
}

fn look(method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<()> {
    let sent = challenge::parse([headers.get(header::AUTHORIZATION)?.as_bytes()]);
    let sent = |name| sent.first()?.params().text(name);
    let time: u64 = sent("time")?.parse().ok()?;
    let is_now = seconds(SystemClock.now()).abs_diff(time) <= WINDOW;
    let expected = mac(SECRET, method, uri, time)?;
    let is_right = expected.verify_slice(&STANDARD.decode(sent("mac")?).ok()?).is_ok();
    (sent("key")? == KEY && is_now && is_right).then_some(())
}
