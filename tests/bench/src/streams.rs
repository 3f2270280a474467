//! A long answer through a cache that does not keep it, and one that it keeps: how fast, and how much memory?
//!
//! Each client has a process of its own, because a process has only one peak.

use std::{fs, net::SocketAddr, path::Path};

use rustix::time::ClockId;

use crate::{
    BoxError,
    clients::{Files, Httplib2, HyperUtil, Over, Reader, Target, cacache, cache_layer, disk, http_cache_tower},
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
    kind: Kind,
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

/// What a cache does with it.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// It does not keep it.
    Passed(Framing),
    /// It keeps it in a directory.
    Stored,
    /// It has it from another process.
    Found,
    /// It has it from another process, and it was read before.
    FoundAgain,
}

/// All streams, in the order in which they run.
pub const ALL: [Stream; 5] = [
    Stream {
        name: "cache-stream",
        about: "a long answer through a cache: its length is announced, and is too much for the store",
        kind: Kind::Passed(Framing::Sized),
    },
    Stream {
        name: "cache-stream-chunked",
        about: "the same without a length: the store takes it until it is too much",
        kind: Kind::Passed(Framing::Chunked),
    },
    Stream { name: "disk-stream-stored", about: "a long answer that is stored on a disk", kind: Kind::Stored },
    Stream { name: "disk-stream-first", about: "the same from the cache, in a new process", kind: Kind::Found },
    Stream { name: "disk-stream-again", about: "the same once more, in such a process", kind: Kind::FoundAgain },
];

/// Who reads what is not kept. The floor first.
const PASSING: [Streamer; 4] = [
    Streamer { name: "hyper-util", holds_all: false },
    Streamer { name: "httplib2-cache", holds_all: false },
    Streamer { name: "httplib2", holds_all: false },
    Streamer { name: "http-cache-tower", holds_all: true },
];

/// Who reads what is kept on a disk. The floor first.
const KEEPING: [Streamer; 4] = [
    Streamer { name: "hyper-util, a file", holds_all: false },
    Streamer { name: "DiskStore", holds_all: false },
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
    /// Who reads it, the floor first.
    #[must_use]
    pub fn streamers(&self) -> &'static [Streamer] {
        if self.is_kept() { &KEEPING } else { &PASSING }
    }

    /// Whether it is stored in a directory, or found in one where the first that is kept was stored before.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        !matches!(self.kind, Kind::Passed(_))
    }

    /// Has one client read `length` bytes, with a cache in `directory` if it keeps them.
    ///
    /// # Errors
    ///
    /// Where there is no such client, or the answer is not the right one or comes from the wrong place.
    pub async fn read(
        &self,
        streamer: &str,
        origin: SocketAddr,
        directory: &Path,
        length: u64,
    ) -> Result<Taken, BoxError> {
        let server = HyperUtil::default().0;
        let reading = Reading { kind: self.kind, origin, directory, length };
        match (streamer, self.is_kept()) {
            ("hyper-util", false) => reading.with(Over(server)).await,
            ("httplib2-cache", false) => reading.with(cache_layer(server)).await,
            ("httplib2", false) => reading.with(Httplib2::caching()?).await,
            ("http-cache-tower", false) => reading.with(http_cache_tower(server)).await,
            ("hyper-util, a file", true) => reading.with(Files::new(directory)).await,
            ("DiskStore", true) => reading.with(disk(server, directory)?).await,
            ("httplib2", true) => reading.with(Httplib2::on_large_disk(directory)?).await,
            ("http-cache-tower", true) => reading.with(cacache(server, directory)).await,
            _ => Err(format!("there is no client {streamer:?}").into()),
        }
    }
}

/// What one client is to read.
struct Reading<'a> {
    kind: Kind,
    origin: SocketAddr,
    directory: &'a Path,
    length: u64,
}

// === impl Reading ===

impl Reading<'_> {
    async fn with(&self, client: impl Reader) -> Result<Taken, BoxError> {
        let target = |path| Target::new(format!("http://{}{path}", self.origin));
        // The floor keeps it in file 0, so the small one is another.
        client.read(&target(cached::path(Cacheable::Never, SMALL) + "?small&1")?).await?;
        let framing = if let Kind::Passed(framing) = self.kind { framing } else { Framing::Sized };
        // Each directory has an answer of its own, so that the origin counts for it alone.
        let who = self.directory.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let path = format!("{}?{who}", stream_path(framing, self.length));
        let long = target(path.clone())?;
        let before = cached::asked(self.origin, &path)?;
        let idle = peak_memory()?;
        if let Kind::FoundAgain = self.kind {
            self.read(&client, &long).await?;
        }
        let mut taken = self.read(&client, &long).await?;
        taken.memory = peak_memory()?.saturating_sub(idle);
        if let Kind::Stored = self.kind {
            // It is there when it is found, and this process may end.
            self.read(&client, &long).await?;
        }
        let asked = cached::asked(self.origin, &path)?.whole - before.whole;
        let expected = usize::from(matches!(self.kind, Kind::Passed(_) | Kind::Stored));
        if asked != expected {
            return Err(format!("the origin was asked {asked} times, not {expected}").into());
        }
        Ok(taken)
    }

    async fn read(&self, client: &impl Reader, long: &Target) -> Result<Taken, BoxError> {
        let before = (micros(ClockId::Monotonic), micros(ClockId::ProcessCPUTime));
        let read = client.read(long).await?;
        let after = (micros(ClockId::Monotonic), micros(ClockId::ProcessCPUTime));
        if read != self.length {
            return Err(format!("{read} of {} bytes", self.length).into());
        }
        Ok(Taken { wall: after.0 - before.0, cpu: after.1 - before.1, memory: 0 })
    }
}

/// How long the answer is that opens the connection.
const SMALL: usize = 1024;

/// The most memory that this process ever had, in KiB.
fn peak_memory() -> Result<u64, BoxError> {
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    Ok(peak.ok_or("the system does not say how much memory there was")?.parse()?)
}
