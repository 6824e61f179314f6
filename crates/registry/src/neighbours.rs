//! Registries of this process as upstreams of one another: reached without HTTP.
//!
//! A rule may name the registry of another account or region that this process serves too. Asking it
//! is asking the facade again, as somebody: without a role as ECR's own role for the cache in the
//! account of the rule, which may pull within that account; with a role as a session of it, where it
//! is of that account and trusts ECR (Amazon ECR user guide, "ECR to ECR pull through cache
//! permissions"). What of another account may be pulled then is up to that account's policies too.

mod who;

use std::{
    future::Future,
    ops::Range,
    sync::{Arc, Weak},
    time::Duration,
};

use async_trait::async_trait;
use blobs::Access;
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, stream};
use metadata::{AccountId, Page, PageRequest, Region, RegistryId, Rule};
use oci::{Digest, Reference, Referrer, RepositoryName, Tag};
use upstream::{
    Address, Allowance, BlobBody, BlobStat, Budget, Demand, EcrHost, Error, FetchedManifest,
    Listing, ManifestStat, Neighbour, Phase, Scheme, Target, Upstream,
};

use crate::{Caller, FillError, PullError, ReadError, Registry, circle::HOPS_MAX, registry::Inner};

/// How long a registry may take to answer another one: longer than its own upstream may.
const DEADLINE: Duration = Duration::from_secs(60);
/// How many entries of a list are read at a time, and at most.
const LIST_AT_ONCE: usize = 1000;
const LIST_MAX: usize = 100_000;

/// Every upstream: those elsewhere, and those that are here.
#[derive(Debug)]
pub(crate) struct Neighbours {
    elsewhere: Arc<dyn Upstream>,
    here: Weak<Inner>,
}

/// A visit to a registry of this process.
struct Visit {
    registry: Registry,
    caller: Caller,
    repository: RepositoryName,
    host: String,
}

impl Neighbours {
    pub(crate) fn new(elsewhere: Arc<dyn Upstream>, here: Weak<Inner>) -> Self {
        Self { elsewhere, here }
    }

    /// Goes to a neighbour, where the rules lead on from there and not in a circle.
    async fn visit(&self, target: &Target, neighbour: &Neighbour) -> Result<Visit, Error> {
        let host = target.registry_url.to_string();
        let (registry, caller) = self.caller(target, neighbour).await?;
        let repository = RepositoryName::parse(&target.repository)
            .map_err(|_| Error::NotFound { host: host.clone() })?;
        let circle = registry.inner.circle(&caller.registry, &repository).await;
        if let Some(reason) = circle.map_err(|error| broken(&host, error))? {
            return Err(Error::Circle { host, reason });
        }
        Ok(Visit { registry, caller, repository, host })
    }

    async fn caller(
        &self,
        target: &Target,
        neighbour: &Neighbour,
    ) -> Result<(Registry, Caller), Error> {
        let host = target.registry_url.to_string();
        let gone = || broken(&host, "the registry is stopping");
        let inner = self.here.upgrade().ok_or_else(gone)?;
        let registry = Registry { inner, trail: target.trail.clone() };
        let caller = registry.inner.visitor(target, neighbour).await?;
        Ok((registry, caller))
    }
}

impl Visit {
    /// Waits for an answer, not for ever, and says it in the words of upstreams.
    async fn answer<T>(
        &self,
        asked: impl Future<Output = Result<T, PullError>>,
    ) -> Result<T, Error> {
        match tokio::time::timeout(DEADLINE, asked).await {
            Ok(answer) => answer.map_err(|error| told(&self.host, &error)),
            Err(_) => {
                let host = self.host.clone();
                Err(Error::Timeout { host, phase: Phase::FirstByte, after: DEADLINE })
            }
        }
    }

    /// Reads a list, page by page to a limit.
    async fn list<T, F>(&self, read: impl Fn(PageRequest) -> F) -> Result<Listing<T>, Error>
    where
        F: Future<Output = Result<Page<T>, PullError>>,
    {
        let mut items = Vec::new();
        let mut after = None;
        loop {
            let page = self.answer(read(PageRequest { after, limit: LIST_AT_ONCE })).await?;
            items.extend(page.items);
            after = page.next;
            if after.is_none() || items.len() >= LIST_MAX {
                return Ok(Listing { items, is_whole: after.is_none() });
            }
        }
    }
}

#[async_trait]
impl Upstream for Neighbours {
    async fn stat_manifest(
        &self,
        target: &Target,
        reference: &Reference,
    ) -> Result<ManifestStat, Error> {
        let Some(neighbour) = &target.neighbour else {
            return self.elsewhere.stat_manifest(target, reference).await;
        };
        let visit = self.visit(target, neighbour).await?;
        let asked = visit.registry.stat_manifest(&visit.caller, &visit.repository, reference);
        let found = visit.answer(asked).await?;
        Ok(ManifestStat {
            digest: Some(found.digest),
            media_type: Some(found.media_type.to_string()),
            size_bytes: Some(found.bytes.len() as u64),
        })
    }

