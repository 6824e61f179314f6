//! The `sightings` table.

use async_trait::async_trait;
use oci::Digest;

use super::{SqliteMetadata, Write};
use crate::{Error, RegistryId, SightingStore, Timestamp, store::SIGHTINGS_KEPT_MILLIS};

statements! {
    FORGET = "DELETE FROM sightings WHERE account = $1 AND region = $2 AND seen_at < $3";
    INSERT = "INSERT INTO sightings (account, region, digest, seen_at) VALUES ($1, $2, $3, $4) \
        ON CONFLICT DO NOTHING";
    FIND = "SELECT seen_at FROM sightings WHERE account = $1 AND region = $2 AND digest = $3";
}

#[async_trait]
impl SightingStore for SqliteMetadata {
    async fn sight_manifest(
        &self,
        registry: &RegistryId,
        digest: &Digest,
        at: Timestamp,
    ) -> Result<Timestamp, Error> {
        sight(self.write().await?, registry, digest, at).await
    }
}

async fn sight(
    mut write: Write,
    registry: &RegistryId,
    digest: &Digest,
    at: Timestamp,
) -> Result<Timestamp, Error> {
    let (account, region) = (registry.account.as_str(), registry.region.as_str());
    sqlx::query(FORGET)
        .bind(account)
        .bind(region)
        .bind(at.0.saturating_sub(SIGHTINGS_KEPT_MILLIS))
        .execute(write.connection())
        .await?;
    sqlx::query(INSERT)
        .bind(account)
        .bind(region)
        .bind(digest.as_str())
        .bind(at.0)
        .execute(write.connection())
        .await?;
    let seen_at = sqlx::query_scalar(FIND)
        .bind(account)
        .bind(region)
        .bind(digest.as_str())
        .fetch_one(write.connection())
        .await?;
    write.commit().await?;
    Ok(Timestamp(seen_at))
}
