//! Who we are is shown at once where it is known how, and only to whom it concerns.

use std::sync::Arc;

use futures_util::future::join_all;
use http::Method;
use testkit::{Script, ScriptedUpstream, Tokens};
use upstream::{Settings, Target, Upstream as _};
use url::Url;

use crate::world::{
    REPOSITORY, client, fetch, heedless, impatient, kind, settings, tag, target, target_as,
    with_blob, with_manifest,
};

#[tokio::test]
async fn basic_is_asked_for_once_and_then_sent_at_once() {
    let (upstream, _, path) = with_manifest().await;
    upstream.require_basic("user", "secret");
    let (client, target) = (client(settings()), target_as(&upstream.url(), "user", "secret"));
    for _ in 0..3 {
        client.stat_manifest(&target, &tag("3.20")).await.unwrap();
    }
    assert_eq!(upstream.heads(&path), 4);
    let sent = upstream.requests().iter().filter(|r| r.header("authorization").is_some()).count();
    assert_eq!(sent, 3);
    client.authenticate(&target).await.unwrap();
}

#[tokio::test]
async fn refused_credentials_are_not_sent_again_and_again() {
    let (upstream, _, path) = with_manifest().await;
    upstream.require_basic("user", "secret");
    let client = client(settings());
    let anonymous = client.fetch_manifest(&target(&upstream.url()), &tag("3.20")).await;
    assert_eq!(kind(&anonymous), "unauthorized: authentication required");
    assert_eq!(upstream.gets(&path), 1);
    let wrong = target_as(&upstream.url(), "user", "wrong");
    let outcome = client.fetch_manifest(&wrong, &tag("3.20")).await;
    assert_eq!(kind(&outcome), "unauthorized: authentication required");
    assert_eq!(upstream.gets(&path), 3);
    assert_eq!(kind(&client.authenticate(&wrong).await), "unauthorized: authentication required");
}

#[tokio::test]
async fn a_token_is_fetched_once_and_kept() {
    for tokens in [Tokens::anonymous(), Tokens::anonymous().as_access_token()] {
        let (upstream, digest, path) = with_blob().await;
        upstream.add_manifest(REPOSITORY, Some("3.20"), oci::media_type::OCI_MANIFEST, "{}");
        let tokens = Arc::new(tokens);
        upstream.require_token(&tokens);
        let (client, target) = (client(settings()), target(&upstream.url()));
        fetch(&client, &target, &digest).await.unwrap();
        fetch(&client, &target, &digest).await.unwrap();
        client.fetch_manifest(&target, &tag("3.20")).await.unwrap();
        assert_eq!((tokens.issued(), upstream.gets(&path)), (1, 3));

        let seen = upstream.requests();
        let asked = seen.iter().find(|request| request.path == "/token").unwrap();
        let pairs = format!("service=scripted&scope=repository%3A{}%3Apull", "library%2Falpine");
        assert_eq!(asked.query, pairs);
        assert_eq!(asked.header("authorization"), None);
    }
}

#[tokio::test]
async fn fifty_requests_cost_one_token() {
    let (upstream, digest, path) = with_blob().await;
    let tokens = Arc::new(Tokens::anonymous());
    upstream.require_token(&tokens);
    let (client, target) = (client(settings()), target(&upstream.url()));
    let all = || join_all((0..50).map(|_| fetch(&client, &target, &digest)));
    assert!(all().await.iter().all(Result::is_ok));
    assert_eq!((tokens.issued(), upstream.gets("/token")), (1, 1));
    // Refused once more, all of them together: again one token for everybody.
    tokens.revoke();
    upstream.forget_requests();
    assert!(all().await.iter().all(Result::is_ok));
    assert_eq!((tokens.issued(), upstream.gets("/token")), (2, 1));
    assert!(upstream.gets(&path) <= 100);
}

