//! What there is: tags of a repository, repositories, referrers of a manifest.
//!
//! OCI distribution-spec 1.1, "Content Discovery". What is here and what the upstream of a rule
//! lists are one list.

mod page;

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use bytes::Bytes;
use metadata::{ManifestFact, Origin, Page, PageRequest};
use oci::{Digest, Reference, Referrer, RepositoryName, Tag, referrers_tag};
use serde::Deserialize;

use self::page::{Room, arrange, fitted, merged};
use crate::{
    Action, Caller, DescribeError, Match, PullError, Registry, Resource, Served, listings::ListKey,
    registry::Inner,
};

/// A page of a list, and how it came to be served.
#[derive(Clone, Debug)]
pub struct Listed<T> {
    /// The page.
    pub page: Page<T>,
    /// How the upstream's part of it came: a hit where no upstream has a part in it.
    pub served: Served,
}

/// A referrer, and whether it is archived here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedReferrer {
    /// The referrer.
    pub referrer: Referrer,
    /// Whether it is archived.
    pub is_archived: bool,
}

/// What an upstream lists, and whether it has what that is about.
type Asked<T> = Result<(Vec<T>, bool), PullError>;

impl Registry {
    /// Lists the tags of a repository, without regard to case: those that are here and, unless
    /// ECR's rules hold, those of the upstream of its rule. Where the upstream fails, those that
    /// are here are the list.
    ///
    /// # Errors
    /// [`PullError::NameUnknown`], [`PullError::Denied`]; what the upstream says, where nothing is
    /// here.
    pub async fn tags(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        page: &PageRequest,
    ) -> Result<Listed<Tag>, PullError> {
        let resource = Resource::Repository(repository, None);
        self.inner.authorize(caller, Action::Operation("ecr:ListImages"), resource)?;
        let here = match self.inner.metadata.tags(&caller.registry, repository, page).await {
            Ok(tags) => Some(tags),
            Err(metadata::Error::NotFound) => None,
            Err(error) => return Err(error.into()),
        };
        let matched = match self.inner.settings.strict_ecr {
            true => None,
            false => self.inner.book(&caller.registry).await?.find(repository),
        };
        let Some(matched) = matched else {
            return match here {
                Some(page) => Ok(Listed { page, served: Served::Hit }),
                None => Err(self.inner.unknown_name(&caller.registry, repository).await?),
            };
        };
        let matched = self.follow(&caller.registry, matched)?;
        if let Err(refusal) = matched.admit_repository() {
            // What was pushed here is listed; the upstream is not asked about what is not let in.
            return here.map(|page| Listed { page, served: Served::Hit }).ok_or(refusal);
        }
        let key = ListKey::new(&caller.registry, repository, &matched, ());
        let ask = || ask_tags(Arc::clone(&self.inner), caller.clone(), matched.clone());
        let lists = &self.inner.listings.tags;
        let (kept, served) = lists.list(&self.inner, key, here.is_some(), ask).await?;
        let there = kept.filter(|kept| kept.is_there);
        if here.is_none() && there.is_none() {
            return Err(self.inner.unknown_name(&caller.registry, repository).await?);
        }
        let here = here.unwrap_or(Page { items: Vec::new(), next: None });
        let there = there.as_ref().map_or(&[][..], |kept| &kept.items);
        let admitted = matched.admitted(there);
        let page = merged(page, here, admitted.as_deref().unwrap_or(there));
        Ok(Listed { page, served })
    }

    /// Lists the names of repositories (the catalog of registries of old).
    ///
    /// # Errors
    /// [`DescribeError::Denied`].
    pub async fn catalog(
        &self,
        caller: &Caller,
        page: &PageRequest,
    ) -> Result<Page<RepositoryName>, DescribeError> {
        let action = Action::Operation("ecr:DescribeRepositories");
        self.inner.authorize(caller, action, Resource::Repositories)?;
        let found = self.inner.metadata.repositories(&caller.registry, page).await?;
        let items = found.items.into_iter().map(|repository| repository.name).collect();
        Ok(Page { items, next: found.next })
    }

