//! Laws of what passes through a layer: heads, extensions, bodies and errors.

use std::{error::Error, fmt};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Collected};
use httplib2_core::{
    error::{BoxError, is_caused_by},
    send::HttpService,
};

use super::{ServiceLaws, readiness::send};
use crate::{
    Body, Broken, Received, Reply, Server,
    laws::{Mark, broken, in_time, law},
    reply,
};

const REQUEST_EXTENSIONS: &str = "request extensions reach the server";
const RESPONSE_EXTENSIONS: &str = "response extensions reach the caller";
const METHODS_AND_FIELDS: &str = "methods and fields pass as they are";
const REQUEST_BODY: &str = "request data and trailers reach the server";
const RESPONSE_BODY: &str = "response data and trailers reach the caller";
const INNER_ERRORS: &str = "inner errors pass with their type";
const BODY_ERRORS: &str = "body errors pass with their type";

/// The error of an inner service that fails because the law says so.
#[derive(Clone, Copy, Debug)]
struct Failed;

pub(super) async fn check<S: HttpService<Body>>(wrap: &impl Fn(Server) -> S, laws: &ServiceLaws) {
    messages(wrap, laws).await;
    unknown_methods(wrap, laws).await;
    for exchange in &laws.exchanges {
        let (server, request) = (exchange.make)();
        extensions_of_every_send(wrap, &exchange.name, server, request).await;
    }
    inner_errors(wrap, laws).await;
    body_errors(wrap, laws).await;
}

async fn messages<S: HttpService<Body>>(wrap: &impl Fn(Server) -> S, laws: &ServiceLaws) {
    let (server, request) = laws.passing_exchange();
    let sent = (request.method().clone(), request.uri().clone(), request.version());
    let response = answer(wrap(server.clone()), request, METHODS_AND_FIELDS).await;

    let received = only_request(&server, METHODS_AND_FIELDS);
    let came = (received.method().clone(), received.uri().clone(), received.version());
    law(came == sent, METHODS_AND_FIELDS, || format!("{sent:?} came as {came:?}"));
    fields_pass(received.headers(), "the server");
    law(received.extensions().get() == Some(&Mark("request")), REQUEST_EXTENSIONS, || "they are gone".to_owned());
    let trailer = received.trailers().and_then(|trailers| trailers.get("x-law"));
    let (data, whole) = (received.body(), received.is_whole());
    law(data == "data of the request" && whole, REQUEST_BODY, || format!("the data came as {data:?}"));
    law(trailer.is_some_and(|trailer| trailer == "trailer of the request"), REQUEST_BODY, || {
        format!("the trailers came as {:?}", received.trailers())
    });

    let status = response.status();
    law(status == 200, METHODS_AND_FIELDS, || format!("the status 200 came as {status}"));
    fields_pass(response.headers(), "the caller");
    law(response.extensions().get() == Some(&Mark("response")), RESPONSE_EXTENSIONS, || "they are gone".to_owned());
    let collected = match collect(response, RESPONSE_BODY).await {
        Ok(collected) => collected,
        Err(error) => broken(RESPONSE_BODY, format_args!("reading failed: {error}")),
    };
    let trailers = collected.trailers().cloned();
    let data = collected.to_bytes();
    law(data == "data of the response", RESPONSE_BODY, || format!("the data came as {data:?}"));
    let trailer = trailers.as_ref().and_then(|trailers| trailers.get("x-law"));
    law(trailer.is_some_and(|trailer| trailer == "trailer of the response"), RESPONSE_BODY, || {
        format!("the trailers came as {trailers:?}")
    });
}

async fn unknown_methods<S: HttpService<Body>>(wrap: &impl Fn(Server) -> S, laws: &ServiceLaws) {
    let (server, mut request) = laws.passing_exchange();
    *request.method_mut() = Method::from_bytes(b"X-LAW").expect("a token is a method");
    answer(wrap(server.clone()), request, METHODS_AND_FIELDS).await;
    let method = only_request(&server, METHODS_AND_FIELDS).method().clone();
    law(method == "X-LAW", METHODS_AND_FIELDS, || format!("the unknown method X-LAW came as {method}"));
}

