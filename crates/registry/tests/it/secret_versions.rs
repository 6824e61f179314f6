//! Secrets as they change: new versions and their labels, lists, tags, policies, the way back.

use std::sync::Arc;

use metadata::{PageRequest, SecretId, SecretStore as _, SqliteMetadata};
use registry::{
    DeleteSecret, ListSecrets, MoveStage, PutSecretValue, SecretAttribute, SecretError,
    SecretFilter, SecretOrder, SecretSelector, SecretValue, UpdateSecret,
};

use crate::{
    images::push_image,
    secrets::{value, word},
    world::{Setup, World, new_secret, until},
};

const DAY: i64 = 24 * 60 * 60 * 1000;

/// The id of the `n`th version.
fn id(n: usize) -> String {
    format!("{n:032}")
}

fn text(value: &str) -> SecretValue {
    SecretValue::Text(value.into())
}

async fn put(
    world: &World,
    n: usize,
    value: &str,
    stages: Option<&[&str]>,
) -> Result<Vec<String>, &'static str> {
    let put = PutSecretValue {
        client_request_token: Some(id(n)),
        value: text(value),
        stages: stages.map(|stages| stages.iter().map(ToString::to_string).collect()),
    };
    let put = world.registry.put_secret_value(&world.caller, "hub", put).await;
    put.map(|(_, version)| version.stages).map_err(|error| word(&error))
}

/// The labels of each version, oldest first: `1: AWSPREVIOUS, 2: AWSCURRENT`.
async fn labels(world: &World) -> String {
    let view = world.registry.describe_secret(&world.caller, "hub").await.unwrap();
    let versions = view.secret.versions.into_iter().map(|version| {
        format!("{}: {}", version.version_id.trim_start_matches('0'), version.stages.join(" "))
    });
    versions.collect::<Vec<_>>().join(", ")
}

async fn with_hub() -> World {
    let world = Setup::new().world().await;
    let mut create = new_secret("hub", Some("one"));
    create.client_request_token = Some(id(1));
    world.registry.create_secret(&world.caller, create).await.unwrap();
    world
}

#[tokio::test]
async fn a_new_value_is_in_force_and_the_old_one_is_the_previous() {
    let world = with_hub().await;
    assert_eq!(put(&world, 2, "two", None).await.unwrap(), ["AWSCURRENT"]);
    assert_eq!(labels(&world).await, "1: AWSPREVIOUS, 2: AWSCURRENT");
    assert_eq!(value(&world, &world.caller, "hub").await.unwrap(), "two");
    put(&world, 3, "three", None).await.unwrap();
    assert_eq!(labels(&world).await, "1: , 2: AWSPREVIOUS, 3: AWSCURRENT");
    // Without a label, but there, for who knows its id.
    let selector = SecretSelector { version_id: Some(id(1)), stage: None };
    let first = world.registry.secret_value(&world.caller, "hub", &selector).await.unwrap();
    assert_eq!(first.2.as_text(), Some("one"));

    assert_eq!(put(&world, 4, "four", Some(&["AWSPENDING"])).await.unwrap(), ["AWSPENDING"]);
    assert_eq!(value(&world, &world.caller, "hub").await.unwrap(), "three");
    put(&world, 5, "five", Some(&["AWSPENDING", "mine"])).await.unwrap();
    put(&world, 6, "six", Some(&["mine", "AWSCURRENT"])).await.unwrap();
    assert_eq!(
        labels(&world).await,
        "1: , 2: , 3: AWSPREVIOUS, 4: , 5: AWSPENDING, 6: mine AWSCURRENT"
    );
}

#[tokio::test]
async fn the_first_version_is_in_force_whatever_its_labels() {
    let world = Setup::new().world().await;
    world.registry.create_secret(&world.caller, new_secret("hub", None)).await.unwrap();
    put(&world, 1, "one", Some(&["AWSPENDING"])).await.unwrap();
    assert_eq!(labels(&world).await, "1: AWSCURRENT AWSPENDING");
}

