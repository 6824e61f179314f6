//! The `repositories` table.

use oci::RepositoryName;
use sqlx::SqliteConnection;

use super::Write;
use crate::{Change, Error, Origin, Page, PageRequest, RegistryId, Repository, Timestamp, stored};

statements! {
    INSERT = "INSERT INTO repositories (account, region, name, created_at, origin) \
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    FIND = "SELECT name, created_at, origin FROM repositories \
        WHERE account = $1 AND region = $2 AND name = $3";
    LIST = "SELECT name, created_at, origin FROM repositories \
        WHERE account = $1 AND region = $2 AND name > $3 ORDER BY name LIMIT $4";
}

const RECORD: &str = "repository";

/// A row of the table.
#[derive(sqlx::FromRow)]
struct RepositoryRow {
    name: String,
    created_at: i64,
    origin: String,
}

/// Creates a repository where it is missing.
pub(super) async fn ensure(
    write: &mut Write,
    registry: &RegistryId,
    name: &RepositoryName,
    origin: &Origin,
    created_at: Timestamp,
) -> Result<(), Error> {
    let inserted = sqlx::query(INSERT)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(name.as_str())
        .bind(created_at.0)
        .bind(stored::to_json(origin))
        .execute(write.connection())
        .await?;
    if inserted.rows_affected() == 1 {
        write.record(&Change::Repository(registry.clone(), name.clone())).await?;
    }
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
        Ok(Repository {
            name: stored::repository_name(&self.name, RECORD)?,
            created_at: Timestamp(self.created_at),
            origin: stored::from_json(&self.origin, RECORD)?,
        })
    }
}
