//! The `templates` table.

use async_trait::async_trait;
use sqlx::SqliteConnection;

use super::{SqliteMetadata, Write};
use crate::{
    Error, RegistryId, Template, TemplatePrefix, TemplateStore, Timestamp,
    stored::{self, corrupt},
};

statements! {
    INSERT = "INSERT INTO templates (account, region, prefix_key, prefix, description, \
        applied_for, settings, custom_role_arn, created_at, updated_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING";
    COUNT = "SELECT COUNT(*) FROM templates WHERE account = $1 AND region = $2";
    FIND = "SELECT * FROM templates WHERE account = $1 AND region = $2 AND prefix_key = $3";
    LIST = "SELECT * FROM templates WHERE account = $1 AND region = $2 ORDER BY prefix_key";
    DELETE = "DELETE FROM templates WHERE account = $1 AND region = $2 AND prefix_key = $3 \
        RETURNING *";
}

#[async_trait]
impl TemplateStore for SqliteMetadata {
    async fn create_template(
        &self,
        registry: &RegistryId,
        template: &Template,
        limit: Option<u32>,
    ) -> Result<(), Error> {
        create(self.write().await?, registry, template, limit).await
    }

    async fn templates(&self, registry: &RegistryId) -> Result<Vec<Template>, Error> {
        list(&mut *self.reader().await?, registry).await
    }

    async fn replace_template(
        &self,
        registry: &RegistryId,
        expected: &Template,
        template: &Template,
    ) -> Result<(), Error> {
        replace(self.write().await?, registry, expected, template).await
    }

    async fn delete_template(
        &self,
        registry: &RegistryId,
        prefix_key: &str,
    ) -> Result<Template, Error> {
        delete(self.write().await?, registry, prefix_key).await
    }
}

const RECORD: &str = "template";

/// A row of the table.
#[derive(sqlx::FromRow)]
struct TemplateRow {
    prefix: String,
    description: Option<String>,
    applied_for: String,
    settings: String,
    custom_role_arn: Option<String>,
    created_at: i64,
    updated_at: i64,
}

pub(super) async fn create(
    mut write: Write,
    registry: &RegistryId,
    template: &Template,
    limit: Option<u32>,
) -> Result<(), Error> {
    if !insert(&mut write, registry, template).await? {
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

/// Adds a template; false where one has its prefix key.
async fn insert(
    write: &mut Write,
    registry: &RegistryId,
    template: &Template,
) -> Result<bool, Error> {
    let inserted = sqlx::query(INSERT)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(template.prefix.key())
        .bind(template.prefix.as_str())
        .bind(&template.description)
        .bind(stored::to_json(&template.applied_for))
        .bind(stored::to_json(&template.settings))
        .bind(&template.custom_role_arn)
        .bind(template.created_at.0)
        .bind(template.updated_at.0)
        .execute(write.connection())
        .await?;
    Ok(inserted.rows_affected() == 1)
}

pub(super) async fn list(
    connection: &mut SqliteConnection,
    registry: &RegistryId,
) -> Result<Vec<Template>, Error> {
    let rows: Vec<TemplateRow> = sqlx::query_as(LIST)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(TemplateRow::into_template).collect()
}

pub(super) async fn replace(
    mut write: Write,
    registry: &RegistryId,
    expected: &Template,
    template: &Template,
) -> Result<(), Error> {
    let held: Option<TemplateRow> = sqlx::query_as(FIND)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(expected.prefix.key())
        .fetch_optional(write.connection())
        .await?;
    let held = held.map(TemplateRow::into_template).transpose()?;
    if held.as_ref() != Some(expected) {
        return Err(Error::NotFound);
    }
    remove(&mut write, registry, expected.prefix.key()).await?;
    let template = Template { prefix: expected.prefix.clone(), ..template.clone() };
    insert(&mut write, registry, &template).await?;
    write.commit().await
}

pub(super) async fn delete(
    mut write: Write,
    registry: &RegistryId,
    prefix_key: &str,
) -> Result<Template, Error> {
    let deleted = remove(&mut write, registry, prefix_key).await?.into_template()?;
    write.commit().await?;
    Ok(deleted)
}

async fn remove(
    write: &mut Write,
    registry: &RegistryId,
    prefix_key: &str,
) -> Result<TemplateRow, Error> {
    let row: Option<TemplateRow> = sqlx::query_as(DELETE)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(prefix_key)
        .fetch_optional(write.connection())
        .await?;
    row.ok_or(Error::NotFound)
}

impl TemplateRow {
    fn into_template(self) -> Result<Template, Error> {
        Ok(Template {
            prefix: TemplatePrefix::parse(&self.prefix).map_err(corrupt(RECORD))?,
            description: self.description,
            applied_for: stored::from_json(&self.applied_for, RECORD)?,
            settings: stored::from_json(&self.settings, RECORD)?,
            custom_role_arn: self.custom_role_arn,
            created_at: Timestamp(self.created_at),
            updated_at: Timestamp(self.updated_at),
        })
    }
}
