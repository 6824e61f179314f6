//! Listings of repositories and of images.

use super::{
    assert_refused,
    samples::{digest, home, manifest, new_link, pushed, repository, tag, tagged, untagged},
};
use crate::{
    Error, Image, ManifestFact, MetadataStore, NewManifest, PageRequest, RegistryId, Repository,
};

/// Returns the pages of a repository's images, two at a time.
async fn pages(store: &dyn MetadataStore, registry: &RegistryId, name: &str) -> Vec<Vec<Image>> {
    let mut request = PageRequest::first(2);
    let mut pages = Vec::new();
    loop {
        let page = store.images(registry, &repository(name), &request).await.expect("a page");
        pages.push(page.items);
        request.after = page.next;
        if request.after.is_none() {
            return pages;
        }
    }
}

/// Returns the tags of an image, more for later ones, in no order.
fn texts(content: &str, at: i64) -> Vec<String> {
    let texts = ["z", "A", "m"].into_iter().zip(0..);
    texts.filter(|(_, place)| *place <= at).map(|(text, _)| format!("{text}-{content}")).collect()
}

/// Pages are by digest, each image with all its tags in order; the last page says that it is.
pub async fn come_in_pages_by_digest(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let name = "quay/team/app";
    let mut contents = ["a", "b", "c", "d", "e"];
    contents.sort_by_key(|content| digest(content));
    for (content, at) in contents.into_iter().zip([0, 1, 2, 3, 4]).rev() {
        one.record_manifest(&home(), &untagged(name, content, at)).await.expect("a manifest");
        for text in texts(content, at) {
            let new = tagged(name, content, &text, at);
            other.record_manifest(&home(), &new).await.expect("a tag");
        }
    }
    // Neighbours in the order of keys, whose tags must not leak in.
    one.record_manifest(&home(), &tagged("quay/team/ap", "a", "other", 1)).await.expect("one");
    one.record_manifest(&home(), &tagged("quay/team/app2", "a", "other", 1)).await.expect("one");

    let pages = pages(other, &home(), name).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
    for (image, (content, at)) in pages.into_iter().flatten().zip(contents.into_iter().zip(0..)) {
        assert_eq!(image.manifest, manifest(content, at));
        let mut tags: Vec<_> = texts(content, at).iter().map(|text| tag(text)).collect();
        tags.sort();
        assert_eq!(image.tags, tags);
    }
    let one_image = one.images(&home(), &repository(name), &PageRequest::first(1)).await;
    let one_image = one_image.expect("a page");
    assert_eq!(one_image.items[0].tags, [tag(&texts(contents[0], 0)[0])]);
    assert_eq!(one_image.next.as_deref(), Some(digest(contents[0]).as_str()));
    let whole = one.images(&home(), &repository(name), &PageRequest::first(5)).await;
    assert_eq!(whole.expect("a page").next, None, "a full page may be the last");
}

/// One image is found by its digest with the tags it has now, and no other's.
pub async fn are_found_by_digest(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let name = repository("quay/team/app");
    for (content, text) in [("old", "z"), ("old", "A"), ("new", "m"), ("old", "m"), ("new", "A")] {
        one.record_manifest(&home(), &tagged(name.as_str(), content, text, 1_000))
            .await
            .expect("a manifest");
    }
    one.record_manifest(&home(), &tagged("quay/team/app2", "old", "other", 1)).await.expect("one");
    for (content, tags) in [("old", vec![tag("m"), tag("z")]), ("new", vec![tag("A")])] {
        let found = other.image(&home(), &name, &digest(content)).await.expect("the image");
        assert_eq!(found, Image { manifest: manifest(content, 1_000), tags });
    }
    let none = other.image(&home(), &name, &digest("none")).await;
    assert_refused!(none, Error::NotFound);
    let none = other.image(&home(), &repository("quay/team"), &digest("old")).await;
    assert_refused!(none, Error::NotFound);
}

/// A repository without manifests has an empty page; none at all is not found.
pub async fn of_a_repository_without_manifests(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    one.record_links(&[new_link(&home(), "quay/blobs", "layer")]).await.expect("a link");
    assert_eq!(pages(other, &home(), "quay/blobs").await, [Vec::<Image>::new()]);
    let absent = other.images(&home(), &repository("quay"), &PageRequest::first(1)).await;
    assert_refused!(absent, Error::NotFound);
}

/// Repositories come by name, byte by byte, a page at a time, with how they came into being.
pub async fn repositories_come_in_pages_by_name(
    one: &dyn MetadataStore,
    other: &dyn MetadataStore,
) {
    let first = other.repositories(&home(), &PageRequest::first(2)).await.expect("a page");
    assert_eq!((first.items, first.next), (Vec::new(), None));
    for name in ["zz", "team/b", "team-b", "team"] {
        let fact = ManifestFact { origin: pushed(), ..manifest("image", 1_000) };
        let new = NewManifest { manifest: fact, ..tagged(name, "image", "1", 1_000) };
        one.record_manifest(&home(), &new).await.expect("a manifest");
    }
    let mut request = PageRequest::first(2);
    let mut pages = Vec::new();
    loop {
        let page = other.repositories(&home(), &request).await.expect("a page");
        for Repository { name, origin, .. } in &page.items {
            assert_eq!(*origin, pushed(), "{name}");
        }
        let names = page.items.iter().map(|repository| repository.name.as_str().to_owned());
        pages.push(names.collect::<Vec<_>>());
        request.after = page.next;
        if request.after.is_none() {
            break;
        }
    }
    assert_eq!(pages, [["team", "team-b"], ["team/b", "zz"]]);
    let after = PageRequest { after: Some("team-z".into()), limit: 1 };
    let page = one.repositories(&home(), &after).await.expect("a page after no one's key");
    assert_eq!(page.items[0].name, repository("team/b"));
}
