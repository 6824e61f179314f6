//! The facade: what the doors call.

use std::sync::{Arc, Weak};

use blobs::BlobStore;
use metadata::{MetadataStore, RegistryId};
use oci::{Digest, RepositoryName};
use tokio::sync::Semaphore;
use upstream::{Trail, Upstream};

use crate::{
    Action, Caller, Clock, Counters, Denied, FillDirectory, Keyring, PullError, Resource, Settings,
    StartError,
    authorize::{self, MatchedRule},
    circuit::Circuits,
    collect::Vouched,
    explain::Heard,
    flight::Flights,
    follow,
    hot::Hot,
    listings::Listings,
    matching::{Match, RuleBook},
    neighbours::Neighbours,
    pull::ImportKey,
    pulls::Pulls,
    push::{Hashes, PartSizes},
    refresh::{Backoff, FetchKey, FetchResult, Heads, Imported},
    rules,
    upkeep::{self, Upkeep},
    warming::Warmings,
};

/// What a registry is made of.
#[derive(Debug)]
pub struct Parts {
    /// Bytes by digest.
    pub blobs: Arc<dyn BlobStore>,
    /// Facts by name.
    pub metadata: Arc<dyn MetadataStore>,
    /// Other people's registries.
    pub upstream: Arc<dyn Upstream>,
    /// Wall-clock time.
    pub clock: Arc<dyn Clock>,
    /// The keys of what is sealed.
    pub keyring: Arc<Keyring>,
    /// Who is filling what.
    pub fills: Arc<dyn FillDirectory>,
}

/// A registry that is running. Clones are handles on the same one.
#[derive(Clone, Debug)]
pub struct Registry {
    pub(crate) inner: Arc<Inner>,
    /// Who waits for what is asked by this handle.
    pub(crate) trail: Trail,
}

/// Everything the decisions share. Tasks hold it, requests come and go.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) blobs: Arc<dyn BlobStore>,
    pub(crate) metadata: Arc<dyn MetadataStore>,
    pub(crate) upstream: Arc<dyn Upstream>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) fills: Arc<dyn FillDirectory>,
    pub(crate) fill_slots: Semaphore,
    pub(crate) settings: Settings,
    pub(crate) counters: Counters,
    pub(crate) circuits: Circuits,
    pub(crate) backoff: Backoff,
    pub(crate) heads: Heads,
    pub(crate) heard: Heard,
    pub(crate) hot: Hot,
    pub(crate) imports: Flights<ImportKey, Result<Imported, PullError>>,
    pub(crate) fetches: Flights<FetchKey, FetchResult>,
    pub(crate) listings: Listings,
    pub(crate) pulls: Pulls,
    pub(crate) hashes: Hashes,
    pub(crate) part_sizes: PartSizes,
    pub(crate) upkeep: Upkeep,
    pub(crate) vouched: Vouched,
    pub(crate) warmings: Warmings,
}

impl Registry {
    /// Starts a registry: proves the keyring against what it sealed before, checks the declared
    /// rules, and starts to follow changes. Contacts no upstream.
    ///
    /// # Errors
    /// A [`StartError`] that names the way out.
    pub async fn start(parts: Parts, settings: Settings) -> Result<Self, StartError> {
        follow::prove_keyring(&*parts.metadata, &parts.keyring).await?;
        rules::check_declared(&*parts.metadata, &settings).await?;
        let inner = Arc::new_cyclic(|inner| Inner {
            fill_slots: Semaphore::new(settings.fills_max),
            counters: Counters::default(),
            circuits: Circuits::new(settings.circuit_cooldown),
            backoff: Backoff::default(),
            heads: Heads::default(),
            heard: Heard::default(),
            hot: Hot::new(&settings),
            imports: Flights::default(),
            fetches: Flights::default(),
            listings: Listings::default(),
            pulls: Pulls::default(),
            hashes: Hashes::default(),
            part_sizes: PartSizes::default(),
            upkeep: Upkeep::default(),
            vouched: Vouched::new(settings.collect_grace),
            warmings: Warmings::new(settings.warming_requests_max),
            blobs: parts.blobs,
            metadata: parts.metadata,
            upstream: Arc::new(Neighbours::new(parts.upstream, Weak::clone(inner))),
            clock: parts.clock,
            keyring: parts.keyring,
            fills: parts.fills,
            settings,
        });
        follow::spawn(&inner).await?;
        upkeep::spawn(&inner);
        Ok(Self { inner, trail: Trail::default() })
    }

    /// Ends the upkeep and writes down what is remembered only in memory. Call it when no more
    /// requests come.
    pub async fn stop(&self) {
        self.inner.upkeep.close().await;
        self.inner.flush_pulls().await;
    }

    /// Returns what happened so far, counted.
    pub fn counters(&self) -> &Counters {
        &self.inner.counters
    }

    /// Returns what upstreams said about how much they may be asked.
    pub fn budgets(&self) -> Vec<upstream::Budget> {
        self.inner.upstream.budgets()
    }

