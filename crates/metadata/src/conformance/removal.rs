//! Tags, manifests and links that are deleted; and the lists that show what is left.

use oci::Digest;

use super::{
    assert_refused,
    samples::{digest, home, manifest, new_link, repository, tag, tagged, untagged},
};
use crate::{
    Change, Error, ManifestFact, MetadataStore, NewManifest, PageRequest, Revision, Timestamp,
};

const NAME: &str = "docker-hub/library/alpine";

async fn listed_tags(store: &dyn MetadataStore, limit: usize) -> Vec<Vec<String>> {
    let mut request = PageRequest::first(limit);
    let mut pages = Vec::new();
    loop {
        let page = store.tags(&home(), &repository(NAME), &request).await.expect("a page");
        pages.push(page.items.iter().map(ToString::to_string).collect());
        request.after = page.next;
        if request.after.is_none() {
            return pages;
        }
    }
}

/// Tags come in pages, without regard to case, after any text.
pub async fn leaves_tags_in_order(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let missing = other.tags(&home(), &repository(NAME), &PageRequest::first(1)).await;
    assert_refused!(missing, Error::NotFound);
    for text in ["b", "A", "a", "B", "_x", "1.0", "V2", "v1", "v10"] {
        let new = tagged(NAME, "image", text, 1_000);
        one.record_manifest(&home(), &new).await.expect("a manifest");
    }
    let all = ["1.0", "_x", "A", "a", "B", "b", "v1", "v10", "V2"];
    assert_eq!(listed_tags(other, 100).await, [all.to_vec()]);
    for limit in [1, 2, 4] {
        assert_eq!(listed_tags(other, limit).await.concat(), all, "{limit} at a time");
    }
    for (after, expected) in [("a", &all[4..]), ("AA", &all[4..]), ("v1", &all[7..]), ("z", &[])] {
        let request = PageRequest { after: Some(after.to_owned()), limit: 100 };
        let page = one.tags(&home(), &repository(NAME), &request).await.expect("a page");
        let found: Vec<_> = page.items.iter().map(ToString::to_string).collect();
        assert_eq!(found, expected, "after {after}");
    }
}

/// A tag goes alone; its manifest and the other tags stay.
pub async fn of_a_tag_leaves_its_manifest(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let name = repository(NAME);
    for text in ["1", "2"] {
        one.record_manifest(&home(), &tagged(NAME, "image", text, 1_000))
            .await
            .expect("a manifest");
    }
    let since = other.changes_since(Revision(u64::MAX)).await.expect("a revision").revision;
    let gone = other.delete_tag(&home(), &name, &tag("1")).await.expect("the tag");
    assert_eq!((gone.digest, gone.updated_at), (digest("image"), Timestamp(1_000)));
    let again = one.delete_tag(&home(), &name, &tag("1")).await;
    assert_refused!(again, Error::NotFound);
    assert_refused!(one.tag(&home(), &name, &tag("1")).await, Error::NotFound);
    let left = one.image(&home(), &name, &digest("image")).await.expect("the image");
    assert_eq!(left.tags, [tag("2")]);
    let changes = one.changes_since(since).await.expect("changes").changes;
    assert_eq!(changes, Some(vec![Change::Tag(home(), name, tag("1"))]));
}

