//! The `uploads` table.

use async_trait::async_trait;
use oci::RepositoryName;
use sqlx::SqliteConnection;

use super::{SqliteMetadata, Write};
use crate::{Error, RegistryId, Timestamp, Upload, UploadStore, stored};

statements! {
    COUNT = "SELECT COUNT(*) FROM uploads WHERE account = $1 AND region = $2";
    INSERT = "INSERT INTO uploads (account, region, repository, id, size_bytes, origin, \
        started_at, moved_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
    FIND = "SELECT * FROM uploads \
        WHERE account = $1 AND region = $2 AND repository = $3 AND id = $4";
    ADVANCE = "UPDATE uploads SET size_bytes = $6, moved_at = $7 WHERE account = $1 \
        AND region = $2 AND repository = $3 AND id = $4 AND size_bytes = $5";
    DELETE = "DELETE FROM uploads \
        WHERE account = $1 AND region = $2 AND repository = $3 AND id = $4";
    IDLE = "SELECT * FROM uploads WHERE moved_at < $1 ORDER BY moved_at LIMIT $2";
}

#[async_trait]
impl UploadStore for SqliteMetadata {
    async fn create_upload(
        &self,
        registry: &RegistryId,
        upload: &Upload,
        limit: Option<u32>,
    ) -> Result<(), Error> {
        create(self.write().await?, registry, upload, limit).await
    }

    async fn upload(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        id: &str,
    ) -> Result<Upload, Error> {
        find(&mut *self.reader().await?, registry, repository, id).await
    }

    async fn advance_upload(
        &self,
        registry: &RegistryId,
        expected: &Upload,
        size_bytes: u64,
        at: Timestamp,
    ) -> Result<(), Error> {
        advance(self.write().await?, registry, expected, size_bytes, at).await
    }

    async fn delete_upload(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        id: &str,
    ) -> Result<(), Error> {
        delete(self.write().await?, registry, repository, id).await
    }

    async fn idle_uploads(
        &self,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<(RegistryId, Upload)>, Error> {
        idle(&mut *self.reader().await?, before, limit).await
    }
}

const RECORD: &str = "upload";

/// A row of the table.
#[derive(sqlx::FromRow)]
struct UploadRow {
    account: String,
    region: String,
    repository: String,
    id: String,
    size_bytes: i64,
    origin: String,
    started_at: i64,
    moved_at: i64,
}

pub(super) async fn create(
    mut write: Write,
    registry: &RegistryId,
    upload: &Upload,
    limit: Option<u32>,
) -> Result<(), Error> {
    if let Some(limit) = limit {
        let count: i64 = sqlx::query_scalar(COUNT)
            .bind(registry.account.as_str())
            .bind(registry.region.as_str())
            .fetch_one(write.connection())
            .await?;
        if count >= i64::from(limit) {
            return Err(Error::LimitExceeded { limit });
        }
    }
    let inserted = sqlx::query(INSERT)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(upload.repository.as_str())
        .bind(&upload.id)
        .bind(upload.size_bytes.cast_signed())
        .bind(stored::to_json(&upload.origin))
        .bind(upload.started_at.0)
        .bind(upload.moved_at.0)
        .execute(write.connection())
        .await?;
    if inserted.rows_affected() == 0 {
        return Err(Error::AlreadyExists);
    }
    write.commit().await
}

pub(super) async fn find(
    connection: &mut SqliteConnection,
    registry: &RegistryId,
    repository: &RepositoryName,
    id: &str,
) -> Result<Upload, Error> {
    let row: Option<UploadRow> = sqlx::query_as(FIND)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(repository.as_str())
        .bind(id)
        .fetch_optional(connection)
        .await?;
    Ok(row.ok_or(Error::NotFound)?.into_upload()?.1)
}

pub(super) async fn advance(
    mut write: Write,
    registry: &RegistryId,
    expected: &Upload,
    size_bytes: u64,
    at: Timestamp,
) -> Result<(), Error> {
    let updated = sqlx::query(ADVANCE)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(expected.repository.as_str())
        .bind(&expected.id)
        .bind(expected.size_bytes.cast_signed())
        .bind(size_bytes.cast_signed())
        .bind(at.0)
        .execute(write.connection())
        .await?;
    if updated.rows_affected() == 0 {
        return Err(Error::NotFound);
    }
    write.commit().await
}

pub(super) async fn delete(
    mut write: Write,
    registry: &RegistryId,
    repository: &RepositoryName,
    id: &str,
) -> Result<(), Error> {
    let deleted = sqlx::query(DELETE)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(repository.as_str())
        .bind(id)
        .execute(write.connection())
        .await?;
    if deleted.rows_affected() == 0 {
        return Err(Error::NotFound);
    }
    write.commit().await
}

pub(super) async fn idle(
    connection: &mut SqliteConnection,
    before: Timestamp,
    limit: usize,
) -> Result<Vec<(RegistryId, Upload)>, Error> {
    let rows: Vec<UploadRow> = sqlx::query_as(IDLE)
        .bind(before.0)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(UploadRow::into_upload).collect()
}

impl UploadRow {
    fn into_upload(self) -> Result<(RegistryId, Upload), Error> {
        let registry = stored::registry(&self.account, &self.region, RECORD)?;
        let upload = Upload {
            id: self.id,
            repository: stored::repository_name(&self.repository, RECORD)?,
            size_bytes: self.size_bytes.cast_unsigned(),
            origin: stored::from_json(&self.origin, RECORD)?,
            started_at: Timestamp(self.started_at),
            moved_at: Timestamp(self.moved_at),
        };
        Ok((registry, upload))
    }
}
