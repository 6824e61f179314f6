//! Storage classes: what moves with an image, what is held back, and what brings it back.

use super::{
    assert_refused,
    samples::{
        created, descriptor, digest, home, manifest, new_link, pushed, repository, tag, tagged,
        untagged,
    },
};
use crate::{
    Change, Error, Image, ManifestFact, Marked, MarkedImage, MetadataStore, NewManifest,
    PageRequest, RepositorySettings, Revision, Storage, StorageClass, Timestamp,
};

const NAME: &str = "team/app";
const POLICY: &str = r#"{"rules":["a policy"]}"#;
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

fn index(content: &str, parts: &[&str]) -> NewManifest {
    let part = |part: &&str| descriptor(part, "application/vnd.oci.image.manifest.v1+json");
    NewManifest {
        manifest: ManifestFact {
            media_type: INDEX.to_owned(),
            config: None,
            children: parts.iter().map(part).collect(),
            ..manifest(content, 1_000)
        },
        ..untagged(NAME, content, 1_000)
    }
}

fn referring(content: &str, subject: &str) -> NewManifest {
    NewManifest {
        manifest: ManifestFact { subject: Some(digest(subject)), ..manifest(content, 1_000) },
        ..untagged(NAME, content, 1_000)
    }
}

async fn record(store: &dyn MetadataStore, new: impl IntoIterator<Item = NewManifest>) {
    for new in new {
        store.record_manifest(&home(), &new).await.expect("a manifest");
    }
}

async fn moved(
    store: &dyn MetadataStore,
    content: &str,
    class: StorageClass,
    at: i64,
) -> Vec<String> {
    let (name, at) = (repository(NAME), Timestamp(at));
    let moved = store.move_image(&home(), &name, &digest(content), class, at).await;
    sorted(moved.expect("a move"))
}

fn sorted(images: Vec<Image>) -> Vec<String> {
    let mut digests: Vec<_> =
        images.into_iter().map(|image| image.manifest.digest.to_string()).collect();
    digests.sort();
    digests
}

fn of(contents: &[&str]) -> Vec<String> {
    let mut digests: Vec<_> = contents.iter().map(|content| digest(content).to_string()).collect();
    digests.sort();
    digests
}

async fn storage(store: &dyn MetadataStore, content: &str) -> Storage {
    let held = store.manifest(&home(), &repository(NAME), &digest(content)).await;
    held.expect("the manifest").storage
}

/// An image goes and comes back, each time with its moment, and the change is told.
pub async fn takes_and_gives_back(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    record(one, [tagged(NAME, "x", "1", 1_000), tagged(NAME, "y", "2", 1_000)]).await;
    assert_eq!(storage(one, "x").await, Storage::default());
    let since = other.changes_since(Revision(u64::MAX)).await.expect("a revision").revision;
    assert_eq!(moved(one, "x", StorageClass::Archive, 2_000).await, of(&["x"]));
    let archived =
        Storage { is_archived: true, archived_at: Some(Timestamp(2_000)), activated_at: None };
    assert_eq!(storage(other, "x").await, archived);
    assert_eq!(storage(other, "y").await, Storage::default());
    let changes = other.changes_since(since).await.expect("changes").changes.expect("all of them");
    for expected in [
        Change::Manifest(home(), repository(NAME), digest("x")),
        Change::Link(home(), repository(NAME), digest("config")),
        Change::Link(home(), repository(NAME), digest("layer a")),
    ] {
        assert!(changes.contains(&expected), "{expected:?} in {changes:?}");
    }
    assert!(moved(other, "x", StorageClass::Archive, 3_000).await.is_empty(), "it is there");
    assert_eq!(storage(one, "x").await, archived);

    let tags = async |store: &dyn MetadataStore| {
        let page = store.tags(&home(), &repository(NAME), &PageRequest::first(10)).await;
        page.expect("tags").items
    };
    assert_eq!(tags(other).await, [tag("2")], "what cannot be pulled is not listed");
    let held = one.image(&home(), &repository(NAME), &digest("x")).await.expect("the image");
    assert_eq!(held.tags, [tag("1")]);

    assert_eq!(moved(other, "x", StorageClass::Standard, 4_000).await, of(&["x"]));
    let restored = Storage {
        is_archived: false,
        archived_at: Some(Timestamp(2_000)),
        activated_at: Some(Timestamp(4_000)),
    };
    assert_eq!(storage(one, "x").await, restored);
    assert_eq!(tags(one).await, [tag("1"), tag("2")]);
    assert!(moved(one, "x", StorageClass::Standard, 5_000).await.is_empty());
    let (name, class) = (repository(NAME), StorageClass::Archive);
    let absent = one.move_image(&home(), &name, &digest("z"), class, Timestamp(1)).await;
    assert_refused!(absent, Error::NotFound);
    let nowhere = repository("no/where");
    let absent = one.move_image(&home(), &nowhere, &digest("x"), class, Timestamp(1)).await;
    assert_refused!(absent, Error::NotFound);
}

