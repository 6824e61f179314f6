//! Cloud Control by the AWS CLI, with its waiter and its pages.

use clients::cistern::Cistern;
use clients::{AwsCli, or_skip};
use serde_json::{Value, json};

use crate::scene::aws_cli;

const RULE: &str = "AWS::ECR::PullThroughCacheRule";

/// `aws cloudcontrol` with these words and a type.
#[track_caller]
fn cloudcontrol(aws: &AwsCli, words: &[&str]) -> Value {
    aws.json(&[&["cloudcontrol"], words, &["--type-name", RULE]].concat())
}

/// Waits for a request as the CLI does.
#[track_caller]
fn wait(aws: &AwsCli, event: &Value) {
    let token = event["ProgressEvent"]["RequestToken"].as_str().expect("a token");
    let wait = ["cloudcontrol", "wait", "resource-request-success", "--request-token", token];
    let _ = aws.run(&wait).success();
}

fn properties(described: &Value) -> Value {
    let properties = described["Properties"].as_str().expect("JSON inside a string");
    serde_json::from_str(properties).expect("JSON")
}

#[test]
fn the_aws_cli_makes_waits_changes_lists_and_removes() {
    let cistern = Cistern::start(&[]);
    let aws = or_skip!(aws_cli(&cistern));
    let desired = json!({"EcrRepositoryPrefix": "quay", "UpstreamRegistryUrl": "quay.io"});
    let text = desired.to_string();
    let create = ["create-resource", "--desired-state", &text, "--client-token", "once"];
    let created = cloudcontrol(&aws, &create);
    assert_eq!(created["ProgressEvent"]["Identifier"], "quay");
    wait(&aws, &created);
    assert_eq!(cloudcontrol(&aws, &create), created, "one client token, one request");

    let get = ["get-resource", "--identifier", "quay"];
    let told = cloudcontrol(&aws, &get);
    assert_eq!(
        (&told["TypeName"], properties(&told["ResourceDescription"])),
        (&json!(RULE), desired.clone())
    );
    let role = "arn:aws:iam::000000000000:role/pull";
    let patch = json!([{"op": "add", "path": "/CustomRoleArn", "value": role}]).to_string();
    let update = ["update-resource", "--identifier", "quay", "--patch-document", &patch];
    wait(&aws, &cloudcontrol(&aws, &update));
    let mut changed = desired;
    changed["CustomRoleArn"] = json!(role);
    let listed = cloudcontrol(&aws, &["list-resources", "--max-items", "5"]);
    assert_eq!(properties(&listed["ResourceDescriptions"][0]), changed);

    let url =
        json!([{"op": "replace", "path": "/UpstreamRegistryUrl", "value": "x.io"}]).to_string();
    let refuse = ["cloudcontrol", "update-resource", "--type-name", RULE, "--identifier", "quay"];
    let said = aws.run(&[&refuse[..], &["--patch-document", &url]].concat()).failure();
    assert!(said.contains("(NotUpdatableException)"), "{said}");
    assert!(said.contains("[/properties/UpstreamRegistryUrl] cannot be updated"), "{said}");

    wait(&aws, &cloudcontrol(&aws, &["delete-resource", "--identifier", "quay"]));
    let gone = [&["cloudcontrol"], &get[..], &["--type-name", RULE]].concat();
    let said = aws.run(&gone).failure();
    assert!(said.contains("(ResourceNotFoundException)"), "{said}");
    // A request that failed ends the waiter.
    let absent = cloudcontrol(&aws, &["delete-resource", "--identifier", "quay"]);
    let token = absent["ProgressEvent"]["RequestToken"].as_str().expect("a token");
    let wait = ["cloudcontrol", "wait", "resource-request-success", "--request-token", token];
    let said = aws.run(&wait).failure();
    assert!(said.contains("terminal failure state"), "{said}");

    let filter = "Operations=DELETE,OperationStatuses=FAILED";
    let list =
        ["cloudcontrol", "list-resource-requests", "--resource-request-status-filter", filter];
    let requests = aws.json(&list);
    let failed = &requests["ResourceRequestStatusSummaries"];
    assert_eq!(
        (failed[0]["ErrorCode"].clone(), failed[1].clone()),
        (json!("NotFound"), Value::Null)
    );
    let all = aws.json(&["cloudcontrol", "list-resource-requests", "--page-size", "1"]);
    assert_eq!(all["ResourceRequestStatusSummaries"].as_array().map(Vec::len), Some(4));
    let cancel = ["cloudcontrol", "cancel-resource-request", "--request-token", token];
    let said = aws.run(&cancel).failure();
    assert!(said.contains("has the status FAILED"), "{said}");
}
