//! ECR's archive: images that are kept, and not served before they are restored.
//!
//! User Guide, "Archiving an image" and "Restoring an image": an archived image cannot be pulled (a
//! 404), is listed with its status, and comes back when it is restored or pushed again. ECR moves
//! bytes, which takes it up to 20 minutes; here nothing is moved, and a restored image is `ACTIVE`
//! at once. What ECR does not say is decided in docs/adr/0015: what moves with an image, and that
//! a pull through a rule neither brings an archived image back nor moves its tag.

use metadata::{Change, Image, RegistryId, StorageClass};
use oci::{Digest, Reference, RepositoryName, Tag};

use crate::{Caller, DescribeError, ImageId, PullError, Registry, WantedImage, registry::Inner};

/// Why an image was not moved to another storage class.
#[derive(Debug, thiserror::Error)]
pub enum StorageClassError {
    /// The repository or the image is not there, or the caller may not.
    #[error(transparent)]
    Describe(#[from] DescribeError),
    /// An active index names it: that has to be archived first.
    #[error("index {parent} names it and is not archived")]
    Referenced {
        /// The index.
        parent: Digest,
    },
}

impl Registry {
    /// Moves an image to a storage class, with what belongs to it; one that is in it already stays
    /// as it is. Returns the image's id.
    ///
    /// # Errors
    /// A [`StorageClassError`].
    pub async fn update_storage_class(
        &self,
        caller: &Caller,
        repository: &str,
        wanted: &WantedImage,
        class: StorageClass,
    ) -> Result<ImageId, StorageClassError> {
        let (inner, registry) = (&self.inner, &caller.registry);
        let name =
            self.listed_repository(caller, repository, "ecr:UpdateImageStorageClass").await?;
        let WantedImage { tag, digest } = wanted;
        let absent = |error| match error {
            metadata::Error::NotFound => DescribeError::ImageNotFound {
                repository: name.to_string(),
                image: digest.as_ref().or(tag.as_ref()).cloned().unwrap_or_default(),
            },
            error => error.into(),
        };
        let image = self.named_image(registry, &name, tag.as_deref(), digest.as_deref()).await;
        let digest = image.map_err(absent)?.manifest.digest;
        let at = inner.clock.now();
        let moved = match inner.metadata.move_image(registry, &name, &digest, class, at).await {
            Ok(moved) => moved,
            Err(metadata::Error::Referenced { parent }) => {
                return Err(StorageClassError::Referenced { parent });
            }
            Err(error) => return Err(absent(error).into()),
        };
        inner.hot.forget(Some(&changes(registry, &name, &moved)));
        let tag = tag.as_deref().and_then(|tag| Tag::parse(tag).ok());
        Ok(ImageId { digest, tag })
    }
}

/// What must no longer be kept in memory of images that moved from one class to the other.
pub(crate) fn changes(
    registry: &RegistryId,
    repository: &RepositoryName,
    moved: &[Image],
) -> Vec<Change> {
    let of = || (registry.clone(), repository.clone());
    let changes = moved.iter().flat_map(|Image { manifest, .. }| {
        let (registry, name) = of();
        let itself = Change::Manifest(registry, name, manifest.digest.clone());
        let links = manifest.blobs().map(|part| {
            let (registry, name) = of();
            Change::Link(registry, name, part.digest.clone())
        });
        links.chain([itself])
    });
    changes.collect()
}

impl Inner {
    /// Refuses a blob that archived images alone name; else returns its size, where it is linked.
    pub(crate) async fn served_size(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Option<u64>, PullError> {
        match self.linked(registry, repository, digest).await? {
            Some(linked) if linked.is_archived => {
                let (repository, reference) =
                    (repository.clone(), Reference::Digest(digest.clone()));
                Err(PullError::Archived { repository, reference })
            }
            linked => Ok(linked.map(|linked| linked.size_bytes)),
        }
    }
}
