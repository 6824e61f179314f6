//! Listing repositories and images.

use std::collections::BTreeMap;

use metadata::{Image, Page, PageRequest, RegistryId, Repository};
use oci::{Digest, RepositoryName, Tag};

use crate::{Action, Caller, DescribeError, Registry, Resource};

/// How many images are looked at at once where few are wanted.
const READ_AT_ONCE: usize = 1000;

/// Which repositories are wanted: all, where none is named.
#[derive(Clone, Debug, Default)]
pub struct RepositoryFilter {
    /// By name.
    pub names: Vec<String>,
}

/// Which images of a repository are wanted: all, where none is named.
#[derive(Clone, Debug, Default)]
pub struct ImageFilter {
    /// By tag, digest or both.
    pub images: Vec<(Option<String>, Option<String>)>,
    /// By what they are like.
    pub like: ListFilter,
}

/// Which images are wanted by what they are like: all, where nothing is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListFilter {
    /// Only those with a tag, or only those without.
    pub tagged: Option<bool>,
    /// Only those that are archived, or only those that are not.
    pub archived: Option<bool>,
}

impl ListFilter {
    pub(crate) fn wants(self, image: &Image) -> bool {
        self.tagged.is_none_or(|tagged| tagged != image.tags.is_empty())
            && self.archived.is_none_or(|archived| archived == image.manifest.storage.is_archived)
    }
}

impl Registry {
    /// Lists repositories by name.
    ///
    /// # Errors
    /// [`DescribeError::RepositoryNotFound`] for the first of the named ones that does not exist.
    pub async fn describe_repositories(
        &self,
        caller: &Caller,
        filter: &RepositoryFilter,
        page: &PageRequest,
    ) -> Result<Page<Repository>, DescribeError> {
        let action = Action::Operation("ecr:DescribeRepositories");
        let registry = &caller.registry;
        if filter.names.is_empty() {
            self.inner.authorize(caller, action, Resource::Repositories)?;
            return Ok(self.inner.metadata.repositories(registry, page).await?);
        }
        // Whoever may see one of them and not another is told nothing of either.
        for name in filter.names.iter().filter_map(|name| RepositoryName::parse(name).ok()) {
            self.inner.authorize(caller, action, Resource::Repository(&name, None))?;
        }
        let mut items = Vec::with_capacity(filter.names.len());
        for name in &filter.names {
            items.push(self.repository(registry, name).await?);
        }
        Ok(Page { items, next: None })
    }

    /// Lists the images of a repository by digest.
    ///
    /// # Errors
    /// [`DescribeError::RepositoryNotFound`]; [`DescribeError::ImageNotFound`] for the first of
    /// the named ones that does not exist.
    pub async fn describe_images(
        &self,
        caller: &Caller,
        repository: &str,
        filter: &ImageFilter,
        page: &PageRequest,
    ) -> Result<Page<Image>, DescribeError> {
        let action = Action::Operation("ecr:DescribeImages");
        let named = RepositoryName::parse(repository).ok();
        let resource =
            named.as_ref().map_or(Resource::Registry, |name| Resource::Repository(name, None));
        self.inner.authorize(caller, action, resource)?;
        let registry = &caller.registry;
        let name = self.repository(registry, repository).await?.name;
        if filter.images.is_empty() {
            return self.images_like(registry, &name, filter.like, page).await;
        }
        let mut found = self.named_images(registry, &name, filter).await?;
        found.items.retain(|image| filter.like.wants(image));
        Ok(found)
    }

    /// Looks through the images of a repository until a page is full.
    async fn images_like(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        like: ListFilter,
        page: &PageRequest,
    ) -> Result<Page<Image>, DescribeError> {
        let (mut items, mut request) = (Vec::new(), page.clone());
        loop {
            let metadata = &self.inner.metadata;
            let found = match like.archived {
                Some(true) => metadata.archived_images(registry, repository, &request).await?,
                _ => metadata.images(registry, repository, &request).await?,
            };
            items.extend(found.items.into_iter().filter(|image| like.wants(image)));
            if items.len() > page.limit {
                items.truncate(page.limit);
                let last: Option<&Image> = items.last();
                let next = last.map(|image| image.manifest.digest.to_string());
                return Ok(Page { items, next });
            }
            if items.len() == page.limit || found.next.is_none() {
                return Ok(Page { items, next: found.next });
            }
            request = PageRequest { after: found.next, limit: page.limit.max(READ_AT_ONCE) };
        }
    }

    async fn repository(
        &self,
        registry: &RegistryId,
        name: &str,
    ) -> Result<Repository, DescribeError> {
        let not_found = || DescribeError::RepositoryNotFound {
            repository: name.to_owned(),
            registry: registry.clone(),
        };
        let parsed = RepositoryName::parse(name).map_err(|_| not_found())?;
        match self.inner.metadata.repository(registry, &parsed).await {
            Ok(repository) => Ok(repository),
            Err(metadata::Error::NotFound) => Err(not_found()),
            Err(error) => Err(error.into()),
        }
    }

    /// Images by tag or digest, each once, by digest.
    async fn named_images(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        filter: &ImageFilter,
    ) -> Result<Page<Image>, DescribeError> {
        let mut images = BTreeMap::new();
        for (tag, digest) in &filter.images {
            let name = digest.as_deref().or(tag.as_deref()).unwrap_or_default();
            let not_found = || DescribeError::ImageNotFound {
                repository: repository.to_string(),
                image: name.to_owned(),
            };
            let image = self
                .named_image(registry, repository, tag.as_deref(), digest.as_deref())
                .await
                .map_err(|error| match error {
                    metadata::Error::NotFound => not_found(),
                    error => error.into(),
                })?;
            images.insert(image.manifest.digest.clone(), image);
        }
        Ok(Page { items: images.into_values().collect(), next: None })
    }

    pub(crate) async fn named_image(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        tag: Option<&str>,
        digest: Option<&str>,
    ) -> Result<Image, metadata::Error> {
        let store = &self.inner.metadata;
        let wanted =
            digest.map(Digest::parse).transpose().map_err(|_| metadata::Error::NotFound)?;
        let tagged = match tag {
            None => None,
            Some(tag) => {
                let tag = Tag::parse(tag).map_err(|_| metadata::Error::NotFound)?;
                Some(store.tag(registry, repository, &tag).await?.digest)
            }
        };
        let digest = match (wanted, tagged) {
            (Some(wanted), Some(tagged)) if wanted != tagged => {
                return Err(metadata::Error::NotFound);
            }
            (Some(digest), _) | (None, Some(digest)) => digest,
            (None, None) => return Err(metadata::Error::NotFound),
        };
        store.image(registry, repository, &digest).await
    }
}
