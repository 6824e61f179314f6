//! Tokens: kept until they expire, fetched once for everybody who waits.
//!
//! Docker registry v2 authentication, "Token Authentication Specification".

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use http::HeaderValue;
use moka::sync::Cache;
use tokio::{sync::Mutex, time::Instant};
use url::Url;

use crate::{Error, Identity};

/// How many tokens are kept. A client decides what is asked for, so their number has a limit.
const TOKENS_MAX: u64 = 10_000;

/// What a token is for. Two upstreams never share one, even where they name the same realm.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TokenKey {
    pub(crate) origin: Url,
    pub(crate) identity: Identity,
    pub(crate) realm: Url,
    pub(crate) service: Option<String>,
    pub(crate) scope: Option<String>,
}

/// A token, as the `Authorization` it makes.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    authorization: HeaderValue,
    good_until: Instant,
}

impl Token {
    /// Makes a token that was issued with this lifetime; `None` where it is no header value.
    pub(crate) fn new(text: &str, lifetime: Duration) -> Option<Self> {
        Self::of(&format!("Bearer {text}"), lifetime)
    }

    /// Makes a token that goes with every request as Basic credentials, which `text` encodes.
    pub(crate) fn basic(text: &str, lifetime: Duration) -> Option<Self> {
        Self::of(&format!("Basic {text}"), lifetime)
    }

    fn of(authorization: &str, lifetime: Duration) -> Option<Self> {
        let mut authorization = HeaderValue::from_str(authorization).ok()?;
        authorization.set_sensitive(true);
        // A tenth is left for the way there and for clocks that differ.
        let good_until = Instant::now() + lifetime.mul_f64(0.9);
        Some(Self { authorization, good_until })
    }

    /// Returns the value of the `Authorization` header.
    pub(crate) fn authorization(&self) -> &HeaderValue {
        &self.authorization
    }
}

/// The tokens that are known.
#[derive(Debug)]
pub(crate) struct Tokens {
    slots: Cache<TokenKey, Arc<Slot>>,
}

/// The place of one token. Whoever holds the lock fetches; who waits for it takes the outcome.
#[derive(Debug, Default)]
struct Slot {
    state: Mutex<State>,
    fetched: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    token: Option<Token>,
    failure: Option<Error>,
}

impl Default for Tokens {
    fn default() -> Self {
        Self { slots: Cache::new(TOKENS_MAX) }
    }
}

impl Tokens {
    /// Returns a good token other than `refused`, fetched by `fetch` where none is known. Of
    /// those who ask at the same time one fetches, and all get its token or its failure.
    pub(crate) async fn get<F>(
        &self,
        key: &TokenKey,
        refused: Option<&HeaderValue>,
        fetch: impl FnOnce() -> F,
    ) -> Result<Token, Error>
    where
        F: Future<Output = Result<Token, Error>>,
    {
        let slot = self.slots.get_with_by_ref(key, Arc::default);
        let fetched_before = slot.fetched.load(Ordering::SeqCst);
        let mut state = slot.state.lock().await;
        let now = Instant::now();
        let is_good =
            |token: &&Token| token.good_until > now && Some(&token.authorization) != refused;
        if let Some(token) = state.token.as_ref().filter(is_good) {
            return Ok(token.clone());
        }
        let was_fetched = slot.fetched.load(Ordering::SeqCst) != fetched_before;
        if let Some(failure) = state.failure.as_ref().filter(|_| was_fetched) {
            return Err(repeat(failure));
        }
        let outcome = fetch().await;
        slot.fetched.fetch_add(1, Ordering::SeqCst);
        match outcome {
            Ok(token) => {
                *state = State { token: Some(token.clone()), failure: None };
                Ok(token)
            }
            Err(error) => {
                *state = State { token: None, failure: Some(repeat(&error)) };
                Err(error)
            }
        }
    }
}

/// Says the same failure once more, to another who waited for it.
pub(crate) fn repeat(error: &Error) -> Error {
    match error {
        Error::NotFound { host } => Error::NotFound { host: host.clone() },
        Error::Unauthorized { host, reason } => {
            Error::Unauthorized { host: host.clone(), reason: reason.clone() }
        }
        Error::Denied { host, reason } => {
            Error::Denied { host: host.clone(), reason: reason.clone() }
        }
        Error::RateLimited { host, retry_after, was_asked } => Error::RateLimited {
            host: host.clone(),
            retry_after: *retry_after,
            was_asked: *was_asked,
        },
        Error::Circle { host, reason } => {
            Error::Circle { host: host.clone(), reason: reason.clone() }
        }
        Error::Status { host, status, retry_after } => {
            Error::Status { host: host.clone(), status: *status, retry_after: *retry_after }
        }
        Error::Invalid { host, reason } => {
            Error::Invalid { host: host.clone(), reason: reason.clone() }
        }
        Error::DigestMismatch { host, expected, actual } => Error::DigestMismatch {
            host: host.clone(),
            expected: expected.clone(),
            actual: actual.clone(),
        },
        Error::TooLarge { host, limit_bytes } => {
            Error::TooLarge { host: host.clone(), limit_bytes: *limit_bytes }
        }
        Error::Timeout { host, phase, after } => {
            Error::Timeout { host: host.clone(), phase: *phase, after: *after }
        }
        Error::Transport { host, action, source } => {
            let source = source.to_string().into();
            Error::Transport { host: host.clone(), action, source }
        }
        Error::Login { host, failure } => {
            Error::Login { host: host.clone(), failure: failure.clone() }
        }
        Error::Refused { host, destination, reason } => {
            Error::Refused { host: host.clone(), destination: destination.clone(), reason }
        }
    }
}

#[cfg(test)]
mod tests;
