//! What upstreams say about how much they may be asked, and what is left of it.
//!
//! Two things are kept apart. A *hold* is an order: 429 with a time, and until then that upstream
//! is not asked for such things with these eyes. What *remains* is news: where little does, what
//! is cached should be served without asking, and the rest kept for what is not.

mod headers;

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use http::HeaderMap;
use url::Url;

use self::headers::Said;
use crate::{Identity, Limits, endpoint::Endpoint, known, settings::SharedClock};

/// How many budgets are remembered; one that is forgotten is heard of again with the next answer.
const REMEMBERED_MAX: usize = 4096;
/// How long news hold where the upstream does not say when more may be asked.
const NEWS_LIFE: Duration = Duration::from_secs(60);
/// How long an upstream is spared that answered 429 and did not say until when.
const SPARED: Duration = Duration::from_secs(30);

/// What an upstream is asked for: it may count these apart, and be out of one of them only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Demand {
    /// Manifests, lists and what else is no blob.
    Manifests,
    /// Blobs.
    Blobs,
}

/// What may be asked of an upstream now, as far as it said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowance {
    /// Nothing is known against asking.
    Free,
    /// Little or nothing is left: what can be answered otherwise should be.
    Short {
        /// When these news are old.
        until: SystemTime,
        /// Whether a HEAD costs nothing there.
        head_is_free: bool,
    },
    /// It answered 429 with a time; before that it is not asked.
    Held {
        /// The end of that time.
        until: SystemTime,
    },
}

impl Allowance {
    /// Puts the better before the worse, and of two holds the one that ends first.
    pub(crate) fn rank(&self) -> (u8, SystemTime) {
        match self {
            Self::Free => (0, SystemTime::UNIX_EPOCH),
            Self::Short { until, .. } => (1, *until),
            Self::Held { until } => (2, *until),
        }
    }
}

/// What is known of one budget: of an upstream's endpoint, for one identity.
#[derive(Clone, Debug)]
pub struct Budget {
    /// The upstream's public name.
    pub upstream: String,
    /// The origin that is really spoken to.
    pub endpoint: String,
    /// Whose budget it is.
    pub identity: Identity,
    /// How many requests a window has.
    pub limit: Option<u64>,
    /// How many of them are left.
    pub remaining: Option<u64>,
    /// The length of a window.
    pub window: Option<Duration>,
    /// Whom the upstream counts for: an address or an account (`docker-ratelimit-source`).
    pub source: Option<String>,
    /// When the upstream said so.
    pub heard_at: SystemTime,
    /// Until when manifests are not asked for.
    pub manifests_held_until: Option<SystemTime>,
    /// Until when blobs are not asked for.
    pub blobs_held_until: Option<SystemTime>,
}

/// The budgets that are known.
pub(crate) struct Ledger {
    clock: SharedClock,
    retry_after_max: Duration,
    reserve_percent: u64,
    entries: Mutex<HashMap<(Url, Identity), Entry>>,
}

#[derive(Debug)]
struct Entry {
    upstream: String,
    head_is_free: bool,
    said: Option<Said>,
    heard_at: SystemTime,
    manifests_held_until: Option<SystemTime>,
    blobs_held_until: Option<SystemTime>,
    /// After a 429 without a time.
    spared_until: Option<SystemTime>,
    was_short: bool,
}

impl Ledger {
    pub(crate) fn new(clock: SharedClock, limits: Limits) -> Self {
        Self {
            clock,
            retry_after_max: limits.retry_after_max,
            reserve_percent: u64::from(limits.budget_reserve_percent),
            entries: Mutex::default(),
        }
    }

    /// Reads what the headers of an upstream's own answer say.
    pub(crate) fn heard(&self, endpoint: &Endpoint, identity: &Identity, headers: &HeaderMap) {
        let now = self.clock.now();
        let Some(said) = headers::read(headers, now) else { return };
        self.change(endpoint, identity, now, |entry, ledger| {
            entry.said = Some(said);
            entry.heard_at = now;
            let is_short = entry.shortage(ledger, now).is_some();
            if is_short != entry.was_short {
                entry.was_short = is_short;
                entry.note_shortage();
            }
        });
    }

    /// Takes note of a 429; returns how long to wait, where there is a time.
    pub(crate) fn refused(
        &self,
        endpoint: &Endpoint,
        identity: &Identity,
        demand: Demand,
        retry_after: Option<Duration>,
    ) -> Option<Duration> {
        let now = self.clock.now();
        self.change(endpoint, identity, now, |entry, ledger| {
            let told = retry_after.or_else(|| entry.said.as_ref()?.replenished_in(now, entry));
            let wait = told.map(|wait| wait.min(ledger.retry_after_max));
            let Some(wait) = wait else {
                entry.spared_until = now.checked_add(SPARED);
                return None;
            };
            let until = now.checked_add(wait);
            let held = entry.held_until(demand);
            if held.is_none_or(|held| held <= now) {
                tracing::warn!(
                    upstream = entry.upstream,
                    identity = %identity.short(),
                    seconds = wait.as_secs(),
                    "upstream {} limits the rate of requests for {demand} and is not asked for \
                     {} s", entry.upstream, wait.as_secs()
                );
            }
            let entry_held = match demand {
                Demand::Manifests => &mut entry.manifests_held_until,
                Demand::Blobs => &mut entry.blobs_held_until,
            };
            *entry_held = until.max(held);
            Some(wait)
        })
    }

