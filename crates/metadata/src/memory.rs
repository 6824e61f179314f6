//! A store in memory: what tests and throw-away registries run on.
//!
//! Everything is gone with the last handle. One lock guards all facts, so that each write is
//! whole before anybody reads; it is never held over an await.

mod content;
mod history;
mod removal;
mod repositories;
mod resource_requests;
mod roles;
mod rules;
mod secrets;
mod templates;
mod uploads;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use async_trait::async_trait;
use oci::{Digest, RepositoryName, Tag};

use self::{content::Content, history::History};
use crate::{
    Begun, Changes, Error, Image, Link, ManifestFact, MetadataStore, NewLink, NewManifest,
    NewSecret, Page, PageRequest, Pull, RegistryId, RegistrySettings, Repository,
    RepositorySettings, RequestHorizon, RequestStatus, ResourceRequest, Revision, Role, Rule,
    RuleCredentials, Secret, SecretId, TagFact, Template, Timestamp, Upload,
};

/// Facts in memory; a clone is another handle on the same facts.
#[derive(Clone, Debug, Default)]
pub struct MemoryMetadata {
    state: Arc<Mutex<State>>,
}

/// Everything the handles share.
#[derive(Debug, Default)]
struct State {
    registries: BTreeMap<RegistryId, Facts>,
    markers: BTreeMap<String, Vec<u8>>,
    history: History,
}

/// The facts of one registry.
#[derive(Debug, Default)]
struct Facts {
    /// By prefix key.
    rules: BTreeMap<String, Rule>,
    /// By prefix key.
    templates: BTreeMap<String, Template>,
    /// By name.
    secrets: BTreeMap<String, Secret>,
    /// By key.
    roles: BTreeMap<String, Role>,
    /// By name.
    repositories: BTreeMap<String, Content>,
    /// By request token.
    resource_requests: BTreeMap<String, ResourceRequest>,
    settings: RegistrySettings,
    /// By id.
    uploads: BTreeMap<String, Upload>,
}

impl MemoryMetadata {
    /// Creates an empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no method panics while it holds the lock")
    }
}

impl State {
    /// Returns the facts of a registry for a write.
    fn facts_mut(&mut self, registry: &RegistryId) -> &mut Facts {
        self.registries.entry(registry.clone()).or_default()
    }

    /// Returns the facts of a registry, of which a read creates none.
    fn facts(&self, registry: &RegistryId) -> Option<&Facts> {
        self.registries.get(registry)
    }
}

#[async_trait]
impl MetadataStore for MemoryMetadata {
    async fn create_rule(
        &self,
        registry: &RegistryId,
        rule: &Rule,
        limit: Option<u32>,
    ) -> Result<(), Error> {
        self.state().create_rule(registry, rule, limit)
    }

    async fn rules(&self, registry: &RegistryId) -> Result<Vec<Rule>, Error> {
        Ok(self.state().rules(registry))
    }

    async fn registries_with_rules(&self) -> Result<Vec<RegistryId>, Error> {
        Ok(self.state().registries_with_rules())
    }

    async fn update_rule(
        &self,
        registry: &RegistryId,
        prefix_key: &str,
        credentials: &RuleCredentials,
        at: Timestamp,
    ) -> Result<Rule, Error> {
        self.state().update_rule(registry, prefix_key, credentials, at)
    }

    async fn delete_rule(&self, registry: &RegistryId, prefix_key: &str) -> Result<Rule, Error> {
        self.state().delete_rule(registry, prefix_key)
    }

    async fn create_template(
        &self,
        registry: &RegistryId,
        template: &Template,
        limit: Option<u32>,
    ) -> Result<(), Error> {
        self.state().create_template(registry, template, limit)
    }

    async fn templates(&self, registry: &RegistryId) -> Result<Vec<Template>, Error> {
        Ok(self.state().templates(registry))
    }

    async fn replace_template(
        &self,
        registry: &RegistryId,
        expected: &Template,
        template: &Template,
    ) -> Result<(), Error> {
        self.state().replace_template(registry, expected, template)
    }

    async fn delete_template(
        &self,
        registry: &RegistryId,
        prefix_key: &str,
    ) -> Result<Template, Error> {
        self.state().delete_template(registry, prefix_key)
    }

    async fn create_secret(&self, registry: &RegistryId, secret: &NewSecret) -> Result<(), Error> {
        self.state().create_secret(registry, secret)
    }

