//! Tags.

use oci::{Digest, Tag};

use super::{
    ROUNDS, assert_refused,
    samples::{digest, home, manifest, pushed, repository, tag, tagged},
};
use crate::{
    Error, HeldParts, ManifestFact, MetadataStore, Named, NewManifest, PageRequest, Precondition,
    TagFact, Timestamp,
};

const NAME: &str = "docker-hub/library/alpine";

/// Returns every image of the repository with its tags.
async fn images(store: &dyn MetadataStore) -> Vec<(Digest, Vec<Tag>)> {
    let page = store.images(&home(), &repository(NAME), &PageRequest::first(100)).await;
    let images = page.expect("images").items;
    images.into_iter().map(|image| (image.manifest.digest, image.tags)).collect()
}

/// Returns the tags of one image.
async fn tags_of(store: &dyn MetadataStore, content: &str) -> Vec<Tag> {
    let images = images(store).await;
    let image = images.into_iter().find(|(held, _)| *held == digest(content));
    image.expect("the image").1
}

/// A tag is set on condition of what it names, and of several who set it on the same one succeeds.
pub async fn are_set_on_condition(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let set = async |store: &dyn MetadataStore, content: &str, tag: Precondition| {
        let parts = HeldParts { tag, ..HeldParts::default() };
        store.record_with_parts(&home(), &tagged(NAME, content, "latest", 1_000), &parts).await
    };
    let is = |named| Precondition { matches: Some(named), ..Precondition::default() };
    let is_not = |named| Precondition { matches_none: Some(named), ..Precondition::default() };
    let one_of = |contents: &[&str]| Named::OneOf(contents.iter().copied().map(digest).collect());
    for named in [Named::Anything, one_of(&["a"])] {
        let refused = set(one, "a", is(named)).await;
        assert_refused!(refused, Error::TagMoved { digest: None });
    }
    assert_refused!(one.manifest(&home(), &repository(NAME), &digest("a")).await, Error::NotFound);
    set(one, "a", is_not(Named::Anything)).await.expect("a new tag");
    for refused in [is_not(Named::Anything), is(one_of(&["b"])), is_not(one_of(&["b", "a"]))] {
        let refused = set(other, "b", refused).await;
        let Err(Error::TagMoved { digest: held }) = refused else { panic!("{refused:?}") };
        assert_eq!(held, Some(digest("a")));
    }
    set(other, "b", is(one_of(&["a", "c"]))).await.expect("a move");
    set(one, "c", is(Named::Anything)).await.expect("a move");
    set(one, "d", is_not(one_of(&["b"]))).await.expect("a move");
    let (first, second) =
        tokio::join!(set(one, "e", is(one_of(&["d"]))), set(other, "f", is(one_of(&["d"]))));
    assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
    // Without a tag there is nothing to hold it against.
    let mut untagged = tagged(NAME, "g", "latest", 1_000);
    untagged.tag = None;
    let parts = HeldParts { tag: is(one_of(&["a"])), ..HeldParts::default() };
    one.record_with_parts(&home(), &untagged, &parts).await.expect("a manifest");
}

/// A tag that moves leaves its old image without it, other tags where they are.
pub async fn move_from_image_to_image(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let record = |store, content, text, at| async move {
        let store: &dyn MetadataStore = store;
        store.record_manifest(&home(), &tagged(NAME, content, text, at)).await.expect("a manifest");
    };
    record(one, "old", "latest", 1_000).await;
    record(other, "old", "3.20", 1_000).await;
    record(one, "new", "3.21", 2_000).await;
    assert_eq!(tags_of(other, "old").await, [tag("3.20"), tag("latest")]);

    record(other, "new", "latest", 3_000).await;
    assert_eq!(tags_of(one, "old").await, [tag("3.20")]);
    assert_eq!(tags_of(one, "new").await, [tag("3.21"), tag("latest")]);
    let held = one.tag(&home(), &repository(NAME), &tag("latest")).await.expect("the tag");
    assert_eq!((held.digest, held.updated_at), (digest("new"), Timestamp(3_000)));

    record(one, "new", "3.20", 4_000).await;
    assert_eq!(tags_of(other, "old").await, [], "an untagged image stays");
    record(other, "old", "latest", 5_000).await;
    assert_eq!(tags_of(one, "old").await, [tag("latest")], "a tag may come back");
}

