//! Other people's programs: finding them, running them to their end, keeping them as daemons.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::skip::Missing;
use crate::wait;

/// Finds a program in `PATH` or the sbin directories.
///
/// # Errors
/// [`Missing`] with the Debian package that brings it.
pub fn find(program: &str, debian_package: &str) -> Result<PathBuf, Missing> {
    search_path()
        .into_iter()
        .map(|directory| directory.join(program))
        .find(|path| path.is_file())
        .ok_or_else(|| {
            Missing::new(program, format!("Debian package {debian_package}; tests/setup"))
        })
}

/// `PATH` with the sbin directories, where Debian keeps daemons and a user's shell does not look.
fn search_path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut directories: Vec<PathBuf> = std::env::split_paths(&path).collect();
    directories.extend(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from));
    directories
}

/// A command with a bare environment: nothing of the caller's AWS, docker or proxy settings reaches
/// it. `home` is its `HOME` and `TMPDIR`.
#[must_use]
pub fn command(program: impl AsRef<OsStr>, home: &Path) -> Command {
    let mut command = Command::new(program);
    let path = std::env::join_paths(search_path()).expect("directories came from a PATH");
    command
        .env_clear()
        .env("PATH", path)
        .env("HOME", home)
        .env("TMPDIR", home)
        .env("LC_ALL", "C.UTF-8");
    command
}

/// What a program left behind.
#[derive(Debug)]
pub struct Outcome {
    /// The command line, for messages.
    pub line: String,
    /// How it ended.
    pub status: ExitStatus,
    /// Everything it said on stdout.
    pub stdout: String,
    /// Everything it said on stderr.
    pub stderr: String,
}

impl Outcome {
    /// The standard output of a program that succeeded.
    ///
    /// # Panics
    /// When it failed; the message holds all it said.
    #[track_caller]
    pub fn success(self) -> String {
        assert!(self.status.success(), "{}", self.report());
        self.stdout
    }

    /// Both outputs of a program that failed, stderr first.
    ///
    /// # Panics
    /// When it succeeded.
    #[track_caller]
    pub fn failure(self) -> String {
        assert!(!self.status.success(), "expected a failure\n{}", self.report());
        self.stderr + &self.stdout
    }

    /// The JSON that a program that succeeded printed; null where it printed nothing.
    ///
    /// # Panics
    /// When it failed or printed anything else.
    #[track_caller]
    pub fn json(self) -> Value {
        let line = self.line.clone();
        let text = self.success();
        if text.trim().is_empty() {
            return Value::Null;
        }
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{line}: {error}: {text}"))
    }

    fn report(&self) -> String {
        let Self { line, status, stdout, stderr } = self;
        format!("{line}\n{status}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}

/// Runs a program to its end, without standard input.
///
/// # Panics
/// When it cannot be started or outlives [`wait::DEADLINE`].
#[track_caller]
pub fn run(command: &mut Command) -> Outcome {
    run_with_input(command, "")
}

/// Runs a program to its end with `input` on its standard input.
///
/// # Panics
/// When it cannot be started or outlives [`wait::DEADLINE`].
#[track_caller]
pub fn run_with_input(command: &mut Command, input: &str) -> Outcome {
    let line = shown(command);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{line}: {error}"));
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let input = input.to_owned();
    thread::spawn(move || {
        // A program may leave without reading its input: that is its business, not a failure.
        let _ = stdin.write_all(input.as_bytes());
    });
    let stdout = read_aside(child.stdout.take().expect("stdout is piped"));
    let stderr = read_aside(child.stderr.take().expect("stderr is piped"));
    let mut ended = Ended(child);
    let status = wait::until(&format!("the end of `{line}`"), || ended.poll());
    let text = |reader: thread::JoinHandle<Vec<u8>>| {
        String::from_utf8_lossy(&reader.join().expect("a reader does not panic")).into_owned()
    };
    Outcome { line, status, stdout: text(stdout), stderr: text(stderr) }
}

fn read_aside(mut source: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // A broken pipe ends the reading; what came before it is still worth showing.
        let _ = source.read_to_end(&mut bytes);
        bytes
    })
}

/// A child that is killed when the wait for it is given up.
struct Ended(Child);

impl Ended {
    fn poll(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().expect("a child of ours can be waited for")
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        // An error means that it has already ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A program that stays: its output goes to files, and it ends when this is dropped.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    line: String,
    stderr: PathBuf,
}

impl Daemon {
    /// Starts it with stdout and stderr appended to `<directory>/<name>.{out,err}`.
    ///
    /// # Panics
    /// When it cannot be started.
    #[track_caller]
    pub fn start(command: &mut Command, directory: &Path, name: &str) -> Self {
        let line = shown(command);
        let file = |ending: &str| {
            let path = directory.join(format!("{name}.{ending}"));
            let file = File::options().create(true).append(true).open(&path);
            (file.unwrap_or_else(|error| panic!("{}: {error}", path.display())), path)
        };
        let (stdout, _) = file("out");
        let (log, stderr) = file("err");
        let child = command
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{line}: {error}"));
        Self { child, line, stderr }
    }

