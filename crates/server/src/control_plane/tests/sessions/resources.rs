//! What a role may do, held against the very resource that is asked about: each repository, secret
//! and role is one ARN, whichever of its names it is asked for by.

use serde_json::{Value, json};

use super::{ACCOUNT, ECR, HOST, allow, assume, begin, by, form, make_role, put_policy};
use crate::doors::tests::{Answer, Signed, World};

use aws::sts::AssumeRoleResult;

fn deny(action: &str, resource: &str) -> String {
    allow(action, resource).replace("Allow", "Deny")
}

/// A session of a role that may do this.
async fn session(world: &World, statements: &str) -> AssumeRoleResult {
    make_role(world, ACCOUNT, "", statements).await;
    begin(world, &assume(&[])).await
}

async fn repositories(world: &World, session: &AssumeRoleResult, names: &[&str]) -> Answer {
    let names = if names.is_empty() { json!({}) } else { json!({"repositoryNames": names}) };
    let call = Signed::new(&format!("{ECR}.DescribeRepositories"), "ecr", names.to_string());
    world.send(by(session, call).request()).await
}

/// The credentials of a login of a session.
async fn login(world: &World, session: &AssumeRoleResult) -> String {
    let answer = super::ecr(world, session, "GetAuthorizationToken").await.json();
    let token = answer["authorizationData"][0]["authorizationToken"].as_str();
    format!("Basic {}", token.expect("a token"))
}

#[tokio::test]
async fn repositories_are_described_by_who_may_see_them() {
    let world = World::start().await;
    for name in ["hub/app", "other/app"] {
        let created = world.ecr("CreateRepository", json!({"repositoryName": name})).await;
        assert_eq!(created.status, 200, "{}", created.text());
    }
    let arn = |name: &str| format!("arn:aws:ecr:us-east-1:{ACCOUNT}:repository/{name}");
    let describe = "ecr:DescribeRepositories";
    let login_too = allow("ecr:GetAuthorizationToken", "*");
    let statements = format!("{login_too},{}", allow(describe, &arn("hub/*")));
    let session = session(&world, &statements).await;
    let found = repositories(&world, &session, &["hub/app"]).await;
    assert_eq!(found.json()["repositories"][0]["repositoryName"], "hub/app", "{}", found.text());
    for (names, resource) in [
        (&["hub/app", "other/app"][..], arn("other/app")),
        (&["hub/app", "other/absent"], arn("other/absent")),
        (&[], arn("*")),
    ] {
        let refused = repositories(&world, &session, names).await;
        assert_eq!(refused.exception(), "AccessDeniedException", "{}", refused.text());
        let said = refused.exception_message();
        assert!(said.ends_with(&format!("{describe} on resource: {resource}")), "{said}");
    }
    let authorization = login(&world, &session).await;
    let headers = [("authorization", authorization.as_str()), ("host", HOST)];
    assert_eq!(world.ask_as("GET", "/v2/_catalog", &headers).await.status, 403);

    put_policy(&world, &format!("{login_too},{}", allow(describe, &arn("*")))).await;
    let found = repositories(&world, &session, &[]).await.json();
    assert_eq!(found["repositories"].as_array().map(Vec::len), Some(2));
    assert_eq!(world.ask_as("GET", "/v2/_catalog", &headers).await.status, 200);
}

async fn value(world: &World, session: &AssumeRoleResult, id: &str) -> Answer {
    let body = json!({"SecretId": id}).to_string();
    let call = Signed::new("secretsmanager.GetSecretValue", "secretsmanager", body);
    world.send(by(session, call).request()).await
}

