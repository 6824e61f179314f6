//! Terraform with its AWS provider, without its registry: the provider comes from a directory.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::program::{Outcome, command, find, run, write};
use crate::skip::{Missing, tools_directory};

/// Where Terraform itself looks for providers, and the variable that names another directory.
const MIRRORS: [&str; 2] = ["/usr/local/share/terraform/plugins", "/usr/share/terraform/plugins"];
const NO_PACKAGE: &str = "(none: see terraform's own site)";
const MIRROR_VARIABLE: &str = "TEST_TERRAFORM_PROVIDERS";

/// One root module and its state.
#[derive(Debug)]
pub struct Terraform {
    program: PathBuf,
    directory: TempDir,
    environment: Vec<(String, String)>,
}

impl Terraform {
    /// An initialised root module that sees these variables and no other setting.
    ///
    /// # Errors
    /// [`Missing`] where the program or its AWS provider is not on this machine.
    ///
    /// # Panics
    /// When `terraform init` fails.
    #[track_caller]
    pub fn new(environment: Vec<(String, String)>, module: &str) -> Result<Self, Missing> {
        Self::prepare(environment, "main.tf", &with_provider("", module))
    }

    /// The same of a module in JSON, which names its provider itself.
    ///
    /// # Errors
    /// [`Missing`] where the program or its AWS provider is not on this machine.
    ///
    /// # Panics
    /// When `terraform init` fails.
    #[track_caller]
    pub fn of_json(environment: Vec<(String, String)>, module: &str) -> Result<Self, Missing> {
        Self::prepare(environment, "main.tf.json", module)
    }

    /// Whether Terraform and its AWS provider are there, for a scenario that has much to do first.
    ///
    /// # Errors
    /// [`Missing`] where one is not on this machine.
    pub fn is_installed() -> Result<(), Missing> {
        find("terraform", NO_PACKAGE)?;
        mirror().map(|_| ())
    }

    #[track_caller]
    fn prepare(
        environment: Vec<(String, String)>,
        file: &str,
        module: &str,
    ) -> Result<Self, Missing> {
        let program = find("terraform", NO_PACKAGE)?;
        let mirror = mirror()?;
        let directory = TempDir::with_prefix("terraform-").expect("a temporary directory");
        let settings = format!(
            "disable_checkpoint = true\nprovider_installation {{\n  filesystem_mirror {{\n    path \
             = {:?}\n  }}\n}}\n",
            mirror.display().to_string()
        );
        write(&directory.path().join("terraform.rc"), settings);
        write(&directory.path().join(file), module);
        let terraform = Self { program, directory, environment };
        terraform.run(&["init", "-no-color"]).success();
        Ok(terraform)
    }

