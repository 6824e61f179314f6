//! The tables `lifecycle_previews` and `lifecycle_preview_pages`, and what becomes of images by a
//! policy.

use async_trait::async_trait;
use oci::{Digest, RepositoryName};
use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;

use super::{SqliteMetadata, Write, archive, eviction, manifests, removal, repositories, tags};
use crate::{
    CachedImage, Error, Image, LifecyclePreview, LifecycleStore, Marked, MarkedImage, Page,
    PageRequest, PreviewResult, PreviewStatus, RegistryId, Repository, StorageClass, Timestamp,
    stored,
};

statements! {
    DUE = "SELECT account, region, repository FROM repository_settings \
        WHERE json_extract(settings, '$.lifecycle_policy') IS NOT NULL \
        AND COALESCE(json_extract(settings, '$.lifecycle_evaluated_at'), 0) < $1 \
        ORDER BY COALESCE(json_extract(settings, '$.lifecycle_evaluated_at'), 0) LIMIT $2";
    FIND = "SELECT policy, status, started_at, expiring, transitioning FROM lifecycle_previews \
        WHERE account = $1 AND region = $2 AND repository = $3";
    FORGET = "DELETE FROM lifecycle_previews \
        WHERE account = $1 AND region = $2 AND repository = $3";
    BEGIN = "INSERT INTO lifecycle_previews (account, region, repository, policy, status, \
        started_at, expiring, transitioning) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    END = "UPDATE lifecycle_previews SET policy = $4, status = $5, expiring = $7, \
        transitioning = $8 \
        WHERE account = $1 AND region = $2 AND repository = $3 AND started_at = $6";
    ADD_PAGE = "INSERT INTO lifecycle_preview_pages (account, region, repository, page, results) \
        VALUES ($1, $2, $3, $4, $5)";
    PAGE = "SELECT results FROM lifecycle_preview_pages \
        WHERE account = $1 AND region = $2 AND repository = $3 AND page = $4";
}

#[async_trait]
impl LifecycleStore for SqliteMetadata {
    async fn lifecycle_due(
        &self,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<(RegistryId, Repository)>, Error> {
        due(&mut *self.snapshot().await?, before, limit).await
    }

    async fn cached_images(&self, page: &PageRequest) -> Result<Page<CachedImage>, Error> {
        eviction::cached_images(&mut *self.snapshot().await?, page).await
    }

    async fn expire_images(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        marked: &Marked,
    ) -> Result<Vec<Image>, Error> {
        carry_out(self.write().await?, registry, repository, marked, Fate::Expired).await
    }

    async fn archive_images(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        marked: &Marked,
        at: Timestamp,
    ) -> Result<Vec<Image>, Error> {
        carry_out(self.write().await?, registry, repository, marked, Fate::Archived(at)).await
    }

    async fn begin_preview(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        preview: &LifecyclePreview,
        given_up: Timestamp,
    ) -> Result<(), Error> {
        begin(self.write().await?, registry, repository, preview, given_up).await
    }

    async fn add_preview_page(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        started_at: Timestamp,
        page: u32,
        results: &[PreviewResult],
    ) -> Result<(), Error> {
        let mut write = self.write().await?;
        let held = find(write.connection(), registry, repository).await?;
        if held.started_at != started_at {
            return Err(Error::NotFound);
        }
        let results: Vec<_> = results.iter().map(StoredResult::from).collect();
        sqlx::query(ADD_PAGE)
            .bind(registry.account.as_str())
            .bind(registry.region.as_str())
            .bind(repository.as_str())
            .bind(page)
            .bind(stored::to_json(&results))
            .execute(write.connection())
            .await?;
        write.commit().await
    }

    async fn end_preview(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        preview: &LifecyclePreview,
    ) -> Result<(), Error> {
        let mut write = self.write().await?;
        match write_preview(&mut write, registry, repository, preview, END).await? {
            0 => Err(Error::NotFound),
            _ => write.commit().await,
        }
    }

    async fn preview(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
    ) -> Result<LifecyclePreview, Error> {
        find(&mut *self.reader().await?, registry, repository).await
    }

    async fn preview_page(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        page: u32,
    ) -> Result<Vec<PreviewResult>, Error> {
        let json: Option<String> = sqlx::query_scalar(PAGE)
            .bind(registry.account.as_str())
            .bind(registry.region.as_str())
            .bind(repository.as_str())
            .bind(page)
            .fetch_optional(&mut *self.reader().await?)
            .await?;
        let Some(json) = json else { return Ok(Vec::new()) };
        let results: Vec<StoredResult> = stored::from_json(&json, RECORD)?;
        results.into_iter().map(StoredResult::into_result).collect()
    }
}

const RECORD: &str = "lifecycle policy preview";

/// A row of `lifecycle_previews`.
#[derive(sqlx::FromRow)]
struct PreviewRow {
    policy: String,
    status: String,
    started_at: i64,
    expiring: i64,
    transitioning: i64,
}

/// A result inside a page.
#[derive(Serialize, Deserialize)]
struct StoredResult {
    digest: String,
    tags: Vec<String>,
    pushed_at: Timestamp,
    priority: u64,
    is_transition: bool,
    #[serde(default)]
    is_archived: bool,
}

/// What becomes of the images that a policy marks.
#[derive(Clone, Copy)]
enum Fate {
    Expired,
    Archived(Timestamp),
}

async fn due(
    connection: &mut SqliteConnection,
    before: Timestamp,
    limit: usize,
) -> Result<Vec<(RegistryId, Repository)>, Error> {
    let rows: Vec<(String, String, String)> = sqlx::query_as(DUE)
        .bind(before.0)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&mut *connection)
        .await?;
    let mut due = Vec::with_capacity(rows.len());
    for (account, region, name) in rows {
        let registry = stored::registry(&account, &region, RECORD)?;
        let name = stored::repository_name(&name, RECORD)?;
        let repository = repositories::find(&mut *connection, &registry, &name).await?;
        due.push((registry, repository));
    }
    Ok(due)
}