#[tokio::test]
async fn a_secret_that_is_refused_is_refused_by_each_of_its_names() {
    let world = World::start().await;
    let mut arns = Vec::new();
    for name in ["prod/hub", "team/hub"] {
        let secret = json!({"Name": name, "SecretString": "s"});
        let created: Value = world.secrets("CreateSecret", secret).await.json();
        arns.push(created["ARN"].as_str().expect("an ARN").to_owned());
    }
    let of = |name: &str| format!("arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:{name}");
    let all = allow("secretsmanager:*", "*");
    let session = session(&world, &format!("{all},{}", deny("*", &of("prod/*")))).await;
    for id in ["prod/hub", &arns[0], &of("prod/hub")] {
        let refused = value(&world, &session, id).await;
        assert_eq!(refused.exception(), "AccessDeniedException", "{id}: {}", refused.text());
        assert!(refused.exception_message().ends_with(&arns[0]), "{}", refused.text());
    }
    for id in ["team/hub", &arns[1], &of("team/hub")] {
        assert_eq!(value(&world, &session, id).await.status, 200, "{id}");
    }
    // A policy that names one allows it by each of its names too.
    put_policy(&world, &allow("secretsmanager:GetSecretValue", &of("team/hub-??????"))).await;
    for id in ["team/hub", &arns[1], &of("team/hub")] {
        assert_eq!(value(&world, &session, id).await.status, 200, "{id}");
    }
    let absent = value(&world, &session, "team/absent").await;
    assert_eq!(absent.exception(), "AccessDeniedException", "{}", absent.text());
}

#[tokio::test]
async fn a_role_is_asked_for_by_its_path() {
    let world = World::start().await;
    let team = format!("arn:aws:iam::{ACCOUNT}:role/team/*");
    let all = allow("iam:*", "*");
    let session = session(&world, &format!("{all},{}", deny("iam:GetRole", &team))).await;
    let get = |name: &str| by(&session, form("iam", "GetRole", &[("RoleName", name.to_owned())]));
    for name in ["puller", "PULLER"] {
        let text = world.send(get(name).request()).await.text();
        assert!(text.contains("<Code>AccessDenied</Code>"), "{name}: {text}");
        assert!(text.contains(&team.replace('*', "puller")), "{name}: {text}");
    }
    let text = world.send(get("absent").request()).await.text();
    assert!(text.contains("<Code>NoSuchEntity</Code>"), "{text}");
    let make = |path: &str| {
        let parameters = [
            ("RoleName", "made".to_owned()),
            ("Path", path.to_owned()),
            ("AssumeRolePolicyDocument", "{}".to_owned()),
        ];
        by(&session, form("iam", "CreateRole", &parameters))
    };
    put_policy(&world, &format!("{all},{}", deny("iam:CreateRole", &team))).await;
    for (path, code) in [("/team/", "AccessDenied"), ("/", "MalformedPolicyDocument")] {
        let text = world.send(make(path).request()).await.text();
        assert!(text.contains(&format!("<Code>{code}</Code>")), "{path}: {text}");
    }
}

#[tokio::test]
async fn metrics_off_loopback_are_for_whom_a_policy_lets_see_them() {
    let world = World::start_with(|settings| settings.loopback = false).await;
    let login_only = allow("ecr:GetAuthorizationToken", "*");
    let session = session(&world, &login_only).await;
    let authorization = login(&world, &session).await;
    let headers = [("authorization", authorization.as_str())];
    let refused = world.ask_as("GET", "/metrics", &headers).await;
    assert_eq!(refused.status, 403);
    assert!(refused.message().contains("perform: cistern:GetMetrics on resource: *"));
    put_policy(&world, &format!("{login_only},{}", allow("cistern:GetMetrics", "*"))).await;
    assert_eq!(world.ask_as("GET", "/metrics", &headers).await.status, 200);
    // They are of the process: another account's host changes nothing.
    let elsewhere = format!("{}.dkr.ecr.us-east-1.localhost", super::OTHER_ACCOUNT);
    let headers = [headers[0], ("host", elsewhere.as_str())];
    assert_eq!(world.ask_as("GET", "/metrics", &headers).await.status, 200);
}
