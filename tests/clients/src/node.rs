//! Node.js with the packages that `tests/setup` installs from `tests/clients/npm`.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::program::{Outcome, command, find, run};
use crate::skip::{Missing, tools_directory};

/// Node.js as one person's scripts see it.
#[derive(Debug)]
pub struct Node {
    program: PathBuf,
    packages: PathBuf,
    home: TempDir,
    environment: Vec<(String, String)>,
}

impl Node {
    /// With the packages of `tests/clients/npm/<project>`, these variables and no other setting.
    ///
    /// # Errors
    /// [`Missing`] without Node.js or when `tests/setup` could not install the packages.
    pub fn new(project: &str, environment: Vec<(String, String)>) -> Result<Self, Missing> {
        Ok(Self {
            program: find("node", "nodejs, of 20 or later")?,
            packages: packages(project)?,
            home: TempDir::with_prefix("node-").expect("a temporary directory"),
            environment,
        })
    }

    /// Runs a script that may `require` the packages.
    #[must_use]
    #[track_caller]
    pub fn run(&self, script: &Path) -> Outcome {
        let mut node = command(&self.program, self.home.path());
        node.env("NODE_PATH", &self.packages)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_MAX_ATTEMPTS", "1")
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        run(node.arg(script))
    }
}

/// The `node_modules` of a project below `tests/clients/npm`.
///
/// # Errors
/// [`Missing`] when `tests/setup` could not install them.
pub fn packages(project: &str) -> Result<PathBuf, Missing> {
    let directory = tools_directory().join("npm").join(project);
    // The copy of the lock is written last.
    if directory.join("installed.json").is_file() {
        Ok(directory.join("node_modules"))
    } else {
        let what = format!("the npm packages of tests/clients/npm/{project}");
        Err(Missing::new(what, "tests/setup installs them, with npm"))
    }
}
