//! Repository creation templates.

use super::{
    ROUNDS, assert_refused,
    samples::{home, template, three_registries},
};
use crate::{
    AppliedFor, Encryption, Error, MetadataStore, RepositorySettings, TagMutability, Template,
    Timestamp,
};

/// A template that has everything.
fn full(prefix: &str) -> Template {
    Template {
        description: Some("for \"everybody\"".into()),
        applied_for: vec![AppliedFor::CreateOnPush, AppliedFor::PullThroughCache],
        settings: RepositorySettings {
            tag_mutability: TagMutability::ImmutableWithExclusion(vec!["dev-*".into()]),
            encryption: Encryption::Kms { kms_key: Some("arn:aws:kms:x".into()) },
            repository_policy: Some("{ \"Statement\" : [] }".into()),
            lifecycle_policy: Some("{\"rules\":[]}".into()),
            tags: vec![("team".into(), "b".into()), ("a".into(), String::new())],
            ..RepositorySettings::default()
        },
        custom_role_arn: Some("arn:aws:iam::000000000000:role/templates".into()),
        updated_at: Timestamp(2_000),
        ..template(prefix)
    }
}

/// What was set comes back as typed; what was not set stays absent. Listings are by prefix key.
pub async fn come_back_as_typed(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    assert_eq!(other.templates(&home()).await.expect("templates"), []);
    let nothing = Template { applied_for: Vec::new(), ..template("a") };
    for new in [full("prod/team/"), template("ROOT"), nothing.clone(), template("prod-1")] {
        one.create_template(&home(), &new, None).await.expect("a template");
    }
    let listed = other.templates(&home()).await.expect("templates");
    assert_eq!(listed, [template("ROOT"), nothing, template("prod-1"), full("prod/team/")]);
}

/// `a` and `a/` are one key, and the spelling of the first is kept.
pub async fn are_told_apart_without_trailing_slash(
    one: &dyn MetadataStore,
    other: &dyn MetadataStore,
) {
    one.create_template(&home(), &template("prod/"), None).await.expect("a template");
    for spelling in ["prod", "prod/"] {
        let again = other.create_template(&home(), &template(spelling), None).await;
        assert_refused!(again, Error::AlreadyExists);
    }
    assert_eq!(other.templates(&home()).await.expect("templates"), [template("prod/")]);
}

/// The limit counts one registry's templates; one that exists is named before the limit is.
pub async fn are_limited_per_registry(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    one.create_template(&home(), &template("first"), Some(1)).await.expect("the first");
    let more = other.create_template(&home(), &template("more"), Some(1)).await;
    assert_refused!(more, Error::LimitExceeded { limit: 1 });
    assert_eq!(one.templates(&home()).await.expect("templates"), [template("first")]);
    let again = one.create_template(&home(), &template("first"), Some(1)).await;
    assert_refused!(again, Error::AlreadyExists);
    let [_, elsewhere, _] = three_registries();
    other.create_template(&elsewhere, &template("more"), Some(1)).await.expect("another's first");
    other.create_template(&home(), &template("more"), None).await.expect("one without a limit");
}

/// A template is replaced only where it still is what the caller saw; its prefix stays.
pub async fn are_replaced_only_as_expected(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    one.create_template(&home(), &template("prod/"), None).await.expect("a template");
    one.create_template(&home(), &template("prod/team"), None).await.expect("its neighbour");
    let changed = full("prod");
    other.replace_template(&home(), &template("prod/"), &changed).await.expect("as expected");
    let kept = full("prod/");
    let listed = one.templates(&home()).await.expect("templates");
    assert_eq!(listed, [kept.clone(), template("prod/team")]);

    let late = one.replace_template(&home(), &template("prod/"), &template("prod/")).await;
    assert_refused!(late, Error::NotFound);
    let [_, region, account] = three_registries();
    for elsewhere in [region, account] {
        let none = one.replace_template(&elsewhere, &kept, &changed).await;
        assert_refused!(none, Error::NotFound);
    }
    let none = other.replace_template(&home(), &template("none"), &changed).await;
    assert_refused!(none, Error::NotFound);
    assert_eq!(other.templates(&home()).await.expect("templates")[0], kept);
}

/// Of two that replace one template at the same time, one wins and the other learns it.
pub async fn are_replaced_by_two_at_once_without_loss(
    one: &dyn MetadataStore,
    other: &dyn MetadataStore,
) {
    let registry = home();
    let mut held = template("prod");
    one.create_template(&registry, &held, None).await.expect("a template");
    for round in 0..ROUNDS {
        let described =
            |who: &str| Template { description: Some(format!("{who} {round}")), ..held.clone() };
        let (left, right) = (described("left"), described("right"));
        let results = tokio::join!(
            one.replace_template(&registry, &held, &left),
            other.replace_template(&registry, &held, &right),
        );
        held = match results {
            (Ok(()), Err(Error::NotFound)) => left,
            (Err(Error::NotFound), Ok(())) => right,
            both => panic!("round {round}: {both:?}"),
        };
        assert_eq!(one.templates(&registry).await.expect("templates"), [held.clone()]);
    }
}

/// A deletion returns the template as it was, and touches no other.
pub async fn are_deleted_and_returned(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let [home, region, account] = three_registries();
    for registry in [&home, &region, &account] {
        one.create_template(registry, &full("prod/"), None).await.expect("one of each");
        one.create_template(registry, &template("prod/team"), None).await.expect("another");
    }
    let deleted = other.delete_template(&region, "prod").await.expect("the template by its key");
    assert_eq!(deleted, full("prod/"));
    assert_refused!(one.delete_template(&region, "prod").await, Error::NotFound);
    assert_eq!(one.templates(&region).await.expect("templates"), [template("prod/team")]);
    for registry in [&home, &account] {
        let listed = other.templates(registry).await.expect("templates");
        assert_eq!(listed, [full("prod/"), template("prod/team")]);
    }
    one.create_template(&region, &template("prod"), None).await.expect("a key that is free again");
}
