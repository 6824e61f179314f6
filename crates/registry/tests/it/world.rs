//! The world of a test: a running registry, its stores, its upstream and its clock.

use std::{future::Future, path::PathBuf, sync::Arc, time::Duration};

use blobs::{Access, BlobStore, FilesystemBlobs, MemoryBlobs};
use bytes::Bytes;
use metadata::{
    AccountId, EcrRepositoryPrefix, LinkStore as _, ManifestStore as _, MemoryMetadata,
    MetadataStore, PageRequest, Region, RegistryId, RepositoryStore as _, Rule, RuleCredentials,
    Timestamp,
};
use oci::{Digest, Reference, RepositoryName};
use registry::{
    BlobReader, BlobSummary, Caller, Clock, Counter, CreateSecret, DeclaredRule, FillDirectory,
    Keyring, LocalDirectory, ManualClock, NewRule, OpenBlob, Parts, Principal, PullError,
    PulledManifest, ReadError, Registry, RuleView, SecretValue, Settings, StartError,
};
use serde_json::json;
use testkit::ScriptedUpstream;
use upstream::{HttpUpstream, Upstream};

use crate::watched::Watched;

/// How long anything may take before a test is given up: far more than it ever does.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a world begins, in milliseconds since the Unix epoch.
pub(crate) const BEGINNING: i64 = 1_700_000_000_000;

pub(crate) const ACCOUNT: &str = "000000000000";
pub(crate) const REGION: &str = "us-east-1";

/// What a world is made of, before it starts.
pub(crate) struct Setup {
    pub(crate) settings: Settings,
    pub(crate) client: upstream::Settings,
    pub(crate) metadata: Arc<dyn MetadataStore>,
    pub(crate) blobs: Arc<dyn BlobStore>,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) fills: Arc<dyn FillDirectory>,
    /// Stands between the registry and the HTTP client.
    pub(crate) wrap: fn(HttpUpstream) -> Arc<dyn Upstream>,
}

pub(crate) struct World {
    pub(crate) registry: Registry,
    pub(crate) upstream: ScriptedUpstream,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) metadata: Arc<Watched>,
    pub(crate) blobs: Arc<dyn BlobStore>,
    pub(crate) caller: Caller,
    pub(crate) setup: Setup,
}

impl Setup {
    /// Everything in memory; nobody waits for time.
    pub(crate) fn new() -> Self {
        let mut settings = Settings::new(registry_id(REGION));
        settings.stale_deadline = PATIENCE;
        let client = upstream::Settings::default();
        Self {
            settings,
            client,
            metadata: Arc::new(MemoryMetadata::new()),
            blobs: Arc::new(MemoryBlobs::default()),
            keyring: Arc::new(Keyring::generate()),
            fills: Arc::new(LocalDirectory::default()),
            wrap: |client| Arc::new(client),
        }
    }

    /// Keeps blobs in files.
    pub(crate) async fn in_files(mut self, files: &Files) -> Self {
        self.blobs = Arc::new(files.open().await);
        self
    }

    /// Declares a rule, as a flag would.
    pub(crate) fn declare(&mut self, region: &str, prefix: &str, url: &str) -> &mut DeclaredRule {
        let rule = Rule {
            ecr_repository_prefix: EcrRepositoryPrefix::parse(prefix).unwrap(),
            upstream_registry_url: url.to_owned(),
            upstream_registry: None,
            upstream_repository_prefix: None,
            credentials: RuleCredentials::default(),
            policy: None,
            created_at: Timestamp(BEGINNING),
            updated_at: Timestamp(BEGINNING),
        };
        let declared = DeclaredRule {
            registry: registry_id(region),
            rule,
            source: "--rule".to_owned(),
            anonymous_pull: false,
        };
        self.settings.declared_rules.push(declared);
        self.settings.declared_rules.last_mut().expect("one was pushed")
    }