    /// Returns the clock.
    pub fn clock(&self) -> &dyn Clock {
        &*self.inner.clock
    }

    /// Returns the settings.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// Checks that the metadata store answers.
    ///
    /// # Errors
    /// What the store says.
    pub async fn ready(&self) -> Result<(), metadata::Error> {
        self.inner.metadata.marker(follow::KEYRING_MARKER).await.map(drop)
    }

    /// Checks that the caller may use the data plane at all (`GET /v2/`).
    ///
    /// # Errors
    /// [`Denied`].
    pub fn connect(&self, caller: &Caller) -> Result<(), Denied> {
        self.inner.authorize(caller, Action::Connect, Resource::Registry)
    }

    /// Checks that the caller may see what the process counts (`/metrics`). That is of no registry:
    /// the root user of each account may, and a role whose policies allow it.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn admit_metrics(&self, caller: &Caller) -> Result<(), Denied> {
        let mut own = caller.clone();
        if let Some(account) = caller.principal.account() {
            own.registry.account = account.clone();
        }
        let action = Action::Operation("cistern:GetMetrics");
        self.inner.authorize(&own, action, Resource::Registry)
    }
}

impl Inner {
    /// The one gate: see [`authorize`].
    pub(crate) fn authorize(
        &self,
        caller: &Caller,
        action: Action,
        resource: Resource<'_>,
    ) -> Result<(), Denied> {
        authorize::decide(&self.settings, caller, action, resource)
    }

    /// Finds the rule of a repository and checks that the caller may pull from it, and that the
    /// rule lets it through.
    pub(crate) async fn admit_pull(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
    ) -> Result<Option<Match>, PullError> {
        let matched = self.book(&caller.registry).await?.find(repository);
        let rule = matched.as_ref().map(|matched| MatchedRule {
            rule: matched.rule(),
            anonymous_pull: matched.booked.anonymous_pull,
        });
        let resource = Resource::Repository(repository, rule.as_ref());
        match self.authorize(caller, Action::Pull, resource) {
            Err(denied) if caller.is_stranger() => {
                Box::pin(self.admit_stranger(caller, repository, denied)).await?;
            }
            decided => decided?,
        }
        if let Some(matched) = &matched {
            matched.admit_repository().inspect_err(|_| self.count_denied())?;
        }
        Ok(matched)
    }

    /// Lets somebody of another account pull where both his own policies and those of the
    /// repository or its registry do.
    async fn admit_stranger(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        denied: Denied,
    ) -> Result<(), PullError> {
        let registry = &caller.registry;
        let of_repository = match self.metadata.repository(registry, repository).await {
            Ok(repository) => repository.settings.repository_policy,
            Err(metadata::Error::NotFound) => None,
            Err(error) => return Err(error.into()),
        };
        let settings = self.metadata.registry_settings(registry).await?;
        let policies = [of_repository, settings.registry_policy];
        let resource = Resource::Repository(repository, None);
        if authorize::is_let_in(caller, Action::Pull, resource, policies.iter().flatten()) {
            return Ok(());
        }
        Err(denied.into())
    }

    /// Returns the rules of a registry.
    pub(crate) async fn book(
        &self,
        registry: &RegistryId,
    ) -> Result<Arc<RuleBook>, metadata::Error> {
        if let Some(book) = self.hot.book(registry) {
            return Ok(book);
        }
        let epoch = self.hot.epoch();
        let stored = self.metadata.rules(registry).await?;
        let mut book = rules::book(stored, registry, &self.settings);
        if let Some(former) = self.hot.former_book(registry) {
            book.keep_unchanged(&former);
        }
        let book = Arc::new(book);
        self.hot.keep_book(epoch, registry, &book);
        Ok(book)
    }

    /// The truth about a name that nothing brings: which error, and where a rule would match.
    pub(crate) async fn unknown_name(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
    ) -> Result<PullError, metadata::Error> {
        let mut rule_in = None;
        let declared = self.settings.declared_rules.iter().map(|rule| rule.registry.clone());
        for other in self.metadata.registries_with_rules().await?.into_iter().chain(declared) {
            let elsewhere = other.account == registry.account && other.region != registry.region;
            if elsewhere && self.book(&other).await?.find(repository).is_some() {
                rule_in = Some(other.region);
                break;
            }
        }
        let (registry, repository) = (registry.clone(), repository.clone());
        Ok(PullError::NameUnknown { registry, repository, rule_in })
    }

    /// Tells whether a repository exists.
    pub(crate) async fn has_repository(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
    ) -> Result<bool, metadata::Error> {
        match self.metadata.repository(registry, repository).await {
            Ok(_) => Ok(true),
            Err(metadata::Error::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The truth about a blob that no rule can bring.
    pub(crate) async fn unknown_blob(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<PullError, metadata::Error> {
        if !self.has_repository(registry, repository).await? {
            return self.unknown_name(registry, repository).await;
        }
        let (repository, digest) = (repository.clone(), digest.clone());
        Ok(PullError::BlobUnknown { repository, digest, upstream: None })
    }
}
