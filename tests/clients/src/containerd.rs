//! A private `containerd` and its client `ctr`.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::program::{Daemon, Outcome, command, find, run, write};
use crate::skip::Missing;

/// A containerd with its own root, state and socket; it ends when this is dropped.
#[derive(Debug)]
pub struct Containerd {
    // Ends before its directory goes.
    daemon: Option<Daemon>,
    client: PathBuf,
    directory: TempDir,
}

impl Containerd {
    /// Starts it.
    ///
    /// # Errors
    /// [`Missing`] when it is not installed or this is not root.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start() -> Result<Self, Missing> {
        let program = find("containerd", "containerd")?;
        let client = find("ctr", "containerd")?;
        if !rustix::process::geteuid().is_root() {
            return Err(Missing::new(
                "a containerd of our own",
                "it needs root to mount snapshots",
            ));
        }
        let directory = TempDir::with_prefix("ctrd-").expect("a temporary directory");
        let at = |name: &str| directory.path().join(name).display().to_string();
        let configuration = format!(
            "version = 2\nroot = '{}'\nstate = '{}'\n\
             disabled_plugins = ['io.containerd.grpc.v1.cri']\n\
             [grpc]\naddress = '{}'\n[ttrpc]\naddress = '{}'\n",
            at("root"),
            at("state"),
            at("s"),
            at("s.ttrpc"),
        );
        write(&directory.path().join("config.toml"), configuration);
        let mut containerd = command(program, directory.path());
        containerd.arg("--config").arg(at("config.toml"));
        let daemon = Daemon::start(&mut containerd, directory.path(), "containerd");
        let mut started = Self { daemon: Some(daemon), client, directory };
        let mut daemon = started.daemon.take().expect("it was just started");
        daemon.until("containerd answers", || {
            run(started.ctr().arg("version")).status.success().then_some(())
        });
        started.daemon = Some(daemon);
        Ok(started)
    }

    /// Its socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.directory.path().join("s")
    }

    /// `ctr images pull` over plain http.
    #[must_use]
    #[track_caller]
    pub fn pull(&self, reference: &str, user: &str, password: &str) -> Outcome {
        let account = format!("{user}:{password}");
        run(self.ctr().args(["images", "pull", "--plain-http", "--user", &account, reference]))
    }

    /// `ctr images pull` of every platform, with the `hosts.toml` files of this directory.
    #[must_use]
    #[track_caller]
    pub fn pull_by(&self, hosts: &Path, reference: &str, user: &str, password: &str) -> Outcome {
        let account = format!("{user}:{password}");
        let mut ctr = self.ctr();
        ctr.args(["images", "pull", "--all-platforms", "--user", &account, "--hosts-dir"]);
        run(ctr.arg(hosts).arg(reference))
    }

    /// `ctr images push` over plain http, of an image that is held under another name.
    #[must_use]
    #[track_caller]
    pub fn push(&self, held: &str, reference: &str, user: &str, password: &str) -> Outcome {
        let account = format!("{user}:{password}");
        let push = ["images", "push", "--plain-http", "--user", &account, reference, held];
        run(self.ctr().args(push))
    }

    /// Forgets every image and its content, so that the next pull asks the registry for all of it.
    ///
    /// # Panics
    /// When `ctr` fails.
    #[track_caller]
    pub fn forget_images(&self) {
        let names = self.images();
        let names = names.iter().map(String::as_str);
        // Synchronous: what the images held is gone when it returns.
        let remove: Vec<_> = ["images", "remove", "--sync"].into_iter().chain(names).collect();
        run(self.ctr().args(remove)).success();
    }

    /// `ctr images list -q`: the names it holds.
    #[must_use]
    #[track_caller]
    pub fn images(&self) -> Vec<String> {
        let names = run(self.ctr().args(["images", "list", "-q"])).success();
        names.lines().map(str::to_owned).collect()
    }

    fn ctr(&self) -> Command {
        let mut ctr = command(&self.client, self.directory.path());
        ctr.arg("--address").arg(self.socket());
        ctr
    }
}

impl Drop for Containerd {
    fn drop(&mut self) {
        if let Some(daemon) = self.daemon.take() {
            daemon.terminate();
        }
        unmount_below(&self.directory);
    }
}

/// Detaches whatever a daemon that was killed left mounted in its directory.
pub(crate) fn unmount_below(directory: &TempDir) {
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(1));
    let ours = points.filter(|point| Path::new(point).starts_with(directory));
    // The latest mount first: one may lie on another.
    for point in ours.collect::<Vec<_>>().into_iter().rev() {
        // What cannot be unmounted stays, as it would have.
        let _ = Command::new("umount").args(["--lazy", point]).status();
    }
}
