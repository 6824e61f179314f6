//! What nobody needs any more, found in `links`, `manifests` and `manifest_references`.

use async_trait::async_trait;
use oci::{Digest, RepositoryName};
use sqlx::SqliteConnection;

use super::{SqliteMetadata, Write, links, manifests, removal};
use crate::{CollectionStore, Error, LooseLink, Page, PageRequest, RegistryId, Timestamp, stored};

statements! {
    LINKS = "SELECT account, region, repository, digest, linked_at FROM links \
        WHERE (account, region, repository, digest) > ($1, $2, $3, $4) \
        ORDER BY account, region, repository, digest LIMIT $5";
    NEXT_REGISTRY = "SELECT account, region FROM repositories \
        WHERE (account, region) > ($1, $2) ORDER BY account, region LIMIT 1";
    LINKED = "SELECT 1 FROM links \
        WHERE account = $1 AND region = $2 AND digest = $3 AND linked_at >= $4 LIMIT 1";
    MANIFEST = "SELECT 1 FROM manifests \
        WHERE account = $1 AND region = $2 AND digest = $3 LIMIT 1";
    PART = "SELECT 1 FROM manifest_references \
        WHERE account = $1 AND region = $2 AND child = $3 LIMIT 1";
}

#[async_trait]
impl CollectionStore for SqliteMetadata {
    async fn loose_links(
        &self,
        page: &PageRequest,
        before: Timestamp,
    ) -> Result<Page<LooseLink>, Error> {
        loose(&mut *self.snapshot().await?, page, before).await
    }

    async fn delete_loose_links(&self, links: &[LooseLink]) -> Result<Vec<LooseLink>, Error> {
        delete(self.write().await?, links).await
    }

    async fn needed(
        &self,
        digests: &[Digest],
        but_loose: Option<Timestamp>,
    ) -> Result<Vec<Digest>, Error> {
        needed(&mut *self.snapshot().await?, digests, but_loose).await
    }
}

const RECORD: &str = "link";

async fn loose(
    connection: &mut SqliteConnection,
    page: &PageRequest,
    before: Timestamp,
) -> Result<Page<LooseLink>, Error> {
    // The parts of a key hold no space.
    let mut after = page.start().split(' ').chain(std::iter::repeat(""));
    let mut part = || after.next().unwrap_or_default().to_owned();
    let rows: Vec<(String, String, String, String, i64)> = sqlx::query_as(LINKS)
        .bind(part())
        .bind(part())
        .bind(part())
        .bind(part())
        .bind(page.rows())
        .fetch_all(&mut *connection)
        .await?;
    let key = |(account, region, repository, digest, _): &(String, String, String, String, i64)| {
        format!("{account} {region} {repository} {digest}")
    };
    let Page { items, next } = Page::take_by(page, rows, key);
    let mut loose = Vec::new();
    for (account, region, repository, digest, linked_at) in items {
        if linked_at >= before.0 {
            continue;
        }
        let link = LooseLink {
            registry: stored::registry(&account, &region, RECORD)?,
            repository: stored::repository_name(&repository, RECORD)?,
            digest: stored::digest(&digest, RECORD)?,
            linked_at: Timestamp(linked_at),
        };
        if !is_part(&mut *connection, &link).await? {
            loose.push(link);
        }
    }
    Ok(Page { items: loose, next })
}

async fn is_part(connection: &mut SqliteConnection, link: &LooseLink) -> Result<bool, Error> {
    let LooseLink { registry, repository, digest, .. } = link;
    let parent = manifests::parent_of(connection, registry, repository, digest).await?;
    Ok(parent.is_some())
}

async fn delete(mut write: Write, loose: &[LooseLink]) -> Result<Vec<LooseLink>, Error> {
    let mut deleted = Vec::new();
    for link in loose {
        let (registry, repository): (&RegistryId, &RepositoryName) =
            (&link.registry, &link.repository);
        let held = match links::find(write.connection(), registry, repository, &link.digest).await {
            Ok(held) => held,
            Err(Error::NotFound) => continue,
            Err(error) => return Err(error),
        };
        if held.linked_at == link.linked_at && !is_part(write.connection(), link).await? {
            removal::remove_link(&mut write, registry, repository, &link.digest).await?;
            deleted.push(link.clone());
        }
    }
    write.commit().await?;
    Ok(deleted)
}

async fn needed(
    connection: &mut SqliteConnection,
    digests: &[Digest],
    but_loose: Option<Timestamp>,
) -> Result<Vec<Digest>, Error> {
    let registries = registries(&mut *connection).await?;
    let mut needed = Vec::new();
    for digest in digests {
        if is_needed(&mut *connection, &registries, digest, but_loose).await? {
            needed.push(digest.clone());
        }
    }
    Ok(needed)
}

async fn is_needed(
    connection: &mut SqliteConnection,
    registries: &[(String, String)],
    digest: &Digest,
    but_loose: Option<Timestamp>,
) -> Result<bool, Error> {
    for (account, region) in registries {
        // A link that is not loose has its blob named as a part.
        let since = but_loose.map_or(i64::MIN, |before| before.0);
        let linked: Option<i64> = sqlx::query_scalar(LINKED)
            .bind(account)
            .bind(region)
            .bind(digest.as_str())
            .bind(since)
            .fetch_optional(&mut *connection)
            .await?;
        if linked.is_some() {
            return Ok(true);
        }
        for statement in [MANIFEST, PART] {
            let found: Option<i64> = sqlx::query_scalar(statement)
                .bind(account)
                .bind(region)
                .bind(digest.as_str())
                .fetch_optional(&mut *connection)
                .await?;
            if found.is_some() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Returns the registries that have a repository: one look-up for each, however many those are.
async fn registries(connection: &mut SqliteConnection) -> Result<Vec<(String, String)>, Error> {
    let mut registries: Vec<(String, String)> = Vec::new();
    loop {
        let (account, region) = registries.last().cloned().unwrap_or_default();
        let next = sqlx::query_as(NEXT_REGISTRY)
            .bind(account)
            .bind(region)
            .fetch_optional(&mut *connection)
            .await?;
        match next {
            Some(next) => registries.push(next),
            None => return Ok(registries),
        }
    }
}