/// A manifest goes with its tags and with what says whom it names; it may come back.
pub async fn of_a_manifest_takes_its_tags(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let name = repository(NAME);
    for (content, text) in [("image", "1"), ("image", "2"), ("other", "3")] {
        one.record_manifest(&home(), &tagged(NAME, content, text, 1_000))
            .await
            .expect("a manifest");
    }
    let parent = |child: &'static str| async move {
        one.parent_of(&home(), &repository(NAME), &digest(child)).await.expect("an answer")
    };
    assert!(parent("layer a").await.is_some() && parent("nothing").await.is_none());
    let since = other.changes_since(Revision(u64::MAX)).await.expect("a revision").revision;
    let gone = other.delete_manifest(&home(), &name, &digest("image")).await.expect("the image");
    assert_eq!((gone.manifest.digest, gone.tags), (digest("image"), vec![tag("1"), tag("2")]));
    let again = one.delete_manifest(&home(), &name, &digest("image")).await;
    assert_refused!(again, Error::NotFound);
    assert_refused!(one.manifest(&home(), &name, &digest("image")).await, Error::NotFound);
    assert_eq!(listed_tags(one, 10).await.concat(), ["3"]);
    assert_eq!(parent("layer a").await, Some(digest("other")));
    let changes = one.changes_since(since).await.expect("changes").changes.expect("all of them");
    for expected in [
        Change::Tag(home(), name.clone(), tag("1")),
        Change::Tag(home(), name.clone(), tag("2")),
        Change::Manifest(home(), name.clone(), digest("image")),
    ] {
        assert!(changes.contains(&expected), "{expected:?} in {changes:?}");
    }
    other.delete_manifest(&home(), &name, &digest("other")).await.expect("the image");
    assert_eq!(parent("layer a").await, None);
    one.record_manifest(&home(), &tagged(NAME, "image", "1", 2_000)).await.expect("it again");
    let back = other.manifest(&home(), &name, &digest("image")).await.expect("the manifest");
    assert_eq!(back.pushed_at, Timestamp(2_000));
}

/// A link goes from its repository alone.
pub async fn of_a_link_is_told(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let links = [new_link(&home(), "hub/a", "layer"), new_link(&home(), "hub/b", "layer")];
    one.record_links(&links).await.expect("links");
    let since = other.changes_since(Revision(u64::MAX)).await.expect("a revision").revision;
    let (name, layer) = (repository("hub/a"), digest("layer"));
    let gone = other.delete_link(&home(), &name, &layer).await.expect("the link");
    assert_eq!(gone, links[0].link);
    assert_refused!(one.delete_link(&home(), &name, &layer).await, Error::NotFound);
    assert_refused!(one.link(&home(), &name, &layer).await, Error::NotFound);
    one.link(&home(), &repository("hub/b"), &layer).await.expect("the other link");
    let changes = one.changes_since(since).await.expect("changes").changes;
    assert_eq!(changes, Some(vec![Change::Link(home(), name, layer)]));
}

/// Referrers are found by their subject, whether that is here or not, in pages by digest.
pub async fn of_a_referrer_ends_its_reference(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let refer = |content: &str, subject: &str| NewManifest {
        manifest: ManifestFact { subject: Some(digest(subject)), ..manifest(content, 1_000) },
        ..untagged(NAME, content, 1_000)
    };
    let mut expected: Vec<Digest> = Vec::new();
    for content in ["sbom", "signature", "attestation"] {
        one.record_manifest(&home(), &refer(content, "image")).await.expect("a manifest");
        expected.push(digest(content));
    }
    one.record_manifest(&home(), &refer("another", "other")).await.expect("a manifest");
    expected.sort();
    let listed = |limit: usize| async move {
        let (mut request, mut found) = (PageRequest::first(limit), Vec::new());
        loop {
            let name = repository(NAME);
            let page = other.referrers(&home(), &name, &digest("image"), &request).await;
            let page = page.expect("a page");
            found.extend(page.items.into_iter().map(|manifest| manifest.digest));
            request.after = page.next;
            if request.after.is_none() {
                return found;
            }
        }
    };
    assert_eq!(listed(100).await, expected);
    assert_eq!(listed(1).await, expected);
    let gone = expected.remove(1);
    one.delete_manifest(&home(), &repository(NAME), &gone).await.expect("the manifest");
    assert_eq!(listed(2).await, expected);
    let nowhere = repository("nowhere");
    let none = one.referrers(&home(), &nowhere, &digest("image"), &PageRequest::first(1)).await;
    assert!(none.expect("no repository is no error").items.is_empty());
}
