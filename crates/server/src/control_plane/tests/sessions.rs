//! Roles that are assumed, and what their sessions may do from then on.

mod resources;

use aws::{query, sts::AssumeRoleResult};

use super::{ACCOUNT, HOST, NOW, OTHER_ACCOUNT, SECRET, Signed, World, basic};
use crate::doors::tests::{Answer, KEY};

const ROLE: &str = "arn:aws:iam::111122223333:role/team/puller";
const ECR: &str = "AmazonEC2ContainerRegistry_V20150921";
const HOUR_MS: i64 = 60 * 60 * 1000;

fn form(service: &str, action: &str, parameters: &[(&str, String)]) -> Signed {
    let version = if service == "sts" { "2011-06-15" } else { "2010-05-08" };
    let mut call = Signed::new("", service, query::form(action, version, parameters));
    call.target = None;
    call.content_type = query::FORM_CONTENT_TYPE;
    call
}

/// Makes the role, which trusts whom `principal` says under `condition` and may do `statements`.
async fn make_role(world: &World, principal: &str, condition: &str, statements: &str) {
    let trust = format!(
        r#"{{"Statement":{{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{{"AWS":"{principal}"}}{condition}}}}}"#
    );
    let role = [
        ("RoleName", "puller".to_owned()),
        ("Path", "/team/".to_owned()),
        ("AssumeRolePolicyDocument", trust),
        ("MaxSessionDuration", "7200".to_owned()),
    ];
    let answer = world.send(form("iam", "CreateRole", &role).request()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    put_policy(world, statements).await;
}

async fn put_policy(world: &World, statements: &str) {
    let policy = [
        ("RoleName", "puller".to_owned()),
        ("PolicyName", "may".to_owned()),
        ("PolicyDocument", format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)),
    ];
    let answer = world.send(form("iam", "PutRolePolicy", &policy).request()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

fn allow(action: &str, resource: &str) -> String {
    format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"{resource}"}}"#)
}

