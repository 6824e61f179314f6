//! What upstreams list: asked once for everybody, kept for a while, served on when they fail.
//!
//! Kept in memory only: a list is quickly asked again, and what it names is stored when it is
//! pulled.

use std::{future::Future, hash::Hash, sync::Arc};

use metadata::{RegistryId, Timestamp};
use moka::sync::Cache;
use oci::{Digest, Referrer, RepositoryName, Tag};

use crate::{
    Match, PullError, Served, StaleReason,
    circuit::Advice,
    flight::{Flight, Flights},
    registry::Inner,
};

/// How many entries are kept of the lists of one kind, all lists together.
const ENTRIES_MAX: u64 = 200_000;
/// What a list costs beside its entries, counted in entries.
const LIST_COST: usize = 8;

/// Whose list it is: a repository here, and what its rule says about where it is there and with
/// which eyes it is seen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ListKey<K> {
    registry: RegistryId,
    repository: RepositoryName,
    upstream_registry_url: String,
    upstream_repository: String,
    credential_arn: Option<String>,
    custom_role_arn: Option<String>,
    /// What of the repository is listed.
    of: K,
}

/// A list as an upstream gave it.
#[derive(Debug)]
pub(crate) struct Kept<T> {
    /// In order, each once.
    pub(crate) items: Vec<T>,
    /// Whether the upstream has what the list is about at all.
    pub(crate) is_there: bool,
    checked_at: Timestamp,
}

/// Lists of one kind.
#[derive(Debug)]
pub(crate) struct Lists<K, T>
where
    K: Hash + Eq + Send + Sync + 'static,
    T: Send + Sync + 'static,
{
    kept: Cache<ListKey<K>, Arc<Kept<T>>>,
    asked: Flights<ListKey<K>, Result<Arc<Kept<T>>, PullError>>,
}

/// Every list of upstreams.
#[derive(Debug, Default)]
pub(crate) struct Listings {
    pub(crate) tags: Lists<(), Tag>,
    pub(crate) referrers: Lists<Digest, Referrer>,
}

impl<K> ListKey<K> {
    pub(crate) fn new(
        registry: &RegistryId,
        repository: &RepositoryName,
        matched: &Match,
        of: K,
    ) -> Self {
        let rule = matched.rule();
        Self {
            registry: registry.clone(),
            repository: repository.clone(),
            upstream_registry_url: rule.upstream_registry_url.clone(),
            upstream_repository: matched.upstream_repository.clone(),
            credential_arn: rule.credentials.credential_arn.clone(),
            custom_role_arn: rule.credentials.custom_role_arn.clone(),
            of,
        }
    }
}

impl<K, T> Default for Lists<K, T>
where
    K: Hash + Eq + Send + Sync + 'static,
    T: Send + Sync + 'static,
{
    fn default() -> Self {
        let weigh = |_: &ListKey<K>, kept: &Arc<Kept<T>>| {
            u32::try_from(kept.items.len() + LIST_COST).unwrap_or(u32::MAX)
        };
        let kept = Cache::builder().max_capacity(ENTRIES_MAX).weigher(weigh).build();
        Self { kept, asked: Flights::default() }
    }
}

