//! Lists: every page, bounded, and never from anybody else.

use oci::{Digest, media_type};
use serde_json::json;
use testkit::{Script, ScriptedUpstream};
use upstream::Upstream as _;

use crate::world::{REPOSITORY, client, kind, settings, target, target_as};

const JSON: &str = "application/json";

fn tags_path(query: &str) -> String {
    format!("/v2/{REPOSITORY}/tags/list{query}")
}

fn tags(tags: &[&str]) -> String {
    json!({"name": REPOSITORY, "tags": tags}).to_string()
}

#[tokio::test]
async fn tags_come_from_every_page() {
    let upstream = ScriptedUpstream::start().await;
    let list = |query: &str, page: &[&str]| upstream.add_list(&tags_path(query), JSON, tags(page));
    list("?n=1000", &["3.19", "3.20", "not a tag"]);
    list("?last=3.20", &["edge"]);
    list("?last=edge", &["latest"]);
    let link = |to: &str| Script::new().header("link", &format!("<{to}>; rel=\"next\""));
    upstream.script(&tags_path("?n=1000"), link(&tags_path("?last=3.20")));
    // Another host's name in a link is nobody's business: the page is asked of the upstream.
    let elsewhere = format!("https://elsewhere.example{}", tags_path("?last=edge"));
    upstream.script(&tags_path("?last=3.20"), link(&elsewhere));
    upstream.require_basic("user", "secret");
    let client = client(settings());
    let target = target_as(&upstream.url(), "user", "secret");
    let listing = client.tags(&target).await.unwrap();
    let found: Vec<_> = listing.items.iter().map(|tag| tag.as_str()).collect();
    assert_eq!(
        (found.as_slice(), listing.is_whole),
        (&["3.19", "3.20", "edge", "latest"][..], true)
    );
}

#[tokio::test]
async fn a_list_has_an_end() {
    let upstream = ScriptedUpstream::start().await;
    upstream.add_list(&tags_path(""), JSON, tags(&["a", "b", "c"]));
    let mut settings = settings();
    settings.limits.list_pages_max = 3;
    settings.limits.list_entries_max = 7;
    let target = target(&upstream.url());
    for (link, expected) in [
        // A page that leads to itself is the last one.
        (tags_path("?n=1000"), (3, 1)),
        (tags_path("?again"), (6, 2)),
    ] {
        upstream.forget_requests();
        let next = Script::new().header("link", &format!("<{link}>; rel=next"));
        upstream.script(&tags_path(""), next);
        let listing = client(settings.clone()).tags(&target).await.unwrap();
        assert!(!listing.is_whole);
        assert_eq!((listing.items.len(), upstream.requests().len()), expected, "{link}");
    }
    settings.limits.list_entries_max = 2;
    upstream.unscript(&tags_path(""));
    let listing = client(settings).tags(&target).await.unwrap();
    assert_eq!((listing.items.len(), listing.is_whole), (2, false));
}

#[tokio::test]
async fn a_page_may_be_refused_for_its_size() {
    let upstream = ScriptedUpstream::start().await;
    upstream.add_list(&tags_path(""), JSON, tags(&["a"]));
    let refusal = Script::error(400, "PAGINATION_NUMBER_INVALID", "too many");
    upstream.script(&tags_path("?n=1000"), refusal);
    let listing = client(settings()).tags(&target(&upstream.url())).await.unwrap();
    assert_eq!((listing.items.len(), listing.is_whole), (1, true));
}

#[tokio::test]
async fn what_is_no_list_is_told_apart() {
    let upstream = ScriptedUpstream::start().await;
    upstream.add_list(&tags_path(""), JSON, tags(&["a"]));
    let (client, target) = (client(settings()), target(&upstream.url()));
    for (script, expected) in [
        (Script::new().body("{\"tags\":null}"), "ok"),
        (Script::new().body("{\"tags\":5}"), "invalid: a list is not of the expected shape"),
        (Script::new().body("nonsense"), "invalid: a list is not of the expected shape"),
        (
            Script::new().header("content-type", "text/html"),
            "invalid: a web page came where a registry answers",
        ),
        (Script::status(404), "not found"),
        (Script::status(401), "unauthorized: unauthorized"),
        (Script::status(503), "status 503"),
    ] {
        let told = format!("{script:?}");
        upstream.script(&tags_path(""), script);
        assert_eq!(kind(&client.tags(&target).await), expected, "{told}");
    }
}

#[tokio::test]
async fn referrers_come_from_every_page() {
    let upstream = ScriptedUpstream::start().await;
    let subject = Digest::of(b"image");
    let path = format!("/v2/{REPOSITORY}/referrers/{subject}");
    let index = |bytes: &[u8]| {
        let digest = Digest::of(bytes);
        let descriptor = json!({"mediaType": media_type::OCI_MANIFEST, "digest": digest.as_str(),
            "size": bytes.len(), "artifactType": "a/b", "annotations": {"k": "v"}});
        json!({"schemaVersion": 2, "manifests": [descriptor]}).to_string()
    };
    upstream.add_list(&path, media_type::OCI_INDEX, index(b"one"));
    let second = format!("{path}?page=2");
    upstream.add_list(&second, media_type::OCI_INDEX, index(b"two"));
    let link = format!("<{second}>; rel=\"next\"");
    upstream.script(&path, Script::new().header("link", &link).times(1));
    let (client, target) = (client(settings()), target(&upstream.url()));
    let listing = client.referrers(&target, &subject).await.unwrap();
    let found: Vec<_> = listing.items.iter().map(|item| item.digest.clone()).collect();
    assert_eq!(found, [Digest::of(b"one"), Digest::of(b"two")]);
    assert_eq!(listing.items[0].annotations["k"], "v");
    assert!(upstream.requests()[0].header("accept").unwrap().contains(media_type::OCI_INDEX));
    let none = client.referrers(&target, &Digest::of(b"other")).await;
    assert_eq!(kind(&none), "not found");
}
