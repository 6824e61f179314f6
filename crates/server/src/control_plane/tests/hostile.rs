//! Bodies that mean harm, for every operation of every service: each is answered with 200 or with an
//! exception of the service, never with a fault of the server, and what is refused changes nothing.
//!
//! The operations are those of the tables in `aws`, and their members are read from the shapes' own
//! source: what is added there is tried here.

mod shapes;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::operations::{Operation, Protocol, operations};
use crate::doors::tests::{ACCOUNT, NOW, World};
use shapes::Shapes;

impl Operation {
    /// Sends a body and says what is wrong with the answer, if anything is.
    async fn try_body(&self, world: &World, body: &[u8]) -> Result<(), String> {
        let before = state(world);
        let answer = world.send(self.request(body).request()).await;
        if answer.status == 200 {
            return Ok(());
        }
        let told = || {
            let body = String::from_utf8_lossy(&body[..body.len().min(400)]);
            format!("{self:?} {body}: {} {}", answer.status, answer.text())
        };
        let exception = self.exception(&answer);
        if !(400..500).contains(&answer.status) || !self.has(&exception) {
            return Err(told());
        }
        if state(world) != before {
            return Err(format!("{} changed something although it was refused", told()));
        }
        Ok(())
    }
}

/// Every fact that is stored, as text; but for the times of pulls, which are written later.
fn state(world: &World) -> String {
    let pulled = format!("last_pulled_at: Some({:?})", metadata::Timestamp(NOW));
    format!("{:?}", world.memory).replace(&pulled, "").replace("last_pulled_at: None", "")
}

/// A process that has one thing of each kind.
async fn furnished() -> World {
    let world = World::start().await;
    world.rule("hub").await;
    world.image("library/app", "1", b"0123456789");
    assert_eq!(world.get("/v2/hub/library/app/manifests/1").await.status, 200);
    let secret = json!({"Name": "ecr-pullthroughcache/hub", "SecretString": "{}"});
    assert_eq!(world.secrets("CreateSecret", secret).await.status, 200);
    world
}

#[tokio::test]
async fn no_broken_body_is_the_servers_fault() {
    let nested = |depth: usize| ["{\"filter\":".repeat(depth), "}".repeat(depth)].concat();
    let listed = |depth: usize| format!("{{\"imageIds\":{}", "[".repeat(depth));
    let bodies: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"{".to_vec(),
        b"[]".to_vec(),
        b"null".to_vec(),
        b"\"text\"".to_vec(),
        b"1e999".to_vec(),
        b"{\"registryId\":1e999}".to_vec(),
        b"{\"registryId\":\"\xff\xfe\"}".to_vec(),
        b"\xef\xbb\xbf{}".to_vec(),
        b"{}{}".to_vec(),
        b"{\"Name\":\"\\ud800\"}".to_vec(),
        b"{\"Name\":\"a\",\"Name\":[]}".to_vec(),
        b"{\"Name\":\"\\u0000\"}".to_vec(),
        vec![0; 64],
        nested(100).into_bytes(),
        nested(10_000).into_bytes(),
        listed(200_000).into_bytes(),
        format!("{{\"Name\":\"{}\"}}", "x".repeat(1 << 20)).into_bytes(),
    ];
    let world = furnished().await;
    for operation in operations() {
        for body in &bodies {
            if let Err(told) = operation.try_body(&world, body).await {
                panic!("{}", &told[..told.len().min(2000)]);
            }
        }
    }
}

