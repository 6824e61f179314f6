//! The contract of a metadata store.

use std::fmt;

use async_trait::async_trait;
use oci::{Digest, RepositoryName, Tag};

use crate::{
    Begun, Changes, Image, Link, ManifestFact, NewLink, NewManifest, NewSecret, Page, PageRequest,
    Pull, RegistryId, RegistrySettings, Repository, RepositorySettings, RequestHorizon,
    RequestStatus, ResourceRequest, Revision, Role, Rule, RuleCredentials, Secret, SecretId,
    TagFact, Template, Timestamp, Upload,
};

/// What can go wrong with facts.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such fact.
    #[error("not found")]
    NotFound,
    /// There is one of that name already.
    #[error("already exists")]
    AlreadyExists,
    /// One more would be too many.
    #[error("the limit of {limit} is reached")]
    LimitExceeded {
        /// The limit.
        limit: u32,
    },
    /// It still has content.
    #[error("not empty")]
    NotEmpty,
    /// The repository does not let this tag move from what it names.
    #[error("the tag names {digest} and may not move")]
    TagImmutable {
        /// What it names.
        digest: Digest,
    },
    /// The store was written by a newer version of this program.
    #[error("the store has schema {found}, this program knows up to {known}")]
    NewerSchema {
        /// Schema version found.
        found: i64,
        /// Newest schema version known.
        known: i64,
    },
    /// A stored record cannot be read back.
    #[error("a stored {record} cannot be read")]
    Corrupt {
        /// What kind of record.
        record: &'static str,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The engine failed or cannot be reached.
    #[error("the metadata store failed")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Where facts live. No method relies on the state of its process: two handles on one store see
/// each other's writes at once. Every write is one transaction, and records its changes in it.
#[async_trait]
pub trait MetadataStore: Send + Sync + fmt::Debug + 'static {
    /// Creates a rule; `limit` is how many the registry may have.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`] where one has the same prefix key; [`Error::LimitExceeded`].
    async fn create_rule(
        &self,
        registry: &RegistryId,
        rule: &Rule,
        limit: Option<u32>,
    ) -> Result<(), Error>;

    /// Returns every rule of a registry, by prefix key.
    async fn rules(&self, registry: &RegistryId) -> Result<Vec<Rule>, Error>;

    /// Returns the registries that have a rule.
    async fn registries_with_rules(&self) -> Result<Vec<RegistryId>, Error>;

    /// Sets the credentials of a rule that are `Some`, leaves the others, and returns the rule.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn update_rule(
        &self,
        registry: &RegistryId,
        prefix_key: &str,
        credentials: &RuleCredentials,
        at: Timestamp,
    ) -> Result<Rule, Error>;

    /// Deletes a rule and returns it. Cached content stays.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn delete_rule(&self, registry: &RegistryId, prefix_key: &str) -> Result<Rule, Error>;

    /// Creates a repository creation template; `limit` is how many the registry may have. Not a
    /// change: a template is read when a repository comes into being.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`] where one has the same prefix key; [`Error::LimitExceeded`].
    async fn create_template(
        &self,
        registry: &RegistryId,
        template: &Template,
        limit: Option<u32>,
    ) -> Result<(), Error>;

    /// Returns every repository creation template of a registry, by prefix key.
    async fn templates(&self, registry: &RegistryId) -> Result<Vec<Template>, Error>;

    /// Replaces a template except for its prefix, provided that it still is what `expected` says
    /// (compare and swap). Not a change.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is none or it changed in the meantime.
    async fn replace_template(
        &self,
        registry: &RegistryId,
        expected: &Template,
        template: &Template,
    ) -> Result<(), Error>;

    /// Deletes a template and returns it. Repositories that it made stay as they are. Not a
    /// change.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn delete_template(
        &self,
        registry: &RegistryId,
        prefix_key: &str,
    ) -> Result<Template, Error>;

    /// Creates a secret. One of that name whose `delete_after` has passed `secret.created_at` is
    /// replaced.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`].
    async fn create_secret(&self, registry: &RegistryId, secret: &NewSecret) -> Result<(), Error>;

    /// Returns a secret, one scheduled for deletion included, with its versions. One whose
    /// `delete_after` is not later than `now` is gone.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn secret(
        &self,
        registry: &RegistryId,
        id: &SecretId,
        now: Timestamp,
    ) -> Result<Secret, Error>;

    /// Replaces a secret and all its versions, provided that it still is what `expected` says
    /// (compare and swap), so that a read-modify-write loses nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is none or it changed in the meantime.
    async fn replace_secret(
        &self,
        registry: &RegistryId,
        expected: &Secret,
        secret: &Secret,
    ) -> Result<(), Error>;

    /// Deletes a secret at once.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn delete_secret(&self, registry: &RegistryId, name: &str) -> Result<(), Error>;

    /// Returns a page of secrets by name.
    async fn secrets(
        &self,
        registry: &RegistryId,
        page: &PageRequest,
        now: Timestamp,
    ) -> Result<Page<Secret>, Error>;

    /// Deletes every secret, of whichever registry, whose `delete_after` is not later than `now`,
    /// and returns how many there were.
    async fn purge_secrets(&self, now: Timestamp) -> Result<u64, Error>;

    /// Creates a role; `limit` is how many the registry may have.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`] where one has the same name in whichever case;
    /// [`Error::LimitExceeded`].
    async fn create_role(
        &self,
        registry: &RegistryId,
        role: &Role,
        limit: u32,
    ) -> Result<(), Error>;

    /// Returns a role by its name in whichever case.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn role(&self, registry: &RegistryId, name: &str) -> Result<Role, Error>;

    /// Replaces a role, provided that it still is what `expected` says (compare and swap). Its
    /// name stays.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is none or it changed in the meantime.
    async fn replace_role(
        &self,
        registry: &RegistryId,
        expected: &Role,
        role: &Role,
    ) -> Result<(), Error>;

    /// Deletes a role, provided that it still is what `expected` says.
    ///
    /// # Errors
    /// As [`replace_role`](Self::replace_role).
    async fn delete_role(&self, registry: &RegistryId, expected: &Role) -> Result<(), Error>;

    /// Returns a page of roles by name in lower case.
    async fn roles(&self, registry: &RegistryId, page: &PageRequest) -> Result<Page<Role>, Error>;

    /// Creates a repository; `limit` is how many the registry may have.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`]; [`Error::LimitExceeded`].
    async fn create_repository(
        &self,
        registry: &RegistryId,
        repository: &Repository,
        limit: Option<u32>,
    ) -> Result<(), Error>;

    /// Deletes a repository and returns it; with `force` together with its manifests, without only
    /// where it has none. Its tags and links go with it.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::NotEmpty`].
    async fn delete_repository(
        &self,
        registry: &RegistryId,
        name: &RepositoryName,
        force: bool,
    ) -> Result<Repository, Error>;

    /// Replaces the settings of a repository, provided that they still are what `expected` says
    /// (compare and swap), so that a read-modify-write loses nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is none or its settings changed in the meantime.
    async fn replace_repository_settings(
        &self,
        registry: &RegistryId,
        name: &RepositoryName,
        expected: &RepositorySettings,
        settings: &RepositorySettings,
    ) -> Result<(), Error>;

    /// Returns a repository.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn repository(
        &self,
        registry: &RegistryId,
        name: &RepositoryName,
    ) -> Result<Repository, Error>;

    /// Returns a page of repositories by name.
    async fn repositories(
        &self,
        registry: &RegistryId,
        page: &PageRequest,
    ) -> Result<Page<Repository>, Error>;

    /// Records a manifest whose bytes are committed, and the tag it was asked by: both or neither.
    ///
    /// # Errors
    /// [`Error::TagImmutable`] where the tag names another manifest and the repository's settings
    /// do not let it move.
    async fn record_manifest(
        &self,
        registry: &RegistryId,
        manifest: &NewManifest,
    ) -> Result<(), Error>;

    /// Returns a manifest of a repository.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn manifest(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<ManifestFact, Error>;

    /// Returns what a tag names.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn tag(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        tag: &Tag,
    ) -> Result<TagFact, Error>;

    /// Records that the upstream confirmed that `tag` still names `digest`.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the tag is gone or names something else by now.
    async fn refresh_tag(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        tag: &Tag,
        digest: &Digest,
        checked_at: Timestamp,
    ) -> Result<(), Error>;

    /// Returns a page of images by digest.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the repository does not exist.
    async fn images(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        page: &PageRequest,
    ) -> Result<Page<Image>, Error>;

    /// Returns an image: a manifest and every tag that names it.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn image(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Image, Error>;

    /// Records links of blobs whose bytes are committed, all in one transaction.
    async fn record_links(&self, links: &[NewLink]) -> Result<(), Error>;

    /// Returns the link of a blob in a repository.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn link(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Link, Error>;

    /// Returns a page of a repository's tags, ordered without regard to ASCII case (OCI
    /// distribution-spec 1.1, "Listing Tags"), those that differ by nothing else by byte.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the repository does not exist.
    async fn tags(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        page: &PageRequest,
    ) -> Result<Page<Tag>, Error>;

    /// Returns a page, by digest, of the manifests whose subject is `subject`.
    async fn referrers(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        subject: &Digest,
        page: &PageRequest,
    ) -> Result<Page<ManifestFact>, Error>;

    /// Returns a manifest of the repository that names `child` as its config or child.
    async fn parent_of(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        child: &Digest,
    ) -> Result<Option<Digest>, Error>;

    /// Deletes a tag and returns what it named. The manifest stays.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn delete_tag(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        tag: &Tag,
    ) -> Result<TagFact, Error>;

    /// Deletes a manifest with the tags that name it, and returns them. Links stay.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn delete_manifest(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Image, Error>;

    /// Deletes the link of a blob and returns it. The bytes stay.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn delete_link(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Link, Error>;

    /// Records an upload that begins; `limit` is how many the registry may have. Uploads are not
    /// part of the changes.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`]; [`Error::LimitExceeded`].
    async fn create_upload(
        &self,
        registry: &RegistryId,
        upload: &Upload,
        limit: Option<u32>,
    ) -> Result<(), Error>;

    /// Returns an upload of a repository.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn upload(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        id: &str,
    ) -> Result<Upload, Error>;

    /// Records that an upload has `size_bytes` now, provided that it still has as many as
    /// `expected` says (compare and swap).
    ///
    /// # Errors
    /// [`Error::NotFound`] where it is gone or somebody else went on with it.
    async fn advance_upload(
        &self,
        registry: &RegistryId,
        expected: &Upload,
        size_bytes: u64,
        at: Timestamp,
    ) -> Result<(), Error>;

    /// Forgets an upload.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn delete_upload(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        id: &str,
    ) -> Result<(), Error>;

    /// Returns uploads of any registry for which no bytes came since `before`, longest idle first,
    /// at most `limit`.
    async fn idle_uploads(
        &self,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<(RegistryId, Upload)>, Error>;

    /// Records pulls, later ones winning; pulls of what is gone are dropped. Not a change.
    async fn record_pulls(&self, pulls: &[Pull]) -> Result<(), Error>;

    /// Records a request to change a resource, unless one of the same client token is there or one
    /// is open for the same resource; drops those that are too old to keep. Not a change.
    async fn begin_resource_request(
        &self,
        registry: &RegistryId,
        request: &ResourceRequest,
        horizon: &RequestHorizon,
    ) -> Result<Begun, Error>;

    /// Returns a request that was made at `since` or later.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn resource_request(
        &self,
        registry: &RegistryId,
        request_token: &str,
        since: Timestamp,
    ) -> Result<ResourceRequest, Error>;

    /// Returns the newest request of a client token that was made at `since` or later.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn resource_request_of_client_token(
        &self,
        registry: &RegistryId,
        client_token: &str,
        since: Timestamp,
    ) -> Result<ResourceRequest, Error>;

    /// Writes how far a request has come (identifier, status, code, message and model; the rest
    /// stays), provided that its status still is `expected`. Not a change.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is none or it has another status.
    async fn replace_resource_request(
        &self,
        registry: &RegistryId,
        expected: RequestStatus,
        request: &ResourceRequest,
    ) -> Result<(), Error>;

    /// Returns a page of the requests that were made at `since` or later, the newest first.
    async fn resource_requests(
        &self,
        registry: &RegistryId,
        page: &PageRequest,
        since: Timestamp,
    ) -> Result<Page<ResourceRequest>, Error>;

    /// Returns the settings of a registry, the default ones where none were set.
    async fn registry_settings(&self, registry: &RegistryId) -> Result<RegistrySettings, Error>;

    /// Replaces the settings of a registry, provided that they still are what `expected` says
    /// (compare and swap). Not a change.
    ///
    /// # Errors
    /// [`Error::NotFound`] where they changed in the meantime.
    async fn replace_registry_settings(
        &self,
        registry: &RegistryId,
        expected: &RegistrySettings,
        settings: &RegistrySettings,
    ) -> Result<(), Error>;

    /// Returns a named record of the installation itself (not of a registry), such as the one that
    /// proves the keyring; `None` where it was never created.
    async fn marker(&self, name: &str) -> Result<Option<Vec<u8>>, Error>;

    /// Creates a named record of the installation. Not a change.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`].
    async fn create_marker(&self, name: &str, value: &[u8]) -> Result<(), Error>;

    /// Returns what changed after `since`.
    async fn changes_since(&self, since: Revision) -> Result<Changes, Error>;
}
