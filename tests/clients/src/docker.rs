//! A private `dockerd`, and the `docker` client with a configuration of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::containerd::{Containerd, unmount_below};
use crate::program::{Daemon, Outcome, command, find, run, run_with_input, write};
use crate::skip::Missing;

/// A Docker engine on its own socket, without bridge or firewall rules; it ends when this is dropped.
#[derive(Debug)]
pub struct Docker {
    // The engine ends first, then its containerd, then the directory goes.
    engine: Option<Daemon>,
    _containerd: Containerd,
    client: PathBuf,
    directory: TempDir,
    environment: Vec<(String, String)>,
}

impl Docker {
    /// Starts the engine and its containerd.
    ///
    /// # Errors
    /// [`Missing`] when a part of it is not installed or this is not root.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start() -> Result<Self, Missing> {
        Self::start_with(Vec::new(), &json!({}))
    }

    /// The same; engine and client see these variables besides, and the engine has these settings.
    ///
    /// # Errors
    /// [`Missing`] when a part of it is not installed or this is not root.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start_with(
        environment: Vec<(String, String)>,
        settings: &Value,
    ) -> Result<Self, Missing> {
        let program = find("dockerd", "docker.io")?;
        let client = find("docker", "docker.io")?;
        find("runc", "runc")?;
        let containerd = Containerd::start()?;
        let directory = TempDir::with_prefix("docker-").expect("a temporary directory");
        let at = |name: &str| directory.path().join(name);
        // A file of its own, so that the machine's own engine settings stay out of it.
        write(&at("daemon.json"), settings.to_string());
        let mut engine = command(program, directory.path());
        engine.arg("--config-file").arg(at("daemon.json"));
        engine.arg("--containerd").arg(containerd.socket());
        engine.arg("--host").arg(format!("unix://{}", at("s").display()));
        engine.arg("--data-root").arg(at("data")).arg("--exec-root").arg(at("exec"));
        engine.arg("--pidfile").arg(at("pid"));
        engine.envs(environment.iter().map(|(name, value)| (name, value)));
        engine.args(["--bridge=none", "--iptables=false", "--ip6tables=false"]);
        let mut daemon = Daemon::start(&mut engine, directory.path(), "dockerd");
        let mut version = client_command(&client, directory.path());
        version.arg("version");
        daemon.until("docker answers", || run(&mut version).status.success().then_some(()));
        Ok(Self { engine: Some(daemon), _containerd: containerd, client, directory, environment })
    }

    /// Variables that point a `docker` client of one's own at this engine.
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        let host = format!("unix://{}", self.directory.path().join("s").display());
        let configuration = self.directory.path().join("config").display().to_string();
        vec![("DOCKER_HOST".into(), host), ("DOCKER_CONFIG".into(), configuration)]
    }

    /// Asks `docker-credential-ecr-login` for the credentials of this host from now on.
    ///
    /// # Errors
    /// [`Missing`] when the credential program is not installed.
    ///
    /// # Panics
    /// When the client's configuration cannot be written.
    pub fn use_ecr_login(&self, host: &str) -> Result<(), Missing> {
        find("docker-credential-ecr-login", "amazon-ecr-credential-helper")?;
        let configuration = self.directory.path().join("config");
        std::fs::create_dir_all(&configuration).expect("a directory of ours");
        let accounts = json!({"credHelpers": {host: "ecr-login"}});
        write(&configuration.join("config.json"), accounts.to_string());
        Ok(())
    }

    /// Knows a login without asking the registry: `key` is what docker looks it up by.
    ///
    /// # Panics
    /// When the client's configuration cannot be written.
    pub fn know_login(&self, key: &str, user: &str, password: &str) {
        let configuration = self.directory.path().join("config");
        std::fs::create_dir_all(&configuration).expect("a directory of ours");
        let account = STANDARD.encode(format!("{user}:{password}"));
        let accounts = json!({"auths": {key: {"auth": account}}});
        write(&configuration.join("config.json"), accounts.to_string());
    }

    /// `docker login`, the password on standard input.
    #[must_use]
    #[track_caller]
    pub fn login(&self, host: &str, user: &str, password: &str) -> Outcome {
        let mut login = self.command();
        run_with_input(login.args(["login", "-u", user, "--password-stdin", host]), password)
    }

    /// `docker pull`.
    #[must_use]
    #[track_caller]
    pub fn pull(&self, reference: &str) -> Outcome {
        self.run(&["pull", reference])
    }

    /// `docker` with these words.
    #[must_use]
    #[track_caller]
    pub fn run(&self, words: &[&str]) -> Outcome {
        run(self.command().args(words))
    }

    /// Forgets every image, so that the next pull asks the registry for all of it.
    ///
    /// # Panics
    /// When docker fails.
    #[track_caller]
    pub fn forget_images(&self) {
        self.run(&["image", "prune", "--all", "--force"]).success();
    }

    fn command(&self) -> Command {
        let mut docker = client_command(&self.client, self.directory.path());
        docker.envs(self.environment.iter().map(|(name, value)| (name, value)));
        docker
    }
}

fn client_command(client: &Path, directory: &Path) -> Command {
    let mut docker = command(client, directory);
    docker
        .env("DOCKER_HOST", format!("unix://{}", directory.join("s").display()))
        .env("DOCKER_CONFIG", directory.join("config"));
    docker
}

impl Drop for Docker {
    fn drop(&mut self) {
        if let Some(engine) = self.engine.take() {
            engine.terminate();
        }
        unmount_below(&self.directory);
    }
}