/// Texts that are right somewhere, and others.
fn text() -> BoxedStrategy<Value> {
    let known = prop::sample::select(vec![
        json!("hub"),
        json!("hub/library/app"),
        json!("library/app"),
        json!("1"),
        json!("ROOT"),
        json!(ACCOUNT),
        json!("ecr-pullthroughcache/hub"),
        json!("AWSCURRENT"),
        json!(format!(
            "arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:ecr-pullthroughcache/hub"
        )),
        json!(format!("arn:aws:ecr:us-east-1:{ACCOUNT}:repository/hub/library/app")),
        json!(format!("arn:aws:iam::{ACCOUNT}:role/ptc")),
        json!(format!("sha256:{}", "0".repeat(64))),
        json!("PULL_THROUGH_CACHE"),
        json!("MUTABLE"),
        json!("IMMUTABLE_WITH_EXCLUSION"),
        json!("AES256"),
        json!("BASIC"),
        json!("WILDCARD"),
        json!("24h"),
        json!("forever"),
        json!("first-seen"),
        json!("v*"),
        json!("AWS::ECR::PullThroughCacheRule"),
        json!(r#"{"Version":"2012-10-17","Statement":[]}"#),
        json!(r#"{"rules":[]}"#),
        json!("[]"),
    ]);
    prop_oneof![
        4 => known,
        1 => "\\PC{0,40}".prop_map(Value::from),
        1 => "[a-z0-9/._-]{0,40}".prop_map(Value::from),
        1 => (0..5000_usize).prop_map(|length| Value::from("a".repeat(length))),
    ]
    .boxed()
}

/// Anything that JSON can say.
fn anything() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text(),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-zA-Z]{1,12}", inner, 0..6)
                .prop_map(|members| members.into_iter().collect::<Value>()),
        ]
    })
    .boxed()
}

/// A body for an operation: near to its shape where it has one.
fn body(shapes: &Shapes, operation: &Operation) -> BoxedStrategy<Vec<u8>> {
    if matches!(operation.protocol, Protocol::Query(..)) {
        return form();
    }
    let near = shapes.value(operation.module(), &format!("{}Request", operation.name), 4);
    let bytes = |value: Value| value.to_string().into_bytes();
    prop_oneof![
        8 => near.prop_map(bytes),
        1 => anything().prop_map(bytes),
        1 => prop::collection::vec(any::<u8>(), 0..200),
    ]
    .boxed()
}

/// A form of the query protocol: members by their paths, or anything.
fn form() -> BoxedStrategy<Vec<u8>> {
    let name = prop_oneof![
        prop::sample::select(vec![
            "RoleName",
            "Path",
            "AssumeRolePolicyDocument",
            "PolicyName",
            "PolicyDocument",
            "PolicyArn",
            "RoleArn",
            "RoleSessionName",
            "MaxSessionDuration",
            "DurationSeconds",
            "Tags.member.1.Key",
            "Tags.member.1.Value",
            "Tags.member.99999999999.Key",
            "TagKeys.member.1",
            "Marker",
            "MaxItems",
            "Action",
            "Version",
        ])
        .prop_map(str::to_owned),
        "[A-Za-z.0-9]{0,20}",
    ];
    let value = prop_oneof![
        text().prop_map(|value| value.as_str().unwrap_or_default().to_owned()),
        Just("%ff%00".to_owned()),
        Just("%7B%22Version%22%3A%222012-10-17%22%7D".to_owned()),
        "\\PC{0,20}",
    ];
    let pairs = prop::collection::vec((name, value), 0..8).prop_map(|pairs| {
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("&").into_bytes()
    });
    prop_oneof![8 => pairs, 1 => prop::collection::vec(any::<u8>(), 0..200)].boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// One body for each operation, in turn, on one state.
    #[test]
    fn no_body_is_the_servers_fault(bodies in every_body()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let outcome: Result<(), TestCaseError> = runtime.block_on(async {
            let world = furnished().await;
            for (operation, body) in operations().iter().zip(bodies) {
                let tried = operation.try_body(&world, &body).await;
                prop_assert!(tried.is_ok(), "{}", tried.unwrap_err());
            }
            Ok(())
        });
        outcome?;
    }
}

fn every_body() -> Vec<BoxedStrategy<Vec<u8>>> {
    let shapes = Shapes::read();
    operations().iter().map(|operation| body(&shapes, operation)).collect()
}

#[test]
fn the_shapes_of_the_operations_are_found() {
    let shapes = Shapes::read();
    for (module, name) in [
        ("ecr", "CreatePullThroughCacheRule"),
        ("ecr", "DescribeImages"),
        ("secrets_manager", "TagResource"),
    ] {
        assert!(shapes.has(module, &format!("{name}Request")), "{name}");
    }
}

#[tokio::test]
async fn what_changes_is_seen() {
    let world = furnished().await;
    let before = state(&world);
    assert_eq!(state(&world), before);
    let secret = json!({"SecretId": "ecr-pullthroughcache/hub", "Description": "changed"});
    assert_eq!(world.secrets("UpdateSecret", secret).await.status, 200);
    assert_ne!(state(&world), before);
}
