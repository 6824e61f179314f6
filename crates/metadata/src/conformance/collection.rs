//! What nobody needs any more.

use super::{
    assert_refused,
    samples::{created, digest, home, new_link, repository, tagged, three_registries, untagged},
};
use crate::{
    Change, Error, HeldParts, Link, LooseLink, MetadataStore, NewLink, PageRequest,
    RepositorySettings, Revision, Timestamp,
};

async fn loose(store: &dyn MetadataStore, limit: usize, before: i64) -> Vec<LooseLink> {
    let mut request = PageRequest::first(limit);
    let mut found = Vec::new();
    loop {
        let page = store.loose_links(&request, Timestamp(before)).await.expect("a page");
        assert!(page.items.len() <= limit);
        found.extend(page.items);
        request.after = page.next;
        if request.after.is_none() {
            return found;
        }
    }
}

fn named(links: &[LooseLink]) -> Vec<String> {
    let name = |link: &LooseLink| format!("{} {}", link.registry.region, link.repository);
    links.iter().map(name).collect()
}

/// A link is loose where no manifest of its repository names its blob, and it is old enough.
pub async fn finds_links_that_nothing_names(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let [home, region, account] = three_registries();
    let late = NewLink {
        link: Link { linked_at: Timestamp(2_000), ..new_link(&home, "hub/late", "layer a").link },
        ..new_link(&home, "hub/late", "layer a")
    };
    let links = [
        new_link(&home, "hub/held", "layer a"),
        new_link(&home, "hub/held", "config"),
        new_link(&home, "hub/held", "other"),
        new_link(&home, "hub/loose", "layer a"),
        new_link(&region, "hub/held", "layer a"),
        new_link(&account, "hub/held", "layer a"),
        late,
    ];
    one.record_links(&links).await.expect("links");
    one.record_manifest(&home, &tagged("hub/held", "image", "1", 1_000)).await.expect("it");
    let expected = [
        "eu-central-1 hub/held",
        "us-east-1 hub/held",
        "us-east-1 hub/loose",
        "us-east-1 hub/held",
    ];
    for limit in [1, 2, 3, 100] {
        let found = loose(other, limit, 2_000).await;
        assert_eq!(named(&found), expected, "{limit} at a time");
    }
    let all = loose(other, 10, 2_000).await;
    assert_eq!(all[1].digest, digest("other"));
    assert_eq!(all[1].linked_at, Timestamp(1_000));
    assert!(loose(other, 10, 1_000).await.is_empty());
    assert_eq!(loose(other, 10, 2_001).await.len(), 5);
}

/// A loose link goes unless it was linked again or named meanwhile; the change is told.
pub async fn deletes_links_that_still_are_loose(
    one: &dyn MetadataStore,
    other: &dyn MetadataStore,
) {
    for name in ["hub/a", "hub/b", "hub/c"] {
        one.record_links(&[new_link(&home(), name, "layer a")]).await.expect("a link");
    }
    let found = loose(other, 10, 2_000).await;
    assert_eq!(found.len(), 3);
    one.record_manifest(&home(), &untagged("hub/b", "image", 1_000)).await.expect("a manifest");
    let again = NewLink {
        link: Link { linked_at: Timestamp(3_000), ..new_link(&home(), "hub/c", "layer a").link },
        ..new_link(&home(), "hub/c", "layer a")
    };
    one.record_links(&[again]).await.expect("the link again");
    let since = other.changes_since(Revision(u64::MAX)).await.expect("a revision").revision;
    let deleted = other.delete_loose_links(&found).await.expect("an end");
    assert_eq!(deleted, found[..1]);
    let gone = one.link(&home(), &repository("hub/a"), &digest("layer a")).await;
    assert_refused!(gone, Error::NotFound);
    for name in ["hub/b", "hub/c"] {
        one.link(&home(), &repository(name), &digest("layer a")).await.expect("the link");
    }
    let changes = one.changes_since(since).await.expect("changes").changes;
    let change = Change::Link(home(), repository("hub/a"), digest("layer a"));
    assert_eq!(changes, Some(vec![change]));
    assert!(other.delete_loose_links(&found[..1]).await.expect("nothing").is_empty());
}

/// A digest is needed where any registry has a link, a manifest, or a manifest that names it.
pub async fn knows_what_is_needed(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let all = ["image", "config", "layer a", "linked", "nothing"].map(digest);
    let needed = |store| async move {
        let store: &dyn MetadataStore = store;
        let all = ["image", "config", "layer a", "linked", "nothing"].map(digest);
        store.needed(&all, None).await
    };
    assert!(needed(other).await.expect("none").is_empty());
    let [_, region, account] = three_registries();
    one.record_links(&[new_link(&region, "hub/a", "linked")]).await.expect("a link");
    one.record_manifest(&account, &untagged("hub/a", "image", 1_000)).await.expect("a manifest");
    assert_eq!(needed(other).await.expect("some"), all[..4]);
    // "layer a" is linked too, and named: no loose link. "linked" is.
    one.record_links(&[new_link(&account, "hub/a", "layer a")]).await.expect("a link");
    let but_loose = other.needed(&all, Some(Timestamp(1_001))).await.expect("some");
    assert_eq!(but_loose, all[..3]);
    let but_older = other.needed(&all, Some(Timestamp(1_000))).await.expect("some");
    assert_eq!(but_older, all[..4]);
    one.delete_link(&account, &repository("hub/a"), &digest("layer a")).await.expect("an end");
    one.delete_manifest(&account, &repository("hub/a"), &digest("image")).await.expect("an end");
    assert_eq!(needed(other).await.expect("one"), all[3..4]);
    one.delete_repository(&region, &repository("hub/a"), true).await.expect("an end");
    assert!(needed(other).await.expect("none").is_empty());
}

/// A manifest is recorded with its parts only where the repository has them.
pub async fn spares_what_a_manifest_relies_on(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let new = tagged("hub/a", "image", "1", 1_000);
    let (links, manifests) = (vec![digest("layer a")], vec![digest("child")]);
    let parts = HeldParts { links, manifests, ..HeldParts::default() };
    let refused = one.record_with_parts(&home(), &new, &parts).await;
    assert_refused!(refused, Error::PartMissing { .. });
    let none = other.repository(&home(), &repository("hub/a")).await;
    assert_refused!(none, Error::NotFound);
    let settings = RepositorySettings::default();
    one.create_repository(&home(), &created("hub/a", &settings), None).await.expect("it");
    one.record_links(&[new_link(&home(), "hub/a", "layer a")]).await.expect("a link");
    let refused = other.record_with_parts(&home(), &new, &parts).await;
    assert!(
        matches!(&refused, Err(Error::PartMissing { digest: missing }) if *missing == digest("child")),
        "{refused:?}"
    );
    one.record_manifest(&home(), &untagged("hub/a", "child", 1_000)).await.expect("the child");
    other.record_with_parts(&home(), &new, &parts).await.expect("a manifest");
    one.image(&home(), &repository("hub/a"), &digest("image")).await.expect("the image");
}
