//! Fills: an upstream blob on its way into the store, and everybody who reads it meanwhile.
//!
//! A fill belongs to the registry, never to a request: one task streams the upstream into a staged
//! blob and publishes how far it is; any number of readers follow what is published. No reader can
//! slow, cancel or poison it. The last byte is withheld until size and digest agree.

mod adopt;
mod download;
mod lease;
mod local;
mod task;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use blobs::Access;
use bytes::Bytes;
use metadata::{Origin, RegistryId, RepositorySettings};
use oci::RepositoryName;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

pub use lease::Lease;
pub use local::LocalDirectory;
pub(crate) use task::FillTask;

use crate::StorageError;

/// What makes two fills the same transfer: the same bytes, asked of the same upstream with the
/// same eyes. Serialisable, so that replicas can agree on it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FillKey {
    /// The upstream's address, in its one spelling.
    pub registry_url: String,
    /// Fingerprint of the credentials.
    pub identity: String,
    /// Repository at the upstream.
    pub repository: String,
    /// Digest of the blob.
    pub digest: String,
}

/// How far a fill is.
#[derive(Clone, Debug)]
pub enum Progress {
    /// The upstream has not answered yet.
    Connecting,
    /// Bytes are coming.
    Streaming {
        /// Size of the blob in bytes, where the upstream said.
        size_bytes: Option<u64>,
        /// How many bytes can be read; never the last one.
        readable_bytes: u64,
    },
    /// Size and digest agree: every byte can be read. Not yet durable.
    Verified {
        /// Size of the blob in bytes.
        size_bytes: u64,
    },
    /// It ended without the blob; nothing was committed.
    Failed(Arc<FillError>),
}

/// Why a fill ended without its blob.
#[derive(Debug, thiserror::Error)]
pub enum FillError {
    /// The upstream failed, or sent wrong bytes.
    #[error(transparent)]
    Upstream(Arc<upstream::Error>),
    /// The store failed, or the bytes are not what their digest says.
    #[error(transparent)]
    Storage(StorageError),
    /// The task is gone: it panicked, or the process is shutting down.
    #[error("the fill was abandoned")]
    Abandoned,
}

/// A repository that wants to be linked to the blob once it is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkWish {
    /// Its registry.
    pub registry: RegistryId,
    /// The repository.
    pub repository: RepositoryName,
    /// How the blob came to it.
    pub origin: Origin,
    /// The repository's settings where it comes into being with the link.
    pub settings: RepositorySettings,
}

/// A fill as its readers see it, wherever it runs.
#[async_trait]
pub trait FillSource: Send + Sync + fmt::Debug {
    /// Follows how far it is.
    fn progress(&self) -> watch::Receiver<Progress>;

    /// Reads published bytes; see [`blobs::Content::read`].
    ///
    /// # Errors
    /// As there.
    async fn read(&self, offset: u64, max: usize, access: Access) -> Result<Bytes, blobs::Error>;

    /// Asks for a link when the blob is committed. False where it is too late for that.
    fn want_link(&self, wish: LinkWish) -> bool;

    /// Waits until the fill is over: what came of it is recorded, as far as it could be.
    async fn ended(&self);
}

/// What joining a fill came to.
#[derive(Debug)]
pub enum Joined {
    /// Nobody is filling this: the caller now does, and must run it.
    Started(Lease),
    /// Somebody is: follow it.
    Waiting(Arc<dyn FillSource>),
}

/// Who is filling what. The sources it hands out may live in this process or elsewhere.
#[async_trait]
pub trait FillDirectory: Send + Sync + fmt::Debug + 'static {
    /// Joins the fill of `key`, or is told to start it.
    async fn join(&self, key: &FillKey) -> Joined;
}
