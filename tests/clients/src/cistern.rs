//! The product, seen from outside: the binary that the README builds, on a port and data directory
//! of its own.
//!
//! Cargo tells a test where a binary is only inside the binary's own package, so [`binary`] asks
//! cargo for it with the README's own build (`--release`), once per test process; where that build is
//! fresh it costs a fraction of a second. `TEST_CISTERN_BINARY` names another one to test instead.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::compatibility::{self, Client};
use crate::program::{Daemon, Outcome, command, run};
use crate::skip::target_directory;

/// How the one line on stdout begins.
const READY: &str = "cistern ready on ";

/// The built `cistern`.
///
/// # Panics
/// When it does not build.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| std::env::var_os("TEST_CISTERN_BINARY").map_or_else(build, PathBuf::from))
}

/// The README's build, from the source tree as it stands.
///
/// # Panics
/// When it does not build.
pub fn build() -> PathBuf {
    eprintln!("building the release binary of cistern; TEST_CISTERN_BINARY would name another");
    let target = target_directory();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let status = Command::new(cargo)
        .current_dir(workspace())
        .args(["build", "--quiet", "--release", "--locked", "--bin", "cistern", "--target-dir"])
        .arg(&target)
        .status()
        .expect("cargo runs: it built this test");
    assert!(status.success(), "cargo build --release --bin cistern: {status}");
    target.join("release/cistern")
}

/// The root of the source tree.
#[must_use]
pub fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// A `cistern` command with a bare environment.
#[must_use]
pub fn invocation(home: &Path) -> Command {
    let mut command = command(binary(), home);
    command.current_dir(home);
    command
}

