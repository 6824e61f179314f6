//! What there is: tags of a repository, repositories, referrers of a manifest.
//!
//! OCI distribution-spec 1.1, "Content Discovery".

use std::collections::BTreeMap;

use bytes::Bytes;
use metadata::{ManifestFact, Page, PageRequest};
use oci::{Digest, Reference, RepositoryName, Tag};
use serde::Deserialize;

use crate::{Action, Caller, DescribeError, PullError, Registry, Resource};

/// A manifest that refers to another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referrer {
    /// Its digest.
    pub digest: Digest,
    /// Its media type.
    pub media_type: String,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// Its artifact type, or the media type of its config.
    pub artifact_type: Option<String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
}

impl Registry {
    /// Lists the tags of a repository that are here, without regard to case.
    ///
    /// # Errors
    /// [`PullError::NameUnknown`], [`PullError::Denied`].
    pub async fn tags(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        page: &PageRequest,
    ) -> Result<Page<Tag>, PullError> {
        let resource = Resource::Repository(repository, None);
        self.inner.authorize(caller, Action::Operation("ecr:ListImages"), resource)?;
        match self.inner.metadata.tags(&caller.registry, repository, page).await {
            Ok(tags) => Ok(tags),
            Err(metadata::Error::NotFound) => {
                Err(self.inner.unknown_name(&caller.registry, repository).await?)
            }
            Err(error) => Err(error.into()),
        }
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
        self.inner.authorize(caller, action, Resource::Registry)?;
        let found = self.inner.metadata.repositories(&caller.registry, page).await?;
        let items = found.items.into_iter().map(|repository| repository.name).collect();
        Ok(Page { items, next: found.next })
    }

    /// As [`Registry::referrers`], for a repository that has to exist, as ECR wants it.
    ///
    /// # Errors
    /// [`PullError::NameUnknown`] where it does not; as [`Registry::referrers`].
    pub async fn list_referrers(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        subject: &Digest,
        artifact_types: &[String],
        page: &PageRequest,
    ) -> Result<Page<Referrer>, PullError> {
        let resource = Resource::Repository(repository, None);
        self.inner.authorize(caller, Action::Operation("ecr:ListImageReferrers"), resource)?;
        if !self.inner.has_repository(&caller.registry, repository).await? {
            return Err(self.inner.unknown_name(&caller.registry, repository).await?);
        }
        self.referrers(caller, repository, subject, artifact_types, page).await
    }

    /// Lists what refers to a manifest, by digest: what is here, and what the referrers tag of the
    /// upstream of a rule names, with the last page. `artifact_types` keeps those of some type;
    /// none keeps all. A page may be shorter than it could be.
    ///
    /// # Errors
    /// [`PullError::Denied`]; what the upstream says, unless it has no such tag.
    pub async fn referrers(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        subject: &Digest,
        artifact_types: &[String],
        page: &PageRequest,
    ) -> Result<Page<Referrer>, PullError> {
        let matched = self.inner.admit_pull(caller, repository).await?;
        let registry = &caller.registry;
        let found = self.inner.metadata.referrers(registry, repository, subject, page).await?;
        let mut items = Vec::with_capacity(found.items.len());
        for manifest in found.items {
            items.push(self.referrer(caller, repository, manifest).await?);
        }
        if matched.is_some() && found.next.is_none() {
            let here: Vec<Digest> = items.iter().map(|held| held.digest.clone()).collect();
            let tagged = self.tagged_referrers(caller, repository, subject).await?;
            let is_new = |found: &Referrer| {
                let after = page.after.as_deref().unwrap_or_default();
                found.digest.as_str() > after && !here.contains(&found.digest)
            };
            items.extend(tagged.into_iter().filter(is_new));
        }
        if !artifact_types.is_empty() {
            items.retain(|item| {
                item.artifact_type.as_ref().is_some_and(|kind| artifact_types.contains(kind))
            });
        }
        Ok(Page { items, next: found.next })
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

    /// What the referrers tag names ("Referrers Tag Schema"), which is where an upstream's
    /// referrers are found by everybody.
    async fn tagged_referrers(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        subject: &Digest,
    ) -> Result<Vec<Referrer>, PullError> {
        let reference: String = subject.hex().chars().take(64).collect();
        let tag = format!("{}-{reference}", subject.algorithm().as_str());
        let tag = Tag::parse(&tag).expect("an algorithm, a hyphen and digits");
        match self.stat_manifest(caller, repository, &Reference::Tag(tag)).await {
            Ok(found) => Ok(descriptors(&found.bytes)),
            Err(PullError::ManifestUnknown { .. } | PullError::NameUnknown { .. }) => {
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        }
    }
}

#[derive(Deserialize)]
struct Annotated {
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Index {
    #[serde(default)]
    manifests: Vec<RawReferrer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawReferrer {
    media_type: String,
    digest: String,
    size: u64,
    artifact_type: Option<String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

fn annotations(manifest: &Bytes) -> BTreeMap<String, String> {
    let read: Result<Annotated, _> = serde_json::from_slice(manifest);
    read.map(|read| read.annotations).unwrap_or_default()
}

/// Reads an index of referrers; what is not well formed in it is left out.
fn descriptors(index: &Bytes) -> Vec<Referrer> {
    let read: Result<Index, _> = serde_json::from_slice(index);
    let manifests = read.map(|read| read.manifests).unwrap_or_default();
    let read = |raw: RawReferrer| {
        Some(Referrer {
            digest: Digest::parse(&raw.digest).ok()?,
            media_type: raw.media_type,
            size_bytes: raw.size,
            artifact_type: raw.artifact_type,
            annotations: raw.annotations,
        })
    };
    manifests.into_iter().filter_map(read).collect()
}
