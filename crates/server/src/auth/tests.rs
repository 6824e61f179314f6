//! Who is let in, and what is said to the others.

use super::*;
use crate::doors::tests::{
    ACCOUNT, Answer, HOST, KEY, OTHER_ACCOUNT, SECRET, Signed, World, basic,
};

const HOUR_MS: i64 = 60 * 60 * 1000;

async fn log_in(world: &World, authorization: &str) -> Answer {
    world.ask_as("GET", "/v2/", &[("authorization", authorization)]).await
}

#[tokio::test]
async fn tokens_and_access_keys_open_the_data_plane() {
    let world = World::start().await;
    for authorization in [basic("AWS", &world.token()), basic(KEY, SECRET)] {
        // The second time it is remembered.
        for _ in 0..2 {
            let answer = log_in(&world, &authorization).await;
            assert_eq!((answer.status, answer.text().as_str()), (200, "{}"));
            assert_eq!(answer.header("docker-distribution-api-version"), "registry/2.0");
        }
    }
}

#[tokio::test]
async fn others_are_told_what_to_do() {
    let world = World::start().await;
    let token = world.token();
    let foreign = World::start().await.token();
    for (authorization, words) in [
        (None, "aws ecr get-login-password"),
        (Some("Basic Og==".to_owned()), "aws ecr get-login-password"),
        (Some("Bearer x".to_owned()), "does not hold Basic"),
        (Some("Basic !".to_owned()), "does not hold Basic"),
        (Some(basic("AWS", "x")), "not valid here"),
        (Some(basic("AWS", &token[1..])), "not valid here"),
        (Some(basic("AWS", &foreign)), "not valid here"),
        (Some(basic("aws", &token)), "user name or the password is wrong"),
        (Some(basic("nobody", SECRET)), "user name or the password is wrong"),
        (Some(basic(KEY, "wrong")), "user name or the password is wrong"),
        (Some(basic(KEY, "")), "user name or the password is wrong"),
        (Some(basic("AKIAOTHER", &token)), "user name or the password is wrong"),
    ] {
        let headers: Vec<_> =
            authorization.iter().map(|value| ("authorization", value.as_str())).collect();
        for path in ["/v2/", "/v2/a/manifests/x", "/v2/nothing"] {
            let answer = world.ask_as("GET", path, &headers).await;
            assert_eq!((answer.status, answer.code().as_str()), (401, "UNAUTHORIZED"));
            assert!(answer.message().contains(words), "{authorization:?}: {}", answer.message());
            assert_eq!(
                answer.header("www-authenticate"),
                format!("Basic realm=\"http://{HOST}/\",service=\"ecr.amazonaws.com\"")
            );
        }
    }
}

#[tokio::test]
async fn a_token_lives_twelve_hours_and_survives_a_restart() {
    let mut world = World::start().await;
    let authorization = basic("AWS", &world.token());
    assert_eq!(log_in(&world, &authorization).await.status, 200);
    world.clock.advance(12 * HOUR_MS - 1);
    assert_eq!(log_in(&world, &authorization).await.status, 200);
    world.restart_with(|_| {}).await;
    assert_eq!(log_in(&world, &authorization).await.status, 200);
    world.clock.advance(1);
    let expired = log_in(&world, &authorization).await;
    assert_eq!(expired.status, 401);
    assert!(expired.message().contains("has expired. Reauthenticate"), "{}", expired.message());
    world.restart_with(|_| {}).await;
    assert_eq!(log_in(&world, &authorization).await.message(), expired.message());
}

#[tokio::test]
async fn a_token_dies_with_its_access_key() {
    let mut world = World::start().await;
    let authorization = basic("AWS", &world.token());
    assert_eq!(log_in(&world, &authorization).await.status, 200);
    world.restart_with(|settings| settings.roots[0].access_key_id = "AKIANEW".to_owned()).await;
    let answer = log_in(&world, &authorization).await;
    assert_eq!(answer.status, 401);
    assert!(answer.message().contains("no longer exists"), "{}", answer.message());
}

