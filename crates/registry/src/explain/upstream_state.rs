//! How an upstream stands: its circuit, its budget, what it said last, what it says now.

use std::time::Duration;

use metadata::Timestamp;
use moka::sync::Cache;
use oci::Digest;
use upstream::{Allowance, Budget, Demand, Target};

use super::Explanation;
use crate::{Match, PullError, Served, pull::ImportKey, refresh::Imported, registry::Inner};

/// Images whose upstream's last word is remembered.
const REMEMBERED_MAX: u64 = 10_000;

/// How an upstream stands.
#[derive(Clone, Debug)]
pub struct UpstreamState {
    /// Whether it is left alone because it failed.
    pub circuit: CircuitState,
    /// Until when this image is not asked for again, because it was refused.
    pub backoff_until: Option<Timestamp>,
    /// Whether it says nothing to a HEAD: then a tag is confirmed by a conditional GET.
    pub is_mute: bool,
    /// What may be asked of it for manifests.
    pub allowance: Allowance,
    /// What it said about its budget, for each of its endpoints.
    pub budgets: Vec<Budget>,
    /// Why the rule's secret cannot be used.
    pub credentials_problem: Option<String>,
    /// Its last word about this image that this process heard.
    pub last: Option<LastAnswer>,
    /// What it says now, where it was asked.
    pub now: Option<LastAnswer>,
}

/// The circuit of an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CircuitState {
    /// It is asked.
    Closed,
    /// It failed: cached tags are served at once, and it is asked again from then on.
    Open {
        /// When the next probe may be made.
        probe_at: Timestamp,
    },
}

/// What an upstream said about an image.
#[derive(Clone, Debug)]
pub struct LastAnswer {
    /// When.
    pub at: Timestamp,
    /// In words.
    pub said: String,
    /// The digest it named.
    pub digest: Option<Digest>,
}

/// The last words of upstreams, by image.
#[derive(Debug)]
pub(crate) struct Heard(Cache<ImportKey, LastAnswer>);

impl Default for Heard {
    fn default() -> Self {
        let life = Duration::from_secs(24 * 60 * 60);
        Self(Cache::builder().max_capacity(REMEMBERED_MAX).time_to_live(life).build())
    }
}

impl Heard {
    /// Takes note of what an import came to.
    pub(crate) fn note(
        &self,
        key: ImportKey,
        at: Timestamp,
        outcome: &Result<Imported, PullError>,
    ) {
        let (said, digest) = match outcome {
            Ok(imported) => {
                let said = match imported.served {
                    Served::Miss => "sent it",
                    Served::Revalidated => "confirmed it",
                    // Nobody was asked.
                    Served::Hit | Served::Stale(_) => return,
                };
                (said.to_owned(), Some(imported.manifest.digest.clone()))
            }
            Err(error) => (error.to_string(), None),
        };
        self.0.insert(key, LastAnswer { at, said, digest });
    }
}

impl Inner {
    /// Looks up how the upstream of a rule stands towards an image, and asks it where `ask` is set.
    pub(super) async fn upstream_state(
        &self,
        explanation: &Explanation,
        matched: &Match,
        ask: bool,
    ) -> UpstreamState {
        let Explanation { registry, repository, reference, .. } = explanation;
        let key = (registry.clone(), repository.clone(), reference.clone());
        let (target, credentials_problem) = match self.target(registry, matched).await {
            Ok(target) => (Some(target), None),
            Err(error) => (None, Some(error.to_string())),
        };
        let now = match &target {
            Some(target) if ask => Some(self.ask_now(target, explanation).await),
            _ => None,
        };
        let url = &matched.rule().upstream_registry_url;
        UpstreamState {
            circuit: match self.circuits.open_until(url) {
                None => CircuitState::Closed,
                Some(probe_at) => CircuitState::Open { probe_at },
            },
            backoff_until: self.backoff_until(&key, matched),
            is_mute: target.as_ref().is_some_and(|target| self.is_mute(target)),
            allowance: target.as_ref().map_or(Allowance::Free, |target| {
                self.upstream.allowance(target, Demand::Manifests)
            }),
            budgets: target.as_ref().map(|target| self.budgets_of(target)).unwrap_or_default(),
            credentials_problem,
            last: self.heard.0.get(&key),
            now,
        }
    }

    async fn ask_now(&self, target: &Target, explanation: &Explanation) -> LastAnswer {
        let stat = self.upstream.stat_manifest(target, &explanation.reference).await;
        let (said, digest) = match stat {
            Ok(stat) => {
                self.circuits.succeeded(&target.registry_url);
                let said = match &stat.digest {
                    Some(_) => "has it",
                    None => "has it, and says no digest to a HEAD",
                };
                (said.to_owned(), stat.digest)
            }
            Err(error) => {
                self.note(target, &error);
                (error.to_string(), None)
            }
        };
        LastAnswer { at: self.clock.now(), said, digest }
    }

    /// The budgets of an upstream for the identity it is asked with.
    fn budgets_of(&self, target: &Target) -> Vec<Budget> {
        let address = self.address(target);
        let host = address.split_once("://").map_or(&*address, |(_, host)| host);
        let mut budgets = self.upstream.budgets();
        budgets.retain(|budget| budget.upstream == host && budget.identity == target.identity);
        budgets
    }
}
