//! Apache httpd, with a CGI script for what no module answers.

use std::{fmt::Write, fs, io, os::unix::fs::PermissionsExt, path::Path};

use super::{
    Certs, Site, StartError,
    guards::{BASIC_REALM, BASIC_USERS, DIGEST_USERS, DIGESTS},
    process::{Plan, Process, find, on_free_ports},
    site::{ACCESS_LOG, Dir, ECHOED_HEADERS, Ports},
};

/// Where Debian keeps the modules.
const MODULES: &str = "/usr/lib/apache2/modules";

/// How work is shared out: many threads.
const THREADS: &str = "mpm_event";

/// How work is shared out: one process for each connection. It can be limited to one, while the other module with one
/// thread stops answering now and then, also when it keeps no connection.
const ONE_PROCESS: &str = "mpm_prefork";

/// Starts Apache with the [`Site`].
///
/// # Panics
///
/// When it does not start; the message says why.
#[track_caller]
pub fn start() -> Site {
    match try_start() {
        Ok(server) => server,
        Err(error) => panic!("{error}"),
    }
}

/// Starts Apache with the [`Site`], and with `/dav/`, an empty directory that everybody may write to (WebDAV).
///
/// Its tags are hashes of the content, strong from the first moment; those that Apache makes of the time are weak for
/// a second. It answers one request at a time, because mod_dav compares tags first and writes then, and two writers in
/// between would both be told that they were the only one. For that it is a single process, and it closes each
/// connection after one answer, because a kept one would hold that process up. It speaks no HTTP/2.
///
/// # Panics
///
/// When it does not start; the message says why.
#[track_caller]
pub fn start_dav() -> Site {
    match start_more(ONE_PROCESS, &dav) {
        Ok(server) => server,
        Err(error) => panic!("{error}"),
    }
}

/// Starts Apache with the [`Site`], or says why not.
pub fn try_start() -> Result<Site, StartError> {
    start_more(THREADS, &|_| Ok(String::new()))
}

/// Starts Apache with the module that shares out its work, and with further lines of configuration, whose maker also makes
/// the files that they need.
fn start_more(workers: &str, more: &dyn Fn(&Dir) -> io::Result<String>) -> Result<Site, StartError> {
    let apache = find("apache2")?;
    on_free_ports(|[plain, elsewhere, tls]| {
        let (dir, certs, ports) = (Dir::make()?, Certs::make(), Ports { plain, elsewhere, tls });
        certs.write(dir.path())?;
        // A script is guarded by the directory in which it is.
        for (file, name) in [
            ("echo", "echo"),
            ("slow", "slow"),
            ("drip", "drip"),
            ("www/basic/echo", "echo"),
            ("www/digest/plain/echo", "echo"),
        ] {
            let script = dir.file(file);
            fs::write(&script, cgi(name))?;
            fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
        }
        fs::write(dir.file("apache.conf"), configuration(dir.path(), ports, workers) + &more(&dir)?)?;
        let process = Process::start(&Plan {
            program: &apache,
            args: ["-d", &dir.path().display().to_string(), "-f", "apache.conf", "-D", "FOREGROUND"]
                .map(String::from)
                .into(),
            log: &dir.file("log"),
            pid_file: Some(&dir.file("pid")),
            ports: &ports.all(),
        })?;
        Ok(Site::new(process, dir, ports, certs))
    })
}