#[tokio::test]
async fn strict_mode_takes_tokens_only() {
    let world = World::start_with(|settings| settings.strict_ecr = true).await;
    let answer = log_in(&world, &basic(KEY, SECRET)).await;
    assert_eq!(answer.status, 401);
    assert!(answer.message().contains("strict"), "{}", answer.message());
    assert_eq!(log_in(&world, &basic("AWS", &world.token())).await.status, 200);
}

#[tokio::test]
async fn the_host_names_the_registry_and_policy_decides() {
    let world = World::start().await;
    world.rule("hub").await;
    world.image("app", "1", b"layer");
    let token = basic("AWS", &world.token());
    let key = basic(KEY, SECRET);
    let own = format!("{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com");
    let region = format!("{ACCOUNT}.dkr.ecr.eu-west-1.localhost:5000");
    let other = format!("{OTHER_ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com");
    let unknown = "999999999999.dkr.ecr.us-east-1.amazonaws.com".to_owned();
    for (host, status, code) in [
        ("localhost:5000", 200, ""),
        (&own, 200, ""),
        (&region, 404, "NAME_UNKNOWN"),
        (&other, 403, "DENIED"),
        (&unknown, 404, "NAME_UNKNOWN"),
    ] {
        for authorization in [&token, &key] {
            let headers = [("authorization", authorization.as_str()), ("host", host)];
            let answer = world.ask_as("GET", "/v2/hub/app/manifests/1", &headers).await;
            assert_eq!(answer.status, status, "{host}");
            if !code.is_empty() {
                assert_eq!(answer.code(), code, "{host}");
            }
        }
    }
    let headers = [("authorization", token.as_str()), ("host", region.as_str())];
    let answer = world.ask_as("GET", "/v2/hub/app/manifests/1", &headers).await;
    assert_eq!(answer.json()["errors"][0]["detail"]["region"], "us-east-1");
    let headers = [("authorization", token.as_str()), ("host", unknown.as_str())];
    let answer = world.ask_as("GET", "/v2/", &headers).await;
    assert!(answer.message().contains("999999999999"), "{}", answer.message());
}

#[tokio::test]
async fn a_token_names_the_region_it_was_asked_in() {
    let world = World::start().await;
    world.image("app", "1", b"layer");
    let mut create = Signed::new(
        "AmazonEC2ContainerRegistry_V20150921.CreatePullThroughCacheRule",
        "ecr",
        serde_json::json!({
            "ecrRepositoryPrefix": "hub", "upstreamRegistryUrl": world.upstream.url(),
        })
        .to_string(),
    );
    create.region = "eu-west-1".to_owned();
    assert_eq!(world.send(create.request()).await.status, 200);
    let mut get =
        Signed::new("AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken", "ecr", "{}");
    get.region = "eu-west-1".to_owned();
    let answer = world.send(get.request()).await.json();
    let encoded = answer["authorizationData"][0]["authorizationToken"].as_str().unwrap();
    let headers = [("authorization", format!("Basic {encoded}"))];
    let headers = [("authorization", headers[0].1.as_str())];
    let found = world.ask_as("GET", "/v2/hub/app/manifests/1", &headers).await;
    assert_eq!(found.status, 200, "{}", found.text());
    assert_eq!(world.get("/v2/hub/app/manifests/1").await.code(), "NAME_UNKNOWN");
}

#[tokio::test]
async fn anonymous_pulls_are_those_the_registry_allows() {
    let world = World::start_with(|settings| settings.anonymous_pull = true).await;
    world.rule("hub").await;
    world.image("app", "1", b"layer");
    for authorization in [None, Some("Basic Og==")] {
        let headers: Vec<_> = authorization.iter().map(|value| ("authorization", *value)).collect();
        assert_eq!(world.ask_as("GET", "/v2/", &headers).await.status, 200);
        let pulled = world.ask_as("GET", "/v2/hub/app/manifests/1", &headers).await;
        assert_eq!(pulled.status, 200);
        let asked = world.ask_as("GET", "/v2/private/app/manifests/1", &headers).await;
        assert_eq!((asked.status, asked.code().as_str()), (401, "UNAUTHORIZED"));
        assert!(asked.headers.contains_key("www-authenticate"));
    }
    let elsewhere = format!("{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com");
    let headers = [("host", elsewhere.as_str())];
    assert_eq!(world.ask_as("GET", "/v2/", &headers).await.status, 401);
    assert_eq!(log_in(&world, &basic("AWS", "wrong")).await.status, 401);
}

