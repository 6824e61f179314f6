//! The `tags` table.

use async_trait::async_trait;
use oci::{Digest, RepositoryName, Tag};
use sqlx::SqliteConnection;

use super::{SqliteMetadata, Write, removal, repositories};
use crate::{Change, Error, Page, PageRequest, RegistryId, TagFact, TagStore, Timestamp, stored};

statements! {
    SET = "INSERT INTO tags (account, region, repository, tag, digest, origin, updated_at, \
        checked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
        ON CONFLICT (account, region, repository, tag) DO UPDATE SET digest = excluded.digest, \
        origin = excluded.origin, updated_at = excluded.updated_at, \
        checked_at = excluded.checked_at";
    REFRESH = "UPDATE tags SET checked_at = $6 WHERE account = $1 AND region = $2 \
        AND repository = $3 AND tag = $4 AND digest = $5";
    FIND = "SELECT digest, origin, updated_at, checked_at FROM tags \
        WHERE account = $1 AND region = $2 AND repository = $3 AND tag = $4";
    LIST = "SELECT named.tag FROM tags AS named LEFT JOIN manifests AS held \
        ON held.account = named.account AND held.region = named.region \
        AND held.repository = named.repository AND held.digest = named.digest \
        AND held.archived = 1 \
        WHERE named.account = $1 AND named.region = $2 AND named.repository = $3 \
        AND named.tag COLLATE NOCASE >= $4 AND (named.tag COLLATE NOCASE > $4 OR named.tag > $4) \
        AND held.digest IS NULL ORDER BY named.tag COLLATE NOCASE, named.tag LIMIT $5";
    OF_DIGESTS = "SELECT digest, tag FROM tags WHERE account = $1 AND region = $2 \
        AND repository = $3 AND digest >= $4 AND digest <= $5 ORDER BY digest, tag";
}

#[async_trait]
impl TagStore for SqliteMetadata {
    async fn tag(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        tag: &Tag,
    ) -> Result<TagFact, Error> {
        find(&mut *self.reader().await?, registry, repository, tag).await
    }

    async fn refresh_tag(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        tag: &Tag,
        digest: &Digest,
        checked_at: Timestamp,
    ) -> Result<(), Error> {
        let named = Named { repository, tag, digest };
        refresh(self.write().await?, registry, named, checked_at).await
    }

    async fn tags(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        page: &PageRequest,
    ) -> Result<Page<Tag>, Error> {
        list(&mut *self.snapshot().await?, registry, repository, page).await
    }

    async fn delete_tag(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        tag: &Tag,
    ) -> Result<TagFact, Error> {
        removal::tag(self.write().await?, registry, repository, tag).await
    }
}

const RECORD: &str = "tag";

/// A tag and what it is believed to name.
#[derive(Clone, Copy)]
pub(super) struct Named<'a> {
    pub(super) repository: &'a RepositoryName,
    pub(super) tag: &'a Tag,
    pub(super) digest: &'a Digest,
}

/// A row of the table.
#[derive(sqlx::FromRow)]
struct TagRow {
    digest: String,
    origin: String,
    updated_at: i64,
    checked_at: i64,
}

/// Sets a tag, whether it named something before or not.
pub(super) async fn set(
    write: &mut Write,
    registry: &RegistryId,
    repository: &RepositoryName,
    tag: &Tag,
    fact: &TagFact,
) -> Result<(), Error> {
    sqlx::query(SET)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(repository.as_str())
        .bind(tag.as_str())
        .bind(fact.digest.as_str())
        .bind(stored::to_json(&fact.origin))
        .bind(fact.updated_at.0)
        .bind(fact.checked_at.0)
        .execute(write.connection())
        .await?;
    write.record(&Change::Tag(registry.clone(), repository.clone(), tag.clone())).await
}

pub(super) async fn refresh(
    mut write: Write,
    registry: &RegistryId,
    named: Named<'_>,
    checked_at: Timestamp,
) -> Result<(), Error> {
    let Named { repository, tag, digest } = named;
    let updated = sqlx::query(REFRESH)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(repository.as_str())
        .bind(tag.as_str())
        .bind(digest.as_str())
        .bind(checked_at.0)
        .execute(write.connection())
        .await?;
    if updated.rows_affected() == 0 {
        return Err(Error::NotFound);
    }
    write.record(&Change::Tag(registry.clone(), repository.clone(), tag.clone())).await?;
    write.commit().await
}

pub(super) async fn find(
    connection: &mut SqliteConnection,
    registry: &RegistryId,
    repository: &RepositoryName,
    tag: &Tag,
) -> Result<TagFact, Error> {
    let row: Option<TagRow> = sqlx::query_as(FIND)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(repository.as_str())
        .bind(tag.as_str())
        .fetch_optional(connection)
        .await?;
    let row = row.ok_or(Error::NotFound)?;
    Ok(TagFact {
        digest: stored::digest(&row.digest, RECORD)?,
        origin: stored::from_json(&row.origin, RECORD)?,
        updated_at: Timestamp(row.updated_at),
        checked_at: Timestamp(row.checked_at),
    })
}

/// Returns a page of tags without regard to case.
pub(super) async fn list(
    connection: &mut SqliteConnection,
    registry: &RegistryId,
    repository: &RepositoryName,
    page: &PageRequest,
) -> Result<Page<Tag>, Error> {
    repositories::find(&mut *connection, registry, repository).await?;
    let rows: Vec<String> = sqlx::query_scalar(LIST)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(repository.as_str())
        .bind(page.start())
        .bind(page.rows())
        .fetch_all(connection)
        .await?;
    let tags = rows.iter().map(|tag| stored::tag(tag, RECORD)).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::take(page, tags, |tag| tag.as_str()))
}

/// Returns the tags that name a digest between two (both included), by digest and tag.
pub(super) async fn of_digests(
    connection: &mut SqliteConnection,
    registry: &RegistryId,
    repository: &RepositoryName,
    first: &Digest,
    last: &Digest,
) -> Result<Vec<(Digest, Tag)>, Error> {
    let rows: Vec<(String, String)> = sqlx::query_as(OF_DIGESTS)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(repository.as_str())
        .bind(first.as_str())
        .bind(last.as_str())
        .fetch_all(connection)
        .await?;
    let read = |(digest, tag): (String, String)| {
        Ok((stored::digest(&digest, RECORD)?, stored::tag(&tag, RECORD)?))
    };
    rows.into_iter().map(read).collect()
}
