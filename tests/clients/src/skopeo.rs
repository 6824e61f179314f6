//! `skopeo` with an account file of its own.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use crate::image::{Image, sha256};
use crate::program::{Outcome, command, find, run, run_with_input, write};
use crate::skip::Missing;

/// One person's skopeo: logins stay in it.
#[derive(Debug)]
pub struct Skopeo {
    program: PathBuf,
    directory: TempDir,
    certificates: Option<PathBuf>,
    registries: Option<PathBuf>,
    environment: Vec<(String, String)>,
}

/// What a pull left on disk, by digest.
#[derive(Debug)]
pub struct Pulled {
    blobs: BTreeMap<String, Vec<u8>>,
}

impl Skopeo {
    /// A fresh one, over plain http.
    ///
    /// # Errors
    /// [`Missing`] when it is not installed.
    pub fn new() -> Result<Self, Missing> {
        let program = find("skopeo", "skopeo")?;
        let directory = TempDir::with_prefix("skopeo-").expect("a temporary directory");
        let (certificates, registries, environment) = (None, None, Vec::new());
        Ok(Self { program, directory, certificates, registries, environment })
    }

    /// Over https from now on, trusting the `*.crt` files of this directory.
    #[must_use]
    pub fn trusting(mut self, certificates: &Path) -> Self {
        self.certificates = Some(certificates.to_owned());
        self
    }

    /// Reads this `registries.conf` from now on: which names lead elsewhere.
    #[must_use]
    pub fn with_registries(mut self, registries: &Path) -> Self {
        self.registries = Some(registries.to_owned());
        self
    }

    /// Asks `docker-credential-ecr-login` for the credentials of this host from now on; both see
    /// these variables besides.
    ///
    /// # Errors
    /// [`Missing`] when the credential program is not installed.
    ///
    /// # Panics
    /// When the account file cannot be written.
    pub fn with_ecr_login(
        mut self,
        host: &str,
        environment: Vec<(String, String)>,
    ) -> Result<Self, Missing> {
        find("docker-credential-ecr-login", "amazon-ecr-credential-helper")?;
        let accounts = json!({"credHelpers": {host: "ecr-login"}});
        write(&self.directory.path().join("auth.json"), accounts.to_string());
        self.environment = environment;
        Ok(self)
    }

    /// `skopeo login`, the password on standard input.
    #[must_use]
    #[track_caller]
    pub fn login(&self, host: &str, user: &str, password: &str) -> Outcome {
        let mut login = self.command("login", "");
        run_with_input(login.args(["--username", user, "--password-stdin", host]), password)
    }

    /// `skopeo inspect --raw`: the manifest as served.
    #[must_use]
    #[track_caller]
    pub fn raw_manifest(&self, reference: &str) -> Outcome {
        run(self.command("inspect", "").args(["--raw", &format!("docker://{reference}")]))
    }

    /// Copies the image of this machine's platform out of a registry.
    ///
    /// # Panics
    /// When skopeo fails.
    #[track_caller]
    pub fn pull(&self, reference: &str) -> Pulled {
        self.copy(reference, &[]).unwrap_or_else(|outcome| panic!("{}", outcome.failure()))
    }

    /// Copies every platform of an index out of a registry.
    ///
    /// # Panics
    /// When skopeo fails.
    #[track_caller]
    pub fn pull_all(&self, reference: &str) -> Pulled {
        self.copy(reference, &["--all"]).unwrap_or_else(|outcome| panic!("{}", outcome.failure()))
    }

    /// Copies an image out of a registry, or says what skopeo said.
    ///
    /// # Errors
    /// The [`Outcome`] of a skopeo that failed.
    ///
    /// # Panics
    /// When what it wrote cannot be read.
    #[track_caller]
    pub fn copy(&self, reference: &str, options: &[&str]) -> Result<Pulled, Box<Outcome>> {
        let target = TempDir::with_prefix_in("pulled-", &self.directory).expect("a directory");
        let mut copy = self.command("copy", "src-");
        copy.args(options).arg(format!("docker://{reference}"));
        let outcome = run(copy.arg(format!("dir:{}", target.path().display())));
        if outcome.status.success() {
            Ok(Pulled::read(target.path()))
        } else {
            Err(Box::new(outcome))
        }
    }

    /// `skopeo copy` of an image into a registry, byte for byte.
    #[must_use]
    #[track_caller]
    pub fn push(&self, image: &Image, reference: &str, options: &[&str]) -> Outcome {
        let mut copy = self.command("copy", "dest-");
        copy.arg("--preserve-digests").args(options).arg(image.source());
        run(copy.arg(format!("docker://{reference}")))
    }

    /// `skopeo copy` between two places in skopeo's own words, such as `oci:DIR:NAME`.
    #[must_use]
    #[track_caller]
    pub fn transfer(&self, from: &str, to: &str, options: &[&str]) -> Outcome {
        let mut copy = command(&self.program, self.directory.path());
        run(copy.args(["--insecure-policy", "copy"]).args(options).args([from, to]))
    }

    /// Reads what a [`Self::transfer`] to `dir:` left.
    #[must_use]
    pub fn read(&self, directory: &Path) -> Pulled {
        Pulled::read(directory)
    }

    /// `skopeo list-tags`.
    #[must_use]
    #[track_caller]
    pub fn list_tags(&self, repository: &str) -> Outcome {
        run(self.command("list-tags", "").arg(format!("docker://{repository}")))
    }

    /// `skopeo delete`, of whatever the reference names.
    #[must_use]
    #[track_caller]
    pub fn delete(&self, reference: &str) -> Outcome {
        run(self.command("delete", "").arg(format!("docker://{reference}")))
    }

    fn command(&self, verb: &str, side: &str) -> Command {
        let home = self.directory.path();
        let mut command = command(&self.program, home);
        command.env("REGISTRY_AUTH_FILE", home.join("auth.json")).env("XDG_RUNTIME_DIR", home);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        // Signature policy is not what is tested, and the file of a distribution may be missing.
        command.arg("--insecure-policy");
        if let Some(registries) = &self.registries {
            command.arg("--registries-conf").arg(registries);
        }
        command.arg(verb);
        match &self.certificates {
            Some(directory) => {
                command.arg(format!("--{side}cert-dir={}", directory.display()));
            }
            None => {
                command.arg(format!("--{side}tls-verify=false"));
            }
        }
        command
    }
}

impl Pulled {
    /// Reads skopeo's `dir:` form: blobs by hex digest, manifests as `[HEX.]manifest.json`.
    fn read(directory: &Path) -> Self {
        let mut blobs = BTreeMap::new();
        for entry in fs::read_dir(directory).expect("skopeo made it") {
            let path = entry.expect("a readable directory").path();
            if path.file_name().is_some_and(|name| name != "version") {
                let bytes = fs::read(&path).expect("a file of ours");
                blobs.insert(sha256(&bytes), bytes);
            }
        }
        Self { blobs }
    }

    /// Asserts that every manifest and blob of the image arrived, right to the byte.
    ///
    /// # Panics
    /// When one is missing or differs.
    #[track_caller]
    pub fn assert_whole(&self, image: &Image) {
        let all = std::iter::once(&image.digest).chain(&image.manifests).chain(&image.blobs);
        for digest in all {
            let arrived = self.blobs.get(digest);
            assert!(
                arrived.is_some_and(|bytes| *bytes == image.bytes(digest)),
                "{digest} is missing"
            );
        }
    }
}
