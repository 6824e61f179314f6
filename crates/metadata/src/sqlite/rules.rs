//! The `rules` table.

use async_trait::async_trait;
use sqlx::SqliteConnection;

use super::{SqliteMetadata, Write};
use crate::{
    Change, EcrRepositoryPrefix, Error, RegistryId, Rule, RuleCredentials, RulePolicy, RuleStore,
    Timestamp,
    stored::{self, corrupt},
};

statements! {
    INSERT = "INSERT INTO rules (account, region, prefix_key, ecr_repository_prefix, \
        upstream_registry_url, upstream_registry, upstream_repository_prefix, credential_arn, \
        custom_role_arn, created_at, updated_at, policy) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING";
    COUNT = "SELECT COUNT(*) FROM rules WHERE account = $1 AND region = $2";
    LIST = "SELECT * FROM rules WHERE account = $1 AND region = $2 ORDER BY prefix_key";
    GET = "SELECT * FROM rules WHERE account = $1 AND region = $2 AND prefix_key = $3";
    NEXT_REGISTRY = "SELECT account, region FROM rules WHERE (account, region) > ($1, $2) \
        ORDER BY account, region LIMIT 1";
    UPDATE = "UPDATE rules SET credential_arn = COALESCE($4, credential_arn), \
        custom_role_arn = COALESCE($5, custom_role_arn), updated_at = $6 \
        WHERE account = $1 AND region = $2 AND prefix_key = $3 RETURNING *";
    SET_POLICY = "UPDATE rules SET policy = $4 \
        WHERE account = $1 AND region = $2 AND prefix_key = $3 RETURNING *";
    DELETE = "DELETE FROM rules WHERE account = $1 AND region = $2 AND prefix_key = $3 \
        RETURNING *";
}

#[async_trait]
impl RuleStore for SqliteMetadata {
    async fn create_rule(
        &self,
        registry: &RegistryId,
        rule: &Rule,
        limit: Option<u32>,
    ) -> Result<(), Error> {
        create(self.write().await?, registry, rule, limit).await
    }

    async fn rules(&self, registry: &RegistryId) -> Result<Vec<Rule>, Error> {
        list(&mut *self.reader().await?, registry).await
    }

    async fn registries_with_rules(&self) -> Result<Vec<RegistryId>, Error> {
        registries(&mut *self.snapshot().await?).await
    }

    async fn update_rule(
        &self,
        registry: &RegistryId,
        prefix_key: &str,
        credentials: &RuleCredentials,
        at: Timestamp,
    ) -> Result<Rule, Error> {
        update(self.write().await?, registry, prefix_key, credentials, at).await
    }

    async fn set_rule_policy(
        &self,
        registry: &RegistryId,
        prefix_key: &str,
        expected: Option<&RulePolicy>,
        policy: Option<&RulePolicy>,
    ) -> Result<Rule, Error> {
        set_policy(self.write().await?, registry, prefix_key, expected, policy).await
    }

    async fn delete_rule(&self, registry: &RegistryId, prefix_key: &str) -> Result<Rule, Error> {
        delete(self.write().await?, registry, prefix_key).await
    }
}

const RECORD: &str = "rule";

/// A row of the table.
#[derive(sqlx::FromRow)]
struct RuleRow {
    ecr_repository_prefix: String,
    upstream_registry_url: String,
    upstream_registry: Option<String>,
    upstream_repository_prefix: Option<String>,
    credential_arn: Option<String>,
    custom_role_arn: Option<String>,
    created_at: i64,
    updated_at: i64,
    policy: Option<String>,
}

