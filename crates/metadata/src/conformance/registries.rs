//! Registries: one name in two regions, or in two accounts, is two names.

use super::{
    assert_refused,
    samples::{
        digest, manifest, new_link, new_secret, repository, rule, secret, tag, tagged,
        three_registries,
    },
};
use crate::{
    Error, MetadataStore, NewSecret, PageRequest, RuleCredentials, Secret, SecretId, Timestamp,
};

/// Rules of one prefix stay apart.
pub async fn keep_rules_apart(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let [home, region, account] = three_registries();
    for registry in [&home, &region, &account] {
        one.create_rule(registry, &rule("quay"), Some(1)).await.expect("a rule of each");
    }
    let credentials =
        RuleCredentials { credential_arn: Some("arn:b".into()), custom_role_arn: None };
    let updated = other.update_rule(&region, "quay", &credentials, Timestamp(2_000)).await;
    let updated = updated.expect("one of three rules");
    one.delete_rule(&account, "quay").await.expect("another of them");
    assert_eq!(other.rules(&home).await.expect("rules"), [rule("quay")]);
    assert_eq!(one.rules(&region).await.expect("rules"), [updated]);
    assert_eq!(other.rules(&account).await.expect("rules"), []);
}

/// Secrets of one name stay apart.
pub async fn keep_secrets_apart(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let [home, region, account] = three_registries();
    for registry in [&home, &region, &account] {
        let suffixed = Secret { arn_suffix: registry.region.as_str()[..6].into(), ..secret("s") };
        one.create_secret(registry, &NewSecret { secret: suffixed }).await.expect("one of each");
    }
    let now = Timestamp(2_000);
    let by_name = SecretId::Name("s".into());
    let held = other.secret(&region, &by_name, now).await.expect("a secret");
    assert_eq!(held.arn_suffix, "eu-cen");
    let changed = Secret { description: Some("changed".into()), ..held.clone() };
    other.replace_secret(&region, &held, &changed).await.expect("the secret as expected");
    one.delete_secret(&account, "s").await.expect("another registry's secret");

    assert_eq!(one.secret(&region, &by_name, now).await.expect("a secret"), changed);
    let untouched = one.secret(&home, &by_name, now).await.expect("a secret");
    assert_eq!((untouched.arn_suffix.as_str(), untouched.description), ("us-eas", None));
    assert_refused!(other.secret(&account, &by_name, now).await, Error::NotFound);
    let page = PageRequest::first(10);
    for (registry, count) in [(&home, 1), (&region, 1), (&account, 0)] {
        let listed = other.secrets(registry, &page, now).await.expect("a page");
        assert_eq!(listed.items.len(), count);
    }
    one.create_secret(&account, &new_secret("s")).await.expect("a name that is free again");
}

/// Repositories, manifests, tags and links of one name stay apart.
pub async fn keep_content_apart(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let [home, region, account] = three_registries();
    let name = repository("docker-hub/alpine");
    one.record_manifest(&home, &tagged(name.as_str(), "old", "3", 1_000)).await.expect("one");
    other.record_manifest(&region, &tagged(name.as_str(), "new", "3", 2_000)).await.expect("two");
    let links = [new_link(&home, name.as_str(), "layer")];
    one.record_links(&links).await.expect("a link");

    for (registry, content, at) in [(&home, "old", 1_000), (&region, "new", 2_000)] {
        let held = other.repository(registry, &name).await.expect("the repository");
        assert_eq!(held.created_at, Timestamp(at));
        let fact = one.tag(registry, &name, &tag("3")).await.expect("the tag");
        assert_eq!(fact.digest, digest(content));
        let page = PageRequest::first(10);
        let images = other.images(registry, &name, &page).await.expect("a page").items;
        let images: Vec<_> = images.into_iter().map(|image| (image.manifest, image.tags)).collect();
        assert_eq!(images, [(manifest(content, at), vec![tag("3")])]);
        assert_eq!(one.repositories(registry, &page).await.expect("a page").items.len(), 1);
    }
    let old = digest("old");
    assert_refused!(one.manifest(&region, &name, &old).await, Error::NotFound);
    let refreshed = one.refresh_tag(&region, &name, &tag("3"), &old, Timestamp(3_000)).await;
    assert_refused!(refreshed, Error::NotFound);
    other.link(&home, &name, &digest("layer")).await.expect("the link");
    assert_refused!(other.link(&region, &name, &digest("layer")).await, Error::NotFound);
    assert_refused!(other.repository(&account, &name).await, Error::NotFound);
    assert_refused!(one.tag(&account, &name, &tag("3")).await, Error::NotFound);
}
