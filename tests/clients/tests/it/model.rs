//! Every operation against botocore's own model: no shape of ours can drift from AWS's.

use clients::cistern::workspace;
use clients::compatibility::{self, OPERATIONS};
use clients::{AwsCli, Cistern, Image, UpstreamRegistry, or_skip};

use crate::scene::DOCKER_HUB;

#[test]
fn every_answer_is_of_botocores_model() {
    let mut upstream = or_skip!(UpstreamRegistry::open());
    let image = Image::one_layer(1 << 10);
    upstream.push(&image, "team/app", "1");
    let cistern = Cistern::start(&[
        "--upstream-endpoint",
        &format!("{DOCKER_HUB}={}", upstream.url()),
        // The samples' own upstream: nobody is there, and nobody outside is asked.
        "--upstream-endpoint",
        "quay.io=http://127.0.0.1:9",
        "--rule",
        &format!("hub=https://{DOCKER_HUB}"),
    ]);
    let aws = or_skip!(AwsCli::new(cistern.environment()));
    let script = workspace().join("tests/clients/scripts/model_shapes.py");
    let report = compatibility::directory().join(OPERATIONS);
    let report = report.display().to_string();
    println!("{}", aws.run_python_with(&script, &["hub/team/app", "1", &report]).success());
}
