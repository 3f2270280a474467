//! A server as a process: found, started, waited for, ended.

use std::{
    env, fmt, fs, io,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// No server outlives this, in seconds, whatever becomes of the test that started it.
const LONGEST_LIFE: &str = "600";
/// How often it is looked whether something has happened.
const PAUSE: Duration = Duration::from_millis(20);
/// How many pauses a server may take until it accepts: 10 s.
const PAUSES_TO_ACCEPT: u32 = 500;
/// How many pauses it may take to end when it is asked to: 5 s. Then it is killed.
const PAUSES_TO_END: u32 = 250;
/// How many times ports are picked anew when somebody else was faster.
const PORT_TRIES: u32 = 3;

/// Why a server could not be started.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The program is nowhere to be found.
    NotInstalled {
        /// What was looked for.
        program: String,
    },
    /// It ended before it accepted a connection.
    Ended {
        /// What was started.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// What it wrote.
        log: String,
    },
    /// It runs and did not accept within ten seconds.
    NotReady {
        /// What was started.
        program: String,
        /// What it wrote.
        log: String,
    },
    /// Its directory or its process could not be made.
    Io(io::Error),
}

/// A running server. Dropping it ends it and all its children.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
}

/// What is to be started, and how to tell that it is ready.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) program: &'a Path,
    pub(super) args: Vec<String>,
    /// Where its output goes, and where it should write its own log.
    pub(super) log: &'a Path,
    /// What it writes once its ports are its own, if it writes that.
    pub(super) pid_file: Option<&'a Path>,
    pub(super) ports: &'a [u16],
}

/// Finds a program on the path, or where administrators' programs are and ordinary users do not look.
pub(super) fn find(program: &str) -> Result<PathBuf, StartError> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .map(|dir| dir.join(program))
        .find(|file| file.is_file())
        .ok_or_else(|| StartError::NotInstalled { program: program.to_owned() })
}

/// Starts something on ports that are free at this moment, and again on others when they were taken meanwhile.
pub(super) fn on_free_ports<const N: usize, T>(
    mut start: impl FnMut([u16; N]) -> Result<T, StartError>,
) -> Result<T, StartError> {
    let mut tries = 1;
    loop {
        match start(free_ports()?) {
            Err(StartError::Ended { log, .. })
                if tries < PORT_TRIES && log.to_lowercase().contains("already in use") =>
            {
                tries += 1;
            }
            other => return other,
        }
    }
}

fn free_ports<const N: usize>() -> io::Result<[u16; N]> {
    let mut ports = [0; N];
    // All are held until all are known, so that none is given twice.
    let mut held = Vec::with_capacity(N);
    for port in &mut ports {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}

// === impl Process ===

impl Process {
    pub(super) fn start(plan: &Plan<'_>) -> Result<Self, StartError> {
        let output = fs::File::create(plan.log)?;
        // `timeout` bounds it even when the test is killed and nothing is dropped.
        let child = Command::new("timeout")
            .args(["--kill-after=5", LONGEST_LIFE])
            .arg(plan.program)
            .args(&plan.args)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .spawn()?;
        let mut process = Self { child };
        process.wait_until_ready(plan)?;
        Ok(process)
    }

    fn wait_until_ready(&mut self, plan: &Plan<'_>) -> Result<(), StartError> {
        let program = plan.program.display().to_string();
        let log = || fs::read_to_string(plan.log).unwrap_or_default();
        for _ in 0..PAUSES_TO_ACCEPT {
            if let Some(status) = self.child.try_wait()? {
                return Err(StartError::Ended { program, status, log: log() });
            }
            if plan.pid_file.is_none_or(Path::exists) && plan.ports.iter().all(accepts) {
                return Ok(());
            }
            thread::sleep(PAUSE);
        }
        Err(StartError::NotReady { program, log: log() })
    }

    /// Waits for the end of the server without reaping it: until it is reaped its group's id is not given anew.
    fn ends(&self, pid: Pid) -> bool {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        (0..PAUSES_TO_END).any(|_| match waitid(WaitId::Pid(pid), look) {
            Ok(None) => {
                thread::sleep(PAUSE);
                false
            }
            _ => true,
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The child leads its group, and its own children are in it. A group that is gone is what is wanted.
        let pid = Pid::from_child(&self.child);
        let _ = kill_process_group(pid, Signal::TERM);
        self.ends(pid);
        let _ = kill_process_group(pid, Signal::KILL);
        let _ = self.child.wait();
    }
}

fn accepts(port: &u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, *port));
    TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok()
}

// === impl StartError ===

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInstalled { program } => write!(f, "{program} is not installed; .ci/run installs it"),
            Self::Ended { program, status, log } => write!(f, "{program} ended at once, {status}:\n{log}"),
            Self::NotReady { program, log } => write!(f, "{program} did not accept within 10 s:\n{log}"),
            Self::Io(_) => f.write_str("the server's directory or process could not be made"),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for StartError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan<'a>(program: &'a Path, script: &str, log: &'a Path, ports: &'a [u16]) -> Plan<'a> {
        Plan { program, args: vec!["-c".into(), script.into()], log, pid_file: None, ports }
    }

    #[test]
    fn a_program_that_is_not_installed_is_named() {
        let error = find("no-such-server").unwrap_err();
        assert!(matches!(error, StartError::NotInstalled { .. }));
        assert_eq!(error.to_string(), "no-such-server is not installed; .ci/run installs it");
    }

    #[test]
    fn a_server_that_ends_at_once_is_told_with_what_it_wrote() {
        let dir = tempfile::tempdir().unwrap();
        let (sh, log) = (find("sh").unwrap(), dir.path().join("log"));
        let error = Process::start(&plan(&sh, "echo no such directive >&2; exit 3", &log, &[1])).unwrap_err();
        let StartError::Ended { status, log, .. } = error else { panic!("{error}") };
        assert_eq!((status.code(), log.as_str()), (Some(3), "no such directive\n"));
    }

    #[test]
    fn dropping_a_server_ends_its_children_also_those_that_do_not_listen_to_reason() {
        let dir = tempfile::tempdir().unwrap();
        let (sh, log) = (find("sh").unwrap(), dir.path().join("log"));
        let script = "(trap '' TERM; while :; do sleep 0.1; done) & echo $!; wait";
        let process = Process::start(&plan(&sh, script, &log, &[])).unwrap();
        let written = || fs::read_to_string(&log).unwrap();
        assert!(soon(|| written().ends_with('\n')));
        let stat = format!("/proc/{}/stat", written().trim());
        let runs = || fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z "));
        assert!(runs());
        drop(process);
        // Nobody reaps an orphan on a machine without an init, so a zombie counts as gone.
        assert!(soon(|| !runs()));
    }

    fn soon(holds: impl Fn() -> bool) -> bool {
        (0..PAUSES_TO_END).any(|_| {
            thread::sleep(PAUSE);
            holds()
        })
    }

    #[test]
    fn ports_are_picked_anew_when_they_were_taken_meanwhile() {
        let mut seen = Vec::new();
        let started = on_free_ports(|[port]: [u16; 1]| {
            seen.push(port);
            if seen.len() < 3 {
                let log = "bind() failed (98: Address already in use)".into();
                return Err(StartError::Ended { program: "x".into(), status: ExitStatus::default(), log });
            }
            Ok(port)
        });
        assert_eq!(started.unwrap(), seen[2]);
    }
}