#[tokio::test]
async fn signatures_are_verified_for_real() {
    const TARGET: &str = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken";
    type Spoil = fn(&mut Signed);
    let world = World::start().await;
    let cases: [(Spoil, u16, &str); 11] = [
        (|_| {}, 200, ""),
        (|call| call.uri = "/?Action=GetAuthorizationToken&Version=2015-09-21".into(), 200, ""),
        (|call| call.at -= 299_000, 200, ""),
        (|call| call.at += 299_000, 200, ""),
        (|call| call.at -= 301_000, 400, "InvalidSignatureException"),
        (|call| call.at += 301_000, 400, "InvalidSignatureException"),
        (|call| call.secret.push('x'), 400, "InvalidSignatureException"),
        (|call| call.key = "AKIANOBODY".into(), 400, "UnrecognizedClientException"),
        (|call| call.session_token = Some("t".into()), 400, "UnrecognizedClientException"),
        (|call| call.service = "secretsmanager".into(), 400, "InvalidSignatureException"),
        (|call| call.region = "No Region".into(), 400, "InvalidSignatureException"),
    ];
    for (at, (spoil, status, exception)) in cases.into_iter().enumerate() {
        let mut call = Signed::new(TARGET, "ecr", "{}");
        spoil(&mut call);
        let answer = world.send(call.request()).await;
        assert_eq!(answer.status, status, "case {at}: {}", answer.text());
        if status != 200 {
            assert_eq!(answer.exception(), exception, "case {at}");
        }
        assert_eq!(answer.header("x-amzn-requestid").len(), 36);
        assert_eq!(answer.header("content-type"), "application/x-amz-json-1.1");
    }
}

#[tokio::test]
async fn what_was_signed_is_what_is_answered() {
    const TARGET: &str = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken";
    let world = World::start().await;
    let call = Signed::new(TARGET, "ecr", "{}");
    let spoilt = [
        ("authorization", None, "MissingAuthenticationTokenException"),
        ("authorization", Some("AWS4-HMAC-SHA256 x"), "IncompleteSignatureException"),
        ("authorization", Some("Basic QVdTOng="), "IncompleteSignatureException"),
        ("x-amz-date", None, "IncompleteSignatureException"),
        ("host", Some("elsewhere"), "InvalidSignatureException"),
        (
            "x-amz-target",
            Some("AmazonEC2ContainerRegistry_V20150921.DescribeRepositories"),
            "InvalidSignatureException",
        ),
    ];
    for (name, value, exception) in spoilt {
        let mut request = call.request();
        match value {
            Some(value) => drop(request.headers_mut().insert(name, value.parse().unwrap())),
            None => drop(request.headers_mut().remove(name)),
        }
        let answer = world.send(request).await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.exception(), exception, "{name}: {value:?}: {}", answer.text());
    }
    let mut request = call.request();
    *request.body_mut() = "{ }".into();
    assert_eq!(world.send(request).await.exception(), "InvalidSignatureException");
}

#[test]
fn a_remembered_proof_keeps_no_credentials() {
    let header = HeaderValue::from_static("Basic eDp5");
    let one = fingerprint(Some("a"), &header);
    assert_eq!(one, fingerprint(Some("a"), &header));
    assert_ne!(one, fingerprint(Some("b"), &header));
    assert_ne!(one, fingerprint(None, &header));
    assert_ne!(one, fingerprint(Some("a"), &HeaderValue::from_static("Basic eDp6")));
}
