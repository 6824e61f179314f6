//! `CollectGarbage`: steps that lead to an end, for the owner of the stores.

use serde_json::{Value, json};

use crate::doors::tests::World;

const COLLECT: &str = "CollectGarbage";

#[tokio::test]
async fn steps_lead_to_an_end() {
    let world = World::start().await;
    let (mut token, mut steps) = (Value::Null, 0);
    loop {
        let answer = world.cistern(COLLECT, json!({"dryRun": true, "nextToken": token})).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let mut step = answer.json();
        token = step.as_object_mut().unwrap().remove("nextToken").unwrap_or_default();
        let expected = json!({"links": 0, "blobs": 0, "bytes": 0, "graceSeconds": 24 * 60 * 60});
        assert_eq!(step, expected);
        steps += 1;
        if token.is_null() {
            break;
        }
    }
    assert_eq!(steps, 2, "links, then blobs");
}

#[tokio::test]
async fn a_token_is_one_of_ours() {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let world = World::start().await;
    let token = |text: &str| json!({"nextToken": URL_SAFE_NO_PAD.encode(text)});
    for body in [
        json!({"nextToken": "nonsense"}),
        token("1:"),
        token("1:elsewhere x"),
        token("1:blobs sha256:x"),
    ] {
        let answer = world.cistern(COLLECT, body.clone()).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.text());
        assert_eq!(answer.exception(), "InvalidParameterException");
        assert!(answer.exception_message().contains("'nextToken'"), "{body}");
    }
    let digest = format!("1:blobs sha256:{}", "a".repeat(64));
    assert_eq!(world.cistern(COLLECT, token(&digest)).await.status, 200);
    assert_eq!(world.cistern(COLLECT, json!({"dryRun": "yes"})).await.status, 400);
}
