//! Repository creation templates: how they are kept, and what they do to a repository that a pull
//! brings into being.

use std::sync::Arc;

use metadata::{
    AppliedFor, Encryption, MemoryMetadata, PageRequest, Repository, RepositorySettings,
    RepositoryStore as _, TagMutability, Template,
};
use oci::Digest;
use registry::{PullError, StorageError, TemplateError, TemplateFault, TemplateFields};
use testkit::{FailingMetadata, MetadataOperation, manifest_path};

use crate::{
    images::push_image,
    world::{ACCOUNT, REGION, Setup, World, registry_id, repository, root},
};

const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"ecr:BatchGetImage"}]}"#;
const LIFECYCLE: &str = r#"{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"imageCountMoreThan","countNumber":3},"action":{"type":"expire"}}]}"#;
const KEY: &str = "arn:aws:kms:us-east-1:000000000000:key/1234abcd-12ab-34cd-56ef-1234567890ab";

fn role(account: &str) -> String {
    format!("arn:aws:iam::{account}:role/templates")
}

/// For pulls, and nothing else.
fn bare() -> TemplateFields {
    TemplateFields {
        applied_for: Some(vec![AppliedFor::PullThroughCache]),
        ..TemplateFields::default()
    }
}

/// For pulls, told apart by its description and by the tag of the repositories it makes.
fn tagged(team: &str) -> TemplateFields {
    TemplateFields {
        description: Some(team.to_owned()),
        tags: Some(vec![("team".to_owned(), team.to_owned())]),
        ..bare()
    }
}

/// Everything that a template can set.
fn full() -> TemplateFields {
    TemplateFields {
        description: Some("for all of us".to_owned()),
        applied_for: Some(vec![AppliedFor::CreateOnPush, AppliedFor::PullThroughCache]),
        tag_mutability: Some(TagMutability::ImmutableWithExclusion(vec!["dev-*".to_owned()])),
        encryption: Some(Encryption::Kms { kms_key: Some(KEY.to_owned()) }),
        tags: Some(vec![("team".to_owned(), "a".to_owned()), ("empty".to_owned(), String::new())]),
        repository_policy: Some(POLICY.to_owned()),
        lifecycle_policy: Some(LIFECYCLE.to_owned()),
        custom_role_arn: Some(role(ACCOUNT)),
    }
}

fn full_settings() -> RepositorySettings {
    RepositorySettings {
        tag_mutability: TagMutability::ImmutableWithExclusion(vec!["dev-*".to_owned()]),
        encryption: Encryption::Kms { kms_key: Some(KEY.to_owned()) },
        repository_policy: Some(POLICY.to_owned()),
        lifecycle_policy: Some(LIFECYCLE.to_owned()),
        tags: vec![("team".to_owned(), "a".to_owned()), ("empty".to_owned(), String::new())],
        ..RepositorySettings::default()
    }
}

impl World {
    async fn template(&self, prefix: &str, fields: TemplateFields) -> Template {
        self.registry.create_template(&self.caller, prefix, fields).await.unwrap()
    }

    async fn described(
        &self,
        prefixes: &[&str],
        page: PageRequest,
    ) -> (Vec<Template>, Option<String>) {
        let prefixes: Vec<_> = prefixes.iter().map(ToString::to_string).collect();
        let found = self.registry.templates(&self.caller, &prefixes, &page).await.unwrap();
        (found.items, found.next)
    }

    async fn repository(&self, name: &str) -> Repository {
        self.metadata.repository(&self.caller.registry, &repository(name)).await.unwrap()
    }

    /// The team that the repository's template wrote into its tags.
    async fn team(&self, name: &str) -> Option<String> {
        self.repository(name).await.settings.tags.into_iter().next().map(|(_, team)| team)
    }
}

async fn strict() -> World {
    let mut setup = Setup::new();
    setup.settings.strict_ecr = true;
    // A rule of strict mode could not name the upstream of a test.
    let upstream = testkit::ScriptedUpstream::start().await;
    setup.declare(REGION, "hub", &upstream.url());
    setup.world_on(upstream).await
}

