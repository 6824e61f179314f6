//! Links.

use super::{
    assert_refused,
    samples::{cached, digest, home, new_link, pushed, repository, three_registries},
};
use crate::{Error, Link, MetadataStore, NewLink, Repository, RepositorySettings, Timestamp};

/// One batch links many repositories, of many registries, some of them new.
pub async fn are_recorded_for_many_repositories_at_once(
    one: &dyn MetadataStore,
    other: &dyn MetadataStore,
) {
    one.record_links(&[]).await.expect("no links");
    let [home, region, account] = three_registries();
    let bare = NewLink {
        link: Link { media_type: None, ..new_link(&home, "hub/c", "blob").link },
        ..new_link(&home, "hub/c", "blob")
    };
    let links = [
        new_link(&home, "hub/a", "layer"),
        new_link(&home, "hub/a", "another layer"),
        new_link(&home, "hub/b", "layer"),
        bare,
        new_link(&region, "hub/a", "layer"),
        new_link(&account, "hub/a", "layer"),
    ];
    one.record_links(&links).await.expect("a batch");
    for NewLink { registry, repository, link, .. } in &links {
        let held = other.link(registry, repository, &link.digest).await.expect("the link");
        assert_eq!(held, *link);
        let held = other.repository(registry, repository).await.expect("the repository");
        let (name, created_at) = (repository.clone(), Timestamp(1_000));
        let settings = RepositorySettings::default();
        assert_eq!(held, Repository { name, created_at, origin: cached(), settings });
    }
    for (registry, content, limit, expected) in [
        (&home, "layer", 10, &["hub/a", "hub/b"][..]),
        (&home, "layer", 1, &["hub/a"]),
        (&home, "another layer", 10, &["hub/a"]),
        (&region, "layer", 10, &["hub/a"]),
        (&region, "another layer", 10, &[]),
    ] {
        let found = other.linked_in(registry, &digest(content), limit).await.expect("names");
        assert_eq!(found.iter().map(|name| name.as_str()).collect::<Vec<_>>(), expected);
    }
    let none = other.link(&home, &repository("hub/b"), &digest("another layer")).await;
    assert_refused!(none, Error::NotFound);
    let none = other.link(&home, &repository("hub"), &digest("layer")).await;
    assert_refused!(none, Error::NotFound);
}

/// A link that is there stays as it is, whoever records it again, but for when it was linked: who
/// asks for what nobody needs any more must not meet what was pushed a moment ago.
pub async fn that_are_there_stay(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let first = new_link(&home(), "hub/a", "layer");
    one.record_links(std::slice::from_ref(&first)).await.expect("a link");
    let link = Link {
        media_type: None,
        origin: pushed(),
        linked_at: Timestamp(2_000),
        ..first.link.clone()
    };
    let again = NewLink { link, ..first.clone() };
    let late =
        NewLink { link: Link { linked_at: Timestamp(500), ..first.link.clone() }, ..first.clone() };
    let fresh = new_link(&home(), "hub/a", "another layer");
    other.record_links(&[again, late, fresh.clone()]).await.expect("the link again, and a new one");
    let held = Link { linked_at: Timestamp(2_000), ..first.link.clone() };
    for NewLink { registry, repository, link, .. } in [NewLink { link: held, ..first }, fresh] {
        let held = one.link(&registry, &repository, &link.digest).await.expect("the link");
        assert_eq!(held, link);
    }
    let held = one.repository(&home(), &repository("hub/a")).await.expect("the repository");
    assert_eq!((held.created_at, held.origin), (Timestamp(1_000), cached()));
}
