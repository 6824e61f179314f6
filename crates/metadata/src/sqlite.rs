//! A store in one SQLite file: the embedded default.
//!
//! One connection writes, so that writers queue in the process instead of failing on a lock; each
//! write is one `BEGIN IMMEDIATE` transaction that takes the engine's lock before it reads. A few
//! connections read; the write-ahead log lets them read on while one writes. Statements are plain
//! SQL with numbered parameters, every one an index look-up (`tests.rs` asks the engine).

/// Names the statements of a module, and lists them all for the test of their query plans.
macro_rules! statements {
    ($($name:ident = $sql:literal;)+) => {
        $(const $name: &str = $sql;)+
        #[cfg(test)]
        pub(super) const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $sql)),+];
    };
}

mod changes;
mod links;
mod manifests;
mod markers;
mod open;
mod registry_settings;
mod removal;
mod repositories;
mod resource_requests;
mod roles;
mod rules;
mod secrets;
mod tags;
mod templates;
#[cfg(test)]
mod tests;
mod uploads;
mod write;

use async_trait::async_trait;
use oci::{Digest, RepositoryName, Tag};
use sqlx::{Sqlite, SqlitePool, Transaction, pool::PoolConnection};

pub use self::open::OpenError;
use self::write::Write;
use crate::{
    Begun, Changes, Error, Image, Link, ManifestFact, MetadataStore, NewLink, NewManifest,
    NewSecret, Page, PageRequest, Pull, RegistryId, RegistrySettings, Repository,
    RepositorySettings, RequestHorizon, RequestStatus, ResourceRequest, Revision, Role, Rule,
    RuleCredentials, Secret, SecretId, TagFact, Template, Timestamp, Upload,
};

/// Facts in a SQLite file; a clone shares the connections.
#[derive(Clone, Debug)]
pub struct SqliteMetadata {
    /// One connection: whoever holds it is the process's writer.
    writer: SqlitePool,
    /// Connections that cannot write.
    readers: SqlitePool,
}

impl SqliteMetadata {
    /// Waits for running statements and closes the file; later calls fail as
    /// [`Error::Unavailable`].
    pub async fn close(&self) {
        self.readers.close().await;
        // Last, so that it moves the write-ahead log into the file.
        self.writer.close().await;
    }

    /// Returns a connection for one reading statement.
    async fn reader(&self) -> Result<PoolConnection<Sqlite>, Error> {
        Ok(self.readers.acquire().await?)
    }

    /// Returns a view of the facts at one moment, for reads of several statements.
    async fn snapshot(&self) -> Result<Transaction<'static, Sqlite>, Error> {
        Ok(self.readers.begin().await?)
    }

    /// Begins a write.
    async fn write(&self) -> Result<Write, Error> {
        Write::begin(&self.writer).await
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            // SQLite result codes, SQLITE_CORRUPT (11) and SQLITE_NOTADB (26): the low byte of
            // the extended code.
            sqlx::Error::Database(cause) => {
                let code = cause.code().and_then(|code| code.parse::<i32>().ok());
                if matches!(code.map(|code| code & 0xff), Some(11 | 26)) {
                    return Self::Corrupt { record: "database file", source: Box::new(error) };
                }
            }
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                return Self::Corrupt { record: "row", source: Box::new(error) };
            }
            _ => {}
        }
        Self::Unavailable(Box::new(error))
    }
}

#[async_trait]
impl MetadataStore for SqliteMetadata {
    async fn create_rule(
        &self,
        registry: &RegistryId,
        rule: &Rule,
        limit: Option<u32>,
    ) -> Result<(), Error> {
        rules::create(self.write().await?, registry, rule, limit).await
    }

    async fn rules(&self, registry: &RegistryId) -> Result<Vec<Rule>, Error> {
        rules::list(&mut *self.reader().await?, registry).await
    }

    async fn registries_with_rules(&self) -> Result<Vec<RegistryId>, Error> {
        rules::registries(&mut *self.snapshot().await?).await
    }

    async fn update_rule(
        &self,
        registry: &RegistryId,
        prefix_key: &str,
        credentials: &RuleCredentials,
        at: Timestamp,
    ) -> Result<Rule, Error> {
        rules::update(self.write().await?, registry, prefix_key, credentials, at).await
    }

    async fn delete_rule(&self, registry: &RegistryId, prefix_key: &str) -> Result<Rule, Error> {
        rules::delete(self.write().await?, registry, prefix_key).await
    }

    async fn create_template(
        &self,
        registry: &RegistryId,
        template: &Template,
        limit: Option<u32>,
    ) -> Result<(), Error> {
        templates::create(self.write().await?, registry, template, limit).await
    }

    async fn templates(&self, registry: &RegistryId) -> Result<Vec<Template>, Error> {
        templates::list(&mut *self.reader().await?, registry).await
    }