    /// Says what may be asked of an endpoint now.
    pub(crate) fn allowance(
        &self,
        endpoint: &Endpoint,
        identity: &Identity,
        demand: Demand,
    ) -> Allowance {
        let now = self.clock.now();
        let entries = self.lock();
        let Some(entry) = entries.get(&key(endpoint, identity)) else { return Allowance::Free };
        if let Some(until) = entry.held_until(demand).filter(|until| *until > now) {
            return Allowance::Held { until };
        }
        if let Some(until) = entry.spared_until.filter(|until| *until > now) {
            return Allowance::Short { until, head_is_free: false };
        }
        match entry.shortage(self, now) {
            Some(until) => Allowance::Short { until, head_is_free: entry.head_is_free },
            None => Allowance::Free,
        }
    }

    /// Returns the time, as budgets count it.
    pub(crate) fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// Returns every budget that is known, in order.
    pub(crate) fn all(&self) -> Vec<Budget> {
        let entries = self.lock();
        let mut budgets: Vec<_> = entries
            .iter()
            .map(|((origin, identity), entry)| entry.report(origin, identity))
            .collect();
        drop(entries);
        budgets.sort_by(|one, other| {
            (&one.upstream, &one.endpoint, &one.identity).cmp(&(
                &other.upstream,
                &other.endpoint,
                &other.identity,
            ))
        });
        budgets
    }

    fn change<T>(
        &self,
        endpoint: &Endpoint,
        identity: &Identity,
        now: SystemTime,
        change: impl FnOnce(&mut Entry, &Self) -> T,
    ) -> T {
        let mut entries = self.lock();
        let key = key(endpoint, identity);
        if entries.len() >= REMEMBERED_MAX && !entries.contains_key(&key) {
            entries.retain(|_, entry| entry.is_held_at(now));
            if entries.len() >= REMEMBERED_MAX {
                entries.clear();
            }
        }
        let entry = entries.entry(key).or_insert_with(|| Entry {
            upstream: endpoint.name().to_string(),
            head_is_free: known::is_head_free(endpoint.public_host()),
            said: None,
            heard_at: now,
            manifests_held_until: None,
            blobs_held_until: None,
            spared_until: None,
            was_short: false,
        });
        change(entry, self)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(Url, Identity), Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn held_until(&self, demand: Demand) -> Option<SystemTime> {
        match demand {
            Demand::Manifests => self.manifests_held_until,
            Demand::Blobs => self.blobs_held_until,
        }
    }

    fn is_held_at(&self, now: SystemTime) -> bool {
        self.manifests_held_until.max(self.blobs_held_until).is_some_and(|until| until > now)
    }

    /// Returns until when too little remains, where that is so.
    fn shortage(&self, ledger: &Ledger, now: SystemTime) -> Option<SystemTime> {
        let said = self.said.as_ref()?;
        let reserve = said.limit.map_or(0, |limit| limit.saturating_mul(ledger.reserve_percent));
        if said.remaining.saturating_mul(100) > reserve {
            return None;
        }
        let life = said.life().unwrap_or(NEWS_LIFE).min(ledger.retry_after_max);
        self.heard_at.checked_add(life).filter(|until| *until > now)
    }

    fn note_shortage(&self) {
        let Some(said) = &self.said else { return };
        let (upstream, remaining, limit) = (&self.upstream, said.remaining, said.limit);
        if self.was_short {
            tracing::warn!(
                upstream,
                remaining,
                limit,
                "the budget of upstream {upstream} is short: cached tags are served unconfirmed"
            );
        } else {
            tracing::info!(upstream, remaining, limit, "upstream {upstream} has budget again");
        }
    }

    fn report(&self, origin: &Url, identity: &Identity) -> Budget {
        let said = self.said.as_ref();
        Budget {
            upstream: self.upstream.clone(),
            endpoint: origin.as_str().trim_end_matches('/').to_owned(),
            identity: identity.clone(),
            limit: said.and_then(|said| said.limit),
            remaining: said.map(|said| said.remaining),
            window: said.and_then(|said| said.window),
            source: said.and_then(|said| said.source.clone()),
            heard_at: self.heard_at,
            manifests_held_until: self.manifests_held_until,
            blobs_held_until: self.blobs_held_until,
        }
    }
}

impl Said {
    /// How long it takes until more may be asked: to the window's end where that was said, else as
    /// long as one request's share of the window, for a window that moves frees one in that time.
    fn life(&self) -> Option<Duration> {
        let share = || Some(self.window? / u32::try_from(self.limit?.max(1)).unwrap_or(u32::MAX));
        self.reset_after.or_else(share).map(|life| life.max(Duration::from_secs(1)))
    }

    /// Returns how long to wait after a refusal, where nothing was left.
    fn replenished_in(&self, now: SystemTime, entry: &Entry) -> Option<Duration> {
        if self.remaining > 0 {
            return None;
        }
        let until = entry.heard_at.checked_add(self.life()?)?;
        until.duration_since(now).ok()
    }
}

impl fmt::Display for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Manifests => "manifests",
            Self::Blobs => "blobs",
        })
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger").finish_non_exhaustive()
    }
}

fn key(endpoint: &Endpoint, identity: &Identity) -> (Url, Identity) {
    (endpoint.origin().clone(), identity.clone())
}
