//! Redirects are followed; what is private stays at home.

use std::sync::Arc;

use testkit::{Script, ScriptedUpstream, Tokens};
use upstream::{Settings, Trail, Upstream as _};
use url::Url;

use crate::world::{
    blob, client, fetch, heedless, kind, read, settings, tag, target, target_as, with_blob,
    with_manifest,
};

#[tokio::test]
async fn every_redirect_is_followed_without_authorization() {
    let (registry, digest, path) = with_blob().await;
    let storage = ScriptedUpstream::start().await;
    storage.add_file("/storage/blob", blob());
    registry.require_basic("user", "secret");
    let target = target_as(&registry.url(), "user", "secret");
    // Another name, another port, and both: each is another origin.
    let same_host = format!("{}/storage/blob?X-Signature=1", storage.url());
    let other_host = format!("{}/storage/blob", storage.url_at("localhost"));
    let same_port = format!("{}{path}", registry.url_at("localhost"));
    for status in [301, 302, 303, 307, 308] {
        for location in [&same_host, &other_host] {
            registry.script(&path, Script::redirect(status, location));
            let body = client(settings()).fetch_blob(&target, &digest, 0).await.unwrap();
            assert_eq!(read(body).await.unwrap(), blob(), "{status} {location}");
        }
    }
    assert!(registry.requests().iter().any(|seen| seen.header("authorization").is_some()));
    assert_eq!(storage.gets("/storage/blob"), 10);
    assert!(storage.requests().iter().all(|seen| seen.header("authorization").is_none()));

    registry.script(&path, Script::redirect(302, &same_port).times(2));
    let outcome = fetch(&client(settings()), &target, &digest).await;
    assert_eq!(kind(&outcome), "unauthorized: authentication required");
}

#[tokio::test]
async fn a_redirect_at_home_keeps_the_authorization() {
    let (registry, digest, path) = with_blob().await;
    let tokens = Arc::new(Tokens::anonymous());
    registry.require_token(&tokens);
    registry.script("/v2/library/alpine/blobs/elsewhere", Script::redirect(307, &path));
    registry.script(&path, Script::redirect(307, "/v2/library/alpine/blobs/elsewhere").times(2));
    assert_eq!(
        fetch(&client(settings()), &target(&registry.url()), &digest).await.unwrap(),
        blob()
    );
    assert_eq!(tokens.issued(), 1);
}

#[tokio::test]
async fn who_left_home_comes_back_without_authorization() {
    let (registry, digest, path) = with_blob().await;
    let storage = ScriptedUpstream::start().await;
    registry.require_basic("user", "secret");
    registry.add_file("/open", blob());
    registry.script(&path, Script::redirect(302, &format!("{}/hop", storage.url())));
    storage.script("/hop", Script::redirect(302, &format!("{}/open", registry.url())));
    let target = target_as(&registry.url(), "user", "secret");
    fetch(&client(settings()), &target, &digest).await.unwrap();
    let seen = registry.requests();
    assert_eq!(seen.last().unwrap().path, "/open");
    assert_eq!(seen.last().unwrap().header("authorization"), None);
}

#[tokio::test]
async fn ranges_and_heads_go_along() {
    let (registry, digest, path) = with_blob().await;
    let storage = ScriptedUpstream::start().await;
    storage.add_file("/storage/blob", blob());
    registry.script(&path, Script::redirect(307, &format!("{}/storage/blob", storage.url())));
    let (client, target) = (client(settings()), target(&registry.url()));
    let body = client.fetch_blob(&target, &digest, 999).await.unwrap();
    assert_eq!(read(body).await.unwrap(), blob()[999..]);
    assert_eq!(storage.requests()[0].header("range"), Some("bytes=999-"));
    assert_eq!(client.stat_blob(&target, &digest).await.unwrap().size_bytes, Some(1000));
    assert_eq!(storage.heads("/storage/blob"), 1);
}

