//! What a scripted upstream was asked.

use std::sync::{Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, Method, request::Parts};
use tokio::sync::watch;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Method.
    pub method: Method,
    /// Path, without query.
    pub path: String,
    /// Query, without the question mark; empty where there is none.
    pub query: String,
    /// Headers.
    pub headers: HeaderMap,
}

impl Seen {
    /// Returns a header, where it was sent and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// All requests, in the order they arrived.
#[derive(Debug, Default)]
pub(super) struct Journal {
    seen: Mutex<Vec<Seen>>,
    length: watch::Sender<usize>,
}

impl Journal {
    pub(super) fn record(&self, parts: &Parts) {
        let mut seen = self.lock();
        seen.push(Seen {
            method: parts.method.clone(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts.headers.clone(),
        });
        self.length.send_replace(seen.len());
    }

    pub(super) fn all(&self) -> Vec<Seen> {
        self.lock().clone()
    }

    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    pub(super) fn count(&self, method: &Method, path: &str) -> usize {
        self.lock().iter().filter(|seen| seen.method == *method && seen.path == path).count()
    }

    /// Waits until there were at least `count` such requests.
    pub(super) async fn reached(&self, method: &Method, path: &str, count: usize) {
        let mut lengths = self.length.subscribe();
        let is_reached = |_: &usize| self.count(method, path) >= count;
        lengths.wait_for(is_reached).await.expect("the sender lives in self");
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