    /// Replaces the root module.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write(&self, module: &str) {
        self.write_with_provider("", module);
    }

    /// Replaces the root module, with a provider that is set up by these lines of its block.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write_with_provider(&self, settings: &str, module: &str) {
        write(&self.directory.path().join("main.tf"), with_provider(settings, module));
    }

    /// Where it is.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The directory of the root module.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Another program in the directory of the module, seeing what Terraform sees.
    #[must_use]
    pub fn command(&self, program: &Path) -> Command {
        let mut command = command(program, self.directory.path());
        command
            .current_dir(self.directory.path())
            .env("TF_CLI_CONFIG_FILE", self.directory.path().join("terraform.rc"))
            .env("AWS_EC2_METADATA_DISABLED", "true")
            // Every command starts the provider anew, and a third of what that costs is collecting
            // garbage that the process takes with it a moment later.
            .env("GOGC", "off")
            .env("GOMEMLIMIT", "1GiB")
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// `terraform` with these words.
    #[must_use]
    #[track_caller]
    pub fn run(&self, words: &[&str]) -> Outcome {
        run(self.command(&self.program).args(words))
    }

    /// `terraform apply`.
    #[must_use]
    #[track_caller]
    pub fn apply(&self) -> Outcome {
        self.run(&["apply", "-auto-approve", "-input=false", "-no-color"])
    }

    /// `terraform destroy`.
    #[must_use]
    #[track_caller]
    pub fn destroy(&self) -> Outcome {
        self.run(&["destroy", "-auto-approve", "-input=false", "-no-color"])
    }

    /// Forgets a resource, which stays where it is, and takes it back by `terraform import`.
    ///
    /// # Panics
    /// When either fails.
    #[track_caller]
    pub fn import_again(&self, address: &str, id: &str) {
        let _ = self.run(&["state", "rm", address]).success();
        let _ = self.run(&["import", "-input=false", "-no-color", address, id]).success();
    }

    /// What Terraform said when it failed, in one line: it draws a frame around what a service says.
    ///
    /// # Panics
    /// When it succeeds.
    #[must_use]
    #[track_caller]
    pub fn refusal(&self) -> String {
        let said = self.apply().failure().replace('│', " ");
        said.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The value of an output.
    ///
    /// # Panics
    /// When there is none of that name.
    #[must_use]
    #[track_caller]
    pub fn output(&self, name: &str) -> Value {
        let shown = self.run(&["output", "-json", name]).success();
        serde_json::from_str(&shown).expect("terraform prints JSON")
    }

    /// Asserts that a plan finds something to do, this and no more.
    ///
    /// # Panics
    /// When it finds something else or fails.
    #[track_caller]
    pub fn assert_plans(&self, counts: &str) {
        let plan = self.changes();
        assert!(plan.contains(&format!("Plan: {counts}.")), "{plan}");
    }

    /// Asserts that a plan finds nothing to do.
    ///
    /// # Panics
    /// When it finds something or fails; the message holds the plan.
    #[track_caller]
    pub fn assert_settled(&self) {
        let outcome = self.plan();
        assert_eq!(outcome.status.code(), Some(0), "{}\n{}", outcome.stdout, outcome.stderr);
    }

    /// Asserts that a plan finds something to do, and returns it.
    ///
    /// # Panics
    /// When it finds nothing or fails.
    #[track_caller]
    pub fn changes(&self) -> String {
        let outcome = self.plan();
        assert_eq!(outcome.status.code(), Some(2), "{}\n{}", outcome.stdout, outcome.stderr);
        outcome.stdout
    }

    /// The addresses of the resources in the state, each with its attributes.
    ///
    /// # Panics
    /// When the state cannot be shown.
    #[must_use]
    #[track_caller]
    pub fn resources(&self) -> Vec<(String, Value)> {
        let shown = self.run(&["show", "-json"]).success();
        let state: Value = serde_json::from_str(&shown).expect("terraform prints JSON");
        let resources = state["values"]["root_module"]["resources"].as_array();
        let named = |resource: &Value| {
            let address = resource["address"].as_str().expect("a resource has an address");
            (address.to_owned(), resource["values"].clone())
        };
        resources.into_iter().flatten().map(named).collect()
    }

    #[track_caller]
    fn plan(&self) -> Outcome {
        self.run(&["plan", "-detailed-exitcode", "-input=false", "-no-color"])
    }
}

/// A module with the provider that it needs.
fn with_provider(settings: &str, module: &str) -> String {
    format!(
        r#"
terraform {{
  required_providers {{
    aws = {{ source = "hashicorp/aws" }}
  }}
}}
provider "aws" {{
{settings}
}}
{module}"#
    )
}

/// The Python of the programs whose resources Terraform makes: CDKTF's and Pulumi's.
///
/// # Errors
/// [`Missing`] when `tests/setup` did not install it: it does so where Terraform is.
pub fn python() -> Result<PathBuf, Missing> {
    let python = tools_directory().join("iac-venv/bin/python");
    if python.is_file() {
        Ok(python)
    } else {
        let remedy = "tests/setup installs them where Terraform is, with python3";
        Err(Missing::new("CDKTF and Pulumi for Python", remedy))
    }
}

/// The directory that holds the AWS provider.
fn mirror() -> Result<PathBuf, Missing> {
    let named = std::env::var_os(MIRROR_VARIABLE).map(PathBuf::from);
    let holds = |mirror: &PathBuf| {
        let provider = Path::new("registry.terraform.io/hashicorp/aws");
        mirror.join(provider).is_dir()
    };
    named.into_iter().chain(MIRRORS.map(PathBuf::from)).find(holds).ok_or_else(|| {
        Missing::new(
            "Terraform's AWS provider",
            format!("`terraform providers mirror`, and {MIRROR_VARIABLE} names its directory"),
        )
    })
}
