//! A warming under way: what is wanted, and how far it is.

use std::sync::{Mutex, MutexGuard, PoisonError};

use metadata::Timestamp;
use oci::{Digest, Platform, Reference, RepositoryName};
use tokio::sync::watch;

use super::NewWarming;
use crate::{Caller, PullError, StaleReason};

/// How far a warming is.
#[derive(Clone, Debug)]
pub struct WarmingView {
    /// Its id.
    pub id: String,
    /// When it was started.
    pub started_at: Timestamp,
    /// When it ended; none while it is under way.
    pub ended_at: Option<Timestamp>,
    /// Its images, in the order they were asked for.
    pub images: Vec<WarmedImage>,
}

/// How far one image is.
#[derive(Clone, Debug)]
pub struct WarmedImage {
    /// Its repository.
    pub repository: RepositoryName,
    /// Its tag or digest.
    pub reference: Reference,
    /// Where it stands.
    pub state: WarmingState,
    /// Its digest, once that is known.
    pub digest: Option<Digest>,
    /// Why the upstream could not confirm its tag, where it could not: what is cached is kept.
    pub stale: Option<StaleReason>,
    /// Platforms that were asked for and that its index does not have.
    pub missing_platforms: Vec<Platform>,
    /// Manifests that are here.
    pub manifests: u64,
    /// Blobs that it needs, as far as its manifests are here.
    pub blobs: u64,
    /// Those that are here.
    pub blobs_here: u64,
    /// Their size in bytes, as the manifests say.
    pub size_bytes: u64,
    /// How many of these bytes are here.
    pub bytes_here: u64,
    /// How many of them the repository did not have before.
    pub bytes_new: u64,
}

/// Where an image stands.
#[derive(Clone, Debug)]
pub enum WarmingState {
    /// It waits for others.
    Waiting,
    /// It is being brought.
    Running,
    /// All of it is here.
    Complete,
    /// Some of it is not.
    Failed(WarmError),
    /// The warming was ended before it was all here.
    Canceled,
}

/// Why an image could not be brought.
#[derive(Clone, Debug, thiserror::Error)]
pub enum WarmError {
    /// A manifest or blob of it cannot be pulled.
    #[error(transparent)]
    Pull(#[from] PullError),
    /// None of the platforms that were asked for is there.
    #[error("it has none of the platforms that were asked for; it has {}", joined(.held))]
    NoPlatform {
        /// Those that are.
        held: Vec<Platform>,
    },
    /// It has more manifests than a warming follows.
    #[error("it has more than {limit} manifests")]
    TooManyManifests {
        /// How many it may have.
        limit: usize,
    },
    /// A blob came, and could not be kept: the log says why.
    #[error("blob {digest} was fetched and could not be kept: the log of the server says why")]
    NotKept {
        /// The blob.
        digest: Digest,
    },
}

fn joined(platforms: &[Platform]) -> String {
    let platforms: Vec<_> = platforms.iter().map(ToString::to_string).collect();
    if platforms.is_empty() { "none".to_owned() } else { platforms.join(", ") }
}

/// A warming.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) id: String,
    pub(super) caller: Caller,
    pub(super) new: NewWarming,
    /// The task writes, whoever asks reads.
    view: Mutex<WarmingView>,
    canceled: watch::Sender<bool>,
}

impl Job {
    pub(super) fn new(id: String, caller: Caller, new: NewWarming, started_at: Timestamp) -> Self {
        let images = new.images.iter().map(|(repository, reference)| WarmedImage {
            repository: repository.clone(),
            reference: reference.clone(),
            state: WarmingState::Waiting,
            digest: None,
            stale: None,
            missing_platforms: Vec::new(),
            manifests: 0,
            blobs: 0,
            blobs_here: 0,
            size_bytes: 0,
            bytes_here: 0,
            bytes_new: 0,
        });
        let images = images.collect();
        let view = WarmingView { id: id.clone(), started_at, ended_at: None, images };
        Self { id, caller, new, view: Mutex::new(view), canceled: watch::Sender::new(false) }
    }

    pub(super) fn view(&self) -> WarmingView {
        self.lock().clone()
    }

    pub(super) fn ended_at(&self) -> Option<Timestamp> {
        self.lock().ended_at
    }

    /// Notes something about an image.
    pub(super) fn note(&self, image: usize, note: impl FnOnce(&mut WarmedImage)) {
        note(&mut self.lock().images[image]);
    }

    pub(super) fn cancel(&self) {
        self.canceled.send_replace(true);
    }

    pub(super) async fn canceled(&self) {
        // An error would mean that the sender is gone, which `self` holds.
        let _ = self.canceled.subscribe().wait_for(|canceled| *canceled).await;
    }

    pub(super) fn end(&self, now: Timestamp) {
        let mut view = self.lock();
        view.ended_at = Some(now);
        for image in &mut view.images {
            if matches!(image.state, WarmingState::Waiting | WarmingState::Running) {
                image.state = WarmingState::Canceled;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, WarmingView> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
