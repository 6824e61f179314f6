//! Manifests.

use oci::Digest;

use super::{
    assert_refused,
    samples::{
        cached, descriptor, digest, home, manifest, pushed, repository, tag, tagged, untagged,
    },
};
use crate::{
    Error, ManifestFact, MetadataStore, NewManifest, PageRequest, Pull, Repository,
    RepositorySettings, TagFact, Timestamp,
};

const NAME: &str = "docker-hub/library/alpine";

/// Repository, manifest and tag come into being together.
pub async fn are_recorded_with_repository_and_tag(
    one: &dyn MetadataStore,
    other: &dyn MetadataStore,
) {
    let name = repository(NAME);
    assert_refused!(one.repository(&home(), &name).await, Error::NotFound);
    assert_refused!(one.images(&home(), &name, &PageRequest::first(1)).await, Error::NotFound);
    one.record_manifest(&home(), &tagged(NAME, "image", "3.20", 1_000)).await.expect("a manifest");

    let held = other.repository(&home(), &name).await.expect("the repository");
    let origin = cached();
    let created_at = Timestamp(1_000);
    let settings = RepositorySettings::default();
    let expected = Repository { name: name.clone(), created_at, origin: origin.clone(), settings };
    assert_eq!(held, expected);
    let held = other.manifest(&home(), &name, &digest("image")).await.expect("the manifest");
    assert_eq!(held, manifest("image", 1_000));
    let held = other.tag(&home(), &name, &tag("3.20")).await.expect("the tag");
    let (updated_at, checked_at) = (Timestamp(1_000), Timestamp(1_000));
    assert_eq!(held, TagFact { digest: digest("image"), origin, updated_at, checked_at });

    // A second manifest finds the repository as it is; without a tag it sets none.
    let second = NewManifest {
        manifest: ManifestFact { origin: pushed(), ..manifest("second", 2_000) },
        ..untagged(NAME, "second", 2_000)
    };
    other.record_manifest(&home(), &second).await.expect("a manifest");
    let held = one.repository(&home(), &name).await.expect("the repository");
    assert_eq!((held.created_at, held.origin), (created_at, cached()));
    let images = one.images(&home(), &name, &PageRequest::first(10)).await.expect("images").items;
    let second = images.iter().find(|image| image.manifest.digest == digest("second"));
    assert_eq!(second.map(|image| image.tags.len()), Some(0));
}

/// Every field comes back: of the barest manifest, of the fullest, of an index.
pub async fn come_back_as_recorded(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let bare = ManifestFact {
        artifact_type: None,
        config: None,
        children: Vec::new(),
        size_bytes: 0,
        ..manifest("bare", 1_000)
    };
    let image = "application/vnd.oci.image.manifest.v1+json";
    let layer = descriptor("layer", "application/vnd.oci.image.layer.v1.tar+zstd");
    let index = ManifestFact {
        digest: Digest::of_with(oci::Algorithm::Sha512, b"index"),
        media_type: "application/vnd.oci.image.index.v1+json".into(),
        config: None,
        // One child twice, in no order but its own.
        children: vec![descriptor("b", image), descriptor("a", image), descriptor("b", image)],
        ..manifest("index", 1_000)
    };
    let signature = ManifestFact {
        size_bytes: u64::MAX,
        artifact_type: Some("application/vnd.example.signature".into()),
        config: Some(layer.clone()),
        children: vec![layer],
        subject: Some(digest("bare")),
        origin: pushed(),
        last_pulled_at: Some(Timestamp(1_500)),
        ..manifest("signature", 1_000)
    };
    for fact in [&bare, &index, &signature] {
        let new = NewManifest { manifest: fact.clone(), ..untagged(NAME, "", 0) };
        one.record_manifest(&home(), &new).await.expect("a manifest");
    }
    for fact in [bare, index, signature] {
        let held = other.manifest(&home(), &repository(NAME), &fact.digest).await;
        assert_eq!(held.expect("the manifest"), fact);
    }
}