    /// As [`Registry::referrers`], for a repository that has to exist, as ECR wants it; those that
    /// are archived or those that are not, or all.
    ///
    /// # Errors
    /// [`PullError::NameUnknown`] where it does not; as [`Registry::referrers`].
    pub async fn list_referrers(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        subject: &Digest,
        artifact_types: &[String],
        archived: Option<bool>,
        page: &PageRequest,
    ) -> Result<Listed<ListedReferrer>, PullError> {
        let resource = Resource::Repository(repository, None);
        self.inner.authorize(caller, Action::Operation("ecr:ListImageReferrers"), resource)?;
        if !self.inner.has_repository(&caller.registry, repository).await? {
            return Err(self.inner.unknown_name(&caller.registry, repository).await?);
        }
        let mut listed = self.all_referrers(caller, repository, subject, page).await?;
        listed.page.items.retain(|item| {
            is_of_type(&item.referrer, artifact_types)
                && archived.is_none_or(|archived| archived == item.is_archived)
        });
        Ok(listed)
    }

    /// Lists what refers to a manifest, by digest: what is here, and what the upstream of a rule
    /// lists, by its referrers API or, where it has none, by the referrers tag. `artifact_types`
    /// keeps those of some type; none keeps all. What is archived is left out. A page may be shorter
    /// than it could be.
    ///
    /// # Errors
    /// [`PullError::Denied`]; what the upstream says, where nothing is here that could be listed
    /// without it: what it would have listed may be what the caller has to know.
    pub async fn referrers(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        subject: &Digest,
        artifact_types: &[String],
        page: &PageRequest,
    ) -> Result<Listed<Referrer>, PullError> {
        let Listed { page, served } = self.all_referrers(caller, repository, subject, page).await?;
        let active = page.items.into_iter().filter(|item| !item.is_archived);
        let items = active.map(|item| item.referrer);
        let items = items.filter(|referrer| is_of_type(referrer, artifact_types)).collect();
        Ok(Listed { page: Page { items, next: page.next }, served })
    }

    /// Every referrer, archived or not.
    async fn all_referrers(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        subject: &Digest,
        page: &PageRequest,
    ) -> Result<Listed<ListedReferrer>, PullError> {
        let matched = self.admit_pull(caller, repository).await?;
        let registry = &caller.registry;
        let found = self.inner.metadata.referrers(registry, repository, subject, page).await?;
        // What is here counts: an upstream lists what is archived here too.
        let archived = found.items.iter().filter(|manifest| manifest.storage.is_archived);
        let archived: HashSet<_> = archived.map(|manifest| manifest.digest.clone()).collect();
        let room = || Room::new(self.inner.settings.manifest_bytes_max);
        let (mut here, mut rest) = (Page { items: Vec::new(), next: found.next }, room());
        for manifest in found.items {
            let referrer = self.referrer(caller, repository, manifest).await?;
            if !rest.takes(&referrer) {
                here.next = here.items.last().map(|last: &Referrer| last.digest.to_string());
                break;
            }
            here.items.push(referrer);
        }
        let mut listed = Listed { page: here, served: Served::Hit };
        if let Some(matched) = matched {
            let has_something = !listed.page.items.is_empty()
                || self.is_pushed(caller, repository, subject).await?;
            let key = ListKey::new(registry, repository, &matched, subject.clone());
            let ask = || {
                let (repository, subject) = (repository.clone(), subject.clone());
                ask_referrers(self.clone(), caller.clone(), repository, matched, subject)
            };
            let lists = &self.inner.listings.referrers;
            let (kept, served) = lists.list(&self.inner, key, has_something, ask).await?;
            let there = kept.as_ref().map_or(&[][..], |kept| &kept.items);
            let page = merged(page, listed.page, there);
            listed = Listed { page: fitted(page, room()), served };
        }
        let Page { items, next } = listed.page;
        let listed_referrer = |referrer: Referrer| {
            let is_archived = archived.contains(&referrer.digest);
            ListedReferrer { referrer, is_archived }
        };
        let items = items.into_iter().map(listed_referrer).collect();
        Ok(Listed { page: Page { items, next }, served: listed.served })
    }

