//! Pulumi programs: the real program and SDK, whose resources Terraform's AWS provider makes.
//!
//! Pulumi's own engine and its AWS plugin are in no package registry;
//! `scripts/pulumi_engine.py` stands in for them and says what it does.

use std::path::PathBuf;

use serde_json::Value;

use crate::cistern::workspace;
use crate::node;
use crate::program::{Outcome, find, run, write};
use crate::skip::Missing;
use crate::terraform::{Terraform, python};

/// What a program is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Python, with `pulumi` and `pulumi_aws`.
    Python,
    /// TypeScript on Node.js, with `@pulumi/pulumi` and `@pulumi/aws`.
    TypeScript,
}

/// One program and its stack.
#[derive(Debug)]
pub struct Pulumi {
    python: PathBuf,
    terraform: Terraform,
    language: Language,
}

impl Pulumi {
    /// An empty stack of this program, which sees these variables and no other setting.
    ///
    /// # Errors
    /// [`Missing`] where Terraform, its AWS provider or Pulumi's SDK is not on this machine.
    ///
    /// # Panics
    /// When `terraform init` fails or a file cannot be written.
    #[track_caller]
    pub fn new(
        environment: Vec<(String, String)>,
        language: Language,
        program: &str,
    ) -> Result<Self, Missing> {
        let terraform = Terraform::new(environment, "")?;
        let python = python()?;
        let directory = terraform.directory();
        if language == Language::TypeScript {
            find("node", "nodejs, of 20 or later")?;
            let packages = node::packages("pulumi")?;
            std::os::unix::fs::symlink(packages, directory.join("node_modules"))
                .expect("a fresh directory");
            write(&directory.join("package.json"), "{}");
        }
        write(&directory.join(file(language)), program);
        Ok(Self { python, terraform, language })
    }

    /// `pulumi up`: the program's resources, the stack's outputs.
    ///
    /// # Panics
    /// When it fails or prints no JSON.
    #[must_use]
    #[track_caller]
    pub fn up(&self) -> Value {
        self.run("up").json()
    }

    /// `pulumi preview`; `changes` says whether it found something to do.
    ///
    /// # Panics
    /// When it fails or prints no JSON.
    #[must_use]
    #[track_caller]
    pub fn preview(&self) -> Value {
        self.run("preview").json()
    }

    /// `pulumi up`, `pulumi preview` or `pulumi destroy`.
    #[must_use]
    #[track_caller]
    pub fn run(&self, verb: &str) -> Outcome {
        let engine = workspace().join("tests/clients/scripts/pulumi_engine.py");
        let language = match self.language {
            Language::Python => "python",
            Language::TypeScript => "nodejs",
        };
        let mut command = self.terraform.command(&self.python);
        command
            .env("TERRAFORM", self.terraform.program())
            .env("PULUMI_NODEJS_TYPESCRIPT", "true")
            // The types of the whole of AWS take a minute to check, and are the SDK's business.
            .env("PULUMI_NODEJS_TRANSPILE_ONLY", "true")
            .arg(engine)
            .args([verb, language, file(self.language)]);
        run(&mut command)
    }
}

/// What a program of this language is called.
fn file(language: Language) -> &'static str {
    match language {
        Language::Python => "__main__.py",
        Language::TypeScript => "index.ts",
    }
}
