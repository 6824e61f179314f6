//! Deleting tags, manifests and blobs, and images as ECR's API deletes them.
//!
//! OCI distribution-spec 1.1, "Content Management". What is deleted is a fact of one repository;
//! the bytes stay until nobody has them any more. What a rule brought comes back when it is pulled.

use metadata::{Change, Error, Image};
use oci::{Digest, Reference, RepositoryName, Tag};

use crate::{Action, Caller, DescribeError, ImageId, PullError, Registry, Resource, WantedImage};

/// Why one image of a batch was not deleted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeleteFailure {
    /// The digest is none.
    #[error("the digest is malformed")]
    InvalidDigest,
    /// The tag is none.
    #[error("the tag is malformed")]
    InvalidTag,
    /// Neither is given.
    #[error("neither tag nor digest is given")]
    MissingDigestAndTag,
    /// The tag names another image.
    #[error("the tag names {actual}")]
    TagDoesNotMatchDigest {
        /// What it names.
        actual: Digest,
    },
    /// There is no such image.
    #[error("there is no such image")]
    NotFound,
    /// An index names it.
    #[error("index {parent} names it")]
    Referenced {
        /// The index.
        parent: Digest,
    },
}

impl Registry {
    /// Deletes a tag, or a manifest with all its tags.
    ///
    /// # Errors
    /// [`PullError::ManifestUnknown`], [`PullError::NameUnknown`], [`PullError::Denied`].
    pub async fn delete_manifest(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        reference: &Reference,
    ) -> Result<(), PullError> {
        self.admit_delete(caller, repository).await?;
        let deleted = match reference {
            Reference::Tag(tag) => self.remove_tag(caller, repository, tag).await.map(drop),
            Reference::Digest(digest) => {
                self.remove_image(caller, repository, digest).await.map(drop)
            }
        };
        deleted.map_err(|error| match error {
            Error::NotFound => PullError::ManifestUnknown {
                repository: repository.clone(),
                reference: reference.clone(),
                upstream: None,
            },
            error => error.into(),
        })
    }

    /// Deletes a blob from a repository.
    ///
    /// # Errors
    /// [`PullError::BlobUnknown`], [`PullError::NameUnknown`], [`PullError::Denied`].
    pub async fn delete_blob(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<(), PullError> {
        self.admit_delete(caller, repository).await?;
        let (inner, registry) = (&self.inner, &caller.registry);
        match inner.metadata.delete_link(registry, repository, digest).await {
            Ok(_) => {
                let change = Change::Link(registry.clone(), repository.clone(), digest.clone());
                inner.hot.forget(Some(&[change]));
                Ok(())
            }
            Err(Error::NotFound) => Err(PullError::BlobUnknown {
                repository: repository.clone(),
                digest: digest.clone(),
                upstream: None,
            }),
            Err(error) => Err(error.into()),
        }
    }

    /// Deletes images as ECR does: by tag, and with its last tag the image itself; by digest, with
    /// every tag. One that an index names stays. Returns the ids that are gone, for each.
    ///
    /// # Errors
    /// [`DescribeError::RepositoryNotFound`].
    pub async fn batch_delete_image(
        &self,
        caller: &Caller,
        repository: &str,
        wanted: &[WantedImage],
    ) -> Result<Vec<Result<Vec<ImageId>, DeleteFailure>>, DescribeError> {
        let action = "ecr:BatchDeleteImage";
        let name = self.listed_repository(caller, repository, action).await?;
        let mut outcomes = Vec::with_capacity(wanted.len());
        for wanted in wanted {
            outcomes.push(self.delete_wanted(caller, &name, wanted).await?);
        }
        Ok(outcomes)
    }

    async fn delete_wanted(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        wanted: &WantedImage,
    ) -> Result<Result<Vec<ImageId>, DeleteFailure>, DescribeError> {
        let Ok(digest) = wanted.digest.as_deref().map(Digest::parse).transpose() else {
            return Ok(Err(DeleteFailure::InvalidDigest));
        };
        let Ok(tag) = wanted.tag.as_deref().map(Tag::parse).transpose() else {
            return Ok(Err(DeleteFailure::InvalidTag));
        };
        let (metadata, registry) = (&self.inner.metadata, &caller.registry);
        let named = match &tag {
            Some(tag) => match metadata.tag(registry, repository, tag).await {
                Ok(fact) => Some(fact.digest),
                Err(Error::NotFound) => return Ok(Err(DeleteFailure::NotFound)),
                Err(error) => return Err(error.into()),
            },
            None => None,
        };
        let digest = match (digest, named) {
            (Some(wanted), Some(actual)) if wanted != actual => {
                return Ok(Err(DeleteFailure::TagDoesNotMatchDigest { actual }));
            }
            (Some(digest), _) | (None, Some(digest)) => digest,
            (None, None) => return Ok(Err(DeleteFailure::MissingDigestAndTag)),
        };
        let image = match metadata.image(registry, repository, &digest).await {
            Ok(image) => image,
            Err(Error::NotFound) => return Ok(Err(DeleteFailure::NotFound)),
            Err(error) => return Err(error.into()),
        };
        let parent = metadata.parent_of(registry, repository, &digest).await?;
        let deleted = match (tag, parent) {
            (Some(tag), parent) if image.tags.len() > 1 || parent.is_some() => {
                self.remove_tag(caller, repository, &tag).await.map(|()| vec![Some(tag)])
            }
            (_, Some(parent)) => return Ok(Err(DeleteFailure::Referenced { parent })),
            (_, None) => self.remove_image(caller, repository, &digest).await.map(|image| {
                let tags = image.tags.into_iter().map(Some);
                let tags: Vec<_> = tags.collect();
                if tags.is_empty() { vec![None] } else { tags }
            }),
        };
        match deleted {
            Ok(tags) => {
                let id = |tag| ImageId { digest: digest.clone(), tag };
                Ok(Ok(tags.into_iter().map(id).collect()))
            }
            Err(Error::NotFound) => Ok(Err(DeleteFailure::NotFound)),
            Err(error) => Err(error.into()),
        }
    }

    async fn remove_tag(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        tag: &Tag,
    ) -> Result<(), Error> {
        let (inner, registry) = (&self.inner, &caller.registry);
        inner.metadata.delete_tag(registry, repository, tag).await?;
        let change = Change::Tag(registry.clone(), repository.clone(), tag.clone());
        inner.hot.forget(Some(&[change]));
        Ok(())
    }

    async fn remove_image(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Image, Error> {
        let (inner, registry) = (&self.inner, &caller.registry);
        let image = inner.metadata.delete_manifest(registry, repository, digest).await?;
        let tag = |tag: &Tag| Change::Tag(registry.clone(), repository.clone(), tag.clone());
        let mut changes: Vec<Change> = image.tags.iter().map(tag).collect();
        changes.push(Change::Manifest(registry.clone(), repository.clone(), digest.clone()));
        inner.hot.forget(Some(&changes));
        Ok(image)
    }

    async fn admit_delete(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
    ) -> Result<(), PullError> {
        let resource = Resource::Repository(repository, None);
        self.inner.authorize(caller, Action::Operation("ecr:BatchDeleteImage"), resource)?;
        if self.inner.has_repository(&caller.registry, repository).await? {
            return Ok(());
        }
        Err(self.inner.unknown_name(&caller.registry, repository).await?)
    }
}
