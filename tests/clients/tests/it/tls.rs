//! The same doors over TLS, with a certificate of one's own.

use clients::program::write;
use clients::{AwsCli, Cistern, Image, Skopeo, UpstreamRegistry, or_skip};
use tempfile::TempDir;

use crate::scene::DOCKER_HUB;

#[test]
fn skopeo_and_the_aws_cli_speak_https() {
    let mut upstream = or_skip!(UpstreamRegistry::open());
    let image = Image::multi_arch();
    upstream.push(&image, "library/alpine", "3.20");
    let certificates = TempDir::new().expect("a temporary directory");
    let at = |name: &str| certificates.path().join(name).display().to_string();
    let own = rcgen::generate_simple_self_signed(vec!["127.0.0.1".into()]).expect("a certificate");
    write(at("server.crt").as_ref(), own.cert.pem());
    write(at("server.pem").as_ref(), own.signing_key.serialize_pem());
    let cistern = Cistern::start(&[
        "--tls-cert",
        &at("server.crt"),
        "--tls-key",
        &at("server.pem"),
        "--upstream-endpoint",
        &format!("{DOCKER_HUB}={}", upstream.url()),
        "--rule",
        &format!("hub=https://{DOCKER_HUB}"),
    ]);
    assert!(cistern.url().starts_with("https://127.0.0.1:"), "{}", cistern.url());
    let mut environment = cistern.environment();
    environment.push(("AWS_CA_BUNDLE".into(), at("server.crt")));
    let aws = or_skip!(AwsCli::new(environment));
    let skopeo = or_skip!(Skopeo::new()).trusting(certificates.path());

    skopeo.login(&cistern.host(), "AWS", &aws.login_password()).success();
    let reference = format!("{}/hub/library/alpine:3.20", cistern.host());
    skopeo.pull_all(&reference).assert_whole(&image);
}