    /// Starts a registry on these parts, which may have started one before.
    pub(crate) async fn start(
        &self,
        metadata: &Arc<Watched>,
        clock: &Arc<ManualClock>,
    ) -> Result<Registry, StartError> {
        let clock_of_budgets = upstream::SharedClock::new(Arc::<ManualClock>::clone(clock));
        let client = upstream::Settings { clock: clock_of_budgets, ..self.client.clone() };
        let client = HttpUpstream::new(client).expect("the settings are good");
        let parts = Parts {
            blobs: Arc::clone(&self.blobs),
            metadata: Arc::<Watched>::clone(metadata),
            upstream: (self.wrap)(client),
            clock: Arc::<ManualClock>::clone(clock),
            keyring: Arc::clone(&self.keyring),
            fills: Arc::clone(&self.fills),
        };
        Registry::start(parts, self.settings.clone()).await
    }

    /// Starts a registry that nobody asks anything, to see whether it starts.
    pub(crate) async fn try_start(&self) -> Result<Registry, StartError> {
        let metadata = Arc::new(Watched::new(Arc::clone(&self.metadata)));
        self.start(&metadata, &Arc::new(ManualClock::at(BEGINNING))).await
    }

    pub(crate) async fn world(self) -> World {
        self.world_on(ScriptedUpstream::start().await).await
    }

    pub(crate) async fn world_on(self, upstream: ScriptedUpstream) -> World {
        let clock = Arc::new(ManualClock::at(BEGINNING));
        let metadata = Arc::new(Watched::new(Arc::clone(&self.metadata)));
        let registry = self.start(&metadata, &clock).await.unwrap();
        let blobs = Arc::clone(&self.blobs);
        World { registry, upstream, clock, metadata, blobs, caller: root(REGION), setup: self }
    }
}

impl World {
    /// A world in memory with a rule `hub` for its upstream.
    pub(crate) async fn with_hub() -> Self {
        Setup::new().world().await.and_hub().await
    }

    /// Adds a rule `hub` for the upstream.
    pub(crate) async fn and_hub(self) -> Self {
        self.rule("hub", |_| {}).await;
        self
    }

    /// Adds a rule for the upstream, changed as `change` wants.
    pub(crate) async fn rule(&self, prefix: &str, change: impl FnOnce(&mut NewRule)) -> RuleView {
        let mut new = NewRule {
            ecr_repository_prefix: prefix.to_owned(),
            upstream_registry_url: self.upstream.url(),
            ..NewRule::default()
        };
        change(&mut new);
        self.registry.create_rule(&self.caller, new).await.unwrap()
    }

    /// Adds a secret with credentials and returns its ARN.
    pub(crate) async fn credentials(&self, name: &str, username: &str, token: &str) -> String {
        let value = json!({ "username": username, "accessToken": token }).to_string();
        let create = new_secret(name, Some(&value));
        self.registry.create_secret(&self.caller, create).await.unwrap().arn
    }

    /// Starts another registry on the same stores, as a restart or another replica would.
    pub(crate) async fn restart(&mut self, change: impl FnOnce(&mut Setup)) {
        self.registry.stop().await;
        change(&mut self.setup);
        self.blobs = Arc::clone(&self.setup.blobs);
        self.registry = self.setup.start(&self.metadata, &self.clock).await.unwrap();
    }

    pub(crate) async fn pull(&self, name: &str, reference: &str) -> Pulled {
        let (name, reference) = (repository(name), re(reference));
        within(self.registry.pull_manifest(&self.caller, &name, &reference)).await
    }

    pub(crate) async fn stat(&self, name: &str, reference: &str) -> Pulled {
        let (name, reference) = (repository(name), re(reference));
        within(self.registry.stat_manifest(&self.caller, &name, &reference)).await
    }

    pub(crate) async fn open_blob(
        &self,
        name: &str,
        digest: &Digest,
    ) -> Result<OpenBlob, PullError> {
        within(self.registry.open_blob(&self.caller, &repository(name), digest)).await
    }

    pub(crate) async fn stat_blob(
        &self,
        name: &str,
        digest: &Digest,
    ) -> Result<BlobSummary, PullError> {
        within(self.registry.stat_blob(&self.caller, &repository(name), digest)).await
    }

    /// Opens a blob; the reader reads it whole.
    pub(crate) async fn open(&self, name: &str, digest: &Digest) -> Result<BlobReader, PullError> {
        Ok(self.open_blob(name, digest).await?.read(None))
    }

    /// Pulls a blob whole.
    pub(crate) async fn blob(&self, name: &str, digest: &Digest) -> Result<Bytes, Failure> {
        let mut reader = self.open(name, digest).await.map_err(Failure::Open)?;
        read_to_end(&mut reader).await.map_err(Failure::Read)
    }

