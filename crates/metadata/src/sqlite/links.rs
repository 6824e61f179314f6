//! The `links` table.

use async_trait::async_trait;
use oci::{Digest, RepositoryName};
use sqlx::SqliteConnection;

use super::{SqliteMetadata, Write, removal, repositories};
use crate::{Error, Link, LinkStore, NewLink, RegistryId, Timestamp, stored};

statements! {
    INSERT = "INSERT INTO links (account, region, repository, digest, size_bytes, media_type, \
        origin, linked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
        ON CONFLICT DO UPDATE SET linked_at = excluded.linked_at \
        WHERE linked_at < excluded.linked_at";
    FIND = "SELECT size_bytes, media_type, origin, linked_at FROM links \
        WHERE account = $1 AND region = $2 AND repository = $3 AND digest = $4";
    LINKED_IN = "SELECT repository FROM links WHERE account = $1 AND region = $2 AND digest = $3 \
        ORDER BY repository LIMIT $4";
}

#[async_trait]
impl LinkStore for SqliteMetadata {
    async fn record_links(&self, links: &[NewLink]) -> Result<(), Error> {
        record(self.write().await?, links).await
    }

    async fn link(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Link, Error> {
        find(&mut *self.reader().await?, registry, repository, digest).await
    }

    async fn linked_in(
        &self,
        registry: &RegistryId,
        digest: &Digest,
        limit: usize,
    ) -> Result<Vec<RepositoryName>, Error> {
        linked_in(&mut *self.reader().await?, registry, digest, limit).await
    }

    async fn delete_link(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Link, Error> {
        removal::link(self.write().await?, registry, repository, digest).await
    }
}

const RECORD: &str = "link";

/// A row of the table.
#[derive(sqlx::FromRow)]
struct LinkRow {
    size_bytes: i64,
    media_type: Option<String>,
    origin: String,
    linked_at: i64,
}

pub(super) async fn record(mut write: Write, links: &[NewLink]) -> Result<(), Error> {
    for NewLink { registry, repository, link, settings } in links {
        let missing = repositories::Missing {
            name: repository,
            created_at: link.linked_at,
            origin: &link.origin,
            settings,
        };
        repositories::ensure(&mut write, registry, missing).await?;
        sqlx::query(INSERT)
            .bind(registry.account.as_str())
            .bind(registry.region.as_str())
            .bind(repository.as_str())
            .bind(link.digest.as_str())
            .bind(link.size_bytes.cast_signed())
            .bind(&link.media_type)
            .bind(stored::to_json(&link.origin))
            .bind(link.linked_at.0)
            .execute(write.connection())
            .await?;
    }
    write.commit().await
}

async fn linked_in(
    connection: &mut SqliteConnection,
    registry: &RegistryId,
    digest: &Digest,
    limit: usize,
) -> Result<Vec<RepositoryName>, Error> {
    let names: Vec<String> = sqlx::query_scalar(LINKED_IN)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(digest.as_str())
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await?;
    names.iter().map(|name| stored::repository_name(name, RECORD)).collect()
}

pub(super) async fn find(
    connection: &mut SqliteConnection,
    registry: &RegistryId,
    repository: &RepositoryName,
    digest: &Digest,
) -> Result<Link, Error> {
    let row: Option<LinkRow> = sqlx::query_as(FIND)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(repository.as_str())
        .bind(digest.as_str())
        .fetch_optional(connection)
        .await?;
    let row = row.ok_or(Error::NotFound)?;
    Ok(Link {
        digest: digest.clone(),
        size_bytes: row.size_bytes.cast_unsigned(),
        media_type: row.media_type,
        origin: stored::from_json(&row.origin, RECORD)?,
        linked_at: Timestamp(row.linked_at),
    })
}
