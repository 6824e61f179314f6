//! Lifecycle policies: whose turn it is, what is expired, what was tried.

use super::{
    assert_refused,
    samples::{
        created, descriptor, digest, home, manifest, pushed, repository, tag, tagged,
        three_registries, untagged,
    },
};
use crate::{
    CachedImage, Change, Error, Image, LifecyclePreview, ManifestFact, Marked, MarkedImage,
    MetadataStore, NewManifest, PageRequest, PreviewResult, PreviewStatus, Pull,
    RepositorySettings, Revision, StorageClass, Timestamp,
};

const NAME: &str = "team/app";
const POLICY: &str = r#"{"rules":["a policy"]}"#;

fn with_policy(evaluated_at: Option<i64>) -> RepositorySettings {
    RepositorySettings {
        lifecycle_policy: Some(POLICY.to_owned()),
        lifecycle_evaluated_at: evaluated_at.map(Timestamp),
        ..RepositorySettings::default()
    }
}

async fn make(store: &dyn MetadataStore, settings: &RepositorySettings) {
    store.create_repository(&home(), &created(NAME, settings), None).await.expect("a repository");
}

async fn expiring(store: &dyn MetadataStore, content: &str) -> MarkedImage {
    let image = store.image(&home(), &repository(NAME), &digest(content)).await;
    let Image { manifest, tags } = image.expect("the image");
    let ManifestFact { digest, pushed_at, last_pulled_at, storage, .. } = manifest;
    MarkedImage { digest, tags, pushed_at, last_pulled_at, storage }
}

/// Expires images as they were evaluated at 5,000, and returns whose turn it was.
async fn expire(store: &dyn MetadataStore, images: Vec<MarkedImage>) -> Vec<String> {
    let policy = Some(POLICY.to_owned());
    let marked = Marked { policy, evaluated_at: Timestamp(5_000), images };
    let expired = store.expire_images(&home(), &repository(NAME), &marked).await;
    let expired = expired.expect("an expiry");
    expired.into_iter().map(|image| image.manifest.digest.to_string()).collect()
}

/// What rules brought comes by when it was last used, whatever registry has it, in pages; parts of
/// others, what refers to what is there, what is archived and what was pushed do not.
pub async fn cached_images_come_by_last_use(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let [home, region, _] = three_registries();
    let cached = |name, content, at| tagged(name, content, content, at);
    let mut index = cached("hub/a", "index", 1_500);
    index.manifest.children =
        vec![descriptor("part", "application/vnd.oci.image.manifest.v1+json")];
    let mut referrer = cached("hub/a", "referrer", 900);
    referrer.manifest.subject = Some(digest("index"));
    let by_hand = ManifestFact { origin: pushed(), ..manifest("pushed", 1_000) };
    for new in [
        cached("hub/b", "late", 3_000),
        cached("hub/a", "pulled", 1_000),
        cached("hub/a", "part", 1_400),
        index,
        referrer,
        NewManifest { manifest: by_hand, ..tagged("hub/a", "pushed", "pushed", 1_000) },
    ] {
        one.record_manifest(&home, &new).await.expect("a manifest");
    }
    one.record_manifest(&region, &cached("hub/a", "late", 2_000)).await.expect("a manifest");
    one.record_manifest(&home, &cached("hub/b", "archived", 1_000)).await.expect("a manifest");
    let (name, class) = (repository("hub/b"), StorageClass::Archive);
    let archived = one.move_image(&home, &name, &digest("archived"), class, Timestamp(1_100)).await;
    archived.expect("a move");
    let (name, digest) = (repository("hub/a"), digest("pulled"));
    let pull = Pull { registry: home.clone(), repository: name, digest, at: Timestamp(2_500) };
    one.record_pulls(&[pull]).await.expect("a pull");
    for limit in [1, 2, 100] {
        let mut page = PageRequest::first(limit);
        let mut found = Vec::new();
        loop {
            let images = other.cached_images(&page).await.expect("a page");
            assert!(images.items.len() <= limit);
            found.extend(images.items);
            page.after = images.next;
            if page.after.is_none() {
                break;
            }
        }
        let found: Vec<_> = found
            .iter()
            .map(|CachedImage { registry, image, .. }| {
                let tags: Vec<_> = image.tags.iter().map(ToString::to_string).collect();
                (image.used_at().0, registry.region.as_str(), tags.join(" "))
            })
            .collect();
        let expected = [
            (1_500, home.region.as_str(), "index".to_owned()),
            (2_000, region.region.as_str(), "late".to_owned()),
            (2_500, home.region.as_str(), "pulled".to_owned()),
            (3_000, home.region.as_str(), "late".to_owned()),
        ];
        assert_eq!(found, expected, "{limit} at a time");
    }
}

