//! The one file that names concrete stores: a [`Config`] becomes a running [`Registry`].

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::Context as _;
use blobs::FilesystemBlobs;
use metadata::{SqliteMetadata, Timestamp};
use registry::{Clock, Keyring, LocalDirectory, Parts, Registry, StartError};
use upstream::HttpUpstream;

use crate::{
    certificates::{self, Certificates},
    config::{Config, Limits, UpstreamConfig},
};

/// The clock of the machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    /// A clock before 1970 counts as 1970.
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// Makes the client for upstreams. Contacts nobody.
pub(crate) fn upstream(config: &UpstreamConfig, limits: &Limits) -> anyhow::Result<HttpUpstream> {
    let Certificates { roots, hosts } = certificates::read(config)?;
    let private_hosts = &config.allow_private_addresses;
    let private_addresses = match private_hosts.as_slice() {
        [] => upstream::PrivateAddresses::Refused,
        hosts if hosts.iter().any(|host| host == "*") => upstream::PrivateAddresses::Allowed,
        hosts => upstream::PrivateAddresses::AllowedFor(hosts.to_vec()),
    };
    let settings = upstream::Settings {
        endpoints: config.endpoints.iter().cloned().collect(),
        timeouts: upstream::Timeouts {
            connect: limits.connect_timeout,
            first_byte: limits.first_byte_timeout,
            idle: limits.idle_timeout,
            queue: limits.queue_timeout,
        },
        limits: upstream::Limits {
            manifest_bytes_max: limits.manifest_bytes_max,
            redirects_max: limits.redirects_max,
            transfers_max: limits.fills_per_upstream_max,
            questions_max: limits.questions_per_upstream_max,
            retry_after_max: limits.retry_after_max,
            endpoint_rest: limits.circuit_cooldown,
            budget_reserve_percent: limits.budget_reserve_percent,
            ..upstream::Limits::default()
        },
        private_addresses,
        plain_http_hosts: config.plain_http.clone(),
        root_certificates: roots,
        trusted_realm_hosts: config.token_realms.clone(),
        proxy: config.proxy.clone(),
        no_proxy: config.no_proxy.clone(),
        hosts,
        ..upstream::Settings::default()
    };
    HttpUpstream::new(settings).context("upstreams cannot be reached as configured")
}

/// A registry that runs, and the store that it leaves in order.
pub(crate) struct Running {
    pub(crate) registry: Registry,
    metadata: SqliteMetadata,
}

impl Running {
    /// Writes down what is batched, and moves the write-ahead log into the database file.
    pub(crate) async fn stop(self) {
        self.registry.stop().await;
        // Somebody's read that does not end costs no more than the log's staying.
        if tokio::time::timeout(LAST_READS, self.metadata.close()).await.is_err() {
            tracing::warn!("the metadata store is still being read: it is left as it is");
        }
    }
}

/// How long reads of the metadata store may hold up the end of the process.
const LAST_READS: Duration = Duration::from_secs(2);

/// Opens the stores and starts the registry. `own_hosts` is what clients reach this process by.
pub(crate) async fn start(
    config: &Config,
    upstream: HttpUpstream,
    keyring: Arc<Keyring>,
    own_hosts: Vec<String>,
) -> anyhow::Result<Running> {
    let metadata = SqliteMetadata::open(&config.metadata_path).await.map_err(|error| {
        let path = config.metadata_path.display();
        match error {
            metadata::Error::NewerSchema { found, known } => anyhow::anyhow!(
                "{path} was written by a newer version of cistern (schema {found}; this one knows \
                 up to {known}): upgrade cistern, or name another --data-dir"
            ),
            error => anyhow::Error::from(error).context(format!("cannot open {path}")),
        }
    })?;
    let limits = &config.limits;
    let blob_limits = blobs::Limits {
        staging_bytes_max: limits.staging_bytes_max,
        small_blobs_bytes_max: limits.small_blob_bytes_max,
        open_files_max: limits.open_blobs_max,
    };
    let blobs = FilesystemBlobs::open(&config.blob_path, blob_limits)
        .await
        .with_context(|| format!("cannot open {}", config.blob_path.display()))?;
    let upstream = Arc::new(upstream);
    certificates::follow(config.upstream.clone(), &upstream);
    let parts = Parts {
        blobs: Arc::new(blobs),
        metadata: Arc::new(metadata.clone()),
        upstream,
        clock: Arc::new(SystemClock),
        keyring,
        fills: Arc::new(LocalDirectory::default()),
    };
    let started = Registry::start(parts, settings(config, own_hosts)).await;
    let registry = started.map_err(|error| match error {
        StartError::WrongKeyring => anyhow::anyhow!(
            "the keyring is not the one that {} was sealed with: restore {} from a backup or set \
             CISTERN_KEYRING, or name another --data-dir to start anew",
            config.metadata_path.display(),
            config.data_dir.join("keyring").display(),
        ),
        error => anyhow::Error::from(error),
    })?;
    Ok(Running { registry, metadata })
}

fn settings(config: &Config, own_hosts: Vec<String>) -> registry::Settings {
    let limits = &config.limits;
    registry::Settings {
        fresh_for: limits.fresh_for,
        list_fresh_for: limits.list_fresh_for,
        stale_deadline: limits.stale_deadline,
        circuit_cooldown: limits.circuit_cooldown,
        manifest_bytes_max: limits.manifest_bytes_max,
        fills_max: limits.fills_max,
        fill_resumes_max: limits.fill_resumes_max,
        fill_pause_max: limits.idle_timeout,
        warming_requests_max: limits.warming_requests_max,
        upload_bytes_max: limits.upload_bytes_max,
        uploads_max: limits.uploads_max,
        upload_life: limits.upload_life,
        lifecycle_interval: limits.lifecycle_interval,
        collect_interval: limits.gc_interval,
        collect_grace: limits.gc_grace,
        quota_bytes: limits.quota_bytes,
        rules_max: limits.rules_max,
        templates_max: limits.templates_max,
        hot_manifest_bytes_max: limits.hot_manifest_bytes_max,
        hot_entries_max: limits.hot_entries_max,
        anonymous_pull: config.anonymous_pull,
        strict_ecr: config.strict_ecr,
        own_hosts,
        accounts: config.accounts.clone(),
        replaced_hosts: config.upstream.endpoints.iter().map(|(host, _)| host.clone()).collect(),
        plain_http_hosts: config.upstream.plain_http.clone(),
        default_policy: config.policy.clone(),
        declared_rules: config.rules.clone(),
        ..registry::Settings::new(config.default_registry.clone())
    }
}
