//! The one site that nginx and Apache serve.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use tempfile::TempDir;

use super::{Certs, guards, process::Process};

/// What `/hello.txt` holds.
pub const HELLO: &str = "hello from a real server\n";

/// The status codes that `/redirect/CODE` answers with.
pub const REDIRECT_CODES: [u16; 5] = [301, 302, 303, 307, 308];

/// A running server with three origins: *plain* http, *elsewhere* (plain on another port) and *tls* (https with
/// HTTP/2 and HTTP/1.1), which all serve the same:
///
/// | path | answer |
/// |---|---|
/// | `/hello.txt` | [`HELLO`], with `ETag` and `Last-Modified` |
/// | `/gzip.txt`, `/br.txt` | [`text()`](text), in that coding for who accepts it |
/// | `/large.bin` | [`large()`](large), 8 MiB |
/// | `/dir` | 301 to `/dir/`, as every file server does |
/// | `/echo` | what was asked, for [`echoed`] |
/// | `/close` | like `/echo`, and closes the connection |
/// | `/slow` | like `/echo`, after two seconds |
/// | `/drip` | two halves of a body, two seconds apart |
/// | `/redirect/CODE` | to `/echo`, for each of [`REDIRECT_CODES`] |
/// | `/redirect/CODE/absolute` | to `/echo` at this origin, all written out |
/// | `/redirect/CODE/elsewhere` | to `/echo` at the origin *elsewhere* |
/// | `/redirect/CODE/tls` | to `/echo` at the origin *tls* |
/// | `/redirect/CODE/plain` | to `/echo` at the origin *plain* |
/// | `/redirect/chain/N` | N redirects, N from 1 to 5, then `/echo` |
/// | `/redirect/loop` | to itself |
/// | `/redirect/fragment` | to `/echo#part` |
/// | `/basic/secret.txt` | [`SECRET`](super::SECRET), for the user of [`guards`](super::guards), by Basic |
/// | `/basic/echo` | like `/echo`, for the same user |
///
/// Apache alone has also the [`DIGESTS`](super::DIGESTS), `/digest/plain/echo`, and [`/dav/`](super::apache::start_dav).
#[derive(Debug)]
pub struct Site {
    // Dropped first, so that the server is gone before its files are.
    _process: Process,
    dir: Dir,
    ports: Ports,
    certs: Certs,
}

/// The ports of the three origins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports {
    pub(super) plain: u16,
    pub(super) elsewhere: u16,
    pub(super) tls: u16,
}

/// One redirect of the site. A location without a host is meant to be sent as it is.
#[derive(Debug)]
pub(super) struct Redirect {
    pub(super) path: String,
    pub(super) code: u16,
    pub(super) location: String,
}

/// The directory of a server: configuration, files, log.
#[derive(Debug)]
pub(super) struct Dir(TempDir);

/// Returns the 8 MiB of `/large.bin`: every place in it differs from its neighbourhood.
pub fn large() -> Vec<u8> {
    (0..2 * 1024 * 1024_u32).flat_map(|n| n.wrapping_mul(0x9e37_79b1).to_be_bytes()).collect()
}

/// Returns the text of `/gzip.txt` and `/br.txt`: long, and easy to compress.
pub fn text() -> String {
    (0..5_000).map(|n| format!("line {n} of a text\n")).collect()
}

/// Returns what an echo says of one field of the request, which is `""` if there was no such field.
///
/// The fields are `method`, `uri`, `protocol`, `remote-port`, the headers `host`, `x-test`, `authorization`, `cookie`,
/// `referer`, `content-type`, `content-length`, and `body`.
///
/// # Panics
///
/// When the text is no echo or the field is none of these.
#[track_caller]
pub fn echoed<'a>(text: &'a str, field: &str) -> &'a str {
    let (head, body) = text.split_once("body: ").unwrap_or_else(|| panic!("this is no echo: {text:?}"));
    if field == "body" {
        return body;
    }
    head.lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(": "))
        .unwrap_or_else(|| panic!("no field {field} in {head:?}"))
}

/// The file to which a server writes a line for each answer: the status, a space and the path.
pub(super) const ACCESS_LOG: &str = "access";

const PAUSE: Duration = Duration::from_millis(20);
const PAUSES_FOR_THE_LOG: u32 = 250;

/// The headers that an echo shows.
pub(super) const ECHOED_HEADERS: [&str; 7] =
    ["host", "x-test", "authorization", "cookie", "referer", "content-type", "content-length"];

// === impl Site ===

impl Site {
    pub(super) fn new(process: Process, dir: Dir, ports: Ports, certs: Certs) -> Self {
        Self { _process: process, dir, ports, certs }
    }

    /// Returns the URI of a path at the origin *plain*.
    pub fn plain(&self, path: &str) -> String {
        self.ports.plain_uri(path)
    }