    async fn secret(
        &self,
        registry: &RegistryId,
        id: &SecretId,
        now: Timestamp,
    ) -> Result<Secret, Error> {
        self.state().secret(registry, id, now)
    }

    async fn replace_secret(
        &self,
        registry: &RegistryId,
        expected: &Secret,
        secret: &Secret,
    ) -> Result<(), Error> {
        self.state().replace_secret(registry, expected, secret)
    }

    async fn delete_secret(&self, registry: &RegistryId, name: &str) -> Result<(), Error> {
        self.state().delete_secret(registry, name)
    }

    async fn secrets(
        &self,
        registry: &RegistryId,
        page: &PageRequest,
        now: Timestamp,
    ) -> Result<Page<Secret>, Error> {
        Ok(self.state().secrets(registry, page, now))
    }

    async fn purge_secrets(&self, now: Timestamp) -> Result<u64, Error> {
        Ok(self.state().purge_secrets(now))
    }

    async fn create_role(
        &self,
        registry: &RegistryId,
        role: &Role,
        limit: u32,
    ) -> Result<(), Error> {
        self.state().create_role(registry, role, limit)
    }

    async fn role(&self, registry: &RegistryId, name: &str) -> Result<Role, Error> {
        self.state().role(registry, name)
    }

    async fn replace_role(
        &self,
        registry: &RegistryId,
        expected: &Role,
        role: &Role,
    ) -> Result<(), Error> {
        self.state().replace_role(registry, expected, role)
    }

    async fn delete_role(&self, registry: &RegistryId, expected: &Role) -> Result<(), Error> {
        self.state().delete_role(registry, expected)
    }

    async fn roles(&self, registry: &RegistryId, page: &PageRequest) -> Result<Page<Role>, Error> {
        Ok(self.state().roles(registry, page))
    }

    async fn create_repository(
        &self,
        registry: &RegistryId,
        repository: &Repository,
        limit: Option<u32>,
    ) -> Result<(), Error> {
        self.state().create_repository(registry, repository, limit)
    }

    async fn delete_repository(
        &self,
        registry: &RegistryId,
        name: &RepositoryName,
        force: bool,
    ) -> Result<Repository, Error> {
        self.state().delete_repository(registry, name, force)
    }

    async fn replace_repository_settings(
        &self,
        registry: &RegistryId,
        name: &RepositoryName,
        expected: &RepositorySettings,
        settings: &RepositorySettings,
    ) -> Result<(), Error> {
        self.state().replace_repository_settings(registry, name, expected, settings)
    }

    async fn repository(
        &self,
        registry: &RegistryId,
        name: &RepositoryName,
    ) -> Result<Repository, Error> {
        self.state().content(registry, name).map(|content| content.repository.clone())
    }

    async fn repositories(
        &self,
        registry: &RegistryId,
        page: &PageRequest,
    ) -> Result<Page<Repository>, Error> {
        Ok(self.state().repositories(registry, page))
    }

    async fn record_manifest(
        &self,
        registry: &RegistryId,
        manifest: &NewManifest,
    ) -> Result<(), Error> {
        self.state().record_manifest(registry, manifest)
    }

