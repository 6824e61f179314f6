//! A metadata store whose engine fails on command.

use std::sync::Arc;

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

use crate::Faults;

/// A metadata store that does what another does, except where its engine cannot be reached.
#[derive(Clone, Debug)]
pub struct FailingMetadata {
    inner: Arc<dyn MetadataStore>,
    faults: Arc<Faults<MetadataOperation>>,
}

impl FailingMetadata {
    /// Puts faults in front of a store.
    pub fn new(inner: Arc<dyn MetadataStore>) -> Self {
        Self { inner, faults: Arc::default() }
    }

    /// Returns what is planned for its calls.
    pub fn faults(&self) -> &Faults<MetadataOperation> {
        &self.faults
    }

    async fn meet(&self, operation: MetadataOperation) -> Result<(), Error> {
        let fails = self.faults.meet(operation).await;
        if fails { Err(Error::Unavailable("failing as told".into())) } else { Ok(()) }
    }
}

/// Writes the operations and the store that guards each of them.
macro_rules! guard {
    ($($store:ident {
        $($operation:ident: $method:ident($($argument:ident: $kind:ty),*) -> $found:ty;)*
    })*) => {
        /// What can fail: a method of the store.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "each is the method of the same name")]
        pub enum MetadataOperation {
            $($($operation,)*)*
        }

        $(#[async_trait]
        impl $store for FailingMetadata {
            $(async fn $method(&self, $($argument: $kind),*) -> Result<$found, Error> {
                self.meet(MetadataOperation::$operation).await?;
                self.inner.$method($($argument),*).await
            })*
        })*
    };
}