async fn carry_out(
    mut write: Write,
    registry: &RegistryId,
    repository: &RepositoryName,
    marked: &Marked,
    fate: Fate,
) -> Result<Vec<Image>, Error> {
    let held = repositories::find(write.connection(), registry, repository).await?;
    if marked.policy.is_some() && held.settings.lifecycle_policy != marked.policy {
        return Err(Error::NotFound);
    }
    let mut gone = Vec::new();
    for expected in &marked.images {
        let digest = &expected.digest;
        let image = match manifests::image(write.connection(), registry, repository, digest).await {
            Ok(image) => image,
            Err(Error::NotFound) => continue,
            Err(error) => return Err(error),
        };
        let stays = is_changed(&image, expected)
            || is_kept(&mut write, registry, repository, &image, fate).await?
            || is_tagged_since(&mut write, registry, repository, &image, marked.evaluated_at)
                .await?;
        match fate {
            _ if stays => {}
            Fate::Expired => {
                removal::remove_manifest(&mut write, registry, repository, &image).await?;
                gone.push(image);
            }
            Fate::Archived(at) => {
                let class = StorageClass::Archive;
                let moved =
                    archive::carry(&mut write, registry, repository, digest, class, at).await?;
                gone.extend(moved);
            }
        }
    }
    write.commit().await?;
    Ok(gone)
}

/// Tells whether an image is not what it was when it was evaluated.
fn is_changed(image: &Image, expected: &MarkedImage) -> bool {
    let Image { manifest, tags } = image;
    *tags != expected.tags
        || manifest.pushed_at != expected.pushed_at
        || manifest.last_pulled_at != expected.last_pulled_at
        || manifest.storage != expected.storage
}

