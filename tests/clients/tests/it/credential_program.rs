//! AWS's own host names: `docker-credential-ecr-login` insists on them, and every other client takes
//! them without a setting. The names lead to the Cistern of the test, over TLS.

use clients::program::write;
use clients::{AwsCli, Cistern, ConnectProxy, Docker, Image, Skopeo, UpstreamRegistry, or_skip};
use serde_json::json;
use tempfile::TempDir;

use crate::scene::{DOCKER_HUB, create_docker_hub_rule};

/// The registry, as ECR calls it.
const REGISTRY: &str = "000000000000.dkr.ecr.us-east-1.amazonaws.com";
/// What a certificate for one region covers.
const NAMES: [&str; 3] = [
    "*.dkr.ecr.us-east-1.amazonaws.com",
    "*.ecr.us-east-1.amazonaws.com",
    "*.us-east-1.amazonaws.com",
];

#[test]
fn skopeo_and_docker_pull_with_the_credential_program_of_ecr() {
    let mut upstream = or_skip!(UpstreamRegistry::with_password());
    let image = Image::multi_arch();
    upstream.push(&image, "library/alpine", "3.20");
    let certificates = TempDir::new().expect("a temporary directory");
    let at = |name: &str| certificates.path().join(name).display().to_string();
    let names: Vec<String> = NAMES.map(str::to_owned).into();
    let own = rcgen::generate_simple_self_signed(names).expect("a certificate");
    write(at("server.crt").as_ref(), own.cert.pem());
    write(at("server.pem").as_ref(), own.signing_key.serialize_pem());
    let cistern = Cistern::start(&[
        "--tls-cert",
        &at("server.crt"),
        "--tls-key",
        &at("server.pem"),
        "--upstream-endpoint",
        &format!("{DOCKER_HUB}={}", upstream.url()),
    ]);
    let proxy = ConnectProxy::start(&cistern.host());
    // What a machine has that means AWS itself: keys and a region, and no endpoint.
    let mut environment = cistern.environment();
    environment.retain(|(name, _)| !name.starts_with("AWS_ENDPOINT_URL"));
    for (name, value) in [
        ("HTTPS_PROXY", proxy.url()),
        ("SSL_CERT_FILE", at("server.crt")),
        ("AWS_CA_BUNDLE", at("server.crt")),
        ("AWS_ECR_DISABLE_CACHE", "true".to_owned()),
    ] {
        environment.push((name.to_owned(), value));
    }
    let aws = or_skip!(AwsCli::new(environment.clone()));
    create_docker_hub_rule(&aws);
    let reference = format!("{REGISTRY}/docker-hub/library/alpine:3.20");

    let skopeo = or_skip!(Skopeo::new()).trusting(certificates.path());
    let skopeo = or_skip!(skopeo.with_ecr_login(REGISTRY, environment.clone()));
    skopeo.pull_all(&reference).assert_whole(&image);
    let token = aws.json(&["ecr", "get-authorization-token"]);
    let endpoint = &token["authorizationData"][0]["proxyEndpoint"];
    assert_eq!(endpoint, &format!("https://{REGISTRY}"));
    let described = aws.json(&["ecr", "describe-repositories"]);
    let address = &described["repositories"][0]["repositoryUri"];
    assert_eq!(address, &format!("{REGISTRY}/docker-hub/library/alpine"));
    let asked = ["secretsmanager.us-east-1", "api.ecr.us-east-1", "000000000000.dkr.ecr.us-east-1"];
    assert_eq!(proxy.asked(), asked.map(|name| format!("{name}.amazonaws.com:443")));

    let docker = or_skip!(Docker::start_with(environment, &json!({})));
    docker.pull(&reference).failure();
    or_skip!(docker.use_ecr_login(REGISTRY));
    let said = docker.pull(&reference).success();
    assert!(said.contains(&image.digest), "{said}");
}