impl<K, T> Lists<K, T>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    T: Send + Sync + 'static,
{
    /// Returns a list and how it came: what is kept while that is fresh, else what `ask` brings.
    /// `None` stands for a list that cannot be had where the caller has something without it.
    ///
    /// # Errors
    /// The truth of `ask`, where neither a list is kept nor the caller has anything.
    pub(crate) async fn list<F>(
        &self,
        inner: &Arc<Inner>,
        key: ListKey<K>,
        has_something: bool,
        ask: impl FnOnce() -> F,
    ) -> Result<(Option<Arc<Kept<T>>>, Served), PullError>
    where
        F: Future<Output = Result<(Vec<T>, bool), PullError>> + Send + 'static,
    {
        let now = inner.clock.now();
        let kept = self.kept.get(&key);
        if let Some(kept) = &kept {
            let age = now.millis_since(kept.checked_at);
            if u128::from(age) < inner.settings.list_fresh_for.as_millis() {
                return Ok((Some(Arc::clone(kept)), Served::Hit));
            }
        }
        // That something was not there a while ago is nothing to serve instead of the truth.
        let kept = kept.filter(|kept| kept.is_there);
        let upstream = key.upstream_registry_url.clone();
        if kept.is_none() && !has_something {
            let asked = self.join(inner, key, ask).landed().await.ok_or(PullError::Abandoned)?;
            return Ok((Some(asked?), Served::Miss));
        }
        let reason = match inner.circuits.advice(&upstream, now) {
            Advice::Leave => StaleReason::CircuitOpen,
            Advice::Probe => {
                self.join(inner, key, ask);
                StaleReason::CircuitOpen
            }
            Advice::Wait => {
                let flight = self.join(inner, key, ask);
                let deadline = inner.settings.stale_deadline;
                match tokio::time::timeout(deadline, flight.landed()).await {
                    Ok(Some(Ok(asked))) => return Ok((Some(asked), Served::Miss)),
                    Ok(Some(Err(error))) => StaleReason::Failed(error),
                    Ok(None) => StaleReason::Failed(PullError::Abandoned),
                    Err(_) => {
                        inner.circuits.failed(&upstream, inner.clock.now(), None);
                        StaleReason::Deadline
                    }
                }
            }
        };
        tracing::warn!(upstream, "a list of {upstream} is not fresh: {reason}");
        Ok((kept, Served::Stale(reason)))
    }

    fn join<F>(
        &self,
        inner: &Arc<Inner>,
        key: ListKey<K>,
        ask: impl FnOnce() -> F,
    ) -> Flight<Result<Arc<Kept<T>>, PullError>>
    where
        F: Future<Output = Result<(Vec<T>, bool), PullError>> + Send + 'static,
    {
        self.asked.join(key.clone(), || {
            let (inner, lists, asked) = (Arc::clone(inner), self.kept.clone(), ask());
            async move {
                let (items, is_there) = asked.await?;
                let checked_at = inner.clock.now();
                let kept = Arc::new(Kept { items, is_there, checked_at });
                lists.insert(key, Arc::clone(&kept));
                Ok(kept)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use metadata::{AccountId, EcrRepositoryPrefix, Region, Rule, RuleCredentials};

    use super::*;
    use crate::{
        Settings,
        matching::{BookedRule, RuleBook},
    };

    fn key(credential_arn: Option<&str>, custom_role_arn: Option<&str>) -> ListKey<()> {
        let registry = RegistryId {
            account: AccountId::parse("000000000000").unwrap(),
            region: Region::parse("us-east-1").unwrap(),
        };
        let rule = Rule {
            ecr_repository_prefix: EcrRepositoryPrefix::parse("ecr").unwrap(),
            upstream_registry_url: "111122223333.dkr.ecr.eu-west-1.amazonaws.com".to_owned(),
            upstream_registry: None,
            upstream_repository_prefix: None,
            credentials: RuleCredentials {
                credential_arn: credential_arn.map(str::to_owned),
                custom_role_arn: custom_role_arn.map(str::to_owned),
            },
            policy: None,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        };
        let settings = Settings::new(registry.clone());
        let book = RuleBook::new([BookedRule::stored(rule, &settings)]);
        let repository = RepositoryName::parse("ecr/app").unwrap();
        ListKey::new(&registry, &repository, &book.find(&repository).unwrap(), ())
    }

    /// What one identity sees is not shown where another one looks.
    #[test]
    fn a_list_belongs_to_the_eyes_it_was_seen_with() {
        let keys =
            [key(None, None), key(Some("a"), None), key(None, Some("a")), key(None, Some("b"))];
        for (at, one) in keys.iter().enumerate() {
            for (other_at, other) in keys.iter().enumerate() {
                assert_eq!(one == other, at == other_at, "{one:?} {other:?}");
            }
        }
    }
}
