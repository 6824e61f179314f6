//! The `changes` table.
//!
//! Revisions have no gaps: one writer at a time numbers them, and a rollback takes the number back.

use oci::RepositoryName;
use sqlx::SqliteConnection;

use crate::{
    CHANGES_KEPT, Change, Changes, Error, RegistryId, Revision,
    stored::{self, corrupt},
};

statements! {
    INSERT = "INSERT INTO changes (account, region, kind, repository, name) \
        VALUES ($1, $2, $3, $4, $5) RETURNING revision";
    PRUNE = "DELETE FROM changes WHERE revision <= $1";
    OLDEST = "SELECT revision FROM changes ORDER BY revision LIMIT 1";
    NEWEST = "SELECT revision FROM changes ORDER BY revision DESC LIMIT 1";
    AFTER = "SELECT account, region, kind, repository, name FROM changes WHERE revision > $1 \
        ORDER BY revision";
}

const RECORD: &str = "change";

/// A row of the table.
#[derive(sqlx::FromRow)]
struct ChangeRow {
    account: String,
    region: String,
    kind: String,
    repository: Option<String>,
    name: Option<String>,
}

/// A row is of no kind this program knows, or lacks what its kind needs.
#[derive(Debug, thiserror::Error)]
#[error("a change of kind '{kind}' with fields missing, or of a kind unknown")]
struct UnknownChange {
    kind: String,
}

/// Adds a change and returns its revision.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    change: &Change,
) -> Result<i64, Error> {
    let (registry, kind, repository, name) = columns(change);
    let revision = sqlx::query_scalar(INSERT)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(kind)
        .bind(repository.map(RepositoryName::as_str))
        .bind(name)
        .fetch_one(connection)
        .await?;
    Ok(revision)
}

/// Deletes what is too old, seen from the newest revision.
pub(super) async fn prune(connection: &mut SqliteConnection, newest: i64) -> Result<(), Error> {
    let too_old = newest.saturating_sub_unsigned(CHANGES_KEPT);
    sqlx::query(PRUNE).bind(too_old).execute(connection).await?;
    Ok(())
}

/// Returns what changed after `since`.
pub(super) async fn since(
    connection: &mut SqliteConnection,
    since: Revision,
) -> Result<Changes, Error> {
    let oldest: Option<i64> = sqlx::query_scalar(OLDEST).fetch_optional(&mut *connection).await?;
    let newest: Option<i64> = sqlx::query_scalar(NEWEST).fetch_optional(&mut *connection).await?;
    let newest = newest.unwrap_or(0);
    let revision = Revision(newest.cast_unsigned());
    // A revision ahead of this history is one of another history, such as that of the store from
    // before a backup was restored.
    let known = i64::try_from(since.0)
        .ok()
        .filter(|since| *since <= newest && since.saturating_add(1) >= oldest.unwrap_or(0));
    let Some(since) = known else { return Ok(Changes { revision, changes: None }) };
    let rows: Vec<ChangeRow> =
        sqlx::query_as(AFTER).bind(since).fetch_all(&mut *connection).await?;
    let changes = rows.into_iter().map(ChangeRow::into_change).collect::<Result<_, _>>()?;
    Ok(Changes { revision, changes: Some(changes) })
}

/// Returns a change as the columns of its row: registry, kind, repository, name.
fn columns(change: &Change) -> (&RegistryId, &'static str, Option<&RepositoryName>, Option<&str>) {
    match change {
        Change::Rules(registry) => (registry, "rules", None, None),
        Change::Secret(registry, name) => (registry, "secret", None, Some(name)),
        Change::Role(registry, name) => (registry, "role", None, Some(name)),
        Change::Repository(registry, repository) => {
            (registry, "repository", Some(repository), None)
        }
        Change::RepositoryDeleted(registry, repository) => {
            (registry, "repository_deleted", Some(repository), None)
        }
        Change::Tag(registry, repository, tag) => {
            (registry, "tag", Some(repository), Some(tag.as_str()))
        }
        Change::Manifest(registry, repository, digest) => {
            (registry, "manifest", Some(repository), Some(digest.as_str()))
        }
        Change::Link(registry, repository, digest) => {
            (registry, "link", Some(repository), Some(digest.as_str()))
        }
    }
}

impl ChangeRow {
    fn into_change(self) -> Result<Change, Error> {
        let registry = stored::registry(&self.account, &self.region, RECORD)?;
        let repository = self.repository.as_deref();
        let repository =
            repository.map(|name| stored::repository_name(name, RECORD)).transpose()?;
        let change = match (self.kind.as_str(), repository, self.name) {
            ("rules", None, None) => Change::Rules(registry),
            ("secret", None, Some(name)) => Change::Secret(registry, name),
            ("role", None, Some(name)) => Change::Role(registry, name),
            ("repository", Some(repository), None) => Change::Repository(registry, repository),
            ("repository_deleted", Some(repository), None) => {
                Change::RepositoryDeleted(registry, repository)
            }
            ("tag", Some(repository), Some(tag)) => {
                Change::Tag(registry, repository, stored::tag(&tag, RECORD)?)
            }
            ("manifest", Some(repository), Some(digest)) => {
                Change::Manifest(registry, repository, stored::digest(&digest, RECORD)?)
            }
            ("link", Some(repository), Some(digest)) => {
                Change::Link(registry, repository, stored::digest(&digest, RECORD)?)
            }
            _ => return Err(corrupt(RECORD)(UnknownChange { kind: self.kind })),
        };
        Ok(change)
    }
}