#[tokio::test]
async fn a_template_is_echoed_as_typed_and_what_is_absent_is_as_ecr_sets_it() {
    let world = Setup::new().world().await;
    let created = world.template("prod/", full()).await;
    assert_eq!(created.prefix.as_str(), "prod/");
    assert_eq!(created.description.as_deref(), Some("for all of us"));
    assert_eq!(created.applied_for, full().applied_for.unwrap());
    assert_eq!(created.settings, full_settings());
    assert_eq!(created.custom_role_arn, Some(role(ACCOUNT)));
    assert_eq!((created.created_at, created.updated_at), (world.now(), world.now()));

    let nothing = TemplateFields { applied_for: Some(Vec::new()), ..TemplateFields::default() };
    let least = world.template("a", nothing).await;
    assert_eq!((least.description, least.custom_role_arn), (None, None));
    assert_eq!((least.applied_for, least.settings), (Vec::new(), RepositorySettings::default()));
    let held = world.described(&["prod"], PageRequest::first(9)).await.0;
    assert_eq!(held, std::slice::from_ref(&created));
    for spelling in ["prod", "prod/"] {
        let again = world.registry.create_template(&world.caller, spelling, bare()).await;
        let Err(TemplateError::AlreadyExists { prefix, .. }) = again else { panic!("{again:?}") };
        assert_eq!(prefix, spelling);
    }
    let deleted = world.registry.delete_template(&world.caller, "prod").await.unwrap();
    assert_eq!(deleted, created);
    let gone = world.registry.delete_template(&world.caller, "prod/").await;
    assert!(matches!(gone, Err(TemplateError::NotFound { .. })), "{gone:?}");
    assert!(world.upstream.requests().is_empty());
}

