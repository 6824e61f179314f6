//! The same doors over TLS.

use oci::media_type::OCI_MANIFEST;
use reqwest::{Certificate, Client, Version};
use testkit::ScriptedUpstream;

use crate::{
    commands::MANIFEST,
    process::{Home, finish, wait_for},
};

fn certificates(home: &Home) -> Certificate {
    let own = rcgen::generate_simple_self_signed(vec!["127.0.0.1".into()]).expect("a certificate");
    home.write("server.crt", &own.cert.pem());
    home.write("server.pem", &own.signing_key.serialize_pem());
    Certificate::from_pem(own.cert.pem().as_bytes()).expect("a certificate")
}

const FLAGS: [&str; 4] = ["--tls-cert", "server.crt", "--tls-key", "server.pem"];

#[tokio::test(flavor = "multi_thread")]
async fn both_versions_of_http_are_served() {
    let home = Home::new();
    let certificate = certificates(&home);
    let serving = home.serve(&FLAGS);
    assert!(serving.url().starts_with("https://127.0.0.1:"), "{}", serving.url());
    let client = || Client::builder().no_proxy().tls_certs_only([certificate.clone()]);
    for (client, version) in
        [(client(), Version::HTTP_2), (client().http1_only(), Version::HTTP_11)]
    {
        let url = format!("{}/v2/", serving.url());
        let client = client.build().expect("a client");
        let answer = client.get(url).send().await.expect("an answer");
        assert_eq!((answer.version(), answer.status().as_u16()), (version, 401));
        let challenge = answer.headers()["www-authenticate"].to_str().expect("text");
        assert!(challenge.starts_with("Basic realm=\"https://"), "{challenge}");
    }
    let exports = String::from_utf8(home.run(&["env"]).stdout).expect("text");
    assert!(exports.contains(&format!("AWS_ENDPOINT_URL={}\n", serving.url())), "{exports}");
    serving.terminate();
}

/// "A GET request to an existing blob URL MUST provide the expected blob, with a response code that
/// MUST be 200 OK" (OCI distribution-spec 1.1, "Pulling blobs"): of nothing too, and as long as it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_blob_of_nothing_has_a_length_in_both_versions_of_http() {
    const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let home = Home::new();
    let certificate = certificates(&home);
    let serving = home.serve(&FLAGS);
    let blobs = format!("{}/v2/app/blobs", serving.url());
    let client = || Client::builder().no_proxy().tls_certs_only([certificate.clone()]);
    for (client, version) in
        [(client(), Version::HTTP_2), (client().http1_only(), Version::HTTP_11)]
    {
        let client = client.build().expect("a client");
        let post = client.post(format!("{blobs}/uploads/?digest={EMPTY}"));
        let post = post.header("authorization", home.basic()).header("content-length", "0");
        let pushed = post.send().await.expect("an answer");
        assert_eq!((pushed.version(), pushed.status().as_u16()), (version, 201));
        let get = client.get(format!("{blobs}/{EMPTY}")).header("authorization", home.basic());
        let pulled = get.send().await.expect("an answer");
        assert_eq!((pulled.version(), pulled.status().as_u16()), (version, 200));
        assert_eq!(pulled.headers()["content-length"], "0", "{version:?}");
        assert_eq!(pulled.bytes().await.expect("a body"), "");
    }
}

#[test]
fn commands_trust_what_they_are_told_to() {
    let home = Home::new();
    certificates(&home);
    let _serving = home.serve(&FLAGS);
    let refused = home.refused(&["rule", "list"], 1);
    assert!(
        refused.ends_with(
            "trust its certificate with --ca-bundle FILE, or check the name in \
                               --endpoint-url"
        ),
        "{refused}"
    );
    let trusted = home.run(&["rule", "list", "--ca-bundle", "server.crt"]);
    assert_eq!(String::from_utf8_lossy(&trusted.stderr), "no rules\n");
    let trusted = finish(home.command(&["rule", "list"]).env("AWS_CA_BUNDLE", "server.crt"));
    assert_eq!(trusted.status.code(), Some(0));
    let refused = home.refused(&["rule", "list", "--ca-bundle", "server.pem"], 1);
    assert_eq!(refused, "server.pem: there is no certificate in it (PEM)");
}

#[test]
fn files_that_do_not_fit_are_refused_before_anything_is_touched() {
    let home = Home::new();
    let refused = home.refused(&[&["serve"], &FLAGS[..]].concat(), 1);
    assert!(refused.starts_with("cannot read --tls-cert server.crt: No such file"), "{refused}");
    certificates(&home);
    let first = std::fs::read_to_string(home.path().join("server.crt")).expect("written");
    certificates(&home);
    home.write("server.crt", &first);
    let refused = home.refused(&[&["serve"], &FLAGS[..]].concat(), 1);
    assert!(refused.starts_with("the key of --tls-key server.pem is not the one of "), "{refused}");
    home.write("server.pem", "nonsense");
    let refused = home.refused(&[&["serve"], &FLAGS[..]].concat(), 1);
    assert!(refused.starts_with("--tls-key server.pem has no private key in PEM"), "{refused}");
    assert!(!home.data_dir().is_dir());
}

/// A certificate authority that is exchanged under a running server.
#[tokio::test(flavor = "multi_thread")]
async fn certificates_towards_upstreams_are_read_anew() {
    let upstream = ScriptedUpstream::start_tls().await;
    upstream.add_manifest("app", Some("v1"), OCI_MANIFEST, MANIFEST);
    let other = rcgen::generate_simple_self_signed(vec!["127.0.0.1".into()]).expect("signed");
    let home = Home::new();
    home.write("roots.pem", &other.cert.pem());
    home.write("cistern.toml", "[upstream]\nca-file = \"roots.pem\"\n");
    let rule = format!("up={}", upstream.url());
    let serving = home.serve(&["--config", "cistern.toml", "--anonymous-pull", "--rule", &rule]);
    let url = format!("{}/v2/up/app/manifests/v1", serving.url());
    let client = Client::builder().no_proxy().build().expect("a client");
    let status = || async { client.get(&url).send().await.expect("an answer").status().as_u16() };
    assert_eq!(status().await, 502);
    // What cannot be used changes nothing.
    home.write("roots.pem", "nonsense");
    wait_for("it is looked at", || serving.log().contains("stay as they were").then_some(()));
    assert_eq!(status().await, 502);
    home.write("roots.pem", upstream.root_pem());
    wait_for("it is read", || serving.log().contains("were read anew").then_some(()));
    assert_eq!(status().await, 200);
    serving.terminate();
}
