//! Moves between the storage classes, which are columns of `manifests`.

use async_trait::async_trait;
use oci::{Digest, RepositoryName, media_type};
use sqlx::SqliteConnection;

use super::{
    SqliteMetadata, Write,
    manifests::{self, ManifestRow},
};
use crate::{
    ArchiveStore, Change, Error, Image, Link, ManifestFact, NewManifest, Page, PageRequest,
    RegistryId, Storage, StorageClass, Timestamp,
};

// A cross join is read from left to right: few manifests name a child.
statements! {
    MOVE = "UPDATE manifests SET archived = $5, last_archived_at = $6, last_activated_at = $7 \
        WHERE account = $1 AND region = $2 AND repository = $3 AND digest = $4";
    LIST = "SELECT * FROM manifests WHERE account = $1 AND region = $2 AND repository = $3 \
        AND archived = 1 AND digest > $4 ORDER BY digest LIMIT $5";
    ACTIVE_PARENT = "SELECT named.parent \
        FROM manifest_references AS named CROSS JOIN manifests AS held \
        ON held.account = named.account AND held.region = named.region \
        AND held.repository = named.repository AND held.digest = named.parent \
        WHERE named.account = $1 AND named.region = $2 AND named.child = $3 \
        AND named.repository = $4 AND held.archived = 0 LIMIT 1";
    ARCHIVED_PARENT = "SELECT named.parent \
        FROM manifest_references AS named CROSS JOIN manifests AS held \
        ON held.account = named.account AND held.region = named.region \
        AND held.repository = named.repository AND held.digest = named.parent \
        WHERE named.account = $1 AND named.region = $2 AND named.child = $3 \
        AND named.repository = $4 AND held.archived = 1 AND held.last_archived_at >= $5 LIMIT 1";
}

#[async_trait]
impl ArchiveStore for SqliteMetadata {
    async fn move_image(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
        class: StorageClass,
        at: Timestamp,
    ) -> Result<Vec<Image>, Error> {
        let mut write = self.write().await?;
        let held = manifests::find(write.connection(), registry, repository, digest).await?;
        if class == StorageClass::Archive {
            if held.storage.is_archived {
                return Ok(Vec::new());
            }
            let connection = write.connection();
            if let Some(parent) = active_parent(connection, registry, repository, digest).await? {
                return Err(Error::Referenced { parent });
            }
        }
        let moved = carry(&mut write, registry, repository, digest, class, at).await?;
        write.commit().await?;
        Ok(moved)
    }

    async fn archived_images(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        page: &PageRequest,
    ) -> Result<Page<Image>, Error> {
        let connection = &mut *self.snapshot().await?;
        let rows: Vec<ManifestRow> = sqlx::query_as(LIST)
            .bind(registry.account.as_str())
            .bind(registry.region.as_str())
            .bind(repository.as_str())
            .bind(page.start())
            .bind(page.rows())
            .fetch_all(&mut *connection)
            .await?;
        let Page { items, next } = Page::take(page, rows, |row| &row.digest);
        let mut images = Vec::with_capacity(items.len());
        for row in items {
            let manifest = row.into_manifest()?;
            // One by one: between two of them may lie the tags of all the others.
            images.push(
                manifests::with_tags(&mut *connection, registry, repository, manifest).await?,
            );
        }
        Ok(Page { items: images, next })
    }

    async fn is_link_archived(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        link: &Link,
    ) -> Result<bool, Error> {
        let connection = &mut *self.snapshot().await?;
        let (digest, linked_at) = (&link.digest, link.linked_at);
        // Most blobs are named by an active manifest, which the first look finds at once.
        if active_parent(connection, registry, repository, digest).await?.is_some() {
            return Ok(false);
        }
        let parent: Option<String> = sqlx::query_scalar(ARCHIVED_PARENT)
            .bind(registry.account.as_str())
            .bind(registry.region.as_str())
            .bind(digest.as_str())
            .bind(repository.as_str())
            .bind(linked_at.0)
            .fetch_optional(connection)
            .await?;
        Ok(parent.is_some())
    }
}

