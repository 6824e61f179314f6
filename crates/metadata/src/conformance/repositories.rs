//! Repositories and their settings.

use super::{
    ROUNDS, assert_refused,
    samples::{
        created, digest, home, new_link, registry, repository, settings, tag, tagged,
        three_registries, untagged,
    },
};
use crate::{
    Error, MetadataStore, NewLink, NewManifest, PageRequest, RepositorySettings, TagMutability,
};

const NAME: &str = "team/app";

/// Of two who create one repository at once one does; who comes later is told that it exists.
pub async fn are_created_once_with_their_settings(
    one: &dyn MetadataStore,
    other: &dyn MetadataStore,
) {
    for round in 0..ROUNDS {
        let name = format!("team/app-{round}");
        let (plain, set) = (created(&name, &RepositorySettings::default()), settings());
        let set = created(&name, &set);
        let home = home();
        let (first, second) = tokio::join!(
            one.create_repository(&home, &plain, None),
            other.create_repository(&home, &set, None),
        );
        let expected = match (first, second) {
            (Ok(()), Err(Error::AlreadyExists)) => plain,
            (Err(Error::AlreadyExists), Ok(())) => set,
            both => panic!("{both:?}"),
        };
        let held = one.repository(&home, &expected.name).await.expect("the repository");
        assert_eq!(held, expected);
        let again = other.create_repository(&home, &expected, None).await;
        assert_refused!(again, Error::AlreadyExists);
    }
}

/// A repository that comes into being with content has the settings given with it; one that is
/// there keeps its own.
pub async fn are_created_with_settings_by_content(
    one: &dyn MetadataStore,
    other: &dyn MetadataStore,
) {
    let (home, set) = (home(), settings());
    let manifest = NewManifest { settings: set.clone(), ..tagged("by/manifest", "a", "1", 1_000) };
    one.record_manifest(&home, &manifest).await.expect("a manifest");
    let link = NewLink { settings: set.clone(), ..new_link(&home, "by/link", "layer") };
    one.record_links(&[link]).await.expect("a link");
    one.record_manifest(&home, &tagged("by/link", "a", "1", 1_000)).await.expect("a manifest");
    one.record_links(&[new_link(&home, "by/manifest", "layer")]).await.expect("a link");
    for name in ["by/manifest", "by/link"] {
        let held = other.repository(&home, &repository(name)).await.expect("the repository");
        assert_eq!(held.settings, set, "{name}");
    }
}

/// What is set comes back from a look-up and from a listing, and can be set back.
pub async fn come_back_as_set(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let (home, name, default) = (home(), repository(NAME), RepositorySettings::default());
    one.create_repository(&home, &created(NAME, &default), None).await.expect("a repository");
    for (before, after) in [(&default, &settings()), (&settings(), &default)] {
        let replaced = other.replace_repository_settings(&home, &name, before, after).await;
        replaced.expect("settings as expected");
        let held = one.repository(&home, &name).await.expect("the repository");
        assert_eq!(held, created(NAME, after));
        let listed = one.repositories(&home, &PageRequest::first(9)).await.expect("a page");
        assert_eq!(listed.items, [created(NAME, after)]);
        let stale = one.replace_repository_settings(&home, &name, before, after).await;
        assert_refused!(stale, Error::NotFound);
    }
    let nobody = repository("team");
    let none = one.replace_repository_settings(&home, &nobody, &default, &settings()).await;
    assert_refused!(none, Error::NotFound);
}

/// Two who add to the settings again and again lose nothing of each other's.
pub async fn settings_are_swapped_by_two_at_once_without_loss(
    one: &dyn MetadataStore,
    other: &dyn MetadataStore,
) {
    let new = created(NAME, &RepositorySettings::default());
    one.create_repository(&home(), &new, None).await.expect("a repository");
    let add = |label: &'static str, handle| async move {
        let handle: &dyn MetadataStore = handle;
        let name = repository(NAME);
        for round in 0..ROUNDS {
            loop {
                let held = handle.repository(&home(), &name).await.expect("it").settings;
                let mut next = held.clone();
                next.tags.push((format!("{label}-{round}"), String::new()));
                match handle.replace_repository_settings(&home(), &name, &held, &next).await {
                    Ok(()) => break,
                    Err(Error::NotFound) => tokio::task::yield_now().await,
                    Err(error) => panic!("{error:?}"),
                }
            }
        }
    };
    tokio::join!(add("one", one), add("other", other));
    let held = one.repository(&home(), &repository(NAME)).await.expect("the repository");
    assert_eq!(held.settings.tags.len(), 2 * ROUNDS);
}

/// The limit counts one registry's repositories; one that exists is named before the limit is.
pub async fn are_limited_per_registry(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let [home, elsewhere, _] = three_registries();
    let new = |name: &str| created(name, &RepositorySettings::default());
    one.create_repository(&home, &new("aa"), Some(2)).await.expect("the first");
    other.create_repository(&home, &new("bb"), Some(2)).await.expect("the second");
    let third = one.create_repository(&home, &new("cc"), Some(2)).await;
    assert_refused!(third, Error::LimitExceeded { limit: 2 });
    assert_refused!(one.repository(&home, &repository("cc")).await, Error::NotFound);
    let again = one.create_repository(&home, &new("aa"), Some(2)).await;
    assert_refused!(again, Error::AlreadyExists);
    one.create_repository(&elsewhere, &new("cc"), Some(2)).await.expect("another registry's");
}

