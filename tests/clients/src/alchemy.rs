//! Alchemy from npm, unmodified: one program with its state, run by Node.js.

use std::os::unix::fs::symlink;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::node;
use crate::program::{Outcome, command, find, run, write};
use crate::skip::Missing;

/// What stands around a sample of Alchemy's documentation in a program: the import that the page
/// shows only once, the application that its resources belong to, and the end at which those that
/// are gone from it are destroyed.
const PROGRAM: &str = r#"import alchemy from "alchemy";
import AWS from "alchemy/aws/control";

Object.assign(globalThis, { AWS });
const app = await alchemy("scenario");
await import("./resources.ts");
await app.finalize();
"#;

/// Leads every TLS connection to one address, whatever host it is for: name, certificate and
/// signature stay those of the host.
const NAMES: &str = r#"import tls from "node:tls";

const { connect } = tls;
const [host, port] = process.env.EVERY_HOST.split(":");
tls.connect = (options, ...rest) => connect({ ...options, host, port: Number(port) }, ...rest);
"#;

/// One Alchemy program and its local state.
#[derive(Debug)]
pub struct Alchemy {
    program: PathBuf,
    tsx: PathBuf,
    directory: TempDir,
    environment: Vec<(String, String)>,
    preloaded: Option<&'static str>,
}

impl Alchemy {
    /// A program that makes the resources of `module`, and sees these variables and no other
    /// setting.
    ///
    /// # Errors
    /// [`Missing`] without Node.js or when `tests/setup` could not install the packages.
    pub fn new(environment: Vec<(String, String)>, module: &str) -> Result<Self, Missing> {
        Self::of_package("alchemy", environment, module)
    }

    /// As [`Self::new`], with the last version that knows AWS's own host names only. They lead to
    /// `host` (`127.0.0.1:PORT`).
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn without_endpoints(
        mut environment: Vec<(String, String)>,
        module: &str,
        host: &str,
    ) -> Result<Self, Missing> {
        environment.retain(|(name, _)| !name.starts_with("AWS_ENDPOINT_URL"));
        environment.push(("EVERY_HOST".to_owned(), host.to_owned()));
        let mut alchemy = Self::of_package("alchemy-without-endpoints", environment, module)?;
        write(&alchemy.directory.path().join("names.mjs"), NAMES);
        alchemy.preloaded = Some("./names.mjs");
        Ok(alchemy)
    }

    fn of_package(
        package: &str,
        environment: Vec<(String, String)>,
        module: &str,
    ) -> Result<Self, Missing> {
        let program = find("node", "nodejs, of 20 or later")?;
        let packages = node::packages("alchemy")?;
        let directory = TempDir::with_prefix("alchemy-").expect("a temporary directory");
        let own = directory.path().join("node_modules");
        std::fs::create_dir(&own).expect("a directory of ours");
        symlink(packages.join(package), own.join("alchemy")).expect("a directory of ours");
        write(&directory.path().join("package.json"), r#"{"type": "module"}"#);
        write(&directory.path().join("alchemy.run.ts"), PROGRAM);
        let tsx = packages.join("tsx/dist/cli.mjs");
        let alchemy = Self { program, tsx, directory, environment, preloaded: None };
        alchemy.write(module);
        Ok(alchemy)
    }

    /// Replaces the resources of the program.
    ///
    /// # Panics
    /// When they cannot be written.
    pub fn write(&self, module: &str) {
        write(&self.directory.path().join("resources.ts"), module);
    }

    /// Runs the program with these flags.
    #[must_use]
    #[track_caller]
    pub fn run(&self, flags: &[&str]) -> Outcome {
        let mut node = command(&self.program, self.directory.path());
        node.current_dir(self.directory.path())
            .arg(&self.tsx)
            .args(self.preloaded.iter().flat_map(|module| ["--import", module]))
            .arg("alchemy.run.ts")
            .args(flags)
            .env("ALCHEMY_TELEMETRY_DISABLED", "1")
            .env("DO_NOT_TRACK", "1")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        run(&mut node)
    }
}