/// A pushed tag says who pushed it, over a cached one too.
pub async fn are_pushed(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    one.record_manifest(&home(), &tagged(NAME, "cached", "1", 1_000)).await.expect("a manifest");
    let push = NewManifest {
        manifest: ManifestFact { origin: pushed(), ..manifest("pushed", 2_000) },
        ..tagged(NAME, "pushed", "1", 2_000)
    };
    other.record_manifest(&home(), &push).await.expect("a push");
    let held = one.tag(&home(), &repository(NAME), &tag("1")).await.expect("the tag");
    let expected = TagFact {
        digest: digest("pushed"),
        origin: pushed(),
        updated_at: Timestamp(2_000),
        checked_at: Timestamp(2_000),
    };
    assert_eq!(held, expected);
    let held = one.manifest(&home(), &repository(NAME), &digest("pushed")).await;
    assert_eq!(held.expect("the manifest").origin, pushed());
}

/// What is cached moves no tag that was pushed; what is pushed moves any.
pub async fn that_were_pushed_are_not_moved_by_caching(
    one: &dyn MetadataStore,
    other: &dyn MetadataStore,
) {
    let push = |content: &str, at| NewManifest {
        manifest: ManifestFact { origin: pushed(), ..manifest(content, at) },
        ..tagged(NAME, content, "1", at)
    };
    one.record_manifest(&home(), &push("pushed", 1_000)).await.expect("a push");
    other.record_manifest(&home(), &tagged(NAME, "cached", "1", 2_000)).await.expect("a manifest");
    let held = one.tag(&home(), &repository(NAME), &tag("1")).await.expect("the tag");
    assert_eq!((held.digest, held.updated_at), (digest("pushed"), Timestamp(1_000)));
    assert_eq!(tags_of(one, "cached").await, [], "the cached manifest is there");
    other.record_manifest(&home(), &push("newer", 3_000)).await.expect("a push");
    let held = one.tag(&home(), &repository(NAME), &tag("1")).await.expect("the tag");
    assert_eq!(held.digest, digest("newer"));
}

/// A refresh moves `checked_at` and nothing else.
pub async fn are_refreshed(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let name = repository(NAME);
    one.record_manifest(&home(), &tagged(NAME, "image", "3", 1_000)).await.expect("a manifest");
    one.record_manifest(&home(), &tagged(NAME, "image", "4", 1_000)).await.expect("a manifest");
    let before = one.tag(&home(), &name, &tag("3")).await.expect("the tag");
    other
        .refresh_tag(&home(), &name, &tag("3"), &digest("image"), Timestamp(5_000))
        .await
        .expect("a tag that still names the image");
    let after = one.tag(&home(), &name, &tag("3")).await.expect("the tag");
    assert_eq!(after, TagFact { checked_at: Timestamp(5_000), ..before.clone() });
    assert_eq!(one.tag(&home(), &name, &tag("4")).await.expect("the other tag"), before);
}

/// Who confirms a tag that names something else by now, or nothing, learns it and changes nothing.
pub async fn that_moved_are_not_refreshed(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let name = repository(NAME);
    let at = Timestamp(9_000);
    let (old, new) = (digest("old"), digest("new"));
    let nowhere = one.refresh_tag(&home(), &name, &tag("3"), &old, at).await;
    assert_refused!(nowhere, Error::NotFound);
    one.record_manifest(&home(), &tagged(NAME, "old", "3", 1_000)).await.expect("a manifest");
    other.record_manifest(&home(), &tagged(NAME, "new", "3", 2_000)).await.expect("the new image");
    let late = one.refresh_tag(&home(), &name, &tag("3"), &old, at).await;
    assert_refused!(late, Error::NotFound);
    let held = other.tag(&home(), &name, &tag("3")).await.expect("the tag");
    assert_eq!((held.digest, held.checked_at), (new.clone(), Timestamp(2_000)));
    let unknown = one.refresh_tag(&home(), &name, &tag("4"), &new, at).await;
    assert_refused!(unknown, Error::NotFound);
}

/// Two that move a tag at the same time leave it on one image, in both directions of looking.
pub async fn moved_by_two_at_once_name_one_image(
    one: &dyn MetadataStore,
    other: &dyn MetadataStore,
) {
    for round in 0..ROUNDS {
        let text = format!("race-{}", round % 3);
        let registry = home();
        let (left, right) = (tagged(NAME, "left", &text, 1), tagged(NAME, "right", &text, 2));
        let results = tokio::join!(
            one.record_manifest(&registry, &left),
            other.record_manifest(&registry, &right),
        );
        assert!(matches!(results, (Ok(_), Ok(_))), "round {round}: {results:?}");
        let named = one.tag(&registry, &repository(NAME), &tag(&text)).await.expect("the tag");
        for (digest, tags) in images(other).await {
            assert_eq!(tags.contains(&tag(&text)), digest == named.digest, "round {round}");
        }
    }
}
