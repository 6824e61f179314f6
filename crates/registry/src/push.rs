//! Pushing: blobs piece by piece or at once, manifests, and what their repository allows.
//!
//! OCI distribution-spec 1.1, "Push". Bytes before facts: a link is recorded once the blob is
//! committed, a manifest once its bytes are. An upload is a row (how many bytes count) and a kept
//! stage of the blob store (the bytes), so that any process on the same stores goes on with it.

mod error;
mod import;
mod manifest;
mod parts;
mod receive;
mod session;
mod uploads;

use metadata::{AppliedFor, Change, Link, NewLink, Origin, RegistryId, RepositorySettings};
use oci::{Digest, RepositoryName};

pub use self::{
    error::PushError,
    import::{ImportError, ImportedManifest},
    manifest::{NewImage, PushedManifest},
    receive::{BodyError, Chunk},
    uploads::{PushedBlob, UploadStatus},
};
pub(crate) use self::{parts::PartSizes, session::Hashes};
use crate::{Action, Caller, PullError, Resource, registry::Inner, templates::CreationError};

impl Inner {
    /// Checks that the caller may push to a repository, which is there or comes into being with
    /// what is pushed.
    pub(crate) async fn admit_push(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        action: &'static str,
    ) -> Result<(), PushError> {
        let resource = Resource::Repository(repository, None);
        self.authorize(caller, Action::Operation(action), resource)?;
        self.settings_for_push(&caller.registry, repository).await.map(drop)
    }

    /// Returns what a push sets in a repository where it is missing: what the template for pushes
    /// says, else the defaults; by ECR's rules nothing comes into being without one. What it
    /// returns for a repository that is there is not used.
    pub(crate) async fn settings_for_push(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
    ) -> Result<RepositorySettings, PushError> {
        if self.has_repository(registry, repository).await? {
            return Ok(RepositorySettings::default());
        }
        let unknown = || PushError::NameUnknown {
            registry: registry.clone(),
            repository: repository.clone(),
        };
        match self.template_settings(registry, repository, AppliedFor::CreateOnPush).await {
            Ok(Some(settings)) => Ok(settings),
            Ok(None) if self.settings.strict_ecr => Err(unknown()),
            Ok(None) => Ok(RepositorySettings::default()),
            Err(CreationError::Storage(error)) => Err(error.into()),
            Err(CreationError::Template { prefix, fault }) => {
                let (registry, repository) = (registry.clone(), repository.clone());
                Err(PushError::Pull(PullError::Template { registry, repository, prefix, fault }))
            }
        }
    }

    /// Records that a repository has a blob whose bytes are committed.
    pub(crate) async fn link_pushed(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
        size_bytes: u64,
        origin: Origin,
    ) -> Result<(), PushError> {
        let settings = self.settings_for_push(registry, repository).await?;
        let link = Link {
            digest: digest.clone(),
            size_bytes,
            media_type: None,
            origin,
            linked_at: self.clock.now(),
        };
        Ok(self.link_claimed(registry, repository, link, settings).await?)
    }

    /// Records the link of a blob that is claimed and committed; `settings` are those of a
    /// repository that comes into being with it.
    async fn link_claimed(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        link: Link,
        settings: RepositorySettings,
    ) -> Result<(), metadata::Error> {
        let (registry, repository) = (registry.clone(), repository.clone());
        let change = Change::Repository(registry.clone(), repository.clone());
        let new = NewLink { registry, repository, link, settings };
        self.metadata.record_links(&[new]).await?;
        self.hot.forget(Some(&[change]));
        Ok(())
    }
}

impl Caller {
    /// Says that content comes from this caller.
    pub(crate) fn origin(&self) -> Origin {
        Origin::Pushed { principal: self.principal.to_string() }
    }
}
