//! Warming the cache: images pulled through their rules before anybody asks for them.
//!
//! A warming is a task of the process, not of the request that started it: who started it may
//! leave, and asks after it by its id. Nothing is written that a pull would not write, so one that
//! breaks off leaves whole blobs and whole manifests; doing it again costs a revalidation. What is
//! known of a warming is in memory: a restart ends it, and forgets it.

mod blob;
mod job;
mod walk;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::{StreamExt as _, stream};
use metadata::Timestamp;
use oci::{Platform, Reference, RepositoryName};
use tokio::sync::Semaphore;

use self::job::Job;
pub use self::job::{WarmError, WarmedImage, WarmingState, WarmingView};
use crate::{Action, Caller, Denied, Registry, Resource, random};

/// Images of one warming.
const IMAGES_MAX: usize = 1000;
/// Warmings under way at once, in one process.
const RUNNING_MAX: usize = 16;
/// Warmings that can be asked after once they are over.
const ENDED_MAX: usize = 100;
/// How long they can be, in milliseconds.
const ENDED_LIFE_MS: u64 = 60 * 60 * 1000;
/// Images of one warming that are looked at together. Requests have a limit of their own.
const IMAGES_AT_ONCE: usize = 4;

/// What is to be warmed.
#[derive(Clone, Debug, Default)]
pub struct NewWarming {
    /// The images.
    pub images: Vec<(RepositoryName, Reference)>,
    /// The platforms of an index that are wanted; every one where none is named.
    pub platforms: Vec<Platform>,
    /// Whether what refers to the images is wanted: signatures, attestations.
    pub referrers: bool,
}

/// Why a warming was not started, or not found.
#[derive(Debug, thiserror::Error)]
pub enum WarmingError {
    /// Not allowed.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// What is asked for cannot be.
    #[error("{0}")]
    Failure(#[from] WarmingFailure),
}

/// What is wrong with a request about warmings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WarmingFailure {
    /// Too many images, or none.
    #[error("a warming has 1 to {limit} images")]
    Images {
        /// How many it may have.
        limit: usize,
    },
    /// Enough warmings are under way.
    #[error("{limit} warmings are under way already")]
    TooMany {
        /// How many may be.
        limit: usize,
    },
    /// There is no such warming, or no longer.
    #[error("there is no warming {id}: it ended long ago, or the server was restarted")]
    NotFound {
        /// The id asked for.
        id: String,
    },
}

/// The warmings of a process.
#[derive(Debug)]
pub(crate) struct Warmings {
    jobs: Mutex<HashMap<String, Arc<Job>>>,
    /// The right to ask an upstream something.
    requests: Semaphore,
}

impl Warmings {
    pub(crate) fn new(requests_max: usize) -> Self {
        Self { jobs: Mutex::default(), requests: Semaphore::new(requests_max) }
    }

    /// Adds a warming, where there is room for one.
    fn add(&self, job: &Arc<Job>, now: Timestamp) -> Result<(), WarmingFailure> {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.retain(|_, job| job.ended_at().is_none_or(|at| now.millis_since(at) < ENDED_LIFE_MS));
        let mut ended: Vec<_> =
            jobs.iter().filter_map(|(id, job)| Some((job.ended_at()?, id.clone()))).collect();
        if jobs.len() - ended.len() >= RUNNING_MAX {
            return Err(WarmingFailure::TooMany { limit: RUNNING_MAX });
        }
        ended.sort_unstable();
        for (_, id) in ended.iter().take(ended.len().saturating_sub(ENDED_MAX - 1)) {
            jobs.remove(id);
        }
        jobs.insert(job.id.clone(), Arc::clone(job));
        Ok(())
    }

    fn find(&self, caller: &Caller, id: &str) -> Result<Arc<Job>, WarmingFailure> {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let found = jobs.get(id).filter(|job| job.caller.registry == caller.registry);
        found.cloned().ok_or_else(|| WarmingFailure::NotFound { id: id.to_owned() })
    }
}

impl Registry {
    /// Starts to pull images into the cache. Whether each may be pulled is asked as for any pull.
    ///
    /// # Errors
    /// [`WarmingError::Denied`]; too many images, or too many warmings.
    pub fn start_warming(
        &self,
        caller: &Caller,
        new: NewWarming,
    ) -> Result<WarmingView, WarmingError> {
        self.admit_warming(caller, "cistern:StartCacheWarming")?;
        if new.images.is_empty() || new.images.len() > IMAGES_MAX {
            return Err(WarmingFailure::Images { limit: IMAGES_MAX }.into());
        }
        let now = self.inner.clock.now();
        let job = Arc::new(Job::new(random::uuid(), caller.clone(), new, now));
        self.inner.warmings.add(&job, now)?;
        let (registry, task) = (self.clone(), Arc::clone(&job));
        tokio::spawn(async move { registry.warm(&task).await });
        Ok(job.view())
    }

    /// Says how far a warming is.
    ///
    /// # Errors
    /// [`WarmingError::Denied`], [`WarmingFailure::NotFound`].
    pub fn warming(&self, caller: &Caller, id: &str) -> Result<WarmingView, WarmingError> {
        self.admit_warming(caller, "cistern:DescribeCacheWarming")?;
        Ok(self.inner.warmings.find(caller, id)?.view())
    }

    /// Ends a warming before its time. What it has brought stays; a blob that is on its way comes
    /// to its end, for others may wait for it.
    ///
    /// # Errors
    /// [`WarmingError::Denied`], [`WarmingFailure::NotFound`].
    pub fn cancel_warming(&self, caller: &Caller, id: &str) -> Result<WarmingView, WarmingError> {
        self.admit_warming(caller, "cistern:CancelCacheWarming")?;
        let job = self.inner.warmings.find(caller, id)?;
        job.cancel();
        Ok(job.view())
    }

    fn admit_warming(&self, caller: &Caller, action: &'static str) -> Result<(), Denied> {
        self.inner.authorize(caller, Action::Operation(action), Resource::Registry)
    }

    async fn warm(&self, job: &Job) {
        let images = stream::iter(0..job.new.images.len());
        let work = images.for_each_concurrent(IMAGES_AT_ONCE, |image| self.warm_image(job, image));
        tokio::select! {
            () = work => {}
            () = job.canceled() => {}
        }
        job.end(self.inner.clock.now());
    }
}
