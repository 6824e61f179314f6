//! Settings of the registry as a whole through ECR's API.

use super::*;

const INVALID: &str = "InvalidParameterException";

#[tokio::test]
async fn the_registry_has_a_policy() {
    let world = World::start().await;
    let absent = "RegistryPolicyNotFoundException";
    for operation in ["GetRegistryPolicy", "DeleteRegistryPolicy"] {
        let text = refused(&world, operation, json!({}), absent).await;
        assert_eq!(
            text,
            format!("Registry policy does not exist in the registry with id '{ACCOUNT}'")
        );
    }
    let mut policy = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "cache", "Effect": "Allow", "Principal": {"AWS": OTHER_ACCOUNT},
            "Action": ["ecr:CreateRepository", "ecr:BatchImportUpstreamImage"],
            "Resource": format!("arn:aws:ecr:us-east-1:{ACCOUNT}:repository/hub/*"),
        }],
    });
    let text = policy.to_string();
    let expected = json!({"registryId": ACCOUNT, "policyText": text});
    assert_eq!(done(&world, "PutRegistryPolicy", json!({"policyText": text})).await, expected);
    assert_eq!(done(&world, "GetRegistryPolicy", json!({})).await, expected);
    policy["Statement"][0].as_object_mut().unwrap().remove("Resource");
    for bad in [policy.to_string(), "{".to_owned()] {
        let text = refused(&world, "PutRegistryPolicy", json!({"policyText": bad}), INVALID).await;
        let start = "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid \
             registry policy provided";
        assert!(text.starts_with(start), "{text}");
    }
    assert_eq!(done(&world, "DeleteRegistryPolicy", json!({})).await, expected);
    refused(&world, "GetRegistryPolicy", json!({}), absent).await;
}

#[tokio::test]
async fn replication_is_kept() {
    let world = World::start().await;
    let none = json!({"registryId": ACCOUNT, "replicationConfiguration": {"rules": []}});
    assert_eq!(done(&world, "DescribeRegistry", json!({})).await, none);
    let destination =
        |region: &str, account: &str| json!({"region": region, "registryId": account});
    let configuration = json!({"rules": [
        {
            "destinations": [destination("eu-west-1", ACCOUNT)],
            "repositoryFilters": [{"filter": "prod/", "filterType": "PREFIX_MATCH"}],
        },
        {"destinations": [destination("us-east-1", OTHER_ACCOUNT)]},
    ]});
    let put = |configuration: &Value| json!({"replicationConfiguration": configuration});
    let answer = done(&world, "PutReplicationConfiguration", put(&configuration)).await;
    assert_eq!(answer, put(&configuration));
    let described = done(&world, "DescribeRegistry", json!({})).await;
    assert_eq!(described["replicationConfiguration"], configuration);

    let rule = |destinations: Value| json!({"rules": [{"destinations": destinations}]});
    let filtered = |filter: Value| {
        let destinations = json!([destination("eu-west-1", ACCOUNT)]);
        json!({"rules": [{"destinations": destinations, "repositoryFilters": [filter]}]})
    };
    let regions = (0..26).map(|at| destination(&format!("eu-west-{at}"), ACCOUNT));
    for (bad, words) in [
        (json!({}), "replicationConfiguration.rules"),
        (rule(json!([destination("us-east-1", ACCOUNT)])), "destinations"),
        (rule(json!([destination("US", ACCOUNT)])), "destinations.region"),
        (rule(json!([destination("eu-west-1", "1")])), "destinations.registryId"),
        (rule(json!([{"region": "eu-west-1"}])), "registryId"),
        (rule(regions.collect()), "25"),
        (json!({"rules": vec![json!({"destinations": []}); 11]}), "replicationConfiguration.rules"),
        (filtered(json!({"filter": "A", "filterType": "PREFIX_MATCH"})), "filter"),
        (filtered(json!({"filter": "prod", "filterType": "WILDCARD"})), "filterType"),
        (json!({"rules": [{"destinations": [], "repositoryFilters": []}]}), "repositoryFilters"),
    ] {
        let text = refused(&world, "PutReplicationConfiguration", put(&bad), INVALID).await;
        assert!(text.contains(words), "{text}");
    }
    done(&world, "PutReplicationConfiguration", put(&json!({"rules": []}))).await;
    assert_eq!(done(&world, "DescribeRegistry", json!({})).await, none);
}