/// Tells whether another manifest of the repository keeps an image: one that names it as its part,
/// or its subject. Only an active one keeps it out of the archive.
async fn is_kept(
    write: &mut Write,
    registry: &RegistryId,
    repository: &RepositoryName,
    image: &Image,
    fate: Fate,
) -> Result<bool, Error> {
    let digest = &image.manifest.digest;
    let connection = write.connection();
    let parent = match fate {
        Fate::Expired => manifests::parent_of(connection, registry, repository, digest).await?,
        Fate::Archived(_) => {
            archive::active_parent(connection, registry, repository, digest).await?
        }
    };
    let Some(subject) = image.manifest.subject.as_ref().filter(|_| parent.is_none()) else {
        return Ok(parent.is_some());
    };
    match manifests::find(write.connection(), registry, repository, subject).await {
        Ok(subject) => Ok(matches!(fate, Fate::Expired) || !subject.storage.is_archived),
        Err(Error::NotFound) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Tells whether somebody set a tag of the image since, be it to what it named already.
async fn is_tagged_since(
    write: &mut Write,
    registry: &RegistryId,
    repository: &RepositoryName,
    image: &Image,
    evaluated_at: Timestamp,
) -> Result<bool, Error> {
    for tag in &image.tags {
        let fact = tags::find(write.connection(), registry, repository, tag).await?;
        if fact.updated_at >= evaluated_at {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn begin(
    mut write: Write,
    registry: &RegistryId,
    repository: &RepositoryName,
    preview: &LifecyclePreview,
    given_up: Timestamp,
) -> Result<(), Error> {
    repositories::find(write.connection(), registry, repository).await?;
    match find(write.connection(), registry, repository).await {
        Ok(held) if held.status == PreviewStatus::InProgress && held.started_at > given_up => {
            return Err(Error::AlreadyExists);
        }
        Ok(_) | Err(Error::NotFound) => {}
        Err(error) => return Err(error),
    }
    sqlx::query(FORGET)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(repository.as_str())
        .execute(write.connection())
        .await?;
    write_preview(&mut write, registry, repository, preview, BEGIN).await?;
    write.commit().await
}

/// Writes a preview by a statement, and returns how many rows that met.
async fn write_preview(
    write: &mut Write,
    registry: &RegistryId,
    repository: &RepositoryName,
    preview: &LifecyclePreview,
    statement: &'static str,
) -> Result<u64, Error> {
    let written = sqlx::query(statement)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(repository.as_str())
        .bind(&preview.policy)
        .bind(stored::to_json(&preview.status))
        .bind(preview.started_at.0)
        .bind(preview.expiring.cast_signed())
        .bind(preview.transitioning.cast_signed())
        .execute(write.connection())
        .await?;
    Ok(written.rows_affected())
}

async fn find(
    connection: &mut SqliteConnection,
    registry: &RegistryId,
    repository: &RepositoryName,
) -> Result<LifecyclePreview, Error> {
    let row: Option<PreviewRow> = sqlx::query_as(FIND)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(repository.as_str())
        .fetch_optional(connection)
        .await?;
    let row = row.ok_or(Error::NotFound)?;
    Ok(LifecyclePreview {
        policy: row.policy,
        status: stored::from_json(&row.status, RECORD)?,
        started_at: Timestamp(row.started_at),
        expiring: row.expiring.cast_unsigned(),
        transitioning: row.transitioning.cast_unsigned(),
    })
}

impl From<&PreviewResult> for StoredResult {
    fn from(result: &PreviewResult) -> Self {
        Self {
            digest: result.digest.as_str().to_owned(),
            tags: result.tags.iter().map(ToString::to_string).collect(),
            pushed_at: result.pushed_at,
            priority: result.priority,
            is_transition: result.is_transition,
            is_archived: result.is_archived,
        }
    }
}

impl StoredResult {
    fn into_result(self) -> Result<PreviewResult, Error> {
        let digest: Digest = stored::digest(&self.digest, RECORD)?;
        let tags = self.tags.iter().map(|tag| stored::tag(tag, RECORD));
        Ok(PreviewResult {
            digest,
            tags: tags.collect::<Result<_, _>>()?,
            pushed_at: self.pushed_at,
            priority: self.priority,
            is_transition: self.is_transition,
            is_archived: self.is_archived,
        })
    }
}