    async fn replace_template(
        &self,
        registry: &RegistryId,
        expected: &Template,
        template: &Template,
    ) -> Result<(), Error> {
        templates::replace(self.write().await?, registry, expected, template).await
    }

    async fn delete_template(
        &self,
        registry: &RegistryId,
        prefix_key: &str,
    ) -> Result<Template, Error> {
        templates::delete(self.write().await?, registry, prefix_key).await
    }

    async fn create_secret(&self, registry: &RegistryId, secret: &NewSecret) -> Result<(), Error> {
        secrets::create(self.write().await?, registry, secret).await
    }

    async fn secret(
        &self,
        registry: &RegistryId,
        id: &SecretId,
        now: Timestamp,
    ) -> Result<Secret, Error> {
        secrets::find(&mut *self.snapshot().await?, registry, id, now).await
    }

    async fn replace_secret(
        &self,
        registry: &RegistryId,
        expected: &Secret,
        secret: &Secret,
    ) -> Result<(), Error> {
        secrets::replace(self.write().await?, registry, expected, secret).await
    }

    async fn delete_secret(&self, registry: &RegistryId, name: &str) -> Result<(), Error> {
        secrets::delete(self.write().await?, registry, name).await
    }

    async fn secrets(
        &self,
        registry: &RegistryId,
        page: &PageRequest,
        now: Timestamp,
    ) -> Result<Page<Secret>, Error> {
        secrets::list(&mut *self.snapshot().await?, registry, page, now).await
    }

    async fn purge_secrets(&self, now: Timestamp) -> Result<u64, Error> {
        secrets::purge(self.write().await?, now).await
    }

    async fn create_role(
        &self,
        registry: &RegistryId,
        role: &Role,
        limit: u32,
    ) -> Result<(), Error> {
        roles::create(self.write().await?, registry, role, limit).await
    }

    async fn role(&self, registry: &RegistryId, name: &str) -> Result<Role, Error> {
        roles::find(&mut *self.reader().await?, registry, name).await
    }

    async fn replace_role(
        &self,
        registry: &RegistryId,
        expected: &Role,
        role: &Role,
    ) -> Result<(), Error> {
        roles::replace(self.write().await?, registry, expected, role).await
    }

    async fn delete_role(&self, registry: &RegistryId, expected: &Role) -> Result<(), Error> {
        roles::delete(self.write().await?, registry, expected).await
    }

    async fn roles(&self, registry: &RegistryId, page: &PageRequest) -> Result<Page<Role>, Error> {
        roles::list(&mut *self.reader().await?, registry, page).await
    }

    async fn create_repository(
        &self,
        registry: &RegistryId,
        repository: &Repository,
        limit: Option<u32>,
    ) -> Result<(), Error> {
        repositories::create(self.write().await?, registry, repository, limit).await
    }

    async fn delete_repository(
        &self,
        registry: &RegistryId,
        name: &RepositoryName,
        force: bool,
    ) -> Result<Repository, Error> {
        repositories::delete(self.write().await?, registry, name, force).await
    }

    async fn replace_repository_settings(
        &self,
        registry: &RegistryId,
        name: &RepositoryName,
        expected: &RepositorySettings,
        settings: &RepositorySettings,
    ) -> Result<(), Error> {
        let write = self.write().await?;
        repositories::replace_settings(write, registry, name, expected, settings).await
    }

    async fn repository(
        &self,
        registry: &RegistryId,
        name: &RepositoryName,
    ) -> Result<Repository, Error> {
        repositories::find(&mut *self.reader().await?, registry, name).await
    }

    async fn repositories(
        &self,
        registry: &RegistryId,
        page: &PageRequest,
    ) -> Result<Page<Repository>, Error> {
        repositories::list(&mut *self.reader().await?, registry, page).await
    }

    async fn record_manifest(
        &self,
        registry: &RegistryId,
        manifest: &NewManifest,
    ) -> Result<(), Error> {
        manifests::record(self.write().await?, registry, manifest).await
    }

