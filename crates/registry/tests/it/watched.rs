//! A metadata store that counts what it is asked.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use metadata::{
    ArchiveStore, Begun, CachedImage, Changes, CollectionStore, Error, HeldParts, Image,
    LifecyclePreview, LifecycleStore, Link, LinkStore, LooseLink, ManifestFact, ManifestStore,
    Marked, MetadataStore, NewLink, NewManifest, NewSecret, Page, PageRequest, PreviewResult, Pull,
    RegistryId, RegistrySettings, RegistrySettingsStore, Repository, RepositorySettings,
    RepositoryStore, RequestHorizon, RequestStatus, ResourceRequest, ResourceRequestStore,
    Revision, Role, RoleStore, Rule, RuleCredentials, RulePolicy, RuleStore, Secret, SecretId,
    SecretStore, SightingStore, StorageClass, TagFact, TagStore, Template, TemplateStore,
    Timestamp, Upload, UploadStore,
};
use oci::{Digest, RepositoryName, Tag};
use testkit::Gate;

use crate::world::until;

/// Passes everything on to a real store.
#[derive(Debug)]
pub(crate) struct Watched {
    store: Arc<dyn MetadataStore>,
    questions: AtomicUsize,
    looks: AtomicUsize,
    /// Holds the next answer back, once.
    hold: Mutex<Option<Gate>>,
}

impl Watched {
    pub(crate) fn new(store: Arc<dyn MetadataStore>) -> Self {
        Self {
            store,
            questions: AtomicUsize::new(0),
            looks: AtomicUsize::new(0),
            hold: Mutex::default(),
        }
    }

    /// Returns how often anything was asked by somebody who waits.
    pub(crate) fn questions(&self) -> usize {
        self.questions.load(Ordering::SeqCst)
    }

    /// Holds the answer to the next question back until the gate opens, late as it may be then.
    pub(crate) fn hold_next(&self, gate: &Gate) {
        *self.hold.lock().unwrap() = Some(gate.clone());
    }

    /// Waits until whoever follows the changes has taken in all that there were.
    pub(crate) async fn followed(&self) {
        // The second look begins after the first was worked off.
        let enough = self.looks.load(Ordering::SeqCst) + 2;
        until("changes are followed", || async { self.looks.load(Ordering::SeqCst) >= enough })
            .await;
    }
}

/// Writes the methods that are counted and passed on, and beside them what `also` says.
macro_rules! passed_on {
    ($(impl $store:ident {
        $(fn $name:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)+
        $(also { $($more:tt)+ })?
    })+) => {
        $(#[async_trait]
        impl $store for Watched {
            $(async fn $name(&self, $($argument: $kind),*) -> Result<$answer, Error> {
                self.questions.fetch_add(1, Ordering::SeqCst);
                let answer = self.store.$name($($argument),*).await;
                let held = self.hold.lock().unwrap().take();
                if let Some(gate) = held {
                    gate.pass().await;
                }
                answer
            })+
            $($($more)+)?
        })+
    };
}