/// Without force only a repository without manifests goes; links alone do not hold it.
pub async fn are_deleted_when_empty(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let (home, name) = (home(), repository(NAME));
    let new = created(NAME, &settings());
    one.create_repository(&home, &new, None).await.expect("a repository");
    one.record_links(&[new_link(&home, NAME, "layer")]).await.expect("a link");
    let deleted = other.delete_repository(&home, &name, false).await.expect("the repository");
    assert_eq!(deleted, new);
    assert_refused!(one.repository(&home, &name).await, Error::NotFound);
    assert_refused!(one.link(&home, &name, &digest("layer")).await, Error::NotFound);
    assert_refused!(other.delete_repository(&home, &name, false).await, Error::NotFound);

    one.record_manifest(&home, &untagged(NAME, "a", 1_000)).await.expect("a manifest");
    let held = other.repository(&home, &name).await.expect("a new repository");
    assert_eq!(held.settings, RepositorySettings::default(), "nothing of the old one is left");
    assert_refused!(other.delete_repository(&home, &name, false).await, Error::NotEmpty);
    one.manifest(&home, &name, &digest("a")).await.expect("what was not deleted");
}

/// With force a repository goes with its tags, manifests and links, and nobody else's.
pub async fn are_deleted_with_everything_in_them(
    one: &dyn MetadataStore,
    other: &dyn MetadataStore,
) {
    let (home, elsewhere) = (home(), registry("111122223333", "us-east-1"));
    let spared = [(&home, "team/ap"), (&home, "team/app2"), (&elsewhere, NAME)];
    for (registry, name) in spared.into_iter().chain([(&home, NAME)]) {
        // More than are deleted at once.
        let count = if name == NAME { 300 } else { 1 };
        for at in 0..count {
            let new = tagged(name, &format!("image {at}"), &format!("v{at}"), 1_000);
            one.record_manifest(registry, &new).await.expect("a manifest");
        }
        one.record_links(&[new_link(registry, name, "layer")]).await.expect("a link");
    }
    let name = repository(NAME);
    other.delete_repository(&home, &name, true).await.expect("the repository");
    for at in [0, 299] {
        let manifest = one.manifest(&home, &name, &digest(&format!("image {at}"))).await;
        assert_refused!(manifest, Error::NotFound);
        assert_refused!(one.tag(&home, &name, &tag(&format!("v{at}"))).await, Error::NotFound);
    }
    assert_refused!(one.link(&home, &name, &digest("layer")).await, Error::NotFound);
    let images = one.images(&home, &name, &PageRequest::first(1)).await;
    assert_refused!(images, Error::NotFound);
    for (registry, name) in spared {
        let name = repository(name);
        one.tag(registry, &name, &tag("v0")).await.expect("another's tag");
        one.link(registry, &name, &digest("layer")).await.expect("another's link");
    }

    one.record_manifest(&home, &untagged(NAME, "image 0", 2_000)).await.expect("a manifest");
    let images = other.images(&home, &name, &PageRequest::first(9)).await.expect("a page");
    let [image] = images.items.as_slice() else { panic!("{images:?}") };
    assert!(image.tags.is_empty(), "a repository of the same name begins empty");
}

/// A tag that may not move stays, and what would have moved it is not recorded either. It can be
/// set again to what it names.
pub async fn hold_their_immutable_tags(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let (home, name) = (home(), repository(NAME));
    let set = RepositorySettings {
        tag_mutability: TagMutability::ImmutableWithExclusion(vec!["dev-*".into()]),
        ..RepositorySettings::default()
    };
    one.create_repository(&home, &created(NAME, &set), None).await.expect("a repository");
    for text in ["1.0", "dev-1"] {
        one.record_manifest(&home, &tagged(NAME, "old", text, 1_000)).await.expect("a tag");
    }
    one.record_manifest(&home, &tagged(NAME, "old", "1.0", 2_000)).await.expect("the same again");
    let refused = other.record_manifest(&home, &tagged(NAME, "new", "1.0", 2_000)).await;
    let Err(Error::TagImmutable { digest: held }) = refused else { panic!("{refused:?}") };
    assert_eq!(held, digest("old"));
    assert_refused!(one.manifest(&home, &name, &digest("new")).await, Error::NotFound);
    assert_eq!(one.tag(&home, &name, &tag("1.0")).await.expect("the tag").digest, digest("old"));

    other.record_manifest(&home, &tagged(NAME, "new", "dev-1", 2_000)).await.expect("excluded");
    other.record_manifest(&home, &tagged(NAME, "new", "1.1", 2_000)).await.expect("a new tag");
    let mutable = RepositorySettings::default();
    one.replace_repository_settings(&home, &name, &set, &mutable).await.expect("the settings");
    other.record_manifest(&home, &tagged(NAME, "new", "1.0", 3_000)).await.expect("a move");
}
