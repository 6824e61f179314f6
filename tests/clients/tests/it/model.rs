//! Every operation against botocore's own model: no shape of ours can drift from AWS's.

use std::path::Path;

use clients::cistern::workspace;
use clients::compatibility::{self, OPERATIONS};
use clients::{AwsCli, Cistern, Image, UpstreamRegistry, or_skip};
use serde_json::{Value, json};

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
    let path = report.display().to_string();
    println!("{}", aws.run_python_with(&script, &["hub/team/app", "1", &path]).success());
    add_own(&report);
}

/// Adds Cistern's own operations to the report: no model of AWS's has them, and each is offered.
fn add_own(report: &Path) {
    let written = std::fs::read_to_string(report).expect("the script wrote it");
    let mut services: Value = serde_json::from_str(&written).expect("the script writes JSON");
    let named = aws::cistern::Operation::ALL.iter().map(|operation| operation.name());
    let operations: Vec<_> =
        named.map(|name| json!({"name": name, "offered": true, "says": ""})).collect();
    let title = "Cistern's own, an extension";
    let own = json!({"service": "cistern", "title": title, "operations": operations});
    services.as_array_mut().expect("a list of services").push(own);
    std::fs::write(report, services.to_string()).expect("the target directory is writable");
}