/// Policies that were never evaluated come first, then those that wait longest.
pub async fn policies_are_due_in_turn(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let [home, region, account] = three_registries();
    for (registry, name, settings) in [
        (&home, "a/late", with_policy(Some(900))),
        (&home, "b/never", with_policy(None)),
        (&region, "c/early", with_policy(Some(100))),
        (&account, "d/recent", with_policy(Some(1_000))),
        (&home, "e/none", RepositorySettings { scan_on_push: true, ..Default::default() }),
        (&home, "f/nothing", RepositorySettings::default()),
    ] {
        one.create_repository(registry, &created(name, &settings), None).await.expect("it");
    }
    let due = |limit| async move {
        let due = other.lifecycle_due(Timestamp(1_000), limit).await.expect("what is due");
        due.into_iter().map(|(_, held)| held.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(due(10).await, ["b/never", "c/early", "a/late"]);
    assert_eq!(due(2).await, ["b/never", "c/early"]);
    let first = other.lifecycle_due(Timestamp(1_000), 2).await.expect("what is due");
    assert_eq!(first[1].0, region);
    assert_eq!(first[1].1, created("c/early", &with_policy(Some(100))));
    one.delete_repository(&home, &repository("b/never"), true).await.expect("an end");
    assert_eq!(due(1).await, ["c/early"]);
}

/// An image goes with its tags where it is as it was, and the change is told.
pub async fn expires_what_is_as_it_was(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    make(one, &with_policy(None)).await;
    for new in [tagged(NAME, "x", "1", 1_000), tagged(NAME, "x", "2", 1_000)] {
        one.record_manifest(&home(), &new).await.expect("a manifest");
    }
    for content in ["bare", "stays"] {
        one.record_manifest(&home(), &untagged(NAME, content, 1_000)).await.expect("a manifest");
    }
    let images = vec![expiring(one, "x").await, expiring(one, "bare").await];
    let since = other.changes_since(Revision(u64::MAX)).await.expect("a revision").revision;
    let expired = expire(other, images.clone()).await;
    assert_eq!(expired, [digest("x").to_string(), digest("bare").to_string()]);
    assert_refused!(one.tag(&home(), &repository(NAME), &tag("2")).await, Error::NotFound);
    one.image(&home(), &repository(NAME), &digest("stays")).await.expect("another image");
    let changes = one.changes_since(since).await.expect("changes").changes.expect("all of them");
    for expected in [
        Change::Tag(home(), repository(NAME), tag("1")),
        Change::Manifest(home(), repository(NAME), digest("x")),
        Change::Manifest(home(), repository(NAME), digest("bare")),
    ] {
        assert!(changes.contains(&expected), "{expected:?} in {changes:?}");
    }
    assert!(expire(one, images).await.is_empty(), "what is gone cannot go");
}

/// An image that anybody did anything to since stays.
pub async fn keeps_what_changed(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    make(one, &with_policy(None)).await;
    let names = ["more tags", "fewer tags", "same tag", "pulled", "new again"];
    for name in names {
        let text = name.replace(' ', "-");
        one.record_manifest(&home(), &tagged(NAME, name, &text, 1_000)).await.expect("it");
    }
    let mut images = Vec::new();
    for name in names {
        images.push(expiring(other, name).await);
    }
    let name = repository(NAME);
    other
        .record_manifest(&home(), &tagged(NAME, "more tags", "another", 2_000))
        .await
        .expect("another tag");
    other.delete_tag(&home(), &name, &tag("fewer-tags")).await.expect("a tag less");
    // Pushed again as it was: only the moment differs.
    other
        .record_manifest(&home(), &tagged(NAME, "same tag", "same-tag", 5_000))
        .await
        .expect("the tag again");
    let pull = Pull {
        registry: home(),
        repository: name.clone(),
        digest: digest("pulled"),
        at: Timestamp(4_000),
    };
    other.record_pulls(&[pull]).await.expect("a pull");
    other.delete_manifest(&home(), &name, &digest("new again")).await.expect("an end");
    other
        .record_manifest(&home(), &tagged(NAME, "new again", "new-again", 3_000))
        .await
        .expect("a beginning");
    assert_eq!(expire(one, images).await, Vec::<String>::new());
}

/// What an index names, and what refers to what is there, stays; in the order of the images.
pub async fn keeps_parts_and_referrers(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    make(one, &with_policy(None)).await;
    let with = |content: &str, children: &[&str], subject: Option<&str>| NewManifest {
        manifest: ManifestFact {
            children: children
                .iter()
                .map(|child| oci::Descriptor {
                    media_type: "application/vnd.oci.image.manifest.v1+json".into(),
                    digest: digest(child),
                    size_bytes: 1,
                })
                .collect(),
            subject: subject.map(digest),
            ..manifest(content, 1_000)
        },
        ..untagged(NAME, content, 1_000)
    };
    for new in [
        with("child", &[], None),
        with("index", &["child"], None),
        with("subject", &[], None),
        with("signature", &[], Some("subject")),
        with("orphan", &[], Some("gone")),
    ] {
        one.record_manifest(&home(), &new).await.expect("a manifest");
    }
    let mut images = Vec::new();
    for content in ["child", "signature", "orphan"] {
        images.push(expiring(one, content).await);
    }
    assert_eq!(expire(other, images).await, [digest("orphan").to_string()]);
    let mut images = Vec::new();
    for content in ["index", "child", "subject", "signature"] {
        images.push(expiring(one, content).await);
    }
    assert_eq!(expire(one, images).await.len(), 4, "each goes once its keeper is gone");
}

/// Nothing goes by a policy that is no longer there.
pub async fn expires_only_by_the_policy_held(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    make(one, &with_policy(None)).await;
    one.record_manifest(&home(), &untagged(NAME, "x", 1_000)).await.expect("a manifest");
    let name = repository(NAME);
    let marked = Marked {
        policy: Some("another".to_owned()),
        evaluated_at: Timestamp(5_000),
        images: vec![expiring(one, "x").await],
    };
    let refused = other.expire_images(&home(), &name, &marked).await;
    assert_refused!(refused, Error::NotFound);
    let marked = Marked { policy: Some(POLICY.to_owned()), ..marked };
    let nowhere = other.expire_images(&home(), &repository("no/where"), &marked).await;
    assert_refused!(nowhere, Error::NotFound);
    let bare = RepositorySettings::default();
    one.replace_repository_settings(&home(), &name, &with_policy(None), &bare)
        .await
        .expect("a change");
    assert_refused!(other.expire_images(&home(), &name, &marked).await, Error::NotFound);
    one.image(&home(), &name, &digest("x")).await.expect("the image");
}

fn preview(started_at: i64, status: PreviewStatus) -> LifecyclePreview {
    LifecyclePreview {
        policy: POLICY.to_owned(),
        status,
        started_at: Timestamp(started_at),
        expiring: 0,
        transitioning: 0,
    }
}

/// A preview is begun once, gets its pages, ends, and makes way for the next.
pub async fn previews_begin_and_end(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let (home, name, never) = (home(), repository(NAME), Timestamp(0));
    let first = preview(1_000, PreviewStatus::InProgress);
    assert_refused!(one.begin_preview(&home, &name, &first, never).await, Error::NotFound);
    make(one, &RepositorySettings::default()).await;
    assert_refused!(one.preview(&home, &name).await, Error::NotFound);
    one.begin_preview(&home, &name, &first, never).await.expect("a preview");
    let second = preview(2_000, PreviewStatus::InProgress);
    let busy = other.begin_preview(&home, &name, &second, Timestamp(999)).await;
    assert_refused!(busy, Error::AlreadyExists);
    assert_eq!(other.preview(&home, &name).await.expect("it"), first);

    let result = |content: &str, is_transition| PreviewResult {
        digest: digest(content),
        tags: vec![tag("a"), tag("b")],
        pushed_at: Timestamp(7),
        priority: 3,
        is_transition,
        is_archived: is_transition,
    };
    let pages = [vec![result("x", false), result("y", true)], vec![result("z", false)]];
    for (number, page) in (0..).zip(&pages) {
        let add = other.add_preview_page(&home, &name, Timestamp(1_000), number, page);
        add.await.expect("a page");
    }
    let ended = LifecyclePreview {
        status: PreviewStatus::Complete,
        expiring: 2,
        transitioning: 1,
        ..first.clone()
    };
    one.end_preview(&home, &name, &ended).await.expect("an end");
    assert_eq!(other.preview(&home, &name).await.expect("it"), ended);
    for (number, page) in (0..).zip(&pages) {
        assert_eq!(other.preview_page(&home, &name, number).await.expect("a page"), *page);
    }
    assert!(other.preview_page(&home, &name, 2).await.expect("no page").is_empty());

    other.begin_preview(&home, &name, &second, never).await.expect("another preview");
    assert!(one.preview_page(&home, &name, 0).await.expect("no page").is_empty());
    let late = one.add_preview_page(&home, &name, Timestamp(1_000), 0, &pages[0]).await;
    assert_refused!(late, Error::NotFound);
    assert_refused!(one.end_preview(&home, &name, &ended).await, Error::NotFound);
    // One that was given up is in nobody's way.
    let third = preview(3_000, PreviewStatus::InProgress);
    one.begin_preview(&home, &name, &third, Timestamp(2_000)).await.expect("a third");
    one.delete_repository(&home, &name, true).await.expect("an end");
    assert_refused!(other.preview(&home, &name).await, Error::NotFound);
}
