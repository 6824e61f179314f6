//! Images that were carried here: kept as what their rule would have brought.
//!
//! Their origin is the rule's, not a person's, so that the upstream is asked about them as about
//! everything that is cached, and may correct them. It has confirmed none of it: an imported tag
//! counts as never checked.

use metadata::{
    Change, HeldParts, Link, ManifestFact, NewManifest, Origin, RegistryId, Storage, Timestamp,
};
use oci::{Digest, Kind, Manifest, RepositoryName, Tag};

use super::{Chunk, NewImage, PushError, PushedBlob, manifest, session::Session};
use crate::{
    Action, Caller, Denied, Match, PullError, Registry, Resource, archive, registry::Inner,
};

/// Why something carried here was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Not allowed.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// No rule matches the repository: what is imported would have no upstream.
    #[error("no pull through cache rule matches {repository}")]
    NoRule {
        /// The repository.
        repository: RepositoryName,
    },
    /// The manifest needs blobs that the repository does not have.
    #[error("the repository does not have {} that the manifest names", joined(.digests))]
    BlobsMissing {
        /// Their digests.
        digests: Vec<Digest>,
    },
    /// None of the manifests of an index is here.
    #[error("none of the manifests of the index is there")]
    Empty,
    /// As for a push.
    #[error(transparent)]
    Push(#[from] PushError),
}

fn joined(digests: &[Digest]) -> String {
    digests.iter().map(Digest::as_str).collect::<Vec<_>>().join(", ")
}

/// A manifest that was taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedManifest {
    /// Its digest.
    pub digest: Digest,
    /// What its tag names now: another manifest where one was pushed, or the tag may not move.
    pub tagged: Option<Digest>,
}

impl From<PullError> for ImportError {
    fn from(error: PullError) -> Self {
        Self::Push(PushError::Pull(error))
    }
}

impl From<metadata::Error> for ImportError {
    fn from(error: metadata::Error) -> Self {
        Self::Push(error.into())
    }
}

impl Registry {
    /// Makes the bytes of an upload a blob of a cache repository.
    ///
    /// # Errors
    /// An [`ImportError`]; where the bytes are not those of `digest`, the upload is over.
    pub async fn import_blob(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        upload: &str,
        digest: &Digest,
    ) -> Result<PushedBlob, ImportError> {
        let inner = &self.inner;
        let matched = inner.admit_import(caller, repository, "cistern:ImportCacheLayer").await?;
        let (registry, algorithm) = (&caller.registry, Some(digest.algorithm()));
        let session = Session::open(inner, registry, repository, upload, algorithm).await?;
        let Session { upload, staged, .. } = session.receive(Chunk::empty()).await?;
        let verified = match staged.verify(digest, None) {
            Ok(verified) => verified,
            Err(error) => {
                inner.drop_upload(registry, &upload).await?;
                return Err(PushError::from(error).into());
            }
        };
        let size_bytes = verified.size_bytes();
        let _claim = inner.blobs.claim(digest).await.map_err(PushError::from)?;
        verified.commit().await.map_err(PushError::from)?;
        let was_there = inner.linked_size(registry, repository, digest).await?.is_some();
        if !was_there {
            let origin = matched.origin();
            inner.link_imported(registry, repository, digest, size_bytes, origin).await?;
        }
        // A link that was there may be an old one that no manifest needs yet.
        inner.vouched.remember((registry.clone(), repository.clone(), digest.clone()));
        inner.drop_upload(registry, &upload).await?;
        Ok(PushedBlob { digest: digest.clone(), size_bytes, was_there })
    }

