//! Letting in only images that are old enough (`minimumAge`).
//!
//! An image is judged when its manifest is about to be stored, by the moment that its config says
//! it was created, or by the moment it was first seen here. The first is the publisher's word: it
//! keeps out what was released in haste or by a thief of credentials, not who lies about it. The
//! second nobody else can say, but everything waits for it. Where the config says nothing that can
//! be, the second counts.
//!
//! A tag of an index waits for the first image in it, which is brought for this; each other image
//! is judged when it is pulled itself. So nothing young is served as an image, and an upstream that
//! counts requests is asked for one manifest more, not for one of each platform. Signatures and
//! other artifacts are no images: they may be young, provided that no runtime could unpack them.

use std::sync::Arc;

use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture};
use metadata::{AgeFrom, Span, Timestamp};
use oci::{Descriptor, Digest, Kind, Manifest, Reference, created_at, media_type};
use upstream::{FetchedManifest, Target};

use crate::{PullError, pull::ImportKey, refresh::ImportWork};

/// 2013-01-01: no image is older than containers. Builds that are to be reproducible say 1970,
/// 1980 or the year 1.
const EARLIEST: Timestamp = Timestamp(1_356_998_400_000);
/// Largest config, or document of an artifact, that is read, in bytes.
const DOCUMENT_BYTES_MAX: u64 = 4 << 20;
/// Most documents of an artifact.
const DOCUMENTS_MAX: usize = 8;
/// How many images of an index are looked for where the upstream does not have the first ones.
const CHILDREN_MAX: usize = 4;

/// What containerd unpacks.
const LAYER_TYPES: [&str; 2] =
    ["application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs."];
/// What docker takes for the config of an image, whatever its layers are said to be.
const CONFIG_TYPES: [&str; 3] = [
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
    media_type::OCTET_STREAM,
];

impl ImportWork {
    /// Checks that what was fetched is old enough for the rule.
    pub(crate) async fn admit_age(
        &self,
        target: &Target,
        fetched: &FetchedManifest,
    ) -> Result<(), PullError> {
        let minimum = self.matched.policy().minimum_age;
        if minimum == Span::ZERO {
            return Ok(());
        }
        // What cannot be read is refused when it is stored.
        let read = Manifest::read(&fetched.bytes, fetched.media_type.as_deref());
        let Ok(manifest) = read else { return Ok(()) };
        match manifest.kind {
            Kind::Index => self.admit_children(&manifest.children).await,
            Kind::Manifest if self.is_artifact(target, &manifest).await? => Ok(()),
            Kind::Manifest => {
                let born = self.born(target, &manifest, &fetched.digest).await?;
                self.admit_born(born, minimum)
            }
        }
    }

    fn admit_born(&self, born: Timestamp, minimum: Span) -> Result<(), PullError> {
        if !minimum.holds(born, self.inner.clock.now()) {
            return Ok(());
        }
        Err(PullError::TooYoung {
            rule: self.matched.rule().ecr_repository_prefix.to_string(),
            repository: self.matched.upstream_repository.clone(),
            reference: self.reference.clone(),
            minimum,
            until: minimum.end(born).unwrap_or(Timestamp(i64::MAX)),
        })
    }

    /// Brings the first image of an index that its upstream has, and so has it judged.
    ///
    /// Its future is of a named type, for that import judges in turn.
    fn admit_children<'a>(
        &'a self,
        children: &'a [Descriptor],
    ) -> BoxFuture<'a, Result<(), PullError>> {
        async move {
            let images = children.iter().filter(|child| {
                [media_type::OCI_MANIFEST, media_type::DOCKER_MANIFEST]
                    .contains(&child.media_type.as_str())
            });
            for child in images.take(CHILDREN_MAX) {
                let reference = Reference::Digest(child.digest.clone());
                let key: ImportKey =
                    (self.registry.clone(), self.repository.clone(), reference.clone());
                let work = Self {
                    inner: Arc::clone(&self.inner),
                    registry: self.registry.clone(),
                    repository: self.repository.clone(),
                    reference,
                    matched: self.matched.clone(),
                    known: None,
                    servable: false,
                    insists: false,
                };
                let brought = self.inner.imports.join(key, || work.run()).landed().await;
                match brought.ok_or(PullError::Abandoned)? {
                    Ok(_) => return Ok(()),
                    // A sparse index.
                    Err(PullError::ManifestUnknown { .. }) => {}
                    Err(PullError::TooYoung { rule, repository, minimum, until, .. }) => {
                        let reference = self.reference.clone();
                        return Err(PullError::TooYoung {
                            rule,
                            repository,
                            reference,
                            minimum,
                            until,
                        });
                    }
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        }
        .boxed()
    }

    /// Says from when on an image has been there.
    async fn born(
        &self,
        target: &Target,
        manifest: &Manifest,
        digest: &Digest,
    ) -> Result<Timestamp, PullError> {
        let now = self.inner.clock.now();
        if self.matched.policy().age_from == AgeFrom::Created
            && let Some(config) = &manifest.config
            && let Some(created) = self.created(target, config).await?
            && (EARLIEST..=now).contains(&created)
        {
            return Ok(created);
        }
        Ok(self.inner.metadata.sight_manifest(&self.registry, digest, now).await?)
    }

    /// Reads from the upstream when the image of a config was created; none where there is nothing
    /// to be read.
    async fn created(
        &self,
        target: &Target,
        config: &Descriptor,
    ) -> Result<Option<Timestamp>, PullError> {
        let bytes = self.document(target, config).await?;
        Ok(bytes.and_then(|bytes| created_at(&bytes)).map(Timestamp))
    }

    /// Tells whether no runtime would unpack what a manifest names. Where it is made like an image,
    /// as signatures are, its layers are read: a document is not an archive.
    async fn is_artifact(&self, target: &Target, manifest: &Manifest) -> Result<bool, PullError> {
        let layers = &manifest.children;
        let is_layer = |layer: &Descriptor| {
            LAYER_TYPES.iter().any(|start| layer.media_type.starts_with(start))
        };
        if layers.is_empty() || layers.iter().any(is_layer) {
            return Ok(false);
        }
        let config = manifest.config.as_ref();
        if !config.is_some_and(|config| CONFIG_TYPES.contains(&config.media_type.as_str())) {
            return Ok(true);
        }
        if layers.len() > DOCUMENTS_MAX {
            return Ok(false);
        }
        for layer in layers {
            let bytes = self.document(target, layer).await?.unwrap_or_default();
            if serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_err() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads a small blob from the upstream; none where it is not small, not there, or another.
    async fn document(
        &self,
        target: &Target,
        named: &Descriptor,
    ) -> Result<Option<Vec<u8>>, PullError> {
        if named.size_bytes > DOCUMENT_BYTES_MAX {
            return Ok(None);
        }
        let fetched = self.inner.upstream.fetch_blob(target, &named.digest, 0).await;
        let mut body = match fetched {
            Ok(body) => body.bytes,
            Err(upstream::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(self.failed(target, error.into())),
        };
        let mut bytes = Vec::new();
        while let Some(piece) = body.next().await {
            bytes.extend_from_slice(&piece.map_err(|error| self.failed(target, error.into()))?);
            if bytes.len() as u64 > named.size_bytes {
                return Ok(None);
            }
        }
        let is_it = Digest::of_with(named.digest.algorithm(), &bytes) == named.digest;
        Ok(Some(bytes).filter(|_| is_it))
    }
}