#[tokio::test]
async fn templates_are_listed_by_prefix_in_pages_and_an_unknown_one_is_left_out() {
    let world = Setup::new().world().await;
    for prefix in ["prod/team", "b", "ROOT", "prod/", "c/"] {
        world.template(prefix, bare()).await;
    }
    let elsewhere = root("eu-west-1");
    world.registry.create_template(&elsewhere, "elsewhere", bare()).await.unwrap();
    let typed = |templates: Vec<Template>| -> Vec<String> {
        templates.into_iter().map(|template| template.prefix.to_string()).collect()
    };
    let (mut seen, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = PageRequest { after: after.take(), limit: 2 };
        let (items, next) = world.described(&[], page).await;
        seen.extend(typed(items));
        pages += 1;
        after = next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(
        (seen, pages),
        (["ROOT", "b", "c/", "prod/", "prod/team"].map(String::from).into(), 3)
    );
    let named = ["prod/team/", "none", "c", "elsewhere", "ROOT"];
    let (first, next) = world.described(&named, PageRequest::first(2)).await;
    assert_eq!(typed(first), ["ROOT", "c/"]);
    let (rest, end) = world.described(&named, PageRequest { after: next, limit: 2 }).await;
    assert_eq!((typed(rest), end), (vec!["prod/team".to_owned()], None));
}

#[tokio::test]
async fn an_update_sets_what_is_given_and_an_empty_text_takes_away() {
    let world = Setup::new().world().await;
    let mut expected = world.template("prod/", full()).await;
    world.clock.advance(1000);
    let update =
        |fields: TemplateFields| world.registry.update_template(&world.caller, "prod", fields);

    let role_only =
        TemplateFields { custom_role_arn: Some(role("999999999999")), ..TemplateFields::default() };
    expected.custom_role_arn = role_only.custom_role_arn.clone();
    expected.updated_at = world.now();
    assert_eq!(update(role_only).await.unwrap(), expected);
    assert!(expected.created_at < expected.updated_at);

    let others = TemplateFields {
        applied_for: Some(Vec::new()),
        tag_mutability: Some(TagMutability::Mutable),
        encryption: Some(Encryption::KmsDsse { kms_key: None }),
        tags: Some(vec![("b".to_owned(), "c".to_owned())]),
        ..TemplateFields::default()
    };
    expected.applied_for = Vec::new();
    expected.settings.tag_mutability = TagMutability::Mutable;
    expected.settings.encryption = Encryption::KmsDsse { kms_key: None };
    expected.settings.tags = vec![("b".to_owned(), "c".to_owned())];
    assert_eq!(update(others).await.unwrap(), expected);

    let nothing_left = TemplateFields {
        description: Some(String::new()),
        tags: Some(Vec::new()),
        repository_policy: Some(String::new()),
        lifecycle_policy: Some(String::new()),
        custom_role_arn: Some(String::new()),
        ..TemplateFields::default()
    };
    let left = update(nothing_left).await.unwrap();
    assert_eq!((left.description.clone(), left.custom_role_arn.clone()), (None, None));
    let encryption = Encryption::KmsDsse { kms_key: None };
    assert_eq!(left.settings, RepositorySettings { encryption, ..RepositorySettings::default() });
    assert_eq!(world.described(&[], PageRequest::first(9)).await.0, [left]);
    let none = world.registry.update_template(&world.caller, "prod/team", bare()).await;
    assert!(matches!(none, Err(TemplateError::NotFound { .. })), "{none:?}");
}

#[tokio::test]
async fn what_breaks_a_constraint_is_named_before_anything_else() {
    let (world, strict) = (Setup::new().world().await, strict().await);
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let tags = |tags: Vec<(String, String)>| TemplateFields { tags: Some(tags), ..bare() };
    let many = (0..51).map(|at| pair(&at.to_string(), "")).collect();
    let key = |key: &str| TemplateFields {
        encryption: Some(Encryption::Kms { kms_key: Some(key.to_owned()) }),
        ..bare()
    };
    let policy = |text: String| TemplateFields { repository_policy: Some(text), ..bare() };
    let lifecycle = |text: String| TemplateFields { lifecycle_policy: Some(text), ..bare() };
    let by_role = |arn: String| TemplateFields { custom_role_arn: Some(arn), ..bare() };
    for (fields, field) in [
        (TemplateFields { description: Some("x".repeat(257)), ..bare() }, "description"),
        (key("alias/mine"), "encryptionConfiguration.kmsKey"),
        (tags(many), "resourceTags"),
        (tags(vec![pair("", "x")]), "resourceTags"),
        (tags(vec![pair(&"k".repeat(129), "x")]), "resourceTags"),
        (tags(vec![pair("k", &"v".repeat(257))]), "resourceTags"),
        (tags(vec![pair("aws:k", "v")]), "resourceTags"),
        (tags(vec![pair("k", "v"), pair("k", "w")]), "resourceTags"),
        (policy("{".to_owned()), "repositoryPolicy"),
        (policy("[]".to_owned()), "repositoryPolicy"),
        (policy(POLICY.replace("Allow", &"x".repeat(10_241))), "repositoryPolicy"),
        (lifecycle("{".to_owned()), "lifecyclePolicy"),
        (lifecycle(r#"{"rules":[]}"#.to_owned()), "lifecyclePolicy"),
        (lifecycle(LIFECYCLE.replace("expire", &"x".repeat(30_721))), "lifecyclePolicy"),
        (by_role("role".to_owned()), "customRoleArn"),
        (by_role(format!("arn:{}", "x".repeat(2048))), "customRoleArn"),
    ] {
        for world in [&world, &strict] {
            // Nothing has this prefix: what is wrong with the fields is said first.
            let created = world.registry.create_template(&world.caller, "prod", fields.clone());
            let updated = world.registry.update_template(&world.caller, "prod", fields.clone());
            for refused in [created.await, updated.await] {
                let Err(TemplateError::Invalid { field: named, .. }) = &refused else {
                    panic!("{field}: {refused:?}")
                };
                assert_eq!(*named, field);
            }
        }
    }
    for prefix in ["", "Prod", "a//b"] {
        let refused = world.registry.create_template(&world.caller, prefix, bare()).await;
        assert!(matches!(refused, Err(TemplateError::Invalid { field: "prefix", .. })));
    }
    assert_eq!(world.described(&[], PageRequest::first(9)).await.0, []);

    // "This role must be in the same account as the registry": in strict mode only.
    let foreign = || by_role(role("999999999999"));
    world.template("foreign", foreign()).await;
    let refused = strict.registry.create_template(&strict.caller, "foreign", foreign()).await;
    assert!(matches!(refused, Err(TemplateError::Invalid { field: "customRoleArn", .. })));
    strict.template("own", by_role(role(ACCOUNT))).await;
}

#[tokio::test]
async fn the_number_of_templates_can_be_limited() {
    let mut setup = Setup::new();
    setup.settings.templates_max = Some(1);
    let world = setup.world().await;
    world.template("one", bare()).await;
    let more = world.registry.create_template(&world.caller, "two", bare()).await;
    assert!(matches!(more, Err(TemplateError::LimitExceeded { limit: 1 })), "{more:?}");
}

#[tokio::test]
async fn a_first_pull_sets_what_the_template_says_and_without_one_what_ecr_does() {
    let world = World::with_hub().await;
    push_image(&world.upstream, "app", Some("1"), &["x"]);
    push_image(&world.upstream, "other", Some("1"), &["y"]);
    let by_digest = push_image(&world.upstream, "digest", None, &["z"]);
    world.template("hub/app", bare()).await;
    world.pull("hub/app", "1").await.unwrap();
    assert_eq!(world.repository("hub/app").await.settings, RepositorySettings::default());

    world.template("hub", full()).await;
    world.pull("hub/other", "1").await.unwrap();
    let made = world.repository("hub/other").await;
    assert_eq!((made.settings, made.created_at), (full_settings(), world.now()));
    world.stat("hub/digest", by_digest.digest.as_str()).await.unwrap();
    assert_eq!(world.repository("hub/digest").await.settings, full_settings());
    // That of the repository which was there stays as it was.
    world.pull("hub/app", "1").await.unwrap();
    assert_eq!(world.repository("hub/app").await.settings, RepositorySettings::default());
}

#[tokio::test]
async fn a_blob_before_its_manifest_finds_the_template_too() {
    let world = World::with_hub().await;
    let digest = world.upstream.add_blob("app", "bytes");
    world.template("hub/", full()).await;
    assert_eq!(&world.blob("hub/app", &digest).await.unwrap()[..], b"bytes");
    world.fills_ended(1).await;
    assert_eq!(world.repository("hub/app").await.settings, full_settings());
}

#[tokio::test]
async fn the_longest_prefix_for_pulls_wins_and_root_comes_last() {
    let world = Setup::new().world().await.and_hub().await;
    world.rule("mirror", |_| {}).await;
    for name in ["app", "team/app", "team/deep/app", "teams/app"] {
        push_image(&world.upstream, name, Some("1"), &[name]);
    }
    world.template("ROOT", tagged("root")).await;
    world.template("hub", tagged("hub")).await;
    world.template("hub/team/", tagged("team")).await;
    let for_pushes = TemplateFields {
        applied_for: Some(vec![AppliedFor::CreateOnPush, AppliedFor::Replication]),
        ..tagged("push")
    };
    world.template("hub/team/deep", for_pushes).await;
    for (name, team) in [
        ("mirror/app", "root"),
        ("hub/app", "hub"),
        ("hub/teams/app", "hub"),
        ("hub/team/app", "team"),
        ("hub/team/deep/app", "team"),
    ] {
        world.pull(name, "1").await.unwrap();
        assert_eq!(world.team(name).await.as_deref(), Some(team), "{name}");
    }
    // Templates are a registry's own.
    let elsewhere = registry_id("eu-west-1");
    assert_eq!(world.setup.metadata.templates(&elsewhere).await.unwrap(), []);
}

#[tokio::test]
async fn later_changes_of_a_template_touch_no_repository_that_is_there() {
    let world = World::with_hub().await;
    let [one, two] =
        ["one", "two"].map(|name| push_image(&world.upstream, name, Some("1"), &[name]));
    world.template("hub", tagged("before")).await;
    world.pull("hub/one", "1").await.unwrap();
    let after = TemplateFields {
        tags: Some(vec![("team".to_owned(), "after".to_owned())]),
        ..TemplateFields::default()
    };
    world.registry.update_template(&world.caller, "hub", after).await.unwrap();
    world.pull("hub/two", "1").await.unwrap();
    world.pull("hub/one", one.digest.as_str()).await.unwrap();
    world.blob("hub/one", &one.layers[0]).await.unwrap();
    world.fills_ended(1).await;
    assert_eq!(world.team("hub/one").await.as_deref(), Some("before"));
    assert_eq!(world.team("hub/two").await.as_deref(), Some("after"));
    world.registry.delete_template(&world.caller, "hub").await.unwrap();
    world.blob("hub/two", &two.layers[0]).await.unwrap();
    world.fills_ended(2).await;
    assert_eq!(world.team("hub/two").await.as_deref(), Some("after"));
}

/// Asserts that a pull was refused for what is wrong with a template.
#[track_caller]
fn assert_fault(refused: &PullError, prefix: &str, fault: TemplateFault) {
    let PullError::Template { repository, prefix: named, fault: found, .. } = refused else {
        panic!("{refused:?}")
    };
    assert_eq!((repository.as_str(), named.as_str(), *found), ("hub/app", prefix, fault));
}

#[tokio::test]
async fn in_strict_mode_tags_and_kms_need_a_role() {
    let world = strict().await;
    let image = push_image(&world.upstream, "app", Some("1"), &["x"]);
    let kms = TemplateFields {
        encryption: Some(Encryption::Kms { kms_key: None }),
        ..TemplateFields::default()
    };
    let update = |fields| world.registry.update_template(&world.caller, "hub/", fields);
    world.template("hub/", tagged("a")).await;
    let refused = world.pull("hub/app", "1").await.unwrap_err();
    assert_fault(&refused, "hub/", TemplateFault::TagsNeedRole);
    let refused = world.open_blob("hub/app", &image.layers[0]).await.unwrap_err();
    assert_fault(&refused, "hub/", TemplateFault::TagsNeedRole);
    update(TemplateFields { tags: Some(Vec::new()), ..kms }).await.unwrap();
    let refused = world.stat("hub/app", image.digest.as_str()).await.unwrap_err();
    assert_fault(&refused, "hub/", TemplateFault::KmsNeedsRole);
    assert!(!world.has_repository("hub/app").await);
    assert!(world.upstream.requests().is_empty(), "nothing is fetched in vain");

    let by_role = TemplateFields { custom_role_arn: Some(role(ACCOUNT)), ..tagged("a") };
    update(by_role).await.unwrap();
    world.pull("hub/app", "1").await.unwrap();
    assert_eq!(world.team("hub/app").await.as_deref(), Some("a"));
    // What is there needs no template any more.
    let no_role =
        TemplateFields { custom_role_arn: Some(String::new()), ..TemplateFields::default() };
    update(no_role).await.unwrap();
    push_image(&world.upstream, "app", Some("2"), &["y"]);
    world.pull("hub/app", "2").await.unwrap();
}

/// A world whose metadata store fails on command.
async fn failing() -> (World, FailingMetadata) {
    let metadata = FailingMetadata::new(Arc::new(MemoryMetadata::new()));
    let mut setup = Setup::new();
    setup.metadata = Arc::new(metadata.clone());
    (setup.world().await.and_hub().await, metadata)
}

#[tokio::test]
async fn a_repository_is_there_with_its_manifest_and_its_settings_or_not_at_all() {
    let (world, metadata) = failing().await;
    push_image(&world.upstream, "app", Some("1"), &["x"]);
    world.template("hub", full()).await;
    for operation in [MetadataOperation::Templates, MetadataOperation::RecordManifest] {
        metadata.faults().fail_nth(operation, 1);
        let failed = world.pull("hub/app", "1").await.unwrap_err();
        let PullError::Storage(error) = &failed else { panic!("{operation:?}: {failed:?}") };
        let is_truth = matches!(**error, StorageError::Metadata(metadata::Error::Unavailable(_)));
        assert!(is_truth, "{operation:?}: {failed:?}");
        assert!(!world.has_repository("hub/app").await, "{operation:?}");
    }
    // Whoever does not know the template does not begin.
    assert_eq!(world.upstream.gets(&manifest_path("app", "1")), 1);
    world.pull("hub/app", "1").await.unwrap();
    assert_eq!(world.repository("hub/app").await.settings, full_settings());
    assert_eq!(world.images("hub/app").await.len(), 1);
}

#[tokio::test]
async fn a_fill_that_cannot_know_the_template_does_not_begin() {
    let (world, metadata) = failing().await;
    let digest: Digest = world.upstream.add_blob("app", "bytes");
    metadata.faults().fail_nth(MetadataOperation::Templates, 1);
    let failed = world.open_blob("hub/app", &digest).await.unwrap_err();
    assert!(matches!(failed, PullError::Storage(_)), "{failed:?}");
    assert!(world.upstream.requests().is_empty());
    world.blob("hub/app", &digest).await.unwrap();
}

#[tokio::test]
async fn nobody_but_root_may_touch_a_template() {
    let mut setup = Setup::new();
    setup.settings.anonymous_pull = true;
    let world = setup.world().await;
    let caller = registry::Caller {
        registry: registry_id(REGION),
        principal: registry::Principal::Anonymous,
    };
    let registry = &world.registry;
    let page = PageRequest::first(1);
    for (outcome, action) in [
        (registry.create_template(&caller, "a", bare()).await.map(drop), "Create"),
        (registry.templates(&caller, &[], &page).await.map(drop), "Describe"),
        (registry.update_template(&caller, "a", bare()).await.map(drop), "Update"),
        (registry.delete_template(&caller, "a").await.map(drop), "Delete"),
    ] {
        let Err(TemplateError::Denied(denied)) = outcome else { panic!("{outcome:?}") };
        assert!(denied.action.starts_with(&format!("ecr:{action}RepositoryCreationTemplate")));
    }
}
