//! Changes.

use super::{
    ROUNDS, assert_refused,
    samples::{
        created as new_repository, digest, home, new_link, new_secret, repository, role, rule,
        secret, settings, tag, tagged, three_registries, untagged,
    },
};
use crate::{
    CHANGES_KEPT, Change, Changes, Error, MetadataStore, Pull, RegistryId, RepositorySettings,
    Revision, Role, RuleCredentials, Secret, Timestamp,
};

const NAME: &str = "docker-hub/library/alpine";

async fn revision(store: &dyn MetadataStore) -> Revision {
    store.changes_since(Revision(0)).await.expect("changes").revision
}

/// Asserts that these changes, in this order, are what the store knows since a revision, and moves
/// the revision on.
async fn assert_told(store: &dyn MetadataStore, since: &mut Revision, expected: &[Change]) {
    let told = store.changes_since(*since).await.expect("changes");
    assert_eq!(told.changes.as_deref(), Some(expected));
    assert_eq!(told.revision, Revision(since.0 + expected.len() as u64));
    *since = told.revision;
}

/// Every write is known to the other handle by what it changed.
pub async fn are_known_to_the_other_handle(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let registry = home();
    let known = &mut Revision(0);
    assert_told(other, known, &[]).await;

    let rules = [Change::Rules(registry.clone())];
    one.create_rule(&registry, &rule("quay"), None).await.expect("a rule");
    assert_told(other, known, &rules).await;
    let nothing = RuleCredentials::default();
    one.update_rule(&registry, "quay", &nothing, Timestamp(2_000)).await.expect("the rule");
    assert_told(other, known, &rules).await;
    one.set_rule_policy(&registry, "quay", None, None).await.expect("the rule");
    assert_told(other, known, &rules).await;
    one.delete_rule(&registry, "quay").await.expect("the rule");
    assert_told(other, known, &rules).await;

    let secrets = [Change::Secret(registry.clone(), "token".into())];
    other.create_secret(&registry, &new_secret("token")).await.expect("a secret");
    assert_told(one, known, &secrets).await;
    let changed = Secret { changed_at: Timestamp(2_000), ..secret("token") };
    other.replace_secret(&registry, &secret("token"), &changed).await.expect("the secret");
    assert_told(one, known, &secrets).await;
    other.delete_secret(&registry, "token").await.expect("the secret");
    assert_told(one, known, &secrets).await;

    let roles = [Change::Role(registry.clone(), "ptc".into())];
    one.create_role(&registry, &role("ptc"), 1).await.expect("a role");
    assert_told(other, known, &roles).await;
    let changed = Role { path: "/a/".into(), ..role("ptc") };
    one.replace_role(&registry, &role("ptc"), &changed).await.expect("the role");
    assert_told(other, known, &roles).await;
    one.delete_role(&registry, &changed).await.expect("the role");
    assert_told(other, known, &roles).await;

    let created = Change::Repository(registry.clone(), repository(NAME));
    let tagged_as = Change::Tag(registry.clone(), repository(NAME), tag("3"));
    one.record_manifest(&registry, &tagged(NAME, "image", "3", 1_000)).await.expect("a manifest");
    assert_told(other, known, &[created, tagged_as.clone()]).await;
    let (name, image) = (repository(NAME), digest("image"));
    let at = Timestamp(2_000);
    one.refresh_tag(&registry, &name, &tag("3"), &image, at).await.expect("the tag");
    assert_told(other, known, std::slice::from_ref(&tagged_as)).await;
    one.record_manifest(&registry, &tagged(NAME, "new", "3", 1_000)).await.expect("a manifest");
    assert_told(other, known, &[tagged_as]).await;

    let elsewhere = three_registries()[1].clone();
    let links = [
        new_link(&elsewhere, "hub/a", "layer"),
        new_link(&elsewhere, "hub/a", "another layer"),
        new_link(&registry, "hub/a", "layer"),
    ];
    other.record_links(&links).await.expect("links");
    let created = |registry: &RegistryId| Change::Repository(registry.clone(), repository("hub/a"));
    assert_told(one, known, &[created(&elsewhere), created(&registry)]).await;

    let created = [Change::Repository(registry.clone(), repository("team/new"))];
    let new = new_repository("team/new", &RepositorySettings::default());
    one.create_repository(&registry, &new, None).await.expect("a repository");
    assert_told(other, known, &created).await;
    let (name, set) = (repository("team/new"), settings());
    let held = other.replace_repository_settings(&registry, &name, &new.settings, &set).await;
    held.expect("the repository");
    assert_told(one, known, &created).await;
    one.delete_repository(&registry, &repository(NAME), true).await.expect("the repository");
    let deleted = [Change::RepositoryDeleted(registry.clone(), repository(NAME))];
    assert_told(other, known, &deleted).await;
}

