//! The limits of the process, each with its default: the `[limits]` table of `cistern.toml`.

use std::time::Duration;

use super::{ConfigError, default_registry, quantity, setting::Values};

/// Every limit. Sizes are bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Largest manifest.
    pub(crate) manifest_bytes_max: u64,
    /// Largest body of a control plane request.
    pub(crate) request_body_bytes_max: usize,
    /// Request line and headers together.
    pub(crate) header_bytes_max: usize,
    /// Bytes staged at once by all fills.
    pub(crate) staging_bytes_max: u64,
    /// Manifests kept in memory.
    pub(crate) hot_manifest_bytes_max: u64,
    /// Tags and links kept in memory, each.
    pub(crate) hot_entries_max: u64,
    /// Blobs of a few KiB kept in memory.
    pub(crate) small_blob_bytes_max: u64,
    /// Files of blobs kept open.
    pub(crate) open_blobs_max: u64,
    /// Fills at once, all upstreams together.
    pub(crate) fills_max: usize,
    /// How often one fill goes on where its upstream broke off.
    pub(crate) fill_resumes_max: u32,
    /// Requests to upstreams that warmings make at once.
    pub(crate) warming_requests_max: usize,
    /// Fills at once from one upstream.
    pub(crate) fills_per_upstream_max: usize,
    /// Manifests and answers without content asked of one upstream at once.
    pub(crate) questions_per_upstream_max: usize,
    /// The longest time that an upstream is not asked because it said so with a 429.
    pub(crate) retry_after_max: Duration,
    /// What of an upstream's budget is kept for what is not cached, in percent.
    pub(crate) budget_reserve_percent: u8,
    /// Largest blob that may be pushed.
    pub(crate) upload_bytes_max: u64,
    /// Largest part of a layer in a control plane request.
    pub(crate) layer_part_bytes_max: u64,
    /// Uploads of one registry at once.
    pub(crate) uploads_max: u32,
    /// How long an upload stays for which no bytes come.
    pub(crate) upload_life: Duration,
    /// How often a lifecycle policy is evaluated; zero where none ever is.
    pub(crate) lifecycle_interval: Duration,
    /// How often what nobody needs is collected; zero where that is only done when asked for.
    pub(crate) gc_interval: Duration,
    /// How old has to be what is collected.
    pub(crate) gc_grace: Duration,
    /// Bytes stored before cached images make room; none where nobody minds.
    pub(crate) quota_bytes: Option<u64>,
    /// Entries of one page of tags, repositories or referrers.
    pub(crate) list_entries_max: usize,
    /// Pull through cache rules of one registry; none where nobody limits them.
    pub(crate) rules_max: Option<u32>,
    /// Repository creation templates of one registry; none where nobody limits them.
    pub(crate) templates_max: Option<u32>,
    /// Client connections at once.
    pub(crate) connections_max: usize,
    /// Redirects followed for one request to an upstream.
    pub(crate) redirects_max: usize,
    /// Name resolution, TCP and TLS towards an upstream.
    pub(crate) connect_timeout: Duration,
    /// From a request to an upstream to the head of its answer.
    pub(crate) first_byte_timeout: Duration,
    /// Between two parts of an upstream's body.
    pub(crate) idle_timeout: Duration,
    /// For a free transfer, where an upstream has as many as it may.
    pub(crate) queue_timeout: Duration,
    /// How long an upstream is waited for where a cached tag could be served.
    pub(crate) stale_deadline: Duration,
    /// How long a cached tag is served without asking the upstream.
    pub(crate) fresh_for: Duration,
    /// How long what an upstream listed is listed without asking it.
    pub(crate) list_fresh_for: Duration,
    /// How long an upstream that failed is left alone.
    pub(crate) circuit_cooldown: Duration,
    /// How long an address that `GetDownloadUrlForLayer` gives is good.
    pub(crate) download_url_life: Duration,
    /// How long a client's connection may be still: no request begun, no byte of an answer taken.
    pub(crate) client_idle_timeout: Duration,
    /// How long a client's TLS handshake may take.
    pub(crate) tls_handshake_timeout: Duration,
    /// How long running requests have to end after SIGTERM.
    pub(crate) drain_timeout: Duration,
}