#[tokio::test]
async fn a_token_belongs_to_an_identity_and_a_repository() {
    let (upstream, digest, _) = with_blob().await;
    upstream.add_blob("other", crate::world::blob());
    let tokens = Arc::new(Tokens::only("user", "secret"));
    upstream.require_token(&tokens);
    let client = client(settings());
    let mine = target_as(&upstream.url(), "user", "secret");
    fetch(&client, &mine, &digest).await.unwrap();
    let other = Target { repository: "other".into(), ..mine.clone() };
    fetch(&client, &other, &digest).await.unwrap();
    assert_eq!(tokens.issued(), 2);
    for (target, expected) in [
        (target(&upstream.url()), "unauthorized: wrong user name or password"),
        (target_as(&upstream.url(), "user", "old"), "unauthorized: wrong user name or password"),
    ] {
        assert_eq!(kind(&fetch(&client, &target, &digest).await), expected);
    }
    assert_eq!(tokens.issued(), 2);
    client.authenticate(&mine).await.unwrap();
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_once() {
    let (upstream, _, path) = with_manifest().await;
    let tokens = Arc::new(Tokens::anonymous());
    upstream.require_token(&tokens);
    let (client, target) = (client(settings()), target(&upstream.url()));
    client.stat_manifest(&target, &tag("3.20")).await.unwrap();
    tokens.revoke();
    client.stat_manifest(&target, &tag("3.20")).await.unwrap();
    assert_eq!((tokens.issued(), upstream.heads(&path)), (2, 4));
    // A realm whose tokens are worth nothing here.
    upstream.require_token_of(&Arc::new(Tokens::anonymous()), &format!("{}/token", upstream.url()));
    upstream.forget_requests();
    let outcome = client.stat_manifest(&target, &tag("3.20")).await;
    assert_eq!(kind(&outcome), "unauthorized: invalid_token");
    assert_eq!((upstream.gets("/token"), upstream.heads(&path)), (1, 2));
}

#[tokio::test]
async fn a_token_without_a_future_is_used_once() {
    let (upstream, digest, _) = with_blob().await;
    let tokens = Arc::new(Tokens::anonymous().expires_in(Some(0)));
    upstream.require_token(&tokens);
    let (client, target) = (client(settings()), target(&upstream.url()));
    for count in 1..=3 {
        fetch(&client, &target, &digest).await.unwrap();
        assert_eq!(tokens.issued(), count);
    }
    let (upstream, digest, _) = with_blob().await;
    let lasting = Arc::new(Tokens::anonymous().expires_in(None));
    upstream.require_token(&lasting);
    let target = crate::world::target(&upstream.url());
    for _ in 0..2 {
        fetch(&client, &target, &digest).await.unwrap();
    }
    assert_eq!(lasting.issued(), 1);
}

#[tokio::test]
async fn what_a_realm_answers_keeps_its_meaning() {
    let (upstream, _, path) = with_manifest().await;
    upstream.require_token(&Arc::new(Tokens::anonymous()));
    let mut settings = heedless();
    settings.limits.token_bytes_max = 1000;
    let (client, target) = (client(settings), target(&upstream.url()));
    for (script, expected) in [
        (Script::error(403, "DENIED", "not you"), "denied: not you"),
        (Script::status(401).body(r#"{"details":"bad pair"}"#), "unauthorized: bad pair"),
        (Script::status(404), "status 404"),
        (Script::status(429).retry_after("7"), "rate limited: Some(7s)"),
        (Script::status(503), "status 503"),
        (Script::redirect(302, "/elsewhere"), "status 302"),
        (Script::new().body("<html>"), "invalid: its token endpoint answered without a token"),
        (Script::new().body("{}"), "invalid: its token endpoint answered without a token"),
        (
            Script::new().body(r#"{"token":"a\nb"}"#),
            "invalid: its token endpoint answered without a token",
        ),
        (Script::new().body(&"x".repeat(2000)), "larger than 1000"),
        (Script::hang_up(), "transport: transfer"),
    ] {
        upstream.script("/token", script.clone());
        let outcome = client.fetch_manifest(&target, &tag("3.20")).await;
        assert_eq!(kind(&outcome), expected, "{script:?}");
    }
    upstream.unscript("/token");
    client.fetch_manifest(&target, &tag("3.20")).await.unwrap();
    assert_eq!(upstream.heads(&path), 0);
}

#[tokio::test]
async fn a_realm_that_is_silent_is_given_up_on() {
    let (upstream, _, _) = with_manifest().await;
    upstream.require_token(&Arc::new(Tokens::anonymous()));
    upstream.script("/token", Script::black_hole());
    let client = client(impatient(|timeouts, short| timeouts.first_byte = short));
    let outcome = client.stat_manifest(&target(&upstream.url()), &tag("3.20")).await;
    assert_eq!(kind(&outcome), "timeout: FirstByte");
}

#[tokio::test]
async fn a_realm_elsewhere_sees_no_credentials_unless_it_is_trusted() {
    let (registry, digest, _) = with_blob().await;
    let realm = ScriptedUpstream::start().await;
    let tokens = Arc::new(Tokens::only("user", "secret"));
    realm.serve_tokens(&tokens);
    registry.require_token_of(&tokens, &format!("{}/token", realm.url_at("localhost")));
    let target = target_as(&registry.url(), "user", "secret");
    let stranger = client(settings());
    let outcome = fetch(&stranger, &target, &digest).await;
    assert_eq!(kind(&outcome), "refused: localhost");
    assert!(realm.requests().is_empty());

    let trusting = Settings { trusted_realm_hosts: vec!["localhost".to_owned()], ..settings() };
    fetch(&client(trusting), &target, &digest).await.unwrap();
    assert_eq!(tokens.issued(), 1);
    // The same host on another port is the upstream's own.
    registry.require_token_of(&tokens, &format!("{}/token", realm.url()));
    fetch(&stranger, &target, &digest).await.unwrap();
}

#[tokio::test]
async fn a_realm_elsewhere_serves_who_has_no_credentials() {
    let (registry, digest, _) = with_blob().await;
    let realm = ScriptedUpstream::start().await;
    let tokens = Arc::new(Tokens::anonymous());
    realm.serve_tokens(&tokens);
    registry.require_token_of(&tokens, &format!("{}/token", realm.url_at("localhost")));
    fetch(&client(settings()), &target(&registry.url()), &digest).await.unwrap();
    assert_eq!(realm.gets("/token"), 1);
    assert!(realm.requests().iter().all(|request| request.header("authorization").is_none()));
}

#[tokio::test]
async fn replaced_endpoints_hold_for_realms_too() {
    let (registry, digest, _) = with_blob().await;
    let realm = ScriptedUpstream::start().await;
    let tokens = Arc::new(Tokens::only("user", "secret"));
    realm.serve_tokens(&tokens);
    registry.require_token_of(&tokens, "https://auth.docker.io/token");
    let mut settings = settings();
    for (host, url) in [("registry-1.docker.io", registry.url()), ("auth.docker.io", realm.url())] {
        settings.endpoints.insert(host.to_owned(), vec![Url::parse(&url).unwrap()]);
    }
    let target = target_as("registry-1.docker.io", "user", "secret");
    fetch(&client(settings), &target, &digest).await.unwrap();
    assert_eq!(realm.gets("/token"), 1);
}

#[tokio::test]
async fn authenticating_asks_for_no_repository() {
    let upstream = ScriptedUpstream::start().await;
    let tokens = Arc::new(Tokens::only("user", "secret"));
    upstream.require_token(&tokens);
    let client = client(settings());
    client.authenticate(&target_as(&upstream.url(), "user", "secret")).await.unwrap();
    let asked: Vec<_> =
        upstream.requests().into_iter().map(|seen| (seen.path, seen.query)).collect();
    let (base, token) = ("/v2/".to_owned(), "/token".to_owned());
    let none = String::new();
    let expected =
        [(base.clone(), none.clone()), (token, "service=scripted".to_owned()), (base, none)];
    assert_eq!(asked, expected);

    upstream.script("/v2/", Script::status(404).only(&Method::GET));
    let outcome = client.authenticate(&target_as(&upstream.url(), "user", "secret")).await;
    assert_eq!(kind(&outcome), "invalid: it does not answer /v2/ as a registry does");
}