guard! {
    RuleStore {
        CreateRule: create_rule(registry: &RegistryId, rule: &Rule, limit: Option<u32>) -> ();
        Rules: rules(registry: &RegistryId) -> Vec<Rule>;
        RegistriesWithRules: registries_with_rules() -> Vec<RegistryId>;
        UpdateRule: update_rule(
            registry: &RegistryId,
            prefix_key: &str,
            credentials: &RuleCredentials,
            at: Timestamp
        ) -> Rule;
        SetRulePolicy: set_rule_policy(
            registry: &RegistryId,
            prefix_key: &str,
            expected: Option<&RulePolicy>,
            policy: Option<&RulePolicy>
        ) -> Rule;
        DeleteRule: delete_rule(registry: &RegistryId, prefix_key: &str) -> Rule;
    }
    TemplateStore {
        CreateTemplate: create_template(
            registry: &RegistryId,
            template: &Template,
            limit: Option<u32>
        ) -> ();
        Templates: templates(registry: &RegistryId) -> Vec<Template>;
        ReplaceTemplate: replace_template(
            registry: &RegistryId,
            expected: &Template,
            template: &Template
        ) -> ();
        DeleteTemplate: delete_template(registry: &RegistryId, prefix_key: &str) -> Template;
    }
    SecretStore {
        CreateSecret: create_secret(registry: &RegistryId, secret: &NewSecret) -> ();
        Secret: secret(registry: &RegistryId, id: &SecretId, now: Timestamp) -> Secret;
        ReplaceSecret: replace_secret(
            registry: &RegistryId,
            expected: &Secret,
            secret: &Secret
        ) -> ();
        DeleteSecret: delete_secret(registry: &RegistryId, name: &str) -> ();
        Secrets: secrets(registry: &RegistryId, page: &PageRequest, now: Timestamp) -> Page<Secret>;
        PurgeSecrets: purge_secrets(now: Timestamp) -> u64;
    }
    RoleStore {
        CreateRole: create_role(registry: &RegistryId, role: &Role, limit: u32) -> ();
        Role: role(registry: &RegistryId, name: &str) -> Role;
        ReplaceRole: replace_role(registry: &RegistryId, expected: &Role, role: &Role) -> ();
        DeleteRole: delete_role(registry: &RegistryId, expected: &Role) -> ();
        Roles: roles(registry: &RegistryId, page: &PageRequest) -> Page<Role>;
    }
    RepositoryStore {
        CreateRepository: create_repository(
            registry: &RegistryId,
            repository: &Repository,
            limit: Option<u32>
        ) -> ();
        DeleteRepository: delete_repository(
            registry: &RegistryId,
            name: &RepositoryName,
            force: bool
        ) -> Repository;
        ReplaceRepositorySettings: replace_repository_settings(
            registry: &RegistryId,
            name: &RepositoryName,
            expected: &RepositorySettings,
            settings: &RepositorySettings
        ) -> ();
        Repository: repository(registry: &RegistryId, name: &RepositoryName) -> Repository;
        Repositories: repositories(registry: &RegistryId, page: &PageRequest) -> Page<Repository>;
    }
    SightingStore {
        SightManifest: sight_manifest(
            registry: &RegistryId,
            digest: &Digest,
            at: Timestamp
        ) -> Timestamp;
    }
    ManifestStore {
        RecordManifest: record_manifest(registry: &RegistryId, manifest: &NewManifest) -> Vec<Image>;
        RecordWithParts: record_with_parts(
            registry: &RegistryId,
            manifest: &NewManifest,
            parts: &HeldParts
        ) -> Vec<Image>;
        Manifest: manifest(
            registry: &RegistryId,
            repository: &RepositoryName,
            digest: &Digest
        ) -> ManifestFact;
        Images: images(
            registry: &RegistryId,
            repository: &RepositoryName,
            page: &PageRequest
        ) -> Page<Image>;
        Image: image(
            registry: &RegistryId,
            repository: &RepositoryName,
            digest: &Digest
        ) -> Image;
        Referrers: referrers(
            registry: &RegistryId,
            repository: &RepositoryName,
            subject: &Digest,
            page: &PageRequest
        ) -> Page<ManifestFact>;
        ParentOf: parent_of(
            registry: &RegistryId,
            repository: &RepositoryName,
            child: &Digest
        ) -> Option<Digest>;
        DeleteManifest: delete_manifest(
            registry: &RegistryId,
            repository: &RepositoryName,
            digest: &Digest
        ) -> Image;
        RecordPulls: record_pulls(pulls: &[Pull]) -> ();
    }
    TagStore {
        Tag: tag(registry: &RegistryId, repository: &RepositoryName, tag: &Tag) -> TagFact;
        RefreshTag: refresh_tag(
            registry: &RegistryId,
            repository: &RepositoryName,
            tag: &Tag,
            digest: &Digest,
            checked_at: Timestamp
        ) -> ();
        Tags: tags(registry: &RegistryId, repository: &RepositoryName, page: &PageRequest) -> Page<Tag>;
        DeleteTag: delete_tag(registry: &RegistryId, repository: &RepositoryName, tag: &Tag) -> TagFact;
    }
    LinkStore {
        RecordLinks: record_links(links: &[NewLink]) -> ();
        Link: link(registry: &RegistryId, repository: &RepositoryName, digest: &Digest) -> Link;
        LinkedIn: linked_in(registry: &RegistryId, digest: &Digest, limit: usize) -> Vec<RepositoryName>;
        DeleteLink: delete_link(
            registry: &RegistryId,
            repository: &RepositoryName,
            digest: &Digest
        ) -> Link;
    }
    ArchiveStore {
        MoveImage: move_image(
            registry: &RegistryId,
            repository: &RepositoryName,
            digest: &Digest,
            class: StorageClass,
            at: Timestamp
        ) -> Vec<Image>;
        ArchivedImages: archived_images(
            registry: &RegistryId,
            repository: &RepositoryName,
            page: &PageRequest
        ) -> Page<Image>;
        IsLinkArchived: is_link_archived(
            registry: &RegistryId,
            repository: &RepositoryName,
            link: &Link
        ) -> bool;
    }
    LifecycleStore {
        LifecycleDue: lifecycle_due(before: Timestamp, limit: usize) -> Vec<(RegistryId, Repository)>;
        CachedImages: cached_images(page: &PageRequest) -> Page<CachedImage>;
        ExpireImages: expire_images(
            registry: &RegistryId,
            repository: &RepositoryName,
            marked: &Marked
        ) -> Vec<Image>;
        ArchiveImages: archive_images(
            registry: &RegistryId,
            repository: &RepositoryName,
            marked: &Marked,
            at: Timestamp
        ) -> Vec<Image>;
        BeginPreview: begin_preview(
            registry: &RegistryId,
            repository: &RepositoryName,
            preview: &LifecyclePreview,
            given_up: Timestamp
        ) -> ();
        AddPreviewPage: add_preview_page(
            registry: &RegistryId,
            repository: &RepositoryName,
            started_at: Timestamp,
            page: u32,
            results: &[PreviewResult]
        ) -> ();
        EndPreview: end_preview(
            registry: &RegistryId,
            repository: &RepositoryName,
            preview: &LifecyclePreview
        ) -> ();
        Preview: preview(registry: &RegistryId, repository: &RepositoryName) -> LifecyclePreview;
        PreviewPage: preview_page(
            registry: &RegistryId,
            repository: &RepositoryName,
            page: u32
        ) -> Vec<PreviewResult>;
    }
    CollectionStore {
        LooseLinks: loose_links(page: &PageRequest, before: Timestamp) -> Page<LooseLink>;
        DeleteLooseLinks: delete_loose_links(links: &[LooseLink]) -> Vec<LooseLink>;
        Needed: needed(digests: &[Digest], but_loose: Option<Timestamp>) -> Vec<Digest>;
    }
    UploadStore {
        CreateUpload: create_upload(registry: &RegistryId, upload: &Upload, limit: Option<u32>) -> ();
        Upload: upload(registry: &RegistryId, repository: &RepositoryName, id: &str) -> Upload;
        AdvanceUpload: advance_upload(
            registry: &RegistryId,
            expected: &Upload,
            size_bytes: u64,
            at: Timestamp
        ) -> ();
        DeleteUpload: delete_upload(registry: &RegistryId, repository: &RepositoryName, id: &str) -> ();
        IdleUploads: idle_uploads(before: Timestamp, limit: usize) -> Vec<(RegistryId, Upload)>;
    }
    ResourceRequestStore {
        BeginResourceRequest: begin_resource_request(
            registry: &RegistryId,
            request: &ResourceRequest,
            horizon: &RequestHorizon
        ) -> Begun;
        ResourceRequest: resource_request(
            registry: &RegistryId,
            request_token: &str,
            since: Timestamp
        ) -> ResourceRequest;
        ResourceRequestOfClientToken: resource_request_of_client_token(
            registry: &RegistryId,
            client_token: &str,
            since: Timestamp
        ) -> ResourceRequest;
        ReplaceResourceRequest: replace_resource_request(
            registry: &RegistryId,
            expected: RequestStatus,
            request: &ResourceRequest
        ) -> ();
        ResourceRequests: resource_requests(
            registry: &RegistryId,
            page: &PageRequest,
            since: Timestamp
        ) -> Page<ResourceRequest>;
    }
    RegistrySettingsStore {
        RegistrySettings: registry_settings(registry: &RegistryId) -> RegistrySettings;
        ReplaceRegistrySettings: replace_registry_settings(
            registry: &RegistryId,
            expected: &RegistrySettings,
            settings: &RegistrySettings
        ) -> ();
    }
    MetadataStore {
        Marker: marker(name: &str) -> Option<Vec<u8>>;
        CreateMarker: create_marker(name: &str, value: &[u8]) -> ();
        ChangesSince: changes_since(since: Revision) -> Changes;
    }
}

#[cfg(test)]
mod tests {
    use metadata::{AccountId, MemoryMetadata, Region};

    use super::*;

    #[tokio::test]
    async fn a_method_fails_on_command_and_heals() {
        let store = FailingMetadata::new(Arc::new(MemoryMetadata::default()));
        let registry = RegistryId {
            account: AccountId::parse("000000000000").unwrap(),
            region: Region::parse("us-east-1").unwrap(),
        };
        store.faults().fail_nth(MetadataOperation::Rules, 2);
        assert!(store.rules(&registry).await.unwrap().is_empty());
        assert!(matches!(store.rules(&registry).await, Err(Error::Unavailable(_))));
        assert!(store.rules(&registry).await.is_ok());
        assert!(store.changes_since(Revision::default()).await.is_ok());
        assert_eq!(store.faults().calls(MetadataOperation::Rules), 3);
        assert_eq!(store.faults().calls_in_all(), 4);
    }
}
