//! What takes a tag, a manifest or a link out of a repository.

use oci::{Digest, RepositoryName, Tag};

use super::{Write, links, manifests, tags};
use crate::{Change, Error, Image, Link, ManifestFact, PageRequest, RegistryId, TagFact};

statements! {
    TAG = "DELETE FROM tags \
        WHERE account = $1 AND region = $2 AND repository = $3 AND tag = $4";
    MANIFEST = "DELETE FROM manifests \
        WHERE account = $1 AND region = $2 AND repository = $3 AND digest = $4";
    REFERENCE = "DELETE FROM manifest_references WHERE account = $1 AND region = $2 \
        AND child = $3 AND repository = $4 AND parent = $5";
    MANIFESTS = "DELETE FROM manifests WHERE account = $1 AND region = $2 AND repository = $3";
    LINK = "DELETE FROM links \
        WHERE account = $1 AND region = $2 AND repository = $3 AND digest = $4";
}

/// How many manifests of a repository that is deleted are in memory at once.
const DELETED_AT_ONCE: usize = 256;

pub(super) async fn tag(
    mut write: Write,
    registry: &RegistryId,
    repository: &RepositoryName,
    tag: &Tag,
) -> Result<TagFact, Error> {
    let fact = tags::find(write.connection(), registry, repository, tag).await?;
    delete_tag(&mut write, registry, repository, tag).await?;
    write.commit().await?;
    Ok(fact)
}

async fn delete_tag(
    write: &mut Write,
    registry: &RegistryId,
    repository: &RepositoryName,
    tag: &Tag,
) -> Result<(), Error> {
    sqlx::query(TAG)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(repository.as_str())
        .bind(tag.as_str())
        .execute(write.connection())
        .await?;
    write.record(&Change::Tag(registry.clone(), repository.clone(), tag.clone())).await
}

pub(super) async fn manifest(
    mut write: Write,
    registry: &RegistryId,
    repository: &RepositoryName,
    digest: &Digest,
) -> Result<Image, Error> {
    let image = manifests::image(write.connection(), registry, repository, digest).await?;
    remove_manifest(&mut write, registry, repository, &image).await?;
    write.commit().await?;
    Ok(image)
}

/// Deletes a manifest with the tags that name it.
pub(super) async fn remove_manifest(
    write: &mut Write,
    registry: &RegistryId,
    repository: &RepositoryName,
    image: &Image,
) -> Result<(), Error> {
    let digest = &image.manifest.digest;
    for tag in &image.tags {
        delete_tag(write, registry, repository, tag).await?;
    }
    remove_references(write, registry, repository, &image.manifest).await?;
    sqlx::query(MANIFEST)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(repository.as_str())
        .bind(digest.as_str())
        .execute(write.connection())
        .await?;
    let change = Change::Manifest(registry.clone(), repository.clone(), digest.clone());
    write.record(&change).await
}

async fn remove_references(
    write: &mut Write,
    registry: &RegistryId,
    repository: &RepositoryName,
    manifest: &ManifestFact,
) -> Result<(), Error> {
    for child in manifest.references() {
        sqlx::query(REFERENCE)
            .bind(registry.account.as_str())
            .bind(registry.region.as_str())
            .bind(child.digest.as_str())
            .bind(repository.as_str())
            .bind(manifest.digest.as_str())
            .execute(write.connection())
            .await?;
    }
    Ok(())
}

/// Deletes every manifest of a repository with its references, of which it is the only list by
/// repository. No tag may name one any more.
pub(super) async fn remove_manifests(
    write: &mut Write,
    registry: &RegistryId,
    repository: &RepositoryName,
) -> Result<(), Error> {
    let mut page = PageRequest::first(DELETED_AT_ONCE);
    loop {
        let found = manifests::list(write.connection(), registry, repository, &page).await?;
        for manifest in &found.items {
            remove_references(write, registry, repository, manifest).await?;
        }
        page.after = found.next;
        if page.after.is_none() {
            break;
        }
    }
    sqlx::query(MANIFESTS)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(repository.as_str())
        .execute(write.connection())
        .await?;
    Ok(())
}

pub(super) async fn link(
    mut write: Write,
    registry: &RegistryId,
    repository: &RepositoryName,
    digest: &Digest,
) -> Result<Link, Error> {
    let link = links::find(write.connection(), registry, repository, digest).await?;
    remove_link(&mut write, registry, repository, digest).await?;
    write.commit().await?;
    Ok(link)
}

/// Deletes the link of a blob.
pub(super) async fn remove_link(
    write: &mut Write,
    registry: &RegistryId,
    repository: &RepositoryName,
    digest: &Digest,
) -> Result<(), Error> {
    sqlx::query(LINK)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(repository.as_str())
        .bind(digest.as_str())
        .execute(write.connection())
        .await?;
    let change = Change::Link(registry.clone(), repository.clone(), digest.clone());
    write.record(&change).await
}
