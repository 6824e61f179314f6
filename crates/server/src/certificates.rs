//! The certificates towards upstreams: read at start, and again when their files change.
//!
//! Certificates of clients are short-lived where a program renews them, and a restart would cut off
//! every fill. Files are looked at, not watched: what renews them may write in place, rename, or swap a
//! link to a directory. What cannot be used is logged once, and the old ones stay.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Weak},
    time::Duration,
};

use anyhow::Context as _;
use tokio::time::MissedTickBehavior;
use upstream::HttpUpstream;

use crate::config::{HostConfig, UpstreamConfig};

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What the files hold.
pub(crate) struct Certificates {
    /// Roots that are trusted everywhere, as PEM texts.
    pub(crate) roots: Vec<String>,
    /// What holds for single hosts.
    pub(crate) hosts: Vec<upstream::HostSettings>,
}

/// What tells that a file is another one, or was written: size, inode, and time of change.
type Stamp = Option<(u64, u64, i64, i64)>;

/// Reads every file that the configuration names.
pub(crate) fn read(config: &UpstreamConfig) -> anyhow::Result<Certificates> {
    let ca_file = config.ca_file.as_deref();
    let roots = ca_file.map(|path| pem("upstream.ca-file", path)).transpose()?;
    let hosts = config.hosts.iter().map(host).collect::<Result<_, _>>()?;
    Ok(Certificates { roots: roots.into_iter().collect(), hosts })
}

/// Renews the certificates of `upstream` whenever their files change, as long as it is there.
pub(crate) fn follow(config: UpstreamConfig, upstream: &Arc<HttpUpstream>) {
    let files = files(&config);
    if !files.is_empty() {
        let seen = stamps(&files);
        tokio::spawn(look(config, files, seen, Arc::downgrade(upstream)));
    }
}

async fn look(
    config: UpstreamConfig,
    files: Vec<PathBuf>,
    mut seen: Vec<Stamp>,
    upstream: Weak<HttpUpstream>,
) {
    let mut interval = tokio::time::interval(LOOK_EVERY);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        let Some(upstream) = upstream.upgrade() else { return };
        let (config, files, before) = (config.clone(), files.clone(), seen.clone());
        let looked = tokio::task::spawn_blocking(move || {
            let now = stamps(&files);
            (now != before).then(|| (now, renew(&config, &upstream)))
        });
        match looked.await {
            Ok(Some((now, Ok(())))) => {
                tracing::info!("certificates for upstreams were read anew");
                seen = now;
            }
            // A certificate is written before its key, or the other way round: the next change of
            // either is looked at again.
            Ok(Some((now, Err(error)))) => {
                tracing::warn!("certificates for upstreams stay as they were: {error:#}");
                seen = now;
            }
            Ok(None) | Err(_) => {}
        }
    }
}

fn renew(config: &UpstreamConfig, upstream: &HttpUpstream) -> anyhow::Result<()> {
    let Certificates { roots, hosts } = read(config)?;
    upstream.renew(roots, hosts).context("they cannot be used")
}

fn files(config: &UpstreamConfig) -> Vec<PathBuf> {
    let of_hosts = config.hosts.iter().flat_map(|host| {
        let client = host.client.iter().flat_map(|(cert, key)| [cert.clone(), key.clone()]);
        host.ca_file.clone().into_iter().chain(client)
    });
    config.ca_file.clone().into_iter().chain(of_hosts).collect()
}

fn stamps(files: &[PathBuf]) -> Vec<Stamp> {
    let stamp = |path: &PathBuf| {
        let found = fs::metadata(path).ok()?;
        Some((found.len(), found.ino(), found.mtime(), found.mtime_nsec()))
    };
    files.iter().map(stamp).collect()
}

/// Reads what is set for one host.
fn host(config: &HostConfig) -> anyhow::Result<upstream::HostSettings> {
    let read =
        |key: &str, path: &Path| pem(&format!("{key} of the upstream host {}", config.host), path);
    let ca_file = config.ca_file.as_deref().map(|path| read("ca-file", path)).transpose()?;
    let identity = match &config.client {
        Some((cert, key)) => Some(upstream::ClientIdentity {
            certificates: read("client-cert", cert)?,
            key: read("client-key", key)?.into(),
        }),
        None => None,
    };
    Ok(upstream::HostSettings {
        host: config.host.clone(),
        root_certificates: ca_file.into_iter().collect(),
        identity,
        proxy: config.proxy.clone(),
    })
}

fn pem(what: &str, path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {what} ({})", path.display()))
}
