//! The built binary: started with an environment of its own, waited for with a deadline.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read, Write as _},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::mpsc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Far beyond what anything here takes, so that only what never happens runs into it.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// A directory of one's own, where `cistern` runs.
pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(TempDir::with_prefix("cistern-").expect("a temporary directory"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.path().join("cistern-data")
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).expect("a directory of ours");
    }

    /// The credentials of the root user, as a registry's client sends them.
    pub(crate) fn basic(&self) -> String {
        let file = fs::read_to_string(self.data_dir().join("credentials")).expect("written");
        let value = |key: &str| {
            let found =
                file.lines().find_map(|line| line.strip_prefix(key)?.trim().strip_prefix('='));
            found.expect("a line").trim().to_owned()
        };
        let pair = format!("{}:{}", value("aws_access_key_id"), value("aws_secret_access_key"));
        format!("Basic {}", STANDARD.encode(pair))
    }

    /// `cistern` and words, in this directory, on a free port, with nothing else in its
    /// environment.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cistern"));
        command
            .args(words)
            .current_dir(self.path())
            .env_clear()
            .env("CISTERN_LISTEN", "127.0.0.1:0")
            .stdin(Stdio::null());
        command
    }

    /// Runs `cistern` to its end.
    pub(crate) fn run(&self, words: &[&str]) -> Output {
        finish(&mut self.command(words))
    }

    /// Starts `cistern serve` and waits for the ready line.
    pub(crate) fn serve(&self, flags: &[&str]) -> Serving {
        Serving::start(self.command(&[&["serve"], flags].concat()))
    }

    /// Asserts that a command fails with one line on stderr, and returns it.
    #[track_caller]
    pub(crate) fn refused(&self, words: &[&str], code: i32) -> String {
        said_in_one_line(&finish(&mut self.command(words)), code)
            .replace(&format!("{}/", self.path().display()), "")
    }
}

/// Runs a command to its end; one that never ends fails the test.
pub(crate) fn finish(command: &mut Command) -> Output {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
    // Read while it runs: a pipe that is full would stop it.
    let stdout = read_aside(child.stdout.take().expect("piped"));
    let stderr = read_aside(child.stderr.take().expect("piped"));
    let status = wait_for("the end of the command", || child.try_wait().expect("our child"));
    let read = |reader: JoinHandle<Vec<u8>>| reader.join().expect("no panic");
    Output { status, stdout: read(stdout), stderr: read(stderr) }
}

fn read_aside(mut pipe: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).expect("a pipe");
        bytes
    })
}

/// Returns the one line of a failure, without the program's name.
#[track_caller]
pub(crate) fn said_in_one_line(output: &Output, code: i32) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert_eq!(output.stdout, b"", "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    stderr.trim_end().strip_prefix("cistern: ").expect("the program's name comes first").to_owned()
}

/// Polls until there is a value.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, mut poll: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(value) = poll() {
            return value;
        }
        assert!(started.elapsed() < DEADLINE, "waited in vain for {what}");
        thread::park_timeout(Duration::from_millis(5));
    }
}

/// A `cistern serve` that is ready. Killed when this is dropped.
pub(crate) struct Serving {
    child: Child,
    url: String,
    log: PathBuf,
}

impl Serving {
    /// Starts a command that serves.
    #[track_caller]
    pub(crate) fn start(mut command: Command) -> Self {
        let log = command.get_current_dir().expect("set").join("log");
        let stderr = fs::File::create(&log).expect("a directory of ours");
        let mut child = command.stdout(Stdio::piped()).stderr(stderr).spawn().expect("runs");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let mut line = String::new();
            // The test may be over before the process says anything.
            let _ = sender.send(stdout.read_line(&mut line).map(|_| line));
        });
        let line = receiver.recv_timeout(DEADLINE).expect("a line in time").expect("a pipe");
        let url = line.strip_prefix("cistern ready on ").and_then(|url| url.strip_suffix('\n'));
        let Some(url) = url.map(str::to_owned) else {
            panic!("{line:?}\n{}", fs::read_to_string(&log).unwrap_or_default());
        };
        Self { child, url, log }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        let (_, authority) = self.url.split_once("://").expect("a URL");
        authority.parse().expect("an address")
    }

    /// What it logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).expect("we made it")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).expect("small")).expect("not zero");
        kill_process(pid, signal).expect("our child");
    }

    /// Waits for its end.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        wait_for("the end of the server", || self.child.try_wait().expect("our child"))
    }

    /// SIGTERM, and its end.
    #[track_caller]
    pub(crate) fn terminate(mut self) {
        self.signal(Signal::TERM);
        assert_eq!(self.ended().code(), Some(0), "{}", self.log());
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address()).expect("it listens");
        stream.set_read_timeout(Some(DEADLINE)).expect("a socket");
        stream
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // An error means that it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends text and reads until the other side closes.
pub(crate) fn exchange(mut stream: &TcpStream, text: &str) -> String {
    stream.write_all(text.as_bytes()).expect("it reads");
    read_all(stream)
}

/// Reads until the other side closes.
pub(crate) fn read_all(mut stream: &TcpStream) -> String {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("it answers in time");
    String::from_utf8_lossy(&answer).into_owned()
}