#[tokio::test]
async fn a_repeated_put_is_harmless_and_another_value_is_refused() {
    let world = with_hub().await;
    put(&world, 2, "two", None).await.unwrap();
    put(&world, 3, "three", None).await.unwrap();
    let before = world.registry.describe_secret(&world.caller, "hub").await.unwrap();
    world.clock.advance(1);
    assert_eq!(put(&world, 2, "two", None).await.unwrap(), ["AWSPREVIOUS"]);
    assert_eq!(put(&world, 2, "other", None).await, Err("token in use"));
    let update = UpdateSecret {
        client_request_token: Some(id(3)),
        value: Some(SecretValue::Binary(b"three".to_vec().into())),
        ..UpdateSecret::default()
    };
    let refused = world.registry.update_secret(&world.caller, "hub", update).await;
    assert_eq!(refused.map_err(|error| word(&error)).err(), Some("token in use"));
    let after = world.registry.describe_secret(&world.caller, "hub").await.unwrap();
    assert_eq!(after.secret, before.secret);
}

#[tokio::test]
async fn what_is_wrong_with_a_version_is_named() {
    let world = with_hub().await;
    let long = "s".repeat(257);
    let many: Vec<String> = (0..21).map(|n| format!("label-{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for (value, stages, expected) in [
        ("x".repeat(65_537), None, Some("SecretString")),
        ("x".to_owned(), Some(&[][..]), Some("VersionStages")),
        ("x".to_owned(), Some(&[""][..]), Some("VersionStages")),
        ("x".to_owned(), Some(&[long.as_str()][..]), Some("VersionStages")),
        ("x".to_owned(), Some(&many[..]), Some("VersionStages")),
        // The secret has AWSCURRENT already.
        ("x".to_owned(), Some(&many[..20]), Some("staging labels")),
        ("x".to_owned(), Some(&many[..19]), None),
    ] {
        assert_eq!(put(&world, 2, &value, stages).await.err(), expected, "{stages:?}");
    }
    let put = PutSecretValue {
        client_request_token: Some("short".to_owned()),
        value: text("x"),
        stages: None,
    };
    let refused = world.registry.put_secret_value(&world.caller, "hub", put).await;
    assert_eq!(refused.map_err(|error| word(&error)).err(), Some("ClientRequestToken"));
}

#[tokio::test]
async fn a_hundred_versions_are_kept_and_young_ones_always() {
    let world = with_hub().await;
    for n in 2..=100 {
        put(&world, n, "x", None).await.unwrap();
    }
    assert_eq!(put(&world, 101, "x", None).await, Err("versions"));
    world.clock.advance(DAY - 1);
    assert_eq!(put(&world, 101, "x", None).await, Err("versions"));
    world.clock.advance(1);
    put(&world, 101, "x", None).await.unwrap();
    let labels = labels(&world).await;
    assert!(
        labels.starts_with("2: , 3: ,") && labels.ends_with("100: AWSPREVIOUS, 101: AWSCURRENT")
    );
}

#[tokio::test]
async fn labels_move_only_from_where_the_caller_believes_them() {
    let world = with_hub().await;
    put(&world, 2, "two", None).await.unwrap();
    put(&world, 3, "three", Some(&["AWSPENDING"])).await.unwrap();
    let step = async |stage: &str, from: Option<usize>, to: Option<usize>| {
        let step = MoveStage { stage: stage.to_owned(), from: from.map(id), to: to.map(id) };
        let moved = world.registry.move_secret_stage(&world.caller, "hub", &step).await;
        moved.map(|_| ()).map_err(|error| word(&error))
    };
    for (stage, from, to, expected) in [
        ("AWSCURRENT", None, None, "MoveToVersionId"),
        ("AWSCURRENT", Some(2), None, "MoveToVersionId"),
        ("AWSCURRENT", Some(1), Some(3), "RemoveFromVersionId"),
        ("AWSCURRENT", None, Some(3), "RemoveFromVersionId"),
        ("AWSCURRENT", Some(2), Some(9), "no such version"),
        ("AWSPENDING", Some(9), None, "no such version"),
        ("new", Some(1), None, "RemoveFromVersionId"),
        ("", None, Some(1), "VersionStage"),
    ] {
        assert_eq!(step(stage, from, to).await, Err(expected), "{stage} {from:?} {to:?}");
    }
    assert_eq!(labels(&world).await, "1: AWSPREVIOUS, 2: AWSCURRENT, 3: AWSPENDING");
    // Forward, as the end of a rotation does, and back again.
    step("AWSCURRENT", Some(2), Some(3)).await.unwrap();
    assert_eq!(labels(&world).await, "1: , 2: AWSPREVIOUS, 3: AWSPENDING AWSCURRENT");
    step("AWSCURRENT", Some(3), Some(2)).await.unwrap();
    assert_eq!(labels(&world).await, "1: , 2: AWSCURRENT, 3: AWSPENDING AWSPREVIOUS");
    step("AWSPENDING", Some(3), None).await.unwrap();
    step("mine", None, Some(1)).await.unwrap();
    step("mine", None, Some(1)).await.unwrap();
    assert_eq!(labels(&world).await, "1: mine, 2: AWSCURRENT, 3: AWSPREVIOUS");
    assert_eq!(value(&world, &world.caller, "hub").await.unwrap(), "two");
}

#[tokio::test]
async fn an_update_changes_what_it_names() {
    let world = with_hub().await;
    let update = async |update| {
        let updated = world.registry.update_secret(&world.caller, "hub", update).await.unwrap();
        updated.1.map(|version| version.version_id)
    };
    world.clock.advance(5);
    let described =
        UpdateSecret { description: Some("the hub".to_owned()), ..UpdateSecret::default() };
    assert_eq!(update(described).await, None);
    let valued = UpdateSecret {
        client_request_token: Some(id(2)),
        kms_key_id: Some("alias/own".to_owned()),
        value: Some(text("two")),
        ..UpdateSecret::default()
    };
    assert_eq!(update(valued).await, Some(id(2)));
    let secret = world.registry.describe_secret(&world.caller, "hub").await.unwrap().secret;
    assert_eq!(secret.description.as_deref(), Some("the hub"));
    assert_eq!(secret.kms_key_id.as_deref(), Some("alias/own"));
    assert_eq!(secret.changed_at.0, secret.created_at.0 + 5);
    assert_eq!(labels(&world).await, "1: AWSPREVIOUS, 2: AWSCURRENT");
}

#[tokio::test]
async fn versions_come_in_pages() {
    let world = with_hub().await;
    for n in 2..=4 {
        put(&world, n, "x", None).await.unwrap();
    }
    let list = async |include: bool, after: Option<String>, limit: usize| {
        let page = PageRequest { after, limit };
        let listed = world.registry.secret_versions(&world.caller, "hub", include, &page).await;
        let (_, page) = listed.map_err(|error| word(&error))?;
        let ids: Vec<_> = page.items.into_iter().map(|version| version.version_id).collect();
        Ok::<_, &str>((ids, page.next))
    };
    assert_eq!(list(false, None, 9).await, Ok((vec![id(3), id(4)], None)));
    assert_eq!(list(true, None, 3).await, Ok((vec![id(1), id(2), id(3)], Some(id(3)))));
    assert_eq!(list(true, Some(id(3)), 3).await, Ok((vec![id(4)], None)));
    assert_eq!(list(true, None, 4).await.unwrap().1, None);
    assert_eq!(list(true, Some(id(9)), 3).await, Err("NextToken"));
}

#[tokio::test]
async fn a_scheduled_secret_is_left_alone_until_it_is_restored() {
    let world = with_hub().await;
    world.registry.delete_secret(&world.caller, "hub", DeleteSecret::default()).await.unwrap();
    let (registry, caller) = (&world.registry, &world.caller);
    let tag = [("k".to_owned(), "v".to_owned())];
    let step = MoveStage { stage: "x".to_owned(), from: None, to: Some(id(1)) };
    let refusals: [Option<SecretError>; 6] = [
        registry.update_secret(caller, "hub", UpdateSecret::default()).await.err(),
        registry.move_secret_stage(caller, "hub", &step).await.err(),
        registry.tag_secret(caller, "hub", &tag).await.err(),
        registry.untag_secret(caller, "hub", &["k".to_owned()]).await.err(),
        registry.secret_policy(caller, "hub").await.err(),
        registry.set_secret_policy(caller, "hub", None, false).await.err(),
    ];
    for refusal in refusals {
        assert_eq!(refusal.as_ref().map(word), Some("scheduled"));
    }
    assert_eq!(put(&world, 2, "two", None).await, Err("scheduled"));
    for _ in 0..2 {
        let restored = registry.restore_secret(caller, "hub").await.unwrap().secret;
        assert_eq!((restored.delete_after, restored.deleted_at), (None, None));
    }
    assert_eq!(value(&world, caller, "hub").await.unwrap(), "one");
    world.clock.advance(31 * DAY);
    assert_eq!(value(&world, caller, "hub").await.unwrap(), "one");
    let absent = registry.restore_secret(caller, "none").await;
    assert_eq!(absent.map_err(|error| word(&error)).err(), Some("not found"));
}

#[tokio::test]
async fn tags_are_set_replaced_and_removed() {
    let world = with_hub().await;
    let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let tag = async |tags: &[(String, String)]| {
        let tagged = world.registry.tag_secret(&world.caller, "hub", tags).await;
        tagged.map(|view| view.secret.tags).map_err(|error| word(&error))
    };
    tag(&pairs(&[("a", "1"), ("b", "2")])).await.unwrap();
    let tags = tag(&pairs(&[("c", ""), ("a", "3")])).await.unwrap();
    assert_eq!(tags, pairs(&[("a", "3"), ("b", "2"), ("c", "")]));
    let keys = ["b".to_owned(), "never".to_owned()];
    let untagged = world.registry.untag_secret(&world.caller, "hub", &keys).await.unwrap();
    assert_eq!(untagged.secret.tags, pairs(&[("a", "3"), ("c", "")]));

    let numbered = |range: std::ops::Range<usize>| -> Vec<(String, String)> {
        range.map(|n| (format!("n{n}"), String::new())).collect()
    };
    for (tags, expected) in [
        (pairs(&[("", "x")]), "Tags"),
        (pairs(&[(&"k".repeat(129), "x")]), "Tags"),
        (pairs(&[("k", &"v".repeat(257))]), "Tags"),
        (pairs(&[("AWS:k", "x")]), "Tags"),
        (pairs(&[("k", "1"), ("k", "2")]), "Tags"),
        (numbered(0..49), "tags"),
    ] {
        assert_eq!(tag(&tags).await, Err(expected));
    }
    assert_eq!(tag(&numbered(0..48)).await.unwrap().len(), 50);
}

#[tokio::test]
async fn policies_are_kept_as_sent_or_refused() {
    let world = with_hub().await;
    let set = async |policy: Option<&str>, block_public| {
        let set =
            world.registry.set_secret_policy(&world.caller, "hub", policy, block_public).await;
        set.map(|_| ()).map_err(|error| word(&error))
    };
    let held = async || {
        world.registry.secret_policy(&world.caller, "hub").await.unwrap().secret.resource_policy
    };
    let with = |principal: &str, rest: &str| {
        format!(
            r#"{{ "Version":"2012-10-17", "Statement":[{{"Effect":"Allow","Principal":{principal},"Action":"secretsmanager:GetSecretValue","Resource":"*"{rest}}}] }}"#
        )
    };
    assert_eq!(held().await, None);
    let good = with(r#"{"AWS":"arn:aws:iam::000000000000:root"}"#, "");
    set(Some(&good), true).await.unwrap();
    assert_eq!(held().await.as_deref(), Some(&*good));
    for (policy, block_public, expected) in [
        ("", false, "ResourcePolicy"),
        ("{", false, "malformed"),
        ("[]", false, "malformed"),
        ("{}", false, "malformed"),
        (r#"{"Statement":[]}"#, false, "malformed"),
        (r#"{"Statement":[1]}"#, false, "malformed"),
        (&good.replace("2012", "2013"), false, "malformed"),
        (&good.replace("Allow", "allow"), false, "malformed"),
        (&good.replace("Action", "Deed"), false, "malformed"),
        (&with(r#""*""#, ""), true, "public"),
        (&with(r#"{"AWS":["1","*"]}"#, ""), true, "public"),
        (&good.replace("Principal", "NotPrincipal"), true, "public"),
    ] {
        assert_eq!(set(Some(policy), block_public).await, Err(expected), "{policy}");
        assert_eq!(held().await.as_deref(), Some(&*good));
    }
    set(Some(&with(r#""*""#, "")), false).await.unwrap();
    set(Some(&with(r#""*""#, r#","Condition":{}"#)), true).await.unwrap();
    set(None, false).await.unwrap();
    set(None, false).await.unwrap();
    assert_eq!(held().await, None);
}

/// Names of the secrets that match, page by page.
async fn listed(world: &World, list: &ListSecrets, limit: usize) -> Vec<String> {
    let mut page = PageRequest::first(limit);
    let mut pages = Vec::new();
    loop {
        let found = world.registry.secrets(&world.caller, list, &page).await.unwrap();
        let names = found.items.into_iter().map(|view| {
            assert!(view.arn.contains(&view.secret.name), "{}", view.arn);
            assert!(view.secret.versions.iter().all(|version| version.sealed_value.is_empty()));
            view.secret.name
        });
        pages.push(names.collect::<Vec<_>>().join(" "));
        page.after = found.next;
        if page.after.is_none() {
            return pages;
        }
    }
}

#[tokio::test]
async fn secrets_are_listed_by_what_they_match() {
    let world = Setup::new().world().await;
    for (name, description, key, tag) in [
        ("ecr/hub", "Docker Hub", "team", "web"),
        ("ecr/quay", "Quay of the web team", "Team", "infra"),
        ("other", "old", "owner", "Web"),
    ] {
        let mut create = new_secret(name, Some("x"));
        create.description = Some(description.to_owned());
        create.tags = vec![(key.to_owned(), tag.to_owned())];
        world.registry.create_secret(&world.caller, create).await.unwrap();
    }
    use SecretAttribute::*;
    for (filters, expected) in [
        (&[][..], "ecr/hub ecr/quay other"),
        (&[(Name, &["ecr/"][..])][..], "ecr/hub ecr/quay"),
        (&[(Name, &["hub"])], ""),
        (&[(Name, &["ECR"])], ""),
        (&[(Name, &["!ecr/"])], "other"),
        (&[(Name, &["ecr/", "!ecr/q"])], "ecr/hub"),
        (&[(Name, &["ecr/q", "oth"])], "ecr/quay other"),
        (&[(Description, &["docker"])], "ecr/hub"),
        (&[(Description, &["hub"])], ""),
        (&[(TagKey, &["team"])], "ecr/hub"),
        (&[(TagValue, &["w", "W"])], "ecr/hub other"),
        (&[(TagValue, &["!w"])], "ecr/quay other"),
        (&[(All, &["WEB"])], "ecr/hub ecr/quay other"),
        (&[(All, &["web quay"])], "ecr/quay"),
        (&[(All, &["!web"])], ""),
        (&[(Name, &["ecr/"]), (TagKey, &["t"])], "ecr/hub"),
        (&[(PrimaryRegion, &["us"])], ""),
        (&[(OwningService, &["!rds"])], "ecr/hub ecr/quay other"),
    ] {
        let filters = filters.iter().map(|(attribute, values)| SecretFilter {
            attribute: *attribute,
            values: values.iter().map(ToString::to_string).collect(),
        });
        let list = ListSecrets { filters: filters.collect(), ..ListSecrets::default() };
        assert_eq!(listed(&world, &list, 10).await, [expected], "{:?}", list.filters);
    }
}

#[tokio::test]
async fn lists_have_an_order_and_pages() {
    let world = Setup::new().world().await;
    for name in ["b", "c", "a", "d"] {
        world.registry.create_secret(&world.caller, new_secret(name, None)).await.unwrap();
        world.clock.advance(1);
    }
    let changed = UpdateSecret { description: Some("x".to_owned()), ..UpdateSecret::default() };
    world.registry.update_secret(&world.caller, "c", changed).await.unwrap();
    world.registry.delete_secret(&world.caller, "d", DeleteSecret::default()).await.unwrap();
    for (order, descending, include_scheduled, expected) in [
        (SecretOrder::CreatedAt, false, true, ["b c a", "d"]),
        (SecretOrder::CreatedAt, true, true, ["d a c", "b"]),
        (SecretOrder::Name, false, true, ["a b c", "d"]),
        (SecretOrder::Name, true, true, ["d c b", "a"]),
        (SecretOrder::ChangedAt, false, true, ["b a c", "d"]),
        (SecretOrder::CreatedAt, false, false, ["b c a", ""]),
    ] {
        let list = ListSecrets { order, descending, include_scheduled, ..ListSecrets::default() };
        let pages = listed(&world, &list, 3).await;
        let expected: Vec<_> = expected.into_iter().filter(|page| !page.is_empty()).collect();
        assert_eq!(pages, expected, "{order:?} {descending}");
    }
    for after in ["", "nowhere", "x:a"] {
        let page = PageRequest { after: Some(after.to_owned()), limit: 3 };
        let list = ListSecrets::default();
        let refused = world.registry.secrets(&world.caller, &list, &page).await;
        assert_eq!(refused.map_err(|error| word(&error)).err(), Some("NextToken"), "{after}");
    }
}

#[tokio::test]
async fn changes_made_at_once_lose_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut setup = Setup::new();
    let store = SqliteMetadata::open(directory.path().join("facts.db")).await.unwrap();
    setup.metadata = Arc::new(store);
    let world = setup.world().await;
    world.registry.create_secret(&world.caller, new_secret("hub", None)).await.unwrap();
    let tag = async |n: usize| {
        let tag = [(format!("k{n}"), String::new())];
        world.registry.tag_secret(&world.caller, "hub", &tag).await.map(|_| ())
    };
    let done = tokio::join!(tag(1), tag(2), tag(3), tag(4), put(&world, 1, "x", None));
    assert!(done.0.is_ok() && done.1.is_ok() && done.2.is_ok() && done.3.is_ok());
    assert!(done.4.is_ok());
    let by_name = SecretId::Name("hub".to_owned());
    let held = world.metadata.secret(&world.caller.registry, &by_name, world.now()).await.unwrap();
    assert_eq!((held.tags.len(), held.versions.len()), (4, 1));
}

/// Rotation in place: nothing about the rule changes, and its next pull uses the new value.
#[tokio::test]
async fn the_next_pull_of_a_rule_uses_the_new_value() {
    let world = Setup::new().world().await;
    let arn = world.credentials("hub", "alice", "old").await;
    world.upstream.require_basic("alice", "old");
    world.rule("hub", |rule| rule.credential_arn = Some(arn.clone())).await;
    for (n, repository) in ["one", "two", "three"].into_iter().enumerate() {
        push_image(&world.upstream, repository, Some("v1"), &[repository]);
        if n > 0 {
            let token = format!("new-{n}");
            world.upstream.require_basic("alice", &token);
            let refused = world.pull(&format!("hub/{repository}"), "v1").await;
            assert!(refused.is_err(), "the old value no longer opens {repository}");
            let account = format!(r#"{{"username":"alice","accessToken":"{token}"}}"#);
            let value = text(&account);
            if n == 1 {
                let put = PutSecretValue { client_request_token: None, value, stages: None };
                world.registry.put_secret_value(&world.caller, &arn, put).await.unwrap();
            } else {
                let update = UpdateSecret { value: Some(value), ..UpdateSecret::default() };
                world.registry.update_secret(&world.caller, "hub", update).await.unwrap();
            }
        }
        world.pull(&format!("hub/{repository}"), "v1").await.unwrap();
    }
}

/// A secret past its deletion date is hidden at once; whoever starts next takes it out of the store.
#[tokio::test]
async fn secrets_past_their_date_leave_the_store() {
    let mut world = with_hub().await;
    let window = DeleteSecret { force: false, recovery_window_days: Some(7) };
    world.registry.delete_secret(&world.caller, "hub", window).await.unwrap();
    world.registry.create_secret(&world.caller, new_secret("live", Some("x"))).await.unwrap();
    let registry = world.caller.registry.clone();
    // Asked as of the beginning, the store tells what it holds, hidden or not.
    let beginning = world.now();
    let by_name = SecretId::Name("hub".to_owned());
    world.clock.advance(7 * DAY - 1);
    world.restart(|_| {}).await;
    world.metadata.followed().await;
    assert!(world.metadata.secret(&registry, &by_name, beginning).await.is_ok());
    world.clock.advance(1);
    assert_eq!(value(&world, &world.caller, "hub").await, Err("not found"));
    assert!(world.metadata.secret(&registry, &by_name, beginning).await.is_ok());
    world.restart(|_| {}).await;
    until("the secret has left the store", || async {
        world.metadata.secret(&registry, &by_name, beginning).await.is_err()
    })
    .await;
    assert_eq!(value(&world, &world.caller, "live").await.unwrap(), "x");
}