impl Default for Limits {
    /// The defaults of the rooms that hold the limits, and those of the doors.
    fn default() -> Self {
        let blobs = blobs::Limits::default();
        let upstream = upstream::Limits::default();
        let timeouts = upstream::Timeouts::default();
        let settings = registry::Settings::new(default_registry());
        Self {
            manifest_bytes_max: settings.manifest_bytes_max,
            request_body_bytes_max: 1 << 20,
            header_bytes_max: 32 << 10,
            staging_bytes_max: blobs.staging_bytes_max,
            hot_manifest_bytes_max: settings.hot_manifest_bytes_max,
            hot_entries_max: settings.hot_entries_max,
            small_blob_bytes_max: blobs.small_blobs_bytes_max,
            open_blobs_max: blobs.open_files_max,
            fills_max: settings.fills_max,
            fill_resumes_max: settings.fill_resumes_max,
            warming_requests_max: settings.warming_requests_max,
            fills_per_upstream_max: upstream.transfers_max,
            questions_per_upstream_max: upstream.questions_max,
            retry_after_max: upstream.retry_after_max,
            budget_reserve_percent: upstream.budget_reserve_percent,
            upload_bytes_max: settings.upload_bytes_max,
            layer_part_bytes_max: 20 << 20,
            uploads_max: settings.uploads_max,
            upload_life: settings.upload_life,
            lifecycle_interval: settings.lifecycle_interval,
            gc_interval: settings.collect_interval,
            gc_grace: settings.collect_grace,
            quota_bytes: settings.quota_bytes,
            list_entries_max: 1000,
            rules_max: settings.rules_max,
            templates_max: settings.templates_max,
            connections_max: 8192,
            redirects_max: upstream.redirects_max,
            connect_timeout: timeouts.connect,
            first_byte_timeout: timeouts.first_byte,
            idle_timeout: timeouts.idle,
            queue_timeout: timeouts.queue,
            stale_deadline: settings.stale_deadline,
            fresh_for: settings.fresh_for,
            list_fresh_for: settings.list_fresh_for,
            circuit_cooldown: settings.circuit_cooldown,
            download_url_life: Duration::from_secs(60 * 60),
            client_idle_timeout: Duration::from_secs(75),
            tls_handshake_timeout: Duration::from_secs(10),
            drain_timeout: Duration::from_secs(30),
        }
    }
}

