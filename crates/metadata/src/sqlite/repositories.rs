//! The tables `repositories` and `repository_settings`.

use async_trait::async_trait;
use oci::RepositoryName;
use sqlx::SqliteConnection;

use super::{SqliteMetadata, Write, manifests, removal};
use crate::{
    Change, Error, Origin, Page, PageRequest, RegistryId, Repository, RepositorySettings,
    RepositoryStore, Timestamp, stored,
};

statements! {
    INSERT = "INSERT INTO repositories (account, region, name, created_at, origin) \
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    COUNT = "SELECT COUNT(*) FROM repositories WHERE account = $1 AND region = $2";
    FIND = "SELECT held.name, held.created_at, held.origin, added.settings \
        FROM repositories AS held LEFT JOIN repository_settings AS added \
        ON added.account = held.account AND added.region = held.region \
        AND added.repository = held.name \
        WHERE held.account = $1 AND held.region = $2 AND held.name = $3";
    LIST = "SELECT held.name, held.created_at, held.origin, added.settings \
        FROM repositories AS held LEFT JOIN repository_settings AS added \
        ON added.account = held.account AND added.region = held.region \
        AND added.repository = held.name \
        WHERE held.account = $1 AND held.region = $2 AND held.name > $3 \
        ORDER BY held.name LIMIT $4";
    SET = "INSERT INTO repository_settings (account, region, repository, settings) \
        VALUES ($1, $2, $3, $4) \
        ON CONFLICT (account, region, repository) DO UPDATE SET settings = excluded.settings";
    UNSET = "DELETE FROM repository_settings \
        WHERE account = $1 AND region = $2 AND repository = $3";
    DELETE_TAGS = "DELETE FROM tags WHERE account = $1 AND region = $2 AND repository = $3";
    DELETE_LINKS = "DELETE FROM links WHERE account = $1 AND region = $2 AND repository = $3";
    DELETE = "DELETE FROM repositories WHERE account = $1 AND region = $2 AND name = $3";
}

#[async_trait]
impl RepositoryStore for SqliteMetadata {
    async fn create_repository(
        &self,
        registry: &RegistryId,
        repository: &Repository,
        limit: Option<u32>,
    ) -> Result<(), Error> {
        create(self.write().await?, registry, repository, limit).await
    }

    async fn delete_repository(
        &self,
        registry: &RegistryId,
        name: &RepositoryName,
        force: bool,
    ) -> Result<Repository, Error> {
        delete(self.write().await?, registry, name, force).await
    }

    async fn replace_repository_settings(
        &self,
        registry: &RegistryId,
        name: &RepositoryName,
        expected: &RepositorySettings,
        settings: &RepositorySettings,
    ) -> Result<(), Error> {
        let write = self.write().await?;
        replace_settings(write, registry, name, expected, settings).await
    }

    async fn repository(
        &self,
        registry: &RegistryId,
        name: &RepositoryName,
    ) -> Result<Repository, Error> {
        find(&mut *self.reader().await?, registry, name).await
    }

    async fn repositories(
        &self,
        registry: &RegistryId,
        page: &PageRequest,
    ) -> Result<Page<Repository>, Error> {
        list(&mut *self.reader().await?, registry, page).await
    }
}

const RECORD: &str = "repository";

/// What a repository is to be where it is missing.
#[derive(Clone, Copy)]
pub(super) struct Missing<'a> {
    pub(super) name: &'a RepositoryName,
    pub(super) created_at: Timestamp,
    pub(super) origin: &'a Origin,
    pub(super) settings: &'a RepositorySettings,
}

/// A row of the table.
#[derive(sqlx::FromRow)]
struct RepositoryRow {
    name: String,
    created_at: i64,
    origin: String,
    settings: Option<String>,
}

/// Creates a repository where it is missing; tells whether it was.
pub(super) async fn ensure(
    write: &mut Write,
    registry: &RegistryId,
    missing: Missing<'_>,
) -> Result<bool, Error> {
    let Missing { name, created_at, origin, settings } = missing;
    let inserted = sqlx::query(INSERT)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(name.as_str())
        .bind(created_at.0)
        .bind(stored::to_json(origin))
        .execute(write.connection())
        .await?;
    if inserted.rows_affected() == 0 {
        return Ok(false);
    }
    if *settings != RepositorySettings::default() {
        set(write, registry, name, settings).await?;
    }
    write.record(&Change::Repository(registry.clone(), name.clone())).await?;
    Ok(true)
}

