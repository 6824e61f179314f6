//! The table `registry_settings`.

use async_trait::async_trait;
use sqlx::SqliteConnection;

use super::{SqliteMetadata, Write};
use crate::{Error, RegistryId, RegistrySettings, RegistrySettingsStore, stored};

statements! {
    FIND = "SELECT settings FROM registry_settings WHERE account = $1 AND region = $2";
    SET = "INSERT INTO registry_settings (account, region, settings) VALUES ($1, $2, $3) \
        ON CONFLICT (account, region) DO UPDATE SET settings = excluded.settings";
}

#[async_trait]
impl RegistrySettingsStore for SqliteMetadata {
    async fn registry_settings(&self, registry: &RegistryId) -> Result<RegistrySettings, Error> {
        find(&mut *self.reader().await?, registry).await
    }

    async fn replace_registry_settings(
        &self,
        registry: &RegistryId,
        expected: &RegistrySettings,
        settings: &RegistrySettings,
    ) -> Result<(), Error> {
        replace(self.write().await?, registry, expected, settings).await
    }
}

const RECORD: &str = "registry settings";

pub(super) async fn find(
    connection: &mut SqliteConnection,
    registry: &RegistryId,
) -> Result<RegistrySettings, Error> {
    let json: Option<String> = sqlx::query_scalar(FIND)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .fetch_optional(connection)
        .await?;
    json.map_or_else(|| Ok(RegistrySettings::default()), |json| stored::from_json(&json, RECORD))
}

pub(super) async fn replace(
    mut write: Write,
    registry: &RegistryId,
    expected: &RegistrySettings,
    settings: &RegistrySettings,
) -> Result<(), Error> {
    if find(write.connection(), registry).await? != *expected {
        return Err(Error::NotFound);
    }
    sqlx::query(SET)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(stored::to_json(settings))
        .execute(write.connection())
        .await?;
    write.commit().await
}
