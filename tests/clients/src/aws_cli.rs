//! The AWS CLI, version 1 of `tests/setup` and version 2 of Debian, seeing only what `cistern env`
//! exports.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::program::{Outcome, command, run, write};
use crate::skip::{Missing, tools_directory};

/// Where Debian's package `awscli` puts version 2.
const VERSION_2: &str = "/usr/bin/aws";

/// The models that version 2 is given: Debian's are years old and lack options.
const MODELS: &[&str] = &["ecr/2015-09-21", "secretsmanager/2017-10-17"];

/// One person's AWS CLI.
#[derive(Debug)]
pub struct AwsCli {
    program: PathBuf,
    home: TempDir,
    environment: Vec<(String, String)>,
}

impl AwsCli {
    /// The CLI, version 1, with these variables and no other setting.
    ///
    /// # Errors
    /// [`Missing`] when `tests/setup` could not install it.
    pub fn new(environment: Vec<(String, String)>) -> Result<Self, Missing> {
        Ok(Self {
            program: Self::program()?,
            home: TempDir::with_prefix("aws-").expect("a temporary directory"),
            environment,
        })
    }

    /// Version 2 with these variables, the current models, and no other setting.
    ///
    /// Before 2.13 it knows no `AWS_ENDPOINT_URL`, so that a wrapper of the same name says
    /// `--endpoint-url` on every command.
    ///
    /// # Errors
    /// [`Missing`] where the package is not installed, or the environment that holds the models.
    ///
    /// # Panics
    /// When its files cannot be written.
    pub fn version_2(environment: Vec<(String, String)>) -> Result<Self, Missing> {
        let absent = || Missing::new("the AWS CLI 2", "Debian package awscli; tests/setup");
        let home = TempDir::with_prefix("aws-").expect("a temporary directory");
        if !Path::new(VERSION_2).is_file() {
            return Err(absent());
        }
        let version = run(command(VERSION_2, home.path()).arg("--version")).success();
        if !version.starts_with("aws-cli/2.") {
            return Err(absent());
        }
        install_models(&Self::models()?, home.path());
        let program = home.path().join("bin/aws");
        fs::create_dir(home.path().join("bin")).expect("a directory of ours");
        let endpoint = "${AWS_ENDPOINT_URL:+--endpoint-url \"$AWS_ENDPOINT_URL\"}";
        // What is given twice counts as it is given last: a command's own endpoint.
        write(&program, format!("#!/bin/sh\nexec {VERSION_2} {endpoint} \"$@\"\n"));
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(&program, executable).expect("a file of ours");
        Ok(Self { program, home, environment })
    }

    /// Where version 1 is.
    ///
    /// # Errors
    /// [`Missing`] when `tests/setup` could not install it.
    pub fn program() -> Result<PathBuf, Missing> {
        let program = tools_directory().join("venv/bin/aws");
        if program.is_file() {
            Ok(program)
        } else {
            Err(Missing::new("the AWS CLI", "tests/setup installs it, with python3"))
        }
    }

    /// Where botocore keeps its models.
    fn models() -> Result<PathBuf, Missing> {
        Self::program()?;
        let libraries = fs::read_dir(tools_directory().join("venv/lib")).into_iter().flatten();
        let models = libraries
            .filter_map(Result::ok)
            .map(|python| python.path().join("site-packages/botocore/data"))
            .find(|models| models.is_dir());
        models.ok_or_else(|| Missing::new("botocore", "tests/setup installs it, with python3"))
    }

    /// `aws` with these words.
    #[must_use]
    #[track_caller]
    pub fn run(&self, words: &[&str]) -> Outcome {
        run(self.command(&self.program).args(words))
    }

    /// `aws` with these words; the variables are set besides, or taken away.
    #[must_use]
    #[track_caller]
    pub fn run_with(&self, variables: &[(&str, Option<&str>)], words: &[&str]) -> Outcome {
        let mut command = self.command(&self.program);
        for (name, value) in variables {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        run(command.args(words))
    }

    /// Runs lines of a shell, as a person pastes them; `aws` is this one.
    #[must_use]
    #[track_caller]
    pub fn shell(&self, lines: &str) -> Outcome {
        let mut command = self.command(Path::new("bash"));
        let mut path = OsString::from(self.program.parent().expect("a program has a directory"));
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        run(command.env("PATH", path).args(["-euc", lines]))
    }

    /// The answer of a call that succeeds.
    ///
    /// # Panics
    /// When the call fails; the message holds what the CLI said.
    #[track_caller]
    pub fn json(&self, words: &[&str]) -> Value {
        self.run(words).json()
    }

    /// `aws ecr get-login-password`.
    ///
    /// # Panics
    /// When the call fails.
    #[must_use]
    #[track_caller]
    pub fn login_password(&self) -> String {
        self.run(&["ecr", "get-login-password"]).success().trim_end().to_owned()
    }

    /// Runs a script of the same Python environment: boto3 with the same settings.
    #[must_use]
    #[track_caller]
    pub fn run_python(&self, script: &Path) -> Outcome {
        self.run_python_with(script, &[])
    }

    /// The same, with words for the script.
    #[must_use]
    #[track_caller]
    pub fn run_python_with(&self, script: &Path, words: &[&str]) -> Outcome {
        run(self.command(&tools_directory().join("venv/bin/python")).arg(script).args(words))
    }

    /// Its home directory, where a scenario may put settings.
    #[must_use]
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = command(program, self.home.path());
        command
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("AWS_PAGER", "")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_MAX_ATTEMPTS", "1");
        command
    }
}

/// Unpacks botocore's current models to where version 2 looks for a user's own.
fn install_models(from: &Path, home: &Path) {
    for model in MODELS {
        let (from, to) = (from.join(model), home.join(".aws/models").join(model));
        fs::create_dir_all(&to).expect("a directory of ours");
        let packed = from.join("service-2.json.gz");
        let text = run(command("gzip", home).arg("-dc").arg(&packed)).success();
        write(&to.join("service-2.json"), text);
        fs::copy(from.join("paginators-1.json"), to.join("paginators-1.json"))
            .unwrap_or_else(|error| panic!("{}: {error}", from.display()));
    }
}
