//! The AWS SDK for Rust, whose parsers are generated from the models: what it cannot read, or reads
//! as an unknown error, is not ECR.

use aws_sdk_ecr::error::ProvideErrorMetadata;
use aws_sdk_ecr::primitives::DateTime;
use aws_sdk_ecr::types::UpstreamRegistry;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use clients::Cistern;
use clients::upstream_registry::{PASSWORD, USER};
use serde_json::json;

/// A client of one of the SDK's crates, set up from `cistern env`'s variables.
macro_rules! client {
    ($sdk:ident, $environment:expr) => {{
        let environment: &[(String, String)] = $environment;
        let variable = |wanted: &str| {
            let found = environment.iter().find(|(name, _)| name == wanted);
            found.unwrap_or_else(|| panic!("cistern env sets {wanted}")).1.clone()
        };
        let (key, secret) = (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"));
        let tls = Provider::Rustls(CryptoMode::AwsLc);
        let configuration = $sdk::Config::builder()
            .behavior_version($sdk::config::BehaviorVersion::latest())
            .http_client(aws_smithy_http_client::Builder::new().tls_provider(tls).build_https())
            .retry_config($sdk::config::retry::RetryConfig::disabled())
            .endpoint_url(variable("AWS_ENDPOINT_URL"))
            .region($sdk::config::Region::new(variable("AWS_REGION")))
            .credentials_provider($sdk::config::Credentials::new(key, secret, None, None, "test"))
            .build();
        $sdk::Client::from_conf(configuration)
    }};
}

#[tokio::test]
async fn rules_are_made_listed_and_deleted() {
    let cistern = Cistern::start(&[]);
    let ecr = client!(aws_sdk_ecr, &cistern.environment());
    for (prefix, url) in [("quay", "quay.io"), ("k8s", "registry.k8s.io"), ("hub", "ghcr.io")] {
        let create = ecr.create_pull_through_cache_rule().ecr_repository_prefix(prefix);
        create.upstream_registry_url(url).send().await.expect("a new rule");
    }

    let pages = ecr.describe_pull_through_cache_rules().into_paginator().page_size(1).send();
    let pages = pages.collect::<Result<Vec<_>, _>>().await.expect("three pages");
    let rules: Vec<_> = pages.iter().flat_map(|page| page.pull_through_cache_rules()).collect();
    assert!(pages.iter().all(|page| page.pull_through_cache_rules().len() <= 1));
    assert_eq!(rules.len(), 3);
    let quay = rules.iter().find(|rule| rule.ecr_repository_prefix() == Some("quay"));
    let quay = quay.expect("it was made");
    assert_eq!(quay.upstream_registry_url(), Some("quay.io"));
    assert_eq!(quay.upstream_registry(), Some(&UpstreamRegistry::Quay));
    assert_eq!(quay.registry_id(), Some("000000000000"));
    assert_eq!(quay.credential_arn(), None);
    assert!(quay.created_at().is_some_and(|created| created.secs() > 1_700_000_000));

    let again = ecr.create_pull_through_cache_rule().ecr_repository_prefix("quay");
    let error = again.upstream_registry_url("quay.io").send().await.expect_err("it exists");
    let error = error.into_service_error();
    assert!(error.is_pull_through_cache_rule_already_exists_exception(), "{error:?}");

    let delete = || ecr.delete_pull_through_cache_rule().ecr_repository_prefix("quay").send();
    assert_eq!(delete().await.expect("it is there").upstream_registry_url(), Some("quay.io"));
    let error = delete().await.expect_err("it is gone").into_service_error();
    assert!(error.is_pull_through_cache_rule_not_found_exception(), "{error:?}");

    let describe = ecr.describe_pull_through_cache_rules().ecr_repository_prefixes("quay").send();
    let error = describe.await.expect_err("it is gone").into_service_error();
    assert!(error.is_pull_through_cache_rule_not_found_exception(), "{error:?}");
    let describe = ecr.describe_images().repository_name("absent").send();
    let error = describe.await.expect_err("there is none").into_service_error();
    assert!(error.is_repository_not_found_exception(), "{error:?}");
}

#[tokio::test]
async fn a_secret_is_kept_and_a_rule_may_name_it() {
    let cistern = Cistern::start(&[]);
    let environment = cistern.environment();
    let secrets = client!(aws_sdk_secretsmanager, &environment);
    let ecr = client!(aws_sdk_ecr, &environment);
    let name = "ecr-pullthroughcache/docker-hub";
    let account = json!({"username": USER, "accessToken": PASSWORD}).to_string();

    let create = || secrets.create_secret().name(name).secret_string(&account).send();
    let made = create().await.expect("a new secret");
    let arn = made.arn().expect("CreateSecret answers an ARN");
    assert!(
        arn.starts_with(&format!("arn:aws:secretsmanager:us-east-1:000000000000:secret:{name}-"))
    );
    let error = create().await.expect_err("it exists").into_service_error();
    assert!(error.is_resource_exists_exception(), "{error:?}");
    let value = secrets.get_secret_value().secret_id(arn).send().await.expect("it was made");
    assert_eq!(value.secret_string(), Some(account.as_str()));
    assert_eq!(value.version_id(), made.version_id());
    let described = secrets.describe_secret().secret_id(name).send().await.expect("it was made");
    assert_eq!(described.arn(), Some(arn));

    let create = ecr.create_pull_through_cache_rule().ecr_repository_prefix("docker-hub");
    let rule = create.upstream_registry_url("registry-1.docker.io").credential_arn(arn).send();
    assert_eq!(rule.await.expect("a new rule").credential_arn(), Some(arn));
    let create = ecr.create_pull_through_cache_rule().ecr_repository_prefix("other");
    let absent = arn.replace("docker-hub", "absent");
    let rule = create.upstream_registry_url("registry-1.docker.io").credential_arn(absent).send();
    let error = rule.await.expect_err("no such secret").into_service_error();
    assert!(error.is_secret_not_found_exception(), "{error:?}");

    let delete = secrets.delete_secret().secret_id(arn).force_delete_without_recovery(true);
    delete.send().await.expect("it was made");
    let value = secrets.get_secret_value().secret_id(arn).send().await;
    let error = value.expect_err("it is gone").into_service_error();
    assert!(error.is_resource_not_found_exception(), "{error:?}");
}

#[tokio::test]
async fn a_login_token_lasts_twelve_hours_and_a_wrong_secret_gets_none() {
    let cistern = Cistern::start(&[]);
    let mut environment = cistern.environment();
    let ecr = client!(aws_sdk_ecr, &environment);
    let answer = ecr.get_authorization_token().send().await.expect("root may log in");
    let [login] = answer.authorization_data() else { panic!("one entry: {answer:?}") };
    assert_eq!(login.proxy_endpoint(), Some(cistern.url()));
    let expires = login.expires_at().expect("it expires");
    let hours = |hours: i64| {
        let now = DateTime::from(std::time::SystemTime::now()).secs();
        now + hours * 3600 - 300..=now + hours * 3600 + 300
    };
    assert!(hours(12).contains(&expires.secs()), "{expires:?}");

    for (name, value) in &mut environment {
        if name == "AWS_SECRET_ACCESS_KEY" {
            *value = "0".repeat(value.len());
        }
    }
    let ecr = client!(aws_sdk_ecr, &environment);
    let error = ecr.get_authorization_token().send().await.expect_err("the signature is wrong");
    assert_eq!(error.code(), Some("InvalidSignatureException"), "{error:?}");
}