    async fn fetch_manifest(
        &self,
        target: &Target,
        reference: &Reference,
    ) -> Result<FetchedManifest, Error> {
        let Some(neighbour) = &target.neighbour else {
            return self.elsewhere.fetch_manifest(target, reference).await;
        };
        let visit = self.visit(target, neighbour).await?;
        let asked = visit.registry.pull_manifest(&visit.caller, &visit.repository, reference);
        let found = visit.answer(asked).await?;
        let media_type = Some(found.media_type.to_string());
        Ok(FetchedManifest { bytes: found.bytes, media_type, digest: found.digest })
    }

    async fn fetch_manifest_unless(
        &self,
        target: &Target,
        tag: &Tag,
        held: &Digest,
    ) -> Result<Option<FetchedManifest>, Error> {
        if target.neighbour.is_none() {
            return self.elsewhere.fetch_manifest_unless(target, tag, held).await;
        }
        let fetched = self.fetch_manifest(target, &Reference::Tag(tag.clone())).await?;
        Ok(Some(fetched).filter(|fetched| fetched.digest != *held))
    }

    async fn stat_blob(&self, target: &Target, digest: &Digest) -> Result<BlobStat, Error> {
        let Some(neighbour) = &target.neighbour else {
            return self.elsewhere.stat_blob(target, digest).await;
        };
        let visit = self.visit(target, neighbour).await?;
        let asked = visit.registry.stat_blob(&visit.caller, &visit.repository, digest);
        Ok(BlobStat { size_bytes: visit.answer(asked).await?.size_bytes })
    }

    async fn fetch_blob(
        &self,
        target: &Target,
        digest: &Digest,
        offset: u64,
    ) -> Result<BlobBody, Error> {
        let Some(neighbour) = &target.neighbour else {
            return self.elsewhere.fetch_blob(target, digest, offset).await;
        };
        let visit = self.visit(target, neighbour).await?;
        let asked = visit.registry.open_blob(&visit.caller, &visit.repository, digest);
        let open = visit.answer(asked).await?;
        let size_bytes = open.size_bytes;
        let range = size_bytes.filter(|size| offset <= *size).map(|size| offset..size);
        let offset = range.as_ref().map_or(0, |range| range.start);
        let pieces = stream::unfold((open.read(range), visit.host), |(mut reader, host)| async {
            let piece = reader.next(Access::User).await?;
            Some((piece.map_err(|error| broken_off(&host, error)), (reader, host)))
        });
        Ok(BlobBody { size_bytes, offset, bytes: pieces.boxed() })
    }

    async fn sample_blob(
        &self,
        target: &Target,
        digest: &Digest,
        part: Range<u64>,
        size_bytes: u64,
    ) -> Result<Option<Bytes>, Error> {
        if target.neighbour.is_none() {
            return self.elsewhere.sample_blob(target, digest, part, size_bytes).await;
        }
        let mut body = self.fetch_blob(target, digest, part.start).await?;
        if body.size_bytes != Some(size_bytes) || body.offset != part.start {
            return Ok(None);
        }
        let length_bytes = usize::try_from(part.end - part.start).unwrap_or(usize::MAX);
        let mut bytes = BytesMut::new();
        while bytes.len() < length_bytes
            && let Some(piece) = body.bytes.next().await
        {
            bytes.extend_from_slice(&piece?);
        }
        bytes.truncate(length_bytes);
        Ok(Some(bytes.freeze()).filter(|bytes| bytes.len() == length_bytes))
    }

    async fn tags(&self, target: &Target) -> Result<Listing<Tag>, Error> {
        let Some(neighbour) = &target.neighbour else { return self.elsewhere.tags(target).await };
        let visit = &self.visit(target, neighbour).await?;
        let read = |page: PageRequest| async move {
            let listed = visit.registry.tags(&visit.caller, &visit.repository, &page).await;
            listed.map(|listed| listed.page)
        };
        visit.list(read).await
    }

    async fn referrers(
        &self,
        target: &Target,
        subject: &Digest,
    ) -> Result<Listing<Referrer>, Error> {
        let Some(neighbour) = &target.neighbour else {
            return self.elsewhere.referrers(target, subject).await;
        };
        let visit = &self.visit(target, neighbour).await?;
        let read = |page: PageRequest| async move {
            let (caller, repository) = (&visit.caller, &visit.repository);
            let listed = visit.registry.referrers(caller, repository, subject, &[], &page).await;
            listed.map(|listed| listed.page)
        };
        visit.list(read).await
    }

