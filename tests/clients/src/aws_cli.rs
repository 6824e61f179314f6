//! The AWS CLI of `tests/setup`, seeing only what `cistern env` exports.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::program::{Outcome, command, run};
use crate::skip::{Missing, tools_directory};

/// One person's AWS CLI.
#[derive(Debug)]
pub struct AwsCli {
    program: PathBuf,
    home: TempDir,
    environment: Vec<(String, String)>,
}

impl AwsCli {
    /// The CLI with these variables and no other setting.
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

    /// Where the CLI is.
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

    /// `aws` with these words.
    #[must_use]
    #[track_caller]
    pub fn run(&self, words: &[&str]) -> Outcome {
        run(self.command(&self.program).args(words))
    }

    /// The answer of a call that succeeds.
    ///
    /// # Panics
    /// When the call fails; the message holds what the CLI said.
    #[track_caller]
    pub fn json(&self, words: &[&str]) -> Value {
        let answer = self.run(words).success();
        if answer.trim().is_empty() {
            return Value::Null;
        }
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{words:?}: {error}: {answer}"))
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
        run(self.command(&self.program.with_file_name("python")).arg(script))
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