    /// Returns whether a repository has the blob linked and its bytes are stored.
    pub(crate) async fn holds(&self, name: &str, digest: &Digest) -> bool {
        let link = self.metadata.link(&self.caller.registry, &repository(name), digest).await;
        link.is_ok() && self.blobs.open(digest).await.is_ok()
    }

    /// Waits until every fill is over, links and all.
    pub(crate) async fn fills_ended(&self, count: u64) {
        let get = |counter| self.registry.counters().get(counter);
        until("the fills have ended", || async {
            get(Counter::FillsCommitted) + get(Counter::FillsFailed) >= count
        })
        .await;
    }

    pub(crate) async fn has_repository(&self, name: &str) -> bool {
        self.metadata.repository(&self.caller.registry, &repository(name)).await.is_ok()
    }

    /// Returns the images of a repository with their tags.
    pub(crate) async fn images(&self, name: &str) -> Vec<(Digest, Vec<String>)> {
        let page = PageRequest::first(100);
        let images = self.metadata.images(&self.caller.registry, &repository(name), &page).await;
        let describe = |image: metadata::Image| {
            let tags = image.tags.iter().map(ToString::to_string).collect();
            (image.manifest.digest, tags)
        };
        images.unwrap().items.into_iter().map(describe).collect()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

pub(crate) type Pulled = Result<PulledManifest, PullError>;

/// How a pull of a blob failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Before the headers.
    Open(PullError),
    /// In the middle.
    Read(ReadError),
}

/// A directory of blobs.
pub(crate) struct Files(tempfile::TempDir);

impl Files {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) async fn open(&self) -> FilesystemBlobs {
        FilesystemBlobs::open(self.0.path(), blobs::Limits::default()).await.unwrap()
    }

    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.0.path().join(inside)
    }

    /// Returns where a committed blob lies.
    pub(crate) fn blob(&self, digest: &Digest) -> PathBuf {
        self.path(&format!("sha256/{}/{}", &digest.hex()[..2], digest.hex()))
    }

    pub(crate) async fn staging_is_empty(&self) {
        let staging = self.path("staging");
        until("staging is empty", || async {
            std::fs::read_dir(&staging).unwrap().next().is_none()
        })
        .await;
    }
}

pub(crate) async fn read_to_end(reader: &mut BlobReader) -> Result<Bytes, ReadError> {
    let mut bytes = Vec::new();
    while let Some(piece) = within(reader.next(Access::User)).await {
        bytes.extend_from_slice(&piece?);
    }
    Ok(bytes.into())
}

/// Reads until at least `count` bytes have come.
pub(crate) async fn read_at_least(reader: &mut BlobReader, count: usize) -> Bytes {
    let mut bytes = Vec::new();
    while bytes.len() < count {
        let piece = within(reader.next(Access::User)).await;
        bytes.extend_from_slice(&piece.expect("more is to come").unwrap());
    }
    bytes.into()
}

/// Waits for something that must come.
pub(crate) async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.expect("it comes in time")
}

/// Looks again and again until a condition holds.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let looking = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let looked = tokio::time::timeout(PATIENCE, looking).await;
    assert!(looked.is_ok(), "it never came to be that {what}");
}

pub(crate) fn new_secret(name: &str, value: Option<&str>) -> CreateSecret {
    CreateSecret {
        name: name.to_owned(),
        description: None,
        kms_key_id: None,
        tags: Vec::new(),
        client_request_token: None,
        value: value.map(|value| SecretValue::Text(value.into())),
    }
}

pub(crate) fn registry_id(region: &str) -> RegistryId {
    let account = AccountId::parse(ACCOUNT).unwrap();
    RegistryId { account, region: Region::parse(region).unwrap() }
}

pub(crate) fn root(region: &str) -> Caller {
    let registry = registry_id(region);
    let account = registry.account.clone();
    Caller { registry, principal: Principal::Root { account, access_key_id: "AKIA".to_owned() } }
}

pub(crate) fn repository(name: &str) -> RepositoryName {
    RepositoryName::parse(name).unwrap()
}

pub(crate) fn re(reference: &str) -> Reference {
    Reference::parse(reference).unwrap()
}