/// The anonymous resident memory of a process, in KiB; zero where it is gone.
#[must_use]
pub fn anonymous_kib(process_id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process_id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// A running `cistern serve`; killed when this is dropped.
#[derive(Debug)]
pub struct Cistern {
    daemon: Option<Daemon>,
    home: TempDir,
    flags: Vec<String>,
    environment: Vec<(String, String)>,
    url: String,
    /// The scenario, by the thread that cargo names after it.
    test: String,
    client: OnceLock<Client>,
}

impl Cistern {
    /// `cistern serve --listen 127.0.0.1:0 --data-dir FRESH` and these flags.
    ///
    /// # Panics
    /// When it does not become ready; the message holds its log.
    #[must_use]
    #[track_caller]
    pub fn start(flags: &[&str]) -> Self {
        Self::start_in(flags, Vec::new())
    }

    /// The same, in an environment that has these variables besides.
    ///
    /// # Panics
    /// As [`Self::start`].
    #[must_use]
    #[track_caller]
    pub fn start_in(flags: &[&str], environment: Vec<(String, String)>) -> Self {
        let home = TempDir::with_prefix("cistern-").expect("a temporary directory");
        let flags = flags.iter().map(|&flag| flag.to_owned()).collect();
        let test = std::thread::current().name().unwrap_or_default().to_owned();
        let (url, client) = (String::new(), OnceLock::new());
        let mut cistern = Self { daemon: None, home, flags, environment, url, test, client };
        cistern.serve("127.0.0.1:0");
        cistern
    }

    /// Starts it again after [`Self::kill`] or [`Self::terminate`], where it was and with what it
    /// stored.
    ///
    /// # Panics
    /// When it does not become ready.
    #[track_caller]
    pub fn restart(&mut self) {
        assert!(self.daemon.is_none(), "it is still running");
        let address = self.host();
        self.serve(&address);
    }

    /// As [`Self::restart`], with these flags in place of earlier ones of the same name.
    ///
    /// # Panics
    /// When it does not become ready.
    #[track_caller]
    pub fn restart_with(&mut self, flags: &[&str]) {
        let name = |flag: &str| flag.split('=').next().unwrap_or_default().to_owned();
        for &flag in flags {
            self.flags.retain(|earlier| name(earlier) != name(flag));
            self.flags.push(flag.to_owned());
        }
        self.restart();
    }

    #[track_caller]
    fn serve(&mut self, listen: &str) {
        let stdout = self.home.path().join("cistern.out");
        // The ready line to wait for is this start's, not an earlier one's.
        fs::write(&stdout, "").expect("a directory of ours");
        let mut serve = invocation(self.home.path());
        serve.envs(self.environment.iter().map(|(name, value)| (name, value)));
        serve.args(["serve", "--listen", listen, "--data-dir"]).arg(self.data_directory());
        let mut daemon = Daemon::start(serve.args(&self.flags), self.home.path(), "cistern");
        self.url = daemon.until("the ready line", || {
            let said = fs::read_to_string(&stdout).ok()?;
            let line = said.split_inclusive('\n').find(|line| line.ends_with('\n'))?;
            line.trim_end().strip_prefix(READY).map(str::to_owned)
        });
        self.daemon = Some(daemon);
    }

    /// Says whose calls these are where a client runs other programs: CDKTF runs Terraform. Calls of
    /// the AWS CLI stay its own, for scenarios look with it at what others did.
    ///
    /// # Panics
    /// When it was said already, and otherwise.
    pub fn calls_are_of(&self, client: Client) {
        assert_eq!(*self.client.get_or_init(|| client), client, "one client for each server");
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        if let Some(daemon) = self.daemon.take() {
            daemon.kill();
        }
    }

    /// SIGTERM, and how it ended.
    ///
    /// # Panics
    /// When it is not running or does not end.
    pub fn terminate(&mut self) -> ExitStatus {
        self.daemon.take().expect("it is running").terminate()
    }

    /// Its process id.
    ///
    /// # Panics
    /// When it is not running.
    #[must_use]
    pub fn process_id(&self) -> u32 {
        self.daemon.as_ref().expect("it is running").id()
    }

    /// The address of the ready line.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `127.0.0.1:PORT`.
    ///
    /// # Panics
    /// When the ready line held no URL.
    #[must_use]
    pub fn host(&self) -> String {
        let (_, host) = self.url.split_once("://").expect("the ready line ends in a URL");
        host.to_owned()
    }

    /// Where it stores everything.
    #[must_use]
    pub fn data_directory(&self) -> PathBuf {
        self.home.path().join("data")
    }

    /// Everything it logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("cistern.err")).unwrap_or_default()
    }

    /// What its access log says of the requests for a path, a line each.
    #[must_use]
    pub fn accesses(&self, path: &str) -> Vec<Value> {
        let lines = self.log();
        let lines = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line["target"] == "cistern::access" && line["path"] == path).collect()
    }

    /// Status and microseconds of the requests for a path, by its access log.
    #[must_use]
    pub fn answers(&self, path: &str) -> Vec<(u64, u64)> {
        let lines = self.accesses(path).into_iter();
        lines.filter_map(|line| line["status"].as_u64().zip(line["micros"].as_u64())).collect()
    }

    /// Runs another `cistern` command on the same data directory.
    #[must_use]
    #[track_caller]
    pub fn command(&self, words: &[&str]) -> Outcome {
        let mut command = invocation(self.home.path());
        run(command.env("CISTERN_DATA_DIR", self.data_directory()).args(words))
    }

    /// What a shell has after `eval "$(cistern env)"`: the exported `AWS_*` variables.
    ///
    /// # Panics
    /// When `cistern env` fails or prints no shell.
    #[must_use]
    #[track_caller]
    pub fn environment(&self) -> Vec<(String, String)> {
        let exports = self.command(&["env"]).success();
        let mut shell = command("bash", self.home.path());
        // What `cistern env` promises to unset is set first.
        shell.env("AWS_PROFILE", "stale").env("AWS_SESSION_TOKEN", "stale");
        let printed = run(shell.args(["-euc", "eval \"$1\"; env", "bash", &exports])).success();
        printed
            .lines()
            .filter_map(|line| line.split_once('='))
            .filter(|(name, _)| name.starts_with("AWS_"))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }
}

impl Drop for Cistern {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- log of the cistern at {}\n{}", self.url, self.log());
        } else {
            compatibility::record(&self.test, &self.log(), self.client.get().copied());
        }
    }
}
