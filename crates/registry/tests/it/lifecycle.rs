//! Lifecycle policies: what they delete, and what nobody may lose by them.

use std::sync::Arc;

use metadata::{LifecycleStore as _, MemoryMetadata, PageRequest, RepositoryStore as _, Timestamp};
use oci::{Digest, Reference, media_type};
use registry::{
    Counter, LifecyclePreviewView, NewImage, PreviewState, PreviewedImages, SettingError,
};
use serde_json::{Value, json};
use testkit::{FailingMetadata, Gate, MetadataOperation};

use crate::{
    images::push_image,
    push::image_of,
    world::{Setup, World, repository, until, within},
};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const NAME: &str = "team/app";

fn rule(priority: u64, tag_status: &str, selection: &Value) -> Value {
    let mut whole = json!({"tagStatus": tag_status});
    for (member, value) in selection.as_object().unwrap() {
        whole[member] = value.clone();
    }
    json!({
        "rulePriority": priority, "description": "as long as a policy has to be",
        "selection": whole, "action": {"type": "expire"},
    })
}

fn keep(count: u64) -> Value {
    json!({"countType": "imageCountMoreThan", "countNumber": count})
}

fn policy(rules: &[Value]) -> String {
    json!({ "rules": rules }).to_string()
}

impl World {
    async fn set_policy(&self, name: &str, text: &str) {
        let name = repository(name);
        self.registry.set_lifecycle_policy(&self.caller, &name, text).await.unwrap();
    }

    async fn tags_of(&self, name: &str) -> Vec<String> {
        let mut tags: Vec<_> =
            self.images(name).await.into_iter().flat_map(|(_, tags)| tags).collect();
        tags.sort();
        tags
    }

    /// Pushes three images, `v1` to `v3`, a day apart, and waits another day.
    async fn push_three(&self, name: &str) -> Vec<Digest> {
        let mut digests = Vec::new();
        for tag in ["v1", "v2", "v3"] {
            digests.push(self.push_tag(name, tag, tag).await);
            self.clock.advance(DAY_MS);
        }
        digests
    }

    async fn start_preview(&self, text: Option<&str>) -> Result<String, SettingError> {
        let name = repository(NAME);
        within(self.registry.start_lifecycle_preview(&self.caller, &name, text)).await
    }

    async fn preview(
        &self,
        wanted: &PreviewedImages,
        after: Option<&str>,
        limit: usize,
    ) -> Result<LifecyclePreviewView, SettingError> {
        let page = PageRequest { after: after.map(str::to_owned), limit };
        self.registry.lifecycle_preview(&self.caller, &repository(NAME), wanted, &page).await
    }

    async fn previewed(&self) -> LifecyclePreviewView {
        until("the preview has ended", || async {
            let view = self.preview(&PreviewedImages::default(), None, 100).await.unwrap();
            view.state != PreviewState::InProgress
        })
        .await;
        self.preview(&PreviewedImages::default(), None, 100).await.unwrap()
    }
}

#[tokio::test]
async fn a_policy_is_carried_out_and_its_time_is_told() {
    let world = Setup::new().world().await;
    let digests = world.push_three(NAME).await;
    let text = policy(&[rule(1, "any", &keep(1))]);
    world.set_policy(NAME, &text).await;
    let held = world.registry.lifecycle_policy(&world.caller, &repository(NAME)).await.unwrap();
    assert_eq!(held, (text.clone(), None));
    // What is kept in memory must not outlive the image.
    world.pull(NAME, "v1").await.unwrap();
    let now = world.now();
    world.registry.evaluate_lifecycle_policies().await;
    assert_eq!(world.tags_of(NAME).await, ["v3"]);
    for gone in ["v1", digests[0].as_str(), digests[1].as_str()] {
        assert!(world.pull(NAME, gone).await.is_err(), "{gone}");
    }
    world.pull(NAME, "v3").await.unwrap();
    let held = world.registry.lifecycle_policy(&world.caller, &repository(NAME)).await.unwrap();
    assert_eq!(held, (text.clone(), Some(now)));
    let counted = |counter| world.registry.counters().get(counter);
    assert_eq!(counted(Counter::ImagesExpired), 2);
    assert_eq!(counted(Counter::LifecycleEvaluations), 1);

    // Not again before its time.
    world.clock.advance(1000);
    world.push_tag(NAME, "v4", "v4").await;
    world.registry.evaluate_lifecycle_policies().await;
    assert_eq!(world.tags_of(NAME).await, ["v3", "v4"]);
    world.clock.advance(DAY_MS);
    world.registry.evaluate_lifecycle_policies().await;
    assert_eq!(world.tags_of(NAME).await, ["v4"]);
    // Another policy is evaluated at once.
    world.push_tag(NAME, "v5", "v5").await;
    world.clock.advance(1);
    world.set_policy(NAME, &policy(&[rule(7, "any", &keep(1))])).await;
    world.registry.evaluate_lifecycle_policies().await;
    assert_eq!(world.tags_of(NAME).await, ["v5"]);
}

