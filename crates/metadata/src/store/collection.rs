//! The contract of what a store knows of what nobody needs any more.

use std::fmt;

use async_trait::async_trait;
use oci::Digest;

use crate::{Error, LooseLink, Page, PageRequest, Timestamp};

/// What whoever frees space asks.
#[async_trait]
pub trait CollectionStore: Send + Sync + fmt::Debug + 'static {
    /// Looks through at most `page.limit` links of all registries and returns those, linked before
    /// `before`, that no manifest of their repository names. Keys are the store's own.
    async fn loose_links(
        &self,
        page: &PageRequest,
        before: Timestamp,
    ) -> Result<Page<LooseLink>, Error>;

    /// Deletes links, provided that each was linked when it says and still is loose; all in one
    /// transaction. Returns those that it deleted.
    async fn delete_loose_links(&self, links: &[LooseLink]) -> Result<Vec<LooseLink>, Error>;

    /// Returns those of `digests` that any registry needs: there is a link or a manifest of that
    /// digest, or a manifest names it as its part. With `but_loose`, links do not count that were
    /// linked before that and are loose.
    async fn needed(
        &self,
        digests: &[Digest],
        but_loose: Option<Timestamp>,
    ) -> Result<Vec<Digest>, Error>;
}