async fn extensions_of_every_send<S: HttpService<Body>>(
    wrap: &impl Fn(Server) -> S,
    name: &str,
    server: Server,
    mut request: Request<Body>,
) {
    let server = server.decorated(|reply| reply.extension(Mark("response")));
    request.extensions_mut().insert(Mark("request"));
    let answer = in_time(send(&mut wrap(server.clone()), request)).await;
    let requests = server.requests();
    let sends = requests.len();
    assert!(sends > 1, "{name} was to send several times, but sent {sends} times: it proves nothing");
    for (at, received) in requests.iter().enumerate() {
        law(received.extensions().get() == Some(&Mark("request")), REQUEST_EXTENSIONS, || {
            format!("{name}: they are gone in send {} of {sends}, {}", at + 1, received.line())
        });
    }
    if let Some(Ok(response)) = answer {
        law(response.extensions().get() == Some(&Mark("response")), RESPONSE_EXTENSIONS, || {
            format!("{name}: they are gone after {sends} sends")
        });
    }
}

async fn inner_errors<S: HttpService<Body>>(wrap: &impl Fn(Server) -> S, laws: &ServiceLaws) {
    let failing = Server::answering(|_, _| Reply::failing(|| Failed));
    let refusing = Server::answering(|_, _| reply(200)).refusing(|| Failed);
    for (server, which) in [(failing, "the future"), (refusing, "`poll_ready`")] {
        let (_, request) = laws.passing_exchange();
        match in_time(send(&mut wrap(server), request)).await {
            None => broken(INNER_ERRORS, format_args!("that of {which} makes the call hang")),
            Some(Ok(_)) => broken(INNER_ERRORS, format_args!("that of {which} became a response")),
            Some(Err(error)) => law(is_caused_by::<Failed>(&*error), INNER_ERRORS, || {
                format!("that of {which} came as {error:?}, in which its type cannot be found")
            }),
        }
    }
}

async fn body_errors<S: HttpService<Body>>(wrap: &impl Fn(Server) -> S, laws: &ServiceLaws) {
    let (server, request) = laws.passing_exchange();
    let request = request.map(|_| Body::from("data").breaking());
    match in_time(send(&mut wrap(server), request)).await {
        None => broken(BODY_ERRORS, "that of the request makes the call hang"),
        Some(Ok(_)) => broken(BODY_ERRORS, "that of the request got lost: the server answered"),
        Some(Err(error)) => typed(&error, "the request"),
    }

    let server = Server::answering(|_, _| reply(200).body("data").breaking());
    let (_, request) = laws.passing_exchange();
    let response = answer(wrap(server), request, BODY_ERRORS).await;
    match collect(response, BODY_ERRORS).await {
        Ok(_) => broken(BODY_ERRORS, "that of the response became its end"),
        Err(error) => typed(&error, "the response"),
    }
}

fn typed(error: &BoxError, whose: &str) {
    law(is_caused_by::<Broken>(&**error), BODY_ERRORS, || {
        format!("that of {whose} came as {error:?}, in which its type cannot be found")
    });
}

fn fields_pass(fields: &HeaderMap, to: &str) {
    let values: Vec<_> = fields.get_all("x-law").iter().collect();
    law(values.iter().map(|value| value.as_bytes()).eq([&b"one"[..], b"tw\xf6"]), METHODS_AND_FIELDS, || {
        format!("two values of one field reached {to} as {values:?}")
    });
}

async fn answer<S: HttpService<Body>>(mut service: S, request: Request<Body>, name: &str) -> Response<S::ResponseBody> {
    match in_time(send(&mut service, request)).await {
        Some(Ok(response)) => response,
        Some(Err(error)) => broken(name, format_args!("the request that passes failed: {error}")),
        None => broken(name, "the request that passes hangs"),
    }
}

fn only_request(server: &Server, name: &str) -> Received {
    let mut requests = server.requests();
    let sends = requests.len();
    law(sends == 1, name, || format!("the request that passes was sent {sends} times"));
    requests.remove(0)
}

async fn collect<R>(response: Response<R>, name: &str) -> Result<Collected<Bytes>, BoxError>
where
    R: http_body::Body<Data = Bytes, Error: Into<BoxError>>,
{
    match in_time(response.into_body().collect()).await {
        Some(collected) => collected.map_err(Into::into),
        None => broken(name, "reading the response hangs"),
    }
}

// === impl Failed ===

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the inner service failed, as the law says")
    }
}

impl Error for Failed {}
