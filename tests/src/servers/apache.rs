//! Apache httpd, with a CGI script for what no module answers.

use std::{fmt::Write, fs, os::unix::fs::PermissionsExt, path::Path};

use super::{
    Certs, Site, StartError,
    process::{Plan, Process, find, on_free_ports},
    site::{Dir, ECHOED_HEADERS, Ports},
};

/// Where Debian keeps the modules.
const MODULES: &str = "/usr/lib/apache2/modules";

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

/// Starts Apache with the [`Site`], or says why not.
pub fn try_start() -> Result<Site, StartError> {
    let apache = find("apache2")?;
    on_free_ports(|[plain, elsewhere, tls]| {
        let (dir, certs, ports) = (Dir::make()?, Certs::make(), Ports { plain, elsewhere, tls });
        certs.write(dir.path())?;
        for name in ["echo", "slow", "drip"] {
            let script = dir.file(name);
            fs::write(&script, cgi(name))?;
            fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
        }
        fs::write(dir.file("apache.conf"), configuration(dir.path(), ports))?;
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

fn configuration(dir: &Path, ports: Ports) -> String {
    let Ports { plain, elsewhere, tls } = ports;
    let dir = dir.display();
    let modules: String = [
        "mpm_event",
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
    ]
    .map(load_module)
    .concat();
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
<Files gzip.txt>
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
{hosts}"
    )
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
