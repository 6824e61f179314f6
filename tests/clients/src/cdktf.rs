//! CDKTF: programs in Python that write Terraform's root module.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::cistern::workspace;
use crate::program::{command, run, write};
use crate::skip::{Missing, tools_directory};
use crate::terraform::python;

/// The modules of `imports.aws` that the programs use. `cdktf get` generates them from the provider;
/// these name the same bindings as they come prebuilt.
const BINDINGS: &[&str] = &["ecr_pull_through_cache_rule", "provider"];

/// One CDKTF application.
#[derive(Debug)]
pub struct Cdktf {
    python: PathBuf,
    directory: TempDir,
}

impl Cdktf {
    /// An application around this stack, a class `MyConvertedCode`.
    ///
    /// # Errors
    /// [`Missing`] when `tests/setup` did not install CDKTF.
    ///
    /// # Panics
    /// When its files cannot be written.
    pub fn new(stack: &str) -> Result<Self, Missing> {
        let python = python()?;
        let directory = TempDir::with_prefix("cdktf-").expect("a temporary directory");
        let bindings = directory.path().join("imports/aws");
        std::fs::create_dir_all(&bindings).expect("a fresh directory");
        for module in BINDINGS {
            let import = format!("from cdktf_cdktf_provider_aws.{module} import *\n");
            write(&bindings.join(format!("{module}.py")), import);
        }
        write(&directory.path().join("stack.py"), stack);
        let scripts = workspace().join("tests/clients/scripts");
        for (script, place) in [
            ("cdktf_app.py", directory.path().join("main.py")),
            ("cdktf_bindings.py", bindings.join("__init__.py")),
        ] {
            std::fs::copy(scripts.join(script), place).expect("both are ours");
        }
        Ok(Self { python, directory })
    }

    /// Runs the application, as `cdktf synth` does, and returns the root module it wrote, in JSON.
    ///
    /// # Panics
    /// When the program fails.
    #[must_use]
    #[track_caller]
    pub fn synthesize(&self) -> String {
        let directory = self.directory.path();
        let mut application = command(&self.python, directory);
        application
            .current_dir(directory)
            // The provider's 34 MB are unpacked once for all runs.
            .env("JSII_RUNTIME_PACKAGE_CACHE_ROOT", tools_directory().join("jsii"))
            .env("JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION", "1")
            .env("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "1")
            .env("CHECKPOINT_DISABLE", "1");
        run(application.arg("main.py")).success();
        let module = directory.join("cdktf.out/stacks/ptc/cdk.tf.json");
        std::fs::read_to_string(&module)
            .unwrap_or_else(|error| panic!("{}: {error}", module.display()))
    }
}