#[tokio::test]
async fn a_pull_that_nobody_wrote_down_counts() {
    let world = Setup::new().world().await;
    world.push_three(NAME).await;
    world.clock.advance(30 * DAY_MS);
    world.pull(NAME, "v1").await.unwrap();
    world.clock.advance(DAY_MS);
    let idle = json!({"countType": "sinceImagePulled", "countUnit": "days", "countNumber": 10});
    world.set_policy(NAME, &policy(&[rule(1, "any", &idle)])).await;
    world.registry.evaluate_lifecycle_policies().await;
    assert_eq!(world.tags_of(NAME).await, ["v1"]);
}

#[tokio::test]
async fn what_a_rule_brought_goes_too_and_comes_back() {
    let world = World::with_hub().await;
    for (tag, layer) in [("1", "one"), ("2", "two")] {
        push_image(&world.upstream, "app", Some(tag), &[layer]);
        world.pull("hub/app", tag).await.unwrap();
        world.clock.advance(DAY_MS);
    }
    world.set_policy("hub/app", &policy(&[rule(1, "any", &keep(1))])).await;
    world.registry.evaluate_lifecycle_policies().await;
    assert_eq!(world.tags_of("hub/app").await, ["2"]);
    world.pull("hub/app", "1").await.unwrap();
    assert_eq!(world.tags_of("hub/app").await, ["1", "2"]);
}

#[tokio::test]
async fn an_index_goes_before_its_parts_and_takes_what_refers_to_it() {
    let world = Setup::new().world().await;
    let config = world.push_blob(NAME, b"config").await;
    let image = image_of(&config);
    let part = Digest::of(&image);
    world.push_manifest(NAME, part.as_str(), &image).await.unwrap();
    let part_size = image.len();
    let document = |members: Value| {
        let mut whole = json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX});
        for (member, value) in members.as_object().unwrap() {
            whole[member] = value.clone();
        }
        whole.to_string()
    };
    let index = document(json!({"manifests": [{
        "mediaType": media_type::OCI_MANIFEST, "digest": part.as_str(), "size": part_size,
    }]}));
    let index_digest = Digest::of(index.as_bytes());
    let signature = document(json!({"manifests": [], "subject": {
        "mediaType": media_type::OCI_INDEX, "digest": index_digest.as_str(), "size": index.len(),
    }}));
    let signature_digest = Digest::of(signature.as_bytes());
    let push = async |reference: Reference, bytes: &str| {
        let kind = Some(media_type::OCI_INDEX.to_owned());
        let new = NewImage::by_reference(reference, kind, bytes.to_owned().into());
        world.registry.push_manifest(&world.caller, &repository(NAME), new).await.unwrap();
    };
    push(Reference::parse("v1").unwrap(), &index).await;
    push(Reference::Digest(signature_digest.clone()), &signature).await;
    world.clock.advance(DAY_MS);

    let old = json!({"countType": "sinceImagePushed", "countUnit": "days", "countNumber": 1});
    world.set_policy(NAME, &policy(&[rule(1, "untagged", &old)])).await;
    world.clock.advance(DAY_MS);
    world.registry.evaluate_lifecycle_policies().await;
    assert_eq!(world.images(NAME).await.len(), 3, "the index is kept, and all of it");

    world.push_tag(NAME, "v2", "another").await;
    world.clock.advance(1);
    let rules = [rule(1, "untagged", &old), rule(2, "any", &keep(1))];
    world.set_policy(NAME, &policy(&rules)).await;
    world.registry.evaluate_lifecycle_policies().await;
    let left: Vec<_> = world.images(NAME).await.into_iter().map(|(digest, _)| digest).collect();
    assert_eq!(left.len(), 2);
    assert!(left.contains(&part), "it may only go after its index");
    world.clock.advance(DAY_MS);
    world.registry.evaluate_lifecycle_policies().await;
    assert_eq!(world.tags_of(NAME).await, ["v2"]);
    assert_eq!(world.images(NAME).await.len(), 1);
}