impl Limits {
    /// Reads the limits that are given, and keeps the defaults of the others.
    pub(crate) fn read(values: &Values) -> Result<Self, ConfigError> {
        let mut limits = Self::default();
        let set = |target: &mut u64, name| assign(target, values.parse(name, quantity::bytes));
        set(&mut limits.manifest_bytes_max, "limits.manifest-bytes")?;
        set(&mut limits.staging_bytes_max, "limits.staging-bytes")?;
        set(&mut limits.hot_manifest_bytes_max, "limits.hot-manifest-bytes")?;
        set(&mut limits.hot_entries_max, "limits.hot-entries")?;
        set(&mut limits.small_blob_bytes_max, "limits.small-blob-bytes")?;
        set(&mut limits.open_blobs_max, "limits.open-blobs")?;
        set(&mut limits.upload_bytes_max, "limits.upload-bytes")?;
        set(&mut limits.layer_part_bytes_max, "limits.layer-part-bytes")?;

        limits.quota_bytes = values.parse("limits.quota-bytes", quantity::bytes)?;

        let set = |target: &mut usize, name| assign(target, values.parse(name, bytes_in_memory));
        set(&mut limits.request_body_bytes_max, "limits.request-body-bytes")?;
        assign(
            &mut limits.header_bytes_max,
            values.parse("limits.header-bytes", |text| {
                // Less than what hyper reads at once could not be told apart from more.
                bytes_in_memory(text)
                    .and_then(|size| if size < 8192 { Err("at least 8KiB") } else { Ok(size) })
            }),
        )?;

        let set = |target: &mut usize, name| assign(target, values.parse(name, quantity::count));
        set(&mut limits.fills_max, "limits.fills")?;
        set(&mut limits.warming_requests_max, "limits.warming-requests")?;
        set(&mut limits.list_entries_max, "limits.list-entries")?;
        set(&mut limits.fills_per_upstream_max, "limits.fills-per-upstream")?;
        set(&mut limits.questions_per_upstream_max, "limits.questions-per-upstream")?;
        assign(
            &mut limits.connections_max,
            values.parse("limits.connections", |text| {
                quantity::count(text).and_then(|count| {
                    if count > 1_000_000 { Err("at most 1000000") } else { Ok(count) }
                })
            }),
        )?;
        let percent = |text: &str| match text.parse::<u8>() {
            Ok(percent) if percent <= 100 => Ok(percent),
            _ => Err("expected a percentage, a whole number from 0 to 100"),
        };
        assign(&mut limits.budget_reserve_percent, values.parse("limits.budget-reserve", percent))?;
        let whole = |text: &str| text.parse::<usize>().map_err(|_| "expected a whole number");
        assign(&mut limits.redirects_max, values.parse("limits.redirects", whole))?;
        let whole = |text: &str| text.parse::<u32>().map_err(|_| "expected a whole number");
        assign(&mut limits.fill_resumes_max, values.parse("limits.fill-resumes", whole))?;
        limits.rules_max = values.parse("limits.rules", whole)?;
        limits.templates_max = values.parse("limits.templates", whole)?;
        assign(&mut limits.uploads_max, values.parse("limits.uploads", whole))?;
        limits.read_times(values)?;
        Ok(limits)
    }

    fn read_times(&mut self, values: &Values) -> Result<(), ConfigError> {
        for (target, name) in [
            (&mut self.connect_timeout, "limits.connect-timeout"),
            (&mut self.first_byte_timeout, "limits.first-byte-timeout"),
            (&mut self.idle_timeout, "limits.idle-timeout"),
            (&mut self.queue_timeout, "limits.queue-timeout"),
            (&mut self.stale_deadline, "limits.stale-deadline"),
            (&mut self.client_idle_timeout, "limits.client-idle-timeout"),
            (&mut self.tls_handshake_timeout, "limits.tls-handshake-timeout"),
        ] {
            assign(target, values.parse(name, quantity::deadline))?;
        }
        for (target, name) in [
            (&mut self.fresh_for, "limits.fresh-for"),
            (&mut self.list_fresh_for, "limits.list-fresh-for"),
            (&mut self.circuit_cooldown, "limits.circuit-cooldown"),
            (&mut self.retry_after_max, "limits.retry-after"),
            (&mut self.upload_life, "limits.upload-life"),
            (&mut self.lifecycle_interval, "limits.lifecycle-interval"),
            (&mut self.gc_interval, "limits.gc-interval"),
            (&mut self.gc_grace, "limits.gc-grace"),
            (&mut self.download_url_life, "limits.download-url-life"),
            (&mut self.drain_timeout, "limits.drain-timeout"),
        ] {
            assign(target, values.parse(name, quantity::duration))?;
        }
        Ok(())
    }
}

fn assign<T>(target: &mut T, given: Result<Option<T>, ConfigError>) -> Result<(), ConfigError> {
    if let Some(value) = given? {
        *target = value;
    }
    Ok(())
}

fn bytes_in_memory(text: &str) -> Result<usize, &'static str> {
    usize::try_from(quantity::bytes(text)?).map_err(|_| "too large")
}
