//! Manifests: read, held against what the repository has, kept byte for byte.
//!
//! OCI distribution-spec 1.1, "Pushing Manifests". A subject need not be there; the manifests of
//! an index need not either, unless ECR's rules hold; config and layers must.

use bytes::Bytes;
use metadata::{Change, HeldParts, ManifestFact, NewManifest, Precondition, Storage};
use oci::{Algorithm, Digest, Kind, Manifest, Reference, RepositoryName, Tag};

use super::PushError;
use crate::{BlobSummary, Caller, PullError, Registry, Served, archive};

/// A manifest to be pushed.
#[derive(Clone, Debug)]
pub struct NewImage {
    /// The tag to set.
    pub tag: Option<Tag>,
    /// The digest it must have.
    pub digest: Option<Digest>,
    /// The media type it is pushed as.
    pub media_type: Option<String>,
    /// The manifest.
    pub bytes: Bytes,
    /// Whether the manifests of an index must be there.
    pub whole: bool,
    /// What the tag has to name before it is set.
    pub precondition: Precondition,
}

/// A manifest that was pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushedManifest {
    /// Its digest.
    pub digest: Digest,
    /// Its media type.
    pub media_type: String,
    /// The manifest it refers to.
    pub subject: Option<Digest>,
    /// Whether the repository had the manifest, under this tag where there is one, before.
    pub was_there: bool,
}

impl Registry {
    /// Pushes a manifest, and sets the tag.
    ///
    /// # Errors
    /// A [`PushError`].
    pub async fn push_manifest(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        new: NewImage,
    ) -> Result<PushedManifest, PushError> {
        let inner = &self.inner;
        inner.admit_push(caller, repository, "ecr:PutImage").await?;
        let limit_bytes = inner.settings.manifest_bytes_max;
        if new.bytes.len() as u64 > limit_bytes {
            return Err(PushError::TooLarge { limit_bytes });
        }
        let digest = check_digest(&new)?;
        let manifest = Manifest::read(&new.bytes, new.media_type.as_deref())?;
        check_media_type(&manifest, new.media_type.as_deref())?;
        let mut parts = self.check_parts(caller, repository, &manifest, new.whole).await?;
        parts.tag = new.precondition;
        let was_there = self.is_same(caller, repository, &digest, new.tag.as_ref()).await?;

        let _claim = inner.store_bytes(&digest, new.bytes.clone()).await.map_err(stored)?;
        let now = inner.clock.now();
        let config_type = manifest.config.as_ref().map(|config| config.media_type.clone());
        let subject = manifest.subject.map(|subject| subject.digest);
        let fact = ManifestFact {
            digest: digest.clone(),
            media_type: manifest.media_type.clone(),
            size_bytes: new.bytes.len() as u64,
            artifact_type: manifest.artifact_type.or(config_type),
            config: manifest.config,
            children: manifest.children,
            subject: subject.clone(),
            origin: caller.origin(),
            pushed_at: now,
            last_pulled_at: None,
            storage: Storage::default(),
        };
        let tag = new.tag.clone();
        let settings = inner.settings_for_push(&caller.registry, repository).await?;
        let name = repository.clone();
        let record =
            NewManifest { repository: name, manifest: fact, tag, restores: true, settings };
        let recorded = inner.metadata.record_with_parts(&caller.registry, &record, &parts).await;
        let restored = match recorded {
            Ok(restored) => restored,
            Err(metadata::Error::PartMissing { digest }) => {
                let digests = vec![digest];
                return Err(if parts.links.contains(&digests[0]) {
                    PushError::BlobsUnknown { digests }
                } else {
                    PushError::ManifestsUnknown { digests }
                });
            }
            Err(error) => return Err(refused(repository, new.tag, error)),
        };
        // What was written here must be seen here at once.
        let restored = archive::changes(&caller.registry, repository, &restored);
        let of = (caller.registry.clone(), repository.clone());
        let tag = new.tag.map(|tag| Change::Tag(of.0.clone(), of.1.clone(), tag));
        let itself = Change::Repository(of.0, of.1);
        let changes: Vec<_> = tag.into_iter().chain([itself]).chain(restored).collect();
        inner.hot.forget(Some(&changes));
        Ok(PushedManifest { digest, media_type: manifest.media_type, subject, was_there })
    }

