//! Which of an upstream's endpoints is asked, and which one next.
//!
//! The first endpoint is the upstream; the others stand in for it. So its refusals are the
//! upstream's: a 401, 403 or 404 of the first is the answer. A stand-in may lack what the first
//! has, or not know who asks: what it refuses counts for nothing while the first could not be
//! heard. What fails in a way that another endpoint could heal (no connection, silence, 5xx, 429,
//! an answer that is no registry's, bytes that are not what their digest says, a circle that
//! leads through that endpoint) goes on to the
//! next one, and the endpoint rests: it is asked last for a while.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use url::Url;

use crate::{Error, endpoint::Endpoint};

/// Endpoints that failed a moment ago. Grows with the configuration, and with nothing else.
#[derive(Debug)]
pub(crate) struct Health {
    rest: Duration,
    resting: Mutex<HashMap<Url, Instant>>,
}

/// One call's way along the endpoints of an upstream.
#[derive(Debug)]
pub(crate) struct Way {
    health: Arc<Health>,
    /// As configured, the upstream's own first.
    endpoints: Vec<Endpoint>,
    /// Places in `endpoints`, in the order they are asked.
    order: Vec<usize>,
    at: usize,
    /// What each endpoint said, by place.
    failures: Vec<Option<Error>>,
    deadline: Instant,
}

/// Tells the health of an endpoint of a failure that comes after its answer's head.
#[derive(Debug)]
pub(crate) struct Witness {
    health: Arc<Health>,
    origin: Url,
}

impl Health {
    pub(crate) fn new(rest: Duration) -> Self {
        Self { rest, resting: Mutex::default() }
    }

    /// Tells whether an endpoint failed a moment ago.
    pub(crate) fn is_resting(&self, endpoint: &Endpoint) -> bool {
        let resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.get(endpoint.origin()).is_some_and(|until| Instant::now() < *until)
    }

    fn failed(&self, origin: &Url) {
        let until = Instant::now() + self.rest;
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.insert(origin.clone(), until);
    }

    fn succeeded(&self, origin: &Url) {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner).remove(origin);
    }
}

impl Witness {
    /// The transfer broke.
    pub(crate) fn failed(&self) {
        self.health.failed(&self.origin);
    }
}

impl Way {
    /// Plans the way: as configured, but last those that rest or are held. All of it takes no
    /// longer than `within`.
    pub(crate) fn new(
        health: &Arc<Health>,
        endpoints: Vec<Endpoint>,
        is_held: impl Fn(&Endpoint) -> bool,
        within: Duration,
    ) -> Self {
        let mut order: Vec<_> = (0..endpoints.len()).collect();
        if endpoints.len() > 1 {
            order.sort_by_key(|&place| {
                health.is_resting(&endpoints[place]) || is_held(&endpoints[place])
            });
        }
        let failures = endpoints.iter().map(|_| None).collect();
        let deadline = Instant::now() + within;
        Self { health: Arc::clone(health), endpoints, order, at: 0, failures, deadline }
    }

    /// Returns the endpoint to ask.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoints[self.order[self.at]]
    }

    /// Returns how long its answer's head may take: what is left is shared by those not yet asked.
    pub(crate) fn within(&self) -> Duration {
        let left = u32::try_from(self.order.len() - self.at).unwrap_or(u32::MAX);
        self.deadline.saturating_duration_since(Instant::now()) / left
    }

    /// Returns who takes note of what fails later at this endpoint; nobody where it is the only one.
    pub(crate) fn witness(&self) -> Option<Witness> {
        let origin = self.endpoint().origin().clone();
        (self.endpoints.len() > 1).then(|| Witness { health: Arc::clone(&self.health), origin })
    }

    /// Judges an endpoint's outcome: `Some` is the upstream's, `None` sends the caller to the next
    /// endpoint.
    pub(crate) fn judge<T>(&mut self, outcome: Result<T, Error>) -> Option<Result<T, Error>> {
        if self.endpoints.len() == 1 {
            return Some(outcome);
        }
        let place = self.order[self.at];
        let origin = self.endpoints[place].origin();
        let error = match outcome {
            Ok(value) => {
                self.health.succeeded(origin);
                return Some(Ok(value));
            }
            Err(error) => error,
        };
        if is_curable(&error) {
            if !matches!(error, Error::RateLimited { .. } | Error::Circle { .. }) {
                self.health.failed(origin);
            }
        } else {
            self.health.succeeded(origin);
            if place == 0 {
                return Some(Err(error));
            }
        }
        tracing::info!(
            upstream = %self.endpoints[place].name(),
            endpoint = %origin,
            error = &error as &dyn std::error::Error,
            "endpoint {origin} of upstream {} did not help", self.endpoints[place].name()
        );
        self.failures[place] = Some(error);
        self.at += 1;
        if self.at < self.order.len() {
            return None;
        }
        self.failures.iter_mut().find_map(Option::take).map(Err)
    }
}

/// Tells whether another endpoint could do better.
fn is_curable(error: &Error) -> bool {
    match error {
        Error::NotFound { .. }
        | Error::Unauthorized { .. }
        | Error::Denied { .. }
        | Error::Login { .. }
        | Error::TooLarge { .. } => false,
        Error::Status { status, .. } => *status >= 500,
        Error::RateLimited { .. }
        | Error::Circle { .. }
        | Error::Invalid { .. }
        | Error::DigestMismatch { .. }
        | Error::Timeout { .. }
        | Error::Transport { .. }
        | Error::Refused { .. } => true,
    }
}