fn assume(more: &[(&'static str, &str)]) -> Signed {
    let mut parameters = vec![("RoleArn", ROLE.to_owned()), ("RoleSessionName", "ci".to_owned())];
    for (name, value) in more {
        parameters.retain(|(held, _)| held != name);
        parameters.push((*name, (*value).to_owned()));
    }
    form("sts", "AssumeRole", &parameters)
}

/// Begins a session.
async fn begin(world: &World, call: &Signed) -> AssumeRoleResult {
    let answer = world.send(call.request()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    AssumeRoleResult::read(answer.text().as_bytes()).expect("a session")
}

/// The same call, by a session.
fn by(session: &AssumeRoleResult, mut call: Signed) -> Signed {
    call.key.clone_from(&session.credentials.access_key_id);
    call.secret = session.credentials.secret_access_key.as_str().to_owned();
    call.session_token = Some(session.credentials.session_token.as_str().to_owned());
    call
}

async fn ecr(world: &World, session: &AssumeRoleResult, operation: &str) -> Answer {
    let call = Signed::new(&format!("{ECR}.{operation}"), "ecr", "{}");
    world.send(by(session, call).request()).await
}

#[tokio::test]
async fn a_session_is_somebody_for_a_while() {
    let world = World::start().await;
    make_role(&world, ACCOUNT, "", &allow("ecr:GetAuthorizationToken", "*")).await;
    let session = begin(&world, &assume(&[])).await;
    let credentials = &session.credentials;
    assert!(credentials.access_key_id.starts_with("ASIA"), "{credentials:?}");
    assert_eq!(credentials.expiration, "2023-11-14T23:13:20.000Z");
    let arn = "arn:aws:sts::111122223333:assumed-role/puller/ci";
    assert_eq!(session.assumed_role_user.arn, arn);
    let id = &session.assumed_role_user.assumed_role_id;
    assert!(id.starts_with("AROA") && id.ends_with(":ci"), "{id}");

    let who = by(&session, form("sts", "GetCallerIdentity", &[]));
    let text = world.send(who.request()).await.text();
    for (name, value) in [("Arn", arn), ("UserId", id), ("Account", ACCOUNT)] {
        assert!(text.contains(&format!("<{name}>{value}</{name}>")), "{text}");
    }
    world.clock.advance(HOUR_MS - 1);
    assert_eq!(world.send(at(who, NOW + HOUR_MS - 1).request()).await.status, 200);
    world.clock.advance(1);
    let who = by(&session, form("sts", "GetCallerIdentity", &[]));
    let late = world.send(at(who, NOW + HOUR_MS).request()).await;
    assert_eq!(late.status, 403);
    assert!(late.text().contains("<Code>ExpiredToken</Code>"), "{}", late.text());
}

fn at(mut call: Signed, at: i64) -> Signed {
    call.at = at;
    call
}

#[tokio::test]
async fn a_session_may_what_its_role_may_now() {
    let mut world = World::start().await;
    world.rule("hub").await;
    world.image("app", "1", b"layer");
    let pull = "arn:aws:ecr:us-east-1:111122223333:repository/hub/*";
    let login = allow("ecr:GetAuthorizationToken", "*");
    let both = format!(
        "{login},{},{}",
        allow("ecr:BatchGetImage", pull),
        allow("ecr:DescribeImages", pull)
    );
    make_role(&world, "arn:aws:iam::111122223333:root", "", &both).await;
    let session = begin(&world, &assume(&[("DurationSeconds", "7200")])).await;

    let refused = ecr(&world, &session, "DescribeRepositories").await;
    assert_eq!(refused.exception(), "AccessDeniedException");
    assert_eq!(
        refused.exception_message(),
        "User: arn:aws:sts::111122223333:assumed-role/puller/ci is not authorized to perform: \
         ecr:DescribeRepositories on resource: arn:aws:ecr:us-east-1:111122223333:repository/*"
    );
    let answer = ecr(&world, &session, "GetAuthorizationToken").await.json();
    let data = &answer["authorizationData"][0];
    // The login ends with the session.
    assert_eq!(data["expiresAt"], (NOW + 2 * HOUR_MS) / 1000);
    let token = format!("Basic {}", data["authorizationToken"].as_str().unwrap());
    let headers = [("authorization", token.as_str()), ("host", HOST)];
    let pulled = "/v2/hub/app/manifests/1";
    for (path, status) in [("/v2/", 200), (pulled, 200), ("/v2/other/app/manifests/1", 403)] {
        let answer = world.ask_as("GET", path, &headers).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
    }
    // A policy that names the repository counts for what is asked about that repository.
    for (name, exception) in [("hub/app", None), ("other/app", Some("AccessDeniedException"))] {
        let body = format!(r#"{{"repositoryName":"{name}"}}"#);
        let call = Signed::new(&format!("{ECR}.DescribeImages"), "ecr", body);
        let answer = world.send(by(&session, call).request()).await;
        match exception {
            None => assert_eq!(answer.status, 200, "{}", answer.text()),
            Some(exception) => assert_eq!(answer.exception(), exception, "{}", answer.text()),
        }
    }
    // What its role may no longer, it may not either, at once.
    put_policy(&world, &login).await;
    assert_eq!(world.ask_as("GET", pulled, &headers).await.status, 403);
    put_policy(&world, &both).await;
    assert_eq!(world.ask_as("GET", pulled, &headers).await.status, 200);
    world.restart_with(|_| {}).await;
    assert_eq!(world.ask_as("GET", pulled, &headers).await.status, 200);

    // It ends with its role, even where another has the name.
    for (action, policy) in [("DeleteRolePolicy", true), ("DeleteRole", false)] {
        let mut parameters = vec![("RoleName", "puller".to_owned())];
        parameters.extend(policy.then(|| ("PolicyName", "may".to_owned())));
        assert_eq!(world.send(form("iam", action, &parameters).request()).await.status, 200);
    }
    make_role(&world, ACCOUNT, "", &both).await;
    let gone = world.ask_as("GET", pulled, &headers).await;
    assert_eq!(gone.status, 401);
    assert!(gone.message().contains(ROLE), "{}", gone.message());
    let gone = ecr(&world, &session, "GetAuthorizationToken").await;
    assert_eq!(gone.exception(), "UnrecognizedClientException");
}

#[tokio::test]
async fn a_session_ends_with_the_key_that_began_it() {
    let mut world = World::start().await;
    make_role(&world, ACCOUNT, "", &allow("ecr:*", "*")).await;
    let session = begin(&world, &assume(&[])).await;
    let answer = ecr(&world, &session, "GetAuthorizationToken").await.json();
    let token = answer["authorizationData"][0]["authorizationToken"].as_str().unwrap().to_owned();
    world.restart_with(|settings| settings.roots[0].access_key_id = "AKIANEW".to_owned()).await;
    let refused = ecr(&world, &session, "DescribeRepositories").await;
    assert_eq!(refused.exception(), "UnrecognizedClientException");
    let authorization = format!("Basic {token}");
    let headers = [("authorization", authorization.as_str())];
    let refused = world.ask_as("GET", "/v2/", &headers).await;
    assert_eq!(refused.status, 401);
    assert!(refused.message().contains("no longer exists"), "{}", refused.message());
}

#[tokio::test]
async fn others_are_not_let_in() {
    let world = World::start().await;
    let external = r#","Condition":{"StringEquals":{"sts:ExternalId":"agreed"}}"#;
    make_role(&world, ACCOUNT, external, &allow("ecr:*", "*")).await;
    let agreed = [("ExternalId", "agreed")];
    let session = begin(&world, &assume(&agreed)).await;
    let mut foreign = assume(&agreed);
    foreign.key = "AKIAOTHER".to_owned();
    let bare = ROLE.replace("team/", "");
    let denied = |who: &str, role: &str| {
        format!("User: {who} is not authorized to perform: sts:AssumeRole on resource: {role}")
    };
    let root = format!("arn:aws:iam::{ACCOUNT}:root");
    let stranger = format!("arn:aws:iam::{OTHER_ACCOUNT}:root");
    let too_long = "exceeds the MaxSessionDuration set for this role.";
    let with = |name, value| assume(&[agreed[0], (name, value)]);
    let chained = by(&session, with("DurationSeconds", "3601"));
    for (call, code, says) in [
        (assume(&[]), "AccessDenied", denied(&root, ROLE)),
        (assume(&[("ExternalId", "other")]), "AccessDenied", denied(&root, ROLE)),
        (foreign, "AccessDenied", denied(&stranger, ROLE)),
        (with("RoleArn", &bare), "AccessDenied", denied(&root, &bare)),
        // Its own policies do not let it, though its account is trusted.
        (
            by(&session, with("RoleSessionName", "again")),
            "AccessDenied",
            denied("arn:aws:sts::111122223333:assumed-role/puller/ci", ROLE),
        ),
        (with("RoleArn", "puller"), "ValidationError", "puller is invalid".to_owned()),
        (with("RoleSessionName", "a b"), "ValidationError", "'roleSessionName'".to_owned()),
        (with("DurationSeconds", "899"), "ValidationError", "'durationSeconds'".to_owned()),
        (with("DurationSeconds", "7201"), "ValidationError", too_long.to_owned()),
        (with("Policy", "{}"), "ValidationError", "Policy is not offered".to_owned()),
        (with("Tags.member.1.Key", "a"), "ValidationError", "Tags is not offered".to_owned()),
    ] {
        let answer = world.send(call.request()).await;
        let text = answer.text();
        assert!(text.contains(&format!("<Code>{code}</Code>")), "{text}");
        assert!(text.contains(&says), "{says}: {text}");
    }
    put_policy(&world, &allow("*", "*")).await;
    let text = world.send(chained.request()).await.text();
    assert!(text.contains("1 hour session limit for roles assumed by role chaining"), "{text}");
    let again = begin(&world, &by(&session, with("RoleSessionName", "again"))).await;
    assert!(again.assumed_role_user.arn.ends_with("/again"));
}

#[tokio::test]
async fn a_session_token_belongs_to_its_key() {
    let world = World::start().await;
    make_role(&world, ACCOUNT, "", &allow("ecr:*", "*")).await;
    let [one, other] = [begin(&world, &assume(&[])).await, begin(&world, &assume(&[])).await];
    let spoilt = |change: &dyn Fn(&mut Signed)| {
        let mut call = by(&one, Signed::new(&format!("{ECR}.DescribeRepositories"), "ecr", "{}"));
        change(&mut call);
        call
    };
    let token = other.credentials.session_token.as_str();
    let unrecognized = "UnrecognizedClientException";
    for (call, exception) in [
        (spoilt(&|call| call.session_token = Some(token.to_owned())), unrecognized),
        (spoilt(&|call| call.session_token = None), unrecognized),
        (spoilt(&|call| call.session_token = Some("x".to_owned())), unrecognized),
        (spoilt(&|call| call.key = KEY.to_owned()), unrecognized),
        (spoilt(&|call| call.secret = SECRET.to_owned()), "InvalidSignatureException"),
    ] {
        let answer = world.send(call.request()).await;
        assert_eq!(answer.exception(), exception, "{}", answer.text());
    }
    let password = basic("AWS", one.credentials.session_token.as_str());
    let answer = world.ask_as("GET", "/v2/", &[("authorization", &password)]).await;
    assert_eq!(answer.status, 401, "a session token is no login token");
}
