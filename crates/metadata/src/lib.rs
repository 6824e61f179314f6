//! Facts by name: rules, secrets, roles, repositories, manifests, tags, links,
//! requests to change resources.
//!
//! Nothing here knows of bytes, upstreams or HTTP. Invariants: every fact is keyed by its
//! registry; a fact about content is only written once the content is committed (the caller's
//! duty); every change has a revision that any process can ask about.

mod archive;
mod change;
#[cfg(feature = "conformance")]
pub mod conformance;
mod content;
mod identity;
mod lifecycle;
mod memory;
mod page;
mod registry_settings;
mod repository;
mod resource_request;
mod role;
mod rule;
mod rule_policy;
mod secret;
mod sqlite;
mod store;
mod stored;
mod template;
mod upload;

pub use archive::{Storage, StorageClass};
pub use change::{CHANGES_KEPT, Change, Changes, Revision};
pub use content::{
    CachedImage, HeldParts, Image, Link, LooseLink, ManifestFact, Named, NewLink, NewManifest,
    Origin, Precondition, Pull, Repository, TagFact,
};
pub use identity::{AccountId, IdentityError, Region, RegistryId, Timestamp};
pub use lifecycle::{LifecyclePreview, Marked, MarkedImage, PreviewResult, PreviewStatus};
pub use memory::MemoryMetadata;
pub use page::{Page, PageRequest};
pub use registry_settings::{
    RegistryScanType, RegistryScanning, RegistrySettings, ReplicationDestination, ReplicationRule,
    ScanFrequency, ScanningRule,
};
pub use repository::{Encryption, RepositorySettings, TagMutability, matches_wildcard};
pub use resource_request::{
    Begun, ClientToken, RequestHorizon, RequestStatus, ResourceOperation, ResourceRequest,
};
pub use role::Role;
pub use rule::{EcrRepositoryPrefix, PrefixError, Rule, RuleCredentials};
pub use rule_policy::{AgeFrom, RulePolicy, Span, TagFreshness};
pub use secret::{NewSecret, Secret, SecretId, SecretVersion};
pub use sqlite::{OpenError, SqliteMetadata};
pub use store::{
    ArchiveStore, CollectionStore, Error, LifecycleStore, LinkStore, ManifestStore, MetadataStore,
    RegistrySettingsStore, RepositoryStore, ResourceRequestStore, RoleStore, RuleStore,
    SecretStore, SightingStore, TagStore, TemplateStore, UploadStore,
};
pub use template::{AppliedFor, Template, TemplatePrefix};
pub use upload::Upload;
