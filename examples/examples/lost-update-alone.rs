//! The lost-update layer alone, over a plain hyper-util client: two who edit one document, first without and then with
//! a hook that merges.

use axum::Router;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use httplib2_core::error::BoxError;
use httplib2_lost_update::{Guard, LostUpdate, LostUpdateLayer, MergeHook, Versions, merge_fn};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tower::{Layer, ServiceExt};

/// `None` for requests that bring no hook of their own.
type Editor = LostUpdate<Client<HttpConnector, Full<Bytes>>, Option<MergeHook>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let routes = Router::new().route("/list", httplib2_examples::document("milk\n"));
    let uri = format!("{}/list", httplib2_examples::serve(routes).await?);

    // Each service of the layer remembers what it has seen.
    let client = Client::builder(TokioExecutor::new()).build_http();
    let layer = LostUpdateLayer::new().merge(None);
    let (ann, bob): (Editor, Editor) = (layer.layer(client.clone()), layer.layer(client));
    read(&ann, &uri).await?;
    read(&bob, &uri).await?;

    let response = write(&bob, &uri, "milk\nbread\n", None).await?;
    println!("Bob adds bread:  {}, {}", response.status(), guard(&response)?);
    assert_eq!(response.status(), StatusCode::NO_CONTENT);

    // Ann has not seen the bread, and would overwrite it.
    let response = write(&ann, &uri, "milk\neggs\n", None).await?;
    let conflict = guard(&response)?.conflict().cloned().ok_or("it should have been refused")?;
    println!("Ann adds eggs:   {}, {}", response.status(), guard(&response)?);
    assert_eq!(response.status(), StatusCode::PRECONDITION_FAILED);
    assert_eq!(conflict.current.ok_or("the server tells")?, "\"v2\"");

    // She reads again, Bob is faster once more, and this time there is a hook.
    read(&ann, &uri).await?;
    write(&bob, &uri, "milk\nbread\nbutter\n", None).await?;
    let response = write(&ann, &uri, "milk\nbread\neggs\n", Some(merge_fn(both))).await?;
    println!("Ann merges eggs: {}, {}", response.status(), guard(&response)?);
    assert_eq!((response.status(), guard(&response)?.rounds()), (StatusCode::NO_CONTENT, 1));

    let content = read(&bob, &uri).await?;
    println!("the list: {content:?}");
    assert_eq!(content, "milk\nbread\nbutter\neggs\n");
    Ok(())
}

/// A list that only grows: what is there, and then what was added to it.
async fn both(versions: Versions) -> Option<Bytes> {
    let (mine, theirs) = (versions.mine.body(), versions.theirs.body());
    let (mine, theirs) = (str::from_utf8(mine).ok()?, str::from_utf8(theirs).ok()?);
    let added = mine.lines().filter(|line| !theirs.lines().any(|other| other == *line));
    Some(theirs.lines().chain(added).map(|line| format!("{line}\n")).collect::<String>().into())
}

async fn read(editor: &Editor, uri: &str) -> Result<Bytes, BoxError> {
    let response = editor.clone().oneshot(Request::get(uri).body(Full::default())?).await?;
    Ok(response.into_body().collect().await?.to_bytes())
}

async fn write(
    editor: &Editor,
    uri: &str,
    text: &'static str,
    merge: Option<MergeHook>,
) -> Result<Response<Incoming>, BoxError> {
    let mut request = Request::builder().method(Method::PUT).uri(uri).body(Full::from(text))?;
    if let Some(hook) = merge {
        request.extensions_mut().insert(hook);
    }
    editor.clone().oneshot(request).await
}

/// What the layer says of an update.
fn guard(response: &Response<Incoming>) -> Result<&Guard, BoxError> {
    Ok(response.extensions().get::<Guard>().ok_or("it should have been looked after")?)
}
