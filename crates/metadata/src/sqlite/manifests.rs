//! The tables `manifests` and `manifest_references`.

use async_trait::async_trait;
use oci::{Digest, RepositoryName, Tag};
use sqlx::SqliteConnection;

use super::{SqliteMetadata, Write, archive, links, removal, repositories, tags};
use crate::{
    Error, HeldParts, Image, ManifestFact, ManifestStore, NewManifest, Origin, Page, PageRequest,
    Precondition, Pull, RegistryId, Storage, TagFact, Timestamp, stored,
};

statements! {
    INSERT = "INSERT INTO manifests (account, region, repository, digest, media_type, size_bytes, \
        artifact_type, config, children, subject, origin, pushed_at, last_pulled_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING";
    INSERT_REFERENCE = "INSERT INTO manifest_references (account, region, child, repository, \
        parent) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    ANY = "SELECT digest FROM manifests \
        WHERE account = $1 AND region = $2 AND repository = $3 LIMIT 1";
    FIND = "SELECT * FROM manifests \
        WHERE account = $1 AND region = $2 AND repository = $3 AND digest = $4";
    LIST = "SELECT * FROM manifests WHERE account = $1 AND region = $2 AND repository = $3 \
        AND digest > $4 ORDER BY digest LIMIT $5";
    REFERRERS = "SELECT * FROM manifests WHERE account = $1 AND region = $2 AND repository = $3 \
        AND subject = $4 AND digest > $5 ORDER BY digest LIMIT $6";
    PARENT = "SELECT parent FROM manifest_references WHERE account = $1 AND region = $2 \
        AND child = $3 AND repository = $4 LIMIT 1";
    PULLED = "UPDATE manifests SET last_pulled_at = $5 WHERE account = $1 AND region = $2 \
        AND repository = $3 AND digest = $4 AND (last_pulled_at IS NULL OR last_pulled_at < $5)";
}

#[async_trait]
impl ManifestStore for SqliteMetadata {
    async fn record_manifest(
        &self,
        registry: &RegistryId,
        manifest: &NewManifest,
    ) -> Result<Vec<Image>, Error> {
        record(self.write().await?, registry, manifest).await
    }

    async fn record_with_parts(
        &self,
        registry: &RegistryId,
        manifest: &NewManifest,
        parts: &HeldParts,
    ) -> Result<Vec<Image>, Error> {
        let mut write = self.write().await?;
        check_parts(&mut write, registry, &manifest.repository, parts).await?;
        if let Some(tag) = &manifest.tag {
            check_tag(&mut write, registry, &manifest.repository, tag, &parts.tag).await?;
        }
        record(write, registry, manifest).await
    }

