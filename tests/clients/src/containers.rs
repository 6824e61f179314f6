//! `podman` and `buildah` with a storage, logins and registries of their own.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::containerd::unmount_below;
use crate::program::{Outcome, command, find, run, run_with_input, write};
use crate::skip::Missing;

/// The two programs over one storage, as on a person's machine.
#[derive(Debug)]
pub struct Containers {
    podman: PathBuf,
    buildah: PathBuf,
    directory: TempDir,
}

impl Containers {
    /// A fresh storage. `registries` is the `registries.conf`: which hosts go without TLS, and which
    /// names lead elsewhere.
    ///
    /// # Errors
    /// [`Missing`] when a program is not installed or this is not root.
    ///
    /// # Panics
    /// When a configuration file cannot be written.
    pub fn new(registries: &str) -> Result<Self, Missing> {
        // vfs: whole copies of directories, which any file system can hold.
        Self::with_storage(registries, "driver = 'vfs'", "")
    }

    /// The same, with a storage that asks for those parts of zstd:chunked layers alone that it does
    /// not have.
    ///
    /// # Errors
    /// As [`Self::new`].
    ///
    /// # Panics
    /// As [`Self::new`].
    pub fn pulling_parts(registries: &str) -> Result<Self, Missing> {
        // Only overlay knows how to make a layer of parts.
        let options = "pull_options = {enable_partial_images = 'true'}";
        Self::with_storage(registries, "driver = 'overlay'", options)
    }

    fn with_storage(registries: &str, driver: &str, options: &str) -> Result<Self, Missing> {
        let (podman, buildah) = (find("podman", "podman")?, find("buildah", "buildah")?);
        if !rustix::process::geteuid().is_root() {
            return Err(Missing::new(
                "containers of our own",
                "they need root to write files of any owner",
            ));
        }
        let directory = TempDir::with_prefix("ctrs-").expect("a temporary directory");
        let at = |name: &str| directory.path().join(name);
        let shown = |name: &str| at(name).display().to_string();
        let storage = format!(
            "[storage]\n{driver}\nrunroot = '{}'\ngraphroot = '{}'\n[storage.options]\n{options}\n",
            shown("run"),
            shown("storage"),
        );
        let engine = format!(
            "[engine]\ncgroup_manager = 'cgroupfs'\nevents_logger = 'none'\nlock_type = 'file'\n\
             tmp_dir = '{}'\n",
            shown("libpod"),
        );
        write(&at("storage.conf"), storage);
        write(&at("containers.conf"), engine);
        write(&at("registries.conf"), registries);
        // Named by a variable, it has to be there.
        write(&at("auth.json"), "{}");
        let policy = at(".config/containers");
        std::fs::create_dir_all(&policy).expect("a directory of ours");
        // Signature policy is not what is tested, and the file of a distribution may be missing.
        write(&policy.join("policy.json"), r#"{"default": [{"type": "insecureAcceptAnything"}]}"#);
        Ok(Self { podman, buildah, directory })
    }

    /// The `registries.conf` of somebody who uses this host without TLS.
    #[must_use]
    pub fn plain_http(host: &str) -> String {
        format!("[[registry]]\nlocation = '{host}'\ninsecure = true\n")
    }

    /// Its `registries.conf`.
    #[must_use]
    pub fn registries(&self) -> PathBuf {
        self.directory.path().join("registries.conf")
    }

    /// A directory for what is built.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// `podman login`, the password on standard input; buildah knows it too.
    #[must_use]
    #[track_caller]
    pub fn login(&self, host: &str, user: &str, password: &str) -> Outcome {
        let mut login = self.command(&self.podman);
        run_with_input(login.args(["login", "-u", user, "--password-stdin", host]), password)
    }

    /// `podman` with these words.
    #[must_use]
    #[track_caller]
    pub fn podman(&self, words: &[&str]) -> Outcome {
        run(self.command(&self.podman).args(words))
    }

    /// `buildah` with these words.
    #[must_use]
    #[track_caller]
    pub fn buildah(&self, words: &[&str]) -> Outcome {
        run(self.command(&self.buildah).args(words))
    }

    /// Forgets every image, so that the next pull asks the registry for all of it.
    ///
    /// # Panics
    /// When podman fails.
    #[track_caller]
    pub fn forget_images(&self) {
        self.podman(&["rmi", "--all", "--force"]).success();
    }

    fn command(&self, program: &Path) -> Command {
        let home = self.directory.path();
        let mut command = command(program, home);
        command
            .env("XDG_RUNTIME_DIR", home)
            .env("REGISTRY_AUTH_FILE", home.join("auth.json"))
            .env("CONTAINERS_CONF", home.join("containers.conf"))
            .env("CONTAINERS_STORAGE_CONF", home.join("storage.conf"))
            .env("CONTAINERS_REGISTRIES_CONF", home.join("registries.conf"))
            // No runtime of containers is needed, and no cgroup of our own.
            .env("BUILDAH_ISOLATION", "chroot");
        command
    }
}

impl Drop for Containers {
    fn drop(&mut self) {
        unmount_below(&self.directory);
    }
}
