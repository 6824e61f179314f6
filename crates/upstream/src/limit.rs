//! How many things one upstream is asked for at the same time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

use crate::{Error, Limits, Phase, Timeouts, endpoint::Endpoint};

/// What a permit is for. Questions have permits of their own, so that a tag can be looked up
/// while every transfer is busy with a long blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    /// A blob's bytes.
    Transfer,
    /// A manifest, or an answer without content.
    Question,
}

#[derive(Clone, Debug)]
struct Lanes {
    transfers: Arc<Semaphore>,
    questions: Arc<Semaphore>,
}

/// Permits by upstream. Grows with the rules' upstreams, and with nothing a client says.
#[derive(Debug)]
pub(crate) struct Permits {
    limits: Limits,
    timeouts: Timeouts,
    lanes: Mutex<HashMap<Url, Lanes>>,
}

impl Permits {
    pub(crate) fn new(limits: Limits, timeouts: Timeouts) -> Self {
        Self { limits, timeouts, lanes: Mutex::default() }
    }

    /// Waits for a permit; dropping it gives it back.
    pub(crate) async fn acquire(
        &self,
        endpoint: &Endpoint,
        load: Load,
    ) -> Result<OwnedSemaphorePermit, Error> {
        let lanes = self.lanes(endpoint.origin());
        let semaphore = match load {
            Load::Transfer => lanes.transfers,
            Load::Question => lanes.questions,
        };
        let after = self.timeouts.queue;
        match tokio::time::timeout(after, semaphore.acquire_owned()).await {
            Ok(permit) => Ok(permit.expect("nobody closes it")),
            Err(_) => {
                let host = endpoint.name().to_string();
                Err(Error::Timeout { host, phase: Phase::Queue, after })
            }
        }
    }

    fn lanes(&self, origin: &Url) -> Lanes {
        let make = || Lanes {
            transfers: Arc::new(Semaphore::new(self.limits.transfers_max)),
            questions: Arc::new(Semaphore::new(self.limits.questions_max)),
        };
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.entry(origin.clone()).or_insert_with(make).clone()
    }
}
