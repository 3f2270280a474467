//! Looks after a cache in a directory: what is in it, is it whole, what is left over.
//!
//! ```sh
//! cargo run --example cache-dir -- DIR            # a table
//! cargo run --example cache-dir -- DIR verify     # reads every body
//! cargo run --example cache-dir -- DIR gc         # removes what belongs to no entry
//! cargo run --example cache-dir -- DIR clear
//! ```
//!
//! Without a directory it makes one of its own and shows all four.

use std::{
    error::Error,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use axum::{Router, http::header, routing};
use clap::{Parser, ValueEnum};
use httplib2::{
    Http,
    core::context::{Clock, SystemClock},
    store::{Listed, Store},
    store_disk::DiskStore,
};

type Outcome = Result<(), Box<dyn Error>>;

/// Looks after a cache in a directory.
#[derive(Parser)]
struct Arguments {
    /// The directory that was given to `Http::builder().cache(..)`.
    dir: Option<PathBuf>,
    #[arg(default_value = "ls")]
    what: What,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// Lists what is stored.
    Ls,
    /// Reads every body, and removes what is damaged.
    Verify,
    /// Removes what belongs to no entry.
    Gc,
    /// Removes everything.
    Clear,
}

#[tokio::main]
async fn main() -> Outcome {
    let arguments = Arguments::parse();
    let Some(dir) = arguments.dir else { return story().await };
    look_after(&DiskStore::open(dir)?, arguments.what).await
}

async fn look_after(store: &DiskStore, what: What) -> Outcome {
    match what {
        What::Ls => table(store).await?,
        What::Verify => println!("verify: {}", store.verify().await?),
        What::Gc => println!("gc: {}", store.gc().await?),
        What::Clear => {
            store.clear().await?;
            println!("clear: done");
        }
    }
    Ok(())
}

async fn table(store: &DiskStore) -> Outcome {
    let mut listed = store.list().await?;
    listed.sort_by(|one, other| one.key.as_str().cmp(other.key.as_str()));
    println!("{:>10}  {:>6}  {:>6}  {:<24}  uri", "bytes", "stored", "used", "type");
    for line in &listed {
        println!("{}", row(line));
    }
    let usage = store.usage().await?;
    println!("{:>10}  in {} entries, of {}\n", usage.bytes, usage.entries, usage.limit.unwrap_or(u64::MAX));
    Ok(())
}

fn row(Listed { key, entry, .. }: &Listed) -> String {
    let kind = entry.head().headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("-");
    // A query may hold secrets, which are nobody's business on a screen.
    let uri = key.uri().split('?').next().unwrap_or_default();
    format!("{:>10}  {:>6}  {:>6}  {kind:<24}  {uri}", entry.length(), ago(entry.stored_at()), ago(entry.last_used()))
}

/// How long ago something was, in the largest unit that fits.
fn ago(time: SystemTime) -> String {
    let seconds = SystemClock.now().duration_since(time).unwrap_or_default().as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// Fills a directory through a client, and looks after it.
async fn story() -> Outcome {
    let dir = tempfile::tempdir()?;
    let fresh = || [(header::CACHE_CONTROL, "max-age=3600")];
    let routes = Router::new()
        .route("/page", routing::get(async move || (fresh(), "a page")))
        .route("/data", routing::get(async move || (fresh(), vec![0_u8; 100_000])));
    let origin = httplib2_examples::start(|_| routes).await?;

    let store = DiskStore::open(dir.path())?;
    let http = Http::builder().cache(store.clone()).build()?;
    for path in ["/page", "/data?token=s3cret"] {
        http.request(format!("{}{path}", origin.plain)).await?;
    }
    // Files are made while the callers go on.
    for _ in 0..100 {
        if store.usage().await?.entries == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(store.list().await?.len(), 2);
    for what in [What::Ls, What::Verify, What::Gc, What::Clear, What::Ls] {
        look_after(&store, what).await?;
    }
    assert_eq!(store.usage().await?.entries, 0);
    Ok(())
}
