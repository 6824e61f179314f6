//! The AWS SDK for JavaScript, whose errors are instances of the classes of its models.

use clients::cistern::workspace;
use clients::upstream_registry::{PASSWORD, USER};
use clients::{Node, UpstreamRegistry, or_skip};

use crate::scene::cache_of_docker_hub;

#[test]
fn rules_secrets_pages_and_errors_are_those_of_its_models() {
    let upstream = or_skip!(UpstreamRegistry::with_password());
    let cistern = cache_of_docker_hub(&upstream.url());
    let mut environment = cistern.environment();
    for (name, value) in [("UPSTREAM_USER", USER), ("UPSTREAM_PASSWORD", PASSWORD)] {
        environment.push((name.to_owned(), value.to_owned()));
    }
    let node = or_skip!(Node::new("sdk", environment));
    node.run(&workspace().join("tests/clients/scripts/javascript_sdk.cjs")).success();
}