/// The store compares when it deletes: what somebody does between the evaluation and its end wins.
#[tokio::test]
async fn what_is_pushed_meanwhile_stays() {
    let store = Arc::new(FailingMetadata::new(Arc::new(MemoryMetadata::new())));
    let mut setup = Setup::new();
    setup.metadata = Arc::<FailingMetadata>::clone(&store);
    let world = setup.world().await;
    world.push_three(NAME).await;
    world.set_policy(NAME, &policy(&[rule(1, "any", &keep(1))])).await;
    let gate = Gate::shut();
    store.faults().hold(MetadataOperation::ExpireImages, &gate);
    let round = world.registry.evaluate_lifecycle_policies();
    let push = async {
        gate.arrived(1).await;
        // The same tag to the same image: nothing but the moment changes.
        world.push_tag(NAME, "v2", "v2").await;
        gate.open();
    };
    within(async { tokio::join!(round, push) }).await;
    assert_eq!(world.tags_of(NAME).await, ["v2", "v3"]);
}

#[tokio::test]
async fn a_policy_that_was_taken_back_deletes_nothing() {
    let store = Arc::new(FailingMetadata::new(Arc::new(MemoryMetadata::new())));
    let mut setup = Setup::new();
    setup.metadata = Arc::<FailingMetadata>::clone(&store);
    let world = setup.world().await;
    world.push_three(NAME).await;
    world.set_policy(NAME, &policy(&[rule(1, "any", &keep(1))])).await;
    let gate = Gate::shut();
    store.faults().hold(MetadataOperation::ExpireImages, &gate);
    let round = world.registry.evaluate_lifecycle_policies();
    let name = repository(NAME);
    let take_back = async {
        gate.arrived(1).await;
        world.registry.delete_lifecycle_policy(&world.caller, &name).await.unwrap();
        gate.open();
    };
    within(async { tokio::join!(round, take_back) }).await;
    assert_eq!(world.tags_of(NAME).await, ["v1", "v2", "v3"]);
}

#[tokio::test]
async fn a_round_goes_on_where_a_store_failed_and_ends_with_the_registry() {
    let store = Arc::new(FailingMetadata::new(Arc::new(MemoryMetadata::new())));
    let mut setup = Setup::new();
    setup.metadata = Arc::<FailingMetadata>::clone(&store);
    let mut world = setup.world().await;
    for name in ["team/a", "team/b"] {
        world.push_three(name).await;
        world.set_policy(name, &policy(&[rule(1, "any", &keep(1))])).await;
    }
    store.faults().fail_nth(MetadataOperation::ExpireImages, 2);
    world.registry.evaluate_lifecycle_policies().await;
    let left = async |world: &World| {
        [world.images("team/a").await.len(), world.images("team/b").await.len()]
    };
    assert_eq!(left(&world).await, [1, 3]);
    world.registry.stop().await;
    world.registry.evaluate_lifecycle_policies().await;
    assert_eq!(left(&world).await, [1, 3], "no step after the end");
    world.restart(|_| {}).await;
    world.registry.evaluate_lifecycle_policies().await;
    assert_eq!(left(&world).await, [1, 1]);
    let due = world.metadata.lifecycle_due(Timestamp(world.now().0), 10).await.unwrap();
    assert!(due.is_empty(), "{due:?}");
}