    /// Returns the URI of a path at the origin *elsewhere*.
    pub fn elsewhere(&self, path: &str) -> String {
        self.ports.elsewhere_uri(path)
    }

    /// Returns the URI of a path at the origin *tls*.
    pub fn tls(&self, path: &str) -> String {
        self.ports.tls_uri(path)
    }

    /// Returns the answers so far, such as `401 /basic/secret.txt`, in the order in which they were finished.
    ///
    /// A server answers first and writes its log then: this waits until there are `least`, at most five seconds.
    pub fn answers(&self, least: usize) -> Vec<String> {
        let mut pauses = 0;
        loop {
            let log = fs::read_to_string(self.dir.file(ACCESS_LOG)).unwrap_or_default();
            // The last line may be under way.
            let lines: Vec<_> = log.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')).collect();
            if lines.len() >= least || pauses == PAUSES_FOR_THE_LOG {
                return lines.into_iter().map(String::from).collect();
            }
            pauses += 1;
            thread::sleep(PAUSE);
        }
    }

    /// Returns how many of those answers were challenges (status 401) below a path.
    pub fn challenges(&self, least: usize, below: &str) -> usize {
        let is_challenge = |line: &&String| line.strip_prefix("401 ").is_some_and(|path| path.starts_with(below));
        self.answers(least).iter().filter(is_challenge).count()
    }

    /// Returns the authority that signed the certificate of the origin *tls*.
    pub fn certs(&self) -> &Certs {
        &self.certs
    }
}

// === impl Ports ===

impl Ports {
    pub(super) fn all(self) -> [u16; 3] {
        [self.plain, self.elsewhere, self.tls]
    }

    pub(super) fn plain_uri(self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.plain)
    }

    pub(super) fn elsewhere_uri(self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.elsewhere)
    }

    pub(super) fn tls_uri(self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.tls)
    }

    /// The redirects that the origin `origin` (`http://host:port`) answers with.
    pub(super) fn redirects(self, origin: &str) -> Vec<Redirect> {
        let redirect = |path: String, code, location| Redirect { path: format!("/redirect/{path}"), code, location };
        let mut redirects: Vec<_> = REDIRECT_CODES
            .into_iter()
            .flat_map(|code| {
                [
                    redirect(format!("{code}"), code, "/echo".into()),
                    redirect(format!("{code}/absolute"), code, format!("{origin}/echo")),
                    redirect(format!("{code}/elsewhere"), code, self.elsewhere_uri("/echo")),
                    redirect(format!("{code}/tls"), code, self.tls_uri("/echo")),
                    redirect(format!("{code}/plain"), code, self.plain_uri("/echo")),
                ]
            })
            .collect();
        redirects.push(redirect("chain/1".into(), 302, "/echo".into()));
        redirects.extend((2..=5).map(|n| redirect(format!("chain/{n}"), 302, format!("/redirect/chain/{}", n - 1))));
        redirects.push(redirect("loop".into(), 302, "/redirect/loop".into()));
        redirects.push(redirect("fragment".into(), 302, "/echo#part".into()));
        redirects
    }
}

// === impl Dir ===

impl Dir {
    /// Makes the directory with the files of the site below `www`. Servers that give up their rights can read it.
    pub(super) fn make() -> io::Result<Self> {
        let dir = Self(tempfile::Builder::new().prefix("httplib2-site-").tempdir()?);
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755))?;
        fs::create_dir_all(dir.file("www/dir"))?;
        fs::write(dir.file("www/hello.txt"), HELLO)?;
        for coded in ["gzip", "br"] {
            fs::write(dir.file(&format!("www/{coded}.txt")), text())?;
        }
        fs::write(dir.file("www/dir/index.html"), "<p>the index of a directory</p>\n")?;
        fs::write(dir.file("www/large.bin"), large())?;
        guards::write(&dir)?;
        Ok(dir)
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_echo_says_what_was_asked() {
        let text = "method: POST\nx-test: \nhost: a\nbody: one\nbody: two";
        assert_eq!(echoed(text, "method"), "POST");
        assert_eq!(echoed(text, "x-test"), "");
        assert_eq!(echoed(text, "body"), "one\nbody: two");
    }

    #[test]
    #[should_panic(expected = "no field cookie")]
    fn a_field_that_the_echo_does_not_have_is_not_taken_for_an_empty_one() {
        echoed("method: GET\nbody: ", "cookie");
    }

    #[test]
    fn no_path_redirects_twice() {
        let redirects = Ports { plain: 1, elsewhere: 2, tls: 3 }.redirects("http://127.0.0.1:1");
        let mut paths: Vec<_> = redirects.iter().map(|redirect| &redirect.path).collect();
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths.len(), redirects.len());
    }
}
