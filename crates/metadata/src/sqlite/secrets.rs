//! The tables `secrets` and `secret_versions`.

use async_trait::async_trait;
use sqlx::SqliteConnection;

use super::{SqliteMetadata, Write};
use crate::{
    Change, Error, NewSecret, Page, PageRequest, RegistryId, Secret, SecretId, SecretStore,
    SecretVersion, Timestamp, stored,
};

statements! {
    INSERT = "INSERT INTO secrets (account, region, name, arn_suffix, description, kms_key_id, \
        tags, created_at, changed_at, delete_after, deleted_at, resource_policy) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    INSERT_VERSION = "INSERT INTO secret_versions (account, region, name, position, version_id, \
        stages, sealed_value, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    FIND = "SELECT * FROM secrets WHERE account = $1 AND region = $2 AND name = $3";
    LIST = "SELECT * FROM secrets WHERE account = $1 AND region = $2 AND name > $3 \
        AND (delete_after IS NULL OR delete_after > $5) ORDER BY name LIMIT $4";
    VERSIONS = "SELECT * FROM secret_versions WHERE account = $1 AND region = $2 \
        AND name >= $3 AND name <= $4 ORDER BY name, position";
    DELETE = "DELETE FROM secrets WHERE account = $1 AND region = $2 AND name = $3";
    GONE = "SELECT account, region, name FROM secrets WHERE delete_after <= $1";
    PURGE = "DELETE FROM secrets WHERE delete_after <= $1";
}

#[async_trait]
impl SecretStore for SqliteMetadata {
    async fn create_secret(&self, registry: &RegistryId, secret: &NewSecret) -> Result<(), Error> {
        create(self.write().await?, registry, secret).await
    }

    async fn secret(
        &self,
        registry: &RegistryId,
        id: &SecretId,
        now: Timestamp,
    ) -> Result<Secret, Error> {
        find(&mut *self.snapshot().await?, registry, id, now).await
    }

    async fn replace_secret(
        &self,
        registry: &RegistryId,
        expected: &Secret,
        secret: &Secret,
    ) -> Result<(), Error> {
        replace(self.write().await?, registry, expected, secret).await
    }

    async fn delete_secret(&self, registry: &RegistryId, name: &str) -> Result<(), Error> {
        delete(self.write().await?, registry, name).await
    }

    async fn secrets(
        &self,
        registry: &RegistryId,
        page: &PageRequest,
        now: Timestamp,
    ) -> Result<Page<Secret>, Error> {
        list(&mut *self.snapshot().await?, registry, page, now).await
    }

    async fn purge_secrets(&self, now: Timestamp) -> Result<u64, Error> {
        purge(self.write().await?, now).await
    }
}

const RECORD: &str = "secret";

/// A row of `secrets`.
#[derive(sqlx::FromRow)]
struct SecretRow {
    name: String,
    arn_suffix: String,
    description: Option<String>,
    kms_key_id: Option<String>,
    tags: String,
    created_at: i64,
    changed_at: i64,
    delete_after: Option<i64>,
    deleted_at: Option<i64>,
    resource_policy: Option<String>,
}

/// A row of `secret_versions`.
#[derive(sqlx::FromRow)]
struct VersionRow {
    name: String,
    version_id: String,
    stages: String,
    sealed_value: Vec<u8>,
    created_at: i64,
}

pub(super) async fn create(
    mut write: Write,
    registry: &RegistryId,
    new: &NewSecret,
) -> Result<(), Error> {
    let secret = &new.secret;
    if let Some(held) = read(write.connection(), registry, &secret.name).await? {
        if !held.is_gone(secret.created_at) {
            return Err(Error::AlreadyExists);
        }
        remove(&mut write, registry, &secret.name).await?;
    }
    insert(&mut write, registry, secret).await?;
    write.record(&Change::Secret(registry.clone(), secret.name.clone())).await?;
    write.commit().await
}

pub(super) async fn find(
    connection: &mut SqliteConnection,
    registry: &RegistryId,
    id: &SecretId,
    now: Timestamp,
) -> Result<Secret, Error> {
    let (name, suffix) = match id {
        SecretId::Name(name) => (name, None),
        SecretId::NameAndSuffix(name, suffix) => (name, Some(suffix)),
    };
    read(connection, registry, name)
        .await?
        .filter(|secret| suffix.is_none_or(|suffix| *suffix == secret.arn_suffix))
        .filter(|secret| !secret.is_gone(now))
        .ok_or(Error::NotFound)
}

pub(super) async fn replace(
    mut write: Write,
    registry: &RegistryId,
    expected: &Secret,
    secret: &Secret,
) -> Result<(), Error> {
    let held = read(write.connection(), registry, &expected.name).await?;
    if held.as_ref() != Some(expected) {
        return Err(Error::NotFound);
    }
    remove(&mut write, registry, &expected.name).await?;
    let secret = Secret { name: expected.name.clone(), ..secret.clone() };
    insert(&mut write, registry, &secret).await?;
    write.record(&Change::Secret(registry.clone(), secret.name)).await?;
    write.commit().await
}

pub(super) async fn delete(
    mut write: Write,
    registry: &RegistryId,
    name: &str,
) -> Result<(), Error> {
    remove(&mut write, registry, name).await?;
    write.record(&Change::Secret(registry.clone(), name.to_owned())).await?;
    write.commit().await
}

/// Asks before it deletes, so that nothing is written where nothing is gone.
pub(super) async fn purge(mut write: Write, now: Timestamp) -> Result<u64, Error> {
    let gone: Vec<(String, String, String)> =
        sqlx::query_as(GONE).bind(now.0).fetch_all(write.connection()).await?;
    if gone.is_empty() {
        return Ok(0);
    }
    sqlx::query(PURGE).bind(now.0).execute(write.connection()).await?;
    for (account, region, name) in &gone {
        let registry = stored::registry(account, region, RECORD)?;
        write.record(&Change::Secret(registry, name.clone())).await?;
    }
    write.commit().await?;
    Ok(gone.len() as u64)
}

pub(super) async fn list(
    connection: &mut SqliteConnection,
    registry: &RegistryId,
    page: &PageRequest,
    now: Timestamp,
) -> Result<Page<Secret>, Error> {
    let rows: Vec<SecretRow> = sqlx::query_as(LIST)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(page.start())
        .bind(page.rows())
        .bind(now.0)
        .fetch_all(&mut *connection)
        .await?;
    let secrets = rows.into_iter().map(SecretRow::into_secret).collect::<Result<Vec<_>, _>>()?;
    let mut secrets = Page::take(page, secrets, |secret| &secret.name);
    let (Some(first), Some(last)) = (secrets.items.first(), secrets.items.last()) else {
        return Ok(secrets);
    };
    let versions = versions(connection, registry, &first.name, &last.name).await?;
    // Both are in order of name; versions of secrets that are gone lie between.
    let mut versions = versions.into_iter().peekable();
    for secret in &mut secrets.items {
        while versions.next_if(|(name, _)| *name < secret.name).is_some() {}
        while let Some((_, version)) = versions.next_if(|(name, _)| *name == secret.name) {
            secret.versions.push(version);
        }
    }
    Ok(secrets)
}

/// Returns a secret, gone or not, with its versions.
async fn read(
    connection: &mut SqliteConnection,
    registry: &RegistryId,
    name: &str,
) -> Result<Option<Secret>, Error> {
    let row: Option<SecretRow> = sqlx::query_as(FIND)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(name)
        .fetch_optional(&mut *connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let versions = versions(connection, registry, name, name).await?;
    let versions = versions.into_iter().map(|(_, version)| version).collect();
    Ok(Some(Secret { versions, ..row.into_secret()? }))
}

/// Returns the versions of all secrets from one name to another, by name, oldest first.
async fn versions(
    connection: &mut SqliteConnection,
    registry: &RegistryId,
    first: &str,
    last: &str,
) -> Result<Vec<(String, SecretVersion)>, Error> {
    let rows: Vec<VersionRow> = sqlx::query_as(VERSIONS)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(first)
        .bind(last)
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(VersionRow::into_version).collect()
}

async fn insert(write: &mut Write, registry: &RegistryId, secret: &Secret) -> Result<(), Error> {
    sqlx::query(INSERT)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(&secret.name)
        .bind(&secret.arn_suffix)
        .bind(&secret.description)
        .bind(&secret.kms_key_id)
        .bind(stored::to_json(&secret.tags))
        .bind(secret.created_at.0)
        .bind(secret.changed_at.0)
        .bind(secret.delete_after.map(|at| at.0))
        .bind(secret.deleted_at.map(|at| at.0))
        .bind(&secret.resource_policy)
        .execute(write.connection())
        .await?;
    for (position, version) in (0_i64..).zip(&secret.versions) {
        sqlx::query(INSERT_VERSION)
            .bind(registry.account.as_str())
            .bind(registry.region.as_str())
            .bind(&secret.name)
            .bind(position)
            .bind(&version.version_id)
            .bind(stored::to_json(&version.stages))
            .bind(&version.sealed_value)
            .bind(version.created_at.0)
            .execute(write.connection())
            .await?;
    }
    Ok(())
}

/// Deletes a secret; its versions go with it.
async fn remove(write: &mut Write, registry: &RegistryId, name: &str) -> Result<(), Error> {
    let deleted = sqlx::query(DELETE)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(name)
        .execute(write.connection())
        .await?;
    if deleted.rows_affected() == 0 { Err(Error::NotFound) } else { Ok(()) }
}

impl SecretRow {
    /// Returns the secret, its versions still missing.
    fn into_secret(self) -> Result<Secret, Error> {
        Ok(Secret {
            tags: stored::from_json(&self.tags, RECORD)?,
            name: self.name,
            arn_suffix: self.arn_suffix,
            description: self.description,
            kms_key_id: self.kms_key_id,
            resource_policy: self.resource_policy,
            created_at: Timestamp(self.created_at),
            changed_at: Timestamp(self.changed_at),
            delete_after: self.delete_after.map(Timestamp),
            deleted_at: self.deleted_at.map(Timestamp),
            versions: Vec::new(),
        })
    }
}

impl VersionRow {
    /// Returns the version with the name of its secret.
    fn into_version(self) -> Result<(String, SecretVersion), Error> {
        let version = SecretVersion {
            version_id: self.version_id,
            stages: stored::from_json(&self.stages, RECORD)?,
            sealed_value: self.sealed_value,
            created_at: Timestamp(self.created_at),
        };
        Ok((self.name, version))
    }
}
