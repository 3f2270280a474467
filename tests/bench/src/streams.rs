//! A long answer through a cache that does not keep it: how fast, and how much memory?
//!
//! Each client has a process of its own, because a process has only one peak.

use std::{fs, net::SocketAddr};

use rustix::time::ClockId;

use crate::{
    BoxError,
    clients::{Httplib2, HyperUtil, Over, Reader, Target, cache_layer, http_cache_tower},
    measure::micros,
    origin::cached::{self, Cacheable, Framing, stream_path},
};

/// The same long answer for several clients.
#[derive(Clone, Copy, Debug)]
pub struct Stream {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What is done, in a few words.
    pub about: &'static str,
    framing: Framing,
}

/// Who reads it.
#[derive(Clone, Copy, Debug)]
pub struct Streamer {
    /// What it is called in the table.
    pub name: &'static str,
    /// Whether it holds all that it reads, and so is given less.
    pub holds_all: bool,
}

/// What one answer took.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    /// From the call to the last byte, in microseconds.
    pub wall: f64,
    /// User and system time of the client's process, in microseconds.
    pub cpu: f64,
    /// The most memory that the process had, in KiB, beyond the most that it had for a small answer before.
    pub memory: u64,
}

/// All streams, in the order in which they run.
pub const ALL: [Stream; 2] = [
    Stream {
        name: "cache-stream",
        about: "a long answer through a cache: its length is announced, and is too much for the store",
        framing: Framing::Sized,
    },
    Stream {
        name: "cache-stream-chunked",
        about: "the same without a length: the store takes it until it is too much",
        framing: Framing::Chunked,
    },
];

/// The floor first.
pub const STREAMERS: [Streamer; 4] = [
    Streamer { name: "hyper-util", holds_all: false },
    Streamer { name: "httplib2-cache", holds_all: false },
    Streamer { name: "httplib2", holds_all: false },
    Streamer { name: "http-cache-tower", holds_all: true },
];

/// The stream of this name, if there is one.
#[must_use]
pub fn named(name: &str) -> Option<Stream> {
    ALL.into_iter().find(|stream| stream.name == name)
}

// === impl Stream ===

impl Stream {
    /// Has one client read `length` bytes, once. The answer of interest is the first one of its process.
    ///
    /// # Errors
    ///
    /// Where there is no such client, or the answer is not the right one.
    pub async fn read(&self, streamer: &str, origin: SocketAddr, length: u64) -> Result<Taken, BoxError> {
        match streamer {
            "hyper-util" => self.read_with(Over(HyperUtil::default().0), origin, length).await,
            "httplib2-cache" => self.read_with(cache_layer(HyperUtil::default().0), origin, length).await,
            "httplib2" => self.read_with(Httplib2::caching()?, origin, length).await,
            "http-cache-tower" => self.read_with(http_cache_tower(HyperUtil::default().0), origin, length).await,
            _ => Err(format!("there is no client {streamer:?}").into()),
        }
    }

    async fn read_with(&self, client: impl Reader, origin: SocketAddr, length: u64) -> Result<Taken, BoxError> {
        let target = |path| Target::new(format!("http://{origin}{path}"));
        client.read(&target(cached::path(Cacheable::Never, 1024))?).await?;
        let long = target(stream_path(self.framing, length))?;
        let idle = peak_memory()?;
        let before = (micros(ClockId::Monotonic), micros(ClockId::ProcessCPUTime));
        let read = client.read(&long).await?;
        let after = (micros(ClockId::Monotonic), micros(ClockId::ProcessCPUTime));
        if read != length {
            return Err(format!("{read} of {length} bytes").into());
        }
        Ok(Taken { wall: after.0 - before.0, cpu: after.1 - before.1, memory: peak_memory()?.saturating_sub(idle) })
    }
}

/// The most memory that this process ever had, in KiB.
fn peak_memory() -> Result<u64, BoxError> {
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    Ok(peak.ok_or("the system does not say how much memory there was")?.parse()?)
}
