//! What nobody needs any more, in memory.

use async_trait::async_trait;
use oci::Digest;

use super::{MemoryMetadata, State};
use crate::{CollectionStore, Error, Link, LooseLink, Page, PageRequest, Timestamp};

#[async_trait]
impl CollectionStore for MemoryMetadata {
    async fn loose_links(
        &self,
        page: &PageRequest,
        before: Timestamp,
    ) -> Result<Page<LooseLink>, Error> {
        Ok(self.state().loose_links(page, before))
    }

    async fn delete_loose_links(&self, links: &[LooseLink]) -> Result<Vec<LooseLink>, Error> {
        let mut state = self.state();
        let mut deleted = Vec::new();
        for link in links {
            let LooseLink { registry, repository, digest, linked_at } = link;
            let Ok(content) = state.content(registry, repository) else { continue };
            let is_same = content.link(digest).is_ok_and(|held| held.linked_at == *linked_at);
            if is_same && content.parent_of(digest).is_none() {
                state.delete_link(registry, repository, digest)?;
                deleted.push(link.clone());
            }
        }
        Ok(deleted)
    }

    async fn needed(
        &self,
        digests: &[Digest],
        but_loose: Option<Timestamp>,
    ) -> Result<Vec<Digest>, Error> {
        let state = self.state();
        let is_needed = |digest: &&Digest| {
            let mut contents =
                state.registries.values().flat_map(|facts| facts.repositories.values());
            contents.any(|content| {
                let counts = |link: Link| but_loose.is_none_or(|before| link.linked_at >= before);
                content.link(digest).is_ok_and(counts)
                    || content.manifest(digest).is_ok()
                    || content.parent_of(digest).is_some()
            })
        };
        Ok(digests.iter().filter(is_needed).cloned().collect())
    }
}

impl State {
    fn loose_links(&self, page: &PageRequest, before: Timestamp) -> Page<LooseLink> {
        let mut links: Vec<_> = self
            .registries
            .iter()
            .flat_map(|(registry, facts)| {
                facts.repositories.values().map(move |content| (registry, content))
            })
            .flat_map(|(registry, content)| {
                content.links().map(move |link| {
                    let repository = content.repository.name.clone();
                    let registry = registry.clone();
                    let (digest, linked_at) = (link.digest.clone(), link.linked_at);
                    LooseLink { registry, repository, digest, linked_at }
                })
            })
            .collect();
        links.sort_by_cached_key(key);
        let rest = links.into_iter().filter(|link| key(link).as_str() > page.start());
        let Page { items, next } = Page::take_by(page, rest, key);
        let is_loose = |link: &LooseLink| {
            let content = self.content(&link.registry, &link.repository);
            link.linked_at < before
                && content.is_ok_and(|content| content.parent_of(&link.digest).is_none())
        };
        Page { items: items.into_iter().filter(is_loose).collect(), next }
    }
}

fn key(link: &LooseLink) -> String {
    let LooseLink { registry, repository, digest, .. } = link;
    format!("{} {} {repository} {digest}", registry.account, registry.region)
}
