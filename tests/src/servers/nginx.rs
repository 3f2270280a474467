//! nginx, with its echo and brotli modules.

use std::{fmt::Write, fs, path::Path, process::Command};

use super::{
    Certs, Site, StartError,
    guards::{BASIC_REALM, BASIC_USERS},
    process::{Plan, Process, find, on_free_ports},
    site::{ACCESS_LOG, Dir, ECHOED_HEADERS, Ports},
};

/// Starts nginx with the [`Site`].
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

/// Starts nginx with the [`Site`], or says why not.
pub fn try_start() -> Result<Site, StartError> {
    let nginx = find("nginx")?;
    let modules = modules(&nginx, ["echo", "brotli_filter"])?;
    on_free_ports(|[plain, elsewhere, tls]| {
        let (dir, certs, ports) = (Dir::make()?, Certs::make(), Ports { plain, elsewhere, tls });
        certs.write(dir.path())?;
        fs::write(dir.file("nginx.conf"), configuration(&modules, ports))?;
        let process = Process::start(&Plan {
            program: &nginx,
            args: vec!["-p".into(), dir.path().display().to_string(), "-c".into(), "nginx.conf".into()],
            log: &dir.file("log"),
            pid_file: Some(&dir.file("pid")),
            ports: &ports.all(),
        })?;
        Ok(Site::new(process, dir, ports, certs))
    })
}

/// The lines that load modules of nginx, which says itself where they are.
fn modules(nginx: &Path, names: [&str; 2]) -> Result<String, StartError> {
    let built = String::from_utf8_lossy(&Command::new(nginx).arg("-V").output()?.stderr).into_owned();
    let directory = built.split_whitespace().find_map(|word| word.strip_prefix("--modules-path=")).unwrap_or_default();
    let mut lines = String::new();
    for name in names {
        let module = format!("{directory}/ngx_http_{name}_module.so");
        if !Path::new(&module).is_file() {
            return Err(StartError::NotInstalled { program: format!("the {name} module of nginx") });
        }
        let _ = writeln!(lines, "load_module {module};");
    }
    Ok(lines)
}

fn configuration(modules: &str, ports: Ports) -> String {
    let Ports { plain, elsewhere, tls } = ports;
    let plain = server(&format!("127.0.0.1:{plain}"), &ports.plain_uri(""), ports);
    let elsewhere = server(&format!("127.0.0.1:{elsewhere}"), &ports.elsewhere_uri(""), ports);
    let tls = server(&format!("127.0.0.1:{tls} ssl http2"), &ports.tls_uri(""), ports);
    // As root the workers stay root: the files are in a directory of the test's own, and only loopback gets in.
    format!(
        "{modules}daemon off;
user root;
worker_processes 1;
pid pid;
error_log stderr;
events {{ worker_connections 256; }}
http {{
  log_format answers '$status $uri';
  access_log {ACCESS_LOG} answers;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  client_max_body_size 64m;
  default_type text/plain;
  absolute_redirect off;
  ssl_certificate cert.pem;
  ssl_certificate_key key.pem;
{plain}{elsewhere}{tls}}}
"
    )
}

fn server(listen: &str, origin: &str, ports: Ports) -> String {
    let echo = echo();
    let guard = format!("auth_basic \"{BASIC_REALM}\"; auth_basic_user_file {BASIC_USERS};");
    let mut server = format!(
        "  server {{
    listen {listen};
    root www;
    location = /gzip.txt {{ gzip on; gzip_types *; }}
    location = /br.txt {{ brotli on; brotli_types *; }}
    location = /echo {{ {echo} }}
    location = /close {{ keepalive_timeout 0; {echo} }}
    location = /slow {{ echo_sleep 2; {echo} }}
    location /basic/ {{ {guard} }}
    location = /basic/echo {{ {guard} {echo} }}
    location = /drip {{ echo first; echo_flush; echo_sleep 2; echo second; }}
"
    );
    for redirect in ports.redirects(origin) {
        let (path, code, location) = (redirect.path, redirect.code, redirect.location);
        let _ = writeln!(server, "    location = {path} {{ return {code} {location}; }}");
    }
    server.push_str("  }\n");
    server
}

fn echo() -> String {
    let mut echo = String::from(
        "echo_read_request_body; echo 'method: $request_method'; echo 'uri: $request_uri'; \
         echo 'protocol: $server_protocol'; echo 'remote-port: $remote_port';",
    );
    for header in ECHOED_HEADERS {
        let _ = write!(echo, " echo '{header}: $http_{}';", header.replace('-', "_"));
    }
    echo.push_str(" echo -n 'body: '; echo_request_body;");
    echo
}
