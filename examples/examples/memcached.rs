//! Keeps responses in memcached, through the cache object interface of httplib2.
//!
//! ```sh
//! memcached -l 127.0.0.1 -p 11211 &
//! MEMCACHED=127.0.0.1:11211 cargo run --example memcached
//! ```

use std::{
    env,
    error::Error,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use axum::{Router, routing};
use bytes::Bytes;
use httplib2::{Http, store::StoreError};
use httplib2_store_object::{CacheObject, Later, ObjectStore};
use md5::{Digest, Md5};
use tokio::{
    io::{self, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream},
    net::TcpStream,
    sync::Mutex,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let Ok(server) = env::var("MEMCACHED") else {
        println!("MEMCACHED=127.0.0.1:PORT would say where a memcached listens; without it there is nothing to show.");
        return Ok(());
    };
    let memcached = Memcached::at(&server);
    let page = start_origin().await?;
    // To a cache one that does not answer is a miss, and nobody would know.
    assert!(memcached.get(&page).await?.is_none());

    // Two clients, such as two processes have, that share nothing but the server.
    for expected in ["hello 1", "hello 1"] {
        let http = Http::builder().cache(ObjectStore::new(Memcached::at(&server))).build()?;
        let (response, content) = http.request(&page).await?;
        println!("{content:?}, from the cache: {}", response.from_cache());
        assert_eq!(content, expected);
        // Nobody waited for memcached.
        for _ in 0..500 {
            if memcached.get(&page).await?.is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    // It is a plain object, so all that is said of it is what is under a key: the blob as httplib2 writes it.
    let blob = memcached.get(&page).await?.ok_or("it is stored")?;
    println!("{}", String::from_utf8_lossy(&blob));
    memcached.delete(&page).await?;
    assert!(memcached.get(&page).await?.is_none());
    Ok(())
}

/// One connection to a memcached, made when it is needed and made again after a failure.
#[derive(Debug)]
struct Memcached {
    address: String,
    line: Mutex<Option<BufStream<TcpStream>>>,
}

/// The longest key that memcached takes.
const LONGEST_KEY: usize = 250;

// === impl Memcached ===

impl Memcached {
    fn at(address: &str) -> Self {
        Self { address: address.to_owned(), line: Mutex::new(None) }
    }

    /// Sends a command and reads its answer: the first line, and the data of a `VALUE`.
    async fn ask(&self, command: String, data: Option<&[u8]>) -> io::Result<(String, Option<Bytes>)> {
        let mut line = self.line.lock().await;
        // Taken out, so that one that was given up half way, or failed, is not used again.
        let mut stream = match line.take() {
            Some(stream) => stream,
            None => BufStream::new(TcpStream::connect(&self.address).await?),
        };
        stream.write_all(command.as_bytes()).await?;
        if let Some(data) = data {
            stream.write_all(data).await?;
            stream.write_all(b"\r\n").await?;
        }
        stream.flush().await?;
        let answer = read_line(&mut stream).await?;
        let mut value = None;
        if answer.starts_with("VALUE ") {
            let length = answer.rsplit(' ').next().and_then(|length| length.parse().ok());
            let mut data = vec![0; length.ok_or(io::ErrorKind::InvalidData)?];
            stream.read_exact(&mut data).await?;
            // The line end of the data, and the line that says `END`.
            for _ in 0..2 {
                read_line(&mut stream).await?;
            }
            value = Some(data.into());
        }
        *line = Some(stream);
        Ok((answer, value))
    }
}

impl CacheObject for Memcached {
    fn get<'a>(&'a self, key: &'a str) -> Later<'a, Option<Bytes>> {
        Box::pin(async move {
            match self.ask(format!("get {}\r\n", short(key)), None).await? {
                (_, Some(blob)) => Ok(Some(blob)),
                (answer, None) if answer == "END" => Ok(None),
                (answer, None) => Err(StoreError::Other(answer.into())),
            }
        })
    }

    fn set<'a>(&'a self, key: &'a str, blob: Bytes) -> Later<'a, ()> {
        Box::pin(async move {
            let command = format!("set {} 0 0 {}\r\n", short(key), blob.len());
            match self.ask(command, Some(&blob)).await?.0 {
                answer if answer == "STORED" => Ok(()),
                // Such as that it is too large: a server takes 1 MiB unless it is told otherwise.
                answer => Err(StoreError::Other(answer.into())),
            }
        })
    }

    fn delete<'a>(&'a self, key: &'a str) -> Later<'a, ()> {
        Box::pin(async move {
            match &*self.ask(format!("delete {}\r\n", short(key)), None).await?.0 {
                "DELETED" | "NOT_FOUND" => Ok(()),
                answer => Err(StoreError::Other(answer.into())),
            }
        })
    }
}

async fn read_line(stream: &mut BufStream<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    match line.strip_suffix("\r\n") {
        Some(line) => Ok(line.to_owned()),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// The key itself, as httplib2 has it, where memcached takes it: no blanks, and not too long.
fn short(key: &str) -> String {
    if key.len() <= LONGEST_KEY && key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return key.to_owned();
    }
    let digest = Md5::digest(key).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    format!("httplib2:{digest}")
}

/// An origin on loopback that counts what it is sent.
async fn start_origin() -> io::Result<String> {
    static REQUESTS: AtomicU32 = AtomicU32::new(0);
    let hello = async || {
        let number = REQUESTS.fetch_add(1, Ordering::Relaxed) + 1;
        ([("cache-control", "max-age=60")], format!("hello {number}"))
    };
    let origin = httplib2_examples::serve(Router::new().route("/hello", routing::get(hello))).await?;
    Ok(format!("{origin}/hello"))
}
