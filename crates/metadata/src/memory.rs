//! A store in memory: what tests and throw-away registries run on.
//!
//! Everything is gone with the last handle. One lock guards all facts, so that each write is
//! whole before anybody reads; it is never held over an await.

mod archive;
mod collection;
mod content;
mod history;
mod lifecycle;
mod registry_settings;
mod removal;
mod repositories;
mod resource_requests;
mod roles;
mod rules;
mod secrets;
mod sightings;
mod templates;
mod uploads;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use async_trait::async_trait;

use self::{content::Content, history::History};
use crate::{
    Changes, Error, MetadataStore, RegistryId, RegistrySettings, ResourceRequest, Revision, Role,
    Rule, Secret, Template, Timestamp, Upload,
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
    /// By digest.
    sightings: BTreeMap<String, Timestamp>,
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
