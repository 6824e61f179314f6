//! The `roles` table.

use async_trait::async_trait;
use sqlx::SqliteConnection;

use super::{SqliteMetadata, Write};
use crate::{
    Change, Error, Page, PageRequest, RegistryId, Role, RoleStore, Timestamp,
    stored::{self, corrupt},
};

statements! {
    INSERT = "INSERT INTO roles (account, region, role_key, name, path, role_id, \
        assume_role_policy, description, max_session_secs, permissions_boundary, tags, \
        inline_policies, attached_policies, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
        ON CONFLICT DO NOTHING";
    COUNT = "SELECT COUNT(*) FROM roles WHERE account = $1 AND region = $2";
    FIND = "SELECT * FROM roles WHERE account = $1 AND region = $2 AND role_key = $3";
    LIST = "SELECT * FROM roles WHERE account = $1 AND region = $2 AND role_key > $3 \
        ORDER BY role_key LIMIT $4";
    DELETE = "DELETE FROM roles WHERE account = $1 AND region = $2 AND role_key = $3";
}

#[async_trait]
impl RoleStore for SqliteMetadata {
    async fn create_role(
        &self,
        registry: &RegistryId,
        role: &Role,
        limit: u32,
    ) -> Result<(), Error> {
        create(self.write().await?, registry, role, limit).await
    }

    async fn role(&self, registry: &RegistryId, name: &str) -> Result<Role, Error> {
        find(&mut *self.reader().await?, registry, name).await
    }

    async fn replace_role(
        &self,
        registry: &RegistryId,
        expected: &Role,
        role: &Role,
    ) -> Result<(), Error> {
        replace(self.write().await?, registry, expected, role).await
    }

    async fn delete_role(&self, registry: &RegistryId, expected: &Role) -> Result<(), Error> {
        delete(self.write().await?, registry, expected).await
    }

    async fn roles(&self, registry: &RegistryId, page: &PageRequest) -> Result<Page<Role>, Error> {
        list(&mut *self.reader().await?, registry, page).await
    }
}

const RECORD: &str = "role";

/// A row of the table.
#[derive(sqlx::FromRow)]
struct RoleRow {
    name: String,
    path: String,
    role_id: String,
    assume_role_policy: String,
    description: Option<String>,
    max_session_secs: i64,
    permissions_boundary: Option<String>,
    tags: String,
    inline_policies: String,
    attached_policies: String,
    created_at: i64,
}

pub(super) async fn create(
    mut write: Write,
    registry: &RegistryId,
    role: &Role,
    limit: u32,
) -> Result<(), Error> {
    if !insert(&mut write, registry, role).await? {
        return Err(Error::AlreadyExists);
    }
    let count: i64 = sqlx::query_scalar(COUNT)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .fetch_one(write.connection())
        .await?;
    if count > i64::from(limit) {
        return Err(Error::LimitExceeded { limit });
    }
    write.record(&Change::Role(registry.clone(), role.name.clone())).await?;
    write.commit().await
}

pub(super) async fn find(
    connection: &mut SqliteConnection,
    registry: &RegistryId,
    name: &str,
) -> Result<Role, Error> {
    let found: Option<RoleRow> = sqlx::query_as(FIND)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(Role::key_of(name))
        .fetch_optional(connection)
        .await?;
    found.ok_or(Error::NotFound)?.into_role()
}

pub(super) async fn replace(
    mut write: Write,
    registry: &RegistryId,
    expected: &Role,
    role: &Role,
) -> Result<(), Error> {
    remove(&mut write, registry, expected).await?;
    let role = Role { name: expected.name.clone(), ..role.clone() };
    insert(&mut write, registry, &role).await?;
    write.record(&Change::Role(registry.clone(), role.name)).await?;
    write.commit().await
}

pub(super) async fn delete(
    mut write: Write,
    registry: &RegistryId,
    expected: &Role,
) -> Result<(), Error> {
    remove(&mut write, registry, expected).await?;
    write.record(&Change::Role(registry.clone(), expected.name.clone())).await?;
    write.commit().await
}

pub(super) async fn list(
    connection: &mut SqliteConnection,
    registry: &RegistryId,
    page: &PageRequest,
) -> Result<Page<Role>, Error> {
    let rows: Vec<RoleRow> = sqlx::query_as(LIST)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(page.start())
        .bind(page.rows())
        .fetch_all(connection)
        .await?;
    let roles = rows.into_iter().map(RoleRow::into_role).collect::<Result<Vec<_>, _>>()?;
    let keyed = roles.into_iter().map(|role| (role.key(), role));
    let page = Page::take(page, keyed, |(key, _)| key);
    Ok(Page { items: page.items.into_iter().map(|(_, role)| role).collect(), next: page.next })
}

/// Inserts a role; tells whether its name was free.
async fn insert(write: &mut Write, registry: &RegistryId, role: &Role) -> Result<bool, Error> {
    let key = role.key();
    let (tags, inline) = (stored::to_json(&role.tags), stored::to_json(&role.inline_policies));
    let inserted = sqlx::query(INSERT)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(key)
        .bind(&role.name)
        .bind(&role.path)
        .bind(&role.role_id)
        .bind(&role.assume_role_policy)
        .bind(&role.description)
        .bind(i64::from(role.max_session_secs))
        .bind(&role.permissions_boundary)
        .bind(tags)
        .bind(inline)
        .bind(stored::to_json(&role.attached_policies))
        .bind(role.created_at.0)
        .execute(write.connection())
        .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Deletes a role that is still as expected.
async fn remove(write: &mut Write, registry: &RegistryId, expected: &Role) -> Result<(), Error> {
    if find(write.connection(), registry, &expected.name).await? != *expected {
        return Err(Error::NotFound);
    }
    sqlx::query(DELETE)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(expected.key())
        .execute(write.connection())
        .await?;
    Ok(())
}

impl RoleRow {
    fn into_role(self) -> Result<Role, Error> {
        Ok(Role {
            name: self.name,
            path: self.path,
            role_id: self.role_id,
            assume_role_policy: self.assume_role_policy,
            description: self.description,
            max_session_secs: u32::try_from(self.max_session_secs).map_err(corrupt(RECORD))?,
            permissions_boundary: self.permissions_boundary,
            tags: stored::from_json(&self.tags, RECORD)?,
            inline_policies: stored::from_json(&self.inline_policies, RECORD)?,
            attached_policies: stored::from_json(&self.attached_policies, RECORD)?,
            created_at: Timestamp(self.created_at),
        })
    }
}