/// The manifest of one repository is not one of another.
pub async fn are_told_apart_by_repository(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    one.record_manifest(&home(), &tagged("team/a", "image", "1", 1_000)).await.expect("one");
    one.record_manifest(&home(), &tagged("team/ab", "image", "2", 2_000)).await.expect("two");
    for (name, at) in [("team/a", 1_000), ("team/ab", 2_000)] {
        let held = other.manifest(&home(), &repository(name), &digest("image")).await;
        assert_eq!(held.expect("the manifest").pushed_at, Timestamp(at));
    }
    let none = other.manifest(&home(), &repository("team"), &digest("image")).await;
    assert_refused!(none, Error::NotFound);
    let none = other.tag(&home(), &repository("team/a"), &tag("2")).await;
    assert_refused!(none, Error::NotFound);
}

/// Recorded again, a manifest keeps when and how it came, and its last pull.
pub async fn once_recorded_keep_their_past(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let name = repository(NAME);
    one.record_manifest(&home(), &tagged(NAME, "image", "3", 1_000)).await.expect("a manifest");
    let pull = Pull {
        registry: home(),
        repository: name.clone(),
        digest: digest("image"),
        at: Timestamp(1_500),
    };
    other.record_pulls(&[pull]).await.expect("a pull");
    let again = NewManifest {
        manifest: ManifestFact { origin: pushed(), ..manifest("image", 2_000) },
        ..tagged(NAME, "image", "3", 2_000)
    };
    other.record_manifest(&home(), &again).await.expect("the manifest again");

    let held = one.manifest(&home(), &name, &digest("image")).await.expect("the manifest");
    assert_eq!((held.pushed_at, held.origin), (Timestamp(1_000), cached()));
    assert_eq!(held.last_pulled_at, Some(Timestamp(1_500)));
    let held = one.tag(&home(), &name, &tag("3")).await.expect("the tag");
    let (updated_at, checked_at) = (Timestamp(2_000), Timestamp(2_000));
    let origin = pushed();
    assert_eq!(held, TagFact { digest: digest("image"), origin, updated_at, checked_at });
    let images = one.images(&home(), &name, &PageRequest::first(10)).await.expect("images").items;
    assert_eq!(images.iter().map(|image| image.tags.len()).collect::<Vec<_>>(), [1]);
}

/// The latest pull of a batch, and of all batches, stays; pulls of what is not there are dropped.
pub async fn remember_their_last_pull(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let name = repository(NAME);
    for content in ["image", "never"] {
        one.record_manifest(&home(), &untagged(NAME, content, 1_000)).await.expect("a manifest");
    }
    let pull = |name: &str, content: &str, at| Pull {
        registry: home(),
        repository: repository(name),
        digest: digest(content),
        at: Timestamp(at),
    };
    one.record_pulls(&[]).await.expect("no pulls");
    let batch = [
        pull(NAME, "gone", 9_000),
        pull("nowhere", "image", 9_000),
        pull(NAME, "image", 3_000),
        pull(NAME, "image", 2_000),
    ];
    other.record_pulls(&batch).await.expect("a batch with pulls of what is gone");
    let last = || async {
        let held = one.manifest(&home(), &name, &digest("image")).await;
        held.expect("the manifest").last_pulled_at
    };
    assert_eq!(last().await, Some(Timestamp(3_000)));
    one.record_pulls(&[pull(NAME, "image", 2_500)]).await.expect("a late batch");
    assert_eq!(last().await, Some(Timestamp(3_000)));
    other.record_pulls(&[pull(NAME, "image", 3_500)]).await.expect("a batch");
    assert_eq!(last().await, Some(Timestamp(3_500)));
    let never = other.manifest(&home(), &name, &digest("never")).await.expect("the manifest");
    assert_eq!(never.last_pulled_at, None);
    assert_refused!(one.repository(&home(), &repository("nowhere")).await, Error::NotFound);
}