    async fn referrer(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        manifest: ManifestFact,
    ) -> Result<Referrer, PullError> {
        let ManifestFact { digest, media_type, size_bytes, artifact_type, .. } = manifest;
        let stored = self.inner.stored_manifest(&caller.registry, repository, &digest).await?;
        let annotations = stored.map(|stored| annotations(&stored.bytes)).unwrap_or_default();
        Ok(Referrer { digest, media_type, size_bytes, artifact_type, annotations })
    }

    /// Tells whether a manifest was pushed here: then its referrers are mostly here too.
    async fn is_pushed(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<bool, PullError> {
        match self.inner.metadata.manifest(&caller.registry, repository, digest).await {
            Ok(fact) => Ok(matches!(fact.origin, Origin::Pushed { .. })),
            Err(metadata::Error::NotFound) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// Tells whether a referrer is of one of these types; of any, where there is none.
fn is_of_type(referrer: &Referrer, artifact_types: &[String]) -> bool {
    artifact_types.is_empty()
        || referrer.artifact_type.as_ref().is_some_and(|kind| artifact_types.contains(kind))
}

async fn ask_tags(inner: Arc<Inner>, caller: Caller, matched: Match) -> Asked<Tag> {
    let target = inner.target(&caller.registry, &matched).await?;
    match inner.upstream.tags(&target).await {
        Ok(mut listing) => {
            inner.circuits.succeeded(&target.registry_url);
            if !listing.is_whole {
                let (host, found) = (&target.registry_url, listing.items.len());
                tracing::warn!("{host} has more than the {found} tags that were read of a list");
            }
            arrange(&mut listing.items);
            Ok((listing.items, true))
        }
        Err(error) => {
            inner.note(&target, &error);
            match error {
                upstream::Error::NotFound { .. } => Ok((Vec::new(), false)),
                error => Err(PullError::Upstream(Arc::new(error))),
            }
        }
    }
}

async fn ask_referrers(
    registry: Registry,
    caller: Caller,
    repository: RepositoryName,
    matched: Match,
    subject: Digest,
) -> Asked<Referrer> {
    let inner = &registry.inner;
    let target = inner.target(&caller.registry, &matched).await?;
    let mut found = match inner.upstream.referrers(&target, &subject).await {
        Ok(listing) => {
            inner.circuits.succeeded(&target.registry_url);
            listing.items
        }
        Err(error) => {
            inner.note(&target, &error);
            if !is_unanswered(&error) {
                return Err(PullError::Upstream(Arc::new(error)));
            }
            tagged_referrers(&registry, &caller, &repository, &subject).await?
        }
    };
    arrange(&mut found);
    Ok((found, true))
}

/// Tells whether an upstream has no referrers API: a 404 says so ("Listing Referrers"), and
/// registries that were never taught the path say it in other ways.
fn is_unanswered(error: &upstream::Error) -> bool {
    matches!(
        error,
        upstream::Error::NotFound { .. } | upstream::Error::Status { status: 400 | 405 | 501, .. }
    )
}

/// What the referrers tag names ("Referrers Tag Schema"): a tag like any other, and as fresh.
async fn tagged_referrers(
    registry: &Registry,
    caller: &Caller,
    repository: &RepositoryName,
    subject: &Digest,
) -> Result<Vec<Referrer>, PullError> {
    let reference = Reference::Tag(referrers_tag(subject));
    match registry.stat_manifest(caller, repository, &reference).await {
        Ok(found) => Ok(Referrer::read_index(&found.bytes).unwrap_or_default()),
        Err(
            PullError::ManifestUnknown { .. }
            | PullError::Archived { .. }
            | PullError::NameUnknown { .. }
            | PullError::NotLetIn { .. },
        ) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

#[derive(Deserialize)]
struct Annotated {
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

fn annotations(manifest: &Bytes) -> BTreeMap<String, String> {
    let read: Result<Annotated, _> = serde_json::from_slice(manifest);
    read.map(|read| read.annotations).unwrap_or_default()
}