#[tokio::test]
async fn a_redirect_that_goes_wrong_is_told_apart() {
    let (registry, _, path) = with_manifest().await;
    let storage = ScriptedUpstream::start().await;
    let (client, target) = (client(heedless()), target(&registry.url()));
    storage.script("/429", Script::status(429).retry_after("3"));
    storage.script("/403", Script::error(403, "AccessDenied", "Request has expired"));
    let at = |path: &str| format!("{}{path}", storage.url());
    for (location, expected) in [
        (at("/404"), "not found"),
        (at("/429"), "rate limited: Some(3s)"),
        (at("/403"), "denied: Request has expired"),
        (path.clone(), "invalid: more than 5 redirects"),
        ("ftp://127.0.0.1/x".to_owned(), "invalid: a redirect leads nowhere"),
        ("http://".to_owned(), "invalid: a redirect leads nowhere"),
        ("http://user:secret@127.0.0.1/".to_owned(), "refused: 127.0.0.1"),
    ] {
        registry.script(&path, Script::redirect(302, &location));
        let outcome = client.fetch_manifest(&target, &tag("3.20")).await;
        assert_eq!(kind(&outcome), expected, "{location}");
    }
    registry.forget_requests();
    registry.script(&path, Script::redirect(302, &path));
    let _ = client.fetch_manifest(&target, &tag("3.20")).await;
    assert_eq!(registry.gets(&path), 6);
    registry.script(&path, Script::status(302));
    let outcome = client.fetch_manifest(&target, &tag("3.20")).await;
    assert_eq!(kind(&outcome), "invalid: a redirect leads nowhere");
}

#[tokio::test]
async fn a_chain_as_long_as_allowed_arrives() {
    let (registry, _, path) = with_manifest().await;
    for hop in 1..5 {
        registry
            .script(&format!("/hop/{hop}"), Script::redirect(302, &format!("/hop/{}", hop + 1)));
    }
    registry.script("/hop/5", Script::redirect(302, &path));
    registry.script(&path, Script::redirect(302, "/hop/2").times(1));
    let client = client(settings());
    client.fetch_manifest(&target(&registry.url()), &tag("3.20")).await.unwrap();
    registry.script(&path, Script::redirect(302, "/hop/1").times(1));
    let outcome = client.fetch_manifest(&target(&registry.url()), &tag("3.20")).await;
    assert_eq!(kind(&outcome), "invalid: more than 5 redirects");
}

#[tokio::test]
async fn https_never_steps_down() {
    let registry = ScriptedUpstream::start_tls().await;
    let storage = ScriptedUpstream::start().await;
    let digest = registry.add_blob("library/alpine", blob());
    let path = testkit::blob_path("library/alpine", &digest);
    storage.add_file("/storage/blob", blob());
    let location = format!("{}/storage/blob", storage.url());
    registry.script(&path, Script::redirect(302, &location));
    let root_certificates = vec![registry.root_pem().to_owned()];
    let mut settings = Settings { root_certificates, ..settings() };
    let target = target(&registry.url());
    let outcome = fetch(&client(settings.clone()), &target, &digest).await;
    assert_eq!(kind(&outcome), "refused: 127.0.0.1");
    assert!(storage.requests().is_empty());
    let tokens = Arc::new(Tokens::anonymous());
    storage.serve_tokens(&tokens);
    registry.require_token_of(&tokens, &format!("{}/token", storage.url()));
    let outcome = fetch(&client(settings.clone()), &target, &digest).await;
    assert_eq!(kind(&outcome), "refused: 127.0.0.1");
    assert!(storage.requests().is_empty());
    // What the operator sends elsewhere goes there.
    settings.endpoints.insert(storage.authority(), vec![Url::parse(&storage.url()).unwrap()]);
    assert_eq!(fetch(&client(settings), &target, &digest).await.unwrap(), blob());
}

/// Who waits is told to everybody on the way: a circle may go by way of a redirect.
#[tokio::test]
async fn those_who_wait_are_named_all_the_way() {
    let (registry, digest, path) = with_blob().await;
    let storage = ScriptedUpstream::start().await;
    storage.add_file("/storage/blob", blob());
    registry.script(&path, Script::redirect(307, &format!("{}/storage/blob", storage.url())));
    let mut target = target(&registry.url());
    let client = client(settings());
    fetch(&client, &target, &digest).await.unwrap();
    target.trail = Trail::default().then("a1").then("b2");
    fetch(&client, &target, &digest).await.unwrap();
    for upstream in [&registry, &storage] {
        let seen = upstream.requests();
        let via: Vec<_> = seen.iter().map(|seen| seen.header("via")).collect();
        assert_eq!(via, [None, Some("1.1 cistern-a1, 1.1 cistern-b2")]);
    }
}
