//! Images that rules brought, by when they were last used.

use sqlx::SqliteConnection;

use super::manifests::{self, ManifestRow};
use crate::{CachedImage, Error, Page, PageRequest, stored};

statements! {
    // Word for word the expressions of the index `manifests_by_use`; a comparison of rows alone
    // would begin at its start.
    BY_USE = "SELECT *, MAX(pushed_at, COALESCE(last_pulled_at, 0)) AS used_at \
        FROM manifests AS held \
        WHERE json_type(origin, '$.cached') = 'object' AND archived = 0 \
        AND MAX(pushed_at, COALESCE(last_pulled_at, 0)) >= $1 \
        AND (MAX(pushed_at, COALESCE(last_pulled_at, 0)), account, region, repository, digest) \
            > ($1, $2, $3, $4, $5) \
        AND NOT EXISTS (SELECT 1 FROM manifest_references AS named \
            WHERE named.account = held.account AND named.region = held.region \
            AND named.child = held.digest AND named.repository = held.repository) \
        AND NOT EXISTS (SELECT 1 FROM manifests AS other \
            WHERE other.account = held.account AND other.region = held.region \
            AND other.repository = held.repository AND other.digest = held.subject) \
        ORDER BY MAX(pushed_at, COALESCE(last_pulled_at, 0)), account, region, repository, digest \
        LIMIT $6";
}

const RECORD: &str = "manifest";

/// A row of `manifests`, and when it was last used.
#[derive(sqlx::FromRow)]
struct UsedRow {
    account: String,
    region: String,
    repository: String,
    used_at: i64,
    #[sqlx(flatten)]
    manifest: ManifestRow,
}

/// Returns a page of cached images, the least recently used first.
pub(super) async fn cached_images(
    connection: &mut SqliteConnection,
    page: &PageRequest,
) -> Result<Page<CachedImage>, Error> {
    // The parts of a key hold no space.
    let mut parts = page.start().split(' ');
    let used_at = parts.next().and_then(|text| text.parse().ok()).unwrap_or(i64::MIN);
    let mut part = || parts.next().unwrap_or_default().to_owned();
    let rows: Vec<UsedRow> = sqlx::query_as(BY_USE)
        .bind(used_at)
        .bind(part())
        .bind(part())
        .bind(part())
        .bind(part())
        .bind(page.rows())
        .fetch_all(&mut *connection)
        .await?;
    let key = |row: &UsedRow| {
        let UsedRow { account, region, repository, used_at, manifest } = row;
        format!("{used_at} {account} {region} {repository} {}", manifest.digest)
    };
    let Page { items, next } = Page::take_by(page, rows, key);
    let mut images = Vec::with_capacity(items.len());
    for row in items {
        let registry = stored::registry(&row.account, &row.region, RECORD)?;
        let repository = stored::repository_name(&row.repository, RECORD)?;
        let manifest = row.manifest.into_manifest()?;
        let image =
            manifests::with_tags(&mut *connection, &registry, &repository, manifest).await?;
        images.push(CachedImage { registry, repository, image });
    }
    Ok(Page { items: images, next })
}