pub(super) async fn create(
    mut write: Write,
    registry: &RegistryId,
    repository: &Repository,
    limit: Option<u32>,
) -> Result<(), Error> {
    let Repository { name, created_at, origin, settings } = repository;
    let missing = Missing { name, created_at: *created_at, origin, settings };
    if !ensure(&mut write, registry, missing).await? {
        return Err(Error::AlreadyExists);
    }
    if let Some(limit) = limit {
        let count: i64 = sqlx::query_scalar(COUNT)
            .bind(registry.account.as_str())
            .bind(registry.region.as_str())
            .fetch_one(write.connection())
            .await?;
        if count > i64::from(limit) {
            return Err(Error::LimitExceeded { limit });
        }
    }
    write.commit().await
}

pub(super) async fn delete(
    mut write: Write,
    registry: &RegistryId,
    name: &RepositoryName,
    force: bool,
) -> Result<Repository, Error> {
    let repository = find(write.connection(), registry, name).await?;
    let is_empty = manifests::is_empty(write.connection(), registry, name).await?;
    if !force && !is_empty {
        return Err(Error::NotEmpty);
    }
    delete_of(&mut write, registry, name, DELETE_TAGS).await?;
    removal::remove_manifests(&mut write, registry, name).await?;
    delete_of(&mut write, registry, name, DELETE_LINKS).await?;
    delete_of(&mut write, registry, name, DELETE).await?;
    write.record(&Change::RepositoryDeleted(registry.clone(), name.clone())).await?;
    write.commit().await?;
    Ok(repository)
}

pub(super) async fn replace_settings(
    mut write: Write,
    registry: &RegistryId,
    name: &RepositoryName,
    expected: &RepositorySettings,
    settings: &RepositorySettings,
) -> Result<(), Error> {
    let held = find(write.connection(), registry, name).await?;
    if held.settings != *expected {
        return Err(Error::NotFound);
    }
    if *settings == RepositorySettings::default() {
        delete_of(&mut write, registry, name, UNSET).await?;
    } else {
        set(&mut write, registry, name, settings).await?;
    }
    write.record(&Change::Repository(registry.clone(), name.clone())).await?;
    write.commit().await
}

async fn set(
    write: &mut Write,
    registry: &RegistryId,
    name: &RepositoryName,
    settings: &RepositorySettings,
) -> Result<(), Error> {
    sqlx::query(SET)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(name.as_str())
        .bind(stored::to_json(settings))
        .execute(write.connection())
        .await?;
    Ok(())
}

/// Deletes what a statement says of a repository.
async fn delete_of(
    write: &mut Write,
    registry: &RegistryId,
    name: &RepositoryName,
    statement: &'static str,
) -> Result<(), Error> {
    sqlx::query(statement)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(name.as_str())
        .execute(write.connection())
        .await?;
    Ok(())
}

pub(super) async fn find(
    connection: &mut SqliteConnection,
    registry: &RegistryId,
    name: &RepositoryName,
) -> Result<Repository, Error> {
    let row: Option<RepositoryRow> = sqlx::query_as(FIND)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(name.as_str())
        .fetch_optional(connection)
        .await?;
    row.ok_or(Error::NotFound)?.into_repository()
}

pub(super) async fn list(
    connection: &mut SqliteConnection,
    registry: &RegistryId,
    page: &PageRequest,
) -> Result<Page<Repository>, Error> {
    let rows: Vec<RepositoryRow> = sqlx::query_as(LIST)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(page.start())
        .bind(page.rows())
        .fetch_all(connection)
        .await?;
    let repositories = rows.into_iter().map(RepositoryRow::into_repository);
    let repositories = repositories.collect::<Result<Vec<_>, _>>()?;
    Ok(Page::take(page, repositories, |repository| repository.name.as_str()))
}

impl RepositoryRow {
    fn into_repository(self) -> Result<Repository, Error> {
        let settings = self.settings.as_deref();
        let settings = settings.map(|json| stored::from_json(json, RECORD)).transpose()?;
        Ok(Repository {
            name: stored::repository_name(&self.name, RECORD)?,
            created_at: Timestamp(self.created_at),
            origin: stored::from_json(&self.origin, RECORD)?,
            settings: settings.unwrap_or_default(),
        })
    }
}