    /// Holds a manifest's parts against what the repository has, or a rule could bring; returns
    /// those that it has, which must not go before the manifest is recorded.
    async fn check_parts(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        manifest: &Manifest,
        whole: bool,
    ) -> Result<HeldParts, PushError> {
        let (mut digests, mut parts) = (Vec::new(), HeldParts::default());
        for blob in manifest.blobs().filter(|blob| !blob.is_foreign()) {
            match self.look_up_blob(caller, repository, &blob.digest).await {
                Ok(BlobSummary { served: Served::Hit, .. }) => {
                    parts.links.push(blob.digest.clone());
                }
                Ok(_) => {}
                Err(PullError::BlobUnknown { .. } | PullError::NameUnknown { .. }) => {
                    if !self.bring_official(caller, repository, &blob.digest).await? {
                        digests.push(blob.digest.clone());
                    }
                }
                Err(error) => return Err(PushError::Pull(error)),
            }
        }
        if !digests.is_empty() {
            return Err(PushError::BlobsUnknown { digests });
        }
        if manifest.kind == Kind::Index {
            for child in &manifest.children {
                let stored =
                    self.inner.stored_manifest(&caller.registry, repository, &child.digest).await;
                match stored.map_err(PushError::Pull)? {
                    Some(_) => parts.manifests.push(child.digest.clone()),
                    None if whole => digests.push(child.digest.clone()),
                    None => {}
                }
            }
        }
        if digests.is_empty() { Ok(parts) } else { Err(PushError::ManifestsUnknown { digests }) }
    }

    /// Tells whether a push changes nothing.
    async fn is_same(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        digest: &Digest,
        tag: Option<&Tag>,
    ) -> Result<bool, PushError> {
        let (inner, registry) = (&self.inner, &caller.registry);
        let stored = inner.stored_manifest(registry, repository, digest).await;
        if stored.map_err(PushError::Pull)?.is_none_or(|stored| stored.is_archived) {
            return Ok(false);
        }
        let Some(tag) = tag else { return Ok(true) };
        match inner.metadata.tag(registry, repository, tag).await {
            Ok(fact) => Ok(fact.digest == *digest),
            Err(metadata::Error::NotFound) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

impl NewImage {
    /// A manifest pushed by `reference`, as a registry client does.
    pub fn by_reference(reference: Reference, media_type: Option<String>, bytes: Bytes) -> Self {
        let (tag, digest) = match reference {
            Reference::Tag(tag) => (Some(tag), None),
            Reference::Digest(digest) => (None, Some(digest)),
        };
        let precondition = Precondition::default();
        Self { tag, digest, media_type, bytes, whole: false, precondition }
    }
}

pub(super) fn check_digest(new: &NewImage) -> Result<Digest, PushError> {
    let algorithm = new.digest.as_ref().map_or(Algorithm::Sha256, Digest::algorithm);
    let actual = Digest::of_with(algorithm, &new.bytes);
    match &new.digest {
        Some(expected) if *expected != actual => {
            Err(PushError::DigestMismatch { expected: expected.clone(), actual })
        }
        _ => Ok(actual),
    }
}

/// "If a manifest includes a `mediaType` field, clients MUST set the `Content-Type` header to the
/// value specified by the `mediaType` field."
fn check_media_type(manifest: &Manifest, pushed_as: Option<&str>) -> Result<(), PushError> {
    match pushed_as {
        Some(pushed_as) if pushed_as != manifest.media_type => Err(PushError::MediaTypeMismatch {
            stated: manifest.media_type.clone(),
            pushed_as: pushed_as.to_owned(),
        }),
        _ => Ok(()),
    }
}

/// A tag that may not be set; the store says so only where one was to be.
fn refused(repository: &RepositoryName, tag: Option<Tag>, error: metadata::Error) -> PushError {
    let repository = repository.clone();
    match (tag, error) {
        (Some(tag), metadata::Error::TagImmutable { digest }) => {
            PushError::TagImmutable { repository, tag, digest }
        }
        (Some(tag), metadata::Error::TagMoved { digest }) => {
            PushError::TagMoved { repository, tag, digest }
        }
        (_, error) => error.into(),
    }
}

fn stored(error: PullError) -> PushError {
    match error {
        PullError::Abandoned => PushError::Abandoned,
        error => PushError::Pull(error),
    }
}