/// Pulls, markers, what was there already and what was refused are no changes.
pub async fn are_none_where_nothing_changed(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let registry = home();
    let link = [new_link(&registry, NAME, "layer")];
    one.create_rule(&registry, &rule("quay"), None).await.expect("a rule");
    one.create_secret(&registry, &new_secret("token")).await.expect("a secret");
    one.record_manifest(&registry, &tagged(NAME, "image", "3", 1_000)).await.expect("a manifest");
    one.record_links(&link).await.expect("a link");
    let mut known = revision(other).await;

    let name = repository(NAME);
    let pull = Pull {
        registry: registry.clone(),
        repository: name.clone(),
        digest: digest("image"),
        at: Timestamp(2_000),
    };
    one.record_pulls(&[pull]).await.expect("a pull");
    one.create_marker("keyring", b"proof").await.expect("a marker");
    one.record_manifest(&registry, &untagged(NAME, "image", 2_000)).await.expect("the same again");
    one.record_manifest(&registry, &untagged(NAME, "new", 2_000)).await.expect("a new manifest");
    one.record_links(&link).await.expect("the same link");
    assert_told(other, &mut known, &[]).await;

    assert_refused!(one.create_rule(&registry, &rule("quay"), None).await, Error::AlreadyExists);
    let beyond = one.create_rule(&registry, &rule("ghcr"), Some(1)).await;
    assert_refused!(beyond, Error::LimitExceeded { .. });
    assert_refused!(one.delete_rule(&registry, "ghcr").await, Error::NotFound);
    let again = one.create_secret(&registry, &new_secret("token")).await;
    assert_refused!(again, Error::AlreadyExists);
    let stale = Secret { changed_at: Timestamp(9), ..secret("token") };
    let lost = one.replace_secret(&registry, &stale, &secret("token")).await;
    assert_refused!(lost, Error::NotFound);
    assert_refused!(one.delete_secret(&registry, "tokens").await, Error::NotFound);
    let moved =
        one.refresh_tag(&registry, &name, &tag("3"), &digest("new"), Timestamp(3_000)).await;
    assert_refused!(moved, Error::NotFound);
    let again = new_repository(NAME, &RepositorySettings::default());
    let again = one.create_repository(&registry, &again, None).await;
    assert_refused!(again, Error::AlreadyExists);
    assert_refused!(one.delete_repository(&registry, &name, false).await, Error::NotEmpty);
    let nobody = repository("nobody");
    assert_refused!(one.delete_repository(&registry, &nobody, true).await, Error::NotFound);
    let stale = one.replace_repository_settings(&registry, &name, &settings(), &settings()).await;
    assert_refused!(stale, Error::NotFound);
    assert_told(other, &mut known, &[]).await;
}

/// Whoever asks, from whatever revision, is told the same.
pub async fn are_told_from_any_revision(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let mut all = Vec::new();
    for round in 0..10 {
        let store = if round % 2 == 0 { one } else { other };
        let name = format!("token-{round}");
        store.create_secret(&home(), &new_secret(&name)).await.expect("a secret");
        all.push(Change::Secret(home(), name));
    }
    for since in 0..=all.len() {
        for store in [one, other] {
            let told = store.changes_since(Revision(since as u64)).await.expect("changes");
            let revision = Revision(all.len() as u64);
            assert_eq!(told, Changes { revision, changes: Some(all[since..].to_vec()) });
        }
    }
}

/// The history is bounded, and a revision of another history is not known: both times everything
/// must be taken as changed.
pub async fn beyond_the_history_are_unknown(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let ahead = one.changes_since(Revision(1)).await.expect("changes");
    assert_eq!(ahead, Changes { revision: Revision(0), changes: None });
    one.create_rule(&home(), &rule("quay"), None).await.expect("a rule");
    other.create_rule(&home(), &rule("ghcr"), None).await.expect("a rule");
    for revision in [3, u64::MAX] {
        let ahead = other.changes_since(Revision(revision)).await.expect("changes");
        assert_eq!(ahead, Changes { revision: Revision(2), changes: None });
    }

    // As many changes as are kept, in one write: each link makes a repository.
    let kept = usize::try_from(CHANGES_KEPT).expect("a small number");
    let links: Vec<_> =
        (0..kept).map(|place| new_link(&home(), &format!("hub/{place:05}"), "layer")).collect();
    one.record_links(&links).await.expect("links");
    let newest = Revision(2 + CHANGES_KEPT);
    for store in [one, other] {
        for since in [0, 1] {
            let lost = store.changes_since(Revision(since)).await.expect("changes");
            assert_eq!(lost, Changes { revision: newest, changes: None });
        }
        let told = store.changes_since(Revision(2)).await.expect("changes");
        assert_eq!(told.revision, newest);
        let told = told.changes.expect("a history that just reaches back");
        assert_eq!(told.len(), kept);
        let first = Change::Repository(home(), repository("hub/00000"));
        assert_eq!(told.first(), Some(&first));
    }
    other.delete_rule(&home(), "quay").await.expect("a rule");
    let lost = one.changes_since(Revision(2)).await.expect("changes");
    assert_eq!(lost, Changes { revision: Revision(newest.0 + 1), changes: None });
    let told = one.changes_since(newest).await.expect("changes");
    assert_eq!(told.changes, Some(vec![Change::Rules(home())]));
}

/// While two write, a third who asks again and again from where it stopped misses nothing.
pub async fn of_concurrent_writes_are_all_told(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let write = |label: &'static str, store| async move {
        let store: &dyn MetadataStore = store;
        for round in 0..ROUNDS {
            let name = format!("{label}-{round}");
            store.create_secret(&home(), &new_secret(&name)).await.expect("a secret");
        }
    };
    let read = async {
        let mut known = Revision(0);
        let mut names = Vec::new();
        while names.len() < 2 * ROUNDS {
            let told = one.changes_since(known).await.expect("changes");
            assert!(told.revision >= known, "revisions grow");
            let changes = told.changes.expect("a history that reaches back");
            assert_eq!(told.revision.0 - known.0, changes.len() as u64);
            known = told.revision;
            for change in changes {
                let Change::Secret(_, name) = change else { panic!("{change:?}") };
                names.push(name);
            }
            tokio::task::yield_now().await;
        }
        names
    };
    let ((), (), mut names) = tokio::join!(write("one", one), write("other", other), read);
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 2 * ROUNDS, "none is told twice");
}