    async fn authenticate(&self, target: &Target) -> Result<(), Error> {
        let Some(neighbour) = &target.neighbour else {
            return self.elsewhere.authenticate(target).await;
        };
        let (registry, caller) = self.caller(target, neighbour).await?;
        let denied = |denied| told(&target.registry_url, &PullError::Denied(denied));
        registry.connect(&caller).map_err(denied)
    }

    fn allowance(&self, target: &Target, demand: Demand) -> Allowance {
        match &target.neighbour {
            Some(_) => Allowance::Free,
            None => self.elsewhere.allowance(target, demand),
        }
    }

    fn budgets(&self) -> Vec<Budget> {
        self.elsewhere.budgets()
    }
}

impl Inner {
    /// Tells which registry of this process a rule's upstream is, where it is one. An upstream that
    /// a rule has a secret for, or whose traffic the operator sends elsewhere, is one like others.
    pub(crate) fn neighbour(&self, registry: &RegistryId, rule: &Rule) -> Option<Neighbour> {
        if rule.credentials.credential_arn.is_some() {
            return None;
        }
        let plain_http = &self.settings.plain_http_hosts;
        let address = Address::parse(&rule.upstream_registry_url, plain_http).ok()?;
        if address.scheme() != Scheme::Https || address.port().is_some() {
            return None;
        }
        let host = EcrHost::parse(address.host())?;
        let is_replaced = self.settings.replaced_hosts.iter().any(|replaced| {
            let replaced = replaced.strip_suffix(":443").unwrap_or(replaced);
            replaced.eq_ignore_ascii_case(address.host())
        });
        let account = host.account().unwrap_or(registry.account.as_str());
        let is_served = self.settings.accounts.iter().any(|own| own.as_str() == account);
        (is_served && !is_replaced).then(|| Neighbour {
            account: account.into(),
            region: host.region().into(),
            asker: registry.account.as_str().into(),
        })
    }

    /// Follows the rules of this process from a repository on; says how they come back to where
    /// they were, where they do.
    async fn circle(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
    ) -> Result<Option<String>, metadata::Error> {
        let mut way = vec![(registry.clone(), repository.clone())];
        while let Some((registry, repository)) = way.last() {
            let Some(matched) = self.book(registry).await?.find(repository) else { break };
            let Some(next) = self.neighbour(registry, matched.rule()) else { break };
            let Ok(repository) = RepositoryName::parse(&matched.upstream_repository) else { break };
            let Some(registry) = registry_of(&next) else { break };
            let next = (registry, repository);
            let is_back = way.contains(&next);
            way.push(next);
            if is_back || way.len() > HOPS_MAX {
                let hops = way.iter().map(|(registry, name)| format!("{name} in {registry}"));
                let hops = hops.collect::<Vec<_>>().join(", then ");
                let what = if is_back { "come back to where they were" } else { "lead on too far" };
                return Ok(Some(format!("the rules of this server {what}: {hops}")));
            }
        }
        Ok(None)
    }
}

fn registry_of(neighbour: &Neighbour) -> Option<RegistryId> {
    let account = AccountId::parse(&neighbour.account).ok()?;
    Some(RegistryId { account, region: Region::parse(&neighbour.region).ok()? })
}

fn broken(host: &str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Transport { host: host.to_owned(), action: "transfer", source: source.into() }
}

fn broken_off(host: &str, error: ReadError) -> Error {
    match &error {
        ReadError::Fill(fill) => match &**fill {
            FillError::Upstream(error) => error.repeated(),
            FillError::Storage(_) | FillError::Abandoned => broken(host, error.to_string()),
        },
        ReadError::Storage(_) => broken(host, error),
    }
}

/// Says why a pull came to nothing, in the words of upstreams. None becomes another: what the
/// neighbour's own upstream said stays that.
fn told(host: &str, error: &PullError) -> Error {
    let host = host.to_owned();
    match error {
        PullError::NameUnknown { .. }
        | PullError::ManifestUnknown { .. }
        | PullError::Archived { .. }
        | PullError::BlobUnknown { .. } => Error::NotFound { host },
        PullError::Upstream(error) => error.repeated(),
        PullError::Fill(fill) => match &**fill {
            FillError::Upstream(error) => error.repeated(),
            FillError::Storage(_) | FillError::Abandoned => broken(&host, error.to_string()),
        },
        PullError::Denied(denied) => Error::Denied { host, reason: denied.to_string() },
        PullError::Credentials { .. } => {
            Error::Unauthorized { host, reason: "its own rule's secret cannot be used".to_owned() }
        }
        PullError::BadManifest { .. } | PullError::Template { .. } => {
            Error::Invalid { host, reason: error.to_string() }
        }
        PullError::Storage(_) | PullError::Abandoned => broken(&host, error.to_string()),
        PullError::NotLetIn { .. } | PullError::TooYoung { .. } => {
            Error::Denied { host, reason: error.to_string() }
        }
    }
}