    /// Records a manifest in a cache repository, and its tag. Blobs that it names must be there; of
    /// the manifests of an index at least one, so that a part of an image can be carried.
    ///
    /// # Errors
    /// An [`ImportError`].
    pub async fn import_manifest(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        new: NewImage,
    ) -> Result<ImportedManifest, ImportError> {
        let inner = &self.inner;
        let matched = inner.admit_import(caller, repository, "cistern:ImportCacheImage").await?;
        let limit_bytes = inner.settings.manifest_bytes_max;
        if new.bytes.len() as u64 > limit_bytes {
            return Err(PushError::TooLarge { limit_bytes }.into());
        }
        let digest = manifest::check_digest(&new)?;
        let read =
            Manifest::read(&new.bytes, new.media_type.as_deref()).map_err(PushError::from)?;
        let registry = &caller.registry;
        let parts = inner.check_carried(registry, repository, &read).await?;
        let _claim = inner.store_bytes(&digest, new.bytes.clone()).await?;
        let config_type = read.config.as_ref().map(|config| config.media_type.clone());
        let fact = ManifestFact {
            digest: digest.clone(),
            media_type: read.media_type,
            size_bytes: new.bytes.len() as u64,
            artifact_type: read.artifact_type.or(config_type),
            config: read.config,
            children: read.children,
            subject: read.subject.map(|subject| subject.digest),
            origin: matched.origin(),
            pushed_at: inner.clock.now(),
            last_pulled_at: None,
            storage: Storage::default(),
        };
        let settings = inner.settings_for_pull(registry, repository).await?;
        let (repository, tag) = (repository.clone(), new.tag.clone());
        // Whoever carries an image here wants it to be there, as by a push.
        let record = NewManifest { repository, manifest: fact, tag, restores: true, settings };
        let restored = match inner.metadata.record_with_parts(registry, &record, &parts).await {
            Ok(restored) => restored,
            // Collected or removed since it was looked for.
            Err(metadata::Error::PartMissing { digest }) => {
                return Err(ImportError::BlobsMissing { digests: vec![digest] });
            }
            // The tag stays as it is; by its digest the manifest is there all the same.
            Err(metadata::Error::TagImmutable { .. }) => {
                let untagged = NewManifest { tag: None, ..record.clone() };
                inner.metadata.record_with_parts(registry, &untagged, &parts).await?
            }
            Err(error) => return Err(error.into()),
        };
        // What was written here must be seen here at once.
        let change = Change::Repository(registry.clone(), record.repository.clone());
        let mut changes = archive::changes(registry, &record.repository, &restored);
        changes.push(change);
        inner.hot.forget(Some(&changes));
        let tagged = match &new.tag {
            Some(tag) => Some(inner.unconfirm(registry, &record.repository, tag, &digest).await?),
            None => None,
        };
        Ok(ImportedManifest { digest, tagged })
    }
}

impl Inner {
    async fn admit_import(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        action: &'static str,
    ) -> Result<Match, ImportError> {
        let resource = Resource::Repository(repository, None);
        self.authorize(caller, Action::Operation(action), resource)?;
        let found = self.book(&caller.registry).await?.find(repository);
        found.ok_or_else(|| ImportError::NoRule { repository: repository.clone() })
    }

    async fn link_imported(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
        size_bytes: u64,
        origin: Origin,
    ) -> Result<(), ImportError> {
        let link = Link {
            digest: digest.clone(),
            size_bytes,
            media_type: None,
            origin,
            linked_at: self.clock.now(),
        };
        let settings = self.settings_for_pull(registry, repository).await?;
        Ok(self.link_claimed(registry, repository, link, settings).await?)
    }

    /// Checks that what a manifest needs was carried here before it, and returns what of it is here.
    /// Asks no upstream.
    async fn check_carried(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        manifest: &Manifest,
    ) -> Result<HeldParts, ImportError> {
        let (mut digests, mut parts) = (Vec::new(), HeldParts::default());
        for blob in manifest.blobs().filter(|blob| !blob.is_foreign()) {
            let linked = self.linked_size(registry, repository, &blob.digest).await?;
            let here = match linked {
                Some(size_bytes) => self.stored_blob(&blob.digest, size_bytes).await?.is_some(),
                None => false,
            };
            let list = if here { &mut parts.links } else { &mut digests };
            list.push(blob.digest.clone());
        }
        if !digests.is_empty() {
            return Err(ImportError::BlobsMissing { digests });
        }
        if manifest.kind == Kind::Manifest {
            return Ok(parts);
        }
        for child in &manifest.children {
            if self.stored_manifest(registry, repository, &child.digest).await?.is_some() {
                parts.manifests.push(child.digest.clone());
            }
        }
        let is_empty = parts.manifests.is_empty() && !manifest.children.is_empty();
        if is_empty { Err(ImportError::Empty) } else { Ok(parts) }
    }

    /// Notes that no upstream has confirmed a tag; returns what it names.
    async fn unconfirm(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        tag: &Tag,
        digest: &Digest,
    ) -> Result<Digest, ImportError> {
        let never = Timestamp(0);
        let refreshed = self.metadata.refresh_tag(registry, repository, tag, digest, never).await;
        match refreshed {
            Ok(()) | Err(metadata::Error::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
        // What was written here must be seen here at once.
        let change = Change::Tag(registry.clone(), repository.clone(), tag.clone());
        self.hot.forget(Some(&[change]));
        Ok(self.metadata.tag(registry, repository, tag).await?.digest)
    }
}