pub(super) async fn create(
    mut write: Write,
    registry: &RegistryId,
    rule: &Rule,
    limit: Option<u32>,
) -> Result<(), Error> {
    let inserted = sqlx::query(INSERT)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(rule.ecr_repository_prefix.key())
        .bind(rule.ecr_repository_prefix.as_str())
        .bind(&rule.upstream_registry_url)
        .bind(&rule.upstream_registry)
        .bind(rule.upstream_repository_prefix.as_ref().map(EcrRepositoryPrefix::as_str))
        .bind(&rule.credentials.credential_arn)
        .bind(&rule.credentials.custom_role_arn)
        .bind(rule.created_at.0)
        .bind(rule.updated_at.0)
        .bind(rule.policy.as_ref().map(stored::to_json))
        .execute(write.connection())
        .await?;
    if inserted.rows_affected() == 0 {
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
    write.record(&Change::Rules(registry.clone())).await?;
    write.commit().await
}

pub(super) async fn list(
    connection: &mut SqliteConnection,
    registry: &RegistryId,
) -> Result<Vec<Rule>, Error> {
    let rows: Vec<RuleRow> = sqlx::query_as(LIST)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(RuleRow::into_rule).collect()
}

/// Steps from registry to registry: a `DISTINCT` would read every rule of each.
pub(super) async fn registries(
    connection: &mut SqliteConnection,
) -> Result<Vec<RegistryId>, Error> {
    let mut registries = Vec::new();
    let mut last = (String::new(), String::new());
    loop {
        let next: Option<(String, String)> = sqlx::query_as(NEXT_REGISTRY)
            .bind(&last.0)
            .bind(&last.1)
            .fetch_optional(&mut *connection)
            .await?;
        let Some(next) = next else { return Ok(registries) };
        registries.push(stored::registry(&next.0, &next.1, RECORD)?);
        last = next;
    }
}

pub(super) async fn update(
    mut write: Write,
    registry: &RegistryId,
    prefix_key: &str,
    credentials: &RuleCredentials,
    at: Timestamp,
) -> Result<Rule, Error> {
    let row: Option<RuleRow> = sqlx::query_as(UPDATE)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(prefix_key)
        .bind(&credentials.credential_arn)
        .bind(&credentials.custom_role_arn)
        .bind(at.0)
        .fetch_optional(write.connection())
        .await?;
    let rule = row.ok_or(Error::NotFound)?.into_rule()?;
    write.record(&Change::Rules(registry.clone())).await?;
    write.commit().await?;
    Ok(rule)
}

pub(super) async fn set_policy(
    mut write: Write,
    registry: &RegistryId,
    prefix_key: &str,
    expected: Option<&RulePolicy>,
    policy: Option<&RulePolicy>,
) -> Result<Rule, Error> {
    if let Some(expected) = expected {
        let held: Option<RuleRow> = sqlx::query_as(GET)
            .bind(registry.account.as_str())
            .bind(registry.region.as_str())
            .bind(prefix_key)
            .fetch_optional(write.connection())
            .await?;
        if !held.ok_or(Error::NotFound)?.into_rule()?.has_policy(expected) {
            return Err(Error::NotFound);
        }
    }
    let row: Option<RuleRow> = sqlx::query_as(SET_POLICY)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(prefix_key)
        .bind(policy.map(stored::to_json))
        .fetch_optional(write.connection())
        .await?;
    let rule = row.ok_or(Error::NotFound)?.into_rule()?;
    write.record(&Change::Rules(registry.clone())).await?;
    write.commit().await?;
    Ok(rule)
}

pub(super) async fn delete(
    mut write: Write,
    registry: &RegistryId,
    prefix_key: &str,
) -> Result<Rule, Error> {
    let row: Option<RuleRow> = sqlx::query_as(DELETE)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(prefix_key)
        .fetch_optional(write.connection())
        .await?;
    let rule = row.ok_or(Error::NotFound)?.into_rule()?;
    write.record(&Change::Rules(registry.clone())).await?;
    write.commit().await?;
    Ok(rule)
}

impl RuleRow {
    fn into_rule(self) -> Result<Rule, Error> {
        let policy = |json: String| stored::from_json(&json, RECORD);
        let prefix = |text: String| EcrRepositoryPrefix::parse(&text).map_err(corrupt(RECORD));
        Ok(Rule {
            ecr_repository_prefix: prefix(self.ecr_repository_prefix)?,
            upstream_registry_url: self.upstream_registry_url,
            upstream_registry: self.upstream_registry,
            upstream_repository_prefix: self.upstream_repository_prefix.map(prefix).transpose()?,
            credentials: RuleCredentials {
                credential_arn: self.credential_arn,
                custom_role_arn: self.custom_role_arn,
            },
            policy: self.policy.map(policy).transpose()?,
            created_at: Timestamp(self.created_at),
            updated_at: Timestamp(self.updated_at),
        })
    }
}