    async fn manifest(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<ManifestFact, Error> {
        find(&mut *self.reader().await?, registry, repository, digest).await
    }

    async fn images(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        page: &PageRequest,
    ) -> Result<Page<Image>, Error> {
        images(&mut *self.snapshot().await?, registry, repository, page).await
    }

    async fn image(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Image, Error> {
        image(&mut *self.snapshot().await?, registry, repository, digest).await
    }

    async fn referrers(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        subject: &Digest,
        page: &PageRequest,
    ) -> Result<Page<ManifestFact>, Error> {
        let connection = &mut *self.reader().await?;
        referrers(connection, registry, repository, subject, page).await
    }

    async fn parent_of(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        child: &Digest,
    ) -> Result<Option<Digest>, Error> {
        parent_of(&mut *self.reader().await?, registry, repository, child).await
    }

    async fn delete_manifest(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Image, Error> {
        removal::manifest(self.write().await?, registry, repository, digest).await
    }

    async fn record_pulls(&self, pulls: &[Pull]) -> Result<(), Error> {
        record_pulls(self.write().await?, pulls).await
    }
}

const RECORD: &str = "manifest";

/// A row of `manifests`.
#[derive(sqlx::FromRow)]
pub(super) struct ManifestRow {
    pub(super) digest: String,
    media_type: String,
    size_bytes: i64,
    artifact_type: Option<String>,
    config: Option<String>,
    children: String,
    subject: Option<String>,
    origin: String,
    pushed_at: i64,
    last_pulled_at: Option<i64>,
    archived: bool,
    last_archived_at: Option<i64>,
    last_activated_at: Option<i64>,
}

pub(super) async fn record(
    mut write: Write,
    registry: &RegistryId,
    new: &NewManifest,
) -> Result<Vec<Image>, Error> {
    let NewManifest { repository, manifest, tag, settings, .. } = new;
    let ManifestFact { origin, pushed_at, .. } = manifest;
    let missing =
        repositories::Missing { name: repository, created_at: *pushed_at, origin, settings };
    let is_new = repositories::ensure(&mut write, registry, missing).await?;
    let tag = match tag {
        Some(tag) if !is_new && is_kept(&mut write, registry, new, tag).await? => None,
        tag => tag.as_ref(),
    };
    if let Some(tag) = tag.filter(|_| !is_new) {
        check_move(&mut write, registry, tags::Named { repository, tag, digest: &manifest.digest })
            .await?;
    }
    let is_added = insert(&mut write, registry, repository, manifest).await?;
    let restored = archive::reopen(&mut write, registry, new, is_added).await?;
    if let Some(tag) = tag {
        let fact = TagFact {
            digest: manifest.digest.clone(),
            origin: origin.clone(),
            updated_at: *pushed_at,
            checked_at: *pushed_at,
        };
        tags::set(&mut write, registry, repository, tag, &fact).await?;
    }
    write.commit().await?;
    Ok(restored)
}

/// Checks that a repository has the parts of a manifest.
async fn check_parts(
    write: &mut Write,
    registry: &RegistryId,
    repository: &RepositoryName,
    parts: &HeldParts,
) -> Result<(), Error> {
    let missing = |error, digest: &Digest| match error {
        Error::NotFound => Error::PartMissing { digest: digest.clone() },
        error => error,
    };
    for digest in &parts.links {
        let link = links::find(write.connection(), registry, repository, digest).await;
        link.map_err(|error| missing(error, digest))?;
    }
    for digest in &parts.manifests {
        let manifest = find(write.connection(), registry, repository, digest).await;
        manifest.map_err(|error| missing(error, digest))?;
    }
    Ok(())
}

/// Checks that a tag names what it has to.
async fn check_tag(
    write: &mut Write,
    registry: &RegistryId,
    repository: &RepositoryName,
    tag: &Tag,
    precondition: &Precondition,
) -> Result<(), Error> {
    let digest = match tags::find(write.connection(), registry, repository, tag).await {
        Ok(held) => Some(held.digest),
        Err(Error::NotFound) => None,
        Err(error) => return Err(error),
    };
    if precondition.allows(digest.as_ref()) { Ok(()) } else { Err(Error::TagMoved { digest }) }
}

/// Checks that a tag is free to name what it is about to.
async fn check_move(
    write: &mut Write,
    registry: &RegistryId,
    named: tags::Named<'_>,
) -> Result<(), Error> {
    let tags::Named { repository, tag, digest } = named;
    let held = match tags::find(write.connection(), registry, repository, tag).await {
        Ok(fact) if fact.digest != *digest => fact.digest,
        Ok(_) | Err(Error::NotFound) => return Ok(()),
        Err(error) => return Err(error),
    };
    let found = repositories::find(write.connection(), registry, repository).await?;
    if found.settings.tag_mutability.allows_move(tag) {
        return Ok(());
    }
    Err(Error::TagImmutable { digest: held })
}

/// Tells whether a tag stays with what it names: a pushed one is never moved by what is cached, nor
/// one of an archived manifest by a pull.
async fn is_kept(
    write: &mut Write,
    registry: &RegistryId,
    new: &NewManifest,
    tag: &Tag,
) -> Result<bool, Error> {
    if matches!(new.manifest.origin, Origin::Pushed { .. }) {
        return Ok(false);
    }
    let repository = &new.repository;
    let held = match tags::find(write.connection(), registry, repository, tag).await {
        Ok(held) => held,
        Err(Error::NotFound) => return Ok(false),
        Err(error) => return Err(error),
    };
    if matches!(held.origin, Origin::Pushed { .. }) || new.restores {
        return Ok(matches!(held.origin, Origin::Pushed { .. }));
    }
    let named = find(write.connection(), registry, repository, &held.digest).await?;
    Ok(named.storage.is_archived)
}

/// Adds a manifest with its references, unless the repository has it already; tells whether it did.
async fn insert(
    write: &mut Write,
    registry: &RegistryId,
    repository: &RepositoryName,
    manifest: &ManifestFact,
) -> Result<bool, Error> {
    let inserted = sqlx::query(INSERT)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(repository.as_str())
        .bind(manifest.digest.as_str())
        .bind(&manifest.media_type)
        .bind(manifest.size_bytes.cast_signed())
        .bind(&manifest.artifact_type)
        .bind(manifest.config.as_ref().map(stored::descriptor_to_json))
        .bind(stored::descriptors_to_json(&manifest.children))
        .bind(manifest.subject.as_ref().map(Digest::as_str))
        .bind(stored::to_json(&manifest.origin))
        .bind(manifest.pushed_at.0)
        .bind(manifest.last_pulled_at.map(|at| at.0))
        .execute(write.connection())
        .await?;
    if inserted.rows_affected() == 0 {
        return Ok(false);
    }
    for child in manifest.references() {
        sqlx::query(INSERT_REFERENCE)
            .bind(registry.account.as_str())
            .bind(registry.region.as_str())
            .bind(child.digest.as_str())
            .bind(repository.as_str())
            .bind(manifest.digest.as_str())
            .execute(write.connection())
            .await?;
    }
    Ok(true)
}

pub(super) async fn find(
    connection: &mut SqliteConnection,
    registry: &RegistryId,
    repository: &RepositoryName,
    digest: &Digest,
) -> Result<ManifestFact, Error> {
    let row: Option<ManifestRow> = sqlx::query_as(FIND)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(repository.as_str())
        .bind(digest.as_str())
        .fetch_optional(connection)
        .await?;
    row.ok_or(Error::NotFound)?.into_manifest()
}

/// Returns a page of manifests by digest.
pub(super) async fn list(
    connection: &mut SqliteConnection,
    registry: &RegistryId,
    repository: &RepositoryName,
    page: &PageRequest,
) -> Result<Page<ManifestFact>, Error> {
    let rows: Vec<ManifestRow> = sqlx::query_as(LIST)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(repository.as_str())
        .bind(page.start())
        .bind(page.rows())
        .fetch_all(connection)
        .await?;
    let manifests =
        rows.into_iter().map(ManifestRow::into_manifest).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::take(page, manifests, |manifest| manifest.digest.as_str()))
}

pub(super) async fn images(
    connection: &mut SqliteConnection,
    registry: &RegistryId,
    repository: &RepositoryName,
    page: &PageRequest,
) -> Result<Page<Image>, Error> {
    repositories::find(&mut *connection, registry, repository).await?;
    let Page { items, next } = list(&mut *connection, registry, repository, page).await?;
    let items = items.into_iter().map(|manifest| Image { manifest, tags: Vec::new() }).collect();
    let mut images = Page { items, next };
    let (Some(first), Some(last)) = (images.items.first(), images.items.last()) else {
        return Ok(images);
    };
    let (first, last) = (&first.manifest.digest, &last.manifest.digest);
    let named = tags::of_digests(connection, registry, repository, first, last).await?;
    // Both are in order of digest: one walk over the images meets every tag.
    let mut named = named.into_iter().peekable();
    for image in &mut images.items {
        while let Some((_, tag)) = named.next_if(|(digest, _)| *digest == image.manifest.digest) {
            image.tags.push(tag);
        }
    }
    Ok(images)
}

pub(super) async fn image(
    connection: &mut SqliteConnection,
    registry: &RegistryId,
    repository: &RepositoryName,
    digest: &Digest,
) -> Result<Image, Error> {
    let manifest = find(&mut *connection, registry, repository, digest).await?;
    with_tags(connection, registry, repository, manifest).await
}

/// Reads the tags that name a manifest.
pub(super) async fn with_tags(
    connection: &mut SqliteConnection,
    registry: &RegistryId,
    repository: &RepositoryName,
    manifest: ManifestFact,
) -> Result<Image, Error> {
    let digest = &manifest.digest;
    let named = tags::of_digests(connection, registry, repository, digest, digest).await?;
    Ok(Image { manifest, tags: named.into_iter().map(|(_, tag)| tag).collect() })
}

/// Tells whether a repository has no manifest.
pub(super) async fn is_empty(
    connection: &mut SqliteConnection,
    registry: &RegistryId,
    repository: &RepositoryName,
) -> Result<bool, Error> {
    let any: Option<String> = sqlx::query_scalar(ANY)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(repository.as_str())
        .fetch_optional(connection)
        .await?;
    Ok(any.is_none())
}

/// Returns a page of the manifests that refer to a subject, by digest.
pub(super) async fn referrers(
    connection: &mut SqliteConnection,
    registry: &RegistryId,
    repository: &RepositoryName,
    subject: &Digest,
    page: &PageRequest,
) -> Result<Page<ManifestFact>, Error> {
    let rows: Vec<ManifestRow> = sqlx::query_as(REFERRERS)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(repository.as_str())
        .bind(subject.as_str())
        .bind(page.start())
        .bind(page.rows())
        .fetch_all(connection)
        .await?;
    let referrers =
        rows.into_iter().map(ManifestRow::into_manifest).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::take(page, referrers, |manifest| manifest.digest.as_str()))
}

/// Returns a manifest of the repository that names `child`.
pub(super) async fn parent_of(
    connection: &mut SqliteConnection,
    registry: &RegistryId,
    repository: &RepositoryName,
    child: &Digest,
) -> Result<Option<Digest>, Error> {
    parent_by(PARENT, connection, registry, repository, child).await
}

/// Returns the parent that a statement finds for a child.
pub(super) async fn parent_by(
    statement: &'static str,
    connection: &mut SqliteConnection,
    registry: &RegistryId,
    repository: &RepositoryName,
    child: &Digest,
) -> Result<Option<Digest>, Error> {
    let parent: Option<String> = sqlx::query_scalar(statement)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(child.as_str())
        .bind(repository.as_str())
        .fetch_optional(connection)
        .await?;
    parent.map(|parent| stored::digest(&parent, RECORD)).transpose()
}

pub(super) async fn record_pulls(mut write: Write, pulls: &[Pull]) -> Result<(), Error> {
    for Pull { registry, repository, digest, at } in pulls {
        sqlx::query(PULLED)
            .bind(registry.account.as_str())
            .bind(registry.region.as_str())
            .bind(repository.as_str())
            .bind(digest.as_str())
            .bind(at.0)
            .execute(write.connection())
            .await?;
    }
    write.commit().await
}

impl ManifestRow {
    pub(super) fn into_manifest(self) -> Result<ManifestFact, Error> {
        let config = self.config.as_deref();
        let subject = self.subject.as_deref();
        Ok(ManifestFact {
            digest: stored::digest(&self.digest, RECORD)?,
            media_type: self.media_type,
            size_bytes: self.size_bytes.cast_unsigned(),
            artifact_type: self.artifact_type,
            config: config.map(|json| stored::descriptor_from_json(json, RECORD)).transpose()?,
            children: stored::descriptors_from_json(&self.children, RECORD)?,
            subject: subject.map(|text| stored::digest(text, RECORD)).transpose()?,
            origin: stored::from_json(&self.origin, RECORD)?,
            pushed_at: Timestamp(self.pushed_at),
            last_pulled_at: self.last_pulled_at.map(Timestamp),
            storage: Storage {
                is_archived: self.archived,
                archived_at: self.last_archived_at.map(Timestamp),
                activated_at: self.last_activated_at.map(Timestamp),
            },
        })
    }
}