    /// Polls `condition` until it yields, and fails at once when the program ends before that.
    ///
    /// # Panics
    /// When the program ends or the deadline passes; the message holds its log.
    #[track_caller]
    pub fn until<T>(&mut self, what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
        wait::until(what, || {
            let ready = condition();
            if ready.is_none()
                && let Some(status) = self.child.try_wait().expect("a child can be waited for")
            {
                panic!("{} ended ({status}) before {what}\n{}", self.line, self.log());
            }
            ready
        })
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything it said on stderr so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.stderr).unwrap_or_default()
    }

    /// SIGKILL, and its end.
    pub fn kill(mut self) {
        self.end(Signal::KILL);
    }

    /// SIGTERM, and how it ended.
    ///
    /// # Panics
    /// When it outlives the deadline.
    pub fn terminate(mut self) -> ExitStatus {
        self.end(Signal::TERM)
    }

    /// Waits until it ends by itself.
    ///
    /// # Panics
    /// When it outlives the deadline.
    #[must_use]
    pub fn ended(mut self) -> ExitStatus {
        wait::until(&format!("the end of `{}`", self.line), || {
            self.child.try_wait().expect("a child of ours can be waited for")
        })
    }

    fn end(&mut self, signal: Signal) -> ExitStatus {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        // An error means that it has already ended: the wait below tells how.
        let _ = kill_process(pid.expect("a child has a process id"), signal);
        wait::until(&format!("the end of `{}`", self.line), || {
            self.child.try_wait().expect("a child of ours can be waited for")
        })
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A loopback port that nothing listens on, below the range that the kernel gives to outgoing
/// connections: a stopped daemon finds it free again.
///
/// # Panics
/// When no port of the range is free.
#[must_use]
pub fn free_port() -> u16 {
    use std::sync::atomic::{AtomicU16, Ordering};
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 12_000;
    let seed = u16::try_from(std::process::id() % u32::from(COUNT)).expect("below COUNT");
    (0..COUNT)
        .map(|_| {
            FIRST + (seed.wrapping_mul(7) % COUNT + NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT
        })
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("one of 12,000 loopback ports is free")
}

/// The command line as a person would type it (arguments with blanks are quoted).
fn shown(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| {
            let word = word.to_string_lossy();
            if word.contains(char::is_whitespace) { format!("'{word}'") } else { word.into_owned() }
        })
        .collect::<Vec<_>>()
        .join(" ")
}

/// Writes a file that a program is to read.
///
/// # Panics
/// When it cannot be written.
pub fn write(path: &Path, contents: impl AsRef<[u8]>) {
    std::fs::write(path, contents).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