    async fn manifest(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<ManifestFact, Error> {
        self.state().content(registry, repository)?.manifest(digest)
    }

    async fn tag(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        tag: &Tag,
    ) -> Result<TagFact, Error> {
        self.state().content(registry, repository)?.tag(tag)
    }

    async fn refresh_tag(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        tag: &Tag,
        digest: &Digest,
        checked_at: Timestamp,
    ) -> Result<(), Error> {
        self.state().refresh_tag(registry, repository, tag, digest, checked_at)
    }

    async fn images(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        page: &PageRequest,
    ) -> Result<Page<Image>, Error> {
        Ok(self.state().content(registry, repository)?.images(page))
    }

    async fn image(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Image, Error> {
        self.state().content(registry, repository)?.image(digest)
    }

    async fn record_links(&self, links: &[NewLink]) -> Result<(), Error> {
        self.state().record_links(links);
        Ok(())
    }

    async fn link(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Link, Error> {
        self.state().content(registry, repository)?.link(digest)
    }

    async fn tags(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        page: &PageRequest,
    ) -> Result<Page<Tag>, Error> {
        Ok(self.state().content(registry, repository)?.tag_page(page))
    }

    async fn referrers(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        subject: &Digest,
        page: &PageRequest,
    ) -> Result<Page<ManifestFact>, Error> {
        match self.state().content(registry, repository) {
            Ok(content) => Ok(content.referrers(subject, page)),
            Err(_) => Ok(Page { items: Vec::new(), next: None }),
        }
    }

    async fn parent_of(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        child: &Digest,
    ) -> Result<Option<Digest>, Error> {
        let state = self.state();
        Ok(state.content(registry, repository).ok().and_then(|content| content.parent_of(child)))
    }

    async fn delete_tag(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        tag: &Tag,
    ) -> Result<TagFact, Error> {
        self.state().delete_tag(registry, repository, tag)
    }

    async fn delete_manifest(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Image, Error> {
        self.state().delete_manifest(registry, repository, digest)
    }

    async fn delete_link(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Link, Error> {
        self.state().delete_link(registry, repository, digest)
    }

    async fn create_upload(
        &self,
        registry: &RegistryId,
        upload: &Upload,
        limit: Option<u32>,
    ) -> Result<(), Error> {
        self.state().create_upload(registry, upload, limit)
    }

    async fn upload(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        id: &str,
    ) -> Result<Upload, Error> {
        self.state().upload(registry, repository, id)
    }

    async fn advance_upload(
        &self,
        registry: &RegistryId,
        expected: &Upload,
        size_bytes: u64,
        at: Timestamp,
    ) -> Result<(), Error> {
        self.state().advance_upload(registry, expected, size_bytes, at)
    }

    async fn delete_upload(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        id: &str,
    ) -> Result<(), Error> {
        self.state().delete_upload(registry, repository, id)
    }

    async fn idle_uploads(
        &self,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<(RegistryId, Upload)>, Error> {
        Ok(self.state().idle_uploads(before, limit))
    }

    async fn record_pulls(&self, pulls: &[Pull]) -> Result<(), Error> {
        self.state().record_pulls(pulls);
        Ok(())
    }

    async fn begin_resource_request(
        &self,
        registry: &RegistryId,
        request: &ResourceRequest,
        horizon: &RequestHorizon,
    ) -> Result<Begun, Error> {
        Ok(self.state().begin_resource_request(registry, request, horizon))
    }

    async fn resource_request(
        &self,
        registry: &RegistryId,
        request_token: &str,
        since: Timestamp,
    ) -> Result<ResourceRequest, Error> {
        self.state().resource_request(registry, request_token, since)
    }

    async fn resource_request_of_client_token(
        &self,
        registry: &RegistryId,
        client_token: &str,
        since: Timestamp,
    ) -> Result<ResourceRequest, Error> {
        let state = self.state();
        state.resource_request_of_client_token(registry, client_token, since).ok_or(Error::NotFound)
    }

    async fn replace_resource_request(
        &self,
        registry: &RegistryId,
        expected: RequestStatus,
        request: &ResourceRequest,
    ) -> Result<(), Error> {
        self.state().replace_resource_request(registry, expected, request)
    }

    async fn resource_requests(
        &self,
        registry: &RegistryId,
        page: &PageRequest,
        since: Timestamp,
    ) -> Result<Page<ResourceRequest>, Error> {
        Ok(self.state().resource_requests(registry, page, since))
    }

    async fn registry_settings(&self, registry: &RegistryId) -> Result<RegistrySettings, Error> {
        Ok(self.state().facts(registry).map(|facts| facts.settings.clone()).unwrap_or_default())
    }

    async fn replace_registry_settings(
        &self,
        registry: &RegistryId,
        expected: &RegistrySettings,
        settings: &RegistrySettings,
    ) -> Result<(), Error> {
        let mut state = self.state();
        let held = &mut state.facts_mut(registry).settings;
        if held != expected {
            return Err(Error::NotFound);
        }
        held.clone_from(settings);
        Ok(())
    }

    async fn marker(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.state().markers.get(name).cloned())
    }

    async fn create_marker(&self, name: &str, value: &[u8]) -> Result<(), Error> {
        let mut state = self.state();
        if state.markers.contains_key(name) {
            return Err(Error::AlreadyExists);
        }
        state.markers.insert(name.to_owned(), value.to_vec());
        Ok(())
    }

    async fn changes_since(&self, since: Revision) -> Result<Changes, Error> {
        Ok(self.state().history.since(since))
    }
}