/// Restores a manifest that was recorded just now, or refuses it. An index brings its parts back
/// even where it was not there before.
pub(super) async fn reopen(
    write: &mut Write,
    registry: &RegistryId,
    new: &NewManifest,
    is_new: bool,
) -> Result<Vec<Image>, Error> {
    let NewManifest { repository, manifest, restores, .. } = new;
    let digest = &manifest.digest;
    let is_archived = !is_new && {
        let held = manifests::find(write.connection(), registry, repository, digest).await?;
        held.storage.is_archived
    };
    match (is_archived, restores) {
        (true, false) => Err(Error::Archived),
        (_, true) if is_archived || media_type::is_index(&manifest.media_type) => {
            let (class, at) = (StorageClass::Standard, manifest.pushed_at);
            carry(write, registry, repository, digest, class, at).await
        }
        _ => Ok(Vec::new()),
    }
}

/// Returns a manifest of the repository that is not archived and names `child`.
pub(super) async fn active_parent(
    connection: &mut SqliteConnection,
    registry: &RegistryId,
    repository: &RepositoryName,
    child: &Digest,
) -> Result<Option<Digest>, Error> {
    manifests::parent_by(ACTIVE_PARENT, connection, registry, repository, child).await
}

/// Moves an image and what belongs to it; returns those that moved.
pub(super) async fn carry(
    write: &mut Write,
    registry: &RegistryId,
    repository: &RepositoryName,
    digest: &Digest,
    class: StorageClass,
    at: Timestamp,
) -> Result<Vec<Image>, Error> {
    let (mut moved, mut waiting) = (Vec::new(), vec![digest.clone()]);
    while let Some(digest) = waiting.pop() {
        let held = manifests::image(write.connection(), registry, repository, &digest).await;
        let mut image = match held {
            Ok(image) => image,
            Err(Error::NotFound) => continue,
            Err(error) => return Err(error),
        };
        let manifest = &mut image.manifest;
        let moves = manifest.storage.class() != class;
        if moves {
            manifest.storage = manifest.storage.moved(class, at);
            set(write, registry, repository, &digest, manifest.storage).await?;
            for change in changes(registry, repository, manifest) {
                write.record(&change).await?;
            }
        }
        // After the move: what an archived index alone names goes with it.
        waiting.extend(belonging(write, registry, repository, manifest, class).await?);
        if moves {
            moved.push(image);
        }
    }
    Ok(moved)
}

async fn set(
    write: &mut Write,
    registry: &RegistryId,
    repository: &RepositoryName,
    digest: &Digest,
    storage: Storage,
) -> Result<(), Error> {
    sqlx::query(MOVE)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(repository.as_str())
        .bind(digest.as_str())
        .bind(i64::from(storage.is_archived))
        .bind(storage.archived_at.map(|at| at.0))
        .bind(storage.activated_at.map(|at| at.0))
        .execute(write.connection())
        .await?;
    Ok(())
}

/// What a move changes: the manifest, and which of its blobs are served.
fn changes(
    registry: &RegistryId,
    repository: &RepositoryName,
    manifest: &ManifestFact,
) -> Vec<Change> {
    let link = |digest: &Digest| Change::Link(registry.clone(), repository.clone(), digest.clone());
    let itself = Change::Manifest(registry.clone(), repository.clone(), manifest.digest.clone());
    let blobs = manifest.blobs().map(|part| link(&part.digest));
    std::iter::once(itself).chain(blobs).collect()
}

/// Returns what moves with a manifest, as far as it is in the other class.
async fn belonging(
    write: &mut Write,
    registry: &RegistryId,
    repository: &RepositoryName,
    manifest: &ManifestFact,
    class: StorageClass,
) -> Result<Vec<Digest>, Error> {
    let mut belonging = Vec::new();
    for part in manifest.children.iter().filter(|_| media_type::is_index(&manifest.media_type)) {
        let held = manifests::image(write.connection(), registry, repository, &part.digest).await;
        let Image { manifest: held, tags } = match held {
            Ok(image) => image,
            Err(Error::NotFound) => continue,
            Err(error) => return Err(error),
        };
        let connection = write.connection();
        let is_kept = class == StorageClass::Archive
            && (!tags.is_empty()
                || active_parent(connection, registry, repository, &part.digest).await?.is_some());
        if held.storage.class() != class && !is_kept {
            belonging.push(held.digest);
        }
    }
    let mut page = PageRequest::first(READ_AT_ONCE);
    loop {
        let (connection, subject) = (write.connection(), &manifest.digest);
        let found = manifests::referrers(connection, registry, repository, subject, &page).await?;
        let others = found.items.into_iter().filter(|held| held.storage.class() != class);
        belonging.extend(others.map(|held| held.digest));
        page.after = found.next;
        if page.after.is_none() {
            return Ok(belonging);
        }
    }
}

/// How many referrers are in memory at once.
const READ_AT_ONCE: usize = 256;