/// The parts of an index and what refers to it move with it, but for what others keep.
pub async fn moves_what_belongs_together(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let parts = ["alone", "shared", "named", "absent"];
    record(one, ["alone", "shared"].map(|content| untagged(NAME, content, 1_000))).await;
    record(one, [tagged(NAME, "named", "arm64", 1_000)]).await;
    record(one, [index("index", &parts), index("other", &["shared"])]).await;
    record(one, [referring("signature", "index"), referring("of that", "signature")]).await;
    record(one, [referring("of a part", "alone"), referring("of another", "other")]).await;
    let (name, at) = (repository(NAME), Timestamp(2_000));
    let part = one.move_image(&home(), &name, &digest("alone"), StorageClass::Archive, at).await;
    assert_refused!(part, Error::Referenced { .. });
    let with_index = ["index", "alone", "signature", "of that", "of a part"];
    assert_eq!(moved(other, "index", StorageClass::Archive, 2_000).await, of(&with_index));
    assert_eq!(
        moved(one, "other", StorageClass::Archive, 3_000).await,
        of(&["other", "shared", "of another"])
    );
    assert_eq!(moved(one, "named", StorageClass::Archive, 4_000).await, of(&["named"]));
    // All that an index is made of comes back with it.
    assert_eq!(
        moved(one, "index", StorageClass::Standard, 5_000).await,
        of(&["index", "alone", "shared", "named", "signature", "of that", "of a part"])
    );
    assert!(storage(other, "other").await.is_archived);
}

/// What is archived is listed by digest, with its tags, page by page.
pub async fn lists_what_is_archived(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let names = ["a", "b", "c", "d"];
    record(one, names.map(|name| tagged(NAME, name, name, 1_000))).await;
    for name in ["a", "b", "d"] {
        moved(one, name, StorageClass::Archive, 2_000).await;
    }
    moved(one, "b", StorageClass::Standard, 3_000).await;
    for limit in [1, 2, 9] {
        let (mut page, mut found) = (PageRequest::first(limit), Vec::new());
        loop {
            let images = other.archived_images(&home(), &repository(NAME), &page).await;
            let images = images.expect("a page");
            assert!(images.items.len() <= limit);
            found.extend(images.items);
            page.after = images.next;
            if page.after.is_none() {
                break;
            }
        }
        assert!(found.iter().all(|image| image.tags.len() == 1), "{found:?}");
        assert_eq!(sorted(found), of(&["a", "d"]), "{limit} at a time");
    }
    let nowhere = repository("no/where");
    let none = one.archived_images(&home(), &nowhere, &PageRequest::first(9)).await;
    assert!(none.expect("a page").items.is_empty());
}

/// A blob is archived while archived manifests alone name it, and it was not given anew.
pub async fn holds_blobs_back(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let registry = home();
    let links = ["config", "layer a", "loose"].map(|content| new_link(&registry, NAME, content));
    one.record_links(&links).await.expect("links");
    record(one, [untagged(NAME, "x", 1_000), untagged(NAME, "y", 1_000)]).await;
    let (home, name) = (&registry, &repository(NAME));
    let is_archived = async |store: &dyn MetadataStore, content: &str| {
        let link = store.link(home, name, &digest(content)).await.expect("the link");
        store.is_link_archived(home, name, &link).await.expect("an answer")
    };
    moved(one, "x", StorageClass::Archive, 2_000).await;
    assert!(!is_archived(other, "layer a").await, "an active manifest names it too");
    moved(one, "y", StorageClass::Archive, 3_000).await;
    for (content, expected) in [("config", true), ("layer a", true), ("loose", false)] {
        assert_eq!(is_archived(other, content).await, expected, "{content}");
    }
    let mut again = new_link(home, NAME, "layer a");
    again.link.linked_at = Timestamp(4_000);
    one.record_links(&[again]).await.expect("a link");
    assert!(!is_archived(other, "layer a").await, "somebody gave it anew");
    moved(other, "x", StorageClass::Standard, 5_000).await;
    assert!(!is_archived(one, "config").await);
    let elsewhere = one.link(home, name, &digest("config")).await.expect("the link");
    let nowhere = one.is_link_archived(home, &repository("no/where"), &elsewhere).await;
    assert!(!nowhere.expect("an answer"));
    moved(one, "x", StorageClass::Archive, 6_000).await;
    let digests = ["x", "config", "layer b"].map(digest);
    let needed = other.needed(&digests, None).await.expect("what is needed");
    assert_eq!(needed, digests, "what is archived is kept");
}

