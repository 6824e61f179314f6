//! `cistern serve`, from the first check to the last byte.
//!
//! Order: everything that can be refused without touching disk or port; then the data directory
//! and its lock, the port, keys, stores, the registry; then the ready line. Down again in reverse.

use std::{hint::black_box, io::Write as _, net::SocketAddr, sync::Arc};

use anyhow::Context as _;
use metadata::RegistryId;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio_rustls::TlsAcceptor;
use tracing_subscriber::EnvFilter;
use upstream::HttpUpstream;

use crate::{
    config::{Config, Limits},
    credentials,
    data_directory::{Address, DataDirectory},
    doors::{DoorSettings, Doors, RootCredentials},
    keyring,
    listener::{self, Bound},
    signals::Signals,
    telemetry, tls, wiring,
};

/// Threads for calls that block, such as reads of files that are not in memory. Fills append in
/// turns, readers read in turns: more threads would only be more stacks.
const BLOCKING_THREADS_MAX: usize = 64;

/// How long a blocking call may hold up the end of the process.
const LAST_CALLS: std::time::Duration = std::time::Duration::from_secs(2);

/// How much freed memory the allocator may keep for what comes next, in bytes, is twice this: the
/// buffers of a transfer that is read, hashed and written at full speed.
const FREED_BLOCK_BYTES: usize = 4 << 20;

/// What was checked before anything was touched.
struct Checked {
    config: Config,
    tls: Option<TlsAcceptor>,
    upstream: HttpUpstream,
}

/// Serves until a signal.
pub(crate) fn run(config: Config, log_filter: EnvFilter) -> anyhow::Result<()> {
    keep_freed_memory();
    let tls = config.tls.as_ref().map(tls::acceptor).transpose()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .enable_all()
        .build()
        .context("the runtime cannot be started")?;
    let upstream = {
        let _context = runtime.enter();
        wiring::upstream(&config.upstream, &config.limits)?
    };
    telemetry::start(config.log_format, log_filter);
    let served = runtime.block_on(serve(Checked { config, tls, upstream }));
    runtime.shutdown_timeout(LAST_CALLS);
    served
}

/// Has the allocator of glibc keep what is freed. It gives the end of its heap back to the system
/// as soon as 128 KiB are free there, so that every byte of a transfer is received into pages that
/// the kernel has to find and clear: a fifth of what a fill costs. It learns how much to keep from
/// the largest block that was freed so far (mallopt(3), `M_MMAP_THRESHOLD`); this one is never
/// touched and costs nothing. Other allocators do not mind.
fn keep_freed_memory() {
    drop(black_box(Vec::<u8>::with_capacity(FREED_BLOCK_BYTES)));
}

async fn serve(checked: Checked) -> anyhow::Result<()> {
    let Checked { mut config, tls, upstream } = checked;
    let mut signals = Signals::take().context("signals cannot be taken over")?;
    let directory = DataDirectory::open(&config.data_dir)?;
    let bound = Bound::take(&config.listen_addresses, config.listen.origin.to_string())?;
    let address = bound.local_addr().context("the listening socket has no address")?;
    let scheme = if tls.is_some() { "https" } else { "http" };

    let loaded = credentials::load_or_generate(
        &config.data_dir,
        &config.secrets,
        &config.accounts,
        &mut rand::rng(),
    )?;
    let keyring = Arc::new(keyring::load_or_generate(
        &config.data_dir,
        &config.secrets,
        &config.metadata_path,
    )?);
    let own_hosts = own_hosts(&config, address);
    let running = wiring::start(&config, upstream, Arc::clone(&keyring), own_hosts).await?;
    let settings = door_settings(&config, address, loaded.root);
    let doors = Arc::new(Doors::new(running.registry.clone(), keyring, settings));
    let listener = bound.listen()?;

    let url = format!("{scheme}://{address}");
    directory.write_address(&Address {
        url: endpoint_url(&config, scheme, address),
        region: config.default_registry.region.as_str().to_owned(),
    })?;
    if let Some(warning) = loaded.warning {
        tracing::warn!("{warning}");
    }
    if tls.is_none() && !address.ip().is_loopback() && config.public_url.is_none() {
        tracing::warn!(
            "{address} can be reached from elsewhere and speaks plain http: put a TLS proxy in \
             front (--public-url), or give --tls-cert and --tls-key"
        );
    }
    tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "ready");
    fit_open_files(&mut config.limits);
    announce(&url);

    let stop = async {
        signals.next().await;
        tracing::info!("asked to end: finishing what is running");
        tokio::spawn(signals.exit_at_next());
    };
    let cut_off = listener::serve(listener, tls, doors, &config.limits, stop).await;
    if cut_off > 0 {
        tracing::warn!(cut_off, "connections did not end within limits.drain-timeout");
    }
    running.stop().await;
    directory.forget_address()?;
    tracing::info!("ended");
    Ok(())
}