    async fn manifest(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<ManifestFact, Error> {
        manifests::find(&mut *self.reader().await?, registry, repository, digest).await
    }

    async fn tag(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        tag: &Tag,
    ) -> Result<TagFact, Error> {
        tags::find(&mut *self.reader().await?, registry, repository, tag).await
    }

    async fn refresh_tag(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        tag: &Tag,
        digest: &Digest,
        checked_at: Timestamp,
    ) -> Result<(), Error> {
        let named = tags::Named { repository, tag, digest };
        tags::refresh(self.write().await?, registry, named, checked_at).await
    }

    async fn images(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        page: &PageRequest,
    ) -> Result<Page<Image>, Error> {
        manifests::images(&mut *self.snapshot().await?, registry, repository, page).await
    }

    async fn image(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Image, Error> {
        manifests::image(&mut *self.snapshot().await?, registry, repository, digest).await
    }

    async fn record_links(&self, links: &[NewLink]) -> Result<(), Error> {
        links::record(self.write().await?, links).await
    }

    async fn link(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Link, Error> {
        links::find(&mut *self.reader().await?, registry, repository, digest).await
    }

    async fn tags(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        page: &PageRequest,
    ) -> Result<Page<Tag>, Error> {
        tags::list(&mut *self.snapshot().await?, registry, repository, page).await
    }

    async fn referrers(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        subject: &Digest,
        page: &PageRequest,
    ) -> Result<Page<ManifestFact>, Error> {
        let connection = &mut *self.reader().await?;
        manifests::referrers(connection, registry, repository, subject, page).await
    }

    async fn parent_of(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        child: &Digest,
    ) -> Result<Option<Digest>, Error> {
        manifests::parent_of(&mut *self.reader().await?, registry, repository, child).await
    }

    async fn delete_tag(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        tag: &Tag,
    ) -> Result<TagFact, Error> {
        removal::tag(self.write().await?, registry, repository, tag).await
    }

    async fn delete_manifest(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Image, Error> {
        removal::manifest(self.write().await?, registry, repository, digest).await
    }

    async fn delete_link(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Link, Error> {
        removal::link(self.write().await?, registry, repository, digest).await
    }

    async fn create_upload(
        &self,
        registry: &RegistryId,
        upload: &Upload,
        limit: Option<u32>,
    ) -> Result<(), Error> {
        uploads::create(self.write().await?, registry, upload, limit).await
    }

    async fn upload(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        id: &str,
    ) -> Result<Upload, Error> {
        uploads::find(&mut *self.reader().await?, registry, repository, id).await
    }

    async fn advance_upload(
        &self,
        registry: &RegistryId,
        expected: &Upload,
        size_bytes: u64,
        at: Timestamp,
    ) -> Result<(), Error> {
        uploads::advance(self.write().await?, registry, expected, size_bytes, at).await
    }

    async fn delete_upload(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        id: &str,
    ) -> Result<(), Error> {
        uploads::delete(self.write().await?, registry, repository, id).await
    }

    async fn idle_uploads(
        &self,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<(RegistryId, Upload)>, Error> {
        uploads::idle(&mut *self.reader().await?, before, limit).await
    }

    async fn record_pulls(&self, pulls: &[Pull]) -> Result<(), Error> {
        manifests::record_pulls(self.write().await?, pulls).await
    }

    async fn begin_resource_request(
        &self,
        registry: &RegistryId,
        request: &ResourceRequest,
        horizon: &RequestHorizon,
    ) -> Result<Begun, Error> {
        resource_requests::begin(self.write().await?, registry, request, horizon).await
    }

    async fn resource_request(
        &self,
        registry: &RegistryId,
        request_token: &str,
        since: Timestamp,
    ) -> Result<ResourceRequest, Error> {
        let connection = &mut *self.reader().await?;
        resource_requests::find(connection, registry, request_token, since).await
    }

    async fn resource_request_of_client_token(
        &self,
        registry: &RegistryId,
        client_token: &str,
        since: Timestamp,
    ) -> Result<ResourceRequest, Error> {
        let connection = &mut *self.reader().await?;
        let of_token = resource_requests::of_client_token;
        of_token(connection, registry, client_token, since).await?.ok_or(Error::NotFound)
    }

    async fn replace_resource_request(
        &self,
        registry: &RegistryId,
        expected: RequestStatus,
        request: &ResourceRequest,
    ) -> Result<(), Error> {
        resource_requests::replace(self.write().await?, registry, expected, request).await
    }

    async fn resource_requests(
        &self,
        registry: &RegistryId,
        page: &PageRequest,
        since: Timestamp,
    ) -> Result<Page<ResourceRequest>, Error> {
        resource_requests::list(&mut *self.reader().await?, registry, page, since).await
    }

    async fn registry_settings(&self, registry: &RegistryId) -> Result<RegistrySettings, Error> {
        registry_settings::find(&mut *self.reader().await?, registry).await
    }

    async fn replace_registry_settings(
        &self,
        registry: &RegistryId,
        expected: &RegistrySettings,
        settings: &RegistrySettings,
    ) -> Result<(), Error> {
        registry_settings::replace(self.write().await?, registry, expected, settings).await
    }

    async fn marker(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        markers::find(&mut *self.reader().await?, name).await
    }

    async fn create_marker(&self, name: &str, value: &[u8]) -> Result<(), Error> {
        markers::create(self.write().await?, name, value).await
    }

    async fn changes_since(&self, since: Revision) -> Result<Changes, Error> {
        changes::since(&mut *self.snapshot().await?, since).await
    }
}