#[tokio::test]
async fn a_preview_says_what_would_go_and_takes_nothing() {
    let world = Setup::new().world().await;
    let digests = world.push_three(NAME).await;
    let none = world.preview(&PreviewedImages::default(), None, 100).await;
    assert!(matches!(none, Err(SettingError::PreviewNotFound { .. })));
    let none = world.start_preview(None).await;
    assert!(matches!(none, Err(SettingError::PolicyNotFound { .. })));
    let bad = world.start_preview(Some("{}")).await;
    assert!(matches!(bad, Err(SettingError::Invalid { .. })));

    let text = policy(&[rule(4, "any", &keep(1))]);
    assert_eq!(world.start_preview(Some(&text)).await.unwrap(), text);
    let view = world.previewed().await;
    assert_eq!((view.state, view.expiring, view.transitioning), (PreviewState::Complete, 2, 0));
    assert_eq!(view.policy, text);
    let found: Vec<_> = view.results.items.iter().map(|result| result.digest.clone()).collect();
    assert_eq!(found, digests[..2]);
    assert!(view.results.items.iter().all(|result| result.priority == 4));
    assert_eq!(world.images(NAME).await.len(), 3);

    // In pages, and filtered.
    let first = world.preview(&PreviewedImages::default(), None, 1).await.unwrap().results;
    assert_eq!((first.items.len(), first.next.as_deref()), (1, Some("1")));
    let all = PreviewedImages::default();
    let second = world.preview(&all, first.next.as_deref(), 1).await.unwrap().results;
    assert_eq!((&second.items[0].digest, second.next), (&digests[1], None));
    let odd = world.preview(&all, Some("x"), 1).await;
    assert!(matches!(odd, Err(SettingError::Invalid { field: "nextToken", .. })));
    let named = |tag: Option<&str>, digest: Option<&Digest>| PreviewedImages {
        images: vec![(tag.map(str::to_owned), digest.map(ToString::to_string))],
        tagged: None,
    };
    for (wanted, count) in [
        (named(Some("v2"), None), 1),
        (named(None, Some(&digests[0])), 1),
        (named(Some("v2"), Some(&digests[0])), 0),
        (named(Some("v3"), None), 0),
        (PreviewedImages { tagged: Some(true), ..PreviewedImages::default() }, 2),
        (PreviewedImages { tagged: Some(false), ..PreviewedImages::default() }, 0),
    ] {
        let found = world.preview(&wanted, None, 100).await.unwrap().results.items.len();
        assert_eq!(found, count, "{wanted:?}");
    }
    // It does not stay good for ever.
    world.clock.advance(DAY_MS);
    let view = world.preview(&all, None, 100).await.unwrap();
    assert_eq!((view.state, view.results.items.len()), (PreviewState::Expired, 0));
    // The repository's own policy, where none is given.
    world.set_policy(NAME, &text).await;
    world.start_preview(None).await.unwrap();
    assert_eq!(world.previewed().await.expiring, 2);
}

#[tokio::test]
async fn a_preview_at_a_time() {
    let store = Arc::new(FailingMetadata::new(Arc::new(MemoryMetadata::new())));
    let mut setup = Setup::new();
    setup.metadata = Arc::<FailingMetadata>::clone(&store);
    let world = setup.world().await;
    world.push_three(NAME).await;
    let text = policy(&[rule(1, "any", &keep(1))]);
    let gate = Gate::shut();
    store.faults().hold(MetadataOperation::Images, &gate);
    world.start_preview(Some(&text)).await.unwrap();
    within(gate.arrived(1)).await;
    let busy = world.start_preview(Some(&text)).await;
    assert!(matches!(busy, Err(SettingError::PreviewInProgress { .. })));
    let all = PreviewedImages::default();
    let view = world.preview(&all, None, 100).await.unwrap();
    assert_eq!((view.state, view.expiring), (PreviewState::InProgress, 0));
    // One whose process died is given up, and in nobody's way.
    world.clock.advance(DAY_MS);
    let view = world.preview(&all, None, 100).await.unwrap();
    assert_eq!(view.state, PreviewState::Failed);
    world.start_preview(Some(&text)).await.unwrap();
    gate.open();
    assert_eq!(world.previewed().await.expiring, 2);

    store.faults().fail(MetadataOperation::AddPreviewPage);
    world.clock.advance(1);
    world.start_preview(Some(&text)).await.unwrap();
    assert_eq!(world.previewed().await.state, PreviewState::Failed);
    let held = world.metadata.repository(&world.caller.registry, &repository(NAME)).await;
    assert!(held.unwrap().settings.lifecycle_policy.is_none());
}