passed_on! {
    impl RuleStore {
        fn create_rule(registry: &RegistryId, rule: &Rule, limit: Option<u32>) -> ();
        fn rules(registry: &RegistryId) -> Vec<Rule>;
        fn registries_with_rules() -> Vec<RegistryId>;
        fn update_rule(
            registry: &RegistryId, key: &str, credentials: &RuleCredentials, at: Timestamp
        ) -> Rule;
        fn set_rule_policy(
            registry: &RegistryId, key: &str, expected: Option<&RulePolicy>,
            policy: Option<&RulePolicy>
        ) -> Rule;
        fn delete_rule(registry: &RegistryId, key: &str) -> Rule;
    }
    impl TemplateStore {
        fn create_template(registry: &RegistryId, template: &Template, limit: Option<u32>) -> ();
        fn templates(registry: &RegistryId) -> Vec<Template>;
        fn replace_template(registry: &RegistryId, expected: &Template, template: &Template) -> ();
        fn delete_template(registry: &RegistryId, key: &str) -> Template;
    }
    impl SecretStore {
        fn create_secret(registry: &RegistryId, secret: &NewSecret) -> ();
        fn secret(registry: &RegistryId, id: &SecretId, now: Timestamp) -> Secret;
        fn replace_secret(registry: &RegistryId, expected: &Secret, secret: &Secret) -> ();
        fn delete_secret(registry: &RegistryId, name: &str) -> ();
        fn secrets(registry: &RegistryId, page: &PageRequest, now: Timestamp) -> Page<Secret>;
        also {
            /// Nobody waits for it.
            async fn purge_secrets(&self, now: Timestamp) -> Result<u64, Error> {
                self.store.purge_secrets(now).await
            }
        }
    }
    impl RoleStore {
        fn create_role(registry: &RegistryId, role: &Role, limit: u32) -> ();
        fn role(registry: &RegistryId, name: &str) -> Role;
        fn replace_role(registry: &RegistryId, expected: &Role, role: &Role) -> ();
        fn delete_role(registry: &RegistryId, expected: &Role) -> ();
        fn roles(registry: &RegistryId, page: &PageRequest) -> Page<Role>;
    }
    impl RepositoryStore {
        fn create_repository(
            registry: &RegistryId, repository: &Repository, limit: Option<u32>
        ) -> ();
        fn delete_repository(
            registry: &RegistryId, name: &RepositoryName, force: bool
        ) -> Repository;
        fn replace_repository_settings(
            registry: &RegistryId, name: &RepositoryName, expected: &RepositorySettings,
            settings: &RepositorySettings
        ) -> ();
        fn repository(registry: &RegistryId, name: &RepositoryName) -> Repository;
        fn repositories(registry: &RegistryId, page: &PageRequest) -> Page<Repository>;
    }
    impl SightingStore {
        fn sight_manifest(
            registry: &RegistryId, digest: &Digest, at: Timestamp
        ) -> Timestamp;
    }
    impl ManifestStore {
        fn record_manifest(registry: &RegistryId, manifest: &NewManifest) -> Vec<Image>;
        fn record_with_parts(
            registry: &RegistryId, manifest: &NewManifest, parts: &HeldParts
        ) -> Vec<Image>;
        fn manifest(
            registry: &RegistryId, repository: &RepositoryName, digest: &Digest
        ) -> ManifestFact;
        fn images(
            registry: &RegistryId, repository: &RepositoryName, page: &PageRequest
        ) -> Page<Image>;
        fn image(registry: &RegistryId, repository: &RepositoryName, digest: &Digest) -> Image;
        fn referrers(
            registry: &RegistryId,
            repository: &RepositoryName,
            subject: &Digest,
            page: &PageRequest
        ) -> Page<ManifestFact>;
        fn parent_of(
            registry: &RegistryId,
            repository: &RepositoryName,
            child: &Digest
        ) -> Option<Digest>;
        fn delete_manifest(
            registry: &RegistryId,
            repository: &RepositoryName,
            digest: &Digest
        ) -> Image;
        also {
            /// Nobody waits for it.
            async fn record_pulls(&self, pulls: &[Pull]) -> Result<(), Error> {
                self.store.record_pulls(pulls).await
            }
        }
    }
    impl TagStore {
        fn tag(registry: &RegistryId, repository: &RepositoryName, tag: &Tag) -> TagFact;
        fn refresh_tag(
            registry: &RegistryId, repository: &RepositoryName, tag: &Tag, digest: &Digest,
            checked_at: Timestamp
        ) -> ();
        fn tags(registry: &RegistryId, repository: &RepositoryName, page: &PageRequest) -> Page<Tag>;
        fn delete_tag(registry: &RegistryId, repository: &RepositoryName, tag: &Tag) -> TagFact;
    }
    impl LinkStore {
        fn record_links(links: &[NewLink]) -> ();
        fn link(registry: &RegistryId, repository: &RepositoryName, digest: &Digest) -> Link;
        fn linked_in(registry: &RegistryId, digest: &Digest, limit: usize) -> Vec<RepositoryName>;
        fn delete_link(registry: &RegistryId, repository: &RepositoryName, digest: &Digest) -> Link;
    }
    impl ArchiveStore {
        fn move_image(
            registry: &RegistryId, repository: &RepositoryName, digest: &Digest,
            class: StorageClass, at: Timestamp
        ) -> Vec<Image>;
        fn archived_images(
            registry: &RegistryId, repository: &RepositoryName, page: &PageRequest
        ) -> Page<Image>;
        fn is_link_archived(
            registry: &RegistryId, repository: &RepositoryName, link: &Link
        ) -> bool;
    }
    impl LifecycleStore {
        fn cached_images(page: &PageRequest) -> Page<CachedImage>;
        fn expire_images(
            registry: &RegistryId, repository: &RepositoryName, marked: &Marked
        ) -> Vec<Image>;
        fn archive_images(
            registry: &RegistryId, repository: &RepositoryName, marked: &Marked, at: Timestamp
        ) -> Vec<Image>;
        fn begin_preview(
            registry: &RegistryId, repository: &RepositoryName, preview: &LifecyclePreview,
            given_up: Timestamp
        ) -> ();
        fn add_preview_page(
            registry: &RegistryId, repository: &RepositoryName, started_at: Timestamp, page: u32,
            results: &[PreviewResult]
        ) -> ();
        fn end_preview(
            registry: &RegistryId, repository: &RepositoryName, preview: &LifecyclePreview
        ) -> ();
        fn preview(registry: &RegistryId, repository: &RepositoryName) -> LifecyclePreview;
        fn preview_page(
            registry: &RegistryId, repository: &RepositoryName, page: u32
        ) -> Vec<PreviewResult>;
        also {
            /// Nobody waits for it.
            async fn lifecycle_due(
                &self,
                before: Timestamp,
                limit: usize,
            ) -> Result<Vec<(RegistryId, Repository)>, Error> {
                self.store.lifecycle_due(before, limit).await
            }
        }
    }
    impl CollectionStore {
        fn loose_links(page: &PageRequest, before: Timestamp) -> Page<LooseLink>;
        fn delete_loose_links(links: &[LooseLink]) -> Vec<LooseLink>;
        fn needed(digests: &[Digest], but_loose: Option<Timestamp>) -> Vec<Digest>;
    }
    impl UploadStore {
        fn create_upload(registry: &RegistryId, upload: &Upload, limit: Option<u32>) -> ();
        fn upload(registry: &RegistryId, repository: &RepositoryName, id: &str) -> Upload;
        fn advance_upload(
            registry: &RegistryId,
            expected: &Upload,
            size_bytes: u64,
            at: Timestamp
        ) -> ();
        fn delete_upload(registry: &RegistryId, repository: &RepositoryName, id: &str) -> ();
        fn idle_uploads(before: Timestamp, limit: usize) -> Vec<(RegistryId, Upload)>;
    }
    impl ResourceRequestStore {
        fn begin_resource_request(
            registry: &RegistryId, request: &ResourceRequest, horizon: &RequestHorizon
        ) -> Begun;
        fn resource_request(
            registry: &RegistryId, request_token: &str, since: Timestamp
        ) -> ResourceRequest;
        fn resource_request_of_client_token(
            registry: &RegistryId, client_token: &str, since: Timestamp
        ) -> ResourceRequest;
        fn replace_resource_request(
            registry: &RegistryId, expected: RequestStatus, request: &ResourceRequest
        ) -> ();
        fn resource_requests(
            registry: &RegistryId, page: &PageRequest, since: Timestamp
        ) -> Page<ResourceRequest>;
    }
    impl RegistrySettingsStore {
        fn registry_settings(registry: &RegistryId) -> RegistrySettings;
        fn replace_registry_settings(
            registry: &RegistryId, expected: &RegistrySettings, settings: &RegistrySettings
        ) -> ();
    }
    impl MetadataStore {
        fn marker(name: &str) -> Option<Vec<u8>>;
        fn create_marker(name: &str, value: &[u8]) -> ();
        also {
            async fn changes_since(&self, since: Revision) -> Result<Changes, Error> {
                self.looks.fetch_add(1, Ordering::SeqCst);
                self.store.changes_since(since).await
            }
        }
    }
}