fn configuration(dir: &Path, ports: Ports, workers: &str) -> String {
    let Ports { plain, elsewhere, tls } = ports;
    let modules: String = [
        workers,
        "authz_core",
        "mime",
        "dir",
        "alias",
        "cgid",
        "http2",
        "setenvif",
        "ssl",
        "filter",
        "deflate",
        "brotli",
        "authn_core",
        "authn_file",
        "authz_user",
        "auth_basic",
        "auth_digest",
    ]
    .map(load_module)
    .concat();
    let guards = guards(&dir.display().to_string());
    let dir = dir.display();
    let hosts = host(plain, &ports.plain_uri(""), ports, "")
        + &host(elsewhere, &ports.elsewhere_uri(""), ports, "")
        + &host(tls, &ports.tls_uri(""), ports, "  SSLEngine on\n  Protocols h2 http/1.1\n");
    format!(
        "{modules}Listen 127.0.0.1:{plain}
Listen 127.0.0.1:{elsewhere}
Listen 127.0.0.1:{tls}
ServerName localhost
User www-data
Group www-data
PidFile pid
ErrorLog /dev/stderr
CustomLog {ACCESS_LOG} \"%>s %U\"
Mutex file:{dir} default
DefaultRuntimeDir {dir}
ScriptSock cgi
TypesConfig /dev/null
AddType text/plain .txt
ServerLimit 2
StartServers 1
DocumentRoot {dir}/www
SSLCertificateFile cert.pem
SSLCertificateKeyFile key.pem
<Directory {dir}>
  CGIPassAuth On
</Directory>
{guards}<Files gzip.txt>
  SetOutputFilter DEFLATE
</Files>
<Files br.txt>
  SetOutputFilter BROTLI_COMPRESS
</Files>
RedirectRelative On
SetEnvIf Request_URI ^/close$ nokeepalive
ScriptAlias /echo {dir}/echo
ScriptAlias /close {dir}/echo
ScriptAlias /slow {dir}/slow
ScriptAlias /drip {dir}/drip
ScriptAlias /basic/echo {dir}/www/basic/echo
ScriptAlias /digest/plain/echo {dir}/www/digest/plain/echo
{hosts}"
    )
}

/// Guards that ask for a user of their own file each.
fn guards(dir: &str) -> String {
    let mut guards = format!(
        "<Directory {dir}/www/basic>
  AuthType Basic
  AuthName \"{BASIC_REALM}\"
  AuthUserFile {dir}/{BASIC_USERS}
  Require valid-user
</Directory>
"
    );
    for digest in DIGESTS {
        let (name, settings) = (digest.name, digest.settings.join("\n  "));
        let _ = write!(
            guards,
            "<Directory {dir}/www/digest/{name}>
  AuthType Digest
  AuthName \"{name}\"
  AuthUserFile {dir}/{DIGEST_USERS}
  Require valid-user
  {settings}
</Directory>
"
        );
    }
    guards
}

fn dav(dir: &Dir) -> io::Result<String> {
    for name in ["www/dav", "locks"] {
        // Whom Apache becomes when it gives up its rights must be able to write there.
        fs::create_dir(dir.file(name))?;
        fs::set_permissions(dir.file(name), fs::Permissions::from_mode(0o777))?;
    }
    let (modules, dir) = (["dav", "dav_fs"].map(load_module).concat(), dir.path().display());
    Ok(format!(
        "{modules}DavLockDB {dir}/locks/db
ServerLimit 1
MaxRequestWorkers 1
FileETag Digest
KeepAlive Off
<Directory {dir}/www/dav>
  Dav On
</Directory>
"
    ))
}

fn load_module(name: &str) -> String {
    format!("LoadModule {name}_module {MODULES}/mod_{name}.so\n")
}

fn host(port: u16, origin: &str, ports: Ports, more: &str) -> String {
    let mut host = format!("<VirtualHost 127.0.0.1:{port}>\n{more}");
    for redirect in ports.redirects(origin) {
        let (path, code, location) = (redirect.path, redirect.code, redirect.location);
        let _ = writeln!(host, "  RedirectMatch {code} ^{path}$ {location}");
    }
    host.push_str("</VirtualHost>\n");
    host
}

fn cgi(name: &str) -> String {
    let mut script = String::from("#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\n'\n");
    if name == "drip" {
        return script + "echo first\nsleep 2\necho second\n";
    }
    if name == "slow" {
        script.push_str("sleep 2\n");
    }
    let mut say = |field: &str, variable: &str| {
        let _ = writeln!(script, "printf '{field}: %s\\n' \"${variable}\"");
    };
    say("method", "REQUEST_METHOD");
    say("uri", "REQUEST_URI");
    say("protocol", "SERVER_PROTOCOL");
    say("remote-port", "REMOTE_PORT");
    for header in ECHOED_HEADERS {
        let variable = header.replace('-', "_").to_uppercase();
        // CGI names these two without the prefix.
        let prefix = if header.starts_with("content-") { "" } else { "HTTP_" };
        say(header, &format!("{prefix}{variable}"));
    }
    script + "printf 'body: '\ncat\n"
}