/// The one line on stdout. Whoever closed stdout does not wait for it.
fn announce(url: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "cistern ready on {url}").and_then(|()| stdout.flush());
}

/// What a client on this machine should use: the public URL, else the address listened on.
pub(crate) fn endpoint_url(config: &Config, scheme: &str, mut address: SocketAddr) -> String {
    if let Some(public_url) = &config.public_url {
        return public_url.of(&config.default_registry);
    }
    if address.ip().is_unspecified() {
        // Nobody can connect to "everywhere".
        address.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("{scheme}://{address}")
}

/// The names by which a rule could lead back here.
fn own_hosts(config: &Config, address: SocketAddr) -> Vec<String> {
    let mut hosts = vec![address.to_string()];
    if address.ip().is_loopback() || address.ip().is_unspecified() {
        let port = address.port();
        hosts.extend(["localhost", "127.0.0.1", "[::1]"].map(|host| format!("{host}:{port}")));
    }
    let public = |registry: &RegistryId| {
        let url = url::Url::parse(&config.public_url.as_ref()?.of(registry)).ok()?;
        let host = url.host_str()?;
        Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
    };
    hosts.extend(public(&config.default_registry));
    hosts.dedup();
    hosts
}

fn door_settings(
    config: &Config,
    address: SocketAddr,
    roots: Vec<RootCredentials>,
) -> DoorSettings {
    DoorSettings {
        public_url: config.public_url.as_ref().map(|url| url.as_str().to_owned()),
        strict_ecr: config.strict_ecr,
        anonymous_pull: config.anonymous_pull,
        default_registry: config.default_registry.clone(),
        accounts: config.accounts.clone(),
        roots,
        loopback: address.ip().is_loopback(),
        body_bytes_max: config.limits.request_body_bytes_max,
        layer_part_bytes_max: config.limits.layer_part_bytes_max,
        client_idle_timeout: config.limits.client_idle_timeout,
        list_entries_max: config.limits.list_entries_max,
        download_url_life: config.limits.download_url_life,
        // `CISTERN_LOG=warn` has none, and does not pay for them either.
        access_log: tracing::enabled!(target: "cistern::access", tracing::Level::INFO),
    }
}

/// Raises the limit of open files as far as it may go, and keeps clients from taking those that
/// blobs, fills and the metadata need: running out would fail pulls, while a client can wait.
fn fit_open_files(limits: &mut Limits) {
    const OTHERS: u64 = 256;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = current != maximum
        && setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_ok();
    let Some(files_max) = (if raised { maximum } else { current }) else { return };
    // A fill has its staging file and its connection.
    let kept = OTHERS + limits.open_blobs_max + 2 * limits.fills_max as u64;
    let left = usize::try_from(files_max.saturating_sub(kept)).unwrap_or(usize::MAX).max(1);
    if left < limits.connections_max {
        tracing::warn!(
            files_max,
            connections_max = left,
            "this process may open few files: it takes fewer connections than limits.connections"
        );
        limits.connections_max = left;
    }
}