/// A push brings an image back, with its referrers; what a pull brings does not, nor moves its tag.
pub async fn opens_to_a_push_alone(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    record(one, [tagged(NAME, "x", "1", 1_000), referring("signature", "x")]).await;
    moved(one, "x", StorageClass::Archive, 2_000).await;
    let refused = other.record_manifest(&home(), &tagged(NAME, "x", "1", 3_000)).await;
    assert_refused!(refused, Error::Archived);
    let another = tagged(NAME, "x", "another", 3_000);
    assert_refused!(other.record_manifest(&home(), &another).await, Error::Archived);
    let name = repository(NAME);
    assert_refused!(one.tag(&home(), &name, &tag("another")).await, Error::NotFound);
    record(other, [tagged(NAME, "newer", "1", 3_000)]).await;
    let held = one.tag(&home(), &name, &tag("1")).await.expect("the tag");
    assert_eq!(held.digest, digest("x"), "it stays with what is archived");

    let push = NewManifest { restores: true, ..tagged(NAME, "x", "1", 4_000) };
    let restored = other.record_manifest(&home(), &push).await.expect("a manifest");
    assert_eq!(sorted(restored), of(&["x", "signature"]));
    let held = storage(one, "x").await;
    assert!(!held.is_archived);
    assert_eq!(held.activated_at, Some(Timestamp(4_000)));
    let again = other.record_manifest(&home(), &push).await.expect("a manifest");
    assert!(again.is_empty(), "nothing was archived");

    record(one, [untagged(NAME, "part", 1_000)]).await;
    moved(one, "part", StorageClass::Archive, 4_500).await;
    let push = NewManifest { restores: true, ..index("index", &["part"]) };
    let restored = other.record_manifest(&home(), &push).await.expect("an index");
    assert_eq!(sorted(restored), of(&["part"]), "an index that is pushed is whole");

    moved(one, "x", StorageClass::Archive, 5_000).await;
    let other_image = NewManifest {
        manifest: ManifestFact { origin: pushed(), ..manifest("pushed", 6_000) },
        restores: true,
        ..tagged(NAME, "pushed", "1", 6_000)
    };
    assert!(one.record_manifest(&home(), &other_image).await.expect("a push").is_empty());
    let held = other.tag(&home(), &name, &tag("1")).await.expect("the tag");
    assert_eq!(held.digest, digest("pushed"));
    assert!(storage(other, "x").await.is_archived, "another image took its tag");
}

/// A policy archives what is as it was when it was evaluated, and expires what is archived.
pub async fn follows_a_policy(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let settings =
        RepositorySettings { lifecycle_policy: Some(POLICY.to_owned()), ..Default::default() };
    one.create_repository(&home(), &created(NAME, &settings), None).await.expect("a repository");
    record(one, ["part", "same", "pulled"].map(|content| untagged(NAME, content, 1_000))).await;
    record(one, [index("index", &["part"]), referring("signature", "same")]).await;
    let name = repository(NAME);
    let contents = ["part", "signature", "same", "pulled"];
    let mut images = Vec::new();
    for content in contents {
        images.push(marked(one, content).await);
    }
    let at = Timestamp(4_000);
    let pull =
        crate::Pull { registry: home(), repository: name.clone(), digest: digest("pulled"), at };
    other.record_pulls(&[pull]).await.expect("a pull");
    let batch = Marked { policy: Some(POLICY.to_owned()), evaluated_at: Timestamp(5_000), images };
    let at = Timestamp(5_000);
    let archived = other.archive_images(&home(), &name, &batch, at).await.expect("a batch");
    assert_eq!(sorted(archived), of(&["same", "signature"]));
    let again = one.archive_images(&home(), &name, &batch, at).await.expect("a batch");
    assert!(again.is_empty(), "it is not as it was");
    let expired = one.expire_images(&home(), &name, &batch).await.expect("a batch");
    assert!(expired.is_empty(), "what was marked was active");
    let images = vec![marked(other, "same").await, marked(other, "signature").await];
    let batch = Marked { images, ..batch };
    let expired = one.expire_images(&home(), &name, &batch).await.expect("a batch");
    assert_eq!(sorted(expired), of(&["same", "signature"]));
    let changed = Marked { policy: Some("another".to_owned()), ..batch };
    let refused = one.archive_images(&home(), &name, &changed, at).await;
    assert_refused!(refused, Error::NotFound);
}

async fn marked(store: &dyn MetadataStore, content: &str) -> MarkedImage {
    let image = store.image(&home(), &repository(NAME), &digest(content)).await;
    let Image { manifest, tags } = image.expect("the image");
    let ManifestFact { digest, pushed_at, last_pulled_at, storage, .. } = manifest;
    MarkedImage { digest, tags, pushed_at, last_pulled_at, storage }
}
