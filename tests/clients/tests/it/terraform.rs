//! Terraform and its AWS provider 5.100 keep what a platform team keeps beside a registry: each kind
//! of resource from its making to its end, by way of everything that may happen to it in between.

mod endpoints;
mod registry;
mod repositories;
mod roles;
mod rules;
mod secrets;
mod templates;

use clients::{AwsCli, Cistern, Missing, Terraform};

/// A server, somebody who looks and meddles from outside, and an initialised root module.
struct Workplace {
    aws: AwsCli,
    terraform: Terraform,
    /// Dropped last: the others ask it.
    cistern: Cistern,
}

impl Workplace {
    #[track_caller]
    fn new(module: &str) -> Result<Self, Missing> {
        let cistern = Cistern::start(&[]);
        let aws = AwsCli::new(cistern.environment())?;
        let terraform = Terraform::new(cistern.environment(), module)?;
        Ok(Self { aws, terraform, cistern })
    }

    /// Makes the module true, and sees that nothing is left to do.
    #[track_caller]
    fn apply(&self) {
        let _ = self.terraform.apply().success();
        self.terraform.assert_settled();
    }

    /// Replaces the module, sees what a plan makes of the difference, and makes it true.
    #[track_caller]
    fn change(&self, module: &str, counts: &str) {
        self.terraform.write(module);
        self.terraform.assert_plans(counts);
        self.apply();
    }

    /// Runs the AWS CLI behind Terraform's back.
    #[track_caller]
    fn meddle(&self, words: &[&str]) {
        let _ = self.aws.run(words).success();
    }
}

/// An `import` block.
fn import_block(address: &str, id: &str) -> String {
    format!("\nimport {{\n  to = {address}\n  id = \"{id}\"\n}}\n")
}