#[tokio::test]
async fn scanning_is_kept_and_told_for_each_repository() {
    let world = World::start().await;
    let none = json!({
        "registryId": ACCOUNT, "scanningConfiguration": {"scanType": "BASIC", "rules": []},
    });
    assert_eq!(done(&world, "GetRegistryScanningConfiguration", json!({})).await, none);
    for (name, scan) in [("prod/app", false), ("dev/app", false), ("dev/scanned", true)] {
        let scan = json!({"scanOnPush": scan});
        let body = json!({"repositoryName": name, "imageScanningConfiguration": scan});
        done(&world, "CreateRepository", body).await;
    }
    let filter = |filter: &str| json!({"filter": filter, "filterType": "WILDCARD"});
    let rule = |frequency: &str, filters: Value| json!({"scanFrequency": frequency, "repositoryFilters": filters});
    let rules = json!([
        rule("SCAN_ON_PUSH", json!([filter("prod"), filter("*app")])),
        rule("CONTINUOUS_SCAN", json!([filter("prod/*")])),
    ]);
    let body = json!({"scanType": "ENHANCED", "rules": rules});
    let answer = done(&world, "PutRegistryScanningConfiguration", body.clone()).await;
    assert_eq!(answer, json!({"registryScanningConfiguration": body}));
    let answer = done(&world, "GetRegistryScanningConfiguration", json!({})).await;
    assert_eq!(answer["scanningConfiguration"], body);

    let names = json!(["prod/app", "dev/app", "dev/scanned", "nobody"]);
    let operation = "BatchGetRepositoryScanningConfiguration";
    let answer = done(&world, operation, json!({"repositoryNames": names})).await;
    let told = |name: &str, push: bool, frequency: &str, filters: Value| {
        json!({
            "repositoryArn": format!("arn:aws:ecr:us-east-1:{ACCOUNT}:repository/{name}"),
            "repositoryName": name, "scanOnPush": push, "scanFrequency": frequency,
            "appliedScanFilters": filters,
        })
    };
    assert_eq!(
        answer["scanningConfigurations"],
        json!([
            told(
                "prod/app",
                true,
                "CONTINUOUS_SCAN",
                json!([filter("prod"), filter("*app"), filter("prod/*")])
            ),
            told("dev/app", true, "SCAN_ON_PUSH", json!([filter("*app")])),
            told("dev/scanned", true, "SCAN_ON_PUSH", json!([])),
        ])
    );
    assert_eq!(answer["failures"][0]["repositoryName"], "nobody");
    assert_eq!(answer["failures"][0]["failureCode"], "REPOSITORY_NOT_FOUND");
    for names in [json!([]), json!(vec!["ab"; 26]), json!(["No"])] {
        let body = json!({"repositoryNames": names});
        let text = refused(&world, operation, body, INVALID).await;
        assert!(text.contains("'repositoryNames'"), "{text}");
    }

    let one = |frequency: &str, text: &str| json!([rule(frequency, json!([filter(text)]))]);
    for (body, words) in [
        (json!({"scanType": "DEEP"}), "'scanType'"),
        (json!({"rules": one("HOURLY", "a")}), "scanFrequency"),
        (json!({"rules": one("CONTINUOUS_SCAN", "a")}), "scanFrequency"),
        (json!({"scanType": "ENHANCED", "rules": one("MANUAL", "a")}), "scanFrequency"),
        (json!({"rules": [one("MANUAL", "a")[0], one("MANUAL", "b")[0]]}), "scanFrequency"),
        (json!({"rules": one("SCAN_ON_PUSH", "A")}), "repositoryFilters.filter"),
        (json!({"rules": vec![rule("MANUAL", json!([])); 3]}), "'rules'"),
        (
            json!({"rules": [rule("MANUAL", json!([{"filter": "a", "filterType": "REGEX"}]))]}),
            "filterType",
        ),
    ] {
        let text = refused(&world, "PutRegistryScanningConfiguration", body, INVALID).await;
        assert!(text.contains(words), "{text}");
    }
}

#[tokio::test]
async fn account_settings_have_defaults_and_are_kept() {
    let world = World::start().await;
    for (name, default, other) in [
        ("BASIC_SCAN_TYPE_VERSION", "AWS_NATIVE", "CLAIR"),
        ("REGISTRY_POLICY_SCOPE", "V2", "V1"),
        ("BLOB_MOUNTING", "DISABLED", "ENABLED"),
    ] {
        let answer = done(&world, "GetAccountSetting", json!({"name": name})).await;
        assert_eq!(answer, json!({"name": name, "value": default}));
        let put = json!({"name": name, "value": other});
        assert_eq!(done(&world, "PutAccountSetting", put.clone()).await, put);
        assert_eq!(done(&world, "GetAccountSetting", json!({"name": name})).await, put);
        let bad = json!({"name": name, "value": "yes"});
        let text = refused(&world, "PutAccountSetting", bad, INVALID).await;
        assert!(text.contains("'value'") && text.contains(default), "{text}");
    }
    for name in ["", "blob_mounting", &"x".repeat(65)] {
        for operation in ["GetAccountSetting", "PutAccountSetting"] {
            let body = json!({"name": name, "value": "ENABLED"});
            let text = refused(&world, operation, body, INVALID).await;
            assert!(text.contains("'name'"), "{text}");
        }
    }
}

#[tokio::test]
async fn strict_mode_takes_no_settings_of_earlier() {
    let strict = |settings: &mut doors::DoorSettings| settings.strict_ecr = true;
    let world = World::start_with(strict).await;
    let body = json!({"name": "REGISTRY_POLICY_SCOPE", "value": "V1"});
    refused(&world, "PutAccountSetting", body, INVALID).await;
}

/// Every operation that ECR has is answered, or says that it is not, and why.
#[tokio::test]
async fn no_operation_is_unheard_of() {
    let world = World::start().await;
    let mut unoffered = Vec::new();
    for operation in aws::ecr::Operation::ALL {
        let answer = world.ecr(operation.name(), json!({})).await;
        assert!(matches!(answer.status, 200 | 400), "{operation}: {}", answer.text());
        if answer.status == 400 && answer.exception() == "UnknownOperationException" {
            let text = answer.exception_message();
            assert!(text.starts_with(&format!("{operation} is not offered")), "{text}");
            unoffered.push(operation.name());
        }
    }
    assert!(unoffered.contains(&"StartImageScan"));
    assert!(!unoffered.contains(&"PutLifecyclePolicy"), "{unoffered:?}");
}
